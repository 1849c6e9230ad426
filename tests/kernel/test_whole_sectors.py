"""Whole sectors as a data track: scrambled or not, of their place or of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd import (
    FormatError,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
    main_sectors,
    open_image,
    save_image,
)
from rawcd.sector import Defect, verify
from tests.data_tracks import (
    COOKED,
    LENGTH,
    RAW,
    assert_right,
    plain,
    refused,
    track_blocks,
    track_bytes,
)
from tests.imapi_codes import E_INVALIDARG
from tests.oracles import sectors as oracle
from tests.oracles.blocks import blank
from tests.pumping import share_always

if TYPE_CHECKING:
    from pathlib import Path


def scrambled(data: bytes) -> bytes:
    """Whole sectors as the disc has them; the sequence is added to all of them at once."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, 2352).copy()
    rows[:, 12:] ^= np.frombuffer(oracle.sequence(), np.uint8)
    return rows.tobytes()


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("said", [True, None])
def test_scrambled_sectors_go_to_the_disc_as_they_are(kind: str, said: bool | None) -> None:
    data = scrambled(track_bytes(kind, 2352))
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType[kind], scrambled=said)
    image = creator.create_result_image()
    assert image.read(0, LENGTH)[:2352] == data[:2352]
    assert main_sectors(image, 0, LENGTH, plain=False).tobytes() == data
    assert plain(image, 0, LENGTH) == track_bytes(kind, 2352)


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("said", [False, None])
def test_plain_sectors_are_scrambled(kind: str, said: bool | None) -> None:
    data = track_bytes(kind, 2352)
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType[kind], scrambled=said)
    image = creator.create_result_image()
    assert main_sectors(image, 0, LENGTH, plain=False).tobytes() == scrambled(data)
    assert plain(image, 0, LENGTH) == data


def test_damage_in_whole_sectors_is_kept() -> None:
    """Only the header decides; what else is wrong in a sector is its owner's affair."""
    data = bytearray(track_bytes("MODE1RAW", 2352))
    data[2352 * 7 + 100] ^= 1
    data[2352 * 8 + 2350] ^= 1
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE1RAW)
    assert plain(creator.create_result_image(), 0, LENGTH) == bytes(data)


@pytest.mark.parametrize(
    ("said", "given_", "lba"),
    [(True, "plain", 0), (False, "scrambled", 0), (None, "mixed", 123), (None, "late", 299)],
)
def test_what_is_said_of_scrambling_must_be_so(said: bool | None, given_: str, lba: int) -> None:
    whole = track_bytes("MODE1RAW", 2352)
    cut = 2352 * lba
    data = {
        "plain": whole,
        "scrambled": scrambled(whole),
        "mixed": whole[:cut] + scrambled(whole)[cut:],
        "late": scrambled(whole)[:cut] + whole[cut:],
    }[given_]
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType.MODE1RAW, scrambled=said)
    with refused(E_INVALIDARG, "track 1", f"LBA {lba}:", "scrambled"):
        creator.create_result_image()
    creator.start_of_leadout_limit = 5_000  # it stays writable


def test_mixed_sectors_are_found_wherever_they_change() -> None:
    """A thousand sectors are looked at in one go: the change may fall between two goes."""
    whole = b"".join(oracle.formless(bytes(2336), lba) for lba in range(1_500))
    for lba in (1_023, 1_024, 1_025):
        creator = RawCDImageCreator()
        cut = 2352 * lba
        data = whole[:cut] + scrambled(whole[cut:])
        creator.add_track(data, SectorType.MODE2FORM0RAW)
        with refused(E_INVALIDARG, "track 1", f"LBA {lba}:"):
            creator.create_result_image()


@pytest.mark.parametrize("in_scrambled_form", [False, True])
@pytest.mark.parametrize("kind", RAW)
def test_sectors_of_another_place_are_named(kind: str, in_scrambled_form: bool) -> None:
    data = track_bytes(kind, 2352, 1)
    creator = RawCDImageCreator()
    creator.add_track(scrambled(data) if in_scrambled_form else data, SectorType[kind])
    with refused(E_INVALIDARG, "track 1", "LBA 0:", "header"):
        creator.create_result_image()
    wrong = bytearray(track_bytes(kind, 2352))
    wrong[2352 * 250 + 14] ^= 0x01  # the frame
    creator = RawCDImageCreator()
    creator.add_track(
        scrambled(bytes(wrong)) if in_scrambled_form else bytes(wrong), SectorType[kind]
    )
    with refused(E_INVALIDARG, "track 1", "LBA 250:", "header"):
        creator.create_result_image()


