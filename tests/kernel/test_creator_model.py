"""The creator against its model, legal calls and illegal ones alike (hypothesis.stateful).

Where a call breaks several rules any of their codes will do, but after the image is made every
call is READ_ONLY.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import rawcd
from rawcd import ImageType, RawCDImageCreator, SilenceSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rawcd import RegionImage
from tests.creator_model import (
    LAST_LEADOUT,
    MODES,
    PQ_ONLY,
    SIZES,
    STAMPED_AT,
    SYNC,
    ModelTrack,
    Spot,
    Stamped,
    code_of,
    ean_13,
    layout,
    lengths,
    limits,
    pregaps,
)
from tests.imapi_codes import (
    E_INVALIDARG,
    E_POINTER,
    INSUFFICIENT_SPACE,
    NO_TRACKS,
    READ_ONLY,
    SECTOR_TYPE_NOT_SUPPORTED,
    TOO_MANY_TRACK_INDEXES,
    TOO_MANY_TRACKS,
    TRACK_INDEX_NOT_FOUND,
    TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
    TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
    TRACKS_ALREADY_ADDED,
)


class CreatorMachine(RuleBasedStateMachine):
    creator: RawCDImageCreator

    def __init__(self) -> None:
        super().__init__()
        self.tracks: list[ModelTrack] = []
        self.special: int | None = None
        self.special_stamp = 0
        self.gaps = False
        self.limit = LAST_LEADOUT
        self.mcn = ""
        self.first_number = 1
        self.kind = 2
        self.rw: tuple[int, bool] | None = None  # sectors; has P or Q bits
        self.read_only = False
        self.stamps = 0
        self.handles: list[int] = []

    @initialize(strict=st.booleans())
    def start(self, strict: bool) -> None:
        self.strict = strict
        self.creator = RawCDImageCreator(strict=strict)

    # -- helpers ---------------------------------------------------------------------------------

    def refused(self, call: Callable[[], object], codes: set[int]) -> bool:
        """Make the call; it must be refused with one of the codes, or go through without any."""
        allowed = ({READ_ONLY} if self.read_only else codes) or {0}
        code, message = code_of(call)
        assert code in allowed, f"{code:#x}, not {[hex(one) for one in allowed]}: {message}"
        return code != 0

    def stamp(self) -> int:
        self.stamps += 1
        return self.stamps

    def spots(self, *extra: ModelTrack, gaps: bool | None = None) -> list[Spot]:
        tracks = [*self.tracks, *extra]
        return layout(tracks, self.special, gaps=self.gaps if gaps is None else gaps)

    def leadout(self) -> int:
        return self.spots()[-1].after

    def goes_with_the_others(self, kind: int) -> bool:
        first_is_not_data = self.special is not None or self.first_number != 1
        if kind and (self.strict or (first_is_not_data and not self.tracks)):
            return False
        data = [other.kind for other in self.tracks if other.kind]
        return not kind or all(MODES[other] == MODES[kind] for other in data)

    def mode_at(self, lba: int) -> int:
        """The mode of a sector: its track's, but for the first second of a data track's pregap."""
        spots = self.spots()
        place = max([n for n, spot in enumerate(spots) if spot.index0 <= lba], default=0)
        mode, spot = MODES[self.tracks[place].kind], spots[place]
        if place and mode >= 0:
            before = MODES[self.tracks[place - 1].kind]
            if before != mode and lba < spot.index0 + 75 and spot.index1 - spot.index0 >= 225:
                return before
        return mode

    def raw_sectors(self) -> int:
        return 22_500 + 150 + self.leadout() + 6_750

    # -- staging ---------------------------------------------------------------------------------

    @rule(
        sectors=lengths,
        kind=st.sampled_from([0] * 12 + [1, 2, 3, 4, 5, 9, 10, -1, 15, 16]),
        pregap=pregaps,
        pad=st.booleans(),
        nothing=st.sampled_from([False] * 12 + [True]),
    )
    def add_track(
        self, sectors: int, kind: int, pregap: tuple[bool, int] | None, pad: bool, nothing: bool
    ) -> None:
        as_source, pregap_sectors = pregap or (False, None)
        given: int | Stamped | None = pregap_sectors
        pregap_stamp = 0
        if as_source and pregap_sectors is not None:
            pregap_stamp = self.stamp()
            given = Stamped(pregap_stamp, pregap_sectors)
        track = ModelTrack(
            kind=kind,
            stamp=0 if kind == 1 else self.stamp(),  # mode 0 holds zeros alone
            stored=sectors,
            sectors=max(sectors, 300) if pad else sectors,
            pregap=pregap_sectors,
            pregap_stamp=pregap_stamp,
        )
        codes: set[int] = set()
        if kind not in MODES:
            codes.add(E_INVALIDARG)
        elif not self.goes_with_the_others(kind):
            codes.add(SECTOR_TYPE_NOT_SUPPORTED)
        elif kind not in SIZES:
            return  # what such a source must hold depends on where it will lie
        if self.first_number + len(self.tracks) > 99:
            codes.add(TOO_MANY_TRACKS)
        if nothing:
            codes.add(E_POINTER)
        if track.sectors < 300:
            codes.add(E_INVALIDARG)
        if pregap_sectors is not None:
            codes |= {E_INVALIDARG} if self.strict or (as_source and kind) else set()
            codes |= {E_INVALIDARG} if not 0 <= pregap_sectors <= LAST_LEADOUT else set()
            if not self.tracks and (pregap_sectors < 150 or self.special is not None):
                codes.add(E_INVALIDARG)
            last = self.tracks[-1].kind if self.tracks else kind
            if kind in MODES and kind and MODES[last] != MODES[kind] and pregap_sectors < 225:
                codes.add(E_INVALIDARG)
        if kind in MODES and self.spots(track)[-1].after > self.limit:
            codes.add(INSUFFICIENT_SPACE)
        data = None if nothing else Stamped(track.stamp, sectors, SIZES.get(kind, 2_352))

        def call() -> None:
            handle = self.creator.add_track(data, kind, pregap=given, pad_short=pad)
            assert handle == len(self.tracks) + 1

        if not self.refused(call, codes):
            self.tracks.append(track)

    @rule(sectors=st.integers(300, 2_000), pregap=st.one_of(st.none(), st.integers(0, 300)))
    def add_plain_track(self, sectors: int, pregap: int | None) -> None:
        """One that is legal more often than not."""
        kind = self.tracks[0].kind if self.tracks else 0
        given = None if pregap is None or self.strict else (pregap % 2 == 1 and not kind, pregap)
        self.add_track(sectors, kind, given, pad=False, nothing=False)

    @rule(
        sectors=st.integers(200, 700),
        kind=st.sampled_from([*STAMPED_AT, 1]),
        pregap=st.one_of(st.none(), st.integers(0, 300)),
        by=st.integers(0, 2),
    )
    def add_data_track(self, sectors: int, kind: int, pregap: int | None, by: int) -> None:
        """One that goes with the first more often than not, by turns padded or too short."""
        if self.tracks and by:
            kind = {-1: 0, 0: 1, 1: 2, 2: kind}[MODES[self.tracks[0].kind]]
        given = None if pregap is None else (False, pregap)
        self.add_track(sectors, kind, given, pad=by > 0, nothing=False)

    @precondition(lambda self: bool(self.tracks))
    @rule(sectors=st.integers(300, 320), count=st.sampled_from([1, 2, 3, 5, 95]))
    def add_tracks(self, sectors: int, count: int) -> None:
        """A run of them, so that the hundredth is met."""
        for _ in range(count):
            self.add_track(sectors, self.tracks[0].kind, None, pad=False, nothing=False)

    @rule(sectors=st.one_of(st.none(), lengths))
    def add_special_pregap(self, sectors: int | None) -> None:
        codes: set[int] = set()
        if self.tracks:
            codes.add(TRACKS_ALREADY_ADDED)
        if sectors is None:
            codes.add(E_POINTER)
        elif sectors < 150:
            codes.add(E_INVALIDARG)
        elif -150 + sectors - 1 > 397_799 or -150 + sectors + 300 > self.limit:
            codes.add(INSUFFICIENT_SPACE)
        stamp = self.stamp()
        data = None if sectors is None else Stamped(stamp, sectors)
        if not self.refused(lambda: self.creator.add_special_pregap(data), codes):
            self.special, self.special_stamp = sectors, stamp

    @rule(
        sectors=st.one_of(st.none(), st.just(-1), st.sampled_from([0, 1, 30_000])),
        pq_bits=st.sampled_from([False, False, True]),
    )
    def add_rw(self, sectors: int | None, pq_bits: bool) -> None:
        """`None` clears; -1 stands for as many as the image has now."""
        if sectors is None:
            if not self.refused(lambda: self.creator.add_subcode_rw_generator(None), set()):
                self.rw = None
            return
        if sectors < 0:
            sectors = self.raw_sectors() if self.tracks else 29_700
        source: object = SilenceSource(block_count=sectors, block_size=96)
        if pq_bits:
            sectors = min(sectors, 40_000)
            source = bytes(max(0, 96 * sectors - 1)) + b"\x40" * bool(sectors)
        codes = {E_INVALIDARG} if self.kind == PQ_ONLY else set()
        if not self.refused(lambda: self.creator.add_subcode_rw_generator(source), codes):
            self.rw = sectors, pq_bits

    # -- settings --------------------------------------------------------------------------------

    @rule(limit=limits)
    def put_limit(self, limit: int) -> None:
        codes: set[int] = set()
        if not 1 <= limit <= (398_099 if self.strict else 398_100):
            codes.add(E_INVALIDARG)
        if self.tracks:
            codes |= {INSUFFICIENT_SPACE} if self.leadout() > limit else set()
        elif self.special is not None and -150 + self.special + 300 > limit:
            codes.add(INSUFFICIENT_SPACE)
        if not self.refused(lambda: setattr(self.creator, "start_of_leadout_limit", limit), codes):
            self.limit = limit

    @precondition(lambda self: bool(self.tracks))
    @rule(above=st.integers(-1, 800))
    def put_limit_near(self, above: int) -> None:
        self.put_limit(self.leadout() + above)

    @rule(gaps=st.booleans())
    def put_switch(self, gaps: bool) -> None:
        codes: set[int] = set()
        if self.tracks:
            codes |= {TRACKS_ALREADY_ADDED} if self.strict else set()
            if self.spots(gaps=gaps)[-1].after > self.limit:
                codes.add(INSUFFICIENT_SPACE)
        if not self.refused(lambda: setattr(self.creator, "disable_gapless_audio", gaps), codes):
            self.gaps = gaps

    @rule(number=st.one_of(st.sampled_from([0, 1, 2, 98, 99, 100]), st.integers(1, 60)))
    def put_first_number(self, number: int) -> None:
        codes = set() if 1 <= number <= 99 else {E_INVALIDARG}
        codes |= {TRACKS_ALREADY_ADDED} if self.tracks else set()
        if not self.refused(lambda: setattr(self.creator, "starting_track_number", number), codes):
            self.first_number = number

    @rule(twelve=st.from_regex(r"[0-9]{12}", fullmatch=True), wrong=st.integers(0, 9))
    def put_mcn(self, twelve: str, wrong: int) -> None:
        right = ean_13(twelve)
        given = twelve + str((int(right[12]) + (wrong if wrong < 3 else 0)) % 10)
        codes = set() if given == right else {E_INVALIDARG}
        short = given.lstrip("0")
        if not self.refused(lambda: setattr(self.creator, "media_catalog_number", short), codes):
            self.mcn = right if short else ""

    @rule(kind=st.sampled_from([1, 1, 2, 3, 0, 4]))
    def put_kind(self, kind: int) -> None:
        codes = set() if 1 <= kind <= 3 else {E_INVALIDARG}
        codes |= {E_INVALIDARG} if kind == PQ_ONLY and self.rw is not None else set()
        if not self.refused(lambda: setattr(self.creator, "resulting_image_type", kind), codes):
            self.kind = kind

    # -- tracks ----------------------------------------------------------------------------------

    def pick(self, which: int) -> tuple[ModelTrack, rawcd.TrackInfo]:
        place = which % len(self.tracks)
        return self.tracks[place], self.creator.track_info(place + 1)

    @precondition(lambda self: bool(self.tracks))
    @rule(
        which=st.integers(0, 98),
        code=st.from_regex(r"[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}", fullmatch=True),
        spoil=st.sampled_from([None, None, None, "", "short", "first"]),
        lower=st.booleans(),
    )
    def put_isrc(self, which: int, code: str, spoil: str | None, lower: bool) -> None:
        track, info = self.pick(which)
        given = {"": "", "short": code[:-1], "first": "1" + code[1:]}.get(spoil or "-", code)
        given = "" if spoil == "" else given
        codes = {E_INVALIDARG} if track.kind or spoil in ("short", "first") else set()
        text = given.lower() if lower else given
        if not self.refused(lambda: setattr(info, "isrc", text), codes):
            track.isrc = given.replace("-", "")

    @precondition(lambda self: bool(self.tracks))
    @rule(which=st.integers(0, 98), copy=st.integers(-1, 3), pre_emphasis=st.booleans())
    def put_flags(self, which: int, copy: int, pre_emphasis: bool) -> None:
        track, info = self.pick(which)
        on_data = {E_INVALIDARG} if track.kind else set()
        codes = on_data if 0 <= copy <= 2 else {E_INVALIDARG}
        if not self.refused(lambda: setattr(info, "digital_audio_copy_setting", copy), codes):
            track.copy = copy
        if not self.refused(lambda: setattr(info, "audio_has_preemphasis", pre_emphasis), on_data):
            track.pre_emphasis = pre_emphasis

    @precondition(lambda self: bool(self.tracks))
    @rule(which=st.integers(0, 98), base=st.integers(0, 99), by=st.integers(-12, 12))
    def add_index_near(self, which: int, base: int, by: int) -> None:
        """Near the track's start, an index, or its end: where the rule has its borders."""
        track = self.tracks[which % len(self.tracks)]
        bases = [*track.offsets, track.sectors]
        self.add_index(which, bases[base % len(bases)] + by)

    @precondition(lambda self: bool(self.tracks))
    @rule(which=st.integers(0, 98), offset=st.integers(-1, 2_000))
    def add_index(self, which: int, offset: int) -> None:
        track, info = self.pick(which)
        codes: set[int] = set()
        there = offset in track.offsets
        if not 0 <= offset < track.sectors:
            codes.add(E_INVALIDARG)
        elif not there:
            if len(track.offsets) == 99:
                codes.add(TOO_MANY_TRACK_INDEXES)
            if min(abs(offset - other) for other in [*track.offsets, track.sectors]) < 10:
                codes.add(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX)
        answers: list[bool] = []
        if not self.refused(lambda: answers.append(info.add_track_index(offset)), codes):
            assert answers == [not there]
            if not there:
                track.offsets = sorted([*track.offsets, offset])

    @precondition(lambda self: bool(self.tracks))
    @rule(which=st.integers(0, 98), first=st.integers(0, 30), step=st.integers(10, 15))
    def add_indexes(self, which: int, first: int, step: int) -> None:
        """A run of them, so that the hundredth is met."""
        for offset in range(first, first + 101 * step, step):
            self.add_index(which, offset)

    @precondition(lambda self: bool(self.tracks))
    @rule(which=st.integers(0, 98), choice=st.integers(0, 98), by=st.sampled_from([0, 0, 0, 1]))
    def clear_index(self, which: int, choice: int, by: int) -> None:
        track, info = self.pick(which)
        offset = track.offsets[choice % len(track.offsets)] + by
        codes: set[int] = set()
        if offset not in track.offsets:
            codes.add(TRACK_INDEX_NOT_FOUND)
        elif offset == 0:
            codes.add(TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED)
        if not self.refused(lambda: info.clear_track_index(offset), codes):
            track.offsets.remove(offset)

    # -- the image -------------------------------------------------------------------------------

    @rule(sure=st.integers(0, 3))
    def create(self, sure: int) -> None:
        """Seldom, so that much happens before."""
        if sure == 0:
            self.create_now()

    def create_now(self) -> None:
        codes: set[int] = set()
        if not self.tracks:
            codes.add(NO_TRACKS)
        elif self.rw is not None and (self.rw[1] or self.rw[0] != self.raw_sectors()):
            codes.add(E_INVALIDARG)
        images: list[RegionImage] = []
        if not self.refused(lambda: images.append(self.creator.create_result_image()), codes):
            self.read_only = True
            self.check_image(images[0])

    def teardown(self) -> None:
        if not self.read_only:
            self.create_now()
        if not self.read_only and self.tracks:
            self.add_rw(None, pq_bits=False)
            self.create_now()
            assert self.read_only

    # -- what must be true -----------------------------------------------------------------------

    @invariant()
    def settings_read_as_put(self) -> None:
        creator = self.creator
        assert creator.number_of_existing_tracks == len(self.tracks)
        assert creator.start_of_leadout_limit == self.limit
        assert creator.disable_gapless_audio is self.gaps
        assert creator.media_catalog_number == self.mcn
        assert creator.starting_track_number == self.first_number
        assert creator.resulting_image_type == self.kind

    @invariant()
    def addresses_are_the_models(self) -> None:
        creator = self.creator
        if not self.tracks:
            assert code_of(lambda: creator.start_of_leadout)[0] == NO_TRACKS
            assert code_of(lambda: creator.expected_table_of_contents)[0] == NO_TRACKS
            return
        count = len(self.tracks)  # of many tracks only some, or the run takes minutes
        self.check_infos({0, 1, self.stamps % count, count - 2, count - 1})
        assert creator.start_of_leadout == self.leadout() <= self.limit
        assert creator.last_used_user_sector_in_image == self.leadout() - 1
        assert creator.raw_sector_count == self.raw_sectors()
        assert creator.expected_table_of_contents == self.toc()

    def check_infos(self, places: Iterable[int]) -> None:
        spots = self.spots()
        ends = [min(spot.end, later.index0) for spot, later in pairwise(spots)] + [spots[-1].end]
        for place in {place % len(self.tracks) for place in places}:
            track, spot = self.tracks[place], spots[place]
            info = self.creator.track_info(place + 1)
            assert info.starting_lba == spot.index1
            assert info.sector_count == ends[place] - spot.index1 >= 300
            assert info.track_number == self.first_number + place
            assert info.sector_type == track.kind
            assert list(info.track_indexes) == track.offsets
            assert info.digital_audio_copy_setting == track.copy
            assert info.audio_has_preemphasis is track.pre_emphasis
            assert info.isrc.replace("-", "") == track.isrc

    def toc(self) -> bytes:
        lines = [
            (
                track.pre_emphasis | (track.copy == 0) << 1 | (track.kind != 0) << 2,
                self.first_number + place,
                spot.index1,
            )
            for place, (track, spot) in enumerate(zip(self.tracks, self.spots(), strict=True))
        ]
        lines.append((lines[-1][0], 0xAA, self.leadout()))
        body = b"".join(struct.pack(">BBBBi", 0, 0x10 | c, n, 0, lba) for c, n, lba in lines)
        last = self.first_number + len(self.tracks) - 1
        return struct.pack(">HBB", len(body) + 2, self.first_number, last) + body

    def check_image(self, image: RegionImage) -> None:
        spots, leadout = self.spots(), self.leadout()
        self.check_infos(range(len(self.tracks)))
        assert image.kind is ImageType(self.kind)
        assert (image.first_lba, image.sector_count) == (-22_650, self.raw_sectors())
        (session,) = image.disc.sessions
        assert (session.lead_in_lba, session.lead_out_lba) == (-22_650, leadout)
        assert session.lead_out_sectors == 6_750
        assert (image.disc.mcn or "") == self.mcn
        ends = [spot.index0 for spot in spots[1:]] + [leadout]
        assert len(session.tracks) == len(self.tracks)
        for place, made in enumerate(session.tracks):
            track, spot = self.tracks[place], spots[place]
            expected = [(0, spot.index0)] if spot.index0 != spot.index1 else []
            expected += [(n, spot.index1 + offset) for n, offset in enumerate(track.offsets, 1)]
            assert [(index.number, index.lba) for index in made.indexes] == expected
            assert (made.number, made.end_lba) == (self.first_number + place, ends[place])
            assert (made.copy, made.pre_emphasis) == (track.copy, track.pre_emphasis)
            assert made.mode == MODES[track.kind]
            assert (made.isrc or "") == track.isrc
        self.check_tiling((region.lba, region.sectors) for region in image.main)
        self.check_tiling((region.lba, region.sectors) for region in image.sub)
        short = [t for t in self.tracks if t.stored < t.sectors]
        assert [note.code for note in image.notes] == ["short-padded"] * len(short)
        xa = any(track.kind in (4, 5, 16) for track in self.tracks)
        assert session.disc_type == (0x20 if xa else 0)
        self.check_content(image)

    def check_tiling(self, regions: Iterator[tuple[int, int]]) -> None:
        position = -22_650
        for lba, sectors in regions:
            assert lba == position
            assert sectors > 0
            position += sectors
        assert position == self.leadout() + 6_750

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """LBA, sectors and stamp of all sound that was given."""
        if self.special is not None:
            yield -150, self.special, self.special_stamp
        for track, spot in zip(self.tracks, self.spots(), strict=True):
            if track.pregap_stamp and track.pregap:
                yield spot.index1 - track.pregap, track.pregap, track.pregap_stamp
            yield spot.index1, track.stored, track.stamp

    def check_content(self, image: RegionImage) -> None:
        stretches = list(self.stretches())
        edges = {-22_650, -151, -150, self.leadout(), self.leadout() + 6_749}
        for lba, sectors, _ in stretches:
            edges |= {lba - 1, lba, lba + sectors // 2, lba + sectors - 1, lba + sectors}
        for lba in edges:
            told = None
            for first, sectors, stamp in stretches:
                if stamp and first <= lba < first + sectors:
                    told = struct.pack("<II", stamp, lba - first)
            sector = rawcd.main_sectors(image, lba, 1).tobytes()
            if (mode := self.mode_at(lba)) >= 0:
                self.check_data(sector, lba, mode, told)
            else:
                assert sector == (told.ljust(2_352, b"\xaa") if told else bytes(2_352)), lba

    def check_data(self, sector: bytes, lba: int, mode: int, told: bytes | None) -> None:
        """Every data sector is of its place and mode, whoever gave what it holds."""
        frames = (lba + 150) % 450_000
        time = frames // 4_500, frames // 75 % 60, frames % 75
        assert sector[:12] == SYNC
        assert sector[12:15].hex() == "{:02}{:02}{:02}".format(*time)
        assert sector[15] == mode
        if told is None:
            assert not any(sector[24:2_064])
        else:
            spots = zip(self.tracks, self.spots(), strict=True)
            (kind,) = (t.kind for t, spot in spots if spot.index1 <= lba < spot.end)
            at = STAMPED_AT[kind]
            assert sector[at : at + 8] == told
            assert sector[at + 8 : at + 2_048] == b"\xaa" * 2_040


class DataMachine(CreatorMachine):
    """The same with a data track in the beginning: of those that come by chance few are first."""

    @initialize(kind=st.sampled_from([1, *STAMPED_AT]), sectors=st.integers(300, 700))
    def start(self, kind: int, sectors: int) -> None:
        self.strict = False
        self.creator = RawCDImageCreator()
        self.add_track(sectors, kind, None, pad=False, nothing=False)


TestCreator = CreatorMachine.TestCase
TestCreator.settings = settings(max_examples=2 * settings().max_examples)
TestDataCreator = DataMachine.TestCase
TestDataCreator.settings = settings(max_examples=settings().max_examples)
