"""What a disc has that a file may not be able to hold: losses are declared, not discovered.

A format states what it `keeps`; `losses` compares that with an image and names, track by
track, what would be gone, before a byte is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import ENGLISH
from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
    CopySetting,
    DiscType,
    TrackMode,
)
from rawcd.errors import UnsupportedError
from rawcd.image import (
    ImageType,
    RegionImage,
    SubForm,
    fill_rows,
    first_rw_lba,
    main_sectors,
)
from rawcd.msf import PROGRAM_LBA
from rawcd.sector import SYNC

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rawcd.disc import Disc
    from rawcd.image import DiscImage, SubRegion
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

_NAMES: Final = frozenset({"title", "performer", "songwriter"})
_USER: Final = slice(24, 2064)
_STEP: Final = 1024
"""Sectors looked at in one go."""


class Feature(Enum):
    """Something a disc can have; the value is how a message calls it."""

    MCN = "media catalogue number"
    ISRC = "ISRC"
    COPY_PERMITTED = "copy permission"
    SCMS = "SCMS"
    PRE_EMPHASIS = "pre-emphasis"
    FOUR_CHANNEL = "four-channel flag"
    PREGAPS = "pregap"
    INDEXES = "indexes above 1"
    FIRST_PREGAP_SOUND = "sound before LBA 0"
    FIRST_TRACK_NUMBER = "first track number above 1"
    DATA_TRACKS = "data track"
    MODE0_TRACKS = "data track of mode 0"
    DISC_TYPE = "disc type"
    SESSIONS = "more than one session"
    TITLES = "titles (CD-TEXT)"
    LANGUAGES = "CD-TEXT in a language other than English"
    OTHER_TEXTS = "CD-TEXT beside title, performer and songwriter"
    TEXT_CHARACTERS = "text that CD-TEXT packs cannot hold"
    STORED_PQ = "recorded P and Q subcode"
    RW = "R-W subcode"
    LEAD_IN_DATA = "recorded lead-in data"
    LEAD_OUT_DATA = "recorded lead-out data"
    LEAD_OUT_LENGTH = "lead-out of unusual length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something a target cannot hold.

    Attributes:
        feature: what it is.
        track: the track that has it, or None for the disc.
        detail: what exactly, where the feature's name does not say it.
    """

    feature: Feature
    track: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        where = "" if self.track is None else f" of track {self.track}"
        return f"{self.feature.value}{where}{self.detail and f' ({self.detail})'}"


def losses(image: DiscImage, keeps: Collection[Feature]) -> tuple[Loss, ...]:
    """Return what of an image would be lost in a target that keeps `keeps`.

    Recorded bytes are looked at only when the target does not keep them; recorded P and Q that
    rawcd would make just so are no loss.

    Raises:
        StorageError: a source cannot be read.
    """
    found = [loss for loss in _of_disc(image.disc) if loss.feature not in keeps]
    found += _of_bytes(image, keeps)
    return tuple(found)


def _of_disc(disc: Disc) -> Iterator[Loss]:
    """Yield all that the Disc itself has."""
    if disc.mcn is not None:
        yield Loss(feature=Feature.MCN, detail=disc.mcn)
    if disc.tracks[0].number != 1:
        yield Loss(feature=Feature.FIRST_TRACK_NUMBER, detail=str(disc.tracks[0].number))
    if len(disc.sessions) > 1:
        yield Loss(feature=Feature.SESSIONS, detail=str(len(disc.sessions)))
    for number, session in enumerate(disc.sessions):
        usual = LATER_LEAD_OUT_SECTORS if number else FIRST_LEAD_OUT_SECTORS
        if session.lead_out_sectors != usual:
            yield Loss(
                feature=Feature.LEAD_OUT_LENGTH, detail=f"{session.lead_out_sectors} sectors"
            )
        mode2 = any(track.mode is TrackMode.MODE2 for track in session.tracks)
        if mode2 is (session.disc_type is DiscType.CDDA_CDROM):  # else the tracks imply it
            yield Loss(feature=Feature.DISC_TYPE, detail=session.disc_type.name)
    if disc.cdtext is not None:
        if any(block.items for block in disc.cdtext.blocks):
            yield Loss(feature=Feature.TITLES)
        if any(block.language != ENGLISH for block in disc.cdtext.blocks):
            yield Loss(feature=Feature.LANGUAGES)
        fields = {item.field for block in disc.cdtext.blocks for item in block.items}
        if others := fields - _NAMES:
            yield Loss(feature=Feature.OTHER_TEXTS, detail=", ".join(sorted(others)))
    for track in disc.tracks:
        number = track.number
        if track.isrc is not None:
            yield Loss(feature=Feature.ISRC, track=number, detail=track.isrc)
        if track.copy is CopySetting.PERMITTED:
            yield Loss(feature=Feature.COPY_PERMITTED, track=number)
        if track.copy is CopySetting.SCMS:
            yield Loss(feature=Feature.SCMS, track=number)
        if track.pre_emphasis:
            yield Loss(feature=Feature.PRE_EMPHASIS, track=number)
        if track.four_channel:
            yield Loss(feature=Feature.FOUR_CHANNEL, track=number)
        if track.pregap_sectors > (PREGAP_SECTORS if track is disc.tracks[0] else 0):
            yield Loss(feature=Feature.PREGAPS, track=number)
        if track.indexes[-1].number > 1:
            yield Loss(feature=Feature.INDEXES, track=number)
        if not track.is_audio:
            yield Loss(feature=Feature.DATA_TRACKS, track=number, detail=track.mode.name.lower())
        if track.mode is TrackMode.MODE0:
            yield Loss(feature=Feature.MODE0_TRACKS, track=number)


