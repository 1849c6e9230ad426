"""CHDs as a format: the contract, files by chdman, what a file may say and what it must not."""

from __future__ import annotations

import hashlib
import io
import pickle
import runpy
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, DiscType, Index, TrackMode
from rawcd.errors import FormatError, MissingExtraError, StorageError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import ImageType, MainForm, RegionImage, SubForm, SubRegion, main_sectors
from rawcd.plugins import open_image, recognised_format, save_image
from rawcd.source import ArraySource
from rawcd_formats.chd import ChdFormat
from rawcd_formats.chd.layout import HEADER, NO_CODEC, Header, Record
from tests.contract.format_contract import FormatContract, folder, image_with, plain_disc, scaled
from tests.strategies import discs, image_of, noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "chd"
CHDMAN_S = sorted(path.name for path in FIXTURES.glob("*.chd"))
UNIT = 2448
AUDIO = "TYPE:AUDIO SUBTYPE:NONE"


def simple(disc: Disc) -> Disc:
    """The disc without what a CHD has no place for."""
    (session,) = disc.sessions
    tracks = tuple(
        replace(
            track,
            number=number,
            indexes=tuple(index for index in track.indexes if index.number < 2),
            copy=CopySetting.PROHIBITED,
            pre_emphasis=False,
            four_channel=False,
            isrc=None,
        )
        for number, track in enumerate(session.tracks, 1)
    )
    return Disc(sessions=(replace(session, tracks=tracks),))


def with_sub(rows: np.ndarray[Any, np.dtype[np.uint8]], form: SubForm) -> RegionImage:
    """Recorded subcode of the tracks, and of nothing else."""
    image = image_of(plain_disc())
    made = SubRegion(lba=image.first_lba, sectors=-image.first_lba, form=SubForm.MADE)
    held = SubRegion(lba=0, sectors=600, form=form, source=ArraySource(rows, block_size=96))
    after = replace(made, lba=600, sectors=image.disc.end_lba - 600)
    return replace(image, sub=(made, held, after))


def with_rw() -> RegionImage:
    return with_sub(noise_rows(600, 96) & np.uint8(0x3F), SubForm.RW)


def with_stored_pq() -> RegionImage:
    rows = np.empty((600, 96), np.uint8)
    image_of(plain_disc()).with_style("cdrecord").read_sub_into(0, rows)
    return with_sub(rows, SubForm.RAW)


class TestContract(FormatContract):
    name = "chd"
    never = frozenset({Feature.SESSIONS})
    examples = 8

    def discs(self) -> st.SearchStrategy[Disc]:
        return discs(titles=False, max_tracks=3).map(simple)

    def image_with(self, feature: Feature) -> RegionImage:
        makers = {Feature.RW: with_rw, Feature.STORED_PQ: with_stored_pq}
        return makers[feature]() if feature in makers else image_with(feature)

    def small_image(self) -> RegionImage:
        return image_of(plain_disc())


# -- files by chdman ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def content() -> bytes:
    found: bytes = runpy.run_path(str(FIXTURES / "make.py"))["content"]()
    return found


def test_there_are_fixtures() -> None:
    assert len(CHDMAN_S) == 6


@pytest.mark.parametrize("name", CHDMAN_S)
def test_chdman_s_files_are_read(name: str, content: bytes) -> None:
    assert recognised_format(FIXTURES / name) == "chd"
    image = open_image(FIXTURES / name)
    assert not image.notes
    (session,) = image.disc.sessions
    said = [(t.mode, t.first_lba, t.start_lba, t.end_lba) for t in session.tracks]
    assert said == [
        (TrackMode.MODE1, -150, 0, 21),
        (TrackMode.AUDIO, 21, 31, 69),
        (TrackMode.MODE2, 69, 69, 78),
    ]
    assert session.disc_type is DiscType.XA
    assert main_sectors(image, 0, 78).tobytes() == content
    for lba in range(77, -1, -1):
        assert main_sectors(image, lba, 1).tobytes() == content[2352 * lba :][:2352]


