"""The rules and errors of IMAPI's raw image, through its own face, one row each.

`pytest -s` prints the rows: member, rule, result.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd.imapi as win32
from rawcd.hresults import HResult
from rawcd.imapi import Dispatch, com_error, constants, last_hresult

if TYPE_CHECKING:
    from collections.abc import Callable

SECTOR = 2352
READ_ONLY = HResult.E_IMAPI_RAW_IMAGE_IS_READ_ONLY
NO_TRACKS = HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS
NO_SPACE = HResult.E_IMAPI_RAW_IMAGE_INSUFFICIENT_SPACE
ALREADY = HResult.E_IMAPI_RAW_IMAGE_TRACKS_ALREADY_ADDED
INVALID = HResult.E_INVALIDARG


def sound(sectors: int) -> io.BytesIO:
    return io.BytesIO(bytes(SECTOR * sectors))


def zeros(sectors: int) -> Any:
    """A stream as long as a disc, which holds no memory."""
    stream = Dispatch("IMAPI2.MsftStreamZero")
    stream.SetSize(sectors * SECTOR)
    return stream


def empty() -> Any:
    return Dispatch("IMAPI2.MsftRawCDImageCreator")


def with_track() -> Any:
    creator = empty()
    creator.AddTrack(constants.IMAPI_CD_SECTOR_AUDIO, sound(1_000))
    creator.TrackInfo(1).AddTrackIndex(100)
    return creator


def finished() -> Any:
    creator = with_track()
    creator.CreateResultImage()
    return creator


def put(name: str, value: object) -> Callable[[Any], object]:
    return lambda it: setattr(it, name, value)


def of_track(name: str, *arguments: object) -> Callable[[Any], object]:
    return lambda creator: getattr(creator.TrackInfo(1), name)(*arguments)


def on_track(name: str, value: object) -> Callable[[Any], object]:
    return lambda creator: setattr(creator.TrackInfo(1), name, value)


def got(name: str) -> Callable[[Any], object]:
    return lambda it: getattr(it, name)


def many_tracks(creator: Any) -> None:
    stream = sound(300)
    for _ in range(99):
        creator.AddTrack(0, stream)
    creator.AddTrack(0, stream)


def many_indexes(creator: Any) -> None:
    creator.AddTrack(0, sound(1_100))
    track = creator.TrackInfo(1)
    for offset in range(10, 1_000, 10):
        track.AddTrackIndex(offset)


def numbers_beyond_99(creator: Any) -> None:
    creator.StartingTrackNumber = 99
    creator.AddTrack(0, sound(300))
    creator.AddTrack(0, sound(300))


def generator_then_pq(creator: Any) -> None:
    creator.AddSubcodeRWGenerator(io.BytesIO(bytes(96)))
    creator.ResultingImageType = 1


def pq_then_generator(creator: Any) -> None:
    creator.ResultingImageType = constants.IMAPI_FORMAT2_RAW_CD_SUBCODE_PQ_ONLY
    creator.AddSubcodeRWGenerator(io.BytesIO(bytes(96)))


def generator_of(extra: int, fill: int) -> Callable[[Any], object]:
    def image(creator: Any) -> None:
        sectors = 22_500 + 150 + creator.StartOfLeadout + 6_750
        size = sectors * 96 + extra
        creator.AddSubcodeRWGenerator(io.BytesIO(bytes([fill]) * size))
        creator.CreateResultImage()

    return image


def cleared_generator(creator: Any) -> None:
    creator.AddSubcodeRWGenerator(io.BytesIO(bytes(96)))
    creator.AddSubcodeRWGenerator(None)
    creator.ResultingImageType = 1


def too_low_a_limit(creator: Any) -> None:
    creator.StartOfLeadoutLimit = 999


def judged_by_the_limit(creator: Any) -> None:
    creator.StartOfLeadoutLimit = 1_299
    creator.AddTrack(0, sound(300))


def pregap_and_limit(creator: Any) -> None:
    creator.AddSpecialPregap(zeros(397_800 + 151))


def long_pregap(creator: Any) -> None:
    creator.AddSpecialPregap(zeros(397_800 + 150))


def longest_disc(creator: Any) -> None:
    creator.AddTrack(0, zeros(398_100))
    assert creator.LastUsedUserSectorInImage == 398_099


def too_long_a_disc(creator: Any) -> None:
    creator.AddTrack(0, zeros(398_101))


# member, rule, where it begins, what is done, the code
RULES: list[tuple[str, str, Callable[[], Any], Callable[[Any], object], int]] = [
    ("CreateResultImage", "with no track", empty, lambda c: c.CreateResultImage(), NO_TRACKS),
    ("CreateResultImage", "a second time", finished, lambda c: c.CreateResultImage(), READ_ONLY),
    ("CreateResultImage", "R-W stream too long", with_track, generator_of(96, 0), INVALID),
    ("CreateResultImage", "R-W stream too short", with_track, generator_of(-96, 0), INVALID),
    ("CreateResultImage", "R-W stream with P bits", with_track, generator_of(0, 0x80), INVALID),
    ("CreateResultImage", "R-W stream with Q bits", with_track, generator_of(0, 0x40), INVALID),
    ("CreateResultImage", "R-W stream that fits", with_track, generator_of(0, 0), 0),
    ("AddTrack", "no stream", empty, lambda c: c.AddTrack(0, None), HResult.E_POINTER),
    ("AddTrack", "299 sectors", empty, lambda c: c.AddTrack(0, sound(299)), INVALID),
    ("AddTrack", "300 sectors", empty, lambda c: c.AddTrack(0, sound(300)), 0),
    (
        *("AddTrack", "a ragged stream", empty),
        lambda c: c.AddTrack(0, io.BytesIO(bytes(SECTOR * 300 + 4))),
        INVALID,
    ),
    *(
        (
            *("AddTrack", f"sector type {kind}", empty),
            lambda c, kind=kind: c.AddTrack(kind, sound(300)),
            HResult.E_IMAPI_RAW_IMAGE_SECTOR_TYPE_NOT_SUPPORTED,
        )
        for kind in range(1, 10)
    ),
    ("AddTrack", "the hundredth", empty, many_tracks, HResult.E_IMAPI_RAW_IMAGE_TOO_MANY_TRACKS),
    (
        *("AddTrack", "a number beyond 99", empty, numbers_beyond_99),
        HResult.E_IMAPI_RAW_IMAGE_TOO_MANY_TRACKS,
    ),
    ("AddTrack", "to LBA 398,099", empty, longest_disc, 0),
    ("AddTrack", "to LBA 398,100", empty, too_long_a_disc, NO_SPACE),
    ("AddTrack", "past the limit", with_track, judged_by_the_limit, NO_SPACE),
    ("AddTrack", "after the image", finished, lambda c: c.AddTrack(0, sound(300)), READ_ONLY),
    (
        *("AddSpecialPregap", "no stream", empty, lambda c: c.AddSpecialPregap(None)),
        HResult.E_POINTER,
    ),
    (
        *("AddSpecialPregap", "149 sectors", empty),
        lambda c: c.AddSpecialPregap(sound(149)),
        INVALID,
    ),
    ("AddSpecialPregap", "150 sectors", empty, lambda c: c.AddSpecialPregap(sound(150)), 0),
    ("AddSpecialPregap", "to LBA 397,799", empty, long_pregap, 0),
    ("AddSpecialPregap", "to LBA 397,800", empty, pregap_and_limit, NO_SPACE),
    (
        *("AddSpecialPregap", "after a track", with_track),
        lambda c: c.AddSpecialPregap(sound(150)),
        ALREADY,
    ),
    (
        *("AddSpecialPregap", "after the image", finished),
        lambda c: c.AddSpecialPregap(sound(150)),
        READ_ONLY,
    ),
    ("AddSubcodeRWGenerator", "under PQ_ONLY", empty, pq_then_generator, INVALID),
    ("AddSubcodeRWGenerator", "NULL clears it", empty, cleared_generator, 0),
    (
        *("AddSubcodeRWGenerator", "after the image", finished),
        lambda c: c.AddSubcodeRWGenerator(io.BytesIO(bytes(96))),
        READ_ONLY,
    ),
    *(
        ("ResultingImageType", f"put {value}", empty, put("ResultingImageType", value), code)
        for value, code in ((0, INVALID), (1, 0), (2, 0), (3, 0), (4, INVALID))
    ),
    ("ResultingImageType", "PQ_ONLY with a generator", empty, generator_then_pq, INVALID),
    ("ResultingImageType", "after tracks", with_track, put("ResultingImageType", 3), 0),
    ("ResultingImageType", "after the image", finished, put("ResultingImageType", 3), READ_ONLY),
    ("StartOfLeadout", "with no track", empty, got("StartOfLeadout"), NO_TRACKS),
    ("StartOfLeadout", "after the image", finished, got("StartOfLeadout"), 0),
    ("StartOfLeadoutLimit", "398,099", empty, put("StartOfLeadoutLimit", 398_099), 0),
    ("StartOfLeadoutLimit", "398,100", empty, put("StartOfLeadoutLimit", 398_100), INVALID),
    ("StartOfLeadoutLimit", "0", empty, put("StartOfLeadoutLimit", 0), INVALID),
    ("StartOfLeadoutLimit", "below what is used", with_track, too_low_a_limit, NO_SPACE),
    ("StartOfLeadoutLimit", "after the image", finished, put("StartOfLeadoutLimit", 9), READ_ONLY),
    ("DisableGaplessAudio", "before tracks", empty, put("DisableGaplessAudio", True), 0),
    ("DisableGaplessAudio", "after tracks", with_track, put("DisableGaplessAudio", True), ALREADY),
    ("DisableGaplessAudio", "after the image", finished, put("DisableGaplessAudio", 1), READ_ONLY),
    (
        *("MediaCatalogNumber", "leading zero left out", empty),
        put("MediaCatalogNumber", "123456789012"),
        0,
    ),
    (
        *("MediaCatalogNumber", "wrong check digit", empty),
        put("MediaCatalogNumber", "0123456789013"),
        INVALID,
    ),
    ("MediaCatalogNumber", "letters", empty, put("MediaCatalogNumber", "A12345678901"), INVALID),
    ("MediaCatalogNumber", "after the image", finished, put("MediaCatalogNumber", ""), READ_ONLY),
    *(
        ("StartingTrackNumber", f"put {value}", empty, put("StartingTrackNumber", value), code)
        for value, code in ((0, INVALID), (1, 0), (99, 0), (100, INVALID))
    ),
    ("StartingTrackNumber", "after tracks", with_track, put("StartingTrackNumber", 2), ALREADY),
    ("StartingTrackNumber", "after the image", finished, put("StartingTrackNumber", 2), READ_ONLY),
    ("TrackInfo", "no such index", with_track, lambda c: c.TrackInfo(2), INVALID),
    ("TrackInfo", "index 0", with_track, lambda c: c.TrackInfo(0), INVALID),
    ("TrackInfo", "after the image", finished, lambda c: c.TrackInfo(1), 0),
    ("NumberOfExistingTracks", "with no track", empty, got("NumberOfExistingTracks"), 0),
    (
        *("LastUsedUserSectorInImage", "with no track", empty),
        got("LastUsedUserSectorInImage"),
        NO_TRACKS,
    ),
    (
        *("ExpectedTableOfContents", "with no track", empty),
        got("ExpectedTableOfContents"),
        NO_TRACKS,
    ),
    ("ExpectedTableOfContents", "after the image", finished, got("ExpectedTableOfContents"), 0),
    ("ISRC", "with dashes", with_track, on_track("ISRC", "US-K7Y-98-12345"), 0),
    ("ISRC", "without", with_track, on_track("ISRC", "USK7Y9812345"), 0),
    ("ISRC", "11 characters", with_track, on_track("ISRC", "USK7Y981234"), INVALID),
    ("ISRC", "empty clears it", with_track, on_track("ISRC", ""), 0),
    ("ISRC", "NULL clears it", with_track, on_track("ISRC", None), 0),
    ("ISRC", "after the image", finished, on_track("ISRC", ""), READ_ONLY),
    *(
        (
            *("DigitalAudioCopySetting", f"put {value}", with_track),
            on_track("DigitalAudioCopySetting", value),
            code,
        )
        for value, code in ((-1, INVALID), (0, 0), (1, 0), (2, 0), (3, INVALID))
    ),
    (
        *("DigitalAudioCopySetting", "after the image", finished),
        on_track("DigitalAudioCopySetting", 0),
        READ_ONLY,
    ),
    ("AudioHasPreemphasis", "put", with_track, on_track("AudioHasPreemphasis", True), 0),
    (
        *("AudioHasPreemphasis", "after the image", finished),
        on_track("AudioHasPreemphasis", True),
        READ_ONLY,
    ),
    ("AddTrackIndex", "ten from both", with_track, of_track("AddTrackIndex", 110), 0),
    (
        *("AddTrackIndex", "there already: a success", with_track, of_track("AddTrackIndex", 100)),
        HResult.S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS,
    ),
    *(
        (
            *("AddTrackIndex", f"too close: {offset}", with_track),
            of_track("AddTrackIndex", offset),
            HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
        )
        for offset in (9, 91, 109, 991)
    ),
    ("AddTrackIndex", "beyond the track", with_track, of_track("AddTrackIndex", 1_000), INVALID),
    ("AddTrackIndex", "negative", with_track, of_track("AddTrackIndex", -1), INVALID),
    (
        *("AddTrackIndex", "the hundredth", empty, many_indexes),
        HResult.E_IMAPI_RAW_IMAGE_TOO_MANY_TRACK_INDEXES,
    ),
    ("AddTrackIndex", "after the image", finished, of_track("AddTrackIndex", 200), READ_ONLY),
    ("ClearTrackIndex", "there", with_track, of_track("ClearTrackIndex", 100), 0),
    (
        *("ClearTrackIndex", "none there", with_track, of_track("ClearTrackIndex", 101)),
        HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_NOT_FOUND,
    ),
    (
        *("ClearTrackIndex", "index 1", with_track, of_track("ClearTrackIndex", 0)),
        HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
    ),
    ("ClearTrackIndex", "after the image", finished, of_track("ClearTrackIndex", 100), READ_ONLY),
]


@pytest.mark.parametrize(
    ("member", "rule", "begin", "act", "code"), RULES, ids=[f"{m}: {r}" for m, r, *_ in RULES]
)
def test_rule(
    member: str,
    rule: str,
    begin: Callable[[], Any],
    act: Callable[[Any], object],
    code: int,
) -> None:
    it = begin()
    if code & 0x80000000:
        with pytest.raises(com_error) as caught:
            act(it)
        error = caught.value
        assert error.hresult == HResult(code).signed == getattr(constants, HResult(code).name)
        assert error.strerror == HResult(code).name
        assert error.args == (error.hresult, error.strerror, error.excepinfo, error.argerror)
        assert error.excepinfo is not None
        assert error.excepinfo[0] == 0
        assert error.excepinfo[2], "a message tells what is wrong"
        assert error.excepinfo[5] == error.hresult
        assert error.argerror is None
    else:
        act(it)
    assert last_hresult() == code
    print(f"{member:26} {rule:28} {HResult(code).name}")


def test_all_codes_of_the_raw_image_are_met() -> None:
    met = {code for *_, code in RULES}
    assert {each for each in HResult if "RAW_IMAGE" in each.name} <= met


# -- values --------------------------------------------------------------------------------------


def test_defaults() -> None:
    creator = empty()
    assert creator.ResultingImageType == constants.IMAPI_FORMAT2_RAW_CD_SUBCODE_IS_COOKED
    assert creator.DisableGaplessAudio is False
    assert creator.MediaCatalogNumber == ""
    assert creator.StartingTrackNumber == 1
    assert creator.NumberOfExistingTracks == 0
    assert creator.AddTrack(0, sound(300)) == 1
    track = creator.TrackInfo(1)
    assert (track.ISRC, track.AudioHasPreemphasis, track.TrackIndexes) == ("", False, (0,))
    assert track.DigitalAudioCopySetting == constants.IMAPI_CD_TRACK_DIGITAL_COPY_PROHIBITED
    assert (track.StartingLba, track.SectorCount, track.TrackNumber) == (0, 300, 1)
    assert track.SectorType == constants.IMAPI_CD_SECTOR_AUDIO
    for value in (creator.ResultingImageType, track.SectorType, track.DigitalAudioCopySetting):
        assert type(value) is int, "a script sees plain numbers"


def test_what_is_put_is_read_back() -> None:
    creator = with_track()
    creator.MediaCatalogNumber = "123456789012"
    assert creator.MediaCatalogNumber == "0123456789012"
    track = creator.TrackInfo(1)
    track.ISRC = "usk7y9812345"
    assert track.ISRC == "US-K7Y-98-12345"
    track.AddTrackIndex(500)
    track.ClearTrackIndex(100)
    assert track.TrackIndexes == (0, 500)
    assert creator.StartOfLeadout == creator.LastUsedUserSectorInImage + 1 == 1_000
    # READ TOC, format 0: length, first and last track, then track 1 and the lead-out (AAh).
    assert creator.ExpectedTableOfContents == (
        *(0, 18, 1, 1),
        *(0, 0x10, 1, 0, 0, 0, 0, 0),
        *(0, 0x10, 0xAA, 0, 0, 0, 0x03, 0xE8),
    )


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_the_result_image_is_a_stream_from_95_00_00(kind: int) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(0, 256, SECTOR * 320, np.uint8).tobytes()
    creator = empty()
    creator.ResultingImageType = kind
    creator.AddTrack(0, io.BytesIO(samples))
    stream = creator.CreateResultImage()
    size = SECTOR + (16 if kind == 1 else 96)
    stat = stream.Stat(win32.pythoncom.STATFLAG_NONAME)
    assert stat.cbSize == stat[2] == (22_500 + 150 + 320 + 6_750) * size
    assert len(stat) == 11
    assert stream.Seek(22_650 * size, win32.pythoncom.STREAM_SEEK_SET) == 22_650 * size
    rows = np.frombuffer(stream.Read(320 * size), np.uint8).reshape(320, size)
    assert rows[:, :SECTOR].tobytes() == samples
    twin = stream.Clone()
    stream.Seek(0, 0)
    assert twin.Seek(0, win32.pythoncom.STREAM_SEEK_CUR) == (22_650 + 320) * size
    assert stream.Seek(-1, 2) == stat.cbSize - 1
    assert len(stream.Read(10)) == 1
    with pytest.raises(com_error) as caught:
        stream.Write(b"x")
    assert caught.value.hresult == constants.STG_E_ACCESSDENIED
    with pytest.raises(com_error) as caught:
        stream.Seek(-1, 0)
    assert caught.value.hresult == constants.STG_E_INVALIDFUNCTION
