from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rawcd.cdg import (
    CdgDecoder,
    CdgPicture,
    Schedule,
    TimedPicture,
    encode,
    packs_by,
    schedule_pictures,
)
from rawcd.errors import AuthoringError
from tests.conftest import REPO
from tests.kernel.test_cdg_encoder import PALETTE, mixed, random_picture
from tests.oracles.cdgraphics import ffmpeg_frames, needs_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


def pictures_of(seed: int, count: int) -> list[CdgPicture]:
    """Pictures that each differ from the one before in a few dozen tiles."""
    pictures = [random_picture(seed, blocks=True)]
    for number in range(1, count):
        pictures.append(mixed(pictures[-1], random_picture(seed + number), number)[0])
    return pictures


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=6),
    holds=st.lists(st.floats(0, 0.2), min_size=6, max_size=6),
    early=st.booleans(),
    tail=st.none() | st.floats(0, 1),
)
def test_deadlines_are_kept_or_refused(
    seed: int, gaps: list[float], holds: list[float], early: bool, tail: float | None
) -> None:
    deadlines = 4 + np.cumsum(gaps)
    timed = [
        TimedPicture(picture=picture, deadline=float(deadline), hold=hold)
        for picture, deadline, hold in zip(
            pictures_of(seed, len(gaps)), deadlines, holds[: len(gaps)], strict=True
        )
    ]
    end = None if tail is None else max(each.deadline + each.hold for each in timed) + tail
    try:
        schedule = schedule_pictures(timed, seconds=end, early=early)
    except AuthoringError as error:
        check_refusal(error, timed)
        return
    check_kept(schedule, timed, early=early)
    if end is not None:
        assert len(schedule.packs) == packs_by(end)


def check_refusal(error: AuthoringError, timed: list[TimedPicture]) -> None:
    assert error.rule == "cdg-deadline"
    match = re.match(r"picture (\d+): needs (\d+) packs .* and (\d+) are available", str(error))
    assert match, str(error)
    number, needed, available = map(int, match.groups())
    assert needed > available
    before = schedule_pictures(timed[: number - 1])  # those before it fit
    shown = CdgDecoder(before.packs).after_packs(len(before.packs))
    start = None if number == 1 else shown
    assert needed == len(encode(timed[number - 1].picture, start))
    free = max([0, *(packs_by(each.deadline + each.hold) for each in timed[: number - 1])])
    assert available == max(0, packs_by(timed[number - 1].deadline) - free)


def check_kept(schedule: Schedule, timed: list[TimedPicture], *, early: bool) -> None:
    decoder = CdgDecoder(schedule.packs)
    used = (schedule.packs != 0).any(axis=1)
    planned = np.zeros(len(used), bool)
    free = 0
    for each, sent in zip(timed, schedule.pictures, strict=True):
        due, held = packs_by(each.deadline), packs_by(each.deadline + each.hold)
        assert sent.end_pack == sent.first_pack + sent.packs_needed <= due
        assert sent.packs_spare == sent.packs_available - sent.packs_needed >= 0
        for moment in (sent.end_pack, due, held):
            assert each.picture.is_shown_by(decoder.after_packs(moment))
        if sent.packs_needed:
            assert sent.first_pack >= free
            assert sent.first_pack == free if early else sent.end_pack == due
        assert not planned[sent.first_pack : sent.end_pack].any()
        planned[sent.first_pack : sent.end_pack] = True
        free = max(free, held)
    np.testing.assert_array_equal(used, planned)
    assert schedule.packs_spare == int((~used).sum())
    assert schedule.seconds == len(schedule.packs) / 300
    assert schedule.to_bytes() == schedule.packs.tobytes()


def test_the_first_picture_that_is_late_is_named() -> None:
    one, two = random_picture(1), random_picture(2)
    timed = [
        TimedPicture(picture=one, deadline=20, name="title"),
        TimedPicture(picture=two, deadline=20.5, name="verse 1"),
    ]
    with pytest.raises(AuthoringError, match=r"verse 1: needs \d{3,4} packs .* 150 are") as caught:
        schedule_pictures(timed)
    assert caught.value.rule == "cdg-deadline"


