"""Addresses: the published pairs, the two formulas, and the clock that ticks through them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import FormatError
from rawcd.msf import FIRST_LBA, LAST_LBA, Msf, linear_frames

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors" / "vectors.json"

lbas = st.integers(-45_150, 404_849)
msfs = st.builds(Msf, st.integers(0, 99), st.integers(0, 59), st.integers(0, 74))


def geometry() -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["geometry"]
    assert len(vectors) > 20
    return vectors


@pytest.mark.parametrize("pair", geometry(), ids=lambda pair: pair["msf"])
def test_published_pairs(pair: dict[str, Any]) -> None:
    assert str(Msf.from_lba(pair["lba"])) == pair["msf"]
    assert Msf.parse(pair["msf"]).to_lba() == pair["lba"]


@given(lbas)
def test_an_address_comes_back(lba: int) -> None:
    assert Msf.from_lba(lba).to_lba() == lba


@given(msfs)
def test_a_time_comes_back(msf: Msf) -> None:
    assert Msf.from_lba(msf.to_lba()) == msf
    assert Msf.parse(str(msf)) == msf
    assert Msf.from_frames(msf.to_frames()) == msf


@given(msfs)
def test_the_two_formulas_of_mmc(msf: Msf) -> None:
    frames = (msf.minute * 60 + msf.second) * 75 + msf.frame
    assert msf.to_frames() == frames
    assert msf.to_lba() == frames - (450_150 if msf.minute >= 90 else 150)


@given(st.integers(-45_150, 404_848))
def test_the_clock_ticks(lba: int) -> None:
    minute, second, frame = Msf.from_lba(lba).parts()
    frame += 1
    if frame == 75:
        second, frame = second + 1, 0
    if second == 60:
        minute, second = minute + 1, 0
    if minute == 100:
        minute = 0
    assert Msf.from_lba(lba + 1).parts() == (minute, second, frame)


def test_the_wrap_is_between_lead_in_and_program_area() -> None:
    assert Msf.from_lba(-151) == Msf(99, 59, 74)
    assert Msf.from_lba(-150) == Msf(0, 0, 0)


@given(msfs)
def test_bcd_reads_as_the_decimal_digits(msf: Msf) -> None:
    assert msf.bcd() == bytes.fromhex(str(msf).replace(":", ""))


@given(lbas)
def test_linear_frames_number_all_times_from_0(lba: int) -> None:
    assert linear_frames(lba) == Msf.from_lba(lba).to_frames()


def test_the_ends_of_the_line() -> None:
    assert (FIRST_LBA, LAST_LBA) == (-45_150, 404_849)
    assert str(Msf.from_lba(FIRST_LBA)) == "90:00:00"
    assert str(Msf.from_lba(LAST_LBA)) == "89:59:74"


@pytest.mark.parametrize("lba", [-45_151, 404_850])
def test_an_address_beyond_the_ends_is_named(lba: int) -> None:
    with pytest.raises(ValueError, match=f"LBA {lba} .*-45150 to 404849"):
        Msf.from_lba(lba)


@pytest.mark.parametrize(
    "parts", [(100, 0, 0), (0, 60, 0), (0, 0, 75), (-1, 0, 0), (0, -1, 0), (0, 0, -1)]
)
def test_parts_out_of_range(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"no MSF: {parts[0]}:{parts[1]}:{parts[2]}"):
        Msf(*parts)


@pytest.mark.parametrize("frames", [-1, 450_000])
def test_frames_that_are_no_time(frames: int) -> None:
    with pytest.raises(ValueError, match="no MSF"):
        Msf.from_frames(frames)


def test_one_digit_parts_are_read() -> None:
    assert Msf.parse("1:2:3") == Msf(1, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1:2", "1:2:3:4", "001:02:03", "100:00:00", "aa:bb:cc", "1;2;3", "-1:2:3"),
        *("1:2:3 ", " 1:2:3", "1:2:3\n", "\u0661:02:03"),
    ],
)
def test_text_that_is_no_time(text: str) -> None:
    with pytest.raises(FormatError, match="is no time; write it as mm:ss:ff"):
        Msf.parse(text)


@pytest.mark.parametrize(("text", "part"), [("00:60:00", "seconds to 59"), ("0:0:75", "to 74")])
def test_text_whose_parts_are_out_of_range(text: str, part: str) -> None:
    with pytest.raises(FormatError, match=part):
        Msf.parse(text)


@given(st.text(max_size=10))
def test_any_text_is_a_time_or_a_format_error(text: str) -> None:
    try:
        msf = Msf.parse(text)
    except FormatError:
        return
    assert [int(part) for part in text.split(":")] == list(msf.parts())


def test_times_have_no_order() -> None:
    times: list[Any] = [Msf(99, 59, 74), Msf(0, 0, 0)]
    with pytest.raises(TypeError):
        sorted(times)
