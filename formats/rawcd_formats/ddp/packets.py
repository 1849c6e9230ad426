"""The packets of DDPID, DDPMS and the PQ descriptor, stated once, and what their fields say.

Fields are ASCII. Text stands left, numbers stand right in decimal digits; spaces fill (some
programs fill numbers with zeros). A field that is not set is all spaces.

Sources of each field, as the letters behind it say:

* A: `suntriprecords/ddpLib`, a reader after the protocol's own document (`ddp/common`, `ddp/v20`);
* B: `ddp-reverse-eng/ddp-reverse-eng`, `spec/ddp2.md`: measured from cue2ddp 1.1 and ddpinfo, which
  the protocol's owner licensed, and from sets made by Sonoris DDP Creator and HOFA CD-Burn;
* C: the same project's `docs/research.md`, which compares six readers and writers.

`DDPID`, one packet of 128 bytes:

| at | bytes | field | what it says | sources |
|---|---|---|---|---|
| 0 | 8 | DDPID | level: `DDP 2.00` | A B |
| 8 | 13 | UPC | catalogue number: EAN of 13 digits, or UPC of 12 | A B |
| 21 | 8 | MSS | start of the map stream, on tape; blank | A B |
| 29 | 8 | MSL | reserved; blank (one writer: the map's length) | A C |
| 37 | 1 | MED | number of the medium, were there several; blank | A B |
| 38 | 48 | MID | master ID, free text; not on the disc | A B |
| 86 | 1 | BK | book; blank (Sonoris: `O`) | A B |
| 87 | 2 | TYPE | `CD`; `DV` is a DVD | A B |
| 89 | 4 | NSIDE, SIDE, NLAYER, LAYER | sides and layers of a DVD; blank | A B |
| 93 | 2 | SIZ | length of the user text; two writers have it at 94 | A B |
| 95 | 33 | TXT | user text; not on the disc | A B |

`DDPMS`, 128 bytes for each stream, which is a file:

| at | bytes | field | what it says | sources |
|---|---|---|---|---|
| 0 | 4 | MPV | `VVVM` | A B |
| 4 | 2 | DST | D0 main channel, S0 subcode, D2 lead-in, D3 lead-out, D4 fill, T0..T3 text | A B C |
| 6 | 8 | DSP | where the stream begins on its medium; blank | A B |
| 14 | 8 | DSL | its length: D in sectors, S and T in bytes | A B |
| 22 | 8 | DSS | the disc's sector where it begins; blank, or 0 for the first D0 | A B |
| 30 | 8 | SUB | of S0: `PQ DESCR`, `CDTEXT`; `RW24XX` and others are R-W | A B |
| 38 | 2 | CDM | of D0: `DA` is audio; `10` mode 1 and others | A B |
| 40 | 1 | SSM | of D0: 7 whole sectors, 0 user data, which for audio is the same | A B C |
| 41 | 1 | SCR | of D0: scrambled; audio never is, and writers put 0 or 1 | A B |
| 42 | 4 | PRE1 | first part of the pregap in the stream; blank | A B |
| 46 | 4 | PRE2 | second part: sectors of the first pregap, at least 150 | A B |
| 50 | 4 | PST | postgap in the stream; blank | A B |
| 54 | 1 | MED | number of the medium; blank | A B |
| 55 | 2 | TRK | track; blank (CD-TEXT: `00`) | A B |
| 57 | 2 | IDX | index; blank | A B |
| 59 | 12 | ISRC | blank | A B |
| 71 | 3 | SIZ | length of DSI: 17 | A B |
| 74 | 17 | DSI | the file's name | A B |
| 91 | 1 | NEW | `S` where a session begins; blank | A C |
| 92 | 4 | PRE1NXT | the next track's first pregap part in the stream; blank | A |
| 96 | 8 | PAUSEADD | pause blocks to add; blank | A |
| 104 | 9 | OFS | where in the file the stream begins; blank | A |
| 113 | 15 | PAD | blank | A |

The PQ descriptor, 64 bytes for each index:

| at | bytes | field | what it says | sources |
|---|---|---|---|---|
| 0 | 4 | SPV | `VVVS` | A B |
| 4 | 2 | TRK | `00` lead-in, `01`..`99`, `AA` lead-out | A B |
| 6 | 2 | IDX | `00`..`99`; `01` for the lead-out | A B |
| 8 | 2 | HRS | hours, reserved; blank or `00` | A C |
| 10 | 6 | MIN SEC FRM | address; 0 is the first sector of the program area, LBA -150 | A B |
| 16 | 1 | CB1 | CONTROL, hexadecimal: 1 pre-emphasis, 2 copy permitted, 4 data, 8 4CH | A B |
| 17 | 1 | CB1 | `1`, or `S` for a track under SCMS | A B |
| 18 | 2 | CB2 | reserved; blank | A B |
| 20 | 12 | ISRC | on a track's first packet; some put it on more | A B C |
| 32 | 13 | UPC | on the lead-in's packet at least | A B |
| 45 | 19 | TXT | comment; not on the disc | A B |

Packets: the lead-in, every index of every track in order (track 1 from index 0 at 00:00:00 on), the
lead-out, which all writers put twice (B).

ddpinfo does not know the CONTROL digits A and B (copies of four channels permitted) that cue2ddp
writes (B); they are written and read here.

The image holds audio in sectors of 2,352 bytes, little-endian, from the first sector of the
program area to the lead-out: its first 150 sectors are the two seconds before LBA 0 (B). CD-TEXT is
packs of 18 bytes and nothing else; a zero byte may follow (B, C).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEVEL: Final = "DDP 2.00"
MAP_VALID: Final = "VVVM"
PQ_VALID: Final = "VVVS"
MAIN: Final = "D0"
SUBCODE: Final = "S0"
PQ_DESCRIPTOR: Final = "PQ DESCR"
CD_TEXT: Final = "CDTEXT"
AUDIO: Final = "DA"
LEAD_IN: Final = "00"
LEAD_OUT: Final = "AA"
NAME_CHARACTERS: Final = 17
MASTER_ID_CHARACTERS: Final = 48


def _packet(**widths: int) -> construct.Struct:
    """Return the layout of a packet: fields of so many characters, one behind another."""
    return construct.Struct(*(name / construct.Bytes(width) for name, width in widths.items()))


ID_PACKET: Final = _packet(
    DDPID=8,
    UPC=13,
    MSS=8,
    MSL=8,
    MED=1,
    MID=MASTER_ID_CHARACTERS,
    BK=1,
    TYPE=2,
    NSIDE=1,
    SIDE=1,
    NLAYER=1,
    LAYER=1,
    SIZ=2,
    TXT=33,
)
MAP_PACKET: Final = _packet(
    MPV=4,
    DST=2,
    DSP=8,
    DSL=8,
    DSS=8,
    SUB=8,
    CDM=2,
    SSM=1,
    SCR=1,
    PRE1=4,
    PRE2=4,
    PST=4,
    MED=1,
    TRK=2,
    IDX=2,
    ISRC=12,
    SIZ=3,
    DSI=NAME_CHARACTERS,
    NEW=1,
    PRE1NXT=4,
    PAUSEADD=8,
    OFS=9,
    PAD=15,
)
PQ_PACKET: Final = _packet(
    SPV=4,
    TRK=2,
    IDX=2,
    HRS=2,
    MIN=2,
    SEC=2,
    FRM=2,
    CB1=2,
    CB2=2,
    ISRC=12,
    UPC=13,
    TXT=19,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet's fields as text, blanks at both ends gone.

    Attributes:
        file: the file it stands in.
        number: its place there, counted from 1.
        fields: by name.
    """

    file: str
    number: int
    fields: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.fields[field]

    def error(self, reason: str, field: str | None = None) -> FormatError:
        """Return the error that names the packet, and its field."""
        return FormatError(reason, file=self.file, place=self.place(field))

    def place(self, field: str | None = None) -> str:
        """Return where the packet, or its field, is in the file."""
        return f"packet {self.number}" + (f", field {field}" if field else "")

    def count(self, field: str) -> int | None:
        """Return a field's number; None where it is blank.

        Raises:
            FormatError: it is no number.
        """
        text = self.fields[field]
        if not text:
            return None
        if not text.isdecimal():
            raise self.error(f"{text!r} is no number", field)
        return int(text)


