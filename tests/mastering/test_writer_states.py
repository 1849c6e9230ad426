"""What each call answers in each state, held against IMAPI's pages; printed with -s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import DiscFormat2RawCD, DiscFormat2TrackAtOnce, WriterState
from rawcd.mastering.formats2.states import RAW_TABLE, TAO_TABLE, check
from tests.mastering.kept import recorder
from tests.mastering.writing import (
    prepared_raw,
    prepared_tao,
    raw_writer,
    small_stream,
    sound,
    tao_writer,
    while_writing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OK = 0
DOCUMENTED = {  # IDiscFormat2RawCD: no recorder, idle, prepared, writing; codes as on the pages
    "put recorder": (OK, OK, 0xC0AA0603, 0xC0AA0600),
    "put client_name": (OK, OK, 0xC0AA0603, 0xC0AA0600),
    "set_write_speed": (0xC0AA0003, OK, OK, None),
    "prepare_media": (0xC0AA060A, OK, 0xC0AA0603, 0xC0AA0603),
    "put requested_sector_type": (0xC0AA0602, 0xC0AA0602, OK, 0xC0AA0600),
    "get requested_sector_type": (0xC0AA0602, 0xC0AA0602, OK, None),
    "put buffer_underrun_free_disabled": (0xC0AA0602, 0xC0AA0602, OK, 0xC0AA0600),
    "get start_of_next_session": (0xC0AA0602, 0xC0AA0602, OK, None),
    "get last_possible_start_of_leadout": (0xC0AA0602, 0xC0AA0602, OK, None),
    "write_media": (0xC0AA0602, 0xC0AA0602, OK, 0xC0AA0600),
    "write_media2": (0xC0AA0602, 0xC0AA0602, OK, 0xC0AA0600),
    "cancel_write": (0xC0AA0601, 0xC0AA0601, 0xC0AA0601, OK),
    "release_media": (0xC0AA0602, 0xC0AA0602, OK, 0xC0AA0600),
}


def put(name: str, value: object) -> Callable[[Any], object]:
    return lambda writer: setattr(writer, name, value)


def get(name: str) -> Callable[[Any], object]:
    return lambda writer: getattr(writer, name)


RAW_CALLS: dict[str, Callable[[Any], object]] = {
    "put recorder": lambda writer: setattr(writer, "recorder", recorder()),
    "put client_name": put("client_name", "somebody else"),
    "set_write_speed": lambda writer: writer.set_write_speed(),
    "prepare_media": lambda writer: writer.prepare_media(),
    "put requested_sector_type": put("requested_sector_type", rawcd.ImageType.RAW),
    "get requested_sector_type": get("requested_sector_type"),
    "put buffer_underrun_free_disabled": put("buffer_underrun_free_disabled", True),
    "get start_of_next_session": get("start_of_next_session"),
    "get last_possible_start_of_leadout": get("last_possible_start_of_leadout"),
    "write_media": lambda writer: writer.write_media(small_stream()),
    "write_media2": lambda writer: writer.write_media2(small_stream(), 22_500),
    "cancel_write": lambda writer: writer.cancel_write(),
    "release_media": lambda writer: writer.release_media(),
}
TAO_CALLS: dict[str, Callable[[Any], object]] = {
    **{name: RAW_CALLS[name] for name in RAW_CALLS if name in TAO_TABLE},
    "put do_not_finalize_media": put("do_not_finalize_media", True),
    "put burn_verification_level": put("burn_verification_level", 1),
    "get number_of_existing_tracks": get("number_of_existing_tracks"),
    "get total_sectors_on_media": get("total_sectors_on_media"),
    "get free_sectors_on_media": get("free_sectors_on_media"),
    "get used_sectors_on_media": get("used_sectors_on_media"),
    "get expected_table_of_contents": get("expected_table_of_contents"),
    "add_audio_track": lambda writer: writer.add_audio_track(sound(300)),
    "cancel_add_track": lambda writer: writer.cancel_add_track(),
}


def nameless(cls: type[Any]) -> Any:
    """A writer without a recorder."""
    writer = cls()
    writer.client_name = "tests"
    return writer


def tao_with_a_track() -> DiscFormat2TrackAtOnce:
    writer = prepared_tao()
    writer.add_audio_track(sound(300))
    return writer


IN_STATE: dict[tuple[type[Any], WriterState], Callable[[], Any]] = {
    (DiscFormat2RawCD, WriterState.NO_RECORDER): lambda: nameless(DiscFormat2RawCD),
    (DiscFormat2RawCD, WriterState.IDLE): raw_writer,
    (DiscFormat2RawCD, WriterState.PREPARED): prepared_raw,
    (DiscFormat2RawCD, WriterState.WRITING): prepared_raw,
    (DiscFormat2TrackAtOnce, WriterState.NO_RECORDER): lambda: nameless(DiscFormat2TrackAtOnce),
    (DiscFormat2TrackAtOnce, WriterState.IDLE): tao_writer,
    (DiscFormat2TrackAtOnce, WriterState.PREPARED): tao_with_a_track,
    (DiscFormat2TrackAtOnce, WriterState.WRITING): tao_with_a_track,
}


def test_the_table_is_the_documented_one() -> None:
    assert RAW_TABLE.keys() == DOCUMENTED.keys()
    for call, row in DOCUMENTED.items():
        for code, told in zip(RAW_TABLE[call], row, strict=True):
            assert told is None or code == told, call


def answered(writer: Any, state: WriterState, call: Callable[[Any], object]) -> int:
    """The code of a call in a state; 0 where it goes on."""
    raised: BaseException | None = None
    if state is WriterState.WRITING:
        raised = while_writing(writer, call)
    else:
        try:
            call(writer)
        except MasteringError as error:
            raised = error
    if raised is None:
        return OK
    assert isinstance(raised, MasteringError), raised
    return raised.hresult


CELLS = [
    (cls, call, state)
    for cls, calls in ((DiscFormat2RawCD, RAW_CALLS), (DiscFormat2TrackAtOnce, TAO_CALLS))
    for call in calls
    for state in WriterState
]


@pytest.mark.parametrize(
    ("cls", "call", "state"), CELLS, ids=[f"{c.__name__}-{k}-{s.name}" for c, k, s in CELLS]
)
def test_a_call_answers_what_the_table_says(cls: type[Any], call: str, state: WriterState) -> None:
    table, calls = (RAW_TABLE, RAW_CALLS) if cls is DiscFormat2RawCD else (TAO_TABLE, TAO_CALLS)
    writer = IN_STATE[cls, state]()
    expected = table[call][state]
    got = answered(writer, state, calls[call])
    print(f"{cls.__name__:24} {call:36} {state.name:12} {HResult(got).name}")
    assert got == expected
    after = {
        ("put recorder", WriterState.NO_RECORDER): WriterState.IDLE,
        ("prepare_media", WriterState.IDLE): WriterState.PREPARED,
        ("release_media", WriterState.PREPARED): WriterState.IDLE,
    }
    still = WriterState.PREPARED if state is WriterState.WRITING else state
    assert writer.state is after.get((call, state), still)
    if writer.state is WriterState.PREPARED:
        writer.release_media()
        assert WriterState(writer.state) is WriterState.IDLE


@pytest.mark.parametrize("table", [RAW_TABLE, TAO_TABLE], ids=["raw", "tao"])
def test_every_row_is_called_here(table: dict[str, Any]) -> None:
    assert table.keys() == (RAW_CALLS if table is RAW_TABLE else TAO_CALLS).keys()


def test_a_refusal_names_the_call_the_reason_and_the_code() -> None:
    with pytest.raises(MasteringError, match="prepare_media first") as caught:
        check(RAW_TABLE, "write_media", WriterState.IDLE)
    assert "E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED" in str(caught.value)
    with pytest.raises(MasteringError, match="no write is running"):
        check(RAW_TABLE, "cancel_write", WriterState.PREPARED)
