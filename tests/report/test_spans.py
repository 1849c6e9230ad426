"""Tracks out of runs, whatever the runs say."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Area, TrackMode
from rawcd.report.spans import MOST_RUNS, drawable, spans_of
from rawcd.survey import Run


def run(lba: int, sectors: int, area: Area | None, track: int, index: int, session: int) -> Run:
    within = area in (Area.PREGAP, Area.TRACK)
    return Run(
        lba=lba,
        sectors=sectors,
        area=area,
        session=session,
        track=track if within else None,
        index=index if within else None,
        control=0,
        mode=TrackMode.AUDIO,
    )


@st.composite
def run_lists(draw: st.DrawFn) -> tuple[Run, ...]:
    """Runs that tile; a pattern of them is repeated so that there may be very many."""
    each = st.tuples(
        st.integers(1, 9),
        st.sampled_from([*Area, None]),
        st.integers(1, 3),
        st.integers(0, 3),
        st.integers(1, 2),
    )
    pattern = draw(st.lists(each, min_size=1, max_size=8))
    found: list[Run] = []
    lba = -150
    for sectors, area, track, index, session in pattern * draw(st.sampled_from([1, 2, 900])):
        found.append(run(lba, sectors, area, track, index, session))
        lba += sectors
    return tuple(found)


@given(run_lists())
def test_what_is_drawn_tiles_the_disc_and_is_not_too_much(runs: tuple[Run, ...]) -> None:
    drawn = drawable(runs)
    assert len(drawn) <= MOST_RUNS
    assert (drawn[0].lba, drawn[-1].end_lba) == (runs[0].lba, runs[-1].end_lba)
    assert all(before.end_lba == after.lba for before, after in pairwise(drawn))
    assert len(runs) > MOST_RUNS or drawn == runs


@given(run_lists())
def test_a_span_is_runs_of_one_track_in_a_row(runs: tuple[Run, ...]) -> None:
    spans = spans_of(runs)
    within = [each for each in runs if each.area in (Area.PREGAP, Area.TRACK)]
    assert [each for span in spans for each in span.runs] == within
    for span in spans:
        assert {each.track for each in span.runs} == {span.number}
        assert span.lba <= span.start_lba <= span.end_lba
        assert span.pregap_sectors + span.end_lba - span.start_lba == span.sectors


def test_99_tracks_of_99_indexes_keep_their_tracks() -> None:
    runs = [run(-150, 150, Area.PREGAP, 1, 0, 1)]
    for track in range(1, 100):
        runs += [
            run((track * 99 + index) * 10 - 1000, 10, Area.TRACK, track, index, 1)
            for index in range(1, 100)
        ]
    assert [span.number for span in spans_of(drawable(runs))] == list(range(1, 100))
