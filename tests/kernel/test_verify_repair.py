"""What is mended is as it was before, byte for byte, and what is not is named and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rawcd.disc import Area, TrackMode
from rawcd.verify import repair_image, verify_image
from tests.plants import PLANTS, Field
from tests.verifying import Recording, legal_discs, made, styles

if TYPE_CHECKING:
    from rawcd.disc import Disc

MENDED = {
    "a bit of Q": [TrackMode.AUDIO, TrackMode.MODE1],
    "P": [TrackMode.AUDIO],
    "a bit of P": [TrackMode.AUDIO],
    "a sync byte": [TrackMode.MODE1],
    "an address byte": [TrackMode.MODE1],
    "the mode": [TrackMode.MODE1],
    "user data of mode 1": [TrackMode.MODE1],
    "EDC of mode 1": [TrackMode.MODE1],
    "zeros of mode 1": [TrackMode.MODE1],
    "P of mode 1": [TrackMode.MODE1],
    "Q of mode 1": [TrackMode.MODE1],
    "a subheader's copy": [TrackMode.MODE2],
    "user data of form 1": [TrackMode.MODE2],
    "no scrambling": [TrackMode.MODE1],
    "half a scrambling": [TrackMode.MODE1],
}
"""Plants whose traces can be undone, and the modes of the discs they are planted in."""
LEFT = {
    "INDEX": [TrackMode.AUDIO],
    "an item's frame": [TrackMode.AUDIO],
    "a lost sector": [TrackMode.MODE1],
    "user data of form 2": [TrackMode.MODE2],
}

few = settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", MENDED)
@given(st.data())
@few
def test_what_can_be_mended_is_as_it_was(name: str, data: Any) -> None:
    disc = data.draw(legal_discs(modes=MENDED[name], sessions=1))
    original = made(disc, style=data.draw(styles))
    recording = Recording(original)
    planted = PLANTS[name](Field(recording, disc, data))
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
    disc = data.draw(legal_discs(modes=LEFT[name], sessions=1))
    recording = Recording(made(disc))
    planted = PLANTS[name](Field(recording, disc, data))
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
