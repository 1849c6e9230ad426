"""Mastering jobs for tests: a recorder whose disc and cable can be pulled, a log of events."""

from __future__ import annotations

import errno
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pytest

import rawcd
from rawcd.errors import DriveError, MasteringError
from rawcd.filesystem import DiscBlocks, StoredFile, StoredVolume
from rawcd.mastering import DiscMaster, DiscMasterFormat, DiscMasterProgressEvents, Stash
from rawcd_writers.drive.recorder import VirtualRecorderDoor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawcd.hresults import HResult
    from rawcd.mastering import DiscRecorder, JolietDiscMaster, RedbookDiscMaster

BLOCK = 2352
_NUMBERS = itertools.count(1)


class Bench:
    """A recorder on a bench: its disc can be changed, its cable pulled, its commands made fail.

    Attributes:
        disc: the file of the disc that is in it; None: it is empty.
        medium: what kind of blank the disc is.
        faults: what goes wrong from the next opening on.
        trouble: the system's error when it is opened; None: it opens.
        opened: how often it was opened, exclusively and not.
    """

    def __init__(self, folder: Path, medium: str = "cdr-short") -> None:
        self.name = f"bench:{next(_NUMBERS)}"
        self._folder = folder
        self._discs = itertools.count(1)
        self.medium = medium
        self.disc: Path | None = None
        self.faults: list[str] = []
        self.trouble: int | None = None
        self.opened: list[bool] = []
        self.blank()

    def blank(self, medium: str | None = None) -> Path:
        """Put in a blank."""
        self.medium = medium or self.medium
        self.disc = self._folder / f"{self.name.partition(':')[2]}-{next(self._discs)}.raw"
        return self.disc

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> Any:
        self.opened.append(exclusive)
        if self.trouble is not None:
            raise DriveError(f"{self.name}: cannot be opened") from OSError(
                self.trouble, "to order"
            )
        where = "" if self.disc is None else str(self.disc)
        options = "empty=1" if self.disc is None else f"medium={self.medium}"
        faults = "".join(f"&fault={fault}" for fault in self.faults)
        return VirtualRecorderDoor(f"virtual:{where}?{options}{faults}").open(client=client)

    def facts(self) -> rawcd.RecorderFacts:
        raise NotImplementedError

    def unplug(self) -> None:
        self.trouble = errno.ENODEV

    def plug_in(self) -> None:
        self.trouble = None


class Log(DiscMasterProgressEvents):
    """Who writes down every event, and says stop at the question of a number."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.events: list[tuple[str | int, ...]] = []
        self.stop_at = stop_at
        self.asked = 0

    def query_cancel(self) -> bool:
        self.asked += 1
        return self.stop_at is not None and self.asked >= self.stop_at

    def notify_pnp_activity(self) -> None:
        self.events.append(("pnp",))

    def notify_add_progress(self, completed: int, total: int) -> None:
        self.events.append(("add", completed, total))

    def notify_block_progress(self, completed: int, total: int) -> None:
        self.events.append(("block", completed, total))

    def notify_track_progress(self, current: int, total: int) -> None:
        self.events.append(("track", current, total))

    def notify_preparing_burn(self, seconds: int) -> None:
        self.events.append(("preparing",))
        assert seconds >= 0

    def notify_closing_disc(self, seconds: int) -> None:
        self.events.append(("closing",))
        assert seconds >= 0

    def notify_burn_complete(self, hresult: HResult) -> None:
        self.events.append(("complete", hresult))

    def notify_erase_complete(self, hresult: HResult) -> None:
        self.events.append(("erased", hresult))

    def of(self, *names: str) -> list[tuple[str | int, ...]]:
        """Return the events of some names, in order."""
        return [event for event in self.events if event[0] in names]


def a_stash(folder: Path) -> Stash:
    return Stash(folder / "stash", limit=64 << 20)


def sound(blocks: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, blocks * BLOCK, np.uint8).tobytes()


@contextmanager
def refuses(code: HResult) -> Iterator[None]:
    with pytest.raises(MasteringError) as caught:
        yield
    assert caught.value.hresult == code, f"{caught.value.hresult:#010x}: {caught.value}"
    assert str(caught.value)


class AudioJob:
    """A job for sound with its recorder chosen; leaving the block closes it."""

    def __init__(self, folder: Path, bench: Bench | None = None) -> None:
        self.bench = bench or Bench(folder)
        self.master = DiscMaster([self.bench], stash=a_stash(folder))
        self.log = Log()

    def __enter__(self) -> Self:
        self.master.open()
        audio = self.master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        self.audio: RedbookDiscMaster = audio  # type: ignore[assignment]  # what Redbook gives
        self.choose()
        self.cookie = self.master.progress_advise(self.log)
        return self

    def choose(self) -> DiscRecorder:
        [self.recorder] = self.master.enum_disc_recorders()
        self.master.set_active_disc_recorder(self.recorder)
        return self.recorder

    def stage(self, *sounds: bytes) -> None:
        for each in sounds:
            self.audio.create_audio_track(len(each) // BLOCK)
            self.audio.add_audio_track_blocks(each)
            self.audio.close_audio_track()

    def __exit__(self, *error: object) -> None:
        self.master.close()


class DataJob(AudioJob):
    """The same for files."""

    def __enter__(self) -> Self:
        self.master.open()
        files = self.master.set_active_disc_master_format(DiscMasterFormat.JOLIET)
        self.files: JolietDiscMaster = files  # type: ignore[assignment]  # what Joliet gives
        self.choose()
        self.cookie = self.master.progress_advise(self.log)
        return self


def files_on(disc: Path) -> dict[str, bytes]:
    """Return the files that a reader of the disc's last session sees."""
    blocks = DiscBlocks(rawcd.open_image(disc))
    volume = StoredVolume(blocks, lba=blocks.session_starts()[-1])
    return {
        path: volume.read_file(entry)
        for path, entry in volume.tree("joliet").walk()
        if isinstance(entry, StoredFile)
    }


def folder_of(path: Path, **files: bytes) -> Path:
    """Return a folder with files; two underscores in a name stand for a folder's end."""
    for name, data in files.items():
        file = path.joinpath(*name.split("__"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return path
