"""Burners of others burn on the virtual recorder, and it then holds what each was given.

Their habits that a strict drive could stumble over, and what was made of them:

- wodim keeps old bits in byte 6 of Q behind a catalogue number or ISRC, gives these frames
  CONTROL 0, and leaves blank data sectors unscrambled: known defects, taken with a remark.
- cdrdao counts the time in the lead-in from zero, in Q and in headers, and stores the CRC of the
  16-byte form uninverted; both are taken, other writers do the reverse.
- wodim and cdrskin end a track at once with SYNCHRONIZE CACHE alone: so that ends it.
- cdrskin asks whether the unit is ready after it has stopped it: a stopped disc turns again.
- wodim announces `-sao -xa` as DATA FORM FCh, which there is not: refused.
- wodim numbers the tracks of a later session at once from 1 again: refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd.disc import TrackMode
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from tests.oracles.burners import DEVICE, burn, needs

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage

SECTORS = 1125
DATA_SECTORS = 400
MCN, ISRC = "4006381333931", "USRC17607839"
TOC = f"""CD_DA
CATALOG "{MCN}"
CD_TEXT {{ LANGUAGE_MAP {{ 0 : 9 }} LANGUAGE 0 {{ TITLE "Album" PERFORMER "Band" }} }}
TRACK AUDIO
COPY
ISRC "{ISRC}"
CD_TEXT {{ LANGUAGE 0 {{ TITLE "One" PERFORMER "Band" }} }}
FILE "a.raw" 0 00:04:00
TRACK AUDIO
NO COPY
CD_TEXT {{ LANGUAGE 0 {{ TITLE "Two" PERFORMER "Band" }} }}
PREGAP 00:01:00
FILE "a.raw" 00:04:00 00:05:00
INDEX 00:02:30
TRACK AUDIO
CD_TEXT {{ LANGUAGE 0 {{ TITLE "Three" PERFORMER "Band" }} }}
FILE "a.raw" 00:09:00
"""
MIXED = """CD_ROM
TRACK MODE1
DATAFILE "d.iso"
TRACK AUDIO
PREGAP 00:02:00
FILE "a.raw" 0
"""


def content(size: int, seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound = np.frombuffer(content(2352 * SECTORS, 1), np.uint8)
    (tmp_path / "a.le").write_bytes(sound.tobytes())
    (tmp_path / "a.raw").write_bytes(sound.reshape(-1, 2)[:, ::-1].tobytes())  # big-endian
    (tmp_path / "d.iso").write_bytes(content(2048 * DATA_SECTORS, 2))
    (tmp_path / "a.toc").write_text(TOC)
    (tmp_path / "m.toc").write_text(MIXED)
    return tmp_path


class Burned:
    """What a disc holds after a burn."""

    def __init__(self, folder: Path, *command: str, blank: str = "cdr-short") -> None:
        path = folder / "disc.raw"
        self.drive = VirtualRecorder(path, blank=blank_named(blank))
        self.server = burn(self.drive, *command, folder=folder)
        self.image: RegionImage = rawcd.open_image(path)  # type: ignore[assignment]  # the format raw gives no other
        self.disc = self.image.disc
        self._folder = folder

    def main(self, lba: int, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return rawcd.main_sectors(self.image, lba, count)

    def assert_sound(self, lba: int, first: int, count: int) -> None:
        given = (self._folder / "a.le").read_bytes()[first * 2352 : (first + count) * 2352]
        assert self.main(lba, count).tobytes() == given

    def assert_data(self, lba: int) -> None:
        given = (self._folder / "d.iso").read_bytes()
        assert self.main(lba, DATA_SECTORS)[:, 16:2064].tobytes() == given


def assert_audio_disc(burned: Burned) -> None:
    """The disc of `TOC`."""
    disc = burned.disc
    assert disc.mcn == MCN
    assert [track.isrc for track in disc.tracks] == [ISRC, None, None]
    places = [[(index.number, index.lba) for index in track.indexes] for track in disc.tracks]
    assert places == [[(0, -150), (1, 0)], [(0, 300), (1, 375), (2, 555)], [(1, 750)]]
    assert disc.sessions[0].lead_out_lba == 1200
    assert [track.control for track in disc.tracks] == [2, 0, 0]
    burned.assert_sound(0, 0, 300)
    assert not burned.main(300, 75).any()
    burned.assert_sound(375, 300, 375)
    burned.assert_sound(750, 675, 450)


CDRDAO = ("cdrdao", "write", "-n", "--device", DEVICE, "--driver")


@needs("cdrdao")
@pytest.mark.parametrize("driver", ["generic-mmc", "generic-mmc:0x10", "generic-mmc-raw"])
def test_cdrdao_burns_sound(folder: Path, driver: str) -> None:
    burned = Burned(folder, *CDRDAO, driver, "a.toc")
    assert_audio_disc(burned)
    assert not burned.drive.remarks
    if driver != "generic-mmc":  # 0x10 is its option for drives that take CD-TEXT
        assert burned.disc.cdtext is not None
        titles = [burned.disc.cdtext.text("title", track) for track in range(4)]
        assert titles == ["Album", "One", "Two", "Three"]


@needs("cdrdao")
@pytest.mark.parametrize("driver", ["generic-mmc", "generic-mmc-raw"])
def test_cdrdao_burns_data_and_sound(folder: Path, driver: str) -> None:
    burned = Burned(folder, *CDRDAO, driver, "m.toc")
    data, sound = burned.disc.tracks
    assert (data.mode, data.start_lba, data.end_lba) == (TrackMode.MODE1, 0, DATA_SECTORS)
    assert (sound.mode, sound.start_lba) == (TrackMode.AUDIO, DATA_SECTORS + 150)
    burned.assert_data(0)
    burned.assert_sound(sound.start_lba, 0, SECTORS)
    assert not rawcd.sector.verify(burned.main(0, DATA_SECTORS), 0, rawcd.SectorType.MODE1).any()


WODIM = ("wodim", "gracetime=0", f"dev={DEVICE}")


@needs("wodim")
@pytest.mark.parametrize("mode", ["-sao", "-raw16", "-raw96p", "-raw96r"])
def test_wodim_burns_sound(folder: Path, mode: str) -> None:
    codes = (f"mcn={MCN}", "-audio", "-swab", f"isrc={ISRC}")
    burned = Burned(folder, *WODIM, mode, *codes, "a.le")
    (track,) = burned.disc.tracks
    assert (track.start_lba, track.end_lba) == (0, SECTORS)
    assert (burned.disc.mcn, track.isrc) == (MCN, ISRC)
    burned.assert_sound(0, 0, SECTORS)
    # formats.md 15: byte 6 of Q keeps old bits behind a code.
    assert set(burned.drive.remarks) <= {"stale-zero-byte"}
    assert ("stale-zero-byte" in burned.drive.remarks) == (mode != "-sao")


@needs("wodim")
@pytest.mark.parametrize("mode", ["-sao", "-raw96r"])
def test_wodim_burns_data_and_sound(folder: Path, mode: str) -> None:
    burned = Burned(folder, *WODIM, mode, "-data", "d.iso", "-audio", "-swab", "a.le")
    data, sound = burned.disc.tracks
    assert (data.mode, sound.mode) == (TrackMode.MODE1, TrackMode.AUDIO)
    burned.assert_data(0)
    burned.assert_sound(sound.start_lba, 0, SECTORS)
    assert set(burned.drive.remarks) <= {"unscrambled-blank"}


@needs("wodim")
def test_wodim_announces_xa_by_a_form_that_there_is_not(folder: Path) -> None:
    with pytest.raises(AssertionError, match="no form FCh"):
        Burned(folder, *WODIM, "-sao", "-xa", "d.iso")


@needs("wodim")
def test_wodim_numbers_a_later_session_at_once_from_1(folder: Path) -> None:
    first = Burned(folder, *WODIM, "-sao", "-multi", "-audio", "a.le")
    assert first.disc.appendable
    first.drive.close()
    with pytest.raises(AssertionError, match="track 1 where 2 comes"):
        Burned(folder, *WODIM, "-sao", "-data", "d.iso")


@needs("wodim")
def test_wodim_blanks_and_writes_tracks_in_two_sessions(folder: Path) -> None:
    first = Burned(folder, *WODIM, "-tao", "-multi", "-data", "d.iso", blank="cdrw-short")
    assert first.disc.appendable
    first.drive.close()
    second = Burned(folder, *WODIM, "-tao", "-data", "d.iso", blank="cdrw-short")
    assert [len(session.tracks) for session in second.disc.sessions] == [1, 1]
    starts = [track.start_lba for track in second.disc.tracks]
    assert starts == [0, DATA_SECTORS + 2 + 11_400]
    for start in starts:
        second.assert_data(start)
    second.drive.close()
    drive = VirtualRecorder(folder / "disc.raw")
    burn(drive, *WODIM, "blank=fast", folder=folder)
    assert drive.medium is not None
    assert drive.medium.disc is None


CDRSKIN = ("cdrskin", f"dev={DEVICE}")


@needs("cdrskin")
def test_cdrskin_burns_sound_at_once(folder: Path) -> None:
    codes = (f"mcn={MCN}", "-audio", "-swab", f"isrc={ISRC}")
    burned = Burned(folder, *CDRSKIN, "-sao", *codes, "a.le")
    (track,) = burned.disc.tracks
    assert (track.start_lba, track.end_lba) == (0, SECTORS)
    assert (burned.disc.mcn, track.isrc) == (MCN, ISRC)
    burned.assert_sound(0, 0, SECTORS)
    assert not burned.drive.remarks


@needs("cdrskin")
def test_cdrskin_writes_tracks_in_two_sessions(folder: Path) -> None:
    tracks = ("-audio", "-swab", "a.le", "-data", "d.iso")
    first = Burned(folder, *CDRSKIN, "-tao", "-multi", *tracks)
    sound, data = first.disc.tracks
    assert (sound.mode, data.mode) == (TrackMode.AUDIO, TrackMode.MODE1)
    assert data.start_lba == SECTORS + 152
    first.assert_sound(0, 0, SECTORS)
    first.assert_data(data.start_lba)
    first.drive.close()
    second = Burned(folder, *CDRSKIN, "-tao", "-data", "d.iso")
    last = second.disc.tracks[-1]
    assert last.start_lba == data.end_lba + 11_400
    second.assert_data(last.start_lba)
    second.assert_data(data.start_lba)
