"""What a disc has that a file may not be able to hold: losses are declared, not discovered.

A format states what it `keeps`; `losses` compares that with an image and names, item by item,
what would be gone, before a byte is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import (
    ENGLISH,
    FIELD_OF,
    charset_name,
    fitting_charset,
    genre_name,
    language_name,
)
from rawcd.cdtext.fields import PLAIN_TEXT_TYPES
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
    MainForm,
    RegionImage,
    SubForm,
    first_rw_lba,
    main_sectors,
)
from rawcd.sector import SYNC, SectorType
from rawcd.source import fill_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rawcd.cdtext import CDText, TextBlock
    from rawcd.disc import Disc, Session, Track
    from rawcd.image import DiscImage, SubRegion
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

_USER: Final = slice(24, 2064)
_STEP: Final = 1024
"""Sectors looked at in one go."""


class Feature(Enum):
    """Something a disc can have; the value is how a message calls it.

    Subcode and contents are told apart by place, as files are: many hold the tracks from the
    end of the usual first pregap (LBA 0) to the lead-out, and nothing outside.
    """

    MCN = "media catalogue number"
    ISRC = "ISRC"
    COPY_PERMITTED = "copy permission"
    SCMS = "SCMS"
    PRE_EMPHASIS = "pre-emphasis"
    FOUR_CHANNEL = "four-channel flag"
    PREGAPS = "pregap"
    PREGAP_DATA = "what is recorded in a pregap"
    INDEXES = "index above 1"
    FIRST_PREGAP_SOUND = "sound before LBA 0"
    FIRST_TRACK_NUMBER = "first track number above 1"
    DATA_TRACKS = "data track"
    MODE0_TRACKS = "data track of mode 0"
    RAW_SECTORS = "data sectors that their user data would not make again"
    DISC_TYPE = "disc type"
    CDI_TYPE = "disc type CD-I with Mode 2 tracks"
    SESSIONS = "session after the first"
    APPENDABLE = "room for a further session"
    TITLES = "CD-TEXT title, performer or songwriter"
    OTHER_TEXTS = "CD-TEXT composer, arranger or message"
    TEXT_CODES = "CD-TEXT disc id, genre, closed information, UPC/EAN or ISRC"
    GENRE_CODE = "CD-TEXT genre code"
    LANGUAGES = "CD-TEXT language"
    TEXT_CHARSET = "CD-TEXT character set"
    TEXT_PACKS = "CD-TEXT packs without text"
    SIZE_INFO = "CD-TEXT size information"
    TEXT_CHARACTERS = "text that CD-TEXT packs cannot hold"
    STORED_PQ = "recorded P and Q subcode"
    OUTER_PQ = "recorded P and Q subcode outside the tracks"
    RW = "R-W subcode"
    DATA_RW = "R-W subcode of a data track"
    OUTER_RW = "R-W subcode outside the tracks"
    LEAD_IN_DATA = "recorded lead-in data"
    LEAD_OUT_DATA = "recorded lead-out data"
    LEAD_OUT_LENGTH = "lead-out of unusual length"


CDTEXT: Final = frozenset(
    {
        Feature.TITLES,
        Feature.OTHER_TEXTS,
        Feature.TEXT_CODES,
        Feature.GENRE_CODE,
        Feature.LANGUAGES,
        Feature.TEXT_CHARSET,
        Feature.TEXT_PACKS,
        Feature.SIZE_INFO,
    }
)
"""All that CD-TEXT packs hold: what a format keeps that stores packs, or every field in words."""
_TEXT_FEATURES: Final = {
    **dict.fromkeys(("title", "performer", "songwriter"), Feature.TITLES),
    **dict.fromkeys(("composer", "arranger", "message"), Feature.OTHER_TEXTS),
}
_FIELD_NAMES: Final = {
    "disc_id": "disc id",
    "closed": "closed information",
    "upc_ean": "UPC/EAN",
    "isrc": "ISRC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something a target cannot hold.

    Attributes:
        feature: what kind of thing it is.
        track: the track that has it, or None for the disc.
        detail: what exactly; empty where the feature's name says all.
    """

    feature: Feature
    track: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        where = "" if self.track is None else f"track {self.track}: "
        return f"{where}{self.detail or self.feature.value}"


