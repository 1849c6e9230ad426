"""What a track of a description is made of, and what is said of it, as calls on the creator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from rawcd.audio import open_sound
from rawcd.cdg import CdgFile
from rawcd.disc import DiscType
from rawcd.fileset import UnpackedBytes
from rawcd.image import Note
from rawcd.sector import SectorType
from rawcd.source import SECTOR_SAMPLES, JoinedSound, SilenceSource, SoundPart, paths_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.creator import RawCDImageCreator, TrackInfo
    from rawcd.fileset import InputFiles
    from rawcd.filesystem import BootImage, VolumeOptions
    from rawcd.source import Reader
    from rawcd_formats.description.tables import Table

_SOURCES: Final = ("file", "folder", "silence")
_OF_FILES: Final = ("start", "length", "block-size", "subheader", "scrambled")
_VOLUME_OPTIONS: Final = {
    "volume": "volume_id",
    "level": "level",
    "joliet": "joliet",
    "rock-ridge": "rock_ridge",
    "udf": "udf",
    "relax": "relax",
    "date": "date",
    "system": "system_id",
    "publisher": "publisher",
    "preparer": "preparer",
    "application": "application",
}
_BOOT_OPTIONS: Final = {
    "emulation": "emulation",
    "efi": "efi",
    "load-segment": "load_segment",
    "load-sectors": "load_sectors",
    "info-table": "info_table",
}


@dataclass(slots=True)
class Tracks:
    """Puts the tracks of a description into creators.

    Attributes:
        files: what the description names.
        notes: what was changed or overlooked on the way.
        graphics: the CD+G of tracks, by number.
    """

    files: InputFiles
    notes: list[Note] = field(default_factory=list)
    graphics: dict[int, tuple[Table, CdgFile]] = field(default_factory=dict)

    def path(self, table: Table, key: str, name: str) -> Path:
        """Return the file that a table names.

        Raises:
            FormatError: it is no file name, or that of a wrapped file.
            StorageError: there is no such file.
        """
        reader = self._reader(table, key, name)
        path = paths_of(reader)[0]
        # Whoever opens it by its path gets the wrapping, which only open_image knows.
        if isinstance(reader, UnpackedBytes) and (key != "onto" or reader.name != str(path)):
            raise table.error(f"{key} {name!r} is wrapped; unpack it first", key)
        return path

    def _reader(self, table: Table, key: str, name: str) -> Reader:
        with table.told(key):
            found = self.files.find(name)
        if found.note is not None:
            self.notes.append(replace(found.note, line=table.line_of(key)))
        return found.reader

    def add(
        self, creator: RawCDImageCreator, table: Table, disc_type: DiscType | None
    ) -> TrackInfo:
        """Add a track.

        Raises:
            FormatError: the table contradicts itself, or a file is not what it is said to be.
            AuthoringError: the creator refuses it.
            StorageError: a file is missing or cannot be read.
            UnsupportedError: a sound cannot be decoded.
        """
        given = [key for key in _SOURCES if key in table]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise table.error(f"a track is made of one file, folder or silence; here is {said}")
        kind = self._kind(table, disc_type)
        self._check(table, given[0], kind)
        if given[0] == "folder":
            handle = self._add_folder(creator, table, kind)
        else:
            handle = self._add_blocks(creator, table, kind)
        info = creator.track_info(handle)
        self._describe(info, table)
        if "cdg" in table:
            path = self.path(table, "cdg", table.get("cdg"))
            with table.told("cdg"):
                self.graphics[info.track_number] = (table, CdgFile(path))
        return info

    def _kind(self, table: Table, disc_type: DiscType | None) -> SectorType:
        default = SectorType.AUDIO
        if "folder" in table:
            xa = disc_type in (DiscType.XA, DiscType.CDI)
            default = SectorType.MODE2FORM1 if xa else SectorType.MODE1
        kind: SectorType = table.get("type", default)
        return kind

    def _check(self, table: Table, source: str, kind: SectorType) -> None:
        """Refuse keys that say nothing of such a track.

        Raises:
            FormatError: there is one.
        """
        if source != "file":
            table.forbid(_OF_FILES, f"is for a file, and this track is made of a {source}")
        if source == "folder":
            table.forbid(("pad-short",), "is for files and silence: a folder is always filled up")
        else:
            table.forbid(("filesystem",), f"is for a folder, and this track is made of {source}")
        if kind is not SectorType.AUDIO:
            table.forbid(("start", "length", "cdg"), f"is for sound, and the type is {kind.name}")
            table.forbid(("silence",), f"is sound, and the type is {kind.name}")

    def _pregap(self, table: Table) -> int | Path | None:
        pregap: int | str | None = table.get("pregap")
        return self.path(table, "pregap", pregap) if isinstance(pregap, str) else pregap

    def _add_blocks(self, creator: RawCDImageCreator, table: Table, kind: SectorType) -> int:
        data: Reader | JoinedSound | SilenceSource
        if "silence" in table:
            data = SilenceSource(block_count=table.get("silence"))
        else:
            reader = self._reader(table, "file", table.get("file"))
            if "start" in table or "length" in table:
                number = creator.starting_track_number + creator.number_of_existing_tracks
                data = self._excerpt(table, reader, number)
            else:
                data = reader
        pregap = self._pregap(table)
        with table.told():
            return creator.add_track(
                data,
                kind,
                pregap=pregap,
                postgap=table.get("postgap"),
                pad_short=table.get("pad-short", False),
                block_size=table.get("block-size"),
                subheader=table.get("subheader"),
                scrambled=table.get("scrambled"),
            )

    def _excerpt(self, table: Table, reader: Reader, number: int) -> JoinedSound:
        """Return the part of a sound file from `start` on, `length` long."""
        with table.told("file"):
            sound = open_sound(reader)
        self.notes.extend(
            Note(code=remark.code, message=remark.message, track=number, file=reader.name)
            for remark in sound.remarks
        )
        sectors = -(-sound.sample_count // SECTOR_SAMPLES)
        start: int = table.get("start", 0)
        if start >= sectors:
            raise table.error(f"start is sector {start} of a sound of {sectors}", "start")
        length: int = table.get("length", sectors - start)
        if length > sectors - start:
            raise table.error(
                f"length is {length} sectors, and from sector {start} on the sound has "
                f"{sectors - start}",
                "length",
            )
        first = start * SECTOR_SAMPLES
        count = min(length * SECTOR_SAMPLES, sound.sample_count - first)
        missing = length * SECTOR_SAMPLES - count
        if missing:
            self.notes.append(
                Note(
                    code="tail-padded",
                    message=f"the sound ends inside a sector; {missing} samples of silence fill it",
                    track=number,
                    file=reader.name,
                )
            )
        return JoinedSound([SoundPart(sound=sound, start=first, count=count)])

    def _add_folder(self, creator: RawCDImageCreator, table: Table, kind: SectorType) -> int:
        from rawcd.filesystem import FileTree

        with table.told("folder"):
            found = self.files.find_folder(table.get("folder"))
        if found.note is not None:
            self.notes.append(replace(found.note, line=table.line_of("folder")))
        volume: Table | None = table.get("filesystem")
        options = _volume_options(volume)
        follow = not options.rock_ridge
        if volume is not None:
            follow = volume.get("follow-links", follow)
        pregap = self._pregap(table)
        with table.told():
            tree = FileTree.from_folder(found.path, follow_links=follow, relax=options.relax)
            return creator.add_folder(
                tree,
                kind,
                options=options,
                pregap=pregap,  # type: ignore[arg-type]  # the creator refuses sound before data
                postgap=table.get("postgap"),
            )

    def _describe(self, info: TrackInfo, table: Table) -> None:
        """Say of a track what its table says."""
        before = 0
        for offset in table.get("indexes", ()):
            if offset <= before:
                raise table.error(
                    f"indexes rise from the track's start on, and {offset} follows {before}",
                    "indexes",
                )
            with table.told("indexes"):
                info.add_track_index(offset)
            before = offset
        for key, name in (
            ("isrc", "isrc"),
            ("copy", "digital_audio_copy_setting"),
            ("pre-emphasis", "audio_has_preemphasis"),
            ("four-channel", "has_four_channels"),
        ):
            if key in table:
                with table.told(key):
                    setattr(info, name, table.get(key))


def _volume_options(table: Table | None) -> VolumeOptions:
    from rawcd.filesystem import VolumeOptions

    if table is None:
        return VolumeOptions()
    said: dict[str, Any] = {
        name: table.get(key) for key, name in _VOLUME_OPTIONS.items() if key in table
    }
    boot = tuple(map(_boot_image, table.tables("boot")))
    try:
        return VolumeOptions(boot=boot, **said)
    except ValueError as error:
        raise table.error(str(error), "date") from error


def _boot_image(table: Table) -> BootImage:
    from rawcd.filesystem import BootImage

    if "path" not in table:
        raise table.error('boot needs a path = "..." in the folder')
    path = "/" + table.get("path").strip("/")
    said: dict[str, Any] = {
        name: table.get(key) for key, name in _BOOT_OPTIONS.items() if key in table
    }
    return BootImage(path=path, **said)
