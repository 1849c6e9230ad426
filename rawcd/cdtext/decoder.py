"""Packs as CD-TEXT values, and what is wrong with them.

A pack that fails its CRC, or is none, is never used; what it leaves incomplete is dropped and
named. A pack's own track byte and character position tell where to go on behind a hole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rawcd.cdtext.charsets import Charset, charset_of, decode_text, width_of
from rawcd.cdtext.fields import (
    FIRST_TYPE,
    GENRE_TYPE,
    INTERVALS_TYPE,
    PLAIN_TEXT_TYPES,
    RESERVED_TYPES,
    SIZE_TYPE,
    TOC_TYPE,
    field_of_type,
)
from rawcd.cdtext.languages import UNKNOWN
from rawcd.cdtext.packs import (
    MAX_POSITION,
    PACK_BYTES,
    SIZE_PACKS,
    Pack,
    SizeInfo,
    crc_holds,
)
from rawcd.cdtext.values import (
    MAX_BLOCKS,
    MAX_TRACK,
    PAYLOAD_BYTES,
    CDText,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
)
from rawcd.errors import FormatError
from rawcd.msf import Msf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_PACKS_READ: Final = 3_640
"""READ TOC can answer no more: 65,534 bytes of packs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackDefect:
    """Something that is not as it should be.

    Attributes:
        code: stable. Packs: `length`, `crc`, `pack` (of no known kind), `excess`, `order`,
            `twice`, `gap`, `block-missing`. Size information: `size-info`, `counts`,
            `languages`. Texts: `text-lost`, `no-album-text`, `track-number`, `track-beyond`,
            `position`, `unterminated`, `double-byte`, `characters`, `repeat`. Types 88h and
            89h: `binary`.
        message: a sentence.
        pack: which pack of the data it is, counted from 0, where it is one pack.
        block: which block, where it is known.
    """

    code: str
    message: str
    pack: int | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PacksReading:
    """What packs say, and how far they can be trusted.

    Attributes:
        cdtext: the texts of all sound packs; None if there is not one block.
        crc_ok: for each pack of the data whether its CRC holds.
        defects: all that is wrong.
    """

    cdtext: CDText | None
    crc_ok: tuple[bool, ...]
    defects: tuple[PackDefect, ...]

    def whole(self) -> CDText:
        """Return the texts if nothing is wrong with them.

        Raises:
            FormatError: something is.
        """
        if self.defects:
            first, *others = self.defects
            more = f" (and {len(others)} more)" if others else ""
            place = "CD-TEXT" if first.pack is None else f"CD-TEXT pack {first.pack}"
            raise FormatError(first.message + more, place=place)
        if self.cdtext is None:
            raise FormatError("there are no packs", place="CD-TEXT")
        return self.cdtext


def read_packs(data: bytes, *, check_crc: bool = True) -> PacksReading:
    """Read packs of 18 bytes, sound or not.

    Args:
        data: bare packs; `packs_of_cdt` gives those of a file.
        check_crc: use packs without regard to their CRC, for sheets that do not store it.
    """
    reader = _Reader(check_crc=check_crc)
    return reader.read(bytes(data))


_Blocks = dict[int, dict[int, Pack]]


