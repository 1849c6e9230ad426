"""Files on a disc, one data track a session (IJolietDiscMaster)."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import AuthoringError, UnsupportedError
from rawcd.filesystem import (
    BLOCK_BYTES,
    FileTree,
    Folder,
    HostFile,
    MemoryFile,
    NewFile,
    PieceFile,
    make_volume,
    read_new_file,
)
from rawcd.hresults import HResult
from rawcd.mastering.events import DiscMasterProgressEvents
from rawcd.mastering.properties import JolietProperties
from rawcd.mastering.refusals import named_values, refusal, source_codes
from rawcd.mastering.states import Call
from rawcd.source import BlockBytes, BlockSource, BytesPart, JoinedBytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.filesystem import Entry, Volume
    from rawcd.mastering.ground import Ground
    from rawcd.mastering.job import Job
    from rawcd.mastering.stash import Stash
    from rawcd.source import Source

_log = logging.getLogger(__name__)

LEAST_BLOCKS: Final = 300
"""A track is four seconds long at least (Red Book)."""
_STEP_BYTES: Final = 512 << 10
"""Bytes between two questions whether to go on."""
_NAMED: Final = 3
"""Names that a message lists."""
_NO_NAMES: Final = ("", ".", "..")
_CODES: Final = {
    "volume-size": HResult.IMAPI_E_DISCFULL,
    "file-size": HResult.IMAPI_E_DISCFULL,
    "file-name": HResult.IMAPI_E_BADJOLIETNAME,
    "folder-depth": HResult.IMAPI_E_BADJOLIETNAME,
    "volume-text": HResult.IMAPI_E_BADJOLIETNAME,
    "boot-catalog": HResult.IMAPI_E_BADJOLIETNAME,
}
"""What IMAPI calls a rule of file systems that is broken; others are E_INVALIDARG."""


def _blocks(size: int) -> int:
    return -(-size // BLOCK_BYTES)


_NOTHING: Final = FileTree(root=Folder(), name="<stash>")


class DataImage:
    """The files that are staged.

    Attributes:
        tree: all of them, their bytes in the stash.
        replaced: what they were before they were replaced; it still reaches the disc.
        properties: of the volume.
    """

    def __init__(self) -> None:
        self.tree = _NOTHING
        self.replaced: tuple[PieceFile, ...] = ()
        self.properties = JolietProperties.default()
        self._volume: tuple[Ground, Volume] | None = None

    def clear(self) -> None:
        """Forget what is staged; the properties stay."""
        self.change(_NOTHING, ())

    def change(self, tree: FileTree, replaced: tuple[PieceFile, ...]) -> None:
        """Take another tree for what is staged."""
        self.tree, self.replaced, self._volume = tree, replaced, None

    def set_properties(self, properties: JolietProperties) -> None:
        """Take other properties."""
        self.properties, self._volume = properties, None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is staged."""
        return not self.tree.root.entries

    @property
    def replaced_blocks(self) -> int:
        """Blocks of what was replaced."""
        return sum(_blocks(piece.size) for piece in self.replaced)

    def volume(self, ground: Ground) -> Volume:
        """Return the staged files laid out for a disc.

        Raises:
            MasteringError: they cannot be (see `laid_out`).
        """
        if self._volume is None or self._volume[0] is not ground:
            self._volume = ground, self.laid_out(self.tree, ground, self.replaced_blocks)
        return self._volume[1]

    def laid_out(self, tree: FileTree, ground: Ground, replaced_blocks: int) -> Volume:
        """Lay a tree out behind what is on a disc.

        Raises:
            MasteringError: a name cannot be held (BADJOLIETNAME), it does not fit (DISCFULL), it
                is to boot and the disc is not blank (BOOTIMAGE_AND_NONBLANK_DISC), or it holds
                what a volume cannot (E_INVALIDARG).
        """
        check_boot(self.properties, ground)
        whole, options = self.properties.booting(tree)
        limit = max(0, ground.sectors - replaced_blocks)
        try:
            return make_volume(
                whole, lba=ground.start_lba, options=options, previous=ground.before, limit=limit
            )
        except AuthoringError as error:
            code = _CODES.get(error.rule, HResult.E_INVALIDARG)
            raise refusal(code, str(error)) from error
        except UnsupportedError as error:
            raise refusal(HResult.E_INVALIDARG, str(error)) from error

    def used_blocks(self, ground: Ground) -> int:
        """Return what the track will have; nothing as long as nothing is staged."""
        if self.is_empty and not self.replaced:
            return 0
        return self.volume(ground).sector_count + self.replaced_blocks

    def track(self, ground: Ground) -> Source:
        """Return the blocks of the data track: the volume, what was replaced, and zeros to 300.

        Raises:
            MasteringError: they cannot be laid out.
        """
        volume = self.volume(ground)
        blocks = self.properties.catalogued(volume.source, volume.lba)
        parts = [BytesPart(reader=BlockBytes(blocks), count=blocks.block_count * BLOCK_BYTES)]
        for piece in self.replaced:
            parts.append(BytesPart(reader=piece.reader, start=piece.offset, count=piece.size))
            parts.append(BytesPart(count=-piece.size % BLOCK_BYTES))
        size = sum(part.count for part in parts)
        parts.append(BytesPart(count=max(0, LEAST_BLOCKS * BLOCK_BYTES - size)))
        return BlockSource(JoinedBytes(parts), block_size=BLOCK_BYTES)


