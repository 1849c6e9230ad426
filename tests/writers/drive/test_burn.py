"""Burns onto the virtual recorder: what is sent, in what order, and what the disc then holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.errors import AuthoringError, CancelledError, DriveError, StorageError, UnsupportedError
from rawcd.image import ImageType, MainForm, RegionImage, SubForm, SubRegion
from rawcd.progress import BurnAction, BurnProgress
from rawcd.source import ArraySource
from rawcd.toc import drive_cue_sheet
from rawcd_writers.drive.pages import WriteParameters
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import Fault, VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, album, blank_disc, mixed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHORT_LEAD_IN = -4650


def joined(spy: Spy) -> bytes:
    """Return all that WRITEs carried; their addresses must follow one another."""
    position = spy.written[0][0]
    for lba, blocks, _ in spy.written:
        assert lba == position
        assert 0 < blocks <= 26
        position += blocks
    return b"".join(data for _, _, data in spy.written)


@pytest.mark.parametrize("make", [album, mixed])
def test_a_raw_burn_sends_the_image_from_the_atip_start_to_the_last_lead_out(
    make: Callable[[], RegionImage],
) -> None:
    spy, image = blank_disc(), make()
    with DriveSession(spy) as session:
        result = session.burn(image, mode="raw")
    expected = image.as_kind(ImageType.RAW).with_lead_in(SHORT_LEAD_IN)
    assert spy.written[0][0] == SHORT_LEAD_IN
    assert joined(spy) == expected.read(expected.first_lba, expected.sector_count)
    assert result.sectors == expected.sector_count
    assert (result.mode, result.losses, result.disc_state) == ("raw", (), "the disc is closed")
    assert spy.closed == 1


def test_a_raw_burn_follows_the_order_of_steps() -> None:
    """Page 05h, the first address, WRITEs, SYNCHRONIZE CACHE; no CLOSE SESSION."""
    spy = blank_disc()
    with DriveSession(spy) as session:
        session.burn(album(), mode="raw")
    codes = spy.names
    steps = codes[codes.index(0xBB) :]
    assert steps == [0xBB, 0x55, 0x52, 0x54, 0x2A, 0x35, 0x00, 0x51, 0x43, 0x1E, 0x51]
    assert 0x5B not in codes
    page = WriteParameters.parse(spy.selected[-1])
    assert (page.write_type, page.block_type, page.underrun_protection) == (3, 3, True)
    assert spy.cdbs[codes.index(0xBB)]
    assert [cdb.hex() for cdb in spy.cdbs if cdb[0] == 0x1E] == ["1e0000000100", "1e0000000000"]
    assert bytes.fromhex("5201000000ff00002400") in spy.cdbs


@pytest.mark.parametrize(
    ("refused", "kind"),
    [((), ImageType.RAW), ((3,), ImageType.COOKED), ((3, 2), ImageType.PQ_ONLY)],
    ids=["3", "2", "1"],
)
def test_raw_takes_the_best_block_type_that_the_drive_takes(
    refused: tuple[int, ...], kind: ImageType
) -> None:
    spy, image = blank_disc(), album()
    execute = spy.recorder.execute

    def picky(cdb: bytes, *, data_out: Any = b"", **more: Any) -> Answer:
        if cdb[0] == 0x55:
            page = WriteParameters.parse(bytes(data_out)[8:])
            if page.write_type == 3 and page.block_type in refused:
                sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0, 0, 0])
                return Answer(status=2, data=b"", sense=sense)
        return execute(cdb, data_out=data_out, **more)

    spy.recorder.execute = picky  # type: ignore[method-assign]  # the drive of this test
    with DriveSession(spy) as session:
        result = session.burn(image)
    expected = image.as_kind(kind).with_lead_in(SHORT_LEAD_IN)
    assert (result.mode, result.losses) == ("raw", ())
    assert joined(spy) == expected.read(expected.first_lba, expected.sector_count)


def with_rw(image: RegionImage) -> RegionImage:
    """Return the image with R-W in its tracks."""
    first, end = -150, image.disc.sessions[0].lead_out_lba
    stored = np.random.default_rng(5).integers(0, 64, (end - first, 96), np.uint8)
    sub = (
        SubRegion(lba=image.first_lba, sectors=first - image.first_lba, form=SubForm.MADE),
        SubRegion(
            lba=first,
            sectors=end - first,
            form=SubForm.RW,
            source=ArraySource(stored, block_size=96),
        ),
        SubRegion(lba=end, sectors=6750, form=SubForm.MADE),
    )
    return replace(image, kind=ImageType.RAW, sub=sub)


def test_session_at_once_sends_the_cue_sheet_and_the_tracks() -> None:
    spy, image = blank_disc(), album()
    with DriveSession(spy) as session:
        result = session.burn(image, mode="sao")
    assert result.losses == ()
    (sheet,) = spy.sheets
    assert sheet == drive_cue_sheet(image.disc)
    assert 0x5B not in spy.names
    assert spy.written[0][0] == -150
    assert joined(spy) == rawcd.main_sectors(image, -150, 975 - 0).tobytes()
    page = WriteParameters.parse(spy.selected[-1])
    assert (page.write_type, page.block_type) == (2, 0)


def test_session_at_once_sends_user_data_of_data_tracks() -> None:
    spy, image = blank_disc(), mixed()
    with DriveSession(spy) as session:
        session.burn(image, mode="sao")
    sizes = {len(data) // blocks for _, blocks, data in spy.written}
    assert sizes == {2048, 2352}
    data = image.disc.tracks[0]
    plain = rawcd.main_sectors(image, data.first_lba, data.end_lba - data.first_lba)
    sound = rawcd.main_sectors(image, data.end_lba, image.disc.tracks[1].end_lba - data.end_lba)
    assert joined(spy) == plain[:, 16:2064].tobytes() + sound.tobytes()


def titled() -> RegionImage:
    items = tuple(
        TextItem(field="title", track=track, text=text)
        for track, text in enumerate(("Album", "First", "Second"))
    )
    image = album()
    return replace(
        image,
        kind=ImageType.RAW,
        disc=replace(image.disc, cdtext=CDText(blocks=(TextBlock(items=items),))),
    )


def test_session_at_once_writes_cd_text_into_the_lead_in() -> None:
    spy, image = blank_disc(), titled()
    with DriveSession(spy) as session:
        result = session.burn(image, mode="sao")
    assert result.losses == ()
    assert spy.sheets[0][16:24] == bytes([0x01, 0, 0, 0x41, 0, 0, 0, 0])
    lead_in = [(lba, data) for lba, _, data in spy.written if lba < -150]
    assert lead_in[0][0] == SHORT_LEAD_IN
    expected = image.with_lead_in(SHORT_LEAD_IN).read(SHORT_LEAD_IN, 4500)
    symbols = np.frombuffer(expected, np.uint8).reshape(-1, 2448)[:, 2352:] & 0x3F
    assert b"".join(data for _, data in lead_in) == symbols.tobytes()
    assert spy.written[len(lead_in)][0] == -150


def test_session_at_once_sends_r_to_w_behind_each_sector() -> None:
    spy, image = blank_disc(), with_rw(album())
    with DriveSession(spy) as session:
        session.burn(image, mode="sao")
    assert {len(data) // blocks for _, blocks, data in spy.written} == {2448}
    assert {row[3] for row in np.frombuffer(spy.sheets[0], np.uint8).reshape(-1, 8)[5:-1]} == {0x40}
    assert joined(spy) == image.read(-150, 975)


def test_track_at_once_closes_each_track_and_the_session() -> None:
    spy, image = blank_disc(), mixed()
    with DriveSession(spy) as session:
        result = session.burn(image, mode="tao")
    assert [str(loss) for loss in result.losses] == [
        "track 2: its address, LBA 620: it will begin at LBA 622",
        "session 1: lead-out at LBA 930: it will begin at LBA 934",
    ]
    closes = [cdb[2] for cdb in spy.cdbs if cdb[0] == 0x5B]
    assert closes == [1, 1, 2]
    pages = [WriteParameters.parse(page) for page in spy.selected[-2:]]
    assert [(page.block_type, page.track_mode) for page in pages] == [(8, 4), (0, 0)]
    data, sound = image.disc.tracks
    sent = b"".join(part for _, _, part in spy.written)
    plain = rawcd.main_sectors(image, data.start_lba, data.sector_count)[:, 16:2064]
    assert sent == (
        plain.tobytes() + rawcd.main_sectors(image, sound.start_lba, sound.sector_count).tobytes()
    )


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_rehearsal_writes_nothing_and_spends_no_calibration(mode: str) -> None:
    spy = blank_disc()
    with DriveSession(spy) as session:
        result = session.burn(album(), mode=mode, simulate=True)
        assert session.disc_information().status is DiscStatus.BLANK
    assert result.simulated
    assert result.disc_state == "the disc is blank"
    assert 0x54 not in spy.names
    assert WriteParameters.parse(spy.selected[-1]).test_write


def test_speed_is_set_in_kilobytes_of_a_thousand() -> None:
    spy = blank_disc()
    with DriveSession(spy) as session:
        assert session.write_speeds()
        session.burn(album(), mode="raw", simulate=True, speed=4)
        session.burn(album(), mode="raw", simulate=True)
    speeds = [cdb.hex() for cdb in spy.cdbs if cdb[0] == 0xBB]
    assert speeds == ["bb00ffff02c2000000000000", "bb00ffffffff000000000000"]


# -- refusals, before anything is written --------------------------------------------------------


def refused(spy: Spy, image: RegionImage, **more: Any) -> Any:
    with (
        DriveSession(spy) as session,
        pytest.raises((DriveError, AuthoringError, UnsupportedError)) as caught,
    ):
        session.burn(image, **more)
    assert not {0x2A, 0x54, 0x5D, 0x1E} & {cdb[0] for cdb in spy.cdbs}
    return caught.value


def test_what_does_not_fit_is_refused_before_the_laser_is_on() -> None:
    image = album()
    small = replace(
        blank_named("cdr-short"), last_lead_out=rawcd.Msf.from_lba(600), spare_sectors=9000
    )
    error = refused(Spy(VirtualRecorder(blank=small)), image)
    assert isinstance(error, AuthoringError)
    assert error.rule == "lead-out-limit"
    assert "225 sectors behind the limit of 600" in str(error)
    assert "--overburn" in str(error)
    spy = Spy(VirtualRecorder(blank=small))
    with DriveSession(spy) as session:
        assert session.burn(image, overburn=True).disc_state == "the disc is closed"


def test_an_empty_drive_a_full_disc_and_a_disc_against_the_law_are_refused() -> None:
    assert "no disc" in str(refused(Spy(VirtualRecorder(empty=True)), album()))
    spy = blank_disc()
    with DriveSession(spy) as session:
        session.burn(album())
    spy.cdbs.clear()
    assert "not blank" in str(refused(spy, album()))
    image = mixed()
    session_ = image.disc.sessions[0]
    data = replace(session_.tracks[0], copy=rawcd.CopySetting.SCMS)
    session_ = replace(session_, tracks=(data, session_.tracks[1]))
    lawless = replace(image, disc=replace(image.disc, sessions=(session_,)))
    assert isinstance(refused(blank_disc(), lawless), AuthoringError)


def test_an_unknown_mode_is_misuse() -> None:
    with DriveSession(blank_disc()) as session, pytest.raises(ValueError, match="no mode"):
        session.burn(album(), mode="packet")


# -- progress and stopping -----------------------------------------------------------------------


def test_progress_tells_where_the_burn_is() -> None:
    seen: list[BurnProgress] = []

    def watch(now: BurnProgress) -> None:
        seen.append(now)

    with DriveSession(blank_disc()) as session:
        session.burn(album(), progress=watch)
    actions = list(dict.fromkeys(each.action for each in seen))
    assert actions == [
        BurnAction.PREPARING,
        BurnAction.CALIBRATING,
        BurnAction.WRITING,
        BurnAction.FINISHING,
        BurnAction.CHECKING,
    ]
    writing = [each for each in seen if each.action is BurnAction.WRITING]
    assert [each.written_lba for each in writing] == sorted(each.written_lba for each in writing)
    assert writing[0].start_lba == SHORT_LEAD_IN
    assert writing[-1].done == 1.0
    assert {each.track for each in writing} == {None, 1, 2}
    assert all(0 <= each.buffer_used <= each.buffer_total for each in seen)
    assert all(each.read_lba >= each.written_lba for each in writing)


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_false_stops_the_burn_and_the_error_says_what_the_disc_is(mode: str) -> None:
    spy = blank_disc()

    def watch(now: BurnProgress) -> bool:
        return now.action is not BurnAction.WRITING

    with (
        DriveSession(spy) as session,
        pytest.raises(CancelledError, match="stopped by the caller") as caught,
    ):
        session.burn(album(), mode=mode, progress=watch)
    assert caught.value.disc_state is not None
    assert "26 sectors were sent" in caught.value.disc_state
    assert len(spy.written) == 1
    assert spy.cdbs[-1][0] == 0x1E or spy.cdbs[-1][0] == 0x51
    assert [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E] == [1, 0]
    assert spy.closed == 1


def test_an_exception_of_the_watcher_stops_the_burn_and_comes_out_as_it_is() -> None:
    spy = blank_disc()

    def watch(now: BurnProgress) -> None:
        if now.written_lba > -1000:
            raise ZeroDivisionError("mine")

    with DriveSession(spy) as session, pytest.raises(ZeroDivisionError, match="mine") as caught:
        session.burn(album(), progress=watch)
    assert "sectors were sent" in "".join(caught.value.__notes__)
    assert [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E] == [1, 0]


def test_a_source_that_fails_ends_the_burn_with_its_cause_and_the_discs_state() -> None:
    class Broken:
        name, block_size, block_count = "broken.bin", 2352, 975

        def read(self, start: int, count: int) -> bytes:
            if start >= 600:
                raise StorageError("cannot read: I/O error", file=self.name)
            return bytes(count * 2352)

    image = album()
    first, end = -150, image.disc.sessions[0].lead_out_lba
    middle = replace(
        next(region for region in image.main if region.form is MainForm.DISC),
        lba=first,
        sectors=end - first,
        source=Broken(),
        start=0,
    )
    blank = [region for region in image.main if region.lba < first]
    head = replace(blank[0], sectors=first - image.first_lba)
    tail = [replace(region) for region in image.main if region.lba >= end]
    broken = replace(image, main=(head, middle, *tail))
    spy = blank_disc()
    with DriveSession(spy) as session, pytest.raises(DriveError, match=r"broken\.bin") as caught:
        session.burn(broken)
    assert isinstance(caught.value.__cause__, StorageError)
    assert "spoiled" in str(caught.value)


# -- faults --------------------------------------------------------------------------------------


def burn_with(*faults: str, mode: str = "raw") -> tuple[Spy, Any]:
    spy = Spy(
        VirtualRecorder(
            blank=blank_named("cdr-short"), faults=[Fault.parse(each) for each in faults]
        )
    )
    try:
        with DriveSession(spy) as session:
            return spy, session.burn(album(), mode=mode)
    except DriveError as error:
        return spy, error


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
@pytest.mark.parametrize(
    "fault",
    ["long-write@write.3*6", "busy@write.2*4", "not-ready@sync.1*5", "busy@disc.1*2"],
)
def test_a_drive_that_is_busy_is_waited_for(mode: str, fault: str) -> None:
    spy, result = burn_with(fault, mode=mode)
    assert result.disc_state == "the disc is closed"
    _, plain = burn_with(mode=mode)
    assert result.sectors == plain.sectors
    assert len(spy.cdbs) > 0


def test_a_drive_that_stays_busy_is_given_up() -> None:
    _, error = burn_with("long-write@write.3*1000000")
    assert isinstance(error, DriveError)
    assert error.sense == (2, 4, 8)
    assert "stayed busy" in str(error)


@pytest.mark.parametrize(
    ("fault", "sense", "command"),
    [
        ("medium-error@lba=100", (3, 0x0C, 0), "WRITE(10)"),
        ("aborted@write.4", (0x0B, 0, 0), "WRITE(10)"),
        ("bus-reset@write.4", (6, 0x29, 2), "WRITE(10)"),
        ("medium-change@write.4", (6, 0x28, 0), "WRITE(10)"),
        ("short@write.4", None, "WRITE(10)"),
        ("power-loss@write.4", None, "WRITE(10)"),
        ("aborted@sync.1", (0x0B, 0, 0), "SYNCHRONIZE CACHE(10)"),
        ("power-loss@sync.1", None, "SYNCHRONIZE CACHE(10)"),
        ("power-loss@disc.2", None, "READ DISC INFORMATION"),
    ],
)
@pytest.mark.parametrize("mode", ["raw", "sao"])
def test_a_fault_ends_the_burn_with_its_cause_and_the_discs_state(
    mode: str, fault: str, sense: tuple[int, int, int] | None, command: str
) -> None:
    spy, error = burn_with(fault, mode=mode)
    assert isinstance(error, DriveError), fault
    assert error.sense == sense
    assert error.command == command
    assert error.disc_state is not None
    assert (error.lba is None) == (command != "WRITE(10)")
    if sense is not None:
        assert "{:02X}/{:02X}/{:02X}".format(*sense) in str(error)
    assert spy.closed == 1
    locks = [cdb[4] for cdb in spy.cdbs if cdb[0] == 0x1E]
    assert locks[0] == 1
    assert locks[-1] == 0


def test_trouble_while_clearing_up_does_not_hide_the_first_error() -> None:
    """The second SYNCHRONIZE CACHE and all that asks for the disc's state fail as well."""
    _, error = burn_with("medium-error@lba=100", "power-loss@sync.1")
    assert isinstance(error, DriveError)
    assert error.sense == (3, 0x0C, 0)
    assert "not known" in str(error.disc_state)


