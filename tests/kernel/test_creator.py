"""The creator, rule by rule: what IMAPI's pages say, and how their silences were decided.

Every number here is worked out by hand from the documentation; codes are written as the
header has them, so that a slip in our table shows.
"""

from __future__ import annotations

import io
import os
import re
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

import rawcd
from rawcd import (
    ArraySource,
    AuthoringError,
    CopySetting,
    FormatError,
    ImageType,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
    StorageError,
)
from rawcd.creator import hresults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from rawcd import RegionImage, TrackInfo

E_INVALIDARG = 0x80070057
E_POINTER = 0x80004003
READ_ONLY = 0x80AA0A00
TOO_MANY_TRACKS = 0x80AA0A01
SECTOR_TYPE_NOT_SUPPORTED = 0x80AA0A02
NO_TRACKS = 0x80AA0A03
TRACKS_ALREADY_ADDED = 0x80AA0A04
INSUFFICIENT_SPACE = 0x80AA0A05
TOO_MANY_TRACK_INDEXES = 0x80AA0A06
TRACK_INDEX_NOT_FOUND = 0x80AA0A07
TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED = 0x80AA0A09
TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX = 0x80AA0A0A


@contextmanager
def refused(hresult: int, *words: object) -> Iterator[None]:
    """The block must be refused with this code, and the message must hold these words."""
    with pytest.raises(AuthoringError) as caught:
        yield
    assert caught.value.hresult is not None
    assert hex(caught.value.hresult) == hex(hresult)
    for word in words:
        found = re.search(rf"(?<!\w){re.escape(str(word))}(?!\w)", str(caught.value))
        assert found, f"{word} is not in: {caught.value}"


def silent(sectors: int) -> SilenceSource:
    return SilenceSource(block_count=sectors)


def staged(*lengths: int, gaps: bool = False, **options: Any) -> RawCDImageCreator:
    creator = RawCDImageCreator(**options)
    creator.disable_gapless_audio = gaps
    for sectors in lengths:
        creator.add_track(silent(sectors))
    return creator


def infos(creator: RawCDImageCreator) -> list[TrackInfo]:
    count = creator.number_of_existing_tracks
    return [creator.track_info(handle) for handle in range(1, count + 1)]


def starts(creator: RawCDImageCreator) -> list[int]:
    return [info.starting_lba for info in infos(creator)]


def counts(creator: RawCDImageCreator) -> list[int]:
    return [info.sector_count for info in infos(creator)]


def indexes(image: RegionImage) -> list[dict[int, int]]:
    return [{index.number: index.lba for index in track.indexes} for track in image.disc.tracks]


def pattern(samples: int, seed: int = 1) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-32_768, 32_768, (samples, 2), np.int16)


def little(samples: npt.NDArray[np.int16]) -> bytes:
    """The samples as they lie on the disc: 16 bits, low byte first, left first."""
    return samples.astype("<i2").tobytes()


# -- when each setting becomes fixed -------------------------------------------------------------


def put(name: str, value: object) -> Callable[[RawCDImageCreator], object]:
    return lambda creator: setattr(creator, name, value)


def put_on_track(name: str, value: object) -> Callable[[RawCDImageCreator], object]:
    return lambda creator: setattr(creator.track_info(1), name, value)


def get(name: str) -> Callable[[RawCDImageCreator], object]:
    return lambda creator: getattr(creator, name)


# name: (call, before the first track, after it, after it under strict); 0 is success
WRITES: dict[str, tuple[Callable[[RawCDImageCreator], object], int, int, int]] = {
    "AddSpecialPregap": (
        lambda c: c.add_special_pregap(silent(150)),
        *(0, TRACKS_ALREADY_ADDED, TRACKS_ALREADY_ADDED),
    ),
    "StartingTrackNumber": (
        put("starting_track_number", 2),
        *(0, TRACKS_ALREADY_ADDED, TRACKS_ALREADY_ADDED),
    ),
    "DisableGaplessAudio on": (put("disable_gapless_audio", True), 0, 0, TRACKS_ALREADY_ADDED),
    "DisableGaplessAudio off": (put("disable_gapless_audio", False), 0, 0, TRACKS_ALREADY_ADDED),
    "StartOfLeadoutLimit": (put("start_of_leadout_limit", 300_000), 0, 0, 0),
    "ResultingImageType PQ_ONLY": (put("resulting_image_type", 1), 0, 0, 0),
    "ResultingImageType RAW": (put("resulting_image_type", 3), 0, 0, 0),
    "AddSubcodeRWGenerator": (lambda c: c.add_subcode_rw_generator(bytes(96)), 0, 0, 0),
    "AddSubcodeRWGenerator NULL": (lambda c: c.add_subcode_rw_generator(None), 0, 0, 0),
    "MediaCatalogNumber": (put("media_catalog_number", "4006381333931"), 0, 0, 0),
    "MediaCatalogNumber empty": (put("media_catalog_number", ""), 0, 0, 0),
    "cdtext": (put("cdtext", None), 0, 0, 0),
    "AddTrack": (lambda c: c.add_track(silent(300)), 0, 0, 0),
}
ON_TRACK: dict[str, Callable[[RawCDImageCreator], object]] = {
    "ISRC": put_on_track("isrc", "USK7Y9812345"),
    "ISRC empty": put_on_track("isrc", ""),
    "DigitalAudioCopySetting": put_on_track("digital_audio_copy_setting", 0),
    "AudioHasPreemphasis": put_on_track("audio_has_preemphasis", True),
    "AddTrackIndex": lambda c: c.track_info(1).add_track_index(200),
    "AddTrackIndex there": lambda c: c.track_info(1).add_track_index(100),
    "ClearTrackIndex": lambda c: c.track_info(1).clear_track_index(100),
}
NEEDS_TRACKS = (
    "start_of_leadout",
    "last_used_user_sector_in_image",
    "expected_table_of_contents",
    "raw_sector_count",
)
ALWAYS = {
    "resulting_image_type": ImageType.COOKED,
    "start_of_leadout_limit": 398_100,
    "disable_gapless_audio": False,
    "media_catalog_number": "",
    "starting_track_number": 1,
    "number_of_existing_tracks": 0,
    "cdtext": None,
}

both = pytest.mark.parametrize("strict", [False, True], ids=["ours", "strict"])


def try_to(call: Callable[[RawCDImageCreator], object], creator: RawCDImageCreator) -> int:
    try:
        call(creator)
    except AuthoringError as error:
        return error.hresult or -1
    return 0


def one_track(*, strict: bool) -> RawCDImageCreator:
    creator = staged(1_000, strict=strict)
    creator.track_info(1).add_track_index(100)
    return creator


@both
@pytest.mark.parametrize("name", WRITES)
def test_what_is_fixed_when(name: str, strict: bool) -> None:
    call, before, after, after_strict = WRITES[name]
    assert try_to(call, RawCDImageCreator(strict=strict)) == before
    creator = one_track(strict=strict)
    assert try_to(call, creator) == (after_strict if strict else after)
    creator = one_track(strict=strict)
    creator.create_result_image()
    assert try_to(call, creator) == READ_ONLY


@both
@pytest.mark.parametrize("name", ON_TRACK)
def test_what_of_a_track_is_fixed_when(name: str, strict: bool) -> None:
    call = ON_TRACK[name]
    creator = one_track(strict=strict)
    assert try_to(call, creator) == 0
    creator.add_track(silent(300))
    assert try_to(put_on_track("isrc", "GBAAA0000001"), creator) == 0
    creator = one_track(strict=strict)
    creator.create_result_image()
    assert try_to(call, creator) == READ_ONLY


