"""The tracks of a disc as plain files: every sector once, nothing lost in silence."""

from __future__ import annotations

import io
import shutil
import subprocess
import unicodedata
import wave
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rawcd
from rawcd import (
    CancelledError,
    CDText,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
    StorageError,
    TextBlock,
    TextItem,
    UnsupportedError,
    disc_ids,
    extract_image,
    main_sectors,
)
from rawcd.audio.encode import FlacWriter
from rawcd.cdg import CdgFile, MemoryPreset, Scroll, write_cdg
from rawcd.disc import DiscType
from rawcd.extract.names import safe_stem
from rawcd.fileset import FileTransaction
from rawcd.graphics import with_graphics
from tests.oracles.blocks import blocks
from tests.strategies import PatternSource, discs, images, noise_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd import Extraction, RegionImage

LENGTH = 300


def samples_of(path: Path) -> bytes:
    """The samples of a sound file, by a decoder that is not ours."""
    read, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == 44_100
    assert read.shape[1] == 2
    return bytes(read.astype("<i2").tobytes())


def names(done: Extraction) -> list[str]:
    return [file.path.name for file in done.files]


def sound_disc(*sectors: int, pregap: int | None = 0, first: int = 0) -> RawCDImageCreator:
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    if first:
        creator.add_special_pregap(PatternSource(block_count=150 + first, salt=99))
    for number, count in enumerate(sectors):
        source = PatternSource(block_count=count, salt=number)
        creator.add_track(source, pregap=pregap if number else None)
    return creator