def test_a_drive_that_took_all_and_reports_a_blank_disc_is_no_success() -> None:
    spy, seen = blank_disc(), [0]

    def lie(cdb: bytes) -> Answer | None:
        if cdb[0] == 0x35:
            seen[0] = 1
        if cdb[0] == 0x51 and seen[0]:
            data = bytes([0, 32, 0, 1, 1, 1, 1]) + bytes(27)
            return Answer(status=0, data=data, sense=b"")
        return None

    spy.before = lie
    with DriveSession(spy) as session, pytest.raises(DriveError, match="reports the disc as blank"):
        session.burn(album())


def test_a_remark_of_the_drive_is_kept_and_stops_nothing() -> None:
    spy = blank_disc()

    def remark(cdb: bytes) -> Answer | None:
        if cdb[0] == 0x54:
            sense = bytes([0x70, 0, 1, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x73, 1, 0, 0, 0, 0])
            return Answer(status=2, data=b"", sense=sense)
        return None

    spy.before = remark
    with DriveSession(spy) as session:
        result = session.burn(album())
    assert result.disc_state == "the disc is closed"
    (said,) = result.remarks
    assert said.startswith("01/73/01 (")
    assert "almost full" in said


# -- rewritable discs and the face ---------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
def test_a_rewritable_disc_is_blanked_and_burned_again(quick: bool) -> None:
    spy = blank_disc("cdrw-short")
    with DriveSession(spy) as session:
        session.burn(album())
        seen: list[BurnAction] = []
        session.blank(quick=quick, progress=lambda now: seen.append(now.action))
        assert session.disc_information().status is DiscStatus.BLANK
        session.burn(mixed())
    assert set(seen) == {BurnAction.BLANKING}
    (blank,) = {cdb for cdb in spy.cdbs if cdb[0] == 0xA1}
    assert blank[1] == 0x10 | quick


def test_a_cd_r_is_not_blanked() -> None:
    with DriveSession(blank_disc()) as session, pytest.raises(DriveError, match="cannot be erased"):
        session.blank()


def test_what_was_burned_opens_as_an_image(tmp_path: Path) -> None:
    from rawcd_writers.drive.recorder import VirtualRecorders

    path = tmp_path / "disc.raw"
    recorder = VirtualRecorders().named(f"virtual:{path}?medium=cdr-short")
    assert recorder is not None
    image = album()
    result = rawcd.burn_image(image, recorder)
    assert result.mode == "raw"
    kept = rawcd.open_image(path)
    assert kept.disc.mcn == image.disc.mcn
    assert [track.indexes for track in kept.disc.tracks] == [
        track.indexes for track in image.disc.tracks
    ]
    facts = recorder.facts()
    assert (facts.medium, facts.blank, facts.maker_code) == ("CD-R", False, "99:00:00")
