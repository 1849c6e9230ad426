"""An MDS by another road: packed field by field from the published tables, nothing of ours asked.

(cdemu/cdemu `libmirage/images/image-mds/image-mds.h`; psx-spx; aaru-dps/Aaru.)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MODES = {"audio": 0xA9, "mode1": 0xAA, "mode2": 0xAB, "form1": 0xAC, "form2": 0xAD}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A track block of a track, with what it points to."""

    number: int
    mode: str
    control: int
    start: int
    sectors: int
    pregap: int = 0
    offset: int
    size: int = 2448
    subcode: int = 8
    names: tuple[str, ...] = ("*.mdf",)
    wide: bool = True


def msf(lba: int) -> tuple[int, int, int]:
    return (lba + 150) // 4500, (lba + 150) // 75 % 60, (lba + 150) % 75


def block(
    mode: int,
    subcode: int,
    adr_control: int,
    point: int,
    p: tuple[int, int, int],
    *,
    a: tuple[int, int, int] = (0, 0, 0),
    zero: int = 0,
    extra: int = 0,
    size: int = 0,
    start: int = 0,
    offset: int = 0,
    files: int = 0,
    names: int = 0,
) -> bytes:
    head = struct.pack("<5B3BB3B", mode, subcode, adr_control, 0, point, *a, zero, *p)
    tail = struct.pack("<IH18xIQII24x", extra, size, start, offset, files, names)
    return head + tail


def mds(
    sessions: list[tuple[int, int, list[Entry]]],
    *,
    version: tuple[int, int] = (1, 3),
    medium: int = 0,
    disc_type: int = 0,
) -> bytes:
    """An MDS of sessions: where each begins, where its lead-out is, and its tracks."""
    entries = [entry for _, _, tracks in sessions for entry in tracks]
    count = sum(len(tracks) + 3 for _, _, tracks in sessions)
    blocks_at = 88 + 24 * len(sessions)
    extras_at = blocks_at + 80 * count
    footers_at = extras_at + 8 * len(entries)
    names_at = footers_at + 16 * sum(len(entry.names) for entry in entries)
    out = b"MEDIA DESCRIPTOR" + struct.pack(
        "<BBHHIH8xI24xI12xII", *version, medium, len(sessions), 2, 0, 0, 0, 88, 0
    )
    assert len(out) == 88
    blocks = extras = footers = names = b""
    for number, (start, end, tracks) in enumerate(sessions, 1):
        first, last = tracks[0], tracks[-1]
        out += struct.pack(
            "<iiHBBHH4xI",
            start,
            end,
            number,
            len(tracks) + 3,
            3,
            first.number,
            last.number,
            blocks_at + len(blocks),
        )
        blocks += block(0, 0, 0x10 | first.control, 0xA0, (first.number, disc_type, 0))
        blocks += block(0, 0, 0x10 | last.control, 0xA1, (last.number, 0, 0))
        blocks += block(0, 0, 0x10 | last.control, 0xA2, msf(end))
        for entry in tracks:
            blocks += block(
                MODES[entry.mode],
                entry.subcode,
                0x10 | entry.control,
                entry.number,
                msf(entry.start),
                extra=extras_at + len(extras),
                size=entry.size,
                start=entry.start,
                offset=entry.offset,
                files=len(entry.names),
                names=footers_at + len(footers),
            )
            extras += struct.pack("<II", entry.pregap, entry.sectors)
            for name in entry.names:
                footers += struct.pack("<II8x", names_at + len(names), int(entry.wide))
                names += (name + "\0").encode("utf-16-le" if entry.wide else "latin-1")
    return out + blocks + extras + footers + names
