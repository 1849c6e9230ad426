"""Result codes: two numbers stand for the same 32 bits, and scripts compare with either."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.hresults import HResult, ResultCode
from rawcd.imapi import ComError, Dispatch, com_error, constants, last_hresult

UNSIGNED = 0x80AA0A03  # E_IMAPI_RAW_IMAGE_NO_TRACKS
SIGNED = -2136339965


@pytest.fixture
def error() -> com_error:
    with pytest.raises(ComError) as caught:
        Dispatch("IMAPI2.MsftRawCDImageCreator").CreateResultImage()
    return caught.value


def test_a_refusal_is_found_by_every_spelling_of_its_code(error: com_error) -> None:
    named = constants.E_IMAPI_RAW_IMAGE_NO_TRACKS
    for code in (error.hresult, error.args[0], error.excepinfo[5] if error.excepinfo else 0, named):
        for spelling in (UNSIGNED, SIGNED, HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS, named):
            assert code == spelling
            assert spelling == code
            assert (code != spelling) is False
            assert (spelling != code) is False
        assert code in (HResult.E_POINTER, HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS)
        assert code != HResult.E_IMAPI_RAW_IMAGE_IS_READ_ONLY
        assert code & 0xFFFFFFFF == UNSIGNED
        assert HResult(code) is HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS
    assert last_hresult() == error.hresult == named


def test_in_all_else_it_is_the_signed_number(error: com_error) -> None:
    assert error.hresult < 0
    assert repr(error.hresult) == str(error.hresult) == f"{error.hresult:d}" == str(SIGNED)
    assert f"{error.hresult & 0xFFFFFFFF:08X}" == "80AA0A03"
    assert {SIGNED: "no tracks"}[error.hresult] == "no tracks"
    assert {HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS: 1}[HResult(error.hresult)] == 1
    for again in (copy.copy(error.hresult), pickle.loads(pickle.dumps(error.hresult))):
        assert type(again) is ResultCode
        assert again == SIGNED


@given(st.sampled_from(HResult), st.integers(-(1 << 34), 1 << 34))
def test_codes_are_the_same_when_their_bits_are(code: HResult, number: int) -> None:
    bits = 0 <= number + (1 << 31) < 3 << 31 and number & 0xFFFFFFFF == code.value
    for each in (code, ResultCode(code)):
        assert (each == number) is (number == each) is bits
        assert (each != number) is (number != each) is not bits
        assert each == code.signed == ResultCode(code.signed)
    assert HResult(code.signed) is HResult(code.value) is code
    assert code.failed is (code.signed < 0)


@pytest.mark.parametrize("number", [-1, -(1 << 31) - 1, 1 << 32, (1 << 33) + UNSIGNED, 0.5, "S_OK"])
def test_no_code_is_made_up(number: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid HResult"):
        HResult(number)
    assert number not in [*HResult, *map(ResultCode, HResult)]


def test_a_success_is_told_by_either_too() -> None:
    creator = Dispatch("IMAPI2.MsftRawCDImageCreator")
    creator.AddTrack(0, io.BytesIO(bytes(2352 * 300)))
    assert last_hresult() == HResult.S_OK == constants.S_OK == 0
    creator.TrackInfo(1).AddTrackIndex(0)
    assert last_hresult() == constants.S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS == 0xAA0A08
