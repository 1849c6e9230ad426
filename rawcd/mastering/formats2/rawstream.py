"""A stream of raw sectors, and where on the disc its bytes belong.

The bytes are burned as they are. Only enough of them is read beforehand to know that they are a
disc at all: the table of contents tells where the lead-out begins, and that must fit.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rawcd.disc import FIRST_LEAD_OUT_SECTORS
from rawcd.errors import FormatError, MasteringError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.given import Guarded, seekable, spooled
from rawcd.mastering.formats2.refusals import refusal
from rawcd.mastering.formats2.states import RAW
from rawcd.msf import PROGRAM_LBA, Msf
from rawcd.qscan import QScan
from rawcd.source import (
    SECTOR_BYTES,
    BlockSource,
    FileBytes,
    MemoryBytes,
    Source,
    fill_rows,
)
from rawcd.subcode.frame import (
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    QPointer,
    QPosition,
    from_bcd,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.image import DiscImage, ImageType
    from rawcd.source import Bytes2D, Reader

STANDARD_LEAD_IN: Final = 22_500
"""Sectors from MSF 95:00:00 to the pregap: what WriteMedia expects."""
MAX_LEAD_IN: Final = 45_000
"""Sectors from MSF 90:00:00, the earliest address that a lead-in can have."""
_LOOKED_AT: Final = 2 * 3 * 102
"""Sectors that hold the longest table of contents twice."""
_PROBE: Final = 12
"""Sectors from LBA 0 on of which one must tell its address; modes 2 and 3 stand alone."""
_CLOSED: Final = b"\xff\xff\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStream:
    """Sectors for one raw session, from this disc's lead-in on.

    Attributes:
        lba: the first one's address.
        sectors: how many there are, lead-out included.
        lead_out_lba: where the table of contents puts the lead-out.
        appendable: the table of contents says that another session may follow.
        fill: fills rows with the sectors from an address on.
    """

    lba: int
    sectors: int
    lead_out_lba: int
    appendable: bool
    fill: Callable[[int, Bytes2D], None]


def raw_stream(
    data: Any, kind: ImageType, *, lead_in_lba: int, stream_lead_in_sectors: int
) -> RawStream:
    """Take what was given as a raw disc and find this disc's lead-in in it.

    Args:
        data: a binary file object, an image of rawcd's, a Source with sectors of the kind's size,
            bytes, or a path. A file object that cannot seek is read and thrown away up to the
            lead-in; the rest waits in a temporary file, so that its length is known, and a slow
            pipe spoils no disc.
        kind: what a sector holds.
        lead_in_lba: where the blank's lead-in begins.
        stream_lead_in_sectors: how many sectors of lead-in the stream begins with.

    Raises:
        MasteringError: E_POINTER, E_INVALIDARG, STREAM_NOT_SUPPORTED 060D,
            STREAM_LEADIN_TOO_SHORT 060F.
    """
    if data is None:
        raise refusal(HResult.E_POINTER, "write_media: no stream was given")
    is_image = hasattr(data, "disc") and hasattr(data, "first_lba")
    if is_image:
        first = _image_first(data, kind)
    else:
        whole = isinstance(stream_lead_in_sectors, int)  # a script may pass anything
        if not whole or not 0 <= stream_lead_in_sectors <= MAX_LEAD_IN:
            raise refusal(
                HResult.E_INVALIDARG,
                f"{stream_lead_in_sectors!r} sectors of lead-in: 0 to {MAX_LEAD_IN} are possible",
            )
        first = PROGRAM_LBA - stream_lead_in_sectors
    if lead_in_lba < first:
        raise refusal(
            HResult.E_IMAPI_DF2RAW_STREAM_LEADIN_TOO_SHORT,
            f"this disc's lead-in begins at LBA {lead_in_lba}, the stream at LBA {first}: it "
            f"lacks {first - lead_in_lba} sectors of lead-in",
        )
    try:
        source = _ImageSectors(data) if is_image else _sectors(data, kind, lead_in_lba - first)
        if isinstance(source, _Spooled):
            source, first = source.source, lead_in_lba
        guarded = Guarded(source)
    except (StorageError, FormatError) as error:
        raise _unsuited(str(error)) from error
    return _placed(guarded, first, kind, lead_in_lba)


def _unsuited(why: str) -> MasteringError:
    return refusal(RAW.stream, f"the stream is no raw disc: {why}")


def _image_first(image: DiscImage, kind: ImageType) -> int:
    if image.kind is not kind:
        raise _unsuited(
            f"the image is {image.kind.name}, requested_sector_type is {kind.name}; "
            "make both the same"
        )
    if len(image.disc.sessions) > 1:
        raise _unsuited(
            f"it has {len(image.disc.sessions)} sessions, and this writes one; "
            "rawcd.burn_image writes them all"
        )
    return image.first_lba


class _ImageSectors:
    """An image of rawcd's as a Source of whole sectors."""

    def __init__(self, image: DiscImage) -> None:
        self._image = image
        self.name = "<image>"
        self.block_size = image.sector_size
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        return self._image.read(self._image.first_lba + start, count)

    def read_into(self, start: int, rows: Bytes2D) -> None:
        import numpy as np

        into = getattr(self._image, "read_into", None)
        if into is not None:
            into(self._image.first_lba + start, rows)
        else:
            rows[:] = np.frombuffer(self.read(start, len(rows)), np.uint8).reshape(rows.shape)


@dataclass(frozen=True, slots=True)
class _Spooled:
    """What was left of a stream that cannot seek, from this disc's lead-in on."""

    source: Source


