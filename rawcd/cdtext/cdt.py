"""`.cdt` files: packs as READ TOC format 5 answers them, with or without what it puts around.

CDRWIN and libcdio's samples end in a zero byte; files saved from a drive begin with the answer's
header: a length that does not count itself, and two zeros (formats.md 10.2).
"""

from __future__ import annotations

from typing import Final

from rawcd.errors import FormatError

_PACK_BYTES: Final = 18  # stated here again so that looking at a file needs no construct
_HEADER_BYTES: Final = 4
_LENGTH_BYTES: Final = 2


def packs_of_cdt(data: bytes) -> bytes:
    """Return a file's bare packs; what they say is `read_packs`' business.

    Raises:
        FormatError: the length is no whole number of packs, or the header or the last byte is
            not what it should be.
    """
    rest = len(data) % _PACK_BYTES
    if rest not in (0, 1, _HEADER_BYTES, _HEADER_BYTES + 1):
        raise FormatError(
            f"{len(data)} bytes are no whole number of packs of {_PACK_BYTES} bytes",
            place=f"offset {len(data) // _PACK_BYTES * _PACK_BYTES}",
        )
    packs = bytes(data)
    if rest in (1, _HEADER_BYTES + 1):
        if packs[-1]:
            raise FormatError(
                f"the last byte is {packs[-1]:02X}h, not zero", place=f"offset {len(packs) - 1}"
            )
        packs = packs[:-1]
    if rest >= _HEADER_BYTES:
        length = int.from_bytes(packs[:_LENGTH_BYTES], "big")
        body = len(packs) - _HEADER_BYTES
        if length not in (body, body + _LENGTH_BYTES):  # not all readers count the two zeros
            raise FormatError(
                f"the header announces {length} bytes; there are {body + _LENGTH_BYTES}",
                place="offset 0",
            )
        packs = packs[_HEADER_BYTES:]
    return packs


def cdt_of_packs(packs: bytes, *, header: bool = False) -> bytes:
    """Return bare packs as a file.

    Args:
        packs: whole packs; at most 3,640 with a header.
        header: put the four bytes of a READ TOC answer in front.

    Raises:
        ValueError: the packs are not whole.
    """
    if len(packs) % _PACK_BYTES:
        raise ValueError(f"{len(packs)} bytes are no whole number of packs")
    if not header:
        return packs
    return (len(packs) + _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "big") + bytes(2) + packs
