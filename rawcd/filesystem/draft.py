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
from rawcd.filesystem.tree import Folder, Link, StoredFile, names_of
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
        head: from block 0 to the first file.
        tail: single blocks behind that, by number.
        block_count: how long the volume is, data included.
    """

    head: bytearray
    tail: dict[int, bytearray]
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
        # pycdlib counts again all that lies behind a new entry: each tree gets them in its order.
        named_by = sorted((iso_identifier(named, level), named) for named in folder.children)
        in_joliet = sorted(
            (child for child in folder.children if child.joliet is not None), key=_joliet_order
        )
        alike = [named for _, named in named_by if named.joliet is not None] == in_joliet
        for identifier, named in named_by:
            iso_path = f"{iso_above}/{identifier}"
            joliet_path = None if named.joliet is None else f"{joliet_above}/{named.joliet}"
            udf_path = None if named.udf is None else f"{udf_above}/{named.udf}"
            with _ours(named.path):
                _add(iso, named, iso_path, joliet_path if alike else None, udf_path, boot_data)
            if isinstance(named.entry, Folder):
                pending.append((named, iso_path, joliet_path or "", udf_path or ""))
            if named.path in boot_data:
                boot_paths[named.path] = iso_path
        if not alike:
            for named in in_joliet:
                iso_path = f"{iso_above}/{iso_identifier(named, level)}"
                with _ours(named.path):
                    _add_to_joliet(iso, named, iso_path, f"{joliet_above}/{named.joliet}")
    for image in options.boot:
        with _ours(image.path):
            _add_boot(iso, image, boot_paths[f"/{'/'.join(names_of(image.path))}"], options)
    with _ours("volume"):
        iso.force_consistency()
        files = [file.extent_location() for file in iso.inodes if file.get_data_length()]
        sheet = _Sheet(files_at=min(files, default=None))
        iso.inodes.clear()  # what is not there is not written
        iso.write_fp(cast("BinaryIO", sheet))
    count = -(-sheet.size // BLOCK_BYTES)
    return Draft(head=sheet.head, tail=sheet.tail, block_count=count)


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


def _add_to_joliet(iso: _Volume, named: Named, iso_path: str, joliet_path: str) -> None:
    if isinstance(named.entry, Folder):
        iso.add_directory(joliet_path=joliet_path)
    else:
        iso.add_hard_link(iso_old_path=iso_path, joliet_new_path=joliet_path)


def _joliet_order(named: Named) -> bytes:
    assert named.joliet is not None, "what has no name there is not sorted"
    return named.joliet.encode("utf-16-be")


def _add_boot(iso: _Volume, image: BootImage, iso_path: str, options: VolumeOptions) -> None:
    iso.add_eltorito(
        iso_path,
        bootcatfile="/BOOT.CAT;1" if options.level < 4 else "/boot.cat",
        rr_bootcatname=CATALOG if options.rock_ridge else None,
        joliet_bootcatfile=f"/{CATALOG}" if options.joliet else None,
        udf_bootcatfile=f"/{CATALOG}" if options.udf else None,
        boot_load_size=image.load_sectors,
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
    """A file to write to that has no room for files.

    Args:
        files_at: the first block of a file; None where there is none.
    """

    def __init__(self, files_at: int | None) -> None:
        self._end = None if files_at is None else files_at * BLOCK_BYTES
        self.head = bytearray(self._end or 0)
        self.tail: dict[int, bytearray] = {}
        self.size = 0
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:
        at, length = self._at, len(data)
        self._at += length
        self.size = max(self.size, self._at)
        if length == 1 and data == b"\0":
            return length  # it makes the file as long as it is to be
        if self._end is not None and at >= self._end:
            number, offset = divmod(at, BLOCK_BYTES)
            assert offset + length <= BLOCK_BYTES, "UDF's second anchor is one block"
            block = self.tail.setdefault(number, bytearray(BLOCK_BYTES))
            block[offset : offset + length] = data
            return length
        if at > len(self.head):
            self.head += bytes(at - len(self.head))
        self.head[at : at + length] = data
        return length