@both
@pytest.mark.parametrize("name", NEEDS_TRACKS)
def test_what_needs_a_track(name: str, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(NO_TRACKS, "no track"):
        getattr(creator, name)
    creator = one_track(strict=strict)
    before = getattr(creator, name)
    creator.create_result_image()
    assert getattr(creator, name) == before


@both
def test_defaults(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    assert {name: getattr(creator, name) for name in ALWAYS} == ALWAYS
    assert creator.resulting_image_type == 2
    creator.add_track(silent(300))
    info = creator.track_info(1)
    assert info.isrc == ""
    assert info.digital_audio_copy_setting is CopySetting.PROHIBITED
    assert info.audio_has_preemphasis is False
    assert info.track_indexes == (0,)
    assert info.sector_type is SectorType.AUDIO
    assert (info.starting_lba, info.sector_count, info.track_number) == (0, 300, 1)


def answers(creator: RawCDImageCreator) -> dict[str, object]:
    of_creator = {name: getattr(creator, name) for name in (*ALWAYS, *NEEDS_TRACKS)}
    names = (
        *("starting_lba", "sector_count", "track_number", "sector_type", "isrc"),
        *("digital_audio_copy_setting", "audio_has_preemphasis", "track_indexes"),
    )
    of_tracks = [[getattr(info, name) for name in names] for info in infos(creator)]
    return {**of_creator, "tracks": of_tracks}


def test_everything_still_reads_after_the_image_is_made() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 7
    creator.add_special_pregap(silent(200))
    creator.add_track(silent(1_000))
    creator.add_track(silent(500), pregap=20)
    creator.track_info(2).add_track_index(250)
    creator.track_info(1).isrc = "USK7Y9812345"
    creator.media_catalog_number = "4006381333931"
    before = answers(creator)
    creator.create_result_image()
    assert answers(creator) == before
    with refused(READ_ONLY, "made"):
        creator.create_result_image()
    assert answers(creator) == before


def test_no_image_without_tracks() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(silent(150))
    with refused(NO_TRACKS):
        creator.create_result_image()
    creator.add_track(silent(300))
    creator.create_result_image()


def test_a_failed_image_leaves_the_creator_writable() -> None:
    creator = staged(300)
    creator.add_subcode_rw_generator(bytes(96))
    with refused(E_INVALIDARG):
        creator.create_result_image()
    creator.add_track(silent(300))
    creator.track_info(2).isrc = "USK7Y9812345"
    creator.add_subcode_rw_generator(None)
    image = creator.create_result_image()
    assert image.disc.track(2).isrc == "USK7Y9812345"


def test_the_codes_of_the_header() -> None:
    codes = {
        name.removeprefix("E_IMAPI_RAW_IMAGE_"): value
        for name, value in vars(hresults).items()
        if name.startswith(("E_", "S_"))
    }
    assert codes == {
        "E_INVALIDARG": E_INVALIDARG,
        "E_POINTER": E_POINTER,
        "IS_READ_ONLY": READ_ONLY,
        "TOO_MANY_TRACKS": TOO_MANY_TRACKS,
        "SECTOR_TYPE_NOT_SUPPORTED": SECTOR_TYPE_NOT_SUPPORTED,
        "NO_TRACKS": NO_TRACKS,
        "TRACKS_ALREADY_ADDED": TRACKS_ALREADY_ADDED,
        "INSUFFICIENT_SPACE": INSUFFICIENT_SPACE,
        "TOO_MANY_TRACK_INDEXES": TOO_MANY_TRACK_INDEXES,
        "TRACK_INDEX_NOT_FOUND": TRACK_INDEX_NOT_FOUND,
        "S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS": 0x00AA0A08,
        "TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED": TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
        "TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX": TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
    }


# -- tracks: number, type, length ----------------------------------------------------------------


@both
def test_99_tracks_and_no_more(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    assert [creator.add_track(silent(300)) for _ in range(99)] == list(range(1, 100))
    with refused(TOO_MANY_TRACKS, 99, 100):
        creator.add_track(silent(300))
    assert creator.number_of_existing_tracks == 99
    image = creator.create_result_image()
    assert [track.number for track in image.disc.tracks] == list(range(1, 100))


@pytest.mark.parametrize(("first", "fit"), [(99, 1), (98, 2), (2, 98), (50, 50)])
def test_track_numbers_end_at_99_wherever_they_begin(first: int, fit: int) -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = first
    for _ in range(fit):
        creator.add_track(silent(300))
    with refused(TOO_MANY_TRACKS, 99, 100):
        creator.add_track(silent(300))
    assert [info.track_number for info in infos(creator)] == list(range(first, 100))


def test_the_handle_is_not_the_number() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 10
    assert creator.add_track(silent(300)) == 1
    assert creator.add_track(silent(400)) == 2
    assert creator.track_info(2).track_number == 11
    image = creator.create_result_image()
    assert [track.number for track in image.disc.tracks] == [10, 11]


@pytest.mark.parametrize("number", [0, 100, -1, 1.0, "1", None, True], ids=repr)
def test_starting_track_number_range(number: Any) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG, 1, 99, repr(number)):
        creator.starting_track_number = number
    assert creator.starting_track_number == 1


@pytest.mark.parametrize("handle", [0, 3, -1, "1", None, True, 1.0])
def test_a_handle_that_is_none(handle: Any) -> None:
    with refused(E_INVALIDARG, 1, 2, repr(handle)):
        staged(300, 300).track_info(handle)


def test_no_handle_without_tracks() -> None:
    with refused(E_INVALIDARG, 1, "none has been added"):
        RawCDImageCreator().track_info(1)


def test_numbers_of_numpy_are_numbers() -> None:
    creator = staged(1_000)
    creator.add_track(silent(300), pregap=np.int64(20))
    creator.start_of_leadout_limit = np.int32(5_000)  # type: ignore[assignment]  # pyright: ignore  # has __index__
    assert creator.track_info(np.uint8(2)).starting_lba == 1_020  # type: ignore[arg-type]  # pyright: ignore  # has __index__


@pytest.mark.parametrize("kind", [*list(SectorType)[1:], 1, 2, 9], ids=repr)
def test_strict_takes_audio_alone(kind: SectorType | int) -> None:
    creator = RawCDImageCreator(strict=True)
    for _ in range(2):
        with refused(SECTOR_TYPE_NOT_SUPPORTED, "audio alone", SectorType(kind).name):
            creator.add_track(silent(300), kind)
        creator.add_track(silent(300), 0)
    assert creator.number_of_existing_tracks == 2


MODE_2 = {3, 4, 5, 7, 8, 9, 16}
GOES_WITH = {1: {0, 1}, 2: {0, 2, 6}, 6: {0, 2, 6}} | {kind: {0, *MODE_2} for kind in MODE_2}
"""Sound goes with all, data with data of its own mode: A0 names one kind for a session."""


@pytest.mark.parametrize("first", list(SectorType)[1:], ids=lambda kind: kind.name)
def test_the_first_data_track_says_what_the_others_may_be(first: SectorType) -> None:
    creator = RawCDImageCreator()
    sectors = SilenceSource(block_count=300)  # what sectors hold is not read when they are added
    assert creator.add_track(sectors, int(first)) == 1
    assert creator.track_info(1).sector_type is first
    added = 1
    for kind in SectorType:
        if kind in GOES_WITH[first]:
            added += 1
            assert creator.add_track(sectors, kind) == added
        else:
            with refused(SECTOR_TYPE_NOT_SUPPORTED, f"of type {kind.name} cannot follow one of"):
                creator.add_track(sectors, kind)
        assert creator.number_of_existing_tracks == added


@pytest.mark.parametrize("kind", [10, -1, None, "AUDIO"])
def test_what_is_no_sector_type(kind: Any) -> None:
    with refused(E_INVALIDARG, repr(kind)):
        RawCDImageCreator().add_track(silent(300), kind)


@both
@pytest.mark.parametrize("sectors", [0, 1, 299])
def test_the_shortest_track(sectors: int, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, sectors, 300, "pad_short=True"):
        creator.add_track(silent(sectors))
    assert creator.number_of_existing_tracks == 0
    creator.add_track(silent(300))


@pytest.mark.parametrize("sectors", [0, 1, 299])
def test_a_short_track_is_filled_with_silence_and_says_so(sectors: int) -> None:
    creator = RawCDImageCreator()
    data = little(pattern(588 * sectors))
    creator.add_track(silent(300))
    creator.add_track(data, pad_short=True)
    creator.add_track(silent(300))
    assert counts(creator) == [300, 300, 300]
    creator.track_info(2).add_track_index(290)  # the filling is the track's own
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 300, 300).tobytes() == data.ljust(300 * 2_352, b"\0")
    (note,) = image.notes
    assert (note.code, note.track) == ("short-padded", 2)
    assert f"{sectors} sectors" in note.message
    assert "300" in note.message


def test_a_track_that_is_long_enough_is_not_filled() -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300), pad_short=True)
    assert creator.create_result_image().notes == ()


