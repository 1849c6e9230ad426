"""From the commands of a sheet to a disc: held against a model that lays samples end to end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import FormatError
from rawcd.image import main_sectors
from rawcd.rules import rule_breaks
from tests.contract.format_contract import folder, scaled
from tests.formats.cue_sheets import (
    SECTOR,
    Line,
    as_sound,
    counted,
    notes,
    one_track,
    opened,
    samples_of,
    shape,
    stamp,
)

if TYPE_CHECKING:
    from pathlib import Path

# -- the law: a sheet is samples end to end, cut only by inserted silence ----------------------


@dataclass
class Sheet:
    """A sheet as drawn: file lengths in samples, and for each track its indexes and silences."""

    files: list[int]
    tracks: list[list[tuple[int, int, int]]]  # (index number, file, frame)
    pregaps: list[int]
    postgaps: list[int]
    motorola: list[bool]
    file_first: list[bool]
    number: int

    def text(self) -> str:
        lines: list[str] = []
        current = -1
        for place, indexes in enumerate(self.tracks):
            head = [f"TRACK {self.number + place:02} AUDIO"]
            if self.pregaps[place]:
                head.append(f"PREGAP {stamp(self.pregaps[place])}")
            for position, (number, file, frame) in enumerate(indexes):
                if file != current:
                    kind = "MOTOROLA" if self.motorola[file] else "BINARY"
                    command = f'FILE "{file}.bin" {kind}'
                    if position == 0 and self.file_first[place]:
                        lines.append(command)
                    else:
                        head.append(command)
                    current = file
                lines += head
                head = []
                lines.append(f"INDEX {number:02} {stamp(frame)}")
            if self.postgaps[place]:
                lines.append(f"POSTGAP {stamp(self.postgaps[place])}")
        return "\n".join(lines)

    def expected(self) -> tuple[list[tuple[int, dict[int, int], int]], Line]:
        """The disc and its samples, by laying them out one after another."""
        line = counted(sum(self.files))
        bases = np.concatenate([[0], np.cumsum(self.files)]).tolist()
        places = [
            [(number, bases[file] + frame * SECTOR) for number, file, frame in indexes]
            for indexes in self.tracks
        ]
        borders = [0, *(indexes[0][1] for indexes in places[1:]), len(line)]
        out: list[Line] = []
        length = 0

        def put(samples: Line) -> None:
            nonlocal length
            out.append(samples)
            length += len(samples)

        def silence(sectors: int) -> None:
            put(np.zeros(-length % SECTOR + sectors * SECTOR, np.uint32))

        found: list[dict[int, int]] = []
        for place, indexes in enumerate(places):
            lbas: dict[int, int] = {}
            before = self.postgaps[place - 1] if place else 0
            if before:
                silence(before)
            if self.pregaps[place]:
                silence(0)
                lbas[0] = length // SECTOR
                silence(self.pregaps[place])
            if place == 0:
                lbas[0] = -150
            here = length
            for number, sample in indexes:
                if number not in lbas:
                    lbas[number] = (here + sample - borders[place]) // SECTOR
            found.append(lbas)
            put(line[borders[place] : borders[place + 1]])
        silence(self.postgaps[-1])
        ends = [*(min(lbas.values()) for lbas in found[1:]), length // SECTOR]
        shapes = [
            (self.number + place, lbas, end)
            for place, (lbas, end) in enumerate(zip(found, ends, strict=True))
        ]
        return shapes, np.concatenate(out)


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    files: list[int] = []
    tracks: list[list[tuple[int, int, int]]] = []
    for file in range(draw(st.integers(1, 4))):
        frames = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=5)))
        if draw(st.booleans()):
            frames[0] = 0
        files.append(frames[-1] * SECTOR + draw(st.integers(1, 3 * SECTOR)))
        for frame in frames:
            last = tracks[-1][-1][0] if tracks else None
            if last != 0 and (last is None or draw(st.booleans())):
                tracks.append([(draw(st.integers(0, 1)), file, frame)])
            else:
                assert last is not None
                tracks[-1].append((last + 1, file, frame))
    if tracks[-1][-1][0] == 0:
        _, file, frame = tracks[-1][-1]
        tracks[-1][-1] = (1, file, frame)
    count = len(tracks)
    gaps = st.lists(st.sampled_from([0, 0, 0, 1, 75]), min_size=count, max_size=count)
    flags = st.lists(st.booleans(), min_size=count + 4, max_size=count + 4)
    return Sheet(
        files=files,
        tracks=tracks,
        pregaps=draw(gaps),
        postgaps=draw(gaps),
        motorola=draw(flags),
        file_first=draw(flags),
        number=draw(st.integers(1, 100 - count)),
    )


@settings(max_examples=scaled(150))
@given(sheets())
def test_a_sheet_is_its_samples_end_to_end(sheet: Sheet) -> None:
    with folder() as place:
        start = 1
        for file, count in enumerate(sheet.files):
            samples = as_sound(counted(count, start=start))
            start += count
            stored = samples.byteswap() if sheet.motorola[file] else samples
            (place / f"{file}.bin").write_bytes(stored.tobytes())
        expected, line = sheet.expected()
        edges = [lba for _, lbas, _ in expected for lba in sorted(lbas.values())]
        if len(set(edges)) < len(edges):  # two indexes in one sector: ragged files do that
            with pytest.raises(FormatError, match="one sector"):
                opened(place, sheet.text())
            return
        image = opened(place, sheet.text())
        assert shape(image) == expected
        assert image.disc.sessions[0].lead_out_lba * SECTOR == len(line)
        assert np.array_equal(samples_of(image), line)
        lead_out = image.disc.sessions[0].lead_out_lba
        for lba in (image.first_lba, -300, lead_out, image.disc.end_lba - 300):
            assert not main_sectors(image, lba, 300).any()


# -- addresses ---------------------------------------------------------------------------------


def test_one_file_with_pregaps_and_postgaps(tmp_path: Path) -> None:
    """An index lies at its time plus all PREGAPs up to its track and all POSTGAPs before it."""
    image = opened(
        tmp_path,
        """FILE "a.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
    POSTGAP 00:00:10
  TRACK 02 AUDIO
    PREGAP 00:00:20
    INDEX 01 00:05:00
    INDEX 02 00:06:00
  TRACK 03 AUDIO
    PREGAP 00:00:30
    INDEX 01 00:10:00
