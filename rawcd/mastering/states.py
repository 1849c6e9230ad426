"""The states of a disc master, and what each call does in each: one table.

The rows are IMAPI's own (its states from Closed to the loss of the device). What no page of the
documentation says is marked in the table's comments; there the code is the nearest by meaning.
"""

from __future__ import annotations

from enum import Enum
from typing import Final
from uuid import UUID

from rawcd.errors import MasteringError
from rawcd.hresults import HResult


class DiscMasterFormat(Enum):
    """What kind of disc is mastered; the value is the interface's IID."""

    REDBOOK = "E3BC42CD-4E5C-11D3-9144-00104BA11C5E"
    JOLIET = "E3BC42CE-4E5C-11D3-9144-00104BA11C5E"

    @property
    def iid(self) -> UUID:
        """The interface that masters it: IRedbookDiscMaster, IJolietDiscMaster."""
        return UUID(self.value)


class State(Enum):
    """Where a job stands."""

    CLOSED = "not opened"
    NO_FORMAT = "no format chosen"
    FORMAT = "no recorder chosen"
    READY = "nothing staged"
    TRACK_OPEN = "an audio track is open"
    STAGED = "an image is staged"
    BURNING = "the disc is being burned"
    USED = "the image has been burned"
    LOST = "the recorder is gone"


class Call(Enum):
    """What can be asked of a disc master and its two formats, and what can befall it."""

    OPEN = "open"
    CLOSE = "close"
    ENUM_FORMATS = "enum_disc_master_formats"
    GET_FORMAT = "get_active_disc_master_format"
    SET_FORMAT = "set_active_disc_master_format"
    ENUM_RECORDERS = "enum_disc_recorders"
    GET_RECORDER = "get_active_disc_recorder"
    SET_RECORDER = "set_active_disc_recorder"
    CLEAR = "clear_format_content"
    ADVISE = "progress_advise"
    UNADVISE = "progress_unadvise"
    RECORD = "record_disc"

    AUDIO_TRACKS = "get_total_audio_tracks"
    AUDIO_USED = "get_used_audio_blocks"
    AUDIO_BLOCK_SIZE = "get_audio_block_size"
    AUDIO_TOTAL = "get_total_audio_blocks"
    AUDIO_AVAILABLE = "get_available_audio_track_blocks"
    CREATE_TRACK = "create_audio_track"
    ADD_BLOCKS = "add_audio_track_blocks"
    CLOSE_TRACK = "close_audio_track"

    DATA_BLOCK_SIZE = "get_data_block_size"
    DATA_TOTAL = "get_total_data_blocks"
    DATA_USED = "get_used_data_blocks"
    ADD_DATA = "add_data"
    GET_PROPERTIES = "get_joliet_properties"
    SET_PROPERTIES = "set_joliet_properties"

    BURNED = "(the burn succeeded)"
    FAILED = "(the burn failed)"
    DEVICE_GONE = "(the recorder was unplugged)"


BEFALLS: Final = frozenset({Call.BURNED, Call.FAILED, Call.DEVICE_GONE})
"""What nobody calls."""
REDBOOK_CALLS: Final = frozenset(
    {
        Call.AUDIO_TRACKS,
        Call.AUDIO_USED,
        Call.AUDIO_BLOCK_SIZE,
        Call.AUDIO_TOTAL,
        Call.AUDIO_AVAILABLE,
        Call.CREATE_TRACK,
        Call.ADD_BLOCKS,
        Call.CLOSE_TRACK,
    }
)
JOLIET_CALLS: Final = frozenset(
    {
        Call.DATA_BLOCK_SIZE,
        Call.DATA_TOTAL,
        Call.DATA_USED,
        Call.ADD_DATA,
        Call.GET_PROPERTIES,
        Call.SET_PROPERTIES,
    }
)
FORMAT_OF: Final = {
    **dict.fromkeys(REDBOOK_CALLS, DiscMasterFormat.REDBOOK),
    **dict.fromkeys(JOLIET_CALLS, DiscMasterFormat.JOLIET),
}
"""Calls of one format; while the other is active they are WRONGFORMAT."""

