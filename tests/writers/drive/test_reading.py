"""A disc in a drive as an image: what was burned is what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd import drives
from rawcd.errors import DriveError, StorageError
from rawcd.subcode.rows import crc_holds, pq_of_pw96
from rawcd_writers.drive.mmc import ErrorSelection, SubSelection
from rawcd_writers.drive.reading import read_disc
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import Fault, VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, album, mixed, two_sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.image import RegionImage


def burned(image: RegionImage, path: Path, mode: str = "raw") -> None:
    drive = VirtualRecorder(path, blank=blank_named("cdr-short"))
    with DriveSession(drive) as session:
        session.burn(image, mode=mode)


@pytest.mark.parametrize("mode", ["raw", "sao"])
@pytest.mark.parametrize("make", [album, mixed])
def test_what_was_burned_is_read_back(
    make: Callable[[], RegionImage], mode: str, tmp_path: Path
) -> None:
    image = make().as_kind(rawcd.ImageType.RAW)
    burned(image, tmp_path / "disc", mode)
    with DriveSession(VirtualRecorder(tmp_path / "disc")) as session:
        found, reader = read_disc(session)
        assert [track.indexes for track in found.disc.tracks] == [
            track.indexes for track in image.disc.tracks
        ]
        assert [(t.mode, t.isrc, t.copy, t.end_lba) for t in found.disc.tracks] == [
            (t.mode, t.isrc, t.copy, t.end_lba) for t in image.disc.tracks
        ]
        assert found.disc.mcn == image.disc.mcn
        count = image.disc.sessions[0].lead_out_lba
        read, sent = (
            np.frombuffer(each.read(0, count), np.uint8).reshape(count, 2448)
            for each in (found, image)
        )
        assert (read[:, :2352] == sent[:, :2352]).all()
        if mode == "raw":
            assert (read == sent).all()
        assert not reader.retried


@pytest.mark.parametrize("sub", list(SubSelection))
@pytest.mark.parametrize("errors", list(ErrorSelection))
def test_every_form_of_subcode_and_flags_brings_the_same_sectors(
    sub: SubSelection, errors: ErrorSelection, tmp_path: Path
) -> None:
    image = album()
    burned(image, tmp_path / "disc")
    with DriveSession(VirtualRecorder(tmp_path / "disc")) as session:
        found, reader = read_disc(session, sub=sub, errors=errors)
        assert found.disc.tracks[0].start_lba == 0
        lbas = (100, 30)
        assert rawcd.main_sectors(found, *lbas).tobytes() == (
            rawcd.main_sectors(image, *lbas).tobytes()
        )
        sectors = reader.read(*lbas)
        assert sectors.sub.shape == (30, sub.bytes)
        assert sectors.errors.shape == (30, errors.bytes)
        if sub is SubSelection.Q:
            q = image.as_kind(rawcd.ImageType.PQ_ONLY).read(100, 30)
            rows = np.frombuffer(q, np.uint8).reshape(30, -1)
            assert (sectors.sub[:, :10] == rows[:, 2352:2362]).all()
    assert not reader.flagged


def test_a_session_reads_any_sectors(tmp_path: Path) -> None:
    image = album().as_kind(rawcd.ImageType.RAW)
    burned(image, tmp_path / "disc")
    drive: drives.DriveSession = DriveSession(VirtualRecorder(tmp_path / "disc"))
    with drive as session:
        for lba, count in ((-150, 40), (0, 1), (700, 125), (5, 0)):
            read = session.read(lba, count, sub="raw", flags=True)
            wanted = np.frombuffer(image.read(lba, count), np.uint8).reshape(count, 2448)
            assert np.array_equal(read.main, wanted[:, :2352])
            assert np.array_equal(read.sub, wanted[:, 2352:])
            assert read.errors.shape == (count, 294)
            assert not read.errors.any()
        assert session.read(0, 2).sub.shape == (2, 0)
        with pytest.raises(DriveError, match="READ CD at LBA 400000"):
            session.read(400_000, 1)
        wrongs: tuple[dict[str, Any], ...] = (
            {"count": -1},
            {"count": 1, "sub": "pq"},
            {"count": 1, "retries": -1},
        )
        for wrong in wrongs:
            with pytest.raises(ValueError, match=r"none that could|no form|0 times or more"):
                session.read(0, **wrong)


def test_a_sector_that_is_hard_to_read_is_tried_again(tmp_path: Path) -> None:
    image = album()
    burned(image, tmp_path / "disc")
    spy, failures = Spy(VirtualRecorder(tmp_path / "disc")), [3]

    def scratch(cdb: bytes) -> Answer | None:
        if cdb[0] != 0xBE or not failures[0]:
            return None
        lba, count = int.from_bytes(cdb[2:6], signed=True), int.from_bytes(cdb[6:9])
        if not lba <= 333 < lba + count:
            return None
        failures[0] -= 1
        return Answer(status=2, data=b"", sense=bytes([0x72, 3, 0x11, 5, 0, 0, 0, 0]))

    with DriveSession(spy) as session:
        found, reader = read_disc(session, retries=5)
        spy.before = scratch
        whole = rawcd.main_sectors(found, 300, 60).tobytes()
        assert whole == rawcd.main_sectors(image, 300, 60).tobytes()
    assert reader.retried == {333: 2}


def test_a_sector_to_order_is_hard_to_read_as_often_as_was_said(tmp_path: Path) -> None:
    """It was bad for ever, whatever was said."""
    image = album()
    burned(image, tmp_path / "disc")
    drive = VirtualRecorder(tmp_path / "disc")
    with DriveSession(drive) as session:
        found, reader = read_disc(session, retries=3)
        drive.order(Fault.parse("medium-error@lba=333*3"))
        assert rawcd.main_sectors(found, 300, 60).tobytes() == (
            rawcd.main_sectors(image, 300, 60).tobytes()
        )
    assert reader.retried == {333: 2}


def test_a_transfer_that_was_given_up_is_asked_for_again(tmp_path: Path) -> None:
    """Where Q was looked for, all that Q tells went missing for it."""
    image = album().as_kind(rawcd.ImageType.RAW)
    burned(image, tmp_path / "disc")
    faults = [Fault.parse(f"aborted@read.{number}") for number in (1, 2, 9, 30)]
    with DriveSession(VirtualRecorder(tmp_path / "disc", faults=faults)) as session:
        found, reader = read_disc(session)
        assert found.notes == ()
        assert found.disc.tracks == image.disc.tracks
        assert found.read(0, 60) == image.read(0, 60)
    assert reader.retried


def test_without_q_a_note_says_what_is_not_looked_for(tmp_path: Path) -> None:
    burned(album(), tmp_path / "disc")
    for sub in SubSelection:
        with DriveSession(VirtualRecorder(tmp_path / "disc")) as session:
            found, _ = read_disc(session, sub=sub)
        told = any(note.code == "q-not-read" for note in found.notes)
        assert told == (sub in (SubSelection.NONE, SubSelection.RW))


def test_a_sector_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    burned(album(), tmp_path / "disc")
    bad = VirtualRecorder(tmp_path / "disc", faults=[Fault.parse("medium-error@lba=333")])
    with DriveSession(Spy(bad)) as session:
        found, _ = read_disc(session, retries=2)
        with pytest.raises(StorageError, match=r"^virtual:[^:]*: READ CD at LBA 333: 03/11/"):
            found.read(300, 60)


def test_a_disc_in_a_drive_is_saved_in_any_format(tmp_path: Path) -> None:
    image = album()
    burned(image, tmp_path / "disc")
    with DriveSession(VirtualRecorder(tmp_path / "disc")) as session:
        found, _ = read_disc(session)
        rawcd.save_image(found, tmp_path / "copy.cue", format="cue", allow_loss=True)
    copy = rawcd.open_image(tmp_path / "copy.cue", format="cue")
    assert rawcd.main_sectors(copy, 0, 825).tobytes() == (
        rawcd.main_sectors(image, 0, 825).tobytes()
    )


def test_a_disc_is_not_copied_onto_itself(tmp_path: Path) -> None:
    """With leave to replace files, the disc that was being read was lost."""
    path = tmp_path / "disc.raw"
    burned(album(), path)
    before = path.read_bytes()
    for name in ("disc.raw", "disc.raw.pma"):
        with (
            DriveSession(VirtualRecorder(path)) as session,
            pytest.raises(StorageError, match="is one of the inputs"),
        ):
            rawcd.save_image(read_disc(session)[0], tmp_path / name, format="raw", replace=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_disc_of_two_sessions_is_burned_and_read_back(mode: str, tmp_path: Path) -> None:
    image = two_sessions().as_kind(rawcd.ImageType.RAW)
    burned(image, tmp_path / "disc", mode)
    with DriveSession(VirtualRecorder(tmp_path / "disc")) as session:
        found, reader = read_disc(session)
        assert len(found.disc.sessions) == 2
        assert [t.mode for t in found.disc.tracks] == [t.mode for t in image.disc.tracks]
        assert session.differences(image, mode) == ()
        if mode == "tao":
            data = found.disc.tracks[1]
            rawcd.main_sectors(found, data.start_lba, data.sector_count)
            assert reader.lost == {data.end_lba - 2, data.end_lba - 1}
            return
        for first, second in zip(image.disc.tracks, found.disc.tracks, strict=True):
            assert (first.start_lba, first.end_lba) == (second.start_lba, second.end_lba)


def test_a_disc_of_tracks_at_once_is_copied_without_a_loss(tmp_path: Path) -> None:
    """Link blocks, which nobody can read, passed for subcode that a copy would lose."""
    burned(mixed(), tmp_path / "disc", "tao")
    spy = Spy(VirtualRecorder(tmp_path / "disc"))
    with DriveSession(spy) as session:
        found, reader = read_disc(session)
        rawcd.save_image(found, tmp_path / "copy.ccd", format="ccd")
        data = found.disc.tracks[0]
        links = {*range(-5, 0), data.end_lba - 2, data.end_lba - 1}
        assert reader.lost == links
        assert not reader.retried, "what is lost is not what was read at last"
        rows = np.frombuffer(found.read(-150, data.end_lba + 150), np.uint8).reshape(-1, 2448)
    assert crc_holds(pq_of_pw96(np.ascontiguousarray(rows[:, 2352:]))[0]).all()
    asked = [int.from_bytes(cdb[2:6], "big", signed=True) for cdb in spy.cdbs if cdb[0] == 0xBE]
    assert max(asked.count(lba) for lba in links) <= 6, "each is given up once"


def failing(opcode: int, selection: int | None = None) -> Callable[[bytes], Answer | None]:
    def before(cdb: bytes) -> Answer | None:
        if cdb[0] == opcode and selection in (None, cdb[2] & 15):
            return Answer(status=2, data=b"", sense=bytes([0x72, 3, 0x11, 5, 0, 0, 0, 0]))
        return None

    return before


def test_cd_text_and_codes_that_cannot_be_read_are_no_reason_to_stop(tmp_path: Path) -> None:
    burned(album(), tmp_path / "disc")
    spy = Spy(VirtualRecorder(tmp_path / "disc"))
    with DriveSession(spy) as session:
        spy.before = failing(0x43, 5)
        found, _ = read_disc(session)
        (note,) = found.notes
        assert note.code == "text-unread"
        assert "03/11/05" in note.message
        assert found.disc.mcn == "4006381333931"
        spy.before = failing(0x42)
        found, _ = read_disc(session, sub=SubSelection.NONE)
        assert found.disc.mcn is None
        assert len(found.disc.tracks) == 2


def test_cd_text_that_the_drive_misread_is_noted(tmp_path: Path) -> None:
    burned(album(), tmp_path / "disc")
    drive = VirtualRecorder(tmp_path / "disc")
    spy = Spy(drive)
    pack = bytes([0x80, 0, 0, 0]) + b"Album\0First\0" + b"\0\1"
    told = (len(pack) + 2).to_bytes(2) + bytes(2) + pack

    def before(cdb: bytes) -> Answer | None:
        if cdb[0] == 0x43 and cdb[2] & 15 == 5:
            return Answer(status=0, data=told, sense=b"")
        return None

    spy.before = before
    with DriveSession(spy) as session:
        found, _ = read_disc(session)
    assert {note.code for note in found.notes} == {"text-damaged"}
