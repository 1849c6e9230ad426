"""Whole data sectors of other addresses, as they are at the place where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.creator.refusals import refusal
from rawcd.errors import FormatError
from rawcd.source import SECTOR_BYTES, check_range, fill_rows, paths_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.sector import SectorType
    from rawcd.source import Bytes2D, Source

_LOOK: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RelocatedSectors:
    """Whole sectors, not scrambled, whose headers tell their new place; a `Source`.

    EDC and parity that held before hold again, and what was damaged stays so.

    Attributes:
        source: the sectors as given, blocks of 2,352 bytes.
        lba: where its first one goes.
        sector_type: what they are.
        scrambled: whether the given ones are.
    """

    source: Source
    lba: int
    sector_type: SectorType
    scrambled: bool

    @property
    def name(self) -> str:
        """The name of what was given."""
        return self.source.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self.source)

    @property
    def block_size(self) -> int:
        """A sector's bytes."""
        return SECTOR_BYTES

    @property
    def block_count(self) -> int:
        """As many as were given."""
        return self.source.block_count

    def read(self, start: int, count: int) -> bytes:
        """Return sectors end to end; see `Source`."""
        import numpy as np

        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one sector a row; see `ReadsInto`.

        Raises:
            FormatError: a sector has no sync, or is of another mode or form.
        """
        from rawcd.sector import encode, scramble

        check_range(self.name, start, len(rows), self.block_count)
        fill_rows(self.source, start, rows)
        if self.scrambled:
            scramble(rows, out=rows)
        try:
            encode(self.sector_type, rows, self.lba + start, relocate=True, out=rows)
        except FormatError as error:
            raise FormatError(error.reason, file=self.name, place=error.place) from error


def relocated(
    source: Source, lba: int, sector_type: SectorType, scrambled: bool | None, *, what: str
) -> RelocatedSectors:
    """Return whole sectors of any addresses as sectors of the addresses from `lba` on.

    Args:
        source: the sectors.
        lba: where the first one goes.
        sector_type: what they are.
        scrambled: whether they are; None finds out by the headers of the first ones.
        what: what they are for, for messages.

    Raises:
        AuthoringError: their headers do not tell whether they are scrambled (E_INVALIDARG).
        StorageError: they cannot be read.
    """
    if scrambled is None:
        import numpy as np

        from rawcd.sector import scramble

        rows = np.empty((min(_LOOK, source.block_count), SECTOR_BYTES), np.uint8)
        fill_rows(source, 0, rows)
        plain = _tell_an_address(rows, sector_type)
        scrambled = _tell_an_address(scramble(rows), sector_type)
        if plain is scrambled:
            raise refusal(
                "raw-sectors",
                f"{what}: {source.name}: the headers do not tell whether these are scrambled "
                f"sectors of {sector_type.cooked.name}; say so by scrambled=",
            )
    return RelocatedSectors(source=source, lba=lba, sector_type=sector_type, scrambled=scrambled)


def _tell_an_address(rows: Bytes2D, sector_type: SectorType) -> bool:
    """Whether every header has an address in BCD and the mode of the type (ECMA-130, 14.2)."""
    header = rows[:, 12:16]
    bcd = (header[:, :3] & 0x0F <= 9) & (header[:, :3] >> 4 <= (9, 5, 7))
    mode = header[:, 3] & 0x1F == sector_type.mode  # the bits above tell link blocks
    return bool(bcd.all() and mode.all())
