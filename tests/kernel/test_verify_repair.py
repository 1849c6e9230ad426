"""What is mended is as it was before, byte for byte, and what is not is named and left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rawcd.disc import Area
from rawcd.image import SubForm, SubRegion
from rawcd.source import ArraySource
from rawcd.verify import repair_image, verify_image
from tests.plants import PLANTS, Field
from tests.verifying import Recording, examples, graphics, legal_discs, made, styles, two_tracks

if TYPE_CHECKING:
    from rawcd.disc import Disc

MENDED = (
    "a bit of Q",
    "P",
    "a bit of P",
    "a sync byte",
    "an address byte",
    "the mode",
    "user data of mode 1",
    "EDC of mode 1",
    "zeros of mode 1",
    "P of mode 1",
    "Q of mode 1",
    "a subheader's copy",
    "user data of form 1",
    "no scrambling",
    "half a scrambling",
)
"""Plants whose traces can be undone."""
LEFT = ("INDEX", "an item's frame", "a lost sector", "user data of form 2")

few = settings(
    max_examples=examples(1),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", MENDED)
@given(st.data())
@few
def test_what_can_be_mended_is_as_it_was(name: str, data: Any) -> None:
    needs, plant = PLANTS[name]
    disc = data.draw(needs.discs(sessions=1))
    original = made(disc, style=data.draw(styles))
    recording = Recording(original)
    planted = plant(Field(recording, disc, data))
    repair = repair_image(recording)
    assert {(each.rule, each.lba) for each in repair.mended} == planted
    assert not repair.left.findings
    for _, lba in planted:
        assert repair.image.read(lba, 1) == original.read(lba, 1)
        assert recording.read(lba, 1) != original.read(lba, 1)


@pytest.mark.parametrize("name", LEFT)
@given(st.data())
@few
def test_what_cannot_be_mended_is_left_and_named(name: str, data: Any) -> None:
    needs, plant = PLANTS[name]
    disc = data.draw(needs.discs(sessions=1))
    recording = Recording(made(disc))
    planted = plant(Field(recording, disc, data))
    repair = repair_image(recording)
    assert not repair.mended
    assert {(each.rule, each.lba) for each in repair.left.findings} == planted
    for _, lba in planted:
        assert repair.image.read(lba, 1) == recording.read(lba, 1)


@given(legal_discs(codes=True, sessions=1), styles, st.integers(0, 99))
@few
def test_frames_with_a_wrong_crc_come_back_wherever_they_are(
    disc: Disc, style: str, seed: int
) -> None:
    original = made(disc, style=style)
    recording = Recording(original)
    hit = np.random.default_rng(seed).choice(range(disc.first_lba, disc.end_lba), 60, replace=False)
    borders = {lba + near for lba in disc.borders() for near in (-1, 0, 1)}
    lbas = [lba for lba in hit.tolist() if lba not in borders]
    for lba in lbas:
        recording.sub(lba)[0, int(lba) % 96] ^= 0x40
    repair = repair_image(recording)
    # What a lead-in held between its items is told by its neighbours' cycle alone.
    for lba in lbas:
        if disc.place(lba).area is not Area.LEAD_IN:
            assert repair.image.read(lba, 1) == original.read(lba, 1), disc.place(lba)
    assert verify_image(recording).defects
    assert not repair.left.findings


def test_r_w_packs_come_back_by_their_own_parity() -> None:
    """A scratch over eight symbols in a row hurts each of eight packs once (clause 18)."""
    original = graphics(two_tracks())
    recording = Recording(original)
    hurt = (0, 1, 333, 701, 1_190)
    for lba in hurt:
        recording.sub(lba)[0, 40:48] ^= 0x15
    assert {each.rule for each in verify_image(recording).findings} == {"rw-parity"}
    repair = repair_image(recording)
    assert {each.rule for each in repair.mended} == {"rw-parity"}
    assert not repair.left.findings
    first, end = -150, original.disc.end_lba
    assert repair.image.read(first, end - first) == original.read(first, end - first)
    for lba in hurt:
        assert repair.image.read(lba, 1) == original.read(lba, 1)


def test_a_pack_too_damaged_is_left_and_named() -> None:
    recording = Recording(graphics(two_tracks()))
    recording.sub(500)[0, 4:96:8] ^= 0x2A  # symbols 4, 12 and 20 of four packs; P alone mends two
    repair = repair_image(recording)
    assert not repair.mended
    assert {each.rule for each in repair.left.findings} == {"rw-parity"}
    assert repair.image.read(500, 1) == recording.read(500, 1)


def test_r_w_that_is_no_packs_is_not_mended() -> None:
    """Of noise some packs are near enough to right ones to be taken for them."""
    recording = Recording(made(two_tracks()))
    rng = np.random.default_rng(4)
    for lba in range(100, 400):
        recording.sub(lba)[0] |= rng.integers(0, 64, 96, np.uint8)
    repair = repair_image(recording)
    assert "rw-parity" in {each.rule for each in repair.left.findings}
    assert repair.image.read(100, 300) == recording.read(100, 300)


def test_where_no_frame_can_be_read_nothing_is_touched() -> None:
    image = made(two_tracks())
    count = image.sector_count
    noise = np.random.default_rng(6).integers(0, 256, count * 96, np.uint8)
    source = ArraySource(noise.tobytes(), block_size=96)
    sub = SubRegion(lba=image.first_lba, sectors=count, form=SubForm.RAW, source=source)
    image = replace(image, sub=(sub,))
    repair = repair_image(image)
    assert not repair.mended
    assert repair.image.read(image.first_lba, count) == image.read(image.first_lba, count)