@pytest.mark.parametrize("name", [name for name in CHDMAN_S if name != "none.chd"])
@given(data=st.data())
def test_a_changed_bit_is_found_or_changes_nothing(name: str, data: st.DataObject) -> None:
    """Header, map, metadata and hunks are all under some checksum, or refused for what they say.

    The header's own sums of what it does not hold are not asked for.
    """
    whole = bytearray((FIXTURES / name).read_bytes())
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    assume(not 64 <= bit // 8 < 124)
    whole[bit // 8] ^= 1 << bit % 8
    with folder() as place:
        path = place / "a.chd"
        path.write_bytes(whole)
        before = open_image(FIXTURES / name)
        try:
            image = open_image(path, format="chd")
            sectors = main_sectors(image, 0, 78)
        except (FormatError, UnsupportedError, StorageError):
            return
        changed = image.disc != before.disc or (sectors != main_sectors(before, 0, 78)).any()
        assert not changed or image.notes


# -- files of our own ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codecs", ["none", "cdzl", "cdlz", "cdfl", "cdfl,cdzl", "cdlz,cdzl,cdfl", "cdzs"]
)
def test_every_codec_comes_back(tmp_path: Path, codecs: str, content: bytes) -> None:
    if codecs == "cdzs":
        pytest.importorskip("backports.zstd")
    image = open_image(FIXTURES / "none.chd")
    save_image(image, tmp_path / "a.chd", options={"codecs": codecs, "jobs": "2"})
    opened = open_image(tmp_path / "a.chd")
    assert opened.disc == image.disc
    assert main_sectors(opened, 0, 78).tobytes() == content
    said = (tmp_path / "a.chd").read_bytes()[16:32]
    assert said == (b"" if codecs == "none" else codecs.replace(",", "").encode()).ljust(16, b"\0")


@given(
    st.lists(st.sampled_from(["zero", "tone", "noise", "same"]), min_size=1, max_size=40),
    st.integers(1, 300),
)
@settings(max_examples=scaled(20))
def test_any_mixture_of_hunks_comes_back(kinds: list[str], sectors: int) -> None:
    tone = (np.arange(588 * 8) * 50 % 9_000).astype("<i2").repeat(2).view(np.uint8).reshape(8, -1)
    fixed = {"zero": np.zeros((8, 2352), np.uint8), "tone": tone, "same": noise_rows(8)}
    rows = np.concatenate([fixed.get(kind, noise_rows(8, seed=n)) for n, kind in enumerate(kinds)])
    rows = np.resize(rows, (sectors, 2352))
    disc = plain_disc()
    track = replace(disc.tracks[0], end_lba=sectors)
    session = replace(disc.sessions[0], tracks=(track,), lead_out_lba=sectors)
    image = image_of(Disc(sessions=(session,)), source=ArraySource(rows))
    with folder() as place:
        save_image(image, place / "a.chd", options={"codecs": "cdzl,cdfl"})
        opened = open_image(place / "a.chd")
        assert opened.disc == image.disc
        assert (main_sectors(opened, 0, sectors) == rows).all()


def test_silence_is_told_not_stored(tmp_path: Path) -> None:
    disc = plain_disc()
    save_image(image_of(disc, source=ArraySource(bytes(600 * 2352))), tmp_path / "a.chd")
    assert (tmp_path / "a.chd").stat().st_size < 600


@pytest.mark.parametrize("make", [with_rw, with_stored_pq])
def test_subcode_of_the_tracks_is_kept_bit_for_bit(
    tmp_path: Path, make: Callable[[], RegionImage]
) -> None:
    image = make()
    save_image(image, tmp_path / "a.chd")
    assert b"SUBTYPE:RW_RAW" in (tmp_path / "a.chd").read_bytes()
    opened = open_image(tmp_path / "a.chd")
    assert opened.read(0, 600) == image.read(0, 600)
    cooked = image.as_kind(ImageType.COOKED)
    if make is with_rw:  # packs are laid out as on the disc
        save_image(cooked, tmp_path / "b.chd")
        assert open_image(tmp_path / "b.chd").read(0, 500) == cooked.as_kind(ImageType.RAW).read(
            0, 500
        )


def test_subcode_that_would_be_made_just_so_is_not_stored(tmp_path: Path) -> None:
    save_image(image_of(plain_disc()), tmp_path / "a.raw")
    save_image(open_image(tmp_path / "a.raw"), tmp_path / "a.chd")
    assert b"SUBTYPE:NONE" in (tmp_path / "a.chd").read_bytes()


def test_subcode_outside_the_tracks_is_refused(tmp_path: Path) -> None:
    image = image_with(Feature.OUTER_RW)
    end = image.disc.sessions[0].lead_out_lba
    with pytest.raises(UnsupportedError, match="R-W subcode of the lead-out"):
        save_image(image, tmp_path / "a.chd")
    save_image(image, tmp_path / "a.chd", allow_loss=True)
    opened = open_image(tmp_path / "a.chd")
    assert opened.read(0, end) == image.read(0, end)
    assert opened.read(end, 1) != image.read(end, 1)


@pytest.mark.parametrize("codecs", ["", "zlib", "cdzl,cdzl", "cdzl,", "CDZL", "none,cdzl", "é"])
def test_unknown_codecs_are_refused(tmp_path: Path, codecs: str) -> None:
    with pytest.raises(UnsupportedError, match="cdlz, cdzl, cdzs, cdfl, each once"):
        save_image(image_of(plain_disc()), tmp_path / "a.chd", options={"codecs": codecs})
    assert not list(tmp_path.iterdir())


def test_a_stream_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="give a file name"):
        save_image(image_of(plain_disc()), io.BytesIO(), format="chd")


