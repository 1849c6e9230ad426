"""An image as a set for a pressing plant.

Every byte of DDPID, DDPMS, the PQ descriptor and CDTEXT.BIN is as cue2ddp 1.1 writes it for the
same disc, but for the descriptor's name, which is `PQDESCR`, as others have it, and not `SD`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import CopySetting
from rawcd.errors import UnsupportedError
from rawcd.msf import PROGRAM_LBA, Msf
from rawcd.pump import JOBS, PlainMain, jobs_of, pump
from rawcd.source import SECTOR_BYTES
from rawcd_formats.ddp import packets, sums
from rawcd_formats.ddp.packets import ID_PACKET, MAP_PACKET, PQ_PACKET, packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.disc import Disc, Track
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress

_MAIN: Final = "DDPID"
_MAP: Final = "DDPMS"
_IMAGE: Final = "IMAGE.DAT"
_PQ: Final = "PQDESCR"
_TEXT: Final = "CDTEXT.BIN"
_MASTER_ID: Final = "master-id"


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write DDPID, DDPMS, IMAGE.DAT, PQDESCR, CDTEXT.BIN where there are texts, CHECKSUM.MD5.

    Args:
        image: the image.
        files: where they go; their main file's name is DDPID.
        options: `master-id`: what DDPID calls the master, at most 48 characters.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option or its value is unknown, a track is no audio, the first is
            not track 1, or the main file's name is not DDPID.
        StorageError: reading or writing failed.
    """
    disc = image.disc
    master_id = _master_id(options)
    jobs = jobs_of(options)
    _check(disc, files.name)
    session = disc.sessions[0]
    texts = _packs(disc)
    count = session.lead_out_lba - PROGRAM_LBA
    descriptor = b"".join(_pq(disc))
    streams = [
        packet(
            MAP_PACKET,
            MPV=packets.MAP_VALID,
            DST=packets.SUBCODE,
            DSL=len(descriptor),
            SUB=packets.PQ_DESCRIPTOR,
            SIZ=packets.NAME_CHARACTERS,
            DSI=_PQ,
        ),
        packet(
            MAP_PACKET,
            MPV=packets.MAP_VALID,
            DST=packets.MAIN,
            DSL=count,
            CDM=packets.AUDIO,
            SSM="7",
            SCR="1",
            PRE2=session.tracks[0].pregap_sectors,
            SIZ=packets.NAME_CHARACTERS,
            DSI=_IMAGE,
        ),
    ]
    if texts:
        about_texts = packet(
            MAP_PACKET,
            MPV=packets.MAP_VALID,
            DST=packets.SUBCODE,
            DSL=len(texts),
            SUB=packets.CD_TEXT,
            TRK=packets.LEAD_IN,
            SIZ=packets.NAME_CHARACTERS,
            DSI=_TEXT,
        )
        streams.insert(0, about_texts)
    identifier = packet(
        ID_PACKET, DDPID=packets.LEVEL, UPC=disc.mcn or "", MID=master_id, TYPE="CD"
    )
    sound = sums.SummedOutput(files.create(_IMAGE))
    sound.allocate(count * SECTOR_BYTES)
    pump(PlainMain(image), PROGRAM_LBA, count, sound, jobs=jobs, progress=progress)
    small = [(files.name, identifier), (_MAP, b"".join(streams)), (_PQ, descriptor)]
    if texts:
        small.insert(2, (_TEXT, texts))
    summed = []
    for name, content in small:
        output = sums.SummedOutput(files.create(name))
        output.write(content)
        summed.append(output)
    files.create(sums.NAME).write(sums.lines([*summed, sound]))


def _master_id(options: Mapping[str, str]) -> str:
    for option in options.keys() - {JOBS, _MASTER_ID}:
        raise UnsupportedError(f"the format ddp has no option {option!r}; it has {_MASTER_ID}")
    text = options.get(_MASTER_ID, "")
    if len(text) > packets.MASTER_ID_CHARACTERS or not (text.isascii() and text.isprintable()):
        raise UnsupportedError(
            f"the option {_MASTER_ID} is at most {packets.MASTER_ID_CHARACTERS} printable "
            f"characters of ASCII, not {text!r}"
        )
    return text


def _check(disc: Disc, name: str) -> None:
    """Refuse discs that no set can hold, whatever loss is allowed."""
    tracks = disc.sessions[0].tracks
    if name.upper() != _MAIN:
        raise UnsupportedError(
            f"{name}: the main file of a set of the format ddp is called {_MAIN}; name a folder "
            f"for the set, or {_MAIN} in one"
        )
    data = [track for track in tracks if not track.is_audio]
    if data:
        raise UnsupportedError(
            f"ddp is written for audio alone; track {data[0].number} is a data track, and how "
            "several streams go together no public source tells"
        )
    if tracks[0].number != 1:
        raise UnsupportedError(f"ddp counts tracks from 1; this disc from {tracks[0].number}")


def _packs(disc: Disc) -> bytes:
    if disc.cdtext is None:
        return b""
    tracks = disc.sessions[0].tracks
    # What no character set can hold was named as a loss before.
    return disc.cdtext.to_packs(
        first_track=tracks[0].number, last_track=tracks[-1].number, errors="replace"
    )


def _pq(disc: Disc) -> Iterator[bytes]:
    """Yield the packets of the PQ descriptor."""
    session = disc.sessions[0]
    yield _pq_packet(packets.LEAD_IN, 0, PROGRAM_LBA, upc=disc.mcn or "")
    for track in session.tracks:
        for place, index in enumerate(track.indexes):
            isrc = track.isrc or ""
            yield _pq_packet(
                f"{track.number:02}",
                index.number,
                index.lba,
                control=_control(track),
                isrc="" if place else isrc,
            )
    for _ in range(2):  # every writer puts it twice
        yield _pq_packet(packets.LEAD_OUT, 1, session.lead_out_lba)


def _pq_packet(
    track: str, index: int, lba: int, *, control: str = "01", isrc: str = "", upc: str = ""
) -> bytes:
    at = Msf.from_lba(lba)
    return packet(
        PQ_PACKET,
        SPV=packets.PQ_VALID,
        TRK=track,
        IDX=f"{index:02}",
        MIN=f"{at.minute:02}",
        SEC=f"{at.second:02}",
        FRM=f"{at.frame:02}",
        CB1=control,
        ISRC=isrc,
        UPC=upc,
    )


def _control(track: Track) -> str:
    """Return CONTROL in hexadecimal, and whether SCMS alternates its copy bit."""
    return f"{track.control:X}" + ("S" if track.copy is CopySetting.SCMS else "1")