def _of_bytes(image: DiscImage, keeps: Collection[Feature]) -> Iterator[Loss]:
    """Yield what stands in bytes that nothing would make anew, and is not kept.

    Recorded R-W has no place in the 16-byte form, whatever the target keeps.
    """
    if not isinstance(image, RegionImage):
        return
    first = image.disc.sessions[0]
    spans = (
        (Feature.LEAD_IN_DATA, image.first_lba, first.program_lba),
        (Feature.FIRST_PREGAP_SOUND, PROGRAM_LBA, 0),
        (Feature.LEAD_OUT_DATA, first.lead_out_lba, first.end_lba),
    )
    for feature, lba, end in spans:
        if feature not in keeps and (where := _first_recorded(image, lba, end)) is not None:
            yield Loss(feature=feature, detail=f"at LBA {where}")
    if Feature.TEXT_CHARACTERS not in keeps:
        yield from _text_losses(image)
    # What a lead-in's R-W says is CD-TEXT, and that is known as such.
    not_text = first.program_lba if image.disc.cdtext is not None else image.first_lba
    for region in image.sub:
        pq_only = image.kind is ImageType.PQ_ONLY
        if (Feature.RW not in keeps or pq_only) and (
            rw := first_rw_lba(region, not_text)
        ) is not None:
            yield Loss(feature=Feature.RW, detail=f"from LBA {rw} on")
        if region.form in (SubForm.RAW, SubForm.PQ16) and Feature.STORED_PQ not in keeps:
            where = _first_unmade(image, region)
            if where is not None:
                yield Loss(
                    feature=Feature.STORED_PQ,
                    detail=f"other than rawcd would make it from LBA {where} on",
                )


def _text_losses(image: RegionImage) -> Iterator[Loss]:
    """Yield the texts that cannot be made into packs, if there are."""
    try:
        image.check_text()
    except UnsupportedError as error:
        for lost in error.lost or (str(error),):
            yield Loss(feature=Feature.TEXT_CHARACTERS, detail=lost)


def _first_recorded(image: RegionImage, lba: int, end: int) -> int | None:
    """Return the first sector of a stretch whose recorded main channel has content."""
    for region in image.main:
        if region.source is None:
            continue
        start, stop = max(region.lba, lba), min(region.lba + region.sectors, end)
        for at in range(start, stop, _STEP):
            filled = _has_content(main_sectors(image, at, min(_STEP, stop - at)))
            if filled.any():
                return at + int(filled.argmax())
    return None


def _has_content(sectors: Bytes2D) -> Flags:
    """Tell which sectors are neither silence nor a data sector of zero user data.

    The user data of every mode but form 2's last bytes lies in `_USER`; header, subheader, EDC
    and parity around it are no content.
    """
    import numpy as np

    is_data = (sectors[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
    filled: Flags = np.where(is_data, sectors[:, _USER].any(axis=1), sectors.any(axis=1))
    return filled


def _first_unmade(image: RegionImage, region: SubRegion) -> int | None:
    """Return the first sector whose stored P and Q are not what rawcd makes of the Disc."""
    import numpy as np

    from rawcd.pq import ProgramChannels
    from rawcd.subcode import rows as forms
    from rawcd.subcode.frame import Q_BYTES

    if region.source is None:
        return None
    channels = ProgramChannels(image.disc, image.style)
    planes = forms.pq_of_pq16 if region.form is SubForm.PQ16 else forms.pq_of_pw96
    for done in range(0, region.sectors, _STEP):
        count = min(_STEP, region.sectors - done)
        rows = np.empty((count, region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + done, rows)
        q, p = planes(rows)
        made_q = np.empty((count, Q_BYTES), np.uint8)
        made_p = np.empty(count, bool)
        channels.fill(region.lba + done, made_q, made_p)
        differs = (q != made_q).any(axis=1) | (p != made_p)
        if differs.any():
            return region.lba + done + int(differs.argmax())
    return None
