"""Which rule the creator refuses with which of IMAPI's codes."""

from __future__ import annotations

from operator import index
from typing import Final

from rawcd.errors import AuthoringError
from rawcd.hresults import HResult

RULE_HRESULTS: Final = {
    "read-only": HResult.E_IMAPI_RAW_IMAGE_IS_READ_ONLY,
    "too-many-tracks": HResult.E_IMAPI_RAW_IMAGE_TOO_MANY_TRACKS,
    "sector-type": HResult.E_IMAPI_RAW_IMAGE_SECTOR_TYPE_NOT_SUPPORTED,
    "no-tracks": HResult.E_IMAPI_RAW_IMAGE_NO_TRACKS,
    "tracks-already-added": HResult.E_IMAPI_RAW_IMAGE_TRACKS_ALREADY_ADDED,
    "lead-out-limit": HResult.E_IMAPI_RAW_IMAGE_INSUFFICIENT_SPACE,
    "too-many-indexes": HResult.E_IMAPI_RAW_IMAGE_TOO_MANY_TRACK_INDEXES,
    "index-not-found": HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_NOT_FOUND,
    "index-1-is-permanent": HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
    "index-too-close": HResult.E_IMAPI_RAW_IMAGE_TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
    "nothing-given": HResult.E_POINTER,
}
"""Every other rule (`short-track`, `argument`, `mcn`, `isrc`, ...) is E_INVALIDARG."""


def refusal(rule: str, message: str) -> AuthoringError:
    """Return the error for a rule, with IMAPI's code for it."""
    return AuthoringError(message, rule=rule, hresult=RULE_HRESULTS.get(rule, HResult.E_INVALIDARG))


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


def truth(value: object, what: str) -> bool:
    """Return a switch: true or false, or 1, -1 (VARIANT_TRUE) and 0.

    Raises:
        AuthoringError: it is none, such as the text "false" (E_INVALIDARG).
    """
    try:
        switch = bool(value)
        if value == switch or value == -1:  # equal, not the same: numpy has switches of its own
            return switch
    except ValueError:  # an array
        pass
    raise refusal("argument", f"{what} is true or false, not {value!r}")


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
