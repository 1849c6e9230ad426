"""Sheets of several sessions, in every way in which programs write them.

The distance from the end of a first session to index 1 of the next is 11,400 sectors: 6,750 of
lead-out, 4,500 of lead-in and 150 of pregap; behind a later one it is 6,900.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdtext import CDText
from rawcd.disc import DiscType, TrackMode
from rawcd.errors import FormatError, StorageError
from rawcd.features import Feature, losses
from rawcd.image import main_sectors
from rawcd.sector import SectorType, encode
from tests.contract.format_contract import folder, scaled
from tests.formats.cue_sheets import SECTOR, counted, notes, opened, shape
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage
    from rawcd.source import Bytes2D

GAP = 6_750 + 4_500
FIRST = "REM SESSION 01\nFILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
"""Of 300 sectors; the second session's index 1 is at 300 + 11,400."""
START = 300 + GAP + 150


def mode1(count: int, lba: int) -> Bytes2D:
    return encode(SectorType.MODE1, noise_rows(count, 2048), lba)


def ends(image: RegionImage) -> list[tuple[int, int, int, int]]:
    """Of each session: lead-in, program area, lead-out and end."""
    return [
        (session.lead_in_lba, session.program_lba, session.lead_out_lba, session.end_lba)
        for session in image.disc.sessions
    ]


# -- a file for each track ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remarks", "indexes"),
    [
        ("REM SESSION 02", "INDEX 01 00:00:00"),  # redump's downloads
        ("REM SESSION 2", "INDEX 01 00:00:00"),
        (
            "REM LEAD-OUT 01:30:00\nREM SESSION 02\nREM LEAD-IN 01:00:00\nREM PREGAP 00:02:00",
            "INDEX 01 00:00:00",
        ),
        ("rem lead-out 01:30:00\nrem session 02\nrem pregap 00:02:00", "INDEX 01 00:00:00"),
        ("REM SESSION 02", "PREGAP 00:02:00\nINDEX 01 00:00:00"),
        # Redump's older way round readers without sessions: the gap as a pregap
        ("REM SESSION 02", "PREGAP 02:32:00\nINDEX 01 00:00:00"),
    ],
)
def test_redump(tmp_path: Path, remarks: str, indexes: str) -> None:
    image = opened(
        tmp_path,
        f"{FIRST}{remarks}\nFILE b.bin BINARY\nTRACK 02 MODE1/2352\n{indexes}\n",
        a=300 * SECTOR,
        b=mode1(400, START).tobytes(),
    )
    assert ends(image) == [
        (-22_650, -150, 300, 7_050),
        (7_050, 11_550, 12_100, 14_350),
    ]
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 11_550, 1: 11_700}, 12_100)]
    assert notes(image) == ([("session-pregap", 8)] if "02:32" in indexes else [])
    np.testing.assert_array_equal(main_sectors(image, START, 400), mode1(400, START))
    # Between the sessions are sectors without content, each in its session's mode.
    assert not main_sectors(image, 300, 6_750).any()
    blanks = main_sectors(image, 7_050, 4_650)
    assert (blanks[:, 15] == 1).all()
    assert not blanks[:, 16:2064].any()
    assert {loss.feature for loss in losses(image, ())} == {
        Feature.SESSIONS,
        Feature.DATA_TRACKS,
    }


def test_a_stored_pregap_of_a_later_session_is_all_of_it(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        FIRST + "REM SESSION 02\nFILE b.bin BINARY\nTRACK 02 MODE1/2352\n"
        "INDEX 00 00:00:00\nINDEX 01 00:02:00\n",
        a=300 * SECTOR,
        b=mode1(550, START - 150).tobytes(),
    )
    assert shape(image)[1] == (2, {0: 11_550, 1: 11_700}, 12_100)
    np.testing.assert_array_equal(main_sectors(image, 11_550, 550), mode1(550, 11_550))


def test_rem_pregap_comes_before_a_stored_one(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        FIRST + "REM SESSION 02\nREM PREGAP 00:02:00\nFILE b.bin BINARY\nTRACK 02 AUDIO\n"
        "INDEX 00 00:00:00\nINDEX 01 00:01:00\n",
        a=300 * SECTOR,
        b=400 * SECTOR,
    )
    assert shape(image)[1] == (2, {0: 11_550, 1: 11_775}, 12_100)


