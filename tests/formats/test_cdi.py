"""CDIs, as other programs' authors found DiscJuggler to write them."""

from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import main_sectors
from rawcd.plugins import open_image, recognised_format, save_image
from rawcd_formats.cdi import CdiFormat
from tests.contract.format_contract import FormatContract, folder, plain_disc
from tests.oracles.blocks import blank, blocks, sector
from tests.strategies import image_of, noise_rows

MAKE = Path(__file__).parents[2] / "fixtures" / "cdi" / "make.py"


def _make() -> Any:
    spec = importlib.util.spec_from_file_location("make_cdi", MAKE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_cdi"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


make = _make()
BODY, TRACKS = make.mixed()
FILES = {
    "4": make.cdi_4(BODY, (1, TRACKS), mcn=b"2000000001234", volume=b"DISC"),
    "3": make.cdi_older(make.V3, BODY, (1, TRACKS)),
    "3.00.780": make.cdi_older(make.V3, BODY, (1, TRACKS), build_780=True),
    "2": make.cdi_older(make.V2, BODY, (1, TRACKS)),
}


def written(place: Path, data: bytes, name: str = "a.cdi") -> Path:
    (place / name).write_bytes(data)
    return place / name


@pytest.mark.parametrize("version", FILES)
@pytest.mark.parametrize("name", ["a.cdi", "a.img"])
def test_data_and_sound_in_every_version(tmp_path: Path, version: str, name: str) -> None:
    path = written(tmp_path, FILES[version], name)
    assert recognised_format(path) == "cdi"
    image = open_image(path)
    assert not image.notes
    (session,) = image.disc.sessions
    assert (session.disc_type, session.lead_out_lba) == (DiscType.CDDA_CDROM, 150)
    one, two = session.tracks
    assert one == Track(
        number=1,
        mode=TrackMode.MODE1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=30,
    )
    assert two == Track(
        number=2,
        indexes=(
            Index(number=0, lba=30),
            Index(number=1, lba=105),
            Index(number=2, lba=125),
        ),
        end_lba=150,
        copy=CopySetting.PERMITTED,
        isrc="XXRCD2600002" if version == "4" else None,
    )
    assert image.disc.mcn == ("2000000001234" if version == "4" else None)
    assert main_sectors(image, 30, 120).tobytes() == make.sound(120)
    for lba in (-150, 0, 29):
        assert main_sectors(image, lba, 1).tobytes() == sector("MODE1", bytes(2048), lba)
    assert not main_sectors(image, 150, 10).any()


def test_two_sessions_as_self_booting_discs_have_them(tmp_path: Path) -> None:
    """Sound of 302 sectors, and data whose index 1 is 11,400 behind the lead-out: at 11,702."""
    held = blocks("MODE2FORM1", 2336, 40, lba=11_702)
    gap = [blank("MODE2FORM1", 11_552 + i)[16:] for i in range(150)]
    body = bytes(150 * 2352) + make.sound(302) + b"".join(gap) + b"".join(held)
    sound = make.Track(0, 2, (150, 302), 0)
    data = make.Track(2, 1, (150, 40), 11_702, control=4)
    image = open_image(written(tmp_path, make.cdi_4(body, (0, [sound]), (2, [data]))))
    assert not image.notes
    first, second = image.disc.sessions
    assert (first.lead_out_lba, second.tracks[0].start_lba) == (302, 11_702)
    assert (second.disc_type, second.lead_out_lba) == (DiscType.XA, 11_742)
    assert main_sectors(image, 0, 302).tobytes() == make.sound(302)
    for lba in (0, 39):
        found = main_sectors(image, 11_702 + lba, 1).tobytes()
        assert found == sector("MODE2FORM0", held[lba], 11_702 + lba)


@pytest.mark.parametrize(
    ("mode", "read_mode", "kind", "size", "sub"),
    [
        (1, 0, "MODE1", 2048, 0),
        (1, 2, "MODE1", 2352, 0),
        (1, 3, "MODE1", 2352, 16),
        (1, 4, "MODE1", 2352, 96),
        (2, 0, "MODE2FORM1", 2048, 0),
        (2, 1, "MODE2MIXED", 2336, 0),
        (2, 2, "MODE2FORM2", 2352, 0),
        (2, 4, "MODE2FORM1", 2352, 96),
    ],
)
def test_every_kind_of_sectors(
    tmp_path: Path, mode: int, read_mode: int, kind: str, size: int, sub: int
) -> None:
    held = blocks(kind, size, 10)
    gap = [blank(kind, i)[-size:] if size != 2048 else bytes(2048) for i in range(-150, 0)]
    if size == 2048:
        gap = [bytes(2048)] * 150
    rows = noise_rows(160, sub) if sub else None
    body = b"".join(
        block + (b"" if rows is None else rows[i].tobytes()) for i, block in enumerate(gap + held)
    )
    track = make.Track(mode, read_mode, (150, 10), 0, control=4)
    image = open_image(written(tmp_path, make.cdi_4(body, (mode, [track]))))
    assert image.disc.tracks[0].mode is TrackMode(mode)
    whole = "MODE2FORM0" if size == 2336 else kind
    for lba in (0, 9):
        assert main_sectors(image, lba, 1).tobytes() == sector(whole, held[lba], lba)
    if sub == 96 and rows is not None:
        assert image.read(-150, 160)[2352:2448] == rows[0].tobytes()


def test_titles_in_packs_are_read_and_those_of_tracks_named(tmp_path: Path) -> None:
    text = CDText(blocks=(TextBlock(items=(TextItem(field="title", track=0, text="A disc"),)),))
    tracks = [make.Track(0, 2, (150, 20), 0, texts=(b"", b"words"))]
    packs = text.to_packs(first_track=1, last_track=1)
    data = make.cdi_4(bytes(150 * 2352) + make.sound(20), (0, tracks), packs=packs)
    image = open_image(written(tmp_path, data))
    assert image.disc.cdtext == text
    assert [note.code for note in image.notes] == ["text-ignored"]


def test_a_track_without_a_pregap_gets_the_two_seconds_of_its_session(tmp_path: Path) -> None:
    tracks = [make.Track(0, 2, (0, 20), 150), make.Track(0, 2, (0, 10), 170)]
    image = open_image(written(tmp_path, make.cdi_4(make.sound(30), (0, tracks))))
    assert not image.notes
    assert [track.start_lba for track in image.disc.tracks] == [0, 20]
    assert main_sectors(image, 0, 30).tobytes() == make.sound(30)


def test_what_does_not_agree_is_told(tmp_path: Path) -> None:
    tracks = [
        make.Track(0, 2, (150, 20), 7, control=4),
        make.Track(0, 2, (0, 10), 170, length=9, isrc=b"no isrc"),
    ]
    body = bytes(150 * 2352) + make.sound(29) + b"more"
    image = open_image(written(tmp_path, make.cdi_4(body, (4, tracks), mcn=b"no number")))
    assert sorted({note.code for note in image.notes}) == [
        "address",
        "control-and-mode",
        "isrc",
        "length",
        "mcn",
        "trailing-bytes",
    ]
    assert image.disc.sessions[0].lead_out_lba == 29


def test_without_the_disc_s_own_part_the_tracks_are_there(tmp_path: Path) -> None:
    whole = FILES["2"]
    end = whole[-8:]
    image = open_image(written(tmp_path, whole[:-40] + end))
    assert [note.code for note in image.notes] == ["disc-unknown"]
    assert len(image.disc.tracks) == 2


def one(**changes: Any) -> bytes:
    fields = {"mode": 0, "read_mode": 2, "indexes": (150, 20), "start": 0, **changes}
    return bytes(make.cdi_4(bytes(170 * 2352), (0, [make.Track(**fields)])))


def changed(data: bytes, at: int, new: bytes) -> bytes:
    """The descriptor with some bytes replaced."""
    first = 170 * 2352 + at
    return data[:first] + new + data[first + len(new) :]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "0 bytes are no CDI"),
        (bytes(8), "offset 0: its last bytes tell of version 00000000h; known are 80000004h"),
        (one()[:-4] + struct.pack("<I", 2**31), "its descriptor should begin at byte -"),
        (bytes(2**21) + struct.pack("<II", make.V2, 1), "it has 1048576 bytes at most"),
        (changed(one(), 0, b"\0"), "offset 399840: 0 sessions"),
        (changed(one(), 0, b"\x64"), "100 sessions"),
        (changed(one(), 2, b"\0"), "session 1 has 0 tracks"),
        (changed(one(), 2, b"\x64"), "session 1 has 100 tracks"),
        (changed(one(), 2, b"\x02"), "track 2 of session 1 is not as it should be"),
        (changed(one(), 10, b"\x02"), "offset 399844: track 1 of session 1 is not as it should"),
        (one(mode=3), "track 1: mode 3 with sectors of kind 2"),
        (one(read_mode=5), "track 1: mode 0 with sectors of kind 5"),
        (one(read_mode=0), "a track of mode 0 has no sectors of 2048 bytes"),
        (one(indexes=()), "track 1 has no index"),
        (one(indexes=(1,) * 101), "track 1 of session 1 is not as it should be"),
        (one(indexes=(150, 21)), "its tracks have 402192 bytes, .* begins at byte 399840"),
        (one(indexes=(150, 0, 20)), "its descriptor contradicts itself"),
        (one(length=2**31), "contradicts itself|its tracks have"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_place(
    tmp_path: Path, data: bytes, says: str
) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        open_image(written(tmp_path, data), format="cdi")
    assert caught.value.file == str(tmp_path / "a.cdi")


def test_a_dvd_is_none(tmp_path: Path) -> None:
    whole = one()
    at = whole.index(struct.pack("<HH", 0, 0x98), 170 * 2352)
    with pytest.raises(FormatError, match="it holds a DVD"):
        open_image(written(tmp_path, whole[: at + 2] + b"\x38" + whole[at + 3 :]))


@pytest.mark.parametrize("version", FILES)
def test_files_with_any_bytes_changed(version: str) -> None:
    class Contract(FormatContract):
        name = "cdi"

    whole = FILES[version]
    with folder() as place:

        @given(st.data())
        def law(data: st.DataObject) -> None:
            held = bytearray(whole)
            for _ in range(data.draw(st.integers(1, 4))):
                at = len(held) - 1 - data.draw(st.integers(0, len(whole) - len(BODY) - 1))
                held[at] ^= 1 << data.draw(st.integers(0, 7))
            kept = data.draw(st.sampled_from([len(held), len(held) - 1, len(held) // 2]))
            Contract().try_to_load(written(place, bytes(held[:kept])))

        law()


@given(st.binary(max_size=3_000), st.sampled_from([4, 5, 6]), st.integers(0, 3_000))
def test_any_bytes_load_or_raise_one_of_three_errors(junk: bytes, version: int, at: int) -> None:
    class Contract(FormatContract):
        name = "cdi"

    with folder() as place:
        end = struct.pack("<II", 0x80000000 | version, at)
        Contract().try_to_load(written(place, junk))
        Contract().try_to_load(written(place, junk + end))


def test_it_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="format cdi are read and never written"):
        save_image(image_of(plain_disc()), tmp_path / "a.cdi")
    with pytest.raises(UnsupportedError, match="only read"):
        CdiFormat().save(None, None, {}, None)  # type: ignore[arg-type]  # never looked at
    assert not list(tmp_path.iterdir())
