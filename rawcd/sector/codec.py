"""Blocks to sectors and back, many at once (ECMA-130 clause 14 and annex A; Green Book).

`encode` looks at what it was given, cuts it into blocks of sectors and hands these to
`encode_block`, which alone does the work on bytes: a compiled kernel would take its place and
nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd import ecc
from rawcd.errors import FormatError
from rawcd.sector.kinds import SectorType, fitting_block_size
from rawcd.sector.layouts import field_slice
from rawcd.sector.rows import (
    HEAD_BYTES,
    SUBMODE_BYTE,
    as_sectors,
    edc_rows,
    flat_bytes,
    form_2,
    heads_of,
    lbas_of,
    loaded_edc,
    room_for,
    spans,
    workspace_for,
)
from rawcd.sector.whole import place
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt
    from _typeshed import ReadableBuffer

    from rawcd.sector.rows import LbaLike, Lbas, SectorsLike
    from rawcd.source import Bytes2D

DEFAULT_SUBHEADERS: Final = {
    SectorType.MODE2FORM1: bytes.fromhex("00000800") * 2,  # data
    SectorType.MODE2FORM2: bytes.fromhex("00002000") * 2,  # form 2
}
"""File, channel, submode and coding information, twice (Green Book)."""
_SUBHEADER: Final = slice(HEAD_BYTES, HEAD_BYTES + 8)


def encode_block(
    kind: SectorType,
    user: Bytes2D,
    lbas: Lbas,
    sectors: Bytes2D,
    *,
    subheaders: Bytes2D | None = None,
    edc: bool = True,
) -> None:
    """Fill the sectors of one block: all the work on bytes that encoding takes.

    Nothing is looked at here: the arguments fit each other.

    Args:
        kind: MODE_ZERO, MODE1, MODE2FORM0, MODE2FORM1 or MODE2FORM2.
        user: the user data, (n, size), n at most 512; it may be strided.
        lbas: the address of each sector, (n,).
        sectors: what to fill, (n, 2352); it may be strided.
        subheaders: for forms 1 and 2, (n, 8) or (1, 8).
        edc: whether form 2 sectors get an EDC.
    """
    heads = heads_of(lbas, kind.mode or 0)
    data = field_slice(kind, "user")
    if kind in (SectorType.MODE_ZERO, SectorType.MODE2FORM0):
        sectors[:, :HEAD_BYTES] = heads
        sectors[:, data] = user
        return
    room = workspace_for(len(sectors))
    first, edc_row = edc_rows(kind)
    for start in range(0, len(sectors), ecc.TILE):
        tile = sectors[start : start + ecc.TILE]
        tile[:, :HEAD_BYTES] = heads[start : start + ecc.TILE]
        if subheaders is not None:
            each = subheaders if len(subheaders) == 1 else subheaders[start : start + ecc.TILE]
            tile[:, _SUBHEADER] = each
        tile[:, data] = user[start : start + ecc.TILE]
        room.turn(tile, first, edc_row, column=start)
    room.part(first, edc_row)
    if kind is SectorType.MODE2FORM2:
        room.rows[edc_row : edc_row + 2] = loaded_edc(room, kind) if edc else 0
        room.store(sectors, edc_row, ecc.ROWS)
        return
    room.rows[:first] = 0  # form 1: the header counts as zero in the parity (Green Book)
    room.rows[edc_row : edc_row + 2] = loaded_edc(room, kind)
    room.rows[edc_row + 2 : ecc.P_ROW] = 0
    room.p()
    room.q()
    room.store(sectors, edc_row, ecc.ROWS)


def _blocks_of(
    sector_type: SectorType, data: ReadableBuffer | npt.NDArray[np.uint8], block_size: int | None
) -> Bytes2D:
    """Return the input as blocks: (n, size), no copy.

    Raises:
        FormatError: the bytes are not whole blocks.
        ValueError: the kind has no such block size, or several sizes fit and none is IMAPI's.
    """
    if isinstance(data, np.ndarray):
        samples = sector_type is SectorType.AUDIO and data.dtype == "<i2"
        if not samples and data.dtype != np.uint8:
            raise ValueError(
                f"blocks are an array of uint8, not of {data.dtype} {data.shape}; bytes that only "
                "look so are given by their .view(np.uint8)"
            )
        if not samples and data.ndim == 2:
            fitting_block_size(sector_type, data.shape[1], block_size or data.shape[1])
            return data if data.strides[1] == 1 else np.ascontiguousarray(data)
    flat = flat_bytes(data)
    return flat.reshape(-1, fitting_block_size(sector_type, len(flat), block_size))


def encode(
    sector_type: SectorType,
    data: ReadableBuffer | npt.NDArray[np.uint8],
    lba: LbaLike,
    *,
    subheader: ReadableBuffer | Bytes2D | None = None,
    block_size: int | None = None,
    edc: bool = True,
    relocate: bool = False,
    out: Bytes2D | None = None,
) -> Bytes2D:
    """Return sectors, before scrambling, made of blocks of one kind: (n, 2352) uint8.

    Blocks of 2,352 bytes of a data kind are whole sectors and are kept as they are, once their
    sync, mode and address are those of their place. Those of 2,336 and 2,332 bytes in form 1 are
    given EDC and parity anew; in form 2 a block of 2,336 bytes brings its own EDC, zero if unused
    (IMAPI_CD_SECTOR_MODE2FORM2), which stays.

    Args:
        sector_type: what the blocks are.
        data: the blocks: an array (n, size) of uint8, whose width is the block size, or flat
            bytes, which are cut into IMAPI's size if that divides them, else into the only size
            that does. Audio may be an array of its 16-bit samples.
        lba: the first sector's address, the others following, or each sector's.
        subheader: four bytes (they are recorded twice) or eight, for all sectors or as an array
            for each; only for XA blocks that bring none. Default: data for form 1, form 2 alone
            for form 2.
        block_size: bytes in a block, where flat bytes leave a choice; one of
            `sector_type.block_sizes`.
        edc: whether form 2 sectors without an EDC of their own get one; else it is zero.
        relocate: whether whole sectors of other addresses are taken: their header is rewritten,
            and EDC and parity that held before are made to hold again.
        out: where the sectors go: (n, 2352), rows may be strided, as in `buffer[:, :2352]`. Must
            not share memory with `data` unless it is the same array.

    Raises:
        FormatError: the bytes are not whole sectors; a whole sector is not of its place or kind;
            a form 2 block in a form 1 track, or the reverse.
        ValueError: an address outside -45,150..404,849, or arguments that do not fit each other.
    """
    sector_type = SectorType(sector_type)
    kind = sector_type.cooked
    blocks = _blocks_of(sector_type, data, block_size)
    count, size = blocks.shape
    lbas = lbas_of(lba, count)
    given = None if subheader is None else _subheaders(subheader, kind, size, count)
    sectors = room_for(out, (count, SECTOR_BYTES))
    if kind is SectorType.AUDIO:
        np.copyto(sectors, blocks)
    elif size == SECTOR_BYTES:
        _check_forms(kind, blocks, SUBMODE_BYTE, lbas)
        place(kind, blocks, lbas, sectors, relocate=relocate)
    elif kind is SectorType.MODE2MIXED:
        _encode_mixed(blocks, lbas, sectors, edc=edc)
    else:
        if kind is SectorType.MODE_ZERO:
            _check_zero(blocks, lbas)
        if _brings_subheader(kind, size):
            _check_forms(kind, blocks, SUBMODE_BYTE - HEAD_BYTES, lbas)
        for span in spans(count):
            each = given if given is None or len(given) == 1 else given[span]
            _encode_span(kind, blocks[span], lbas[span], sectors[span], each, edc=edc)
    return sectors


def _encode_span(
    kind: SectorType,
    blocks: Bytes2D,
    lbas: Lbas,
    sectors: Bytes2D,
    subheaders: Bytes2D | None = None,
    *,
    edc: bool,
) -> None:
    """Take the blocks of one kind apart and encode them."""
    if kind is SectorType.MODE2FORM2 and blocks.shape[1] == SECTOR_BYTES - HEAD_BYTES:
        kind = SectorType.MODE2FORM0  # it brings all that follows the header, its EDC included
    if kind in DEFAULT_SUBHEADERS:
        if _brings_subheader(kind, blocks.shape[1]):
            subheaders = blocks[:, :8]
            blocks = blocks[:, 8:][:, : _user_bytes(kind)]
        elif subheaders is None:
            subheaders = np.frombuffer(DEFAULT_SUBHEADERS[kind], np.uint8).reshape(1, 8)
    encode_block(kind, blocks, lbas, sectors, subheaders=subheaders, edc=edc)


def _encode_mixed(blocks: Bytes2D, lbas: Lbas, sectors: Bytes2D, *, edc: bool) -> None:
    """Encode XA blocks each in its own form; of each span, first one form, then the other."""
    for span in spans(len(blocks)):
        in_form_2 = form_2(blocks[span], SUBMODE_BYTE - HEAD_BYTES)
        for kind, chosen in (
            (SectorType.MODE2FORM1, ~in_form_2),
            (SectorType.MODE2FORM2, in_form_2),
        ):
            if chosen.all():
                _encode_span(kind, blocks[span], lbas[span], sectors[span], edc=edc)
            elif chosen.any():
                some = np.empty((int(chosen.sum()), SECTOR_BYTES), np.uint8)
                _encode_span(kind, blocks[span][chosen], lbas[span][chosen], some, edc=edc)
                sectors[span][chosen] = some


def _user_bytes(kind: SectorType) -> int:
    data = field_slice(kind, "user")
    return int(data.stop - data.start)


def _brings_subheader(kind: SectorType, size: int) -> bool:
    """Tell whether blocks of this size of form 1 or form 2 begin with the subheader."""
    return kind in DEFAULT_SUBHEADERS and size != _user_bytes(kind)


def _subheaders(
    subheader: ReadableBuffer | Bytes2D, kind: SectorType, size: int, count: int
) -> Bytes2D:
    """Return the caller's subheaders: (1, 8) or (n, 8).

    Raises:
        ValueError: they have another size, tell the other form, or have no place in such blocks.
    """
    if kind not in DEFAULT_SUBHEADERS or _brings_subheader(kind, size):
        raise ValueError(f"blocks of {size} bytes of {kind.name} take no subheader")
    if isinstance(subheader, np.ndarray):
        rows = np.atleast_2d(subheader)
    else:
        rows = flat_bytes(subheader).reshape(1, -1)
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] not in (4, 8):
        raise ValueError("a subheader has four bytes, or eight")
    if len(rows) not in (1, count):
        raise ValueError(f"{len(rows)} subheaders for {count} sectors")
    if rows.shape[1] == 4:
        rows = np.hstack([rows, rows])
    if (form_2(rows, SUBMODE_BYTE - HEAD_BYTES) != (kind is SectorType.MODE2FORM2)).any():
        raise ValueError(f"a subheader whose submode is not that of {kind.name}")
    return rows


def _check_zero(blocks: Bytes2D, lbas: Lbas) -> None:
    bad = blocks.any(axis=1)
    if bad.any():
        place_of = f"LBA {lbas[bad][0]}"
        raise FormatError("a mode 0 sector holds nothing but zeros", place=place_of)


def _check_forms(kind: SectorType, blocks: Bytes2D, submode_byte: int, lbas: Lbas) -> None:
    """Refuse sectors of one form among those of the other (Green Book, submode bit 5)."""
    if kind not in DEFAULT_SUBHEADERS:
        return
    bad = form_2(blocks, submode_byte) != (kind is SectorType.MODE2FORM2)
    if bad.any():
        expected, found = (1, 2) if kind is SectorType.MODE2FORM1 else (2, 1)
        raise FormatError(
            f"a form {found} sector among those of form {expected}; "
            f"mixed forms are {SectorType.MODE2MIXED.name}",
            place=f"LBA {lbas[bad][0]}",
        )


def decode(
    sector_type: SectorType,
    sectors: SectorsLike,
    *,
    block_size: int | None = None,
    out: Bytes2D | None = None,
) -> Bytes2D:
    """Return what sectors hold as blocks of one size, (n, block_size): the way back of `encode`.

    Nothing is checked but the form; that is `verify`'s part.

    Args:
        sector_type: what the sectors are.
        sectors: (n, 2352), not scrambled, rows may be strided; or flat bytes.
        block_size: bytes in a block, one of the kind's `block_sizes`; for a raw kind, one of
            those of the kind without RAW. Default: IMAPI's size.
        out: where the blocks go, (n, block_size); rows may be strided.

    Raises:
        FormatError: flat bytes are no whole sectors; a form 2 sector among those of form 1, or
            the reverse: the place is the sector's number.
        ValueError: the kind has no such block size, or an array does not fit.
    """
    sector_type = SectorType(sector_type)
    kind = sector_type.cooked
    sectors = as_sectors(sectors)
    size = sector_type.block_sizes[0] if block_size is None else block_size
    fitting_block_size(kind, 0, size)
    if size != SECTOR_BYTES:
        bad = np.zeros(0, np.bool_)
        if kind in DEFAULT_SUBHEADERS:
            bad = form_2(sectors) != (kind is SectorType.MODE2FORM2)
        if bad.any():
            raise FormatError(
                f"it is not of the form that {kind.name} has", place=f"sector {bad.argmax()}"
            )
    blocks = room_for(out, (len(sectors), size))
    start = 0 if size == SECTOR_BYTES else HEAD_BYTES
    if kind in DEFAULT_SUBHEADERS and not _brings_subheader(kind, size):
        start = field_slice(kind, "user").start
    np.copyto(blocks, sectors[:, start : start + size])
    return blocks
