"""The page: every part of it as markup, and the whole in one file that needs nothing else."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

from rawcd.disc import Area
from rawcd.report.graphics import moments
from rawcd.report.labels import clock, many, msf, span_label
from rawcd.report.listings import area_section, contents_section, finding_section, frame_section
from rawcd.report.markup import Child, Markup, joined, stylesheet, tag
from rawcd.report.rings import Rings
from rawcd.report.scale import Scale
from rawcd.report.texts import text_section
from rawcd.report.timeline import HEIGHT, Timeline
from rawcd.report.tracklist import track_section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading


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
        self._fitted = Scale.fitted(reading.runs)
        self.title = reading.text("title", 0) or name

    def body(self) -> Markup:
        """Return all that is seen."""
        parts = [
            ("map", "Map", self._map()),
            ("tracks", "Tracks", track_section(self._reading)),
            ("findings", "Findings", finding_section(self._reading)),
            ("texts", "CD-TEXT", text_section(self._reading)),
            ("graphics", "Graphics", self._graphics()),
            ("contents", "Contents", contents_section(self._reading)),
            ("frames", "Q frames", frame_section(self._reading)),
            ("areas", "Areas", area_section(self._reading)),
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
        performer = self._reading.text("performer", 0)
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
        spans = self._reading.spans
        sound = any(not span.is_data for span in spans)
        data = any(span.is_data for span in spans)
        sessions = {run.session for run in self._reading.runs}
        if not spans:
            return "Disc without a track that can be read"
        if sound and data:
            return "Enhanced CD" if len(sessions) > 1 else "Mixed mode CD"
        graphics = self._reading.has_pictures
        return "Data CD" if data else "Audio CD with graphics" if graphics else "Audio CD"

    def _facts(self) -> Iterator[Markup]:
        reading = self._reading
        sound = sum(not span.is_data for span in reading.spans)
        data = len(reading.spans) - sound
        tracks = " and ".join(
            f"{count} {word}" for count, word in ((sound, "audio"), (data, "data")) if count
        )
        sessions = {run.session for run in reading.runs}
        hidden = reading.hidden_sounds()
        words: list[tuple[str, Child]] = [
            ("Playing time" if sound else "Length", clock(reading.playing_sectors)),
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
        runs = [run for run in self._reading.runs if run.area is Area.LEAD_OUT]
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
        if more := sum(count for _, count in self._reading.checked.left_out):
            words.append(f"{more:,} more")
        style = "defect" if defects else "warning"
        told = " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
        return tag("a", told, href="#findings", class_=f"verdict {style}")

    def _disc(self) -> Markup:
        runs = self._reading.runs
        fitted = Rings(self._reading, self._fitted)
        blank = Rings(self._reading, Scale.of_blank(runs))
        return tag(
            "figure",
            self._rings(fitted, "fitted", "The disc, its program area enlarged to fill it"),
            self._rings(blank, "true", "The disc, all of it to scale"),
            tag(
                "fieldset",
                tag("legend", "Scale of the drawing", class_="unseen"),
                tag("input", type="radio", name="scale", id="scale-fitted", checked=True),
                tag("label", "Program area enlarged", for_="scale-fitted"),
                tag("input", type="radio", name="scale", id="scale-true"),
                tag("label", "All to scale", for_="scale-true"),
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
                tag(
                    "text",
                    "track" if len(spans) == 1 else "tracks",
                    y=3,
                    font_size=2.1,
                    class_="small hub-word",
                ),
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
