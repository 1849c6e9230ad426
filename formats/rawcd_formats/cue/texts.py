"""The titles of a sheet as CD-TEXT: its own commands, or the file of packs that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import CDText, TextBlock, charset_name, fitting_charset, widened
from rawcd.errors import FormatError
from rawcd_formats.cue import commands as cue

if TYPE_CHECKING:
    from rawcd.cdtext import TextItem
    from rawcd.fileset import InputFiles
    from rawcd_formats.cue.sheet import Sheet, Teller

_TEXT_FILE_LIMIT: Final = 1024 * 1024
_OF_ALBUM: Final = ("DISC_ID", "UPC_EAN")


def cdtext_of(sheet: Sheet, files: InputFiles) -> CDText | None:
    """Return the texts; packs beat the sheet's own commands.

    Raises:
        FormatError: what should be packs is none.
        StorageError: the file cannot be read.
    """
    if sheet.text_file is not None:
        return _of_file(sheet, sheet.text_file, files)
    items = _in_order(sheet.items)
    if not items:
        return None
    charset = fitting_charset(item.text for item in items if _is_plain(item))
    _note_wide(items, charset, sheet.teller)
    return CDText(blocks=(TextBlock(items=items, charset=charset),))


def _in_order(given: list[TextItem]) -> tuple[TextItem, ...]:
    """Return the texts by track and field, whatever their order was; the first one counts."""
    found: dict[tuple[int, int], TextItem] = {}
    for item in given:
        field = item.field.upper()
        if item.text and not (item.track and field in _OF_ALBUM):
            found.setdefault((item.track, cue.READ_FIELDS.index(field)), item)
    return tuple(found[key] for key in sorted(found))


def _is_plain(item: TextItem) -> bool:
    """Tell whether a text is in the block's own character set."""
    return item.field.upper() not in _OF_ALBUM


def _note_wide(items: tuple[TextItem, ...], charset: int, teller: Teller) -> None:
    wide = [item for item in items if _is_plain(item) and widened(item.text, charset) != item.text]
    if wide:
        teller.note(
            "text-full-width",
            f"as CD-TEXT packs these titles are {charset_name(charset)}, in which "
            f"{len(wide)} of them have full-width letters instead of ASCII or half-width ones",
        )


def _of_file(sheet: Sheet, command: cue.TextFile, files: InputFiles) -> CDText:
    found = files.find(command.name, place=f"line {command.line}")
    if found.note is not None:
        sheet.teller.notes.append(replace(found.note, line=command.line))
    if found.reader.size > _TEXT_FILE_LIMIT:
        raise sheet.teller.error(f"{command.name!r} is too large for CD-TEXT packs", command.line)
    data = bytearray(found.reader.size)
    found.reader.read_at(0, data)
    try:
        cdtext = CDText.from_cdt(bytes(data))
    except FormatError as error:
        raise FormatError(error.reason, file=found.reader.name, place=error.place) from error
    # They tell of the first session's tracks, and of later ones that have a text.
    ends = [session.first for session in sheet.sessions[1:]]
    last = sheet.tracks[(ends[0] if ends else len(sheet.tracks)) - 1].number
    named = max((item.track for block in cdtext.blocks for item in block.items), default=0)
    last = max(last, min(named, sheet.tracks[-1].number))
    return cdtext.of_tracks(sheet.tracks[0].number, last)
