"""How an image is to be written on a disc: the mode, what it cannot carry, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_IN_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
    DiscType,
)
from rawcd.errors import AuthoringError, DriveError, UnsupportedError
from rawcd.features import CDTEXT, Feature, Loss, losses
from rawcd.image import ImageType, MainForm, RegionImage, main_sectors
from rawcd.rules import lead_out_limit_message, rule_breaks
from rawcd_writers.drive.pages import BlockType, WriteParameters, WriteType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Disc, Session, Track
    from rawcd.image import DiscImage
    from rawcd_writers.drive.session import DriveSession, Media


class WriteMode(Enum):
    """How a disc is written; the value is the command line's word."""

    RAW = "raw"
    SAO = "sao"
    TAO = "tao"


_ALL: Final = frozenset(Feature)
_RW: Final = frozenset({Feature.RW, Feature.DATA_RW, Feature.OUTER_RW})
_HOST_MADE: Final = frozenset(
    {
        Feature.STORED_PQ,
        Feature.OUTER_PQ,
        Feature.OUTER_RW,
        Feature.RAW_SECTORS,
        Feature.MODE0_TRACKS,
        Feature.LEAD_IN_DATA,
        Feature.LEAD_OUT_DATA,
        Feature.LEAD_OUT_LENGTH,
    }
)
"""What only a host can write that makes every bit itself."""
_TAO: Final = frozenset(
    {
        Feature.MCN,
        Feature.ISRC,
        Feature.COPY_PERMITTED,
        Feature.SCMS,
        Feature.PRE_EMPHASIS,
        Feature.FOUR_CHANNEL,
        Feature.DATA_TRACKS,
        Feature.DISC_TYPE,
        Feature.SESSIONS,
        Feature.APPENDABLE,
    }
)
RUN_OUT_SECTORS: Final = 2
"""What a drive writes behind a track at once (Orange Book part II)."""
_STEP: Final = 512
_KIND_OF: Final = {
    BlockType.RAW_PW: ImageType.RAW,
    BlockType.RAW_PACKED: ImageType.COOKED,
    BlockType.RAW_PQ: ImageType.PQ_ONLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnPlan:
    """What will be done.

    Attributes:
        mode: how the disc is written.
        block_type: what is sent, in raw mode; else `RAW`, 2,352 bytes.
        with_rw: R-W and CD-TEXT go along, session at once.
        losses: what the disc will not have that the image has.
    """

    mode: WriteMode
    block_type: BlockType
    with_rw: bool = False
    losses: tuple[Loss, ...] = ()

    @property
    def kind(self) -> ImageType:
        """The form of the image's subcode in raw mode."""
        return _KIND_OF[self.block_type]


def _keeps(mode: WriteMode, block_type: BlockType, *, with_rw: bool) -> frozenset[Feature]:
    if mode is WriteMode.TAO:
        return _TAO
    if mode is WriteMode.SAO:
        return _ALL - _HOST_MADE - (frozenset() if with_rw else _RW | CDTEXT)
    lost = {BlockType.RAW_PW: frozenset(), BlockType.RAW_PACKED: CDTEXT}
    return _ALL - lost.get(block_type, _RW | CDTEXT)


def _candidates(session: DriveSession, wanted: str) -> Iterator[tuple[WriteMode, BlockType, bool]]:
    """Yield what the drive can do, the best first; each is tried as the drive's own word goes."""
    if wanted in ("auto", "raw"):
        for block_type in session.raw_block_types():
            yield WriteMode.RAW, block_type, block_type is not BlockType.RAW_PQ
    if wanted in ("auto", "sao"):
        page = WriteParameters(write_type=WriteType.SESSION_AT_ONCE, block_type=BlockType.RAW)
        if session.takes(page):
            yield WriteMode.SAO, BlockType.RAW, session.takes_rw()
    if wanted in ("auto", "tao"):
        page = WriteParameters(write_type=WriteType.TRACK_AT_ONCE, block_type=BlockType.RAW)
        if session.takes(page):
            yield WriteMode.TAO, BlockType.RAW, False


def plan_burn(session: DriveSession, image: DiscImage, wanted: str = "auto") -> BurnPlan:
    """Return the first way of writing that loses nothing; where there is none, the first one.

    Args:
        session: the drive.
        image: what is to be written.
        wanted: `auto`, `raw`, `sao` or `tao`.

    Raises:
        UnsupportedError: the drive writes in no such mode.
    """
    if wanted not in ("auto", *(each.value for each in WriteMode)):
        raise ValueError(f"no mode of writing: {wanted!r}; there are auto, raw, sao and tao")
    best: BurnPlan | None = None
    for mode, block_type, with_rw in _candidates(session, wanted):
        if mode is WriteMode.RAW and not _can_become(image, _KIND_OF[block_type]):
            continue
        lost = losses(image, _keeps(mode, block_type, with_rw=with_rw))
        if mode is WriteMode.TAO:
            lost = tuple(each for each in lost if not _is_drives_pregap(image.disc, each))
        lost = (*lost, *_of_mode(image.disc, mode), *_of_forms(image, mode))
        plan = BurnPlan(mode=mode, block_type=block_type, with_rw=with_rw, losses=lost)
        if not lost:
            return plan
        best = best or plan
    if best is None:
        what = "CDs" if wanted == "auto" else f"in mode {wanted}"
        raise UnsupportedError(
            f"{session.name} does not write {what} with this disc in it"
            + ("" if wanted == "auto" else "; --mode auto takes the best that it has")
        )
    return best


def _of_mode(disc: Disc, mode: WriteMode) -> Iterator[Loss]:
    """Yield what no feature tells: what a drive that makes more than the host does otherwise."""
    if mode is WriteMode.SAO:
        for session in disc.sessions:
            for track in filter(session.has_mode_change_head, session.tracks):
                yield Loss(
                    feature=Feature.PREGAP_DATA,
                    track=track.number,
                    detail="first second of its pregap in the mode of the track before",
                )
    elif mode is WriteMode.TAO:
        yield from _of_places(disc)


def _of_forms(image: DiscImage, mode: WriteMode) -> Iterator[Loss]:
    """Yield XA sectors whose EDC or parity the drive will make anew (MMC, DATA FORM 20h)."""
    if mode is WriteMode.RAW or not isinstance(image, RegionImage):
        return
    for session in image.disc.sessions:
        if session.disc_type is DiscType.CDDA_CDROM:
            continue
        for track in session.tracks:
            at = None if track.is_audio else _first_unclean(image, track)
            if at is not None:
                yield Loss(
                    feature=Feature.RAW_SECTORS,
                    track=track.number,
                    detail=f"the sector at LBA {at} as it is: its EDC or parity is not right, "
                    "and perhaps more behind it",
                )


def _first_unclean(image: RegionImage, track: Track) -> int | None:
    """Return the first recorded XA sector of a track whose EDC or parity does not hold."""
    from rawcd.sector import SectorType, verify

    for region in image.main:
        if region.form not in (MainForm.DISC, MainForm.PLAIN, MainForm.READ):
            continue
        start = max(region.lba, track.start_lba)
        end = min(region.lba + region.sectors, track.end_lba)
        for lba in range(start, end, _STEP):
            count = min(_STEP, end - lba)
            found = verify(main_sectors(image, lba, count), lba, SectorType.MODE2MIXED)
            if found.any():
                return lba + int((found != 0).argmax())
    return None


def _places(disc: Disc) -> Iterator[tuple[Session, list[int], int]]:
    """Yield where each session's tracks at once begin, and its lead-out.

    Each track has 150 sectors before it and two run-out blocks behind it (MMC, Orange Book part
    II).
    """
    program = disc.sessions[0].program_lba
    for number, session in enumerate(disc.sessions):
        end, starts = program, []
        for track in session.tracks:
            starts.append(end + PREGAP_SECTORS)
            end = starts[-1] + track.sector_count + RUN_OUT_SECTORS
        yield session, starts, end
        lead_out = LATER_LEAD_OUT_SECTORS if number else FIRST_LEAD_OUT_SECTORS
        program = end + lead_out + LATER_LEAD_IN_SECTORS


def _of_places(disc: Disc) -> Iterator[Loss]:
    """Yield which tracks at once will lie elsewhere."""
    for number, (session, starts, end) in enumerate(_places(disc)):
        for place, (track, start) in enumerate(zip(session.tracks, starts, strict=True)):
            if place and not track.pregap_sectors:
                yield Loss(
                    feature=Feature.PREGAPS,
                    track=track.number,
                    detail=f"beginning without a pregap: the drive makes {PREGAP_SECTORS} sectors",
                )
            if start != track.start_lba:
                yield Loss(
                    feature=Feature.PREGAPS,
                    track=track.number,
                    detail=f"its address, LBA {track.start_lba}: it will begin at LBA {start}",
                )
        if end != session.lead_out_lba:
            yield Loss(
                feature=Feature.LEAD_OUT_LENGTH,
                detail=f"session {number + 1}: lead-out at LBA {session.lead_out_lba}: "
                f"it will begin at LBA {end}",
            )


def _is_drives_pregap(disc: Disc, loss: Loss) -> bool:
    """Tell whether a pregap that counts as lost is as long as the one that the drive makes."""
    if loss.feature is not Feature.PREGAPS or loss.track is None:
        return False
    return disc.track(loss.track).pregap_sectors == PREGAP_SECTORS


def _can_become(image: DiscImage, kind: ImageType) -> bool:
    return isinstance(image, RegionImage) or image.kind is kind


def check_tracks_fit(disc: Disc, limit: int | None) -> None:
    """Refuse, before anything is written, tracks at once that fit without the drive's own alone.

    Args:
        disc: what is to be written.
        limit: the last address where the blank lets a lead-out begin; None where nobody tells, or
            it does not matter.

    Raises:
        AuthoringError: the last lead-out would lie behind it.
    """
    *_, (_, _, lead_out) = _places(disc)
    if limit is not None and lead_out > limit:
        raise AuthoringError(
            f"{lead_out_limit_message(lead_out, limit)}, for the drive puts {PREGAP_SECTORS} "
            f"sectors between tracks at once and {RUN_OUT_SECTORS} behind each; write raw or "
            "session at once (--mode), or try it (--overburn)",
            rule="lead-out-limit",
        )


def check_fits(image: DiscImage, media: Media | None, *, name: str, overburn: bool) -> None:
    """Refuse, before anything is written, what must not or cannot be burned.

    Args:
        image: what is to be written.
        media: what is in the drive.
        name: the drive's.
        overburn: the lead-out may begin behind the last address that the blank allows.

    Raises:
        DriveError: there is no blank CD in the drive.
        AuthoringError: the disc breaks a rule; its lead-out would lie behind the blank's limit.
    """
    if media is None:
        raise DriveError(f"{name}: there is no disc in the drive")
    if media.kind not in ("CD-R", "CD-RW", "profile 0000h"):
        raise DriveError(f"{name}: a {media.kind} is in the drive, and no CD-R or CD-RW")
    if not media.is_blank:
        remedy = "blank it first (rawcd blank)" if media.erasable else "take a blank one"
        raise DriveError(f"{name}: the disc is not blank; {remedy}")
    limit = media.last_lead_out_lba
    if limit is None and not overburn:
        raise DriveError(
            f"{name}: neither the drive nor the disc tells how much fits on it; "
            "--overburn goes on without knowing"
        )
    known = {} if overburn or limit is None else {"lead_out_limit": limit}
    breaks = rule_breaks(image.disc, **known)
    if breaks:
        first, *others = breaks
        more = f" (and {len(others)} more)" if others else ""
        remedy = ""
        if first.rule == "lead-out-limit" and known:
            remedy = "; --overburn tries it"
        elif first.rule == "short-track":
            remedy = "; --pad-short fills it"
        raise AuthoringError(f"{first}{more}{remedy}", rule=first.rule)
