"""NRGs: read as other programs' layouts have them, written and read back."""

from __future__ import annotations

import importlib.util
import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import (
    ImageType,
    MainForm,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
    main_sectors,
)
from rawcd.plugins import open_image, recognised_format, save_image
from rawcd.source import ArraySource
from rawcd_formats.nrg import NrgFormat
from tests.contract.format_contract import FormatContract, folder, image_with, plain_disc, scaled
from tests.oracles.blocks import blank, blocks, sector
from tests.strategies import PatternSource, discs, image_of, noise_rows

if TYPE_CHECKING:
    from rawcd.image import DiscImage

MAKE = Path(__file__).parents[2] / "fixtures" / "nrg" / "make.py"


def _make() -> Any:
    spec = importlib.util.spec_from_file_location("make_nrg", MAKE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _make()


# -- the contract --------------------------------------------------------------------------------


def latin_text(numbers: range) -> st.SearchStrategy[CDText | None]:
    characters = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["C"])
    texts = st.dictionaries(
        st.tuples(st.sampled_from([0, *numbers]), st.sampled_from(["title", "performer"])),
        st.text(characters, min_size=1, max_size=20),
        min_size=1,
        max_size=4,
    )

    def made(found: dict[tuple[int, str], str]) -> CDText:
        order = sorted(found, key=lambda key: (key[0], key[1] == "performer"))
        items = tuple(TextItem(field=key[1], track=key[0], text=found[key]) for key in order)
        return CDText.from_packs(
            CDText(blocks=(TextBlock(items=items),)).to_packs(
                first_track=numbers[0], last_track=numbers[-1]
            )
        ).of_tracks(numbers[0], numbers[-1])

    return st.none() | texts.map(made)


def without_scms(disc: Disc) -> Disc:
    session = disc.sessions[0]
    tracks = tuple(
        replace(track, copy=CopySetting.PROHIBITED) if track.copy is CopySetting.SCMS else track
        for track in session.tracks
    )
    return replace(disc, sessions=(replace(session, tracks=tracks),))


def two_sessions() -> RegionImage:
    first = plain_disc().sessions[0]
    program = first.end_lba + 4_500
    track = Track(
        number=3,
        mode=TrackMode.MODE1,
        indexes=(Index(number=0, lba=program), Index(number=1, lba=program + 150)),
        end_lba=program + 450,
    )
    second = Session(
        tracks=(track,),
        lead_in_lba=first.end_lba,
        lead_out_lba=program + 450,
        lead_out_sectors=2_250,
    )
    disc = Disc(sessions=(first, second))
    data = b"".join(
        sector("MODE1", block, program + 150 + place)
        for place, block in enumerate(blocks("MODE1", 2048, 300))
    )
    sound = PatternSource(block_count=600)
    main = (
        *blanks(disc, disc.first_lba, 0),
        Region(lba=0, sectors=600, form=MainForm.DISC, source=sound),
        *blanks(disc, 600, program + 150),
        Region(lba=program + 150, sectors=300, form=MainForm.PLAIN, source=ArraySource(data)),
        *blanks(disc, program + 450, disc.end_lba),
    )
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    return RegionImage(disc=disc, main=main, sub=(made,))


def with_sub(form: SubForm, first: int, end: int) -> RegionImage:
    """A plain image with recorded subcode from one LBA to another."""
    image = image_of(plain_disc())
    rows = noise_rows(end - first, 96)
    if form is SubForm.RW:
        rows &= 0x3F
    source = ArraySource(rows.tobytes(), block_size=96)
    sub = (
        SubRegion(lba=-22_650, sectors=first + 22_650, form=SubForm.MADE),
        SubRegion(lba=first, sectors=end - first, form=form, source=source),
        SubRegion(lba=end, sectors=image.disc.end_lba - end, form=SubForm.MADE),
    )
    return replace(image, sub=sub)


class TestContract(FormatContract):
    name = "nrg"

    def discs(self) -> st.SearchStrategy[Disc]:
        return discs(titles=False).flatmap(
            lambda disc: latin_text(range(disc.tracks[0].number, disc.tracks[-1].number + 1)).map(
                lambda text: replace(without_scms(disc), cdtext=text)
            )
        )

    def image_with(self, feature: Feature) -> RegionImage:
        if feature is Feature.SESSIONS:
            return two_sessions()
        if feature is Feature.STORED_PQ:
            return with_sub(SubForm.RAW, -150, 600)
        if feature is Feature.RW:
            return with_sub(SubForm.RW, 10, 590)
        return image_with(feature)