@dataclass(slots=True, kw_only=True)
class _Reader:
    check_crc: bool
    defects: list[PackDefect] = field(default_factory=list)

    def note(
        self, code: str, message: str, *, pack: int | None = None, block: int | None = None
    ) -> None:
        self.defects.append(PackDefect(code=code, message=message, pack=pack, block=block))

    def read(self, data: bytes) -> PacksReading:
        count, rest = divmod(len(data), PACK_BYTES)
        if rest:
            self.note("length", f"{rest} bytes behind the last whole pack")
        if count > MAX_PACKS_READ:
            self.note("excess", f"{count} packs, of which {MAX_PACKS_READ} are read")
        rows = [
            data[place * PACK_BYTES :][:PACK_BYTES] for place in range(min(count, MAX_PACKS_READ))
        ]
        crc_ok = tuple(crc_holds(row) for row in rows)
        blocks = self._sorted(rows, crc_ok)
        sizes = {number: self._size_info(number, packs) for number, packs in blocks.items()}
        known = [size for size in sizes.values() if size is not None]
        self._check_tables(known, blocks)
        read = [
            _BlockReader(
                number=number,
                packs=blocks[number],
                size=sizes[number],
                language=self._language(number, sizes[number], known),
                last=self._last_sequence(number, blocks[number], sizes[number], known),
                first_track=_known(sizes[number], known, "first_track") or 1,
                last_track=_known(sizes[number], known, "last_track") or MAX_TRACK,
                reader=self,
            ).read()
            for number in sorted(blocks)
        ]
        cdtext = CDText(blocks=tuple(read)) if read else None
        return PacksReading(cdtext=cdtext, crc_ok=crc_ok, defects=tuple(self.defects))

    def _sorted(self, rows: Sequence[bytes], crc_ok: Sequence[bool]) -> _Blocks:
        blocks: _Blocks = {}
        before = (-1, -1)
        for place, (row, ok) in enumerate(zip(rows, crc_ok, strict=True)):
            if self.check_crc and not ok:
                self.note("crc", f"the CRC of {row.hex()} is wrong", pack=place)
                continue
            try:
                pack = Pack.parse(row)
            except FormatError as error:
                self.note("pack", error.reason, pack=place)
                continue
            block = blocks.setdefault(pack.block, {})
            if (first := block.get(pack.sequence)) is not None:
                what = "again" if first == pack else "with another content"
                message = f"pack {pack.sequence} of block {pack.block} {what}"
                self.note("twice", message, pack=place, block=pack.block)
                continue
            block[pack.sequence] = pack
            if (pack.block, pack.sequence) < before:
                message = f"pack {pack.sequence} of block {pack.block} comes late"
                self.note("order", message, pack=place, block=pack.block)
            before = (pack.block, pack.sequence)
        return blocks

    def _size_info(self, number: int, packs: dict[int, Pack]) -> SizeInfo | None:
        parts = {pack.track: pack for pack in packs.values() if pack.pack_type == SIZE_TYPE}
        if sorted(parts) != list(range(SIZE_PACKS)):
            found = f"elements {sorted(parts)}" if parts else "none"
            message = f"size information has elements 0, 1 and 2; block {number} has {found}"
            self.note("size-info", message, block=number)
            return None
        size = SizeInfo.parse(b"".join(parts[element].payload for element in range(SIZE_PACKS)))
        if not 1 <= size.first_track <= size.last_track <= MAX_TRACK:
            message = f"tracks {size.first_track} to {size.last_track} in block {number}"
            self.note("size-info", message, block=number)
            return replace(size, first_track=0, last_track=0)
        return size

    def _check_tables(self, known: list[SizeInfo], blocks: _Blocks) -> None:
        if len({(size.last_sequences, size.languages) for size in known}) > 1:
            self.note("languages", "the blocks do not agree on all blocks' languages and sizes")
        for number in range(MAX_BLOCKS):
            if number not in blocks and any(size.last_sequences[number] for size in known):
                message = f"block {number} is announced and not there"
                self.note("block-missing", message, block=number)

    def _language(self, number: int, own: SizeInfo | None, known: list[SizeInfo]) -> int:
        source = own or (known[0] if known else None)
        return source.languages[number] if source else UNKNOWN

    def _last_sequence(
        self, number: int, packs: dict[int, Pack], own: SizeInfo | None, known: list[SizeInfo]
    ) -> int:
        source = own or (known[0] if known else None)
        there = max(packs)
        last = there if source is None else source.last_sequences[number]
        if last < there:
            message = f"pack {there} lies behind the last one announced, {last}"
            self.note("counts", message, block=number)
        return max(last, there)


def _known(own: SizeInfo | None, known: list[SizeInfo], name: str) -> int:
    """Return a track number from a block's size information, or from another block's."""
    return next((value for size in (own, *known) if size and (value := getattr(size, name))), 0)