""",
        a=1_000 * SECTOR,
    )
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 385),
        (2, {0: 385, 1: 405, 2: 480}, 780),
        (3, {0: 780, 1: 810}, 1_060),
    ]
    line = samples_of(image).reshape(-1, SECTOR)
    assert not line[375:405].any()
    assert not line[780:810].any()
    assert np.array_equal(
        np.concatenate([line[:375], line[405:780], line[810:]]).reshape(-1), counted(1_000 * SECTOR)
    )


def test_files_that_end_inside_a_sector_are_joined(tmp_path: Path) -> None:
    """Sample for sample, with nothing between; a track begins where its first sample lies."""
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n"
        "FILE c.bin BINARY\nTRACK 03 AUDIO\nINDEX 01 00:00:00\nINDEX 02 00:01:00\n",
        a=300 * SECTOR + 587,
        b=300 * SECTOR + 2,
        c=300 * SECTOR + 5,
    )
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 300),
        (2, {1: 300}, 601),  # sample 300 * 588 + 587
        (3, {1: 601, 2: 676}, 902),  # sample 601 * 588 + 1
    ]
    line = samples_of(image)
    assert np.array_equal(line[: 901 * SECTOR + 6], counted(901 * SECTOR + 6))
    assert not line[901 * SECTOR + 6 :].any()
    assert notes(image) == [("tail-padded", 8)]
    assert "582 samples" in image.notes[0].message


def test_inserted_silence_pads_the_sound_before_it(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 AUDIO\nPREGAP 00:00:02\nINDEX 01 00:00:00\n",
        a=300 * SECTOR + 1,
        b=300 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 301), (2, {0: 301, 1: 303}, 603)]
    line = samples_of(image)
    assert np.array_equal(line[: 300 * SECTOR + 1], counted(300 * SECTOR + 1))
    assert not line[300 * SECTOR + 1 : 303 * SECTOR].any()
    assert line[303 * SECTOR] == 300 * SECTOR + 2
    assert notes(image) == [("tail-padded", 2)]


def test_one_file_a_track_with_gaps_inside_is_redumps_way(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        """FILE "a.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
FILE "b.bin" BINARY
  TRACK 02 AUDIO
    INDEX 00 00:00:00
    INDEX 01 00:02:00
