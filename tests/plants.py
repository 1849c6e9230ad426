"""A table of faults: where each can be planted, how, and what is to be found of it.

What is predicted follows from the standards alone: which code covers which byte, what a frame
says. `DISC` tells the true layout; the code under test never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from rawcd.disc import Area, TrackMode
from rawcd.sector import SectorType, encode, scramble
from tests.verifying import FORM_2_AT, legal_discs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.disc import Disc, Track
    from tests.verifying import Recording

Found = set[tuple[str, int]]
CODES: Final = {"edc", "p-parity", "q-parity"}


@dataclass(frozen=True)
class Needs:
    """Which discs a plant is planted in.

    Attributes:
        tracks: modes of the first session's first tracks.
        modes: modes of any.
        codes: there are a catalogue number and ISRCs.
    """

    tracks: tuple[TrackMode, ...] = ()
    modes: tuple[TrackMode, ...] = (TrackMode.AUDIO, TrackMode.MODE1, TrackMode.MODE2)
    codes: bool = False

    def discs(self, *, sessions: int = 2) -> st.SearchStrategy[Disc]:
        return legal_discs(sessions=sessions, modes=self.modes, first=self.tracks, codes=self.codes)


@dataclass(frozen=True)
class Field:
    """What a plant is given: a recording to spoil, its true layout, and chance."""

    recording: Recording
    disc: Disc
    data: Any

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self.data.draw(strategy)

    def pick(self, lbas: list[int]) -> int:
        """One of these; the example is of no use where there is none."""
        assume(lbas)
        return int(self.draw(st.sampled_from(lbas)))

    @property
    def lbas(self) -> range:
        return range(self.disc.first_lba, self.disc.end_lba)

    def any_lba(self) -> int:
        return int(self.draw(st.integers(self.lbas[0], self.lbas[-1])))

    def adr(self, lba: int) -> int:
        return self.recording.q(lba)[0] & 15

    def program(self, *, adr: int = 1) -> int:
        """A sector of a track or lead-out whose frame is of a mode, and nothing begins there."""
        borders = set(self.disc.borders()) | self.heads()
        for _ in range(20):
            lba = self.any_lba()
            if self.disc.place(lba).area is Area.LEAD_IN or lba in borders:
                continue
            if adr == 1 and self.adr(lba) == adr:
                return lba
            if adr != 1:
                for near in range(lba, min(lba + 100, self.disc.end_lba)):
                    inside = self.disc.place(near).area is not Area.LEAD_IN
                    if inside and self.adr(near) == adr:
                        return near
        assume(False)
        raise AssertionError

    def heads(self) -> set[int]:
        """Where a pregap goes over to its own mode: CONTROL changes there, as nowhere else."""
        found = set()
        for session in self.disc.sessions:
            for track in session.tracks:
                if session.has_mode_change_head(track):
                    found.add(track.first_lba + 75)
        return found

    def lead_in(self) -> int:
        session = self.draw(st.sampled_from(self.disc.sessions))
        return int(self.draw(st.integers(session.lead_in_lba, session.program_lba - 1)))

    def data_sector(self, *modes: TrackMode) -> tuple[Track, int]:
        """A sector of a data track, outside of what must be empty."""
        tracks = [track for track in self.disc.tracks if track.mode in modes]
        assume(tracks)
        track = self.draw(st.sampled_from(tracks))
        return track, int(self.draw(st.integers(track.start_lba, track.end_lba - 151)))


def _of(lba: int, *rules: str) -> Found:
    return {(rule, lba) for rule in rules}


def _q(change: Callable[[bytearray, Field], None], rule: str) -> Callable[[Field], Found]:
    """A mode 1 frame of a track or lead-out with another content, its CRC right."""

    def plant(field: Field) -> Found:
        lba = field.program()
        frame = field.recording.q(lba)
        change(frame, field)
        field.recording.put_q(lba, frame)
        return _of(lba, rule)

    return plant


def _set_byte(place: int, value: int) -> Callable[[bytearray, Field], None]:
    def change(frame: bytearray, field: Field) -> None:
        frame[place] = value

    return change


def _later(place: int) -> Callable[[bytearray, Field], None]:
    """A time's minute, more by one."""

    def change(frame: bytearray, field: Field) -> None:
        frame[place] ^= 1

    return change


