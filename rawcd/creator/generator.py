"""The R-W subcode of a whole image, from wherever it is (IMAPI: AddSubcodeRWGenerator)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, cast, get_args

from rawcd.creator.refusals import refusal
from rawcd.image import ImageType, SubForm, SubRegion, first_rw_lba
from rawcd.source import BlockSource, FileBytes, MemoryBytes, Source, StreamBytes

if TYPE_CHECKING:
    from rawcd.source import Reader

RwForm = Literal["packs", "symbols"]
_BLOCK: Final = 96
_STEP: Final = 4096
_PQ_BITS: Final = 0xC0


class RwGenerator:
    """A stream of 96 bytes a sector, as given; measured and checked when the image is made.

    Args:
        subcode: a path, bytes, an array of uint8, a binary file object, a `Source` of 96-byte
            blocks, or a layout that holds R-W and tells its form.
        form: `"packs"` before interleave, `"symbols"` as on the disc; None is the image type's.

    Raises:
        AuthoringError: it is none of these (E_INVALIDARG), or there is no such form.
        StorageError: the file cannot be found.
    """

    def __init__(self, subcode: Any, form: RwForm | None) -> None:
        from rawcd.subcode import RawPW, RWPacks

        if isinstance(subcode, RWPacks | RawPW):
            own: RwForm = "packs" if isinstance(subcode, RWPacks) else "symbols"
            if form not in (None, own):
                raise refusal("argument", f"{type(subcode).__name__} holds {own}, not {form}")
            subcode, form = subcode.rows, own
        if form not in (None, *get_args(RwForm)):
            known = ", ".join(get_args(RwForm))
            raise refusal("argument", f"{form!r} is no form of R-W subcode; there are {known}")
        self._form = form
        self._given = _taken(subcode)

    def is_packed(self, kind: ImageType) -> bool:
        """Tell whether these are packs before interleave, in an image of this type."""
        return kind is ImageType.COOKED if self._form is None else self._form == "packs"

    def checked(self, *, first_lba: int, sectors: int) -> Source:
        """Return the blocks of an image's sectors, all of them looked at.

        Args:
            first_lba: the image's first sector.
            sectors: how many it has.

        Raises:
            AuthoringError: the size is another, or a block has P or Q bits (E_INVALIDARG).
            StorageError: it cannot be read.
        """
        given = self._given
        size = given.block_count * _BLOCK if isinstance(given, Source) else given.size
        if size != sectors * _BLOCK:
            raise refusal(
                "rw-size",
                f"{given.name}: the R-W subcode has {size} bytes and must have "
                f"{sectors * _BLOCK}: {_BLOCK} for each of the image's {sectors} sectors",
            )
        source = given if isinstance(given, Source) else BlockSource(given, block_size=_BLOCK)
        _check_no_pq(source, first_lba)
        return source

    def require_zero(self, sectors: int, *, first_lba: int) -> None:
        """Refuse R-W subcode in the first sectors: CD-TEXT lies there.

        Args:
            sectors: how many, from the image's first on.
            first_lba: that sector's address.

        Raises:
            AuthoringError: a byte there is not zero (E_INVALIDARG).
            StorageError: it cannot be read.
        """
        given = self._given
        source = given if isinstance(given, Source) else BlockSource(given, block_size=_BLOCK)
        region = SubRegion(lba=first_lba, sectors=sectors, form=SubForm.RW, source=source)
        filled = None
        if source.block_count >= sectors:
            filled = first_rw_lba(region, first_lba, first_lba + sectors)
        if filled is not None:
            raise refusal(
                "cdtext-and-rw",
                f"{source.name}: the R-W subcode is not zero at LBA {filled}, in the lead-in, "
                "where CD-TEXT lies; clear one of them",
            )


def _taken(subcode: Any) -> Reader | Source:
    if isinstance(subcode, (bytes, bytearray, memoryview)):
        return MemoryBytes(subcode, name="<R-W subcode>")
    if isinstance(subcode, (str, os.PathLike)):
        return FileBytes(subcode)
    if isinstance(subcode, Source) and subcode.block_size == _BLOCK:
        return subcode
    if hasattr(subcode, "__array_interface__"):
        import numpy as np

        array = np.asarray(subcode)
        if array.dtype == np.uint8:
            return MemoryBytes(np.ascontiguousarray(array).data, name="<R-W subcode>")
    elif hasattr(subcode, "read") and hasattr(subcode, "seek"):
        return StreamBytes(cast("BinaryIO", subcode))
    raise refusal(
        "argument",
        f"a {type(subcode).__name__} is no R-W subcode; give a path, bytes, an array of uint8, a "
        "binary file object or a Source of 96-byte blocks",
    )


def _check_no_pq(source: Source, first_lba: int) -> None:
    import numpy as np

    for start in range(0, source.block_count, _STEP):
        count = min(_STEP, source.block_count - start)
        rows = np.frombuffer(source.read(start, count), np.uint8).reshape(count, _BLOCK)
        bad = (rows & _PQ_BITS).any(axis=1)
        if bad.any():
            sector = start + int(bad.argmax())
            raise refusal(
                "rw-has-pq",
                f"{source.name}: sector {sector} of the R-W subcode (LBA {first_lba + sector}) "
                "has P or Q bits; bits 7 and 6 of every byte must be zero",
            )