# -- what a file may say -------------------------------------------------------------------------


def chd(*records: Record, units: int, rows: bytes = b"", **changes: Any) -> bytes:
    """A CHD without compression, as the layout has it."""
    count = -(-units // 8)
    map_offset = 124
    at = map_offset + 4 * count
    fields = {
        "codecs": (NO_CODEC,),
        "logical_bytes": units * UNIT,
        "map_offset": map_offset,
        "metadata_offset": at if records else 0,
        "hunk_bytes": 8 * UNIT,
        **changes,
    }
    metadata = b""
    for record in records:
        metadata += record.build(at + len(metadata), last=record is records[-1])
    blocks = struct.pack(f">{count}I", *range(1, count + 1))
    head = Header(**fields).build() + blocks + metadata
    return head.ljust(8 * UNIT, b"\0") + rows.ljust(count * 8 * UNIT, b"\0")


def record(text: str, tag: bytes = b"CHT2") -> Record:
    return Record(tag=tag, flags=1, data=text.encode() + b"\0")


def opened(folder: Path, data: bytes) -> RegionImage:
    (folder / "a.chd").write_bytes(data)
    image = open_image(folder / "a.chd", format="chd")
    assert isinstance(image, RegionImage)
    return image


def indexes(image: RegionImage) -> list[tuple[Index, ...]]:
    return [track.indexes for track in image.disc.tracks]


def at(*places: tuple[int, int]) -> tuple[Index, ...]:
    return tuple(Index(number=number, lba=lba) for number, lba in places)


def test_gaps_that_are_not_in_the_file(tmp_path: Path) -> None:
    rows = noise_rows(20, UNIT)
    image = opened(
        tmp_path,
        chd(
            record(f"TRACK:1 {AUDIO} FRAMES:10 PREGAP:5 PGTYPE:MODE1 PGSUB:NONE POSTGAP:7"),
            record(f"TRACK:2 {AUDIO} FRAMES:8 PREGAP:3 PGTYPE:MODE1 PGSUB:NONE POSTGAP:2"),
            units=20,
            rows=rows.tobytes(),
        ),
    )
    assert indexes(image) == [at((0, -150), (1, 5)), at((0, 22), (1, 25))]
    assert image.disc.sessions[0].lead_out_lba == 35
    main = main_sectors(image, 0, 35)
    swapped = rows[:, :2352].reshape(20, -1, 2)[:, :, ::-1].reshape(20, 2352)
    assert not main[:5].any()
    assert (main[5:15] == swapped[:10]).all()
    assert not main[15:25].any()
    assert (main[25:33] == swapped[12:20]).all()
    assert not main[33:].any()


def test_a_stored_pregap_counts_in_the_frames(tmp_path: Path) -> None:
    text = "TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:10 PREGAP:5 PGTYPE:VAUDIO PGSUB:NONE POSTGAP:0"
    image = opened(tmp_path, chd(record(text), units=12))
    assert indexes(image) == [at((0, -150), (1, 5))]
    assert image.disc.sessions[0].lead_out_lba == 10


def test_older_records(tmp_path: Path) -> None:
    text = "TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:10"
    newer = opened(tmp_path, chd(record(text, b"CHTR"), units=12))
    for order in "<>":
        words = struct.pack(f"{order}7I", 1, 1, 2, 2352, 0, 10, 2)
        older = opened(tmp_path, chd(Record(tag=b"CHCD", flags=1, data=words), units=12))
        assert older.disc == newer.disc
    assert newer.disc.tracks[0].mode is TrackMode.MODE1


@pytest.mark.parametrize(
    ("kind", "form", "size"),
    [
        ("MODE1", MainForm.USER, 2048),
        ("MODE1/2048", MainForm.USER, 2048),
        ("MODE1_RAW", MainForm.PLAIN, 2352),
        ("MODE2", MainForm.USER, 2336),
        ("MODE2_FORM1", MainForm.USER, 2048),
        ("MODE2_FORM2", MainForm.USER, 2324),
        ("MODE2_FORM_MIX", MainForm.USER, 2336),
        ("MODE2_RAW", MainForm.PLAIN, 2352),
        ("AUDIO", MainForm.DISC, 2352),
    ],
)
def test_every_type_and_its_subcode(tmp_path: Path, kind: str, form: MainForm, size: int) -> None:
    """chdman puts the subcode right behind what is stored of the sector."""
    rows = noise_rows(12, UNIT)
    rows[:, size : size + 96] &= 0x3F
    text = f"TRACK:1 TYPE:{kind} SUBTYPE:RW_RAW FRAMES:12"
    image = opened(tmp_path, chd(record(text), units=12, rows=rows.tobytes()))
    region = next(region for region in image.main if region.source)
    assert (region.lba, region.sectors, region.form) == (0, 12, form)
    assert region.source
    stored = np.frombuffer(region.source.read(0, 12), np.uint8).reshape(12, -1)
    expected = rows[:, :size]
    if kind == "AUDIO":
        expected = expected.reshape(12, -1, 2)[:, :, ::-1].reshape(12, -1)
    assert (stored == expected).all()
    sub = np.frombuffer(image.read(0, 12), np.uint8).reshape(12, UNIT)[:, 2352:]
    assert (sub & 0x3F == rows[:, size : size + 96]).all()


def test_packed_subcode_gets_its_parity(tmp_path: Path) -> None:
    rows = np.zeros((12, UNIT), np.uint8)
    rows[:, 2352:] = noise_rows(12, 96) & 0x3F
    text = "TRACK:1 TYPE:AUDIO SUBTYPE:RW FRAMES:12"
    image = opened(tmp_path, chd(record(text), units=12, rows=rows.tobytes()))
    assert [region.rw_packed for region in image.sub] == [False, True, False]
    cooked = image.as_kind(ImageType.COOKED)
    sub = np.frombuffer(cooked.read(0, 12), np.uint8).reshape(12, UNIT)[:, 2352:]
    assert (sub & 0x3F == rows[:, 2352:]).all()


# -- what a file must not say --------------------------------------------------------------------

ONE = record("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:12")
OTHERS = [(b"CHGD", "GD-ROM"), (b"CHGT", "GD-ROM"), (b"GDDD", "hard disk"), (b"DVD ", "DVD")]


@pytest.mark.parametrize(("tag", "words"), OTHERS)
def test_other_media_are_refused_by_name(tmp_path: Path, tag: bytes, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        opened(tmp_path, chd(record("CYLS:1", tag), units=12))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no number of TRACK"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:x", "no number of FRAMES"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:0", "track 1 has no sectors"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:9999999", "more than a disc holds"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:13", "tracks have 16 sectors, and it holds 12"),
        ("TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:12", r"the tracks \[2\]"),
        ("TRACK:1 TYPE:MODE9 SUBTYPE:NONE FRAMES:12", "type 'MODE9'"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:PW FRAMES:12", "subtype 'PW'"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:12 PREGAP:12 PGTYPE:VAUDIO", "all of them"),
        ("TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:12 PREGAP:449999", "addresses go from"),
    ],
)
def test_tracks_that_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        opened(tmp_path, chd(record(text), units=12))
    assert caught.value.place == "metadata"
    assert caught.value.file == str(tmp_path / "a.chd")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"hunk_bytes": 0}, FormatError, "hunks of 0 bytes"),
        ({"hunk_bytes": 19_585}, FormatError, "whole units"),
        ({"hunk_bytes": 429 * UNIT}, FormatError, "1048576 at most"),
        ({"logical_bytes": 0}, FormatError, "more than any disc"),
        ({"logical_bytes": UNIT * 500_001}, FormatError, "more than any disc"),
        ({"logical_bytes": 1 << 63}, FormatError, "more than any disc"),
        ({"logical_bytes": UNIT * 400_000}, FormatError, "map of 200000 bytes lies behind the end"),
        ({"map_offset": 1 << 40}, FormatError, "lies behind the end"),
        ({"metadata_offset": 1 << 62}, FormatError, "lies behind the end"),
        ({"metadata_offset": 0}, FormatError, r"the tracks \[\]"),
        ({"codecs": (b"cdzl",), "map_offset": 0}, FormatError, "never finished"),
    ],
)
def test_headers_that_cannot_be(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        opened(tmp_path, chd(ONE, units=12, **change))


def test_other_versions_parents_and_units_are_refused_by_name(tmp_path: Path) -> None:
    whole = chd(ONE, units=12)
    for version in (1, 3, 4, 6):
        other = whole[:12] + struct.pack(">I", version) + whole[16:]
        with pytest.raises(UnsupportedError, match=f"version {version}; .* chdman copy"):
            opened(tmp_path, other)
    parent = hashlib.sha1(b"parent").digest()
    with pytest.raises(UnsupportedError, match=f"needs its parent.*{parent.hex()}"):
        opened(tmp_path, whole[:104] + parent + whole[124:])
    with pytest.raises(UnsupportedError, match="units of 512 bytes"):
        opened(tmp_path, whole[:60] + struct.pack(">I", 512) + whole[64:])
    with pytest.raises(FormatError, match="is no CHD"):
        opened(tmp_path, b"MComprHX" + whole[8:])
    with pytest.raises(FormatError, match="too few"):
        opened(tmp_path, whole[:10])


def test_metadata_in_a_circle(tmp_path: Path) -> None:
    whole = bytearray(chd(ONE, units=12))
    at_record = 124 + 8
    whole[at_record + 8 : at_record + 16] = struct.pack(">Q", at_record)
    with pytest.raises(FormatError, match="metadata beyond any CD's: 1001 records"):
        opened(tmp_path, bytes(whole))


def test_a_file_cut_short_names_the_hunk(tmp_path: Path) -> None:
    whole = chd(ONE, units=12)
    with pytest.raises(FormatError, match="hunk 1 of 2 lies behind the end") as caught:
        opened(tmp_path, whole[:-1])
    assert caught.value.place == "map"


def test_a_damaged_hunk_is_named_when_it_is_read(tmp_path: Path) -> None:
    whole = bytearray((FIXTURES / "zlib.chd").read_bytes())
    offset = 124 + 3 * 16 + sum(map(len, _texts(bytes(whole))))
    whole[offset + 50] ^= 0xFF
    image = opened(tmp_path, bytes(whole))
    with pytest.raises(FormatError, match="the file is damaged") as caught:
        image.read(0, 1)
    assert (caught.value.place, caught.value.file) == ("hunk 0", str(tmp_path / "a.chd"))
    image.read(77, 1)


def _texts(whole: bytes) -> list[bytes]:
    """The contents of the metadata records, found by their links."""
    found, at_record = [], struct.unpack_from(">Q", whole, 48)[0]
    while at_record:
        size, after = struct.unpack_from(">IQ", whole, at_record + 4)
        found.append(whole[at_record + 16 :][: size & 0xFFFFFF])
        at_record = after
    return found


def test_changed_metadata_is_noted(tmp_path: Path) -> None:
    whole = (FIXTURES / "zlib.chd").read_bytes()
    image = opened(tmp_path, whole.replace(b"PREGAP:10", b"PREGAP:11"))
    assert [note.code for note in image.notes] == ["chd-checksum"]
    assert image.disc.tracks[1].start_lba == 32


def test_sectors_of_no_track_are_noted(tmp_path: Path) -> None:
    image = opened(tmp_path, chd(ONE, units=20))
    assert [note.code for note in image.notes] == ["unused-sectors"]


@pytest.mark.parametrize("tag", [b"avhu", b"cdxx"])
def test_other_codecs_are_refused_by_name(tmp_path: Path, tag: bytes) -> None:
    whole = (FIXTURES / "zlib.chd").read_bytes()
    with pytest.raises(UnsupportedError, match=tag.decode()):
        opened(tmp_path, whole[:16] + tag + whole[20:])


def test_it_accepts_by_content_then_by_name() -> None:
    assert ChdFormat().accepts("a.iso", b"MComprHD") == 100
    assert 0 < ChdFormat().accepts("a.CHD", b"") < 100
    assert HEADER.sizeof() == 124


def test_an_image_travels_to_other_processes(tmp_path: Path, content: bytes) -> None:
    image = open_image(FIXTURES / "cdlz-cdzl-cdfl.chd")
    image.read(0, 10)
    there: RegionImage = pickle.loads(pickle.dumps(image))
    assert main_sectors(there, 0, 78).tobytes() == content
    assert image.files == (FIXTURES / "cdlz-cdzl-cdfl.chd",)  # type: ignore[attr-defined]  # a RegionImage


def test_a_chd_is_not_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.chd"
    save_image(image_of(plain_disc()), path)
    whole = path.read_bytes()
    with pytest.raises(StorageError, match="is one of the inputs"):
        save_image(open_image(path), path, replace=True)
    assert path.read_bytes() == whole


def test_without_zstd_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rawcd.zstd._MODULES", ("no_such_module",))
    with pytest.raises(MissingExtraError, match=r"pip install 'rawcd\[zstd\]'") as caught:
        save_image(image_of(plain_disc()), tmp_path / "a.chd", options={"codecs": "cdzs"})
    assert caught.value.extra == "zstd"
    whole = (FIXTURES / "zlib.chd").read_bytes()
    with pytest.raises(MissingExtraError):
        opened(tmp_path, whole[:16] + b"zstd" + whole[20:])
