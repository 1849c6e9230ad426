"""What is settled for the whole disc: type, numbers, texts, what may follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rawcd.cdtext import CDText
from rawcd.creator.refusals import refusal, text, whole_number
from rawcd.disc import MAX_TRACKS, DiscType
from rawcd.errors import AuthoringError
from rawcd.image import ImageType
from rawcd.rules import complete_mcn

if TYPE_CHECKING:
    from rawcd.creator.appending import Base
    from rawcd.creator.generator import RwGenerator
    from rawcd.creator.layout import StagedTrack


class DiscSettings:
    """The part of `RawCDImageCreator` that does not depend on where tracks lie.

    Args:
        base: what the session stands on.
    """

    def __init__(self, base: Base) -> None:
        before = base.image
        self._base = base
        self._tracks: list[StagedTrack] = []
        self._rw: RwGenerator | None = None
        self._kind = ImageType.COOKED if before is None else before.kind
        self._mcn: str | None = None if before is None else before.disc.mcn
        self._starting_number = base.first_number
        self._cdtext: CDText | None = None
        self._appendable = False
        self._disc_type: DiscType | None = None
        self._read_only = False

    def _require_writable(self) -> None:
        if self._read_only:
            raise refusal("read-only", "the image has been made; start a new creator to change it")

    def _require_no_tracks(self, what: str) -> None:
        if self._tracks:
            raise refusal("tracks-already-added", f"{what} is only possible before the first track")

    @property
    def resulting_image_type(self) -> ImageType:
        """The form of the subcode (ResultingImageType); COOKED until put, as IMAPI's writer has it.

        Raises:
            AuthoringError: it is none of 1, 2, 3, or PQ_ONLY while R-W subcode is set
                (E_INVALIDARG), or the image has been made.
        """
        return self._kind

    @resulting_image_type.setter
    def resulting_image_type(self, kind: ImageType | int) -> None:
        self._require_writable()
        try:
            chosen = ImageType(kind)
        except ValueError:
            raise refusal("argument", f"{kind!r} is no image type; there are 1, 2 and 3") from None
        if chosen is ImageType.PQ_ONLY and self._rw is not None:
            raise refusal(
                "generator-under-pq-only",
                "R-W subcode is set, and an image of type PQ_ONLY has none; clear it first",
            )
        self._kind = chosen

    @property
    def media_catalog_number(self) -> str:
        """The media catalogue number, 13 digits, or "" (MediaCatalogNumber).

        Put it with its EAN-13 check digit; leading zeros may be left out. "" clears it, and so
        do zeros alone.

        Raises:
            AuthoringError: it is no such number or its check digit is wrong (E_INVALIDARG), or
                the image has been made.
        """
        return self._mcn or ""

    @media_catalog_number.setter
    def media_catalog_number(self, digits: str | None) -> None:
        self._require_writable()
        self._base.require_blank("the catalogue number")
        try:
            self._mcn = complete_mcn(text(digits, "a media catalogue number"))
        except AuthoringError as error:
            raise refusal(error.rule, str(error)) from error

    @property
    def starting_track_number(self) -> int:
        """The first track's number on the disc, 1..99 (StartingTrackNumber); 1 until put.

        Raises:
            AuthoringError: it is out of range (E_INVALIDARG), there are tracks
                (TRACKS_ALREADY_ADDED), or the image has been made.
        """
        return self._starting_number

    @starting_track_number.setter
    def starting_track_number(self, number: int) -> None:
        self._require_writable()
        self._require_no_tracks("starting_track_number")
        self._base.require_blank("the first track's number")
        self._starting_number = whole_number(number, "a track number", 1, MAX_TRACKS)

    @property
    def cdtext(self) -> CDText | None:
        """Titles and names; ours, IMAPI has none. They lie in the lead-in of RAW images.

        Raises:
            AuthoringError: it is no `CDText` (E_INVALIDARG), or the image has been made.
        """
        return self._cdtext

    @cdtext.setter
    def cdtext(self, cdtext: CDText | None) -> None:
        self._require_writable()
        self._base.require_blank("CD-TEXT")
        if not isinstance(cast("object", cdtext), CDText | None):
            raise refusal(
                "argument",
                f"{cdtext!r} is no CDText; CDText.from_packs, from_cdt and from_v07t read one",
            )
        self._cdtext = cdtext

    @property
    def disc_type(self) -> DiscType | None:
        """What point A0 calls the session; ours. None until put: XA where a track is, else CD-ROM.

        CD-I and XA sessions hold data of mode 2 (and audio).

        Raises:
            AuthoringError: it is no disc type (E_INVALIDARG), or the image has been made.
        """
        return self._disc_type

    @disc_type.setter
    def disc_type(self, value: DiscType | int | None) -> None:
        self._require_writable()
        try:
            self._disc_type = None if value is None else DiscType(value)
        except ValueError:
            raise refusal("argument", f"{value!r} is no disc type") from None

    @property
    def appendable(self) -> bool:
        """Whether a further session may follow; ours. False until put: the disc is closed.

        True puts the address of the next program area into the lead-in (point B0).

        Raises:
            AuthoringError: the image has been made.
        """
        return self._appendable

    @appendable.setter
    def appendable(self, value: bool) -> None:
        self._require_writable()
        self._appendable = bool(value)