FILE "c.bin" BINARY
  TRACK 03 AUDIO
    INDEX 00 00:00:00
    INDEX 01 00:01:74
""",
        a=400 * SECTOR,
        b=500 * SECTOR,
        c=600 * SECTOR,
    )
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 400),
        (2, {0: 400, 1: 550}, 900),
        (3, {0: 900, 1: 1_049}, 1_500),
    ]
    assert np.array_equal(samples_of(image), counted(1_500 * SECTOR))


def test_eac_noncompliant_gaps_lie_at_the_end_of_the_file_before(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        """FILE "a.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 00 00:04:00
FILE "b.bin" BINARY
    INDEX 01 00:00:00
  TRACK 03 AUDIO
    INDEX 00 00:05:10
FILE "c.bin" BINARY
    INDEX 01 00:00:00
""",
        a=400 * SECTOR,
        b=500 * SECTOR,
        c=600 * SECTOR,
    )
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 300),
        (2, {0: 300, 1: 400}, 785),
        (3, {0: 785, 1: 900}, 1_500),
    ]
    assert np.array_equal(samples_of(image), counted(1_500 * SECTOR))


def test_eac_gaps_left_out_are_silence(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        """FILE "a.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
FILE "b.bin" BINARY
  TRACK 02 AUDIO
    PREGAP 00:02:00
    INDEX 01 00:00:00