def _flip_control(frame: bytearray, field: Field) -> None:
    frame[0] ^= field.draw(st.sampled_from([0x10, 0x40, 0x80, 0x90]))


def q_crc(field: Field) -> Found:
    lba = field.any_lba()
    bit = field.draw(st.integers(0, 95))
    field.recording.sub(lba)[0, bit] ^= 0x40
    return _of(lba, "q-crc")


def _at_a_border(change: Callable[[bytearray], None], rule: str) -> Callable[[Field], Found]:
    """The frame of the sector where an area, track or index begins, or of the one before it.

    Not the only one of its place: where that lies, nothing tells that the place is there.
    """

    def plant(field: Field) -> Found:
        borders = [*field.disc.borders()]
        near = {*borders[:-1], *(border - 1 for border in borders[1:])}
        lba = field.pick(sorted(each for each in near if not {each, each + 1} <= {*borders}))
        assume(rule != "q-index" or field.disc.place(lba).area is not Area.LEAD_IN)
        frame = field.recording.q(lba)
        assume(frame[0] & 15 in (1, 5))
        change(frame)
        field.recording.put_q(lba, frame)
        return _of(lba, rule)

    return plant


def q_mode(field: Field) -> Found:
    lba = field.program()
    frame = field.recording.q(lba)
    frame[0] = frame[0] & 0xF0 | field.draw(st.sampled_from([0, 4, 6, 7, 15]))
    field.recording.put_q(lba, frame)
    return _of(lba, "q-mode")


def _code(adr: int, change: Callable[[bytearray], None], rule: str) -> Callable[[Field], Found]:
    """A frame of a catalogue number (2) or an ISRC (3) with another content."""

    def plant(field: Field) -> Found:
        lba = field.program(adr=adr)
        frame = field.recording.q(lba)
        change(frame)
        field.recording.put_q(lba, frame)
        return _of(lba, rule)

    return plant


def _next_digit(place: int) -> Callable[[bytearray], None]:
    def change(frame: bytearray) -> None:
        frame[place] = (frame[place] + 0x10) % 0xA0

    return change


def _as_position(field: Field, lba: int) -> None:
    """Put a mode 1 frame in the place of a code's, made of the one before it."""
    frame = field.recording.q(lba - 1)
    assume(frame[0] & 15 == 1)
    assume(not {lba, lba - 1} & (set(field.disc.borders()) | field.heads()))
    place = field.disc.place(lba)
    assume(place.index != 0 and place.area is Area.TRACK)
    for first, frames in ((3, place.relative), (7, lba + 150)):
        minute, rest = divmod(frames, 4_500)
        for at, value in enumerate((minute, *divmod(rest, 75)), first):
            frame[at] = value // 10 << 4 | value % 10
    track = field.disc.track(place.track or 0)
    frame[0] = track.control << 4 | 1
    assume(track.copy.name != "SCMS")
    field.recording.put_q(lba, frame)


def mcn_density(field: Field) -> Found:
    lba = field.program(adr=2)
    session = next(each for each in field.disc.sessions if lba < each.end_lba)
    told = [at for at in range(lba - 102, lba) if at >= session.program_lba and field.adr(at) == 2]
    after = range(lba + 1, min(lba + 102, session.end_lba))
    behind = [at for at in after if field.adr(at) == 2]
    assume(told and behind and behind[0] < session.lead_out_lba)
    assume(not set(range(told[-1], behind[0] + 1)) & set(field.disc.borders()))
    _as_position(field, lba)
    return _of(told[-1] + 1, "mcn-density")


