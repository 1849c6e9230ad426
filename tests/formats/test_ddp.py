"""DDP 2.00: the contract, what is refused, sums, and folders."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, fitting_charset
from rawcd.disc import PREGAP_SECTORS
from rawcd.errors import CancelledError, FormatError, StorageError, UnsupportedError
from rawcd.features import Feature
from rawcd.fileset import InputFiles
from rawcd.image import main_sectors
from rawcd.plugins import format_for, open_image, save_image
from rawcd_formats.ddp.load import differing_image
from tests.contract.format_contract import (
    FormatContract,
    folder,
    image_with,
    plain_disc,
    titles,
)
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.disc import Disc
    from rawcd.image import RegionImage

SMALL: Final = ("DDPID", "DDPMS", "PQDESCR", "CDTEXT.BIN", "CHECKSUM.MD5")


def fitting(disc: Disc) -> Disc:
    """The disc with tracks from 1 on, and texts of characters that packs can hold."""
    session, shift = disc.sessions[0], disc.tracks[0].number - 1
    tracks = tuple(replace(track, number=track.number - shift) for track in disc.tracks)
    cdtext = disc.cdtext
    if cdtext is not None:
        items = tuple(
            replace(
                item,
                track=max(item.track - shift, 0),
                text=item.text.encode("latin-1", "replace").decode("latin-1"),
            )
            for item in cdtext.blocks[0].items
        )
        charset = fitting_charset(item.text for item in items)
        cdtext = CDText(blocks=(TextBlock(items=items, charset=charset),))
    return replace(disc, sessions=(replace(session, tracks=tracks),), cdtext=cdtext)


class TestContract(FormatContract):
    name = "ddp"
    never: ClassVar[frozenset[Feature]] = frozenset(
        {
            Feature.FIRST_TRACK_NUMBER,
            Feature.DATA_TRACKS,
            Feature.MODE0_TRACKS,
            Feature.CDI_TYPE,
            Feature.RAW_SECTORS,
            Feature.DATA_RW,
        }
    )

    def path_in(self, place: Path, stem: str = "image") -> Path:
        """A set is a folder: the example's own, or one of its own name."""
        return place / "DDPID" if stem == "image" else place / f"{stem}.ddp"

    def discs(self) -> st.SearchStrategy[Disc]:
        return super().discs().map(fitting)

    def test_any_of_its_small_files_mutated_loads_or_raises_one_of_three_errors(self) -> None:
        with folder() as place:
            main = self.path_in(place)
            save_image(self.small_image(), main, format=self.name)
            whole = {name: (place / name).read_bytes() for name in SMALL}

            @given(st.sampled_from(SMALL), st.data())
            def law(victim: str, data: st.DataObject) -> None:
                (place / victim).write_bytes(self.mutated(whole[victim], data))
                try:
                    self.try_to_load(main)
                finally:
                    (place / victim).write_bytes(whole[victim])

            law()

    def test_any_bytes_in_the_place_of_a_file_load_or_raise_one_of_three_errors(self) -> None:
        with folder() as place:
            main = self.path_in(place)
            save_image(self.small_image(), main, format=self.name)
            whole = {name: (place / name).read_bytes() for name in SMALL}

            @given(st.sampled_from(SMALL), st.binary(max_size=400))
            def law(victim: str, junk: bytes) -> None:
                (place / victim).write_bytes(junk)
                try:
                    self.try_to_load(main)
                finally:
                    (place / victim).write_bytes(whole[victim])

            law()

    def test_a_field_of_a_packet_holds_anything_and_loads_or_is_refused(self) -> None:
        with folder() as place:
            main = self.path_in(place)
            save_image(self.small_image(), main, format=self.name)
            texts = st.text("0123456789AS V", min_size=1, max_size=8)

            @given(st.sampled_from(["DDPMS", "PQDESCR"]), st.data(), texts)
            def law(victim: str, data: st.DataObject, text: str) -> None:
                whole = (place / victim).read_bytes()
                at = data.draw(st.integers(0, len(whole) - len(text)))
                changed = whole[:at] + text.encode() + whole[at + len(text) :]
                (place / victim).write_bytes(changed)
                try:
                    self.try_to_load(main)
                finally:
                    (place / victim).write_bytes(whole)

            law()


# -- what is refused, and what is noted ----------------------------------------------------------


@pytest.fixture
def image() -> RegionImage:
    return image_of(plain_disc(mcn="2000000001234", cdtext=titles(9)))


@pytest.fixture
def place(image: RegionImage, tmp_path: Path) -> Path:
    """A set: CD-TEXT, PQ descriptor and sound in the map; eight packets of PQ."""
    save_image(image, tmp_path / "a.ddp")
    (tmp_path / "a.ddp" / "CHECKSUM.MD5").unlink()
    return tmp_path / "a.ddp"


