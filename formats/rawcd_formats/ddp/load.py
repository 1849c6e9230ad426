"""A set as an image.

DDPID and DDPMS, the PQ descriptor and CD-TEXT are read and their MD5 sums compared where there are
sums; the image itself is compared only by `differing_image`, as its 700 MB would take seconds.

What no public source explains is refused: streams of data, several streams of audio, R-W subcode,
more than one session, a stream that begins elsewhere in its file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import (
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
)
from rawcd.msf import PROGRAM_LBA
from rawcd.rules import is_sheet_isrc
from rawcd.source import SECTOR_BYTES, BlockSource
from rawcd_formats.ddp import packets
from rawcd_formats.ddp.packets import ID_PACKET, MAP_PACKET, PQ_PACKET, Packet, packets_of
from rawcd_formats.ddp.sums import differing, find_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset import InputFiles
    from rawcd.progress import Progress
    from rawcd.source import Reader

_DESCRIPTION_LIMIT: Final = 1024 * 1024
"""Bytes of a file of packets; 99 tracks of 100 indexes are 633,792 in a PQ descriptor."""
_TEXT_LIMIT: Final = 64 * 1024
_NOT_MOVED: Final = ("DSP", "PRE1", "PST", "PRE1NXT", "PAUSEADD", "OFS")
_SILENT: Final = ("MED", "TRK", "IDX", "ISRC")
_SCMS: Final = "S"
_ADR: Final = "1"
_DATA_BIT: Final = 4
_COPY_BIT: Final = 2


@dataclass(slots=True, kw_only=True)
class _Set:
    """The files of a set, as far as they were found.

    Attributes:
        members: by the names that the set gives them.
        notes: on what was odd.
    """

    files: InputFiles
    identifier: Packet
    streams: tuple[Packet, ...]
    members: dict[str, Reader]
    notes: list[Note] = field(default_factory=list)

    def note(self, code: str, message: str, file: str, track: int | None = None) -> None:
        self.notes.append(Note(code=code, message=message, file=file, track=track))

    def open(self, stream: Packet) -> Reader:
        """Open the file that a stream's packet names."""
        name = stream["DSI"]
        if not name:
            raise stream.error("names no file", "DSI")
        found = self.files.find(name, place=stream.place("DSI"))
        if found.note is not None:
            self.notes.append(found.note)
        self.members[name] = found.reader
        return found.reader


def load(files: InputFiles) -> RegionImage:
    """Open a set.

    Raises:
        FormatError: a packet is not what it should be, or contradicts another.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: the set holds what no public source explains.
    """
    found = _opened(files)
    audio, descriptor, texts = _streams(found)
    entries = _entries(found, descriptor)
    disc = _disc(found, entries)
    if texts is not None:
        disc = _with_text(found, disc, texts)
    main = _main(found, audio, disc)
    sums = find_sums(files)
    if sums is not None:
        small = {name: each for name, each in found.members.items() if name != audio["DSI"]}
        found.notes.extend(differing(sums, small))
    first = disc.first_lba
    made = SubRegion(lba=first, sectors=disc.end_lba - first, form=SubForm.MADE)
    return RegionImage(disc=disc, main=main, sub=(made,), notes=tuple(found.notes))


def differing_image(files: InputFiles, progress: Progress | None = None) -> tuple[Note, ...]:
    """Compare the image with its MD5 sum, which reads it whole.

    Returns:
        A note where the sums differ; nothing where they agree, or there is no sum.

    Raises:
        FormatError: the set cannot be read.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: the set holds what no public source explains.
        CancelledError: `progress` said stop.
    """
    found = _opened(files)
    audio, _, _ = _streams(found)
    sums = find_sums(files)
    if sums is None:
        return ()
    return tuple(differing(sums, {audio["DSI"]: found.open(audio)}, progress))


def _opened(files: InputFiles) -> _Set:
    """Read DDPID and DDPMS, whichever of them was given."""
    given_map = files.head().startswith(packets.MAP_VALID.encode())
    other = files.find("DDPID" if given_map else "DDPMS")
    identifier, streams = (
        (other.reader, files.reader) if given_map else (files.reader, other.reader)
    )
    id_packets = packets_of(_content(identifier, _DESCRIPTION_LIMIT), ID_PACKET, identifier.name)
    found = _Set(
        files=files,
        identifier=id_packets[0],
        streams=packets_of(_content(streams, _DESCRIPTION_LIMIT), MAP_PACKET, streams.name),
        members={"DDPID": identifier, "DDPMS": streams},
        notes=[other.note] if other.note is not None else [],
    )
    if len(id_packets) > 1:
        raise id_packets[1].error(f"there are {len(id_packets)} packets instead of one")
    level, kind = found.identifier["DDPID"], found.identifier["TYPE"]
    if not level.startswith("DDP "):
        raise found.identifier.error(f"{level!r} is no level of DDP", "DDPID")
    if level != packets.LEVEL:
        raise UnsupportedError(
            f"{identifier.name}: the level {level!r} is not read, only {packets.LEVEL!r}; have the "
            "set written anew at that level"
        )
    if kind != "CD":
        raise UnsupportedError(f"{identifier.name}: a disc of type {kind!r} is no CD")
    if found.identifier["MID"]:
        found.note(
            "not-on-disc",
            f"the master ID {found.identifier['MID']!r} is not on the disc; --set master-id= "
            "writes one",
            identifier.name,
        )
    return found


