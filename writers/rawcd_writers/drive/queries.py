"""What a drive says of itself: features, mode pages, speeds; as values, and as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.errors import FormatError, UnsupportedError
from rawcd_writers.drive import mmc
from rawcd_writers.drive.dialogue import Dialogue
from rawcd_writers.drive.pages import ALL_PAGES, CAPABILITIES_PAGE, Capabilities
from rawcd_writers.drive.replies import FeatureCode, WriteSpeed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from rawcd_writers.drive.replies import Configuration, DriveFeature, Inquiry
    from rawcd_writers.drive.transport import Answer, Transport


class DriveQueries:
    """Questions to a drive that change nothing on its disc.

    Args:
        transport: the way to the drive.

    Attributes:
        dialogue: what is said to it.
    """

    def __init__(self, transport: Transport) -> None:
        self.dialogue = Dialogue(transport)

    @property
    def name(self) -> str:
        """What a message calls the drive."""
        return self.dialogue.transport.name

    def identity(self) -> Inquiry:
        """Return maker, model and firmware."""
        return self.dialogue.ask(mmc.inquiry())

    def configuration(self) -> Configuration | None:
        """Return the features; None of a drive older than they are."""
        return self.dialogue.reply_or_none(mmc.get_configuration())

    def capabilities(self) -> Capabilities | None:
        """Return mode page 2Ah; None where the drive has none."""
        reply = self.dialogue.reply_or_none(mmc.mode_sense(CAPABILITIES_PAGE))
        if reply is None:
            return None
        try:
            return Capabilities.parse(reply.page(CAPABILITIES_PAGE))
        except FormatError:
            return None

    def write_speeds(self) -> tuple[int, ...]:
        """Return the speeds for this disc in kB/s, the fastest first; empty where nobody tells."""
        told = self.dialogue.reply_or_none(mmc.get_write_speeds())
        found = {each.write for each in told or ()}
        if not found:
            page = self.capabilities()
            found = set() if page is None else set(page.write_speeds or (page.max_write_speed,))
        return tuple(sorted(found - {0}, reverse=True))

    def write_speed_descriptors(self) -> tuple[WriteSpeed, ...]:
        """Return the speeds for this disc and how it turns at each, the fastest first."""
        told = self.dialogue.reply_or_none(mmc.get_write_speeds()) or tuple(
            WriteSpeed(write=speed, read=0, pure_cav=False, end_lba=0)
            for speed in self.write_speeds()
        )
        return tuple(sorted(told, key=lambda each: each.write, reverse=True))

    def current_write_speed(self) -> int | None:
        """Return the speed that is set, in kB/s; None where the drive does not say."""
        page = self.capabilities()
        return (page.current_write_speed or None) if page is not None else None

    def profile(self) -> int:
        """Return the current profile; 0 without a disc."""
        configuration = self.configuration()
        return 0 if configuration is None else configuration.profile

    def profiles(self) -> tuple[int, ...]:
        """Return the profiles of all discs that the drive takes."""
        configuration = self.configuration()
        listed = None if configuration is None else configuration.feature(FeatureCode.PROFILE_LIST)
        data = b"" if listed is None else listed.data
        return tuple(int.from_bytes(data[at : at + 2]) for at in range(0, len(data) - 1, 4))

    def features(self) -> tuple[DriveFeature, ...] | None:
        """Return the features; None of a drive that is older than they are."""
        configuration = self.configuration()
        return None if configuration is None else configuration.features

    def mode_pages(self) -> tuple[int, ...]:
        """Return the codes of the mode pages that the drive has."""
        reply = self.dialogue.reply_or_none(mmc.mode_sense(ALL_PAGES, 4096))
        return () if reply is None else tuple(page[0] & ALL_PAGES for page in reply.pages)

    def mode_page(self, code: int, *, control: int = 0) -> bytes | None:
        """Return a mode page from its code on; None where the drive has none such.

        Args:
            code: the page.
            control: 0 its values, 1 which bits can be changed, 2 defaults, 3 saved values.
        """
        command = mmc.mode_sense(code, 512, control=mmc.PageControl(control))
        reply = self.dialogue.reply_or_none(command)
        if reply is None:
            return None
        try:
            return reply.page(code)
        except FormatError:
            return None

    def set_mode_page(self, page: bytes, *, save: bool = False) -> None:
        """Set a mode page."""
        self.dialogue.ask(mmc.mode_select(page, save=save))

    def disc_information_bytes(self, kind: int = 0) -> bytes:
        """Return the reply to READ DISC INFORMATION as it comes."""
        if kind:
            raise UnsupportedError(f"{self.name}: a CD has no disc information of type {kind}")
        return self.dialogue.ask(mmc.read_disc_information().unread())

    def track_information_bytes(self, address: int, *, address_type: int) -> bytes:
        """Return the reply to READ TRACK INFORMATION as it comes.

        Args:
            address: an LBA, a track's or a session's number.
            address_type: which of them: 0, 1, 2.
        """
        command = mmc.read_track_information(address, address_type=mmc.AddressType(address_type))
        return self.dialogue.ask(command.unread())

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 10.0,
    ) -> Answer:
        """Send a command of the caller's own, and return what the drive answered, right or not."""
        return self.dialogue.transport.execute(
            cdb, data_out=data_out, data_in=data_in, timeout=timeout
        )

    @property
    def max_bytes(self) -> int:
        """The most that one transfer may carry."""
        return self.dialogue.transport.max_bytes
