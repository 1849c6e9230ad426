"""A file of 2,048-byte sectors, nothing but the user data of one data track.

Usually an ISO 9660 or UDF file system (ECMA-119, ECMA-167): volume descriptors from sector 16 on
tell it. What the file system says is not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, Disc, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blank
from rawcd.msf import PROGRAM_LBA
from rawcd.sector import SYNC, SectorType
from rawcd.source import SECTOR_BYTES, BlockSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress

_BLOCK: Final = 2048
_DESCRIPTOR: Final = 16 * _BLOCK
_IDENTIFIERS: Final = (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"CDW02")
_BY_CONTENT_AND_NAME: Final = 90
_BY_CONTENT: Final = 70
_BY_NAME: Final = 30


class IsoFormat:
    """Reads and writes the user data of a disc of one data track; see `rawcd.plugins.Format`."""

    name = "iso"
    suffixes = (".iso",)
    keeps = frozenset({Feature.DATA_TRACKS})
    one_file = True

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the first volume descriptor, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if head[_DESCRIPTOR + 1 : _DESCRIPTOR + 6] in _IDENTIFIERS:
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open the file as one Mode 1 track.

        Raises:
            FormatError: it is not a whole number of 2,048-byte sectors, or holds whole sectors
                of 2,352 bytes.
            StorageError: it cannot be read.
        """
        reader = files.reader
        sectors, rest = divmod(reader.size, _BLOCK)
        if files.head().startswith(SYNC) and not reader.size % SECTOR_BYTES:
            raise FormatError(
                f"holds whole sectors of {SECTOR_BYTES} bytes, not user data: give a sheet that "
                "says MODE1/2352 or MODE2/2352",
                file=files.name,
                place="offset 0",
            )
        if rest or not sectors:
            raise FormatError(
                f"{reader.size} bytes are {sectors} sectors of {_BLOCK} bytes and a remainder of "
                f"{rest}; the file was cut short, or is no image",
                file=files.name,
                place=f"offset {reader.size - rest}",
            )
        track = Track(
            number=1,
            mode=TrackMode.MODE1,
            indexes=(Index(number=0, lba=PROGRAM_LBA), Index(number=1, lba=0)),
            end_lba=sectors,
        )
        try:
            disc = Disc(sessions=(Session(tracks=(track,), lead_out_lba=sectors),))
        except ValueError as error:
            raise FormatError(
                f"is larger than any disc: {error}",
                file=files.name,
                place=f"offset {reader.size}",
            ) from error
        first, kind = disc.first_lba, SectorType.MODE1
        data = Region(
            lba=0,
            sectors=sectors,
            form=MainForm.USER,
            source=BlockSource(reader, block_size=_BLOCK),
            sector_type=kind,
        )
        after = blank(sectors, disc.end_lba - sectors, kind)
        made = SubRegion(lba=first, sectors=disc.end_lba - first, form=SubForm.MADE)
        return RegionImage(disc=disc, main=(blank(first, -first, kind), data, after), sub=(made,))

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write the user data of a disc's only track, which is Mode 1.

        Raises:
            UnsupportedError: an option was given (there are none), or the disc has other tracks.
            StorageError: reading or writing failed.
        """
        from rawcd.pump import JOBS, UserData, jobs_of, pump

        for option in options.keys() - {JOBS}:
            raise UnsupportedError(f"the format iso has no option {option!r}")
        tracks = image.disc.tracks
        first = tracks[0]
        if len(tracks) > 1 or first.mode is not TrackMode.MODE1:
            said = ", ".join(f"{track.number} {track.mode.name.lower()}" for track in tracks[:4])
            raise UnsupportedError(
                f"iso holds one track of mode 1; this disc has {len(tracks)} ({said}); "
                "choose another format",
                lost=tuple(f"track {track.number}" for track in tracks),
            )
        if first.pregap_sectors != PREGAP_SECTORS:
            raise UnsupportedError("iso begins at LBA 0, and the track begins elsewhere")
        output = files.create(files.name)
        output.allocate(first.end_lba * _BLOCK)
        pump(
            UserData(image, SectorType.MODE1),
            0,
            first.end_lba,
            output,
            width=_BLOCK,
            jobs=jobs_of(options),
            progress=progress,
        )
