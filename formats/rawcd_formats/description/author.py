"""From the tables of a description to its disc, session by session."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import TextToc
from rawcd.creator import RawCDImageCreator
from rawcd.errors import AuthoringError
from rawcd.graphics import with_graphics
from rawcd.image import ImageType
from rawcd.plugins import open_image
from rawcd.source import BlockSource, FileBytes
from rawcd_formats.description.texts import cdtext_of
from rawcd_formats.description.tracks import Tracks

if TYPE_CHECKING:
    from rawcd.creator import TrackInfo
    from rawcd.fileset import InputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd_formats.description.tables import Table

_SUB_BYTES: Final = 96
_OF_TRACK: Final = re.compile(r"track (\d+)\b")
"""How the creator's refusals begin that are about a track."""
_KEY_OF_RULE: Final = {
    "cdtext-needs-raw": "type",
    "cdtext-and-rw": "rw",
    "rw-has-pq": "rw",
    "lead-out-limit": "lead-out-limit",
}
"""What in the disc's table to look at where the finished disc breaks a rule."""
_opening: ContextVar[frozenset[Path]] = ContextVar("_opening", default=frozenset())
"""The descriptions that are just being opened, each for the one before it (`onto`)."""


@dataclass(frozen=True, slots=True)
class _Session:
    """A session as described; without a table of its own, its first track's stands for it."""

    table: Table
    tracks: list[Table]
    is_explicit: bool


def author(root: Table, files: InputFiles) -> RegionImage:
    """Return the disc that a description describes.

    Raises:
        FormatError: the description contradicts itself, or a file is not what it is said to be.
        AuthoringError: it asks for a disc that must not exist.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: it asks for what cannot be made.
    """
    return _Authoring(root, files).run()


def _sessions(root: Table) -> list[_Session]:
    sessions, tracks = root.tables("session"), root.tables("track")
    if sessions and tracks:
        raise tracks[0].error(
            "a disc with sessions has all its tracks in them: write [[session.track]]"
        )
    if tracks:
        return [_Session(tracks[0], tracks, is_explicit=False)]
    if not sessions:
        raise root.error('describes no track; write [[track]] and below it file = "..."')
    for session in sessions:
        if not session.tables("track"):
            raise session.error("the session has no track; write [[session.track]]")
    return [_Session(table, table.tables("track"), is_explicit=True) for table in sessions]


