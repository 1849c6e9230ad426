"""Descriptions in TOML: each field, one by one, against what the disc then says."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd import (
    CopySetting,
    FormatError,
    ImageType,
    RawCDImageCreator,
    RegionImage,
    SectorType,
    UnsupportedError,
    fileset,
    main_sectors,
    save_image,
)
from rawcd.cdtext import Charset, TextBlock, TextItem
from rawcd.disc import DiscType, TrackMode
from rawcd.filesystem import DiscBlocks, StoredVolume
from rawcd.plugins import format_for, open_image, recognised_format
from rawcd.sector import verify
from rawcd.source import SECTOR_SAMPLES
from rawcd_formats.description import TomlFormat

if TYPE_CHECKING:
    from pathlib import Path

SECTORS = 400


def sound(path: Path, sectors: int, salt: int, rest: int = 0) -> bytes:
    """A file of samples, named so that it is taken for sound."""
    rng = np.random.default_rng(salt)
    samples = rng.integers(-9_000, 9_000, (sectors * SECTOR_SAMPLES + rest, 2)).astype("<i2")
    path.write_bytes(samples.tobytes())
    return samples.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound(tmp_path / "a.bin", SECTORS, 1)
    sound(tmp_path / "b.bin", SECTORS, 2, rest=100)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hello.txt").write_bytes(b"hello")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "new.txt").write_bytes(b"new")
    return tmp_path


def load(folder: Path, text: str, name: str = "disc.toml") -> RegionImage:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return TomlFormat().load(fileset.InputFiles(path))


def one(folder: Path, said: str, *, disc: str = "") -> RegionImage:
    """A disc of one track, of which something is said."""
    return load(folder, f'[disc]\n{disc}\n[[track]]\nfile = "a.bin"\n{said}\n')


def two(folder: Path, said: str, *, disc: str = "") -> RegionImage:
    """A disc of two sound tracks, of the second of which something is said."""
    text = f'[disc]\n{disc}\n[[track]]\nfile = "a.bin"\n[[track]]\nfile = "b.bin"\n{said}\n'
    return load(folder, text)


# -- the disc --------------------------------------------------------------------------------------


def test_a_plain_disc_is_raw_gapless_and_closed(folder: Path) -> None:
    image = two(folder, "")
    assert image.kind is ImageType.RAW
    assert (image.disc.mcn, image.disc.cdtext, image.disc.appendable) == (None, None, False)
    assert [track.pregap_sectors for track in image.disc.tracks] == [150, 100]
    assert image.disc.track(2).start_lba == SECTORS
    assert image.read(0, 3)[:2_352] == (folder / "a.bin").read_bytes()[:2_352]


def test_mcn_and_first_track(folder: Path) -> None:
    disc = two(folder, "", disc='mcn = "4006381333931"\nfirst-track = 7').disc
    assert disc.mcn == "4006381333931"
    assert [track.number for track in disc.tracks] == [7, 8]


def test_gaps(folder: Path) -> None:
    disc = two(folder, "", disc="gaps = true").disc
    assert disc.track(2).start_lba == SECTORS + 150


@pytest.mark.parametrize(
    ("word", "kind"),
    [("pq", ImageType.PQ_ONLY), ("cooked", ImageType.COOKED), ("raw", ImageType.RAW)],
)
def test_type(folder: Path, word: str, kind: ImageType) -> None:
    assert one(folder, "", disc=f'type = "{word}"').kind is kind


def test_style(folder: Path) -> None:
    assert one(folder, "", disc='style = "cdrecord"').style != one(folder, "").style


def test_lead_out_limit_is_an_lba_or_a_disc_time(folder: Path) -> None:
    for said in ("359849", '"79:59:74"'):
        image = one(folder, "", disc=f"lead-out-limit = {said}\nappendable = true")
        assert image.disc.last_lead_out_lba == 359_849


def test_appendable(folder: Path) -> None:
    assert one(folder, "", disc="appendable = true").disc.appendable


def test_rw_is_cut_into_sessions(folder: Path) -> None:
    counts = [22_650 + SECTORS + 6_750, 4_500 + 150 + 300 + 2_250]
    rows = np.random.default_rng(3).integers(0, 64, (sum(counts), 96), np.uint8)
    (folder / "rw.sub").write_bytes(rows.tobytes())
    image = load(
        folder,
        '[disc]\nrw = "rw.sub"\n[[session]]\n[[session.track]]\nfile = "a.bin"\n'
        "[[session]]\n[[session.track]]\nsilence = 300\n",
    )
    assert image.sector_count == sum(counts)
    for at in (0, counts[0] - 1, counts[0], sum(counts) - 1):
        sub = np.frombuffer(image.read(image.first_lba + at, 1), np.uint8)[2_352:]
        assert (sub & 0x3F == rows[at]).all()
    with (folder / "rw.sub").open("ab") as file:
        file.write(bytes(96))
    with pytest.raises(FormatError, match=f"has {96 * (sum(counts) + 1)} bytes and must have"):
        open_description(folder)


def open_description(folder: Path) -> RegionImage:
    return TomlFormat().load(fileset.InputFiles(folder / "disc.toml"))


def test_onto_goes_on_where_an_image_ends(folder: Path) -> None:
    creator = RawCDImageCreator()
    creator.resulting_image_type = ImageType.COOKED
    creator.appendable = True
    creator.add_folder(folder / "data")
    before = creator.create_result_image()
    save_image(before, folder / "one.raw")
    image = load(folder, '[disc]\nonto = "one.raw"\n[[track]]\nfolder = "more"\n')
    assert [len(session.tracks) for session in image.disc.sessions] == [1, 1]
    assert image.disc.sessions[0] == before.disc.sessions[0]
    assert not image.disc.appendable
    assert names_of(image) == ["/hello.txt", "/new.txt"]
    assert folder / "one.raw" in image.files
    assert open_image(folder / "disc.toml").disc == image.disc


def names_of(image: RegionImage) -> list[str]:
    blocks = DiscBlocks(image)
    volume = StoredVolume(blocks, lba=blocks.session_starts()[-1])
    return [path for path, _ in volume.tree().walk()]


def test_a_description_goes_onto_another(folder: Path) -> None:
    (folder / "first.toml").write_text('[[track]]\nfolder = "data"\n')
    (folder / "second.toml").write_text('[disc]\nonto = "first.toml"\n[[track]]\nfolder = "more"\n')
    image = load(folder, '[disc]\nonto = "SECOND.toml"\n[[track]]\nsilence = 300\n')
    assert len(image.disc.sessions) == 3
    assert "'SECOND.toml' was found as 'second.toml'" in " ".join(map(str, image.notes))
    opened = open_image(folder / "disc.toml")
    assert isinstance(opened, RegionImage)
    assert {folder / "first.toml", folder / "second.toml"} <= set(opened.files)


# -- texts -----------------------------------------------------------------------------------------


def test_texts_are_blocks_in_order_of_appearance(folder: Path) -> None:
    image = two(
        folder,
        'text = [{title = "Zwei", language = "German"}, {title = "Two", isrc = "X"}]',
        disc='text.title = "All"\ntext.genre = "Electro swing"\ntext.genre-code = "Jazz"\n'
        'text.disc-id = "ID"\ntext.protected = true',
    )
    assert image.disc.cdtext is not None
    english, german = image.disc.cdtext.blocks
    assert english == TextBlock(
        items=(
            TextItem(field="title", track=0, text="All"),
            TextItem(field="disc_id", track=0, text="ID"),
            TextItem(field="genre", track=0, text="Electro swing"),
            TextItem(field="title", track=2, text="Two"),
            TextItem(field="isrc", track=2, text="X"),
        ),
        genre_code=14,
        copyright=3,
    )
    assert german == TextBlock(language=8, items=(TextItem(field="title", track=2, text="Zwei"),))


def test_every_text_field_of_cd_text_is_there(folder: Path) -> None:
    from rawcd.cdtext import FIELDS

    fields = [field.name for field in FIELDS if field.album and not field.binary]
    said = "".join(f'text.{name.replace("_", "-")} = "{name}"\n' for name in fields)
    cdtext = one(folder, "", disc=said).disc.cdtext
    assert cdtext is not None
    assert [cdtext.text(name, 0) for name in fields] == fields
    fields = [field.name for field in FIELDS if field.tracks and not field.binary]
    cdtext = one(folder, "".join(f'text.{name} = "{name}"\n' for name in fields)).disc.cdtext
    assert cdtext is not None
    assert [cdtext.text(name, 1) for name in fields] == fields


def test_charsets(folder: Path) -> None:
    def charset(disc: str, track: str) -> int:
        cdtext = one(folder, track, disc=disc).disc.cdtext
        assert cdtext is not None
        return cdtext.blocks[0].charset

    assert charset("", 'text.title = "é"') == Charset.ISO_8859_1
    assert charset("", 'text.title = "音"') == Charset.MS_JIS
    assert charset('text.charset = "ascii"', 'text.title = "e"') == Charset.ASCII


def test_the_table_of_contents_in_packs(folder: Path) -> None:
    image = two(folder, "", disc='text = {title = "x", toc = true}')
    assert image.disc.cdtext is not None
    toc = image.disc.cdtext.blocks[0].toc
    assert toc is not None
    assert [start.to_lba() for start in toc.starts] == [0, SECTORS]
    assert toc.lead_out.to_lba() == image.disc.sessions[0].lead_out_lba


# -- sessions --------------------------------------------------------------------------------------


def test_one_session_may_stand_as_one_table(folder: Path) -> None:
    image = load(folder, '[session]\ntype = "cd-i"\n[session.track]\nfolder = "data"\n')
    assert image.disc.sessions[0].disc_type is DiscType.CDI
    assert image.disc.track(1).mode is TrackMode.MODE2
    assert names_of(image) == ["/hello.txt"]


def test_all_sessions_but_the_last_are_open(folder: Path) -> None:
    text = "[[session]]\n[[session.track]]\nsilence = 300\n"
    disc = load(folder, text * 3).disc
    assert [track.number for track in disc.tracks] == [1, 2, 3]
    assert not disc.appendable
    assert load(folder, "[disc]\nappendable = true\n" + text * 2).disc.appendable


@pytest.mark.parametrize(
    ("word", "disc_type"),
    [("cd-rom", DiscType.CDDA_CDROM), ("xa", DiscType.XA), ("cd-i", DiscType.CDI)],
)
def test_session_type(folder: Path, word: str, disc_type: DiscType) -> None:
    image = load(folder, f'[session]\ntype = "{word}"\ntrack.silence = 300\n')
    assert image.disc.sessions[0].disc_type is disc_type


# -- tracks ----------------------------------------------------------------------------------------


KINDS = {
    "mode0": (SectorType.MODE_ZERO, 2_336),
    "mode1": (SectorType.MODE1, 2_048),
    "mode2": (SectorType.MODE2FORM0, 2_336),
    "form1": (SectorType.MODE2FORM1, 2_048),
    "form2": (SectorType.MODE2FORM2, 2_324),
    "mixed": (SectorType.MODE2MIXED, 2_336),
}


@pytest.mark.parametrize("word", KINDS)
def test_types_of_data(folder: Path, word: str) -> None:
    kind, size = KINDS[word]
    rows = np.zeros((300, size), np.uint8)
    if word == "mixed":
        rows[:, :8] = np.frombuffer(bytes.fromhex("0000080000000800"), np.uint8)
    elif word != "mode0":
        rows[:] = np.arange(300)[:, None] % 251
    (folder / "d.dat").write_bytes(rows.tobytes())
    image = load(folder, f'[[track]]\nfile = "d.dat"\ntype = "{word}"\nblock-size = {size}\n')
    assert image.disc.track(1).mode == kind.mode
    sectors = main_sectors(image, 0, 300)
    start = {"mode1": 16, "form1": 24, "form2": 24}.get(word, 16)
    if word != "mixed":  # there the EDC is made
        assert (sectors[:, start : start + size] == rows).all()
    assert not verify(sectors, 0, kind).any()


@pytest.mark.parametrize("word", ["mode1", "mode2", "form1", "form2"])
def test_raw_types_and_scrambling(folder: Path, word: str) -> None:
    from rawcd.sector import encode, scramble

    kind, size = KINDS[word]
    plain = encode(kind, np.full((300, size), 7, np.uint8), 0)
    for name, rows in (("plain", plain), ("done", scramble(plain))):
        (folder / "d.dat").write_bytes(rows.tobytes())
        for said in ("", f"scrambled = {str(name == 'done').lower()}\n"):
            text = f'[[track]]\nfile = "d.dat"\ntype = "{word}-raw"\n{said}'
            assert (main_sectors(load(folder, text), 0, 300) == plain).all()


def test_subheader(folder: Path) -> None:
    (folder / "d.dat").write_bytes(bytes(2_048 * 300))
    said = '[[track]]\nfile = "d.dat"\ntype = "form1"\nsubheader = "01 02 0c 03"\n'
    row = main_sectors(load(folder, said), 5, 1)[0]
    assert bytes(row[16:24]) == bytes.fromhex("01020c0301020c03")


def test_silence(folder: Path) -> None:
    image = load(folder, '[[track]]\nsilence = "00:05:10"\n')
    assert image.disc.track(1).sector_count == 385
    assert not main_sectors(image, 0, 385).any()


@pytest.mark.parametrize(
    ("said", "first", "sectors"),
    [
        ("start = 60", 60, 341),
        ("length = 310", 0, 310),
        ('start = "00:00:50"\nlength = "00:04:20"', 50, 320),
        ("start = 91\nlength = 310", 91, 310),
    ],
)
def test_part_of_a_sound(folder: Path, said: str, first: int, sectors: int) -> None:
    image = load(folder, f'[[track]]\nfile = "b.bin"\n{said}\n')
    whole = (folder / "b.bin").read_bytes().ljust(2_352 * (SECTORS + 1), b"\0")
    assert image.disc.track(1).sector_count == sectors
    got = main_sectors(image, 0, sectors).tobytes()
    assert got == whole[2_352 * first : 2_352 * (first + sectors)]
    padded = first + sectors > SECTORS
    assert ["tail-padded" in note.code for note in image.notes] == [True] * padded


def test_what_was_done_to_a_sound_is_noted_whole_or_in_part(folder: Path) -> None:
    import soundfile

    mono = np.random.default_rng(5).integers(-99, 99, 22_050 * 6).astype(np.int16)
    soundfile.write(folder / "mono.wav", mono, 22_050)
    whole = load(folder, '[[track]]\nfile = "mono.wav"\n')
    part = load(folder, '[[track]]\nfile = "mono.wav"\nlength = 310\n')
    assert {note.code for note in part.notes} == {note.code for note in whole.notes} != set()
    assert (main_sectors(part, 0, 310) == main_sectors(whole, 0, 310)).all()


def test_pregaps(folder: Path) -> None:
    def pregap(said: str) -> int:
        return two(folder, f"pregap = {said}").disc.track(2).pregap_sectors

    assert [pregap("0"), pregap("75"), pregap('"00:02:10"')] == [0, 75, 160]
    sound(folder / "hidden.bin", 200, 9)
    image = two(folder, 'pregap = "hidden.bin"')
    assert image.disc.track(2).pregap_sectors == 200
    got = main_sectors(image, SECTORS, 200).tobytes()
    assert got == (folder / "hidden.bin").read_bytes()
    first = one(folder, 'pregap = "hidden.bin"')
    assert (first.disc.track(1).start_lba, first.disc.track(1).first_lba) == (50, -150)


def test_postgap_and_padding(folder: Path) -> None:
    (folder / "d.dat").write_bytes(bytes(range(256)) * 8 * 300)
    text = '[[track]]\nfile = "d.dat"\ntype = "mode1"\n{}[[track]]\nsilence = 300\n'
    assert load(folder, text.format("")).disc.track(1).sector_count == 450
    assert load(folder, text.format("postgap = 10\n")).disc.track(1).sector_count == 310
    sound(folder / "short.bin", 10, 4)
    image = load(folder, '[[track]]\nfile = "short.bin"\npad-short = true\n')
    assert image.disc.track(1).sector_count == 300
    assert [note.code for note in image.notes] == ["short-padded"]


def test_indexes_flags_and_codes(folder: Path) -> None:
    track = one(
        folder,
        'indexes = [20, "00:02:00"]\nisrc = "us-rc1-76-07839"\npre-emphasis = true\n'
        'four-channel = true\ncopy = "scms"',
    ).disc.track(1)
    assert [(index.number, index.lba) for index in track.indexes[1:]] == [(1, 0), (2, 20), (3, 150)]
    assert track.isrc == "USRC17607839"
    assert (track.pre_emphasis, track.four_channel, track.copy) == (True, True, CopySetting.SCMS)
    assert track.control == 0b1001
    plain = one(folder, 'copy = "permitted"').disc.track(1)
    assert (plain.pre_emphasis, plain.four_channel) == (False, False)
    assert plain.copy is CopySetting.PERMITTED


def test_four_channels_reach_the_q_channel(folder: Path) -> None:
    image = one(folder, "four-channel = true")
    sub = np.frombuffer(image.read(100, 1), np.uint8)[2_352:]
    q = np.packbits(sub >> 6 & 1)
    assert q[0] >> 4 == 0b1000


def test_graphics(folder: Path) -> None:
    from rawcd.cdg import MemoryPreset, write_cdg

    write_cdg(str(folder / "b.cdg"), [MemoryPreset(colour=3)])
    image = two(folder, 'cdg = "B.cdg"', disc='type = "cooked"')
    start = image.disc.track(2).start_lba
    sub = np.frombuffer(image.read(start, 1), np.uint8)[2_352:] & 0x3F
    assert bytes(sub[:24]) == (folder / "b.cdg").read_bytes()[:24]
    assert [note.code for note in image.notes] == ["tail-padded", "file-name"]


# -- file systems ----------------------------------------------------------------------------------


def volume_of(image: RegionImage) -> StoredVolume:
    return StoredVolume(DiscBlocks(image), lba=image.disc.tracks[-1].start_lba)


def in_folder(folder: Path, said: str, more: str = "") -> RegionImage:
    text = f'[[track]]\nfolder = "data"\n{more}\n[track.filesystem]\n{said}\n'
    return load(folder, text)


def test_volumes(folder: Path) -> None:
    volume = volume_of(in_folder(folder, 'volume = "NAME"\nrock-ridge = true'))
    assert volume.volume_id == "NAME"
    assert volume.kinds == ("rock-ridge", "joliet", "iso")
    assert volume_of(in_folder(folder, "joliet = false\nlevel = 1")).kinds == ("iso",)
    assert volume_of(in_folder(folder, "")).volume_id == "CDROM"


def test_identifiers_date_and_udf(folder: Path) -> None:
    when = datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.UTC)
    image = in_folder(
        folder,
        'system = "SYS"\npublisher = "PUB"\npreparer = "PREP"\napplication = "APP"\n'
        f"udf = true\ndate = {when.isoformat()}",
    )
    descriptor = DiscBlocks(image).read(16, 1)
    assert descriptor[8:40].strip() == b"SYS"
    assert [descriptor[at : at + 128].strip() for at in (318, 446, 574)] == [
        b"PUB",
        b"PREP",
        b"APP",
    ]
    assert descriptor[813:829] == b"2026013112300000"
    blocks = DiscBlocks(image).read(16, 32)
    assert any(
        blocks[at + 1 : at + 6] in (b"NSR02", b"NSR03") for at in range(0, len(blocks), 2_048)
    )


def test_relaxed_names_and_links(folder: Path) -> None:
    (folder / "data" / "a*b").write_bytes(b"1")
    image = in_folder(folder, "relax = true")
    assert "/a*b" not in names_of(image)
    assert len(names_of(image)) == 2
    assert image.notes
    (folder / "data" / "a*b").unlink()
    (folder / "data" / "link").symlink_to("hello.txt")
    followed = volume_of(in_folder(folder, "rock-ridge = true\nfollow-links = true"))
    kept = volume_of(in_folder(folder, "rock-ridge = true\njoliet = false"))
    assert type(followed.tree().get("/link")).__name__ == "StoredFile"
    assert type(kept.tree().get("/link")).__name__ == "Link"


def test_boot(folder: Path) -> None:
    (folder / "data" / "boot.img").write_bytes(b"\x90" * 4_096)
    image = in_folder(
        folder,
        'boot = {path = "boot.img", load-segment = 0x7c0, load-sectors = 4, info-table = true}',
    )
    record = DiscBlocks(image).read(17, 1)
    assert record[7:30] == b"EL TORITO SPECIFICATION"
    entry = DiscBlocks(image).read(int.from_bytes(record[71:75], "little"), 1)[32:64]
    assert (entry[0], entry[1]) == (0x88, 0)
    assert int.from_bytes(entry[2:4], "little") == 0x7C0
    assert int.from_bytes(entry[6:8], "little") == 4
    file = DiscBlocks(image).read(int.from_bytes(entry[8:12], "little"), 1)
    assert file[8:12] == bytes([16, 0, 0, 0])  # the table: where the descriptors are


def test_a_folder_is_found_in_another_case_with_a_note(folder: Path) -> None:
    image = load(folder, '[[track]]\nfolder = "DATA"\n')
    assert names_of(image) == ["/hello.txt"]
    note = next(note for note in image.notes if note.code == "file-name")
    assert (note.message, note.line) == ("'DATA' was found as 'data'", 2)


def test_an_input_in_a_folder_is_never_written_over(folder: Path) -> None:
    image = load(folder, '[[track]]\nfolder = "data"\n')
    assert folder / "data" / "hello.txt" in image.files


# -- the format ------------------------------------------------------------------------------------


def test_it_is_recognised_by_name_and_content(folder: Path) -> None:
    one(folder, "")
    assert recognised_format(folder / "disc.toml") == "toml"
    (folder / "other.txt").write_text('[[track]]\nfile = "a.bin"\n')
    assert recognised_format(folder / "other.txt") == "toml"
    (folder / "sheet.cue").write_text('FILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    assert recognised_format(folder / "sheet.cue") == "cue"
    assert TomlFormat().accepts("x.bin", bytes(1_000)) == 0


def test_it_is_never_written(folder: Path) -> None:
    image = one(folder, "")
    for name, options in (("x.toml", {}), ("x.raw", {"format": "toml"})):
        with pytest.raises(UnsupportedError, match="toml are read and never written"):
            save_image(image, folder / name, **options)  # type: ignore[arg-type]  # format= alone
        assert not (folder / name).exists()
    with pytest.raises(UnsupportedError):
        format_for("disc.toml")


def test_a_mark_and_windows_lines_are_taken(folder: Path) -> None:
    path = folder / "disc.toml"
    path.write_bytes(b'\xef\xbb\xbf[[track]]\r\nfile = "a.bin"\r\nisrc = 3\r\n')
    with pytest.raises(FormatError, match="isrc is a text") as raised:
        TomlFormat().load(fileset.InputFiles(path))
    assert raised.value.place == "line 3"