def _content(reader: Reader, limit: int) -> bytes:
    if reader.size > limit:
        raise FormatError(
            f"{reader.size} bytes are too many; at most {limit} make sense",
            file=reader.name,
            place=f"offset {limit}",
        )
    held = bytearray(reader.size)
    reader.read_at(0, held)
    return bytes(held)


def _told(found: _Set, stream: Packet, reader: Reader, limit: int) -> bytes:
    """Return the content of a stream of bytes, as long as its packet tells."""
    data = _content(reader, limit)
    told = stream.count("DSL")
    if told is None or told == len(data):
        return data
    if told > len(data):
        raise FormatError(
            f"{len(data)} bytes are fewer than the {told} that DDPMS tells; the file was cut short",
            file=reader.name,
            place=f"offset {len(data)}",
        )
    found.note("stream-longer", f"{len(data) - told} bytes behind the {told} of DDPMS", reader.name)
    return data[:told]


def _streams(found: _Set) -> tuple[Packet, Packet, Packet | None]:
    """Return the packets of the audio, the PQ descriptor and CD-TEXT."""
    by_use: dict[str, Packet] = {}
    for stream in found.streams:
        use = _use(found, stream)
        if use is None:
            continue
        if use in by_use:
            raise UnsupportedError(
                f"{stream.file}: packet {stream.number} is a second stream of {use!r}; how several "
                "go together no public source tells"
            )
        by_use[use] = stream
    for use, what in ((packets.AUDIO, "audio"), (packets.PQ_DESCRIPTOR, "a PQ descriptor")):
        if use not in by_use:
            raise found.streams[-1].error(f"no packet names a stream of {what}")
    return by_use[packets.AUDIO], by_use[packets.PQ_DESCRIPTOR], by_use.get(packets.CD_TEXT)


