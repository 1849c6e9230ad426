"""What the sweep of faults found and what was mended, each by name."""

from __future__ import annotations

import shutil
import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.errors import AuthoringError, CancelledError, DriveError, StorageError
from rawcd.progress import BurnAction, BurnProgress
from rawcd_writers.drive import mmc
from rawcd_writers.drive.dialogue import Dialogue
from rawcd_writers.drive.feed import Feed, Run
from rawcd_writers.drive.plan import check_tracks_fit
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import Fault, VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, album, blank_disc

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Bytes2D


def failure(*faults: str, mode: str = "raw") -> tuple[Spy, DriveError]:
    """Burn with faults, and return the error."""
    ordered = [Fault.parse(each) for each in faults]
    spy = Spy(VirtualRecorder(blank=blank_named("cdr-short"), faults=ordered))
    with DriveSession(spy) as session, pytest.raises(DriveError) as caught:
        session.burn(album(), mode=mode)
    return spy, caught.value


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
@pytest.mark.parametrize("fault", ["bus-reset@opc.1", "medium-change@opc.1"])
def test_nothing_is_written_on_a_disc_that_nobody_has_looked_at(mode: str, fault: str) -> None:
    """The page was lost with the reset, and tracks at once went on without ISRC and MCN."""
    spy, error = failure(fault, mode=mode)
    assert 0x2A not in spy.names
    assert error.command == "SEND OPC INFORMATION"
    assert "start again" in str(error)
    assert error.disc_state == "nothing was written"


def test_a_reset_between_tracks_ends_the_burn() -> None:
    _, error = failure("bus-reset@select.3", mode="tao")
    assert error.sense == (6, 0x29, 2)
    assert "the disc is not closed" in str(error)


def test_a_reset_at_the_cue_sheet_is_told_as_what_it_is() -> None:
    """Sent again, the sheet was refused because page 05h was lost: 05/2C instead of 06/29."""
    spy, error = failure("bus-reset@cue.1", mode="sao")
    assert error.sense == (6, 0x29, 2)
    assert error.command == "SEND CUE SHEET"
    assert 0x2A not in spy.names


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_disc_may_report_itself_as_new_when_it_is_finished(mode: str) -> None:
    """Drives do: what was blank is a disc with tracks now."""
    fault = Fault.parse("medium-change@ready.3" if mode != "tao" else "medium-change@ready.5")
    spy = Spy(VirtualRecorder(blank=blank_named("cdr-short"), faults=[fault]))
    with DriveSession(spy) as session:
        assert session.burn(album(), mode=mode).disc_state == "the disc is closed"
    assert session.dialogue.changes[-1].sense == (6, 0x28, 0)


def test_unlocking_the_tray_is_tried_again() -> None:
    fault = Fault.parse("aborted@prevent.2")
    spy = Spy(VirtualRecorder(blank=blank_named("cdr-short"), faults=[fault]))
    with DriveSession(spy) as session:
        session.burn(album(), mode="sao")
    assert [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E] == [1, 0, 0]
    assert spy.recorder.execute(bytes([0x1B, 0, 0, 0, 2, 0])).status == 0


def test_a_lock_that_the_drive_did_not_confirm_is_undone() -> None:
    spy, _ = failure("aborted@prevent.1")
    assert [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E] == [1, 0]


def test_a_disc_whose_first_write_was_refused_is_not_called_spoiled() -> None:
    _, error = failure("aborted@write.1")
    assert error.disc_state == "0 sectors were sent; the drive says: the disc is blank"


@pytest.mark.parametrize("fault", ["aborted@sync.1", "aborted@disc.2"])
def test_a_disc_that_was_finished_all_the_same_is_not_called_spoiled(fault: str) -> None:
    _, error = failure(fault)
    assert error.disc_state is not None
    assert error.disc_state.endswith(" sectors were sent; the drive says: the disc is closed")


def test_every_error_of_a_burn_says_that_nothing_was_written_where_it_is_so() -> None:
    _, error = failure("aborted@disc.1")
    assert error.disc_state == "nothing was written"


