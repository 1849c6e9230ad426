"""The properties of a data disc (IJolietDiscMaster): its name, and what a machine starts from."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import construct

from rawcd.errors import AuthoringError, RawCDError
from rawcd.filesystem import (
    BLOCK_BYTES,
    BootImage,
    FileTree,
    Folder,
    MemoryFile,
    VolumeOptions,
    make_volume,
)
from rawcd.hresults import HResult
from rawcd.mastering.refusals import refusal, source_codes
from rawcd.source import FileBytes, StreamBytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.filesystem.values import Emulation
    from rawcd.source import Source

_MAX_BOOT_BYTES: Final = 64 << 20
"""No machine loads more; an image of a hard disk has its system in the first cylinders."""
_FLOPPIES: Final = {1: 1_228_800, 2: 1_474_560, 3: 2_949_120}
"""Bytes of a floppy of 1.2, 1.44 and 2.88 MB, by BootImageEmulationType."""
_EMULATIONS: Final[tuple[Emulation, ...]] = ("none", "floppy", "floppy", "floppy", "hard-disk")
"""By BootImageEmulationType."""
_PLATFORMS: Final = (0, 1, 2)
_ID_BYTES: Final = 24
_BOOT_NAME: Final = "BOOT.IMG"
_BOOT_RECORD: Final = 17
"""The block of the boot record, from the volume's beginning (El Torito 1.0)."""
_CATALOG_ADDRESS: Final = 71
_VALIDATION: Final = construct.Struct(
    "header" / construct.Const(b"\x01"),
    "platform" / construct.Byte,
    construct.Padding(2),
    "maker" / construct.PaddedString(_ID_BYTES, "ascii"),
    "checksum" / construct.Int16ul,
    "key" / construct.Const(b"\x55\xaa"),
)
"""The first entry of a boot catalogue (El Torito 1.0, figure 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JolietProperties:
    """What is set.

    Attributes:
        volume_name: VolumeName.
        place_boot_image: PlaceBootImageOnDisc.
        maker: BootImageManufacturerIDString.
        platform: BootImagePlatform: 0 x86, 1 PowerPC, 2 Mac.
        emulation: BootImageEmulationType: 0 none, 1 to 3 a floppy of 1.2, 1.44, 2.88 MB, 4 a hard
            disk.
        boot_image: BootImage, its bytes; None where there is none.
    """

    volume_name: str
    place_boot_image: bool = False
    maker: str = ""
    platform: int = 0
    emulation: int = 0
    boot_image: bytes | None = None

    @classmethod
    def default(cls) -> JolietProperties:
        """Return what a new image has: the current date is its name."""
        return cls(volume_name=time.strftime("%Y_%m_%d"))

    def as_mapping(self) -> dict[str, object]:
        """Return them by IMAPI's names."""
        return {
            "VolumeName": self.volume_name,
            "PlaceBootImageOnDisc": self.place_boot_image,
            "BootImageManufacturerIDString": self.maker,
            "BootImagePlatform": self.platform,
            "BootImageEmulationType": self.emulation,
            "BootImage": self.boot_image,
        }

    def with_values(self, given: Mapping[str, object]) -> tuple[JolietProperties, HResult]:
        """Return them with those that are given, and S_OK, or that some were ignored.

        Raises:
            MasteringError: a value is none that there can be (E_INVALIDARG), the volume's name
                is none that the disc can hold (BADJOLIETNAME).
        """
        changes: dict[str, Any] = {}
        for name, value in given.items():
            if name == "VolumeName":
                changes["volume_name"] = _volume_name(value)
            elif name == "PlaceBootImageOnDisc":
                if not isinstance(value, bool):
                    raise _bad(name, "True or False", value)
                changes["place_boot_image"] = value
            elif name == "BootImageManufacturerIDString":
                if not isinstance(value, str) or not value.isascii() or len(value) > _ID_BYTES:
                    raise _bad(name, f"at most {_ID_BYTES} ASCII letters", value)
                changes["maker"] = value
            elif name == "BootImagePlatform":
                if not isinstance(value, int) or value not in _PLATFORMS:
                    raise _bad(name, "0 (x86), 1 (PowerPC) or 2 (Mac)", value)
                changes["platform"] = value
            elif name == "BootImageEmulationType":
                if not isinstance(value, int) or value not in range(len(_EMULATIONS)):
                    raise _bad(name, "0 to 4", value)
                changes["emulation"] = value
            elif name == "BootImage":
                changes["boot_image"] = None if value is None else _bytes_of(value)
        wanted = replace(self, **changes)
        wanted._check_boot()
        ignored = len(changes) < len(given)
        return wanted, HResult.IMAPI_S_PROPERTIESIGNORED if ignored else HResult.S_OK

    def _check_boot(self) -> None:
        if not self.place_boot_image:
            return
        if not self.boot_image:
            raise refusal(HResult.E_INVALIDARG, "PlaceBootImageOnDisc: BootImage is not set")
        wanted = _FLOPPIES.get(self.emulation)
        if wanted is not None and len(self.boot_image) != wanted:
            raise refusal(
                HResult.E_INVALIDARG,
                f"BootImage: has {len(self.boot_image)} bytes, and the floppy of "
                f"BootImageEmulationType {self.emulation} has {wanted}",
            )

    # -- what they make of a volume ---------------------------------------------------------------

    def booting(self, tree: FileTree) -> tuple[FileTree, VolumeOptions]:
        """Return a tree with the boot image in its root, and the options of its volume.

        Level 2, for IMAPI has no level 3; Joliet keeps the true names.
        """
        options = VolumeOptions(volume_id=self.volume_name, level=2, joliet=True)
        if not self.place_boot_image or self.boot_image is None:
            return tree, options
        name = _BOOT_NAME
        while name in tree.root.entries:
            name = f"_{name}"
        boot = BootImage(path=f"/{name}", emulation=_EMULATIONS[self.emulation])
        file = MemoryFile(data=self.boot_image, modified=int(time.time()))
        upper = FileTree(root=replace(tree.root, entries={name: file}), name=tree.name)
        return tree.overlaid(upper), replace(options, boot=(boot,))

    def catalogued(self, blocks: Source, lba: int) -> Source:
        """Return a volume's blocks with platform and maker in its boot catalogue.

        Args:
            blocks: the volume.
            lba: where it begins.
        """
        if not self.place_boot_image or not (self.platform or self.maker):
            return blocks
        record = blocks.read(_BOOT_RECORD, 1)
        at = int.from_bytes(record[_CATALOG_ADDRESS : _CATALOG_ADDRESS + 4], "little") - lba
        catalog = blocks.read(at, 1)
        fields = {"platform": self.platform, "maker": self.maker, "checksum": 0}
        entry = _VALIDATION.build(fields)
        fields["checksum"] = -sum(memoryview(entry).cast("H")) & 0xFFFF
        entry = _VALIDATION.build(fields)
        return _Patched(blocks, {at: entry + catalog[len(entry) :]})


