"""The parts of CHDs: bits and codes, the map, what is left out of sectors, codecs."""

from __future__ import annotations

import lzma
import zlib
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import FormatError, UnsupportedError
from rawcd.source import MemoryBytes
from rawcd_formats.chd.codecs import inflate, unlzma, unpack, unpack_flac, unpack_flac_run
from rawcd_formats.chd.huffman import (
    Bits,
    BitWriter,
    Decoder,
    best_lengths,
    codes_of,
    decode_bytes,
    read_lengths,
    write_lengths,
)
from rawcd_formats.chd.hunkmap import SELF, STORED, HunkMap, build_map, crc_of, read_map
from rawcd_formats.chd.layout import MAP_HEAD, Header
from rawcd_formats.chd.metadata import TrackRecord, padding_of, tracks_of
from rawcd_formats.chd.parity import is_remakeable, leave_out, put_back
from tests.oracles import sectors
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT = 2448


# -- bits and codes ------------------------------------------------------------------------------

fields = st.lists(
    st.integers(0, 32).flatmap(
        lambda width: st.tuples(st.integers(0, 2**width - 1), st.just(width))
    )
)


@given(fields)
def test_bits_that_are_written_are_read(values: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for value, width in values:
        writer.write(value, width)
    data = writer.bytes()
    assert len(data) == -(-sum(width for _, width in values) // 8)
    bits = Bits(data)
    assert [bits.read(width) for _, width in values] == [value for value, _ in values]
    with pytest.raises(FormatError, match="bits end"):
        bits.read(9)


@given(st.lists(st.integers(0, 10**9), min_size=16, max_size=16).filter(any))
def test_codes_are_prefix_free_and_go_there_and_back(counts: list[int]) -> None:
    lengths = best_lengths(counts, 8)
    assert [bool(length) for length in lengths] == [bool(count) for count in counts]
    assert max(lengths) <= 8
    texts = [f"{c:0{n}b}" for c, n in zip(codes_of(lengths), lengths, strict=True) if n]
    assert len(set(texts)) == len(texts)
    assert not any(a != b and b.startswith(a) for a in texts for b in texts)
    if len(texts) > 1:  # no code is missing: chdman refuses others
        assert sum(2 ** -len(text) for text in texts) == 1
    writer = BitWriter()
    write_lengths(writer, lengths, 8)
    symbols = [symbol for symbol, count in enumerate(counts) if count]
    for symbol in symbols:
        writer.write(codes_of(lengths)[symbol], lengths[symbol])
    bits = Bits(writer.bytes())
    assert read_lengths(bits, 16, 8) == lengths
    decoder = Decoder(lengths, 8)
    assert [decoder.read(bits) for _ in symbols] == symbols


def test_the_longest_codes_are_the_lowest_numbers() -> None:
    """As the format has it: 1 0 for the short one, 00 and 01 for the two long ones."""
    assert codes_of([2, 1, 2]) == [0b00, 0b1, 0b01]


@pytest.mark.parametrize("lengths", [[1, 1, 1], [3, 1, 1], [2, 2, 2, 2, 2], [2, 1]])
def test_lengths_that_no_code_has(lengths: list[int]) -> None:
    with pytest.raises(FormatError, match="Huffman codes"):
        codes_of(lengths)


@given(st.binary(max_size=400), st.integers(0, 300))
def test_any_bytes_are_huffman_coded_bytes_or_refused(junk: bytes, size: int) -> None:
    with suppress(FormatError):
        assert len(decode_bytes(junk, size)) == size


# -- the map -------------------------------------------------------------------------------------


@st.composite
def maps(draw: st.DrawFn) -> HunkMap:
    """Maps of hunks end to end, in runs of any length."""
    runs = st.tuples(st.sampled_from([0, 1, 2, 3, STORED, SELF]), st.integers(1, 400))
    drawn = draw(st.lists(runs, min_size=1, max_size=6))
    kinds = [kind for kind, count in drawn for _ in range(count)]
    kinds[0] = min(kinds[0], STORED)
    jumps = draw(st.lists(st.integers(0, 3), min_size=7, max_size=7))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    count = len(kinds)
    lengths = np.where(np.array(kinds) == STORED, 8 * UNIT, rng.integers(0, 8 * UNIT, count))
    lengths[np.array(kinds) == SELF] = 0
    offsets = 1000 + np.cumsum(lengths) - lengths
    last = 0
    for number, kind in enumerate(kinds):
        if kind == SELF:  # often the same or the next, seldom any
            step = jumps[number % 7]
            last = min(last + step, number - 1) if step < 3 else int(rng.integers(number))
            offsets[number] = last
    crcs = rng.integers(0, 65536, count)
    crcs[np.array(kinds) == SELF] = 0
    return HunkMap(
        kinds=np.array(kinds, np.uint8),
        offsets=offsets.astype(np.int64),
        lengths=lengths.astype(np.int64),
        crcs=crcs.astype(np.uint16),
    )


def header_of(count: int, codecs: Sequence[bytes] = (b"zlib",) * 4) -> Header:
    return Header(
        codecs=tuple(codecs),
        logical_bytes=count * 8 * UNIT,
        map_offset=8,
        metadata_offset=0,
        hunk_bytes=8 * UNIT,
    )


class Long(MemoryBytes):
    """A file that goes on behind what it holds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size = 1 << 40


@given(maps())
def test_a_map_that_is_built_is_read(made: HunkMap) -> None:
    data = bytes(8) + build_map(made, 1000)
    found = read_map(Long(data), header_of(len(made.kinds)))
    for part in ("kinds", "offsets", "lengths", "crcs"):
        assert (getattr(found, part) == getattr(made, part)).all(), part
    sources = found.sources()
    assert (found.kinds[sources] != SELF).all()
    own = found.kinds != SELF
    assert (sources[own] == np.flatnonzero(own)).all()


def test_a_long_run_takes_a_few_bytes() -> None:
    kinds = np.zeros(40_000, np.uint8)
    kinds[1:] = SELF
    zeros = np.zeros(40_000, np.int64)
    lengths = zeros.copy()
    lengths[0] = 100
    made = HunkMap(kinds=kinds, offsets=zeros, lengths=lengths, crcs=zeros.astype(np.uint16))
    assert len(build_map(made, 0)) < 500


@given(st.binary(max_size=200), st.integers(1, 60_000), st.integers(0, 5))
def test_any_map_is_read_or_refused(junk: bytes, count: int, where: int) -> None:
    head = b"" if where else bytes(8) + MAP_HEAD.build(
        {
            "size": len(junk),
            "first_offset": 0,
            "crc": 0,
            "length_bits": 14,
            "self_bits": 16,
            "parent_bits": 0,
            "reserved": 0,
        }
    )  # fmt: skip
    with suppress(FormatError, UnsupportedError):
        read_map(MemoryBytes(head + junk), header_of(count))


def test_hunks_in_a_parent_are_refused_by_name() -> None:
    writer = BitWriter()
    lengths = [0] * 16
    lengths[6] = 1
    write_lengths(writer, lengths, 8)
    writer.write(0, 8)
    data = writer.bytes()
    head = dict.fromkeys(("first_offset", "crc", "length_bits", "self_bits", "reserved"), 0)
    whole = bytes(8) + MAP_HEAD.build({**head, "size": len(data), "parent_bits": 8}) + data
    with pytest.raises(UnsupportedError, match="lie in a parent CHD"):
        read_map(MemoryBytes(whole), header_of(1))


@pytest.mark.parametrize("repeats", [0, 1, 5])
def test_a_hunk_repeats_only_an_earlier_one(repeats: int) -> None:
    made = HunkMap(
        kinds=np.array([SELF, 0], np.uint8),
        offsets=np.array([repeats, 0]),
        lengths=np.array([0, 0]),
        crcs=np.zeros(2, np.uint16),
    )
    with pytest.raises(FormatError, match="hunk 0 repeats one that does not come before"):
        read_map(MemoryBytes(bytes(8) + build_map(made, 0)), header_of(2))


def test_what_is_out_of_all_proportion_is_refused() -> None:
    head = dict.fromkeys(
        ("first_offset", "crc", "length_bits", "self_bits", "parent_bits", "reserved"), 0
    )
    whole = bytes(8) + MAP_HEAD.build({**head, "size": 1 << 31})
    with pytest.raises(FormatError, match="2147483648 bytes is too large for 9 hunks"):
        read_map(Long(whole), header_of(9))
    zeros = np.zeros(1, np.int64)
    made = HunkMap(
        kinds=zeros.astype(np.uint8),
        offsets=zeros,
        lengths=zeros + 40_000,
        crcs=zeros.astype(np.uint16),
    )
    with pytest.raises(FormatError, match="hunk 0 takes 40000 bytes and holds 19584"):
        read_map(Long(bytes(8) + build_map(made, 0)), header_of(1))


def test_a_map_s_crc_is_asked_for() -> None:
    kinds, zeros = np.zeros(9, np.uint8), np.zeros(9, np.int64)
    made = HunkMap(kinds=kinds, offsets=zeros, lengths=zeros, crcs=zeros.astype(np.uint16))
    data = bytearray(bytes(8) + build_map(made, 0))
    data[8 + 10] ^= 1
    with pytest.raises(FormatError, match="its CRC does not hold"):
        read_map(MemoryBytes(bytes(data)), header_of(9))


def test_the_crc_is_that_of_ccitt() -> None:
    assert crc_of(b"123456789") == 0x29B1


# -- what is left out ----------------------------------------------------------------------------

SOUND = b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00" + bytes(range(256)) * 9 + bytes(36)


def some_sectors() -> list[tuple[bytes, bool]]:
    user = bytes(range(256)) * 8
    good = [
        sectors.mode_1(user, 16),
        sectors.mode_1(bytes(2048), 0),
        sectors.form_1(user, 1000, b"\0\0\x08\0" * 2),
    ]
    bad = []
    for at in (3, 12, 100, 2070, 2080, 2351):
        broken = bytearray(good[0])
        broken[at] ^= 1
        bad.append(bytes(broken))
    bad += [bytes(2352), sectors.form_2(bytes(2324), 5, b"\0\0\x20\0" * 2), SOUND]
    return [(sector, True) for sector in good] + [(sector, False) for sector in bad]


def test_sync_and_parity_are_left_out_where_they_hold() -> None:
    rows = np.array([list(sector) for sector, _ in some_sectors()], np.uint8)
    flags = is_remakeable(rows)
    assert flags.tolist() == [clean for _, clean in some_sectors()]
    bare = rows.copy()
    leave_out(bare, flags)
    assert not bare[flags, :12].any()
    assert not bare[flags, 2076:].any()
    assert (bare[flags, 12:2076] == rows[flags, 12:2076]).all()
    assert (bare[~flags] == rows[~flags]).all()
    put_back(bare, flags)
    assert (bare == rows).all()


def test_more_sectors_than_are_worked_on_together() -> None:
    one = np.frombuffer(sectors.mode_1(bytes(range(256)) * 8, 7), np.uint8)
    rows = np.resize(one, (1_300, 2352))
    rows[700, 2100] ^= 4
    flags = is_remakeable(rows)
    assert np.flatnonzero(~flags).tolist() == [700]
    bare = rows.copy()
    leave_out(bare, flags)
    put_back(bare, flags)
    assert (bare == rows).all()


# -- codecs --------------------------------------------------------------------------------------

CODECS = ["zlib", "lzma", "huff", "flac", "cdzl", "cdlz"]


@pytest.mark.parametrize("codec", CODECS)
@given(junk=st.binary(max_size=300))
def test_any_bytes_unpack_or_are_refused(codec: str, junk: bytes) -> None:
    units = np.zeros((8, UNIT), np.uint8)
    with suppress(FormatError):
        unpack(codec.encode(), junk, units)


@given(st.binary(max_size=300))
def test_any_bytes_of_flac_are_refused(junk: bytes) -> None:
    units = np.zeros((8, UNIT), np.uint8)
    with pytest.raises(FormatError):
        unpack_flac(junk, units, 1)
    assert unpack_flac_run([junk, junk], [units, units], [1, 1]) == [False, False]


def test_no_more_is_unpacked_than_fits() -> None:
    """A megabyte of zeros takes a kilobyte: what is asked for is all that is made."""
    bomb = zlib.compress(bytes(1_000_000), 9, -15)
    assert inflate(bomb, 19_584) == bytes(19_584)
    with pytest.raises(FormatError, match="of 2000000"):
        inflate(bomb, 2_000_000)
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    bomb = lzma.compress(bytes(1_000_000), lzma.FORMAT_RAW, filters=filters)
    assert unlzma(bomb, 19_584) == bytes(19_584)
    with pytest.raises(FormatError, match="of 2000000"):
        unlzma(bomb, 2_000_000)


@given(st.integers(1, 12), st.booleans(), st.integers(0, 255))
def test_flac_with_subcode_behind_it(count: int, zero: bool, seed: int) -> None:
    from rawcd.audio.flac import encode_frames

    units = np.zeros((count, UNIT), np.uint8)
    units[:, :2352] = noise_rows(count, seed=seed)
    if not zero:
        units[:, 2352:] = noise_rows(count, 96, seed=seed) & 0x3F
    big = np.ascontiguousarray(units[:, :2352]).view(">i2").astype(np.int16).reshape(-1, 2)
    data = encode_frames(big, 2352) + zlib.compress(units[:, 2352:].tobytes(), 9, -15)
    found = np.ones_like(units)
    unpack_flac(data, found, crc_of(units.tobytes()))
    assert (found == units).all()
    with pytest.raises(FormatError, match="its CRC does not hold"):
        unpack_flac(data, found, crc_of(units.tobytes()) ^ 1)


# -- tracks --------------------------------------------------------------------------------------


@given(
    st.sampled_from(["AUDIO", "MODE1", "MODE1_RAW", "MODE2_RAW", "MODE2_FORM_MIX"]),
    st.sampled_from(["NONE", "RW", "RW_RAW"]),
    st.integers(1, 300_000),
    st.integers(0, 150),
)
def test_a_record_that_is_built_is_read(kind: str, sub: str, frames: int, pregap: int) -> None:
    track = TrackRecord(
        number=1,
        kind=kind,
        sub=sub,
        frames=frames + pregap,
        pregap=pregap,
        pregap_stored=pregap > 0,
        padding=padding_of(frames + pregap),
    )
    assert tracks_of([track.build()], "a.chd") == (track,)


def test_tracks_are_filled_up_to_four_sectors() -> None:
    assert [padding_of(frames) for frames in range(1, 9)] == [3, 2, 1, 0, 3, 2, 1, 0]
    assert list(accumulate(frames + padding_of(frames) for frames in (21, 48, 9))) == [24, 72, 84]