_ASKING: Final = {
    Call.AUDIO_TRACKS,
    Call.AUDIO_USED,
    Call.AUDIO_BLOCK_SIZE,
    Call.DATA_BLOCK_SIZE,
    Call.GET_PROPERTIES,
}
"""What can be told without a recorder."""
_MEASURING: Final = {Call.AUDIO_TOTAL, Call.AUDIO_AVAILABLE, Call.DATA_TOTAL, Call.DATA_USED}
"""What the disc in the recorder decides."""
_STAGING: Final = {Call.CREATE_TRACK, Call.ADD_BLOCKS, Call.CLOSE_TRACK, Call.ADD_DATA}
CHANGING: Final = frozenset(
    {
        Call.SET_FORMAT,
        Call.SET_RECORDER,
        Call.ENUM_RECORDERS,
        Call.CLEAR,
        Call.RECORD,
        Call.SET_PROPERTIES,
        *_STAGING,
    }
)
"""What would pull the image, the stash or the drive from under work that is going on."""
_OPEN: Final = (
    State.NO_FORMAT,
    State.FORMAT,
    State.READY,
    State.TRACK_OPEN,
    State.STAGED,
    State.BURNING,
    State.USED,
    State.LOST,
)
_WITH_FORMAT: Final = _OPEN[1:]
_WITH_RECORDER: Final = (State.READY, State.TRACK_OPEN, State.STAGED, State.USED)

Outcome = State | HResult


def _table() -> dict[tuple[State, Call], Outcome]:
    """Return the table: the general rows first, what differs from them after."""
    table: dict[tuple[State, Call], Outcome] = {}

    def put(states: tuple[State, ...], calls: set[Call], outcome: Outcome | None) -> None:
        for state in states:
            for call in calls:
                table[state, call] = state if outcome is None else outcome

    calls = set(Call) - BEFALLS
    put((State.CLOSED,), calls, HResult.IMAPI_E_NOTOPENED)
    put((State.CLOSED,), {Call.OPEN}, State.NO_FORMAT)
    put((State.CLOSED,), {Call.CLOSE}, State.CLOSED)

    # Everywhere else, unless a row below says otherwise, a call goes through and changes nothing.
    put(_OPEN, calls, None)
    put(_OPEN, {Call.OPEN}, HResult.IMAPI_E_ALREADYOPEN)
    put(_OPEN, {Call.CLOSE}, State.CLOSED)
    put(_OPEN, {Call.SET_FORMAT}, State.FORMAT)

    needs_format = {Call.GET_FORMAT, Call.ENUM_RECORDERS, Call.GET_RECORDER, Call.SET_RECORDER}
    put(
        (State.NO_FORMAT,),
        {*needs_format, Call.RECORD, *REDBOOK_CALLS, *JOLIET_CALLS},
        HResult.IMAPI_E_NOACTIVEFORMAT,
    )

    needs_recorder = {Call.GET_RECORDER, Call.RECORD, *_MEASURING, *_STAGING}
    put((State.FORMAT,), needs_recorder, HResult.IMAPI_E_NOACTIVERECORDER)
    put((State.FORMAT,), {Call.SET_RECORDER}, State.READY)

    put(_WITH_RECORDER, {Call.CREATE_TRACK}, State.TRACK_OPEN)
    put(_WITH_RECORDER, {Call.ADD_BLOCKS, Call.CLOSE_TRACK}, HResult.IMAPI_E_TRACKNOTOPEN)
    put(_WITH_RECORDER, {Call.ADD_DATA}, State.STAGED)
    put(_WITH_RECORDER, {Call.CLEAR}, State.READY)
    put(_WITH_RECORDER, {Call.DEVICE_GONE}, State.LOST)
    put((State.READY, State.USED), {Call.RECORD}, HResult.IMAPI_E_INVALIDIMAGE)
    put((State.USED,), {Call.SET_RECORDER}, State.READY)
    put((State.STAGED,), {Call.RECORD}, State.BURNING)

    opened = (State.TRACK_OPEN,)
    put(opened, {Call.CREATE_TRACK, Call.RECORD}, HResult.IMAPI_E_TRACKOPEN)
    put(opened, {Call.ADD_BLOCKS}, State.TRACK_OPEN)
    put(opened, {Call.CLOSE_TRACK}, State.STAGED)

    # "Callbacks only", and no page says what a callback gets that calls on: E_UNEXPECTED, but
    # for what only asks. Close is promised to succeed: it ends the burn first.
    put((State.BURNING,), {*CHANGING}, HResult.E_UNEXPECTED)
    put((State.BURNING,), {Call.CLOSE}, State.BURNING)
    put((State.BURNING,), {Call.BURNED}, State.USED)
    put((State.BURNING,), {Call.FAILED}, State.STAGED)

    gone = (State.LOST,)
    operating = {Call.GET_RECORDER, Call.RECORD, *_STAGING}
    put(gone, operating, HResult.IMAPI_E_DEVICE_NOTPRESENT)
    return table


