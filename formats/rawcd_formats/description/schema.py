"""Everything that a description can say: one table, which is the documentation as well.

`documentation()` is the README's tables; the reader knows no key that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import FIELDS, Charset
from rawcd_formats.description import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd_formats.description.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key of a table.

    Attributes:
        key: as it is written.
        kind: what the value may be; None where it is a table of its own.
        default: what holds without it, for people; "" where nothing does.
        meaning: what it says, for people.
        table: the table that stands there.
        several: several tables may.
    """

    key: str
    kind: Kind | None = None
    default: str = ""
    meaning: str = ""
    table: TableSchema | None = None
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A kind of table.

    Attributes:
        header: how it is written, and called.
        meaning: what it describes, for people.
        fields: its keys.
    """

    header: str
    meaning: str = ""
    fields: tuple[Field, ...]


def _text_fields(*, track: bool) -> Iterator[Field]:
    """Yield the texts that an album or a track may have, from the table of CD-TEXT."""
    for field in FIELDS:
        if field.binary or not (field.tracks if track else field.album):
            continue
        said = f"pack type {field.pack_type:02X}h"
        if field.charset is not None:
            said += f", always {'ASCII' if field.charset == Charset.ASCII else 'ISO 8859-1'}"
        if field.name == "isrc":
            said += "; the code in the Q channel is the track's own `isrc`"
        yield Field(key=field.name.replace("_", "-"), kind=kinds.TEXT, meaning=said)


def _flag(key: str, meaning: str, default: str = "false") -> Field:
    return Field(key=key, kind=kinds.FLAG, default=default, meaning=meaning)


_LANGUAGE: Final = Field(
    key="language",
    kind=kinds.LANGUAGE,
    default="English",
    meaning="whose texts these are; one table for each language",
)

ALBUM_TEXT: Final = TableSchema(
    header="[[disc.text]]",
    meaning="The album's CD-TEXT, one table a language, at most eight; the first is what players "
    "show.",
    fields=(
        _LANGUAGE,
        Field(
            key="charset",
            kind=kinds.CHARSET,
            default="the plainest that holds the language's texts",
            meaning="the character set of the language's texts, those of tracks included",
        ),
        *_text_fields(track=False),
        Field(
            key="genre-code",
            kind=kinds.GENRE,
            default="that of `genre`",
            meaning="the genre of Sony's table beside the words of `genre`",
        ),
        _flag("protected", "the texts are under copyright, as the size information tells"),
        _flag("toc", "with the table of contents (pack type 88h)"),
    ),
)

TRACK_TEXT: Final = TableSchema(
    header="[[session.track.text]]",
    meaning="A track's CD-TEXT; it lies in the first lead-in, so only the tracks of the disc's "
    "first session have it.",
    fields=(_LANGUAGE, *_text_fields(track=True)),
)

BOOT: Final = TableSchema(
    header="[[session.track.filesystem.boot]]",
    meaning="What a PC starts from (El Torito), the default first.",
    fields=(
        Field(key="path", kind=kinds.TEXT, default="required", meaning="the file in the folder"),
        Field(
            key="emulation",
            kind=kinds.EMULATION,
            default="none",
            meaning="what the machine takes it for",
        ),
        _flag("efi", "for EFI instead of a BIOS"),
        Field(
            key="load-segment",
            kind=kinds.WORD,
            default="0, the machine's own",
            meaning="where it is loaded",
        ),
        Field(
            key="load-sectors",
            kind=kinds.WORD,
            default="the whole file; 1 with emulation",
            meaning="sectors of 512 bytes that are loaded",
        ),
        _flag("info-table", "write addresses into the file, as ISOLINUX and GRUB want it"),
    ),
)

FILESYSTEM: Final = TableSchema(
    header="[session.track.filesystem]",
    meaning="How a `folder` becomes a file system. In a later session the files of the earlier "
    "ones stay visible.",
    fields=(
        Field(key="volume", kind=kinds.TEXT, default="CDROM", meaning="its name"),
        Field(
            key="level",
            kind=kinds.LEVEL,
            default="3",
            meaning="of ISO 9660 interchange; 4 is ISO 9660:1999",
        ),
        _flag("joliet", "Unicode names for Windows", default="true"),
        _flag("rock-ridge", "POSIX names, modes and links"),
        _flag("udf", "UDF beside ISO 9660"),
        _flag(
            "relax", "change names that the volume cannot hold, with a note, instead of refusing"
        ),
        _flag(
            "follow-links",
            "take what symbolic links point to",
            default="true; false with `rock-ridge`",
        ),
        Field(
            key="date",
            kind=kinds.DATE,
            default="`SOURCE_DATE_EPOCH`, else now",
            meaning="of the volume, such as `2026-01-31T12:00:00Z`; no file on it is newer",
        ),
        Field(key="system", kind=kinds.TEXT, meaning="the system identifier"),
        Field(key="publisher", kind=kinds.TEXT, meaning="who publishes it"),
        Field(key="preparer", kind=kinds.TEXT, meaning="who prepared it"),
        Field(key="application", kind=kinds.TEXT, default="RAWCD", meaning="what made it"),
        Field(key="boot", table=BOOT, several=True),
    ),
)

TRACK: Final = TableSchema(
    header="[[session.track]]",
    meaning="A track, of one `file`, `folder` or `silence`; its number follows from its place.",
    fields=(
        Field(key="file", kind=kinds.FILE, meaning="sound, or blocks of data"),
        Field(key="folder", kind=kinds.FOLDER, meaning="what a file system is made of"),
        Field(key="silence", kind=kinds.LENGTH, meaning="so much digital silence"),
        Field(
            key="type",
            kind=kinds.TRACK_TYPE,
            default="audio; a folder's: mode1, form1 in XA and CD-I sessions",
            meaning="what the sectors are; data of one session are all mode 0, mode 1 or mode 2",
        ),
        Field(
            key="start", kind=kinds.LENGTH, default="0", meaning="where in a sound file it begins"
        ),
        Field(
            key="length",
            kind=kinds.LENGTH,
            default="to the end",
            meaning="how much of a sound file is taken",
        ),
        Field(
            key="block-size",
            kind=kinds.BLOCK_SIZE,
            default="what divides the file",
            meaning="bytes of a block of data in the file",
        ),
        Field(
            key="subheader",
            kind=kinds.BYTES,
            default="form1 `00000800`, form2 `00002000`",
            meaning="of XA blocks that bring none: four or eight bytes",
        ),
        _flag("scrambled", "whether whole sectors (the raw types) are", default="found out"),
        Field(
            key="pregap",
            kind=kinds.LENGTH_OR_FILE,
            default="`gaps` decides; 2 s at a change to sound, 3 s to data",
            meaning="what lies before index 1; the first track's has at least 150 sectors",
        ),
        Field(
            key="postgap",
            kind=kinds.LENGTH,
            default="2 s before a track of another mode, else 0",
            meaning="empty sectors behind data, which belong to the track",
        ),
        _flag("pad-short", "fill a track under four seconds", default="false; a folder always is"),
        Field(
            key="indexes",
            kind=kinds.LENGTHS,
            default="`[]`",
            meaning="where index 2, 3, ... are, from the track's start (index 1) on",
        ),
        Field(key="isrc", kind=kinds.TEXT, meaning="the recording's code in the Q channel"),
        Field(
            key="copy",
            kind=kinds.COPY,
            default="prohibited",
            meaning="the copy bit; SCMS permits one generation",
        ),
        _flag("pre-emphasis", "the samples carry it; nothing is filtered"),
        _flag("four-channel", "CONTROL tells four channels"),
        Field(key="cdg", kind=kinds.FILE, meaning="CD+G pictures, from index 1 on"),
        Field(key="text", table=TRACK_TEXT, several=True),
        Field(key="filesystem", table=FILESYSTEM),
    ),
)

SESSION: Final = TableSchema(
    header="[[session]]",
    meaning="A session; the image spans all of them.",
    fields=(
        Field(
            key="type",
            kind=kinds.SESSION_TYPE,
            default="xa with a track of form 1, form 2 or both, else cd-rom",
            meaning="what point A0 calls it",
        ),
        Field(key="track", table=TRACK, several=True),
    ),
)

DISC: Final = TableSchema(
    header="[disc]",
    meaning="What holds for the whole disc; the table may be left out.",
    fields=(
        Field(
            key="mcn",
            kind=kinds.TEXT,
            meaning="the media catalogue number, with its check digit",
        ),
        Field(
            key="first-track",
            kind=kinds.TRACK_NUMBER,
            default="1",
            meaning="the first track's number",
        ),
        _flag(
            "gaps",
            "two silent seconds between sound tracks; false: a pregap is the end of the "
            "track before it",
        ),
        Field(
            key="type",
            kind=kinds.IMAGE_TYPE,
            default="raw",
            meaning="the subcode: 16 bytes a sector, or 96 with R-W as packs or as on the disc",
        ),
        Field(
            key="style",
            kind=kinds.STYLE,
            default="standard",
            meaning="the writer whose habits P and Q follow",
        ),
        Field(
            key="lead-out-limit",
            kind=kinds.ADDRESS,
            default="398100",
            meaning="where the lead-out of any session may begin at the latest",
        ),
        _flag("appendable", "a further session may follow the last one here"),
        Field(
            key="rw",
            kind=kinds.FILE,
            meaning="R-W subcode, 96 bytes for every sector made here from the first lead-in to "
            "the last lead-out, in the form of `type`",
        ),
        Field(
            key="onto",
            kind=kinds.FILE,
            meaning="the image, sheet or description that the first session here goes onto; what "
            "is the disc's own comes from there",
        ),
        Field(key="text", table=ALBUM_TEXT, several=True),
    ),
)

ROOT: Final = TableSchema(
    header="the file",
    fields=(
        Field(key="disc", table=DISC),
        Field(key="session", table=SESSION, several=True),
        Field(key="track", table=TRACK, several=True),
    ),
)

TABLES: Final = (DISC, ALBUM_TEXT, SESSION, TRACK, TRACK_TEXT, FILESYSTEM, BOOT)
"""In the order of the documentation."""


def documentation() -> str:
    """Return every table with its keys, in Markdown."""
    lines: list[str] = []
    for table in TABLES:
        lines += [f"`{table.header}` {table.meaning}", ""]
        lines += ["| key | value | without it | meaning |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{field.key}` | {field.kind.said} | {field.default} | {field.meaning} |"
            for field in table.fields
            if field.kind is not None
        ]
        lines.append("")
    return "\n".join(lines)