def put(path: Path, at: int, text: str, *, packet: int = 0, size: int = 128) -> None:
    held = bytearray(path.read_bytes())
    start = packet * size + at
    held[start : start + len(text)] = text.encode()
    path.write_bytes(held)


TEXTS, PQ, SOUND = range(3)
"""Packets of the map."""


@pytest.mark.parametrize(
    ("at", "text", "packet", "reason"),
    [
        (0, "VVVS", SOUND, "not 'VVVM'"),
        (4, "D2", SOUND, "type 'D2 DA'"),
        (4, "D0", TEXTS, "type 'D0 CDTEXT'"),
        (4, "T3", TEXTS, "type 'T3 CDTEXT'"),
        (6, "       5", SOUND, "DSP is '5'"),
        (14, "        ", SOUND, "no length of sound"),
        (14, "    -750", SOUND, "'-750' is no number"),
        (14, "     749", SOUND, "the PQ descriptor has the lead-out at LBA 600"),
        (22, "     900", SOUND, "behind the first index 1"),
        (30, "RW24XX  ", TEXTS, "type 'S0 RW24XX'"),
        (30, "PQ DESCR", TEXTS, "second stream of 'PQ DESCR'"),
        (38, "10", SOUND, "type 'D0 10'"),
        (40, "8", SOUND, "storage mode '8'"),
        (42, " 150", SOUND, "PRE1 is '150'"),
        (50, "   1", SOUND, "PST is '1'"),
        (74, "                 ", SOUND, "names no file"),
        (74, "../IMAGE.DAT     ", SOUND, None),
        (91, "S", SOUND, "begins another session"),
        (92, "   1", SOUND, "PRE1NXT is '1'"),
        (96, "       1", SOUND, "PAUSEADD is '1'"),
        (104, "       44", SOUND, "OFS is '44'"),
    ],
)
def test_a_map_that_is_not_understood_is_refused(
    place: Path, at: int, text: str, packet: int, reason: str | None
) -> None:
    put(place / "DDPMS", at, text, packet=packet)
    if reason is None:  # found beside the map, and noted
        assert [note.code for note in open_image(place).notes] == ["file-name"]
        return
    with pytest.raises((FormatError, UnsupportedError), match=reason) as caught:
        open_image(place)
    assert "DDPMS" in str(caught.value)
    assert "packet" in str(caught.value)


@pytest.mark.parametrize(
    ("at", "text", "packet", "reason"),
    [
        (0, "VVVM", 1, "not 'VVVS'"),
        (4, "  ", 1, "is blank"),
        (4, "xx", 1, "'xx' is no number"),
        (4, "02", 2, "does not|no index 1"),
        (4, "00", 3, "begins another session"),
        (4, "01", 3, "do not rise"),
        (4, "03", 5, "does not end with the lead-out"),
        (6, "03", 2, "index"),
        (8, "01", 2, "no disc has hours"),
        (10, "  ", 2, "is blank"),
        (10, "0-", 2, "'0-' is no number"),
        (12, "60", 2, "00:60:00 is no address"),
        (14, "75", 2, "00:02:75 is no address"),
        (10, "99", 5, "two addresses"),
        (16, "41", 2, "data track"),
        (16, "2S", 2, "both SCMS and copy permitted"),
        (16, "G1", 2, "'G1' is no control byte"),
        (16, "02", 2, "'02' is no control byte"),
        (20, "not an isrc!", 2, "is no ISRC"),
        (32, "12345", 2, "no UPC of 12 digits"),
        (32, "1000000000123", 2, "another number"),
    ],
)
def test_a_pq_descriptor_that_is_not_understood_is_refused(
    place: Path, at: int, text: str, packet: int, reason: str
) -> None:
    put(place / "PQDESCR", at, text, packet=packet, size=64)
    with pytest.raises((FormatError, UnsupportedError), match=reason) as caught:
        open_image(place)
    assert "PQDESCR" in str(caught.value)


@pytest.mark.parametrize(
    ("at", "text", "error"),
    [(0, "DDP 1.01", UnsupportedError), (0, "DVD 2.00", FormatError), (87, "DV", UnsupportedError)],
)
def test_another_level_or_kind_of_disc_is_refused(
    place: Path, at: int, text: str, error: type[Exception]
) -> None:
    put(place / "DDPID", at, text)
    with pytest.raises(error, match="DDPID"):
        open_image(place, format="ddp")