@pytest.mark.parametrize("rest", [4, 2_348, 1, 2_351])
def test_an_end_inside_a_sector_is_filled_and_says_so(rest: int) -> None:
    creator = RawCDImageCreator()
    data = b"\x55" * (300 * 2_352 + rest)
    creator.add_track(data)
    assert counts(creator) == [301]
    image = creator.create_result_image()
    whole = data.ljust(301 * 2_352, b"\0")
    assert rawcd.main_sectors(image, 0, 301).tobytes() == whole
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", 1)
    assert f"track 1 ends inside a sector; {2_352 - rest} bytes" in note.message


def test_strict_refuses_an_end_inside_a_sector() -> None:
    creator = RawCDImageCreator(strict=True)
    data = bytes(300 * 2_352 + 4)
    with refused(E_INVALIDARG, "track 1", 2_348, 2_352):
        creator.add_track(data)
    with refused(E_INVALIDARG, "special pregap", 2_348, 2_352):
        creator.add_special_pregap(data)
    with refused(E_INVALIDARG, 2_348, 2_352):
        creator.add_track(data, pad_short=True)
    creator.add_track(data[:-4])


def test_what_was_refused_leaves_no_trace() -> None:
    creator = staged(300)
    ragged = bytes(2_352 * 300 - 4)
    wrong: list[dict[str, Any]] = [
        {"pregap": -1},
        {"pregap": True},
        {"sector_type": 2},
        {"pregap": 398_100},
    ]
    for options in wrong:
        with pytest.raises(AuthoringError):
            creator.add_track(ragged, **options)
    with refused(E_INVALIDARG):
        creator.add_track(bytes(2_352 * 298 - 4))
    assert creator.start_of_leadout == 300
    image = creator.create_result_image()
    assert image.notes == ()
    assert len(image.disc.tracks) == 1


# -- where tracks lie ----------------------------------------------------------------------------


def test_gapless_is_the_default() -> None:
    creator = staged(1_000, 500, 2_000)
    assert creator.disable_gapless_audio is False
    # starts: the sum of the lengths before; the last 150 sectors of each are the next's pregap
    assert starts(creator) == [0, 1_000, 1_500]
    assert counts(creator) == [850, 350, 2_000]
    assert creator.start_of_leadout == 3_500
    assert creator.last_used_user_sector_in_image == 3_499
    # 22,500 of lead-in, 150, 3,500 and 6,750 of lead-out
    assert creator.raw_sector_count == 32_900
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0}, {0: 850, 1: 1_000}, {0: 1_350, 1: 1_500}]
    assert (image.first_lba, image.sector_count) == (-22_650, 32_900)


def test_with_gaps() -> None:
    creator = staged(1_000, 500, 2_000, gaps=True)
    # start of i+1 = start of i + its length + 150
    assert starts(creator) == [0, 1_150, 1_800]
    assert counts(creator) == [1_000, 500, 2_000]
    assert creator.start_of_leadout == 3_800
    assert creator.last_used_user_sector_in_image == 3_799
    assert creator.raw_sector_count == 33_200
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0}, {0: 1_000, 1: 1_150}, {0: 1_650, 1: 1_800}]


@pytest.mark.parametrize("gaps", [False, True])
def test_a_special_pregap_pushes_all_tracks_up(gaps: bool) -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    creator.add_special_pregap(silent(400))
    creator.add_track(silent(1_000))
    creator.add_track(silent(500))
    # track 1 starts at p - 150
    assert starts(creator) == ([250, 1_400] if gaps else [250, 1_250])
    assert counts(creator) == ([1_000, 500] if gaps else [850, 500])
    assert creator.start_of_leadout == (1_900 if gaps else 1_750)
    image = creator.create_result_image()
    assert indexes(image)[0] == {0: -150, 1: 250}


def test_the_switch_is_read_when_asked() -> None:
    creator = staged(1_000, 500)
    creator.disable_gapless_audio = True
    assert starts(creator) == [0, 1_150]
    creator.disable_gapless_audio = False
    assert starts(creator) == [0, 1_000]


def test_the_end_plus_the_pregap_is_the_next_start() -> None:
    for gaps in (False, True):
        creator = staged(1_000, 310, 460, 2_000, gaps=gaps)
        image = creator.create_result_image()
        pregaps = [track.pregap_sectors for track in image.disc.tracks[1:]]
        ends = [info.starting_lba + info.sector_count for info in infos(creator)]
        assert [*starts(creator)[1:], creator.start_of_leadout] == [
            end + pregap for end, pregap in zip(ends, [*pregaps, 0], strict=True)
        ]


@pytest.mark.parametrize(
    ("sectors", "last_index", "pregap"),
    [
        (1_000, 0, 150),
        (450, 0, 150),
        (449, 0, 149),
        (301, 0, 1),
        (300, 0, 0),
        (1_000, 840, 150),  # 1,000 - 10 - 840
        (1_000, 841, 149),
        (1_000, 985, 5),
        (1_000, 990, 0),
        (400, 290, 100),  # both: 100 and 100
        (400, 291, 99),
        (400, 280, 100),
    ],
)
def test_a_gapless_pregap_shrinks_rather_than_break_a_rule(
    sectors: int, last_index: int, pregap: int
) -> None:
    creator = staged(sectors, 300)
    assert counts(creator) == [min(sectors, max(sectors - 150, 300)), 300]
    if last_index:
        assert creator.track_info(1).add_track_index(last_index) is True
    assert starts(creator) == [0, sectors]
    assert counts(creator) == [sectors - pregap, 300]
    second = indexes(creator.create_result_image())[1]
    assert second == ({0: sectors - pregap, 1: sectors} if pregap else {1: sectors})


def test_the_last_track_is_shortened_only_when_one_follows() -> None:
    creator = staged(1_000)
    assert counts(creator) == [1_000]
    creator.add_track(silent(300))
    assert counts(creator) == [850, 300]