def packets_of(data: bytes, layout: construct.Struct, file: str) -> tuple[Packet, ...]:
    """Read a file of packets.

    Args:
        data: the file.
        layout: of each packet.
        file: its name, for messages.

    Raises:
        FormatError: it is no whole number of packets, there is none, or a field is not ASCII.
    """
    size = layout.sizeof()
    count, rest = divmod(len(data), size)
    if rest or not count:
        raise FormatError(
            f"{len(data)} bytes are no whole number of packets of {size} bytes: {rest} remain; "
            "the file was cut short, or is another one",
            file=file,
            place=f"offset {count * size}",
        )
    return tuple(
        Packet(
            file=file,
            number=number,
            fields=dict(_texts(layout, data[(number - 1) * size : number * size], file, number)),
        )
        for number in range(1, count + 1)
    )


def _texts(
    layout: construct.Struct,
    data: bytes,
    file: str,
    number: int,
) -> Iterator[tuple[str, str]]:
    parsed = layout.parse(data)
    for part in layout.subcons:
        field = str(part.name)
        try:
            # Unused room is blank; some programs leave zero bytes in it.
            yield field, bytes(parsed[field]).decode("ascii").strip(" \0")
        except UnicodeDecodeError:
            raise FormatError(
                f"{bytes(parsed[field])!r} is no ASCII text",
                file=file,
                place=f"packet {number}, field {field}",
            ) from None


def packet(layout: construct.Struct, **fields: str | int) -> bytes:
    """Return a packet: text stands left, a number right, what is not given is blank.

    Raises:
        ValueError: a field does not fit.
    """
    values = {}
    for part in layout.subcons:
        field, width = str(part.name), part.sizeof()
        value = fields.pop(field, "")
        text = str(value).rjust(width) if isinstance(value, int) else value.ljust(width)
        if len(text) > width:
            raise ValueError(f"{field}: {value!r} does not fit {width} characters")
        values[field] = text.encode("ascii")
    if fields:
        raise ValueError(f"no such fields: {', '.join(fields)}")
    return layout.build(values)
