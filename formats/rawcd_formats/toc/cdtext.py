"""CD_TEXT sections as `CDText`, and back.

A string in a TOC file is Unicode text, or bytes in the character set of its block. Written are
bytes, in octal where they are not ASCII: every version of cdrdao takes these, and those before
1.2.5 take nothing else. SIZE_INFO is written where it tells more than would be made anew
(character set, copyright, tracks); its other numbers are always made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import (
    ENGLISH,
    FIELD_OF,
    FIELDS,
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
    fitting_charset,
    genre_code,
    sheet_codec,
)
from rawcd.cdtext.charsets import charset_of, encode_text, is_raw
from rawcd.cdtext.fields import (
    GENRE_TYPE,
    INTERVALS_TYPE,
    RESERVED_TYPES,
    SIZE_TYPE,
    TOC_TYPE,
    TextField,
    field_of_type,
)
from rawcd.cdtext.genres import NOT_DEFINED
from rawcd.cdtext.languages import UNKNOWN
from rawcd.cdtext.values import PAYLOAD_BYTES
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import Msf
from rawcd_formats.toc import values as toc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rawcd.disc import Disc

    Tell = Callable[[str, str, int], None]
    """Takes a note: its code, its message, the line."""

_CHARSETS: Final = {
    "ISO_8859_1": Charset.ISO_8859_1,
    "ASCII": Charset.ASCII,
    "MS_JIS": Charset.MS_JIS,
    "KOREAN": Charset.KOREAN,
    "MANDARIN": Charset.MANDARIN,
}
_FIELD_OF_KEYWORD: Final = {each.keyword: each for each in FIELDS} | {
    "RESERVED4": FIELD_OF["closed"]
}
_ALBUM_ALONE: Final = range(0x86, 0x8A)
"""Pack types that cdrdao refuses in a track; of 8Fh it does, too."""
_SIZE_BYTES: Final = 36
_STARTS_IN_A_PACK: Final = 4


# -- reading -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    """What all sections say in one block: item by pack type and track, the last one counts."""

    number: int
    line: int
    encoding: str | None = None
    items: dict[tuple[int, int], toc.Item] = field(default_factory=dict)


def cdtext_of(
    sheet: toc.Sheet, first_track: int, tell: Tell, track_at: Callable[[Msf], int]
) -> CDText | None:
    """Return the texts of a sheet, or None where it says nothing.

    Args:
        sheet: the sheet.
        first_track: the first track's number.
        tell: is told what was overlooked.
        track_at: finds the track in which an address lies, for TOC_INFO2.

    Raises:
        FormatError: an item has no place in a track, or data is not of its form; the place is
            its line.
    """
    blocks: dict[int, _Block] = {}
    _gather(blocks, sheet.texts, 0)
    for number, track in enumerate(sheet.tracks, first_track):
        _gather(blocks, track.texts, number)
    languages = {entry.block: entry for entry in sheet.languages}
    for number, language in languages.items():
        blocks.setdefault(number, _Block(number, language.line))
    if not any(block.encoding or block.items for block in blocks.values()):
        return None
    read: list[TextBlock] = []
    for number, block in sorted(blocks.items()):
        if number != len(read):
            tell("cdtext-block", f"CD-TEXT block {number} was read as {len(read)}", block.line)
        entry = languages.get(number)
        if entry is None:
            code = UNKNOWN if number else ENGLISH
            message = f"LANGUAGE_MAP has no language for {number}; taken as {code:02X}h"
            tell("cdtext-language", message, block.line)
        else:
            code = entry.code
        read.append(_BlockReader(block, code, tell, track_at).read())
    last_track = first_track + len(sheet.tracks) - 1
    return CDText(blocks=tuple(read)).of_tracks(first_track, last_track)


def _gather(blocks: dict[int, _Block], texts: Iterable[toc.Texts], track: int) -> None:
    for section in texts:
        block = blocks.setdefault(section.block, _Block(section.block, section.line))
        block.encoding = section.encoding or block.encoding
        for item in section.items:
            pack_type = _FIELD_OF_KEYWORD[item.keyword].pack_type
            if track and (pack_type in _ALBUM_ALONE or pack_type == SIZE_TYPE):
                raise FormatError(f"{item.keyword} is of the album alone", place=_at(item.line))
            block.items[pack_type, track] = item


def _at(line: int) -> str:
    return f"line {line}"


@dataclass(slots=True)
class _BlockReader:
    block: _Block
    language: int
    tell: Tell
    track_at: Callable[[Msf], int]

    def read(self) -> TextBlock:
        size = self._size()
        charset = self._charset(size)
        texts: list[TextItem] = []
        raw: list[RawPack] = []
        code: int | None = None
        contents: TextToc | None = None
        intervals: tuple[TextInterval, ...] = ()
        for (pack_type, track), item in sorted(self.block.items.items(), key=lambda pair: pair[0]):
            if pack_type == SIZE_TYPE:
                continue
            if pack_type == GENRE_TYPE and isinstance(item.value, bytes):
                code, text = self._genre(item)
                texts += self._text(pack_type, track, text, charset, item.line)
            elif pack_type == TOC_TYPE:
                contents = _toc_of(_bytes(item))
                raw += () if contents else _raw_packs(pack_type, track, _bytes(item))
            elif pack_type == INTERVALS_TYPE:
                intervals = self._intervals(_bytes(item))
                raw += () if intervals else _raw_packs(pack_type, track, _bytes(item))
            elif pack_type in RESERVED_TYPES:
                raw += _raw_packs(pack_type, track, _bytes(item))
            else:
                texts += self._text(pack_type, track, item.value, charset, item.line)
        first, last = (size[1] or None, size[2] or None) if size else (None, None)
        try:
            return TextBlock(
                language=self.language,
                items=tuple(texts),
                charset=charset,
                genre_code=code,
                toc=contents,
                intervals=intervals,
                raw=tuple(raw),
                copyright=size[3] if size else 0,
                first_track=first,
                last_track=last,
            )
        except ValueError as error:
            raise FormatError(f"SIZE_INFO: {error}", place=_at(self.block.line)) from error

    def _size(self) -> bytes:
        """Return SIZE_INFO, or nothing."""
        item = self.block.items.get((SIZE_TYPE, 0))
        if item is None or not item.value:
            return b""
        size = _bytes(item)
        if len(size) < 4:
            self.tell("cdtext-size", f"SIZE_INFO of {len(size)} bytes was ignored", item.line)
            return b""
        return size

    def _charset(self, size: bytes) -> int:
        """Return the block's character set: as ENCODING says, as SIZE_INFO does, or as it fits."""
        if self.block.encoding is not None:
            return _CHARSETS[self.block.encoding]
        if size:
            return charset_of(size[0])
        plain = (
            item.value
            for (pack_type, track), item in self.block.items.items()
            if isinstance(item.value, str) and _own_charset(pack_type, track) is None
        )
        return fitting_charset(text for text in plain if not is_raw(text))

    def _text(
        self, pack_type: int, track: int, value: str | bytes, charset: int, line: int
    ) -> Iterator[TextItem]:
        text_field = field_of_type(pack_type, track)
        if text_field is None or not value:
            return
        if isinstance(value, bytes):
            value = value.rstrip(b"\0").decode("ascii", "surrogateescape")
        own = charset if text_field.charset is None else text_field.charset
        if "\0" in value:
            raise FormatError(f"{text_field.keyword} holds a NUL", place=_at(line))
        if text := _decoded(value, own):
            yield TextItem(field=text_field.name, track=track, text=text)

    def _genre(self, item: toc.Item) -> tuple[int | None, bytes]:
        data = _bytes(item)
        if len(data) < 2:
            if data:
                self.tell("cdtext-genre", "GENRE of one byte was ignored", item.line)
            return None, b""
        text, _, rest = data[2:].partition(b"\0")
        if any(rest):
            self.tell("cdtext-genre", f"{len(rest)} bytes behind the genre were ignored", item.line)
        return int.from_bytes(data[:2], "big"), text

    def _intervals(self, data: bytes) -> tuple[TextInterval, ...]:
        """Return the second table of contents; none where the bytes follow no known layout."""
        count, rest = divmod(len(data), PAYLOAD_BYTES)
        found: list[TextInterval] = []
        for payload in _payloads(data):
            if rest or payload[1] != count or any(payload[2:6]):
                return ()
            try:
                start, end = Msf(*payload[6:9]), Msf(*payload[9:12])
                found.append(
                    TextInterval(
                        track=self.track_at(start), start=start, end=end, number=payload[0]
                    )
                )
            except ValueError:
                return ()
        return tuple(found)


