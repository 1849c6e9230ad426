"""CD+G packs as they are stored: `.cdg` files, and the R-W subcode of a disc.

A `.cdg` file is packs of 24 bytes end to end, four to a sector, 300 to a second, not
interleaved; it begins where the song does, at the track's INDEX 01. There is no header.
"""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from rawcd.cdg.packs import (
    PACK_BYTES,
    PACKS_PER_SECOND,
    PACKS_PER_SECTOR,
    SYMBOL_BITS,
    Instruction,
    build_pack,
    header_dtype,
    parse_pack,
)
from rawcd.errors import FormatError, StorageError
from rawcd.source import FileBytes, MemoryBytes, StreamBytes, check_range, paths_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

    from rawcd.source import Bytes2D, Reader

    Packs = bytes | bytearray | memoryview | Bytes2D | Iterable[Instruction | None]
    """Whole packs, or instructions of which each is one."""

BLOCK_BYTES: Final = PACKS_PER_SECTOR * PACK_BYTES
"""R to W of one sector, packs not interleaved: the form called cooked."""
_STEP: Final = 8192


class CdgFile:
    """The packs of a `.cdg` file, read when they are asked for.

    Args:
        file: a path, bytes, an array of uint8, or a binary file object that can seek.
        pad: fill a pack that is cut short at the end with zeros, rather than refuse the file.

    Attributes:
        name: the file's name.
        pack_count: packs, the filled one included.
        padded: bytes that were missing from the last pack; 0 for a whole file.

    Raises:
        FormatError: the file does not end with a whole pack.
        StorageError: it cannot be found or read.
        TypeError: an array is of another type.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | bytes | BinaryIO | npt.NDArray[np.uint8],
        *,
        pad: bool = False,
    ) -> None:
        self._reader = _reader_of(file)
        self.name = self._reader.name
        whole, rest = divmod(self._reader.size, PACK_BYTES)
        if rest and not pad:
            raise FormatError(
                f"{rest} bytes are left over after {whole} packs of {PACK_BYTES} bytes",
                file=self.name,
                place=f"offset {whole * PACK_BYTES}",
            )
        self.pack_count = whole + (rest > 0)
        self.padded = PACK_BYTES - rest if rest else 0

    def __repr__(self) -> str:
        return f"<CdgFile: {self.name}, {self.pack_count} packs>"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    @property
    def sector_count(self) -> int:
        """Sectors that the packs need; the last may not be full."""
        return -(-self.pack_count // PACKS_PER_SECTOR)

    @property
    def seconds(self) -> float:
        """How long the packs last."""
        return self.pack_count / PACKS_PER_SECOND

    def packs(self, start: int = 0, count: int | None = None) -> Bytes2D:
        """Return packs as they are stored, shape (count, 24).

        Args:
            start: number of the first pack.
            count: None returns all that follow.

        Raises:
            StorageError: they cannot be read.
        """
        import numpy as np

        if count is None:
            count = max(0, self.pack_count - start)
        check_range(self.name, start, count, self.pack_count)
        rows = np.zeros((count, PACK_BYTES), np.uint8)
        if count:
            held = min(rows.size, self._reader.size - start * PACK_BYTES)
            self._reader.read_at(start * PACK_BYTES, rows.reshape(-1)[:held].data)
        return rows

    def instructions(
        self, start: int = 0, count: int | None = None
    ) -> Iterator[tuple[int, Instruction]]:
        """Yield the number and the value of each pack that is a known instruction."""
        end = self.pack_count if count is None else start + count
        for first in range(start, end, _STEP):
            for number, pack in enumerate(self.packs(first, min(_STEP, end - first)), first):
                instruction = parse_pack(pack.tobytes())
                if instruction is not None:
                    yield number, instruction


def write_cdg(
    target: str | os.PathLike[str] | BinaryIO,
    packs: Packs,
    *,
    overwrite: bool = False,
) -> int:
    """Write a `.cdg` file, whole or not at all.

    Args:
        target: a path, or a binary file object.
        packs: whole packs, as bytes or (n, 24) of uint8; or instructions, one a pack, where None
            is an empty pack: a three-hundredth of a second in which nothing is sent.
        overwrite: replace a file that is there.

    Returns:
        The number of packs.

    Raises:
        StorageError: it cannot be written, or is there already.
        TypeError: there is something that is neither bytes nor an instruction.
        ValueError: the packs are not whole.
    """
    data = _packs_as_bytes(packs)
    if isinstance(target, (str, os.PathLike)):
        try:
            _write_whole(Path(target), data, overwrite=overwrite)
        except OSError as error:
            raise StorageError.of(error, file=str(target), doing="write") from error
    else:
        try:
            target.write(data)
        except OSError as error:
            name = str(getattr(target, "name", f"<{type(target).__name__}>"))
            raise StorageError.of(error, file=name, doing="write") from error
    return len(data) // PACK_BYTES


def _write_whole(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file that is there as a whole or not; one that it replaces stays until then."""
    if overwrite:
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or a device is written to, a folder refuses
            return
    part = path.with_name(f".{path.name}.{token_hex(4)}.part") if overwrite else path
    file = part.open("xb")  # what is there already is not ours to remove
    try:
        with file:
            file.write(data)
        if overwrite:
            part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _packs_as_bytes(packs: Packs) -> bytes:
    if isinstance(packs, (bytes, bytearray, memoryview)):
        data = bytes(packs)
    elif hasattr(packs, "__array_interface__"):
        data = _uint8(packs).tobytes()
    else:
        data = b"".join(
            bytes(PACK_BYTES) if instruction is None else build_pack(instruction)
            for instruction in cast("Iterable[Instruction | None]", packs)
        )
    if len(data) % PACK_BYTES:
        raise ValueError(f"{len(data)} bytes are no whole packs of {PACK_BYTES}")
    return data


