"""The page: every part of it as markup, and the whole in one file that needs nothing else."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from rawcd.disc import Area
from rawcd.report.graphics import moments
from rawcd.report.labels import (
    HUES,
    area_name,
    clock,
    control_words,
    isrc_words,
    length,
    many,
    mode_name,
    msf,
    span_label,
)
from rawcd.report.markup import Child, Markup, joined, stylesheet, tag
from rawcd.report.reading import MOST_FINDINGS
from rawcd.report.rings import Rings
from rawcd.report.scale import Scale
from rawcd.report.tables import frame_rows, toc_rows
from rawcd.report.texts import text_section
from rawcd.report.timeline import HEIGHT, Timeline, percent, wave

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.report.reading import DiscReading
    from rawcd.report.spans import Span
    from rawcd.verify import Finding

_WAVE_COLUMNS: Final = 40_000
"""Columns of all the tracks' waveforms: some 700 KB."""
_A_TRACK: Final = 1_000
_NUMBERS: Final = ("Session", "Mode", "Times", "LBA", "P", "Sectors", "Track", "Index")
"""Columns of numbers."""


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page_of(reading: DiscReading, *, name: str) -> str:
    """Return the whole page.

    Args:
        reading: the disc.
        name: what the image is called.
    """
    style = stylesheet("map.css") + stylesheet("page.css")
    script = stylesheet("page.js")
    # Nothing but what is in this file is ever fetched or run, whatever a disc's texts hold.
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {_digest(script)}; base-uri 'none'; form-action 'none'"
    )
    page = _Page(reading, name)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="rawcd"),
        tag("title", f"{page.title} · disc report"),
        tag("style", Markup(style)),
    )
    body = tag("body", page.body(), tag("script", Markup(script)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


class _Page:
    """Makes the parts."""

    def __init__(self, reading: DiscReading, name: str) -> None:
        self._reading = reading
        self._name = name
        self._fitted = Scale.fitted(reading.survey.runs)
        block = None if reading.cdtext is None else reading.cdtext.blocks[0]
        self._block = block
        self.title = (block and block.text("title", 0)) or name

    def _text(self, field: str, track: int) -> str | None:
        return None if self._block is None else self._block.text(field, track) or None

    def body(self) -> Markup:
        """Return all that is seen."""
        parts = [
            ("map", "Map", self._map()),
            ("tracks", "Tracks", self._tracks()),
            ("findings", "Findings", self._findings()),
            ("texts", "CD-TEXT", text_section(self._reading)),
            ("graphics", "Graphics", self._graphics()),
            ("contents", "Contents", self._toc()),
            ("frames", "Q frames", self._frames()),
            ("areas", "Areas", self._areas()),
        ]
        shown = [(key, word, part) for key, word, part in parts if part is not None]
        links = [tag("li", tag("a", word, href=f"#{key}")) for key, word, _ in shown]
        return joined(
            (
                tag("a", "Skip to the tracks", href="#tracks", class_="skip"),
                tag(
                    "header",
                    tag("nav", tag("ul", *links), aria_label="Parts of this report"),
                    tag("button", "Theme: auto", type="button", class_="theme"),
                    class_="bar",
                ),
                tag("main", self._hero(), *(part for _, _, part in shown)),
                tag(
                    "footer",
                    f"Every figure was read from the sectors of {self._name}: "
                    f"{self._reading.image.sector_count:,} of "
                    f"{self._reading.image.sector_size:,} bytes. Made by rawcd.",
                ),
            )
        )

    # -- the head ------------------------------------------------------------------------------

    def _hero(self) -> Markup:
        performer = self._text("performer", 0)
        return tag(
            "section",
            tag(
                "div",
                tag("span", self._kind(), class_="kind"),
                tag("h1", self.title),
                tag("p", performer, class_="performer") if performer else None,
                tag("dl", *self._facts(), class_="facts"),
                self._verdict(),
            ),
            self._disc(),
            class_="hero",
        )

    def _kind(self) -> str:
        spans, survey = self._reading.spans, self._reading.survey
        sound = any(not span.is_data for span in spans)
        data = any(span.is_data for span in spans)
        sessions = {run.session for run in survey.runs}
        if not spans:
            return "Disc without a track that can be read"
        if sound and data:
            return "Enhanced CD" if len(sessions) > 1 else "Mixed mode CD"
        graphics = bool(self._reading.has_graphics.any())
        return "Data CD" if data else "Audio CD with graphics" if graphics else "Audio CD"

    def _facts(self) -> Iterator[Markup]:
        reading = self._reading
        sound = sum(not span.is_data for span in reading.spans)
        data = len(reading.spans) - sound
        tracks = " and ".join(
            f"{count} {word}" for count, word in ((sound, "audio"), (data, "data")) if count
        )
        sessions = {run.session for run in reading.survey.runs}
        hidden = reading.hidden_sounds()
        words: list[tuple[str, Child]] = [
            ("Playing time", clock(self._reading.playing_sectors)),
            ("Tracks", tracks or "none"),
            ("Sessions", len(sessions)),
            ("Catalogue number", reading.survey.mcn or "none"),
        ]
        if reading.cdtext is not None:
            words.append(("Languages", len(reading.cdtext.blocks)))
        if hidden:
            words.append(("Sound in pregaps", clock(sum(each.sectors for each in hidden))))
        words.append(("Lead-out at", self._lead_out()))
        for term, value in words:
            yield tag("div", tag("dt", term), tag("dd", value))

    def _lead_out(self) -> str:
        runs = [run for run in self._reading.survey.runs if run.area is Area.LEAD_OUT]
        return msf(runs[-1].lba) if runs else "none"

    def _verdict(self) -> Markup:
        findings = self._reading.findings
        if self._reading.checked is None:
            return tag("p", "Not checked for defects", class_="soft")
        defects = sum(finding.severity.value == "defect" for finding in findings)
        warnings = len(findings) - defects
        if not findings:
            return tag("a", "Nothing wrong was found", href="#findings", class_="verdict good")
        words = [many(defects, "defect")] if defects else []
        words += [many(warnings, "warning")] if warnings else []
        style = "defect" if defects else "warning"
        return tag("a", " and ".join(words), href="#findings", class_=f"verdict {style}")

    def _disc(self) -> Markup:
        runs = self._reading.survey.runs
        fitted, blank = (
            Rings(self._reading, self._fitted),
            Rings(self._reading, Scale.of_blank(runs)),
        )
        return tag(
            "figure",
            self._rings(fitted, "fitted", "The disc, its program area enlarged to fill it"),
            self._rings(blank, "true", "The disc in proportion to a blank of 80 minutes"),
            tag(
                "fieldset",
                tag("legend", "Scale of the drawing", class_="unseen"),
                tag("input", type="radio", name="scale", id="scale-fitted", checked=True),
                tag("label", "Program area enlarged", for_="scale-fitted"),
                tag("input", type="radio", name="scale", id="scale-true"),
                tag("label", "As on the blank", for_="scale-true"),
                class_="switch",
            ),
            tag(
                "figcaption",
                "Read from the inside out. A ring's area is its time, and it is bright where "
                "the sound is loud.",
            ),
            class_="disc",
        )

    def _rings(self, rings: Rings, style: str, label: str) -> Markup:
        spans = self._reading.spans
        what = ", ".join(span_label(span) for span in spans[:8])
        return tag(
            "svg",
            tag("title", f"{label}. {what}"),
            rings.drawing(),
            tag(
                "g",
                tag("text", len(spans), y=0.4, font_size=6.5, class_="hub-number"),
                tag("text", "tracks", y=3, font_size=2.1, class_="small hub-word"),
                tag(
                    "text",
                    clock(self._reading.playing_sectors),
                    y=5.5,
                    font_size=2.1,
                    class_="small hub-time",
                ),
                class_="hub",
            ),
            viewBox="-61 -61 122 122",
            role="img",
            aria_label=label,
            class_=style,
        )

    # -- the map -------------------------------------------------------------------------------

    def _map(self) -> Markup:
        spans = Timeline(self._reading, self._fitted).drawing()
        hidden = self._reading.hidden_sounds()
        return tag(
            "section",
            tag("h2", "Map"),
            tag(
                "p",
                "From lead-in to lead-out"
                + ("." if self._fitted.is_true else ", the areas outside the tracks shortened."),
                class_="lede",
            ),
            tag(
                "div",
                tag(
                    "svg",
                    spans,
                    height=HEIGHT,
                    width="100%",
                    role="group",
                    aria_label="Timeline: arrow keys go from track to track",
                    class_="map",
                ),
                _legend(bool(hidden)),
                class_="card timeline",
            ),
            tag("ul", *(tag("li", each.label) for each in hidden), class_="heard")
            if hidden
            else None,
            id="map",
        )

    def _tracks(self) -> Markup:
        spans = self._reading.spans
        columns = min(_A_TRACK, _WAVE_COLUMNS // max(len(spans), 1))
        return tag(
            "section",
            tag("h2", "Tracks"),
            tag("p", "Arrow keys go up and down; Escape lets go.", class_="lede"),
            tag(
                "ol",
                *(self._track(place, span, columns) for place, span in enumerate(spans)),
                class_="tracks",
            ),
            id="tracks",
            tabindex=-1,
        )

    def _track(self, place: int, span: Span, columns: int) -> Markup:
        title = self._text("title", span.number)
        performer = self._text("performer", span.number)
        head = tag(
            "button",
            tag("span", f"{span.number:02}", class_="number"),
            tag(
                "bdi", title or ("Data" if span.is_data else f"Track {span.number}"), class_="title"
            ),
            tag("span", clock(span.end_lba - span.start_lba), class_="time"),
            tag("bdi", performer, class_="by") if performer else None,
            type="button",
            aria_pressed="false",
            class_="head",
        )
        return tag(
            "li",
            head,
            tag("div", *(tag("span", word) for word in self._about(span)), class_="about"),
            self._picture(place, span, columns),
            class_=f"card track hue{place % HUES}",
            data_span=place,
        )

    def _about(self, span: Span) -> Iterator[str]:
        yield f"from {msf(span.start_lba)}"
        if span.pregap_sectors:
            yield f"pregap {length(span.pregap_sectors)}"
        later = sum(number > 1 for number, _ in span.indexes())
        if later:
            yield many(later, "more index", "more indexes")
        words = control_words(span.control)
        if span.is_data:
            words = words.replace("data", mode_name(span.mode), 1)
        if any(run.scms for run in span.runs):
            words = words.replace("no copying", "one generation of copies (SCMS)")
        yield words
        isrc = self._reading.survey.isrc(span.number)
        if isrc is not None:
            yield f"ISRC {isrc_words(isrc)}"

    def _picture(self, place: int, span: Span, columns: int) -> Markup:
        """Return a track's waveform, its pregap shaded, with indexes and findings."""
        height = 72

        def x(lba: float) -> str:
            return percent((lba - span.lba) / span.sectors)

        parts: list[Child] = [
            tag("rect", width=x(span.start_lba), height=height, class_="before"),
            tag("line", x2="100%", y1=height // 2, y2=height // 2, class_="middle"),
        ]
        if span.is_data:
            parts.append(
                tag("rect", x=x(span.start_lba), width="100%", y=18, height=36, class_="data")
                if span.pregap_sectors == 0
                else tag(
                    "rect",
                    x=x(span.start_lba),
                    width=percent(1 - span.pregap_sectors / span.sectors),
                    y=18,
                    height=36,
                    class_="data",
                )
            )
        else:
            most = min(columns, span.sectors * 4)
            parts.append(
                wave(
                    self._reading.waves.columns(span.lba, span.sectors, most),
                    width="100%",
                    height=height,
                )
            )
        for number, lba in span.indexes():
            if lba > span.lba:
                parts.append(tag("line", x1=x(lba), x2=x(lba), y2=height, class_="at"))
                parts.append(tag("text", number, x=x(lba), dx=3, y=10))
        for number, finding in enumerate(self._shown_findings()):
            if finding.lba is not None and span.lba <= finding.lba < span.end_lba:
                parts.append(
                    tag(
                        "circle",
                        tag("title", finding.message),
                        cx=x(finding.lba + finding.sectors / 2),
                        cy=height - 5,
                        r=4,
                        class_=f"mark {finding.severity.value}",
                        data_finding=number,
                    )
                )
        return tag(
            "svg",
            *parts,
            role="img",
            aria_label=f"{'Data' if span.is_data else 'Waveform'} of track {span.number}",
            class_=f"picture hue{place % HUES}",
        )

    # -- what was found ------------------------------------------------------------------------

    def _shown_findings(self) -> Sequence[Finding]:
        return self._reading.findings[:MOST_FINDINGS]

    def _findings(self) -> Markup | None:
        checked = self._reading.checked
        if checked is None:
            return None
        if not checked.findings:
            words = "Nothing wrong was found in any sector, in main channel or subcode."
            return tag("section", tag("h2", "Findings"), tag("p", words), id="findings")
        shown = self._shown_findings()
        more = len(checked.findings) - len(shown) + sum(count for _, count in checked.left_out)
        return tag(
            "section",
            tag("h2", "Findings"),
            tag(
                "ol",
                *(_finding(number, finding) for number, finding in enumerate(shown)),
                class_="findings",
            ),
            tag("p", f"and {more:,} more: rawcd verify lists them all", class_="soft")
            if more
            else None,
            id="findings",
        )

    def _graphics(self) -> Markup | None:
        pictures = [
            tag(
                "figure",
                tag(
                    "img",
                    src=f"data:image/png;base64,{b64encode(moment.png).decode()}",
                    alt=f"Graphics of track {moment.track}, {clock(moment.sectors)} in",
                    width=300,
                    height=216,
                ),
                tag("figcaption", f"Track {moment.track}, {clock(moment.sectors)} in"),
            )
            for moment in moments(self._reading)
        ]
        if not pictures:
            return None
        return tag(
            "section",
            tag("h2", "Graphics"),
            tag("p", "What a CD+G player shows, out of the R-W subcode.", class_="lede"),
            tag("div", *pictures, class_="gallery"),
            id="graphics",
        )

    # -- tables --------------------------------------------------------------------------------

    def _toc(self) -> Markup:
        rows = [
            tag(
                "tr",
                _cell(row.session, "right"),
                _cell(row.point, "mono tight"),
                _cell(row.name, "tight"),
                _cell(row.value, "tight"),
                _cell(row.control),
                _cell(row.adr, "right"),
                _cell(f"{row.frames:,}", "right"),
                _cell(row.bytes_, "bytes mono"),
            )
            for row in toc_rows(self._reading)
        ]
        heads = ("Session", "Point", "Item", "Says", "Control", "Mode", "Times", "Bytes")
        return tag(
            "section",
            tag("h2", "Table of contents"),
            tag("p", "The items that the Q channel of each lead-in repeats.", class_="lede"),
            _table("Items of the lead-in", heads, rows),
            id="contents",
        )

    def _frames(self) -> Markup:
        frames, more = frame_rows(self._reading)
        rows = [
            tag(
                "tr",
                _cell(row.lba, "right"),
                _cell(msf(row.lba), "tight"),
                _cell(row.why),
                _cell(row.mode, "right"),
                _cell(row.says),
                _cell(row.control),
                _cell("1" if row.p else "0", "right"),
                _cell("right" if row.is_right else "wrong"),
                _cell(row.bytes_, "bytes mono"),
                class_=None if row.is_right else "wrong",
            )
            for row in frames
        ]
        heads = ("LBA", "MSF", "Why here", "Mode", "Says", "Control", "P", "CRC", "Bytes")
        return tag(
            "section",
            tag("h2", "Q frames"),
            tag(
                "p",
                "Where something happens: areas, tracks and indexes begin, codes are told, a CRC "
                "is wrong.",
                class_="lede",
            ),
            self._made(),
            _table("Q frames at such places", heads, rows),
            tag("p", f"and {more:,} more such places", class_="soft") if more else None,
            id="frames",
        )

    def _made(self) -> Markup | None:
        """Return a warning where the subcode was not recorded."""
        made = sum(sectors for _, sectors in self._reading.survey.made)
        if not made:
            return None
        whose = "No" if not self._reading.survey.is_recorded else "Not all"
        words = f"{whose} subcode was recorded: rawcd made that of {made:,} sectors by the sheet."
        return tag("p", words, class_="lede")

    def _areas(self) -> Markup:
        rows = [
            tag(
                "tr",
                _cell(run.lba, "right"),
                _cell(msf(run.lba), "tight"),
                _cell(f"{run.sectors:,}", "right"),
                _cell(length(run.sectors), "tight"),
                _cell(area_name(run.area), "tight"),
                _cell(run.session, "right"),
                _cell("" if run.track is None else run.track, "right"),
                _cell("" if run.index is None else run.index, "right"),
                _cell(mode_name(run.mode), "tight"),
            )
            for run in self._reading.survey.runs
        ]
        heads = ("LBA", "MSF", "Sectors", "Length", "Area", "Session", "Track", "Index", "Holds")
        return tag(
            "section",
            tag("h2", "Areas"),
            tag("p", "The map in words.", class_="lede"),
            _table("All areas, tracks and indexes", heads, rows),
            id="areas",
        )


def _legend(has_hidden: bool) -> Markup:
    items = [("lead", "lead-in and lead-out"), ("hue0 gap", "pregap"), ("hue0", "track")]
    if has_hidden:
        items.append(("hidden", "sound in a pregap"))
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag(
                    "svg",
                    tag("rect", width="100%", height="100%", class_=style),
                    aria_hidden="true",
                ),
                word,
            )
            for style, word in items
        ),
        class_="legend",
    )


def _finding(number: int, finding: Finding) -> Markup:
    where = [] if finding.track is None else [f"track {finding.track}"]
    if finding.lba is not None:
        where += [msf(finding.lba), f"LBA {finding.lba}"]
    if finding.sectors > 1:
        where.append(f"{finding.sectors:,} sectors")
    return tag(
        "li",
        tag("span", finding.severity.value, class_="severity"),
        tag("span", finding.rule, class_="rule"),
        tag("span", ", ".join(where) or "the disc", class_="soft"),
        tag("span", finding.message, class_="what"),
        class_=f"card {finding.severity.value}",
        id=f"finding-{number}",
    )


def _cell(child: Child, style: str | None = None) -> Markup:
    return tag("td", child, class_=style)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Markup]) -> Markup:
    """Return a table in a frame that scrolls by itself, so that the page never does sideways."""
    words = (
        tag("th", head, scope="col", class_="right" if head in _NUMBERS else None) for head in heads
    )
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption, class_="unseen"),
            tag("thead", tag("tr", *words)),
            tag("tbody", *rows),
        ),
        tabindex=0,
        role="region",
        aria_label=caption,
        class_="scroller",
    )
