"""Regions, notes, kinds of subcode, and what an image has to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.disc import Disc
    from rawcd.sector import SectorType
    from rawcd.source import Source


class MainForm(Enum):
    """How a source's block becomes the 2,352 bytes on the disc."""

    ZERO = "zero"
    """No source: digital silence."""
    DISC = "disc"
    """2,352 bytes as on the disc: audio, or a data sector already scrambled; never touched."""
    PLAIN = "plain"
    """2,352 bytes of a data sector before scrambling; header and parity are kept."""
    READ = "read"
    """2,352 bytes as a drive reads them: with a sync as PLAIN, without one as DISC."""
    USER = "user"
    """Blocks of the region's sector type: encoded for their LBA, then scrambled; without a source
    zero user data."""


class SubForm(Enum):
    """Where the subcode of a run of sectors comes from."""

    MADE = "made"
    """P and Q from the Disc, R to W zero."""
    RW = "rw"
    """P and Q from the Disc, R to W from bits 5..0 of the source's 96 bytes."""
    RAW = "raw"
    """All 96 bytes as stored, P-W interleaved; kept bit for bit, CRC errors too."""
    PQ16 = "pq16"
    """16 bytes as stored."""


class ImageType(IntEnum):
    """Values of IMAPI_FORMAT2_RAW_CD_DATA_SECTOR_TYPE, which are MMC data block types."""

    PQ_ONLY = 1
    """2,352 + 16 bytes a sector."""
    COOKED = 2
    """2,352 + 96; R to W are packs before interleave."""
    RAW = 3
    """2,352 + 96; R to W are as on the disc."""

    @property
    def sub_bytes(self) -> int:
        """Bytes of subcode in a sector: 16 or 96."""
        return 16 if self is ImageType.PQ_ONLY else 96

    @property
    def sector_size(self) -> int:
        """Bytes in a sector: 2,368 or 2,448."""
        return SECTOR_BYTES + self.sub_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Sectors whose main channel comes from one place; regions tile the image.

    Attributes:
        lba: first sector.
        sectors: how many.
        form: how blocks become sectors.
        source: None for ZERO, and for USER with zero user data.
        start: the source's block that lies at `lba`.
        sector_type: how PLAIN and USER blocks are to be taken.
        subheader: four or eight bytes for USER blocks of XA that bring none; None is the kind's
            default.

    Raises:
        ValueError: a source is missing, or a USER region's sector type.
    """

    lba: int
    sectors: int
    form: MainForm
    source: Source | None = None
    start: int = 0
    sector_type: SectorType | None = None
    subheader: bytes | None = None

    def __post_init__(self) -> None:
        needs_source = self.form in (MainForm.DISC, MainForm.PLAIN, MainForm.READ)
        if needs_source and self.source is None:
            raise ValueError(f"a region of form {self.form.name} needs a source")
        if self.form is MainForm.USER and self.sector_type is None:
            raise ValueError("a region of form USER needs a sector type")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubRegion:
    """The same for the subcode; its borders need not be those of the regions.

    Attributes:
        lba: first sector.
        sectors: how many.
        form: where the bytes come from.
        source: None for MADE.
        start: the source's block that lies at `lba`.
        rw_packed: R to W of the source are packs before interleave (COOKED).
    """

    lba: int
    sectors: int
    form: SubForm
    source: Source | None = None
    start: int = 0
    rw_packed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was changed or overlooked; the disc is legal all the same.

    Attributes:
        code: stable: `"tail-padded"`, `"short-padded"`, `"resampled"`, ...
        message: for people.
        track: the track it concerns.
        file: the file it concerns.
        line: the line of that file.
    """

    code: str
    message: str
    track: int | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.track is not None:
            place += f" (track {self.track})" if place else f"track {self.track}"
        return f"{place}: {self.message}" if place else self.message


class DiscImage(Protocol):
    """What formats, writers and recorders are given."""

    @property
    def disc(self) -> Disc:
        """What the disc says."""
        ...

    @property
    def kind(self) -> ImageType:
        """The form of the subcode."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What was changed or overlooked on the way."""
        ...

    @property
    def first_lba(self) -> int:
        """LBA of the first sector, that of the lead-in."""
        ...

    @property
    def sector_count(self) -> int:
        """Sectors from there to the end of the last lead-out."""
        ...

    @property
    def sector_size(self) -> int:
        """Bytes in a sector: 2,368 or 2,448."""
        ...

    def read(self, lba: int, count: int) -> bytes:
        """Return `count * sector_size` bytes as they go to the disc: data sectors scrambled."""
        ...

    def open(self) -> BinaryIO:
        """Return a seekable, read-only binary stream whose byte 0 is at `first_lba`."""
        ...
