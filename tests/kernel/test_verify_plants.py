"""Law: what is planted is found, where it was planted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.sector import SectorType
from rawcd.verify import verify_image
from tests.plants import PLANTS, Field
from tests.verifying import Recording, examples, legal_discs, made, styles

if TYPE_CHECKING:
    from typing import Any

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


def test_the_only_frame_of_a_place_is_told_where_it_lies() -> None:
    """Nothing else says that the pregap is there, so its INDEX and time are of none either."""
    first = Track(number=1, mode=TrackMode.AUDIO, indexes=_indexes(-150, 0), end_lba=640)
    second = Track(number=2, mode=TrackMode.AUDIO, indexes=_indexes(640, 641), end_lba=1_300)
    session = Session(tracks=(first, second), lead_in_lba=-4_650, lead_out_lba=1_300)
    recording = Recording(made(Disc(sessions=(session,))))
    assert not verify_image(recording).findings
    frame = recording.q(640)
    frame[1] = 0x88
    recording.put_q(640, frame)
    told = found(verify_image(recording))
    assert ("q-track", 640) in told
    assert {lba for _, lba in told} == {640}


def _indexes(pregap: int, start: int) -> tuple[Index, Index]:
    return Index(number=0, lba=pregap), Index(number=1, lba=start)


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