# pregap=


@pytest.mark.parametrize("gaps", [False, True])
def test_a_pregap_of_its_own_beats_the_switch(gaps: bool) -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    sound = little(pattern(588 * 10 + 1))
    creator.add_track(silent(1_000))
    creator.add_track(silent(1_000), pregap=0)
    creator.add_track(silent(1_000), pregap=75)
    creator.add_track(silent(1_000), pregap=sound)
    # 0; 1,000; 2,000 + 75; 3,075 + 11
    assert starts(creator) == [0, 1_000, 2_075, 3_086]
    assert counts(creator) == [1_000] * 4
    assert creator.start_of_leadout == 4_086
    creator.disable_gapless_audio = not gaps
    assert starts(creator) == [0, 1_000, 2_075, 3_086]
    image = creator.create_result_image()
    assert indexes(image) == [
        {0: -150, 1: 0},
        {1: 1_000},
        {0: 2_000, 1: 2_075},
        {0: 3_075, 1: 3_086},
    ]
    assert rawcd.main_sectors(image, 3_075, 11).tobytes() == sound.ljust(11 * 2_352, b"\0")
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", 4)
    assert "the pregap of track 4 ends inside a sector; 2348 bytes" in note.message


def test_a_pregap_may_be_any_sound(tmp_path: Path) -> None:
    samples = pattern(588 * 20)
    path = tmp_path / "gap.wav"
    soundfile.write(path, samples, 44_100, "PCM_16")
    for given in (path, samples, little(samples), ArraySource(little(samples))):
        creator = staged(300)
        creator.add_track(silent(300), pregap=given)
        assert starts(creator) == [0, 320]
        image = creator.create_result_image()
        assert rawcd.main_sectors(image, 300, 20).tobytes() == little(samples)


@pytest.mark.parametrize("pregap", [150, 400])
def test_on_the_first_track_it_is_the_whole_pregap(pregap: int) -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300), pregap=pregap)
    assert starts(creator) == [pregap - 150]
    assert indexes(creator.create_result_image()) == [{0: -150, 1: pregap - 150}]


def test_on_the_first_track_it_is_a_special_pregap() -> None:
    sound = pattern(588 * 200)
    images = []
    for special in (False, True):
        creator = RawCDImageCreator()
        if special:
            creator.add_special_pregap(sound)
        creator.add_track(silent(300), pregap=None if special else sound)
        images.append(creator.create_result_image())
    assert images[0].disc == images[1].disc
    assert images[0].read(-150, 500) == images[1].read(-150, 500)
    assert rawcd.main_sectors(images[0], -150, 200).tobytes() == little(sound)


@pytest.mark.parametrize("pregap", [0, 1, 149])
def test_a_first_pregap_below_150_is_refused(pregap: int) -> None:
    for given in (pregap, silent(pregap)):
        creator = RawCDImageCreator()
        with refused(E_INVALIDARG, pregap, 150):
            creator.add_track(silent(300), pregap=given)
        assert creator.number_of_existing_tracks == 0


def test_a_first_pregap_is_given_once() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(silent(150))
    with refused(E_INVALIDARG, "pregap=", "add_special_pregap"):
        creator.add_track(silent(300), pregap=150)
    creator.add_track(silent(300))
    creator.add_track(silent(300), pregap=10)


@pytest.mark.parametrize("pregap", [-1, 398_101, True, 1.5, object()])
def test_what_is_no_pregap(pregap: Any) -> None:
    creator = staged(300)
    with refused(E_INVALIDARG, "pregap of track 2"):
        creator.add_track(silent(300), pregap=pregap)


@pytest.mark.parametrize("pregap", [-1, 398_101])
def test_a_pregap_out_of_range_is_named(pregap: int) -> None:
    with refused(E_INVALIDARG, pregap, 0, 398_100):
        staged(300).add_track(silent(300), pregap=pregap)


@pytest.mark.parametrize("pregap", [0, 150, silent(150)], ids=["0", "150", "source"])
def test_strict_knows_no_pregap(pregap: Any) -> None:
    creator = RawCDImageCreator(strict=True)
    with refused(E_INVALIDARG, "pregap", "strict=True"):
        creator.add_track(silent(300), pregap=pregap)
    creator.add_track(silent(300), pregap=None)


# -- special pregap ------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("sectors", [0, 1, 149])
def test_a_special_pregap_has_150_sectors(sectors: int, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, sectors, 150):
        creator.add_special_pregap(silent(sectors))
    creator.add_special_pregap(silent(150))
    creator.add_track(silent(300))
    assert starts(creator) == [0]


