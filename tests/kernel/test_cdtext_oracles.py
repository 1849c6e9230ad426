"""CD-TEXT against libburn and libcdio, where they are installed.

libburn makes packs of random Sony sheets, and sheets of packs; libcdio reads texts out of packs.
Both are called through ctypes, in another process, so that a fault of theirs ends only that.
"""

from __future__ import annotations

import ctypes
import json
import random
import subprocess
import sys
from typing import Any

import pytest

from rawcd.cdtext import (
    GENRES,
    TEXT_STYLES,
    CDText,
    Charset,
    TextBlock,
    TextItem,
    TextStyle,
    read_packs,
)


def has(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


LIBBURN = "libburn.so.4"
LIBCDIO = "libcdio.so.19"
with_libburn = pytest.mark.skipif(not has(LIBBURN), reason="libburn is not installed")
with_libcdio = pytest.mark.skipif(not has(LIBCDIO), reason="libcdio is not installed")

BURN_POS_END = 100
BURN = """
import ctypes as C, json, sys, tempfile
from pathlib import Path
lib = C.CDLL(sys.argv[1])
lib.burn_session_create.restype = lib.burn_track_create.restype = C.c_void_p
lib.burn_session_add_track.argtypes = [C.c_void_p, C.c_void_p, C.c_uint]
lib.burn_session_input_sheet_v07t.argtypes = [C.c_void_p, C.c_char_p, C.c_int, C.c_int]
lib.burn_cdtext_from_session.argtypes = [
    C.c_void_p, C.POINTER(C.c_void_p), C.POINTER(C.c_int), C.c_int]
lib.burn_make_input_sheet_v07t.argtypes = [
    C.c_char_p, C.c_int, C.c_int, C.c_int, C.POINTER(C.c_void_p), C.POINTER(C.c_int), C.c_int]
lib.burn_initialize()
lib.burn_msgs_set_severities(b"NEVER", b"NEVER", b"")
folder = Path(tempfile.mkdtemp())
answers = []
for tracks, sheets in json.load(sys.stdin):
    session = lib.burn_session_create()
    for _ in range(tracks):
        lib.burn_session_add_track(session, lib.burn_track_create(), 100)
    path = folder / "sheet"
    for block, sheet in enumerate(sheets):
        path.write_bytes(sheet.encode("latin-1"))
        assert lib.burn_session_input_sheet_v07t(session, bytes(path), block, 0) > 0
    packs, count = C.c_void_p(), C.c_int()
    assert lib.burn_cdtext_from_session(session, C.byref(packs), C.byref(count), 0) > 0
    data = C.string_at(packs, count.value * 18)
    text, code = C.c_void_p(), C.c_int()
    size = lib.burn_make_input_sheet_v07t(
        data, count.value, 0, 0, C.byref(text), C.byref(code), 0)
    assert size > 0
    answers.append((data.hex(), C.string_at(text, size).decode("latin-1")))
path.unlink()
folder.rmdir()
json.dump(answers, sys.stdout)
"""
CDIO = """
import ctypes as C, json, sys
lib = C.CDLL(sys.argv[1])
lib.cdtext_init.restype = C.c_void_p
lib.cdtext_data_init.argtypes = [C.c_void_p, C.c_char_p, C.c_size_t]
lib.cdtext_get_const.argtypes = [C.c_void_p, C.c_int, C.c_int]
lib.cdtext_get_const.restype = lib.cdtext_field2str.restype = C.c_char_p
lib.cdtext_set_language_index.argtypes = [C.c_void_p, C.c_int]
lib.cdtext_get_language.argtypes = lib.cdtext_get_genre.argtypes = [C.c_void_p]
answers = []
for packs in json.load(sys.stdin):
    data = bytes.fromhex(packs)
    cdtext = lib.cdtext_init()
    assert lib.cdtext_data_init(cdtext, data, len(data)) == 0
    blocks = []
    for block in range(8):
        if not lib.cdtext_set_language_index(cdtext, block):
            break
        texts = [
            (lib.cdtext_field2str(field).decode().lower(), track, text.decode())
            for track in range(100)
            for field in range(10)
            if (text := lib.cdtext_get_const(cdtext, field, track))
        ]
        blocks.append((lib.cdtext_get_language(cdtext), lib.cdtext_get_genre(cdtext), texts))
    answers.append(blocks)
json.dump(answers, sys.stdout)
"""


def asked(script: str, library: str, questions: object) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", script, library],
        input=json.dumps(questions),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


ALBUM = ("Album Title", "Artist Name", "Songwriter", "Composer", "Arranger", "Album Message")
TRACK = ("Title", "Artist", "Songwriter", "Composer", "Arranger", "Message")


def sheets(order: random.Random) -> tuple[int, list[str]]:
    """Random sheets for the tracks of one disc, of few enough texts that some repeat."""

    def text() -> str:
        letters = (order.choice("abc def\xe9\xfcXYZ") for _ in range(order.randint(1, 30)))
        return "".join(letters).strip() or "x"

    tracks = order.randint(1, 25)
    pool = [text() for _ in range(4)]
    made = []
    for _ in range(order.randint(1, 3)):
        lines = ["Input Sheet Version = 0.7T", "Text Code = 8859"]
        lines.append(f"Language Code = {order.choice(['English', 'German', 'Japanese'])}")
        lines.append(f"Album Title = {order.choice(pool)}")  # no block without a text
        lines += [f"{name} = {order.choice(pool)}" for name in ALBUM if order.random() < 0.4]
        if order.random() < 0.5:
            lines.append(f"Genre Code = {order.choice(list(GENRES.values()))}")
            lines.append(f"Genre Information = {'g' * order.randint(1, 40)}")
        lines += [f"Closed Information = {text()}", "Catalog Number = X-1"][: order.randint(0, 2)]
        if order.random() < 0.4:
            lines.append("UPC / EAN = 1234567890123")
        for name in TRACK:
            if order.random() < 0.4:
                lines += [
                    f"Track {track:02} {name} = {order.choice(pool)}"
                    for track in range(1, tracks + 1)
                    if order.random() < 0.7
                ]
        if order.random() < 0.4:
            lines += [f"ISRC {track:02} = USRC176078{order.choice('34')}9" for track in (1, tracks)]
        made.append("\n".join(lines) + "\n")
    return tracks, made


@with_libburn
def test_libburn_makes_the_same_packs_of_any_sheet() -> None:
    order = random.Random(7)
    discs = [sheets(order) for _ in range(150)]
    answers = asked(BURN, LIBBURN, discs)
    again = []
    for (tracks, written), (packs, theirs) in zip(discs, answers, strict=True):
        cdtext = CDText.from_v07t(*written)
        made = cdtext.to_packs(style=TEXT_STYLES["libburn"], first_track=1, last_track=tracks)
        assert made.hex() == packs
        read = read_packs(made).whole()
        # Its sheets say the same as its packs, and ours give it the same packs.
        assert CDText.from_v07t(theirs) == read
        again.append((tracks, read.to_v07t()))
    assert [packs for packs, _ in asked(BURN, LIBBURN, again)] == [packs for packs, _ in answers]


@with_libcdio
def test_libcdio_reads_what_was_written() -> None:
    """libcdio decodes all blocks by the character code of the last: here it is one for all."""
    texts = {
        Charset.ISO_8859_1: ["Caf\xe9", "x" * 40, "\xff", "One"],
        Charset.MS_JIS: ["\u65e5\u672c\u8a9e", "\uff76\uff9e Band 1", "\u3042" * 30, "\u8868"],
    }
    wide = {"\uff76\uff9e Band 1": "\u30ac\u3000\uff22\uff41\uff4e\uff44\u3000\uff11"}
    styles = [*TEXT_STYLES.values(), TextStyle(closed_per_track=True)]
    questions, wanted = [], []
    for charset, pool in texts.items():
        for style in styles:
            order = random.Random(3)
            items = [
                TextItem(field=field, track=track, text=order.choice(pool))
                for field in ("title", "performer", "message")
                for track in range(13)  # with the album's: it takes no TAB behind an empty one
            ]
            items += [
                TextItem(field="disc_id", track=0, text="X-1"),
                TextItem(field="genre", track=0, text="quiet and long enough"),
                TextItem(field="upc_ean", track=0, text="4006381333931"),
                TextItem(field="isrc", track=12, text="USRC17607839"),
            ]
            block = TextBlock(language=0x69, charset=charset, items=tuple(items), genre_code=14)
            questions.append(CDText(blocks=(block, block)).to_packs(style=style).hex())
            read = {(item.field, item.track): wide.get(item.text, item.text) for item in items}
            wanted.append([(0x69, 14, read)] * 2)
    answers = asked(CDIO, LIBCDIO, questions)
    for blocks, right in zip(answers, wanted, strict=True):
        for (language, genre, found), block_right in zip(blocks, right, strict=True):
            told = {(field, track): text for field, track, text in found}
            assert (language, genre, told) == block_right