def test_sound_before_index_01_of_a_later_session_is_its_pregap(tmp_path: Path) -> None:
    """As it is before the first track's; not the end of the session before."""
    image = opened(
        tmp_path,
        FIRST + "REM SESSION 02\nFILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:03:00\n",
        a=300 * SECTOR,
        b=600 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 11_550, 1: 11_775}, 12_150)]
    assert main_sectors(image, 11_550, 1).view("<u4")[0, 0] == 300 * SECTOR + 1


def test_lengths_that_the_remarks_tell(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        FIRST + "REM LEAD-OUT 01:31:00\nREM SESSION 02\nREM LEAD-IN 01:02:03\nREM PREGAP 00:03:00\n"
        "FILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n",
        a=300 * SECTOR,
        b=400 * SECTOR,
    )
    assert ends(image)[0] == (-22_650, -150, 300, 300 + 6_825)
    assert ends(image)[1][:2] == (7_125, 7_125 + 4_653)
    assert shape(image)[1][1] == {0: 11_778, 1: 12_003}
    assert [str(loss) for loss in losses(image, {Feature.SESSIONS, Feature.PREGAPS})] == [
        "session 1: lead-out of 6825 sectors"
    ]


def test_three_sessions_each_of_its_own_kind(tmp_path: Path) -> None:
    """A later lead-out is 2,250 sectors."""
    image = opened(
        tmp_path,
        FIRST + "TRACK 02 AUDIO\nINDEX 01 00:04:00\nPOSTGAP 00:00:10\n"
        "REM SESSION 02\nFILE b.bin BINARY\nTRACK 03 MODE2/2352\nINDEX 01 00:00:00\n"
        "REM SESSION 03\nFILE c.bin BINARY\nTRACK 04 MODE1/2048\nINDEX 01 00:00:00\n",
        a=600 * SECTOR,
        b=bytes(2352 * 400),
        c=bytes(2048 * 300),
    )
    second = 610 + 6_750 + 4_500
    third = second + 150 + 400 + 2_250 + 4_500
    assert [session[1] for session in ends(image)] == [-150, second, third]
    assert [track.start_lba for track in image.disc.tracks] == [0, 300, second + 150, third + 150]
    assert image.disc.tracks[1].end_lba == 610
    assert [session.disc_type for session in image.disc.sessions] == [
        DiscType.CDDA_CDROM,
        DiscType.XA,
        DiscType.CDDA_CDROM,
    ]
    assert [track.mode for track in image.disc.tracks[2:]] == [TrackMode.MODE2, TrackMode.MODE1]


def test_ragged_sound_at_a_sessions_end_is_padded(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        FIRST + "REM SESSION 02\nFILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n",
        a=300 * SECTOR + 1,
        b=400 * SECTOR,
    )
    assert image.disc.sessions[0].lead_out_lba == 301
    assert notes(image) == [("tail-padded", 3)]
    assert main_sectors(image, START + 1, 1).view("<u4")[0, 0] == 300 * SECTOR + 2


# -- one file that holds what lies between ------------------------------------------------------

ONE = FIRST + "{}REM SESSION 02\n{}TRACK 02 {}\nINDEX 01 {}\n"


def in_one(
    folder: Path,
    *,
    mode: str = "AUDIO",
    told: str = "",
    between: str = "",
    start: str = "02:36:00",  # 11,700
    data: bytes = b"",
    name: str = "a.bin",
) -> RegionImage:
    text = ONE.format(told, between, mode, start).replace("a.bin", name)
    (folder / name).write_bytes(data)
    return opened(folder, text)


def with_gap(head: bytes, gap: int, tail: Bytes2D) -> bytes:
    return head + bytes(2352 * gap) + tail.tobytes()


SOUND = counted(300 * SECTOR).tobytes()


@pytest.mark.parametrize("told", ["REM LEAD-OUT 00:04:00\n", ""])
@pytest.mark.parametrize("mode", ["AUDIO", "MODE1/2352"])
def test_frames_between_sessions_in_the_file_are_made_anew(
    tmp_path: Path, told: str, mode: str
) -> None:
    """IsoBuster and ImgBurn say where the lead-out begins, UltraISO does not."""
    tail = mode1(400, START) if mode != "AUDIO" else noise_rows(400)
    image = in_one(tmp_path, mode=mode, told=told, data=with_gap(SOUND, 11_400, tail))
    assert ends(image) == [(-22_650, -150, 300, 7_050), (7_050, 11_550, 12_100, 14_350)]
    np.testing.assert_array_equal(main_sectors(image, START, 400), tail)
    assert [code for code, _ in notes(image)] == ["session-gap"]
    assert "11400 sectors" in image.notes[0].message


