"""Dumps as redumper lays them out, made here sample by sample."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, StorageError
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blanks
from rawcd.plugins import open_image, recognised_format
from rawcd.source import ArraySource
from rawcd.toc import scsi_full_toc, scsi_toc
from tests.contract.format_contract import FormatContract, folder, plain_disc, titles
from tests.oracles.blocks import blocks
from tests.strategies import PatternSource, image_of

if TYPE_CHECKING:
    from pathlib import Path

FIRST = -45_150
"""Where a dump begins."""


def mixed() -> RegionImage:
    """Data, then sound with a pregap, an index, an ISRC; and a catalogue number."""
    data = Track(
        number=1,
        mode=TrackMode.MODE1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=300,
        copy=CopySetting.PERMITTED,
    )
    sound = Track(
        number=2,
        indexes=(Index(number=0, lba=300), Index(number=1, lba=450), Index(number=2, lba=600)),
        end_lba=800,
        isrc="XXRCD2600001",
    )
    session = Session(tracks=(data, sound), lead_out_lba=800)
    disc = Disc(sessions=(session,), mcn="2000000001234")
    sectors = ArraySource(b"".join(blocks("MODE1", 2352, 300)))
    main = (
        *blanks(disc, disc.first_lba, 0),
        Region(lba=0, sectors=300, form=MainForm.PLAIN, source=sectors),
        Region(lba=300, sectors=500, form=MainForm.DISC, source=PatternSource(block_count=500)),
        *blanks(disc, 800, disc.end_lba),
    )
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    return RegionImage(disc=disc, main=main, sub=(made,))


MIXED = mixed()
SOUND = image_of(plain_disc(mcn="2000000001234"))


def dumped(
    place: Path,
    image: RegionImage,
    *,
    first: int = -150,
    end: int | None = None,
    samples: int = 0,
    sub: bool = True,
    toc: bool = True,
    fulltoc: bool = True,
) -> Path:
    """A dump of the sectors from `first` to `end`, which begin some samples off their place."""
    disc = image.disc
    end = disc.sessions[-1].lead_out_lba + 100 if end is None else end
    rows = np.frombuffer(image.read(first, end - first), np.uint8).reshape(end - first, 2448)
    with (place / "a.scram").open("wb") as file:
        file.seek((first - FIRST) * 2352 + 4 * samples)
        file.write(np.ascontiguousarray(rows[:, :2352]).tobytes())
        file.truncate((end - FIRST) * 2352)
    if sub:
        with (place / "a.subcode").open("wb") as file:
            file.seek((first - FIRST) * 96)
            file.write(np.ascontiguousarray(rows[:, 2352:]).tobytes())
    if toc:
        (place / "a.toc").write_bytes(scsi_toc(disc))
    if fulltoc:
        (place / "a.fulltoc").write_bytes(scsi_full_toc(disc))
    return place / "a.scram"


def same(image: RegionImage, path: Path, first: int, end: int) -> None:
    opened = open_image(path)
    assert opened.disc == image.disc
    assert opened.read(first, end - first) == image.read(first, end - first)


@pytest.mark.parametrize("samples", [0, 1, 588, 30, -1, -600, 1_176])
def test_a_disc_with_data_tells_its_write_offset(tmp_path: Path, samples: int) -> None:
    path = dumped(tmp_path, MIXED, samples=samples)
    assert recognised_format(path) == "scram"
    image = open_image(path)
    assert [note.code for note in image.notes] == ["write-offset"] * (samples != 0)
    assert all(f"{samples} samples" in note.message for note in image.notes)
    # The file ends where the sectors would, were they in their place.
    same(MIXED, path, -150, 890)


def test_a_disc_of_sound_is_taken_as_it_is(tmp_path: Path) -> None:
    path = dumped(tmp_path, SOUND)
    assert [note.code for note in open_image(path).notes] == ["write-offset"]
    same(SOUND, path, -150, 700)


@pytest.mark.parametrize(("toc", "fulltoc"), [(True, False), (False, True)])
def test_either_table_of_contents_will_do(tmp_path: Path, toc: bool, fulltoc: bool) -> None:
    same(MIXED, dumped(tmp_path, MIXED, toc=toc, fulltoc=fulltoc), -150, 890)


def test_of_two_the_short_one_is_believed(tmp_path: Path) -> None:
    path = dumped(tmp_path, MIXED)
    session = MIXED.disc.sessions[0]
    other = replace(MIXED.disc, sessions=(replace(session, lead_out_lba=800),))
    tracks = (session.tracks[0], replace(session.tracks[1], four_channel=True))
    other = replace(other, sessions=(replace(session, tracks=tracks),))
    (tmp_path / "a.fulltoc").write_bytes(scsi_full_toc(other))
    image = open_image(path)
    assert image.disc == MIXED.disc
    assert [note.code for note in image.notes] == ["toc-differs"]


def test_without_any_it_is_refused(tmp_path: Path) -> None:
    path = dumped(tmp_path, MIXED, toc=False, fulltoc=False)
    with pytest.raises(StorageError, match=r"neither \.fulltoc nor \.toc"):
        open_image(path)


def test_without_subcode_it_is_made(tmp_path: Path) -> None:
    path = dumped(tmp_path, MIXED, sub=False)
    image = open_image(path)
    assert [note.code for note in image.notes] == ["no-subcode"]
    assert image.disc.mcn is None
    assert [track.start_lba for track in image.disc.tracks] == [0, 450]
    for lba in (0, 299, 450, 799):
        assert image.read(lba, 1)[:2352] == MIXED.read(lba, 1)[:2352]


@pytest.mark.parametrize("first", [-75, -1, 0, -22_650])
def test_what_was_not_read_before_the_first_track_is_made(tmp_path: Path, first: int) -> None:
    same(MIXED, dumped(tmp_path, MIXED, first=first, end=850), first, 850)


def test_what_was_read_of_lead_in_and_lead_out_is_kept(tmp_path: Path) -> None:
    image = MIXED.with_style("cdrecord")
    opened = open_image(dumped(tmp_path, image, first=-22_650))
    assert opened.read(-22_650, 22_650 + 900) == image.read(-22_650, 22_650 + 900)


def test_titles_lie_beside_it(tmp_path: Path) -> None:
    path = dumped(tmp_path, MIXED)
    text = titles(9)
    (tmp_path / "a.cdtext").write_bytes(text.to_cdt(header=True, first_track=1, last_track=2))
    assert open_image(path).disc == replace(MIXED.disc, cdtext=text)
    (tmp_path / "a.cdtext").write_bytes(b"xx")
    with pytest.raises(FormatError, match=r"a\.cdtext: offset 0: 2 bytes"):
        open_image(path)


def test_two_sessions(tmp_path: Path) -> None:
    first = plain_disc().sessions[0]
    lead_in = first.end_lba
    start = lead_in + 4_650
    track = Track(
        number=3,
        mode=TrackMode.MODE1,
        indexes=(Index(number=0, lba=start - 150), Index(number=1, lba=start)),
        end_lba=start + 40,
    )
    second = Session(
        tracks=(track,), lead_in_lba=lead_in, lead_out_lba=start + 40, lead_out_sectors=2_250
    )
    disc = Disc(sessions=(first, second))
    sectors = ArraySource(b"".join(blocks("MODE1", 2352, 40, lba=start)))
    main = (
        *blanks(disc, disc.first_lba, 0),
        Region(lba=0, sectors=600, form=MainForm.DISC, source=PatternSource(block_count=600)),
        *blanks(disc, 600, start),
        Region(lba=start, sectors=40, form=MainForm.PLAIN, source=sectors),
        *blanks(disc, start + 40, disc.end_lba),
    )
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    image = RegionImage(disc=disc, main=main, sub=(made,))
    path = dumped(tmp_path, image, samples=12)
    same(image, path, -150, disc.sessions[1].lead_out_lba)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.fulltoc", b"", "its table of contents: .*no table of contents"),
        ("a.fulltoc", b"\0\x02\x01\x01", "neither .fulltoc nor .toc|its table of contents"),
        ("a.fulltoc", bytes(2 * 1024 * 1024), "bytes are too many"),
        ("a.toc", b"\0\x02\x01\x01", "its .toc has no track"),
        ("a.toc", b"\0", "its table of contents"),
    ],
)
def test_what_is_no_table_of_contents_is_refused(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    path = dumped(tmp_path, MIXED, toc=False, fulltoc=False)
    (tmp_path / name).write_bytes(data)
    with pytest.raises((FormatError, StorageError), match=says):
        open_image(path)


def test_a_dump_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = dumped(tmp_path, MIXED)
    with path.open("rb+") as file:
        file.truncate((799 - FIRST) * 2352)
    with pytest.raises(FormatError, match="ends before LBA 799, and the lead-out begins at 800"):
        open_image(path)


def test_any_bytes_beside_it_load_or_raise_one_of_three_errors() -> None:
    class Contract(FormatContract):
        name = "scram"

    with folder() as place:
        path = dumped(place, MIXED)
        whole = {name: (place / name).read_bytes() for name in ("a.toc", "a.fulltoc")}

        @given(st.sampled_from(sorted(whole)), st.integers(0, 60), st.integers(0, 7))
        def law(name: str, at: int, bit: int) -> None:
            held = bytearray(whole[name])
            held[at % len(held)] ^= 1 << bit
            other = next(each for each in whole if each != name)
            (place / other).unlink(missing_ok=True)
            (place / name).write_bytes(held)
            Contract().try_to_load(path)

        law()


@given(st.binary(max_size=3_000))
def test_any_bytes_load_or_raise_one_of_three_errors(junk: bytes) -> None:
    class Contract(FormatContract):
        name = "scram"

    with folder() as place:
        (place / "a.scram").write_bytes(junk)
        (place / "a.toc").write_bytes(junk)
        (place / "a.fulltoc").write_bytes(scsi_full_toc(MIXED.disc))
        Contract().try_to_load(place / "a.scram")