def _uint8(array: Any) -> npt.NDArray[np.uint8]:
    """Return an array of bytes as it is: numbers of other types are no symbols one by one."""
    if str(array.dtype) != "uint8":
        raise TypeError(f"packs are an array of uint8, not {array.dtype}")
    return cast("npt.NDArray[np.uint8]", array)


def _reader_of(file: Any) -> Reader:
    if isinstance(file, (bytes, bytearray, memoryview)):
        return MemoryBytes(file, name="<CD+G packs>")
    if isinstance(file, (str, os.PathLike)):
        return FileBytes(file)
    if hasattr(file, "__array_interface__"):
        return MemoryBytes(_uint8(file), name="<CD+G packs>")
    return StreamBytes(cast("BinaryIO", file))


class CdgSource:
    """A `.cdg` file as the R-W subcode of sectors: 96 bytes each, four packs, not interleaved.

    Before its first pack and after its last one there are zero packs. Only the six bits of R to
    W are given, and parity symbols are zero: whoever puts the packs on a disc computes them, and
    those of `.cdg` files are often junk. Packs of other modes (MIDI, user) pass as they are.

    Args:
        file: a `CdgFile`, or what one is made of.
        first_sector: the block that holds the first pack, such as the sectors from the start
            of what this subcode covers to the track's INDEX 01; negative skips sectors.
        block_count: sectors in all; None ends with the last pack.
        pad: as in `CdgFile`.

    Attributes:
        file: the file.
        first_sector: the block that holds the first pack.
        block_size: 96.
        block_count: sectors in all.

    Raises:
        FormatError: the file does not end with a whole pack.
        StorageError: it cannot be found or read.
    """

    def __init__(
        self,
        file: CdgFile | str | os.PathLike[str] | bytes | BinaryIO | npt.NDArray[np.uint8],
        *,
        first_sector: int = 0,
        block_count: int | None = None,
        pad: bool = False,
    ) -> None:
        self.file = file if isinstance(file, CdgFile) else CdgFile(file, pad=pad)
        self.first_sector = first_sector
        self.block_size = BLOCK_BYTES
        if block_count is None:
            block_count = max(0, first_sector + self.file.sector_count)
        if block_count < 0:
            raise ValueError(f"{block_count} blocks are no number of blocks")
        self.block_count = block_count

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return self.file.paths

    def lost_packs(self) -> int:
        """Return how many packs of the file that are not zero lie outside the sectors.

        A file often runs on after its song; what is empty there is no loss.
        """
        skipped = max(0, -self.first_sector * PACKS_PER_SECTOR)
        kept_end = max(0, (self.block_count - self.first_sector) * PACKS_PER_SECTOR)
        return self._used(0, skipped) + self._used(max(skipped, kept_end), self.file.pack_count)

    def _used(self, start: int, end: int) -> int:
        end = min(end, self.file.pack_count)
        used = 0
        for first in range(start, end, _STEP):
            packs = self.file.packs(first, min(_STEP, end - first))
            used += int((packs & SYMBOL_BITS).any(axis=1).sum())
        return used

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count`; see `rawcd.source.Source`."""
        import numpy as np

        rows = np.empty((count, BLOCK_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `rawcd.source.ReadsInto`."""
        import numpy as np

        check_range(self.name, start, len(rows), self.block_count)
        rows[:] = 0
        offset = (start - self.first_sector) * PACKS_PER_SECTOR
        first = max(0, offset)
        end = min(self.file.pack_count, offset + len(rows) * PACKS_PER_SECTOR)
        if first >= end:
            return
        packs = self.file.packs(first, end - first) & np.uint8(SYMBOL_BITS)
        header = packs.view(header_dtype())[:, 0]
        header["parity_q"] = 0
        header["parity_p"] = 0
        for number, pack in _sector_runs(first - offset, packs):
            blocks = rows[number // PACKS_PER_SECTOR :][: len(pack)]
            at = number % PACKS_PER_SECTOR * PACK_BYTES
            blocks[:, at : at + PACK_BYTES] = pack


def _sector_runs(first: int, packs: Bytes2D) -> Iterator[tuple[int, Bytes2D]]:
    """Yield each quarter of the sectors: number of its first pack, and every fourth from it on."""
    for quarter in range(min(PACKS_PER_SECTOR, len(packs))):
        yield first + quarter, packs[quarter::PACKS_PER_SECTOR]
