"""Sheets over files of counted samples: what the tests of cue sheets share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from rawcd.image import MainForm, Region, RegionImage, main_sectors
from rawcd.plugins import open_image
from rawcd.sector import SYNC
from rawcd.source import ArraySource
from tests.strategies import noise_rows

Line = npt.NDArray[np.uint32]
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
SECTOR = 588
"""Samples."""


def counted(count: int, *, start: int = 1) -> Line:
    """Samples that tell their own number: no two are alike, and none is silent."""
    return np.arange(start, start + count, dtype="<u4")


def as_sound(samples: Line) -> npt.NDArray[np.int16]:
    return samples.view("<i2").reshape(-1, 2)


def opened(folder_: Path, text: str | bytes, **files: int | Line | bytes) -> RegionImage:
    """Open a sheet over BIN files: `a=588` is a.bin of 588 samples, numbered on through all."""
    start = 1
    for name, content in files.items():
        path = folder_ / f"{name}.bin"
        if isinstance(content, int):
            content = counted(content, start=start)
            start += len(content)
        path.write_bytes(content if isinstance(content, bytes) else content.tobytes())
    sheet = folder_ / "a.cue"
    sheet.write_bytes(text if isinstance(text, bytes) else text.encode())
    image = open_image(sheet)
    assert isinstance(image, RegionImage)
    return image


def samples_of(image: RegionImage) -> Line:
    """The whole line from LBA 0 to the lead-out."""
    rows = main_sectors(image, 0, image.disc.sessions[0].lead_out_lba, plain=False)
    return rows.reshape(-1).view("<u4")


def shape(image: RegionImage) -> list[tuple[int, dict[int, int], int]]:
    """Number, indexes and end of each track."""
    return [
        (track.number, {index.number: index.lba for index in track.indexes}, track.end_lba)
        for track in image.disc.tracks
    ]


def notes(image: RegionImage) -> list[tuple[str, int | None]]:
    return [(note.code, note.line) for note in image.notes]


def one_track(*commands: str) -> str:
    """A sheet of one track over a.bin, with commands at its head."""
    return "\n".join([*commands, "FILE a.bin BINARY", "TRACK 01 AUDIO", "INDEX 01 00:00:00", ""])


def stamp(frames: int) -> str:
    return f"{frames // 4500:02}:{frames // 75 % 60:02}:{frames % 75:02}"


def wave_sheet(name: str, kind: str = "WAVE") -> str:
    return f'FILE "{name}" {kind}\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'


def write_sound(path: Path, samples: Line, format_: str = "WAV") -> None:
    # Written by handle: the name's suffix shall decide nothing.
    with path.open("wb") as file:
        soundfile.write(file, as_sound(samples), 44_100, "PCM_16", format=format_)


def data_sectors(count: int, mode: int) -> npt.NDArray[np.uint8]:
    rows = np.random.default_rng(5).integers(0, 256, (count, 2352), np.uint8)
    rows[:, :12] = np.frombuffer(SYNC, np.uint8)
    rows[:, 15] = mode
    return rows


def silent_between(image: RegionImage) -> RegionImage:
    """The image without what is recorded between its sessions, which no sheet keeps."""
    regions: list[Region] = []
    position = image.disc.first_lba
    for session in image.disc.sessions:
        start = min(session.program_lba + 150, session.tracks[0].start_lba)
        sectors = session.lead_out_lba - start
        regions += [
            Region(lba=position, sectors=start - position, form=MainForm.ZERO),
            Region(
                lba=start,
                sectors=sectors,
                form=MainForm.DISC,
                source=ArraySource(noise_rows(sectors, seed=sectors).tobytes()),
            ),
        ]
        position = session.lead_out_lba
    last = image.disc.end_lba - position
    regions.append(Region(lba=position, sectors=last, form=MainForm.ZERO))
    return replace(image, main=tuple(regions))
