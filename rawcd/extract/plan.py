"""Which sectors of a disc become which file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.errors import UnsupportedError
from rawcd.extract.names import safe_stem
from rawcd.extract.tags import tags_of
from rawcd.graphics import Packs
from rawcd.image import Note, main_sectors
from rawcd.sector import SectorType
from rawcd.subcode import PackKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rawcd.audio.tags import Tags
    from rawcd.disc import Disc, Session, Track
    from rawcd.image import DiscImage

_USER_DATA: Final = slice(24, 2064)
"""What is zero in empty sectors of every mode."""
HIDDEN: Final = 0
"""The number of the sound before the first track."""
_STEP: Final = 512


class FileKind(Enum):
    """What a file holds."""

    FLAC = "flac"
    WAV = "wav"
    ISO = "iso"
    """The user data of sectors, 2,048 bytes each."""
    BIN = "bin"
    """Whole sectors, 2,352 bytes each, before scrambling."""
    CDG = "cdg"
    """R-W packs, 96 bytes a sector, not interleaved."""

    @property
    def is_sound(self) -> bool:
        """Whether it is a sound file."""
        return self in (FileKind.FLAC, FileKind.WAV)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Sectors that become a file.

    Attributes:
        name: the file's.
        kind: what it holds.
        number: the track's number, or `HIDDEN`.
        lba: the first sector.
        sectors: how many.
        tags: of a sound file.
        sector_type: what the sectors of an ISO are.
    """

    name: str
    kind: FileKind
    number: int
    lba: int
    sectors: int
    tags: Tags = ()
    sector_type: SectorType = SectorType.AUDIO

    @property
    def end(self) -> int:
        """One past the last sector."""
        return self.lba + self.sectors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Sectors before they have a file: track None is the sound before the first one."""

    track: Track | None
    number: int
    lba: int
    end: int
    what: str | None = None


def planned(
    image: DiscImage, *, sound: str, tracks: Collection[int], apart: bool
) -> tuple[list[Part], list[Note]]:
    """Return the files that an image becomes, at least one, and what none of them holds.

    Args:
        image: the image.
        sound: `flac` or `wav`.
        tracks: numbers of wanted tracks; empty takes all.
        apart: sound in pregaps has files of its own.

    Raises:
        UnsupportedError: a wanted track is not there.
        StorageError: the image cannot be read.
    """
    _check_wanted(image.disc, tracks)
    laid = [
        each
        for session in image.disc.sessions
        for number, each in _laid_out(image, session, apart=apart)
        if not tracks or number in tracks
    ]
    notes = [each for each in laid if isinstance(each, Note)]
    stretches = [each for each in laid if isinstance(each, _Stretch)]
    if HIDDEN in tracks and all(each.number != HIDDEN for each in stretches):
        raise UnsupportedError("there is no sound before the first track; leave --track 0 out")
    parts: list[Part] = []
    taken: set[str] = set()
    packs = Packs.of(image)
    for each in stretches:
        stem = safe_stem(each.number, each.what or _title(image.disc, each), taken=taken)
        taken.add(stem.casefold())
        if each.track is None or each.track.is_audio:
            part = Part(
                name=f"{stem}.{sound}",
                kind=FileKind(sound),
                number=each.number,
                lba=each.lba,
                sectors=each.end - each.lba,
                tags=tags_of(image.disc, each.track),
            )
        else:
            part, met = _data(image, each, stem)
            notes += [replace(note, track=each.number, file=part.name) for note in met]
        parts.append(part)
        kinds = set() if packs is None else packs.kinds(part.lba, part.end)
        if kinds:
            name = f"{stem}.{FileKind.CDG.value}"
            parts.append(replace(part, name=name, kind=FileKind.CDG, tags=()))
            notes += _foreign(kinds, each.number, name)
    return parts, notes


def _check_wanted(disc: Disc, tracks: Collection[int]) -> None:
    numbers = [track.number for track in disc.tracks]
    for number in sorted(tracks):
        if number != HIDDEN and number not in numbers:
            raise UnsupportedError(
                f"there is no track {number}; the tracks go from {numbers[0]} to {numbers[-1]}"
            )


def _title(disc: Disc, each: _Stretch) -> str | None:
    return (
        None if disc.cdtext is None or not each.number else disc.cdtext.text("title", each.number)
    )


def _laid_out(
    image: DiscImage, session: Session, *, apart: bool
) -> Iterator[tuple[int, _Stretch | Note]]:
    """Yield what becomes a file of a session's tracks, in their order, by number.

    A pregap's sound belongs to the track before it, if that is sound; else it has no file but
    its own. What has none is told.
    """
    for place, track in enumerate(session.tracks):
        before = session.tracks[place - 1] if place else None
        joined = track.is_audio and before is not None and before.is_audio and not apart
        if track.pregap_sectors and not joined:
            found = _pregap(image, track)
            if found is not None:
                yield (found.number if isinstance(found, _Stretch) else track.number), found
        end = track.end_lba
        behind = session.tracks[place + 1] if place + 1 < len(session.tracks) else None
        if track.is_audio and behind is not None and behind.is_audio and not apart:
            end = behind.start_lba
        yield track.number, _Stretch(track=track, number=track.number, lba=track.start_lba, end=end)


def _pregap(image: DiscImage, track: Track) -> _Stretch | Note | None:
    """Return what becomes of a pregap that goes with no other track.

    The two seconds before LBA 0 are nobody's, as long as they are empty: no drive plays them.
    """
    first = track is image.disc.tracks[0]
    filled = _first_filled(image, track)
    if filled is not None and not track.is_audio:
        return Note(
            code="pregap-left-out",
            message=f"the {track.pregap_sectors} sectors before its index 1 hold something, from "
            f"LBA {filled} on, and are in no file",
            track=track.number,
        )
    if filled is not None:
        lba = 0 if first and filled >= 0 else track.first_lba
        what = "(hidden)" if first else "(pregap)"
        number = HIDDEN if first else track.number
        owner = None if first else track
        return _Stretch(track=owner, number=number, lba=lba, end=track.start_lba, what=what)
    sectors = track.start_lba - max(track.first_lba, 0)
    if not track.is_audio or sectors <= 0:
        return None
    return Note(
        code="silence-left-out",
        message=f"the {sectors} silent sectors before its index 1 are in no file",
        track=track.number,
    )


def _first_filled(image: DiscImage, track: Track) -> int | None:
    """Return the first sector of a pregap that holds something: sound, or user data."""
    for at in range(track.first_lba, track.start_lba, _STEP):
        rows = main_sectors(image, at, min(_STEP, track.start_lba - at), plain=not track.is_audio)
        if not track.is_audio:  # sectors in the old mode, too: neither heads nor parity count
            rows = rows[:, _USER_DATA]
        held = rows.any(axis=1)
        if held.any():
            return at + int(held.argmax())
    return None


def _data(image: DiscImage, each: _Stretch, stem: str) -> tuple[Part, list[Note]]:
    """Return the file of a data track, and what it does not hold."""
    assert each.track is not None, "only sound is hidden"
    kind, end, notes = SectorType.MODE1, each.end, []
    if each.track.mode is TrackMode.MODE2:
        kind = SectorType.MODE2FORM1
        end, reason = _form_1_end(image, each.lba, each.end)
        if reason:
            notes.append(Note(code="whole-sectors", message=reason))
        elif end < each.end:
            notes.append(
                Note(
                    code="empty-left-out",
                    message=f"the {each.end - end} empty sectors of form 2 at its end are left out",
                )
            )
    elif each.track.mode is TrackMode.MODE0:
        reason = "its sectors of mode 0 hold no user data; they are kept whole"
        notes.append(Note(code="whole-sectors", message=reason))
    whole = any(note.code == "whole-sectors" for note in notes)
    file = FileKind.BIN if whole else FileKind.ISO
    part = Part(
        name=f"{stem}.{file.value}",
        kind=file,
        number=each.number,
        lba=each.lba,
        sectors=(each.end if whole else end) - each.lba,
        sector_type=kind,
    )
    return part, notes


def _form_1_end(image: DiscImage, lba: int, end: int) -> tuple[int, str | None]:
    """Return where the form 1 sectors of a mode 2 track end, and why it needs whole sectors.

    Its end may be sectors of form 2 that hold nothing: recorders make postgaps of them. A
    sector has a form where its subheader stands twice (Green Book II.4.5).
    """
    other: int | None = None  # the first sector that is not of form 1
    reason = "its sectors from LBA {} on are not of form 1; they are kept whole"
    for at in range(lba, end, _STEP):
        rows = main_sectors(image, at, min(_STEP, end - at))
        form_1 = (rows[:, 16:20] == rows[:, 20:24]).all(axis=1) & (rows[:, 18] & 0x20 == 0)
        if other is None:
            if form_1.all():
                continue
            first = int((~form_1).argmax())
            other = at + first
            form_1, rows = form_1[first:], rows[first:]
        if form_1.any() or rows[:, 24:2348].any():
            return end, reason.format(other)
    if other == lba:
        return end, reason.format(other)
    return (end if other is None else other), None


def _foreign(kinds: Collection[PackKind], number: int, name: str) -> Iterator[Note]:
    """Yield a note where R-W packs are other than pictures; the file holds them all the same."""
    others = sorted(kind.name for kind in set(kinds) - {PackKind.ZERO, PackKind.TV_GRAPHICS})
    if others:
        told = ", ".join(others).lower().replace("_", " ")
        yield Note(
            code="other-packs",
            message=f"it holds R-W packs that are no CD+G: {told}",
            track=number,
            file=name,
        )