def _sectors(data: Any, kind: ImageType, skipped: int) -> Source | _Spooled:
    """Return the sectors of what was given; of what cannot seek, without the first ones."""
    size = kind.sector_size
    if isinstance(data, Source):
        if data.block_size != size:
            raise _unsuited(f"its sectors have {data.block_size} bytes; {kind.name} has {size}")
        return data
    reader: Reader | None
    if isinstance(data, (str, os.PathLike)):
        reader = FileBytes(data)
    elif isinstance(data, (bytes, bytearray, memoryview)):
        reader = MemoryBytes(data)
    elif hasattr(data, "read"):
        reader = seekable(data)
        if reader is None:
            return _Spooled(_whole(spooled(data, skip=skipped * size), kind))
    else:
        raise refusal(
            HResult.E_INVALIDARG,
            f"write_media: a {type(data).__name__} is no stream; give a binary file object, an "
            "image, a Source, bytes or a path",
        )
    return _whole(reader, kind)


def _whole(reader: Reader, kind: ImageType) -> Source:
    sectors, rest = divmod(reader.size, kind.sector_size)
    if rest:
        raise _unsuited(
            f"{reader.name} ends {rest} bytes into sector {sectors}; {kind.name} has "
            f"{kind.sector_size} bytes a sector"
        )
    return BlockSource(reader, block_size=kind.sector_size)


class _Subcode:
    """The subcode of whole sectors, as a Source."""

    def __init__(self, sectors: Source, kind: ImageType) -> None:
        self._sectors = sectors
        self.name = sectors.name
        self.block_size = kind.sub_bytes
        self.block_count = sectors.block_count

    def read(self, start: int, count: int) -> bytes:
        import numpy as np

        rows = np.empty((count, self._sectors.block_size), np.uint8)
        fill_rows(self._sectors, start, rows)
        return rows[:, SECTOR_BYTES:].tobytes()


def _placed(source: Guarded, first: int, kind: ImageType, lead_in_lba: int) -> RawStream:
    """Look at the sectors that are to be burned, and see that they are a disc."""
    count = first + source.block_count - lead_in_lba
    if first + source.block_count <= 0:
        raise _unsuited(
            f"{source.name} has {source.block_count} sectors and ends at LBA "
            f"{first + source.block_count}, before the first track"
        )
    scan = QScan(_Subcode(source, kind))
    try:
        lead_out, appendable = _table(scan, lead_in_lba - first, PROGRAM_LBA - first)
        told = _addresses(scan, -first)
        tail = lead_out + FIRST_LEAD_OUT_SECTORS - first
        goes_on = tail >= source.block_count or _is_disc(scan, tail, source.block_count)
    except (FormatError, StorageError) as error:
        raise _unsuited(str(error)) from error
    end = first + source.block_count
    if told:
        raise _unsuited(
            f"the sector that should be LBA 0 tells to be LBA {told}: it does not begin at "
            f"{Msf.from_lba(first)}, or its sectors are not {kind.name}"
        )
    if appendable and end > lead_out + FIRST_LEAD_OUT_SECTORS:
        raise _unsuited(
            f"its first session ends at LBA {lead_out + FIRST_LEAD_OUT_SECTORS} and leaves room "
            f"for another, and the stream goes on to LBA {end}; this writes one session"
        )
    if end < lead_out + FIRST_LEAD_OUT_SECTORS:
        raise _unsuited(
            f"the lead-out begins at LBA {lead_out} and needs {FIRST_LEAD_OUT_SECTORS} sectors; "
            f"the stream ends at LBA {end}"
        )
    if not goes_on:
        raise _unsuited(
            f"its lead-out has its {FIRST_LEAD_OUT_SECTORS} sectors at LBA {tail + first}, and "
            f"what follows up to LBA {end} has no subcode; cut that off"
        )

    def fill(lba: int, rows: Bytes2D) -> None:
        source.read_into(lba - first, rows)

    return RawStream(
        lba=lead_in_lba,
        sectors=count,
        lead_out_lba=lead_out,
        appendable=appendable,
        fill=fill,
    )


def _table(scan: QScan, first: int, program: int) -> tuple[int, bool]:
    """Return where the lead-out begins by most frames of the lead-in, and whether B0 leaves room.

    Raises:
        FormatError: no frame with a right CRC tells it.
    """
    lead_outs: Counter[bytes] = Counter()
    nexts: Counter[bytes] = Counter()
    for _, frame in scan.frames(first, min(program - first, _LOOKED_AT)):
        if isinstance(frame, QPointer) and frame.adr == 1 and frame.point == POINT_LEAD_OUT:
            lead_outs[frame.value] += 1
        if isinstance(frame, QPointer) and (frame.adr, frame.point) == (
            POINTER_ADR,
            POINT_NEXT_SESSION,
        ):
            nexts[frame.running] += 1
    if not lead_outs:
        raise FormatError("no frame of its lead-in tells where the lead-out begins")
    (value, _), *_ = lead_outs.most_common(1)
    try:
        lead_out = Msf(*map(from_bcd, value)).to_lba()
    except ValueError as error:
        raise FormatError(f"its lead-out is at no time: {error}") from error
    return lead_out, bool(nexts) and nexts.most_common(1)[0][0] != _CLOSED


def _addresses(scan: QScan, number: int) -> int | None:
    """Return by how far the sectors at LBA 0 tell another address; None where none tells."""
    for place, frame in scan.frames(number, _PROBE):
        if isinstance(frame, QPosition):
            return frame.absolute.to_lba() - (place - number)
    raise FormatError("no frame at LBA 0 tells its address")


def _is_disc(scan: QScan, start: int, end: int) -> bool:
    """Tell whether a stretch begins and ends with sectors most of which have a right Q frame."""
    count = min(_PROBE, end - start)
    return all(
        2 * sum(1 for _ in scan.frames(number, count)) >= count for number in (start, end - count)
    )
