"""From the commands of a sheet to a disc: held against a model that lays samples end to end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import MainForm, RegionImage, main_sectors
from rawcd.plugins import open_image
from rawcd.rules import rule_breaks
from rawcd.sector import SYNC, SectorType
from tests.contract.format_contract import folder, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

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


def stamp(frames: int) -> str:
    return f"{frames // 4500:02}:{frames // 75 % 60:02}:{frames % 75:02}"


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


# -- what a track says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "copy", "pre_emphasis", "four_channel"),
    [
        ("", CopySetting.PROHIBITED, False, False),
        ("DCP", CopySetting.PERMITTED, False, False),
        ("PRE", CopySetting.PROHIBITED, True, False),
        ("4CH", CopySetting.PROHIBITED, False, True),
        ("SCMS", CopySetting.SCMS, False, False),
        ("dcp 4ch pre", CopySetting.PERMITTED, True, True),
        ("DATA", CopySetting.PROHIBITED, False, False),
    ],
)
def test_flags(
    tmp_path: Path, flags: str, copy: CopySetting, pre_emphasis: bool, four_channel: bool
) -> None:
    text = one_track().replace("INDEX", f"FLAGS {flags}\nINDEX")
    track = opened(tmp_path, text, a=300 * SECTOR).disc.tracks[0]
    assert track == Track(
        number=1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=300,
        copy=copy,
        pre_emphasis=pre_emphasis,
        four_channel=four_channel,
    )


@pytest.mark.parametrize(
    ("digits", "mcn", "codes"),
    [
        ("4006381333931", "4006381333931", []),
        ("036000291452", "0036000291452", []),  # a UPC: a zero goes in front
        ("4006381333932", "4006381333932", ["mcn-check-digit"]),
        ('"4006381333931"', "4006381333931", []),
        ("0000000000000", None, []),
    ],
)
def test_catalog(tmp_path: Path, digits: str, mcn: str | None, codes: list[str]) -> None:
    image = opened(tmp_path, one_track(f"CATALOG {digits}"), a=300 * SECTOR)
    assert image.disc.mcn == mcn
    assert notes(image) == [(code, 1) for code in codes]
    if codes:
        assert "should be 1" in image.notes[0].message  # 4006381333931


@pytest.mark.parametrize(
    ("code", "isrc", "codes"),
    [
        ("USRC17607839", "USRC17607839", []),
        ("usrc17607839", "USRC17607839", []),
        ("US-RC1-76-07839", "USRC17607839", ["isrc-hyphens"]),
        ("123457607839", "123457607839", []),  # five letters or digits
    ],
)
def test_isrc(tmp_path: Path, code: str, isrc: str, codes: list[str]) -> None:
    text = one_track().replace("INDEX", f"ISRC {code}\nINDEX")
    image = opened(tmp_path, text, a=300 * SECTOR)
    assert image.disc.tracks[0].isrc == isrc
    assert notes(image) == [(found, 3) for found in codes]


def test_titles_are_kept_in_one_place_and_order(tmp_path: Path) -> None:
    text = (
        "PERFORMER Band\nTITLE Album\nTITLE\n"
        + one_track()
        + "SONGWRITER S\nPERFORMER P\nTITLE One\n"
    )
    other = 'TITLE "Album"\nPERFORMER "Band"\n' + one_track().replace(
        "INDEX", 'TITLE "One"\nPERFORMER "P"\nSONGWRITER "S"\nINDEX'
    )
    image = opened(tmp_path, text, a=300 * SECTOR)
    text_of = image.disc.cdtext
    assert text_of is not None
    assert [(text_of.text(name, 0), text_of.text(name, 1)) for name in ("title", "performer")] == [
        ("Album", "One"),
        ("Band", "P"),
    ]
    assert image.disc == opened(tmp_path, other, a=300 * SECTOR).disc
    twice = opened(tmp_path, other + "TITLE Second\n", a=300 * SECTOR)
    assert twice.disc == image.disc  # the first one is the title


def test_without_titles_there_is_no_cdtext(tmp_path: Path) -> None:
    assert opened(tmp_path, one_track('TITLE ""'), a=300 * SECTOR).disc.cdtext is None


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"TITLE \xc9t\xe9\r\n", "\u00c9t\u00e9"),
        ("TITLE \u00c9t\u00e9\r\n".encode(), "\u00c9t\u00e9"),
        (b"\xef\xbb\xbf" + "TITLE \u00c9t\u00e9\r\n".encode(), "\u00c9t\u00e9"),
    ],
    ids=["cp1252", "utf-8", "bom"],
)
def test_encodings(tmp_path: Path, data: bytes, title: str) -> None:
    image = opened(tmp_path, data + one_track().encode(), a=300 * SECTOR)
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == title


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_utf_16_sheet_opens(tmp_path: Path, encoding: str) -> None:
    data = ("\ufeff" + one_track("TITLE \u3042")).encode(encoding)
    image = opened(tmp_path, data, a=300 * SECTOR)
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == "\u3042"


def test_what_is_not_known_is_noted_once(tmp_path: Path) -> None:
    text = one_track("COMPOSER X", "FOO bar").replace("INDEX", "COMPOSER Y\nFLAGS PRE XYZ\nINDEX")
    image = opened(tmp_path, text, a=300 * SECTOR)
    assert notes(image) == [("unknown-command", 1), ("unknown-command", 2), ("unknown-flag", 6)]
    assert all(str(tmp_path / "a.cue") in str(note) for note in image.notes)


def test_remarks_of_one_session_change_nothing(tmp_path: Path) -> None:
    text = one_track("REM SESSION 01", "REM GENRE Rock", "REM DISCID 12345678", "REM")
    assert notes(opened(tmp_path, text, a=300 * SECTOR)) == []


# -- files: names and contents -----------------------------------------------------------------


def wave_sheet(name: str, kind: str = "WAVE") -> str:
    return f'FILE "{name}" {kind}\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'


def write_sound(path: Path, samples: Line, format_: str = "WAV") -> None:
    # Written by handle: the name's suffix shall decide nothing.
    with path.open("wb") as file:
        soundfile.write(file, as_sound(samples), 44_100, "PCM_16", format=format_)


def test_the_content_decides_the_decoder(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR), "FLAC")
    image = opened(tmp_path, wave_sheet("a.wav"))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))
    assert notes(image) == []


@pytest.mark.parametrize("kind", ["WAVE", "AIFF", "MP3", "FLAC", "OGG", "wave", "ANY"])
@pytest.mark.parametrize("format_", ["WAV", "AIFF", "FLAC"])
def test_the_word_behind_the_name_decides_nothing(tmp_path: Path, kind: str, format_: str) -> None:
    write_sound(tmp_path / "a.x", counted(300 * SECTOR), format_)
    image = opened(tmp_path, wave_sheet("a.x", kind))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


def test_binary_and_motorola_are_samples_whatever_they_look_like(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    size = (tmp_path / "a.wav").stat().st_size
    image = opened(tmp_path, wave_sheet("a.wav", "BINARY"))
    assert samples_of(image).tobytes()[:size] == (tmp_path / "a.wav").read_bytes()
    swapped = as_sound(counted(300 * SECTOR)).byteswap()
    image = opened(tmp_path, wave_sheet("b.bin", "MOTOROLA"), b=swapped.tobytes())
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("a.wav", "A.WAV"),
        ("Track.WAV", "track.wav"),
        ("\u00c9t\u00e9.wav", "\u00e9T\u00c9.wav"),
        ("SUB/a.wav", "sub/A.wav"),
        ("SUB\\a.wav", "sub/A.wav"),
        ("a.bin", "a.wav"),
        ("a.wav", "a.flac"),
        ("a.ape", "a.flac"),
        ("a", "a.flac"),
        ("/music/a.wav", "a.wav"),
        ("C:\\music\\a.wav", "a.wav"),
        ("..\\a.wav", "a.wav"),
    ],
)
def test_a_file_of_another_case_suffix_or_folder_is_found(
    tmp_path: Path, named: str, there: str
) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    write_sound(path, counted(300 * SECTOR), "FLAC" if there.endswith("flac") else "WAV")
    kind = "BINARY" if named.endswith("bin") else "WAVE"
    image = opened(tmp_path, wave_sheet(named, kind))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))
    assert notes(image) == [("file-name", 1)]
    assert Path(there).name in image.notes[0].message


def test_a_name_as_written_needs_no_note(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_sound(tmp_path / "sub" / "a.wav", counted(300 * SECTOR))
    assert notes(opened(tmp_path, wave_sheet("sub/a.wav"))) == []
    assert notes(opened(tmp_path, wave_sheet("sub\\a.wav"))) == []


def test_other_suffixes_are_tried_in_their_order(tmp_path: Path) -> None:
    """.wav .flac .aiff .aif .mp3 .ogg .opus .bin: each is taken when those before it are gone."""
    order = [".wav", ".flac", ".aiff", ".aif", ".mp3", ".ogg", ".opus", ".bin"]
    formats = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF"}
    for suffix in order:
        write_sound(tmp_path / f"a{suffix}", counted(300 * SECTOR), formats.get(suffix, "WAV"))
    for suffix in order[:-1]:
        image = opened(tmp_path, wave_sheet("a.ape"))
        assert image.files[-1].suffix == suffix
        (tmp_path / f"a{suffix}").unlink()
    image = opened(tmp_path, wave_sheet("a.ape"), a=counted(300 * SECTOR))
    assert image.files[-1].suffix == ".bin"
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


@pytest.mark.parametrize(("suffix", "format_"), [("mp3", "MP3"), ("ogg", "OGG")])
def test_a_missing_bin_may_be_there_as_compressed_sound(
    tmp_path: Path, suffix: str, format_: str
) -> None:
    times = np.arange(400 * SECTOR) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    with (tmp_path / f"a.{suffix}").open("wb") as file:
        soundfile.write(file, np.column_stack([tone, tone]), 44_100, format=format_)
    image = opened(tmp_path, wave_sheet("a.bin", "BINARY"))
    assert image.disc.sessions[0].lead_out_lba == 400
    rows = main_sectors(image, 10, 380).reshape(-1).view("<i2").reshape(-1, 2)
    expected = tone[10 * SECTOR : 390 * SECTOR] * 32_768
    assert np.abs(rows[:, 0] - expected).max() < 600  # lossy, but this very tone at this place
    assert ("file-name", 1) in notes(image)


def test_sound_at_another_rate_is_resampled_with_a_note(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(48_000 * 5, np.int16), 48_000)
    image = opened(tmp_path, wave_sheet("a.wav"))
    assert image.disc.sessions[0].lead_out_lba == 5 * 75
    assert {note.code for note in image.notes} >= {"resampled", "mono-to-stereo"}
    assert all(note.file == str(tmp_path / "a.wav") for note in image.notes)


def test_nothing_is_read_until_it_is_asked_for(tmp_path: Path) -> None:
    image = opened(tmp_path, one_track(), a=300 * SECTOR)
    (tmp_path / "a.bin").write_bytes(bytes(4))
    assert not main_sectors(image, -150, 150).any()
    with pytest.raises(StorageError, match=r"a\.bin: changed since"):
        main_sectors(image, 0, 1)


# -- data tracks -------------------------------------------------------------------------------


def data_sectors(count: int, mode: int) -> npt.NDArray[np.uint8]:
    rows = np.random.default_rng(5).integers(0, 256, (count, 2352), np.uint8)
    rows[:, :12] = np.frombuffer(SYNC, np.uint8)
    rows[:, 15] = mode
    return rows


def test_data_and_sound_in_one_file(tmp_path: Path) -> None:
    data = data_sectors(300, 1)
    sound = counted(400 * SECTOR)
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n"
        "TRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:04:00\n",
        a=data.tobytes() + sound.tobytes(),
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 300, 1: 450}, 850)]
    assert [track.mode for track in image.disc.tracks] == [TrackMode.MODE1, TrackMode.AUDIO]
    assert image.disc.sessions[0].disc_type is DiscType.CDDA_CDROM
    assert np.array_equal(main_sectors(image, 0, 300), data)
    assert np.array_equal(main_sectors(image, 450, 400).reshape(-1).view("<u4"), sound)
    assert not np.array_equal(main_sectors(image, 0, 300, plain=False), data)  # scrambled
    assert [(region.lba, region.form) for region in image.main] == [
        (-22_650, MainForm.USER),  # lead-in and pregap: sectors of mode 1 without content
        (0, MainForm.PLAIN),
        (300, MainForm.ZERO),  # PREGAP before sound: silence
        (450, MainForm.DISC),
        (850, MainForm.ZERO),
    ]
    assert image.main[0].sector_type is SectorType.MODE1


@pytest.mark.parametrize(
    ("mode", "disc_type"), [("MODE2/2352", DiscType.XA), ("CDI/2352", DiscType.CDI)]
)
def test_mode_2_tells_the_disc_type(tmp_path: Path, mode: str, disc_type: DiscType) -> None:
    image = opened(tmp_path, one_track().replace("AUDIO", mode), a=data_sectors(300, 2).tobytes())
    assert image.disc.tracks[0].mode is TrackMode.MODE2
    assert image.disc.sessions[0].disc_type is disc_type


def test_ragged_sound_before_data_is_padded(tmp_path: Path) -> None:
    data = data_sectors(300, 1)
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 MODE1/2352\nINDEX 00 00:00:00\nINDEX 01 00:00:10\n",
        a=300 * SECTOR + 100,
        b=data.tobytes(),
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 301), (2, {0: 301, 1: 311}, 601)]
    assert np.array_equal(main_sectors(image, 311, 290), data[10:])
    assert notes(image) == [("tail-padded", 2)]


# -- hostile sheets: one error, with file and line ---------------------------------------------

TRACK_1 = "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("REM nothing\nFILE a.bin BINARY\n", None, "there is no TRACK in it"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nTITLE x\n", 2, "TRACK 01 has no INDEX 01"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 00 00:00:00\n", 2, "TRACK 01 has no INDEX 01"),
        (TRACK_1 + "TRACK 02 AUDIO\n", 4, "TRACK 02 has no INDEX 01"),
        (TRACK_1 + "TRACK 01 AUDIO\n", 4, "TRACK 01 follows TRACK 01"),
        (TRACK_1 + "TRACK 03 AUDIO\n", 4, "TRACK 03 follows TRACK 01: track numbers rise by one"),
        ("TRACK 00 AUDIO\n", 1, "track numbers go from 01 to 99"),
        (TRACK_1.replace("01 AUDIO", "99 AUDIO") + "TRACK 100 AUDIO\n", 4, "'100' is no number"),
        ("TRACK 01 SOUND\n", 1, "SOUND is no track mode"),
        ("TRACK 01 MODE1/2336\n", 1, "MODE1/2336 is no track mode; there are AUDIO, MODE1/2048"),
        ("TRACK 01 MODE2/2448\n", 1, "MODE2/2448 is no track mode"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 02 00:00:00\n", 3, "first index is 00 or 01"),
        (TRACK_1 + "INDEX 03 00:01:00\n", 4, "INDEX 03 follows INDEX 01: they rise by one"),
        (TRACK_1 + "INDEX 01 00:01:00\n", 4, "INDEX 01 follows INDEX 01"),
        (TRACK_1 + "INDEX 02 00:00:00\n", 4, "INDEX 02 is not behind the one in line 3"),
        (
            TRACK_1 + "INDEX 02 00:01:00\nTRACK 02 AUDIO\nINDEX 01 00:00:74\n",
            6,
            "INDEX 01 is not behind the one in line 4: times rise",
        ),
        (TRACK_1 + "INDEX 02 00:04:00\n", 4, "INDEX 02 lies past the end of 'a.bin'"),
        ("FILE a.bin BINARY\nINDEX 01 00:00:00\n", 2, "INDEX stands before the first TRACK"),
        ("TRACK 01 AUDIO\nINDEX 01 00:00:00\n", 2, "INDEX stands before the first FILE"),
        ("FLAGS DCP\n" + TRACK_1, 1, "FLAGS stands before the first TRACK"),
        ("ISRC USRC17607839\n" + TRACK_1, 1, "ISRC stands before the first TRACK"),
        ("PREGAP 00:02:00\n" + TRACK_1, 1, "PREGAP stands before the first TRACK"),
        ("POSTGAP 00:02:00\n" + TRACK_1, 1, "POSTGAP stands before the first TRACK"),
        (TRACK_1 + "PREGAP 00:02:00\nPREGAP 00:02:00\n", 5, "a track has one PREGAP"),
        (TRACK_1 + "POSTGAP 00:02:00\nPOSTGAP 00:02:00\n", 5, "a track has one POSTGAP"),
        ("CATALOG 40063813339\n" + TRACK_1, 1, "is no media catalogue number of 13 digits"),
        ("CATALOG 40063813339311\n" + TRACK_1, 1, "is no media catalogue number"),
        ("CATALOG 400638133393X\n" + TRACK_1, 1, "is no media catalogue number"),
        ("CATALOG\n" + TRACK_1, 1, "is no media catalogue number"),
        (TRACK_1 + "ISRC USRC1760783\n", 4, "has 11 characters and must have 12"),
        (TRACK_1 + "ISRC USRC1760783X\n", 4, "five letters or digits, then seven digits"),
        (TRACK_1 + "ISRC \u00dcSRC17607839\n", 4, "five letters or digits, then seven digits"),
    ],
)
def test_a_hostile_sheet_is_refused_with_file_and_line(
    tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, text, a=300 * SECTOR)
    place = "" if line is None else f"line {line}: "
    assert str(caught.value).startswith(f"{tmp_path / 'a.cue'}: {place}")
    assert says in str(caught.value)


def test_a_hundred_tracks_are_too_many(tmp_path: Path) -> None:
    tracks = [
        f"TRACK {number:02} AUDIO\nINDEX 01 {stamp(4 * (number - 1))}\n" for number in range(1, 101)
    ]
    with pytest.raises(FormatError, match=r"line 200: '100' is no number from 00 to 99"):
        opened(tmp_path, "FILE a.bin BINARY\n" + "".join(tracks), a=400 * SECTOR)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (TRACK_1.replace("AUDIO", "CDG"), 2, "CDG"),
        (TRACK_1 + "TRACK 02 CDG\n", 4, "CDG"),
        (TRACK_1 + "REM SESSION 02\n", 4, "several sessions"),
        ("REM HIGH-DENSITY AREA\n" + TRACK_1, 1, "several sessions"),
    ],
)
def test_what_cannot_be_made_yet_is_said_so(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        opened(tmp_path, text, a=300 * SECTOR)
    assert str(caught.value).startswith(f"{tmp_path / 'a.cue'}: line {line}: ")
    assert says in str(caught.value)


def test_a_missing_file_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        opened(tmp_path, "REM x\n" + wave_sheet("gone.wav"))
    assert str(caught.value) == (
        f"{tmp_path / 'a.cue'}: line 2: there is no file 'gone.wav' beside the sheet"
    )
    with pytest.raises(StorageError, match=r"a\.cue: line 1: .*outside the sheet's folder"):
        opened(tmp_path, wave_sheet("../gone.wav"))


@pytest.mark.parametrize("name", [".", "..", "/", "\\", "a/", "C:", "x" * 300, "CON", "*", "a\tb"])
def test_names_that_no_file_can_have_are_only_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises((FormatError, StorageError)) as caught:
        opened(tmp_path, wave_sheet(name))
    assert str(tmp_path / "a.cue") in str(caught.value)


def test_an_empty_sound_file_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(FormatError, match=r"a\.wav: is empty"):
        opened(tmp_path, wave_sheet("a.wav"))
    with pytest.raises(FormatError, match=r"a\.cue: line 3: INDEX 01 lies past the end of 'a.bin'"):
        opened(tmp_path, one_track(), a=b"")


def test_a_truncated_wav_is_found_out_with_both_sizes(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    os.truncate(tmp_path / "a.wav", 44 + 700_000)
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, wave_sheet("a.wav"))
    assert caught.value.file == str(tmp_path / "a.wav")
    assert str(300 * 2352) in str(caught.value).replace(",", "")
    assert "700000" in str(caught.value).replace(",", "")


def test_what_is_no_sound_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"\x7fELF" + bytes(5_000))
    with pytest.raises(FormatError, match=r"a\.wav: is no sound"):
        opened(tmp_path, wave_sheet("a.wav"))


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_a_bin_of_no_whole_samples_is_refused_with_the_remainder(tmp_path: Path, rest: int) -> None:
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, one_track("REM"), a=bytes(300 * 2352 + rest))
    assert str(caught.value).startswith(f"{tmp_path / 'a.bin'}: line 2 of {tmp_path / 'a.cue'}: ")
    assert f"{300 * 2352 + rest} bytes" in str(caught.value)
    assert f"{rest} remain" in str(caught.value)


def test_a_data_track_must_be_whole_sectors(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.bin: .*sectors of 2352 bytes: 4 remain"):
        opened(
            tmp_path,
            one_track().replace("AUDIO", "MODE1/2352"),
            a=data_sectors(300, 1).tobytes() + bytes(4),
        )


def test_a_data_track_cannot_be_sound(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    with pytest.raises(FormatError, match=r"a\.cue: line 1: FILE 'a.wav' is sound"):
        opened(tmp_path, wave_sheet("a.wav").replace("AUDIO", "MODE1/2352"))


def test_two_indexes_may_not_share_a_sector(tmp_path: Path) -> None:
    """b.bin's first sample lies in the sector in which a.bin's last index does."""
    with pytest.raises(FormatError, match=r"line 2: TRACK 01: INDEX 01 and 02 fall into one"):
        opened(
            tmp_path,
            "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
            "FILE b.bin BINARY\nINDEX 02 00:00:00\n",
            a=100,
            b=300 * SECTOR,
        )


# -- sheets of other programs ------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["toc2cue", "cueconvert", "chdman"])
def test_sheets_of_other_programs(tmp_path: Path, writer: str) -> None:
    """What is true of them stands in fixtures/cue/README.md."""
    sheet = (FIXTURES / "cue" / f"{writer}.cue").read_bytes()
    image = opened(tmp_path, sheet, album=bytes(1_055 * 2352))
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 310),
        (2, {0: 310, 1: 385}, 745),
        (3, {1: 745}, 1_055),
    ]
    first = image.disc.tracks[0]
    kept = writer == "cueconvert"
    assert (first.copy is CopySetting.PERMITTED) is (writer != "chdman")
    assert first.pre_emphasis is kept
    assert first.isrc == ("XXRCD2600001" if kept else None)
    assert image.disc.mcn == ("2000000001234" if kept else None)
    assert (image.disc.cdtext is not None) is kept
    assert notes(image) == []


def test_the_demo_disc() -> None:
    """What is true of it stands in fixtures/demo/README.md."""
    image = open_image(FIXTURES / "demo" / "demo.cue")
    assert isinstance(image, RegionImage)
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 323),
        (2, {1: 323, 2: 473}, 637),
        (3, {0: 637, 1: 712}, 1_045),
        (4, {1: 1_045}, 1_370),
    ]
    assert image.disc.mcn == "2000000001234"
    assert [track.isrc for track in image.disc.tracks] == [
        "XXRCD2600001",
        "XXRCD2600002",
        "XXRCD2600003",
        None,
    ]
    assert [track.copy for track in image.disc.tracks] == [
        CopySetting.PERMITTED,
        CopySetting.PROHIBITED,
        CopySetting.PROHIBITED,
        CopySetting.SCMS,
    ]
    assert sorted({note.code for note in image.notes}) == [
        "dithered",
        "mono-to-stereo",
        "resampled",
        "tail-padded",
    ]
    assert rule_breaks(image.disc) == ()
    line = samples_of(image)
    parts: Sequence[str] = ("01 speech.flac", "02 tones.wav")
    exact = [
        soundfile.read(FIXTURES / "demo" / name, dtype="int16")[0].astype("<i2") for name in parts
    ]
    assert np.array_equal(line[:375_000].view("<i2").reshape(-1, 2), np.concatenate(exact))
