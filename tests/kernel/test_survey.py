"""Law: what a survey tells from the bytes is what the disc was described as."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import Area, CopySetting, Disc
from rawcd.subcode.style import STYLES
from rawcd.survey import survey
from rawcd.toc import lead_in_pointers
from tests.recordings import mixed_discs, recorded, two_sessions, with_subcode_noise
from tests.strategies import discs, image_of, images
from tests.verifying import examples

if TYPE_CHECKING:
    from rawcd.image import RegionImage
    from rawcd.survey import Run, Survey

Place = tuple[int, int, Area, int, int | None, int | None]


def places(runs: tuple[Run, ...]) -> list[Place]:
    """Where things are, runs that differ in CONTROL alone joined."""
    found: list[Place] = []
    for run in runs:
        assert run.area is not None
        key = (run.area, run.session, run.track, run.index)
        if found and found[-1][2:] == key:
            found[-1] = (found[-1][0], run.end_lba, *key)
        else:
            found.append((run.lba, run.end_lba, *key))
    return found


def described(disc: Disc) -> list[Place]:
    """The same of a description."""
    found: list[Place] = []
    for number, session in enumerate(disc.sessions, 1):
        found.append((session.lead_in_lba, session.program_lba, Area.LEAD_IN, number, None, None))
        for track in session.tracks:
            ends = [*(index.lba for index in track.indexes[1:]), track.end_lba]
            for index, end in zip(track.indexes, ends, strict=True):
                area = Area.TRACK if index.number else Area.PREGAP
                found.append((index.lba, end, area, number, track.number, index.number))
        found.append((session.lead_out_lba, session.end_lba, Area.LEAD_OUT, number, None, None))
    return found


def assert_tells(told: Survey, disc: Disc) -> None:
    assert sum(run.sectors for run in told.runs) == told.sectors
    assert places(told.runs) == described(disc)
    for run in told.runs:
        if run.area is Area.TRACK and run.track:
            track = disc.track(run.track)
            assert run.mode is track.mode
            assert (run.control, run.scms) == (track.control, track.copy is CopySetting.SCMS)
    for number in range(1, len(disc.sessions) + 1):
        entries = {entry.pointer for entry in told.toc if entry.session == number}
        assert entries == set(lead_in_pointers(disc, number))


@given(images(discs(max_tracks=99, lead_ins=(-4_650, -22_650)), styles=tuple(STYLES)))
@settings(max_examples=examples(20))
def test_a_survey_tells_the_places_of_a_disc(image: RegionImage) -> None:
    told = survey(image)
    assert_tells(told, image.disc)
    assert told.mcn == image.disc.mcn
    assert told.made == ((image.first_lba, image.sector_count),)
    assert not told.is_recorded
    for track in image.disc.tracks:
        assert told.isrc(track.number) == track.isrc


@given(mixed_discs(), st.sampled_from(sorted(STYLES)))
@settings(max_examples=examples(5))
def test_modes_and_sessions_are_told_though_subcode_and_sectors_are_damaged(
    disc: Disc, style: str
) -> None:
    assert_tells(survey(with_subcode_noise(recorded(disc).with_style(style))), disc)


def test_nothing_comes_from_the_description() -> None:
    image = with_subcode_noise(two_sessions())
    other = image.disc.sessions[0].tracks[0]
    lied = replace(
        image.disc,
        mcn="4006381333931",
        sessions=(
            replace(image.disc.sessions[0], tracks=(replace(other, isrc="USRC17607839"),)),
            image.disc.sessions[1],
        ),
    )
    told, of_liar = survey(image), survey(replace(image, disc=lied))
    assert told == of_liar
    assert told.is_recorded
    assert told.mcns == of_liar.isrcs == ()


@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_an_image_whose_subcode_tells_nothing_has_one_run_of_no_place(kind: str) -> None:
    disc = two_sessions().disc

    class Blank:
        first_lba, sector_count, sector_size = -22_650, 40_000, 2_448

        def __init__(self) -> None:
            made = image_of(replace(disc, sessions=disc.sessions[:1]))
            self.disc, self.kind, self.notes = made.disc, made.kind, made.notes

        def read(self, lba: int, count: int) -> bytes:
            if kind == "zeros":
                return bytes(count * 2_448)
            rng = np.random.default_rng(lba + 30_000)
            return rng.integers(0, 256, count * 2_448, np.uint8).tobytes()

        def open(self) -> object:
            raise NotImplementedError

    told = survey(Blank())  # type: ignore[arg-type]  # opens nothing
    if kind == "zeros":
        (run,) = told.runs
        assert (run.lba, run.sectors, run.area, run.track) == (-22_650, 40_000, None, None)
    assert sum(run.sectors for run in told.runs) == 40_000
    assert (told.toc, told.mcns) == ((), ()) or kind == "noise"