def _own_charset(pack_type: int, track: int) -> Charset | None:
    text_field = field_of_type(pack_type, track)
    return Charset.ASCII if text_field is None else text_field.charset


def _decoded(text: str, charset: int) -> str:
    """Return a string's text: bytes are taken in the character set, and kept if they are none."""
    if not is_raw(text):
        return text
    codec, errors = ("latin-1", "strict")
    if charset not in (Charset.ISO_8859_1, Charset.ASCII):  # ASCII with more is ISO 8859-1
        codec, errors = sheet_codec(charset)
    try:
        found = text.encode("ascii", "surrogateescape").decode(codec, errors)
    except UnicodeDecodeError:
        return text
    return found


def _bytes(item: toc.Item) -> bytes:
    if isinstance(item.value, bytes):
        return item.value
    return item.value.encode("utf-8", "surrogateescape")


def _payloads(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PAYLOAD_BYTES):
        yield data[start : start + PAYLOAD_BYTES].ljust(PAYLOAD_BYTES, b"\0")


def _raw_packs(pack_type: int, track: int, data: bytes) -> Iterator[RawPack]:
    for payload in _payloads(data):
        yield RawPack(pack_type=pack_type, element=track, payload=payload)


def _toc_of(data: bytes) -> TextToc | None:
    """Return the table of contents; None where the bytes follow no known layout."""
    if len(data) < PAYLOAD_BYTES:
        return None
    first, last, zero, minute, second, frame = data[:6]
    starts = data[PAYLOAD_BYTES:]
    count = last - first + 1
    if zero or any(data[6:PAYLOAD_BYTES]) or len(starts) < 3 * count or any(starts[3 * count :]):
        return None
    try:
        return TextToc(
            starts=tuple(Msf(*starts[3 * i : 3 * i + 3]) for i in range(count)),
            lead_out=Msf(minute, second, frame),
            first_track=first,
        )
    except ValueError:
        return None