def isrc_density(field: Field) -> Found:
    lba = field.program(adr=3)
    track = field.disc.track(field.disc.place(lba).track or 0)
    told = [at for at in range(lba - 102, lba) if at >= track.first_lba and field.adr(at) == 3]
    behind = [at for at in range(lba + 1, lba + 102) if field.adr(at) == 3]
    assume(told and behind and behind[0] < track.end_lba)
    assume(not set(range(told[-1], behind[0] + 1)) & set(field.disc.borders()))
    _as_position(field, lba)
    return _of(told[-1] + 1, "isrc-density")


def isrc_place(field: Field) -> Found:
    lba = field.program(adr=3)
    session = field.draw(st.sampled_from(field.disc.sessions))
    at = int(field.draw(st.integers(session.lead_out_lba + 1, session.end_lba - 20)))
    assume(all(field.adr(near) == 1 for near in range(at - 10, at + 10)))
    frame = field.recording.q(lba)
    frame[0] = field.recording.q(at)[0] & 0xF0 | 3
    number = (at + 150) % 75
    frame[9] = number // 10 << 4 | number % 10
    field.recording.put_q(at, frame)
    return _of(at, "isrc-place")


def q_density(field: Field) -> Found:
    """A second catalogue number a few frames behind one."""
    lba = field.program(adr=2)
    at = lba + int(field.draw(st.integers(2, 9)))
    around = set(range(lba - 12, at + 12))
    assume(not around & (set(field.disc.borders()) | field.heads()))
    assume(field.disc.place(lba).area is Area.TRACK)
    assume(all(field.adr(near) == 1 for near in around - {lba} if near in field.lbas))
    frame = field.recording.q(lba)
    frame[0] = field.recording.q(at)[0] & 0xF0 | 2
    number = (at + 150) % 75
    frame[9] = number // 10 << 4 | number % 10
    field.recording.put_q(at, frame)
    return _of(at, "q-density")


def p_flag(field: Field) -> Found:
    """P of a sector, but where writers differ and the disc has too few to tell its habit."""
    lba = field.any_lba()
    for track in field.disc.tracks:
        assume(lba != track.start_lba)
        assume(not max(track.start_lba - 150, track.first_lba - 150) <= lba < track.first_lba)
    assume(lba not in [session.lead_out_lba for session in field.disc.sessions])
    field.recording.sub(lba)[:] ^= 0x80
    return _of(lba, "p-flag")


def p_bits(field: Field) -> Found:
    lba = field.any_lba()
    field.recording.sub(lba)[0, field.draw(st.integers(0, 95))] ^= 0x80
    return _of(lba, "p-bits")


def _lead_in_frame(
    change: Callable[[bytearray], None], *rules: str, adr: int | None = None
) -> Callable[[Field], Found]:
    def plant(field: Field) -> Found:
        lba = field.lead_in()
        frame = field.recording.q(lba)
        assume(adr is None or frame[0] & 15 == adr)
        change(frame)
        field.recording.put_q(lba, frame)
        return _of(lba, *rules)

    return plant


def _xor(place: int, bits: int) -> Callable[[bytearray], None]:
    def change(frame: bytearray) -> None:
        frame[place] ^= bits

    return change


def _put(place: int, value: int) -> Callable[[bytearray], None]:
    def change(frame: bytearray) -> None:
        frame[place] = value

    return change


def _adr_of_none(frame: bytearray) -> None:
    frame[0] |= 15


def _byte(
    mode: TrackMode, first: int, last: int, *rules: str, form: int | None = None
) -> Callable[[Field], Found]:
    """A byte of a data sector; a scrambled sector's byte is changed as the plain one would be."""

    def plant(field: Field) -> Found:
        track, lba = field.data_sector(mode)
        if form is not None:
            lba = track.start_lba + (lba - track.start_lba) // 5 * 5
            lba += FORM_2_AT if form == 2 else 0
        main = field.recording.main(lba)
        main[0, field.draw(st.integers(first, last))] ^= field.draw(st.sampled_from([1, 8, 9]))
        return _of(lba, *rules)

    return plant