def test_half_a_reply_is_asked_for_again() -> None:
    """Half the features told of no CD-TEXT, and a burn went without; half a TOC of no tracks."""
    cut = Answer(status=0, data=bytes.fromhex("001a0101001000010000000000"), sense=b"")
    whole = Answer(
        status=0, data=bytes.fromhex("00120101001000010000000000" + "1000aa0000000200"), sense=b""
    )
    given = [cut, whole]

    class Drive:
        name, max_bytes = "drive", 63_648

        def execute(self, cdb: bytes, **more: Any) -> Answer:
            return given.pop(0)

        def close(self) -> None:
            """There is nothing to let go of."""

    assert len(Dialogue(Drive()).ask(mmc.read_toc()).entries) == 2
    given += [cut, cut]  # whoever always says too much is believed as far as it goes
    assert len(Dialogue(Drive()).ask(mmc.read_toc()).entries) == 1


def test_a_virtual_disc_that_cannot_be_kept_is_the_drives_error(tmp_path: Path) -> None:
    """It was told as an image that could not be read."""
    (tmp_path / "stick").mkdir()
    drive = VirtualRecorder(tmp_path / "stick" / "disc.raw")
    shutil.rmtree(tmp_path / "stick")  # pulled out
    with DriveSession(drive) as session, pytest.raises(DriveError, match="cannot write") as caught:
        session.burn(album(), mode="sao")
    assert isinstance(caught.value.__cause__, StorageError)
    assert (caught.value.command, caught.value.lba) == ("WRITE(10)", -150)


def test_what_cannot_be_meant_is_refused_by_its_value() -> None:
    image = album()
    with DriveSession(VirtualRecorder(blank=blank_named("cdr-short"))) as session:
        with pytest.raises(DriveError, match="is blank: there is nothing to compare"):
            session.compare(image, "raw")
        with pytest.raises(ValueError, match="a session has a track at least"):
            session.write_tracks([])
        with pytest.raises(ValueError, match="has blocks of 2336 bytes"):
            session.write_tracks([rawcd.ArraySource(bytes(2336), block_size=2336)])
        with pytest.raises(ValueError, match="a session has sectors"):
            session.write_raw(lambda lba, rows: None, lba=-4650, sectors=0, block_type=3)
        session.burn(image, mode="sao")
        with pytest.raises(ValueError, match="no mode of writing: 'dao'"):
            session.compare(image, "dao")
        with pytest.raises(ValueError, match=r"no form of subcode: 'pq'; there are none, q, raw"):
            session.image(sub="pq")
        with pytest.raises(ValueError, match="0 times or more, not -1"):
            session.image(retries=-1)


def test_tracks_at_once_that_fit_without_what_the_drive_adds_are_refused_at_once() -> None:
    """The last track was refused, when the others had been written; a rehearsal said nothing."""
    creator = rawcd.RawCDImageCreator()
    blank = blank_named("cdr63")
    third = rawcd.SilenceSource(block_count=blank.last_lead_out_lba // 3)
    for pregap in (None, 0, 0):
        creator.add_track(third, pregap=pregap)
    image = creator.create_result_image()
    for simulate in (False, True):
        spy = Spy(VirtualRecorder(blank=blank))
        with (
            DriveSession(spy) as session,
            pytest.raises(AuthoringError, match="tracks at once") as caught,
        ):
            session.burn(image, mode="tao", simulate=simulate)
        assert caught.value.rule == "lead-out-limit"
        assert 0x2A not in {cdb[0] for cdb in spy.cdbs}
    whole = image.disc.sessions[0].lead_out_lba + 2 * 150 + 3 * 2
    check_tracks_fit(image.disc, whole)
    with pytest.raises(AuthoringError, match="1 sectors behind"):
        check_tracks_fit(image.disc, whole - 1)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), "eight", b"8", [8]])
def test_a_speed_that_is_none_is_refused_by_its_value(speed: Any) -> None:
    with (
        DriveSession(VirtualRecorder()) as session,
        pytest.raises(ValueError, match="a speed is a number above 0") as caught,
    ):
        session.burn(album(), speed=speed)
    assert caught.value.__notes__ == ["nothing was written"]


