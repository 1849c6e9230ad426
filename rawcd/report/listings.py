"""The parts of the page that are lists: what was found, and the subcode as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.report.labels import area_name, length, many, mode_name, msf
from rawcd.report.markup import Child, Markup, tag
from rawcd.report.tables import frame_rows, toc_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.report.reading import DiscReading
    from rawcd.verify import Finding

_NUMBERS: Final = ("Session", "Mode", "Times", "LBA", "P", "Sectors", "Track", "Index")
"""Columns of numbers."""


def finding_section(reading: DiscReading) -> Markup | None:
    """Return what verify found; None where it was not asked."""
    checked = reading.checked
    if checked is None:
        return None
    if not checked.findings:
        words = "Nothing wrong was found in any sector, in main channel or subcode."
        return tag("section", tag("h2", "Findings"), tag("p", words), id="findings")
    shown = reading.shown_findings
    left_out = len(checked.findings) - len(shown) + sum(count for _, count in checked.left_out)
    items = (_finding(number, finding) for number, finding in enumerate(shown))
    return tag(
        "section",
        tag("h2", "Findings"),
        tag("ol", *items, class_="findings"),
        _more(left_out, "rawcd verify lists them"),
        id="findings",
    )


def _finding(number: int, finding: Finding) -> Markup:
    where = [] if finding.track is None else [f"track {finding.track}"]
    if finding.lba is not None:
        where += [msf(finding.lba), f"LBA {finding.lba}"]
    if finding.sectors > 1:
        where.append(many(finding.sectors, "sector"))
    return tag(
        "li",
        tag("span", finding.severity.value, class_="severity"),
        tag("span", finding.rule, class_="rule"),
        tag("span", ", ".join(where) or "the disc", class_="soft"),
        tag("span", finding.message, class_="what"),
        class_=f"card {finding.severity.value}",
        id=f"finding-{number}",
    )


def contents_section(reading: DiscReading) -> Markup:
    """Return the table of contents."""
    found, left_out = toc_rows(reading)
    rows = [
        _row(
            _cell(row.session, "right"),
            _cell(row.point, "mono tight"),
            _cell(row.name, "tight"),
            _cell(row.value, "tight"),
            _cell(row.control),
            _cell(row.adr, "right"),
            _cell(f"{row.frames:,}", "right"),
            _cell(row.fields, "bytes mono"),
        )
        for row in found
    ]
    heads = ("Session", "Point", "Item", "Says", "Control", "Mode", "Times", "Bytes")
    return tag(
        "section",
        tag("h2", "Table of contents"),
        tag("p", "The items that the Q channel of each lead-in repeats.", class_="lede"),
        _table("Items of the lead-in", heads, rows),
        _more(left_out),
        id="contents",
    )


def frame_section(reading: DiscReading) -> Markup:
    """Return the Q frames where something happens."""
    found, left_out = frame_rows(reading)
    rows = [
        _row(
            _cell(row.lba, "right"),
            _cell(msf(row.lba), "tight"),
            _cell(row.why),
            _cell(row.adr, "right"),
            _cell(row.says),
            _cell(row.control),
            _cell(int(row.p), "right"),
            _cell("right" if row.is_right else "wrong"),
            _cell(row.frame, "bytes mono"),
            style=None if row.is_right else "wrong",
        )
        for row in found
    ]
    heads = ("LBA", "MSF", "Why here", "Mode", "Says", "Control", "P", "CRC", "Bytes")
    words = (
        "Where something happens: areas, tracks and indexes begin, codes are told, a CRC is wrong."
    )
    return tag(
        "section",
        tag("h2", "Q frames"),
        tag("p", words, class_="lede"),
        _made(reading),
        _table("Q frames where something happens", heads, rows),
        _more(left_out),
        id="frames",
    )


def _made(reading: DiscReading) -> Markup | None:
    """Return a warning where the subcode was not recorded."""
    made = sum(sectors for _, sectors in reading.survey.made)
    if not made:
        return None
    whose = "Not all" if reading.survey.is_recorded else "No"
    words = f"{whose} subcode was recorded: that of {many(made, 'sector')} was made by rawcd."
    return tag("p", words, class_="lede")


def area_section(reading: DiscReading) -> Markup:
    """Return the map in words."""
    rows = [
        _row(
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
        for run in reading.runs
    ]
    heads = ("LBA", "MSF", "Sectors", "Length", "Area", "Session", "Track", "Index", "Holds")
    return tag(
        "section",
        tag("h2", "Areas"),
        tag("p", "The map in words.", class_="lede"),
        _table("All areas, tracks and indexes", heads, rows),
        id="areas",
    )


def _row(*cells: Markup, style: str | None = None) -> Markup:
    return tag("tr", *cells, class_=style)


def _cell(child: Child, style: str | None = None) -> Markup:
    return tag("td", child, class_=style)


def _more(left_out: int, remedy: str = "") -> Markup | None:
    if not left_out:
        return None
    words = f"and {left_out:,} more"
    return tag("p", f"{words}: {remedy}" if remedy else words, class_="soft")


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