def unscrambled(field: Field) -> Found:
    _, lba = field.data_sector(TrackMode.MODE1, TrackMode.MODE2)
    main = field.recording.main(lba)
    main[:] = scramble(main)
    return _of(lba, "unscrambled")


def scrambling(field: Field) -> Found:
    _, lba = field.data_sector(TrackMode.MODE1)
    main = field.recording.main(lba)
    head = main[:, :16].copy()
    main[:] = scramble(main)
    main[:, :16] = head
    return _of(lba, "scrambling")


def lost_sector(field: Field) -> Found:
    _, lba = field.data_sector(TrackMode.MODE1, TrackMode.MODE2)
    main = field.recording.main(lba)
    main[:] = np.random.default_rng(field.draw(st.integers(0, 9))).integers(0, 256, main.shape)
    return _of(lba, "lost-sector")


def header_mode(field: Field) -> Found:
    _, lba = field.data_sector(TrackMode.MODE1)
    field.recording.main(lba)[0, 15] ^= field.draw(st.sampled_from([1, 2, 3, 0x80]))
    return _of(lba, "header-mode", *CODES)


def other_place(field: Field) -> Found:
    """A sector whole in itself, made for another address."""
    _, lba = field.data_sector(TrackMode.MODE1)
    user = np.ones((1, 2048), np.uint8)
    away = int(field.draw(st.integers(1, 1_000)))
    field.recording.main(lba)[:] = scramble(encode(SectorType.MODE1, user, lba + away))
    return _of(lba, "header-address")


def data_in_audio(field: Field) -> Found:
    track, lba = field.data_sector(TrackMode.AUDIO)
    del track
    user = np.ones((1, 2048), np.uint8)
    field.recording.main(lba)[:] = scramble(encode(SectorType.MODE1, user, lba))
    return _of(lba, "data-in-audio")


def postgap(field: Field) -> Found:
    ends = [
        before
        for session in field.disc.sessions
        for before, after in zip(session.tracks, session.tracks[1:], strict=False)
        if before.mode is TrackMode.MODE1 and after.mode is not before.mode
    ]
    assume(ends)
    track = field.draw(st.sampled_from(ends))
    lba = int(field.draw(st.integers(track.end_lba - 150, track.end_lba - 1)))
    user = np.ones((1, 2048), np.uint8)
    field.recording.main(lba)[:] = scramble(encode(SectorType.MODE1, user, lba))
    return _of(track.end_lba - 150, "postgap")


