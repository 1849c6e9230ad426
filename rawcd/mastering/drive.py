"""A drive as the jobs of this program see it: who holds it, how it is set up."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.refusals import drive_codes, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.drives import DriveSession, Media
    from rawcd.recorders import Recorder

CLIENT: Final = "rawcd IMAPI 1"
_CAPABILITIES_PAGE: Final = 0x2A
_CAPABILITIES: Final = construct.Struct(
    construct.Bytes(3),
    "writes" / construct.Byte,  # bit 0 CD-R, 1 CD-RW
    "plays" / construct.Byte,  # bit 7: writing can pause when data come too late
    construct.Bytes(13),
    "max_speed" / construct.Int16ub,  # of writing, in kB/s
)
"""The head of mode page 2Ah (MMC, capabilities)."""
_SINGLE_SPEED: Final = 176.4
"""kB/s of 1,000 bytes."""
GAP_BLOCKS: Final = 150
MAX_GAP_BLOCKS: Final = 225
RUN_OUT_BLOCKS: Final = 2
"""What the engine writes behind a track beside what was staged: the true gap is longer by it."""
FASTEST: Final = -1
_AS_THE_DRIVE_CAN: Final = -1
_SETTABLE: Final = {
    "WriteSpeed": (FASTEST, 0),
    "EnableBufferUnderrunFree": (_AS_THE_DRIVE_CAN, 1),
    "AudioGapSize": (0, MAX_GAP_BLOCKS),
}
"""Properties that can be set, with least and most; the speed's most is the drive's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFacts:
    """What a drive says of itself.

    Attributes:
        vendor: the maker.
        product: the model.
        revision: of its firmware.
        writes_cdr: it writes CD-R.
        writes_cdrw: it writes CD-RW.
        underrun_free: it can pause when data come too late.
        max_speed: its fastest, times single speed; 0 where it does not say.
    """

    vendor: str
    product: str
    revision: str
    writes_cdr: bool
    writes_cdrw: bool
    underrun_free: bool
    max_speed: int

    @classmethod
    def ask(cls, session: DriveSession) -> DriveFacts:
        """Ask an open drive.

        Raises:
            DriveError: it does not answer.
        """
        who, page = session.identity(), session.mode_page(_CAPABILITIES_PAGE)
        said = _CAPABILITIES.parse((page or b"").ljust(_CAPABILITIES.sizeof(), b"\0"))
        speeds = [each.write for each in session.write_speed_descriptors()]
        fastest = max([*speeds, said.max_speed])
        return cls(
            vendor=who.vendor,
            product=who.product,
            revision=who.revision,
            writes_cdr=bool(said.writes & 1),
            writes_cdrw=bool(said.writes & 2),
            underrun_free=bool(said.plays & 0x80),
            max_speed=max(1, round(fastest / _SINGLE_SPEED)) if fastest else 0,
        )


