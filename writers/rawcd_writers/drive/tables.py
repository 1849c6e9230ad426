"""What a drive reads from lead-ins, grooves and Q: the replies to READ TOC and READ SUB-CHANNEL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import construct

from rawcd_writers.drive.replies import lba_of, reply_fields, text_of, told_part

_SUB_CHANNEL: Final = construct.Struct(
    construct.Byte,
    "audio_status" / construct.Byte,
    "length" / construct.Int16ub,
    "format" / construct.Byte,
    "adr_control" / construct.Byte,
    "track" / construct.Byte,
    "index" / construct.Byte,
    "data" / construct.Bytes(16),
)
_TOC_HEADER: Final = construct.Struct(
    "length" / construct.Int16ub,  # of what follows it
    "first" / construct.Byte,
    "last" / construct.Byte,
)
_TOC_ITEM: Final = construct.Struct(
    construct.Byte,
    "adr_control" / construct.Byte,  # high nibble ADR, low nibble CONTROL: the reverse of Q
    "track" / construct.Byte,
    construct.Byte,
    "lba" / construct.Int32sb,
)
_FULL_ITEM: Final = construct.Struct(
    "session" / construct.Byte,
    "adr_control" / construct.Byte,
    construct.Byte,  # TNO
    "point" / construct.Byte,
    "time" / construct.Bytes(3),
    "zero" / construct.Byte,
    "value" / construct.Bytes(3),
)
_ATIP: Final = construct.Struct(
    construct.Bytes(4),
    "power_speed" / construct.Byte,  # bits 6..4 writing power, 2..0 reference speed
    "use" / construct.Byte,  # bit 6: unrestricted
    "kind" / construct.Byte,  # bit 6 rewritable, 5..3 subtype, 2..0 A1 to A3 are there
    construct.Byte,
    "lead_in" / construct.Bytes(3),
    construct.Byte,
    "lead_out" / construct.Bytes(3),
    construct.Byte,
    "a1" / construct.Bytes(3),
    construct.Byte,
    "a2" / construct.Bytes(3),
    construct.Byte,
    "a3" / construct.Bytes(3),
    construct.Byte,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubChannel:
    """What a drive gathered from Q: of MCN and ISRC the text, or None.

    Attributes:
        kind: 1 position, 2 MCN, 3 ISRC.
        track: the track that it speaks of; 0 for the MCN.
        text: thirteen digits or twelve characters; None where there are none.
    """

    kind: int
    track: int
    text: str | None

    @classmethod
    def parse(cls, data: bytes) -> SubChannel:
        """Read the reply."""
        fields = reply_fields(data, _SUB_CHANNEL, 5, "READ SUB-CHANNEL")
        text = None
        length = {2: 13, 3: 12}.get(fields.format, 0)
        if length and fields.data[0] & 0x80:
            text = text_of(fields.data[1 : 1 + length]) or None
        return cls(kind=fields.format, track=fields.track if fields.format == 3 else 0, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TocEntry:
    """A track, or the lead-out (AAh), and where it begins."""

    adr: int
    control: int
    track: int
    lba: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Toc:
    """The reply to READ TOC formats 0 and 1 in LBA form.

    Attributes:
        first: first track; of format 1 the first session.
        last: last track; of format 1 the last session.
        entries: tracks and lead-out; of format 1 the first track of the last session.
    """

    first: int
    last: int
    entries: tuple[TocEntry, ...]

    @classmethod
    def parse(cls, data: bytes) -> Toc:
        """Read the reply; an entry that is cut off is left out."""
        header = reply_fields(data, _TOC_HEADER, 4, "READ TOC")
        body = told_part(data, header.length)[4:]
        count = len(body) // _TOC_ITEM.sizeof()
        return cls(
            first=header.first,
            last=header.last,
            entries=tuple(
                TocEntry(
                    adr=item.adr_control >> 4,
                    control=item.adr_control & 15,
                    track=item.track,
                    lba=item.lba,
                )
                for item in construct.Array(count, _TOC_ITEM).parse(body)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTocEntry:
    """An item of a lead-in, times and numbers binary; `point` A0 to C1 are as on the disc."""

    session: int
    adr: int
    control: int
    point: int
    time: bytes
    zero: int
    value: bytes

    @property
    def lba(self) -> int | None:
        """The address that the item tells, or None where it is none."""
        return lba_of(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FullToc:
    """The reply to READ TOC formats 2 and 3.

    Attributes:
        first: first session.
        last: last session.
        entries: the items, in the drive's order.
    """

    first: int
    last: int
    entries: tuple[FullTocEntry, ...]

    @classmethod
    def parse(cls, data: bytes) -> FullToc:
        """Read the reply; an item that is cut off is left out."""
        header = reply_fields(data, _TOC_HEADER, 4, "READ TOC")
        body = told_part(data, header.length)[4:]
        count = len(body) // _FULL_ITEM.sizeof()
        return cls(
            first=header.first,
            last=header.last,
            entries=tuple(
                FullTocEntry(
                    session=item.session,
                    adr=item.adr_control >> 4,
                    control=item.adr_control & 15,
                    point=item.point,
                    time=item.time,
                    zero=item.zero,
                    value=item.value,
                )
                for item in construct.Array(count, _FULL_ITEM).parse(body)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Atip:
    """What a blank's groove says (Orange Book part II and III).

    Attributes:
        writing_power: code of the indicative writing power.
        reference_speed: code of the speed that it is meant for.
        unrestricted: the disc may be used for anything, not for music alone.
        rewritable: CD-RW, not CD-R.
        subtype: 0..7.
        lead_in_lba: where the lead-in begins; it also tells the maker.
        last_lead_out_lba: the last possible start of the lead-out.
        extra: the values A1 to A3 that are there.
    """

    writing_power: int
    reference_speed: int
    unrestricted: bool
    rewritable: bool
    subtype: int
    lead_in_lba: int | None
    last_lead_out_lba: int | None
    extra: tuple[bytes | None, bytes | None, bytes | None]

    @classmethod
    def parse(cls, data: bytes) -> Atip:
        """Read the reply."""
        length = reply_fields(data, _TOC_HEADER, 4, "READ TOC (ATIP)").length
        fields = reply_fields(told_part(data, length), _ATIP, 15, "READ TOC (ATIP)")
        values = (fields.a1, fields.a2, fields.a3)
        return cls(
            writing_power=fields.power_speed >> 4 & 7,
            reference_speed=fields.power_speed & 7,
            unrestricted=bool(fields.use & 0x40),
            rewritable=bool(fields.kind & 0x40),
            subtype=fields.kind >> 3 & 7,
            lead_in_lba=lba_of(fields.lead_in),
            last_lead_out_lba=lba_of(fields.lead_out),
            extra=(
                values[0] if fields.kind & 4 else None,
                values[1] if fields.kind & 2 else None,
                values[2] if fields.kind & 1 else None,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPacks:
    """CD-TEXT packs of 18 bytes, as the drive found them."""

    packs: bytes

    @classmethod
    def parse(cls, data: bytes) -> TextPacks:
        """Read the reply; a pack that is cut off is left out."""
        length = reply_fields(data, _TOC_HEADER, 4, "READ TOC (CD-TEXT)").length
        packs = told_part(data, length)[4:]
        return cls(packs=packs[: len(packs) // 18 * 18])
