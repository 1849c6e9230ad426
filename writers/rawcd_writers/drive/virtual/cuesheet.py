"""SEND CUE SHEET as a strict recorder reads it: row by row, each rule with its byte (MMC).

The rows and their forms are stated here for themselves: `rawcd.toc.drive_cue_sheet` makes such
sheets, and its mistakes must show.

A DATA FORM that is not in MMC's table is refused, though burners send such: wodim 1.1.11 writes FCh
for `-sao -xa`, its mark for a kind of sector that it has no form for, without bits 1 and 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import construct

from rawcd.disc import MAX_TRACKS, PREGAP_SECTORS, CopySetting, DiscType, Index, Track, TrackMode
from rawcd.msf import PROGRAM_LBA, Msf
from rawcd.rules import is_sheet_isrc
from rawcd.sector import SectorType
from rawcd_writers.drive.virtual.refusals import (
    END_OF_TRACK,
    LIST_LENGTH,
    Refusal,
    bad_parameter,
)

if TYPE_CHECKING:
    from rawcd.disc import Disc
    from rawcd_writers.drive.virtual.medium import Medium

ROW_BYTES: Final = 8
MAX_BYTES: Final = 0x10000 - ROW_BYTES
"""Room for 99 tracks with two rows of ISRC and 80 indexes each."""

_ROW: Final = construct.Struct(
    "control_adr" / construct.Byte,
    "tno" / construct.Byte,
    "index" / construct.Byte,
    "form" / construct.Byte,
    "scms" / construct.Byte,
    "minute" / construct.Byte,  # binary
    "second" / construct.Byte,
    "frame" / construct.Byte,
)
_LEAD_OUT: Final = 0xAA
_SHORTEST: Final = 300

SUB_NONE: Final = 0x00
SUB_RAW: Final = 0x40
SUB_PACKED: Final = 0xC0
SUB_BITS: Final = 0xC0
MAIN_BITS: Final = 0x3F


@dataclass(frozen=True, slots=True)
class DataForm:
    """What the main bits of DATA FORM mean.

    Attributes:
        kind: what the sectors are.
        host_bytes: bytes of main channel in a block.
        ignored: the drive makes the content, whatever the host sends.
    """

    kind: SectorType
    host_bytes: int
    ignored: bool = False


DATA_FORMS: Final = {
    0x00: DataForm(SectorType.AUDIO, 2352),
    0x01: DataForm(SectorType.AUDIO, 0, ignored=True),
    0x10: DataForm(SectorType.MODE1, 2048),
    0x11: DataForm(SectorType.MODE1, 2352),
    0x12: DataForm(SectorType.MODE1, 2048, ignored=True),
    0x13: DataForm(SectorType.MODE1, 2352, ignored=True),
    0x14: DataForm(SectorType.MODE1, 0, ignored=True),
    0x20: DataForm(SectorType.MODE2MIXED, 2336),
    0x21: DataForm(SectorType.MODE2MIXED, 2352),
    0x22: DataForm(SectorType.MODE2MIXED, 2336, ignored=True),
    0x23: DataForm(SectorType.MODE2MIXED, 2352, ignored=True),
    0x24: DataForm(SectorType.MODE2MIXED, 0, ignored=True),
    0x30: DataForm(SectorType.MODE2FORM0, 2336),
    0x31: DataForm(SectorType.MODE2FORM0, 2352),
    0x32: DataForm(SectorType.MODE2FORM0, 2336, ignored=True),
    0x33: DataForm(SectorType.MODE2FORM0, 2352, ignored=True),
    0x34: DataForm(SectorType.MODE2FORM0, 0, ignored=True),
}
_MADE: Final = (0x01, 0x14, 0x24, 0x34)
"""Forms of lead-in and lead-out: the drive makes them."""
_MODES: Final = {
    SectorType.AUDIO: TrackMode.AUDIO,
    SectorType.MODE1: TrackMode.MODE1,
    SectorType.MODE2MIXED: TrackMode.MODE2,
    SectorType.MODE2FORM0: TrackMode.MODE2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sectors for which the host sends blocks of one kind.

    Attributes:
        lba: the first one.
        end_lba: one past the last one.
        form: DATA FORM.
    """

    lba: int
    end_lba: int
    form: int

    @property
    def main(self) -> DataForm:
        """What the main channel is."""
        return DATA_FORMS[self.form & MAIN_BITS]

    @property
    def block_bytes(self) -> int:
        """Bytes of a block; 0: the host sends none."""
        return self.main.host_bytes + (96 if self.form & SUB_BITS else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CueSheet:
    """A cue sheet that was taken.

    Attributes:
        disc: the disc as it will be.
        text_form: subchannel bits of the lead-in: not 0: the host sends CD-TEXT.
        stretches: what the host has to send from the program area's first sector on.
        lead_in_lba: where the session's lead-in begins.
    """

    disc: Disc
    text_form: int
    stretches: tuple[Stretch, ...]
    lead_in_lba: int
    remarks: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _TrackRows:
    number: int
    control: int
    form: int
    scms: bool
    at: int
    isrc: str | None = None
    indexes: list[Index] = field(default_factory=list)


class _Reader:
    """Reads the rows one after another; the state is what may come next."""

    def __init__(self, medium: Medium, disc_type: int) -> None:
        self._medium = medium
        self._disc_type = disc_type
        self.mcn_text = ""
        self.lead_in: int | None = None
        self.lead_out_lba: int | None = None
        self.tracks: list[_TrackRows] = []
        self.isrc: tuple[int, str] | None = None
        self.places: list[tuple[int, int]] = []  # LBA and form of each row of a track
        self.remarks: list[str] = []

    def row(self, at: int, data: bytes) -> None:
        fields = _ROW.parse(data)
        if self.lead_out_lba is not None:
            raise bad_parameter(at, "a row behind the lead-out's")
        adr = fields.control_adr & 15
        if adr == 2:
            self._mcn_row(at, data)
        elif adr == 3:
            self._isrc_row(at, data)
        elif adr != 1:
            raise bad_parameter(at, f"ADR {adr} has no place in a cue sheet")
        else:
            self._position_row(at, fields)

    def _mcn_row(self, at: int, data: bytes) -> None:
        if self.lead_in is not None or len(self.mcn_text) >= 13:
            raise bad_parameter(at, "the catalogue number comes first, in two rows")
        last = bool(self.mcn_text)
        digits = data[1:7] if last else data[1:8]
        if last and data[7]:
            raise bad_parameter(at + 7, "the catalogue number ends with a zero")
        if not digits.isdigit():
            raise bad_parameter(at + 1, f"{digits!r} are no digits")
        self.mcn_text += digits.decode("ascii")

    def _isrc_row(self, at: int, data: bytes) -> None:
        text = data[2:].decode("latin-1")
        capital = text.isascii() and text.isalnum() and text == text.upper()
        if self.lead_in is None or not capital:
            raise bad_parameter(
                at + 2, f"an ISRC row has six capital letters or digits, not {text!r}"
            )
        if self.isrc is None:
            number = self._next_number()
            if data[1] != number and (self.tracks or not number < data[1] <= MAX_TRACKS):
                raise bad_parameter(at + 1, f"the ISRC of track {data[1]} does not precede it")
            self.isrc = data[1], text
        elif self.isrc[0] != data[1] or len(self.isrc[1]) != 6:
            raise bad_parameter(at + 1, "an ISRC has two rows of its track")
        else:
            self.isrc = data[1], self.isrc[1] + text
            code = self.isrc[1]
            if not is_sheet_isrc(code):
                raise bad_parameter(at + 2, f"{code!r} is no ISRC")

    def _next_number(self) -> int:
        return self.tracks[-1].number + 1 if self.tracks else self._medium.next_track_number

    def _position_row(self, at: int, fields: construct.Container) -> None:  # type: ignore[type-arg]  # construct-typing leaves its values open
        if self.lead_in is None:
            if len(self.mcn_text) not in (0, 13):
                raise bad_parameter(at, "the catalogue number's second row is missing")
            if fields.tno or fields.index:
                raise bad_parameter(at + 1, "the lead-in's row comes before any track's")
            if fields.form & MAIN_BITS not in _MADE or fields.form & SUB_BITS not in (
                SUB_NONE,
                SUB_RAW,
                SUB_PACKED,
            ):
                raise bad_parameter(at + 3, f"the lead-in has no form {fields.form:02X}h")
            self.lead_in = fields.form
            return
        try:
            lba = Msf(fields.minute, fields.second, fields.frame).to_frames() + PROGRAM_LBA
        except ValueError as error:
            raise bad_parameter(at + 5, str(error)) from error
        if fields.tno == 0:
            raise bad_parameter(at + 1, "a second row of the lead-in")
        if self.places and lba <= self.places[-1][0]:
            raise bad_parameter(at + 5, f"LBA {lba} does not lie behind the row before")
        if fields.tno == _LEAD_OUT:
            self._lead_out_row(at, fields, lba)
        else:
            self._track_row(at, fields, lba)

    def _lead_out_row(self, at: int, fields: construct.Container, lba: int) -> None:  # type: ignore[type-arg]  # as above
        if not self.tracks or self.isrc is not None:
            raise bad_parameter(at + 1, "the lead-out follows a track")
        if self.tracks[-1].indexes[-1].number == 0:
            raise bad_parameter(at + 1, f"track {self.tracks[-1].number} has no index 1")
        if fields.index != 1:
            raise bad_parameter(at + 2, "the lead-out has index 01")
        if fields.form not in _MADE:
            raise bad_parameter(at + 3, f"the lead-out has no form {fields.form:02X}h")
        if lba > self._medium.last_lead_out_lba:
            raise Refusal(
                END_OF_TRACK,
                f"the lead-out would begin at LBA {lba}; the blank's last is "
                f"{self._medium.last_lead_out_lba}",
                lba=lba,
                field=at + 5,
            )
        self.lead_out_lba = lba

    def _track_row(self, at: int, fields: construct.Container, lba: int) -> None:  # type: ignore[type-arg]  # as above
        main = DATA_FORMS.get(fields.form & MAIN_BITS)
        if main is None or fields.form & SUB_BITS not in (SUB_NONE, SUB_RAW, SUB_PACKED):
            raise bad_parameter(at + 3, f"there is no form {fields.form:02X}h")
        control = fields.control_adr >> 4
        if bool(control & 4) != (main.kind is not SectorType.AUDIO):
            raise bad_parameter(at, f"CONTROL {control:X}h does not fit form {fields.form:02X}h")
        if main.kind is SectorType.MODE2MIXED and self._disc_type == DiscType.CDDA_CDROM:
            raise bad_parameter(at + 3, "XA forms need session format 10h or 20h in page 05h")
        if fields.scms & 0x7F:
            raise bad_parameter(at + 4, "SCMS is 00h or 80h")
        track = self.tracks[-1] if self.tracks else None
        if track is None or fields.tno != track.number:
            track = self._new_track(at, fields, lba, control)
        elif fields.index != track.indexes[-1].number + 1:
            raise bad_parameter(at + 2, f"index {fields.index} out of order")
        elif DATA_FORMS[track.form & MAIN_BITS].kind is not main.kind:
            raise bad_parameter(at + 3, "a track has sectors of one kind")
        if fields.index <= 1:  # index 0 may be made by the drive: index 1 tells the track's form
            track.form, track.control, track.scms = fields.form, control, bool(fields.scms)
        track.indexes.append(Index(number=fields.index, lba=lba))
        self.places.append((lba, fields.form))

    def _new_track(
        self,
        at: int,
        fields: construct.Container,  # type: ignore[type-arg]  # as above
        lba: int,
        control: int,
    ) -> _TrackRows:
        number = self._next_number()
        if not self.tracks and number <= fields.tno <= MAX_TRACKS:
            number = fields.tno  # the first number may be above 1 (IEC 60908)
        if fields.tno != number or number > MAX_TRACKS:
            raise bad_parameter(at + 1, f"track {fields.tno} where {number} comes")
        if fields.index > 1:
            raise bad_parameter(at + 2, f"track {number} begins with index {fields.index}")
        if not self.tracks and (fields.index or lba != self._medium.next_program_lba):
            raise bad_parameter(
                at + 2, f"the first track begins with index 0 at {self._medium.next_program_lba}"
            )
        if self.tracks and self.tracks[-1].indexes[-1].number == 0:
            raise bad_parameter(at + 1, f"track {self.tracks[-1].number} has no index 1")
        isrc = None
        if self.isrc is not None:
            if self.isrc[0] != number or len(self.isrc[1]) != 12:
                raise bad_parameter(at, f"the ISRC before track {number} is not whole or not its")
            isrc, self.isrc = self.isrc[1], None
        track = _TrackRows(
            number=number,
            control=control,
            form=fields.form,
            scms=bool(fields.scms),
            at=at,
            isrc=isrc,
        )
        self.tracks.append(track)
        return track


def read_cue_sheet(sheet: bytes, medium: Medium, disc_type: int, *, appendable: bool) -> CueSheet:
    """Check a sheet and return what it announces.

    Args:
        sheet: rows of eight bytes.
        medium: what it is for.
        disc_type: session format of page 05h.
        appendable: page 05h allows a further session.

    Raises:
        Refusal: a row breaks a rule; the field pointer names its byte.
    """
    if not sheet or len(sheet) % ROW_BYTES:
        raise Refusal(LIST_LENGTH, f"{len(sheet)} bytes are no whole rows of {ROW_BYTES}")
    reader = _Reader(medium, disc_type)
    for at in range(0, len(sheet), ROW_BYTES):
        reader.row(at, sheet[at : at + ROW_BYTES])
    if reader.lead_in is None or reader.lead_out_lba is None:
        raise Refusal(LIST_LENGTH, "the sheet ends without a row of the lead-out")
    first = reader.tracks[0]
    if first.indexes[1].lba - first.indexes[0].lba < PREGAP_SECTORS:
        raise bad_parameter(first.at + 5, "the first track's pregap has at least 150 sectors")
    remarks = []
    tracks = []
    ends = [*(track.indexes[0].lba for track in reader.tracks[1:]), reader.lead_out_lba]
    for rows, end in zip(reader.tracks, ends, strict=True):
        track = _track(rows, end)
        tracks.append(track)
        if track.sector_count < _SHORTEST:
            remarks.append("short-track")
    try:
        disc = medium.with_session(
            tuple(tracks),
            lead_out_lba=reader.lead_out_lba,
            disc_type=DiscType(disc_type),
            mcn=reader.mcn_text or None,
            appendable=appendable,
        )
    except ValueError as error:
        raise bad_parameter(0, f"the sheet contradicts itself: {error}") from error
    return CueSheet(
        disc=disc,
        text_form=reader.lead_in & SUB_BITS,
        stretches=_stretches(reader.places, reader.lead_out_lba),
        lead_in_lba=medium.next_lead_in_lba,
        remarks=tuple(remarks),
    )


def _track(rows: _TrackRows, end: int) -> Track:
    copy = CopySetting.PERMITTED if rows.control & 2 else CopySetting.PROHIBITED
    return Track(
        number=rows.number,
        mode=_MODES[DATA_FORMS[rows.form & MAIN_BITS].kind],
        indexes=tuple(rows.indexes),
        end_lba=end,
        copy=CopySetting.SCMS if rows.scms else copy,
        pre_emphasis=bool(rows.control & 1),
        four_channel=bool(rows.control & 8),
        isrc=rows.isrc,
    )


def _stretches(places: list[tuple[int, int]], end: int) -> tuple[Stretch, ...]:
    """Return the rows' stretches, neighbours of one form joined."""
    found: list[Stretch] = []
    ends = [*(lba for lba, _ in places[1:]), end]
    for (lba, form), after in zip(places, ends, strict=True):
        if found and found[-1].form == form:
            found[-1] = Stretch(lba=found[-1].lba, end_lba=after, form=form)
        else:
            found.append(Stretch(lba=lba, end_lba=after, form=form))
    return tuple(found)
