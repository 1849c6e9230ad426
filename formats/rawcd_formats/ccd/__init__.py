"""CloneCD's CCD/IMG/SUB: `sheet` is the text as values, `save` writes the three files."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError, StorageError
from rawcd.features import CDTEXT, Feature
from rawcd.recording import RECORDED, told_by_subcode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, Note, RegionImage
    from rawcd.progress import Progress
    from rawcd.recording import Stored
    from rawcd.source import Source

_SECTION: Final = re.compile(rb"^[ \t]*\[[ \t]*(CloneCD|Disc|Entry +0)[ \t]*\]", re.I | re.M)
_BY_CONTENT_AND_NAME: Final = 95
_BY_CONTENT: Final = 80
_BY_NAME: Final = 40


class CcdFormat:
    """Reads and writes CloneCD's three files; see `rawcd.plugins.Format`.

    The `.img` has every session from its first track on, whole sectors, and the `.sub` their
    subcode channel by channel. Between sessions, and in the two seconds before each, nothing is
    stored.
    """

    name = "ccd"
    suffixes = (".ccd",)
    keeps = RECORDED | CDTEXT | {Feature.SESSIONS}
    one_file = False

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what is kept of an image: SCMS only where the subcode tells of it."""
        return self.keeps - ({Feature.SCMS} - told_by_subcode(image))

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the sections that every such sheet has, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if b"\0" not in head and len(set(map(bytes.lower, _SECTION.findall(head)))) >= 2:
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a sheet, and the `.img` and `.sub` of its name; the latter may be missing.

        Raises:
            FormatError: the sheet contradicts itself, or a file is not what it says.
            StorageError: the `.img` is missing, or a file cannot be read.
        """
        from rawcd.recording import recorded_image, sheet_bytes
        from rawcd_formats.ccd.sheet import parse

        found = parse(sheet_bytes(files), files.name)
        notes = list(found.notes)
        stored = _stored(files, found.stretches, notes)
        return recorded_image(found.sheet, stored, notes)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write `.img`, `.sub` and the sheet; see `rawcd_formats.ccd.save`.

        Raises:
            UnsupportedError: an option is unknown, or a track begins before LBA 0.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.ccd.save import save

        save(image, files, options, progress)


def _stored(
    files: InputFiles, stretches: tuple[tuple[int, int], ...], notes: list[Note]
) -> list[Stored]:
    """Return the sessions' sectors, which lie end to end in `.img` and `.sub`."""
    from rawcd.image import Note
    from rawcd.recording import Stored
    from rawcd.source import SECTOR_BYTES, BlockSource

    stem = files.stem
    reader = files.find(f"{stem}.img").reader
    needed = sum(end - first for first, end in stretches)
    held, rest = divmod(reader.size, SECTOR_BYTES)
    if held < needed:
        raise FormatError(
            f"has {held} sectors of {SECTOR_BYTES} bytes, the sheet tells of {needed}; the file "
            "was cut short, or the sheet is another's",
            file=reader.name,
            place=f"offset {reader.size}",
        )
    if held > needed or rest:
        notes.append(
            Note(
                code="trailing-bytes",
                message=f"{reader.size - needed * SECTOR_BYTES} bytes behind the last session "
                "were left out",
                file=reader.name,
            )
        )
    sub = _subcode(files, stem, needed, notes)
    main = BlockSource(reader, block_count=needed)
    stored: list[Stored] = []
    block = 0
    for first, end in stretches:
        known = 0 if sub is None else min(max(sub.block_count - block, 0), end - first)
        whole = Stored(lba=first, sectors=end - first, main=main, sub=sub, start=block)
        bare = Stored(lba=first, sectors=end - first, main=main, start=block)
        parts = (whole.from_to(first, first + known), bare.from_to(first + known, end))
        stored.extend(part for part in parts if part.sectors)
        block += end - first
    return stored


def _subcode(files: InputFiles, stem: str, needed: int, notes: list[Note]) -> Source | None:
    """Return the blocks of the `.sub`, as on the disc; None where there is none."""
    from rawcd.image import Note
    from rawcd.source import BlockSource
    from rawcd.subcode import RawChannels
    from rawcd.subcode.rows import PW96_BYTES

    try:
        reader = files.find(f"{stem}.sub").reader
    except StorageError as error:
        if error.errno != errno.ENOENT:
            raise
        notes.append(
            Note(
                code="no-subcode",
                message="there is no .sub file; the subcode is made of what the sheet says",
                file=files.name,
            )
        )
        return None
    held, rest = divmod(reader.size, PW96_BYTES)
    if held != needed or rest:
        notes.append(
            Note(
                code="subcode-length",
                message=f"has the subcode of {held} sectors and {rest} bytes, the sheet tells of "
                f"{needed} sectors; what is missing is made, what is too much left out",
                file=reader.name,
            )
        )
    return RawChannels(BlockSource(reader, block_size=PW96_BYTES, block_count=min(held, needed)))
