"""Folders as data tracks: a file system laid out for the address where the track will lie."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.creator.refusals import refusal
from rawcd.errors import FormatError
from rawcd.filesystem import DiscBlocks, FileTree, StoredVolume, VolumeOptions, make_volume
from rawcd.image import Note
from rawcd.sector import SectorType

if TYPE_CHECKING:
    from rawcd.filesystem import Volume
    from rawcd.image import RegionImage

FolderInput = str | os.PathLike[str] | FileTree
"""A folder, or a tree put together with `rawcd.filesystem`."""
_HOLDS_BLOCKS: Final = (SectorType.MODE1, SectorType.MODE2FORM1)


def volume_for(
    folder: FolderInput,
    sector_type: SectorType,
    *,
    lba: int,
    limit: int,
    options: VolumeOptions | None,
    before: RegionImage | None,
) -> tuple[Volume, tuple[Note, ...]]:
    """Return a folder's file system for its address, and notes on what was changed.

    Args:
        folder: what it is to hold.
        sector_type: of the track: its sectors must hold blocks of 2,048 bytes.
        lba: index 1 of the track.
        limit: the lead-out's last possible start.
        options: what kind of volume.
        before: the disc that the session goes onto, whose files stay visible.

    Raises:
        AuthoringError: the sectors hold no blocks (E_INVALIDARG), the folder holds what the
            volume cannot, or is too large.
        StorageError: it cannot be read.
    """
    if sector_type not in _HOLDS_BLOCKS:
        raise refusal(
            "argument",
            f"a file system has blocks of 2,048 bytes, and {sector_type.name} has none; choose "
            "MODE1 or MODE2FORM1",
        )
    options = options or VolumeOptions()
    tree = (
        folder
        if isinstance(folder, FileTree)
        else FileTree.from_folder(folder, follow_links=not options.rock_ridge, relax=options.relax)
    )
    previous, notes = _tree_before(before)
    volume = make_volume(
        tree, lba=lba, options=options, previous=previous, limit=max(limit - lba, 0)
    )
    return volume, (*notes, *volume.notes)


def _tree_before(image: RegionImage | None) -> tuple[FileTree | None, tuple[Note, ...]]:
    """Return the files that a disc holds already: those of its last session with data."""
    if image is None:
        return None, ()
    blocks = DiscBlocks(image)
    starts = blocks.session_starts()
    if not starts:
        return None, ()
    try:
        return StoredVolume(blocks, lba=starts[-1]).tree(), ()
    except FormatError as error:
        note = Note(
            code="no-file-system",
            message=f"the earlier sessions hold no file system that could go on: {error}",
        )
        return None, (note,)


def of_track(notes: tuple[Note, ...], number: int) -> tuple[Note, ...]:
    """Return notes on a volume as notes on its track."""
    return tuple(replace(note, track=number) for note in notes)
