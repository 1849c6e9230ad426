"""What of a creator is fixed when, and what it answers before and after the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rawcd import (
    AuthoringError,
    CopySetting,
    ImageType,
    RawCDImageCreator,
    SectorType,
)
from rawcd.creator.refusals import RULE_HRESULTS
from rawcd.hresults import HResult

if TYPE_CHECKING:
    from collections.abc import Callable

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
from tests.staging import both, infos, refused, silent, staged

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
        code.name.removeprefix("E_IMAPI_RAW_IMAGE_"): int(code)
        for code in HResult
        if "RAW_IMAGE" in code.name or code in RULE_HRESULTS.values()
    }
    assert codes == {
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