@pytest.mark.parametrize(
    ("place", "byte"), [(15, 2), (0, 1), (5, 0)], ids=["another mode", "no sync", "half a sync"]
)
@pytest.mark.parametrize("in_scrambled_form", [False, True])
def test_sectors_of_another_kind_are_named(place: int, byte: int, in_scrambled_form: bool) -> None:
    wrong = bytearray(track_bytes("MODE1RAW", 2352))
    wrong[2352 * 250 + place] = byte
    creator = RawCDImageCreator()
    data = scrambled(bytes(wrong)) if in_scrambled_form else bytes(wrong)
    creator.add_track(data, SectorType.MODE1RAW)
    with refused(E_INVALIDARG, "track 1", "LBA 250:"):
        creator.create_result_image()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("AUDIO", {"scrambled": True}),
        ("AUDIO", {"subheader": bytes(4)}),
        ("AUDIO", {"block_size": 2048}),
        ("MODE1", {"scrambled": True}),
        ("MODE2FORM2", {"scrambled": False}),
    ],
    ids=repr,
)
def test_options_that_a_kind_has_no_use_for_are_refused(kind: str, options: dict[str, Any]) -> None:
    source = SilenceSource(block_count=300, block_size=2352)
    with refused(E_INVALIDARG, "track 1", *options):
        RawCDImageCreator().add_track(source, SectorType[kind], **options)


def test_a_gap_moves_whole_sectors_out_of_their_place() -> None:
    """The switch may be put after the tracks; it is judged where they lie in the end."""
    data = track_bytes("MODE2FORM2RAW", 2352), track_bytes("MODE2FORM2RAW", 2352, 450)
    creator = RawCDImageCreator()
    for each in data:
        creator.add_track(each, SectorType.MODE2FORM2RAW)
    with refused(E_INVALIDARG, "track 2", "LBA 300:"):
        creator.create_result_image()
    creator.disable_gapless_audio = True
    image = creator.create_result_image()
    assert plain(image, 0, LENGTH) + plain(image, 450, LENGTH) == b"".join(data)
    assert plain(image, 300) == blank("MODE2FORM2", 300)


@pytest.mark.parametrize("kind", COOKED)
def test_whole_sectors_of_a_plain_kind_are_checked_when_they_are_read(kind: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(track_bytes(kind, 2352, 1), SectorType[kind], block_size=2352)
    image = creator.create_result_image()
    with pytest.raises(FormatError, match="LBA 0: the header says 00:02:01, its place is 00:02:00"):
        image.read(0, 1)


@pytest.mark.parametrize(
    ("kind", "size", "other"),
    [("MODE2FORM1", 2336, "MODE2FORM2"), ("MODE2FORM2", 2336, "MODE2FORM1")],
)
def test_a_sector_of_the_other_form_is_named(
    tmp_path: Path, kind: str, size: int, other: str
) -> None:
    rows = list(track_blocks(kind, size))
    rows[77] = track_blocks(other, size)[77]
    (tmp_path / "xa.bin").write_bytes(b"".join(rows))
    creator = RawCDImageCreator()
    creator.add_track(tmp_path / "xa.bin", SectorType[kind])
    image = creator.create_result_image()
    assert len(image.read(0, 77)) == 77 * 2448
    with pytest.raises(FormatError, match=r"xa\.bin: LBA 77: .*MODE2MIXED"):
        image.read(50, 100)


def test_a_mode_0_track_holds_zeros_alone() -> None:
    data = bytearray(2336 * LENGTH)
    data[2336 * 5 + 2335] = 1
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE_ZERO)
    with pytest.raises(FormatError, match="LBA 5: a mode 0 sector holds nothing but zeros"):
        creator.create_result_image().read(0, LENGTH)


# -- sectors of another place ------------------------------------------------------------------

ELSEWHERE = [0, 4_350, 333_000]