class _Patched:
    """A source, some of whose blocks are others."""

    def __init__(self, source: Source, blocks: dict[int, bytes]) -> None:
        self._source = source
        self._blocks = blocks
        self.name = source.name
        self.block_size = source.block_size
        self.block_count = source.block_count

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        data = bytearray(self._source.read(start, count))
        for number, block in self._blocks.items():
            if start <= number < start + count:
                at = (number - start) * BLOCK_BYTES
                data[at : at + BLOCK_BYTES] = block
        return bytes(data)


def _bad(name: str, what: str, value: object) -> Exception:
    return refusal(HResult.E_INVALIDARG, f"{name}: {what} is wanted, not {value!r}")


def _volume_name(value: object) -> str:
    """Return a name that the volume can have.

    Raises:
        MasteringError: it cannot (BADJOLIETNAME), or is no text (E_INVALIDARG).
    """
    if not isinstance(value, str) or not value:
        raise _bad("VolumeName", "a text", value)
    try:
        options = VolumeOptions(volume_id=value, level=2)
        make_volume(FileTree(root=Folder()), options=options)
    except AuthoringError as error:
        raise refusal(HResult.IMAPI_E_BADJOLIETNAME, f"VolumeName: {error}") from error
    except RawCDError as error:
        raise _bad("VolumeName", "a text", value) from error
    return value


def _bytes_of(value: object) -> bytes:
    """Return the bytes of a boot image: a path, bytes, or a file object that can seek."""
    with source_codes("BootImage"):
        if isinstance(value, bytes | bytearray | memoryview):
            data = bytes(value)
        elif isinstance(value, str | os.PathLike) or hasattr(value, "read"):
            reader: FileBytes | StreamBytes = (
                FileBytes(value) if isinstance(value, str | os.PathLike) else StreamBytes(value)  # type: ignore[arg-type]  # it reads; whether it seeks is found out
            )
            if reader.size > _MAX_BOOT_BYTES:
                raise _bad("BootImage", f"at most {_MAX_BOOT_BYTES} bytes", reader.size)
            buffer = bytearray(reader.size)
            reader.read_at(0, buffer)
            data = bytes(buffer)
        else:
            raise _bad("BootImage", "a path, bytes or a binary file", value)
    if len(data) > _MAX_BOOT_BYTES:
        raise _bad("BootImage", f"at most {_MAX_BOOT_BYTES} bytes", len(data))
    return data
