"""CD-TEXT values as packs.

The texts of a type lie end to end, album first, each with its terminator; every pack tells
which text begins or goes on in it and how much of that text came before (MMC-3 annex J).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rawcd.cdtext.charsets import charset_name, encode_text, width_of
from rawcd.cdtext.fields import (
    CLOSED_TYPE,
    FIELD_OF,
    FIRST_TYPE,
    GENRE_TYPE,
    INTERVALS_TYPE,
    PLAIN_TEXT_TYPES,
    SIZE_TYPE,
    TOC_TYPE,
    TextField,
    field_of_type,
)
from rawcd.cdtext.genres import NOT_DEFINED, genre_code
from rawcd.cdtext.languages import language_name
from rawcd.cdtext.packs import MAX_PACKS, MAX_POSITION, SIZE_PACKS, Pack, SizeInfo
from rawcd.cdtext.values import MAX_BLOCKS, MAX_TRACK, PAYLOAD_BYTES
from rawcd.errors import FormatError, UnsupportedError
from rawcd.subcode.style import Errors, check_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.cdtext.values import CDText, TextBlock
    from rawcd.subcode.style import TextStyle

_TAB = b"\t"
_TOC_STARTS_IN_A_PACK = 4


def encode_packs(
    cdtext: CDText,
    *,
    style: TextStyle,
    first_track: int | None,
    last_track: int | None,
    errors: Errors,
) -> bytes:
    """Return all packs; see `CDText.to_packs`."""
    check_word(errors, Errors, "errors")
    blocks = [
        _BlockEncoder(
            number=number,
            block=block,
            style=style,
            tracks=_tracks((block, *cdtext.blocks), first_track, last_track),
            errors=errors,
        )
        for number, block in enumerate(cdtext.blocks)
    ]
    packs = [list(block.packs()) for block in blocks]
    problems = [problem for block in blocks for problem in block.problems]
    if problems:
        raise UnsupportedError(problems[0], lost=problems)
    for block, its in zip(blocks, packs, strict=True):
        if len(its) + SIZE_PACKS > MAX_PACKS:
            message = (
                f"CD-TEXT {block.name} needs {len(its) + SIZE_PACKS} packs; {MAX_PACKS} is the most"
            )
            raise UnsupportedError(message, lost=(f"CD-TEXT {block.name}",))
    last_sequences = bytes(len(its) + SIZE_PACKS - 1 for its in packs).ljust(MAX_BLOCKS, b"\0")
    languages = bytes(block.language for block in cdtext.blocks).ljust(MAX_BLOCKS, b"\0")
    return b"".join(
        pack.build(crc=style.crc)
        for block, its in zip(blocks, packs, strict=True)
        for pack in [*its, *block.size_packs(its, last_sequences, languages)]
    )


def _tracks(blocks: Sequence[TextBlock], first: int | None, last: int | None) -> range:
    """Return the disc's tracks: as the caller knows them, as a block says, as texts show.

    Args:
        blocks: the one that is to tell them, then all: a disc has the same tracks in every
            language, so where that one says nothing the others count.
        first: the first track, if the caller knows it.
        last: the last track, likewise.
    """
    if first is None:
        first = next((block.first_track for block in blocks if block.first_track), 1)
    if last is None:
        items = (item for block in blocks for item in block.items if item.text)
        named = min(max((item.track for item in items), default=first), MAX_TRACK)
        told = (block.last_track for block in blocks if block.last_track)
        last = next(told, max(first, named))
    if not 1 <= first <= last <= MAX_TRACK:
        raise ValueError(f"no tracks: {first} to {last}")
    return range(first, last + 1)


@dataclass(slots=True, kw_only=True)
class _BlockEncoder:
    number: int
    block: TextBlock
    style: TextStyle
    tracks: range
    errors: Errors
    problems: list[str] = field(default_factory=list)
    _sequence: int = 0

    @property
    def name(self) -> str:
        language = language_name(self.block.language) or f"language {self.block.language:02X}h"
        return f"block {self.number} ({language})"

    def packs(self) -> Iterator[Pack]:
        """Yield all but the size information, in order of types."""
        texts = self._texts()
        for pack_type in range(FIRST_TYPE, SIZE_TYPE):
            if pack_type == GENRE_TYPE:
                yield from self._genre(texts)
            elif field_of_type(pack_type, 0):
                yield from self._text_packs(pack_type, texts)
            else:
                if pack_type == TOC_TYPE:
                    yield from self._toc()
                elif pack_type == INTERVALS_TYPE:
                    yield from self._intervals()
                for raw in self.block.raw:
                    if raw.pack_type == pack_type:
                        yield self._pack(pack_type, raw.element, raw.payload)

    def size_packs(
        self, packs: list[Pack], last_sequences: bytes, languages: bytes
    ) -> Iterator[Pack]:
        """Yield the three packs of type 8Fh."""
        counts = bytearray(SIZE_TYPE - FIRST_TYPE + 1)
        for pack in packs:
            counts[pack.pack_type - FIRST_TYPE] += 1
        counts[-1] = SIZE_PACKS
        record = SizeInfo(
            charset=self.block.charset,
            first_track=self.tracks[0],
            last_track=self.tracks[-1],
            copyright=self.block.copyright,
            counts=bytes(counts),
            last_sequences=last_sequences,
            languages=languages,
        ).build()
        for element in range(SIZE_PACKS):
            payload = record[element * PAYLOAD_BYTES :][:PAYLOAD_BYTES]
            yield self._pack(SIZE_TYPE, element, payload)

    def _pack(
        self,
        pack_type: int,
        track: int,
        payload: bytes,
        *,
        position: int = 0,
        double_byte: bool = False,
    ) -> Pack:
        sequence = self._sequence
        self._sequence += 1
        return Pack(
            pack_type=pack_type,
            track=track,
            sequence=sequence & 0xFF,  # more than 256 packs are refused when all are counted
            block=self.number,
            double_byte=double_byte,
            position=min(position, MAX_POSITION),
            payload=payload.ljust(PAYLOAD_BYTES, b"\0"),
        )

    # -- texts -------------------------------------------------------------------------------

    def _texts(self) -> dict[tuple[int, int], bytes]:
        """Return the bytes of every text by pack type and track; note what cannot be held."""
        texts: dict[tuple[int, int], bytes] = {}
        seen: set[tuple[str, int]] = set()
        for item in self.block.items:
            again = (item.field, item.track) in seen
            seen.add((item.field, item.track))
            if again or not item.text:
                continue
            text_field = FIELD_OF.get(item.field)
            what = f"{item.field} of {f'track {item.track}' if item.track else 'the album'}"
            if self.number:
                what += f" in {self.name}"
            if text_field is None or text_field.binary:
                self.problems.append(f"{what}: CD-TEXT has no such text")
            elif not (text_field.tracks if item.track else text_field.album):
                owner = "an album" if item.track else "a track"
                self.problems.append(f"{what}: only {owner} has one")
            elif item.track and item.track not in self.tracks:
                first, last = self.tracks[0], self.tracks[-1]
                self.problems.append(f"{what}: the disc has tracks {first} to {last}")
            else:
                code = self._encoded(item.text, what, text_field)
                texts[text_field.pack_type, item.track] = code
        return texts

    def _charset(self, text_field: TextField) -> int:
        return self.block.charset if text_field.charset is None else text_field.charset

    def _encoded(self, text: str, what: str, text_field: TextField) -> bytes:
        charset = self._charset(text_field)
        try:
            code = encode_text(text, charset, errors=self.errors)
        except UnicodeEncodeError as error:
            character = error.object[error.start : error.end]
            number = f" (U+{ord(character):04X})" if len(character) == 1 else ""
            self.problems.append(f"{what}: {character!r}{number} is {_reason(error, charset)}")
            return b""
        if code == _TAB * width_of(charset):
            if self.errors == "replace":
                return encode_text(" ", charset)
            self.problems.append(f"{what}: a lone TAB means the text before it")
        return code

    def _text_packs(self, pack_type: int, texts: dict[tuple[int, int], bytes]) -> Iterator[Pack]:
        own = {track: code for (kind, track), code in texts.items() if kind == pack_type}
        if not own:
            return
        double_byte = pack_type in PLAIN_TEXT_TYPES and width_of(self.block.charset) == 2
        width = 2 if double_byte else 1
        entries = [(0, own.get(0, b""))]
        if self._has_track_entries(pack_type, own):
            fill = b""
            if self.style.missing_tracks == "album" and pack_type in PLAIN_TEXT_TYPES:
                fill = own.get(0, b"")
            entries += [(track, own.get(track, fill)) for track in self.tracks]
        stream = bytearray()
        places: list[tuple[int, int]] = []  # where each text begins, and whose it is
        before: bytes | None = None
        for track, code in entries:
            places.append((len(stream), track))
            repeated = self.style.repeat_as_tab and code and track and code == before
            stream += (_TAB * width if repeated else code) + bytes(width)
            before = code if track else None  # the first track is not compared to the album
        which = 0
        for offset in range(0, len(stream), PAYLOAD_BYTES):
            while which + 1 < len(places) and places[which + 1][0] <= offset:
                which += 1
            begin, track = places[which]
            yield self._pack(
                pack_type,
                track,
                bytes(stream[offset : offset + PAYLOAD_BYTES]),
                position=(offset - begin) // width,
                double_byte=double_byte,
            )

    def _has_track_entries(self, pack_type: int, own: dict[int, bytes]) -> bool:
        if any(own):  # a track, not only the album
            return True
        if pack_type == CLOSED_TYPE:
            return self.style.closed_per_track
        return field_of_type(pack_type, 1) is not None and not self.style.album_alone

    def _genre(self, texts: dict[tuple[int, int], bytes]) -> Iterator[Pack]:
        text = texts.get((GENRE_TYPE, 0), b"")
        code = self.block.genre_code
        if code is None:
            if not text:
                return
            try:
                code = genre_code(text.decode("latin-1"))
            except FormatError:
                code = NOT_DEFINED
        head = code.to_bytes(2, "big")
        if self.style.genre_code_in_each_pack and not head[0]:  # else it could pass for text
            room = PAYLOAD_BYTES - len(head)
            text += b"\0"
            for offset in range(0, len(text), room):
                piece = head + text[offset : offset + room]
                yield self._pack(GENRE_TYPE, 0, piece, position=offset)
            return
        stream = head + text + b"\0"
        for offset in range(0, len(stream), PAYLOAD_BYTES):
            piece = stream[offset : offset + PAYLOAD_BYTES]
            yield self._pack(GENRE_TYPE, 0, piece, position=max(0, offset - len(head)))

    # -- numbers -----------------------------------------------------------------------------

    def _toc(self) -> Iterator[Pack]:
        toc = self.block.toc
        if toc is None:
            return
        head = bytes((toc.first_track, toc.last_track, 0, *toc.lead_out.parts()))
        yield self._pack(TOC_TYPE, 0, head)
        for place in range(0, len(toc.starts), _TOC_STARTS_IN_A_PACK):
            starts = toc.starts[place : place + _TOC_STARTS_IN_A_PACK]
            payload = bytes(part for start in starts for part in start.parts())
            yield self._pack(TOC_TYPE, toc.first_track + place, payload)

    def _intervals(self) -> Iterator[Pack]:
        count = len(self.block.intervals)
        for interval in self.block.intervals:
            times = bytes((*interval.start.parts(), *interval.end.parts()))
            payload = bytes((interval.number, count & 0xFF)) + bytes(4) + times
            yield self._pack(INTERVALS_TYPE, interval.track, payload)


def _reason(error: UnicodeEncodeError, charset: int) -> str:
    if error.object[error.start : error.end] == "\0":
        return "the end of a text in CD-TEXT"
    return error.reason or f"not in {charset_name(charset)}"
