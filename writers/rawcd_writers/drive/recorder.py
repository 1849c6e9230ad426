"""The plug-ins: which recorders there are, and how a name leads to one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError
from rawcd.msf import Msf
from rawcd.recorders import RecorderFacts
from rawcd.source import SECTOR_BYTES
from rawcd_writers.drive import iscsi, sgio
from rawcd_writers.drive.makers import dye_of, maker_of
from rawcd_writers.drive.pages import BlockType, WriteParameters, WriteType
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.session import SINGLE_SPEED, DriveSession
from rawcd_writers.drive.virtual.opening import SCHEME as VIRTUAL
from rawcd_writers.drive.virtual.opening import open_virtual

if TYPE_CHECKING:
    from rawcd_writers.drive.transport import Transport

_OPTICAL: Final = 5
"""Peripheral device type of CD and DVD drives (SPC)."""
_SAME_SPEED: Final = 0.005
"""By how much of it a speed may differ from a whole number of times single speed."""


@dataclass(frozen=True, slots=True)
class ScsiRecorder:
    """A drive behind a device node, or one over iSCSI.

    Attributes:
        name: `/dev/sr0`, `iscsi://HOST/TARGET/LUN`.
    """

    name: str

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> DriveSession:
        """Open it; see `rawcd.recorders.Recorder`."""
        transport: Transport
        if self.name.startswith(iscsi.SCHEME):
            transport = iscsi.IscsiTransport(self.name)
        else:
            transport = sgio.SgTransport(self.name, exclusive=exclusive)
        return _optical(transport, client)

    def facts(self) -> RecorderFacts:
        """Ask it what it is; see `rawcd.recorders.Recorder`."""
        with self.open(exclusive=False) as session:
            return facts_of(session)


@dataclass(frozen=True, slots=True)
class VirtualRecorderDoor:
    """The recorder that is a program: `virtual:FILE[?medium=...]`.

    Attributes:
        name: as the user wrote it.
    """

    name: str

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> DriveSession:
        """Open it; see `rawcd.recorders.Recorder`."""
        del exclusive  # the program is its own
        return _optical(open_virtual(self.name), client)

    def facts(self) -> RecorderFacts:
        """Ask it what it is; see `rawcd.recorders.Recorder`."""
        with self.open() as session:  # what comes behind "?" leads to it, too
            return replace(facts_of(session), name=self.name)


def _optical(transport: Transport, client: str) -> DriveSession:
    """Return a session with the device, if it is a CD drive; else let go of it."""
    session = DriveSession(transport, client=client)
    try:
        device_type = session.identity().device_type
    except BaseException:
        session.close()
        raise
    if device_type != _OPTICAL:
        session.close()
        raise DriveError(f"{session.name}: no CD drive, but a device of SCSI type {device_type}")
    return session


def facts_of(session: DriveSession) -> RecorderFacts:
    """Ask a drive what it is, what it can write and what is in it."""
    who = session.identity()
    page = session.capabilities()
    media = session.media()
    facts = RecorderFacts(
        name=session.name,
        vendor=who.vendor,
        product=who.product,
        firmware=who.revision,
        writes_cdr=page is not None and page.writes_cdr,
        writes_cdrw=page is not None and page.writes_cdrw,
        test_write=page is not None and page.test_write,
        buffer_bytes=0 if page is None else page.buffer_bytes,
    )
    if media is None:
        return facts
    lead_in = None if media.lead_in_lba is None else Msf.from_lba(media.lead_in_lba)
    return replace(
        facts,
        modes=_modes(session) if media.is_blank else (),
        speeds=tuple(map(_times, session.write_speeds())),
        medium=media.kind,
        blank=media.is_blank,
        closed=media.status is DiscStatus.COMPLETE,
        erasable=media.erasable,
        lead_in_lba=media.lead_in_lba,
        last_lead_out_lba=media.last_lead_out_lba,
        maker_code=media.maker_code,
        maker=None if lead_in is None else maker_of(lead_in),
        dye=None if lead_in is None or media.kind != "CD-R" else dye_of(lead_in),
    )


def _times(kilobytes: int) -> float:
    """Return a speed as how often single speed it is.

    Drives count single speed as 176, 176.4 or 177 kB/s, so what is a whole number but for that is
    one.
    """
    times = kilobytes / SINGLE_SPEED
    whole = round(times)
    return float(whole) if abs(times - whole) < _SAME_SPEED * times else round(times, 1)


def _modes(session: DriveSession) -> tuple[str, ...]:
    """Return how the blank can be written, the best first."""
    modes = [f"raw {each.bytes - SECTOR_BYTES}" for each in session.raw_block_types()][:1]
    for name, write_type in (("sao", WriteType.SESSION_AT_ONCE), ("tao", WriteType.TRACK_AT_ONCE)):
        if session.takes(WriteParameters(write_type=write_type, block_type=BlockType.RAW)):
            modes.append(name)
    return tuple(modes)


class ScsiRecorders:
    """Real drives: device nodes are found, targets of iSCSI have to be named."""

    name = "scsi"

    def discover(self) -> tuple[ScsiRecorder, ...]:
        """Return the drives of this computer."""
        return tuple(map(ScsiRecorder, sgio.device_nodes()))

    def named(self, name: str) -> ScsiRecorder | None:
        """Return the drive of a name, or None where the name is of another kind."""
        return ScsiRecorder(name) if name.startswith(("/dev/", iscsi.SCHEME)) else None


class VirtualRecorders:
    """Recorders that are programs; each has to be named."""

    name = "virtual"

    def discover(self) -> tuple[VirtualRecorderDoor, ...]:
        """Return none: there are as many as one likes."""
        return ()

    def named(self, name: str) -> VirtualRecorderDoor | None:
        """Return the recorder of a name, or None where the name is of another kind."""
        return VirtualRecorderDoor(name) if name.startswith(VIRTUAL) else None