@both
def test_the_longest_special_pregap(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    # 397,950 sectors from -150 on: the last is LBA 397,799
    with refused(INSUFFICIENT_SPACE, 397_800, 397_799):
        creator.add_special_pregap(silent(397_951))
    creator.add_special_pregap(silent(397_950))
    with refused(INSUFFICIENT_SPACE, 398_101, 398_100):
        creator.add_track(silent(301))
    creator.add_track(silent(300))
    assert starts(creator) == [397_800]
    assert creator.last_used_user_sector_in_image == 398_099
    assert creator.create_result_image().disc.end_lba == 404_850


def test_the_longest_pregap_of_a_first_track() -> None:
    creator = RawCDImageCreator()
    with refused(INSUFFICIENT_SPACE, 397_800, 397_799):
        creator.add_track(silent(300), pregap=397_951)
    creator.add_track(silent(300), pregap=397_950)
    assert creator.start_of_leadout == 398_100


def test_a_special_pregap_leaves_room_for_a_track_below_the_limit() -> None:
    creator = RawCDImageCreator()
    creator.start_of_leadout_limit = 1_000
    with refused(INSUFFICIENT_SPACE, 700, 699):  # 851 sectors end at LBA 700
        creator.add_special_pregap(silent(851))
    creator.add_special_pregap(silent(850))
    with refused(INSUFFICIENT_SPACE, 699, 698):
        creator.start_of_leadout_limit = 999
    assert creator.start_of_leadout_limit == 1_000
    creator.add_track(silent(300))
    assert creator.start_of_leadout == 1_000


def test_a_special_pregap_is_heard_before_track_1_and_filled() -> None:
    creator = RawCDImageCreator()
    sound = little(pattern(588 * 160 + 1))
    creator.add_special_pregap(sound)
    creator.add_track(b"\x11" * 2_352 * 300)
    image = creator.create_result_image()
    assert starts(creator) == [11]
    assert rawcd.main_sectors(image, -150, 161).tobytes() == sound.ljust(161 * 2_352, b"\0")
    assert rawcd.main_sectors(image, 11, 1).tobytes() == b"\x11" * 2_352
    assert not rawcd.main_sectors(image, -250, 100).any()
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", None)
    assert "the special pregap ends inside a sector; 2348 bytes" in note.message


def test_a_second_special_pregap_takes_the_place_of_the_first() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(bytes(2_352 * 200 + 4))
    creator.add_special_pregap(silent(150))
    creator.add_track(silent(300))
    assert starts(creator) == [0]
    assert creator.create_result_image().notes == ()


@both
def test_nothing_given(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_POINTER, "track 1"):
        creator.add_track(None)
    with refused(E_POINTER, "special pregap"):
        creator.add_special_pregap(None)


# -- the lead-out and its limit ------------------------------------------------------------------


@both
def test_the_last_user_sector_is_398_099(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    # 398,100 + 150 frames = 88:30:00
    with refused(INSUFFICIENT_SPACE, 398_101, 398_100, "88:30:00", "track 1"):
        creator.add_track(silent(398_101))
    creator.add_track(silent(398_100))
    assert creator.start_of_leadout == 398_100
    assert creator.last_used_user_sector_in_image == 398_099
    # 22,500 + 150 + 398,100 + 6,750
    assert creator.raw_sector_count == 427_500
    with refused(INSUFFICIENT_SPACE, 398_400, 398_100):
        creator.add_track(silent(300))
    image = creator.create_result_image()
    assert str(rawcd.Msf.from_lba(image.disc.end_lba - 1)) == "89:59:74"
    assert image.sector_count == 427_500


@pytest.mark.parametrize("limit", [1, 300, 359_849, 398_099, 398_100])
def test_limits(limit: int) -> None:
    creator = RawCDImageCreator()
    creator.start_of_leadout_limit = limit
    assert creator.start_of_leadout_limit == limit
    if limit < 300:
        return
    with refused(INSUFFICIENT_SPACE, limit + 1, limit):
        creator.add_track(silent(limit + 1))
    creator.add_track(silent(limit))


@both
@pytest.mark.parametrize("limit", [0, -1, 398_101, 1 << 40, "398099", None, 1.0, True])
def test_limits_out_of_range(limit: Any, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, 1, 398_099 if strict else 398_100, repr(limit)):
        creator.start_of_leadout_limit = limit
    assert creator.start_of_leadout_limit == 398_100


def test_strict_takes_the_limit_of_the_page() -> None:
    creator = RawCDImageCreator(strict=True)
    with refused(E_INVALIDARG, 398_099, 398_100):
        creator.start_of_leadout_limit = 398_100
    creator.start_of_leadout_limit = 398_099
    with refused(INSUFFICIENT_SPACE, 398_100, 398_099):
        creator.add_track(silent(398_100))
    creator.add_track(silent(398_099))


@both
def test_a_limit_below_what_is_used_is_refused(strict: bool) -> None:
    creator = staged(1_000, 500, gaps=True, strict=strict)
    with refused(INSUFFICIENT_SPACE, 1_650, 1_649):
        creator.start_of_leadout_limit = 1_649
    assert creator.start_of_leadout_limit == 398_100
    creator.start_of_leadout_limit = 1_650
    creator.start_of_leadout_limit = 1_949
    with refused(INSUFFICIENT_SPACE, 2_100, 1_949):
        creator.add_track(silent(300))
    creator.start_of_leadout_limit = 2_100
    creator.add_track(silent(300))


def test_gaps_count() -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = True
    creator.start_of_leadout_limit = 749
    creator.add_track(silent(300))
    with refused(INSUFFICIENT_SPACE, 750, 749):  # 300 + 150 + 300
        creator.add_track(silent(300))
    with refused(INSUFFICIENT_SPACE, 750, 749):
        creator.add_track(silent(300), pregap=150)
    creator.add_track(silent(300), pregap=149)


def test_the_switch_may_not_push_the_lead_out_past_its_limit() -> None:
    creator = staged(1_000, 500, 600)
    creator.start_of_leadout_limit = 2_399
    with refused(INSUFFICIENT_SPACE, 2_400, 2_399):  # 2,100 and two gaps
        creator.disable_gapless_audio = True
    assert creator.disable_gapless_audio is False
    assert starts(creator) == [0, 1_000, 1_500]
    creator.start_of_leadout_limit = 2_400
    creator.disable_gapless_audio = True
    assert creator.start_of_leadout == 2_400


def test_an_absurd_length_is_refused_like_any_other() -> None:
    with refused(INSUFFICIENT_SPACE, 10**12, 398_100):
        RawCDImageCreator().add_track(silent(10**12))


# -- catalogue number, ISRC, flags ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("123456789012", "0123456789012"),  # the documented example
        ("0123456789012", "0123456789012"),
        ("4006381333931", "4006381333931"),
        ("17", "0000000000017"),  # 1 x 3 + 7 = 10
        ("", ""),
        (None, ""),
        ("0", ""),
        ("0000000000000", ""),
    ],
)
def test_catalogue_numbers(given: Any, read: str) -> None:
    creator = staged(300)
    creator.media_catalog_number = "5901234123457"
    creator.media_catalog_number = given
    assert creator.media_catalog_number == read
    assert creator.create_result_image().disc.mcn == (read or None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("123456789013", ("'123456789013'", 3, 2)),  # is 3, should be 2
        ("4006381333932", ("'4006381333932'", 2, 1)),
        ("1", ("'1'", 1, 0)),
        ("04006381333931", ("'04006381333931'", 13)),
        ("400638133393A", ("'400638133393A'", 13)),
        ("-17", ("'-17'", 13)),
        (" 17", ("' 17'", 13)),
        ("\u0661\u0667", ("'\u0661\u0667'", 13)),
        (4006381333931, (4006381333931,)),
    ],
)
def test_what_is_no_catalogue_number(given: Any, words: tuple[object, ...]) -> None:
    creator = RawCDImageCreator()
    creator.media_catalog_number = "5901234123457"
    with refused(E_INVALIDARG):
        creator.media_catalog_number = given
    with pytest.raises(AuthoringError) as caught:
        creator.media_catalog_number = given
    assert all(str(word) in str(caught.value) for word in words)
    assert creator.media_catalog_number == "5901234123457"


@pytest.mark.parametrize(
    ("given", "read", "on_disc"),
    [
        ("US-K7Y-98-12345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("USK7Y9812345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("us-k7y-98-12345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("GB1239900001", "GB-123-99-00001", "GB1239900001"),
        ("", "", None),
        (None, "", None),
    ],
)
def test_isrcs(given: Any, read: str, on_disc: str | None) -> None:
    creator = staged(300, 300)
    info = creator.track_info(2)
    info.isrc = "DE-A12-00-54321"
    info.isrc = given
    assert info.isrc == read
    image = creator.create_result_image()
    assert [track.isrc for track in image.disc.tracks] == [None, on_disc]


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ("USK7Y981234", 11),
        ("USK7Y98123456", 13),
        ("1SK7Y9812345", 12),
        ("USK7Y9A12345", 12),
        ("US K7Y 98 12345", 15),
        ("USK7Y981234\u0665", 12),
        ("\u00dfK7Y9812345", 12),  # upper case makes two letters of it
        ("--", 0),
        ("-", 0),
    ],
)
def test_what_is_no_isrc(given: str, length: int) -> None:
    creator = staged(300)
    info = creator.track_info(1)
    info.isrc = "USK7Y9812345"
    with refused(E_INVALIDARG, length, 12):
        info.isrc = given
    assert info.isrc == "US-K7Y-98-12345"
    with pytest.raises(AuthoringError, match=re.escape(repr(given))):
        info.isrc = given


def test_an_isrc_is_text() -> None:
    with refused(E_INVALIDARG, 12):
        staged(300).track_info(1).isrc = 12  # type: ignore[assignment]  # pyright: ignore  # wrong on purpose


@pytest.mark.parametrize("setting", [0, 1, 2])
def test_copy_settings(setting: int) -> None:
    creator = staged(300, 300)
    info = creator.track_info(1)
    info.digital_audio_copy_setting = setting
    assert info.digital_audio_copy_setting is CopySetting(setting)
    image = creator.create_result_image()
    assert [track.copy for track in image.disc.tracks] == [setting, CopySetting.PROHIBITED]


