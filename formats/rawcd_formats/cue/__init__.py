"""Cue sheets: `commands` is text as values, `layout` makes a disc of them, `save` writes one.

`sheet` gathers what the commands say, `sessions` finds what lies between two sessions, `line` is
where the sectors come from; `encodings`, `modes` and `texts` are what their names say.
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

_LOOKS_LIKE: Final = re.compile(rb"^[ \t]*(FILE|TRACK)[ \t]+\S", re.IGNORECASE | re.MULTILINE)
_BY_CONTENT_AND_NAME: Final = 90
_BY_CONTENT: Final = 60
_BY_NAME: Final = 40


class CueFormat:
    """Reads sheets of any dialect, writes BIN/CUE; see `rawcd.plugins.Format`."""

    name = "cue"
    suffixes = (".cue",)
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
            Feature.FIRST_TRACK_NUMBER,
            Feature.DATA_TRACKS,
            Feature.RAW_SECTORS,
            Feature.CDI_TYPE,  # as tracks of modes CDI
            Feature.SESSIONS,  # as redump writes them
            Feature.RW,  # as tracks of mode CDG
            Feature.TEXT_CHARACTERS,
            *CDTEXT,
        }
    )
    one_file = False

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what is kept of an image: any character only while no packs are needed.

        Packs beat the sheet's own commands when it is read, and have a character set.
        """
        from rawcd_formats.cue.save import words_say_all

        return self.keeps if words_say_all(image.disc) else self.keeps - {Feature.TEXT_CHARACTERS}

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by FILE and TRACK commands, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if b"\0" not in head.removesuffix(b"\0") and len(set(_LOOKS_LIKE.findall(head))) >= 2:
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a sheet and what it names.

        Raises:
            FormatError: the sheet contradicts itself, or a file is not what it says.
            StorageError: a file is missing or cannot be read.
            UnsupportedError: the sheet is of a disc that is no CD.
            MissingExtraError: a file is of a kind of sound that needs a library more.
        """
        from rawcd.image import Note
        from rawcd_formats.cue.commands import parse
        from rawcd_formats.cue.encodings import is_shift_jis, replaced_bytes
        from rawcd_formats.cue.layout import lay_out

        content = files.content()
        notes = []
        if is_shift_jis(content):
            message = "the text is no UTF-8 and looks Japanese; it was read as Shift-JIS (CP932)"
            notes.append(Note(code="shift-jis", message=message, file=files.name))
        elif lost := replaced_bytes(content, files.name):
            message = f"{lost} bytes of the text are no UTF-8 and no character of CP1252: replaced"
            notes.append(Note(code="bytes-replaced", message=message, file=files.name))
        return lay_out(parse(content, files.name), files, notes)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write the tracks and the sheet; see `rawcd_formats.cue.save`.

        Raises:
            UnsupportedError: an option is unknown, or the file's name has no place in a sheet.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.cue.save import save

        save(image, files, options, progress)