class _Authoring:
    """One description on its way to an image."""

    def __init__(self, root: Table, files: InputFiles) -> None:
        self._disc: Table = root.get("disc")
        self._sessions = _sessions(root)
        self._files = files
        self._tracks = Tracks(files)
        self._rw: FileBytes | None = None
        self._rw_sectors = 0

    def run(self) -> RegionImage:
        disc = self._disc
        if "rw" in disc:
            self._rw = FileBytes(self._tracks.path(disc, "rw", disc.get("rw")))
        image: RegionImage | None = None
        before = self._onto()
        for session in self._sessions:
            with disc.told("onto"):
                creator = RawCDImageCreator(
                    style=disc.get("style"),
                    after=before,  # type: ignore[arg-type]  # the creator refuses other images
                )
            image = before = self._session(creator, session, is_first=before is None)
        assert image is not None, "there is a session"
        self._check_rw()
        image = self._with_graphics(image)
        return replace(image, notes=(*image.notes, *self._tracks.notes))

    def _onto(self) -> DiscImage | None:
        """Return the image that the first session goes onto, if one is named."""
        disc = self._disc
        if "onto" not in disc:
            return None
        path = self._tracks.path(disc, "onto", disc.get("onto"))
        opening = _opening.get() | {Path(self._files.name).resolve()}
        if path.resolve() in opening:
            raise disc.error("onto leads back to this description", "onto")
        token = _opening.set(opening)
        try:
            with disc.told("onto"):
                return open_image(path, trust_paths=self._files.trusts_paths)
        finally:
            _opening.reset(token)

    def _session(
        self, creator: RawCDImageCreator, session: _Session, *, is_first: bool
    ) -> RegionImage:
        disc = self._disc
        is_last = session is self._sessions[-1]
        self._settle(creator, is_first=is_first, is_own_first=session is self._sessions[0])
        creator.appendable = disc.get("appendable", False) if is_last else True
        disc_type = session.table.get("type") if session.is_explicit else None
        creator.disc_type = disc_type
        infos = [self._tracks.add(creator, table, disc_type) for table in session.tracks]
        self._set_text(creator, session, infos, is_first=is_first)
        self._set_rw(creator)
        try:
            return creator.create_result_image()
        except AuthoringError as error:
            table, key = self._blamed(session, infos, error)
            with table.told(key):
                raise

    def _settle(self, creator: RawCDImageCreator, *, is_first: bool, is_own_first: bool) -> None:
        """Say of a session what the description says of the disc."""
        disc = self._disc
        if is_first:
            creator.resulting_image_type = ImageType.RAW
        if is_own_first:
            for key, name in (
                ("type", "resulting_image_type"),
                ("mcn", "media_catalog_number"),
                ("first-track", "starting_track_number"),
            ):
                if key in disc:
                    with disc.told(key):
                        setattr(creator, name, disc.get(key))
        if "lead-out-limit" in disc:
            with disc.told("lead-out-limit"):
                creator.start_of_leadout_limit = disc.get("lead-out-limit")
        creator.disable_gapless_audio = disc.get("gaps", False)

    def _set_text(
        self,
        creator: RawCDImageCreator,
        session: _Session,
        infos: list[TrackInfo],
        *,
        is_first: bool,
    ) -> None:
        numbered = [
            (info.track_number, table) for info, table in zip(infos, session.tracks, strict=True)
        ]
        if not is_first:
            texts = [text for _, table in numbered for text in table.tables("text")]
            if "onto" in self._disc:
                texts += self._disc.tables("text")
            if texts:
                raise texts[0].error(
                    "CD-TEXT lies in the disc's first lead-in and names that session's tracks "
                    "alone; leave it out here"
                )
            return
        toc = TextToc.from_lbas(
            [info.starting_lba for info in infos],
            creator.start_of_leadout,
            first_track=creator.starting_track_number,
        )
        cdtext = cdtext_of(self._disc, numbered, toc)
        if cdtext is not None:
            creator.cdtext = cdtext

    def _set_rw(self, creator: RawCDImageCreator) -> None:
        """Give a session its part of the R-W subcode."""
        if self._rw is None:
            return
        before, count = self._rw_sectors, creator.raw_sector_count
        self._rw_sectors += count
        if self._rw_sectors * _SUB_BYTES > self._rw.size:
            self._check_rw()
        part = BlockSource(
            self._rw, offset=before * _SUB_BYTES, block_size=_SUB_BYTES, block_count=count
        )
        with self._disc.told("rw"):
            creator.add_subcode_rw_generator(part)

    def _check_rw(self) -> None:
        """Refuse R-W subcode that is not as long as what has been made.

        Raises:
            FormatError: it is not.
        """
        wanted = self._rw_sectors * _SUB_BYTES
        if self._rw is not None and self._rw.size != wanted:
            more = " or more" if self._rw.size < wanted and len(self._sessions) > 1 else ""
            raise self._disc.error(
                f"rw: {self._rw.name} has {self._rw.size} bytes and must have {wanted}{more}: "
                f"{_SUB_BYTES} for each of {self._rw_sectors} sectors",
                "rw",
            )

    def _blamed(
        self, session: _Session, infos: list[TrackInfo], error: AuthoringError
    ) -> tuple[Table, str | None]:
        """Return the table and key to look at when the finished session is refused."""
        key = _KEY_OF_RULE.get(error.rule)
        if key is not None and key in self._disc:
            return self._disc, key
        found = _OF_TRACK.match(str(error))
        for info, table in zip(infos, session.tracks, strict=True):
            if found is not None and info.track_number == int(found[1]):
                return table, None
        return session.table, None

    def _with_graphics(self, image: RegionImage) -> RegionImage:
        graphics = self._tracks.graphics
        if not graphics:
            return image
        table, _ = next(iter(graphics.values()))
        if self._rw is not None:
            raise table.error("cdg and the disc's rw are both R-W subcode; leave one out", "cdg")
        if image.kind is ImageType.PQ_ONLY:
            raise table.error(
                "cdg needs R-W subcode, which an image of type pq has not; choose cooked or raw",
                "cdg",
            )
        with table.told("cdg"):
            return with_graphics(image, {number: cdg for number, (_, cdg) in graphics.items()})