@dataclass(slots=True, kw_only=True)
class _BlockReader:
    """One block.

    `last` is the last sequence number that is known of; the tracks are the disc's, 1 to 99
    where nothing tells.
    """

    number: int
    packs: dict[int, Pack]
    size: SizeInfo | None
    language: int
    last: int
    first_track: int
    last_track: int
    reader: _Reader
    items: list[TextItem] = field(default_factory=list)
    charset: int = 0

    def note(self, code: str, message: str) -> None:
        self.reader.note(code, f"block {self.number}: {message}", block=self.number)

    def _charset(self) -> int:
        if self.size is not None:
            return charset_of(self.size.charset)
        double = any(
            pack.double_byte and pack.pack_type in PLAIN_TEXT_TYPES for pack in self.packs.values()
        )
        return Charset.MS_JIS if double else Charset.ISO_8859_1

    def read(self) -> TextBlock:
        self.charset = self._charset()
        self._check_sequence()
        by_type: dict[int, list[Pack]] = {}
        for _, pack in sorted(self.packs.items()):
            by_type.setdefault(pack.pack_type, []).append(pack)
        genre_code: int | None = None
        for pack_type, packs in sorted(by_type.items()):
            if pack_type == GENRE_TYPE:
                genre_code = self._genre(packs)
            elif field_of_type(pack_type, 0):
                self._texts(pack_type, packs)
        toc = self._toc(by_type.get(TOC_TYPE, []))
        intervals = self._intervals(by_type.get(INTERVALS_TYPE, []))
        kept = set(RESERVED_TYPES)
        kept |= set() if toc else {TOC_TYPE}
        kept |= set() if intervals else {INTERVALS_TYPE}
        raw = tuple(
            RawPack(pack_type=pack.pack_type, element=pack.track, payload=pack.payload)
            for pack_type, packs in sorted(by_type.items())
            for pack in packs
            if pack_type in kept
        )
        return TextBlock(
            language=self.language,
            items=tuple(self.items),
            charset=self.charset,
            genre_code=genre_code,
            toc=toc,
            intervals=intervals,
            raw=raw,
            copyright=self.size.copyright if self.size else 0,
            first_track=(self.size.first_track or None) if self.size else None,
            last_track=(self.size.last_track or None) if self.size else None,
        )

    def _check_sequence(self) -> None:
        missing = [number for number in range(self.last + 1) if number not in self.packs]
        if missing:
            self.note("gap", f"packs are missing: {_ranges(missing)}")
        elif self.size is not None:
            counts = Counter(pack.pack_type for pack in self.packs.values())
            for pack_type in range(FIRST_TYPE, SIZE_TYPE + 1):
                told = self.size.counts[pack_type - FIRST_TYPE]
                if counts[pack_type] != told:
                    there = f"{counts[pack_type]} packs of type {pack_type:02X}h"
                    self.note("counts", f"{there}; {told} are announced")

    # -- texts -------------------------------------------------------------------------------

    def _texts(self, pack_type: int, packs: list[Pack]) -> None:
        walk = _TextWalk(pack_type=pack_type, block=self)
        for pack in packs:
            walk.take(pack)
        walk.end(packs)
        texts: dict[int, bytes] = {}
        for track, (code, double_byte) in sorted(walk.entries.items()):
            text = code
            if code == b"\t" * (2 if double_byte else 1):
                before = 0 if track == self.first_track else track - 1
                if before not in texts:
                    name = walk.name(range(track, track + 1))
                    self.note("repeat", f"{name} repeats a text that is not there")
                    continue
                text = texts[before]
            texts[track] = text
            self._add(pack_type, track, text, double_byte=double_byte)

    def _add(self, pack_type: int, track: int, code: bytes, *, double_byte: bool) -> None:
        text_field = field_of_type(pack_type, track)
        if not code:
            return
        if text_field is None:
            self.note("track-beyond", f"type {pack_type:02X}h has a text for track {track}")
            return
        charset = self.charset if text_field.charset is None else text_field.charset
        text, trouble = decode_text(code, charset, double_byte=double_byte)
        if trouble:
            owner = f"track {track}" if track else "the album"
            self.note("characters", f"{text_field.name} of {owner}: {trouble}")
        if text:
            self.items.append(TextItem(field=text_field.name, track=track, text=text))

    def _genre(self, packs: list[Pack]) -> int | None:
        head = packs[0].payload[:2]
        if packs[0].position or not _adjacent(packs):
            self.note("text-lost", "the genre is not whole")
            return None
        stream = packs[0].payload[2:]
        for pack in packs[1:]:
            rest = pack.payload
            # Some writers repeat the code. No text begins with the zero that all codes begin
            # with, and one that has ended goes on in zeros alone.
            if not rest[0] and rest.startswith(head) and any(rest):
                rest = rest[2:]
            stream += rest
        text, terminator, padding = stream.partition(b"\0")
        if not terminator and packs[-1].sequence + 1 not in self.packs:
            self.note("text-lost", "the genre is not whole")
            text = b""
        elif not terminator:
            self.note("unterminated", "the genre has no end")
        if any(padding):
            self.note("track-beyond", f"{padding.hex(' ')} behind the genre")
        self._add(GENRE_TYPE, 0, text, double_byte=False)
        return int.from_bytes(head, "big")

    # -- numbers -----------------------------------------------------------------------------

    def _toc(self, packs: list[Pack]) -> TextToc | None:
        try:
            return _toc_of(packs) if packs else None
        except ValueError as error:
            self.note("binary", f"table of contents: {error}")
            return None

    def _intervals(self, packs: list[Pack]) -> tuple[TextInterval, ...]:
        try:
            return tuple(_interval_of(pack, len(packs)) for pack in packs)
        except ValueError as error:
            self.note("binary", f"second table of contents: {error}")
            return ()


