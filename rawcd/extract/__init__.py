"""What is on a disc as plain files: sound, file systems, pictures.

```python
done = extract_image(open_image("album.cue"), "album", sound="flac")
[file.path.name for file in done.files]
```

`plan` says which sectors become which file, `names` what it is called, `tags` what a sound file
says of its sound, and `writing` makes them in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as change
from typing import TYPE_CHECKING, Final, Literal

from rawcd.extract.plan import HIDDEN, FileKind, Part, planned
from rawcd.extract.writing import write_part
from rawcd.fileset import FileTransaction, made_folder
from rawcd.progress import part_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from rawcd.audio.tags import Tags
    from rawcd.image import DiscImage, Note
    from rawcd.progress import Progress

__all__ = ["HIDDEN", "ExtractedFile", "Extraction", "FileKind", "extract_image"]

_SOUND: Final = ("flac", "wav")
_PREGAPS: Final = ("joined", "apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedFile:
    """A file that was made.

    Attributes:
        path: where it is.
        kind: what it holds.
        track: the track's number; 0 for sound hidden before the first one.
        lba: its first sector.
        sectors: how many.
        tags: what it says of its sound.
    """

    path: Path
    kind: FileKind
    track: int
    lba: int
    sectors: int
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was made of an image.

    Attributes:
        files: by track.
        notes: what the files do not hold, and what was met on the way.
    """

    files: tuple[ExtractedFile, ...]
    notes: tuple[Note, ...]


def extract_image(
    image: DiscImage,
    folder: str | os.PathLike[str],
    *,
    sound: Literal["flac", "wav"] = "flac",
    tracks: Iterable[int] = (),
    pregaps: Literal["joined", "apart"] = "joined",
    replace: bool = False,
    progress: Progress | None = None,
) -> Extraction:
    """Write the tracks of an image as plain files into a folder: all of them, or none.

    Sound becomes FLAC or WAVE with the disc's texts and codes. A track's file goes to where the
    next track begins (index 1), as players play it: files one behind the other are the whole
    disc. Sound before the first track becomes track 00. Data tracks become the user data of
    their sectors (`.iso`), or whole sectors (`.bin`) where these are not all of 2,048 bytes. R-W
    packs, such as CD+G, become a `.cdg` file beside.

    Args:
        image: the image.
        folder: where they go; it is made if need be, its own folder is not.
        sound: the kind of sound files.
        tracks: numbers of the tracks that are wanted, 0 for hidden sound; empty takes all.
        pregaps: `apart` puts the sound of a pregap into a file of its own.
        replace: existing files may be replaced. Inputs of the image never are.
        progress: told of the sectors of all files.

    Raises:
        ValueError: `sound` or `pregaps` is none of theirs.
        UnsupportedError: there is no such track, or no hidden sound; or soundfile is missing.
        StorageError: a file cannot be read or written, or exists.
        CancelledError: `progress` said stop.
    """
    for value, known in ((sound, _SOUND), (pregaps, _PREGAPS)):
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
    parts, notes = planned(image, sound=sound, tracks=tuple(tracks), apart=pregaps == "apart")
    total, done = sum(part.sectors for part in parts), 0
    files: list[ExtractedFile] = []
    with (
        made_folder(folder) as place,
        FileTransaction(
            place / parts[0].name, replace=replace, inputs=getattr(image, "files", ())
        ) as outputs,
    ):
        for part in parts:
            outputs.check(part.name)  # all of them, before the work
        for part in parts:
            met = write_part(image, part, outputs.create(part.name), part_of(progress, done, total))
            notes += [change(note, file=part.name) for note in met]
            done += part.sectors
            files.append(_told(part, place))
        outputs.commit()
    return Extraction(files=tuple(files), notes=tuple(notes))


def _told(part: Part, folder: Path) -> ExtractedFile:
    return ExtractedFile(
        path=folder / part.name,
        kind=part.kind,
        track=part.number,
        lba=part.lba,
        sectors=part.sectors,
        tags=part.tags,
    )