# -- writing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sections:
    """CD_TEXT of a whole sheet.

    Attributes:
        languages: LANGUAGE_MAP.
        album: the sections before the tracks.
        tracks: those of each track, by number.
    """

    languages: tuple[toc.Language, ...] = ()
    album: tuple[toc.Texts, ...] = ()
    tracks: dict[int, tuple[toc.Texts, ...]] = field(default_factory=dict)


def sections_of(disc: Disc, track_at: Callable[[Msf], int]) -> Sections:
    """Return what a TOC file says of a disc's texts.

    Characters that a block's character set lacks are near ones: whoever must not lose them
    asks before (`Feature.TEXT_CHARACTERS`).

    Args:
        disc: the disc.
        track_at: finds the track in which an address lies, for TOC_INFO2.

    Raises:
        UnsupportedError: packs without text have no place in a TOC file; `.lost` names them.
    """
    if disc.cdtext is None:
        return Sections()
    tracks = [track.number for track in disc.sessions[0].tracks]
    languages: list[toc.Language] = []
    album: list[toc.Texts] = []
    by_track: dict[int, tuple[toc.Texts, ...]] = {}
    lost: list[str] = []
    for number, block in enumerate(disc.cdtext.blocks):
        writer = _BlockWriter(number, block, tracks, track_at)
        languages.append(toc.Language(number, block.language))
        album.append(toc.Texts(number, tuple(writer.items(0)), writer.encoding))
        for track in tracks:
            if items := tuple(writer.items(track)):
                by_track[track] = (*by_track.get(track, ()), toc.Texts(number, items))
        lost += writer.lost()
    if lost:
        raise UnsupportedError(
            f"TOC files have no place for {', '.join(lost)}; leave them out of the disc's CD-TEXT",
            lost=lost,
        )
    return Sections(tuple(languages), tuple(album), by_track)


