"""The door to pycdlib: a tree laid out from block 0, its metadata alone.

pycdlib sorts, packs and places; it is handed no bytes of files and asked for none. What it cannot
say (dates, addresses, files of earlier sessions) is written into its result afterwards.
"""

from __future__ import annotations

import gc
import io
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from rawcd.errors import AuthoringError, UnsupportedError
from rawcd.filesystem.names import CATALOG, iso_identifier
from rawcd.filesystem.tree import Folder, Link, StoredFile
from rawcd.filesystem.values import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycdlib.dr import DirectoryRecord

    from rawcd.filesystem.names import Named
    from rawcd.filesystem.values import BootImage, VolumeOptions

_ROCK_RIDGE: Final = "1.09"
_JOLIET: Final = 3
_UDF: Final = "2.60"
_EMULATIONS: Final = {"none": "noemul", "floppy": "floppy", "hard-disk": "hdemul"}
_EFI_PLATFORM: Final = 0xEF


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What pycdlib laid out.

    Attributes:
        blocks: the blocks that it wrote, by number.
        block_count: how long the volume is, data included.
    """

    blocks: dict[int, bytearray]
    block_count: int


def draft(root: Named, options: VolumeOptions, boot_data: dict[str, bytes]) -> Draft:
    """Lay out a tree.

    Args:
        root: the tree, named.
        options: what kind of volume.
        boot_data: the first bytes of files to start from, by their true path.

    Raises:
        AuthoringError: pycdlib refuses something that we let pass.
    """
    with _without_collector():
        return _drafted(root, options, boot_data)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold the collector off: it would walk half a million live objects over and over."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _drafted(root: Named, options: VolumeOptions, boot_data: dict[str, bytes]) -> Draft:
    iso = _Volume()
    with _ours("volume"):
        iso.new(
            interchange_level=options.level,
            app_ident_str=" ",
            joliet=_JOLIET if options.joliet else None,
            rock_ridge=_ROCK_RIDGE if options.rock_ridge else None,
            udf=_UDF if options.udf else None,
        )
    pending = [(root, "", "", "")]
    boot_paths: dict[str, str] = {}
    level = options.level
    while pending:
        folder, iso_above, joliet_above, udf_above = pending.pop()
        for named in folder.children:
            iso_path = f"{iso_above}/{iso_identifier(named, level)}"
            joliet_path = None if named.joliet is None else f"{joliet_above}/{named.joliet}"
            udf_path = None if named.udf is None else f"{udf_above}/{named.udf}"
            with _ours(named.path):
                _add(iso, named, iso_path, joliet_path, udf_path, boot_data)
            if isinstance(named.entry, Folder):
                pending.append((named, iso_path, joliet_path or "", udf_path or ""))
            if named.path in boot_data:
                boot_paths[named.path] = iso_path
    for image in options.boot:
        with _ours(image.path):
            _add_boot(iso, image, boot_paths[image.path], options)
    sheet = _Sheet()
    with _ours("volume"):
        iso.force_consistency()
        iso.inodes.clear()  # what is not there is not written
        iso.write_fp(cast("BinaryIO", sheet))
    return Draft(blocks=sheet.blocks, block_count=-(-sheet.size // BLOCK_BYTES))


_NOTHING: Final = io.BytesIO()
"""Stands for every file's bytes: pycdlib asks whether it is binary, and is asked for no bytes."""


def _add(
    iso: _Volume,
    named: Named,
    iso_path: str,
    joliet_path: str | None,
    udf_path: str | None,
    boot_data: dict[str, bytes],
) -> None:
    entry = named.entry
    rock_ridge = named.rock_ridge
    if isinstance(entry, Folder):
        iso.add_directory(
            iso_path,
            rr_name=rock_ridge,
            joliet_path=joliet_path,
            udf_path=udf_path,
            file_mode=None if rock_ridge is None else stat.S_IFDIR | entry.mode,
        )
    elif isinstance(entry, Link):
        iso.add_symlink(iso_path, rr_symlink_name=rock_ridge, rr_path=entry.target)
    else:
        data = boot_data.get(named.path)
        iso.add_fp(
            _NOTHING if data is None else io.BytesIO(data),
            0 if isinstance(entry, StoredFile) else entry.size,
            iso_path,
            rr_name=rock_ridge,
            joliet_path=joliet_path,
            udf_path=udf_path,
            file_mode=None if rock_ridge is None else stat.S_IFREG | entry.mode,
        )


def _add_boot(iso: _Volume, image: BootImage, iso_path: str, options: VolumeOptions) -> None:
    sectors = image.load_sectors
    if sectors is None and image.emulation != "none":
        sectors = 1
    iso.add_eltorito(
        iso_path,
        bootcatfile="/BOOT.CAT;1" if options.level < 4 else "/boot.cat",
        rr_bootcatname=CATALOG if options.rock_ridge else None,
        joliet_bootcatfile=f"/{CATALOG}" if options.joliet else None,
        udf_bootcatfile=f"/{CATALOG}" if options.udf else None,
        boot_load_size=sectors,
        boot_load_seg=image.load_segment,
        platform_id=_EFI_PLATFORM if image.efi else 0,
        efi=image.efi,
        media_name=_EMULATIONS[image.emulation],
    )


@contextmanager
def _ours(what: str) -> Iterator[None]:
    """Turn what pycdlib raises into an error of ours."""
    try:
        yield
    except PyCdlibException as error:
        raise AuthoringError(f"{what}: {error}", rule="file-system") from error
    except (ValueError, OverflowError, IndexError, KeyError) as error:
        raise UnsupportedError(f"{what}: pycdlib cannot lay this out: {error!r}") from error


class _Volume(pycdlib.PyCdlib):
    """pycdlib, with the names counted as Joliet counts them.

    It takes 64 bytes of UTF-8 for Joliet's 64 characters (1.14 to 1.22), so that a name of 22
    Chinese characters is refused. Should it no longer ask this method, it refuses them still.
    """

    def _joliet_name_and_parent_from_path(
        self, joliet_path: bytes
    ) -> tuple[bytes, DirectoryRecord]:
        above, _, name = joliet_path.rpartition(b"/")
        parent = self._find_joliet_record(above or b"/")
        return name.decode().encode("utf-16-be"), parent


class _Sheet:
    """A file to write to that keeps blocks with something in them."""

    def __init__(self) -> None:
        self.blocks: dict[int, bytearray] = {}
        self.size = 0
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:
        at, done, length = self._at, 0, len(data)
        self._at += length
        self.size = max(self.size, self._at)
        if length == 1 and data == b"\0":
            return length  # it makes the file as long as it is to be
        while done < length:
            number, offset = divmod(at + done, BLOCK_BYTES)
            block = self.blocks.get(number)
            if block is None:
                block = self.blocks[number] = bytearray(BLOCK_BYTES)
            piece = data[done : done + BLOCK_BYTES - offset]
            block[offset : offset + len(piece)] = piece
            done += len(piece)
        return length