def _use(found: _Set, stream: Packet) -> str | None:
    """Return what a stream is: audio, PQ descriptor, CD-TEXT; None for what is not on the disc."""
    if stream["MPV"] != packets.MAP_VALID:
        raise stream.error(f"begins with {stream['MPV']!r}, not {packets.MAP_VALID!r}", "MPV")
    kind = stream["DST"]
    if kind in ("T0", "T1", "T2"):
        found.note("not-on-disc", f"the text {stream['DSI']!r} is not on the disc", stream.file)
        return None
    for name in _NOT_MOVED:
        if stream[name].strip("0"):
            raise UnsupportedError(
                f"{stream.file}: packet {stream.number}: {name} is {stream[name]!r}; what that "
                "would move no public source tells well enough"
            )
    if stream["NEW"]:
        raise UnsupportedError(
            f"{stream.file}: packet {stream.number} begins another session; such sets are not read"
        )
    if kind == packets.SUBCODE and stream["SUB"] in (packets.PQ_DESCRIPTOR, packets.CD_TEXT):
        return stream["SUB"]
    if kind == packets.MAIN and stream["CDM"] == packets.AUDIO and not stream["SUB"]:
        return packets.AUDIO
    what = f"{kind} {stream['SUB']}{stream['CDM']}".strip()
    raise UnsupportedError(
        f"{stream.file}: packet {stream.number} is a stream of type {what!r}; only audio "
        "('D0 DA'), the PQ descriptor and CD-TEXT are read"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A packet of the PQ descriptor, understood.

    Attributes:
        packet: the packet.
        index: its index number.
        lba: its address.
    """

    packet: Packet
    index: int
    lba: int

    @property
    def track(self) -> str:
        return self.packet["TRK"]


def _entries(found: _Set, stream: Packet) -> tuple[_Entry, ...]:
    """Read the PQ descriptor."""
    reader = found.open(stream)
    data = _told(found, stream, reader, _DESCRIPTION_LIMIT)
    return tuple(_entry(each) for each in packets_of(data, PQ_PACKET, reader.name))


def _entry(read: Packet) -> _Entry:
    if read["SPV"] != packets.PQ_VALID:
        raise read.error(f"begins with {read['SPV']!r}, not {packets.PQ_VALID!r}", "SPV")
    parts = {name: read.count(name) for name in ("IDX", "MIN", "SEC", "FRM")}
    for name, value in parts.items():
        if value is None:
            raise read.error("is blank", name)
    index, minutes, seconds, frames = (value or 0 for value in parts.values())
    if read.count("HRS"):
        raise read.error("no disc has hours", "HRS")
    if seconds > 59 or frames > 74:
        raise read.error(f"{minutes:02}:{seconds:02}:{frames:02} is no address")
    address = (minutes * 60 + seconds) * 75 + frames
    return _Entry(packet=read, index=index, lba=PROGRAM_LBA + address)


def _disc(found: _Set, entries: Sequence[_Entry]) -> Disc:
    """Return what the PQ descriptor says."""
    by_track: dict[str, list[_Entry]] = {}
    before = ""
    for entry in entries:
        if entry.track != before and entry.track in by_track:
            raise _returning(entry)
        by_track.setdefault(entry.track, []).append(entry)
        before = entry.track
    lead_in = by_track.pop(packets.LEAD_IN, [])
    lead_out = by_track.pop(packets.LEAD_OUT, [])
    if not by_track:
        raise entries[-1].packet.error("no packet names a track", "TRK")
    if not lead_out or entries[-1] is not lead_out[-1]:
        raise entries[-1].packet.error(
            f"does not end with the lead-out ({packets.LEAD_OUT})", "TRK"
        )
    if lead_in and entries[0] is not lead_in[0]:
        raise lead_in[0].packet.error("the lead-in does not come first", "TRK")
    for entry in lead_out:
        if entry.lba != lead_out[0].lba:
            raise entry.packet.error("the lead-out is at two addresses")
    ends = [*(group[0].lba for group in by_track.values()), lead_out[0].lba][1:]
    try:
        tracks = tuple(
            _track(found, group, end, opens=place == 0)
            for place, (group, end) in enumerate(zip(by_track.values(), ends, strict=True))
        )
        session = Session(tracks=tracks, lead_out_lba=lead_out[0].lba)
        return Disc(sessions=(session,), mcn=_mcn(found, entries))
    except FormatError:
        raise
    except ValueError as error:
        raise entries[-1].packet.error(f"the packets contradict each other: {error}") from error


def _returning(entry: _Entry) -> FormatError | UnsupportedError:
    """Return the error for packets of a track that do not stand together."""
    if entry.track == packets.LEAD_IN:
        return UnsupportedError(
            f"{entry.packet.file}: packet {entry.packet.number} begins another session; such sets "
            "are not read"
        )
    return entry.packet.error(f"track {entry.track} comes a second time", "TRK")


def _track(found: _Set, group: Sequence[_Entry], end: int, *, opens: bool) -> Track:
    first = group[0].packet
    number = first.count("TRK")
    if number is None:
        raise first.error("is blank", "TRK")
    indexes = [Index(number=entry.index, lba=entry.lba) for entry in group]
    if opens and indexes[0].number == 1:
        indexes.insert(0, Index(number=0, lba=PROGRAM_LBA))
    start = next((entry for entry in group if entry.index == 1), group[0])
    control, copy = _control(start.packet)
    for entry in group:
        if entry.packet["CB1"] != start.packet["CB1"]:
            found.note(
                "control",
                f"index {entry.index} has the control byte {entry.packet['CB1']!r}; "
                f"{start.packet['CB1']!r} of index 1 was taken",
                first.file,
                number,
            )
    return Track(
        number=number,
        indexes=tuple(indexes),
        end_lba=end,
        copy=copy,
        pre_emphasis=bool(control & 1),
        four_channel=bool(control & 8),
        isrc=_isrc(group),
    )


def _control(read: Packet) -> tuple[int, CopySetting]:
    """Return CONTROL and the copy setting."""
    text = read["CB1"]
    if len(text) != 2 or text[0] not in "0123456789ABCDEF" or text[1] not in _ADR + _SCMS:
        raise read.error(
            f"{text!r} is no control byte: a hexadecimal digit, then 1 or S is one", "CB1"
        )
    control = int(text[0], 16)
    if control & _DATA_BIT:
        raise UnsupportedError(
            f"{read.file}: packet {read.number} is of a data track; only audio is read"
        )
    if text[1] == _SCMS:
        if control & _COPY_BIT:
            raise read.error("says both SCMS and copy permitted", "CB1")
        return control, CopySetting.SCMS
    copy = CopySetting.PERMITTED if control & _COPY_BIT else CopySetting.PROHIBITED
    return control, copy


def _isrc(group: Sequence[_Entry]) -> str | None:
    """Return a track's ISRC, which may stand in any of its packets; zeros are none."""
    isrc = None
    for entry in group:
        text = entry.packet["ISRC"].upper()
        if not text.strip("0"):
            continue
        if not is_sheet_isrc(text):
            raise entry.packet.error(f"{text!r} is no ISRC of 12 letters and digits", "ISRC")
        if isrc not in (None, text):
            raise entry.packet.error(f"{text!r} is another ISRC than {isrc!r} before", "ISRC")
        isrc = text
    return isrc


def _mcn(found: _Set, entries: Sequence[_Entry]) -> str | None:
    """Return the catalogue number; that of the PQ descriptor, which goes to the disc, counts."""
    in_identifier = _upc(found.identifier)
    in_descriptor = None
    for entry in entries:
        number = _upc(entry.packet)
        if number is None:
            continue
        if in_descriptor not in (None, number):
            raise entry.packet.error(f"{number!r} is another number than {in_descriptor!r}", "UPC")
        in_descriptor = number
    if in_identifier is not None and in_identifier != in_descriptor:
        told = "none" if in_descriptor is None else in_descriptor
        taken = in_identifier if in_descriptor is None else in_descriptor
        found.note(
            "catalogue-number",
            f"DDPID has the catalogue number {in_identifier}, the PQ descriptor {told}; {taken} "
            "was taken",
            found.identifier.file,
        )
    return in_identifier if in_descriptor is None else in_descriptor


def _upc(read: Packet) -> str | None:
    """Return a packet's UPC (12 digits) or EAN (13) as 13 digits; zeros are none."""
    text = read["UPC"]
    if not text.strip("0"):
        return None
    if not text.isdecimal() or len(text) not in (12, 13):
        raise read.error(f"{text!r} is no UPC of 12 digits and no EAN of 13", "UPC")
    return text.zfill(13)


def _with_text(found: _Set, disc: Disc, stream: Packet) -> Disc:
    """Return the disc with its texts, and note what is wrong with them."""
    from rawcd.cdtext import packs_of_cdt, read_packs

    reader = found.open(stream)
    try:
        packs = packs_of_cdt(_told(found, stream, reader, _TEXT_LIMIT))
    except FormatError as error:
        if error.file is not None:
            raise
        raise FormatError(error.reason, file=reader.name, place=error.place) from error
    reading = read_packs(packs)
    for defect in reading.defects:
        found.note("cdtext-damaged", f"CD-TEXT: {defect}", reader.name)
    if reading.cdtext is None:
        return disc
    tracks = disc.tracks
    return replace(disc, cdtext=reading.cdtext.of_tracks(tracks[0].number, tracks[-1].number))


def _main(found: _Set, stream: Packet, disc: Disc) -> tuple[Region, ...]:
    """Return where the sound comes from."""
    lead_out = disc.sessions[0].lead_out_lba
    start, count = stream.count("DSS") or 0, stream.count("DSL")
    if stream["SSM"] not in ("0", "7"):
        raise UnsupportedError(
            f"{stream.file}: packet {stream.number}: sound in the storage mode {stream['SSM']!r} "
            "is not read; 7 and 0 are whole sectors of sound"
        )
    if not count:
        raise stream.error("is no length of sound", "DSL")
    for name in _SILENT:
        if stream[name].strip("0"):
            found.note("field-ignored", f"{name} of the sound is {stream[name]!r}", stream.file)
    first = PROGRAM_LBA + start
    if not PROGRAM_LBA <= first <= disc.tracks[0].start_lba:
        raise stream.error(f"the sound begins in sector {start}, behind the first index 1", "DSS")
    if first + count < lead_out:
        raise stream.error(
            f"{count} sectors from {start} on end at LBA {first + count}; the PQ descriptor has "
            f"the lead-out at LBA {lead_out}",
            "DSL",
        )
    if first + count > lead_out:
        found.note(
            "sound-behind-lead-out",
            f"{first + count - lead_out} sectors of the sound lie behind the lead-out",
            stream.file,
        )
    pregap = disc.tracks[0].pregap_sectors
    if stream.count("PRE2") not in (None, pregap - start):
        found.note(
            "pregap",
            f"PRE2 says {stream['PRE2']}; the PQ descriptor's first pregap has {pregap} sectors",
            stream.file,
        )
    reader = found.open(stream)
    if reader.size < count * SECTOR_BYTES:
        raise FormatError(
            f"{reader.size} bytes are fewer than the {count} sectors of {SECTOR_BYTES} bytes that "
            "DDPMS tells; the file was cut short",
            file=reader.name,
            place=f"offset {reader.size}",
        )
    sound = Region(
        lba=first, sectors=lead_out - first, form=MainForm.DISC, source=BlockSource(reader)
    )
    return (*blanks(disc, disc.first_lba, first), sound, *blanks(disc, lead_out, disc.end_lba))
