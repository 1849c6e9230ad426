"""Files of 2,048-byte sectors: one Mode 1 track, and nothing else."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blank, main_sectors
from rawcd.plugins import open_image, recognised_format, save_image
from rawcd.sector import SectorType
from rawcd.source import ArraySource, Source
from rawcd_formats.iso import IsoFormat
from tests.contract.format_contract import (
    TEXT_MAKERS,
    FormatContract,
    with_rw,
    with_sound_at,
    with_stored_pq,
)
from tests.oracles.blocks import blank as blank_sector
from tests.oracles.blocks import blocks, sector
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.image import DiscImage

DESCRIPTOR = b"\x01CD001\x01\x00"
"""How the first volume descriptor begins (ECMA-119 8.4)."""


def track(sectors: int = 300, **more: Any) -> Track:
    indexes = (Index(number=0, lba=-150), Index(number=1, lba=0))
    fields = {"number": 1, "mode": TrackMode.MODE1, "indexes": indexes, "end_lba": sectors, **more}
    return Track(**fields)


def data_image(
    *,
    of: Track | None = None,
    data: Source | None = None,
    recorded_from: int | None = None,
    session: Any = None,
    **disc: Any,
) -> RegionImage:
    """A disc of one data track, noise in it, and whatever is asked for."""
    one = of or track()
    made = Session(tracks=(one,), lead_out_lba=one.end_lba, **(session or {}))
    whole = Disc(sessions=(made,), **disc)
    first, end = whole.first_lba, one.end_lba
    start = one.start_lba if recorded_from is None else recorded_from
    kind = {TrackMode.MODE0: SectorType.MODE_ZERO}.get(one.mode, SectorType.MODE1)
    count = end - start
    size = 2336 if kind is SectorType.MODE_ZERO else 2048
    rows = np.zeros((count, size), np.uint8) if size == 2336 else noise_rows(count, size)
    user = Region(
        lba=start,
        sectors=count,
        form=MainForm.USER,
        source=data or ArraySource(rows, block_size=size),
        sector_type=kind,
    )
    sub = SubRegion(lba=first, sectors=whole.end_lba - first, form=SubForm.MADE)
    main = (blank(first, start - first, kind), user, blank(end, whole.end_lba - end, kind))
    return RegionImage(disc=whole, main=main, sub=(sub,))


def with_wrong_bit(image: RegionImage) -> RegionImage:
    """The image with its track as whole sectors, of which one has a wrong bit in its parity."""
    rows = main_sectors(image, 0, 300)
    rows[299, 2300] ^= 1
    region = replace(
        image.main[1], form=MainForm.PLAIN, source=ArraySource(rows.tobytes()), start=0
    )
    return replace(image, main=(image.main[0], region, *image.main[2:]))


def two_sessions() -> RegionImage:
    first = data_image().disc.sessions[0]
    start = first.end_lba + 4_650
    indexes = (Index(number=0, lba=start - 150), Index(number=1, lba=start))
    second = Session(
        tracks=(track(number=2, indexes=indexes, end_lba=start + 300),),
        lead_in_lba=first.end_lba,
        lead_out_lba=start + 300,
        lead_out_sectors=2_250,
    )
    disc = Disc(sessions=(first, second))
    sub = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    main = (blank(disc.first_lba, disc.end_lba - disc.first_lba, SectorType.MODE1),)
    return RegionImage(disc=disc, main=main, sub=(sub,))


later = (Index(number=0, lba=-150), Index(number=1, lba=75))
more_indexes = (Index(number=0, lba=-150), Index(number=1, lba=0), Index(number=2, lba=150))
MAKERS: dict[Feature, Callable[[], RegionImage]] = {
    Feature.MCN: lambda: data_image(mcn="2000000001234"),
    Feature.ISRC: lambda: data_image(of=track(isrc="XXRCD2600001")),
    Feature.COPY_PERMITTED: lambda: data_image(of=track(copy=CopySetting.PERMITTED)),
    Feature.SCMS: lambda: data_image(of=track(copy=CopySetting.SCMS)),
    Feature.PRE_EMPHASIS: lambda: data_image(of=track(pre_emphasis=True)),
    Feature.FOUR_CHANNEL: lambda: data_image(of=track(four_channel=True)),
    Feature.PREGAPS: lambda: data_image(of=track(indexes=later)),
    Feature.INDEXES: lambda: data_image(of=track(indexes=more_indexes)),
    Feature.FIRST_PREGAP_SOUND: lambda: with_sound_at(data_image(), -100),
    Feature.FIRST_TRACK_NUMBER: lambda: data_image(of=track(number=4)),
    Feature.DATA_TRACKS: data_image,
    Feature.MODE0_TRACKS: lambda: data_image(of=track(mode=TrackMode.MODE0)),
    Feature.DISC_TYPE: lambda: data_image(session={"disc_type": DiscType.XA}),
    Feature.CDI_TYPE: lambda: data_image(
        of=track(mode=TrackMode.MODE2), session={"disc_type": DiscType.CDI}
    ),
    Feature.SESSIONS: two_sessions,
    Feature.APPENDABLE: lambda: data_image(appendable=True),
    Feature.PREGAP_DATA: lambda: data_image(of=track(600, indexes=later), recorded_from=0),
    Feature.RAW_SECTORS: lambda: with_wrong_bit(data_image()),
    Feature.STORED_PQ: lambda: with_stored_pq(data_image()),
    Feature.OUTER_PQ: lambda: with_stored_pq(data_image(), outer=True),
    Feature.RW: lambda: with_rw(data_image(of=track(mode=TrackMode.AUDIO))),
    Feature.DATA_RW: lambda: with_rw(data_image()),
    Feature.OUTER_RW: lambda: with_rw(data_image(), outer=True),
    Feature.LEAD_IN_DATA: lambda: with_sound_at(data_image(), -5_000),
    Feature.LEAD_OUT_DATA: lambda: with_sound_at(data_image(), 700),
    Feature.LEAD_OUT_LENGTH: lambda: data_image(session={"lead_out_sectors": 2_250}),
}


class TestContract(FormatContract):
    name = "iso"
    never = frozenset(
        {
            Feature.MODE0_TRACKS,
            Feature.CDI_TYPE,
            Feature.SESSIONS,
            Feature.PREGAPS,
            Feature.PREGAP_DATA,
            Feature.RW,
        }
    )

    def images(self) -> st.SearchStrategy[RegionImage]:
        return st.integers(1, 700).map(lambda sectors: data_image(of=track(sectors)))

    def image_with(self, feature: Feature) -> RegionImage:
        text = TEXT_MAKERS.get(feature)
        return data_image(cdtext=text()) if text else MAKERS[feature]()

    def small_image(self) -> RegionImage:
        return data_image(of=track(20))


# -- reading -----------------------------------------------------------------------------------


def written(folder: Path, data: bytes, name: str = "a.iso") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_user_data_becomes_mode_1_sectors(tmp_path: Path) -> None:
    user = blocks("MODE1", 2048, 300)
    image = open_image(written(tmp_path, b"".join(user)))
    (session,) = image.disc.sessions
    assert (session.disc_type, session.lead_out_lba, image.first_lba) == (0, 300, -22_650)
    assert image.disc.tracks == (track(),)
    for lba in (0, 16, 299):
        assert main_sectors(image, lba, 1).tobytes() == sector("MODE1", user[lba], lba)
    for lba in (-22_650, -150, -1, 300, 7_049):
        assert main_sectors(image, lba, 1).tobytes() == blank_sector("MODE1", lba)


@pytest.mark.parametrize("identifier", [b"CD001", b"BEA01", b"NSR02", b"NSR03", b"CDW02"])
def test_a_file_system_is_known_by_its_first_descriptor(tmp_path: Path, identifier: bytes) -> None:
    data = bytes(16 * 2048) + b"\x01" + identifier + bytes(2042)
    assert recognised_format(written(tmp_path, data, "disc.img")) == "iso"
    assert IsoFormat().accepts("a.iso", data) > IsoFormat().accepts("a.img", data)
    assert IsoFormat().accepts("a.img", data) > IsoFormat().accepts("a.iso", bytes(2048)) > 0
    assert IsoFormat().accepts("a.img", b"\0" + data) == 0


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes are 0 sectors"),
        (1, "remainder of 1;"),
        (2047, "remainder of 2047;"),
        (300 * 2048 + 5, "300 sectors of 2048 bytes and a remainder of 5; the file was cut short"),
    ],
)
def test_what_is_no_whole_sectors_is_refused_with_the_remainder(
    tmp_path: Path, size: int, words: str
) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        open_image(written(tmp_path, bytes(size)))
    assert caught.value.file == str(tmp_path / "a.iso")


def test_whole_sectors_are_none_of_its_business(tmp_path: Path) -> None:
    whole = b"".join(blank_sector("MODE1", lba) for lba in range(128))
    with pytest.raises(FormatError, match=r"whole sectors of 2352 bytes.*MODE1/2352"):
        open_image(written(tmp_path, whole), format="iso")


def test_what_is_larger_than_any_disc(tmp_path: Path) -> None:
    """398,100 sectors and a lead-out of 6,750 reach 89:59:74, the last address there is."""
    for sectors, fits in ((398_100, True), (398_101, False)):
        with (tmp_path / "a.iso").open("wb") as file:
            file.truncate(2048 * sectors)
        if fits:
            assert open_image(tmp_path / "a.iso").disc.end_lba == 404_850
        else:
            with pytest.raises(FormatError, match="larger than any disc"):
                open_image(tmp_path / "a.iso")


# -- writing -----------------------------------------------------------------------------------


def test_what_is_written_is_the_user_data(tmp_path: Path) -> None:
    user = b"".join(blocks("MODE1", 2048, 300))
    image = open_image(written(tmp_path, user))
    for name in ("b.iso", "c.raw", "d.cue"):
        save_image(image, tmp_path / name)
        save_image(open_image(tmp_path / name), tmp_path / f"from {name}.iso")
        assert (tmp_path / f"from {name}.iso").read_bytes() == user
    assert (tmp_path / "b.iso").read_bytes() == user
    stream = io.BytesIO()
    save_image(image, stream, format="iso")
    assert stream.getvalue() == user


def two_tracks(second: TrackMode) -> DiscImage:
    image = data_image(of=track(600))
    session = image.disc.sessions[0]
    tracks = (
        track(300),
        Track(number=2, mode=second, indexes=(Index(number=1, lba=300),), end_lba=600),
    )
    return replace(image, disc=replace(image.disc, sessions=(replace(session, tracks=tracks),)))


@pytest.mark.parametrize(
    ("image", "says", "lost"),
    [
        (two_tracks(TrackMode.MODE1), r"has 2 \(1 mode1, 2 mode1\)", ("track 1", "track 2")),
        (two_tracks(TrackMode.AUDIO), r"has 2 \(1 mode1, 2 audio\)", ("track 1", "track 2")),
        (data_image(of=track(mode=TrackMode.AUDIO)), r"has 1 \(1 audio\)", ("track 1",)),
        (
            data_image(of=track(mode=TrackMode.MODE2), session={"disc_type": DiscType.XA}),
            r"has 1 \(1 mode2\)",
            ("track 1",),
        ),
    ],
    ids=["two of mode 1", "mode 1 and sound", "sound", "mode 2"],
)
def test_other_discs_are_refused_by_their_tracks(
    tmp_path: Path, image: DiscImage, says: str, lost: tuple[str, ...]
) -> None:
    with pytest.raises(UnsupportedError, match=rf"iso holds one track of mode 1; .*{says}") as told:
        save_image(image, tmp_path / "a.iso")
    assert told.value.lost == lost
    assert not list(tmp_path.iterdir())


def damaged(folder: Path, byte: int) -> DiscImage:
    """A disc of whole sectors, of which the last has one wrong bit."""
    whole = bytearray(b"".join(blank_sector("MODE1", lba) for lba in range(300)))
    whole[2352 * 299 + byte] ^= 0x40
    written(folder, bytes(whole), "a.bin")
    sheet = b'FILE "a.bin" BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n'
    return open_image(written(folder, sheet, "a.cue"))


PARTS = {0: "SYNC", 13: "ADDRESS", 15: "MODE", 1000: "EDC", 2070: "ZEROS", 2076: "P", 2351: "Q"}


@pytest.mark.parametrize("byte", PARTS)
def test_a_sector_that_user_data_would_not_make_again_is_refused(tmp_path: Path, byte: int) -> None:
    image = damaged(tmp_path, byte)
    with pytest.raises(UnsupportedError) as caught:
        save_image(image, tmp_path / "a.iso")
    (lost,) = caught.value.lost
    assert lost.startswith("track 1: the sector at LBA 299 as it is: no clean MODE1 sector")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.cue"]
    result = save_image(image, tmp_path / "a.iso", allow_loss=True)
    assert tuple(map(str, result.losses)) == (lost,)


@pytest.mark.parametrize(("byte", "part"), PARTS.items())
def test_the_refusal_says_what_is_wrong(tmp_path: Path, byte: int, part: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"\b{part}\b"):
        save_image(damaged(tmp_path, byte), tmp_path / "a.iso")


def test_an_iso_is_not_written_over_itself(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(2048 * 300))
    with pytest.raises(StorageError, match="is one of the inputs"):
        save_image(open_image(path), path, replace=True)
    assert path.read_bytes() == bytes(2048 * 300)
