"""Drives in hand: what somebody who holds one may ask it and have it do.

Burning and the Image Mastering API stand on these protocols; a plug-in need not inherit from
them, and a test may pass a fake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from _typeshed import ReadableBuffer

    from rawcd.features import Loss
    from rawcd.image import DiscImage
    from rawcd.progress import BurnWatch, Progress
    from rawcd.source import Bytes2D, Source


class Identity(Protocol):
    """Who a drive is."""

    @property
    def vendor(self) -> str:
        """The maker."""
        ...

    @property
    def product(self) -> str:
        """The model."""
        ...

    @property
    def revision(self) -> str:
        """The firmware's."""
        ...


class Media(Protocol):
    """What is in a drive."""

    @property
    def kind(self) -> str:
        """`CD-R`, `CD-RW`, `CD-ROM`, or `profile 001Bh`."""
        ...

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written."""
        ...

    @property
    def erasable(self) -> bool:
        """Whether it can be blanked."""
        ...

    @property
    def sessions(self) -> int:
        """How many there are, an empty one at the end included."""
        ...

    @property
    def lead_in_lba(self) -> int | None:
        """Where the groove puts the lead-in."""
        ...

    @property
    def last_lead_out_lba(self) -> int | None:
        """The last possible start of the lead-out."""
        ...

    @property
    def next_writable_lba(self) -> int | None:
        """Where writing goes on; None on a complete disc."""
        ...

    @property
    def free(self) -> int | None:
        """Sectors from there on."""
        ...


class WriteSpeed(Protocol):
    """A speed at which a disc can be written."""

    @property
    def write(self) -> int:
        """In kB/s of 1,000 bytes; 176 is single speed."""
        ...

    @property
    def pure_cav(self) -> bool:
        """Whether the disc turns at one speed throughout."""
        ...


class DriveFeature(Protocol):
    """A feature of a drive (MMC, GET CONFIGURATION)."""

    @property
    def code(self) -> int:
        """The feature's number."""
        ...

    @property
    def version(self) -> int:
        """0..15."""
        ...

    @property
    def persistent(self) -> bool:
        """Whether it is always current."""
        ...

    @property
    def current(self) -> bool:
        """Whether it holds for the disc that is in."""
        ...

    @property
    def data(self) -> bytes:
        """What it says of itself, behind its four bytes of head."""
        ...


class WrittenTrack(Protocol):
    """A track that was written at once."""

    @property
    def number(self) -> int:
        """Its number on the disc."""
        ...

    @property
    def start_lba(self) -> int:
        """Its first sector."""
        ...

    @property
    def sectors(self) -> int:
        """How many were sent."""
        ...


class TrackState(Protocol):
    """What state the track is in that is written next."""

    @property
    def track(self) -> int:
        """Its number."""
        ...

    @property
    def next_writable_lba(self) -> int | None:
        """Where writing goes on; None where the drive does not say."""
        ...

    @property
    def free(self) -> int:
        """Sectors that are left."""
        ...


class TrackRoom(Protocol):
    """Where the next track at once would begin."""

    @property
    def start_lba(self) -> int:
        """Its first sector, behind the pregap."""
        ...

    @property
    def sectors(self) -> int:
        """Room for it, what the drive adds behind it taken off."""
        ...


class Answer(Protocol):
    """What a drive answered to a command of the caller's own."""

    @property
    def status(self) -> int:
        """The SCSI status byte: 0 GOOD, 2 CHECK CONDITION."""
        ...

    @property
    def data(self) -> bytes:
        """What came."""
        ...

    @property
    def sense(self) -> bytes:
        """Sense data; empty without CHECK CONDITION."""
        ...


