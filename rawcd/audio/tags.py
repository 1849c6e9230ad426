"""What sound files say of their sound: Vorbis comments in FLAC, the INFO list in WAVE.

Tags are pairs of a name, in Vorbis' spelling (`TITLE`, `ARTIST`, `ALBUM`, `TRACKNUMBER`, `ISRC`),
and a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import construct

from rawcd.errors import UnsupportedError

Tags = Sequence[tuple[str, str]]

_MARK: Final = b"fLaC"
_COMMENT: Final = 4
_TEXT: Final = construct.Prefixed(construct.Int32ul, construct.GreedyBytes)
# RFC 9639 8.1 and 8.6: a block's head, and what stands in a block of comments.
_BLOCK_HEAD: Final = construct.BitStruct(
    "last" / construct.Flag,
    "kind" / construct.BitsInteger(7),
    "size" / construct.BitsInteger(24),
)
_COMMENTS: Final = construct.Struct(
    "vendor" / _TEXT,
    "fields" / construct.PrefixedArray(construct.Int32ul, _TEXT),
)
_MOST_BYTES: Final = (1 << 24) - 1
# RIFF/WAVE: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0", INFO.
_INFO_IDS: Final = {
    "TITLE": b"INAM",
    "ARTIST": b"IART",
    "ALBUM": b"IPRD",
    "TRACKNUMBER": b"ITRK",
    "GENRE": b"IGNR",
}
_INFO_COMMENT: Final = b"ICMT"
_CHUNK: Final = construct.Aligned(
    2,
    construct.Struct(
        "id" / construct.Bytes(4),
        "data" / _TEXT,
    ),
)


def flac_head_with(head: bytes, tags: Tags) -> bytes | None:
    """Return the beginning of a FLAC file with these comments instead of its own.

    The first block, which an encoder comes back to, stays where it is.

    Args:
        head: the file's first bytes.
        tags: the comments.

    Returns:
        None as long as the last block of the head is not complete.

    Raises:
        UnsupportedError: the comments are too long for a block.
    """
    blocks: list[tuple[int, bytes]] = []
    at, last = len(_MARK), False
    while not last:
        if at + _BLOCK_HEAD.sizeof() > len(head):
            return None
        fields = _BLOCK_HEAD.parse(head[at:])
        at += _BLOCK_HEAD.sizeof()
        if at + fields.size > len(head):
            return None
        blocks.append((fields.kind, head[at : at + fields.size]))
        at += fields.size
        last = fields.last
    vendors = [_COMMENTS.parse(body).vendor for kind, body in blocks if kind == _COMMENT]
    comments = _COMMENTS.build(
        {
            "vendor": vendors[0] if vendors else b"",
            "fields": [f"{name}={text}".encode(errors="replace") for name, text in tags],
        }
    )
    if len(comments) > _MOST_BYTES:
        raise UnsupportedError(f"{len(comments)} bytes of texts do not fit into a FLAC file")
    others = [(kind, body) for kind, body in blocks if kind != _COMMENT]
    made = _MARK
    for kind, body in [*others, (_COMMENT, comments)]:
        made += _BLOCK_HEAD.build({"last": body is comments, "kind": kind, "size": len(body)})
        made += body
    return made + head[at:]


def info_list(tags: Tags) -> bytes:
    """Return the LIST chunk of a WAVE file; empty without tags.

    What INFO has no field for, such as an ISRC, stands in its comment as `NAME=text`.
    """
    if not tags:
        return b""
    own = [(_INFO_IDS[name], text) for name, text in tags if name in _INFO_IDS]
    rest = "; ".join(
        text if name == "COMMENT" else f"{name}={text}"
        for name, text in tags
        if name not in _INFO_IDS
    )
    if rest:
        own.append((_INFO_COMMENT, rest))
    body = b"INFO" + b"".join(
        _CHUNK.build({"id": name, "data": text.replace("\0", " ").encode(errors="replace") + b"\0"})
        for name, text in own
    )
    chunk = _CHUNK.build({"id": b"LIST", "data": body})
    assert isinstance(chunk, bytes)
    return chunk