def test_a_stored_pregap_in_one_file_is_kept(tmp_path: Path) -> None:
    tail = mode1(550, START - 150)
    data = with_gap(SOUND, GAP, tail)
    (tmp_path / "a.bin").write_bytes(data)
    image = opened(
        tmp_path,
        FIRST + "REM SESSION 02\nTRACK 02 MODE1/2352\nINDEX 00 02:34:00\nINDEX 01 02:36:00\n",
    )
    assert shape(image)[1] == (2, {0: 11_550, 1: 11_700}, 12_100)
    np.testing.assert_array_equal(main_sectors(image, 11_550, 550), tail)


def test_a_lead_in_of_another_length_is_what_the_places_leave(tmp_path: Path) -> None:
    tail = noise_rows(400)
    image = in_one(
        tmp_path,
        told="REM LEAD-OUT 00:04:00\n",
        start="02:40:00",
        data=with_gap(SOUND, 11_700, tail),
    )
    assert ends(image)[1] == (7_050, 11_850, 12_400, 14_650)
    np.testing.assert_array_equal(main_sectors(image, 12_000, 400), tail)


def test_places_that_leave_no_room_for_a_lead_in_get_the_usual_one(tmp_path: Path) -> None:
    image = in_one(
        tmp_path,
        told="REM LEAD-OUT 00:04:00\n",
        start="00:06:00",
        data=with_gap(SOUND, 150, noise_rows(400)),
    )
    assert ends(image)[1] == (7_050, 11_550, 12_100, 14_350)


# -- one file without it -----------------------------------------------------------------------


def test_times_that_count_what_the_file_does_not_hold(tmp_path: Path) -> None:
    """DiscImageCreator's .img: the header at the place without the gap tells the address."""
    tail = mode1(400, START)
    for name in ("a.bin", "a.img"):
        image = in_one(
            tmp_path,
            mode="MODE1/2352",
            told="  REM LEAD-OUT 00:04:00\n",
            data=SOUND + tail.tobytes(),
            name=name,
        )
        assert ends(image) == [(-22_650, -150, 300, 7_050), (7_050, 11_550, 12_100, 14_350)]
        np.testing.assert_array_equal(main_sectors(image, START, 400), tail)
        assert [code for code, _ in notes(image)] == ["session-gap"]


def test_an_img_of_sound_is_known_by_its_name(tmp_path: Path) -> None:
    tail = noise_rows(400)
    image = in_one(
        tmp_path,
        told="REM LEAD-OUT 00:04:00\n",
        data=SOUND + tail.tobytes(),
        name="a.img",
    )
    np.testing.assert_array_equal(main_sectors(image, START, 400), tail)


@pytest.mark.parametrize(
    ("told", "between"), [("", ""), ("REM LEAD-OUT 01:30:00\n", "REM PREGAP 00:02:00\n")]
)
def test_files_of_several_sessions_joined(tmp_path: Path, told: str, between: str) -> None:
    """Two of redump's files end to end: REM LEAD-OUT is no place before the session."""
    tail = mode1(400, START)
    image = in_one(
        tmp_path,
        mode="MODE1/2352",
        told=told,
        between=between,
        start="00:04:00",
        data=SOUND + tail.tobytes(),
    )
    assert ends(image) == [(-22_650, -150, 300, 7_050), (7_050, 11_550, 12_100, 14_350)]
    np.testing.assert_array_equal(main_sectors(image, START, 400), tail)
    assert notes(image) == []


def test_a_long_track_joined_is_told_by_the_header(tmp_path: Path) -> None:
    """There is room for the gap in it, but the sector says that it lies farther on."""
    sound = noise_rows(12_000)
    tail = mode1(400, 12_000 + 11_400)
    data = sound.tobytes() + tail.tobytes()
    image = in_one(tmp_path, mode="MODE1/2352", start="02:40:00", data=data)
    assert image.disc.sessions[0].lead_out_lba == 12_000
    np.testing.assert_array_equal(main_sectors(image, 12_000 + 11_400, 400), tail)
    assert notes(image) == []


