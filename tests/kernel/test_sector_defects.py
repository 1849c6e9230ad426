"""What verify finds and repair mends: one byte, bursts, erasures, garbage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.sector import Defect, SectorType, encode, repair, scramble, verify
from tests.oracles import sectors as oracle

Bytes2D = npt.NDArray[np.uint8]
LBA = 12_345
CODED = [SectorType.MODE1, SectorType.MODE2FORM1]
SUBHEADER = bytes.fromhex("0102080401020804")


def good(kind: SectorType, seed: int = 1, lba: int = LBA) -> bytes:
    """One sector by the slow road, so that no fault of the codec hides one of verify."""
    rng = np.random.default_rng(seed)
    match kind:
        case SectorType.MODE_ZERO:
            return oracle.mode_0(lba)
        case SectorType.MODE1:
            return oracle.mode_1(rng.bytes(2048), lba)
        case SectorType.MODE2FORM0:
            return oracle.formless(rng.bytes(2336), lba)
        case SectorType.MODE2FORM1:
            return oracle.form_1(rng.bytes(2048), lba, SUBHEADER)
        case SectorType.MODE2FORM2:
            return oracle.form_2(rng.bytes(2324), lba, bytes.fromhex("0102280401022804"))
    raise AssertionError(kind)


def copies(sector: bytes, count: int) -> Bytes2D:
    return np.repeat(np.frombuffer(sector, np.uint8).reshape(1, -1), count, axis=0)


def same_place(count: int) -> npt.NDArray[np.int64]:
    return np.full(count, LBA)


def every_single_error(sector: bytes) -> Bytes2D:
    rows = copies(sector, 2352)
    places = np.arange(2352)
    rows[places, places] ^= (places % 255 + 1).astype(np.uint8)
    return rows


def edc_holds(sector: Bytes2D, kind: SectorType) -> bool:
    data = sector.tobytes()
    if kind is SectorType.MODE1:
        return oracle.edc(data[:2064]) == data[2064:2068]
    return oracle.edc(data[16:2072]) == data[2072:2076]


# ---- verify --------------------------------------------------------------------------------------

KINDS = [
    SectorType.MODE_ZERO,
    SectorType.MODE1,
    SectorType.MODE2FORM0,
    SectorType.MODE2FORM1,
    SectorType.MODE2FORM2,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 7, 64, 65, 513])
def test_a_good_sector_has_no_defect(kind: SectorType, count: int) -> None:
    rows = copies(good(kind), count)
    assert verify(rows, same_place(count), kind).tolist() == [0] * count
    if kind not in (SectorType.MODE_ZERO, SectorType.MODE1):
        assert not verify(rows, same_place(count), SectorType.MODE2FORM0).any()
    if kind in (SectorType.MODE2FORM1, SectorType.MODE2FORM2):
        assert not verify(rows, same_place(count), SectorType.MODE2MIXED).any()
    assert not verify(rows, 0, SectorType.AUDIO).any()
    if kind in (SectorType.MODE1, SectorType.MODE2FORM0):
        raw = SectorType(kind - SectorType.MODE1 + SectorType.MODE1RAW)
        assert not verify(rows, same_place(count), raw).any()


@pytest.mark.parametrize("kind", [*KINDS, SectorType.MODE2MIXED])
@given(st.integers(0, 2**32), st.integers(1, 90))
def test_scrambled_sectors_are_judged_as_the_plain_ones(
    kind: SectorType, seed: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    forms = KINDS[-2:] if kind is SectorType.MODE2MIXED else [kind]
    sectors = [good(form) for form in forms]
    rows = np.frombuffer(b"".join(sectors[n % len(forms)] for n in range(count)), np.uint8)
    rows = rows.reshape(count, 2352).copy()
    fields = [(0, 2352), (12, 24), (2064, 2076), (2348, 2352)]
    for row in rng.choice(count, count // 2, replace=False):
        first, end = fields[rng.integers(len(fields))]
        places = rng.integers(first, end, rng.integers(1, 9))
        rows[row, places] = rng.choice([0, 0, 1, 32, 255], len(places))
    rows[rng.integers(count), 2348:] = 0  # an EDC of form 2 that was not computed
    stored = scramble(rows)
    before = stored.copy()
    found = verify(stored, same_place(count), kind, scrambled=True)
    np.testing.assert_array_equal(found, verify(rows, same_place(count), kind))
    np.testing.assert_array_equal(stored, before)


@pytest.mark.parametrize("kind", CODED)
def test_every_wrong_byte_is_told_for_what_it_is(kind: SectorType) -> None:
    rows = every_single_error(good(kind))
    found = verify(rows, same_place(2352), kind)
    assert found.all()
    d, mode_1 = Defect, kind is SectorType.MODE1
    covered = d.EDC | d.P | d.Q
    with_form = {d.EDC | d.P | d.Q, d.EDC | d.P | d.Q | d.FORM}
    for first, last, allowed in (
        (0, 11, {d.SYNC}),
        (12, 14, {d.ADDRESS | (covered if mode_1 else d(0))}),
        (15, 15, {d.MODE | (covered if mode_1 else d(0))}),
        (16, 2063, {covered} if mode_1 else with_form),
        (2064, 2067, {covered}),
        (2068, 2075, {d.ZEROS} if mode_1 else {covered}),
        (2076, 2247, {d.P | d.Q}),
        (2248, 2351, {d.Q}),
    ):
        assert {Defect(int(flags)) for flags in found[first : last + 1]} <= allowed


def test_every_wrong_byte_of_form_2() -> None:
    rows = every_single_error(good(SectorType.MODE2FORM2))
    found = verify(rows, same_place(2352), SectorType.MODE2FORM2)
    assert found.all()
    assert set(found[24:].tolist()) == {Defect.EDC}


def test_a_form_2_edc_of_zero_is_right() -> None:
    sector = bytearray(good(SectorType.MODE2FORM2))
    sector[2348:] = bytes(4)
    assert not verify(copies(bytes(sector), 3), same_place(3), SectorType.MODE2FORM2).any()
    assert not verify(copies(bytes(sector), 3), same_place(3), SectorType.MODE2MIXED).any()


def test_the_other_form() -> None:
    one, two = good(SectorType.MODE2FORM1), good(SectorType.MODE2FORM2)
    rows = np.vstack([copies(one, 1), copies(two, 2)])
    found = verify(rows, same_place(3), SectorType.MODE2FORM1)
    assert (found & Defect.FORM != 0).tolist() == [False, True, True]
    found = verify(rows, same_place(3), SectorType.MODE2FORM2)
    assert (found & Defect.FORM != 0).tolist() == [True, False, False]
    assert not verify(rows, same_place(3), SectorType.MODE2MIXED).any()


def test_only_the_intermediate_zeros() -> None:
    """Damaged after the parity was made, or before: either way the zeros are what is wrong."""
    after = bytearray(good(SectorType.MODE1))
    after[2070] = 9
    before = bytearray(after)
    oracle.add_parity(before)
    neither = bytearray(after)
    neither[2300] ^= 1
    rows = np.vstack([copies(bytes(s), 1) for s in (after, before, neither)])
    found = verify(rows, same_place(3), SectorType.MODE1)
    assert found[:2].tolist() == [Defect.ZEROS] * 2
    assert found[2] & Defect.ZEROS
    assert found[2] & Defect.Q


def test_a_wrong_place_is_told_for_each_sector() -> None:
    rows = np.vstack([copies(good(SectorType.MODE1, lba=lba), 1) for lba in (5, 6, 8, 8)])
    assert verify(rows, 5, SectorType.MODE1).tolist() == [0, 0, Defect.ADDRESS, 0]
    assert verify(rows, [5, 6, 8, 8], SectorType.MODE1).tolist() == [0] * 4
    with pytest.raises(ValueError, match="LBA"):
        verify(rows, 404_848, SectorType.MODE1)


def test_rows_of_a_wider_buffer() -> None:
    buffer = np.zeros((70, 2448), np.uint8)
    buffer[:, :2352] = copies(good(SectorType.MODE1), 70)
    buffer[69, 2000] ^= 1
    before = buffer.copy()
    found = verify(buffer[:, :2352], same_place(70), SectorType.MODE1)
    assert np.flatnonzero(found).tolist() == [69]
    assert (buffer == before).all()


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(list(SectorType)), st.integers(0, 2**32), st.integers(0, 9))
def test_garbage_is_judged_not_raised(kind: SectorType, seed: int, count: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 256, (count, 2352), dtype=np.uint8)
    found = verify(rows, 0, kind)
    assert found.all() or kind is SectorType.AUDIO


# ---- repair --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (SectorType.MODE1, SectorType.MODE1),
        (SectorType.MODE1, SectorType.MODE1RAW),
        (SectorType.MODE2FORM1, SectorType.MODE2FORM1),
        (SectorType.MODE2FORM1, SectorType.MODE2MIXED),
    ],
)
def test_every_wrong_byte_is_mended(kind: SectorType, asked: SectorType) -> None:
    sector = good(kind)
    rows = every_single_error(sector)
    before = rows.copy()
    done = repair(rows, same_place(2352), asked)
    assert done.mended.all()
    assert not done.failed.any()
    assert (done.sectors == copies(sector, 2352)).all()
    assert (rows == before).all()
    assert (done.found == verify(before, same_place(2352), asked)).all()


@pytest.mark.parametrize("kind", CODED)
@pytest.mark.parametrize(("length", "erased"), [(86, False), (172, True)])
def test_bursts_are_mended(kind: SectorType, length: int, erased: bool) -> None:
    sector = good(kind)
    starts = range(12, 2248 - length + 1, 1 if length == 86 else 3)
    rows = copies(sector, len(starts))
    erasures = np.zeros(rows.shape, np.bool_)
    rng = np.random.default_rng(length)
    for row, doubt, start in zip(rows, erasures, starts, strict=True):
        row[start : start + length] ^= rng.integers(1, 256, length, dtype=np.uint8)
        doubt[start : start + length] = erased
    done = repair(rows, same_place(len(rows)), kind, erasures=erasures)
    assert not done.failed.any()
    assert (done.sectors == copies(sector, len(rows))).all()


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(CODED),
    seed=st.integers(0, 2**32),
    start=st.integers(12, 2247),
    length=st.integers(1, 86),
    doubted=st.booleans(),
)
def test_any_burst_within_the_code(
    kind: SectorType, seed: int, start: int, length: int, doubted: bool
) -> None:
    sector = good(kind, seed)
    rows = copies(sector, 1)
    end = min(start + length, 2248)
    rows[0, start:end] = np.random.default_rng(seed).integers(0, 256, end - start)
    erasures = np.zeros(2352, np.bool_)
    erasures[start:end] = doubted
    done = repair(rows, LBA, kind, erasures=erasures)
    assert done.sectors[0].tobytes() == sector


@pytest.mark.parametrize("kind", CODED)
def test_damaged_parity_is_made_anew(kind: SectorType) -> None:
    sector = good(kind)
    rows = copies(sector, 3)
    rows[0, 2248:] = 0x55  # all of Q
    rows[1, 2076:] ^= 0x11  # all parity
    rows[2, 2250] ^= 1
    rows[2, 700] ^= 1
    done = repair(rows, same_place(3), kind)
    assert done.mended.all()
    assert (done.sectors == copies(sector, 3)).all()


@pytest.mark.parametrize("kind", CODED)
def test_scattered_damage(kind: SectorType) -> None:
    """Two bytes in one P column, one of them alone in its Q diagonal: passes must take turns."""
    sector = good(kind)
    rows = copies(sector, 40)
    rng = np.random.default_rng(4)
    for row in rows:
        row[rng.choice(np.arange(16, 2352), 12, replace=False)] ^= 0x77
    done = repair(rows, same_place(40), kind)
    assert done.mended.sum() >= 36
    assert (done.sectors[done.mended] == copies(sector, int(done.mended.sum()))).all()
    assert (done.sectors[done.failed] == rows[done.failed]).all()


@pytest.mark.parametrize("kind", CODED)
def test_wrong_erasures_do_no_harm(kind: SectorType) -> None:
    sector = good(kind)
    rows = copies(sector, 2)
    rows[:, 400:440] ^= 0x3C
    erasures = np.zeros((2, 2352), np.bool_)
    erasures[0, 1000:1300] = True
    erasures[1] = True
    done = repair(rows, same_place(2), kind, erasures=erasures)
    assert (done.sectors == copies(sector, 2)).all()


@pytest.mark.parametrize("kind", CODED)
def test_what_cannot_be_mended_stays(kind: SectorType) -> None:
    rows = copies(good(kind), 70)
    rows[1, 300:900] ^= 0xA5
    rows[69, 16:] = 0x5A
    before = rows.copy()
    done = repair(rows, same_place(70), kind)
    assert np.flatnonzero(done.failed).tolist() == [1, 69]
    assert not done.mended.any()
    assert (done.left == done.found).all()
    assert (done.sectors == before).all()


@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from([*CODED, SectorType.MODE2MIXED]),
    seed=st.integers(0, 2**32),
    headed=st.booleans(),
    doubts=st.sampled_from([0.0, 0.02, 1.0]),
)
def test_garbage_is_never_called_mended(
    kind: SectorType, seed: int, headed: bool, doubts: float
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (20, 2352), dtype=np.uint8)
    if headed:
        rows[:, :16] = encode(SectorType.MODE2FORM0, np.zeros((20, 2336), np.uint8), 0)[:, :16]
    before = rows.copy()
    done = repair(rows, 0, kind, erasures=rng.random((20, 2352)) < doubts)
    for sector, mended in zip(done.sectors, done.mended.tolist(), strict=True):
        if mended and kind is not SectorType.MODE2MIXED:
            assert edc_holds(sector, kind)
    assert (done.sectors[done.failed] == before[done.failed]).all()
    if kind is SectorType.MODE1 or not headed:
        assert not done.mended.any()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_made_of_a_sector_that_was_not_read(kind: SectorType) -> None:
    rows = np.zeros((3, 2352), np.uint8)
    done = repair(rows, 0, kind)
    assert done.failed.all()
    assert not done.sectors.any()


@pytest.mark.parametrize(
    "kind", [SectorType.MODE_ZERO, SectorType.MODE2FORM0, SectorType.MODE2FORM2]
)
def test_heads_of_the_other_kinds_are_mended(kind: SectorType) -> None:
    sector = good(kind)
    rows = copies(sector, 16)
    rows[np.arange(16), np.arange(16)] ^= 0xFF
    done = repair(rows, same_place(16), kind)
    assert done.mended.all()
    assert (done.sectors == copies(sector, 16)).all()


def test_a_form_2_sector_has_nothing_to_mend_it() -> None:
    rows = copies(good(SectorType.MODE2FORM2), 2)
    rows[1, 900] ^= 1
    done = repair(rows, same_place(2), SectorType.MODE2FORM2)
    assert done.failed.tolist() == [False, True]
    assert (done.sectors == rows).all()


def test_an_empty_form_2_sector_is_not_taken_for_form_1() -> None:
    sector = oracle.form_2(bytes(2324), LBA, bytes.fromhex("0000200000002000"), with_edc=False)
    rows = copies(sector, 1)
    rows[0, 3] = 0
    done = repair(rows, LBA, SectorType.MODE2MIXED)
    assert done.sectors[0].tobytes() == sector


def test_a_sector_made_for_another_place_is_made_for_this() -> None:
    """Its EDC holds with the other address, so the user data is right."""
    user = np.random.default_rng(1).bytes(2048)
    rows = copies(oracle.mode_1(user, 4000), 1)
    done = repair(rows, LBA, SectorType.MODE1)
    assert done.found.tolist() == [Defect.ADDRESS]
    assert done.sectors[0].tobytes() == oracle.mode_1(user, LBA)


def test_in_place_and_elsewhere() -> None:
    sector = good(SectorType.MODE1)
    buffer = np.zeros((5, 2448), np.uint8)
    rows = buffer[:, :2352]
    rows[:] = copies(sector, 5)
    rows[2, 77] ^= 4
    elsewhere = np.empty((5, 2352), np.uint8)
    assert repair(rows, same_place(5), SectorType.MODE1, out=elsewhere).sectors is elsewhere
    assert (elsewhere == copies(sector, 5)).all()
    assert rows[2, 77] != sector[77]
    done = repair(rows, same_place(5), SectorType.MODE1, out=rows)
    assert done.mended.tolist() == [False, False, True, False, False]
    assert (rows == copies(sector, 5)).all()


def test_erasures_of_another_shape() -> None:
    with pytest.raises(ValueError, match="erasures"):
        repair(
            copies(good(SectorType.MODE1), 2),
            0,
            SectorType.MODE1,
            erasures=np.zeros((3, 2352), np.bool_),
        )


def test_no_sectors_at_all() -> None:
    done = repair(np.zeros((0, 2352), np.uint8), 0, SectorType.MODE1)
    assert len(done.sectors) == len(done.mended) == len(done.failed) == 0
