"""Any sequence of calls gives the state or the code that the table tells."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import DiscFormat2RawCD, DiscRecorder2, WriterState
from rawcd.mastering.formats2.states import RAW_TABLE
from tests.mastering.kept import recorder
from tests.mastering.writing import small_stream

OK = HResult.S_OK
FROM_EVENTS = st.sampled_from(
    [
        "put recorder",
        "put client_name",
        "prepare_media",
        "write_media",
        "release_media",
        "get start_of_next_session",
        "put buffer_underrun_free_disabled",
        "cancel_write",
    ]
)


class RawWriterMachine(RuleBasedStateMachine):
    """A writer beside the few facts that decide what it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.writer = DiscFormat2RawCD()
        self.state = WriterState.NO_RECORDER
        self.named = False
        self.drive: DiscRecorder2 | None = None
        self.written = False
        self.held = 0

    # -- what is asked, and what the model expects --

    def call(self, name: str, act: Any, *, then: HResult = OK) -> HResult:
        """Do something; the table's refusal comes first, else what the disc says."""
        expected = RAW_TABLE[name][self.state]
        if not expected.failed:
            expected = then
        try:
            result = act()
        except MasteringError as error:
            got = HResult(error.hresult)
        else:
            got = result if isinstance(result, HResult) else OK
        assert got == expected, (name, self.state.name)
        return got

    @rule(kind=st.sampled_from(["cdr-short", "cdrw-short", "empty", "none"]))
    def put_recorder(self, kind: str) -> None:
        drive = (
            None
            if kind == "none"
            else recorder("cdr-short" if kind == "empty" else kind, empty=kind == "empty")
        )
        if self.call("put recorder", lambda: setattr(self.writer, "recorder", drive)) == OK:
            self.drive, self.written, self.held = drive, False, 0
            self.empty = kind == "empty"
            self.state = WriterState.NO_RECORDER if drive is None else WriterState.IDLE

    @rule(name=st.sampled_from(["tests", "", "somebody"]))
    def put_client_name(self, name: str) -> None:
        bad = HResult.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID
        put = self.call(
            "put client_name",
            lambda: setattr(self.writer, "client_name", name),
            then=OK if name else bad,
        )
        self.named |= put == OK

    @rule()
    def hold_the_drive(self) -> None:
        if self.drive is not None:
            self.drive.acquire_exclusive_access(True, "tests")
            self.held += 1

    @rule()
    def let_go_of_the_drive(self) -> None:
        if self.held:
            assert self.drive is not None
            self.drive.release_exclusive_access()
            self.held -= 1

    def disc_says(self) -> HResult:
        if self.drive is not None and self.empty:
            return HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
        return HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK if self.written else OK

    @rule()
    def prepare(self) -> None:
        then = self.disc_says()
        if not self.named:
            then = HResult.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID
        if self.call("prepare_media", self.writer.prepare_media, then=then) == OK:
            self.state = WriterState.PREPARED

    @rule()
    def set_speed(self) -> None:
        then = self.disc_says() if self.state is WriterState.IDLE else OK
        self.call("set_write_speed", self.writer.set_write_speed, then=then)

    @rule(kind=st.sampled_from(rawcd.ImageType))
    def put_sector_type(self, kind: rawcd.ImageType) -> None:
        self.call(
            "put requested_sector_type",
            lambda: setattr(self.writer, "requested_sector_type", kind),
        )

    @rule(name=st.sampled_from([name for name in RAW_TABLE if name.startswith("get ")]))
    def look(self, name: str) -> None:
        self.call(name, lambda: getattr(self.writer, name.removeprefix("get ")))

    @rule(value=st.booleans())
    def put_underrun(self, value: bool) -> None:
        self.call(
            "put buffer_underrun_free_disabled",
            lambda: setattr(self.writer, "buffer_underrun_free_disabled", value),
        )

    @rule(inside=FROM_EVENTS, nothing=st.booleans())
    def write(self, inside: str, nothing: bool) -> None:
        """Write, and call something from the first event."""
        met: list[HResult] = []

        def sink(teller: DiscFormat2RawCD, progress: object) -> None:
            if met:
                return
            acts: dict[str, Any] = {
                "put recorder": lambda: setattr(teller, "recorder", None),
                "put client_name": lambda: setattr(teller, "client_name", "x"),
                "prepare_media": teller.prepare_media,
                "write_media": lambda: teller.write_media(small_stream()),
                "release_media": teller.release_media,
                "get start_of_next_session": lambda: teller.start_of_next_session,
                "put buffer_underrun_free_disabled": lambda: setattr(
                    teller, "buffer_underrun_free_disabled", True
                ),
                "cancel_write": teller.cancel_write,
            }
            try:
                acts[inside]()
            except MasteringError as error:
                met.append(HResult(error.hresult))
            else:
                met.append(OK)

        then = self.disc_says()
        if then == OK:
            then = HResult.E_POINTER if nothing else OK
            if not nothing and inside == "cancel_write":
                then = HResult.E_IMAPI_REQUEST_CANCELLED
        cookie = self.writer.advise(sink)

        def act() -> None:
            kind = self.writer.requested_sector_type
            self.writer.write_media(None if nothing else small_stream(kind))

        got = self.call("write_media", act, then=then)
        self.writer.unadvise(cookie)
        self.written |= got == OK
        if met:
            assert met == [RAW_TABLE[inside][WriterState.WRITING]]

    @rule()
    def cancel(self) -> None:
        self.call("cancel_write", self.writer.cancel_write)

    @rule()
    def release(self) -> None:
        if self.call("release_media", self.writer.release_media) == OK:
            self.state = WriterState.IDLE

    @invariant()
    def the_writer_stands_where_the_model_does(self) -> None:
        assert self.writer.state is self.state

    @invariant()
    def the_drive_is_held_as_often_as_it_was_taken(self) -> None:
        if self.drive is not None:
            held = self.held + (self.state is WriterState.PREPARED)
            assert bool(self.drive.exclusive_access_owner) == bool(held)


RawWriterMachine.TestCase.settings = settings(
    max_examples=max(5, settings().max_examples // 3), stateful_step_count=20, deadline=None
)
test_any_sequence_of_calls = RawWriterMachine.TestCase