def losses(image: DiscImage, keeps: Collection[Feature]) -> tuple[Loss, ...]:
    """Return what of an image would be lost in a target that keeps `keeps`, item by item.

    Recorded bytes are looked at only when the target does not keep them; recorded P and Q that
    rawcd would make just so are no loss.

    Raises:
        StorageError: a source cannot be read.
    """
    disc = image.disc
    found = [*_of_disc(disc), *(loss for track in disc.tracks for loss in _of_track(disc, track))]
    if disc.cdtext is not None:
        found += _of_text(disc.cdtext, keeps)
    found = [loss for loss in found if loss.feature not in keeps]
    if isinstance(image, RegionImage):
        found += _of_main(image, keeps)
        found += _of_subcode(image, keeps)
        if Feature.TEXT_CHARACTERS not in keeps:
            found += _of_characters(image)
    return tuple(found)


def _of_disc(disc: Disc) -> Iterator[Loss]:
    """Yield what the Disc itself has beside its tracks and texts."""
    if disc.mcn is not None:
        yield Loss(feature=Feature.MCN, detail=f"media catalogue number {disc.mcn}")
    if (first := disc.tracks[0].number) != 1:
        yield Loss(feature=Feature.FIRST_TRACK_NUMBER, detail=f"first track number {first}")
    if disc.appendable:
        yield Loss(feature=Feature.APPENDABLE)
    for number, session in enumerate(disc.sessions, 1):
        if number > 1:
            tracks = f"{session.tracks[0].number} to {session.tracks[-1].number}"
            yield Loss(feature=Feature.SESSIONS, detail=f"session {number} (tracks {tracks})")
        usual = FIRST_LEAD_OUT_SECTORS if number == 1 else LATER_LEAD_OUT_SECTORS
        if session.lead_out_sectors != usual:
            yield Loss(
                feature=Feature.LEAD_OUT_LENGTH,
                detail=f"session {number}: lead-out of {session.lead_out_sectors} sectors",
            )
        mode2 = any(track.mode is TrackMode.MODE2 for track in session.tracks)
        detail = f"session {number}: disc type {session.disc_type.name}"
        if mode2 is (session.disc_type is DiscType.CDDA_CDROM):
            yield Loss(feature=Feature.DISC_TYPE, detail=detail)
        elif session.disc_type is DiscType.CDI:  # tracks of mode 2 imply XA
            yield Loss(feature=Feature.CDI_TYPE, detail=detail)


def _of_track(disc: Disc, track: Track) -> Iterator[Loss]:
    """Yield what a track has."""

    def loss(feature: Feature, detail: str = "") -> Loss:
        return Loss(feature=feature, track=track.number, detail=detail)

    if track.isrc is not None:
        yield loss(Feature.ISRC, f"ISRC {track.isrc}")
    if track.copy is CopySetting.PERMITTED:
        yield loss(Feature.COPY_PERMITTED)
    if track.copy is CopySetting.SCMS:
        yield loss(Feature.SCMS)
    if track.pre_emphasis:
        yield loss(Feature.PRE_EMPHASIS)
    if track.four_channel:
        yield loss(Feature.FOUR_CHANNEL)
    opens = any(track is session.tracks[0] for session in disc.sessions)
    if track.pregap_sectors > (PREGAP_SECTORS if opens else 0):
        yield loss(Feature.PREGAPS, f"pregap of {track.pregap_sectors} sectors")
    for index in track.indexes:
        if index.number > 1:
            offset = index.lba - track.start_lba
            yield loss(Feature.INDEXES, f"index {index.number} at +{offset}")
    if not track.is_audio:
        yield loss(Feature.DATA_TRACKS, f"data track of mode {track.mode.value}")
    if track.mode is TrackMode.MODE0:
        yield loss(Feature.MODE0_TRACKS)


# -- CD-TEXT -----------------------------------------------------------------------------------


def _of_text(cdtext: CDText, keeps: Collection[Feature]) -> Iterator[Loss]:
    """Yield what CD-TEXT has; a further block that is lost as a whole is one item."""
    for number, block in enumerate(cdtext.blocks, 1):
        language = language_name(block.language) or f"of code {block.language:02X}h"
        if number == 1:
            if block.language != ENGLISH:
                yield Loss(feature=Feature.LANGUAGES, detail=f"CD-TEXT language {language}")
            yield from _of_block(block, "")
        else:
            yield Loss(
                feature=Feature.LANGUAGES,
                detail=f"CD-TEXT block {number} in {language} ({len(block.items)} texts)",
            )
            if Feature.LANGUAGES in keeps:
                yield from _of_block(block, f" of block {number} ({language})")


