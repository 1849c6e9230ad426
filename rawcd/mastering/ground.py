"""What an image will stand on: the disc in the recorder, as it was when the recorder was chosen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.errors import FormatError, MasteringError, StorageError, UnsupportedError
from rawcd.filesystem import DiscBlocks, StoredFile, StoredVolume
from rawcd.hresults import HResult
from rawcd.mastering.drive import media_in
from rawcd.mastering.refusals import refusal

if TYPE_CHECKING:
    from rawcd.drives import DriveSession, Media
    from rawcd.filesystem import FileTree

_CDS: Final = ("CD-R", "CD-RW", "profile 0000h")
_LAST_SESSION: Final = 0x0C
"""The state of the last session in byte 2 of READ DISC INFORMATION; 0: nothing is in it (MMC)."""
_DESCRIPTORS_AT: Final = 16
_DESCRIPTORS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A disc that an image can be put on.

    Attributes:
        start_lba: where the next track begins.
        sectors: the longest that it may be.
        before: what earlier sessions hold; None on a blank.
        mark: what tells this disc from others; empty of a blank, for which any other will do.
    """

    start_lba: int
    sectors: int
    before: FileTree | None = None
    mark: bytes = b""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is on it."""
        return self.before is None


def look(session: DriveSession, *, data: bool) -> Ground:
    """Return what is in an open drive, if an image can be put on it.

    A session of data goes behind an earlier one of IMAPI's kind: ISO 9660 with Joliet and without
    Rock Ridge, in Mode 1, whose files stay visible.

    Raises:
        MasteringError: there is no disc (MEDIUM_NOTPRESENT), or no room on it (DISCFULL).
        DriveError: it cannot be looked at.
    """
    session.wait_until_ready()
    media = media_in(session)
    if media.kind not in _CDS:
        raise _no_room(session, f"has a {media.kind}, and no CD-R or CD-RW")
    if not media.is_blank and not data:
        raise _no_room(session, "has a disc that is not blank, which sound cannot be added to")
    if media.next_writable_lba is None:
        raise _no_room(session, "has a disc that nothing can be added to")
    if not media.is_blank and int.from_bytes(session.disc_information_bytes()[2:3]) & _LAST_SESSION:
        raise _no_room(session, "has a disc with an unfinished session")
    before, mark = (None, b"") if media.is_blank else _earlier(session)
    room = session.track_room(data=data)
    return Ground(start_lba=room.start_lba, sectors=room.sectors, before=before, mark=mark)


def _no_room(session: DriveSession, why: str) -> Exception:
    return refusal(HResult.IMAPI_E_DISCFULL, f"{session.name}: {why}; put in a blank one")


def _earlier(session: DriveSession) -> tuple[FileTree, bytes]:
    """Return what the earlier sessions hold, and what tells the disc.

    Raises:
        MasteringError: they are none of IMAPI's (DISCFULL).
        DriveError: they cannot be read.
    """
    image, _ = session.image(sub="none")
    blocks = DiscBlocks(image, name=session.name)
    starts = blocks.session_starts()
    last = image.disc.sessions[-1].tracks[0]
    if not starts or last.mode is not TrackMode.MODE1 or last.start_lba != starts[-1]:
        raise _no_room(session, "has a disc whose last session is none of Mode 1 data")
    try:
        volume = StoredVolume(blocks, lba=starts[-1])
        if "joliet" not in volume.kinds or "rock-ridge" in volume.kinds:
            raise _no_room(session, "has a disc whose files are not as IMAPI lays them out")
        tree = volume.tree("joliet")
        descriptors = blocks.read(starts[-1] + _DESCRIPTORS_AT, _DESCRIPTORS)
    except (FormatError, UnsupportedError, StorageError) as error:
        raise _no_room(session, f"has a disc whose files cannot be read ({error})") from error
    known = hashlib.sha256(descriptors)
    known.update(repr((image.disc.sessions, image.disc.first_lba)).encode())
    for path, entry in tree.walk():  # the same layout in the same second is no rare thing
        place = (entry.lba, entry.size) if isinstance(entry, StoredFile) else ()
        known.update(repr((path, entry.modified, place)).encode())
    return tree, known.digest()


def check_same(session: DriveSession, ground: Ground) -> None:
    """See that the disc in an open drive is still the one that an image was staged for.

    Raises:
        MasteringError: there is none (MEDIUM_NOTPRESENT); it is another (WRONGDISC); it should be
            blank and is not (CANNOT_WRITE_TO_MEDIA), or has another size (DISCFULL); it is no
            CD-R or CD-RW (MEDIUM_INVALIDTYPE).
        DriveError: it cannot be looked at.
    """
    session.wait_until_ready()
    media = media_in(session)
    if media.kind not in _CDS:
        raise refusal(
            HResult.IMAPI_E_MEDIUM_INVALIDTYPE,
            f"{session.name}: has a {media.kind}, and no CD-R or CD-RW",
        )
    if not ground.is_blank:
        if not _is_marked(session, media, ground.mark):
            raise refusal(
                HResult.IMAPI_E_WRONGDISC,
                f"{session.name}: this is not the disc that the session was staged for; put that "
                "one in, or choose the recorder again",
            )
    elif not media.is_blank:
        remedy = "erase it first" if media.erasable else "put in a blank one"
        raise refusal(
            HResult.IMAPI_E_CANNOT_WRITE_TO_MEDIA,
            f"{session.name}: the disc is not blank; {remedy}",
        )


def _is_marked(session: DriveSession, media: Media, mark: bytes) -> bool:
    if media.is_blank or media.next_writable_lba is None:
        return False
    try:
        return _earlier(session)[1] == mark
    except MasteringError:  # it is none of IMAPI's
        return False