def check_boot(properties: JolietProperties, ground: Ground) -> None:
    """Refuse a boot image for a disc that is not blank.

    Raises:
        MasteringError: there is one (BOOTIMAGE_AND_NONBLANK_DISC).
    """
    if properties.place_boot_image and not ground.is_blank:
        raise refusal(
            HResult.IMAPI_E_BOOTIMAGE_AND_NONBLANK_DISC,
            "a boot image can only be placed on a blank disc",
        )


class JolietDiscMaster:
    """Stages files for the job whose active format is Joliet.

    They are copied into the stash at once, so their folder may go. Joliet holds names of up to
    64 characters (one page of IMAPI says 32, its glossary 64, and Joliet itself 64). Every method
    may raise `MasteringError` with NOTOPENED, NOACTIVEFORMAT and WRONGFORMAT (Redbook is active)
    beside the codes that it names.

    ```python
    files.set_joliet_properties({"VolumeName": "HOLIDAY"})
    files.add_data("photos")
    files.add_data("more", overwrite=True)
    ```
    """

    def __init__(self, job: Job, image: DataImage) -> None:
        self._job = job
        self._image = image

    def get_total_data_blocks(self) -> int:
        """Return how long the track may be on the disc that is in the active recorder.

        Behind an earlier session that is what its closing left: a first one costs 21 MB, each
        later one 11 MB, as IMAPI counts; the drive tells the truth.

        Raises:
            MasteringError: NOACTIVERECORDER (no page says so; nobody else knows).
        """
        with self._job.call(Call.DATA_TOTAL):
            return min(self._job.ground.sectors, self._job.stash.room // BLOCK_BYTES)

    def get_used_data_blocks(self) -> int:
        """Return what is staged: files, directories, and files that were replaced.

        Raises:
            MasteringError: NOACTIVERECORDER (no page says so; nobody else knows).
        """
        with self._job.call(Call.DATA_USED):
            return self._image.used_blocks(self._job.ground)

    def get_data_block_size(self) -> int:
        """Return 2,048: a block is a sector's user data."""
        with self._job.call(Call.DATA_BLOCK_SIZE):
            return BLOCK_BYTES

    def add_data(self, folder: str | os.PathLike[str] | FileTree, overwrite: bool = False) -> None:
        """Add what is in a folder to the root of the disc; links are followed.

        Folders of the same name are merged. Either all of it is added or nothing.

        Args:
            folder: a folder, or a tree put together with `rawcd.filesystem`.
            overwrite: a file of the same name is replaced; its bytes still reach the disc.

        Raises:
            MasteringError: FILEEXISTS (a name is there, in the image or on the disc), DISCFULL,
                BADJOLIETNAME, USERABORT (`query_cancel` said so), NOACTIVERECORDER, E_POINTER,
                E_INVALIDARG and GENERIC (it cannot be read), the stash's codes.
        """
        with self._job.staging(Call.ADD_DATA):
            given = _tree_of(folder)
            for note in given.notes:
                _log.warning("add_data: %s: %s", note.file, note.message)
            files = list(_new_files(given))
            taken = self._taken(given)
            if taken and not overwrite:
                more = f" and {len(taken) - _NAMED} more" if len(taken) > _NAMED else ""
                raise refusal(
                    HResult.IMAPI_E_FILEEXISTS,
                    f"add_data: {', '.join(taken[:_NAMED])}{more}: there already; "
                    "overwrite=True replaces them",
                )
            image, ground = self._image, self._job.ground
            replaced = (*image.replaced, *self._pieces_at(taken))
            blocks = sum(_blocks(piece.size) for piece in replaced)
            image.laid_out(image.tree.overlaid(given), ground, blocks)
            self._job.reserve(BLOCK_BYTES)
            start = self._job.stash.used
            try:
                staged = self._staged(given, files)
            except BaseException:
                self._job.stash.cut(start)
                raise
            image.change(image.tree.overlaid(staged), replaced)

    def get_joliet_properties(self) -> dict[str, object]:
        """Return VolumeName, PlaceBootImageOnDisc, BootImage, ..., a copy of them.

        They do not outlive the job.
        """
        with self._job.call(Call.GET_PROPERTIES):
            return self._image.properties.as_mapping()

    def set_joliet_properties(self, properties: Mapping[str, object] | None) -> HResult:
        """Set properties, as few as one likes; all of them, or none when a value is wrong.

        Returns:
            S_OK, or IMAPI_S_PROPERTIESIGNORED: some are unknown.

        Raises:
            MasteringError: E_POINTER (there are none), E_INVALIDARG, BADJOLIETNAME (VolumeName),
                BOOTIMAGE_AND_NONBLANK_DISC.
        """
        with self._job.call(Call.SET_PROPERTIES):
            given = named_values("set_joliet_properties", properties)
            wanted, code = self._image.properties.with_values(given)
            if self._job.choice is not None:
                check_boot(wanted, self._job.ground)
            self._image.set_properties(wanted)
            return code

    # -- staging ----------------------------------------------------------------------------------

    def _taken(self, given: FileTree) -> list[str]:
        """Return the paths of a tree that are files already, or become files over folders."""
        before = self._job.ground.before
        found = []
        for path, entry in given.walk():
            for tree in (self._image.tree, before):
                there = None if tree is None else tree.get(path)
                if there is not None and not (
                    isinstance(entry, Folder) and isinstance(there, Folder)
                ):
                    found.append(path)
                    break
        return found

    def _pieces_at(self, paths: list[str]) -> Iterator[PieceFile]:
        """Give the staged files that are at paths, or below them."""
        for path in paths:
            there = self._image.tree.get(path)
            if isinstance(there, PieceFile):
                yield there
            elif isinstance(there, Folder):
                for _, entry in FileTree(root=there).walk():
                    if isinstance(entry, PieceFile):
                        yield entry

    def _staged(self, given: FileTree, files: list[NewFile]) -> FileTree:
        """Copy files into the stash, and return the tree with their bytes there.

        Raises:
            MasteringError: see `add_data`.
        """
        job = self._job
        total = sum(_blocks(file.size) for file in files)
        listeners, done = job.listeners, 0
        listeners.begin()
        listeners.tell(DiscMasterProgressEvents.notify_add_progress, 0, total)
        pieces: dict[int, PieceFile] = {}
        for file in files:
            offset = job.stash.used
            for at in range(0, file.size, _STEP_BYTES):
                listeners.check_cancelled()
                buffer = bytearray(min(_STEP_BYTES, file.size - at))
                with source_codes("add_data"):
                    read_new_file(file, at, memoryview(buffer))
                job.stash.append(buffer)
                done += _blocks(len(buffer))
                listeners.tell(DiscMasterProgressEvents.notify_add_progress, done, total)
            pieces[id(file)] = _piece(file, job.stash, offset)
        listeners.check_cancelled()
        job.stash.note_used()
        return replace(given, root=_with_pieces(given.root, pieces), name=self._image.tree.name)


def _tree_of(folder: object) -> FileTree:
    """Return what was given to be added.

    Raises:
        MasteringError: it is nothing (E_POINTER), no folder (E_INVALIDARG), has names that are none
            (BADJOLIETNAME), or cannot be read.
    """
    if isinstance(folder, FileTree):
        _check_names(folder)
        return folder
    if folder is None:
        raise refusal(HResult.E_POINTER, "add_data: no folder is given")
    if not isinstance(folder, str | os.PathLike):
        raise refusal(
            HResult.E_INVALIDARG,
            f"add_data: a {type(folder).__name__} is no folder; give a path or a FileTree",
        )
    with source_codes("add_data"):
        return FileTree.from_folder(folder, follow_links=True)


def _check_names(tree: FileTree) -> None:
    """Refuse a tree with names that would be another place in a path.

    Raises:
        MasteringError: it has one (BADJOLIETNAME).
    """
    folders = [tree.root]
    while folders:
        entries = folders.pop().entries
        for name in entries:
            told: object = name
            if not isinstance(told, str) or name in _NO_NAMES or "/" in name:
                raise refusal(
                    HResult.IMAPI_E_BADJOLIETNAME, f"add_data: {name!r} is no file's name"
                )
        folders.extend(entry for entry in entries.values() if isinstance(entry, Folder))


def _new_files(tree: FileTree) -> Iterator[NewFile]:
    """Give the files of a tree that can be staged.

    Raises:
        MasteringError: it has others (E_INVALIDARG).
    """
    for path, entry in tree.walk():
        if isinstance(entry, HostFile | MemoryFile | PieceFile):
            yield entry
        elif not isinstance(entry, Folder):
            raise refusal(
                HResult.E_INVALIDARG,
                f"add_data: {path}: a link, or a file of another disc, cannot be staged",
            )


def _piece(file: NewFile, stash: Stash, offset: int) -> PieceFile:
    return PieceFile(
        reader=stash, offset=offset, size=file.size, modified=file.modified, mode=file.mode
    )


def _with_pieces(folder: Folder, pieces: dict[int, PieceFile]) -> Folder:
    entries: dict[str, Entry] = {}
    for name, entry in folder.entries.items():
        inner = _with_pieces(entry, pieces) if isinstance(entry, Folder) else entry
        entries[name] = pieces.get(id(entry)) or inner
    return replace(folder, entries=entries)
