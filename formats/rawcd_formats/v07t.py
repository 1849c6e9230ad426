"""The CD-TEXT of a disc alone, as a Sony input sheet of version 0.7T: what cdrskin takes.

Several languages follow one another in one file, each from a line "Input Sheet Version" on, as
libburn writes them. Such a file is no disc: it is written of one (which leaves all else behind) and
laid over one (`rawcd build SHEET --cdtext FILE`), but not opened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import CDText
from rawcd.cdtext.files import is_v07t
from rawcd.errors import UnsupportedError
from rawcd.features import CDTEXT, Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_BY_CONTENT: Final = 80
_BY_NAME: Final = 30


class V07tFormat:
    """Writes the texts of a disc as sheets; see `rawcd.plugins.Format`."""

    name = "v07t"
    suffixes = (".v07t",)
    keeps = CDTEXT - {Feature.TEXT_PACKS}
    one_file = True

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the first line, and by the name."""
        if is_v07t(head):
            return _BY_CONTENT
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Refuse: texts are no disc.

        Raises:
            UnsupportedError: always; it says what to do with the file.
        """
        raise UnsupportedError(
            f"{files.name}: holds the texts of a disc and no disc; lay them over a sheet (rawcd "
            "build SHEET --cdtext FILE)"
        )

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write a sheet for each language, one behind the other.

        Raises:
            UnsupportedError: an option was given (there are none), the disc has no texts, or a
                sheet cannot hold one of them.
            StorageError: writing failed.
        """
        from rawcd.cdtext.v07t import sheet_bytes
        from rawcd.pump import JOBS, jobs_of

        for option in options.keys() - {JOBS}:
            raise UnsupportedError(f"the format v07t has no option {option!r}")
        jobs_of(options)
        cdtext = image.disc.cdtext
        if cdtext is None:
            raise UnsupportedError("this disc has no CD-TEXT; a v07t sheet would be empty")
        first, last = image.disc.text_tracks
        blocks = tuple(
            replace(
                block,
                toc=None,
                intervals=(),
                raw=(),
                first_track=block.first_track or first,
                last_track=block.last_track or last,
            )
            for block in cdtext.blocks
        )
        sheets = CDText(blocks=blocks).to_v07t()
        data = b"".join(
            sheet_bytes(sheet, block.charset) for sheet, block in zip(sheets, blocks, strict=True)
        )
        files.create(files.name).write(data)
        if progress is not None:
            progress(1, 1)
