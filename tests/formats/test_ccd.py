"""CloneCD's three files: laws, hand-made sheets, and what is wrong with others."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem, fitting_charset
from rawcd.disc import CopySetting, Disc, DiscType, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import ImageType, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd_formats.ccd import CcdFormat
from tests.contract.format_contract import MAY_RAISE, folder, plain_disc, scaled
from tests.contract.recorded_contract import RecordedContract, opened
from tests.oracles.blocks import blank, blocks, sector
from tests.oracles.sectors import scrambled
from tests.recordings import (
    BareImage,
    assert_same_program,
    mixed_discs,
    recorded,
    two_sessions,
    with_subcode_noise,
)
from tests.strategies import discs, noise_rows

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "ccd"


@st.composite
def titled_discs(draw: st.DrawFn) -> Disc:
    """Discs whose titles packs can hold."""
    disc = draw(discs(titles=False))
    letters = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
    numbers = [0, *(track.number for track in disc.tracks)]
    items = tuple(
        TextItem(field=field, track=number, text=draw(st.text(letters, min_size=1, max_size=20)))
        for number in draw(st.lists(st.sampled_from(numbers), unique=True).map(sorted))
        for field in ("title", "composer")
    )
    charset = fitting_charset(item.text for item in items)
    blocks = (TextBlock(items=items, charset=charset),)
    return replace(disc, cdtext=CDText(blocks=blocks) if items else None)


class TestContract(RecordedContract):
    name = "ccd"
    endings = (".ccd", ".img", ".sub")
    openable = (".ccd",)

    def discs(self) -> st.SearchStrategy[Disc]:
        return titled_discs()


# -- laws --------------------------------------------------------------------------------------


@settings(max_examples=scaled(15))
@given(mixed_discs())
def test_without_the_sub_the_sheet_tells_all_but_scms(disc: Disc) -> None:
    with folder() as place:
        save_image(recorded(disc), place / "a.ccd")
        (place / "a.sub").unlink()
        found = opened(place / "a.ccd")
        assert found.disc == without_scms(disc)
        assert [note.code for note in found.notes] == ["no-subcode"]


def without_scms(disc: Disc) -> Disc:
    sessions = tuple(
        replace(
            session,
            tracks=tuple(
                replace(track, copy=CopySetting.PROHIBITED)
                if track.copy is CopySetting.SCMS
                else track
                for track in session.tracks
            ),
        )
        for session in disc.sessions
    )
    return replace(disc, sessions=sessions)


@settings(max_examples=scaled(40))
@given(st.data())
def test_mutated_sheets_load_or_raise_one_of_three_errors(data: st.DataObject) -> None:
    """Lines taken out, doubled, put elsewhere; numbers replaced."""
    lines = (FIXTURES / "two-sessions.ccd").read_text().split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[at].partition("=")
        number = data.draw(st.sampled_from(["-1", "0", "1", "99", "255", "256", "0x7fffffff", "x"]))
        lines[at : at + 1] = data.draw(
            st.sampled_from([[], [lines[at]] * 2, [f"{key}{equals}{number}"], lines[at + 1 :]])
        )
        if not lines:
            return
    with folder() as place:
        (place / "a.ccd").write_text("\n".join(lines))
        (place / "a.img").write_bytes(bytes(2352 * 1_100))
        with suppress(*MAY_RAISE):
            assert len(open_image(place / "a.ccd", format="ccd").read(0, 1)) == 2_448


# -- sheets of others --------------------------------------------------------------------------


def beside(folder: Path, name: str, img: bytes, sub: bytes | None = None) -> Path:
    """A sheet of the fixtures, and files beside it."""
    shutil.copy(FIXTURES / f"{name}.ccd", folder / "a.ccd")
    (folder / "a.img").write_bytes(img)
    if sub is not None:
        (folder / "a.sub").write_bytes(sub)
    return folder / "a.ccd"


def mode_1(lba: int, count: int) -> bytes:
    return b"".join(
        sector("MODE1", block, lba + i) for i, block in enumerate(blocks("MODE1", 2048, count))
    )


def test_a_mixed_disc(tmp_path: Path) -> None:
    data, noise = mode_1(0, 450), noise_rows(750).tobytes()
    image = opened(beside(tmp_path, "mixed", data + noise))
    one, two, three = image.disc.tracks
    assert image.disc.mcn == "4006381333931"
    assert (one.mode, one.start_lba, one.end_lba) == (TrackMode.MODE1, 0, 450)
    assert [(index.number, index.lba) for index in two.indexes] == [(0, 450), (1, 600), (2, 700)]
    assert (two.isrc, two.end_lba) == ("USRC17607839", 900)
    assert (three.copy, three.end_lba) == (CopySetting.PERMITTED, 1_200)
    assert image.disc.sessions[0].lead_out_lba == 1_200
    assert image.read(7, 1)[:2352] == scrambled(data[7 * 2352 : 8 * 2352])
    assert image.read(450, 750)[:2352] == noise[:2352]
    assert (
        b"".join(image.read(lba, 1)[:2352] for lba in range(600, 610))
        == noise[150 * 2352 :][:23520]
    )


def test_a_sheet_of_version_2_with_two_sessions(tmp_path: Path) -> None:
    rows = b"".join(
        sector("MODE2MIXED", block, 12_000 + i)
        for i, block in enumerate(blocks("MODE2MIXED", 2336, 400))
    )
    noise = noise_rows(600).tobytes()
    image = opened(beside(tmp_path, "two-sessions", noise + rows))
    one, two = image.disc.sessions
    assert (one.lead_in_lba, one.lead_out_lba, one.disc_type) == (-11_634, 600, DiscType.CDDA_CDROM)
    assert (two.program_lba, two.lead_out_lba, two.disc_type) == (11_850, 12_400, DiscType.XA)
    assert two.tracks[0].mode is TrackMode.MODE2
    assert image.disc.appendable
    assert image.disc.next_program_lba == 19_150
    assert image.disc.last_lead_out_lba == 359_849
    assert main_sectors(image, 599, 1).tobytes() == noise[599 * 2352 :]
    assert main_sectors(image, 12_000, 400).tobytes() == rows
    assert main_sectors(image, 11_850, 1).tobytes() == blank("MODE2MIXED", 11_850)


def test_titles_in_small_letters(tmp_path: Path) -> None:
    image = opened(beside(tmp_path, "titles", bytes(2352 * 1_200)))
    text = image.disc.cdtext
    assert text is not None
    assert [text.text("title", track) for track in range(4)] == ["Album", "One", "Two", "Three"]
    assert text.text("performer", 0) == "Band"
    assert [track.isrc for track in image.disc.tracks] == ["USRC17607839", "USRC17607840", None]
    assert image.disc.tracks[1].pregap_sectors == 75
    assert image.disc.tracks[2].pre_emphasis
    assert [note.code for note in image.notes] == ["no-subcode"]


def test_scrambled_data_tracks(tmp_path: Path) -> None:
    data = mode_1(0, 450)
    scrambled_img = b"".join(scrambled(data[at : at + 2352]) for at in range(0, len(data), 2352))
    path = beside(tmp_path, "mixed", scrambled_img + bytes(2352 * 750))
    path.write_bytes(path.read_bytes().replace(b"DataTracksScrambled=0", b"DataTracksScrambled=1"))
    image = opened(path)
    assert image.disc.tracks[0].mode is TrackMode.MODE1
    assert image.read(7, 1)[:2352] == scrambled_img[7 * 2352 : 8 * 2352]
    assert main_sectors(image, 0, 450).tobytes() == data


def test_the_header_beats_the_sheet_s_mode(tmp_path: Path) -> None:
    """Sheets with a wrong MODE are known (libMirage)."""
    path = beside(tmp_path, "mixed", mode_1(0, 450) + bytes(2352 * 750))
    path.write_bytes(path.read_bytes().replace(b"MODE=1", b"MODE=2"))
    assert opened(path).disc.tracks[0].mode is TrackMode.MODE1


@pytest.mark.parametrize(
    ("sub", "codes"),
    [
        (b"", ["subcode-length"]),
        (bytes(96 * 1_200), ["subcode-blank"]),
        (bytes(96 * 700 + 5), ["subcode-length", "subcode-blank"]),
    ],
    ids=["empty", "zeros", "short"],
)
def test_subcode_that_says_nothing_is_made(tmp_path: Path, sub: bytes, codes: list[str]) -> None:
    """Empty files and zeros are what some programs leave (psx-spx)."""
    data = mode_1(0, 450) + bytes(2352 * 750)
    bare = tmp_path / "bare"
    bare.mkdir()
    made = opened(beside(bare, "mixed", data))
    image = opened(beside(tmp_path, "mixed", data, sub))
    assert [note.code for note in image.notes] == codes
    assert image.disc == made.disc
    assert image.read(-150, 2_000) == made.read(-150, 2_000)


def test_a_short_sub_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    image = with_subcode_noise(two_sessions())
    save_image(image, tmp_path / "a.ccd")
    whole = (tmp_path / "a.sub").read_bytes()
    (tmp_path / "a.sub").write_bytes(whole[: 96 * 310])  # ten sectors of the second session
    found = opened(tmp_path / "a.ccd")
    start = found.disc.tracks[1].start_lba
    assert found.read(0, 300) == image.read(0, 300)
    assert found.read(start, 10) == image.read(start, 10)
    assert found.read(start + 10, 1)[2352:] == two_sessions().read(start + 10, 1)[2352:]


def test_sheet_and_subcode_that_differ_are_noted(tmp_path: Path) -> None:
    disc = plain_disc(mcn="2000000001234")
    save_image(recorded(disc), tmp_path / "a.ccd")
    path = tmp_path / "a.ccd"
    path.write_bytes(path.read_bytes().replace(b"2000000001234", b"4006381333931"))
    found = opened(path)
    assert found.disc.mcn == "4006381333931"
    (note,) = found.notes
    assert note.code == "subcode-differs"
    assert "2000000001234" in note.message


def test_names_are_found_in_any_case(tmp_path: Path) -> None:
    save_image(two_sessions(), tmp_path / "a.ccd")
    (tmp_path / "a.img").rename(tmp_path / "A.IMG")
    (tmp_path / "a.sub").rename(tmp_path / "A.Sub")
    assert opened(tmp_path / "a.ccd").notes == ()


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"[Disc]", b"[Dusk]", "no section"),
        (b"TocEntries=6", b"TocEntries=7", r"TocEntries is 7, there are 6"),
        (b"Sessions=1", b"Sessions=2", "Sessions is not 1"),
        (b"Point=0x03", b"Point=0x02", "A1h tells of track 3"),
        (b"Point=0xa2", b"Point=0xb2", "A2h, the start of the lead-out, is missing"),
        (b"PMin=0", b"PMin=200", "no place in two digits"),
        (b"PMin=0", b"PMin=99999999999", "is no number"),
        (b"PMin=0", b"PMin=300", "is above 255"),
        (b"PSec=18", b"PSec=75", "seconds to 59"),
        (b"PSec=18", b"PSec=11", "contradicts itself"),
        (b"INDEX 2=700", b"INDEX 100=700", "above 99"),
        (b"INDEX 2=700", b"INDEX 2=16777216", "above 16777215"),
        (b"INDEX 0=450", b"INDEX 0=900", "contradicts itself"),
        (b"INDEX 2=700", b"just words", "neither a section nor a key"),
        (b"INDEX 2=700", b"INDEX 1=600", "stands twice"),
        (b"[TRACK 3]", b"[TRACK 2]", "stands twice"),
        (b"ADR=0x01", b"ADR=0x11", "four bits"),
        (b"Session=1", b"Session=100", "session 100 is none"),
        (b"Session=1", b"Session=0", "session 0 is none"),
        (b"PMin=0", b"PWin=0", "has no pmin"),
    ],
)
def test_a_sheet_that_contradicts_itself(
    tmp_path: Path, old: bytes, new: bytes, words: str
) -> None:
    path = beside(tmp_path, "mixed", bytes(2352 * 1_200))
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(FormatError, match=words) as caught:
        open_image(path)
    assert caught.value.file == str(path)


def test_an_image_shorter_than_the_sheet_says(tmp_path: Path) -> None:
    path = beside(tmp_path, "mixed", bytes(2352 * 1_200 - 1))
    with pytest.raises(FormatError, match=r"has 1199 .* tells of 1200; .*cut short") as told:
        open_image(path)
    assert told.value.file == str(tmp_path / "a.img")


def test_an_image_longer_than_the_sheet_says_is_noted(tmp_path: Path) -> None:
    path = beside(tmp_path, "mixed", mode_1(0, 450) + bytes(2352 * 750 + 3))
    (trailing, _) = opened(path).notes
    assert trailing.code == "trailing-bytes"
    assert trailing.message.startswith("3 bytes")


def test_a_sheet_without_its_image(tmp_path: Path) -> None:
    path = beside(tmp_path, "mixed", b"")
    (tmp_path / "a.img").unlink()
    with pytest.raises(StorageError, match=r"a\.img"):
        open_image(path)


def test_a_sheet_of_more_than_a_mebibyte(tmp_path: Path) -> None:
    path = beside(tmp_path, "mixed", bytes(2352 * 1_200))
    path.write_bytes(path.read_bytes() + b"; " * 2**19)
    with pytest.raises(FormatError, match="too many for a sheet"):
        open_image(path)


@pytest.mark.parametrize("suffix", [".img", ".sub"])
def test_a_sheet_cannot_take_its_data_s_name(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UnsupportedError, match="name of its own data"):
        save_image(two_sessions(), tmp_path / f"a{suffix}", format="ccd")
    assert not list(tmp_path.iterdir())


def test_it_is_known_by_its_sections() -> None:
    head = (FIXTURES / "titles.ccd").read_bytes()
    ccd = CcdFormat()
    assert ccd.accepts("a.ccd", head) > ccd.accepts("a.txt", head) > 0
    assert ccd.accepts("a.txt", head) > ccd.accepts("a.ccd", b"junk") > ccd.accepts("a.txt", b"")


def test_a_stranger_s_image_is_written_too(tmp_path: Path) -> None:
    """Ten lines that are a DiscImage and no more."""
    image = two_sessions()
    save_image(BareImage(image), tmp_path / "a.ccd")
    save_image(image, tmp_path / "b.ccd")
    for suffix in (".ccd", ".img", ".sub"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    with pytest.raises(UnsupportedError, match="PQ_ONLY"):
        save_image(BareImage(image.as_kind(ImageType.PQ_ONLY)), tmp_path / "c.ccd")


@pytest.mark.parametrize("kind", ImageType)
def test_every_kind_becomes_the_final_symbols(tmp_path: Path, kind: ImageType) -> None:
    image = two_sessions()
    save_image(image.as_kind(kind), tmp_path / "a.ccd")
    assert_same_program(image, opened(tmp_path / "a.ccd"))
