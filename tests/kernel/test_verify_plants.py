"""Law: what is planted is found, where it was planted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

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
