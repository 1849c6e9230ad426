"""DDP 2.00 (Disc Description Protocol), the set of files that pressing plants take.

A set is a folder: `DDPID` says that it is one, `DDPMS` names every other file. `packets` states the
layouts and where each field's meaning is told, `load` and `save` are the two ways, `sums` the
checksums beside them.

The format opens the folder, `DDPID` or `DDPMS`. What is written goes into a folder of its own
(`album.ddp` holds `DDPID`, `DDPMS`, ...), or beside `DDPID` where that is the name asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rawcd.features import CDTEXT, Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_LEVEL: Final = re.compile(rb"DDP [0-9]\.[0-9]{2}")
_MAP: Final = b"VVVM"
_BY_LEVEL: Final = 100
_BY_MAP: Final = 90
_BY_NAME: Final = 40


class DdpFormat:
    """Reads and writes audio masters for pressing plants; see `rawcd.plugins.Format`."""

    name = "ddp"
    suffixes = (".ddp",)
    main_name = "DDPID"
    keeps = frozenset(
        {
            Feature.MCN,
            Feature.ISRC,
            Feature.COPY_PERMITTED,
            Feature.SCMS,
            Feature.PRE_EMPHASIS,
            Feature.FOUR_CHANNEL,
            Feature.PREGAPS,
            Feature.PREGAP_DATA,
            Feature.INDEXES,
            Feature.FIRST_PREGAP_SOUND,
            *CDTEXT,
        }
    )
    one_file = False

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the level in `DDPID` or the first packet of `DDPMS`, and by the name."""
        if _LEVEL.match(head):
            return _BY_LEVEL
        if head.startswith(_MAP):
            return _BY_MAP
        last = re.split(r"[/\\]", name)[-1].upper()
        return _BY_NAME if last in ("DDPID", "DDPMS") else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a set by its `DDPID` or `DDPMS`; see `rawcd_formats.ddp.load`.

        Raises:
            FormatError: a packet is not what it should be, or contradicts another.
            StorageError: a file is missing or cannot be read.
            UnsupportedError: the set holds what no public source explains.
        """
        from rawcd_formats.ddp.load import load

        return load(files)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write the set; see `rawcd_formats.ddp.save`.

        Raises:
            UnsupportedError: an option is unknown, or the disc is none that a set can hold.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.ddp.save import save

        save(image, files, options, progress)
