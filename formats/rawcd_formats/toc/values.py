"""What a TOC file says, as frozen values; two are equal wherever their lines stood.

Strings are Unicode text, or bytes of an unknown character set: ASCII stands as itself, every
other byte as a lone surrogate U+DC80..U+DCFF, as in `rawcd.cdtext.charsets`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Amount:
    """A position or a length.

    Attributes:
        count: frames, where it was written mm:ss:ff; else samples of sound or bytes of data.
        in_frames: it was.
    """

    count: int
    in_frames: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """CATALOG: the media catalogue number as written."""

    digits: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Isrc:
    """ISRC of a track, for the Q channel, as written."""

    code: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FirstTrack:
    """FIRST_TRACK_NO: the first track's number."""

    number: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Language:
    """A line of LANGUAGE_MAP: the CD-TEXT language code of a block."""

    block: int
    code: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """A CD-TEXT item: its keyword, and a string or binary data."""

    keyword: str
    value: str | bytes
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Texts:
    """LANGUAGE n { ... }: what a CD_TEXT section says in one block.

    Attributes:
        block: 0..7.
        items: in the order in which they stand.
        encoding: the word behind ENCODING_.
        line: where it begins.
    """

    block: int
    items: tuple[Item, ...] = ()
    encoding: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SoundFile:
    """FILE or AUDIOFILE: samples of a file, raw ones high byte first unless SWAP stands there.

    Attributes:
        name: the file.
        start: the first sample.
        length: None, like zero, is all to the end.
        offset: bytes of the file to pass over before anything else.
        swap: exchange the bytes of each sample.
        line: where it stands.
    """

    name: str
    start: Amount = Amount(0)
    length: Amount | None = None
    offset: int = 0
    swap: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class DataFile:
    """DATAFILE: bytes of a file in blocks of the track's mode; the attributes are SoundFile's."""

    name: str
    length: Amount | None = None
    offset: int = 0
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Fifo:
    """FIFO: what another program writes into a named pipe."""

    name: str
    length: Amount
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Silence:
    """SILENCE: samples of digital silence."""

    length: Amount
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Zero:
    """ZERO: zero bytes; mode and subchannel are the track's where they are not given."""

    length: Amount
    mode: str | None = None
    subchannel: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pregap:
    """PREGAP: frames without content before index 1."""

    frames: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Start:
    """START: where index 1 lies, in frames from the track's beginning; None: here."""

    frames: int | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """END: where the postgap begins, which gets an index; None: here."""

    frames: int | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class IndexAt:
    """INDEX: the place of the next index, in frames from index 1."""

    frames: int
    line: int = field(default=0, compare=False)


Part = SoundFile | DataFile | Fifo | Silence | Zero | Pregap | Start | End
"""What a track is made of, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSheet:
    """TRACK and all that follows it.

    Attributes:
        mode: a key of `MODES`.
        subchannel: None, `"RW"` or `"RW_RAW"`.
        copy: COPY.
        pre_emphasis: PRE_EMPHASIS.
        four_channel: FOUR_CHANNEL_AUDIO.
        isrc: for the Q channel.
        texts: its CD_TEXT.
        parts: what it is made of.
        indexes: those above 1.
        line: where it begins.
    """

    mode: str
    subchannel: str | None = None
    copy: bool = False
    pre_emphasis: bool = False
    four_channel: bool = False
    isrc: Isrc | None = None
    texts: tuple[Texts, ...] = ()
    parts: tuple[Part, ...] = ()
    indexes: tuple[IndexAt, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole TOC file.

    Attributes:
        disc_type: CD_DA, CD_ROM, CD_ROM_XA or CD_I; None where nothing was said.
        catalog: the media catalogue number.
        first_track: the first track's number.
        languages: the lines of LANGUAGE_MAP.
        texts: CD_TEXT of the album.
        tracks: in order.
    """

    disc_type: str | None = None
    catalog: Catalog | None = None
    first_track: FirstTrack | None = None
    languages: tuple[Language, ...] = ()
    texts: tuple[Texts, ...] = ()
    tracks: tuple[TrackSheet, ...] = ()