@pytest.mark.parametrize(
    ("name", "packet", "at", "text", "code"),
    [
        ("DDPMS", SOUND, 14, "     700", None),
        ("DDPMS", SOUND, 40, "0", ""),
        ("DDPMS", SOUND, 41, "0", ""),
        ("DDPMS", SOUND, 46, " 149", "pregap"),
        ("DDPMS", SOUND, 54, "1", "field-ignored"),
        ("DDPID", 0, 8, "2000000001241", "catalogue-number"),
        ("DDPID", 0, 38, "A NAME", "not-on-disc"),
        ("DDPID", 0, 86, "O", ""),
        ("PQDESCR", 1, 16, "11", "control"),
        ("PQDESCR", 1, 45, "a comment", ""),
        ("PQDESCR", 2, 32, "2000000001234", ""),
    ],
)
def test_what_does_not_matter_is_read_and_noted(
    place: Path, image: RegionImage, name: str, packet: int, at: int, text: str, code: str | None
) -> None:
    put(place / name, at, text, packet=packet, size=64 if name == "PQDESCR" else 128)
    if code is None:  # sound that does not reach the lead-out does matter
        with pytest.raises(FormatError):
            open_image(place)
        return
    opened = open_image(place)
    assert opened.disc == image.disc
    assert [note.code for note in opened.notes] == ([code] if code else [])


def test_one_lead_out_and_no_lead_in_suffice(place: Path, image: RegionImage) -> None:
    path = place / "PQDESCR"
    held = path.read_bytes()
    path.write_bytes(held[64:-64])
    put(place / "DDPMS", 14, f"{len(held) - 128:8}", packet=PQ)
    opened = open_image(place)
    assert opened.disc == image.disc
    assert [note.code for note in opened.notes] == ["catalogue-number"]  # from DDPID alone


def test_sound_that_begins_behind_the_pregap_has_silence_before(
    place: Path, image: RegionImage
) -> None:
    sound = (place / "IMAGE.DAT").read_bytes()[PREGAP_SECTORS * 2352 :]
    (place / "IMAGE.DAT").write_bytes(sound)
    put(place / "DDPMS", 14, "     600     150", packet=SOUND)
    put(place / "DDPMS", 46, "    ", packet=SOUND)
    opened = open_image(place)
    assert opened.disc == image.disc
    assert not opened.notes
    assert not main_sectors(opened, -150, 150).any()
    assert main_sectors(opened, 0, 600).tobytes() == sound


def test_sound_behind_the_lead_out_is_noted(place: Path, image: RegionImage) -> None:
    with (place / "IMAGE.DAT").open("ab") as file:
        file.write(bytes(2 * 2352))
    put(place / "DDPMS", 14, "     752", packet=SOUND)
    opened = open_image(place)
    assert opened.disc == image.disc
    assert [note.code for note in opened.notes] == ["sound-behind-lead-out"]


def test_bytes_behind_a_stream_are_noted_and_bytes_too_few_refused(
    place: Path, image: RegionImage
) -> None:
    path = place / "PQDESCR"
    held = path.read_bytes()
    path.write_bytes(held + bytes(64))
    opened = open_image(place)
    assert opened.disc == image.disc
    assert [note.code for note in opened.notes] == ["stream-longer"]
    path.write_bytes(held[:-64])
    with pytest.raises(FormatError, match=r"PQDESCR.*320 .* the 384 that DDPMS tells"):
        open_image(place)


def test_a_cut_image_is_refused(place: Path) -> None:
    held = (place / "IMAGE.DAT").read_bytes()
    (place / "IMAGE.DAT").write_bytes(held[:-1])
    with pytest.raises(FormatError, match=r"IMAGE\.DAT.*cut short"):
        open_image(place)


def test_damaged_texts_are_noted_pack_by_pack(place: Path) -> None:
    put(place / "CDTEXT.BIN", 4, "?")
    opened = open_image(place)
    assert {note.code for note in opened.notes} == {"cdtext-damaged"}


@pytest.mark.parametrize("name", ["DDPMS", "PQDESCR", "CDTEXT.BIN", "IMAGE.DAT"])
def test_a_missing_file_is_named(place: Path, name: str) -> None:
    (place / name).unlink()
    with pytest.raises(StorageError, match=name):
        open_image(place / "DDPID")


# -- sums ----------------------------------------------------------------------------------------


@pytest.fixture
def summed(image: RegionImage, tmp_path: Path) -> Path:
    save_image(image, tmp_path / "b.ddp", options={"jobs": "2"})
    return tmp_path / "b.ddp"


def test_the_sums_are_those_of_the_files(summed: Path) -> None:
    lines = (summed / "CHECKSUM.MD5").read_text().splitlines()
    said = {line[34:]: line[:32] for line in lines}
    others = {path.name: path.read_bytes() for path in summed.iterdir()}
    del others["CHECKSUM.MD5"]
    assert said == {name: hashlib.md5(data).hexdigest() for name, data in others.items()}
    assert all(line[32:34] == " *" for line in lines)


