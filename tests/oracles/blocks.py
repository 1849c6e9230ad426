"""Blocks of every kind and size that users have, and the sector that each of them becomes.

The slow road again: what stands here is written from IMAPI's page, the sheets' list of track
modes and the Green Book, with the formulas of `sectors`; nothing of the codec is asked.
"""

from __future__ import annotations

import random

from tests.oracles import sectors

FORM_1 = bytes.fromhex("0000080000000800")
"""The subheader of data that brings none."""
FORM_2 = bytes.fromhex("0000200000002000")

SIZES = {
    "MODE_ZERO": (2336, 2352),
    "MODE1": (2048, 2352),
    "MODE2FORM0": (2336, 2352),
    "MODE2FORM1": (2048, 2056, 2336, 2352),
    "MODE2FORM2": (2336, 2324, 2332, 2352),
    "MODE2MIXED": (2336, 2332, 2352),
    "MODE1RAW": (2352,),
    "MODE2FORM0RAW": (2352,),
    "MODE2FORM1RAW": (2352,),
    "MODE2FORM2RAW": (2352,),
}
"""IMAPI_CD_SECTOR_TYPE with its input sizes, IMAPI's own first, then those that users have."""
_USER_BYTES = {
    "MODE_ZERO": 2336,
    "MODE1": 2048,
    "MODE2FORM0": 2336,
    "MODE2FORM1": 2048,
    "MODE2FORM2": 2324,
    "MODE2MIXED": 2332,  # with the subheader, which tells the form
}
KINDS_AND_SIZES = [(kind, size) for kind, sizes in SIZES.items() for size in sizes]


def _subheader(noise: random.Random, *, form_2: bool) -> bytes:
    """File, channel, submode, coding: twice; bit 5 of the submode tells the form."""
    submode = noise.randrange(256) & ~0x20 | (0x20 if form_2 else 0)
    return bytes([noise.randrange(4), noise.randrange(32), submode, noise.randrange(256)]) * 2


def blocks(kind: str, size: int, count: int, *, seed: int = 1, lba: int = 0) -> list[bytes]:
    """Blocks as a user has them; whole sectors are of their place, the first one's being `lba`."""
    noise = random.Random(f"{kind} {size} {seed}")
    made = [_block(kind, size, noise) for _ in range(count)]
    if size < 2352:
        return made
    smaller = kind.removesuffix("RAW")
    return [sector(smaller, block, lba + i) for i, block in enumerate(made)]


def _block(kind: str, size: int, noise: random.Random) -> bytes:
    kind = kind.removesuffix("RAW")
    if size == 2352:
        size = _USER_BYTES[kind]
    if kind == "MODE_ZERO":
        return bytes(size)
    if kind in ("MODE1", "MODE2FORM0") or size in (2048, 2324):
        return noise.randbytes(size)
    form_2 = kind == "MODE2FORM2" or (kind == "MODE2MIXED" and noise.random() < 0.5)
    start = _subheader(noise, form_2=form_2)
    if form_2 and size == 2336:
        start += noise.randbytes(2324)
        return start + noise.choice([bytes(4), sectors.edc(start)])
    return start + noise.randbytes(size - 8)


def sector(kind: str, block: bytes, lba: int, subheader: bytes | None = None) -> bytes:
    """The sector, before scrambling, that a block becomes at an address."""
    kind, size = kind.removesuffix("RAW"), len(block)
    if size == 2352:
        return block
    if kind == "MODE_ZERO":
        return sectors.mode_0(lba)
    if kind == "MODE1":
        return sectors.mode_1(block, lba)
    if kind == "MODE2FORM0":
        return sectors.formless(block, lba)
    if size == 2048:
        return sectors.form_1(block, lba, subheader or FORM_1)
    if size == 2324:
        return sectors.form_2(block, lba, subheader or FORM_2)
    if not block[2] & 0x20:
        return sectors.form_1(block[8:2056], lba, block[:8])
    if size == 2336:  # it brings its own EDC, or zero
        return sectors.formless(block, lba)
    return sectors.form_2(block[8:], lba, block[:8])


def blank(kind: str, lba: int) -> bytes:
    """A sector of zero user data: what a pregap, a lead-in or a lead-out is made of."""
    kind = kind.removesuffix("RAW")
    if kind == "MODE2MIXED":
        kind = "MODE2FORM2"
    return sector(kind, bytes(_USER_BYTES[kind]), lba)
