"""What a volume is asked to be, and what is wrong with what it is asked to hold."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from rawcd.errors import AuthoringError

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK_BYTES: Final = 2048
"""A logical block; on a CD a logical sector, too (ECMA-119 6.1.2, 6.2.2)."""
SYSTEM_BLOCKS: Final = 16
"""Blocks before the volume descriptors (ECMA-119 6.2.1)."""
MAX_FILE_BYTES: Final = 0xFFFF_FFFF - BLOCK_BYTES + 1
"""What one section of a file can hold in whole blocks (ECMA-119 9.1.4)."""

MAX_DEPTH: Final = 200
"""Folders within folders that are followed; no tree of use is deeper."""

Emulation = Literal["none", "floppy", "hard-disk"]
TreeKind = Literal["iso", "rock-ridge", "joliet", "udf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An entry that cannot be put on the volume.

    Attributes:
        rule: `"file-name"`, `"link"`, `"link-loop"`, `"special-file"`, `"unreadable-file"`,
            `"file-size"`, `"folder-depth"`.
        path: the file, or where it would lie on the volume.
        why: for people.
    """

    rule: str
    path: str
    why: str

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.why}"


def shown(text: str) -> str:
    """Return a text that any terminal can be sent: names of files need not be Unicode."""
    return text.encode("utf-8", "backslashreplace").decode()


def refuse(troubles: Sequence[Trouble]) -> None:
    """Refuse all troubles at once, if there are any.

    Raises:
        AuthoringError: there are; its rule is theirs, or `"file-system"` where they differ.
    """
    if not troubles:
        return
    rules = {trouble.rule for trouble in troubles}
    ordered = sorted(troubles, key=lambda trouble: trouble.path)
    lines = "".join(f"\n  {trouble}" for trouble in ordered)
    what = "1 entry" if len(troubles) == 1 else f"{len(troubles)} entries"
    raise AuthoringError(
        f"{what} cannot be put on the volume:{lines}",
        rule=rules.pop() if len(rules) == 1 else "file-system",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BootImage:
    """A file of the tree that a PC starts from (El Torito 1.0).

    Attributes:
        path: where it lies on the volume, such as `"boot/loader.bin"`.
        emulation: what the machine shall take it for.
        efi: for EFI (platform 0xEF) instead of the BIOS of a PC.
        load_segment: where it is loaded; 0 is the machine's default, 0x7C0.
        load_sectors: how many sectors of 512 bytes are loaded; None is the whole file. With
            emulation it is always one.
        info_table: write addresses, length and sum into bytes 8 to 63 of the file as it lies on
            the volume, as ISOLINUX and GRUB want it.

    Raises:
        ValueError: a number does not fit its 16 bits, or is given with emulation; or there is no
            such emulation.
    """

    path: str
    emulation: Emulation = "none"
    efi: bool = False
    load_segment: int = 0
    load_sectors: int | None = None
    info_table: bool = False

    def __post_init__(self) -> None:
        if self.emulation not in get_args(Emulation):
            known = ", ".join(get_args(Emulation))
            raise ValueError(f"emulation {self.emulation!r} is none of {known}")
        if not 0 <= self.load_segment <= 0xFFFF or not 0 <= (self.load_sectors or 0) <= 0xFFFF:
            raise ValueError("load_segment and load_sectors are 0..65535")
        if self.load_sectors is not None and self.emulation != "none":
            raise ValueError("a machine that takes the image for a disk loads one sector")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeOptions:
    """What kind of volume.

    Attributes:
        volume_id: its name, at most 32 characters.
        level: of interchange, ISO 9660 1 to 3, or 4 for ISO 9660:1999.
        joliet: with a second tree of Unicode names.
        rock_ridge: with POSIX names, modes and links.
        udf: a bridge: UDF beside ISO 9660, over the same files.
        boot: what to start from, the default first.
        relax: change names that a tree cannot hold, with a note each, rather than refuse them.
        date: of the volume, and the newest that a file on it can have, in seconds of the epoch;
            None is `SOURCE_DATE_EPOCH` from the environment, and without that now, which limits
            no file.
        system_id: who may use the system area.
        publisher: who made it.
        preparer: who prepared it.
        application: what made it.

    Raises:
        ValueError: there is no such level, or the date does not fit.
    """

    volume_id: str = "CDROM"
    level: int = 3
    joliet: bool = True
    rock_ridge: bool = False
    udf: bool = False
    boot: tuple[BootImage, ...] = ()
    relax: bool = False
    date: int | None = None
    system_id: str = ""
    publisher: str = ""
    preparer: str = ""
    application: str = "RAWCD"

    def __post_init__(self) -> None:
        object.__setattr__(self, "boot", tuple(self.boot))
        if self.level not in (1, 2, 3, 4):
            raise ValueError(f"level {self.level} is none of 1, 2, 3, 4")
        if self.date is not None and not 0 <= self.date <= _DATE_END:
            raise ValueError(f"the date {self.date} is not within 1970..2155")


_DATE_DIGITS: Final = 10
_DATE_END: Final = 5_869_583_999
"""The last second of 2155, the last year that a directory record knows (ECMA-119 9.1.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The dates that go onto a volume.

    Attributes:
        volume: when the volume was made, in seconds.
        newest: no file may be newer; None is no limit.
    """

    volume: int
    newest: int | None

    @classmethod
    def of(cls, options: VolumeOptions) -> Clock:
        """Return the options' date, the environment's, or now.

        Raises:
            AuthoringError: SOURCE_DATE_EPOCH is no number of seconds from 1970 to 2155.
        """
        date = options.date
        if date is None and (text := os.environ.get("SOURCE_DATE_EPOCH")):
            fits = text.isascii() and text.isdigit() and len(text) <= _DATE_DIGITS
            if not fits or int(text) > _DATE_END:
                raise AuthoringError(
                    f"SOURCE_DATE_EPOCH is {text!r}, no number of seconds from 1970 to 2155",
                    rule="source-date-epoch",
                )
            date = int(text)
        if date is None:
            return cls(volume=int(time.time()), newest=None)
        return cls(volume=date, newest=date)

    def of_entry(self, modified: int) -> int:
        """Return the date that an entry of that date gets: within 1970..2155, and not too new."""
        newest = _DATE_END if self.newest is None else self.newest
        return max(0, min(modified, newest))
