"""Complete raw images, and the disc read back from their Q channel alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rawcd.creator import RawCDImageCreator
from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import Feature
from rawcd.graphics import with_graphics
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.msf import Msf
from rawcd.plugins import open_image, save_image
from rawcd.qscan import recover_disc
from rawcd.source import BlockSource, MemoryBytes, SilenceSource
from rawcd.subcode import PackKind, with_parity
from rawcd.subcode.frame import QCatalog, QIsrc, QPointer, QPosition, q_crc
from rawcd.subcode.rows import pq_of_pw96
from rawcd_formats.raw import RawFormat
from tests.contract.format_contract import (
    FormatContract,
    assert_same_bytes,
    image_with,
    plain_disc,
    scaled,
)
from tests.strategies import discs, image_of, images, isrcs, mcns, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Bytes2D

SHORT = 650
"""Sectors before LBA 0 of a short image: 500 of lead-in, then the first pregap."""
short_discs = discs(lead_ins=(-SHORT,), lead_out_sectors=(200,), titles=False)


class TestContract(FormatContract):
    name = "raw"
    complete = True
    examples = 25

    def images(self) -> st.SearchStrategy[RegionImage]:
        """Of every kind and style, the lead-in anywhere."""
        return images(
            discs(
                lead_ins=(-22_650, -11_634, -SHORT, -SHORT),
                lead_out_sectors=(6_750, 200, 1),
                titles=False,
            ),
            sound_before_zero=True,
            kinds=tuple(ImageType),
            styles=("standard", "cdrdao", "cdrecord"),
        )


def full_disc(lead_in_lba: int = -SHORT, lead_out_sectors: int = 200) -> Disc:
    """Everything that Q can say of an audio disc."""
    tracks = (
        Track(
            number=4,
            indexes=(Index(number=0, lba=-150), Index(number=1, lba=37), Index(number=2, lba=38)),
            end_lba=500,
            copy=CopySetting.PERMITTED,
            isrc="XXRCD2600001",
        ),
        Track(
            number=5,
            indexes=(
                Index(number=0, lba=500),
                *(Index(number=number, lba=650 + 5 * number) for number in range(1, 100)),
            ),
            end_lba=1_300,
            copy=CopySetting.SCMS,
            pre_emphasis=True,
        ),
        Track(
            number=6,
            indexes=(Index(number=1, lba=1_300),),
            end_lba=1_601,
            four_channel=True,
            isrc="00A0Z0000009",
        ),
        Track(
            number=7,
            indexes=(Index(number=0, lba=1_601), Index(number=1, lba=1_602)),
            end_lba=2_000,
        ),
    )
    session = Session(
        tracks=tracks,
        lead_in_lba=lead_in_lba,
        lead_out_lba=2_000,
        lead_out_sectors=lead_out_sectors,
    )
    return Disc(sessions=(session,), mcn="0000000000017")


def subcode_of(image: RegionImage) -> Bytes2D:
    rows = np.empty((image.sector_count, image.kind.sub_bytes), np.uint8)
    image.read_sub_into(image.first_lba, rows)
    return rows


def recovered(rows: Bytes2D) -> Disc:
    """The disc that rows of subcode tell of; the sound does not matter."""
    source = BlockSource(MemoryBytes(rows.tobytes(), name="a.raw"), block_size=rows.shape[1])
    return recover_disc(source, SilenceSource(block_count=len(rows)))


# -- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ImageType)
@pytest.mark.parametrize("style", ["standard", "cdrdao", "cdrecord"])
@pytest.mark.parametrize("lead_in", [-22_650, -11_634, -SHORT])
def test_every_field_comes_back(kind: ImageType, style: str, lead_in: int) -> None:
    image = image_of(full_disc(), kind=kind).with_style(style).with_lead_in(lead_in)
    assert recovered(subcode_of(image)) == full_disc(lead_in)


@settings(max_examples=scaled(60))
@given(
    images(
        discs(max_tracks=99, lead_ins=(-SHORT,), lead_out_sectors=(200,), titles=False),
        kinds=tuple(ImageType),
        styles=("standard", "cdrdao", "cdrecord"),
    )
)
def test_a_disc_comes_back_from_its_subcode(image: RegionImage) -> None:
    assert recovered(subcode_of(image)) == image.disc


def damaged(
    image: RegionImage, *, seed: int, share: float, spared: set[int] | frozenset[int]
) -> Bytes2D:
    """Subcode with bits flipped in the Q of a share of its sectors.

    Every second frame of modes 2 and 3 is spared: what stands on a disc only three times could
    be lost altogether.
    """
    rows = subcode_of(image)
    rng = np.random.default_rng(seed)
    wide = rows.shape[1] == 96
    adr = (pq_of_pw96(rows)[0] if wide else rows)[:, 0] & 15
    hit = rng.random(len(rows)) < share
    hit[[lba - image.first_lba for lba in spared]] = False
    hit[np.flatnonzero(adr == 2)[::2]] = False
    hit[np.flatnonzero(adr == 3)[::2]] = False
    for row in np.flatnonzero(hit):
        bits = rng.choice(96, rng.integers(1, 9), replace=False)
        for bit in bits:
            if wide:
                rows[row, bit] ^= 0x40
            else:
                rows[row, bit // 8] ^= 0x80 >> bit % 8
    assert hit.any() or share * len(rows) < 20  # else there is nothing to see
    return rows


@settings(max_examples=scaled(40))
@given(
    images(short_discs, kinds=(ImageType.PQ_ONLY, ImageType.RAW)),
    st.integers(0, 1_000_000),
    st.sampled_from([0.01, 0.03, 0.05]),
)
def test_damaged_frames_are_outvoted(image: RegionImage, seed: int, share: float) -> None:
    """A few in a hundred, anywhere but on the first sector of an index, which alone tells it."""
    borders = {index.lba for track in image.disc.tracks for index in track.indexes}
    assert recovered(damaged(image, seed=seed, share=share, spared=borders)) == image.disc


@settings(max_examples=scaled(40))
@given(short_discs, st.integers(0, 95), st.data())
def test_a_damaged_first_sector_moves_its_index_to_the_next_frame_of_mode_1(
    disc: Disc, bit: int, data: st.DataObject
) -> None:
    """Nothing else tells where it was. (An index without such a frame is gone: not here.)"""
    borders = {index.lba for track in disc.tracks for index in track.indexes}
    borders.add(disc.tracks[-1].end_lba)
    places = [
        (place, index)
        for place, track in enumerate(disc.tracks)
        for index in track.indexes
        if index.number != 1
        and index.lba != -150
        and borders.isdisjoint(range(index.lba + 1, index.lba + 4))
    ]
    assume(places)
    place, index = data.draw(st.sampled_from(places))
    rows = subcode_of(image_of(disc))
    rows[index.lba - disc.first_lba, bit] ^= 0x40
    found = lbas(recovered(rows), place)
    moved = found[index.number] - index.lba
    assert 1 <= moved <= 4  # frames of mode 2 and 3 may stand there, themselves moved
    assert found == {**lbas(disc, place), index.number: index.lba + moved}


def lbas(disc: Disc, place: int) -> dict[int, int]:
    return {index.number: index.lba for index in disc.tracks[place].indexes}


times = st.builds(Msf, st.integers(0, 99), st.integers(0, 59), st.integers(0, 74))
numbers = st.integers(0, 99)
nibbles = st.integers(0, 15)
frames = st.one_of(
    st.builds(
        QPosition,
        control=nibbles,
        track=st.integers(1, 99) | st.just(0xAA),
        index=numbers,
        relative=times,
        absolute=times,
    ),
    st.builds(
        QPointer,
        control=nibbles,
        adr=st.sampled_from([1, 1, 5]),
        point=st.sampled_from([0xA0, 0xA1, 0xA2, 0xB0, 0xC0, 1, 2, 3, 0xFF]),
        value=st.binary(min_size=3, max_size=3) | times.map(Msf.bcd),
    ),
    st.builds(QCatalog, control=nibbles, mcn=mcns(), frame=st.integers(0, 74)),
    st.builds(QIsrc, control=nibbles, isrc=isrcs(), frame=st.integers(0, 74)),
)


@given(
    st.lists(
        st.tuples(st.integers(0, 1_249), st.sampled_from([1, 3, 40, 500, 2_000]), frames),
        max_size=8,
    ),
    st.sampled_from([-450, -400, -200]),
)
def test_frames_with_a_right_crc_that_lie_load_or_raise_one_error(
    lies: list[tuple[int, int, QPosition | QPointer | QCatalog | QIsrc]], lead_in: int
) -> None:
    disc = plain_disc(lead_in_lba=lead_in, lead_out_sectors=200, mcn="2000000001234")
    rows = subcode_of(image_of(disc, kind=ImageType.PQ_ONLY))
    for start, count, frame in lies:
        rows[start : start + count, :12] = np.frombuffer(frame.build(), np.uint8)
    with suppress(FormatError, UnsupportedError):
        recovered(rows)


@given(st.lists(st.binary(min_size=10, max_size=10), min_size=1, max_size=40), st.integers(1, 99))
def test_any_frames_with_a_right_crc_load_or_raise_one_error(
    bodies: list[bytes], repeats: int
) -> None:
    stored = [body + q_crc(body).to_bytes(2, "big") + bytes(4) for body in bodies]
    rows = np.frombuffer(b"".join(stored), np.uint8).reshape(-1, 16).repeat(repeats, axis=0)
    with suppress(FormatError, UnsupportedError):
        recovered(rows)


# -- what disagrees is outvoted ----------------------------------------------------------------


def test_a_lying_item_of_the_table_of_contents_is_outvoted() -> None:
    rows = subcode_of(image_of(full_disc(), kind=ImageType.PQ_ONLY))
    for row, point, value in [
        (0, 0x04, Msf(1, 0, 0).bcd()),
        (7, 0xA2, Msf(70, 0, 0).bcd()),
        (40, 0xA0, b"\x01\0\0"),
        (41, 0xA1, b"\x99\0\0"),
    ]:
        lie = QPointer(control=3, point=point, value=value)
        rows[row, :12] = np.frombuffer(lie.build(), np.uint8)
    assert recovered(rows) == full_disc()


def test_a_lying_mcn_and_isrc_are_outvoted() -> None:
    rows = subcode_of(image_of(full_disc(), kind=ImageType.PQ_ONLY))
    program = np.arange(len(rows)) >= SHORT
    catalogs = np.flatnonzero(((rows[:, 0] & 15) == 2) & program)
    codes = np.flatnonzero(((rows[:, 0] & 15) == 3) & program)
    catalog = QCatalog(control=0, mcn="2000000001234", frame=0)
    code = QIsrc(control=0, isrc="AAAAA0000000", frame=0)
    rows[catalogs[0], :12] = np.frombuffer(catalog.build(), np.uint8)
    rows[codes[0], :12] = np.frombuffer(code.build(), np.uint8)
    assert recovered(rows) == full_disc()


def test_two_damaged_frames_before_a_border_do_not_move_it() -> None:
    image = image_of(full_disc())
    rows = subcode_of(image)
    for lba in (498, 499):
        rows[lba + SHORT, 20] ^= 0x40
    assert recovered(rows) == full_disc()


# -- few frames are read -----------------------------------------------------------------------


@dataclass
class CountedSubcode:
    """The subcode of an image, made when asked for; tells how much was."""

    image: RegionImage
    asked: list[int] = field(default_factory=list)
    name: str = "long.raw"
    block_size: int = 96

    @property
    def block_count(self) -> int:
        return self.image.sector_count

    def read(self, start: int, count: int) -> bytes:
        self.asked.append(count)
        rows = np.empty((count, 96), np.uint8)
        self.image.read_sub_into(self.image.first_lba + start, rows)
        return rows.tobytes()


def long_disc(tracks: int) -> Disc:
    """Eighty minutes, 360,000 sectors, with pregaps and some indexes."""
    each = 360_000 // tracks
    made = []
    for place in range(tracks):
        lba = place * each
        lbas = [lba, lba + 150, lba + 1_000, lba + each - 20] if place else [-150, 0, 77, 999]
        made.append(
            Track(
                number=place + 1,
                indexes=tuple(Index(number=number, lba=at) for number, at in enumerate(lbas)),
                end_lba=lba + each,
                isrc=f"XXRCD26{place:05}",
            )
        )
    session = Session(tracks=tuple(made), lead_out_lba=tracks * each)
    return Disc(sessions=(session,), mcn="2000000001234")


@pytest.mark.parametrize("tracks", [1, 12, 80])
def test_a_long_disc_is_known_from_few_frames(tracks: int) -> None:
    """Some hundreds for the lead-in, then 200 and the bisections of three indexes a track."""
    disc = long_disc(tracks)
    subcode = CountedSubcode(image_of(disc))
    assert recover_disc(subcode, SilenceSource(block_count=subcode.block_count)) == disc
    bisections = 3 * 2 * 19  # log2 of 389,400 is below 19
    assert sum(subcode.asked) <= 1_000 + tracks * (200 + bisections)
    assert max(subcode.asked) <= 1_000


def test_opening_reads_none_of_the_sound(tmp_path: Path) -> None:
    """A hole in the file where the sound is: what is not read need not be there."""
    image = image_of(full_disc())
    path = tmp_path / "a.raw"
    rows = np.zeros((image.sector_count, 2448), np.uint8)
    rows[:, 2352:] = subcode_of(image)
    path.write_bytes(rows.tobytes())
    assert open_image(path).disc == full_disc()


# -- bytes pass unchanged ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ImageType)
def test_a_damaged_file_saves_as_itself(tmp_path: Path, kind: ImageType) -> None:
    """Stored subcode is never repaired."""
    image = image_of(full_disc(), kind=kind)
    borders = {index.lba for track in full_disc().tracks for index in track.indexes}
    rows = np.empty((image.sector_count, image.sector_size), np.uint8)
    rows[:, :2352] = noise_rows(image.sector_count)
    rows[:, 2352:] = damaged(image, seed=7, share=0.04, spared=borders)
    (tmp_path / "a.raw").write_bytes(rows.tobytes())
    opened = open_image(tmp_path / "a.raw")
    assert opened.disc == full_disc()
    save_image(opened, tmp_path / "b.raw")
    assert (tmp_path / "b.raw").read_bytes() == rows.tobytes()


def test_rw_is_taken_for_what_it_is_said_to_be(tmp_path: Path) -> None:
    image = image_with(Feature.RW)
    save_image(image, tmp_path / "a.raw")
    assert open_image(tmp_path / "a.raw").kind is ImageType.RAW
    cooked = open_image(tmp_path / "a.raw", rw=ImageType.COOKED)
    assert cooked.kind is ImageType.COOKED
    assert_same_bytes(image.taking_rw_as(ImageType.COOKED), cooked)


@pytest.mark.parametrize("parity", [True, False])
def test_packs_before_interleave_tell_themselves(tmp_path: Path, parity: bool) -> None:
    """A file does not say which type its image has; taken for RAW, its graphics would be lost."""
    shown = np.random.default_rng(2).integers(0, 64, (4 * 700, 24), np.uint8)
    shown[:, 0] = PackKind.TV_GRAPHICS
    shown[:, 2:4] = shown[:, 20:] = 0
    packs = with_parity(shown) if parity else shown
    (tmp_path / "in.cdg").write_bytes(packs.tobytes())
    creator = RawCDImageCreator()
    creator.add_track(SilenceSource(block_count=30_000))
    creator.add_track(SilenceSource(block_count=1_000))
    image = with_graphics(creator.create_result_image(), {2: tmp_path / "in.cdg"})
    for kind in (ImageType.COOKED, ImageType.RAW):
        save_image(image.as_kind(kind), tmp_path / "a.raw", replace=True)
        opened = open_image(tmp_path / "a.raw")
        assert opened.kind is kind
        told = {note.code for note in opened.notes}
        assert ("rw-packs" in told) == (kind is ImageType.COOKED)
        laid = np.frombuffer(opened.as_kind(ImageType.RAW).read(30_200, 100), np.uint8)
        expected = image.as_kind(ImageType.RAW).read(30_200, 100)
        assert laid.tobytes() == expected


def test_recorded_rw_has_no_place_in_16_bytes(tmp_path: Path) -> None:
    image = image_with(Feature.RW).as_kind(ImageType.PQ_ONLY)
    with pytest.raises(UnsupportedError, match="R-W subcode") as caught:
        save_image(image, tmp_path / "a.raw")
    assert [name[:20] for name in caught.value.lost] == [
        f"track {number}: R-W subcode" for number in (1, 2)
    ]
    save_image(image, tmp_path / "a.raw", allow_loss=True)
    assert open_image(tmp_path / "a.raw").disc == image.disc


def test_pq_of_a_stored_96_byte_image_can_be_given_in_16(tmp_path: Path) -> None:
    save_image(image_of(full_disc()), tmp_path / "a.raw")
    opened = open_image(tmp_path / "a.raw")
    assert isinstance(opened, RegionImage)
    save_image(opened.as_kind(ImageType.PQ_ONLY), tmp_path / "b.raw")
    assert_same_bytes(open_image(tmp_path / "b.raw"), image_of(full_disc(), kind=ImageType.PQ_ONLY))


# -- recognition and refusal -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ImageType)
@pytest.mark.parametrize("style", ["standard", "cdrdao", "cdrecord"])
@pytest.mark.parametrize("name", ["a.raw", "a.bin", "a.img", "a", "a.cue", "a.wav"])
def test_it_is_known_by_its_q_whatever_its_name(kind: ImageType, style: str, name: str) -> None:
    image = image_of(full_disc(), kind=kind).with_style(style)
    head = image.read(image.first_lba, 26)
    assert RawFormat().accepts(name, head) == 100
    for start in (1, 16, 2352):
        assert RawFormat().accepts(name, head[start:]) == 0


def test_half_of_the_first_frames_may_be_damaged() -> None:
    image = image_of(full_disc())
    head = bytearray(image.read(image.first_lba, 26))
    for sector in range(13):
        head[sector * 2448 + 2352 + 5] ^= 0x40
    assert RawFormat().accepts("a.raw", bytes(head)) == 100
    head[13 * 2448 + 2352 + 5] ^= 0x40
    assert RawFormat().accepts("a.raw", bytes(head)) == 0


def test_a_lead_out_cut_short_is_noted(tmp_path: Path) -> None:
    image = image_of(full_disc(lead_out_sectors=6_750))
    whole = image.read(image.first_lba, image.sector_count)
    path = raw_file(tmp_path, whole[: -6_000 * 2448])
    opened = open_image(path)
    assert [note.code for note in opened.notes] == ["short-lead-out"]
    assert "750 sectors instead of 6750" in opened.notes[0].message
    assert not open_image(raw_file(tmp_path, whole)).notes


def raw_file(folder: Path, rows: bytes) -> Path:
    path = folder / "a.raw"
    path.write_bytes(rows)
    return path


@pytest.mark.parametrize("kind", [ImageType.PQ_ONLY, ImageType.RAW])
def test_a_file_cut_inside_a_sector_is_refused(tmp_path: Path, kind: ImageType) -> None:
    image = image_of(full_disc(), kind=kind)
    data = image.read(image.first_lba, image.sector_count)
    path = raw_file(tmp_path, data[:-100])
    with pytest.raises(FormatError) as caught:
        open_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert f"{len(data) - 100} bytes are no whole number of {image.sector_size}-byte" in str(
        caught.value
    )
    assert f"{image.sector_size - 100} remain" in str(caught.value)


@pytest.mark.parametrize("kept", [SHORT + 1_999, SHORT + 10, SHORT - 100, SHORT - 151])
def test_a_file_cut_before_its_lead_out_is_refused(tmp_path: Path, kept: int) -> None:
    image = image_of(full_disc())
    path = raw_file(tmp_path, image.read(image.first_lba, kept))
    with pytest.raises(FormatError) as caught:
        open_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    if kept > SHORT - 150:
        assert "the lead-out should begin at LBA 2000" in str(caught.value)
        assert f"holds LBA -{SHORT} to {kept - SHORT - 1}" in str(caught.value)
    else:
        assert "a lead-in and nothing behind it" in str(caught.value)


def test_a_file_without_its_lead_in_is_refused(tmp_path: Path) -> None:
    image = image_of(full_disc())
    path = raw_file(tmp_path, image.read(-150, 2_350))
    with pytest.raises(FormatError, match="does not begin with a lead-in") as caught:
        open_image(path)
    assert caught.value.file == str(path)
    assert "sheet" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        bytes(2352 * 100),
        bytes(2448 * 100),
        bytes(2368 * 100),
        noise_rows(100, 2352).tobytes(),
        noise_rows(100, 2448).tobytes(),
    ],
    ids=["empty", "a byte", "zeros 2352", "zeros 2448", "zeros 2368", "noise", "noise 2448"],
)
def test_what_has_no_q_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    path = raw_file(tmp_path, content)
    assert RawFormat().accepts("a.raw", content[:65_536]) == 0
    with pytest.raises(FormatError) as caught:
        open_image(path, format="raw")
    assert str(caught.value).startswith(f"{path}: ")
    assert "2,352" in str(caught.value)
    assert "sheet" in str(caught.value)
    with pytest.raises(FormatError, match="no format recognises it"):
        open_image(path)


def test_the_main_channel_alone_is_refused_with_advice(tmp_path: Path) -> None:
    image = image_of(full_disc())
    rows = np.frombuffer(image.read(image.first_lba, image.sector_count), np.uint8)
    path = raw_file(tmp_path, rows.reshape(-1, 2448)[:, :2352].tobytes())
    with pytest.raises(FormatError, match="give the sheet"):
        open_image(path)


def test_several_sessions_are_read_back(tmp_path: Path) -> None:
    image = image_with(Feature.SESSIONS)
    path = tmp_path / "a.raw"
    save_image(image, path)
    assert open_image(path).disc == image.disc
    assert len(image.disc.sessions) > 1


def test_what_no_item_of_the_lead_in_tells_the_program_does(tmp_path: Path) -> None:
    image = image_of(full_disc())
    rows = np.frombuffer(image.read(image.first_lba, image.sector_count), np.uint8)
    rows = rows.reshape(image.sector_count, -1).copy()
    points = np.packbits(rows[: SHORT - 150, 2352:] & 0x40, axis=1)[:, 2]
    rows[np.flatnonzero(points == 0xA2), 2352 + 40] ^= 0x40
    path = tmp_path / "a.raw"
    path.write_bytes(rows.tobytes())
    opened = open_image(path)
    assert opened.disc == full_disc()
    assert opened.notes[0].code == "toc-contradiction"
    assert "no readable frame of the lead-in tells point A2h" in str(opened.notes[0])


def test_a_recording_without_toc_and_lead_out_is_refused() -> None:
    rows = subcode_of(image_of(full_disc(), kind=ImageType.PQ_ONLY))
    rows[np.flatnonzero(rows[: SHORT - 150, 2] == 0xA2), 5] ^= 0xFF
    end = SHORT + full_disc().sessions[0].lead_out_lba
    with pytest.raises(FormatError, match=r"a\.raw: no readable frame of the lead-in tells"):
        recovered(rows[:end])


def test_a_long_unreadable_stretch_is_refused() -> None:
    rows = subcode_of(image_of(full_disc(), kind=ImageType.PQ_ONLY))
    rows[SHORT + 400 : SHORT + 600, 5] ^= 0xFF
    with pytest.raises(FormatError, match="no Q frame within 50 sectors of sector"):
        recovered(rows)


def test_a_lead_in_made_longer_joins_the_stored_one(tmp_path: Path) -> None:
    save_image(image_of(full_disc()), tmp_path / "a.raw")
    opened = open_image(tmp_path / "a.raw")
    assert isinstance(opened, RegionImage)
    assert [region.form for region in opened.sub] == [SubForm.RAW]
    longer = opened.with_lead_in(-SHORT - 100)
    assert longer.read(-SHORT, 1_000) == opened.read(-SHORT, 1_000)
    assert recovered(subcode_of(longer)) == full_disc(-SHORT - 100)


def test_the_program_area_alone_on_request(tmp_path: Path) -> None:
    image = image_with(Feature.SESSIONS)
    path = tmp_path / "program.bin"
    save_image(image, path, format="raw", options={"area": "program"})
    expected = b"".join(
        image.read(session.program_lba, session.lead_out_lba - session.program_lba)
        for session in image.disc.sessions
    )
    assert path.read_bytes() == expected
    with pytest.raises(UnsupportedError, match="whole or program, not 'half'"):
        save_image(image, tmp_path / "a.raw", options={"area": "half"})
