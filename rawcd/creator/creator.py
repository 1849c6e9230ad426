"""The complete disc-at-once image of a disc (IMAPI: IRawCDImageCreator)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rawcd.creator.appending import Base
from rawcd.creator.assembly import regions, staged_session
from rawcd.creator.fitting import (
    require_fitting_type,
    sector_type_of,
    taken_postgap,
    taken_pregap,
)
from rawcd.creator.generator import RwForm, RwGenerator
from rawcd.creator.layout import Placed, StagedTrack, place, pregap_sectors
from rawcd.creator.material import (
    DataInput,
    Material,
    SoundInput,
    check_options,
    notes_on,
    take,
    take_data,
)
from rawcd.creator.refusals import refusal, whole_number
from rawcd.creator.settings import DiscSettings
from rawcd.creator.track import TrackInfo
from rawcd.disc import LAST_LEAD_OUT_LBA, MAX_TRACKS, PREGAP_SECTORS, Disc
from rawcd.image import ImageType, Note, RegionImage, SubForm, SubRegion
from rawcd.rules import (
    MAX_LEAD_OUT_LBA,
    MAX_SPECIAL_PREGAP_END_LBA,
    MIN_TRACK_SECTORS,
    lead_out_limit_message,
    rule_breaks,
    short_track_message,
)
from rawcd.sector import SectorType
from rawcd.source import ArraySource
from rawcd.subcode.style import STYLES, Style

if TYPE_CHECKING:
    from rawcd.creator.folders import FolderInput
    from rawcd.filesystem import VolumeOptions


class RawCDImageCreator(DiscSettings):
    """Stages tracks and makes a complete raw image of them (IRawCDImageCreator).

    Sound is kept, not copied: it must live and stay unchanged until the image has been read.
    Every refusal is an `AuthoringError` with IMAPI's code in `.hresult`.

    Args:
        strict: IMAPI's own limits and nothing beyond: no `pregap=`, sound that ends inside a
            sector is refused, file objects hold samples, the gap switch is fixed by the first
            track, and the lead-out's limit can be put to 398,099 at most.
        style: how P and Q are made; ours, IMAPI has one. None is the standard's, or that of the
            image before.
        after: ours. An image that this session goes onto: its tracks lie at their true
            addresses behind it, their numbers go on, and the image made spans both. Catalogue
            number and CD-TEXT are those of `after`.

    Raises:
        AuthoringError: `after` is no image, or a closed disc (E_INVALIDARG).
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        style: Style | str | None = None,
        after: RegionImage | None = None,
    ) -> None:
        self._strict = strict
        super().__init__(Base.of(after))
        if style is None:
            style = STYLES["standard"] if after is None else after.style
        self._style = Style.preset(style) if isinstance(style, str) else style
        self._infos: list[TrackInfo] = []
        self._special_pregap: Material | None = None
        self._limit = MAX_LEAD_OUT_LBA
        self._disable_gapless = False
        self._pregap_notes: tuple[Note, ...] = ()
        self._notes: list[Note] = []

    # -- what TrackInfo asks ---------------------------------------------------------------------

    def _require_tracks(self) -> None:
        if not self._tracks:
            raise refusal("no-tracks", "there is no track yet; add one first")

    def _placed(
        self, *, and_track: StagedTrack | None = None, gapless: bool | None = None
    ) -> tuple[Placed, ...]:
        tracks = self._tracks if and_track is None else [*self._tracks, and_track]
        return place(
            tracks,
            program_lba=self._base.program_lba,
            first_pregap=self._first_pregap(tracks),
            gapless=not self._disable_gapless if gapless is None else gapless,
        )

    def _first_pregap(self, tracks: list[StagedTrack]) -> int:
        if self._special_pregap is not None:
            return self._special_pregap.sectors
        given = tracks[0].pregap if tracks else None
        return PREGAP_SECTORS if given is None else pregap_sectors(given)

    # -- staging ---------------------------------------------------------------------------------

    def add_special_pregap(self, data: SoundInput) -> None:
        """Give the sound of the first track's pregap: hidden before it (AddSpecialPregap).

        Args:
            data: at least 150 sectors; the first 150 lie at LBA -150 to -1, the rest pushes
                the first track up. An end inside a sector is filled with silence, with a note.

        Raises:
            AuthoringError: there are tracks (TRACKS_ALREADY_ADDED), it is too short
                (E_INVALIDARG), its last sector would pass LBA 397,799 or leave the limit no
                room for a track (INSUFFICIENT_SPACE), nothing was given (E_POINTER), or the
                image has been made.
            FormatError: the file is no sound.
            StorageError: the file cannot be read.
        """
        self._require_writable()
        self._require_no_tracks("add_special_pregap")
        material = take(data, what="the special pregap", strict=self._strict)
        self._check_first_pregap(material.sectors, self._limit)
        self._special_pregap = material
        self._pregap_notes = tuple(notes_on(material, None, "the special pregap"))

    def _check_first_pregap(self, sectors: int, limit: int) -> None:
        if sectors < PREGAP_SECTORS:
            raise refusal(
                "short-pregap",
                f"a first pregap of {sectors} sectors is shorter than {PREGAP_SECTORS} (2 s)",
            )
        end = self._base.program_lba + sectors
        if end > MAX_SPECIAL_PREGAP_END_LBA or end + MIN_TRACK_SECTORS > limit:
            last = min(MAX_SPECIAL_PREGAP_END_LBA, limit - MIN_TRACK_SECTORS) - 1
            raise refusal(
                "lead-out-limit",
                f"the pregap's last sector would be LBA {end - 1}; it may not pass {last}, so "
                "that a shortest track still fits",
            )

    def add_track(
        self,
        data: SoundInput | DataInput,
        sector_type: SectorType | int = SectorType.AUDIO,
        *,
        pregap: int | SoundInput = None,
        postgap: int | None = None,
        pad_short: bool = False,
        block_size: int | None = None,
        subheader: bytes | None = None,
        scrambled: bool | None = None,
        relocate: bool = False,
    ) -> int:
        """Add a track and return its handle for `track_info` (AddTrack).

        Args:
            data: its sound: a path, bytes, an int16 array (n, 2), a binary file object that
                holds a sound file or bare samples, a `Source` of 2,352-byte blocks or a
                `Sound`. An end inside a sector is filled with silence, with a note.
                Or its data, in whole blocks: a path, bytes, an array of uint8, a binary file
                object, or a `Source`.
            sector_type: what the blocks hold. Audio and data may follow each other; the data
                tracks of one session are all mode 1, all mode 0, or mode 2 of any form.
            pregap: ours. None: the gap switch decides, and where the mode changes a data track
                gets three seconds, the first in the old mode (ECMA-130 20.1), sound two. A
                number: so many sectors without content before index 1, 0 for none. Sound: it
                lies there. On the first track it is the whole pregap, at least 150 sectors: the
                same as `add_special_pregap`.
            postgap: ours. Sectors of zero user data behind a data track, which belong to it.
                None: two seconds where a track of another mode follows (ECMA-130 20.2), else
                none; 0: the data bring their own.
            pad_short: fill a track under 300 sectors with silence, or sectors of zero user
                data, with a note, instead of refusing it.
            block_size: ours. Bytes in a block of data, one of `sector_type.block_sizes`. None:
                IMAPI's size if it divides the bytes, else the only one that does.
            subheader: ours. Four or eight bytes for XA blocks that bring none.
            scrambled: ours. Whether whole data sectors (the RAW types) are; None finds out by
                their headers when the image is made.
            relocate: ours. Take whole data sectors (2,352 bytes) whose headers tell other
                addresses, such as those of another disc: they are given those of their place,
                and EDC and parity that held are made to hold again.

        Returns:
            1, 2, 3, ...: the handle, which is not the track's number on the disc.

        Raises:
            AuthoringError: it is too short, in parts of blocks, or the pregap is wrong
                (E_INVALIDARG), the hundredth (TOO_MANY_TRACKS), of a type that does not go
                with the others (SECTOR_TYPE_NOT_SUPPORTED), would push the lead-out past its
                limit (INSUFFICIENT_SPACE), nothing was given (E_POINTER), or the image has
                been made.
            FormatError: the file is no sound.
            StorageError: the file cannot be read.
        """
        self._require_writable()
        kind = sector_type_of(sector_type)
        require_fitting_type(
            kind,
            self._tracks,
            strict=self._strict,
            special_pregap=self._special_pregap is not None,
            starting_number=1 if self._base.image is not None else self._starting_number,
        )
        number = self._starting_number + len(self._tracks)
        if number > MAX_TRACKS:
            raise refusal(
                "too-many-tracks",
                f"a disc's track numbers go to {MAX_TRACKS}; this one would be {number}",
            )
        what = f"track {number}"
        if kind is SectorType.AUDIO:
            material = take(data, what=what, strict=self._strict)
        else:
            material = take_data(data, kind, what=what, block_size=block_size)
        check_options(
            kind,
            material.source,
            what=what,
            block_size=block_size,
            subheader=subheader,
            scrambled=scrambled,
            relocate=relocate,
        )
        sectors = material.sectors
        if sectors < MIN_TRACK_SECTORS:
            if not pad_short:
                raise refusal(
                    "short-track",
                    f"{what}: {short_track_message(sectors)}; pad_short=True fills it up",
                )
            sectors = MIN_TRACK_SECTORS
        track = StagedTrack(
            material=material,
            sector_type=kind,
            subheader=subheader,
            scrambled=scrambled,
            relocate=relocate,
            sectors=sectors,
            pregap=self._taken_pregap(pregap, kind, what),
            postgap=taken_postgap(postgap, kind, what),
        )
        lead_out = self._placed(and_track=track)[-1].end_lba
        if lead_out > self._limit:
            raise refusal(
                "lead-out-limit", f"{what}: {lead_out_limit_message(lead_out, self._limit)}"
            )
        self._tracks.append(track)
        self._infos.append(TrackInfo(self, track, len(self._infos)))
        self._notes.extend(notes_on(material, number, what))
        if isinstance(track.pregap, Material):
            self._notes.extend(notes_on(track.pregap, number, f"the pregap of {what}"))
        if sectors > material.sectors:
            self._notes.append(
                Note(
                    code="short-padded",
                    message=f"its {material.sectors} sectors were filled up to {MIN_TRACK_SECTORS}",
                    track=number,
                    file=material.source.name,
                )
            )
        return len(self._tracks)

    def add_folder(
        self,
        folder: FolderInput,
        sector_type: SectorType | int = SectorType.MODE1,
        *,
        options: VolumeOptions | None = None,
        pregap: int | None = None,
        postgap: int | None = None,
    ) -> int:
        """Add a data track with a file system made of a folder, and return its handle; ours.

        It is laid out for the address where the track will lie; files are read when the image
        is. In a session that goes onto a disc with a file system, the files of that one stay
        visible where the folder has none at the same place.

        Args:
            folder: a folder, or a `rawcd.filesystem.FileTree`.
            sector_type: MODE1, or MODE2FORM1 for an XA disc, such as an enhanced CD's second
                session.
            options: what kind of volume; None is ISO 9660 with Joliet.
            pregap: as in `add_track`.
            postgap: as in `add_track`.

        Raises:
            AuthoringError: it holds names, links or files that the volume cannot hold, all of
                them named; it does not fit; or as in `add_track`.
            StorageError: it cannot be read.
        """
        from rawcd.creator.folders import of_track, volume_for

        self._require_writable()
        kind = sector_type_of(sector_type)
        volume, notes = volume_for(
            folder,
            kind,
            lba=self.next_starting_lba(kind, pregap=pregap),
            limit=self._limit,
            options=options,
            before=self._base.image,
        )
        handle = self.add_track(volume.source, kind, pregap=pregap, postgap=postgap, pad_short=True)
        self._notes.extend(of_track(notes, self._infos[-1].track_number))
        return handle

    def _taken_pregap(
        self, pregap: int | SoundInput, kind: SectorType, what: str
    ) -> int | Material | None:
        before = self._tracks[-1] if self._tracks else None
        taken = taken_pregap(pregap, kind, what, before, strict=self._strict)
        if taken is not None and before is None:
            if self._special_pregap is not None:
                raise refusal(
                    "argument", f"{what}: pregap= and add_special_pregap say the same; give one"
                )
            self._check_first_pregap(pregap_sectors(taken), self._limit)
        return taken

    def add_subcode_rw_generator(self, subcode: Any, *, form: RwForm | None = None) -> None:
        """Give the R-W subcode of the whole image, or None to clear it (AddSubcodeRWGenerator).

        Args:
            subcode: a path, bytes, an array of uint8, a binary file object or a `Source` of
                96-byte blocks: `raw_sector_count` * 96 bytes from the image's first sector on,
                in the image type's own form: packs before interleave for COOKED, final symbols
                for RAW. Bits 7 and 6 of each byte, P and Q, are zero. Size and bits are checked
                when the image is made. `rawcd.subcode.RWPacks` and `RawPW` tell their form.
            form: ours. `"packs"` or `"symbols"`, whatever the image type: packs get parity and
                interleave on their way into a RAW image, symbols lose both on their way into a
                COOKED one. None is the image type's own, which takes the bytes as they are.

        Raises:
            AuthoringError: the image type is PQ_ONLY, or this is no stream of bytes or no form
                (E_INVALIDARG), or the image has been made. `strict=True` takes no form.
            StorageError: the file cannot be found.
        """
        self._require_writable()
        if subcode is None:
            self._rw = None
            return
        if self._kind is ImageType.PQ_ONLY:
            raise refusal(
                "generator-under-pq-only",
                "an image of type PQ_ONLY has no R-W subcode; choose COOKED or RAW first",
            )
        if self._strict and form is not None:
            raise refusal(
                "argument", "IMAPI takes R-W subcode in the image type's form alone (strict=True)"
            )
        self._rw = RwGenerator(subcode, form)

    # -- settings --------------------------------------------------------------------------------

    @property
    def start_of_leadout(self) -> int:
        """LBA of the lead-out: the last user sector plus one (StartOfLeadout).

        Raises:
            AuthoringError: there is no track (NO_TRACKS).
        """
        self._require_tracks()
        return self._placed()[-1].end_lba

    @property
    def start_of_leadout_limit(self) -> int:
        """Highest LBA at which the lead-out may start (StartOfLeadoutLimit): 398,100 until put.

        IMAPI's page gives 398,099 as the maximum and also as the last user sector, whose
        lead-out starts at 398,100 and ends at 89:59:74; the maximum here is 398,100, under
        `strict` 398,099.

        Raises:
            AuthoringError: it is out of range (E_INVALIDARG), below what is used
                (INSUFFICIENT_SPACE; the old value stays), or the image has been made.
        """
        return self._limit

    @start_of_leadout_limit.setter
    def start_of_leadout_limit(self, lba: int) -> None:
        self._require_writable()
        highest = MAX_LEAD_OUT_LBA - 1 if self._strict else MAX_LEAD_OUT_LBA
        lba = whole_number(lba, "a lead-out limit", 1, highest)
        if self._tracks and self.start_of_leadout > lba:
            raise refusal("lead-out-limit", lead_out_limit_message(self.start_of_leadout, lba))
        if self._special_pregap is not None and not self._tracks:
            self._check_first_pregap(self._special_pregap.sectors, lba)
        self._limit = lba

    @property
    def disable_gapless_audio(self) -> bool:
        """True puts two silent seconds between tracks (DisableGaplessAudio); False until put.

        False records gaplessly: nothing is inserted, and a track's pregap is the end of the
        track before it. (IMAPI's page says the reverse of the property's name, of its header
        and of all programs in use; the name is right.) Putting it moves tracks that are there.

        Raises:
            AuthoringError: the moved lead-out would pass its limit (INSUFFICIENT_SPACE; the old
                value stays), under `strict` there are tracks (TRACKS_ALREADY_ADDED), or the
                image has been made.
        """
        return self._disable_gapless

    @disable_gapless_audio.setter
    def disable_gapless_audio(self, value: bool) -> None:
        self._require_writable()
        if self._strict:
            self._require_no_tracks("disable_gapless_audio")
        if self._tracks:
            lead_out = self._placed(gapless=not value)[-1].end_lba
            if lead_out > self._limit:
                raise refusal("lead-out-limit", lead_out_limit_message(lead_out, self._limit))
        self._disable_gapless = bool(value)

    # -- answers ---------------------------------------------------------------------------------

    def track_info(self, track_index: int) -> TrackInfo:
        """Return a track by the handle that `add_track` gave, 1, 2, 3, ... (TrackInfo).

        Raises:
            AuthoringError: there is no such track (E_INVALIDARG).
        """
        if not self._infos:
            raise refusal("argument", f"there is no track {track_index!r}: none has been added")
        return self._infos[whole_number(track_index, "a track's handle", 1, len(self._infos)) - 1]

    def next_starting_lba(
        self, sector_type: SectorType | int = SectorType.AUDIO, *, pregap: int | None = None
    ) -> int:
        """Return the LBA that index 1 of the next track would have; ours.

        A file system has to know it before it is made.

        Args:
            sector_type: of that track.
            pregap: what `add_track` would be given.

        Raises:
            AuthoringError: this is no sector type, or no pregap for it (E_INVALIDARG).
        """
        kind = sector_type_of(sector_type)
        track = StagedTrack(
            material=Material(source=ArraySource(b""), missing_bytes=0, notes=()),
            sector_type=kind,
            sectors=MIN_TRACK_SECTORS,
            pregap=self._taken_pregap(pregap, kind, "the next track"),
        )
        return self._placed(and_track=track)[-1].start_lba

    @property
    def number_of_existing_tracks(self) -> int:
        """Tracks added so far (NumberOfExistingTracks)."""
        return len(self._tracks)

    @property
    def last_used_user_sector_in_image(self) -> int:
        """LBA of the last sector that belongs to a track (LastUsedUserSectorInImage).

        Raises:
            AuthoringError: there is no track (NO_TRACKS).
        """
        return self.start_of_leadout - 1

    @property
    def expected_table_of_contents(self) -> bytes:
        """The answer of READ TOC format 0 in LBA form (ExpectedTableOfContents).

        A header of 4 bytes, then 8 a track, the lead-out as track AAh last; ADR is the high
        nibble. Final once all properties are.

        Raises:
            AuthoringError: there is no track (NO_TRACKS).
        """
        from rawcd.toc import scsi_toc

        self._require_tracks()
        return scsi_toc(self._disc())

    @property
    def raw_sector_count(self) -> int:
        """Sectors of the session from its lead-in, at 95:00:00, to the end of its lead-out; ours.

        96 times that is the size of the R-W subcode stream.

        Raises:
            AuthoringError: there is no track (NO_TRACKS).
        """
        end = self.start_of_leadout + self._base.lead_out_sectors
        return end - self._base.lead_in_lba

    # -- the image -------------------------------------------------------------------------------

    def create_result_image(self) -> RegionImage:
        """Return the complete image, from MSF 95:00:00 to the end of the lead-out, once.

        Nothing is read but the R-W subcode, whose P and Q bits are checked. Afterwards every
        property still reads and none can be put (CreateResultImage).

        Raises:
            AuthoringError: there is no track (NO_TRACKS), the disc breaks a rule, the R-W
                subcode has the wrong size or P or Q bits (E_INVALIDARG), or the image has been
                made (READ_ONLY), or there is CD-TEXT and the image type is not RAW, or R-W
                subcode lies in its lead-in. The creator stays writable then.
            UnsupportedError: a text cannot be held in its character set.
            StorageError: the R-W subcode cannot be read.
        """
        self._require_writable()
        self._require_tracks()
        disc = self._disc()
        session = disc.sessions[-1]
        breaks = [
            each
            for each in rule_breaks(disc, lead_out_limit=self._limit)
            if each.lba is None or each.lba >= session.lead_in_lba
        ]
        if breaks:
            raise refusal(breaks[0].rule, "; ".join(map(str, breaks)))
        self._check_text(disc)
        image = self._base.image_with(
            disc=disc,
            main=tuple(regions(disc, self._tracks, self._placed(), self._special_pregap)),
            sub=self._sub_region(disc),
            kind=self._kind,
            style=self._style,
            notes=(*self._pregap_notes, *self._notes),
        )
        image.check_text()
        self._read_only = True
        return image

    def _check_text(self, disc: Disc) -> None:
        """Refuse CD-TEXT in an image that cannot carry it."""
        if self._cdtext is None or not any(block.items for block in self._cdtext.blocks):
            return
        if self._kind is not ImageType.RAW:
            raise refusal(
                "cdtext-needs-raw",
                f"CD-TEXT lies in the final R-W symbols of the lead-in, and an image of type "
                f"{self._kind.name} has none; choose RAW, or clear cdtext",
            )
        if self._rw is not None:
            self._rw.require_zero(
                disc.sessions[0].program_lba - disc.first_lba, first_lba=disc.first_lba
            )

    def _disc(self) -> Disc:
        before = self._base.image
        session = staged_session(
            self._tracks,
            self._placed(),
            after=None if before is None else before.disc,
            starting_number=self._starting_number,
            disc_type=self._disc_type,
        )
        limit = LAST_LEAD_OUT_LBA
        if self._appendable and session.lead_out_lba > limit:  # the blank must be a longer one
            limit = session.lead_out_lba
        if self._appendable and self._limit != MAX_LEAD_OUT_LBA:
            limit = self._limit
        return self._base.disc_with(
            session,
            mcn=self._mcn,
            cdtext=self._cdtext,
            appendable=self._appendable,
            last_lead_out_lba=limit,
        )

    def _sub_region(self, disc: Disc) -> SubRegion:
        session = disc.sessions[-1]
        lba, sectors = session.lead_in_lba, session.end_lba - session.lead_in_lba
        if self._rw is None:
            return SubRegion(lba=lba, sectors=sectors, form=SubForm.MADE)
        return SubRegion(
            lba=lba,
            sectors=sectors,
            form=SubForm.RW,
            source=self._rw.checked(first_lba=lba, sectors=sectors),
            rw_packed=self._rw.is_packed(self._kind),
        )
