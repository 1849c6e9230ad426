"""Law: what is planted is found, where it was planted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rawcd.disc import TrackMode
from rawcd.sector import SectorType
from rawcd.verify import verify_image
from tests.plants import PLANTS, Field
from tests.verifying import Recording, examples, legal_discs, made, styles

if TYPE_CHECKING:
    from typing import Any

    from rawcd.disc import Disc
    from rawcd.verify import Report

EACH = examples(2)
"""Examples of each plant; the table has fifty of them."""


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(each.rule, each.lba) for each in report.findings}


@given(legal_discs(), styles)
@settings(max_examples=examples(12))
def test_a_disc_without_fault_has_no_finding(disc: Disc, style: str) -> None:
    report = verify_image(Recording(made(disc, style=style)))
    assert not report.findings
    assert report.is_clean


@pytest.mark.parametrize("name", PLANTS)
@given(st.data())
@settings(
    max_examples=EACH,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a disc is small enough to be read
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_a_planted_fault_is_found_and_nothing_else(name: str, data: Any) -> None:
    needs, plant = PLANTS[name]
    disc = data.draw(needs.discs())
    recording = Recording(made(disc, style=data.draw(styles)))
    predicted = plant(Field(recording, disc, data))
    assert found(verify_image(recording)) == predicted


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        (0, 11, "sync"),
        (12, 14, "header-address"),
        (15, 15, "header-mode"),
        (16, 2351, None),
    ],
)
@given(st.data())
@settings(max_examples=EACH)
def test_of_mode_2_without_forms_the_header_alone_can_be_wrong(
    first: int, last: int, rule: str | None, data: Any
) -> None:
    mode = TrackMode.MODE2
    disc = data.draw(legal_discs(modes=(mode,), first=(mode,)))
    recording = Recording(made(disc, mode_2=SectorType.MODE2FORM0))
    assert not verify_image(recording).findings
    _, lba = Field(recording, disc, data).data_sector(mode)
    recording.main(lba)[0, data.draw(st.integers(first, last))] ^= 9
    assert found(verify_image(recording)) == ({(rule, lba)} if rule else set())
