"""A file for each track, and sound as WAVE or FLAC; several sessions, which are written so."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.errors import CancelledError, StorageError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import MainForm, Region, RegionImage, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.sector import SectorType, encode
from rawcd.source import ArraySource
from rawcd_formats.cue import CueFormat
from rawcd_formats.cue.commands import File, IndexAt, Remark, TrackStart, parse
from tests.contract import format_contract
from tests.contract.format_contract import (
    FormatContract,
    folder,
    image_with,
    plain_disc,
    scaled,
    with_rw,
)
from tests.formats.cue_sheets import silent_between
from tests.strategies import discs, image_of, images, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import DiscImage


def saved(image: DiscImage, place: Path, **options: str) -> Path:
    save_image(image, place / "x.cue", options=options)
    return place / "x.cue"


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def lines(sheet: Path) -> list[str]:
    return sheet.read_bytes().decode().split("\r\n")[:-1]


@st.composite
def discs_of_sessions(draw: st.DrawFn) -> Disc:
    """Sound in two or three sessions, with pregaps and lead-ins of any length."""
    disc = draw(discs(max_tracks=3))
    sessions = list(disc.sessions)
    assert sessions[0].tracks[-1].number < 99 or not sessions[1:]
    for _ in range(draw(st.integers(1, 2))):
        before = sessions[-1]
        number = before.tracks[-1].number + 1
        if number > 98:
            break
        program = before.end_lba + draw(st.sampled_from([4_500, 4_501, 5_000]))
        start = program + draw(st.sampled_from([150, 1, 100, 151, 225]))
        first = Track(
            number=number,
            indexes=(Index(number=0, lba=program), Index(number=1, lba=start)),
            end_lba=start + 300,
            pre_emphasis=draw(st.booleans()),
        )
        gap = draw(st.sampled_from([0, 1, 150]))
        head = (Index(number=0, lba=first.end_lba),) if gap else ()
        second = Track(
            number=number + 1,
            indexes=(*head, Index(number=1, lba=first.end_lba + gap)),
            end_lba=first.end_lba + gap + 310,
        )
        sessions.append(
            Session(
                tracks=(first, second),
                lead_in_lba=before.end_lba,
                lead_out_lba=second.end_lba,
                lead_out_sectors=2_250,
            )
        )
    return replace(disc, sessions=tuple(sessions))


class TestContract(FormatContract):
    """The whole contract of the format again, with a file for each track."""

    name = "cue"

    @pytest.fixture(autouse=True)
    def _split(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def with_option(*args: Any, options: dict[str, str] | None = None, **more: Any) -> object:
            return save_image(*args, options={"split": "yes", **(options or {})}, **more)

        monkeypatch.setattr(format_contract, "save_image", with_option)

    def image_with(self, feature: Feature) -> RegionImage:
        image = super().image_with(feature)
        return silent_between(image) if feature is Feature.SESSIONS else image


# -- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"split": "yes"}, {"audio": "wave"}, {"audio": "flac"}])
def test_any_disc_comes_back_from_a_file_for_each_track(options: dict[str, str]) -> None:
    @settings(max_examples=scaled(15))
    @given(images(discs(max_tracks=11)))
    def law(image: RegionImage) -> None:
        disc = image.disc
        with folder() as place:
            opened = open_image(saved(image, place, **options))
            assert opened.disc == disc
            assert opened.notes == ()
            suffix = {"wave": ".wav", "flac": ".flac"}.get(options.get("audio", ""), ".bin")
            files = [name for name in names(place) if name.endswith(suffix)]
            assert len(files) == len(disc.tracks)
            lead_out = disc.sessions[0].lead_out_lba
            np.testing.assert_array_equal(
                main_sectors(opened, 0, lead_out), main_sectors(image, 0, lead_out)
            )
            found: list[list[tuple[int, int]]] = []
            for command in parse((place / "x.cue").read_bytes(), "x.cue"):
                if isinstance(command, TrackStart):
                    found.append([])
                elif isinstance(command, IndexAt):
                    found[-1].append((command.number, command.frames))
            for track, indexes in zip(disc.tracks, found, strict=True):
                first = max(track.first_lba, 0)
                assert indexes == [
                    (index.number, max(index.lba, first) - first)
                    for index in track.indexes
                    if index.number or track.start_lba > first
                ]

    law()


@settings(max_examples=scaled(20))
@given(discs_of_sessions())
def test_sessions_come_back(disc: Disc) -> None:
    image = silent_between(image_of(disc))
    with folder() as place:
        opened = open_image(saved(image, place))
        assert opened.disc == disc
        assert opened.notes == ()
        for session in disc.sessions:
            start = max(session.program_lba, 0)
            np.testing.assert_array_equal(
                main_sectors(opened, start, session.end_lba - start),
                main_sectors(image, start, session.end_lba - start),
            )


# -- names and sheet ---------------------------------------------------------------------------


def test_names_and_sheet_are_redump_s(tmp_path: Path) -> None:
    disc = image_with(Feature.PREGAPS).disc
    assert lines(saved(image_of(disc), tmp_path, split="yes")) == [
        'FILE "x (Track 1).bin" BINARY',
        "  TRACK 01 AUDIO",
        "    INDEX 01 00:00:00",
        'FILE "x (Track 2).bin" BINARY',
        "  TRACK 02 AUDIO",
        "    INDEX 00 00:00:00",
        "    INDEX 01 00:01:00",
    ]
    assert names(tmp_path) == ["x (Track 1).bin", "x (Track 2).bin", "x.cue"]
    assert (tmp_path / "x (Track 2).bin").read_bytes() == main_sectors(
        image_of(disc), 300, 300
    ).tobytes()


def test_ten_tracks_have_two_digits_and_one_has_none(tmp_path: Path) -> None:
    (tmp_path / "ten").mkdir()
    saved(image_of(plain_disc(first_number=9)), tmp_path / "ten", split="yes")
    assert names(tmp_path / "ten") == ["x (Track 09).bin", "x (Track 10).bin", "x.cue"]
    disc = plain_disc()
    session = disc.sessions[0]
    one = replace(session, tracks=session.tracks[:1], lead_out_lba=300)
    (tmp_path / "one").mkdir()
    saved(image_of(replace(disc, sessions=(one,))), tmp_path / "one", split="yes")
    assert names(tmp_path / "one") == ["x.bin", "x.cue"]


def test_a_hidden_track_lies_in_the_first_file(tmp_path: Path) -> None:
    first = Track(
        number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=75)), end_lba=400
    )
    second = Track(number=2, indexes=(Index(number=1, lba=400),), end_lba=700)
    disc = Disc(sessions=(Session(tracks=(first, second), lead_out_lba=700),))
    sheet = saved(image_of(disc), tmp_path, split="yes")
    assert lines(sheet)[2:4] == ["    INDEX 00 00:00:00", "    INDEX 01 00:01:00"]
    assert (tmp_path / "x (Track 1).bin").stat().st_size == 400 * 2352


def test_sessions_are_written_as_redump_does(tmp_path: Path) -> None:
    image = silent_between(image_with(Feature.SESSIONS))
    assert lines(saved(image, tmp_path)) == [
        "REM SESSION 01",
        'FILE "x (Track 1).bin" BINARY',
        "  TRACK 01 AUDIO",
        "    INDEX 01 00:00:00",
        'FILE "x (Track 2).bin" BINARY',
        "  TRACK 02 AUDIO",
        "    INDEX 01 00:00:00",
        "REM LEAD-OUT 01:30:00",
        "REM SESSION 02",
        "REM LEAD-IN 01:00:00",
        "REM PREGAP 00:02:00",
        'FILE "x (Track 3).bin" BINARY',
        "  TRACK 03 AUDIO",
        "    INDEX 01 00:00:00",
    ]
    assert [path.stat().st_size for path in sorted(tmp_path.glob("*.bin"))] == [300 * 2352] * 3


def test_sessions_cannot_share_a_bin(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="2 sessions cannot be in one BIN"):
        saved(silent_between(image_with(Feature.SESSIONS)), tmp_path, split="no")
    assert not names(tmp_path)


def test_room_for_a_further_session_is_lost_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="room for a further session"):
        saved(image_with(Feature.APPENDABLE), tmp_path)


# -- sound -------------------------------------------------------------------------------------


def mixed() -> RegionImage:
    """Mode 1, then sound."""
    disc = image_with(Feature.DATA_TRACKS).disc
    assert disc.tracks[0].mode is TrackMode.MODE1
    rows = encode(SectorType.MODE1, noise_rows(300, 2048), 0)
    main = (
        Region(lba=disc.first_lba, sectors=-disc.first_lba, form=MainForm.ZERO),
        Region(
            lba=0,
            sectors=300,
            form=MainForm.PLAIN,
            source=ArraySource(rows.tobytes()),
            sector_type=SectorType.MODE1,
        ),
        Region(lba=300, sectors=300, form=MainForm.DISC, source=ArraySource(noise_rows(300))),
        Region(lba=600, sectors=disc.end_lba - 600, form=MainForm.ZERO),
    )
    return replace(image_of(disc), main=main)


@pytest.mark.parametrize(("audio", "suffix"), [("wave", "wav"), ("flac", "flac")])
def test_sound_files_for_sound_and_bins_for_data(tmp_path: Path, audio: str, suffix: str) -> None:
    image = mixed()
    sheet = saved(image, tmp_path, audio=audio)
    assert names(tmp_path) == ["x (Track 1).bin", f"x (Track 2).{suffix}", "x.cue"]
    files = [command for command in parse(sheet.read_bytes(), "x") if isinstance(command, File)]
    assert [file.kind for file in files] == ["BINARY", "WAVE"]
    samples, rate = soundfile.read(tmp_path / f"x (Track 2).{suffix}", dtype="int16")
    assert rate == 44_100
    assert samples.astype("<i2").tobytes() == noise_rows(300).tobytes()
    opened = open_image(sheet)
    assert opened.read(0, 600) == image.read(0, 600)


def test_user_data_and_sound_files_go_together(tmp_path: Path) -> None:
    image = mixed()
    sheet = saved(image, tmp_path, **{"audio": "flac", "sector-size": "2048"})
    assert (tmp_path / "x (Track 1).bin").read_bytes() == noise_rows(300, 2048).tobytes()
    assert open_image(sheet).read(0, 600) == image.read(0, 600)


def test_sound_with_r_w_stays_a_bin(tmp_path: Path) -> None:
    """Nothing but a track of mode CDG keeps it."""
    image = with_rw(image_of(plain_disc()))
    sheet = saved(image, tmp_path, audio="flac")
    assert names(tmp_path) == ["x (Track 1).bin", "x (Track 2).bin", "x.cue"]
    assert open_image(sheet).read(0, 600) == image.read(0, 600)


def test_several_jobs_make_the_same_files(tmp_path: Path) -> None:
    """Long enough that the pump starts a second process."""
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * (2352 * 110_000 // 256))
    (tmp_path / "a.cue").write_text(
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "TRACK 02 AUDIO\nINDEX 00 12:00:00\nINDEX 01 12:02:00\n"
    )
    for audio in ("bin", "wave"):
        for jobs in ("1", "2"):
            (tmp_path / audio / jobs).mkdir(parents=True)
            image = open_image(tmp_path / "a.cue")
            saved(image, tmp_path / audio / jobs, split="yes", audio=audio, jobs=jobs)
        one, two = sorted((tmp_path / audio).iterdir())
        assert names(one) == names(two)
        for name in names(one):
            assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize("audio", ["bin", "wave", "flac"])
def test_progress_counts_all_files_together_and_can_stop(tmp_path: Path, audio: str) -> None:
    told: list[tuple[int, int]] = []
    image = image_of(plain_disc())
    options = {"split": "yes", "audio": audio}
    save_image(
        image,
        tmp_path / "a.cue",
        options=options,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (600, 600)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    before = names(tmp_path)
    with pytest.raises(CancelledError):
        save_image(image, tmp_path / "b.cue", options=options, progress=lambda done, _: done < 400)
    assert names(tmp_path) == before


# -- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": "maybe"}, "the option split is no or yes, not 'maybe'"),
        ({"audio": "ape"}, "the option audio is bin, wave or flac, not 'ape'"),
        ({"audio": "wave", "split": "no"}, "audio=wave makes a file for each track"),
        ({"cut": "1"}, "has no option 'cut'; it has sector-size, split and audio"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, str], says: str) -> None:
    with pytest.raises(UnsupportedError, match=says):
        saved(image_of(plain_disc()), tmp_path, **options)
    assert not names(tmp_path)


def test_no_file_of_the_set_is_replaced_unless_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "x (Track 2).bin").write_bytes(b"old")
    with pytest.raises(StorageError, match=r"x \(Track 2\)\.bin: exists already"):
        saved(image_of(plain_disc()), tmp_path, split="yes")
    assert names(tmp_path) == ["x (Track 2).bin"]


def test_the_sheet_is_not_named_as_one_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "wave").mkdir()
    disc = plain_disc()
    session = disc.sessions[0]
    one = replace(disc, sessions=(replace(session, tracks=session.tracks[:1], lead_out_lba=300),))
    with pytest.raises(UnsupportedError, match=r"x\.wav: a sheet cannot have the name"):
        save_image(image_of(one), tmp_path / "x.wav", format="cue", options={"audio": "wave"})


def test_remarks_of_sessions_stand_before_the_tracks(tmp_path: Path) -> None:
    sheet = saved(silent_between(image_with(Feature.SESSIONS)), tmp_path)
    found = [c for c in parse(sheet.read_bytes(), "x") if isinstance(c, Remark)]
    assert [remark.text.split()[0] for remark in found] == [
        "SESSION",
        "LEAD-OUT",
        "SESSION",
        "LEAD-IN",
        "PREGAP",
    ]
    assert Feature.SESSIONS in CueFormat.keeps


def test_the_command_splits(tmp_path: Path) -> None:
    save_image(image_of(plain_disc()), tmp_path / "a.cue")
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "rawcd", "convert", "a.cue", "out/b.cue", "--split"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path / "out") == ["b (Track 1).bin", "b (Track 2).bin", "b.cue"]
    assert open_image(tmp_path / "out" / "b.cue").disc == plain_disc()