_M0, _M1, _M2 = TrackMode.MODE0, TrackMode.MODE1, TrackMode.MODE2
_ANY: Final = Needs()
_SOUND: Final = Needs(tracks=(TrackMode.AUDIO,))
_CODES: Final = Needs(tracks=(TrackMode.AUDIO,), modes=(TrackMode.AUDIO,), codes=True)
_DATA: Final = Needs(tracks=(_M1,))
_MIXED: Final = Needs(tracks=(_M1, TrackMode.AUDIO))
_EMPTY: Final = Needs(tracks=(_M0,))
_XA: Final = Needs(tracks=(_M2,))
PLANTS: Final[dict[str, tuple[Needs, Callable[[Field], Found]]]] = {
    "a bit of Q": (_ANY, q_crc),
    "ADR": (_ANY, q_mode),
    "TNO": (_ANY, _q(_set_byte(1, 0x88), "q-track")),
    "ADR at a border": (_ANY, _at_a_border(_adr_of_none, "q-mode")),
    "TNO at a border": (_ANY, _at_a_border(_put(1, 0x88), "q-track")),
    "INDEX at a border": (_ANY, _at_a_border(_put(2, 0x88), "q-index")),
    "TNO of the lead-in": (_ANY, _q(_set_byte(1, 0), "q-track")),
    "INDEX": (_ANY, _q(_set_byte(2, 0x88), "q-index")),
    "relative minute": (_ANY, _q(_later(3), "q-relative-time")),
    "relative frame": (_ANY, _q(_later(5), "q-relative-time")),
    "absolute minute": (_ANY, _q(_later(7), "q-absolute-time")),
    "no BCD": (_ANY, _q(_set_byte(4, 0x6B), "q-bcd")),
    "a second of 60": (_ANY, _q(_set_byte(8, 0x60), "q-bcd")),
    "CONTROL": (_ANY, _q(_flip_control, "q-control")),
    "ZERO": (_ANY, _q(_set_byte(6, 0x25), "q-zero")),
    "AFRAME": (_CODES, _code(2, _xor(9, 1), "q-frame-number")),
    "another MCN": (_CODES, _code(2, _next_digit(3), "mcn-contradiction")),
    "no MCN": (_CODES, _code(2, _put(2, 0x1F), "mcn-invalid")),
    "too few MCN": (_CODES, mcn_density),
    "another ISRC": (_CODES, _code(3, _next_digit(6), "isrc-contradiction")),
    "no ISRC": (_CODES, _code(3, _put(7, 0xB1), "isrc-invalid")),
    "too few ISRC": (_CODES, isrc_density),
    "ISRC in a lead-out": (_CODES, isrc_place),
    "too many codes": (_CODES, q_density),
    "P": (_ANY, p_flag),
    "a bit of P": (_ANY, p_bits),
    "an item's frame": (_ANY, _lead_in_frame(_xor(9, 1), "toc-item")),
    "an item's CONTROL": (_ANY, _lead_in_frame(_xor(0, 0x80), "toc-item")),
    "an item's point": (_ANY, _lead_in_frame(_put(2, 0x42), "toc-cycle")),
    "running time": (_ANY, _lead_in_frame(_xor(3, 1), "toc-running-time", adr=1)),
    "ZERO of an item": (_ANY, _lead_in_frame(_put(6, 1), "q-zero", adr=1)),
    "a sync byte": (_DATA, _byte(_M1, 0, 11, "sync")),
    "a sync byte of XA": (_XA, _byte(_M2, 0, 11, "sync")),
    "an address byte": (_DATA, _byte(_M1, 12, 14, "header-address", *CODES)),
    "an address byte of XA": (_XA, _byte(_M2, 12, 14, "header-address")),
    "the mode": (_DATA, header_mode),
    "another place": (_DATA, other_place),
    "a sync byte of mode 0": (_EMPTY, _byte(_M0, 0, 11, "sync")),
    "an address byte of mode 0": (_EMPTY, _byte(_M0, 12, 14, "header-address")),
    "a byte of mode 0": (_EMPTY, _byte(_M0, 16, 2351, "zeros")),
    "user data of mode 1": (_DATA, _byte(_M1, 16, 2063, *CODES)),
    "EDC of mode 1": (_DATA, _byte(_M1, 2064, 2067, *CODES)),
    "zeros of mode 1": (_DATA, _byte(_M1, 2068, 2075, "zeros")),
    "P of mode 1": (_DATA, _byte(_M1, 2076, 2247, "p-parity", "q-parity")),
    "Q of mode 1": (_DATA, _byte(_M1, 2248, 2351, "q-parity")),
    "a subheader's copy": (_XA, _byte(_M2, 20, 21, "subheader", *CODES, form=1)),
    "user data of form 1": (_XA, _byte(_M2, 24, 2071, *CODES, form=1)),
    "EDC of form 1": (_XA, _byte(_M2, 2072, 2075, *CODES, form=1)),
    "Q of form 1": (_XA, _byte(_M2, 2248, 2351, "q-parity", form=1)),
    "user data of form 2": (_XA, _byte(_M2, 24, 2347, "edc", form=2)),
    "no scrambling": (_DATA, unscrambled),
    "half a scrambling": (_DATA, scrambling),
    "a lost sector": (_DATA, lost_sector),
    "data among sound": (_SOUND, data_in_audio),
    "a postgap with data": (_MIXED, postgap),
}
