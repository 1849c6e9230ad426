"""Addresses become lengths, and lengths addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Area, TrackMode
from rawcd.report.scale import BLANK_SECTORS, Scale
from rawcd.survey import Run


def runs_of(lengths: list[tuple[Area, int]]) -> tuple[Run, ...]:
    found, lba = [], -22_650
    for area, sectors in lengths:
        within = area in (Area.PREGAP, Area.TRACK)
        found.append(
            Run(
                lba=lba,
                sectors=sectors,
                area=area,
                session=1,
                track=1 if within else None,
                index=int(area is Area.TRACK) if within else None,
                control=0,
                mode=TrackMode.AUDIO,
            )
        )
        lba += sectors
    return tuple(found)


DISCS = st.lists(st.tuples(st.sampled_from(Area), st.integers(1, 100_000)), min_size=1).map(runs_of)


@given(DISCS, st.data())
def test_shares_rise_with_addresses_and_lead_back_to_them(
    runs: tuple[Run, ...], data: st.DataObject
) -> None:
    scale = Scale.fitted(runs)
    first, end = runs[0].lba, runs[-1].end_lba
    one = data.draw(st.integers(first, end))
    other = data.draw(st.integers(one, end))
    assert scale.share(first) == 0
    assert scale.share(end) == pytest.approx(1)
    assert scale.share(one) <= scale.share(other)
    assert scale.lba(scale.share(one)) == pytest.approx(one, abs=0.01)


@given(DISCS)
def test_sectors_of_the_program_area_are_all_as_long(runs: tuple[Run, ...]) -> None:
    scale = Scale.fitted(runs)
    program = [run for run in runs if run.area in (Area.PREGAP, Area.TRACK)]
    widths = {
        round((scale.share(run.end_lba) - scale.share(run.lba)) / run.sectors, 9) for run in program
    }
    assert not program or max(widths) - min(widths) < 2e-9


def test_lead_areas_do_not_crowd_a_short_disc_out() -> None:
    runs = runs_of([(Area.LEAD_IN, 22_500), (Area.TRACK, 900), (Area.LEAD_OUT, 6_750)])
    scale = Scale.fitted(runs)
    assert scale.share(750) - scale.share(-150) > 0.85
    assert not scale.is_true


def test_a_blank_of_eighty_minutes_is_the_measure_of_the_true_scale() -> None:
    runs = runs_of([(Area.LEAD_IN, 22_500), (Area.TRACK, BLANK_SECTORS // 2)])
    scale = Scale.of_blank(runs)
    assert scale.is_blank
    assert scale.share(-150) == pytest.approx(0)
    assert scale.share(-150 + BLANK_SECTORS // 2) == pytest.approx(0.5)