def _toc_of(packs: list[Pack]) -> TextToc:
    head = packs[0].payload
    tracks = range(head[0], head[1] + 1)
    if packs[0].track or head[2] or any(head[6:]):
        raise ValueError("its first pack is of another form")
    if [pack.track for pack in packs] != [0, *tracks[:: PAYLOAD_BYTES // 3]]:
        raise ValueError("its packs are not those of its tracks")
    stream = b"".join(pack.payload for pack in packs[1:])
    if any(stream[3 * len(tracks) :]):
        raise ValueError("there are more starts than tracks")
    starts = tuple(Msf(*stream[3 * i : 3 * i + 3]) for i in range(len(tracks)))
    return TextToc(starts=starts, lead_out=Msf(*head[3:6]), first_track=head[0])


def _interval_of(pack: Pack, count: int) -> TextInterval:
    if pack.payload[1] != count or any(pack.payload[2:6]):
        raise ValueError(f"a pack of another form: {pack.payload.hex()}")
    return TextInterval(
        track=pack.track,
        start=Msf(*pack.payload[6:9]),
        end=Msf(*pack.payload[9:12]),
        number=pack.payload[0],
    )


@dataclass(slots=True, kw_only=True)
class _TextWalk:
    """The texts of one type, pack by pack.

    `pending` is the text that is being gathered, None behind a hole in the midst of one;
    `track` is whose it is.
    """

    pack_type: int
    block: _BlockReader
    entries: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    track: int = 0
    pending: bytes | None = b""
    sequence: int | None = None
    double_byte: bool = False

    def name(self, tracks: range) -> str:
        text_field = field_of_type(self.pack_type, tracks[0])
        what = text_field.name if text_field else f"type {self.pack_type:02X}h"
        if tracks[-1] == 0:
            return f"{what} of the album"
        if len(tracks) == 1:
            return f"{what} of track {tracks[0]}"
        album = "the album and " if tracks[0] == 0 else ""
        first = tracks[0] or self.block.first_track
        owners = f"tracks {first} to {tracks[-1]}" if first < tracks[-1] else f"track {first}"
        return f"{what} of {album}{owners}"

    def take(self, pack: Pack) -> None:
        width = 2 if pack.double_byte else 1
        wanted = width_of(self.block.charset) if self.pack_type in PLAIN_TEXT_TYPES else 1
        if width != wanted:
            is_double = "is" if pack.double_byte else "is not"
            self.block.note("double-byte", f"pack {pack.sequence} {is_double} flagged double byte")
        if self.sequence is not None and pack.sequence == self.sequence + 1:
            self._check(pack, width)
        else:
            self._begin(pack)
        self.sequence = pack.sequence
        self.double_byte = pack.double_byte
        for place in range(0, PAYLOAD_BYTES, width):
            character = pack.payload[place : place + width]
            if not any(character):
                self._terminate()
            elif self.pending is not None:
                self.pending += character

    def _begin(self, pack: Pack) -> None:
        """Start, or go on behind a hole, where the pack says."""
        first = self.sequence is None
        hole = bool(pack.sequence) and pack.sequence - 1 not in self.block.packs
        if first and not hole and pack.track:
            self.block.note("no-album-text", f"type {self.pack_type:02X}h begins in another track")
            self.track = pack.track
        elif not first and pack.track < self.track:
            self.block.note("track-number", f"pack {pack.sequence} goes back to track {pack.track}")
        torn = bool(pack.position) or (bool(self.pending) and pack.track == self.track)
        self._lose(range(self.track, pack.track + torn))
        self.track = pack.track
        self.pending = None if pack.position else b""

    def _check(self, pack: Pack, width: int) -> None:
        """Compare what a pack says of itself with what came before it."""
        pending = self.pending
        if pending is None or not (pending or any(pack.payload)):
            return
        if pack.track != self.track:
            told = f"pack {pack.sequence} is of track {pack.track}, by count of {self.track}"
            self.block.note("track-number", told)
            if not pending and not pack.position:
                self.track = pack.track  # texts in packs of their own, filled up with zeros
        position = min(len(pending) // width, MAX_POSITION)
        if pack.position != position:
            told = f"pack {pack.sequence} is at character {pack.position}, by count at {position}"
            self.block.note("position", told)

    def _terminate(self) -> None:
        if self.pending is not None:
            self._store(self.pending)
        self.track = self.track + 1 if self.track else self.block.first_track
        self.pending = b""

    def _store(self, code: bytes) -> None:
        if self.track > self.block.last_track:
            if code:
                name = self.name(range(self.track, self.track + 1))
                self.block.note("track-beyond", f"{name}: there is no such track")
        elif not self.entries.get(self.track, (b"", False))[0]:
            self.entries[self.track] = code, self.double_byte

    def _lose(self, tracks: range) -> None:
        if tracks:
            self.block.note("text-lost", f"{self.name(tracks)} is not whole")

    def end(self, packs: Sequence[Pack]) -> None:
        """Settle what the last pack left open."""
        behind = packs[-1].sequence + 1
        if behind in self.block.packs:
            if self.pending:
                name = self.name(range(self.track, self.track + 1))
                self.block.note("unterminated", f"{name} has no end")
                self._store(self.pending)
            return
        size = self.block.size
        more = size is not None and size.counts[self.pack_type - FIRST_TYPE] > len(packs)
        if more and size is not None and size.last_track:
            self._lose(range(self.track, size.last_track + 1))
        elif self.pending:
            self._lose(range(self.track, self.track + 1))


def _adjacent(packs: Sequence[Pack]) -> bool:
    return all(pack.sequence == packs[0].sequence + i for i, pack in enumerate(packs))


def _ranges(numbers: Sequence[int]) -> str:
    """Return "3, 5 to 7"."""
    return ", ".join(_parts(numbers))


def _parts(numbers: Sequence[int]) -> Iterator[str]:
    begin = before = numbers[0]
    for number in [*numbers[1:], MAX_PACKS_READ]:
        if number != before + 1:
            yield f"{begin} to {before}" if begin != before else f"{begin}"
            begin = number
        before = number
