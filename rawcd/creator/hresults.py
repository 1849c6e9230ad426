"""IMAPI's codes, and which rule is refused with which (imapi2error.h)."""

from __future__ import annotations

from operator import index
from typing import Final

from rawcd.errors import AuthoringError

E_INVALIDARG: Final = 0x80070057
E_POINTER: Final = 0x80004003
E_IMAPI_RAW_IMAGE_IS_READ_ONLY: Final = 0x80AA0A00
E_IMAPI_RAW_IMAGE_TOO_MANY_TRACKS: Final = 0x80AA0A01
E_IMAPI_RAW_IMAGE_SECTOR_TYPE_NOT_SUPPORTED: Final = 0x80AA0A02
E_IMAPI_RAW_IMAGE_NO_TRACKS: Final = 0x80AA0A03
E_IMAPI_RAW_IMAGE_TRACKS_ALREADY_ADDED: Final = 0x80AA0A04
E_IMAPI_RAW_IMAGE_INSUFFICIENT_SPACE: Final = 0x80AA0A05
E_IMAPI_RAW_IMAGE_TOO_MANY_TRACK_INDEXES: Final = 0x80AA0A06
E_IMAPI_RAW_IMAGE_TRACK_INDEX_NOT_FOUND: Final = 0x80AA0A07
S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS: Final = 0x00AA0A08
E_IMAPI_RAW_IMAGE_TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED: Final = 0x80AA0A09
E_IMAPI_RAW_IMAGE_TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX: Final = 0x80AA0A0A

RULE_HRESULTS: Final = {
    "read-only": E_IMAPI_RAW_IMAGE_IS_READ_ONLY,
    "too-many-tracks": E_IMAPI_RAW_IMAGE_TOO_MANY_TRACKS,
    "sector-type": E_IMAPI_RAW_IMAGE_SECTOR_TYPE_NOT_SUPPORTED,
    "no-tracks": E_IMAPI_RAW_IMAGE_NO_TRACKS,
    "tracks-already-added": E_IMAPI_RAW_IMAGE_TRACKS_ALREADY_ADDED,
    "lead-out-limit": E_IMAPI_RAW_IMAGE_INSUFFICIENT_SPACE,
    "too-many-indexes": E_IMAPI_RAW_IMAGE_TOO_MANY_TRACK_INDEXES,
    "index-not-found": E_IMAPI_RAW_IMAGE_TRACK_INDEX_NOT_FOUND,
    "index-1-is-permanent": E_IMAPI_RAW_IMAGE_TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
    "index-too-close": E_IMAPI_RAW_IMAGE_TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
    "nothing-given": E_POINTER,
}
"""Every other rule (`short-track`, `argument`, `mcn`, `isrc`, ...) is E_INVALIDARG."""


def refusal(rule: str, message: str) -> AuthoringError:
    """Return the error for a rule, with IMAPI's code for it."""
    return AuthoringError(message, rule=rule, hresult=RULE_HRESULTS.get(rule, E_INVALIDARG))


def whole_number(value: object, what: str, least: int, most: int) -> int:
    """Return a whole number within its range.

    Raises:
        AuthoringError: it is none, or out of range (E_INVALIDARG).
    """
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        raise refusal("argument", f"{what} goes from {least} to {most}, not {value!r}")
    return number


def text(value: object, what: str) -> str:
    """Return a text; None is the empty one, as a null BSTR is.

    Raises:
        AuthoringError: it is none (E_INVALIDARG).
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise refusal("argument", f"{what} is a text, not {value!r}")
    return value
