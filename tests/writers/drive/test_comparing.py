"""A disc compared with what was burned: the same is the same, and each planted change is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting
from rawcd.errors import CancelledError
from rawcd.image import ImageType, RegionImage, SubForm, SubRegion
from rawcd.msf import Msf
from rawcd.source import ArraySource
from rawcd.subcode.frame import QCatalog, QIsrc, QPosition, parse_q
from rawcd.subcode.rows import crc_words, pq_of_pw96, put_crc, pw96_of
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, album, blank_disc, mixed, two_sessions
from tests.writers.drive.test_round_trips import appendable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.source import Bytes2D
    from rawcd_writers.drive.comparing import Comparison
    from rawcd_writers.drive.writing import BurnResult

KINDS = {ImageType.RAW: (), ImageType.COOKED: (3,), ImageType.PQ_ONLY: (3, 2)}
"""Data block types that the drive refuses, so that it is this form that is sent."""


def coded(image: RegionImage) -> RegionImage:
    """Return the album with an ISRC and SCMS in its second track, too."""
    session = image.disc.sessions[0]
    second = replace(session.tracks[1], isrc="USRC17607840", copy=CopySetting.SCMS)
    session = replace(session, tracks=(session.tracks[0], second))
    return replace(image, disc=replace(image.disc, sessions=(session,)))


def drawn(image: RegionImage, *, packed: bool) -> RegionImage:
    """Return an image with R-W in its program area."""
    first, end = -150, image.disc.sessions[0].lead_out_lba
    symbols = np.random.default_rng(7).integers(0, 64, (end - first, 96), np.uint8)
    sub = (
        SubRegion(lba=image.first_lba, sectors=first - image.first_lba, form=SubForm.MADE),
        SubRegion(
            lba=first,
            sectors=end - first,
            form=SubForm.RW,
            source=ArraySource(symbols, block_size=96),
            rw_packed=packed,
        ),
        SubRegion(lba=end, sectors=6750, form=SubForm.MADE),
    )
    return replace(image, kind=ImageType.RAW, sub=sub)


class Burned:
    """A disc in a drive, what was burned on it, and the result."""

    def __init__(self, image: RegionImage, mode: str, kind: ImageType = ImageType.RAW) -> None:
        self.spy = blank_disc()
        self.image = image
        refused, execute = KINDS[kind], self.spy.recorder.execute

        def picky(cdb: bytes, *, data_out: Any = b"", **more: Any) -> Answer:
            if cdb[0] == 0x55 and bytes(data_out)[10] & 15 == 3 and bytes(data_out)[12] in refused:
                sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0, 0, 0])
                return Answer(status=2, data=b"", sense=sense)
            return execute(cdb, data_out=data_out, **more)

        self.spy.recorder.execute = picky  # type: ignore[method-assign]  # the drive of this test
        self.session = DriveSession(self.spy)
        self.result: BurnResult = self.session.burn(image, mode=mode)

    def compare(self) -> Comparison:
        return self.session.compare(self.image, self.result)

    def patch(self, lba: int, change: Callable[[Bytes2D], None]) -> None:
        """Change a sector (1, 2448) of what the disc holds."""
        medium = self.spy.recorder.medium
        assert medium is not None
        rows = medium.store.read(lba, 1)
        change(rows)
        medium.store.write(lba, rows)

    def patch_q(self, lba: int, change: Callable[[Bytes2D], None]) -> None:
        """Change a Q frame (1, 12), and make its CRC right again."""

        def frame(rows: Bytes2D) -> None:
            q, p = pq_of_pw96(rows[:, 2352:])
            change(q)
            put_crc(q, crc_words(q))
            rows[:, 2352:] = rows[:, 2352:] & 0x3F | pw96_of(q, p)

        self.patch(lba, frame)

    def q(self, lba: int) -> Any:
        medium = self.spy.recorder.medium
        assert medium is not None
        return parse_q(pq_of_pw96(medium.store.read(lba, 1)[:, 2352:])[0][0].tobytes())

    def find(self, kind: type, first: int = -150, end: int = 820) -> int:
        """Return the first sector whose Q frame is of a kind."""
        return next(lba for lba in range(first, end) if isinstance(self.q(lba), kind))


MODES = [
    ("raw", ImageType.RAW),
    ("raw", ImageType.COOKED),
    ("raw", ImageType.PQ_ONLY),
    ("sao", ImageType.RAW),
    ("tao", ImageType.RAW),
]
IDS = ["raw", "cooked", "pq", "sao", "tao"]


@pytest.mark.parametrize(("mode", "kind"), MODES, ids=IDS)
@pytest.mark.parametrize("make", [lambda: coded(album()), mixed, two_sessions])
def test_what_was_burned_is_the_same(
    make: Callable[[], RegionImage], mode: str, kind: ImageType
) -> None:
    burned = Burned(make(), mode, kind)
    found = burned.compare()
    assert found.lines == ()
    assert found.same
    assert found.skipped == ()
    disc = burned.image.disc
    if mode != "tao":
        areas = sum(each.lead_out_lba - each.program_lba for each in disc.sessions)
        assert found.sectors == areas
    else:
        assert found.sectors >= sum(track.sector_count for track in disc.tracks)


@pytest.mark.parametrize(
    ("mode", "kind", "lba"),
    [
        *((mode, kind, 200) for mode, kind in MODES),
        *((mode, kind, -3) for mode, kind in MODES[:-1]),  # at once the drive makes that pregap
    ],
)
def test_one_byte_of_sound_is_found(mode: str, kind: ImageType, lba: int) -> None:
    burned = Burned(album(), mode, kind)

    def change(rows: Bytes2D) -> None:
        rows[0, 7] ^= 0xFF

    burned.patch(lba, change)
    found = burned.compare()
    assert (found.count, len(found.first)) == (1, 1)
    assert (found.first[0].lba, found.first[0].field) == (lba, "main channel byte 7")
    address = Msf.from_lba(lba)
    assert found.lines[0].startswith(f"LBA {lba} ({address}): main channel byte 7 is ")
    assert found.lines[1] == f"1 of {found.sectors} sectors compared differ"


@pytest.mark.parametrize(("mode", "kind"), MODES, ids=IDS)
@pytest.mark.parametrize("byte", [13, 700])
def test_one_byte_of_data_is_found(mode: str, kind: ImageType, byte: int) -> None:
    burned = Burned(mixed(), mode, kind)

    def change(rows: Bytes2D) -> None:
        rows[0, byte] ^= 1

    burned.patch(100, change)
    found = burned.compare()
    assert [each.lba for each in found.first] == [100]
    assert found.first[0].field == f"main channel byte {byte}"


def test_parity_is_the_drives_own_session_at_once_and_the_hosts_in_raw() -> None:
    def change(rows: Bytes2D) -> None:
        rows[0, 2200] ^= 1

    for mode, count in (("raw", 1), ("sao", 0), ("tao", 0)):
        burned = Burned(mixed(), mode)
        burned.patch(100, change)
        assert burned.compare().count == count, mode


def frame_change(byte: int, value: int) -> Callable[[Bytes2D], None]:
    def change(q: Bytes2D) -> None:
        q[0, byte] ^= value

    return change


Q_CHANGES = [
    (0, 0x10, "Q CONTROL"),
    (0, 0x04, "Q ADR"),
    (1, 0x02, "Q track"),
    (2, 0x02, "Q index"),
    (5, 0x01, "Q relative time"),
    (6, 0x01, "Q zero byte"),
    (9, 0x01, "Q absolute time"),
]


@pytest.mark.parametrize(("mode", "kind"), MODES, ids=IDS)
def test_each_field_of_q_is_found_and_named(mode: str, kind: ImageType) -> None:
    burned = Burned(coded(album()), mode, kind)
    medium = burned.spy.recorder.medium
    assert medium is not None
    for byte, value, field in Q_CHANGES:
        lba = burned.find(QPosition, 210)
        kept = medium.store.read(lba, 1)
        burned.patch_q(lba, frame_change(byte, value))
        found = burned.compare()
        assert [(each.lba, each.field) for each in found.first] == [(lba, field)]
        assert found.count == 1
        medium.store.write(lba, kept)
    for frame, field in ((QCatalog, "Q catalogue number"), (QIsrc, "Q ISRC")):
        lba = burned.find(frame)
        kept = medium.store.read(lba, 1)
        burned.patch_q(lba, frame_change(7, 0x10))
        (told,) = burned.compare().first
        assert (told.lba, told.field) == (lba, field)
        assert told.read != told.burned
        medium.store.write(lba, kept)
    assert burned.compare().same


@pytest.mark.parametrize(("mode", "kind"), MODES, ids=IDS)
def test_a_wrong_crc_is_found(mode: str, kind: ImageType) -> None:
    burned = Burned(album(), mode, kind)

    def change(rows: Bytes2D) -> None:
        rows[0, 2352 + 95] ^= 0x40

    burned.patch(211, change)
    (told,) = burned.compare().first
    assert (told.lba, told.field) == (211, "Q CRC")


def test_p_is_the_hosts_in_raw() -> None:
    def change(rows: Bytes2D) -> None:
        rows[0, 2352:] ^= 0x80

    for kind in KINDS:
        burned = Burned(album(), "raw", kind)
        burned.patch(300, change)
        (told,) = burned.compare().first
        assert (told.lba, told.field, told.read, told.burned) == (300, "P", "1", "0")

    def one_bit(rows: Bytes2D) -> None:
        rows[0, 2352 + 8] ^= 0x80

    burned = Burned(album(), "raw")
    burned.patch(300, one_bit)
    (told,) = burned.compare().first
    assert (told.field, told.read, told.burned) == ("P", "0080" + "00" * 10, "0")


@pytest.mark.parametrize(
    ("mode", "kind", "packed"),
    [
        ("raw", ImageType.RAW, False),
        ("raw", ImageType.RAW, True),
        ("raw", ImageType.COOKED, True),
        ("sao", ImageType.RAW, False),
        ("sao", ImageType.RAW, True),
    ],
)
def test_r_to_w_is_compared_where_it_was_written(mode: str, kind: ImageType, packed: bool) -> None:
    burned = Burned(drawn(album(), packed=packed), mode, kind)
    assert burned.compare().lines == ()

    def change(rows: Bytes2D) -> None:
        rows[0, 2352 + 40] ^= 0x01

    burned.patch(400, change)
    found = burned.compare()
    assert [(each.lba, each.field) for each in found.first] == [(400, "R-W symbol 40")]
    assert int(found.first[0].read, 16) == int(found.first[0].burned, 16) ^ 1


@pytest.mark.parametrize(("mode", "same"), [("raw", False), ("sao", True)])
def test_a_drive_may_count_a_pregap_down_to_one(mode: str, same: bool) -> None:
    """IEC 60908 leaves it open; what the host sent itself it does not."""
    burned = Burned(album(), mode)

    def later(q: Bytes2D) -> None:
        assert q[0, 5] % 16 < 9
        q[0, 5] += 1

    burned.patch_q(-148, later)
    found = burned.compare()
    assert found.same is same
    if not same:
        (told,) = found.first
        assert (told.field, told.read, told.burned) == (
            "Q relative time",
            "00:01:73",
            "00:01:72",
        )


def test_a_drive_may_change_the_copy_bit_of_scms_where_it_likes_but_must_change_it() -> None:
    burned = Burned(coded(album()), "sao")
    track = burned.image.disc.tracks[1]
    for lba in range(track.first_lba, track.end_lba):
        burned.patch_q(lba, frame_change(0, 0x20))
    assert burned.compare().lines == ()

    def still(q: Bytes2D) -> None:
        q[0, 0] &= 0xDF

    for lba in range(track.first_lba, track.end_lba):
        burned.patch_q(lba, still)
    assert burned.compare().faults == ("track 2: the copy bit of SCMS never changes",)


@pytest.mark.parametrize("mode", ["raw", "sao"])
def test_cd_text_is_compared_as_the_drive_finds_it(mode: str) -> None:
    items = tuple(TextItem(field="title", track=track, text=f"Title {track}") for track in range(3))
    image = album()
    disc = replace(image.disc, cdtext=CDText(blocks=(TextBlock(items=items),)))
    burned = Burned(replace(image, kind=ImageType.RAW, disc=disc), mode)
    assert burned.result.with_text
    assert burned.compare().lines == ()
    others = tuple(replace(each, text=each.text.upper()) for each in items)
    other = replace(disc, cdtext=CDText(blocks=(TextBlock(items=others),)))
    written, burned.image = burned.image, replace(burned.image, disc=other)
    assert burned.compare().faults == ("the CD-TEXT in the lead-in is not what was burned",)
    burned.image = written

    def wipe(rows: Bytes2D) -> None:
        rows[0, 2352:] &= 0xC0

    for lba in range(-4650, -150):
        burned.patch(lba, wipe)
    assert burned.compare().faults == ("the drive finds no CD-TEXT in the lead-in",)


def test_codes_that_no_frame_tells_are_missed() -> None:
    """A drive that left catalogue number and ISRC out: every frame tells its place."""
    image = coded(album())
    bare = replace(image.disc.sessions[0].tracks[0], isrc=None)
    session = replace(image.disc.sessions[0], tracks=(bare, image.disc.sessions[0].tracks[1]))
    burned = Burned(replace(image, disc=replace(image.disc, mcn=None, sessions=(session,))), "sao")
    burned.image = image
    assert burned.compare().faults == (
        "no Q frame tells the media catalogue number 4006381333931",
        "track 1: no Q frame tells the ISRC USRC17607839",
    )


def test_tracks_at_once_are_found_by_the_numbers_that_drives_give_them() -> None:
    """A disc that was to begin with track 98 was said to have none of its tracks."""
    creator = rawcd.RawCDImageCreator()
    creator.starting_track_number = 98
    creator.resulting_image_type = ImageType.RAW
    creator.add_track(rawcd.SilenceSource(block_count=300))
    creator.add_track(rawcd.SilenceSource(block_count=310))
    text = rawcd.TextBlock(items=(rawcd.TextItem(field="title", track=99, text="Last"),))
    creator.cdtext = rawcd.CDText(blocks=(text,))
    burned = Burned(creator.create_result_image(), "tao")
    assert "first track number 98" in map(str, burned.result.losses)
    assert burned.compare().lines == ()
    burned.patch(100, lambda rows: rows[:, 7:8].fill(1))
    assert burned.compare().count == 1


def test_another_disc_is_told_by_its_table_of_contents() -> None:
    burned = Burned(album(), "raw")
    burned.image = two_sessions()
    said = "\n".join(burned.compare().lines)
    assert "the disc has 1 sessions, 2 were burned" in said
    assert "CONTROL in the table of contents" in said


@pytest.mark.parametrize("other", [two_sessions, mixed])
def test_another_disc_at_once_is_told_before_a_sector_is_read(
    other: Callable[[], RegionImage],
) -> None:
    burned = Burned(appendable(), "tao")
    burned.image = other()
    found = burned.compare()
    assert not found.same
    assert found.sectors == 0
    assert any("track 2 is not on the disc" in each for each in found.faults)
    assert "the disc is not closed, and was to be" in found.faults


def test_more_differences_than_are_shown_are_counted() -> None:
    burned = Burned(album(), "raw")

    def change(rows: Bytes2D) -> None:
        rows[0, 0] ^= 0xFF

    for lba in range(250, 550):
        burned.patch(lba, change)
    found = burned.compare()
    assert found.count == 300
    assert len(found.first) == 10
    assert "300 of 975 sectors compared differ" in found.lines[-1]


def test_a_sector_that_cannot_be_read_is_a_difference() -> None:
    image = album()
    spy = blank_disc()
    with DriveSession(spy) as session:
        session.burn(image, mode="raw")
        spy.before = _scratched
        found = session.compare(image, "raw")
    assert found.count == 1
    assert "LBA 333 (00:06:33): the sector is not readable" in found.lines[0]


def _scratched(cdb: bytes) -> Answer | None:
    lba, count = int.from_bytes(cdb[2:6], signed=True), int.from_bytes(cdb[6:9])
    if cdb[0] == 0xBE and lba <= 333 < lba + count:
        return Answer(status=2, data=b"", sense=bytes([0x72, 3, 0x11, 5, 0, 0, 0, 0]))
    return None


def test_a_frame_that_was_misread_once_is_read_again() -> None:
    burned = Burned(album(), "raw")
    execute, wrong = burned.spy.recorder.execute, [1]

    def misread(cdb: bytes, **more: Any) -> Answer:
        answer = execute(cdb, **more)
        lba = int.from_bytes(cdb[2:6], signed=True)
        if cdb[0] == 0xBE and lba <= 333 < lba + int.from_bytes(cdb[6:9]) and wrong[0]:
            wrong[0] -= 1
            data = bytearray(answer.data)
            data[(333 - lba) * 2448 + 2352 + 20] ^= 0x40
            return replace(answer, data=bytes(data))
        return answer

    burned.spy.recorder.execute = misread  # type: ignore[method-assign]  # the drive of this test
    assert burned.compare().same
    assert not wrong[0]


@pytest.mark.parametrize(
    ("refused", "skipped"),
    [
        ((1,), "P and R-W: the drive reads no raw subcode"),
        ((1, 2), "subcode: the drive reads none"),
    ],
)
def test_what_a_drive_cannot_read_is_said_to_be_skipped(
    refused: tuple[int, ...], skipped: str
) -> None:
    burned = Burned(album(), "raw")

    def before(cdb: bytes) -> Answer | None:
        if cdb[0] != 0xBE:
            return None
        early = int.from_bytes(cdb[2:6], signed=True) < 0
        if early or cdb[10] in refused:
            sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0])
            return Answer(status=2, data=b"", sense=sense)
        return None

    burned.spy.before = before
    found = burned.compare()
    assert found.same
    assert found.skipped == (skipped, "LBA -150 to -1: the drive reads nothing before 0")
    assert found.sectors == 825
    if len(refused) == 1:
        burned.patch_q(211, frame_change(2, 2))
        assert [each.field for each in burned.compare().first] == ["Q index"]


def test_progress_is_told_and_may_stop_it() -> None:
    burned = Burned(album(), "raw")
    seen: list[tuple[int, int]] = []
    burned.session.compare(
        burned.image, burned.result, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (975, 975)
    with pytest.raises(CancelledError):
        burned.session.compare(burned.image, burned.result, progress=lambda *_: False)


def test_sound_that_looks_like_data_is_no_difference() -> None:
    creator = rawcd.RawCDImageCreator()
    data = np.random.default_rng(3).integers(0, 256, 300 * 2048, np.uint8).tobytes()
    creator.add_track(data, sector_type=rawcd.SectorType.MODE1)
    sound = np.zeros((310, 2352), np.uint8)
    sound[:, :12] = np.frombuffer(b"\0" + b"\xff" * 10 + b"\0", np.uint8)
    creator.add_track(sound.tobytes(), pregap=150)
    assert Burned(creator.create_result_image(), "raw").compare().same


def test_a_fake_image_is_compared_as_it_is() -> None:
    """An image that is no `RegionImage` has the form that it has."""
    inner = album().as_kind(ImageType.RAW).with_lead_in(-4650)

    class Fake:
        disc, kind, notes = inner.disc, inner.kind, inner.notes
        first_lba, sector_count = inner.first_lba, inner.sector_count
        sector_size = inner.sector_size
        read, open = staticmethod(inner.read), staticmethod(inner.open)

    drive = VirtualRecorder(blank=blank_named("cdr-short"))
    with DriveSession(Spy(drive)) as session:
        result = session.burn(Fake(), mode="raw")
        assert session.compare(Fake(), result).same
