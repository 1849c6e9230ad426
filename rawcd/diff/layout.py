"""What differing bytes mean: sessions, tracks, indexes, codes, the table of contents, texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rawcd.cdtext import (
    charset_name,
    genre_name,
    language_name,
    packs_of_symbols,
    read_packs,
)
from rawcd.diff.values import Difference
from rawcd.disc import Area
from rawcd.msf import PROGRAM_LBA, Msf
from rawcd.subcode.rows import PW96_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.cdtext import TextBlock
    from rawcd.diff.sectors import Pair, Side
    from rawcd.survey import Run, Survey, TocEntry

_TEXT_SECTORS: Final = 2_048
"""Enough for a lead-in's longest set of packs, four times over."""


class _Said(NamedTuple):
    """What one disc says of something, and where."""

    text: str
    lba: int | None = None
    track: int | None = None


_Key = tuple[str | int, ...]
"""A code of differences, then what it is about."""


def layout_differences(a: Survey, b: Survey) -> list[Difference]:
    """Return in what the layouts differ that the recorded bytes of two discs tell."""
    return list(_unlike("layout", _layout(a), _layout(b)))


def text_differences(pair: Pair) -> list[Difference]:
    """Return in what the texts differ that lie in the first lead-ins.

    Raises:
        StorageError: an image cannot be read.
    """
    return list(_unlike("texts", _texts(pair.a), _texts(pair.b)))


def _unlike(part: str, a: Mapping[_Key, _Said], b: Mapping[_Key, _Said]) -> Iterator[Difference]:
    for key in [*a, *(key for key in b if key not in a)]:
        one, other = a.get(key), b.get(key)
        if one is not None and other is not None and one.text == other.text:
            continue
        code, *about = key
        where = one or other
        assert where is not None, "the key is of one of them"
        subject = " ".join(map(str, (code, *about)))
        texts = [None if each is None else each.text for each in (one, other)]
        first, second = ("none" if text is None else text for text in texts)
        yield Difference(
            part=part,
            code=str(code).replace(" ", "-"),
            message=f"{subject}: {first} in the first, {second} in the second",
            lba=where.lba,
            track=where.track,
            a=texts[0],
            b=texts[1],
        )


def _layout(survey: Survey) -> dict[_Key, _Said]:
    said: dict[_Key, _Said] = {}
    for run in survey.runs:
        if run.area in (Area.LEAD_IN, Area.LEAD_OUT):
            said.setdefault((run.area.value, run.session), _Said(_stretch(run), run.lba))
        elif run.track is None or run.index is None:
            said.setdefault(("unreadable", run.session), _Said(_stretch(run), run.lba))
        else:
            if run.index:
                told = _Said(_flags(run), run.lba, run.track)
                said.setdefault(("track", run.track), told)
            place = _Said(_address(run.lba), run.lba, run.track)
            said.setdefault(("index", run.index, "of track", run.track), place)
    if survey.mcn is not None:
        said["catalogue number",] = _Said(survey.mcn, survey.mcns[0].lba)
    for track in sorted({told.track for told in survey.isrcs if told.track is not None}):
        code = survey.isrc(track)
        if code is not None:
            lba = next(told.lba for told in survey.isrcs if told.track == track)
            said["ISRC", "of track", track] = _Said(code, lba, track)
    for entry in survey.toc:
        point = f"{entry.pointer.point:02X}h"
        said["table of contents", entry.session, "point", point] = _Said(_item(entry), entry.lba)
    return said


def _address(lba: int) -> str:
    return f"LBA {lba} ({Msf.from_lba(lba)})"


def _stretch(run: Run) -> str:
    return f"{run.sectors} sectors from {_address(run.lba)} on"


def _flags(run: Run) -> str:
    """Return what CONTROL and the headers tell of a track."""
    control = run.control or 0
    words = ["no headers" if run.mode is None else run.mode.name.lower()]
    words.append("SCMS" if run.scms else "copy permitted" if control & 2 else "copy prohibited")
    if control & 1:
        words.append("pre-emphasis")
    if control & 8:
        words.append("four channels")
    return f"{', '.join(words)}, session {run.session}"


def _item(entry: TocEntry) -> str:
    pointer = entry.pointer
    value = ":".join(f"{byte:02X}" for byte in (*pointer.running, pointer.zero, *pointer.value))
    return f"mode {pointer.adr}, CONTROL {pointer.control:X}, {value}"


def _texts(side: Side) -> dict[_Key, _Said]:
    count = min(PROGRAM_LBA - side.image.first_lba, side.image.sector_count, _TEXT_SECTORS)
    if count <= 0:
        return {}
    rows = np.ascontiguousarray(side.sub(side.image.first_lba, count))
    assert rows.shape[1] == PW96_BYTES
    reading = read_packs(packs_of_symbols(rows.tobytes()).packs)
    said: dict[_Key, _Said] = {}
    if reading.cdtext is None:
        return said
    for number, block in enumerate(reading.cdtext.blocks, 1):
        language = language_name(block.language) or f"language {block.language:02X}h"
        own = f"block {number}"
        said["block", number] = _Said(f"{language}, {charset_name(block.charset)}")
        for item in block.items:
            track = f"track {item.track}" if item.track else "album"
            text = _Said(repr(item.shown), None, item.track or None)
            said[item.field, "of", track, "in", own] = text
        said.update(_without_text(block, own))
    return said


def _without_text(block: TextBlock, own: str) -> Iterator[tuple[_Key, _Said]]:
    """Yield what a block of CD-TEXT says beside its texts."""
    if block.genre_code is not None:
        genre = genre_name(block.genre_code) or "of no known name"
        yield ("genre code", "of", own), _Said(f"{block.genre_code:04X}h, {genre}")
    if block.copyright:
        yield ("copyright", "of", own), _Said(f"{block.copyright:02X}h")
    if block.toc is not None:
        starts = ", ".join(map(str, block.toc.starts))
        told = f"track {block.toc.first_track} on at {starts}, lead-out at {block.toc.lead_out}"
        yield ("table of contents", "in", own), _Said(told)
    for each in block.intervals:
        told = f"{each.start} to {each.end} in track {each.track}"
        yield ("interval", each.number, "of", own), _Said(told)
    for place, pack in enumerate(block.raw, 1):
        told = f"type {pack.pack_type:02X}h, element {pack.element}, {pack.payload.hex(' ')}"
        yield ("pack", place, "of those kept as they are in", own), _Said(told)