def _of_block(block: TextBlock, where: str) -> Iterator[Loss]:
    """Yield what a block has, each text by itself."""
    for field, track in dict.fromkeys((item.field, item.track) for item in block.items):
        yield Loss(
            feature=_TEXT_FEATURES.get(field, Feature.TEXT_CODES),
            track=track or None,
            detail=f"CD-TEXT {_FIELD_NAMES.get(field, field)}{where}",
        )
    if block.genre_code is not None:
        genre = genre_name(block.genre_code) or f"{block.genre_code:04X}h"
        yield Loss(feature=Feature.GENRE_CODE, detail=f"CD-TEXT genre code {genre}{where}")
    if block.charset != fitting_charset(_plain_texts(block)):
        yield Loss(
            feature=Feature.TEXT_CHARSET,
            detail=f"CD-TEXT character set {charset_name(block.charset)}{where}",
        )
    yield from _of_packs(block, where)
    tracks = (block.first_track, block.last_track)
    if block.copyright:
        detail = f"CD-TEXT copyright {block.copyright:02X}h{where}"
        yield Loss(feature=Feature.SIZE_INFO, detail=detail)
    if tracks != (None, None):
        told = " to ".join("?" if track is None else str(track) for track in tracks)
        yield Loss(feature=Feature.SIZE_INFO, detail=f"CD-TEXT said to be of tracks {told}{where}")


def _of_packs(block: TextBlock, where: str) -> Iterator[Loss]:
    """Yield a block's packs without text."""
    parts = []
    if block.toc is not None:
        parts.append("CD-TEXT table of contents")
    if block.intervals:
        parts.append(f"CD-TEXT second table of contents ({len(block.intervals)} intervals)")
    types = [pack.pack_type for pack in block.raw]
    parts += [
        f"CD-TEXT packs of type {pack_type:02X}h ({types.count(pack_type)})"
        for pack_type in dict.fromkeys(types)
    ]
    for part in parts:
        yield Loss(feature=Feature.TEXT_PACKS, detail=f"{part}{where}")


def _plain_texts(block: TextBlock) -> Iterable[str]:
    """Return the texts that are written in the block's own character set."""
    for item in block.items:
        field = FIELD_OF.get(item.field)
        if field is not None and field.pack_type in PLAIN_TEXT_TYPES:
            yield item.text


def _of_characters(image: RegionImage) -> Iterator[Loss]:
    """Yield the texts that cannot be made into packs, if there are."""
    try:
        image.check_text()
    except UnsupportedError as error:
        for lost in error.lost or (str(error),):
            yield Loss(
                feature=Feature.TEXT_CHARACTERS, detail=f"text that CD-TEXT cannot hold: {lost}"
            )


# -- the main channel --------------------------------------------------------------------------

_USER_DATA_OF: Final = {
    TrackMode.MODE0: SectorType.MODE_ZERO,
    TrackMode.MODE1: SectorType.MODE1,
    TrackMode.MODE2: SectorType.MODE2FORM0,  # all behind the header: no form is presumed
}


def _usual_start(session: Session) -> int:
    """Return where most files begin to hold a session: behind the usual pregap (LBA 0)."""
    return min(session.program_lba + PREGAP_SECTORS, session.tracks[0].start_lba)


def _of_main(image: RegionImage, keeps: Collection[Feature]) -> Iterator[Loss]:
    """Yield recorded sectors that nothing would make anew."""
    for session in image.disc.sessions:
        start = _usual_start(session)
        for feature, what, lba, end in (
            (
                Feature.LEAD_IN_DATA,
                "recorded lead-in data",
                session.lead_in_lba,
                session.program_lba,
            ),
            (Feature.FIRST_PREGAP_SOUND, f"sound before LBA {start}", session.program_lba, start),
            (
                Feature.LEAD_OUT_DATA,
                "recorded lead-out data",
                session.lead_out_lba,
                session.end_lba,
            ),
        ):
            if feature not in keeps and (at := _first_recorded(image, lba, end)) is not None:
                yield Loss(feature=feature, detail=f"{what} (at LBA {at})")
        for track in session.tracks:
            if Feature.PREGAP_DATA not in keeps:
                at = _first_recorded(image, max(track.first_lba, start), track.start_lba)
                if at is not None:
                    yield Loss(
                        feature=Feature.PREGAP_DATA,
                        track=track.number,
                        detail=f"what is recorded in its pregap (at LBA {at})",
                    )
            if Feature.RAW_SECTORS not in keeps and not track.is_audio:
                yield from _of_sectors(image, track, max(track.first_lba, start))


def _of_sectors(image: RegionImage, track: Track, lba: int) -> Iterator[Loss]:
    """Yield the first sector of a data track that its user data would not make again."""
    from rawcd.sector import Defect, verify

    kind = _USER_DATA_OF[track.mode]
    for region in image.main:
        if region.form not in (MainForm.DISC, MainForm.PLAIN, MainForm.READ):
            continue
        start, stop = max(region.lba, lba), min(region.lba + region.sectors, track.end_lba)
        for at in range(start, stop, _STEP):
            found = verify(main_sectors(image, at, min(_STEP, stop - at)), at, kind)
            if found.any():
                row = int((found != 0).argmax())
                yield Loss(
                    feature=Feature.RAW_SECTORS,
                    track=track.number,
                    detail=f"the sector at LBA {at + row} as it is: no clean {kind.name} sector "
                    f"({Defect(int(found[row])).name}), and perhaps more behind it",
                )
                return


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