@pytest.mark.parametrize("setting", [3, -1, None, "PERMITTED"])
def test_what_is_no_copy_setting(setting: Any) -> None:
    info = staged(300).track_info(1)
    with refused(E_INVALIDARG, repr(setting), 0, 1, 2):
        info.digital_audio_copy_setting = setting
    assert info.digital_audio_copy_setting is CopySetting.PROHIBITED


def test_pre_emphasis_is_declared_and_nothing_is_filtered() -> None:
    samples = pattern(588 * 300)
    creator = RawCDImageCreator()
    creator.add_track(samples)
    creator.track_info(1).audio_has_preemphasis = True
    assert creator.track_info(1).audio_has_preemphasis is True
    image = creator.create_result_image()
    assert image.disc.track(1).pre_emphasis
    assert rawcd.main_sectors(image, 0, 300).tobytes() == little(samples)


# -- indexes -------------------------------------------------------------------------------------


@both
def test_indexes_ten_sectors_apart(strict: bool) -> None:
    creator = staged(1_000, strict=strict)
    info = creator.track_info(1)
    for offset, distance in ((1, 1), (9, 9)):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, distance, 10):
            info.add_track_index(offset)
    assert info.add_track_index(10) is True
    assert info.add_track_index(500) is True
    for offset in (491, 499, 501, 509):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, abs(offset - 500), 10):
            info.add_track_index(offset)
    assert info.add_track_index(490) is True
    assert info.add_track_index(510) is True
    assert info.track_indexes == (0, 10, 490, 500, 510)
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0, 2: 10, 3: 490, 4: 500, 5: 510}]


@both
def test_the_last_index_has_ten_sectors(strict: bool) -> None:
    info = staged(300, strict=strict).track_info(1)
    for offset, distance in ((291, 9), (299, 1)):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, distance, 10):
            info.add_track_index(offset)
    assert info.add_track_index(290) is True
    assert info.track_indexes == (0, 290)


@pytest.mark.parametrize("offset", [300, 301, 0x7FFFFFFF, -1, 1 << 40, 10.0, "10", None, True])
def test_an_index_outside_its_track(offset: Any) -> None:
    info = staged(300).track_info(1)
    with refused(E_INVALIDARG, repr(offset), 0, 299):
        info.add_track_index(offset)
    assert info.track_indexes == (0,)


def test_the_borders_of_indexes_are_those_of_the_own_data() -> None:
    creator = staged(1_000, 300)
    assert counts(creator) == [850, 300]
    info = creator.track_info(1)
    assert info.add_track_index(990) is True  # n - 10, n being 1,000
    with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, 991, 10):
        info.add_track_index(991)
    with refused(E_INVALIDARG, 1_000, 999):
        info.add_track_index(1_000)
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0, 2: 990}, {1: 1_000}]


def test_an_index_that_is_there_already_is_a_success() -> None:
    info = staged(1_000).track_info(1)
    assert info.add_track_index(0) is False
    assert info.add_track_index(100) is True
    assert info.add_track_index(100) is False
    assert info.track_indexes == (0, 100)


def test_99_indexes_and_no_more() -> None:
    creator = staged(1_000)
    info = creator.track_info(1)
    for offset in range(10, 990, 10):
        assert info.add_track_index(offset) is True
    assert len(info.track_indexes) == 99
    with refused(TOO_MANY_TRACK_INDEXES, 99, "track 1"):
        info.add_track_index(990)
    assert info.add_track_index(980) is False
    image = creator.create_result_image()
    assert image.disc.track(1).indexes[-1] == rawcd.Index(number=99, lba=980)


def test_clearing_indexes() -> None:
    info = staged(1_000).track_info(1)
    info.add_track_index(100)
    info.add_track_index(200)
    with refused(TRACK_INDEX_NOT_FOUND, 99, "0, 100, 200"):
        info.clear_track_index(99)
    for nowhere in (-1, 1_000, 0x7FFFFFFF):
        with refused(TRACK_INDEX_NOT_FOUND, nowhere):
            info.clear_track_index(nowhere)
    with refused(TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED, "index 1", 0):
        info.clear_track_index(0)
    assert info.clear_track_index(100) is None  # type: ignore[func-returns-value]  # that is the point
    assert list(info.track_indexes) == [0, 200]
    with refused(TRACK_INDEX_NOT_FOUND, 100):
        info.clear_track_index(100)
    assert info.add_track_index(105) is True
    assert info.track_indexes == (0, 105, 200)


def test_numbers_follow_from_sorted_offsets() -> None:
    creator = staged(1_000)
    for offset in (600, 200, 400):
        creator.track_info(1).add_track_index(offset)
    assert creator.track_info(1).track_indexes == (0, 200, 400, 600)
    assert indexes(creator.create_result_image()) == [{0: -150, 1: 0, 2: 200, 3: 400, 4: 600}]


# -- table of contents ---------------------------------------------------------------------------


def test_expected_table_of_contents() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 5
    creator.disable_gapless_audio = True
    creator.add_track(silent(1_000))
    creator.add_track(silent(500))
    first, second = infos(creator)
    first.audio_has_preemphasis = True
    first.digital_audio_copy_setting = CopySetting.PERMITTED
    second.digital_audio_copy_setting = CopySetting.SCMS
    expected = bytes.fromhex(
        "001a 05 06"  # 26 bytes follow; first and last track
        "00 13 05 00 00000000"  # ADR 1, copying permitted and pre-emphasis; LBA 0
        "00 10 06 00 0000047e"  # 1,000 + 150
        "00 10 aa 00 00000672"  # 1,650; control of the last track
    )
    assert creator.expected_table_of_contents == expected
    creator.create_result_image()
    assert creator.expected_table_of_contents == expected


def test_the_table_of_contents_follows_every_change() -> None:
    creator = staged(1_000, 500)
    assert creator.expected_table_of_contents[-4:] == (1_500).to_bytes(4)
    creator.disable_gapless_audio = True
    assert creator.expected_table_of_contents[-4:] == (1_650).to_bytes(4)
    creator.add_track(silent(300))
    assert creator.expected_table_of_contents[-4:] == (2_100).to_bytes(4)
    assert creator.expected_table_of_contents[3] == 3


# -- image types and R-W subcode -----------------------------------------------------------------


@pytest.mark.parametrize(("kind", "size"), [(1, 2_368), (2, 2_448), (3, 2_448)])
def test_image_types(kind: int, size: int) -> None:
    creator = staged(300)
    creator.resulting_image_type = kind
    assert creator.resulting_image_type is ImageType(kind)
    image = creator.create_result_image()
    assert (image.kind, image.sector_size) == (kind, size)
    assert len(image.read(-22_650, 3)) == 3 * size
    with image.open() as stream:
        # 22,500 + 150 + 300 + 6,750
        assert stream.seek(0, os.SEEK_END) == 29_700 * size


@pytest.mark.parametrize("kind", [0, 4, None, "RAW"])
def test_what_is_no_image_type(kind: Any) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG, repr(kind), 1, 2, 3):
        creator.resulting_image_type = kind
    assert creator.resulting_image_type is ImageType.COOKED


def test_pq_only_has_no_rw() -> None:
    creator = RawCDImageCreator()
    creator.resulting_image_type = ImageType.PQ_ONLY
    with refused(E_INVALIDARG, "PQ_ONLY"):
        creator.add_subcode_rw_generator(bytes(96))
    creator.add_subcode_rw_generator(None)
    creator.resulting_image_type = ImageType.RAW
    creator.add_subcode_rw_generator(bytes(96))
    with refused(E_INVALIDARG, "PQ_ONLY"):
        creator.resulting_image_type = ImageType.PQ_ONLY
    assert creator.resulting_image_type is ImageType.RAW
    creator.resulting_image_type = ImageType.COOKED
    creator.add_subcode_rw_generator(None)
    creator.resulting_image_type = ImageType.PQ_ONLY


