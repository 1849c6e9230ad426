"""The states of a writer, and what each call answers in each: one table for code and tests.

`NoRecorder` -put_Recorder-> `Idle` -PrepareMedia-> `Prepared` -WriteMedia-> `Writing` (the call
blocks) -> `Prepared` -ReleaseMedia-> `Idle`. Track at once has the same frame; its codes are of
its own family, and its AddAudioTrack is what WriteMedia is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import refusal


class WriterState(IntEnum):
    """Where a writer stands."""

    NO_RECORDER = 0
    IDLE = 1
    PREPARED = 2
    WRITING = 3


_STATE_WORDS: Final = {
    WriterState.NO_RECORDER: "no recorder has been set",
    WriterState.IDLE: "the disc has not been prepared: call prepare_media first",
    WriterState.PREPARED: "the disc is prepared: call release_media first",
    WriterState.WRITING: "a write is running",
}
_NOTHING_RUNS: Final = "no write is running"

_OK: Final = HResult.S_OK
_REQUIRED: Final = HResult.E_IMAPI_RECORDER_REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes that writers and the eraser have alike, each in its own family."""

    client_name: HResult
    no_recorder: HResult
    recorder_not_supported: HResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Codes):
    """The codes of one kind of writer, by what they mean."""

    write_in_progress: HResult
    write_not_in_progress: HResult
    not_prepared: HResult
    prepared: HResult
    not_blank: HResult
    not_supported: HResult
    not_enough_space: HResult
    stream: HResult


RAW: Final = Family(
    write_in_progress=HResult.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS,
    write_not_in_progress=HResult.E_IMAPI_DF2RAW_WRITE_NOT_IN_PROGRESS,
    not_prepared=HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED,
    prepared=HResult.E_IMAPI_DF2RAW_MEDIA_IS_PREPARED,
    client_name=HResult.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID,
    not_blank=HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK,
    not_supported=HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_SUPPORTED,
    not_enough_space=HResult.E_IMAPI_DF2RAW_NOT_ENOUGH_SPACE,
    no_recorder=HResult.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED,
    stream=HResult.E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED,
    recorder_not_supported=HResult.E_IMAPI_DF2RAW_RECORDER_NOT_SUPPORTED,
)
TAO: Final = Family(
    write_in_progress=HResult.E_IMAPI_DF2TAO_WRITE_IN_PROGRESS,
    write_not_in_progress=HResult.E_IMAPI_DF2TAO_WRITE_NOT_IN_PROGRESS,
    not_prepared=HResult.E_IMAPI_DF2TAO_MEDIA_IS_NOT_PREPARED,
    prepared=HResult.E_IMAPI_DF2TAO_MEDIA_IS_PREPARED,
    client_name=HResult.E_IMAPI_DF2TAO_CLIENT_NAME_IS_NOT_VALID,
    not_blank=HResult.E_IMAPI_DF2TAO_MEDIA_IS_NOT_BLANK,
    not_supported=HResult.E_IMAPI_DF2TAO_MEDIA_IS_NOT_SUPPORTED,
    not_enough_space=HResult.E_IMAPI_DF2TAO_NOT_ENOUGH_SPACE,
    no_recorder=HResult.E_IMAPI_DF2TAO_NO_RECORDER_SPECIFIED,
    stream=HResult.E_IMAPI_DF2TAO_STREAM_NOT_SUPPORTED,
    recorder_not_supported=HResult.E_IMAPI_DF2TAO_RECORDER_NOT_SUPPORTED,
)
ERASE: Final = Codes(
    client_name=HResult.E_IMAPI_ERASE_CLIENT_NAME_IS_NOT_VALID,
    no_recorder=HResult.E_IMAPI_RECORDER_REQUIRED,
    recorder_not_supported=HResult.E_IMAPI_ERASE_RECORDER_NOT_SUPPORTED,
)

Row = tuple[HResult, HResult, HResult, HResult]
"""What a call answers with no recorder, idle, prepared, writing; S_OK goes on."""


def _frame(family: Family) -> dict[str, Row]:
    """Return the rows that both writers have.

    SetWriteSpeed while writing is a cell that no page states; the family's own code for a write
    under way is taken. So are the getters while writing: they answer what they did before.
    """
    running, bare = family.write_in_progress, family.not_prepared
    return {
        "put recorder": (_OK, _OK, family.prepared, running),
        "put client_name": (_OK, _OK, family.prepared, running),
        "set_write_speed": (_REQUIRED, _OK, _OK, running),
        "prepare_media": (family.no_recorder, _OK, family.prepared, family.prepared),
        "put buffer_underrun_free_disabled": (bare, bare, _OK, running),
        "release_media": (bare, bare, _OK, running),
    }


_NO_WRITE: Final = RAW.write_not_in_progress
_NO_TRACK: Final = TAO.write_not_in_progress
_RAW_BARE: Final = (RAW.not_prepared, RAW.not_prepared)
_TAO_BARE: Final = (TAO.not_prepared, TAO.not_prepared)

RAW_TABLE: Final[dict[str, Row]] = {
    **_frame(RAW),
    "put requested_sector_type": (*_RAW_BARE, _OK, RAW.write_in_progress),
    "get requested_sector_type": (*_RAW_BARE, _OK, _OK),
    "get start_of_next_session": (*_RAW_BARE, _OK, _OK),
    "get last_possible_start_of_leadout": (*_RAW_BARE, _OK, _OK),
    "write_media": (*_RAW_BARE, _OK, RAW.write_in_progress),
    "write_media2": (*_RAW_BARE, _OK, RAW.write_in_progress),
    "cancel_write": (_NO_WRITE, _NO_WRITE, _NO_WRITE, _OK),
}
"""IDiscFormat2RawCD, as its pages have it."""

TAO_TABLE: Final[dict[str, Row]] = {
    **_frame(TAO),
    "put do_not_finalize_media": (_OK, _OK, TAO.prepared, TAO.write_in_progress),
    "put burn_verification_level": (_OK, _OK, TAO.prepared, TAO.write_in_progress),
    "get number_of_existing_tracks": (*_TAO_BARE, _OK, _OK),
    "get total_sectors_on_media": (*_TAO_BARE, _OK, _OK),
    "get free_sectors_on_media": (*_TAO_BARE, _OK, _OK),
    "get used_sectors_on_media": (*_TAO_BARE, _OK, _OK),
    "get expected_table_of_contents": (*_TAO_BARE, _OK, _OK),
    "add_audio_track": (*_TAO_BARE, _OK, TAO.write_in_progress),
    "cancel_add_track": (_NO_TRACK, _NO_TRACK, _NO_TRACK, _OK),
}
"""IDiscFormat2TrackAtOnce; cells that no page states are completed as in RawCD."""


def check(table: dict[str, Row], call: str, state: WriterState) -> None:
    """Refuse a call that has no place in a state.

    Raises:
        MasteringError: the table has a code there.
    """
    code = table[call][state]
    if code.failed:
        ours = code in (_NO_WRITE, _NO_TRACK)
        words = _NOTHING_RUNS if ours else _STATE_WORDS[state]
        raise refusal(code, f"{call.removeprefix('put ').removeprefix('get ')}: {words}")