# -- recognised ----------------------------------------------------------------------------------


def written(place: Path, data: bytes, name: str = "a.nrg") -> Path:
    (place / name).write_bytes(data)
    return place / name


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("maker", ["at_once", "track_by_track"])
@pytest.mark.parametrize("name", ["a.nrg", "a.bin", "a.iso"])
def test_it_is_told_by_its_end(tmp_path: Path, version: int, maker: str, name: str) -> None:
    path = written(tmp_path, getattr(make, maker)(version), name)
    assert recognised_format(path) == "nrg"


def test_recorded_subcode_makes_no_raw_image_of_it(tmp_path: Path) -> None:
    image = image_of(plain_disc())
    sectors = image.read(-150, 750)
    edges = [2448 * edge for edge in (0, 150, 450, 450, 450, 750)]
    stored = make.dao(2, (b"", 2448, 0x10, *edges[:3]), (b"", 2448, 0x10, *edges[3:]))
    entries = [(1, 0, 0, -150), (1, 1, 0, -150), (1, 1, 1, 0), (1, 2, 0, 300), (1, 2, 1, 300)]
    data = make.nrg(2, sectors, make.cue(2, *entries, (1, 0xAA, 1, 600)), stored)
    path = written(tmp_path, data)
    assert recognised_format(path) == "nrg"
    opened = open_image(path)
    assert opened.disc == image.disc
    assert opened.read(-150, 750) == sectors


# -- written at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_session_written_at_once(tmp_path: Path, version: int) -> None:
    image = open_image(written(tmp_path, make.at_once(version)))
    assert not image.notes
    assert image.disc.mcn == "2000000001234"
    (session,) = image.disc.sessions
    assert session.lead_out_lba == 575
    assert session.tracks == (
        Track(number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)), end_lba=300),
        Track(
            number=2,
            indexes=(Index(number=0, lba=300), Index(number=1, lba=375)),
            end_lba=575,
            copy=CopySetting.PERMITTED,
            isrc="XXRCD2600002",
        ),
    )
    stored = bytes(150 * 2352) + make.sound(300) + make.sound(275, 2)
    assert main_sectors(image, -150, 725).tobytes() == stored
    assert not main_sectors(image, 575, 10).any()


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=6),
    st.integers(0, 30),
    st.booleans(),
)
@settings(max_examples=scaled(60))
def test_times_in_bcd_and_binary_are_told_apart(
    lengths: list[tuple[int, int]], later: int, binary: bool
) -> None:
    """The stored lengths decide; BCD where both readings fit them."""
    entries = [(1, 0, 0, -150)]
    stored = []
    position, offset = later, 0
    for number, (pregap, sectors) in enumerate(lengths, 1):
        before = 150 + later if number == 1 else pregap
        start = position + (0 if number == 1 else pregap)
        entries += [(1, number, 0, start - before), (1, number, 1, start)]
        edges = (offset, offset + 2352 * before, offset + 2352 * (before + sectors))
        stored.append((b"", 2352, 7, *edges))
        position, offset = start + sectors, edges[2]
    entries.append((1, 0xAA, 1, position))
    cue = make.cue(1, *entries, binary=binary)
    with folder() as place:
        path = written(place, make.nrg(1, bytes(offset), cue, make.dao(1, *stored)))
        disc = open_image(path).disc
    assert [t.sector_count for t in disc.tracks] == [sectors for _, sectors in lengths]
    assert [t.pregap_sectors for t in disc.tracks[1:]] == [pregap for pregap, _ in lengths[1:]]