SMALL = 22_500 + 150 + 300 + 6_750
"""Sectors of an image of one shortest track."""


@pytest.mark.parametrize("sectors", [0, 1, 300, SMALL - 1, SMALL + 1])
def test_rw_of_another_size(sectors: int) -> None:
    source = SilenceSource(block_count=sectors, block_size=96)
    given: list[Any] = [source]
    if sectors < 1_000:
        given += [bytes(96 * sectors), io.BytesIO(bytes(96 * sectors))]
    for subcode in given:
        creator = staged(300)
        creator.add_subcode_rw_generator(subcode)  # at any time; measured when the image is made
        with refused(E_INVALIDARG, sectors * 96, SMALL * 96, SMALL):
            creator.create_result_image()


def test_rw_of_a_ragged_size() -> None:
    creator = staged(300)
    creator.add_subcode_rw_generator(bytes(SMALL * 96 - 1))
    with refused(E_INVALIDARG, SMALL * 96 - 1, SMALL * 96):
        creator.create_result_image()


def test_the_size_is_that_of_the_finished_image() -> None:
    creator = RawCDImageCreator()
    creator.add_subcode_rw_generator(SilenceSource(block_count=30_000, block_size=96))
    creator.add_track(silent(300))
    creator.add_track(silent(300))
    assert creator.raw_sector_count == SMALL + 300 == 30_000
    assert creator.create_result_image().sector_count == 30_000


@pytest.mark.parametrize("bit", [0x80, 0x40, 0xC0])
@pytest.mark.parametrize("sector", [0, 4_095, 4_096, 22_649, SMALL - 1])
def test_rw_with_p_or_q_bits_names_the_first_sector(sector: int, bit: int) -> None:
    subcode = bytearray(b"\x3f") * (96 * SMALL)
    subcode[sector * 96 + sector % 96] |= bit
    subcode[-1] |= 0x80
    creator = staged(300)
    creator.add_subcode_rw_generator(subcode)
    with refused(E_INVALIDARG, sector, sector - 22_650):
        creator.create_result_image()
    creator.add_subcode_rw_generator(None)
    creator.create_result_image()


def rw_inputs(folder: Path, subcode: bytes) -> dict[str, Any]:
    path = folder / "song.sub"
    path.write_bytes(subcode)
    array = np.frombuffer(subcode, np.uint8)
    return {
        "path": path,
        "str": str(path),
        "bytes": subcode,
        "bytearray": bytearray(subcode),
        "memoryview": memoryview(subcode),
        "strided memoryview": memoryview(np.repeat(array, 2).tobytes())[::2],
        "array": array.reshape(-1, 96),
        "strided array": np.repeat(array, 2)[::2],
        "file object": io.BytesIO(subcode),
        "source": ArraySource(subcode, block_size=96),
    }


@pytest.mark.parametrize("kind", [ImageType.COOKED, ImageType.RAW])
def test_rw_is_merged_below_p_and_q(tmp_path: Path, kind: ImageType) -> None:
    subcode = bytes(np.random.default_rng(5).integers(0, 64, 96 * SMALL, np.uint8))
    plain = staged(300).create_result_image().as_kind(kind)
    lbas = (-22_650, -151, -150, 0, 299, 300, 7_049)
    for name, given in rw_inputs(tmp_path, subcode).items():
        creator = staged(300)
        creator.resulting_image_type = kind
        creator.add_subcode_rw_generator(given)
        image = creator.create_result_image()
        for lba in lbas:
            mixed = np.frombuffer(image.read(lba, 1)[2_352:], np.uint8)
            made = np.frombuffer(plain.read(lba, 1)[2_352:], np.uint8)
            first = (lba + 22_650) * 96
            assert (mixed & 0x3F).tobytes() == subcode[first : first + 96], (name, lba)
            assert ((mixed & 0xC0) == (made & 0xC0)).all(), (name, lba)


@pytest.mark.parametrize(
    "given",
    [5, object(), np.zeros(96, np.int16), np.zeros((2, 96)), SilenceSource(block_count=1)],
    ids=["int", "object", "int16", "float", "2352-byte blocks"],
)
def test_what_is_no_rw_subcode(given: Any) -> None:
    creator = staged(300)
    with refused(E_INVALIDARG, type(given).__name__, "R-W"):
        creator.add_subcode_rw_generator(given)
    creator.create_result_image()


def test_a_missing_rw_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"song\.sub: cannot open"):
        staged(300).add_subcode_rw_generator(tmp_path / "song.sub")


def test_a_changed_rw_file_leaves_the_creator_writable(tmp_path: Path) -> None:
    path = tmp_path / "song.sub"
    path.write_bytes(bytes(SMALL * 96))
    creator = staged(300)
    creator.add_subcode_rw_generator(path)
    path.write_bytes(bytes(SMALL * 96 + 96))
    with pytest.raises(StorageError, match="changed since it was added"):
        creator.create_result_image()
    creator.add_subcode_rw_generator(None)
    creator.create_result_image()


# -- sound from anywhere -------------------------------------------------------------------------

SECTORS = 301
SOUND = pattern(588 * SECTORS - 100)
"""Ragged: 100 samples are missing from the last sector."""
ON_DISC = little(SOUND) + bytes(400)


class OwnSource:
    """A Source that knows nothing of ours."""

    name = "own"
    block_size = 2_352
    block_count = SECTORS

    def read(self, start: int, count: int) -> bytes:
        return ON_DISC[start * 2_352 : (start + count) * 2_352]


class OwnSound:
    """A Sound that knows nothing of ours."""

    name = "own"
    sample_count = len(SOUND)

    def read_samples(self, start: int, count: int) -> npt.NDArray[np.int16]:
        return SOUND[start : start + count]