@pytest.mark.parametrize("lba", ELSEWHERE)
@pytest.mark.parametrize("said", [True, False, None])
@pytest.mark.parametrize("kind", RAW)
def test_sectors_of_another_place_get_that_of_theirs(
    kind: str, said: bool | None, lba: int
) -> None:
    data = track_bytes(kind, 2352, lba)
    creator = RawCDImageCreator()
    creator.add_track(
        scrambled(data) if said else data, SectorType[kind], scrambled=said, relocate=True
    )
    image = creator.create_result_image()
    assert plain(image, 0, LENGTH) == track_bytes(kind, 2352)
    assert_right(image, 0, LENGTH, kind)


@pytest.mark.parametrize("kind", RAW)
def test_that_they_are_scrambled_is_found_out(kind: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(scrambled(track_bytes(kind, 2352, 4_350)), SectorType[kind], relocate=True)
    assert plain(creator.create_result_image(), 0, LENGTH) == track_bytes(kind, 2352)


@pytest.mark.parametrize("kind", COOKED)
def test_whole_sectors_of_a_plain_kind_get_their_place(kind: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(
        track_bytes(kind, 2352, 4_350), SectorType[kind], block_size=2352, relocate=True
    )
    assert plain(creator.create_result_image(), 0, LENGTH) == track_bytes(kind, 2352)


def test_a_gap_moves_sectors_that_may_be_moved() -> None:
    """Two tracks of one dump, whose second lies elsewhere on the new disc."""
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = True
    for lba in (0, LENGTH):
        creator.add_track(track_bytes("MODE1RAW", 2352, lba), SectorType.MODE1RAW, relocate=True)
    image = creator.create_result_image()
    assert_right(image, 0, 2 * LENGTH + 150, "MODE1")
    assert plain(image, LENGTH + 150, LENGTH) == track_bytes("MODE1RAW", 2352, LENGTH + 150)


def test_what_was_damaged_stays_damaged_elsewhere() -> None:
    data = bytearray(track_bytes("MODE1RAW", 2352, 4_350))
    data[2352 * 7 + 100] ^= 1
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE1RAW, relocate=True)
    sectors = main_sectors(creator.create_result_image(), 0, LENGTH)
    found = verify(sectors, 0, SectorType.MODE1)
    assert found.nonzero()[0].tolist() == [7]
    assert found[7] == Defect.EDC | Defect.P | Defect.Q
    assert sectors[7, 100] == data[2352 * 7 + 100]


def test_moved_sectors_of_a_file_are_made_by_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file is an input, which no output replaces."""
    came = share_always(monkeypatch)
    path = tmp_path / "dump.bin"
    path.write_bytes(track_bytes("MODE1RAW", 2352, 4_350))
    creator = RawCDImageCreator()
    creator.add_track(path, SectorType.MODE1RAW, relocate=True)
    image = creator.create_result_image()
    assert image.files == (path,)
    save_image(image, tmp_path / "disc.raw", options={"jobs": "2"})
    assert came == [1]
    assert plain(open_image(tmp_path / "disc.raw"), 0, LENGTH) == track_bytes("MODE1RAW", 2352)


@pytest.mark.parametrize(
    ("place", "byte"), [(0, 1), (15, 0), (15, 2)], ids=["sync", "mode 0", "mode 2"]
)
@pytest.mark.parametrize("said", [False, None])
def test_what_is_no_sector_of_its_kind_is_not_moved(
    place: int, byte: int, said: bool | None
) -> None:
    data = bytearray(track_bytes("MODE1RAW", 2352, 4_350))
    data[2352 * 7 + place] = byte
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE1RAW, scrambled=said, relocate=True)
    with refused(E_INVALIDARG, "track 1"):
        creator.create_result_image()


def test_headers_that_tell_nothing() -> None:
    creator = RawCDImageCreator()
    creator.add_track(bytes(2352 * LENGTH), SectorType.MODE1RAW, relocate=True)
    with refused(E_INVALIDARG, "track 1", "scrambled="):
        creator.create_result_image()


@pytest.mark.parametrize(("kind", "size"), [("MODE1", 2048), ("MODE2FORM1", 2336), ("AUDIO", 2352)])
def test_what_has_no_address_cannot_be_moved(kind: str, size: int) -> None:
    creator = RawCDImageCreator()
    source = SilenceSource(block_count=LENGTH, block_size=size)
    with refused(E_INVALIDARG, "track 1", "relocate="):
        creator.add_track(source, SectorType[kind], relocate=True)