# -- subcode -----------------------------------------------------------------------------------


def _of_subcode(image: RegionImage, keeps: Collection[Feature]) -> Iterator[Loss]:
    """Yield recorded subcode that nothing would make anew.

    Recorded R-W has no place in the 16-byte form, whatever the target keeps.
    """
    disc = image.disc
    short = image.kind is ImageType.PQ_ONLY
    for session in disc.sessions:
        start = _usual_start(session)
        for track in session.tracks:
            feature = Feature.RW if track.is_audio else Feature.DATA_RW
            if feature not in keeps or short:
                at = _first_rw(image, max(track.first_lba, start), track.end_lba)
                if at is not None:
                    detail = f"R-W subcode from LBA {at} on"
                    yield Loss(feature=feature, track=track.number, detail=detail)
        if Feature.STORED_PQ not in keeps:
            at = _first_unmade(image, start, session.lead_out_lba)
            if at is not None:
                yield Loss(
                    feature=Feature.STORED_PQ,
                    detail="recorded P and Q subcode, other than rawcd would make it from "
                    f"LBA {at} on",
                )
        for name, lba, end in (
            ("lead-in", session.lead_in_lba, session.program_lba),
            ("first pregap", session.program_lba, start),
            ("lead-out", session.lead_out_lba, session.end_lba),
        ):
            # What the first lead-in's R-W says is CD-TEXT where there is any, and known as such.
            is_text = lba == disc.first_lba and disc.cdtext is not None
            if (Feature.OUTER_RW not in keeps or short) and not is_text:
                at = _first_rw(image, lba, end)
                if at is not None:
                    detail = f"R-W subcode of the {name} from LBA {at} on"
                    yield Loss(feature=Feature.OUTER_RW, detail=detail)
            if Feature.OUTER_PQ not in keeps:
                at = _first_unmade(image, lba, end)
                if at is not None:
                    yield Loss(
                        feature=Feature.OUTER_PQ,
                        detail=f"recorded P and Q subcode of the {name}, other than rawcd would "
                        f"make it from LBA {at} on",
                    )


def _first_rw(image: RegionImage, lba: int, end: int) -> int | None:
    """Return the first sector of a stretch whose R-W is not zero on the disc.

    What packs become is looked at, as interleave carries them over the ends of stretches.
    """
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    on_disc = image.as_kind(ImageType.RAW)
    for region in image.sub:
        if not region.rw_packed:
            if (at := first_rw_lba(region, lba, end)) is not None:
                return at
            continue
        start, stop = max(region.lba, lba), min(region.lba + region.sectors, end)
        for at in range(start, stop, _STEP):
            rows = np.empty((min(_STEP, stop - at), on_disc.kind.sub_bytes), np.uint8)
            on_disc.read_sub_into(at, rows)
            filled = (rows & RW_BITS).any(axis=1)
            if filled.any():
                return at + int(filled.argmax())
    return None


def _first_unmade(image: RegionImage, lba: int, end: int) -> int | None:
    """Return the first sector whose stored P and Q are not what rawcd makes of the Disc."""
    for region in image.sub:
        if region.form in (SubForm.RAW, SubForm.PQ16):
            at = _first_unmade_of(image, region, lba, end)
            if at is not None:
                return at
    return None


def _first_unmade_of(image: RegionImage, region: SubRegion, lba: int, end: int) -> int | None:
    import numpy as np

    from rawcd.pq import ProgramChannels
    from rawcd.subcode import rows as forms
    from rawcd.subcode.frame import Q_BYTES

    start, stop = max(region.lba, lba), min(region.lba + region.sectors, end)
    if region.source is None or start >= stop:
        return None
    channels = ProgramChannels(image.disc, image.style)
    planes = forms.pq_of_pq16 if region.form is SubForm.PQ16 else forms.pq_of_pw96
    for at in range(start, stop, _STEP):
        count = min(_STEP, stop - at)
        rows = np.empty((count, region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + at - region.lba, rows)
        q, p = planes(rows)
        made_q = np.empty((count, Q_BYTES), np.uint8)
        made_p = np.empty(count, bool)
        channels.fill(at, made_q, made_p)
        differs = (q != made_q).any(axis=1) | (p != made_p)
        if differs.any():
            return at + int(differs.argmax())
    return None