class OnlyReads:
    """A file object with read() and seek() and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1_000))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


def wav(samples: npt.NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(little(samples))
    return file.getvalue()


def wav_path(folder: Path) -> Path:
    path = folder / "sound.wav"
    path.write_bytes(wav(SOUND))
    return path


def samples_path(folder: Path) -> Path:
    path = folder / "sound.bin"
    path.write_bytes(little(SOUND))
    return path


def coded_path(folder: Path, name: str) -> Path:
    path = folder / name
    soundfile.write(path, SOUND, 44_100, "PCM_16")
    return path


STORED = little(SOUND)
INPUTS: dict[str, Callable[[Path], object]] = {
    "wav path": wav_path,
    "wav str": lambda folder: str(wav_path(folder)),
    "flac path": lambda folder: coded_path(folder, "sound.flac"),
    "aiff path": lambda folder: coded_path(folder, "sound.aiff"),
    "samples path": samples_path,
    "bytes": lambda _: STORED,
    "bytearray": lambda _: bytearray(STORED),
    "memoryview": lambda _: memoryview(STORED),
    "memoryview of samples": lambda _: SOUND.astype("<i2").data,
    "strided memoryview": lambda _: np.repeat(np.frombuffer(STORED, "u1"), 2)[::2].data,
    "int16": lambda _: SOUND,
    "int16 every second": lambda _: np.repeat(SOUND, 2, axis=0)[::2],
    "int16 columns first": lambda _: np.asfortranarray(SOUND),
    "int16 backwards twice": lambda _: SOUND[::-1].copy()[::-1],
    "int16 of four columns": lambda _: np.hstack([SOUND, SOUND])[:, :2],
    "int16 read-only": lambda _: np.frombuffer(STORED, "<i2").reshape(-1, 2),
    "int16 big-endian": lambda _: SOUND.astype(">i2"),
    "int16 big-endian strided": lambda _: np.repeat(SOUND, 3, axis=0).astype(">i2")[::3],
    "uint8": lambda _: np.frombuffer(STORED, np.uint8),
    "uint8 strided": lambda _: np.repeat(np.frombuffer(STORED, np.uint8), 2)[::2],
    "wav in memory": lambda _: io.BytesIO(wav(SOUND)),
    "samples in memory": lambda _: io.BytesIO(STORED),
    "only reads": lambda _: OnlyReads(wav(SOUND)),
    "source": lambda _: ArraySource(STORED, pad=True),
    "own source": lambda _: OwnSource(),
    "own sound": lambda _: OwnSound(),
}


@pytest.mark.parametrize("name", INPUTS)
def test_sound_comes_back_bit_for_bit(tmp_path: Path, name: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300))
    handle = creator.add_track(INPUTS[name](tmp_path))
    assert creator.track_info(handle).sector_count == SECTORS
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 300, SECTORS).tobytes() == ON_DISC
    sectors = np.frombuffer(image.read(300, SECTORS), np.uint8).reshape(SECTORS, 2_448)
    assert sectors[:, :2_352].tobytes() == ON_DISC
    with image.open() as stream:
        stream.seek((300 + 22_650) * 2_448)
        assert stream.read(2_352) == ON_DISC[:2_352]
    assert not rawcd.main_sectors(image, 0, 300).any()
    assert not rawcd.main_sectors(image, 300 + SECTORS, 100).any()
    padded = [(note.code, note.track) for note in image.notes]
    assert padded == ([] if "source" in name else [("tail-padded", 2)])
    assert all("; 400 bytes of silence" in note.message for note in image.notes)


@pytest.mark.parametrize("name", INPUTS)
def test_a_special_pregap_takes_the_same(tmp_path: Path, name: str) -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(INPUTS[name](tmp_path))
    creator.add_track(silent(300))
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, -150, SECTORS).tobytes() == ON_DISC


def test_an_open_sound_file(tmp_path: Path) -> None:
    with wav_path(tmp_path).open("rb") as file:
        creator = RawCDImageCreator()
        creator.add_track(file)
        image = creator.create_result_image()
        assert rawcd.main_sectors(image, 0, SECTORS).tobytes() == ON_DISC
        assert not file.closed


def test_strict_takes_a_stream_as_samples() -> None:
    held = (wav(SOUND) + bytes(2_352))[: 300 * 2_352]
    creator = RawCDImageCreator(strict=True)
    creator.add_track(io.BytesIO(held))
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 0, 300).tobytes() == held


def test_sound_of_another_rate_is_resampled_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "rate.wav"
    soundfile.write(path, np.zeros((48_000 * 5, 2), np.int16), 48_000, "PCM_16")
    creator = RawCDImageCreator()
    creator.add_track(path)
    assert counts(creator) == [375]  # 5 seconds
    image = creator.create_result_image()
    assert [(note.code, note.track, note.file) for note in image.notes] == [
        ("resampled", 1, str(path))
    ]


class CannotSeek:
    def read(self, size: int) -> bytes:
        return bytes(size)


class CannotRead:
    sample_count = 588 * 300


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (CannotSeek(), ("CannotSeek",)),
        (CannotRead(), ("CannotRead",)),
        (5, ("int",)),
        (5.0, ("float",)),
        (object(), ("object",)),
        ([0, 1], ("list",)),
        (np.zeros(1_000, np.int16), ("int16", "(1000,)")),
        (np.zeros((1_000, 1), np.int16), ("int16", "(1000, 1)")),
        (np.zeros((1_000, 3), np.int16), ("int16", "(1000, 3)")),
        (np.zeros((1_000, 2), np.uint16), ("uint16",)),
        (np.zeros((1_000, 2), np.int32), ("int32",)),
        (np.zeros((1_000, 2)), ("float64",)),
        (np.int16(3), ("int16", "()")),
        (SilenceSource(block_count=300, block_size=2_048), (2_048, 2_352)),
    ],
)
def test_what_is_no_sound(given: Any, words: tuple[object, ...]) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG):
        creator.add_special_pregap(given)
    with pytest.raises(AuthoringError) as caught:
        creator.add_track(given)
    assert str(caught.value).startswith("track 1: ")
    assert all(str(word) in str(caught.value) for word in words)
    assert creator.number_of_existing_tracks == 0


def test_files_that_are_no_sound(tmp_path: Path) -> None:
    creator = RawCDImageCreator()
    with pytest.raises(StorageError, match=r"none\.wav: cannot open: No such file"):
        creator.add_track(tmp_path / "none.wav")
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    with pytest.raises(FormatError, match=r"empty\.wav: is empty"):
        creator.add_track(empty)
    text = tmp_path / "list.txt"
    text.write_bytes(bytes(2_352 * 300))
    with pytest.raises(FormatError, match=r"list\.txt: is no sound"):
        creator.add_track(text)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(wav(SOUND)[:-1_000])
    with pytest.raises(FormatError, match=r"cut\.wav: "):
        creator.add_track(cut)
    with pytest.raises(StorageError, match="gives text"):
        creator.add_track(io.StringIO("text"))
    assert creator.number_of_existing_tracks == 0


# -- kept, not copied ----------------------------------------------------------------------------


def test_memory_is_kept_not_copied() -> None:
    held, samples = bytearray(300 * 2_352), np.zeros((300 * 588, 2), "<i2")
    creator = RawCDImageCreator()
    creator.add_track(held)
    creator.add_track(samples)
    image = creator.create_result_image()
    held[:4] = b"\1\2\3\4"
    samples[0] = 0x0605, 0x0807
    assert rawcd.main_sectors(image, 0, 1).tobytes().startswith(b"\1\2\3\4")
    assert rawcd.main_sectors(image, 300, 1).tobytes().startswith(b"\5\6\7\x08")


class Watched(OwnSource):
    """A Source that tells what was read."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []

    def read(self, start: int, count: int) -> bytes:
        self.reads.append((start, count))
        return super().read(start, count)


def test_nothing_is_read_before_it_is_asked_for_and_then_only_that() -> None:
    creator = RawCDImageCreator()
    first, second = Watched(), Watched()
    creator.add_track(first)
    creator.add_track(second)
    image = creator.create_result_image()
    image.read(-22_650, 22_650)
    assert first.reads == second.reads == []
    image.read(SECTORS + 7, 2)
    assert (first.reads, second.reads) == ([], [(7, 2)])


@pytest.mark.parametrize("how", ["grown", "gone"])
def test_a_file_that_changed_is_named_when_it_is_read(tmp_path: Path, how: str) -> None:
    path = wav_path(tmp_path)
    creator = RawCDImageCreator()
    creator.add_track(silent(300))
    creator.add_track(path)
    image = creator.create_result_image()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(wav(SOUND) + bytes(4))
    image.read(0, 300)
    with pytest.raises(StorageError, match=r"sound\.wav") as caught:
        image.read(299, 2)
    assert caught.value.file == str(path)
    if how == "grown":
        assert "changed since it was added" in str(caught.value)
