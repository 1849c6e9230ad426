"""Files of texts from elsewhere, packs or Sony input sheets, as the CD-TEXT of one disc."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rawcd.cdtext.values import CDText
from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHEET: Final = re.compile(
    rb"(\xef\xbb\xbf)?\s*input[ \t]*sheet[ \t]*version[ \t]*=", re.IGNORECASE
)


def is_v07t(data: bytes) -> bool:
    """Tell whether a file is a Sony input sheet, by its first line."""
    return _SHEET.match(data) is not None


def texts_of_files(files: Mapping[str, bytes], *, first_track: int, last_track: int) -> CDText:
    """Read the texts of a disc: one file of packs, or sheets with one language after another.

    Args:
        files: contents by names; what is no sheet is packs (a `.cdt` file).
        first_track: the disc's first track.
        last_track: the disc's last track.

    Raises:
        FormatError: a file is damaged, packs and sheets are mixed, or a text is of a track that
            the disc has not.
        ValueError: there are no files.
    """
    names = ", ".join(files)
    sheets = [data for data in files.values() if is_v07t(data)]
    if len(files) > 1 and len(sheets) < len(files):
        other = next(name for name, data in files.items() if not is_v07t(data))
        raise FormatError(
            "is no Sony input sheet; several files are several languages in such sheets, and "
            "packs hold all languages in one",
            file=other,
        )
    try:
        cdtext = CDText.from_v07t(*sheets) if sheets else CDText.from_cdt(*files.values())
    except FormatError as error:
        raise FormatError(error.reason, file=names, place=error.place) from error
    for number, block in enumerate(cdtext.blocks, 1):
        for item in block.items:
            if item.track and not first_track <= item.track <= last_track:
                raise FormatError(
                    f"has a {item.field} of track {item.track}; the disc has tracks "
                    f"{first_track} to {last_track}",
                    file=names,
                    place=f"block {number}",
                )
    return cdtext.of_tracks(first_track, last_track)
