"""The complete disc as a file: every sector from lead-in to lead-out with its subcode.

2,368 bytes a sector (2,352 + 16, MMC data block type 1) or 2,448 (2,352 + 96, types 2 and 3),
nothing before, between or behind. It is what a recorder takes in raw writing, and it needs no
sheet: its own Q channel tells what the disc is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import FIRST_LEAD_OUT_SECTORS, LATER_LEAD_OUT_SECTORS
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import CDTEXT, Feature
from rawcd.image import (
    ImageType,
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
)
from rawcd.source import SECTOR_BYTES, BlockSource
from rawcd.subcode.frame import Q_BYTES, q_crc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.disc import Disc
    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress

_SURE: Final = 100
_AREA: Final = "area"
_TEXT_SECTORS: Final = 1100
"""Twice the longest cycle of CD-TEXT: eight blocks of 256 packs, four packs a sector."""
_PLACES: Final = 64
"""Where R-W is looked at in each session: a song takes several of them."""
_WINDOW: Final = 8
"""Sectors that are looked at there."""
_LEAST: Final = 4
"""Q frames with a right CRC that cannot be chance, were they all of a handful."""


def _q_of_96(sub: bytes) -> bytes:
    bits = "".join("1" if byte & 0x40 else "0" for byte in sub)
    return int(bits, 2).to_bytes(Q_BYTES, "big")


def _is_frame(sub: bytes) -> bool:
    """Tell whether 96 or 16 bytes hold a Q frame with a right CRC."""
    q = _q_of_96(sub) if len(sub) == ImageType.RAW.sub_bytes else sub[:Q_BYTES]
    right = q_crc(q[:-2])
    stored = int.from_bytes(q[-2:], "big")
    # The 16-byte form exists with the CRC uninverted too; zeros would pass for that.
    uninverted = len(sub) == ImageType.PQ_ONLY.sub_bytes and any(q) and stored == right ^ 0xFFFF
    return stored == right or uninverted


def _sub_bytes(head: bytes) -> int | None:
    """Return how many bytes of subcode each sector has, by the CRC of its Q, or None."""
    for kind in (ImageType.RAW, ImageType.PQ_ONLY):
        size = kind.sector_size
        subs = [head[end - kind.sub_bytes : end] for end in range(size, len(head) + 1, size)]
        right = sum(map(_is_frame, subs))
        if right >= max(_LEAST, len(subs) // 2):  # the rest may be damaged
            return kind.sub_bytes
    return None


def _with_text(disc: Disc, sub: BlockSource, name: str) -> tuple[Disc, list[Note]]:
    """Return the disc with the CD-TEXT of its lead-in, if there is any, and notes on damage."""
    from rawcd.cdtext import packs_of_symbols, read_packs

    session = disc.sessions[0]
    lead_in = session.program_lba - session.lead_in_lba
    symbols = packs_of_symbols(sub.read(0, min(lead_in, _TEXT_SECTORS)))
    if not symbols.packs:
        return disc, []
    reading = read_packs(symbols.packs)
    defects = [*symbols.defects, *map(str, reading.defects)]
    notes = [Note(code="cdtext-damaged", message=f"CD-TEXT: {each}", file=name) for each in defects]
    if reading.cdtext is None:
        return disc, notes
    cdtext = reading.cdtext.of_tracks(session.tracks[0].number, session.tracks[-1].number)
    return replace(disc, cdtext=cdtext), notes


def _holds_packs(disc: Disc, sub: BlockSource) -> bool:
    """Tell whether R-W in the program areas is packs before interleave; a few places tell."""
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    windows = []
    for session in disc.sessions:
        end = session.lead_out_lba - _WINDOW
        step = max((end - session.program_lba) // _PLACES, _WINDOW)
        for lba in range(session.program_lba, end, step):
            rows = np.frombuffer(sub.read(lba - disc.first_lba, _WINDOW), np.uint8)
            if (rows & np.uint8(RW_BITS)).any():
                windows.append(rows.reshape(_WINDOW, -1))
    if not windows:
        return False
    from rawcd.subcode.forms import are_packs

    return are_packs(windows)


class RawFormat:
    """Reads and writes complete raw images; see `rawcd.plugins.Format`."""

    name = "raw"
    suffixes = (".raw",)
    keeps = frozenset(Feature) - {Feature.TEXT_CHARACTERS}
    one_file = True

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what a file of the image's own kind keeps.

        CD-TEXT has no parity of R-W packs, so it can only be in the final symbols of RAW.
        """
        return self.keeps if image.kind is ImageType.RAW else self.keeps - CDTEXT

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the CRC of the first Q frames, whatever the name."""
        del name
        return _SURE if _sub_bytes(head) is not None else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a raw image; main channel and subcode pass unchanged.

        Raises:
            FormatError: its frames cannot be read, contradict each other, or do not begin with
                a lead-in.
            StorageError: it cannot be read.
        """
        from rawcd.qscan import recover_disc

        sub_bytes = _sub_bytes(files.head())
        if sub_bytes is None:
            raise FormatError(
                "its first sectors hold no Q frames, neither in sectors of 2,448 "
                "bytes nor of 2,368; a file of 2,352-byte sectors has no addresses: give the "
                "sheet that names it",
                file=files.name,
                place="offset 0",
            )
        reader, size = files.reader, SECTOR_BYTES + sub_bytes
        if reader.size % size:
            raise FormatError(
                f"{reader.size} bytes are no whole number of {size}-byte sectors: "
                f"{reader.size % size} remain; the file was cut short",
                file=files.name,
                place=f"offset {reader.size // size * size}",
            )
        main = BlockSource(reader, stride=size)
        sub = BlockSource(reader, offset=SECTOR_BYTES, block_size=sub_bytes, stride=size)
        notes: list[Note] = []

        def doubt(what: str) -> None:
            message = f"its tracks are told by the program, not by the table of contents: {what}"
            notes.append(Note(code="toc-contradiction", message=message, file=files.name))

        try:
            disc = recover_disc(sub, main, doubt=doubt)
        except FormatError as error:
            place = error.place or "Q channel"
            raise FormatError(error.reason, file=files.name, place=place) from error
        if sub_bytes == ImageType.RAW.sub_bytes:
            disc, met = _with_text(disc, sub, files.name)
            notes += met
        lba, sectors = disc.first_lba, main.block_count
        pq_only = sub_bytes == ImageType.PQ_ONLY.sub_bytes
        form = SubForm.PQ16 if pq_only else SubForm.RAW
        lead_out = disc.sessions[-1].lead_out_sectors
        usual = LATER_LEAD_OUT_SECTORS if len(disc.sessions) > 1 else FIRST_LEAD_OUT_SECTORS
        if lead_out < usual:
            notes.append(
                Note(
                    code="short-lead-out",
                    message=f"the lead-out has {lead_out} sectors instead of "
                    f"{usual}; the file may have been cut short",
                    file=files.name,
                )
            )
        image = RegionImage(
            disc=disc,
            main=(Region(lba=lba, sectors=sectors, form=MainForm.DISC, source=main),),
            sub=(SubRegion(lba=lba, sectors=sectors, form=form, source=sub),),
            kind=ImageType.PQ_ONLY if pq_only else ImageType.RAW,
        )
        if not pq_only and _holds_packs(disc, sub):
            image = image.taking_rw_as(ImageType.COOKED)
            message = "its R-W subcode is packs before interleave: an image of type COOKED"
            notes.append(Note(code="rw-packs", message=message, file=files.name))
        return replace(image, notes=tuple(notes))

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write every sector of an image in the image's own kind.

        Args:
            image: the image.
            files: where the file goes.
            options: `area`: `whole`, the default, is what a recorder takes; `program` leaves out
                lead-ins and lead-outs, for programs that bring their own. Such a file has no
                table of contents, so it is not read back.
            progress: told how far the work is.

        Raises:
            UnsupportedError: an option or its value is unknown.
            StorageError: reading or writing failed.
        """
        from rawcd.progress import part_of
        from rawcd.pump import WholeSectors, jobs_of, pump

        stretches = _stretches(image, options)
        total = sum(end - first for first, end in stretches)
        output = files.create(files.name)
        output.allocate(total * image.sector_size)
        done = 0
        for first, end in stretches:
            pump(
                WholeSectors(image),
                first,
                end - first,
                output,
                width=image.sector_size,
                jobs=jobs_of(options),
                progress=part_of(progress, done, total),
            )
            done += end - first


def _stretches(image: DiscImage, options: Mapping[str, str]) -> list[tuple[int, int]]:
    """Return the LBAs, first and one past the last, of what the option `area` asks for."""
    from rawcd.pump import JOBS

    for option in options.keys() - {_AREA, JOBS}:
        raise UnsupportedError(f"the format raw has no option {option!r}; it has {_AREA}")
    area = options.get(_AREA, "whole")
    if area not in ("whole", "program"):
        raise UnsupportedError(f"the option {_AREA} is whole or program, not {area!r}")
    if area == "whole":
        return [(image.first_lba, image.first_lba + image.sector_count)]
    return [(session.program_lba, session.lead_out_lba) for session in image.disc.sessions]