@pytest.mark.parametrize("name", ["DDPID", "DDPMS", "PQDESCR", "CDTEXT.BIN"])
def test_a_small_file_that_was_changed_is_noted(summed: Path, name: str) -> None:
    lines = (summed / "CHECKSUM.MD5").read_text().splitlines(keepends=True)
    changed = ["0" * 32 + line[32:] if line.endswith(f"*{name}\n") else line for line in lines]
    (summed / "CHECKSUM.MD5").write_text("".join(changed))
    (note,) = open_image(summed).notes
    assert note.code == "checksum"
    assert str(summed / name) in str(note)


def test_the_image_is_compared_when_asked(summed: Path) -> None:
    def asked() -> Any:
        return differing_image(InputFiles(summed / "DDPID"))

    assert asked() == ()
    put(summed / "IMAGE.DAT", 500_000, "!?")
    (note,) = asked()
    assert note.code == "checksum"
    assert "IMAGE.DAT" in str(note)
    assert not open_image(summed).notes  # opening does not read 700 MB
    with pytest.raises(CancelledError):
        differing_image(InputFiles(summed / "DDPID"), lambda done, total: False)
    (summed / "CHECKSUM.MD5").unlink()
    assert asked() == ()


# -- folders and options -------------------------------------------------------------------------


def test_a_set_goes_into_a_folder_of_its_own_or_beside_a_main_file(
    image: RegionImage, tmp_path: Path
) -> None:
    names = {*SMALL, "IMAGE.DAT"}
    result = save_image(image, tmp_path / "one.ddp")
    assert {path.name for path in (tmp_path / "one.ddp").iterdir()} == names
    assert result.files[-1] == tmp_path / "one.ddp" / "DDPID"
    (tmp_path / "two").mkdir()
    save_image(image, tmp_path / "two" / "DDPID")
    assert {path.name for path in (tmp_path / "two").iterdir()} == names
    assert open_image(tmp_path / "two").disc == open_image(tmp_path / "one.ddp").disc
    assert format_for("x/ddpid").name == "ddp"


def test_a_set_is_replaced_only_when_allowed(image: RegionImage, tmp_path: Path) -> None:
    save_image(image, tmp_path / "a.ddp")
    with pytest.raises(StorageError, match="exists already"):
        save_image(image, tmp_path / "a.ddp")
    save_image(image, tmp_path / "a.ddp", replace=True, options={"master-id": "X"})
    assert [note.code for note in open_image(tmp_path / "a.ddp").notes] == ["not-on-disc"]


def test_a_failed_save_leaves_no_folder(image: RegionImage, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError):
        save_image(image, tmp_path / "a.ddp", options={"master-id": "\u0100"})
    with pytest.raises(UnsupportedError):
        save_image(image, tmp_path / "a.ddp", options={"master-id": "x" * 49})
    (tmp_path / "file.ddp").write_bytes(b"")
    with pytest.raises(StorageError, match="is no folder"):
        save_image(image, tmp_path / "file.ddp")
    with pytest.raises(StorageError, match="make the folder"):
        save_image(image, tmp_path / "none" / "a.ddp")
    assert [path.name for path in tmp_path.iterdir()] == ["file.ddp"]


def test_the_command_converts_to_a_folder_and_from_it(image: RegionImage, tmp_path: Path) -> None:
    save_image(image, tmp_path / "in.raw")

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "rawcd", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    assert run("convert", "in.raw", "a.ddp")[0] == 0
    status, said = run("convert", "in.raw", "a.ddp")
    assert (status, "--force" in said) == (1, True)
    assert run("convert", "in.raw", "a.ddp", "--force")[0] == 0
    (tmp_path / "many").mkdir()
    assert run("convert", "in.raw", "many", "--to", "ddp")[0] == 0
    assert (tmp_path / "many" / "in.ddp" / "DDPID").is_file()
    status, said = run("convert", "many/in.ddp", "back.cue")
    assert status == 0, said
    status, said = run("build", "a.ddp", "-o", "built.raw")  # no data disc of its files
    assert status == 0, said
    assert open_image(tmp_path / "built.raw").disc.tracks == image.disc.tracks
    status, said = run("info", "a.ddp")
    assert (status, "2000000001234" in said) == (0, True)


def test_all_sound_from_the_first_pregap_on_is_kept(tmp_path: Path) -> None:
    image = image_with(Feature.FIRST_PREGAP_SOUND)
    save_image(image, tmp_path / "a.ddp")
    opened = open_image(tmp_path / "a.ddp")
    assert (main_sectors(opened, -150, 750) == main_sectors(image, -150, 750)).all()
    assert main_sectors(opened, -100, 10).any()
