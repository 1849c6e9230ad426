"""Every row of the table of sheets that tools read differently (reference/formats.md 3.5).

Each test is one row: how rawcd reads the sheet, and in a comment why so, and what the peers make
of it (cdrdao 1.2.4, libcdio 2.1.0, chdman 0.251, bchunk 1.2.2, cdrskin 1.5.4, wodim 1.1.11,
libMirage 3.3.2).
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.image import main_sectors
from rawcd.sector import SectorType, encode
from tests.formats.cue_sheets import (
    SECTOR,
    counted,
    notes,
    opened,
    samples_of,
    shape,
    write_sound,
)
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

TWO = """FILE "a.bin" BINARY
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 00 00:04:00
    INDEX 01 00:06:00
"""
"""300 sectors, a stored gap of 150, and what is left of the file."""
WHOLE = counted(900 * SECTOR)
SHAPE = [(1, {0: -150, 1: 0}, 300), (2, {0: 300, 1: 450}, 900)]


def test_plain_with_index_00_in_the_file(tmp_path: Path) -> None:
    # All agree but bchunk, which drops the gap between INDEX 00 and 01.
    image = opened(tmp_path, TWO, a=WHOLE)
    assert shape(image) == SHAPE
    assert np.array_equal(samples_of(image), WHOLE)
    assert notes(image) == []


def test_pregap(tmp_path: Path) -> None:
    # As CDRWIN's manual has it: silence that no file holds. libcdio ignores it, so that every
    # track behind it lies too early.
    text = TWO.replace("INDEX 00 00:04:00", "PREGAP 00:02:00").replace("00:06:00", "00:04:00")
    image = opened(tmp_path, text, a=WHOLE)
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 300, 1: 450}, 1_050)]
    assert not samples_of(image)[300 * SECTOR : 450 * SECTOR].any()
    assert samples_of(image)[450 * SECTOR] == 300 * SECTOR + 1


def test_postgap(tmp_path: Path) -> None:
    # Silence of its own track, with no index: cdrskin makes INDEX 02 of it, wodim loses it,
    # libcdio refuses the sheet.
    text = TWO.replace("  TRACK 02", "    POSTGAP 00:01:00\n  TRACK 02")
    image = opened(tmp_path, text, a=WHOLE)
    assert shape(image) == [(1, {0: -150, 1: 0}, 375), (2, {0: 375, 1: 525}, 975)]
    assert not samples_of(image)[300 * SECTOR : 375 * SECTOR].any()


def test_multi_bin(tmp_path: Path) -> None:
    # redump's form, and the most common one there is: times begin anew in each file. libcdio
    # crashes, bchunk reads the named file alone, cdrskin and wodim take one FILE.
    text = (
        'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        'FILE "b.bin" BINARY\n  TRACK 02 AUDIO\n    INDEX 00 00:00:00\n    INDEX 01 00:02:00\n'
    )
    image = opened(tmp_path, text, a=WHOLE[: 300 * SECTOR], b=WHOLE[300 * SECTOR :])
    assert shape(image) == SHAPE
    assert np.array_equal(samples_of(image), WHOLE)


def test_flags(tmp_path: Path) -> None:
    # Each flag is a bit of CONTROL, and SCMS the alternating copy bit. libMirage matches none of
    # them (its pattern is wrong), libcdio loses 4CH and SCMS, wodim PRE, chdman all.
    text = TWO.replace("AUDIO\n    INDEX 01", "AUDIO\n    FLAGS DCP PRE\n    INDEX 01", 1).replace(
        "    INDEX 00", "    FLAGS 4CH SCMS\n    INDEX 00"
    )
    first, second = opened(tmp_path, text, a=WHOLE).disc.tracks
    assert (first.copy, first.pre_emphasis, first.four_channel) == (
        CopySetting.PERMITTED,
        True,
        False,
    )
    assert (second.copy, second.pre_emphasis, second.four_channel) == (
        CopySetting.SCMS,
        False,
        True,
    )


def test_index_02(tmp_path: Path) -> None:
    # A place in the file like every other index. cdrdao takes it as relative to the track and
    # refuses or misplaces it, bchunk starts the track there, chdman and libcdio lose it.
    image = opened(tmp_path, TWO + "    INDEX 02 00:08:00\n", a=WHOLE)
    assert shape(image)[1] == (2, {0: 300, 1: 450, 2: 600}, 900)
    assert np.array_equal(samples_of(image), WHOLE)


def test_rem_session_02(tmp_path: Path) -> None:
    # libMirage alone makes two sessions of it; cdrdao and chdman lay the tracks into one, where
    # all addresses behind the border are wrong; the others refuse. Read as redump means it; see
    # test_cue_sessions.py for the further forms.
    text = (
        "REM SESSION 01\nFILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "REM SESSION 02\nFILE b.bin BINARY\nTRACK 02 AUDIO\nINDEX 01 00:00:00\n"
    )
    image = opened(tmp_path, text, a=300 * SECTOR, b=400 * SECTOR)
    assert [session.lead_out_lba for session in image.disc.sessions] == [300, 12_100]
    assert image.disc.tracks[1].start_lba == 300 + 11_400


def test_mode1_2352_and_audio(tmp_path: Path) -> None:
    # Stored sectors go to the disc as they are. cdrskin and wodim mix no modes in one file.
    data = encode(SectorType.MODE1, noise_rows(300, 2048), 0)
    text = TWO.replace("TRACK 01 AUDIO", "TRACK 01 MODE1/2352")
    image = opened(tmp_path, text, a=data.tobytes() + WHOLE[300 * SECTOR :].tobytes())
    assert [track.mode for track in image.disc.tracks] == [TrackMode.MODE1, TrackMode.AUDIO]
    assert shape(image) == SHAPE
    assert np.array_equal(main_sectors(image, 0, 300), data)


def test_mode1_2048_and_audio_in_one_file(tmp_path: Path) -> None:
    # Bytes are summed track by track: 2,048 for each frame up to the next track, then 2,352.
    # libcdio and bchunk take one size for the whole file and find the sound in a wrong place.
    user = noise_rows(300, 2048)
    text = TWO.replace("TRACK 01 AUDIO", "TRACK 01 MODE1/2048")
    image = opened(tmp_path, text, a=user.tobytes() + WHOLE[300 * SECTOR :].tobytes())
    assert shape(image) == SHAPE
    assert np.array_equal(main_sectors(image, 0, 300), encode(SectorType.MODE1, user, 0))
    sound = main_sectors(image, 300, 600).reshape(-1).view("<u4")
    assert np.array_equal(sound, WHOLE[300 * SECTOR :])


def test_mode2_2336(tmp_path: Path) -> None:
    # All that follows the header; it comes out of the file as it is. libcdio and bchunk count
    # sectors of another size and get the length wrong.
    body = noise_rows(300, 2336)
    text = "FILE a.bin BINARY\nTRACK 01 MODE2/2336\nINDEX 01 00:00:00\n"
    image = opened(tmp_path, text, a=body.tobytes())
    assert shape(image) == [(1, {0: -150, 1: 0}, 300)]
    assert np.array_equal(main_sectors(image, 0, 300)[:, 16:], body)
    assert image.disc.sessions[0].disc_type is DiscType.XA


def test_cdg(tmp_path: Path) -> None:
    # Sound and P-W as on the disc, as libMirage has it; the others refuse it (chdman takes it in
    # later versions), bchunk reads it with sectors of a wrong size.
    rows = noise_rows(300, 2448)
    text = "FILE a.bin BINARY\nTRACK 01 CDG\nINDEX 01 00:00:00\n"
    image = opened(tmp_path, text, a=rows.tobytes())
    found = np.empty((300, 96), np.uint8)
    image.read_sub_into(0, found)
    assert np.array_equal(main_sectors(image, 0, 300), rows[:, :2352])
    assert np.array_equal(found & 0x3F, rows[:, 2352:] & 0x3F)


def test_lower_case_keywords(tmp_path: Path) -> None:
    # CDRWIN's manual says that case does not matter. cdrdao alone goes by that; libcdio, cdrskin,
    # wodim and libMirage refuse, chdman loops for ever, bchunk finds nothing.
    assert shape(opened(tmp_path, TWO.lower(), a=WHOLE)) == SHAPE


def test_a_utf_8_byte_order_mark(tmp_path: Path) -> None:
    # Windows' editor puts one there. bchunk reads it by chance, libMirage crashes, all others
    # refuse the first line.
    image = opened(tmp_path, codecs.BOM_UTF8 + TWO.encode(), a=WHOLE)
    assert shape(image) == SHAPE
    assert notes(image) == []


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("\n", "\r\n"),
        TWO.replace("  ", "\t"),
        TWO.rstrip("\n"),
        TWO.replace('"', ""),
        TWO.replace("\n", "\n\n"),
    ],
    ids=["crlf", "tabs", "no final newline", "unquoted name", "empty lines"],
)
def test_line_ends_tabs_and_quotes(tmp_path: Path, text: str) -> None:
    # All agree.
    assert shape(opened(tmp_path, text, a=WHOLE)) == SHAPE


def test_isrc_with_hyphens(tmp_path: Path) -> None:
    # Read without them, and said so: the code is plain from what is there. cdrdao and cdrskin
    # refuse the sheet for it, libcdio, chdman and libMirage drop the code.
    text = TWO.replace("    INDEX 00", "    ISRC US-RC1-76-07839\n    INDEX 00")
    image = opened(tmp_path, text, a=WHOLE)
    assert image.disc.tracks[1].isrc == "USRC17607839"
    assert notes(image) == [("isrc-hyphens", 5)]


def test_eac_noncompliant(tmp_path: Path) -> None:
    # INDEX 00 in the file before: the gap lies at its end and belongs to the next track. No peer
    # reads it right: cdrdao, libcdio, cdrskin and wodim refuse, chdman finds one track, libMirage
    # loses the second file.
    text = (
        'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        "  TRACK 02 AUDIO\n    INDEX 00 00:04:00\n"
        'FILE "b.bin" BINARY\n    INDEX 01 00:00:00\n'
    )
    image = opened(tmp_path, text, a=WHOLE[: 450 * SECTOR], b=WHOLE[450 * SECTOR :])
    assert shape(image) == SHAPE
    assert np.array_equal(samples_of(image), WHOLE)


def test_a_wave_file_for_each_track(tmp_path: Path) -> None:
    # Header and all: the samples count. libcdio, cdrskin and wodim refuse it, bchunk takes the
    # header for sound.
    write_sound(tmp_path / "1.wav", WHOLE[: 300 * SECTOR])
    write_sound(tmp_path / "2.wav", WHOLE[300 * SECTOR :], "FLAC")  # the word stays WAVE
    text = (
        'FILE "1.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        'FILE "2.wav" WAVE\n  TRACK 02 AUDIO\n    INDEX 00 00:00:00\n    INDEX 01 00:02:00\n'
    )
    image = opened(tmp_path, text)
    assert shape(image) == SHAPE
    assert np.array_equal(samples_of(image), WHOLE)


HIDDEN = "FILE a.bin BINARY\nTRACK 01 AUDIO\n{}INDEX 01 00:05:00\n"


def test_a_hidden_track_with_index_00_and_01(tmp_path: Path) -> None:
    # The file begins at LBA 0, behind the two seconds that every disc begins with; they all are
    # the pregap. libcdio counts the gap out of the length, wodim writes wrong times.
    image = opened(tmp_path, HIDDEN.format("INDEX 00 00:00:00\n"), a=WHOLE)
    assert shape(image) == [(1, {0: -150, 1: 375}, 900)]
    assert np.array_equal(samples_of(image), WHOLE)


def test_a_hidden_track_with_index_01_alone(tmp_path: Path) -> None:
    # The same: nothing of a file is dropped because no index names it. libMirage and libcdio read
    # it so; cdrdao and cdrskin drop the five seconds, chdman shifts them into the wrong track.
    image = opened(tmp_path, HIDDEN.format(""), a=WHOLE)
    assert shape(image) == [(1, {0: -150, 1: 375}, 900)]
    assert np.array_equal(samples_of(image), WHOLE)


def test_the_first_track_is_02(tmp_path: Path) -> None:
    # Its number is on the disc and in the TOC, so it is kept (libcdio, bchunk, cdrskin). cdrdao
    # and libMirage count from 1, chdman refuses, wodim crashes.
    text = TWO.replace("TRACK 02", "TRACK 03").replace("TRACK 01", "TRACK 02")
    image = opened(tmp_path, text, a=WHOLE)
    assert [track.number for track in image.disc.tracks] == [2, 3]


def test_one_digit_numbers(tmp_path: Path) -> None:
    # All agree but cdrskin, which wants two.
    text = (
        TWO.replace("TRACK 0", "TRACK ")
        .replace("INDEX 0", "INDEX ")
        .replace("00:04:00", "0:4:0")
        .replace("00:06:00", "0:6:0")
    )
    assert shape(opened(tmp_path, text, a=WHOLE)) == SHAPE


def test_composer_arranger_and_message(tmp_path: Path) -> None:
    # Texts of the dialect of cdrecord and libcue, with a pack type each: kept as CD-TEXT
    # (libcdio, cdrskin). cdrdao and wodim refuse the sheet, chdman and libMirage drop them.
    text = "MESSAGE Hello\n" + TWO.replace(
        "    INDEX 00", '    COMPOSER "C"\n    ARRANGER "A"\n    INDEX 00'
    )
    image = opened(tmp_path, text, a=WHOLE)
    cdtext = image.disc.cdtext
    assert cdtext is not None
    assert cdtext.text("message", 0) == "Hello"
    assert [cdtext.text(field, 2) for field in ("composer", "arranger")] == ["C", "A"]
    assert notes(image) == []


# -- not in the table: what 3.1, 3.2 and 3.4 tell of further dialects ---------------------------


def test_a_file_line_before_every_track_of_one_bin(tmp_path: Path) -> None:
    # Times that go on are of the same file; as so many copies of it the disc would be as many
    # times as long. chdman compares the names likewise.
    text = (
        'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        'FILE "a.bin" BINARY\n  TRACK 02 AUDIO\n    INDEX 00 00:04:00\n'
        'FILE "a.bin" BINARY\n    INDEX 01 00:06:00\n'
    )
    image = opened(tmp_path, text, a=WHOLE)
    assert shape(image) == SHAPE
    assert np.array_equal(samples_of(image), WHOLE)
    assert notes(image) == [("file-repeated", 4)]


def test_a_file_that_is_meant_twice(tmp_path: Path) -> None:
    # A time that does not go on cannot be of the same file: it is there once more, as a disc may
    # hold the same silence between its tracks.
    text = (
        'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
        'FILE "a.bin" BINARY\n  TRACK 02 AUDIO\n    INDEX 01 00:00:00\n'
    )
    image = opened(tmp_path, text, a=WHOLE)
    assert shape(image) == [(1, {0: -150, 1: 0}, 900), (2, {1: 900}, 1_800)]
    assert np.array_equal(samples_of(image), np.concatenate([WHOLE, WHOLE]))
    assert notes(image) == []


@pytest.mark.parametrize(
    "remarks",
    [
        ("GENRE Rock", "DATE 1999", "DISCID 12345678", 'COMMENT "ExactAudioCopy v1.0b3"'),
        ("COMPOSER X", "DISCNUMBER 1", "TOTALDISCS 2"),
        ("REPLAYGAIN_ALBUM_GAIN -7.89 dB", "REPLAYGAIN_TRACK_PEAK 0.988553"),
        ("METADATA AARU MEDIA-TYPE: CDDA", "Ripping Tool: Aaru", "METADATA DUMP EXTENT: 1 | 2"),
        ("Gap Append Method: Prev [x]", "DISC HASHES", "CRC32 : 12345678", "MD5 : 0"),
        ("ORIGINAL MEDIA-TYPE: CD", "LEAD-OUT 00:12:00", "MSF: 00:00:00 = LBA: 0"),
    ],
    ids=["eac", "players", "replaygain", "aaru", "trurip", "isobuster"],
)
def test_remarks_of_other_programs_are_passed_over(
    tmp_path: Path, remarks: tuple[str, ...]
) -> None:
    said = [f"REM {remark}\n" for remark in remarks]
    text = "".join(said) + TWO.replace("    INDEX 01", f"    {said[-1]}    INDEX 01")
    image = opened(tmp_path, text + said[0], a=WHOLE)
    assert shape(image) == SHAPE
    assert notes(image) == []


def test_gaps_of_86box_are_noted(tmp_path: Path) -> None:
    # REM TAOGAP, PAUSE and ZERO: no document says where the sectors lie that they add.
    text = TWO.replace(
        "    INDEX 00",
        "    REM TAOGAP 00:02:00\n    PAUSE 00:02:00\n    ZERO 00:01:00\n    INDEX 00",
    )
    image = opened(tmp_path, text, a=WHOLE)
    assert shape(image) == SHAPE
    assert notes(image) == [
        ("unknown-remark", 5),
        ("unknown-command", 6),
        ("unknown-command", 7),
    ]


@pytest.mark.parametrize(
    ("mode", "packed"),
    [
        ("MODE1/2448", False),
        ("MODE2/2448", False),
        ("MODE1/2352 RW_RAW", False),
        ("AUDIO RW_RAW", False),
        ("audio rw", True),
        ("MODE1/2048 RW_RAW", False),
    ],
)
def test_subcode_behind_every_block(tmp_path: Path, mode: str, packed: bool) -> None:
    # 86Box's sizes, and cdrdao's words as chdman takes them: RW are packs before interleave.
    width = 2048 + 96 if "2048" in mode else 2448
    rows = noise_rows(300, width)
    text = f"FILE a.bin BINARY\nTRACK 01 {mode}\nINDEX 01 00:00:00\n"
    image = opened(tmp_path, text, a=rows.tobytes())
    assert shape(image) == [(1, {0: -150, 1: 0}, 300)]
    main = main_sectors(image, 0, 300)
    if width == 2448:
        assert np.array_equal(main, rows[:, :2352])
    else:
        assert np.array_equal(main[:, 16:2064], rows[:, :2048])
    found = np.empty((300, 96), np.uint8)
    image.read_sub_into(0, found)
    stored = rows[:, -96:] & 0x3F
    assert np.array_equal(found & 0x3F, stored) is not packed
    assert image.sub[0].rw_packed is packed


def test_libcue_s_spelling_of_form_2(tmp_path: Path) -> None:
    # MODE2/2342 stands in its grammar for blocks of 2,324 bytes.
    user = noise_rows(300, 2324)
    text = "FILE a.bin BINARY\nTRACK 01 MODE2/{}\nINDEX 01 00:00:00\n"
    images = []
    for size in (2342, 2324):
        (tmp_path / str(size)).mkdir()
        images.append(opened(tmp_path / str(size), text.format(size), a=user.tobytes()))
    assert images[0].disc == images[1].disc
    assert images[0].read(0, 300) == images[1].read(0, 300)


def test_shift_jis_is_read_with_a_note(tmp_path: Path) -> None:
    title = "\u3042\u3044\u3046"
    (tmp_path / "\u66f2.bin").write_bytes(WHOLE.tobytes())
    text = f'TITLE "{title}"\n' + TWO.replace("a.bin", "\u66f2.bin")
    image = opened(tmp_path, text.encode("cp932"))
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == title
    assert [code for code, _ in notes(image)] == ["shift-jis"]


@pytest.mark.parametrize("written", ["a.wav", "A.WAV"])
def test_binary_of_a_sound_file(tmp_path: Path, written: str) -> None:
    # BINARY is taken at its word, whatever the case of the name; 44 bytes are the header.
    write_sound(tmp_path / "a.wav", WHOLE)
    image = opened(tmp_path, TWO.replace("a.bin", written))
    assert shape(image)[-1][2] == 901
    assert np.array_equal(samples_of(image)[11 : 11 + len(WHOLE)], WHOLE)
    assert ("sound-as-samples", 1) in notes(image)


def test_a_code_that_stands_there_twice(tmp_path: Path) -> None:
    # The last one counts, and a note names both: which one was meant is not ours to know.
    codes = "CATALOG 4006381333931\nCATALOG 0123456789012\nCATALOG 0123456789012\n"
    isrcs = "    ISRC USK7Y9812345\n    ISRC USK7Y9812345\n    ISRC USK7Y9812346\n"
    image = opened(tmp_path, codes + TWO + isrcs, a=WHOLE)
    assert image.disc.mcn == "0123456789012"
    assert image.disc.track(2).isrc == "USK7Y9812346"
    told = [(note.code, note.line) for note in image.notes]
    assert told == [("code-repeated", 2), ("code-repeated", 12)]


def test_bytes_without_a_character_are_replaced_with_a_note(tmp_path: Path) -> None:
    image = opened(tmp_path, b'TITLE "Caf\xe9 \x81\x9d"\n' + TWO.encode(), a=WHOLE.tobytes())
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == "Caf\u00e9 \ufffd\ufffd"
    assert [code for code, _ in notes(image)] == ["bytes-replaced"]