def test_everything_that_chunks_can_say(tmp_path: Path) -> None:
    """Written byte by byte, with a CD-TEXT pack by libburn's page."""
    text = CDText(blocks=(TextBlock(items=(TextItem(field="title", track=0, text="Ä"),)),))
    body = bytes(170 * 2352) + make.sound(40) + make.sound(30)
    edges = [2352 * edge for edge in (0, 170, 210, 210, 220, 240)]
    entries = [(0x91, 0, 0, -150), (0x91, 7, 0, -150), (0x91, 7, 1, 20), (0x91, 7, 2, 30)]
    entries += [(0x91, 7, 3, 55), (0x21, 8, 0, 60), (0x21, 8, 1, 70), (0x21, 0xAA, 1, 90)]
    stored = make.dao(
        2,
        (b"xx-rcd260001", 2352, 8, *edges[:3]),
        (b"XXRCD2600002", 2352, 7, *edges[3:]),
        mcn=b"2000000001234",
        first=7,
    )
    chunks = [
        make.cue(2, *entries),
        stored,
        (b"CDTX", text.to_packs(first_track=7, last_track=8)),
        (b"AFNM", b"name\0"),
        (b"TOCT", bytes(2)),
        make.number(b"SINF", 2),
        make.number(b"MTYP", 0x401),
    ]
    image = open_image(written(tmp_path, make.nrg(2, body, *chunks)))
    one, two = image.disc.tracks
    assert (one.number, one.pre_emphasis, one.four_channel) == (7, True, True)
    assert [index.lba for index in one.indexes] == [-150, 20, 30, 55]
    assert (two.number, two.copy, two.isrc) == (8, CopySetting.PERMITTED, "XXRCD2600002")
    assert image.disc.cdtext == text
    assert [note.code for note in image.notes] == ["isrc"]  # of eleven characters


@pytest.mark.parametrize(
    ("code", "size", "kind", "mode"),
    [
        (0x00, 2048, "MODE1", TrackMode.MODE1),
        (0x02, 2048, "MODE2FORM1", TrackMode.MODE2),
        (0x03, 2336, "MODE2FORM0", TrackMode.MODE2),
        (0x05, 2352, "MODE1", TrackMode.MODE1),
        (0x06, 2352, "MODE2FORM1", TrackMode.MODE2),
        (0x0F, 2448, "MODE1", TrackMode.MODE1),
        (0x11, 2448, "MODE2FORM2", TrackMode.MODE2),
    ],
)
@pytest.mark.parametrize("stored_pregap", [0, 150])
def test_data_of_every_mode(
    tmp_path: Path, code: int, size: int, kind: str, mode: TrackMode, stored_pregap: int
) -> None:
    block_size = min(size, 2352)
    held = blocks(kind, block_size, 20)
    gap = [blank(kind, lba) for lba in range(-stored_pregap, 0)]
    if block_size < 2352:
        gap = [bytes(block_size)] * stored_pregap
    sub = noise_rows(20 + stored_pregap, 96).tobytes() if size == 2448 else b""
    whole = gap + held
    body = b"".join(block + sub[96 * i : 96 * i + 96] for i, block in enumerate(whole))
    edges = (0, size * stored_pregap, len(body))
    entries = [(0x41, 0, 0, -150), (0x41, 1, 0, -150), (0x41, 1, 1, 0), (0x41, 0xAA, 1, 20)]
    chunks = make.cue(2, *entries), make.dao(2, (b"", size, code, *edges), disc_type=0x20)
    image = open_image(written(tmp_path, make.nrg(2, body, *chunks)))
    assert image.disc.tracks[0].mode is mode
    assert image.disc.sessions[0].disc_type is DiscType.XA
    for lba in (0, 7, 19):
        assert main_sectors(image, lba, 1).tobytes() == sector(kind, held[lba], lba)
    before = main_sectors(image, -1, 1).tobytes()
    assert before[:12] == b"\0" + b"\xff" * 10 + b"\0"
    assert before[15] == mode
    if mode is TrackMode.MODE1:
        assert before == blank("MODE1", -1)
    if sub:
        assert image.read(0, 20)[2352:2448] == sub[96 * stored_pregap :][:96]


