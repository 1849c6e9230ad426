"""Catalogue number, ISRC and flags."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import rawcd
from rawcd import (
    AuthoringError,
    CopySetting,
    RawCDImageCreator,
)
from tests.imapi_codes import E_INVALIDARG
from tests.staging import little, pattern, refused, staged

# -- catalogue number, ISRC, flags ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("123456789012", "0123456789012"),  # the documented example
        ("0123456789012", "0123456789012"),
        ("4006381333931", "4006381333931"),
        ("17", "0000000000017"),  # 1 x 3 + 7 = 10
        ("", ""),
        (None, ""),
        ("0", ""),
        ("0000000000000", ""),
    ],
)
def test_catalogue_numbers(given: Any, read: str) -> None:
    creator = staged(300)
    creator.media_catalog_number = "5901234123457"
    creator.media_catalog_number = given
    assert creator.media_catalog_number == read
    assert creator.create_result_image().disc.mcn == (read or None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("123456789013", ("'123456789013'", 3, 2)),  # is 3, should be 2
        ("4006381333932", ("'4006381333932'", 2, 1)),
        ("1", ("'1'", 1, 0)),
        ("04006381333931", ("'04006381333931'", 13)),
        ("400638133393A", ("'400638133393A'", 13)),
        ("-17", ("'-17'", 13)),
        (" 17", ("' 17'", 13)),
        ("\u0661\u0667", ("'\u0661\u0667'", 13)),
        (4006381333931, (4006381333931,)),
    ],
)
def test_what_is_no_catalogue_number(given: Any, words: tuple[object, ...]) -> None:
    creator = RawCDImageCreator()
    creator.media_catalog_number = "5901234123457"
    with refused(E_INVALIDARG):
        creator.media_catalog_number = given
    with pytest.raises(AuthoringError) as caught:
        creator.media_catalog_number = given
    assert all(str(word) in str(caught.value) for word in words)
    assert creator.media_catalog_number == "5901234123457"


@pytest.mark.parametrize(
    ("given", "read", "on_disc"),
    [
        ("US-K7Y-98-12345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("USK7Y9812345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("us-k7y-98-12345", "US-K7Y-98-12345", "USK7Y9812345"),
        ("GB1239900001", "GB-123-99-00001", "GB1239900001"),
        ("", "", None),
        (None, "", None),
    ],
)
def test_isrcs(given: Any, read: str, on_disc: str | None) -> None:
    creator = staged(300, 300)
    info = creator.track_info(2)
    info.isrc = "DE-A12-00-54321"
    info.isrc = given
    assert info.isrc == read
    image = creator.create_result_image()
    assert [track.isrc for track in image.disc.tracks] == [None, on_disc]


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ("USK7Y981234", 11),
        ("USK7Y98123456", 13),
        ("1SK7Y9812345", 12),
        ("USK7Y9A12345", 12),
        ("US K7Y 98 12345", 15),
        ("USK7Y981234\u0665", 12),
        ("\u00dfK7Y9812345", 12),  # upper case makes two letters of it
        ("--", 0),
        ("-", 0),
    ],
)
def test_what_is_no_isrc(given: str, length: int) -> None:
    creator = staged(300)
    info = creator.track_info(1)
    info.isrc = "USK7Y9812345"
    with refused(E_INVALIDARG, length, 12):
        info.isrc = given
    assert info.isrc == "US-K7Y-98-12345"
    with pytest.raises(AuthoringError, match=re.escape(repr(given))):
        info.isrc = given


def test_an_isrc_is_text() -> None:
    with refused(E_INVALIDARG, 12):
        staged(300).track_info(1).isrc = 12  # type: ignore[assignment]  # pyright: ignore  # wrong on purpose


@pytest.mark.parametrize("setting", [0, 1, 2])
def test_copy_settings(setting: int) -> None:
    creator = staged(300, 300)
    info = creator.track_info(1)
    info.digital_audio_copy_setting = setting
    assert info.digital_audio_copy_setting is CopySetting(setting)
    image = creator.create_result_image()
    assert [track.copy for track in image.disc.tracks] == [setting, CopySetting.PROHIBITED]


@pytest.mark.parametrize("setting", [3, -1, None, "PERMITTED"])
def test_what_is_no_copy_setting(setting: Any) -> None:
    info = staged(300).track_info(1)
    with refused(E_INVALIDARG, repr(setting), 0, 1, 2):
        info.digital_audio_copy_setting = setting
    assert info.digital_audio_copy_setting is CopySetting.PROHIBITED


def test_pre_emphasis_is_declared_and_nothing_is_filtered() -> None:
    samples = pattern(588 * 300)
    creator = RawCDImageCreator()
    creator.add_track(samples)
    creator.track_info(1).audio_has_preemphasis = True
    assert creator.track_info(1).audio_has_preemphasis is True
    image = creator.create_result_image()
    assert image.disc.track(1).pre_emphasis
    assert rawcd.main_sectors(image, 0, 300).tobytes() == little(samples)


SWITCHES = {
    "audio_has_preemphasis": lambda creator: creator.track_info(1),
    "has_four_channels": lambda creator: creator.track_info(1),
    "disable_gapless_audio": lambda creator: creator,
    "appendable": lambda creator: creator,
}


@pytest.mark.parametrize("name", SWITCHES)
def test_switches(name: str) -> None:
    """IMAPI's VARIANT_BOOL is -1 or 0; a text such as "false" must not switch anything on."""
    creator = staged(300)
    owner = SWITCHES[name](creator)
    for value, answer in ((True, True), (0, False), (1, True), (np.False_, False), (-1, True)):
        setattr(owner, name, value)
        assert getattr(owner, name) is answer
    wrongs: list[object] = ["false", "yes", "", None, 2, [], np.array([0, 1])]
    for wrong in wrongs:
        with refused(E_INVALIDARG, name):
            setattr(owner, name, wrong)
        assert getattr(owner, name) is True


@pytest.mark.parametrize("name", ["mcn", "image_type", "start_of_lead_out_limit", "isrcs"])
def test_a_misspelt_property_is_no_setting(name: str) -> None:
    creator = staged(300)
    for owner in (creator, creator.track_info(1)):
        with pytest.raises(AttributeError, match=name):
            setattr(owner, name, 1)


@pytest.mark.parametrize("style", [5, b"cdrdao", ("cdrdao",)])
def test_what_is_no_style(style: Any) -> None:
    with pytest.raises(TypeError, match="a style is"):
        RawCDImageCreator(style=style)
    with pytest.raises(TypeError, match="a style is"):
        staged(300).create_result_image().with_style(style)
