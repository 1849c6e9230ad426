"""Where a stash may lie: not on a compressed, encrypted or removable volume (RecordDisc's codes).

What is asked is what the platform tells: the table of mounts, the flags of the folder, and the
disk behind the mount. Encryption means that of files, as Windows had it when the rule was made;
a whole disk that is encrypted below its file system is no hindrance to writing evenly.
"""

from __future__ import annotations

import array
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rawcd.errors import StorageError
from rawcd.hresults import HResult
from rawcd.mastering.refusals import refusal

_GET_FLAGS: Final = 0x8008_6601
"""FS_IOC_GETFLAGS of linux/fs.h, for a long of eight bytes."""
_COMPRESSED: Final = 0x0000_0004
_ENCRYPTED: Final = 0x0000_0800
_NOT_COMPRESSED: Final = 0x0000_0400
_ENCRYPTING: Final = ("ecryptfs", "fuse.encfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.securefs")
_PROC: Final = Path("/proc/self/mountinfo")
_SYS: Final = Path("/sys/dev/block")


@dataclass(frozen=True, slots=True, kw_only=True)
class StashVolume:
    """What is known of a volume.

    Attributes:
        mount: where it is mounted; empty where nobody tells.
        kind: its file system's name.
        compressed: what is written there is compressed.
        encrypted: ... is encrypted, file by file.
        removable: it can be taken out.
        free: bytes that an ordinary user may still write.
    """

    mount: str
    kind: str
    compressed: bool
    encrypted: bool
    removable: bool
    free: int

    @classmethod
    def of(cls, folder: Path, *, mounts: Path = _PROC, disks: Path = _SYS) -> StashVolume:
        """Return what the platform tells of the volume that a folder is on.

        Args:
            folder: one that exists.
            mounts: the kernel's table of mounts.
            disks: the kernel's folder of disks by number.

        Raises:
            StorageError: the folder cannot be looked at.
        """
        try:
            space = os.statvfs(folder)
            flags = _flags(folder)
        except OSError as error:
            raise StorageError.of(error, file=str(folder), doing="look at") from error
        mount, device, kind, options = _mount_of(folder.resolve(), mounts)
        packs = any(each.partition("=")[0] in _PACKING for each in options)
        return cls(
            mount=mount,
            kind=kind,
            compressed=bool(flags & _COMPRESSED) or (packs and not flags & _NOT_COMPRESSED),
            encrypted=bool(flags & _ENCRYPTED) or kind in _ENCRYPTING,
            removable=_is_removable(disks / device) if device else False,
            free=space.f_bavail * space.f_frsize,
        )

    def check(self, size: int, *, folder: Path) -> None:
        """Refuse a volume that cannot hold a stash of so many bytes.

        Raises:
            MasteringError: it cannot (COMPRESSEDSTASH, ENCRYPTEDSTASH, REMOVABLESTASH,
                NOTENOUGHDISKFORSTASH).
        """
        for wrong, code, why in (
            (self.compressed, HResult.IMAPI_E_COMPRESSEDSTASH, "is on a compressed volume"),
            (self.encrypted, HResult.IMAPI_E_ENCRYPTEDSTASH, "is on an encrypted volume"),
            (self.removable, HResult.IMAPI_E_REMOVABLESTASH, "is on removable media"),
            (
                self.free < size,
                HResult.IMAPI_E_NOTENOUGHDISKFORSTASH,
                f"has room for {self.free} bytes, and {size} are needed",
            ),
        ):
            if wrong:
                raise refusal(
                    code,
                    f"{folder}: the stash {why} ({self.mount or 'mount unknown'}, "
                    f"{self.kind or 'file system unknown'}); name another folder with stash= or "
                    "RAWCD_STASH",
                )


_PACKING: Final = ("compress", "compress-force", "compression", "compress_algorithm")
"""Mount options that compress everything: of btrfs, of NTFS and bcachefs, of F2FS."""
_NO_FLAGS: Final = (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def _flags(folder: Path) -> int:
    """Return the folder's flags, which new files in it inherit; 0 where there are none."""
    try:
        import fcntl
    except ImportError:  # no Unix
        return 0
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    found = array.array("I", [0, 0])  # the kernel writes 32 bits, whatever the call's number says
    try:
        fcntl.ioctl(handle, _GET_FLAGS, found)
    except OSError as error:
        if error.errno not in _NO_FLAGS:
            raise
        return 0
    finally:
        os.close(handle)
    return found[0]


def _mount_of(folder: Path, mounts: Path) -> tuple[str, str, str, tuple[str, ...]]:
    """Return mount point, device number, file system and options of the mount that holds it."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return "", "", "", ()
    best: tuple[str, str, str, tuple[str, ...]] = ("", "", "", ())
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, behind = before.split(), after.split()
        if len(fields) < 6 or len(behind) < 2:
            continue
        point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if not folder.is_relative_to(point) or len(point) < len(best[0]):
            continue  # of two mounts at one place the later one is seen
        options = (*fields[5].split(","), *(behind[2].split(",") if len(behind) > 2 else ()))
        best = (point, fields[2], behind[0], options)
    return best


def _is_removable(disk: Path) -> bool:
    """Tell whether a disk, or the one that a partition is of, can be taken out."""
    with_partitions = disk.resolve()
    for place in (with_partitions, with_partitions.parent):
        try:
            return (place / "removable").read_text(encoding="ascii").strip() == "1"
        except (OSError, UnicodeError):
            continue
    return False