@dataclass(frozen=True, slots=True)
class _BlockWriter:
    number: int
    block: TextBlock
    tracks: Sequence[int]
    track_at: Callable[[Msf], int]

    @property
    def encoding(self) -> str | None:
        """The word of ENCODING; none for single-byte sets, for cdrdao before 1.2.5 has none."""
        for name, charset in _CHARSETS.items():
            if charset == self.block.charset and charset & 0x80:
                return name
        return None

    def items(self, track: int) -> Iterator[toc.Item]:
        """Yield what stands in the album's section (0) or a track's."""
        block = self.block
        for pack_type in sorted({each.pack_type for each in FIELDS}):
            text_field = field_of_type(pack_type, track)
            if pack_type == GENRE_TYPE:
                yield from () if track else self._genre()
            elif pack_type == TOC_TYPE and block.toc is not None:
                yield from () if track else [toc.Item("TOC_INFO1", _toc_bytes(block.toc))]
            elif pack_type == INTERVALS_TYPE and block.intervals:
                yield from () if track else [toc.Item("TOC_INFO2", self._interval_bytes())]
            elif pack_type == SIZE_TYPE:
                yield from () if track else self._size()
            elif text_field is None:
                data = b"".join(
                    pack.payload
                    for pack in block.raw
                    if pack.pack_type == pack_type and pack.element == track
                )
                if data:
                    keyword = next(each.keyword for each in FIELDS if each.pack_type == pack_type)
                    yield toc.Item(keyword, data)
            elif self._has(pack_type, track):
                yield self._text(text_field, track)

    def _has(self, pack_type: int, track: int) -> bool:
        """Tell whether a text stands there, be it empty.

        Where one track has a text of some type, cdrdao gives the album's to every track without.
        """
        owners = {
            item.track
            for item in self.block.items
            if item.text and item.field in FIELD_OF and FIELD_OF[item.field].pack_type == pack_type
        }
        return track in owners or any(owners)

    def _text(self, text_field: TextField, track: int) -> toc.Item:
        keyword = "RESERVED4" if text_field.name == "closed" else text_field.keyword
        charset = self.block.charset if text_field.charset is None else text_field.charset
        return toc.Item(keyword, _encoded(self.block.text(text_field.name, track) or "", charset))

    def _genre(self) -> Iterator[toc.Item]:
        text, code = self.block.text("genre", 0) or "", self.block.genre_code
        if code is None:
            if not text:
                return
            try:
                code = genre_code(text)
            except FormatError:
                code = NOT_DEFINED
        words = _encoded(text, Charset.ASCII).encode("utf-8", "surrogateescape")
        yield toc.Item("GENRE", code.to_bytes(2, "big") + words + b"\0")

    def _interval_bytes(self) -> bytes:
        count = len(self.block.intervals)
        return b"".join(
            bytes((each.number, count & 0xFF, 0, 0, 0, 0, *each.start.parts(), *each.end.parts()))
            for each in self.block.intervals
        )

    def _size(self) -> Iterator[toc.Item]:
        """Yield SIZE_INFO where it says what would else be lost."""
        block = self.block
        head = (block.charset, block.first_track or 0, block.last_track or 0, block.copyright)
        if any(head[1:]) or (block.charset and self.encoding is None):
            yield toc.Item("SIZE_INFO", bytes(head).ljust(_SIZE_BYTES, b"\0"))

    def lost(self) -> Iterator[str]:
        """Yield what the items do not say."""
        for pack in self.block.raw:
            numbered = pack.pack_type in RESERVED_TYPES and pack.element in self.tracks
            if pack.element and not numbered:
                yield f"the CD-TEXT pack of type {pack.pack_type:02X}h and element {pack.element}"
        for each in self.block.intervals:
            if self.track_at(each.start) != each.track:
                yield f"the CD-TEXT interval {each.number} of track {each.track}"


def _encoded(text: str, charset: int) -> str:
    """Return a text as a string of bytes; as Unicode text where its codec lacks a character."""
    text = text.replace("\0", "?")
    if is_raw(text):
        return text
    codec, _ = sheet_codec(charset)
    try:
        code = text.encode(codec)
        if code.decode(codec) == text:  # code page 932 makes two characters one
            return code.decode("ascii", "surrogateescape")
        encode_text(text, charset)
    except UnicodeEncodeError:
        code = encode_text(text, charset, errors="replace")
        return code.decode("ascii", "surrogateescape")
    return text


def _toc_bytes(contents: TextToc) -> bytes:
    head = bytes((contents.first_track, contents.last_track, 0, *contents.lead_out.parts()))
    starts = bytes(part for start in contents.starts for part in start.parts())
    room = -len(starts) % (3 * _STARTS_IN_A_PACK)
    return head.ljust(PAYLOAD_BYTES, b"\0") + starts + bytes(room)
