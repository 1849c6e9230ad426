"""TOC files as values of any legal shape."""

from __future__ import annotations

from hypothesis import strategies as st

from rawcd_formats.toc import values as toc
from rawcd_formats.toc.grammar import ENCODINGS, KEYWORDS
from rawcd_formats.toc.modes import DISC_TYPES, MODES, SUBCHANNELS

NUMBERS = st.integers(0, 10**15 - 1)
FRAMES = st.sampled_from([0, 74, 75, 4_499, 4_500, 449_999]) | st.integers(0, 10**7)
AMOUNTS = st.builds(toc.Amount, NUMBERS) | st.builds(toc.Amount, FRAMES, st.just(True))
SUBS = st.none() | st.sampled_from(SUBCHANNELS)


def strings() -> st.SearchStrategy[str]:
    """Unicode text, or bytes with surrogates for those above 7Fh; no NUL."""
    unicode = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    ascii_ = [chr(code) for code in range(1, 0x80)]
    high = [chr(0xDC00 + code) for code in range(0x80, 0x100)]
    tricky = st.sampled_from(['"', "\\", '\\"', "\\134", "//", "\n", "{", "\udcc3", "1"])
    return unicode | st.lists(st.sampled_from(ascii_ + high) | tricky).map("".join)


def texts() -> st.SearchStrategy[toc.Texts]:
    items = st.builds(
        toc.Item, st.sampled_from(sorted(KEYWORDS)), strings() | st.binary(max_size=40)
    )
    encodings = st.none() | st.sampled_from(ENCODINGS)
    many = st.lists(items, max_size=4).map(tuple)
    return st.builds(toc.Texts, st.integers(0, 7), many, encodings)


def parts() -> st.SearchStrategy[toc.Part]:
    lengths = st.none() | AMOUNTS
    times = st.none() | FRAMES
    return st.one_of(
        st.builds(toc.SoundFile, strings(), AMOUNTS, lengths, NUMBERS, st.booleans()),
        st.builds(toc.DataFile, strings(), lengths, NUMBERS),
        st.builds(toc.Fifo, strings(), AMOUNTS),
        st.builds(toc.Silence, AMOUNTS),
        st.builds(toc.Zero, AMOUNTS, st.none() | st.sampled_from(sorted(MODES)), SUBS),
        st.builds(toc.Pregap, FRAMES),
        st.builds(toc.Start, times),
        st.builds(toc.End, times),
    )


def sheets() -> st.SearchStrategy[toc.Sheet]:
    tracks = st.builds(
        toc.TrackSheet,
        mode=st.sampled_from(sorted(MODES)),
        subchannel=SUBS,
        copy=st.booleans(),
        pre_emphasis=st.booleans(),
        four_channel=st.booleans(),
        isrc=st.none() | st.builds(toc.Isrc, strings()),
        texts=st.lists(texts(), max_size=2).map(tuple),
        parts=st.lists(parts(), max_size=5).map(tuple),
        indexes=st.lists(st.builds(toc.IndexAt, FRAMES), max_size=3).map(tuple),
    )
    languages = st.builds(toc.Language, st.integers(0, 7), st.integers(0, 255))
    return st.builds(
        toc.Sheet,
        disc_type=st.none() | st.sampled_from(sorted(DISC_TYPES)),
        catalog=st.none() | st.builds(toc.Catalog, strings()),
        first_track=st.none() | st.builds(toc.FirstTrack, st.integers(1, 99)),
        languages=st.lists(languages, max_size=3).map(tuple),
        texts=st.lists(texts(), max_size=3).map(tuple),
        tracks=st.lists(tracks, min_size=1, max_size=4).map(tuple),
    )