TABLE: Final = _table()
"""What a call leads to: the next state, or the code with which it is refused.

In `LOST` the two calls SET_RECORDER and CLEAR go by the state before the loss. While ADD_BLOCKS or
ADD_DATA tells of its progress, what is `CHANGING` is refused as it is in `BURNING`.
"""

_REMEDIES: Final = {
    HResult.IMAPI_E_NOTOPENED: "call open() first",
    HResult.IMAPI_E_ALREADYOPEN: "it is open already; close() it before it is opened again",
    HResult.IMAPI_E_NOACTIVEFORMAT: "no format is active; call set_active_disc_master_format()",
    HResult.IMAPI_E_NOACTIVERECORDER: "no recorder is active; call set_active_disc_recorder()",
    HResult.IMAPI_E_WRONGFORMAT: "the other format is active",
    HResult.IMAPI_E_TRACKNOTOPEN: "no audio track is open; call create_audio_track()",
    HResult.IMAPI_E_TRACKOPEN: "an audio track is open; call close_audio_track()",
    HResult.IMAPI_E_INVALIDIMAGE: "no image is staged; a burn, real or simulated, uses it up",
    HResult.IMAPI_E_DEVICE_NOTPRESENT: "the recorder is gone; choose another, the image is kept",
    HResult.E_UNEXPECTED: "not from a progress event: wait until what tells it has returned",
}


class Machine:
    """A disc master's state, moved by the table alone.

    Attributes:
        state: where the job stands.
        held: where it stood when the recorder was lost.
        format: the active format.
        is_staging: something is being copied into the stash, and told of.
    """

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.held = State.READY
        self.format: DiscMasterFormat | None = None
        self.is_staging = False

    @property
    def at(self) -> State:
        """Where the image stands, whatever became of the recorder."""
        return self.held if self.state is State.LOST else self.state

    @property
    def is_busy(self) -> bool:
        """Whether work goes on of which events tell."""
        return self.is_staging or self.state is State.BURNING

    def check(self, call: Call) -> None:
        """Refuse a call that does not fit the state.

        Raises:
            MasteringError: it does not, with the table's code.
        """
        outcome = TABLE[self.state, call]
        wanted = FORMAT_OF.get(call)
        if self.is_staging and call in CHANGING:
            outcome = HResult.E_UNEXPECTED
        elif self.format is not None and wanted not in (None, self.format):
            outcome = HResult.IMAPI_E_WRONGFORMAT
        if isinstance(outcome, HResult):
            raise _refused(call, outcome)

    def needed_format(self, call: Call) -> DiscMasterFormat:
        """Return the active format.

        Raises:
            MasteringError: there is none (NOACTIVEFORMAT).
        """
        if self.format is None:
            raise _refused(call, HResult.IMAPI_E_NOACTIVEFORMAT)
        return self.format

    def advance(self, call: Call) -> None:
        """Go to the state that a call leads to, after it has done its work.

        Raises:
            MasteringError: the state has become another meanwhile, where the call has no place.
        """
        if call is Call.DEVICE_GONE and self.state not in _WITH_RECORDER:
            return
        before = self.state
        if before is State.LOST and call in (Call.SET_RECORDER, Call.CLEAR):
            self.held = _next(self.held, call)
            self.state = self.held if call is Call.SET_RECORDER else State.LOST
            return
        self.state = _next(before, call)
        if self.state is State.LOST and before is not State.LOST:
            self.held = before
        if self.state in (State.CLOSED, State.NO_FORMAT):
            self.format = None


def _next(state: State, call: Call) -> State:
    outcome = TABLE[state, call]
    if isinstance(outcome, HResult):
        raise _refused(call, outcome)
    return outcome


def _refused(call: Call, code: HResult) -> MasteringError:
    return MasteringError(f"{call.value}: {_REMEDIES[code]}", hresult=code)
