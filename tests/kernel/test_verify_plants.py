"""Law: what is planted is found, where it was planted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rawcd.disc import TrackMode
from rawcd.verify import verify_image
from tests.plants import PLANTS, Field
from tests.verifying import Recording, legal_discs, made, styles

if TYPE_CHECKING:
    from typing import Any

    from rawcd.disc import Disc
    from rawcd.verify import Report

EACH = 4
"""Examples of each plant; the whole table has fifty."""


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(each.rule, each.lba) for each in report.findings}


@given(legal_discs(), styles)
@settings(max_examples=25)
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
    codes = any(word in name for word in ("MCN", "ISRC", "codes", "AFRAME"))
    audio = codes or "sound" in name
    modes = (
        [TrackMode.AUDIO]
        if audio
        else [TrackMode.MODE2] * 3 + [TrackMode.AUDIO]
        if "XA" in name or "form" in name or "subheader" in name
        else [TrackMode.MODE1] * 3 + [TrackMode.AUDIO]
        if "mode" in name or "sector" in name or "postgap" in name
        else [TrackMode.AUDIO, TrackMode.MODE1, TrackMode.MODE2]
    )
    disc = data.draw(legal_discs(modes=modes, codes=codes))
    recording = Recording(made(disc, style=data.draw(styles)))
    predicted = PLANTS[name](Field(recording, disc, data))
    assert found(verify_image(recording)) == predicted
