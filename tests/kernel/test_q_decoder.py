"""Whole stretches of Q: against the frames one by one, and against the disc that made them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track
from rawcd.errors import FormatError
from rawcd.msf import Msf
from rawcd.pq import ProgramChannels
from rawcd.subcode import STYLES
from rawcd.subcode.decoder import (
    NOT_TOLD,
    QKind,
    decode_q,
    isrc_of,
    isrc_votes,
    isrcs_by_track,
    mcn_of,
    mcn_votes,
    toc_of,
)
from rawcd.subcode.frame import QCatalog, QFrame, QIsrc, QPointer, QPosition, parse_q
from rawcd.subcode.rows import crc_holds
from rawcd.toc import lead_in_pointers

MCN = "4006381333931"
CODES = {1: "USRC17607839", 3: "GBAYE6800011"}

times = st.builds(Msf, st.integers(0, 99), st.integers(0, 59), st.integers(0, 74))
controls = st.integers(0, 15)
three = st.binary(min_size=3, max_size=3)
frames = st.one_of(
    st.builds(
        QPosition,
        control=controls,
        track=st.one_of(st.integers(1, 99), st.just(0xAA)),
        index=st.integers(0, 99),
        relative=times,
        absolute=times,
    ),
    st.builds(
        QPointer,
        control=controls,
        adr=st.sampled_from([1, 5]),
        point=st.integers(0, 255),
        running=three,
        zero=st.integers(0, 255),
        value=three,
    ),
    st.builds(QCatalog, control=controls, mcn=st.just(MCN), frame=st.integers(0, 74)),
    st.builds(QIsrc, control=controls, isrc=st.just(CODES[1]), frame=st.integers(0, 74)),
)


def rows_of(*values: QFrame) -> Any:
    data = b"".join(value.build() for value in values)
    return np.frombuffer(data, np.uint8).reshape(-1, 12).copy()


def disc(mcn: str | None = MCN) -> Disc:
    """Three tracks of ten seconds with pregaps."""
    starts = [0, 900, 1_800, 2_700]
    tracks = tuple(
        Track(
            number=number,
            indexes=(
                Index(number=0, lba=start - 150),
                Index(number=1, lba=start),
                Index(number=2, lba=start + 301),
            ),
            end_lba=end - (150 if number < 3 else 0),
            isrc=CODES.get(number),
            pre_emphasis=number == 2,
        )
        for number, start, end in zip((1, 2, 3), starts, starts[1:], strict=False)
    )
    return Disc(sessions=(Session(tracks=tracks, lead_out_lba=2_700),), mcn=mcn)


def q_of(made: Disc, lba: int, count: int) -> Any:
    q, p = np.empty((count, 12), np.uint8), np.empty(count, bool)
    ProgramChannels(made, STYLES["standard"]).fill(lba, q, p)
    return q


def hurt(q: Any, seed: int = 1, *, bits: int = 1) -> Any:
    """Flip some bits of every frame, none in the half byte that tells its mode."""
    rng = np.random.default_rng(seed)
    ones = np.unpackbits(q, axis=1)
    for row in ones:
        row[rng.choice(np.r_[0:4, 8:96], bits, replace=False)] ^= 1
    return np.packbits(ones, axis=1)


@given(st.lists(frames, max_size=12), st.integers(0, 2))
def test_the_table_says_what_the_frames_say(values: list[QFrame], damage: int) -> None:
    q = rows_of(*values)
    for row in q[:damage]:
        row[10] ^= 0x10
    table = decode_q(q)
    assert len(table) == len(values)
    assert table.right.tolist() == [number >= damage for number in range(len(values))]
    assert table.control.tolist() == [value.control for value in values]
    for number, value in enumerate(values):
        told = {
            name: int(getattr(table, name)[number])
            for name in ("track", "index", "point", "relative", "absolute", "aframe")
        }
        expected = dict.fromkeys(told, NOT_TOLD)
        match value:
            case QPosition():
                kind = QKind.LEAD_OUT if value.track == 0xAA else QKind.PROGRAM
                expected |= {
                    "track": value.track,
                    "index": value.index,
                    "relative": value.relative.to_frames(),
                    "absolute": value.absolute.to_frames(),
                }
                assert table.lbas()[number] == value.absolute.to_frames() - 150
            case QPointer():
                kind = QKind.LEAD_IN if value.adr == 1 else QKind.POINTER
                expected["point"] = value.point
                told["relative"] = NOT_TOLD  # any three bytes; looked at below
            case QCatalog():
                kind = QKind.CATALOG
                expected["aframe"] = value.frame
            case QIsrc():
                kind = QKind.ISRC
                expected["aframe"] = value.frame
        assert table.kinds[number] == kind
        assert told == expected
        if number >= damage:
            assert table.frame(number) == value
        else:
            with pytest.raises(FormatError, match="CRC"):
                table.frame(number)


@given(st.binary(max_size=240))
def test_any_bytes_are_read_without_complaint(junk: bytes) -> None:
    q = np.frombuffer(junk[: len(junk) // 12 * 12], np.uint8).reshape(-1, 12)
    table = decode_q(q)
    for number, right in enumerate(table.right):
        with suppress(FormatError):
            table.frame(number)
            assert right
    for told in (mcn_of, isrc_of, toc_of):
        told(q)
    isrcs_by_track(table)


def test_no_number_is_told_where_none_stands() -> None:
    q = rows_of(
        QPosition(control=0, track=1, index=1, relative=Msf(0, 0, 0), absolute=Msf(0, 2, 0))
    )
    for byte, bad, field in (
        (1, 0x1A, "track"),
        (2, 0xA0, "index"),
        (3, 0x9A, "relative"),
        (4, 0x60, "relative"),
        (8, 0x60, "absolute"),
        (9, 0x75, "absolute"),
    ):
        row = q.copy()
        row[0, byte] = bad
        assert getattr(decode_q(row), field)[0] == NOT_TOLD
    row = q.copy()
    row[0, 0] = 0x04
    assert decode_q(row).kinds[0] == QKind.UNKNOWN


def test_the_reference_frames(vectors: dict[str, Any]) -> None:
    q = np.array([list(bytes.fromhex(vector["q"])) for vector in vectors["q_frames"]], np.uint8)
    table = decode_q(q)
    assert table.right.all()
    kinds = Counter(QKind(kind) for kind in table.kinds.tolist())
    modes = Counter(type(parse_q(row.tobytes())) for row in q)
    assert kinds[QKind.CATALOG] == modes[QCatalog] == 2
    assert kinds[QKind.ISRC] == modes[QIsrc] == 2
    assert kinds[QKind.POINTER] == 2
    assert kinds[QKind.LEAD_IN] == modes[QPointer] - 2
    assert kinds[QKind.LEAD_OUT] == 1
    assert kinds[QKind.PROGRAM] == modes[QPosition] - 1
    running = int(table.relative[[v["desc"].startswith("TOC A0") for v in vectors["q_frames"]]][0])
    assert running == Msf(97, 26, 69).to_frames()


def test_a_disc_is_read_back_from_its_frames() -> None:
    made = disc()
    table = decode_q(q_of(made, -150, 3_000))
    assert table.right.all()
    placed = np.flatnonzero(table.absolute != NOT_TOLD)
    np.testing.assert_array_equal(table.lbas()[placed], placed - 150)
    assert mcn_of(table.q) == MCN
    assert isrcs_by_track(table) == CODES
    items = toc_of(q_of(made, made.first_lba, 200))
    assert list(items.values()) == sorted(lead_in_pointers(made), key=lambda item: item.point)
    assert list(items) == [(1, point) for point in (1, 2, 3, 0xA0, 0xA1, 0xA2)]
    assert toc_of(table.q) == {}


def test_frames_that_are_all_damaged_still_agree() -> None:
    made = disc()
    q = hurt(q_of(made, -150, 3_000))
    assert not crc_holds(q).any()
    assert mcn_votes(q) == isrc_votes(q) == Counter()
    assert mcn_of(q) == MCN
    first, third = q[150:900], q[1_950:]
    assert isrc_of(first) == CODES[1]
    assert isrc_of(third) == CODES[3]
    lead_in = hurt(q_of(made, made.first_lba, 2_000))
    assert not crc_holds(lead_in).any()
    assert list(toc_of(lead_in).values()) == sorted(
        lead_in_pointers(made), key=lambda item: item.point
    )


def test_what_damaged_frames_agree_on_counts_only_if_a_crc_bears_it_out() -> None:
    q = rows_of(*[QCatalog(control=0, mcn=MCN, frame=frame) for frame in range(20)])
    q[:, 3] ^= 0x01  # the same wrong digit everywhere
    assert mcn_of(q) is None
    assert mcn_of(hurt(q, bits=30)) is None
    q[7, 3] ^= 0x01  # a single right frame beats nineteen wrong ones
    assert mcn_of(q) == MCN
    assert mcn_votes(q) == Counter({MCN: 1})


def test_the_majority_decides_and_then_who_came_first() -> None:
    def codes(*names: str) -> Any:
        return rows_of(*[QIsrc(control=0, isrc=name, frame=1) for name in names])

    one, two = CODES.values()
    assert isrc_of(codes(two, one, one)) == one
    assert isrc_of(codes(two, one)) == two
    assert isrc_of(codes(one, two)) == one
    assert isrc_of(codes()) is None
    assert mcn_of(rows_of(QCatalog(control=0, mcn="0" * 13, frame=0))) is None


def test_a_right_crc_over_nonsense_does_not_count() -> None:
    from rawcd.subcode.rows import crc_words, put_crc

    q = rows_of(QCatalog(control=0, mcn=MCN, frame=0), QIsrc(control=0, isrc=CODES[1], frame=0))
    q[0, 1], q[1, 1] = 0xFF, 0xFF
    put_crc(q, crc_words(q))
    assert mcn_of(q) is None
    assert isrc_of(q) is None
    assert decode_q(q).right.all()


def test_isrcs_need_a_place() -> None:
    q = rows_of(QIsrc(control=0, isrc=CODES[1], frame=1))
    assert isrcs_by_track(decode_q(q)) == {}
    place = QPosition(control=0, track=7, index=1, relative=Msf(0, 0, 2), absolute=Msf(9, 0, 2))
    assert isrcs_by_track(decode_q(np.concatenate([q, rows_of(place)]))) == {7: CODES[1]}


def test_multi_session_pointers_keep_all_their_bytes() -> None:
    pointer = QPointer(
        control=4,
        adr=5,
        point=0xB0,
        running=bytes.fromhex("093411"),
        zero=2,
        value=bytes.fromhex("795974"),
    )
    item = QPointer(control=4, point=0x01, running=b"\x97\x10\x10", value=bytes.fromhex("000200"))
    stray = QPointer(control=6, point=0x01, value=bytes.fromhex("000201"))
    found = toc_of(rows_of(stray, pointer, item, item, pointer))
    assert found == {
        (5, 0xB0): pointer,
        (1, 1): QPointer(control=4, point=1, value=item.value),
    }


@pytest.mark.parametrize("function", [decode_q, mcn_of, isrc_of, mcn_votes, isrc_votes, toc_of])
def test_what_is_no_array_of_frames_is_refused(function: Any) -> None:
    for wrong in (bytes(12), np.zeros((1, 12), np.int64)):
        with pytest.raises(TypeError, match="Q takes an array of uint8"):
            function(wrong)
    for shape in ((12,), (1, 16), (1, 1, 12)):
        with pytest.raises(ValueError, match="Q takes rows of 12 bytes"):
            function(np.zeros(shape, np.uint8))


def test_frames_need_not_lie_end_to_end() -> None:
    frame = QCatalog(control=4, mcn=MCN, frame=12).build()
    wide = np.zeros((3, 24), np.uint8)
    wide[:, ::2] = np.frombuffer(frame, np.uint8)
    apart = wide[:, ::2]
    assert decode_q(apart).frame(2) == parse_q(frame)
    assert mcn_of(apart) == MCN