@pytest.mark.parametrize("speed", [0.001, 10**400, float("inf"), np.float32(8), Fraction(33, 2)])
def test_any_number_above_0_is_a_speed(speed: Any) -> None:
    with DriveSession(VirtualRecorder()) as session:
        session.set_speed(speed)
        taken = session.current_write_speed()
    assert taken is not None
    assert round(taken / 176) == min((52, 48, 40, 32, 24, 16, 8, 4), key=lambda n: abs(n - speed))


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_disc_whose_file_was_removed_meanwhile_is_no_success(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    with DriveSession(VirtualRecorder(path)) as session:
        path.unlink()
        with pytest.raises(DriveError, match="was removed while it was in the recorder"):
            session.burn(album(), mode=mode)


@pytest.mark.parametrize("lba", [-4650, -200, 980, 7500])
@pytest.mark.parametrize("mode", ["sao", "tao"])
def test_a_bad_spot_where_the_drive_writes_by_itself_is_no_success(mode: str, lba: int) -> None:
    _, error = failure(f"medium-error@lba={lba}", mode=mode)
    assert error.sense == (3, 0x0C, 0)
    assert error.command in ("SYNCHRONIZE CACHE(10)", "CLOSE TRACK/SESSION")
    assert "spoiled" in str(error)


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_after_a_burn_that_was_stopped_the_same_session_erases_and_burns_and_ejects(
    mode: str,
) -> None:
    """The recorder went on waiting for the rest, and neither erased the disc nor let it out."""
    spy = blank_disc("cdrw-short")
    with DriveSession(spy) as session:
        for _ in range(2):
            with pytest.raises(CancelledError):
                session.burn(
                    album(), mode=mode, progress=lambda now: now.action is not BurnAction.WRITING
                )
            session.blank()
        assert session.burn(album(), mode=mode).disc_state == "the disc is closed"
        session.blank()
        with pytest.raises(CancelledError):
            session.burn(
                album(), mode=mode, progress=lambda now: now.action is not BurnAction.WRITING
            )
        session.eject()


def test_a_second_interruption_does_not_pass_in_silence() -> None:
    """It came out without a word on the disc, and `rawcd` said that nothing was left behind."""
    spy = blank_disc()

    def watch(now: BurnProgress) -> None:
        if now.action is BurnAction.WRITING and now.written_lba > -4000:
            raise KeyboardInterrupt

    def again(cdb: bytes) -> Answer | None:
        if cdb[0] == 0x35:
            raise KeyboardInterrupt
        return None

    spy.before = again
    with DriveSession(spy) as session, pytest.raises(KeyboardInterrupt) as caught:
        session.burn(album(), progress=watch)
    assert "sectors were sent" in "".join(caught.value.__notes__)
    assert [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E] == [1, 0]


def test_a_file_that_is_no_disc_stays_free(tmp_path: Path) -> None:
    path = tmp_path / "junk.raw"
    path.write_bytes(bytes(2448 * 9))
    for _ in range(2):
        with pytest.raises(ValueError, match="junk"):  # and not: another recorder has it
            VirtualRecorder(path)


def test_erasing_says_what_became_of_the_disc() -> None:
    for fault, state in (("aborted@blank.1", "erasing was begun; "), ("aborted@prevent.1", "")):
        spy = Spy(VirtualRecorder(blank=blank_named("cdrw-short")))
        with DriveSession(spy) as session:
            session.burn(album(), mode="tao")
            spy.recorder.order(Fault.parse(fault))
            with pytest.raises(DriveError) as caught:
                session.blank()
        assert str(caught.value.disc_state).startswith(state or "nothing was erased")


def test_a_feed_that_is_full_says_so_at_once_and_ends_at_once() -> None:
    """Each took a tenth of a second, until somebody looked again."""

    def fill(lba: int, rows: Bytes2D) -> None:
        rows[:] = lba & 0xFF

    runs = [Run(lba=0, sectors=300_000, block_bytes=2448, fill=fill)]
    with Feed(runs, max_bytes=1 << 20) as feed:
        feed.wait_until_full()
        assert feed.used >= feed.total * 3 // 4
        assert next(iter(feed)).lba == 0
    assert "rawcd-feed" not in {thread.name for thread in threading.enumerate()}