# -- sound -------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(image=images(discs(max_tracks=3, titles=False), sound_before_zero=True), flac=st.booleans())
def test_files_one_behind_the_other_are_the_whole_disc(image: RegionImage, flac: bool) -> None:
    with TemporaryDirectory() as folder:
        done = extract_image(image, Path(folder) / "out", sound="flac" if flac else "wav")
        sound = b"".join(samples_of(file.path) for file in done.files)
        assert done.notes == ()
        assert done.files[0].lba in (0, -150)
        held = main_sectors(image, done.files[0].lba, len(sound) // 2352)
        assert sound == held.tobytes()
        assert done.files[-1].lba + done.files[-1].sectors == image.disc.tracks[-1].end_lba
        start = image.disc.tracks[0].start_lba
        before = main_sectors(image, -150, 150 + start).any()
        assert (done.files[0].track == 0) is bool(before)


@settings(max_examples=15)
@given(image=images(discs(max_tracks=4, titles=False)))
def test_pregaps_apart_have_files_of_their_own(image: RegionImage) -> None:
    with TemporaryDirectory() as folder:
        done = extract_image(image, folder, sound="wav", pregaps="apart")
        found = [(file.track, file.lba, file.sectors) for file in done.files]
        expected = []
        for track in image.disc.tracks:
            if track is image.disc.tracks[0]:
                if track.start_lba > 0:
                    expected.append((0, 0, track.start_lba))
            elif track.pregap_sectors:
                expected.append((track.number, track.first_lba, track.pregap_sectors))
            expected.append((track.number, track.start_lba, track.sector_count))
        assert found == expected
        assert all(
            "(pregap)" in file.path.name for file in done.files if file.lba in pregaps_of(image)
        )


def pregaps_of(image: RegionImage) -> set[int]:
    return {track.first_lba for track in image.disc.tracks[1:] if track.pregap_sectors}


def test_hidden_sound_is_track_0(tmp_path: Path) -> None:
    image = sound_disc(LENGTH, LENGTH, first=500).create_result_image()
    done = extract_image(image, tmp_path / "out")
    assert names(done) == ["00 (hidden).flac", "01.flac", "02.flac"]
    # The pattern lies from LBA -150 on, and is never silent.
    assert (done.files[0].lba, done.files[0].sectors) == (-150, 650)
    assert samples_of(done.files[0].path) == PatternSource(block_count=650, salt=99).read(0, 650)
    alone = extract_image(image, tmp_path / "alone", tracks=[0])
    assert names(alone) == ["00 (hidden).flac"]


def test_a_silent_beginning_is_no_track(tmp_path: Path) -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(SilenceSource(block_count=400))
    creator.add_track(PatternSource(block_count=LENGTH))
    image = creator.create_result_image()
    done = extract_image(image, tmp_path / "out")
    assert names(done) == ["01.flac"]
    assert [(note.code, note.track) for note in done.notes] == [("silence-left-out", 1)]
    assert "the 250 silent sectors before its index 1" in str(done.notes[0])
    with pytest.raises(UnsupportedError, match="no sound before the first track"):
        extract_image(image, tmp_path / "other", tracks=[0])
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("wrong", [{"sound": "cdg"}, {"sound": "FLAC"}, {"pregaps": "alone"}])
def test_a_kind_that_is_none_is_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    image = sound_disc(LENGTH).create_result_image()
    with pytest.raises(ValueError, match=r"is none of (flac, wav|joined, apart)"):
        extract_image(image, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_only_the_tracks_that_are_wanted_are_written(tmp_path: Path) -> None:
    image = sound_disc(LENGTH, LENGTH + 5, LENGTH).create_result_image()
    done = extract_image(image, tmp_path / "out", tracks=[2])
    assert [(file.track, file.lba, file.sectors) for file in done.files] == [(2, 300, 305)]
    more = extract_image(image, tmp_path / "out", tracks=(number for number in (3, 1)))
    assert names(more) == ["01.flac", "03.flac"]
    with pytest.raises(UnsupportedError, match=r"no track 4; the tracks go from 1 to 3"):
        extract_image(image, tmp_path / "other", tracks=[1, 4])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# -- tags --------------------------------------------------------------------------------------


@pytest.fixture
def tagged() -> RegionImage:
    creator = sound_disc(LENGTH, LENGTH)
    creator.media_catalog_number = "4006381333931"
    creator.track_info(1).isrc = "USRC17607839"
    creator.track_info(2).audio_has_preemphasis = True
    said = {
        (0, "title"): "Ålbum",
        (0, "performer"): "The Band",
        (0, "composer"): "Both",
        (1, "title"): "One = 1",
        (2, "title"): "Two",
        (2, "performer"): "A Guest",
        (2, "message"): "for you",
    }
    items = [TextItem(field=field, track=track, text=text) for (track, field), text in said.items()]
    creator.cdtext = CDText(blocks=(TextBlock(items=tuple(items), genre_code=0x0E),))
    return creator.create_result_image()


def expected_tags(image: RegionImage) -> list[dict[str, str]]:
    both = {
        "ALBUM": "Ålbum",
        "ALBUMARTIST": "The Band",
        "COMPOSER": "Both",
        "TRACKTOTAL": "2",
        "GENRE": "Jazz",
        "BARCODE": "4006381333931",
        "MUSICBRAINZ_DISCID": disc_ids(image.disc).musicbrainz or "",
    }
    one = {"TITLE": "One = 1", "ARTIST": "The Band", "TRACKNUMBER": "1", "ISRC": "USRC17607839"}
    two = {"TITLE": "Two", "ARTIST": "A Guest", "TRACKNUMBER": "2", "COMMENT": "for you"}
    return [both | one, both | two | {"PRE_EMPHASIS": "1"}]


@pytest.mark.skipif(shutil.which("metaflac") is None, reason="metaflac is not installed")
def test_flac_s_own_program_reads_the_tags(tagged: RegionImage, tmp_path: Path) -> None:
    done = extract_image(tagged, tmp_path / "out")
    assert names(done) == ["01 One = 1.flac", "02 Two.flac"]
    for file, expected in zip(done.files, expected_tags(tagged), strict=True):
        assert dict(file.tags) == expected
        told = subprocess.run(
            ["metaflac", "--no-utf8-convert", "--export-tags-to=-", file.path],
            capture_output=True,
            check=True,
        )
        lines = told.stdout.decode("utf-8").splitlines()
        assert dict(line.split("=", 1) for line in lines) == expected
        subprocess.run(["flac", "-ts", "-w", file.path], check=True, capture_output=True)


@pytest.mark.parametrize("sound", ["flac", "wav"])
def test_libsndfile_reads_the_tags(tagged: RegionImage, tmp_path: Path, sound: str) -> None:
    done = extract_image(tagged, tmp_path / "out", sound="flac" if sound == "flac" else "wav")
    with soundfile.SoundFile(done.files[1].path) as file:
        assert (file.title, file.artist, file.album) == ("Two", "A Guest", "Ålbum")
        assert (file.tracknumber, file.genre) == ("2", "Jazz")
        assert "for you" in file.comment
        if sound == "wav":
            assert "BARCODE=4006381333931" in file.comment
    assert samples_of(done.files[1].path) == PatternSource(block_count=LENGTH, salt=1).read(
        0, LENGTH
    )


def test_a_wave_file_s_sizes_hold(tagged: RegionImage, tmp_path: Path) -> None:
    done = extract_image(tagged, tmp_path / "out", sound="wav")
    for file in done.files:
        held = file.path.read_bytes()
        assert int.from_bytes(held[4:8], "little") == len(held) - 8
        assert len(held) % 2 == 0
        with wave.open(str(file.path)) as sound:
            assert sound.getnframes() == LENGTH * 588


@given(st.lists(st.tuples(st.sampled_from(["TITLE", "ISRC"]), st.text()), min_size=1, max_size=5))
@example([("TITLE", "lone \udcff \ud800")])
def test_any_texts_go_into_a_flac_file(tags: list[tuple[str, str]]) -> None:
    data = noise_rows(1).tobytes()
    with TemporaryDirectory() as folder, FileTransaction(Path(folder) / "x.flac") as files:
        output = files.create("x.flac")
        with FlacWriter(output, output.rewrite, tags=tags) as writer:
            writer.write(data)
        files.commit()
        held = (Path(folder) / "x.flac").read_bytes()
    read, _ = soundfile.read(io.BytesIO(held), dtype="int16")
    assert read.astype("<i2").tobytes() == data
    for name, text in tags:
        assert f"{name}={text}".encode(errors="replace") in held


# -- names -------------------------------------------------------------------------------------

NASTY = ["../../etc/passwd", "C:\\x", "a/b", "CON", "nul.", "x" * 400, "é" * 200, "\u202egpj.exe"]


@given(
    texts=st.lists(
        st.none() | st.text(max_size=300) | st.sampled_from(NASTY), min_size=1, max_size=8
    ),
    number=st.integers(0, 99),
)
def test_any_texts_make_names_that_any_system_takes(texts: list[str | None], number: int) -> None:
    taken: set[str] = set()
    for text in texts:
        stem = safe_stem(number, text, taken=taken)
        assert stem.startswith(f"{number:02}")
        assert not set(stem) & set('<>:"/\\|?*')
        assert all(unicodedata.category(sign)[0] != "C" for sign in stem)
        assert not stem.endswith((".", " "))
        assert len(stem.encode()) <= 180
        assert stem.casefold() not in taken
        assert Path(stem).name == stem
        taken.add(stem.casefold())


def test_a_nasty_title_stays_in_the_folder(tmp_path: Path) -> None:
    creator = sound_disc(LENGTH, LENGTH)
    items = tuple(TextItem(field="title", track=n, text="../../up\\down") for n in (1, 2))
    creator.cdtext = CDText(blocks=(TextBlock(items=items),))
    done = extract_image(creator.create_result_image(), tmp_path / "out")
    assert names(done) == ["01 _.._up_down.flac", "02 _.._up_down.flac"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


# -- data --------------------------------------------------------------------------------------


def data_disc(kind: SectorType, source: bytes, **more: object) -> RegionImage:
    creator = RawCDImageCreator()
    creator.add_track(source, kind, **more)  # type: ignore[arg-type]  # options of the caller's
    return creator.create_result_image()


def user_data(kind: str, size: int) -> bytes:
    return b"".join(blocks(kind, size, LENGTH))


@pytest.mark.parametrize("kind", ["MODE1", "MODE2FORM1"])
def test_user_data_becomes_an_iso(tmp_path: Path, kind: str) -> None:
    data = user_data(kind, 2048)
    done = extract_image(data_disc(SectorType[kind], data), tmp_path / "out")
    assert names(done) == ["01.iso"]
    assert done.notes == ()
    assert done.files[0].path.read_bytes() == data


@pytest.mark.parametrize("kind", ["MODE_ZERO", "MODE2FORM0", "MODE2FORM2"])
def test_other_sectors_are_kept_whole_and_that_is_told(tmp_path: Path, kind: str) -> None:
    image = data_disc(SectorType[kind], user_data(kind, 2336))
    done = extract_image(image, tmp_path / "out")
    assert names(done) == ["01.bin"]
    assert done.files[0].path.read_bytes() == main_sectors(image, 0, LENGTH).tobytes()
    assert [(note.code, note.track, note.file) for note in done.notes] == [
        ("whole-sectors", 1, "01.bin")
    ]


def test_forms_that_are_mixed_are_kept_whole(tmp_path: Path) -> None:
    form_1 = blocks("MODE2FORM1", 2336, 250)
    form_2 = blocks("MODE2FORM2", 2336, 50, seed=4)
    image = data_disc(SectorType.MODE2FORM0, b"".join([*form_1, *form_2]))
    done = extract_image(image, tmp_path / "out")
    assert names(done) == ["01.bin"]
    assert "from LBA 250 on" in str(done.notes[0])


def test_empty_sectors_of_form_2_at_the_end_are_no_data(tmp_path: Path) -> None:
    """What recorders put between the data of an XA disc and what follows it."""
    data = user_data("MODE2FORM1", 2048)
    image = data_disc(SectorType.MODE2FORM1, data)
    with_end = data_disc(SectorType.MODE2FORM1, data + bytes(2048 * 20))
    filler = data_disc(SectorType.MODE2FORM2, bytes(2324 * (LENGTH + 20)), block_size=2324)
    rows = main_sectors(with_end, 0, LENGTH + 20).copy()
    rows[LENGTH:] = main_sectors(filler, LENGTH, 20)
    stored = with_end.main[1]
    changed = replace(
        stored,
        form=rawcd.MainForm.PLAIN,
        source=rawcd.ArraySource(rows),
        start=0,
        sector_type=SectorType.MODE2MIXED,
    )
    assert (stored.lba, stored.sectors) == (0, LENGTH + 20)
    found = replace(with_end, main=(with_end.main[0], changed, *with_end.main[2:]))
    done = extract_image(found, tmp_path / "out")
    assert done.files[0].path.read_bytes() == data
    assert [note.code for note in done.notes] == ["empty-left-out"]
    assert extract_image(image, tmp_path / "plain").notes == ()


def test_sectors_that_do_not_check_are_told(tmp_path: Path) -> None:
    image = data_disc(SectorType.MODE1, user_data("MODE1", 2048))
    rows = main_sectors(image, 0, LENGTH).copy()
    rows[[7, 100], 700] ^= 0x55
    source = rawcd.ArraySource(rows)
    stored = replace(image.main[1], form=rawcd.MainForm.PLAIN, source=source, start=0)
    damaged = replace(image, main=(image.main[0], stored, *image.main[2:]))
    done = extract_image(damaged, tmp_path / "out")
    assert done.files[0].path.read_bytes() == rows[:, 16:2064].tobytes()
    assert [note.code for note in done.notes] == ["defective-sectors"]
    assert "2 sectors do not check, the first at LBA 7 (EDC" in str(done.notes[0])


def test_sound_and_data_of_two_sessions(tmp_path: Path) -> None:
    first = sound_disc(LENGTH, LENGTH).create_result_image()
    creator = RawCDImageCreator(after=first)
    data = user_data("MODE2FORM1", 2048)
    creator.add_track(data, SectorType.MODE2FORM1)
    image = creator.create_result_image()
    assert image.disc.sessions[1].disc_type is DiscType.XA
    done = extract_image(image, tmp_path / "out", sound="wav")
    assert names(done) == ["01.wav", "02.wav", "03.iso"]
    assert done.files[2].path.read_bytes()[: len(data)] == data


def test_sound_behind_data_keeps_the_sound_of_its_pregap(tmp_path: Path) -> None:
    creator = RawCDImageCreator()
    creator.add_track(user_data("MODE1", 2048), SectorType.MODE1)
    gap = PatternSource(block_count=160, salt=3)
    creator.add_track(PatternSource(block_count=LENGTH), pregap=gap)
    image = creator.create_result_image()
    done = extract_image(image, tmp_path / "out", sound="wav")
    assert names(done) == ["01.iso", "02 (pregap).wav", "02.wav"]
    assert samples_of(done.files[1].path) == gap.read(0, 160)


def test_a_data_track_s_pregap_that_holds_something_is_told(tmp_path: Path) -> None:
    image = data_disc(SectorType.MODE1, user_data("MODE1", 2048))
    assert extract_image(image, tmp_path / "empty").notes == ()
    rows = main_sectors(image, -150, 150).copy()
    rows[140:] = main_sectors(image, 0, 10)
    run_in = replace(
        image.main[0],
        lba=-150,
        sectors=150,
        form=rawcd.MainForm.PLAIN,
        source=rawcd.ArraySource(rows),
        start=0,
    )
    lead_in = replace(image.main[0], sectors=-150 - image.first_lba)
    filled = replace(image, main=(lead_in, run_in, *image.main[1:]))
    done = extract_image(filled, tmp_path / "out")
    assert [(note.code, note.track) for note in done.notes] == [("pregap-left-out", 1)]
    assert "from LBA -10 on" in str(done.notes[0])


# -- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [rawcd.ImageType.RAW, rawcd.ImageType.COOKED])
def test_pictures_come_back(tmp_path: Path, kind: rawcd.ImageType) -> None:
    shown = [MemoryPreset(colour=3), None, Scroll(colour=2, right=1)]
    write_cdg(tmp_path / "in.cdg", [*shown, *shown])
    image = with_graphics(
        sound_disc(LENGTH, LENGTH).create_result_image(), {2: CdgFile(tmp_path / "in.cdg")}
    ).as_kind(kind)
    rawcd.save_image(image, tmp_path / "disc.raw")
    opened = rawcd.open_image(tmp_path / "disc.raw", rw=kind)
    for number, each in enumerate((image, opened)):
        done = extract_image(each, tmp_path / f"out{number}", sound="wav")
        assert names(done) == ["01.wav", "02.wav", "02.cdg"]
        assert done.files[2].path.stat().st_size == LENGTH * 96
        found = list(CdgFile(done.files[2].path).instructions())
        assert found == list(CdgFile(tmp_path / "in.cdg").instructions())
        assert done.notes == ()


def test_no_pictures_in_an_image_without_room_for_them(tmp_path: Path) -> None:
    image = sound_disc(LENGTH).create_result_image().as_kind(rawcd.ImageType.PQ_ONLY)
    rawcd.save_image(image, tmp_path / "disc.raw")
    done = extract_image(rawcd.open_image(tmp_path / "disc.raw"), tmp_path / "out")
    assert names(done) == ["01.flac"]


# -- whole, or not at all ----------------------------------------------------------------------


def left(folder: Path) -> Sequence[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("after", [0, 512, 900])
def test_a_stop_leaves_nothing(tmp_path: Path, after: int) -> None:
    image = sound_disc(LENGTH, 2 * LENGTH).create_result_image()
    (tmp_path / "mine").mkdir()
    for folder in ("new", "mine"):
        with pytest.raises(CancelledError):
            extract_image(image, tmp_path / folder, progress=lambda done, _: done < after)
    assert left(tmp_path) == ["mine"]


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    image = sound_disc(LENGTH, LENGTH).create_result_image()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "02.flac").write_text("mine")
    with pytest.raises(StorageError, match=r"02\.flac: exists already.*--force"):
        extract_image(image, tmp_path / "out")
    assert left(tmp_path / "out") == ["02.flac"]
    done = extract_image(image, tmp_path / "out", replace=True)
    assert left(tmp_path / "out") == names(done) == ["01.flac", "02.flac"]


def test_what_it_is_read_from_is_never_replaced(tmp_path: Path) -> None:
    image = sound_disc(LENGTH).create_result_image()
    extract_image(image, tmp_path, sound="wav")
    (tmp_path / "album.cue").write_text('FILE "01.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    album = rawcd.open_image(tmp_path / "album.cue")
    with pytest.raises(StorageError, match="one of the inputs"):
        extract_image(album, tmp_path, sound="wav", replace=True)
    assert samples_of(tmp_path / "01.wav") == PatternSource(block_count=LENGTH, salt=0).read(
        0, LENGTH
    )


def test_progress_tells_of_every_sector(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    image = sound_disc(LENGTH, 700).create_result_image()
    extract_image(image, tmp_path / "out", progress=lambda *now: told.append(now))
    assert told == sorted(told)
    assert told[-1] == (1000, 1000)
    assert {total for _, total in told} == {1000}


def test_an_image_that_is_none_of_ours_gives_the_same_files(tmp_path: Path) -> None:
    write_cdg(tmp_path / "in.cdg", [MemoryPreset(colour=3)] * 30)
    image = with_graphics(
        sound_disc(LENGTH).create_result_image(), {1: CdgFile(tmp_path / "in.cdg")}
    )

    class Bare:
        disc = image.disc
        kind = image.kind
        notes = image.notes
        first_lba = image.first_lba
        sector_count = image.sector_count
        sector_size = image.sector_size
        read = staticmethod(image.read)
        open = staticmethod(image.open)

    ours = extract_image(image, tmp_path / "ours")
    theirs = extract_image(Bare(), tmp_path / "theirs")
    assert names(ours) == names(theirs) == ["01.flac", "01.cdg"]
    for one, other in zip(ours.files, theirs.files, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()