def test_a_pregap_of_data_behind_sound_begins_with_sound(tmp_path: Path) -> None:
    """ECMA-130 20.1: one second of it; other programs store that as silence, or as data."""
    data = b"".join(sector("MODE1", b, 525 + i) for i, b in enumerate(blocks("MODE1", 2048, 300)))
    gap = b"".join(blank("MODE1", 300 + i) for i in range(225))
    entries = [(1, 0, 0, -150), (1, 1, 0, -150), (1, 1, 1, 0), (0x41, 2, 0, 300), (0x41, 2, 1, 525)]
    entries.append((0x41, 0xAA, 1, 825))
    edges = [2352 * edge for edge in (0, 150, 450, 450, 675, 975)]
    stored = make.dao(2, (b"", 2352, 7, *edges[:3]), (b"", 2352, 5, *edges[3:]))
    for head in (bytes(75 * 2352), gap[: 75 * 2352], make.sound(75)):
        body = bytes(150 * 2352) + make.sound(300) + head + gap[75 * 2352 :] + data
        image = open_image(written(tmp_path, make.nrg(2, body, make.cue(2, *entries), stored)))
        assert main_sectors(image, 300, 525).tobytes() == head + gap[75 * 2352 :] + data
        on_disc = main_sectors(image, 300, 75, plain=False).tobytes()
        assert (on_disc == head) is (head[:12] != gap[:12])
        save_image(image, tmp_path / "b.nrg", replace=True)
        again = open_image(tmp_path / "b.nrg")
        assert again.disc == image.disc
        assert again.read(-150, 975) == image.read(-150, 975)


def test_a_pregap_may_lie_in_what_is_stored_of_the_track_before(tmp_path: Path) -> None:
    entries = [(1, 0, 0, -150), (1, 1, 0, -150), (1, 1, 1, 0), (1, 2, 0, 10), (1, 2, 1, 20)]
    edges = [2352 * edge for edge in (0, 0, 20, 20, 20, 30)]
    stored = make.dao(2, (b"", 2352, 7, *edges[:3]), (b"", 2352, 7, *edges[3:]))
    body = make.sound(20) + make.sound(10, 3)
    cue = make.cue(2, *entries, (1, 0xAA, 1, 30))
    image = open_image(written(tmp_path, make.nrg(2, body, cue, stored)))
    assert [track.pregap_sectors for track in image.disc.tracks] == [150, 10]
    assert main_sectors(image, 0, 30).tobytes() == body


def test_magiciso_writes_the_mode_of_user_data_over_whole_sectors(tmp_path: Path) -> None:
    body = b"".join(sector("MODE1", b, i) for i, b in enumerate(blocks("MODE1", 2048, 20)))
    entries = [(0x41, 0, 0, -150), (0x41, 1, 0, -150), (0x41, 1, 1, 0), (0x41, 0xAA, 1, 20)]
    chunks = make.cue(2, *entries), make.dao(2, (b"", 2352, 0, 0, 0, len(body)))
    image = open_image(written(tmp_path, make.nrg(2, body, *chunks)))
    assert main_sectors(image, 0, 20).tobytes() == body
    assert [note.code for note in image.notes] == ["mode-and-size"]


# -- track by track ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_tracks_written_one_by_one_have_pregaps_that_are_not_stored(
    tmp_path: Path, version: int
) -> None:
    """libcdio puts the second track there too."""
    image = open_image(written(tmp_path, make.track_by_track(version)))
    assert not image.notes
    one, two = image.disc.tracks
    assert [index.lba for index in one.indexes] == [-150, 0]
    assert [index.lba for index in two.indexes] == [300, 450]
    assert (one.mode, two.mode, two.end_lba) == (TrackMode.MODE1, TrackMode.AUDIO, 760)
    user = make.user(300)
    for lba in (0, 299):
        block = user[2048 * lba : 2048 * lba + 2048]
        assert main_sectors(image, lba, 1).tobytes() == sector("MODE1", block, lba)
    assert main_sectors(image, 450, 310).tobytes() == make.sound(310)
    assert not main_sectors(image, 300, 150).any()


@pytest.mark.parametrize("chunks", [1, 2])
def test_several_sessions_written_track_by_track(tmp_path: Path, chunks: int) -> None:
    body = make.user(30) + make.user(20)
    tracks = (0, 30 * 2048, 2, 0), (30 * 2048, 20 * 2048, 0, 11_430)
    sinf = make.number(b"SINF", 1)
    if chunks == 1:
        chain = [make.etn(2, *tracks), sinf, sinf]
    else:
        chain = [make.etn(2, tracks[0]), sinf, make.etn(2, tracks[1]), sinf]
    image = open_image(written(tmp_path, make.nrg(2, body, *chain)))
    assert not image.notes
    first, second = image.disc.sessions
    assert (first.disc_type, second.disc_type) == (DiscType.XA, DiscType.CDDA_CDROM)
    # 11,400 behind the lead-out's start (ECMA-130 and Orange Book: 6,750 + 4,500 + 150).
    assert second.tracks[0].start_lba == 30 + 11_400
    assert (second.tracks[0].number, second.lead_out_lba) == (2, 11_450)


