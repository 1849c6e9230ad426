"""A disc as an NRG of version 2, as if written at once: every pregap is stored.

Sectors are whole, with the first pregap of each session; behind each stands its subcode where
some of it was recorded and would not be made just so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.errors import UnsupportedError
from rawcd.image import RegionImage
from rawcd.progress import part_of
from rawcd.pump import JOBS, PlainMain, UserData, jobs_of, pump
from rawcd.pump.fills import PlainSectors
from rawcd.recording import SUB, wants_subcode, with_raw_subcode
from rawcd.sector import SectorType
from rawcd.subcode.frame import to_bcd
from rawcd_formats.nrg import chunks as nrg
from rawcd_formats.nrg.modes import MODES, USER_DATA, WHOLE, WHOLE_WITH_SUB
from rawcd_formats.nrg.subcode import is_recorded_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.disc import Disc, Session, Track
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress

_SIZES: Final = ("2048", "2352")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored of a track: its mode byte, and its first byte in the file."""

    track: Track
    mode: int
    offset: int

    @property
    def width(self) -> int:
        return MODES[self.mode].size

    @property
    def sectors(self) -> int:
        return self.track.end_lba - self.track.first_lba

    @property
    def start(self) -> int:
        return self.offset + self.track.pregap_sectors * self.width

    @property
    def end(self) -> int:
        return self.offset + self.sectors * self.width


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the file.

    Args:
        image: the image.
        files: where it goes.
        options: `sector-size`: 2048 keeps the user data of Mode 1 tracks alone; 2352, the
            default, whole sectors.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option or its value is unknown, a text has no place in packs, or a
            sector is not what its user data alone would make again.
        StorageError: reading or writing failed.
    """
    from rawcd.userdata import check_remakeable

    cooked = _cooked(options)
    with_sub = wants_subcode(options) or is_recorded_inside(image)
    if cooked and with_sub:
        raise UnsupportedError(
            "subcode stands behind whole sectors alone: leave the sector-size at 2352"
        )
    stored = list(_stored(image.disc, cooked=cooked, with_sub=with_sub))
    packs = _text_packs(image)
    for each in stored:
        if each.mode == USER_DATA:
            check_remakeable(image, each.track.first_lba, each.track.end_lba, SectorType.MODE1)
    chain = _chain(image.disc, stored, packs)
    output = files.create(files.name)
    output.allocate(stored[-1].end + len(chain))
    finished = with_raw_subcode(image) if with_sub else image
    done, total = 0, sum(each.sectors for each in stored)
    for each in stored:
        if each.mode == USER_DATA:
            fill: UserData | PlainSectors | PlainMain = UserData(image, SectorType.MODE1)
        else:
            fill = PlainSectors(finished) if with_sub else PlainMain(image)
        pump(
            fill,
            each.track.first_lba,
            each.sectors,
            output.write,
            width=each.width,
            jobs=jobs_of(options),
            progress=part_of(progress, done, total),
        )
        done += each.sectors
    output.write(chain)


def _cooked(options: Mapping[str, str]) -> bool:
    """Read the options: whether Mode 1 tracks are kept as user data alone."""
    for option in options.keys() - {"sector-size", JOBS, SUB}:
        raise UnsupportedError(
            f"the format nrg has no option {option!r}; it has sector-size and {SUB}"
        )
    size = options.get("sector-size", "2352")
    if size not in _SIZES:
        raise UnsupportedError(f"the option sector-size is 2048 or 2352, not {size!r}")
    return size == "2048"


def _stored(disc: Disc, *, cooked: bool, with_sub: bool) -> Iterator[_Stored]:
    offset = 0
    for track in disc.tracks:
        mode = (WHOLE_WITH_SUB if with_sub else WHOLE)[track.mode]
        if cooked and track.mode is TrackMode.MODE1:
            mode = USER_DATA
        each = _Stored(track, mode, offset)
        yield each
        offset = each.end


def _text_packs(image: DiscImage) -> bytes:
    """Return the packs; characters whose loss was allowed become near ones, as in a lead-in."""
    if image.disc.cdtext is None:
        return b""
    first, last = image.disc.text_tracks
    return image.disc.cdtext.to_packs(
        first_track=first,
        last_track=last,
        errors="replace" if isinstance(image, RegionImage) else "strict",
    )


def _chain(disc: Disc, stored: list[_Stored], packs: bytes) -> bytes:
    parts: list[bytes] = []
    of_track = {each.track.number: each for each in stored}
    for session in disc.sessions:
        of_session = [of_track[track.number] for track in session.tracks]
        parts.append(nrg.build_cue(_cue_entries(session)))
        parts.append(nrg.build_dao(_dao(disc, session, of_session)))
        if packs and session is disc.sessions[0]:
            parts.append(nrg.build_chunk(b"CDTX", packs))
        parts.append(nrg.build_number(b"SINF", len(session.tracks)))
    parts.append(nrg.build_number(b"MTYP", nrg.CD))
    parts.append(nrg.build_end(stored[-1].end))
    return b"".join(parts)


def _cue_entries(session: Session) -> Iterator[tuple[int, int, int, int]]:
    """Yield the entries of CUEX; every track has an index 0, if only where its index 1 lies.

    libcdio counts on two entries a track, as Nero writes them.
    """
    first, last = session.tracks[0], session.tracks[-1]
    yield first.control << 4 | 1, nrg.LEAD_IN, 0, session.program_lba
    for track in session.tracks:
        control_adr, number = track.control << 4 | 1, to_bcd(track.number)
        if track.indexes[0].number:
            yield control_adr, number, 0, track.start_lba
        for index in track.indexes:
            yield control_adr, number, to_bcd(index.number), index.lba
    yield last.control << 4 | 1, nrg.LEAD_OUT, 1, session.lead_out_lba


def _dao(disc: Disc, session: Session, stored: list[_Stored]) -> nrg.Dao:
    return nrg.Dao(
        mcn=(disc.mcn or "").encode("ascii").ljust(13, b"\0"),
        disc_type=session.disc_type,
        first=session.tracks[0].number,
        last=session.tracks[-1].number,
        tracks=tuple(
            nrg.DaoTrack(
                isrc=(each.track.isrc or "").encode("ascii").ljust(12, b"\0"),
                sector_size=each.width,
                mode=each.mode,
                pregap=each.offset,
                start=each.start,
                end=each.end,
            )
            for each in stored
        ),
    )
