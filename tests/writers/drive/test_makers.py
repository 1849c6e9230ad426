"""Makers of blanks by their lead-in's address."""

from __future__ import annotations

import pytest

from rawcd.msf import Msf
from rawcd_writers.drive.makers import _CODES, dye_of, maker_of
from rawcd_writers.drive.recorder import VirtualRecorders


@pytest.mark.parametrize(
    ("address", "maker", "strategy"),
    [
        # As cdrecord reports discs that people have (`ATIP start of lead in`, `Manufacturer`).
        (Msf(97, 26, 66), "CMC Magnetics", "short"),
        (Msf(97, 24, 1), "Taiyo Yuden", "long"),
        (Msf(97, 31, 1), "Ritek", "long"),
    ],
)
def test_known_discs_have_their_maker(address: Msf, maker: str, strategy: str) -> None:
    assert maker_of(address) == maker
    assert str(dye_of(address)).startswith(strategy)


@pytest.mark.parametrize("address", [Msf(99, 0, 0), Msf(96, 26, 66), Msf(97, 15, 5)])
def test_an_address_that_is_nobodys_has_no_maker(address: Msf) -> None:
    assert maker_of(address) is None
    assert dye_of(address) is None


def test_no_code_is_given_twice_and_all_are_addresses() -> None:
    codes = [code for each in _CODES.values() for code in each]
    assert len(set(codes)) == len(codes)
    assert all(maker_of(Msf(97, second, tens * 10)) for second, tens in codes)


@pytest.mark.parametrize(
    ("medium", "maker", "dye"),
    [
        ("cdr80", "CMC Magnetics", True),
        ("cdrw80", "Mitsubishi Chemical", False),
        ("cdr-short", None, False),
    ],
)
def test_a_recorder_tells_the_maker_and_of_a_cd_r_the_dye(
    medium: str, maker: str | None, dye: bool
) -> None:
    recorder = VirtualRecorders().named(f"virtual:?medium={medium}")
    assert recorder is not None
    facts = recorder.facts()
    assert facts.maker == maker
    assert (facts.dye is not None) == dye
