"""The error codes, bare: lists of additions, EDC of any rows, parity that checks."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd import ecc
from tests.oracles import sectors as oracle


def weights(words: int) -> list[int]:
    """1 + alpha + ... + alpha^(k-1), k from the number of words + 1 down to 2."""
    result = []
    for k in range(words + 1, 1, -1):
        total, power = 0, 1
        for _ in range(k):
            total ^= power
            power = oracle.multiply(power, 2)
        result.append(total)
    return result


@pytest.mark.parametrize(
    ("text", "sums", "words"),
    [(ecc.P_ADDITIONS, ecc.P_SUMS, 24), (ecc.Q_ADDITIONS, ecc.Q_SUMS, 43)],
    ids=["P", "Q"],
)
def test_additions_make_the_nine_sums(text: str, sums: tuple[int, ...], words: int) -> None:
    values = [frozenset([i]) for i in range(words)]
    for left, right in ecc.additions(text):
        values.append(values[left] ^ values[right])
    plain, *bits = (values[number] for number in sums)
    assert plain == frozenset(range(words))
    expected = weights(words)
    for bit, value in enumerate(bits):
        assert value == {i for i in range(words) if expected[i] >> bit & 1}


@given(st.binary(max_size=60))
def test_edc_of_a_run_of_bytes(data: bytes) -> None:
    assert ecc.edc_of(data).to_bytes(4, "little") == oracle.edc(data)


@pytest.mark.parametrize("span", [(0, 1026), (2, 1030), (2, 1168)], ids=["1", "form 1", "form 2"])
@pytest.mark.parametrize("count", [8, 64, 512])
def test_edc_of_rows(span: tuple[int, int], count: int) -> None:
    room = ecc.Workspace(count)
    rng = np.random.default_rng(count)
    room.rows[:] = rng.integers(0, 1 << 16, room.rows.shape, dtype=np.uint16)
    made = np.ascontiguousarray(room.edc(*span).T).view(np.uint8)
    for column in {0, 1, count // 2, count - 1}:
        covered = np.ascontiguousarray(room.rows[slice(*span), column]).tobytes()
        assert made[column].tobytes() == oracle.edc(covered)


@given(st.integers(0, 1169), st.integers(0, 15), st.integers(0, 7))
def test_a_single_bit_changes_what_it_must(row: int, bit: int, column: int) -> None:
    room = ecc.workspace(8)
    room.rows[:] = 0
    room.rows[row, column] = 1 << bit
    covered = np.ascontiguousarray(room.rows[:1026, column]).tobytes()
    assert np.ascontiguousarray(room.edc(0, 1026)[:, column]).tobytes() == oracle.edc(covered)
    assert not room.edc(0, 1026)[:, [c for c in range(8) if c != column]].any()


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([8, 64, 512]), st.integers(0, 2**32))
def test_parity_checks(count: int, seed: int) -> None:
    room = ecc.workspace(count)
    rng = np.random.default_rng(seed)
    room.rows[:] = rng.integers(0, 1 << 16, room.rows.shape, dtype=np.uint16)
    room.p()
    room.q()
    sectors = np.zeros((count, 2352), np.uint8)
    room.store(sectors, 0, ecc.ROWS)
    for places in (oracle.p_places(), oracle.q_places()):
        for sector in sectors[:: max(count // 3, 1)].tolist():
            for *data, first, second in places:
                assert oracle.parity([sector[i] for i in data]) == (sector[first], sector[second])


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([8, 64, 512]), st.integers(0, 2**32))
def test_errors_are_what_parity_lacks(count: int, seed: int) -> None:
    room = ecc.workspace(count)
    rng = np.random.default_rng(seed)
    room.rows[:] = rng.integers(0, 1 << 16, room.rows.shape, dtype=np.uint16)
    stored = room.rows.copy()
    p_errors, q_errors = room.p_errors().copy(), room.q_errors().copy()
    np.testing.assert_array_equal(room.rows, stored)
    room.q()
    np.testing.assert_array_equal(q_errors, room.rows[ecc.Q_ROW :] ^ stored[ecc.Q_ROW :])
    room.p()
    p_rows = slice(ecc.P_ROW, ecc.Q_ROW)
    np.testing.assert_array_equal(p_errors, room.rows[p_rows] ^ stored[p_rows])


def test_rows_are_the_words_of_the_sector() -> None:
    sectors = np.random.default_rng(1).integers(0, 256, (200, 2448), dtype=np.uint8)[:, :2352]
    room = ecc.Workspace(256)
    room.load(sectors)
    back = np.zeros_like(sectors)
    room.store(back, 0, ecc.ROWS)
    assert (back[:, 12:] == sectors[:, 12:]).all()
    assert not back[:, :12].any()
    assert room.rows[7, 150] == np.ascontiguousarray(sectors[150, 26:28]).view(np.uint16)[0]


@pytest.mark.parametrize("sectors", [0, -8, 7, 12])
def test_a_workspace_is_whole_lanes(sectors: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        ecc.Workspace(sectors)


def test_each_thread_has_its_own() -> None:
    mine = ecc.workspace(64)
    assert ecc.workspace(64) is mine
    others: list[ecc.Workspace] = []
    threads = [threading.Thread(target=lambda: others.append(ecc.workspace(64))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(room) for room in [mine, *others]}) == 3
