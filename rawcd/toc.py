"""The table of contents: lead-in pointers, the SCSI forms, and a drive's cue sheet.

All three are walks over a `Disc`; none knows an address of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import construct

from rawcd.disc import MAX_TRACKS, CopySetting, DiscType, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import LAST_LBA, PROGRAM_LBA, Msf
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_LEAD_IN,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    QPointer,
    from_bcd,
    to_bcd,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rawcd.disc import Disc, Session, Track

POINT_REPEATS: Final = 3
"""Each pointer stands in three sectors in a row (Red Book 17.5.1, ECMA-130 22.3.4)."""

_TOC_HEADER: Final = construct.Struct(
    "length" / construct.Int16ub,  # of what follows it
    "first" / construct.Byte,  # track; session in formats 1 and 2
    "last" / construct.Byte,
)
_CLOSED: Final = b"\xff\xff\xff"
"""In place of an address: no further session can be recorded."""

_TOC_ITEM: Final = construct.Struct(
    construct.Const(b"\0"),
    "adr_control" / construct.Byte,  # high nibble ADR, low nibble CONTROL: the reverse of Q
    "track" / construct.Byte,
    construct.Const(b"\0"),
    "lba" / construct.Int32sb,
)
"""READ TOC formats 0 and 1, LBA form (MMC, READ TOC/PMA/ATIP)."""
_FULL_ITEM: Final = construct.Struct(
    "session" / construct.Byte,
    "adr_control" / construct.Byte,  # high nibble ADR, low nibble CONTROL
    construct.Const(b"\0"),  # TNO
    "point" / construct.Byte,
    "time" / construct.Bytes(3),
    "zero" / construct.Byte,
    "value" / construct.Bytes(3),  # PMIN, PSEC, PFRAME
)
"""READ TOC format 2."""
_CUE_ROW: Final = construct.Struct(
    "control_adr" / construct.Byte,  # high nibble CONTROL, low nibble ADR
    "track" / construct.Byte,  # binary
    "index" / construct.Byte,
    "data_form" / construct.Byte,
    "scms" / construct.Byte,  # 80h: the drive alternates the copy bit
    "msf" / construct.Bytes(3),  # binary
)
"""A row of SEND CUE SHEET (MMC)."""
_CUE_TEXT_ROW: Final = construct.Struct(
    "control_adr" / construct.Byte,
    "track_or_text" / construct.Bytes(7),  # ISRC: track, 6 characters; MCN: 7 characters
)
"""A row of SEND CUE SHEET that carries text."""


def lead_in_pointers(
    disc: Disc, number: int = 1, *, pointers_first: bool = True
) -> tuple[QPointer, ...]:
    """Return the items of a session's lead-in, once each, without running times.

    CONTROL of a track is its own, of A0 the first track's, of A1 and A2 the last track's, of the
    pointers of mode 5 that of A0.

    Args:
        disc: the disc.
        number: the session's, 1, 2, ...
        pointers_first: A0, A1, A2 before the tracks, or behind them. Mode 5 comes last.

    Raises:
        ValueError: there is no such session.
    """
    session = _session_of(disc, number)
    first, last = session.tracks[0], session.tracks[-1]
    tracks = tuple(
        QPointer(
            control=track.control,
            point=to_bcd(track.number),
            value=Msf.from_lba(track.start_lba).bcd(),
        )
        for track in session.tracks
    )
    pointers = (
        QPointer(
            control=first.control,
            point=POINT_FIRST_TRACK,
            value=bytes([to_bcd(first.number), session.disc_type, 0]),
        ),
        QPointer(
            control=last.control,
            point=POINT_LAST_TRACK,
            value=bytes([to_bcd(last.number), 0, 0]),
        ),
        QPointer(
            control=last.control,
            point=POINT_LEAD_OUT,
            value=Msf.from_lba(session.lead_out_lba).bcd(),
        ),
    )
    items = pointers + tracks if pointers_first else tracks + pointers
    return items + tuple(_session_pointers(disc, number))


def _session_of(disc: Disc, number: int) -> Session:
    if not 1 <= number <= len(disc.sessions):
        raise ValueError(f"no session {number}: the disc has 1 to {len(disc.sessions)}")
    return disc.sessions[number - 1]


def _session_pointers(disc: Disc, number: int) -> Iterator[QPointer]:
    """Yield points B0 and, in the first session, C0 (Orange Book part II; MMC, READ TOC format 2).

    B0 tells where the next program area may begin, how many pointers of mode 5 there are, and
    the last possible start of the lead-out; C0 the start of the disc's first lead-in. C0's copy
    of the blank's ATIP is zero: an image has no blank.
    """
    if not disc.is_multi_session:
        return
    session = disc.sessions[number - 1]
    control = session.tracks[0].control
    more = number < len(disc.sessions) or disc.appendable
    next_program = disc.next_program_lba
    if number < len(disc.sessions):
        next_program = disc.sessions[number].program_lba
    yield QPointer(
        control=control,
        adr=POINTER_ADR,
        point=POINT_NEXT_SESSION,
        running=Msf.from_lba(next_program).bcd() if more and next_program <= LAST_LBA else _CLOSED,
        zero=2 if number == 1 else 1,
        value=Msf.from_lba(disc.last_lead_out_lba).bcd(),
    )
    if number == 1:
        yield QPointer(
            control=control,
            adr=POINTER_ADR,
            point=POINT_FIRST_LEAD_IN,
            value=Msf.from_lba(disc.first_lba).bcd(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TocItem:
    """A line of the SCSI table of contents.

    Attributes:
        control: CONTROL nibble.
        track: the track's number, or `LEAD_OUT_TNO`.
        lba: where index 1, or the lead-out, begins.
    """

    control: int
    track: int
    lba: int


def scsi_toc(disc: Disc) -> bytes:
    """Return the answer of READ TOC format 0 in LBA form, lead-out of the last session last."""
    tracks = disc.tracks
    last = disc.sessions[-1]
    items = [
        TocItem(control=track.control, track=track.number, lba=track.start_lba) for track in tracks
    ]
    items.append(TocItem(control=tracks[-1].control, track=LEAD_OUT_TNO, lba=last.lead_out_lba))
    body = b"".join(
        _TOC_ITEM.build(
            {"adr_control": 1 << 4 | item.control, "track": item.track, "lba": item.lba}
        )
        for item in items
    )
    return _answer(body, first=tracks[0].number, last=tracks[-1].number)


def scsi_session_info(disc: Disc) -> bytes:
    """Return the answer of READ TOC format 1 in LBA form: where the last session begins.

    The header names the first and the last session; the only item is the first track of the
    last one (MMC, READ TOC/PMA/ATIP).
    """
    track = disc.sessions[-1].tracks[0]
    item = {"adr_control": 1 << 4 | track.control, "track": track.number, "lba": track.start_lba}
    return _answer(_TOC_ITEM.build(item), first=1, last=len(disc.sessions))


def scsi_full_toc(disc: Disc) -> bytes:
    """Return the answer of READ TOC format 2: every item of every lead-in, eleven bytes each.

    Times and track numbers are binary; the bytes of closed B0 and A0's disc type are not times
    and stay (MMC, READ TOC/PMA/ATIP).
    """
    items = [
        (number, pointer, numbers_of(pointer))
        for number in range(1, len(disc.sessions) + 1)
        for pointer in lead_in_pointers(disc, number)
    ]
    body = b"".join(
        _FULL_ITEM.build(
            {
                "session": number,
                "adr_control": pointer.adr << 4 | pointer.control,
                "point": told.point,
                "time": told.running,
                "zero": pointer.zero,
                "value": told.value,
            }
        )
        for number, pointer, told in items
    )
    return _answer(body, first=1, last=len(disc.sessions))


def parse_full_toc(data: bytes) -> dict[int, tuple[QPointer, ...]]:
    """Read the answer of READ TOC format 2; what stands behind it is left alone.

    Returns:
        The items of each lead-in by the session's number, in their order.

    Raises:
        FormatError: the bytes are none.
    """
    size = full_toc_size(data)
    head = _TOC_HEADER.sizeof()
    count, rest = divmod(size - head, _FULL_ITEM.sizeof())
    if rest or size > len(data):
        raise FormatError(
            f"a length of {size - 2} does not fit {len(data)} bytes and items of "
            f"{_FULL_ITEM.sizeof()}",
            place="TOC",
        )
    sessions: dict[int, list[QPointer]] = {}
    for number in range(count):
        place = f"offset {head + number * _FULL_ITEM.sizeof()}"
        try:
            item = _FULL_ITEM.parse(data[head + number * _FULL_ITEM.sizeof() : size])
        except construct.ConstructError as error:
            raise FormatError("an item whose TNO is not zero", place=place) from error
        try:
            pointer = pointer_of(
                adr_control=item.adr_control,
                point=item.point,
                running=item.time,
                zero=item.zero,
                value=item.value,
            )
        except FormatError as error:
            raise FormatError(error.reason, place=place) from error
        sessions.setdefault(item.session, []).append(pointer)
    return {number: tuple(pointers) for number, pointers in sessions.items()}


def full_toc_size(data: bytes) -> int:
    """Return how many bytes the answer of READ TOC format 2 at the start of some bytes has.

    Raises:
        FormatError: there is not even a header.
    """
    try:
        return 2 + int(_TOC_HEADER.parse(data).length)
    except construct.ConstructError as error:
        raise FormatError(f"{len(data)} bytes are no table of contents", place="TOC") from error


def pointer_of(
    *, adr_control: int, point: int, running: bytes, zero: int, value: bytes
) -> QPointer:
    """Return an item of a lead-in whose track number and times are binary.

    Args:
        adr_control: high nibble ADR, low nibble CONTROL.
        point: a track's number, or A0h, ...
        running: AMIN, ASEC, AFRAME.
        zero: the byte behind it.
        value: PMIN, PSEC, PFRAME; of A0 PSEC is the disc type.

    Raises:
        FormatError: a number has no place in two digits.
    """
    adr = adr_control >> 4
    if adr == POINTER_ADR:  # but for B0 and C0 its bytes are counts and bits, not times
        running = _bcd(running) if point == POINT_NEXT_SESSION else running
        timed = point in (POINT_NEXT_SESSION, POINT_FIRST_LEAD_IN)
        value = _bcd(value) if timed else value
    else:
        running = _bcd(running)
        value = _bcd(value[:1]) + (value[1:] if point == POINT_FIRST_TRACK else _bcd(value[1:]))
    return QPointer(
        control=adr_control & 15,
        adr=adr,
        point=point if point >= POINT_FIRST_TRACK else _bcd(bytes([point]))[0],
        running=running,
        zero=zero,
        value=value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerNumbers:
    """An item of a lead-in with its track number and times in binary, as tables have them.

    Attributes:
        point: a track's number, or A0h, ...
        running: AMIN, ASEC, AFRAME.
        value: PMIN, PSEC, PFRAME; of A0 PSEC is the disc type.
    """

    point: int
    running: bytes
    value: bytes


def numbers_of(pointer: QPointer) -> PointerNumbers:
    """Return an item in binary; the bytes of closed B0 and A0's disc type are not times and stay.

    The reverse of `pointer_of`.
    """
    point, value = pointer.point, pointer.value
    has_type = pointer.adr == 1 and point == POINT_FIRST_TRACK
    return PointerNumbers(
        point=from_bcd(point) if point < POINT_FIRST_TRACK else point,
        running=_binary(pointer.running),
        value=_binary(value[:1]) + value[1:] if has_type else _binary(value),
    )


def _bcd(binary: bytes) -> bytes:
    if binary == _CLOSED:
        return binary
    if max(binary) > 99:
        raise FormatError(f"{max(binary)} has no place in two digits")
    return bytes(map(to_bcd, binary))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIn:
    """What the items of a session's lead-in say.

    Attributes:
        controls: CONTROL of each track by its number; rising, without a hole.
        starts: where index 1 of each track is.
        lead_out_lba: where the lead-out begins.
        disc_type: PSEC of point A0; 0 without one.
        next_program_lba: point B0: where the next program area may begin; None where there is no
            B0, or no further session can be.
        last_lead_out_lba: point B0: the last possible start of a lead-out.
        first_lead_in_lba: point C0: where the disc's first lead-in begins.
    """

    controls: Mapping[int, int]
    starts: Mapping[int, int]
    lead_out_lba: int
    disc_type: int = 0
    next_program_lba: int | None = None
    last_lead_out_lba: int | None = None
    first_lead_in_lba: int | None = None

    @classmethod
    def of(cls, pointers: Iterable[QPointer]) -> Self:
        """Read the items; of those that stand twice, or of unknown kinds, nothing is asked.

        Raises:
            FormatError: they lack a track or the lead-out, or contradict each other.
        """
        items: dict[tuple[int, int], QPointer] = {}
        for pointer in pointers:
            items.setdefault((pointer.adr, pointer.point), pointer)
        tracks = {
            from_bcd(point): item
            for (adr, point), item in sorted(items.items())
            if adr == 1 and point < POINT_FIRST_TRACK
        }
        if not tracks:
            raise FormatError("a session without a track", place="TOC")
        first, last = min(tracks), max(tracks)
        for point, own in ((POINT_FIRST_TRACK, first), (POINT_LAST_TRACK, last)):
            item = items.get((1, point))
            if item is not None and from_bcd(item.value[0]) != own:
                raise FormatError(
                    f"point {point:02X}h tells of track {from_bcd(item.value[0])}, "
                    f"the tracks go from {first} to {last}",
                    place="TOC",
                )
        if first < 1 or last > MAX_TRACKS or len(tracks) != last - first + 1:
            raise FormatError(f"track {first} to {last}: a track is missing", place="TOC")
        if (1, POINT_LEAD_OUT) not in items:
            raise FormatError("point A2h, the start of the lead-out, is missing", place="TOC")
        types = items.get((1, POINT_FIRST_TRACK))
        more = items.get((POINTER_ADR, POINT_NEXT_SESSION))
        begin = items.get((POINTER_ADR, POINT_FIRST_LEAD_IN))
        return cls(
            controls={number: item.control for number, item in tracks.items()},
            starts={number: _lba_of(item.value) for number, item in tracks.items()},
            lead_out_lba=_lba_of(items[1, POINT_LEAD_OUT].value),
            disc_type=0 if types is None else types.value[1],
            next_program_lba=None if more is None else _lba_or_none(more.running),
            last_lead_out_lba=None if more is None else _lba_or_none(more.value),
            first_lead_in_lba=None if begin is None else _msf_of(begin.value).to_lba(),
        )


def _msf_of(bcd: bytes) -> Msf:
    try:
        return Msf(*_binary(bcd))
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(str(error), place="TOC") from error


def _lba_of(bcd: bytes) -> int:
    """Return the LBA of a time; it is none of a lead-in, though it may have minutes from 90 on."""
    return _msf_of(bcd).to_frames() + PROGRAM_LBA


def _lba_or_none(bcd: bytes) -> int | None:
    return None if bcd == _CLOSED else _lba_of(bcd)


def _binary(bcd: bytes) -> bytes:
    return bcd if bcd == _CLOSED else bytes(map(from_bcd, bcd))


def _answer(body: bytes, *, first: int, last: int) -> bytes:
    header = {"length": 2 + len(body), "first": first, "last": last}
    return _TOC_HEADER.build(header) + body


def parse_scsi_toc(data: bytes) -> tuple[TocItem, ...]:
    """Read the answer of READ TOC format 0 in LBA form.

    Raises:
        FormatError: the bytes are none.
    """
    try:
        header = _TOC_HEADER.parse(data)
        body = data[_TOC_HEADER.sizeof() : 2 + header.length]
        count, rest = divmod(len(body), _TOC_ITEM.sizeof())
        if rest or header.length != 2 + len(body):
            raise FormatError(
                f"a length of {header.length} does not fit {len(data)} bytes", place="TOC"
            )
        fields = construct.Array(count, _TOC_ITEM).parse(body)
    except construct.ConstructError as error:
        raise FormatError(f"no table of contents: {error}", place="TOC") from error
    return tuple(
        TocItem(control=item.adr_control & 15, track=item.track, lba=item.lba) for item in fields
    )


_MODE_FORM: Final = {TrackMode.AUDIO: 0x00, TrackMode.MODE1: 0x10, TrackMode.MODE2: 0x30}
_FORM_XA: Final = 0x20
_FORM_MADE_AUDIO: Final = 0x01
_FORM_MADE_DATA: Final = 0x04
_SCMS_ROW: Final = 0x80


def _data_form(session: Session, track: Track, *, made: bool) -> int:
    """Return DATA FORM: what the host sends for the track, or what the drive makes of itself."""
    if track.mode is TrackMode.AUDIO:
        return _FORM_MADE_AUDIO if made else _MODE_FORM[track.mode]
    if track.mode not in _MODE_FORM:
        raise UnsupportedError(
            f"track {track.number}: SEND CUE SHEET has no form for mode 0; write the disc raw"
        )
    xa = track.mode is TrackMode.MODE2 and session.disc_type is not DiscType.CDDA_CDROM
    form = _FORM_XA if xa else _MODE_FORM[track.mode]
    return form | _FORM_MADE_DATA if made else form


FORM_RAW_RW: Final = 0x40
"""Added to DATA FORM: the host sends 96 bytes of raw P-W with each sector."""
FORM_PACKED_RW: Final = 0xC0
"""Added to DATA FORM: the host sends 96 bytes of packed R-W with each sector."""


def _cue_row(control: int, track: int, index: int, form: int, scms: int, lba: int | None) -> bytes:
    msf = bytes(3) if lba is None else bytes(Msf.from_lba(lba).parts())
    return _CUE_ROW.build(
        {
            "control_adr": control << 4 | 1,
            "track": track,
            "index": index,
            "data_form": form,
            "scms": scms,
            "msf": msf,
        }
    )


def drive_cue_sheet(
    disc: Disc, number: int | None = None, *, rw_form: int = 0, with_text: bool = False
) -> bytes:
    """Return the rows of SEND CUE SHEET for one session (MMC, 8 bytes each).

    Data tracks are announced in the form whose blocks hold user data alone.

    Args:
        disc: the disc.
        number: the session's, 1, 2, ...; None is the only one.
        rw_form: `FORM_RAW_RW` or `FORM_PACKED_RW` where the host sends R-W with the tracks.
        with_text: the host sends CD-TEXT for the lead-in.

    Raises:
        UnsupportedError: the disc has several sessions, or a track of mode 0.
        ValueError: there is no such session.
    """
    if number is None and len(disc.sessions) != 1:
        raise UnsupportedError("one cue sheet describes one session; this disc has several")
    session = _session_of(disc, 1 if number is None else number)
    first, last = session.tracks[0], session.tracks[-1]
    rows: list[bytes] = []
    if disc.mcn is not None:
        text = disc.mcn.encode("ascii") + b"\0"
        rows.extend(
            _CUE_TEXT_ROW.build({"control_adr": first.control << 4 | 2, "track_or_text": half})
            for half in (text[:7], text[7:])
        )
    lead_in_form = _data_form(session, first, made=True) | (FORM_RAW_RW if with_text else 0)
    rows.append(_cue_row(first.control, 0, 0, lead_in_form, 0, None))
    for track in session.tracks:
        if track.isrc is not None:
            text = track.isrc.encode("ascii")
            rows.extend(
                _CUE_TEXT_ROW.build(
                    {
                        "control_adr": track.control << 4 | 3,
                        "track_or_text": bytes([track.number]) + half,
                    }
                )
                for half in (text[:6], text[6:])
            )
        scms = _SCMS_ROW if track.copy is CopySetting.SCMS else 0
        form = _data_form(session, track, made=False) | rw_form
        rows.extend(
            _cue_row(track.control, track.number, index.number, form, scms, index.lba)
            for index in track.indexes
        )
    rows.append(
        _cue_row(
            last.control,
            LEAD_OUT_TNO,
            1,
            _data_form(session, last, made=True),
            0,
            session.lead_out_lba,
        )
    )
    return b"".join(rows)