# -- any sheet ---------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        "REM SESSION 01",
        "REM SESSION 02",
        "REM SESSION 03",
        "REM LEAD-OUT 00:04:00",
        "REM LEAD-OUT 01:30:00",
        "REM LEAD-IN 01:00:00",
        "REM LEAD-IN 00:00:00",
        "REM PREGAP 00:02:00",
        "PREGAP 02:32:00",
        "POSTGAP 00:00:10",
        "FILE a.bin BINARY",
        "FILE b.img BINARY",
        "TRACK 01 AUDIO",
        "TRACK 02 MODE1/2352",
        "TRACK 03 MODE1/2048",
        "INDEX 00 00:00:00",
        "INDEX 01 00:00:00",
        "INDEX 01 00:04:00",
        "INDEX 00 02:34:00",
        "INDEX 01 02:36:00",
        "INDEX 02 02:37:00",
    ]
)


SHEETS = st.sampled_from(
    [
        # In one file, and in a file for each track.
        (
            "FILE {0}|TRACK 01 AUDIO|INDEX 01 00:00:00|REM LEAD-OUT 00:04:00|REM SESSION 02"
            "|TRACK 02 MODE1/2352|INDEX 01 02:36:00|REM SESSION 03|TRACK 03 MODE1/2048"
            "|INDEX 01 05:00:00"
        ),
        (
            "FILE {0}|TRACK 01 AUDIO|INDEX 01 00:00:00|REM SESSION 02|FILE {1}"
            "|TRACK 02 MODE1/2352|INDEX 01 00:00:00|INDEX 02 00:00:10|REM SESSION 03"
            "|TRACK 03 MODE1/2048|INDEX 00 00:04:00|INDEX 01 00:06:00"
        ),
    ]
)


@settings(max_examples=scaled(200))
@given(
    SHEETS, st.lists(st.tuples(st.integers(0, 20), LINES | st.none()), max_size=3), st.booleans()
)
def test_any_such_sheet_opens_or_is_refused(
    sheet: str, edits: list[tuple[int, str | None]], img: bool
) -> None:
    """Lines are put in, or taken out where there is none to put in."""
    names = ("b.img BINARY", "a.bin BINARY")
    found = sheet.format(*(names if img else names[::-1])).split("|")
    for at, line in edits:
        found[at : at + (line is None)] = [] if line is None else [line]
    with folder() as place:
        for name in ("a.bin", "b.img"):  # a whole number of sectors of either size
            with (place / name).open("wb") as file:
                file.truncate(2352 * 2048 * 30)
        with suppress(FormatError, StorageError):
            image = opened(place, "\n".join(found))
            assert edits or len(image.disc.sessions) == 3
            for session in image.disc.sessions:
                assert len(image.read(session.program_lba, 2)) == 2 * image.sector_size
            assert len(image.read(image.disc.end_lba - 1, 1)) == image.sector_size


# -- what is refused, and what is a comment -----------------------------------------------------


def test_a_session_after_the_end_of_the_disc_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.cue: .*addresses go from"):
        opened(
            tmp_path,
            FIRST + "REM SESSION 02\nREM LEAD-IN 99:00:00\nFILE b.bin BINARY\nTRACK 02 AUDIO\n"
            "INDEX 01 00:00:00\n",
            a=300 * SECTOR,
            b=300 * SECTOR,
        )


@pytest.mark.parametrize(
    "remark",
    ["SESSION", "SESSION two", "SESSION 02 of 03", "LEAD-OUT later", "LEAD-IN 00:99:00", "PREGAP"],
)
def test_what_is_no_number_and_no_time_is_a_comment(tmp_path: Path, remark: str) -> None:
    image = opened(tmp_path, FIRST + f"REM {remark}\n", a=300 * SECTOR)
    assert len(image.disc.sessions) == 1
    assert notes(image) == []


def test_lengths_around_one_session_change_nothing(tmp_path: Path) -> None:
    text = "REM LEAD-IN 01:00:00\nREM PREGAP 00:02:00\n" + FIRST + "REM LEAD-OUT 00:04:00\n"
    image = opened(tmp_path, text, a=300 * SECTOR)
    assert ends(image) == [(-22_650, -150, 300, 7_050)]
    assert notes(image) == []


def test_texts_of_a_later_session_s_tracks_are_kept(tmp_path: Path) -> None:
    text = FIRST + "TITLE One\nREM SESSION 02\nFILE b.bin BINARY\nTRACK 02 AUDIO\nTITLE Two\n"
    image = opened(tmp_path, text + "INDEX 01 00:00:00\n", a=300 * SECTOR, b=300 * SECTOR)
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 2) == "Two"
    packs = CDText.from_packs(image.lead_in_packs)
    assert [packs.text("title", number) for number in (1, 2)] == ["One", "Two"]
