"""The one door to a mastering job of IMAPI version 1 (IDiscMaster)."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from uuid import UUID

from rawcd.errors import MasteringError, RawCDError
from rawcd.filesystem import BLOCK_BYTES
from rawcd.hresults import HResult
from rawcd.mastering.drive import drive_of
from rawcd.mastering.engine import BurnEngine
from rawcd.mastering.enumerators import Enumerator
from rawcd.mastering.events import DiscMasterProgressEvents as Events
from rawcd.mastering.ground import Ground, look
from rawcd.mastering.job import Job
from rawcd.mastering.joliet import DataImage, JolietDiscMaster
from rawcd.mastering.properties import JolietProperties
from rawcd.mastering.recorder import DiscRecorder
from rawcd.mastering.redbook import AudioImage, RedbookDiscMaster
from rawcd.mastering.refusals import drive_codes, refusal
from rawcd.mastering.stash import STASH_BYTES, Stash
from rawcd.mastering.states import Call, DiscMasterFormat, State
from rawcd.recorders import given_recorder, list_recorders
from rawcd.source import SECTOR_BYTES, BlockSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from rawcd.mastering.stash import StashLeftover
    from rawcd.recorders import Recorder
    from rawcd.source import Source

_log = logging.getLogger(__name__)


class DiscMaster:
    """A mastering job: choose a format and a recorder, stage an image, record it.

    ```python
    with DiscMaster() as master:
        files = master.set_active_disc_master_format(DiscMasterFormat.JOLIET)
        [recorder, *_] = master.enum_disc_recorders()
        master.set_active_disc_recorder(recorder)
        files.add_data("photos")
        master.record_disc(simulate=False, eject_after_burn=True)
    ```

    Every method but `close` may raise `MasteringError` with NOTOPENED; which call fits which
    state, and its code where it does not, is `rawcd.mastering.states.TABLE`. Nothing here is
    meant for several threads; progress events come on the thread that called.

    Args:
        recorders: names such as `/dev/sr0` and `virtual:disc.raw`, or recorders; None takes those
            of this computer.
        stash: the folder of the stash, or a `Stash`, of which folder and limit are taken; None is
            `RAWCD_STASH` from the environment, else the system's or the user's own.

    Attributes:
        leftover: the stash of a program that died, which `open` found and cleared; None where
            there was none.
    """

    def __init__(
        self,
        recorders: Iterable[Recorder | str | os.PathLike[str]] | None = None,
        *,
        stash: str | os.PathLike[str] | Stash | None = None,
    ) -> None:
        one = (recorders,) if isinstance(recorders, str | os.PathLike) else recorders
        self._recorders = None if one is None else tuple(one)
        # One of its own even where one is given: the lock decides between two masters, always.
        given = (stash.folder, stash.limit) if isinstance(stash, Stash) else (stash, STASH_BYTES)
        self._job = Job(Stash(given[0], limit=given[1]), self.close)
        self._audio = AudioImage()
        self._data = DataImage()
        self.leftover: StashLeftover | None = None

    def __repr__(self) -> str:
        machine = self._job.machine
        form = "" if machine.format is None else f" {machine.format.name}"
        return f"<DiscMaster{form}: {machine.state.value}>"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- the job ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin, once before `close`; a stash that a dead program left is cleared and reported.

        Raises:
            MasteringError: ALREADYOPEN; FILEACCESS: what lies in the stash's place is none.
        """
        with self._job.call(Call.OPEN):
            self.leftover = self._job.stash.clear_leftover()

    def close(self) -> None:
        """End: what was not burned is lost, and others may have the stash. Always succeeds.

        Called from a progress event it ends the work first, which then is a USERABORT.
        """
        job = self._job
        job.listeners.is_closing = job.machine.is_busy
        if not job.machine.is_busy:
            self._let_go()
            job.machine.advance(Call.CLOSE)

    def progress_advise(self, sink: Events) -> int:
        """Have somebody told of progress; return a cookie for `progress_unadvise`.

        Raises:
            MasteringError: nobody is given (E_POINTER), or one that lacks an event (E_INVALIDARG).
        """
        with self._job.call(Call.ADVISE):
            return self._job.listeners.advise(sink)

    def progress_unadvise(self, cookie: int) -> None:
        """Have somebody told no more.

        Raises:
            MasteringError: nobody has that cookie (E_INVALIDARG; no page names a code).
        """
        with self._job.call(Call.UNADVISE):
            self._job.listeners.unadvise(cookie)

    # -- the format -------------------------------------------------------------------------------

    def enum_disc_master_formats(self) -> Enumerator[DiscMasterFormat]:
        """Return both formats; get what masters one from `set_active_disc_master_format`."""
        with self._job.call(Call.ENUM_FORMATS):
            return Enumerator(tuple(DiscMasterFormat))

    def get_active_disc_master_format(self) -> DiscMasterFormat:
        """Return the active format.

        One page says that Joliet is active by default; the code that another names for none is
        the one that is given here.

        Raises:
            MasteringError: NOACTIVEFORMAT.
        """
        with self._job.call(Call.GET_FORMAT):
            return self._job.machine.needed_format(Call.GET_FORMAT)

    def set_active_disc_master_format(
        self, kind: DiscMasterFormat | UUID | str
    ) -> RedbookDiscMaster | JolietDiscMaster:
        """Choose a format, by name or IID, and return what stages its images.

        What was staged is thrown away, the recorder has to be chosen anew, and
        `notify_pnp_activity` tells that the list of recorders is another.

        Raises:
            MasteringError: E_NOINTERFACE: there is no such format.
        """
        with self._job.call(Call.SET_FORMAT):
            try:
                chosen = (
                    kind
                    if isinstance(kind, DiscMasterFormat)
                    else DiscMasterFormat(str(UUID(str(kind))).upper())
                )
            except ValueError as error:
                raise refusal(
                    HResult.E_NOINTERFACE, f"{kind!r} is no format; there are REDBOOK and JOLIET"
                ) from error
            self._let_go()
        self._job.machine.format = chosen
        self._job.listeners.tell(Events.notify_pnp_activity)
        if chosen is DiscMasterFormat.REDBOOK:
            return RedbookDiscMaster(self._job, self._audio)
        return JolietDiscMaster(self._job, self._data)

    def clear_format_content(self) -> None:
        """Throw away what was staged, without asking, and with no way back.

        The job leaves multi-session mode: from then on a blank disc is needed.
        """
        with self._job.call(Call.CLEAR):
            self._forget_image()
            if self._job.choice is not None:
                recorder, ground = self._job.choice
                end = ground.start_lba + ground.sectors
                self._job.choice = recorder, Ground(start_lba=0, sectors=end)

    # -- the recorder -----------------------------------------------------------------------------

    def enum_disc_recorders(self) -> Enumerator[DiscRecorder]:
        """Return the recorders that are there now and can write; each is asked what it is.

        WriteSpeed of each is its highest again. Ask anew after `notify_pnp_activity`.

        Raises:
            MasteringError: NOACTIVEFORMAT.
        """
        with self._job.call(Call.ENUM_RECORDERS):
            found = []
            for recorder in self._listed():
                try:
                    drive = drive_of(recorder)
                except RawCDError as error:
                    _log.warning("%s: left out: %s", recorder.name, error)
                    continue
                if drive.facts.writes_cdr or drive.facts.writes_cdrw:
                    found.append(DiscRecorder.of(drive, self._job.listeners))
            return Enumerator(found)

    def _listed(self) -> list[Recorder]:
        with drive_codes("enum_disc_recorders"):
            if self._recorders is None:
                return list(list_recorders())
            return [given_recorder(each) for each in self._recorders]

    def get_active_disc_recorder(self) -> DiscRecorder:
        """Return the active recorder; none is active by itself.

        Raises:
            MasteringError: NOACTIVEFORMAT, NOACTIVERECORDER, DEVICE_NOTPRESENT.
        """
        with self._job.call(Call.GET_RECORDER):
            recorder = self._job.recorder
            if self._job.machine.state is not State.BURNING:
                with self._losing():
                    recorder.drive.check_present("get_active_disc_recorder")
            return recorder

    def set_active_disc_recorder(self, recorder: DiscRecorder) -> None:
        """Choose a recorder, with the disc in it; the job gets the stash.

        Under Joliet the disc is read: one with an earlier session of IMAPI's, and room, begins a
        multi-session, in which its files stay visible. Call it again before the first `add_data`
        of every image. What is staged stays, if it fits.

        Raises:
            MasteringError: NOACTIVEFORMAT; DEVICE_NOTPRESENT; MEDIUM_NOTPRESENT; DISCFULL (the
                disc has no room, or for Redbook is not blank, or what is staged does not fit);
                STASHINUSE, COMPRESSEDSTASH, ENCRYPTEDSTASH, REMOVABLESTASH,
                NOTENOUGHDISKFORSTASH; E_POINTER (none is given), E_INVALIDARG (something else is),
                NOTINITIALIZED.
        """
        job = self._job
        with job.call(Call.SET_RECORDER):
            if recorder is None:
                raise refusal(HResult.E_POINTER, "set_active_disc_recorder: none is given")
            if not isinstance(recorder, DiscRecorder):
                raise refusal(
                    HResult.E_INVALIDARG,
                    f"set_active_disc_recorder: a {type(recorder).__name__} is no DiscRecorder; "
                    "take one from enum_disc_recorders()",
                )
            drive = recorder.drive
            data = job.machine.format is DiscMasterFormat.JOLIET
            with drive.looked_at("set_active_disc_recorder") as session:
                ground = look(session, data=data)
            self._check_fits(ground, gap=drive.gap_blocks)
            before, job.choice = job.choice, (recorder, ground)
            try:
                job.reserve(BLOCK_BYTES if data else SECTOR_BYTES)
            except BaseException:
                job.choice = before
                raise

    def _check_fits(self, ground: Ground, *, gap: int) -> None:
        """See that what is staged fits a disc.

        Raises:
            MasteringError: it does not (DISCFULL), or cannot lie behind what is on it.
        """
        if self._job.machine.format is DiscMasterFormat.JOLIET:
            self._data.used_blocks(ground)
            return
        needed = self._audio.span(gap)
        if needed > ground.sectors:
            raise refusal(
                HResult.IMAPI_E_DISCFULL,
                f"{needed} blocks are staged, and the disc has {ground.sectors}",
            )

    # -- the burn ---------------------------------------------------------------------------------

    def record_disc(self, simulate: bool = False, eject_after_burn: bool = False) -> None:
        """Burn what is staged, from the stash alone; blocks, and tells those who listen.

        It stops at the first error. The image is used up by the first success, a simulated one
        included (one page promises a real burn after a simulated one, and denies it in the same
        breath: this is the safer reading). After any failure it is still there: put in a disc,
        free the recorder, and call again.

        Args:
            simulate: all is done but the laser's power.
            eject_after_burn: open the tray when it is done.

        Raises:
            MasteringError: NOACTIVEFORMAT, NOACTIVERECORDER, TRACKOPEN, INVALIDIMAGE (nothing is
                staged); DEVICE_NOTACCESSIBLE (a recorder of this drive is open exclusively, or
                another program has it), DEVICE_NOTPRESENT; MEDIUM_NOTPRESENT, MEDIUM_INVALIDTYPE,
                CANNOT_WRITE_TO_MEDIA (the disc is not blank), WRONGDISC (not the one of the
                multi-session), DISCFULL (a smaller one); USERABORT; INITIALIZE_WRITE,
                INITIALIZE_ENDWRITE, LOSS_OF_STREAMING, DISCINFO, GENERIC.
        """
        job = self._job
        machine = job.machine
        machine.check(Call.RECORD)
        data = machine.format is DiscMasterFormat.JOLIET
        if data and self._data.is_empty:
            raise refusal(HResult.IMAPI_E_INVALIDIMAGE, "record_disc: no file is staged")
        drive, ground = job.recorder.drive, job.ground
        drive.check_free()
        sources = [self._data.track(ground)] if data else self._sound()
        job.listeners.begin()
        machine.advance(Call.RECORD)
        code = HResult.IMAPI_E_GENERIC
        try:
            with self._losing():
                engine = BurnEngine(drive, ground, job.stash, job.listeners, simulate=simulate)
                if data:
                    engine.burn_data(sources[0], eject=eject_after_burn)
                else:
                    engine.burn_audio(sources, eject=eject_after_burn)
            code = HResult.S_OK
        except MasteringError as error:
            code = HResult(error.hresult)
            raise
        finally:
            try:
                job.listeners.tell(Events.notify_burn_complete, code)
            finally:
                self._settle(code)

    def _settle(self, code: HResult) -> None:
        """Go on from a burn that is over, whatever became of it."""
        machine = self._job.machine
        if code is HResult.S_OK:
            machine.advance(Call.BURNED)
            self._forget_image()
        else:
            machine.advance(Call.FAILED)
        if code is HResult.IMAPI_E_DEVICE_NOTPRESENT:
            machine.advance(Call.DEVICE_GONE)
        self._job.close_if_asked()

    def _sound(self) -> list[Source]:
        return [
            BlockSource(
                self._job.stash,
                offset=track.offset,
                block_size=SECTOR_BYTES,
                block_count=track.blocks,
            )
            for track in self._audio.tracks
        ]

    def _forget_image(self) -> None:
        self._audio.tracks.clear()
        self._data.clear()
        self._job.stash.clear()

    def _let_go(self) -> None:
        """Forget the image, its properties and the recorder, and let others have the stash."""
        self._forget_image()
        self._data.set_properties(JolietProperties.default())
        self._job.choice = None
        self._job.stash.release()

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """Note that the recorder is gone when a call inside the block finds it so."""
        try:
            yield
        except MasteringError as error:
            if error.hresult == HResult.IMAPI_E_DEVICE_NOTPRESENT:
                self._job.machine.advance(Call.DEVICE_GONE)
                self._job.listeners.tell(Events.notify_pnp_activity)
            raise
