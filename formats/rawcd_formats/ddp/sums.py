"""MD5 sums beside a set: no part of DDP, but plants and programs check them.

A line is 32 hexadecimal digits, a blank, `*`, and a name (md5sum's form), as cue2ddp, Sonoris DDP
Creator and HOFA CD-Burn write it under three names (ddp-reverse-eng, spec/ddp2.md 9 and N6).
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.errors import CancelledError, StorageError, UnsupportedError
from rawcd.image import Note
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _typeshed import ReadableBuffer

    from rawcd.fileset import InputFiles, OutputFile
    from rawcd.progress import Progress
    from rawcd.source import Reader

NAME: Final = "CHECKSUM.MD5"
_NAMES: Final = (NAME, "MD5-Checksum.md5", "MD5_CHECKSUM.MD5")
_LINE: Final = re.compile(r"([0-9a-fA-F]{32}) [ *](\S.*)")
_LIMIT: Final = 64 * 1024
_STEP: Final = 1024 * SECTOR_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A file of sums.

    Attributes:
        file: its name.
        of: the sums in lower case, by the names of the files in upper case.
    """

    file: str
    of: Mapping[str, str]


class SummedOutput:
    """A file that is summed while it is written, in order, from one process."""

    def __init__(self, output: OutputFile) -> None:
        self._output = output
        self._hash = hashlib.md5(usedforsecurity=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self._output.name

    @property
    def sum(self) -> str:
        """The sum of what was written so far."""
        return self._hash.hexdigest()

    def allocate(self, size: int) -> None:
        """Reserve room; see `OutputFile`."""
        self._output.allocate(size)

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows; see `OutputFile`."""
        self._hash.update(data)
        self._output.write(data)

    def rewrite(self, offset: int, data: ReadableBuffer) -> None:
        """Refuse: what was summed stays; see `OutputFile`."""
        del data
        raise UnsupportedError(f"{self.name}: byte {offset} is in the sum already")


def lines(outputs: Iterable[SummedOutput]) -> bytes:
    """Return the file of sums."""
    return "".join(f"{output.sum} *{output.name}\n" for output in outputs).encode("ascii")


def find_sums(files: InputFiles) -> Sums | None:
    """Return the sums beside a set; None where there are none."""
    for name in _NAMES:
        with suppress(StorageError):
            reader = files.find(name).reader
            data = bytearray(min(reader.size, _LIMIT))
            reader.read_at(0, data)
            found = map(_LINE.fullmatch, data.decode("utf-8", "replace").splitlines())
            pairs = {match[2].strip().upper(): match[1].lower() for match in found if match}
            return Sums(file=reader.name, of=pairs)
    return None


def differing(
    sums: Sums, members: Mapping[str, Reader], progress: Progress | None = None
) -> Iterator[Note]:
    """Yield a note for each file whose sum is another one; what is not listed is not asked.

    Args:
        sums: the sums.
        members: the files by their names in the set.
        progress: told how many sectors' worth of bytes were read.

    Raises:
        StorageError: a file cannot be read.
        CancelledError: `progress` said stop.
    """
    asked = {name: each for name, each in members.items() if name.upper() in sums.of}
    total = sum(each.size for each in asked.values())
    done = 0
    for name, reader in asked.items():
        found = hashlib.md5(usedforsecurity=False)
        for at in range(0, reader.size, _STEP):
            held = bytearray(min(_STEP, reader.size - at))
            reader.read_at(at, held)
            found.update(held)
            done += len(held)
            if progress is not None and not progress(
                -(-done // SECTOR_BYTES), -(-total // SECTOR_BYTES)
            ):
                raise CancelledError("stopped while sums were checked")
        if found.hexdigest() != sums.of[name.upper()]:
            yield Note(
                code="checksum",
                message=f"its MD5 is {found.hexdigest()}, and {sums.of[name.upper()]} in "
                f"{sums.file}: it was changed or damaged since",
                file=reader.name,
            )
