"""Titles and names on a disc as frozen values (CD-TEXT, Red Book part 5 / IEC 61866).

`Disc.cdtext` is their only home, whatever sheet they came from. Nothing here needs construct
or numpy; the methods that make and read packs fetch their modules when they are called.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self, cast

from rawcd.cdtext.charsets import Charset, is_raw, shown
from rawcd.cdtext.fields import FIELD_PLACES, INTERVALS_TYPE, RESERVED_TYPES, TOC_TYPE
from rawcd.cdtext.languages import ENGLISH
from rawcd.msf import Msf
from rawcd.subcode.style import STANDARD_TEXT, TextStyle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.subcode.style import Errors

MAX_BLOCKS: Final = 8
MAX_TRACK: Final = 99
PAYLOAD_BYTES: Final = 12
_REMEDIES: Final = {"language": "; see `language_code`", "charset": "; see `Charset`"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextItem:
    """One text.

    Attributes:
        field: `"title"`, `"performer"`, ...: the cue sheet's command in lower case. All names
            are in `FIELDS`.
        track: the track's number on the disc; 0 is the album.
        text: the text itself. Bytes that were no text are in it as lone surrogates
            (see `rawcd.cdtext.charsets`).

    Raises:
        TypeError: the text is none.
    """

    field: str
    track: int
    text: str

    def __post_init__(self) -> None:
        if not isinstance(cast("object", self.text), str):
            raise TypeError(f"{self.field}: {self.text!r} is no text")

    @property
    def is_raw(self) -> bool:
        """Whether the text holds bytes that could not be read as text."""
        return is_raw(self.text)

    @property
    def shown(self) -> str:
        r"""The text for a screen: bytes that could not be read as text are `\xNN`."""
        return shown(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToc:
    """The table of contents in packs of type 88h (layout: libburn's description of Sony's).

    Attributes:
        starts: where the tracks begin, in order.
        lead_out: where the lead-out begins.
        first_track: the first track's number.

    Raises:
        ValueError: there is no track, or a number is above 99.
    """

    starts: tuple[Msf, ...]
    lead_out: Msf
    first_track: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(self.starts))
        if not self.starts or not 1 <= self.first_track <= self.last_track <= MAX_TRACK:
            raise ValueError(
                f"no table of contents: {len(self.starts)} tracks from {self.first_track} on"
            )

    @property
    def last_track(self) -> int:
        """The last track's number."""
        return self.first_track + len(self.starts) - 1

    @classmethod
    def from_lbas(cls, starts: Iterable[int], lead_out: int, *, first_track: int = 1) -> Self:
        """Make it of the tracks' LBAs (index 1) and the lead-out's, as a disc's TOC has them."""
        return cls(
            starts=tuple(Msf.from_lba(lba) for lba in starts),
            lead_out=Msf.from_lba(lead_out),
            first_track=first_track,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInterval:
    """One entry of the second table of contents, type 89h: a stretch worth playing.

    No public document explains it; libburn's prints four packs of Sony's.

    Attributes:
        track: the track in which it lies.
        start: its first address.
        end: its last address.
        number: its number, counted from 1 over the block.
    """

    track: int
    start: Msf
    end: Msf
    number: int

    def __post_init__(self) -> None:
        if not (0 <= self.track <= MAX_TRACK and 0 <= self.number <= 0xFF):
            raise ValueError(f"no interval: number {self.number} in track {self.track}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPack:
    """A pack kept as it is: reserved types, and binary types that follow no known layout.

    Attributes:
        pack_type: 88h..8Ch.
        element: the pack's second byte.
        payload: twelve bytes.
    """

    pack_type: int
    element: int
    payload: bytes

    def __post_init__(self) -> None:
        if not TOC_TYPE <= self.pack_type <= RESERVED_TYPES[-1]:
            raise ValueError(f"packs of type {self.pack_type:02X}h are not kept as they are")
        if not 0 <= self.element <= 0x7F or len(self.payload) != PAYLOAD_BYTES:
            raise ValueError(f"a pack has an element of 0..127 and {PAYLOAD_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """All texts in one language.

    Attributes:
        language: the CD-TEXT language code.
        items: the texts by track and field, whatever order they are given in; one for a field and
            track: if there are more, the first counts.
        charset: the character code of titles, names and messages, as in `Charset`.
        genre_code: the code of type 87h; its text is the item `genre`. None: none, or that of
            the genre which the text names, or `NOT_DEFINED`.
        toc: type 88h.
        intervals: type 89h.
        raw: packs kept as they are; of types 88h and 89h only where `toc` and `intervals` are
            empty.
        copyright: byte 3 of the size information: 0 none, 3 protected (Sony sheet: ON).
        first_track: the disc's first track, as the size information tells it; None: what
            `to_packs` is given.
        last_track: likewise the last.

    Raises:
        TypeError: a code is no number.
        ValueError: a number does not fit its byte, or the tracks contradict each other.
    """

    language: int = ENGLISH
    items: tuple[TextItem, ...] = ()
    charset: int = Charset.ISO_8859_1
    genre_code: int | None = None
    toc: TextToc | None = None
    intervals: tuple[TextInterval, ...] = ()
    raw: tuple[RawPack, ...] = ()
    copyright: int = 0
    first_track: int | None = None
    last_track: int | None = None

    def __post_init__(self) -> None:
        for name in ("items", "intervals", "raw"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("language", "charset", "copyright"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise TypeError(f"{name} {value!r} is no number{_REMEDIES.get(name, '')}")
            if not 0 <= value <= 0xFF:
                raise ValueError(f"{name} {value} does not fit a byte")
        if self.genre_code is not None and not 0 <= self.genre_code <= 0xFFFF:
            raise ValueError(f"genre code {self.genre_code} does not fit two bytes")
        first = 1 if self.first_track is None else self.first_track
        last = MAX_TRACK if self.last_track is None else self.last_track
        if not 1 <= first <= last <= MAX_TRACK:
            raise ValueError(f"no tracks: {self.first_track} to {self.last_track}")
        if {pack.pack_type for pack in self.raw} & self._known_types():
            raise ValueError("packs of types 88h and 89h are kept as they are, or known; not both")
        # Packs keep no order but this one, and blocks that say the same are equal.
        object.__setattr__(self, "items", _in_order(self.items))

    def _known_types(self) -> set[int]:
        known = {TOC_TYPE: self.toc, INTERVALS_TYPE: self.intervals}
        return {pack_type for pack_type, value in known.items() if value}

    def text(self, field: str, track: int) -> str | None:
        """Return the text of `field` for a track (0: the album), or None."""
        for item in self.items:
            if item.field == field and item.track == track:
                return item.text
        return None


def _in_order(items: Iterable[TextItem]) -> tuple[TextItem, ...]:
    """Return texts by track and field, the order of every block; unknown fields come last."""
    last = len(FIELD_PLACES)
    return tuple(sorted(items, key=lambda item: (item.track, FIELD_PLACES.get(item.field, last))))


@dataclass(frozen=True, slots=True, kw_only=True)
class CDText:
    """The texts of a disc, one block a language; a sheet's titles are its first block.

    Raises:
        ValueError: there are no blocks, or more than eight.
    """

    blocks: tuple[TextBlock, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if not 1 <= len(self.blocks) <= MAX_BLOCKS:
            raise ValueError(f"CD-TEXT has 1 to {MAX_BLOCKS} blocks, not {len(self.blocks)}")

    def text(self, field: str, track: int) -> str | None:
        """Return the first block's text of `field` for a track (0: the album), or None."""
        return self.blocks[0].text(field, track)

    def of_tracks(self, first_track: int, last_track: int) -> CDText:
        """Return the same texts for a disc of these tracks.

        Blocks read from packs tell the tracks themselves; where those are the disc's, they are
        left to it, so that texts are equal wherever they came from.
        """
        told = (first_track, last_track)
        blocks = tuple(
            replace(block, first_track=None, last_track=None)
            if (block.first_track, block.last_track) == told
            else block
            for block in self.blocks
        )
        return CDText(blocks=blocks)

    def to_packs(
        self,
        *,
        style: TextStyle = STANDARD_TEXT,
        first_track: int | None = None,
        last_track: int | None = None,
        errors: Errors = "strict",
    ) -> bytes:
        """Return the packs, 18 bytes each, as they lie in a lead-in or a bare `.cdt` file.

        Args:
            style: whose habits they follow.
            first_track: the disc's first track; None: the block's, another block's, or 1.
            last_track: the disc's last track; None: the block's, another block's, or the last
                one with a text in any.
            errors: what to do with a character that a block's character set lacks: refuse,
                or "replace" it by a near one.

        Raises:
            ValueError: the tracks are none of 1 to 99, or `errors` is another word.
            UnsupportedError: a text cannot be held, or a block needs more than 256 packs;
                `lost` names each text.
        """
        from rawcd.cdtext.encoder import encode_packs

        return encode_packs(
            self, style=style, first_track=first_track, last_track=last_track, errors=errors
        )

    @classmethod
    def from_packs(cls, packs: bytes) -> CDText:
        """Read packs that are without any defect; `read_packs` reads the others.

        Raises:
            FormatError: there are no packs, or something is wrong with them.
        """
        from rawcd.cdtext.decoder import read_packs

        return read_packs(packs).whole()

    def to_cdt(
        self,
        *,
        header: bool = False,
        style: TextStyle = STANDARD_TEXT,
        first_track: int | None = None,
        last_track: int | None = None,
        errors: Errors = "strict",
    ) -> bytes:
        """Return a `.cdt` file: the packs of `to_packs`.

        Args:
            header: begin with the four bytes of a READ TOC answer, as some readers store it.
            style: as in `to_packs`.
            first_track: as in `to_packs`.
            last_track: as in `to_packs`.
            errors: as in `to_packs`.

        Raises:
            UnsupportedError: as in `to_packs`.
        """
        from rawcd.cdtext.cdt import cdt_of_packs

        packs = self.to_packs(
            style=style, first_track=first_track, last_track=last_track, errors=errors
        )
        return cdt_of_packs(packs, header=header)

    @classmethod
    def from_cdt(cls, data: bytes) -> CDText:
        """Read a `.cdt` file: bare packs, with a READ TOC header, with a zero byte at the end.

        Raises:
            FormatError: it is none, or something is wrong with a pack.
        """
        from rawcd.cdtext.cdt import packs_of_cdt

        return cls.from_packs(packs_of_cdt(data))

    @classmethod
    def from_v07t(cls, *sheets: str | bytes | bytearray | memoryview) -> CDText:
        """Read Sony input sheets of version 0.7T, one for each block.

        Args:
            sheets: text, or the file's bytes, which are read in the sheet's own Text Code
                (UTF-8 if they begin with its mark). One may hold several blocks, each from a
                line "Input Sheet Version" on, as libburn writes them.

        Raises:
            FormatError: a line says nothing known, or there are more than eight blocks;
                `place` tells sheet and line.
            ValueError: there is no sheet.
        """
        from rawcd.cdtext.v07t import read_sheets

        return cls(blocks=read_sheets(sheets))

    def to_v07t(self, *, allow_loss: bool = False) -> list[str]:
        """Return Sony input sheets of version 0.7T, one for each block.

        A file of one is to be encoded in the block's character set (`sheet_codec`).

        Args:
            allow_loss: leave out what a sheet cannot hold instead of refusing.

        Raises:
            UnsupportedError: a block has packs without text (a table of contents, reserved
                types), or a text no single line can hold; `lost` names them.
        """
        from rawcd.cdtext.v07t import write_sheets

        return write_sheets(self.blocks, allow_loss=allow_loss)
