"""TOC files as values, and back (the manual of cdrdao, section TOC FILES).

Statements of a header or a track are taken in any order, keywords in any case; written is what
cdrdao 1.2 takes: its order, upper case, one statement a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.cdtext import FIELDS
from rawcd.disc import MAX_TRACKS
from rawcd.errors import FormatError
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.modes import DISC_TYPES, MODES, SUBCHANNELS
from rawcd_formats.toc.words import Kind, Token, quoted, text_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_PARTS: Final = 10_000
"""Statements that add something to the tracks; each costs when sectors are read."""
MOST_INDEXES: Final = 98
"""Of one track, from 2 to 99."""
MOST_BYTES: Final = 256 * 12
"""Of one CD-TEXT item: a block has no more packs."""
MOST_ITEMS: Final = 1_000
"""Of one LANGUAGE section; there are fourteen keywords."""
KEYWORDS: Final = frozenset(field.keyword for field in FIELDS) | {"RESERVED4"}
"""Of CD-TEXT items. RESERVED4 is what CLOSED was called before cdrdao 1.2.6."""
ENCODINGS: Final = ("ISO_8859_1", "ASCII", "MS_JIS", "KOREAN", "MANDARIN")
_ENCODING: Final = "ENCODING_"
_BLOCKS: Final = 8
_ENGLISH: Final = 9


def parse(data: bytes, file: str) -> toc.Sheet:
    """Return what a TOC file says.

    Args:
        data: the file.
        file: its name, for messages.

    Raises:
        FormatError: it is no text, or breaks the grammar; `.place` is the line.
    """
    return _Parser(tokens_of(text_of(data, file), file), file).sheet()


class _Parser:
    """A reader of tokens that looks one ahead."""

    def __init__(self, tokens: Iterator[Token], file: str) -> None:
        self._tokens = tokens
        self._file = file
        self._next = next(tokens)
        self._parts = 0

    # -- tokens ----------------------------------------------------------------------------------

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._next = next(self._tokens)
        return token

    def _fail(self, expected: str, token: Token | None = None) -> FormatError:
        found = token or self._next
        return self._error(f"expected {expected}, not {found}", found.line)

    def _error(self, reason: str, line: int) -> FormatError:
        return FormatError(reason, file=self._file, place=f"line {line}")

    def _sees(self, kind: Kind, text: str | None = None) -> bool:
        return self._next.kind is kind and text in (None, self._next.text)

    def _skips(self, text: str) -> bool:
        """Take a word or sign if it is there."""
        found = self._next.kind in (Kind.WORD, Kind.SIGN) and self._next.text == text
        if found:
            self._take()
        return found

    def _sign(self, text: str) -> None:
        if not self._sees(Kind.SIGN, text):
            raise self._fail(repr(text))
        self._take()

    def _string(self) -> str:
        if not self._sees(Kind.STRING):
            raise self._fail("a string in quotes")
        return self._take().text

    def _number(self, most: int | None = None) -> int:
        if not self._sees(Kind.NUMBER):
            raise self._fail("a number")
        token = self._take()
        number = int(token.text)
        if most is not None and number > most:
            raise self._error(f"{number} is above {most}", token.line)
        return number

    # -- addresses -------------------------------------------------------------------------------

    def _time_behind(self, minutes: int) -> int:
        """Return the frames of a time whose minutes are taken."""
        line = self._next.line
        self._sign(":")
        seconds = self._number()
        self._sign(":")
        frames = self._number()
        if seconds > 59 or frames > 74:
            raise self._error(
                f"{minutes}:{seconds}:{frames} is no time: seconds go to 59, frames to 74", line
            )
        return minutes * FRAMES_PER_MINUTE + seconds * FRAMES_PER_SECOND + frames

    def _time(self) -> int:
        return self._time_behind(self._number())

    def _time_if_any(self) -> int | None:
        return self._time() if self._sees(Kind.NUMBER) else None

    def _amount(self) -> toc.Amount:
        number = self._number()
        if self._sees(Kind.SIGN, ":"):
            return toc.Amount(self._time_behind(number), in_frames=True)
        return toc.Amount(number)

    def _amount_if_any(self) -> toc.Amount | None:
        return self._amount() if self._sees(Kind.NUMBER) else None

    def _offset(self) -> int:
        return self._number() if self._skips("#") else 0

    # -- header ----------------------------------------------------------------------------------

    def sheet(self) -> toc.Sheet:
        """Read all."""
        disc_type: str | None = None
        catalog: toc.Catalog | None = None
        first_track: toc.FirstTrack | None = None
        languages: tuple[toc.Language, ...] = ()
        texts: tuple[toc.Texts, ...] = ()
        while not (self._sees(Kind.WORD, "TRACK") or self._sees(Kind.END)):
            token = self._take()
            if token.kind is Kind.WORD and token.text in DISC_TYPES:
                disc_type = token.text  # the last one counts
            elif token.kind is Kind.WORD and token.text == "CATALOG":
                catalog = toc.Catalog(self._string(), token.line)
            elif token.kind is Kind.WORD and token.text == "FIRST_TRACK_NO":
                number = self._number(MAX_TRACKS)
                if not number:
                    raise self._error("track numbers go from 1 to 99", token.line)
                first_track = toc.FirstTrack(number, token.line)
            elif token.kind is Kind.WORD and token.text == "CD_TEXT":
                more, sections = self._cd_text()
                languages += more
                texts += sections
            else:
                raise self._fail("CATALOG, a disc type, FIRST_TRACK_NO, CD_TEXT or TRACK", token)
        tracks = tuple(self._tracks())
        if not tracks:
            raise self._error("there is no TRACK in it", self._next.line)
        return toc.Sheet(
            disc_type=disc_type,
            catalog=catalog,
            first_track=first_track,
            languages=languages,
            texts=texts,
            tracks=tracks,
        )

    # -- CD-TEXT ---------------------------------------------------------------------------------

    def _cd_text(self) -> tuple[tuple[toc.Language, ...], tuple[toc.Texts, ...]]:
        self._sign("{")
        languages: list[toc.Language] = []
        texts: list[toc.Texts] = []
        while not self._skips("}"):
            token = self._take()
            if token.kind is Kind.WORD and token.text == "LANGUAGE_MAP":
                languages += self._language_map()
            elif token.kind is Kind.WORD and token.text == "LANGUAGE":
                texts.append(self._language(token.line))
            else:
                raise self._fail("LANGUAGE_MAP, LANGUAGE or '}'", token)
        return tuple(languages), tuple(texts)

    def _language_map(self) -> Iterator[toc.Language]:
        self._sign("{")
        while not self._skips("}"):
            line = self._next.line
            block = self._number(_BLOCKS - 1)
            self._sign(":")
            code = _ENGLISH if self._skips("EN") else self._number(0xFF)
            yield toc.Language(block, code, line)

    def _language(self, line: int) -> toc.Texts:
        block = self._number(_BLOCKS - 1)
        self._sign("{")
        encoding: str | None = None
        items: list[toc.Item] = []
        while not self._skips("}"):
            token = self._take()
            name = token.text.removeprefix(_ENCODING)
            if token.kind is Kind.WORD and token.text in KEYWORDS:
                items.append(toc.Item(token.text, self._item_value(), token.line))
            elif token.kind is Kind.WORD and name != token.text and name in ENCODINGS:
                encoding = name
            else:
                raise self._fail("a CD-TEXT item, ENCODING_... or '}'", token)
            if len(items) > MOST_ITEMS:
                raise self._error(f"more than {MOST_ITEMS} items in one LANGUAGE", token.line)
        return toc.Texts(block, tuple(items), encoding, line)

    def _item_value(self) -> str | bytes:
        if self._sees(Kind.STRING):
            return self._string()
        line = self._next.line
        if not self._skips("{"):
            raise self._fail("a string in quotes, or numbers in braces")
        data = bytearray()
        if self._skips("}"):
            return b""
        while True:
            data.append(self._number(0xFF))
            if len(data) > MOST_BYTES:
                raise self._error(f"more than {MOST_BYTES} bytes of CD-TEXT data", line)
            if self._skips("}"):
                return bytes(data)
            self._sign(",")

    # -- tracks ----------------------------------------------------------------------------------

    def _tracks(self) -> Iterator[toc.TrackSheet]:
        count = 0
        while not self._sees(Kind.END):
            if not self._sees(Kind.WORD, "TRACK"):
                raise self._fail("a statement of a track, or TRACK")
            count += 1
            if count > MAX_TRACKS:
                raise self._error(f"more than {MAX_TRACKS} tracks", self._next.line)
            yield self._track(self._take().line)

    def _track(self, line: int) -> toc.TrackSheet:
        if not self._sees(Kind.WORD) or self._next.text not in MODES:
            raise self._fail(f"a track mode ({', '.join(MODES)})")
        mode = self._take().text
        subchannel = self._subchannel()
        copy = pre_emphasis = four_channel = False
        isrc: toc.Isrc | None = None
        texts: tuple[toc.Texts, ...] = ()
        parts: list[toc.Part] = []
        indexes: list[toc.IndexAt] = []
        while self._sees(Kind.WORD) and self._next.text != "TRACK":
            token = self._take()
            word, wanted = token.text, True
            if word == "NO":
                word, wanted = self._take().text, False
                if word not in ("COPY", "PRE_EMPHASIS"):
                    raise self._error("NO stands before COPY or PRE_EMPHASIS", token.line)
            match word:
                case "COPY":
                    copy = wanted
                case "PRE_EMPHASIS":
                    pre_emphasis = wanted
                case "TWO_CHANNEL_AUDIO":
                    four_channel = False
                case "FOUR_CHANNEL_AUDIO":
                    four_channel = True
                case "ISRC":
                    isrc = toc.Isrc(self._string(), token.line)
                case "CD_TEXT":
                    languages, sections = self._cd_text()
                    if languages:
                        raise self._error("LANGUAGE_MAP stands before the tracks", token.line)
                    texts += sections
                case "INDEX":
                    if len(indexes) == MOST_INDEXES:
                        raise self._error(f"more than {MOST_INDEXES} INDEX in a track", token.line)
                    indexes.append(toc.IndexAt(self._time(), token.line))
                case _:
                    parts.append(self._part(token))
        return toc.TrackSheet(
            mode=mode,
            subchannel=subchannel,
            copy=copy,
            pre_emphasis=pre_emphasis,
            four_channel=four_channel,
            isrc=isrc,
            texts=texts,
            parts=tuple(parts),
            indexes=tuple(indexes),
            line=line,
        )

    def _subchannel(self) -> str | None:
        if self._sees(Kind.WORD) and self._next.text in SUBCHANNELS:
            return self._take().text
        return None

    def _part(self, token: Token) -> toc.Part:
        reader = self._readers.get(token.text)
        if reader is None:
            raise self._fail("a statement of a track", token)
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise self._error(f"more than {MOST_PARTS} parts", token.line)
        return reader(self, token.line)

    def _sound_file(self, line: int) -> toc.SoundFile:
        name = self._string()
        swap = self._skips("SWAP")
        offset = self._offset()
        start = self._amount_if_any() or toc.Amount(0)
        return toc.SoundFile(name, start, self._amount_if_any(), offset, swap, line)

    def _data_file(self, line: int) -> toc.DataFile:
        name = self._string()
        offset = self._offset()
        return toc.DataFile(name, self._amount_if_any(), offset, line)

    def _fifo(self, line: int) -> toc.Fifo:
        return toc.Fifo(self._string(), self._amount(), line)

    def _zero(self, line: int) -> toc.Zero:
        mode: str | None = None
        if self._sees(Kind.WORD) and self._next.text in MODES:
            mode = self._take().text
        subchannel = self._subchannel()
        return toc.Zero(self._amount(), mode, subchannel, line)

    _readers: Final[dict[str, Callable[[_Parser, int], toc.Part]]] = {
        "FILE": _sound_file,
        "AUDIOFILE": _sound_file,
        "DATAFILE": _data_file,
        "FIFO": _fifo,
        "SILENCE": lambda self, line: toc.Silence(self._amount(), line),
        "ZERO": _zero,
        "PREGAP": lambda self, line: toc.Pregap(self._time(), line),
        "START": lambda self, line: toc.Start(self._time_if_any(), line),
        "END": lambda self, line: toc.End(self._time_if_any(), line),
    }


# -- writing -----------------------------------------------------------------------------------


def build(sheet: toc.Sheet) -> bytes:
    """Return a sheet as a TOC file: UTF-8, of which cdrdao before 1.2.5 reads the ASCII.

    Raises:
        UnicodeEncodeError: a string is no text.
    """
    return "".join(f"{line}\n" for line in _lines(sheet)).encode()


def _lines(sheet: toc.Sheet) -> Iterator[str]:
    if sheet.disc_type is not None:
        yield sheet.disc_type
    if sheet.catalog is not None:
        yield f"CATALOG {quoted(sheet.catalog.digits)}"
    if sheet.first_track is not None:
        yield f"FIRST_TRACK_NO {sheet.first_track.number}"
    yield from _text_lines(sheet.languages, sheet.texts)
    for track in sheet.tracks:
        yield ""
        yield from _track_lines(track)


def _text_lines(languages: Iterable[toc.Language], texts: Iterable[toc.Texts]) -> Iterator[str]:
    languages, texts = tuple(languages), tuple(texts)
    if not (languages or texts):
        return
    yield "CD_TEXT {"
    if languages:
        yield "  LANGUAGE_MAP {"
        for entry in languages:
            yield f"    {entry.block} : {entry.code}"
        yield "  }"
    for section in texts:
        yield f"  LANGUAGE {section.block} {{"
        if section.encoding is not None:
            yield f"    {_ENCODING}{section.encoding}"
        for item in section.items:
            value = item.value
            shown = quoted(value) if isinstance(value, str) else _numbers(value)
            yield f"    {item.keyword} {shown}"
        yield "  }"
    yield "}"


def _numbers(data: bytes) -> str:
    return f"{{ {', '.join(map(str, data))} }}" if data else "{ }"


def _track_lines(track: toc.TrackSheet) -> Iterator[str]:
    yield " ".join(word for word in ("TRACK", track.mode, track.subchannel) if word)
    yield "COPY" if track.copy else "NO COPY"
    if track.mode == "AUDIO" or track.pre_emphasis:
        yield "PRE_EMPHASIS" if track.pre_emphasis else "NO PRE_EMPHASIS"
    if track.mode == "AUDIO" or track.four_channel:
        yield "FOUR_CHANNEL_AUDIO" if track.four_channel else "TWO_CHANNEL_AUDIO"
    if track.isrc is not None:
        yield f"ISRC {quoted(track.isrc.code)}"
    yield from _text_lines((), track.texts)
    for part in track.parts:
        yield " ".join(word for word in _part_words(part) if word)
    for index in track.indexes:
        yield f"INDEX {_stamp(index.frames)}"


def _part_words(part: toc.Part) -> Iterator[str]:
    match part:
        case toc.SoundFile():
            yield f"FILE {quoted(part.name)}"
            yield "SWAP" if part.swap else ""
            yield f"#{part.offset}" if part.offset else ""
            yield _shown(part.start)
            yield _shown(part.length)
        case toc.DataFile():
            yield f"DATAFILE {quoted(part.name)}"
            yield f"#{part.offset}" if part.offset else ""
            yield _shown(part.length)
        case toc.Fifo():
            yield f"FIFO {quoted(part.name)}"
            yield _shown(part.length)
        case toc.Silence():
            yield f"SILENCE {_shown(part.length)}"
        case toc.Zero():
            yield "ZERO"
            yield part.mode or ""
            yield part.subchannel or ""
            yield _shown(part.length)
        case toc.Pregap():
            yield f"PREGAP {_stamp(part.frames)}"
        case toc.Start():
            yield "START"
            yield "" if part.frames is None else _stamp(part.frames)
        case toc.End():
            yield "END"
            yield "" if part.frames is None else _stamp(part.frames)


def _shown(amount: toc.Amount | None) -> str:
    if amount is None:
        return ""
    return _stamp(amount.count) if amount.in_frames else str(amount.count)


def _stamp(frames: int) -> str:
    seconds, frame = divmod(frames, FRAMES_PER_SECOND)
    minute, second = divmod(seconds, 60)
    return f"{minute:02}:{second:02}:{frame:02}"