class Drive:
    """A drive, one object for all recorder objects that stand for it.

    Attributes:
        recorder: what opens it.
        facts: what it said when it was last enumerated.
        is_burning: a job writes on it.
    """

    def __init__(self, recorder: Recorder, facts: DriveFacts) -> None:
        self.recorder = recorder
        self.is_burning = False
        self._set: dict[str, int] = {}
        self._holder: weakref.ref[object] | None = None
        self._session: DriveSession | None = None
        self._ending: weakref.finalize[..., object] | None = None
        self.facts = facts

    @property
    def name(self) -> str:
        """What leads to it."""
        return self.recorder.name

    def refresh(self, recorder: Recorder, facts: DriveFacts) -> None:
        """Take what an enumeration found; the speed is the highest again."""
        self.recorder, self.facts = recorder, facts
        self._set.pop("WriteSpeed", None)

    # -- who holds it -----------------------------------------------------------------------------

    @property
    def is_held(self) -> bool:
        """Whether a recorder object has opened it exclusively."""
        if self._holder is not None and self._holder() is None:  # it was forgotten, not closed
            self.release()
        return self._session is not None

    def session_of(self, holder: object) -> DriveSession:
        """Return the session that a recorder object holds.

        Raises:
            MasteringError: it holds none (NOTOPENED).
        """
        session = self._session if self.is_held else None
        if session is None or self._holder is None or self._holder() is not holder:
            raise refusal(HResult.IMAPI_E_NOTOPENED, f"{self.name}: call open_exclusive() first")
        return session

    def hold(self, holder: object) -> None:
        """Open it for one recorder object alone.

        Raises:
            MasteringError: it is held or burning (DEVICE_NOTACCESSIBLE), or cannot be opened.
        """
        self.check_free()
        with drive_codes("open_exclusive"):
            session = self.recorder.open(exclusive=True, client=CLIENT)
        self._session, self._holder = session, weakref.ref(holder)
        self._ending = weakref.finalize(holder, session.close)

    def release(self) -> None:
        """Let go of it."""
        ending, self._ending, self._session, self._holder = self._ending, None, None, None
        if ending is not None:
            ending()

    def check_free(self) -> None:
        """Refuse a drive that somebody in this program has.

        Raises:
            MasteringError: it is held or burning (DEVICE_NOTACCESSIBLE).
        """
        if self.is_held:
            raise refusal(
                HResult.IMAPI_E_DEVICE_NOTACCESSIBLE,
                f"{self.name}: is held by open_exclusive(); close() that recorder first",
            )
        if self.is_burning:
            raise refusal(HResult.IMAPI_E_DEVICE_NOTACCESSIBLE, f"{self.name}: is burning a disc")

    @contextmanager
    def looked_at(self, what: str) -> Iterator[DriveSession]:
        """Give a session to look at what is in it, whoever holds it.

        Raises:
            MasteringError: it cannot be opened, or fails.
        """
        with drive_codes(what):
            held = self._session if self.is_held else None
            if held is not None:
                yield held
            else:
                with self.recorder.open(exclusive=False, client=CLIENT) as session:
                    yield session

    def check_present(self, what: str) -> None:
        """See that it is still there.

        Raises:
            MasteringError: it is not (DEVICE_NOTPRESENT); a drive that only is busy passes.
        """
        try:
            with self.looked_at(what) as session:
                session.identity()
        except MasteringError as error:
            if error.hresult == HResult.IMAPI_E_DEVICE_NOTPRESENT:
                raise

    # -- how it is set up -------------------------------------------------------------------------

    @property
    def properties(self) -> dict[str, int | bool]:
        """The recorder's properties, by IMAPI's names.

        Raises:
            MasteringError: it says nothing that they could be made of (DEVICE_NOPROPERTIES).
        """
        if not self.facts.max_speed:
            raise refusal(
                HResult.IMAPI_E_DEVICE_NOPROPERTIES, f"{self.name}: tells nothing of its writing"
            )
        return {
            "WriteSpeed": self._set.get("WriteSpeed", self.facts.max_speed),
            "MaxWriteSpeed": self.facts.max_speed,
            "BufferUnderrunFreeCapable": self.facts.underrun_free,
            "EnableBufferUnderrunFree": self._set.get(
                "EnableBufferUnderrunFree", _AS_THE_DRIVE_CAN
            ),
            "AudioGapSize": self.gap_blocks,
        }

    def set_properties(self, given: Mapping[str, object]) -> HResult:
        """Set those that are known and can be set; all of them or, where one is wrong, none.

        Raises:
            MasteringError: the recorder has none (DEVICE_NOPROPERTIES), or a value is out of
                range (E_INVALIDARG).
        """
        known = self.properties
        wanted: dict[str, int] = {}
        for name, value in given.items():
            if name not in _SETTABLE:
                continue
            least, most = _SETTABLE[name]
            most = most or int(known["MaxWriteSpeed"])
            no_speed = name == "WriteSpeed" and value == 0
            if not isinstance(value, int) or not least <= value <= most or no_speed:
                raise refusal(
                    HResult.E_INVALIDARG, f"{name} goes from {least} to {most}, not {value!r}"
                )
            wanted[name] = int(value)
        self._set.update(wanted)
        return HResult.S_OK if len(wanted) == len(given) else HResult.IMAPI_S_PROPERTIESIGNORED

    @property
    def gap_blocks(self) -> int:
        """AudioGapSize."""
        return self._set.get("AudioGapSize", GAP_BLOCKS)

    @property
    def write_speed(self) -> int | None:
        """WriteSpeed, times single speed; None is the fastest."""
        speed = self._set.get("WriteSpeed", FASTEST)
        return None if speed == FASTEST else speed

    @property
    def underrun_protection(self) -> bool:
        """EnableBufferUnderrunFree, as the drive will have it."""
        wanted = self._set.get("EnableBufferUnderrunFree", _AS_THE_DRIVE_CAN)
        return self.facts.underrun_free if wanted == _AS_THE_DRIVE_CAN else bool(wanted)


_DRIVES: weakref.WeakValueDictionary[str, Drive] = weakref.WeakValueDictionary()


def drive_of(recorder: Recorder) -> Drive:
    """Return the drive that a recorder leads to, asked anew what it is.

    Raises:
        DriveError: it does not answer.
        MasteringError: likewise.
    """
    known = _DRIVES.get(recorder.name)
    if known is not None and (known.is_held or known.is_burning):
        return known
    with recorder.open(exclusive=False, client=CLIENT) as session:
        facts = DriveFacts.ask(session)
    if known is None:
        known = _DRIVES[recorder.name] = Drive(recorder, facts)
    else:
        known.refresh(recorder, facts)
    return known


def media_in(session: DriveSession) -> Media:
    """Return what is in an open drive.

    Raises:
        MasteringError: nothing (MEDIUM_NOTPRESENT).
        DriveError: it does not answer.
    """
    media = session.media()
    if media is None:
        raise refusal(HResult.IMAPI_E_MEDIUM_NOTPRESENT, f"{session.name}: has no disc")
    return media