class BurnOutcome(Protocol):
    """What was done."""

    @property
    def mode(self) -> str:
        """`raw`, `sao` or `tao`."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether it was a test."""
        ...

    @property
    def sectors(self) -> int:
        """How many were sent."""
        ...

    @property
    def losses(self) -> Sequence[Loss]:
        """What the image has and the disc has not."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """What the drive remarked upon."""
        ...

    @property
    def disc_state(self) -> str:
        """What the disc is now, in words."""
        ...


class Comparison(Protocol):
    """What a comparison brought."""

    @property
    def sectors(self) -> int:
        """How many were compared."""
        ...

    @property
    def same(self) -> bool:
        """Whether the disc is what was burned, as far as it was compared."""
        ...

    @property
    def lines(self) -> Sequence[str]:
        """The first differences in words."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """What the drive does not let one compare."""
        ...


class SectorsRead(Protocol):
    """Sectors as a drive reads them, a row each."""

    @property
    def main(self) -> Bytes2D:
        """The main channel, 2,352 bytes; data sectors as the drive descrambled them."""
        ...

    @property
    def errors(self) -> Bytes2D:
        """A bit for each byte that the drive could not correct; no columns where none was asked."""
        ...

    @property
    def sub(self) -> Bytes2D:
        """The subcode, in the form that was asked for."""
        ...


class DriveSession(Protocol):
    """A drive that somebody holds: what burning and the Image Mastering API stand on.

    Everything raises `DriveError` where the drive refuses, fails or does not answer. Leaving the
    `with` block unlocks the tray and lets go of the drive.
    """

    @property
    def name(self) -> str:
        """What a message calls the drive."""
        ...

    @property
    def max_bytes(self) -> int:
        """The most that one transfer may carry."""
        ...

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the drive."""
        ...

    def close(self) -> None:
        """Unlock the tray and let go of the drive; never fails."""
        ...

    def identity(self) -> Identity:
        """Return maker, model and firmware."""
        ...

    def profile(self) -> int:
        """Return the current profile; 0 without a disc."""
        ...

    def profiles(self) -> tuple[int, ...]:
        """Return the profiles of all discs that the drive takes."""
        ...

    def features(self) -> Sequence[DriveFeature] | None:
        """Return the features; None of a drive that is older than they are."""
        ...

    def mode_pages(self) -> tuple[int, ...]:
        """Return the codes of the mode pages that the drive has."""
        ...

    def mode_page(self, code: int, *, control: int = 0) -> bytes | None:
        """Return a mode page's current, changeable, default or saved values; None: no such."""
        ...

    def set_mode_page(self, page: bytes, *, save: bool = False) -> None:
        """Set a mode page."""
        ...

    def disc_information_bytes(self, kind: int = 0) -> bytes:
        """Return the reply to READ DISC INFORMATION as it comes."""
        ...

    def track_information_bytes(self, address: int, *, address_type: int) -> bytes:
        """Return the reply to READ TRACK INFORMATION: by LBA (0), track (1) or session (2)."""
        ...

    def track_information(self) -> TrackState:
        """Return what state the track is in that is written next."""
        ...

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 10.0,
    ) -> Answer:
        """Send a command of the caller's own."""
        ...

    def wait_until_ready(self, patience: float = ...) -> None:
        """Wait until the drive has looked at its disc."""
        ...

    def media(self) -> Media | None:
        """Return what is in the drive; None where it is empty."""
        ...

    def raw_block_types(self) -> Sequence[int]:
        """Return the data block types that the drive takes in raw mode, the best first."""
        ...

    def takes_track_at_once(self) -> bool:
        """Tell whether the drive writes tracks of sound one at a time; it is set to that."""
        ...

    def next_lead_in_lba(self) -> int | None:
        """Return where the next raw session's lead-in begins; None where nobody tells."""
        ...

    def write_speed_descriptors(self) -> Sequence[WriteSpeed]:
        """Return the speeds for the disc that is in, the fastest first."""
        ...

    def current_write_speed(self) -> int | None:
        """Return the speed that is set, in kB/s; None where the drive does not say."""
        ...

    def set_speed(self, times: float | None, *, pure_cav: bool = False) -> None:
        """Have the drive write so many times as fast as music plays; None is its fastest."""
        ...

    @property
    def is_locked(self) -> bool:
        """Whether the tray is kept shut."""
        ...

    def lock(self) -> None:
        """Keep the tray shut."""
        ...

    def unlock(self) -> None:
        """Let the tray be opened again; never fails."""
        ...

    def eject(self) -> None:
        """Open the tray."""
        ...

    def load(self) -> None:
        """Close the tray."""
        ...

    def burn(
        self,
        image: DiscImage,
        *,
        mode: str = "auto",
        simulate: bool = False,
        speed: float | None = None,
        overburn: bool = False,
        progress: BurnWatch | None = None,
        planned: Callable[[Any], None] | None = None,
    ) -> BurnOutcome:
        """Write an image; see `rawcd.burn_image`.

        `planned` is told, before anything is written, of `mode` and `losses`.
        """
        ...

    def write_raw(
        self,
        fill: Callable[[int, Bytes2D], None],
        *,
        lba: int,
        sectors: int,
        block_type: int,
        appendable: bool = False,
        speed: float | None = None,
        pure_cav: bool = False,
        underrun_protection: bool = True,
        progress: BurnWatch | None = None,
    ) -> BurnOutcome:
        """Write a raw session byte for byte: `fill` fills rows with the sectors from an LBA on."""
        ...

    def track_at_once(
        self,
        source: Source,
        *,
        speed: float | None = None,
        pure_cav: bool = False,
        underrun_protection: bool = True,
        appendable: bool = False,
        progress: BurnWatch | None = None,
    ) -> WrittenTrack:
        """Write one track of sound and close it; a stop makes it shorter."""
        ...

    def close_session(self, *, appendable: bool = False) -> None:
        """Have the drive make lead-in and lead-out of the tracks that are there."""
        ...

    def track_room(self, *, data: bool) -> TrackRoom:
        """Return where the next track at once would begin, and how long it may be."""
        ...

    def write_tracks(
        self,
        sources: Sequence[Source],
        *,
        pause: int = 150,
        simulate: bool = False,
        speed: float | None = None,
        underrun_protection: bool = True,
        appendable: bool = False,
        tracks_done: Callable[[int], None] | None = None,
        progress: BurnWatch | None = None,
    ) -> BurnOutcome:
        """Write a session of tracks at once: sources of 2,352 bytes are sound, of 2,048 Mode 1."""
        ...

    def blank(
        self, *, quick: bool = True, progress: BurnWatch | None = None, patience: float = ...
    ) -> None:
        """Erase a CD-RW: its lists alone, or all of it."""
        ...

    def read(
        self, lba: int, count: int, *, sub: str = "none", flags: bool = False, retries: int = 3
    ) -> SectorsRead:
        """Read sectors: with subcode `raw`, `rw` (corrected), `q` or `none`, and error flags."""
        ...

    def image(
        self, *, sub: str = "raw", flags: bool = False, retries: int = 3
    ) -> tuple[DiscImage, Any]:
        """Return the disc as an image that reads from the drive, and what tells of hard sectors."""
        ...

    def compare(
        self, image: DiscImage, burned: Any, *, progress: Progress | None = None
    ) -> Comparison:
        """Compare the disc with the image, and what burning it brought, or the mode alone."""
        ...

    def differences(self, image: DiscImage, burned: Any) -> Sequence[str]:
        """Return in words what `compare` finds."""
        ...