def test_an_address_that_no_reading_explains_is_told(tmp_path: Path) -> None:
    image = open_image(
        written(tmp_path, make.nrg(2, bytes(40_960), make.etn(2, (0, 40_960, 0, 9))))
    )
    (note,) = image.notes
    assert note.code == "tao-address"
    assert image.disc.tracks[0].start_lba == 0


# -- refused -------------------------------------------------------------------------------------


CUE = make.cue(2, (1, 0, 0, -150), (1, 1, 0, -150), (1, 1, 1, 0), (1, 0xAA, 1, 20))
DAO = make.dao(2, (b"", 2352, 7, 0, 0, 20 * 2352))


def simple(*chunks: tuple[bytes, bytes]) -> bytes:
    return bytes(make.nrg(2, bytes(20 * 2352), *(chunks or (CUE, DAO))))


def stored(*track: int | bytes) -> bytes:
    return simple(CUE, make.dao(2, track))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"a\.nrg: offset 0: ends in neither NER5 nor NERO"),
        (simple()[:-1], "ends in neither NER5 nor NERO"),
        (simple()[:-8] + struct.pack(">Q", 1 << 60), "should begin at byte 1152921504606846976"),
        (bytes(3 * 2**20) + b"NERO" + bytes(4), "they have 1048576 bytes at most"),
        (simple((b"CUEX", b"")), "1 chunks tell where indexes lie, 0"),
        (simple((b"CUEX", bytes(7)), DAO), "7 bytes are no whole number of entries of 8"),
        (simple(CUE, (b"DAOX", bytes(5))), "5 bytes are no whole number"),
        (simple(CUE, (b"DAOX", bytes(22))), "22 bytes are no whole number"),
        (simple((b"SINF", b"\0")), "1 bytes are no number"),
        (simple(make.number(b"SINF", 1)), "no chunk that tells of tracks"),
        (simple(make.number(b"MTYP", 4), CUE, DAO), r"MTYP chunk at offset 47040: the medium 4h"),
        (make.nrg(2, b"", (b"DAOX", b"x" * 9))[:-21] + b"NER5" + bytes(8), "cut short|are left"),
        (stored(b"", 2352, 0x99, 0, 0, 47_040), "the mode 99h of entry 1 is none"),
        (stored(b"", 2336, 7, 0, 0, 47_040), "sectors of 2336 bytes, and mode 07h has 2352"),
        (stored(b"", 2352, 7, 0, 0, 47_041), "its bytes end before 47040"),
        (stored(b"", 2352, 7, 5, 0, 47_040), "stored from byte 5 over 0 to 47040"),
        (stored(b"", 2352, 7, 0, 0, 47_039), "0 and 47039 bytes are no whole number of sectors"),
        (stored(b"", 2352, 7, 0, 0, 44_688), "what is stored of it ends before LBA 19"),
        (simple(make.cue(2, (1, 1, 1, 0)), DAO), "its last entry is no lead-out's"),
        (
            simple(make.cue(2, (1, 1, 1, 0), (1, 0xAA, 1, 5), (1, 0xAA, 1, 20)), DAO),
            "a lead-in or lead-out stands among its tracks",
        ),
        (simple(make.cue(2, (1, 1, 0, 0), (1, 0xAA, 1, 20)), DAO), "track 1 has no index 1"),
        (simple(make.cue(2, (1, 0xAA, 1, 20)), DAO), "it tells of no track"),
        (
            simple(make.cue(2, (1, 0, 0, 0), (1, 1, 1, 5), (1, 0xAA, 1, 25)), DAO),
            "contradict each other: index 0 of the first track is at LBA 0",
        ),
        (
            simple(
                make.cue(2, (1, 0, 0, -150), (1, 1, 1, 2**31 - 9), (1, 0xAA, 1, 2**31 - 1)), DAO
            ),
            "the sectors|addresses go from",
        ),
        (simple(make.etn(2, (0, 47_041, 7, 0))), "47041 bytes are no whole number of sectors"),
        (simple(make.etn(2, (0, 47_040 * 2, 7, 0))), "its bytes end before 47040"),
        (simple(make.etn(2, (0, 47_040, 0x77, 0))), "the mode 77h of track 1"),
        (simple(CUE, DAO, (b"CDTX", b"xx")), "CDTX chunk at offset .*CD-TEXT: 2 bytes"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_place(
    tmp_path: Path, data: bytes, says: str
) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        open_image(written(tmp_path, data), format="nrg")
    assert caught.value.file == str(tmp_path / "a.nrg")


@pytest.mark.parametrize("maker", ["at_once", "track_by_track"])
@pytest.mark.parametrize("version", [1, 2])
def test_foreign_files_with_any_bytes_changed(maker: str, version: int) -> None:
    whole = getattr(make, maker)(version)
    contract = TestContract()
    with folder() as place:

        @given(st.data())
        def law(data: st.DataObject) -> None:
            held = bytearray(whole)
            for _ in range(data.draw(st.integers(1, 4))):
                at = len(held) - 1 - data.draw(st.integers(0, 300))  # chunks lie at the end
                held[at] ^= 1 << data.draw(st.integers(0, 7))
            contract.try_to_load(written(place, bytes(held)))

        law()


# -- written -------------------------------------------------------------------------------------


def test_sessions_and_what_lies_in_their_pregaps_come_back(tmp_path: Path) -> None:
    image = two_sessions()
    save_image(image, tmp_path / "a.nrg")
    opened = open_image(tmp_path / "a.nrg")
    assert opened.disc == image.disc
    assert opened.read(-22_650, image.sector_count) == image.read(-22_650, image.sector_count)


@pytest.mark.parametrize("kind", ImageType)
def test_recorded_subcode_comes_back(tmp_path: Path, kind: ImageType) -> None:
    image = with_sub(SubForm.RAW, -150, 600).as_kind(kind)
    if kind is ImageType.COOKED:
        image = image.taking_rw_as(kind)
    lost = {"RW", "OUTER_RW"} if kind is ImageType.PQ_ONLY else set()
    result = save_image(image, tmp_path / "a.nrg", allow_loss=bool(lost))
    assert {loss.feature.name for loss in result.losses} == lost
    opened = open_image(tmp_path / "a.nrg")
    assert opened.read(-150, 750) == image.as_kind(ImageType.RAW).read(-150, 750)


def test_subcode_as_rawcd_makes_it_is_not_stored(tmp_path: Path) -> None:
    save_image(image_of(plain_disc()), tmp_path / "a.raw")
    save_image(open_image(tmp_path / "a.raw"), tmp_path / "a.nrg")
    chunks = (8 + 6 * 8) + (8 + 22 + 2 * 42) + 12 + 12 + 8 + 12
    assert (tmp_path / "a.nrg").stat().st_size == 750 * 2352 + chunks


def test_subcode_in_the_lead_out_is_refused_by_name(tmp_path: Path) -> None:
    image = with_sub(SubForm.RW, 10, 700)
    with pytest.raises(UnsupportedError, match="R-W"):
        save_image(image, tmp_path / "a.nrg")


def test_user_data_alone_on_request(tmp_path: Path) -> None:
    user = b"".join(blocks("MODE1", 2048, 300))
    image = open_image(written(tmp_path, user, "a.iso"))
    save_image(image, tmp_path / "a.nrg", options={"sector-size": "2048"})
    data = (tmp_path / "a.nrg").read_bytes()
    assert data[: 450 * 2048] == bytes(150 * 2048) + user
    opened = open_image(tmp_path / "a.nrg")
    assert opened.read(-150, 450) == image.read(-150, 450)
    with pytest.raises(UnsupportedError, match="sector-size is 2048 or 2352"):
        save_image(image, tmp_path / "b.nrg", options={"sector-size": "2336"})


def test_it_goes_into_a_pipe(tmp_path: Path) -> None:
    image: DiscImage = image_of(plain_disc())
    stream = io.BytesIO()
    save_image(image, stream, format="nrg")
    save_image(image, tmp_path / "a.nrg")
    assert stream.getvalue() == (tmp_path / "a.nrg").read_bytes()
    assert NrgFormat().accepts_tail(stream.getvalue()[-100:]) == 100
