"""From a TOC file to a disc: held against a model that lays samples and bytes end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.fileset import InputFiles
from rawcd.image import ImageType, RegionImage, main_sectors
from rawcd.msf import Msf
from rawcd.sector import SYNC, SectorType, encode
from rawcd_formats.toc import TocFormat
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.grammar import build
from tests.contract.format_contract import folder
from tests.strategies import noise_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    Line = npt.NDArray[np.uint32]

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "toc"
SECTOR = 588
"""Samples."""
HELD = 4 * SECTOR
"""Samples of each file of the model."""


def counted(count: int, start: int = 1) -> Line:
    """Samples that tell their own number: no two are alike, and none is silent."""
    return np.arange(start, start + count, dtype="<u4")


def big_endian(samples: Line) -> bytes:
    return samples.view("<u2").astype(">u2").tobytes()


def opened(place: Path, text: str | bytes, **files: int | bytes) -> RegionImage:
    """Open a TOC file over BINs: `a=588` is a.bin of 588 samples, high byte first."""
    for name, content in files.items():
        data = big_endian(counted(content)) if isinstance(content, int) else content
        (place / f"{name}.bin").write_bytes(data)
    sheet = place / "a.toc"
    sheet.write_bytes(text if isinstance(text, bytes) else text.encode())
    return TocFormat().load(InputFiles(sheet))


def samples_of(image: RegionImage) -> Line:
    """The whole line from LBA 0 to the lead-out."""
    rows = main_sectors(image, 0, image.disc.sessions[0].lead_out_lba, plain=False)
    return rows.reshape(-1).view("<u4")


def shape(image: RegionImage) -> list[tuple[int, dict[int, int], int]]:
    """Number, indexes and end of each track."""
    return [
        (track.number, {index.number: index.lba for index in track.indexes}, track.end_lba)
        for track in image.disc.tracks
    ]


def notes(image: RegionImage) -> list[tuple[str, int | None]]:
    return [(note.code, note.line) for note in image.notes]


def audio(*statements: str) -> str:
    """A sheet of one track."""
    return "\n".join(["CD_DA", "TRACK AUDIO", *statements, ""])


# -- the law: a track is samples end to end, filled to a sector --------------------------------


def amounts(most: int, least: int = 0) -> st.SearchStrategy[toc.Amount]:
    found = st.integers(least, most).map(toc.Amount)
    if most < SECTOR:
        return found
    frames = st.integers(-(-least // SECTOR), most // SECTOR)
    return found | frames.map(lambda count: toc.Amount(count, True))


@st.composite
def pieces(draw: st.DrawFn) -> tuple[toc.Part, Line]:
    """A statement, and the samples it adds."""
    kind = draw(st.sampled_from(["file", "data", "silence", "zero"]))
    if kind == "silence":
        silence = draw(amounts(3 * SECTOR, 1))
        return toc.Silence(silence), np.zeros(units(silence), "<u4")
    if kind == "zero":
        zeros = draw(st.integers(1, 3 * SECTOR))
        mode = draw(st.none() | st.just("AUDIO"))
        return toc.Zero(toc.Amount(4 * zeros), mode), np.zeros(zeros, "<u4")
    offset = draw(st.integers(0, 20))
    held = counted(HELD)[offset:]
    if kind == "data":
        count = draw(st.integers(1, HELD - offset))
        return toc.DataFile("b.bin", toc.Amount(4 * count), 4 * offset), held[:count]
    start = draw(amounts(3 * SECTOR))
    first = units(start)
    length = draw(st.none() | st.just(toc.Amount(0)) | amounts(HELD - offset - first, 1))
    count = (0 if length is None else units(length)) or len(held) - first
    swap = draw(st.booleans())
    samples = held[first : first + count]
    if swap:
        samples = samples.view("<u2").byteswap().view("<u4")
    return toc.SoundFile("b.bin", start, length, 4 * offset, swap), samples


def units(amount: toc.Amount) -> int:
    return amount.count * SECTOR if amount.in_frames else amount.count


@st.composite
def laid(draw: st.DrawFn) -> tuple[toc.Sheet, list[tuple[int, dict[int, int], int]], Line]:
    """A sheet of sound, and the disc that it is: shape and samples."""
    number = draw(st.integers(1, 90))
    tracks: list[toc.TrackSheet] = []
    shapes: list[tuple[int, dict[int, int], int]] = []
    line: list[Line] = []
    lba = 0
    for place in range(draw(st.integers(1, 4))):
        found = draw(st.lists(pieces(), min_size=1, max_size=4))
        parts = [part for part, _ in found]
        samples = np.concatenate([samples for _, samples in found])
        gap = draw(st.integers(0, 3))
        start: toc.Part | None = None
        if gap:
            start = toc.Pregap(gap)
            parts.insert(0, start)
            samples = np.concatenate([np.zeros(gap * SECTOR, "<u4"), samples])
        sectors = -(-len(samples) // SECTOR)
        samples = np.concatenate([samples, np.zeros(-len(samples) % SECTOR, "<u4")])
        if not gap and sectors > 1 and draw(st.booleans()):
            gap = draw(st.integers(1, sectors - 1))
            parts.insert(draw(st.integers(0, len(parts))), toc.Start(gap))
        drawn = sorted(draw(st.sets(st.integers(1, 9), max_size=4)))
        places = [at for at in drawn if at < sectors - gap]
        indexes = {1: lba + gap} | {n: lba + gap + at for n, at in enumerate(places, 2)}
        if gap or not place:
            indexes[0] = lba if place else -150
        ends = draw(st.booleans())
        if places and ends:
            parts.append(toc.End(gap + places.pop()))
        tracks.append(
            toc.TrackSheet(
                mode="AUDIO", parts=tuple(parts), indexes=tuple(map(toc.IndexAt, places))
            )
        )
        lba += sectors
        shapes.append((number + place, indexes, lba))
        line.append(samples)
    sheet = toc.Sheet(first_track=toc.FirstTrack(number), tracks=tuple(tracks))
    return sheet, shapes, np.concatenate(line)


@given(laid())
def test_sound_is_laid_end_to_end_track_by_track(
    case: tuple[toc.Sheet, list[tuple[int, dict[int, int], int]], Line],
) -> None:
    sheet, shapes, line = case
    with folder() as place:
        image = opened(place, build(sheet), b=HELD)
        assert shape(image) == shapes
        np.testing.assert_array_equal(samples_of(image), line)


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 3_000)),  # file or ZERO, bytes
        min_size=1,
        max_size=6,
    )
)
def test_data_is_laid_end_to_end_and_filled_to_whole_blocks(runs: list[tuple[bool, int]]) -> None:
    held = noise_rows(1, 3_000).tobytes()
    user = b"".join(held[:count] if is_file else bytes(count) for is_file, count in runs)
    user += bytes(-len(user) % 2048)
    lines = [f'DATAFILE "b.bin" {count}' if is_file else f"ZERO {count}" for is_file, count in runs]
    with folder() as place:
        image = opened(place, "\n".join(["CD_ROM", "TRACK MODE1", *lines]), b=held)
        count = len(user) // 2048
        assert shape(image) == [(1, {0: -150, 1: 0}, count)]
        expected = encode(SectorType.MODE1, user, 0)
        np.testing.assert_array_equal(main_sectors(image, 0, count), expected)


# -- modes -------------------------------------------------------------------------------------

USER_MODES = {
    "MODE1": (SectorType.MODE1, 2048),
    "MODE2": (SectorType.MODE2FORM0, 2336),
    "MODE2_FORM1": (SectorType.MODE2FORM1, 2048),
    "MODE2_FORM2": (SectorType.MODE2FORM2, 2324),
    "MODE2_FORM_MIX": (SectorType.MODE2MIXED, 2336),
}


@pytest.mark.parametrize("mode", USER_MODES)
@pytest.mark.parametrize("word", ["", "RW", "RW_RAW"])
def test_blocks_are_encoded_for_their_place(tmp_path: Path, mode: str, word: str) -> None:
    sector_type, size = USER_MODES[mode]
    blocks, sub = noise_rows(8, size), noise_rows(8, 96, seed=2)
    stored = np.hstack([blocks, sub]) if word else blocks
    text = f'CD_ROM_XA\nTRACK {mode} {word}\nZERO 0:0:5\nSTART\nDATAFILE "b.bin" #7 0:0:8\n'
    image = opened(tmp_path, text, b=bytes(7) + stored.tobytes())
    assert shape(image) == [(1, {0: -150, 1: 5}, 13)]
    assert image.disc.sessions[0].disc_type is DiscType.XA
    np.testing.assert_array_equal(
        main_sectors(image, 5, 8), encode(sector_type, blocks, 5, block_size=size)
    )
    zeros = main_sectors(image, 0, 5)
    assert (zeros[:, :12] == np.frombuffer(SYNC, np.uint8)).all()
    assert not zeros[:, 24:2064].any()
    rows = np.empty((8, 96), np.uint8)
    image.as_kind(ImageType.COOKED if word == "RW" else ImageType.RAW).read_sub_into(5, rows)
    assert ((rows & 0x3F) == (sub & 0x3F if word else 0)).all()
    assert image.disc.tracks[0].mode is (TrackMode.MODE1 if mode == "MODE1" else TrackMode.MODE2)


@pytest.mark.parametrize("mode", ["MODE1_RAW", "MODE2_RAW"])
def test_whole_sectors_are_kept(tmp_path: Path, mode: str) -> None:
    rows = noise_rows(6)
    rows[:, :12] = np.frombuffer(SYNC, np.uint8)
    text = f'CD_ROM\nTRACK {mode}\nDATAFILE "b.bin" 0:0:6\nZERO 0:0:2'
    image = opened(tmp_path, text, b=rows.tobytes())
    np.testing.assert_array_equal(main_sectors(image, 0, 6), rows)
    kind = SectorType.MODE1 if mode == "MODE1_RAW" else SectorType.MODE2FORM0
    np.testing.assert_array_equal(
        main_sectors(image, 6, 2),
        encode(kind, np.zeros((2, kind.block_sizes[0]), np.uint8), 6),
    )


def test_a_mode_0_gap_lies_in_a_track_of_another_mode(tmp_path: Path) -> None:
    text = 'CD_ROM\nTRACK MODE1\nZERO MODE0 0:0:2\nSTART\nDATAFILE "b.bin" 5000\nZERO AUDIO 0:0:1'
    image = opened(tmp_path, text, b=bytes(5_000))
    rows = main_sectors(image, 0, 6, plain=True)
    assert [int(row[15]) for row in rows[:5]] == [0, 0, 1, 1, 1]
    assert not rows[5].any()
    assert notes(image) == [("tail-padded", 5)]


@pytest.mark.parametrize("word", ["RW", "RW_RAW"])
def test_sound_with_subcode(tmp_path: Path, word: str) -> None:
    sound, sub = noise_rows(9), noise_rows(9, 96, seed=2)
    stored = np.hstack([sound, sub]).tobytes()
    text = (
        f'CD_DA\nTRACK AUDIO {word}\nPREGAP 0:0:3\nDATAFILE "b.bin" 0:0:4\nDATAFILE "b.bin" #9792'
    )
    image = opened(tmp_path, text, b=stored)
    assert shape(image) == [(1, {0: -150, 1: 3}, 12)]
    swapped = sound.reshape(9, -1, 2)[:, :, ::-1].reshape(9, -1)
    np.testing.assert_array_equal(main_sectors(image, 3, 9), swapped)
    assert not main_sectors(image, 0, 3).any()
    rows = np.empty((12, 96), np.uint8)
    image.as_kind(ImageType.COOKED if word == "RW" else ImageType.RAW).read_sub_into(0, rows)
    assert not (rows[:3] & 0x3F).any()
    np.testing.assert_array_equal(rows[3:] & 0x3F, sub & 0x3F)


def test_packs_go_on_from_one_track_into_the_next(tmp_path: Path) -> None:
    """Interleave spreads them over eight sectors, and must not begin anew at a border."""
    stored = np.hstack([noise_rows(40), noise_rows(40, 96, seed=2)]).tobytes()
    cut = 'DATAFILE "b.bin" #48960 0:0:20'
    one = 'TRACK AUDIO RW\nDATAFILE "b.bin"\n'
    two = f'TRACK AUDIO RW\nDATAFILE "b.bin" 0:0:20\nTRACK AUDIO RW\n{cut}\n'
    rows = np.empty((2, 40, 96), np.uint8)
    for place, text in enumerate((one, two)):
        opened(tmp_path, text, b=stored).read_sub_into(0, rows[place])
    np.testing.assert_array_equal(rows[0] & 0x3F, rows[1] & 0x3F)


# -- sound files -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
@pytest.mark.parametrize("swap", [False, True])
def test_sound_files_are_read_as_what_they_are(tmp_path: Path, suffix: str, swap: bool) -> None:
    samples = counted(3 * SECTOR)
    soundfile.write(tmp_path / f"b.{suffix}", samples.view("<i2").reshape(-1, 2), 44_100)
    word = "SWAP " if swap else ""
    image = opened(tmp_path, audio(f'AUDIOFILE "b.{suffix}" {word}588 0:0:1', "SILENCE 0:0:1"))
    expected = samples[SECTOR : 2 * SECTOR]
    expected = expected.view("<u2").byteswap().view("<u4") if swap else expected
    np.testing.assert_array_equal(samples_of(image)[:SECTOR], expected)


def test_a_sound_file_by_another_name_is_known_by_its_content(tmp_path: Path) -> None:
    samples = counted(2 * SECTOR)
    soundfile.write(tmp_path / "b.wav", samples.view("<i2").reshape(-1, 2), 44_100)
    (tmp_path / "b.wav").rename(tmp_path / "b.cdr")
    np.testing.assert_array_equal(samples_of(opened(tmp_path, audio('FILE "b.cdr" 0'))), samples)


def test_a_file_that_is_called_sound_and_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(bytes(5_000))
    with pytest.raises(FormatError, match=r"b\.wav.*no sound"):
        opened(tmp_path, audio('FILE "b.wav" 0'))


def test_an_end_inside_a_sample_is_dropped_with_a_note(tmp_path: Path) -> None:
    image = opened(tmp_path, audio('FILE "b.bin" 0'), b=bytes(2352 * 2 + 3))
    assert notes(image) == [("partial-sample-dropped", 3)]
    assert shape(image) == [(1, {0: -150, 1: 0}, 2)]


# -- other programs' files ---------------------------------------------------------------------


def test_cdrdao_s_own_file(tmp_path: Path) -> None:
    text = (FIXTURES / "cdrdao.toc").read_bytes()
    image = opened(tmp_path, text, album=bytes(2352 * 1055 + 96 * 150))
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 300),
        (2, {0: 300, 1: 375, 2: 450}, 601),
        (3, {1: 601}, 976),
        (4, {0: 976, 1: 1126, 2: 1351}, 1426),
    ]
    disc = image.disc
    assert disc.mcn == "2000000001234"
    assert [track.isrc for track in disc.tracks] == [None, "XXRCD2600001", None, None]
    assert [track.copy is CopySetting.PERMITTED for track in disc.tracks] == [0, 1, 1, 0]
    assert [track.pre_emphasis for track in disc.tracks] == [0, 0, 1, 0]
    assert [track.four_channel for track in disc.tracks] == [0, 0, 1, 0]
    assert disc.tracks[0].mode is TrackMode.MODE1
    assert disc.cdtext is not None
    english, german = disc.cdtext.blocks
    assert (english.language, german.language) == (9, 8)
    assert [english.text("title", n) for n in (0, 2, 3, 4)] == [
        "Foreign",
        *(f"Foreign {n}" for n in (2, 3, 4)),
    ]
    assert {item.text for item in english.items if item.field == "performer"} == {"Others"}
    said = {(item.field, item.track): item.text for item in german.items}
    assert said == {
        ("title", 0): 'Das "große" Album',
        ("message", 0): "a\\b",
        ("genre", 0): "Punk",
        ("closed", 0): "closed",
        ("title", 2): "Eins",
        ("isrc", 2): "XX-RCD-26-00001",
    }
    assert (german.charset, german.genre_code, german.copyright) == (1, 15, 3)


def test_cueconvert_s_file(tmp_path: Path) -> None:
    text = (FIXTURES / "cueconvert.toc").read_bytes()
    image = opened(tmp_path, text, album=bytes(2352 * 1055))
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 310),
        (2, {0: 310, 1: 385}, 745),
        (3, {1: 745}, 1055),
    ]
    disc = image.disc
    assert (disc.mcn, disc.tracks[0].isrc) == ("2000000001234", "XXRCD2600001")
    assert disc.tracks[0].pre_emphasis
    assert disc.cdtext is not None
    assert [disc.cdtext.text("title", n) for n in range(3)] == ["Foreign", "One", "Two"]


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "line", "says"),
    [
        (['FILE "b.bin" 0 0:0:5'], 3, "2352 samples"),
        (['FILE "b.bin" 2352'], 3, "2352 samples"),
        (['FILE "b.bin" #9409 0'], 3, "9408 bytes"),
        (["SILENCE 0"], 3, "a length of nothing"),
        (["START"], 2, "no content"),
        (['FILE "b.bin" 0', "START"], 4, "START at 4 sectors"),
        (["START 0:0:4", 'FILE "b.bin" 0'], 3, "START at 4 sectors"),
        (["START", 'FILE "b.bin" 0', "START 0:0:1"], 5, "one START"),
        (["PREGAP 0:0:0", 'FILE "b.bin" 0'], 3, "no frames"),
        (['FILE "b.bin" 0', "PREGAP 0:0:1"], 4, "PREGAP stands before"),
        (['FILE "b.bin" 0', "END"], 4, "END at 4"),
        (["END 0:0:1", "END 0:0:1", 'FILE "b.bin" 0'], 4, "one END"),
        (['FILE "b.bin" 0', "START 0:0:2", "END 0:0:2"], 5, "END at 2"),
        (['FILE "b.bin" 0', "INDEX 0:0:4"], 4, "past the track's end"),
        (['FILE "b.bin" 0', "INDEX 0:0:0"], 4, "fall into one sector"),
        (['FILE "b.bin" 0', "INDEX 0:0:2", "INDEX 0:0:1"], 4, "lies before"),
        (["SILENCE 100:0:0"], 3, "longer than any disc"),
        (["SILENCE 999999999999999"], 3, "longer than any disc"),
        (["ZERO 5"], 3, "whole number of samples"),
        (['ISRC "US-K7Y"', 'FILE "b.bin" 0'], 3, "must have 12"),
    ],
)
def test_sound_that_cannot_be_is_refused_by_line(
    tmp_path: Path, statements: list[str], line: int, says: str
) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        opened(tmp_path, audio(*statements), b=4 * SECTOR)
    assert caught.value.place == f"line {line}"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('TRACK MODE1\nFILE "b.bin" 0', 2, "use DATAFILE"),
        ("TRACK MODE1\nSILENCE 0:1:0", 2, "use ZERO"),
        ("TRACK AUDIO RW\nSILENCE 0:1:0", 2, "use ZERO"),
        ('TRACK MODE1\nDATAFILE "b.bin" 9409', 2, "9408 bytes"),
        ('TRACK MODE1\nDATAFILE "b.bin" #9408', 2, "0 bytes from byte 9408"),
        ('TRACK MODE1\nDATAFILE "b.bin" #9409', 2, "lies behind"),
        ('CATALOG "12345"\nTRACK AUDIO\nSILENCE 0:4:0', 1, "no media catalogue number"),
        ("FIRST_TRACK_NO 99\n" + 2 * "TRACK AUDIO\nSILENCE 0:4:0\n", 4, "past 99"),
        ("CD_DA\n" + 8 * "TRACK AUDIO\nSILENCE 80:0:0\n", 16, "addresses go from"),
    ],
)
def test_what_cannot_be_is_refused_by_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        opened(tmp_path, text, b=4 * SECTOR)
    assert caught.value.file == str(tmp_path / "a.toc")
    assert caught.value.place == f"line {line}"


@pytest.mark.parametrize("statement", ['FIFO "pipe" 0:4:0', 'FILE "-" 0', 'DATAFILE "-" 4'])
def test_pipes_are_refused(tmp_path: Path, statement: str) -> None:
    with pytest.raises(UnsupportedError, match=r"line 3: .*write what comes out of it into a file"):
        opened(tmp_path, audio(statement))


@pytest.mark.parametrize("name", ["../b.bin", "/etc/hostname", "C:\\\\b.bin", "x/../../b.bin"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "b.bin").write_bytes(bytes(2352 * 300))
    with pytest.raises(StorageError, match=r"line 3: .*(outside|no file)"):
        opened(inner, audio(f'FILE "{name}" 0'))


def test_ten_thousand_statements_are_answered(tmp_path: Path) -> None:
    text = audio(*(5_000 * ["SILENCE 1", 'FILE "b.bin" 0 1']))
    image = opened(tmp_path, text, b=1)
    assert shape(image) == [(1, {0: -150, 1: 0}, 18)]
    assert samples_of(image)[:10_000].tolist() == 5_000 * [0, 1]


# -- notes and codes ---------------------------------------------------------------------------


def test_codes_are_read_as_people_write_them(tmp_path: Path) -> None:
    text = 'CATALOG "200000000123"\n' + audio('ISRC "us-k7y-98-12345"', "SILENCE 0:4:0")
    image = opened(tmp_path, text)
    assert image.disc.mcn == "0200000000123"
    assert image.disc.tracks[0].isrc == "USK7Y9812345"
    assert notes(image) == [("isrc-hyphens", 4), ("mcn-check-digit", 1)]


@pytest.mark.parametrize(
    ("head", "mode", "disc_type", "noted"),
    [
        ("", "AUDIO", DiscType.CDDA_CDROM, []),
        ("", "MODE1", DiscType.CDDA_CDROM, []),
        ("", "MODE2_FORM1", DiscType.XA, []),
        ("CD_DA", "MODE1", DiscType.CDDA_CDROM, [("disc-type", 2)]),
        ("CD_ROM", "MODE2", DiscType.CDDA_CDROM, []),
        ("CD_ROM_XA", "AUDIO", DiscType.XA, []),
        ("CD_I", "MODE2_FORM_MIX", DiscType.CDI, []),
    ],
)
def test_disc_types(
    tmp_path: Path, head: str, mode: str, disc_type: DiscType, noted: list[tuple[str, int]]
) -> None:
    image = opened(tmp_path, f"{head}\nTRACK {mode}\nZERO 0:4:0\n")
    assert image.disc.sessions[0].disc_type is disc_type
    assert notes(image) == noted


def test_a_file_named_twice_is_noted_once(tmp_path: Path) -> None:
    image = opened(tmp_path, audio('FILE "B.BIN" 0 0:0:1', 'FILE "B.BIN" 0:0:1'), b=4 * SECTOR)
    assert notes(image) == [("file-name", 3)]
    assert Msf.from_lba(image.disc.tracks[0].end_lba - 150).to_frames() == 4
