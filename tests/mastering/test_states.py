"""The table of states against the reference's own rows, and against any sequence of calls."""

from __future__ import annotations

import errno
import shutil
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rawcd.errors import MasteringError
from rawcd.filesystem import FileTree, Folder, MemoryFile
from rawcd.hresults import HResult
from rawcd.mastering import DiscMaster, DiscMasterFormat, JolietDiscMaster, RedbookDiscMaster
from rawcd.mastering.states import BEFALLS, FORMAT_OF, TABLE, Call, Machine, State
from tests.mastering.jobs import BLOCK, Bench, Log, a_stash

if TYPE_CHECKING:
    from collections.abc import Callable

H = HResult
CALLS = [call for call in Call if call not in BEFALLS]
OPEN = [state for state in State if state is not State.CLOSED]

# The reference's table (its section 4.2), row by row: what works, and what else is refused with.
REFERENCE: dict[State, dict[Call, State | HResult]] = {
    State.CLOSED: {Call.OPEN: State.NO_FORMAT, Call.CLOSE: State.CLOSED},
    State.NO_FORMAT: {
        Call.ENUM_FORMATS: State.NO_FORMAT,
        Call.SET_FORMAT: State.FORMAT,
        Call.ADVISE: State.NO_FORMAT,
        Call.UNADVISE: State.NO_FORMAT,
        Call.CLEAR: State.NO_FORMAT,
        Call.ENUM_RECORDERS: H.IMAPI_E_NOACTIVEFORMAT,
        Call.GET_RECORDER: H.IMAPI_E_NOACTIVEFORMAT,
        Call.SET_RECORDER: H.IMAPI_E_NOACTIVEFORMAT,
        Call.RECORD: H.IMAPI_E_NOACTIVEFORMAT,
    },
    State.FORMAT: {
        Call.ENUM_RECORDERS: State.FORMAT,
        Call.SET_RECORDER: State.READY,
        Call.GET_RECORDER: H.IMAPI_E_NOACTIVERECORDER,
        Call.RECORD: H.IMAPI_E_NOACTIVERECORDER,
    },
    State.READY: {
        Call.CREATE_TRACK: State.TRACK_OPEN,
        Call.ADD_DATA: State.STAGED,
        Call.RECORD: H.IMAPI_E_INVALIDIMAGE,
        Call.CLOSE_TRACK: H.IMAPI_E_TRACKNOTOPEN,
    },
    State.TRACK_OPEN: {
        Call.ADD_BLOCKS: State.TRACK_OPEN,
        Call.CLOSE_TRACK: State.STAGED,
        Call.CREATE_TRACK: H.IMAPI_E_TRACKOPEN,
        Call.RECORD: H.IMAPI_E_TRACKOPEN,
    },
    State.STAGED: {
        Call.CREATE_TRACK: State.TRACK_OPEN,
        Call.ADD_DATA: State.STAGED,
        Call.RECORD: State.BURNING,
        Call.ADD_BLOCKS: H.IMAPI_E_TRACKNOTOPEN,
    },
    State.BURNING: {Call.BURNED: State.USED, Call.FAILED: State.STAGED},
    State.USED: {Call.RECORD: H.IMAPI_E_INVALIDIMAGE, Call.CREATE_TRACK: State.TRACK_OPEN},
    State.LOST: {
        Call.GET_RECORDER: H.IMAPI_E_DEVICE_NOTPRESENT,
        Call.RECORD: H.IMAPI_E_DEVICE_NOTPRESENT,
    },
}


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_the_table_says_what_the_reference_says(state: State) -> None:
    for call, outcome in REFERENCE[state].items():
        assert TABLE[state, call] == outcome, call
    for call in CALLS:
        if state is State.CLOSED and call not in (Call.OPEN, Call.CLOSE):
            assert TABLE[state, call] == H.IMAPI_E_NOTOPENED