@pytest.mark.parametrize(
    ("times", "seconds", "message"),
    [
        ([(20, 0), (19, 0)], None, "deadlines must rise"),
        ([(20, -1)], None, "held for -1 s"),
        ([(20, 5)], 24, "stays until 25 s, and the stream ends at 24 s"),
    ],
)
def test_times_out_of_order_are_refused(
    times: list[tuple[float, float]], seconds: float | None, message: str
) -> None:
    picture = random_picture(1)
    timed = [TimedPicture(picture=picture, deadline=due, hold=hold) for due, hold in times]
    with pytest.raises(AuthoringError, match=message) as caught:
        schedule_pictures(timed, seconds=seconds)
    assert caught.value.rule == "cdg-order"


def test_nothing_makes_an_empty_stream_and_the_same_picture_costs_nothing() -> None:
    assert len(schedule_pictures([]).packs) == 0
    assert len(schedule_pictures([], seconds=2).packs) == 600
    picture = random_picture(3)
    timed = [TimedPicture(picture=picture, deadline=due) for due in (20, 20, 21)]
    schedule = schedule_pictures(timed)
    assert [sent.packs_needed for sent in schedule.pictures[1:]] == [0, 0]
    timed[0] = TimedPicture(picture=picture, deadline=20, hold=5)
    for early in (False, True):
        schedule = schedule_pictures(timed, early=early)
        assert [sent.first_pack for sent in schedule.pictures[1:]] == [6000, 6300]
        assert len(schedule.packs) == 7500


def test_a_clearing_preset_may_save_a_deadline() -> None:
    plain = CdgPicture(indexes=np.zeros((216, 300), np.uint8), palette=PALETTE)
    timed = [
        TimedPicture(picture=random_picture(1), deadline=20),
        TimedPicture(picture=plain, deadline=20.1),
    ]
    with pytest.raises(AuthoringError, match="picture 2"):
        schedule_pictures(timed)
    schedule = schedule_pictures(timed, may_clear=True, preset_repeats=16)
    assert schedule.pictures[1].packs_needed == 16


# The lyric that `fixtures/cdg/make_lyric.py` makes: three minutes, sixty lines.


@pytest.fixture(scope="module")
def script() -> Any:
    path = REPO / "fixtures" / "cdg" / "make_lyric.py"
    spec = importlib.util.spec_from_file_location("make_lyric", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def timed(script: Any) -> list[TimedPicture]:
    made: list[TimedPicture] = script.timed_pictures()
    return made


@pytest.mark.parametrize("early", [False, True], ids=["late", "early"])
def test_each_line_is_there_pixel_for_pixel(
    script: Any, timed: list[TimedPicture], early: bool
) -> None:
    schedule = script.lyric(early=early)
    assert len(timed) == len(schedule.pictures) == 60
    assert schedule.seconds == 180
    assert len(np.unique(np.concatenate([each.picture.indexes for each in timed]))) == 16
    decoder = CdgDecoder(schedule.packs)
    for each in timed:
        np.testing.assert_array_equal(decoder.rgb(each.deadline), each.picture.rgb())
    check_kept(schedule, timed, early=early)
    assert schedule.packs_spare == 54_000 - sum(sent.packs_needed for sent in schedule.pictures)
    assert min(sent.packs_spare for sent in schedule.pictures) > 500


def test_the_script_writes_and_prints(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.main([str(tmp_path / "lyric.cdg")])
    assert (tmp_path / "lyric.cdg").stat().st_size == 54_000 * 24
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 61
    assert re.match(
        r"line 60 +whole at +179\.00 s, due at +179\.00 s: +\d+ packs, +\d+ sp", lines[-1]
    )
    assert script.number_word(13) == "thirteen"
    assert script.number_word(60) == "sixty"


@needs_ffmpeg
def test_ffmpeg_shows_each_line_too(script: Any, timed: list[TimedPicture], tmp_path: Path) -> None:
    packs = script.lyric().packs
    counts = [packs_by(each.deadline) for each in timed]
    frames = ffmpeg_frames(packs, [*counts, len(packs)], tmp_path)
    for each, frame in zip([*timed, timed[-1]], frames, strict=True):
        np.testing.assert_array_equal(each.picture.rgb(), frame)


def test_an_image_is_no_picture_yet() -> None:
    with pytest.raises(TypeError, match="Image is no CdgPicture; `make_picture`"):
        TimedPicture(picture=Image.new("RGB", (300, 216)), deadline=1)  # type: ignore[arg-type]  # that is the point