""",
        a=400 * SECTOR,
        b=500 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 400), (2, {0: 400, 1: 550}, 1_050)]


def test_sound_before_index_01_in_a_new_file_belongs_to_the_track_before(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:03:00\n",
        a=300 * SECTOR,
        b=600 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 525), (2, {1: 525}, 900)]


@pytest.mark.parametrize("index_00", ["", "INDEX 00 00:00:00\n"])
def test_a_hidden_first_track_is_kept_with_and_without_index_00(
    tmp_path: Path, index_00: str
) -> None:
    image = opened(
        tmp_path,
        f"FILE a.bin BINARY\nTRACK 01 AUDIO\n{index_00}INDEX 01 00:05:00\n",
        a=900 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 375}, 900)]
    assert np.array_equal(samples_of(image), counted(900 * SECTOR))
    assert notes(image) == []


def test_a_pregap_of_track_1_comes_on_top_of_the_implied_one(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nPREGAP 00:01:00\nINDEX 01 00:00:00\n",
        a=300 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 75}, 375)]
    assert not samples_of(image)[: 75 * SECTOR].any()
    assert samples_of(image)[75 * SECTOR] == 1


def test_pregap_with_index_00_is_silence_first_then_what_the_file_holds(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "TRACK 02 AUDIO\nPREGAP 00:00:50\nINDEX 00 00:04:00\nINDEX 01 00:05:00\n",
        a=900 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 300, 1: 425}, 950)]
    line = samples_of(image)
    assert not line[300 * SECTOR : 350 * SECTOR].any()
    assert line[350 * SECTOR] == 300 * SECTOR + 1
    assert notes(image) == [("pregap-and-index-00", 5)]


def test_a_postgap_of_the_last_track_is_silence_before_the_lead_out(tmp_path: Path) -> None:
    image = opened(tmp_path, one_track() + "POSTGAP 00:02:00\n", a=300 * SECTOR)
    assert shape(image) == [(1, {0: -150, 1: 0}, 450)]
    assert not samples_of(image)[300 * SECTOR :].any()
    assert notes(image) == [("postgap-at-end", 4)]


def test_the_first_track_may_have_any_number(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 02 AUDIO\nTITLE x\nINDEX 01 00:00:00\n"
        "TRACK 3 AUDIO\nINDEX 1 0:4:0\n",
        a=900 * SECTOR,
    )
    assert shape(image) == [(2, {0: -150, 1: 0}, 300), (3, {1: 300}, 900)]
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 2) == "x"


def test_99_tracks_and_99_indexes(tmp_path: Path) -> None:
    tracks = [
        f"TRACK {number:02} AUDIO\nINDEX 01 {stamp(300 * (number - 1))}\n"
        for number in range(1, 100)
    ]
    indexes = [f"INDEX {number:02} {stamp(98 * 300 + number - 1)}\n" for number in range(2, 100)]
    image = opened(
        tmp_path,
        "".join(["FILE a.bin BINARY\n", *tracks, *indexes]),
        a=bytes(99 * 300 * 2352),
    )
    assert [track.start_lba for track in image.disc.tracks] == list(range(0, 29_700, 300))
    assert [index.lba for index in image.disc.tracks[-1].indexes] == list(range(29_400, 29_499))
    assert rule_breaks(image.disc) == ()


def test_a_track_shorter_than_four_seconds_may_be_opened_but_breaks_the_law(
    tmp_path: Path,
) -> None:
    image = opened(tmp_path, one_track(), a=299 * SECTOR)
    assert [found.rule for found in rule_breaks(image.disc)] == ["short-track"]
    message = str(rule_breaks(image.disc)[0])
    assert "299" in message
    assert "300" in message


def test_indexes_nine_sectors_apart_are_a_sheets_right(tmp_path: Path) -> None:
    image = opened(
        tmp_path,
        one_track() + "INDEX 02 00:01:00\nINDEX 03 00:01:09\n",
        a=300 * SECTOR,
    )
    assert shape(image) == [(1, {0: -150, 1: 0, 2: 75, 3: 84}, 300)]
    assert rule_breaks(image.disc) == ()


def sparse(path: Path, sectors: int) -> None:
    path.touch()
    os.truncate(path, sectors * 2352)


def test_a_disc_may_be_as_long_as_addresses_go(tmp_path: Path) -> None:
    """88:30:00 of program: the lead-out's 6,750 sectors end at 89:59:74."""
    sparse(tmp_path / "a.bin", 398_100)
    text = one_track() + "TRACK 02 AUDIO\nINDEX 01 88:00:00\n"
    image = opened(tmp_path, text)
    assert shape(image) == [(1, {0: -150, 1: 0}, 396_000), (2, {1: 396_000}, 398_100)]
    assert rule_breaks(image.disc) == ()
    sparse(tmp_path / "a.bin", 398_101)
    with pytest.raises(FormatError, match=r"404850.*addresses go from -45150 to 404849"):
        opened(tmp_path, text)


def test_more_than_99_minutes_are_read_and_then_refused(tmp_path: Path) -> None:
    sparse(tmp_path / "a.bin", 460_000)
    with pytest.raises(FormatError, match=r"a\.cue: .*addresses go from"):
        opened(tmp_path, one_track() + "TRACK 02 AUDIO\nINDEX 01 101:00:00\n")
    sparse(tmp_path / "a.bin", 450_000)
    with pytest.raises(FormatError, match=r"line 5: INDEX 01 lies past the end of 'a\.bin'"):
        opened(tmp_path, one_track() + "TRACK 02 AUDIO\nINDEX 01 100:00:00\n")