def test_every_call_has_its_outcome_in_every_state() -> None:
    for state, call in product(State, CALLS):
        assert isinstance(TABLE[state, call], State | HResult)
    for state in OPEN:
        assert TABLE[state, Call.OPEN] == H.IMAPI_E_ALREADYOPEN
        assert isinstance(TABLE[state, Call.CLOSE], State), "close always succeeds"


@pytest.mark.parametrize("held", [State.READY, State.TRACK_OPEN, State.STAGED, State.USED])
def test_a_loss_keeps_what_was_staged_until_another_recorder_is_chosen(held: State) -> None:
    machine = Machine()
    machine.state = held
    machine.advance(Call.DEVICE_GONE)
    assert (machine.state, machine.at) == (State.LOST, held)
    machine.advance(Call.SET_RECORDER)
    assert machine.state is (State.READY if held is State.USED else held)
    machine.advance(Call.DEVICE_GONE)
    machine.advance(Call.CLEAR)
    machine.advance(Call.SET_RECORDER)
    assert machine.state is State.READY


class AnySequence(RuleBasedStateMachine):
    """A disc master on a virtual recorder, and the table beside it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rawcd-states-"))
        self.bench = Bench(self.folder)
        self.log = Log()
        self.master = DiscMaster([self.bench], stash=a_stash(self.folder))
        interfaces: dict[DiscMasterFormat, Any] = {}
        self.master.open()
        for kind in DiscMasterFormat:
            interfaces[kind] = self.master.set_active_disc_master_format(kind)
        [self.recorder] = self.master.enum_disc_recorders()
        self.master.close()
        self.audio: RedbookDiscMaster = interfaces[DiscMasterFormat.REDBOOK]
        self.files: JolietDiscMaster = interfaces[DiscMasterFormat.JOLIET]
        # The model: the table, and what a call's own arguments may be refused for.
        self.state = State.CLOSED
        self.held = State.READY
        self.format: DiscMasterFormat | None = None
        self.open_blocks = 0
        self.blank = True
        self.named = False
        self.names = 0
        self.sessions = 0
        self.seen: tuple[Path | None, bool, int] = (None, True, 0)
        self.came: set[tuple[State, Call]] = set()

    def teardown(self) -> None:
        if hasattr(self, "master"):
            self.master.close()
            shutil.rmtree(self.folder)

    def expected(self, call: Call) -> State | HResult:
        """Return what the table says."""
        if self.format not in (None, FORMAT_OF.get(call, self.format)):
            return H.IMAPI_E_WRONGFORMAT
        state = self.state
        if state is State.LOST and call is Call.SET_RECORDER:
            state = self.held
        return TABLE[state, call]

    def do(self, call: Call, work: Any, *refused_for: HResult) -> bool:
        """Do a call, and compare; return whether it went through.

        Args:
            call: the call.
            work: what does it.
            refused_for: what its arguments or the drive are refused for, if the state allows it.
        """
        outcome = self.expected(call)
        if isinstance(outcome, State) and refused_for:
            outcome = refused_for[0]
        self.came.add((self.state, call))
        refused: MasteringError | None = None
        try:
            work()
        except MasteringError as error:
            refused = error
        if refused is not None:
            assert refused.hresult == outcome, f"{call}: {refused}"
            if outcome == H.IMAPI_E_DEVICE_NOTPRESENT and call in (Call.RECORD, Call.GET_RECORDER):
                self.lose()
            return False
        assert isinstance(outcome, State), f"{call} went through in {self.state}"
        if self.state is State.LOST and call is Call.CLEAR:
            self.held = State.READY
        else:
            self.state = outcome
        return True

    def lose(self) -> None:
        if self.state is not State.LOST:
            self.state, self.held = State.LOST, self.state

    @property
    def gone(self) -> bool:
        return self.bench.trouble == errno.ENODEV

    @rule()
    def open(self) -> None:
        self.do(Call.OPEN, self.master.open)

    @rule()
    def close(self) -> None:
        self.do(Call.CLOSE, self.master.close)
        self.format = None

    @rule(kind=st.sampled_from(DiscMasterFormat))
    def set_format(self, kind: DiscMasterFormat) -> None:
        if self.do(Call.SET_FORMAT, lambda: self.master.set_active_disc_master_format(kind)):
            self.format = kind

    @rule()
    def set_recorder(self) -> None:
        why = [H.IMAPI_E_DEVICE_NOTPRESENT] if self.gone else []
        if not why and self.bench.disc is None:
            why = [H.IMAPI_E_MEDIUM_NOTPRESENT]
        if not why and not self.blank and self.format is DiscMasterFormat.REDBOOK:
            why = [H.IMAPI_E_DISCFULL]
        if not why and not self.blank and not self.named:
            why = [H.IMAPI_E_DISCFULL]  # sound is on it: no earlier session to go on from
        before = self.state
        if self.do(
            Call.SET_RECORDER, lambda: self.master.set_active_disc_recorder(self.recorder), *why
        ):
            self.seen = self.bench.disc, self.blank, self.sessions
            if before is State.LOST and self.state is State.READY:
                self.held = State.READY

    @rule()
    def get_recorder(self) -> None:
        why = [H.IMAPI_E_DEVICE_NOTPRESENT] if self.gone else []
        self.do(Call.GET_RECORDER, self.master.get_active_disc_recorder, *why)

    @rule()
    def clear(self) -> None:
        if self.do(Call.CLEAR, self.master.clear_format_content):
            self.open_blocks = 0
            self.seen = (self.seen[0], True, 0)

    @rule()
    def asks(self) -> None:
        master = self.master
        self.do(Call.ENUM_FORMATS, master.enum_disc_master_formats)
        self.do(Call.ENUM_RECORDERS, master.enum_disc_recorders)
        self.do(Call.GET_FORMAT, master.get_active_disc_master_format)
        cookies: list[int] = []
        if self.do(Call.ADVISE, lambda: cookies.append(master.progress_advise(self.log))):
            self.do(Call.UNADVISE, lambda: master.progress_unadvise(cookies[0]))
        for call, interface in (
            (Call.AUDIO_TRACKS, self.audio),
            (Call.AUDIO_USED, self.audio),
            (Call.AUDIO_BLOCK_SIZE, self.audio),
            (Call.AUDIO_TOTAL, self.audio),
            (Call.AUDIO_AVAILABLE, self.audio),
            (Call.DATA_BLOCK_SIZE, self.files),
            (Call.DATA_TOTAL, self.files),
            (Call.DATA_USED, self.files),
            (Call.GET_PROPERTIES, self.files),
        ):
            self.do(call, getattr(interface, call.value))
        self.do(Call.SET_PROPERTIES, lambda: self.files.set_joliet_properties({}))

    @rule()
    def create_track(self) -> None:
        if self.do(Call.CREATE_TRACK, lambda: self.audio.create_audio_track(300)):
            self.open_blocks = 0

    @rule(blocks=st.sampled_from([1, 300]), extra=st.sampled_from([0, 0, 7]))
    def add_blocks(self, blocks: int, extra: int) -> None:
        why = [H.E_INVALIDARG] if extra else []
        data = bytes(blocks * BLOCK + extra)
        if self.do(Call.ADD_BLOCKS, lambda: self.audio.add_audio_track_blocks(data), *why):
            self.open_blocks += blocks

    @rule()
    def close_track(self) -> None:
        why = [] if self.open_blocks >= 300 else [H.IMAPI_E_TRACK_NOT_BIG_ENOUGH]
        self.do(Call.CLOSE_TRACK, self.audio.close_audio_track, *why)

    @rule()
    def add_data(self) -> None:
        self.names += 1
        tree = FileTree(root=Folder(entries={f"f{self.names}": MemoryFile(data=b"1")}))
        self.do(Call.ADD_DATA, lambda: self.files.add_data(tree))

    @rule(
        simulate=st.sampled_from([True, True, False]), cancel=st.sampled_from([False, False, True])
    )
    def record(self, simulate: bool, cancel: bool) -> None:
        data = self.format is DiscMasterFormat.JOLIET
        why: list[HResult] = []
        if self.state is State.STAGED:
            disc, was_blank, sessions = self.seen
            if self.gone:
                why = [H.IMAPI_E_DEVICE_NOTPRESENT]
            elif self.bench.disc is None:
                why = [H.IMAPI_E_MEDIUM_NOTPRESENT]
            elif not was_blank and (self.bench.disc, self.sessions) != (disc, sessions):
                why = [H.IMAPI_E_WRONGDISC]
            elif was_blank and not self.blank:
                why = [H.IMAPI_E_CANNOT_WRITE_TO_MEDIA]
            elif cancel:
                why = [H.IMAPI_E_USERABORT]
        cookie = None
        if cancel and self.state is not State.CLOSED:
            cookie = self.master.progress_advise(Log(stop_at=1))
        went = self.do(Call.RECORD, lambda: self.master.record_disc(simulate), *why)
        if cookie is not None:
            self.master.progress_unadvise(cookie)
        if went:
            self.state = State.USED
            if not simulate:
                self.blank, self.named = False, data
                self.sessions += 1

    @rule(what=st.sampled_from(["unplug", "plug in", "plug in", "blank", "empty"]))
    def bench_work(self, what: str) -> None:
        if what == "unplug":
            self.bench.unplug()
        elif what == "plug in":
            self.bench.plug_in()
        elif what == "blank":
            self.bench.blank()
            self.blank, self.named, self.sessions = True, False, 0
        else:
            self.bench.disc = None
            self.blank, self.named, self.sessions = True, False, 0

    @rule(
        kind=st.sampled_from(DiscMasterFormat),
        how_far=st.integers(3, 7),
        simulate=st.sampled_from([True, True, True, False]),
        then=st.sampled_from(["", "", "unplug"]),
    )
    def hurry(self, kind: DiscMasterFormat, how_far: int, simulate: bool, then: str) -> None:
        """Go the way of a whole job, as far as it goes, and perhaps lose the recorder there."""
        way: list[Callable[[], object]] = [
            self.open,
            lambda: self.set_format(kind),
            self.set_recorder,
        ]
        if kind is DiscMasterFormat.REDBOOK:
            way += [self.create_track, lambda: self.add_blocks(300, 0), self.close_track]
        else:
            way += [self.add_data, self.asks, self.add_data]
        way.append(lambda: self.record(simulate, False))
        for step in way[:how_far]:
            step()
        if then:
            self.bench_work(then)
            self.get_recorder()

    def every_call(self, kind: DiscMasterFormat) -> None:
        """Do all that can be done, whatever comes of it."""
        self.asks()
        self.get_recorder()
        self.close_track()
        self.create_track()
        self.add_blocks(1, 0)
        self.add_data()
        self.set_recorder()
        self.record(True, False)
        self.clear()
        self.open()
        self.set_format(kind)
        self.close()

    @invariant()
    def the_state_is_the_models(self) -> None:
        if hasattr(self, "master"):
            assert self.master._job.machine.state is self.state


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(stateful_step_count=25)


def test_every_call_at_each_step_of_a_whole_job() -> None:
    came: set[tuple[State, Call]] = set()
    for kind, how_far, then in product(DiscMasterFormat, range(8), ("", "unplug")):
        machine = AnySequence()
        machine.begin()
        try:
            machine.hurry(kind, how_far, simulate=True, then=then)
            machine.every_call(kind)
            machine.the_state_is_the_models()
        finally:
            machine.teardown()
        came |= machine.came
    # All but burning, which only what is called back can see.
    assert {state for state, _ in came} == set(State) - {State.BURNING}
    assert {call for _, call in came} == set(CALLS)
