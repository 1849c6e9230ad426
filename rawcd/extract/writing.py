"""The files themselves, sector by sector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.extract.plan import FileKind
from rawcd.graphics import Packs
from rawcd.image import Note, main_sectors
from rawcd.pump import PlainMain, pump
from rawcd.sector import Defect, decode, verify
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.rows import PW96_BYTES

if TYPE_CHECKING:
    from rawcd.extract.plan import Part
    from rawcd.fileset import OutputFile
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D

_SECTOR_SAMPLES: Final = 588
_USER_BYTES: Final = 2048


def write_part(
    image: DiscImage, part: Part, output: OutputFile, progress: Progress | None
) -> list[Note]:
    """Write one file.

    Returns:
        What was met on the way.

    Raises:
        StorageError: reading or writing failed.
        UnsupportedError: soundfile cannot be loaded.
        CancelledError: `progress` said stop.
    """
    if part.kind is FileKind.FLAC:
        from rawcd.audio.encode import FlacWriter

        with FlacWriter(output, output.rewrite, tags=part.tags) as writer:
            pump(PlainMain(image), part.lba, part.sectors, writer.write, progress=progress)
        return []
    if part.kind is FileKind.WAV:
        _write_wave(image, part, output, progress)
        return []
    if part.kind is FileKind.ISO:
        data = _CheckedData(image, part)
        output.allocate(part.sectors * _USER_BYTES)
        pump(data, part.lba, part.sectors, output, width=_USER_BYTES, progress=progress)
        return data.notes()
    if part.kind is FileKind.CDG:
        packs = Packs.of(image)
        assert packs is not None, "the plan found some"
        output.allocate(part.sectors * PW96_BYTES)
        pump(packs, part.lba, part.sectors, output, width=PW96_BYTES, progress=progress)
        return []
    output.allocate(part.sectors * SECTOR_BYTES)
    pump(PlainMain(image), part.lba, part.sectors, output, progress=progress)
    return []


def _write_wave(
    image: DiscImage, part: Part, output: OutputFile, progress: Progress | None
) -> None:
    from rawcd.audio.encode import wave_head
    from rawcd.audio.tags import info_list

    told = info_list(part.tags)
    head = wave_head(part.sectors * _SECTOR_SAMPLES, behind=len(told))
    output.allocate(len(head) + part.sectors * SECTOR_BYTES + len(told))
    output.write(head)
    pump(PlainMain(image), part.lba, part.sectors, output, progress=progress)
    output.write(told)


class _CheckedData:
    """Rows of 2,048 bytes: user data, and how many sectors it came from that do not check.

    Such a sector's header, EDC and parity are not in the file, nor that they were wrong.
    """

    def __init__(self, image: DiscImage, part: Part) -> None:
        self._image = image
        self._kind = part.sector_type
        self._wrong = 0
        self._first: tuple[int, Defect] | None = None

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        sectors = main_sectors(self._image, lba, len(rows))
        found = verify(sectors, lba, self._kind)
        if found.any():
            if self._first is None:
                place = int((found != 0).argmax())
                self._first = (lba + place, Defect(int(found[place])))
            self._wrong += int((found != 0).sum())
        decode(self._kind, sectors, block_size=_USER_BYTES, out=rows)

    def notes(self) -> list[Note]:
        """Return what was met."""
        if self._first is None:
            return []
        lba, defect = self._first
        names = ", ".join(flag.name or "" for flag in Defect if flag in defect)
        return [
            Note(
                code="defective-sectors",
                message=f"{self._wrong} sectors do not check, the first at LBA {lba} ({names}); "
                "their user data is taken as it is",
            )
        ]
