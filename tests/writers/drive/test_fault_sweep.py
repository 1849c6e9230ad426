"""Burns with one fault each, at every place: a right disc or a clean error, nothing else.

By default each command has its turn that is no WRITE, and of the WRITEs the first two, the last
and those at the borders of areas. `RAWCD_SWEEP=1` or the profile `night` takes every one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.features import CDTEXT, Feature
from rawcd.image import ImageType, RegionImage
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.virtual import Fault, FaultKind, VirtualRecorder
from tests.writers.drive.burning import sound
from tests.writers.drive.sweep import (
    DONE,
    EVERYWHERE,
    FAILED,
    NAMES,
    Line,
    Outcome,
    Tally,
    disturbed,
    is_on,
    places,
    short_medium,
    stretch,
    undisturbed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rawcd.errors import DriveError
    from rawcd.source import Bytes2D
    from rawcd_writers.drive.writing import BurnResult

MODES: Final = ("raw", "sao", "tao")
LOST: Final = {
    "raw": frozenset[Feature](),
    "sao": frozenset({Feature.PREGAP_DATA}),  # sound in a data track's pregap
    "tao": frozenset({Feature.PREGAPS, Feature.PREGAP_DATA, Feature.LEAD_OUT_LENGTH, *CDTEXT}),
}
"""What a mode cannot carry of the image; nothing else may be lost for a fault."""
LEAD_IN: Final = -4650
PROGRAM: Final = -150
INQUIRY: Final = 0x12
WRITE: Final = 0x2A
FOR_EVER: Final = 1_000_000

pytestmark = pytest.mark.slow

PHASES: Final = ("opening", "preparing", "writing", "closing", "settling", "checking", "after")
"""Of a burn: until the drive is ready for the first time; until the first WRITE; WRITEs; what
comes between them and behind them until the drive has confirmed the last; the wait for it to
come to rest; asking what the disc is now; unlocking the tray, and what is asked for the report."""

ALWAYS: Final = dict.fromkeys(PHASES, DONE)
UNTIL_CONFIRMED: Final = dict.fromkeys(PHASES[:6], FAILED) | {"after": DONE}
STATE_CHANGED: Final = {
    # Before anybody has looked at the disc, a change is what a drive tells when it wakes up.
    "opening": DONE,
    # The disc that was looked at may be another one, the write parameters are gone.
    "preparing": FAILED,
    "writing": FAILED,
    "closing": FAILED,
    # The drive has confirmed everything: it is asked what the disc is, and that decides.
    "settling": DONE,
    "checking": DONE,
    "after": DONE,
}
EXPECTED: Final = {
    # kind of fault, how often: (outcome by phase, sense)
    ("not-ready", 3): (ALWAYS, (2, 4, 1)),  # it is waited for
    ("long-write", 3): (ALWAYS, (2, 4, 8)),
    ("busy", 3): (ALWAYS, None),
    ("not-ready", FOR_EVER): (UNTIL_CONFIRMED, (2, 4, 1)),  # but not for ever
    ("aborted", 1): (UNTIL_CONFIRMED, (0xB, 0, 0)),  # the drive does not say what it did
    ("bus-reset", 1): (STATE_CHANGED, (6, 0x29, 2)),
    ("medium-change", 1): (STATE_CHANGED, (6, 0x28, 0)),
    ("bus-reset", FOR_EVER): (UNTIL_CONFIRMED, (6, 0x29, 2)),
    ("power-loss", 1): (UNTIL_CONFIRMED, None),
}
"""What has to come of a fault, from what it means."""
CARRY_TO_DRIVE: Final = (0x2A, 0x55, 0x5D)
"""Commands of which half of the data is an error. A reply tells how long it is, so that half of
one is asked for again; and where nothing is carried nothing is missing."""


def titled() -> RegionImage:
    """Sound, data, sound; catalogue number, ISRC, CD-TEXT.

    Sound is at both ends because the areas beyond it are quickly made and checked.
    """
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    creator.add_track(sound(300))
    data = np.random.default_rng(3).integers(0, 256, 300 * 2048, np.uint8).tobytes()
    creator.add_track(data, sector_type=rawcd.SectorType.MODE1, pregap=225)
    creator.track_info(creator.add_track(sound(300, 2), pregap=150)).isrc = "USRC17607839"
    items = tuple(
        TextItem(field="title", track=track, text=text)
        for track, text in ((0, "Album"), (1, "First"), (3, "Last"))
    )
    image = creator.create_result_image()
    disc = replace(image.disc, cdtext=CDText(blocks=(TextBlock(items=items),)))
    return replace(image, kind=ImageType.RAW, disc=disc)


@dataclass(frozen=True)
class BurnWork:
    """A burn in one of the modes."""

    mode: str
    image: RegionImage
    sectors: Bytes2D
    """What the disc has to be afterwards."""

    def drive(self, *faults: Fault, path: Path | None = None) -> VirtualRecorder:
        return short_medium(*faults, path=path)

    def run(self, session: DriveSession) -> BurnResult:
        return session.burn(self.image, mode=self.mode)

    def judge(self, result: Any, drive: VirtualRecorder) -> None:
        assert result.mode == self.mode
        assert {loss.feature for loss in result.losses} <= LOST[self.mode]
        assert drive.medium is not None
        if is_on(drive):
            assert result.disc_state in ("the disc is closed", UNKNOWN)
            self.compare(drive)
            return
        assert result.disc_state == UNKNOWN
        again = VirtualRecorder(drive.medium.store.path)
        self.compare(again)
        again.close()

    def compare(self, drive: VirtualRecorder) -> None:
        assert drive.medium is not None
        assert drive.medium.status == 2
        store = drive.medium.store
        assert store.first_lba == LEAD_IN
        assert store.end_lba == LEAD_IN + len(self.sectors)
        store.read_into(LEAD_IN, held := scratch(len(self.sectors)))
        assert np.array_equal(held, self.sectors)

    def judge_failure(self, error: DriveError, line: Line) -> None:
        drive = line.recorder
        assert drive.medium is not None
        again = None
        if not is_on(drive):  # look at what is left with the power on again
            drive = again = VirtualRecorder(drive.medium.store.path)
        assert drive.medium is not None
        status = drive.medium.status
        state = str(error.disc_state)
        assert error.disc_state is None or state in str(error)
        if set(line.opcodes) == {INQUIRY}:
            assert error.disc_state is None  # there was no burn yet
        elif WRITE not in line.opcodes:
            assert state == "nothing was written"
            assert status == 0
        elif UNKNOWN not in state:
            words = ("the disc is blank", "the disc is not closed", "the disc is closed")[status]
            assert words in state
            assert ("spoiled" in state) == (status == 1)
        if status == 2:  # it came to its end all the same
            self.compare(drive)
        if again is not None:
            again.close()


UNKNOWN: Final = "what became of the disc is not known: the drive does not answer"


@cache
def scratch(sectors: int) -> Bytes2D:
    """Return room for a disc, the same each time: new memory would cost more than reading."""
    return np.zeros((sectors, 2448), np.uint8)


@cache
def work_of(mode: str) -> tuple[BurnWork, Line]:
    """Return a burn, and its undisturbed run.

    What a raw disc must be is the image itself. The drive makes lead-in, lead-out and subcode of
    the others: what it makes undisturbed is compared with the image by reading it.
    """
    image = titled()
    if mode == "raw":
        whole = image.as_kind(ImageType.RAW).with_lead_in(LEAD_IN)
        held = np.frombuffer(whole.read(whole.first_lba, whole.sector_count), np.uint8)
        sectors = held.reshape(-1, 2448)
    else:
        drive = short_medium()
        session = DriveSession(Line(drive))
        session.burn(image, mode=mode)
        assert session.differences(image, mode) == ()
        disc = session.image()[0].disc
        assert disc.mcn == image.disc.mcn
        assert [track.isrc for track in disc.tracks] == [None, None, "USRC17607839"]
        assert drive.medium is not None
        store = drive.medium.store
        sectors = store.read(LEAD_IN, store.end_lba - LEAD_IN)
        drive.close()
    work = BurnWork(mode, image, sectors)
    return work, undisturbed(work)


def phases(line: Line) -> list[str]:
    """Return the phase of each CDB of an undisturbed burn."""
    codes = line.opcodes
    ready = next(place for place, code in enumerate(codes) if code == 0x51)
    writes = [place for place, code in enumerate(codes) if code == WRITE]
    settling = max(place for place, code in enumerate(codes) if code == 0x00)
    unlocking = max(place for place, code in enumerate(codes) if code == 0x1E)
    ends = {
        "opening": ready,
        "preparing": writes[0],
        "closing": settling,
        "settling": settling + 1,
        "checking": unlocking,
        "after": len(codes),
    }
    return [
        "writing" if code == WRITE else next(phase for phase, end in ends.items() if place < end)
        for place, code in enumerate(codes)
    ]


def borders(image: RegionImage) -> tuple[int, ...]:
    tracks = image.disc.tracks
    return (
        PROGRAM,
        0,
        *(index.lba for each in tracks for index in each.indexes),
        tracks[-1].end_lba,
    )


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts outcomes, and prints the table when all is done."""
    found = Tally()
    yield found
    found.show(request.config)


def names_its_cause(
    line: Line, number: int, sense: tuple[int, int, int] | None
) -> Callable[[DriveError], None]:
    """Return what sees that an error names the command that was disturbed, or a later one.

    Args:
        line: the undisturbed run.
        number: of the CDB.
        sense: what the drive said of the fault.
    """
    names = {NAMES[code] for code in line.opcodes[number - 1 :]}

    def see(error: DriveError) -> None:
        assert error.sense == sense
        assert sense is None or "{:02X}/{:02X}/{:02X} (".format(*sense) in str(error)
        assert error.command in names
        place = f" at LBA {error.lba}" if error.command == "WRITE(10)" else ""
        assert f"{error.command}{place}: " in str(error)

    return see


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("kind", "times"), EXPECTED, ids=lambda value: "for-ever" if value == FOR_EVER else str(value)
)
def test_a_fault_at_any_command(
    kind: str, times: int, mode: str, tally: Tally, tmp_path: Path
) -> None:
    (outcomes, sense), (work, line) = EXPECTED[kind, times], work_of(mode)
    name, every = kind if times < FOR_EVER else f"{kind} for ever", phases(line)
    numbers = places(line, borders(work.image))
    if times == FOR_EVER and not EVERYWHERE:  # each command once in each phase
        numbers = list({(every[at - 1], line.opcodes[at - 1]): at for at in numbers}.values())
    for number in numbers:
        fault = Fault(kind=FaultKind(kind), number=number, times=times)
        path = tmp_path / f"{number}.raw" if kind == "power-loss" else None
        cause = names_its_cause(line, number, sense)
        outcome = disturbed(work, fault, path=path, cause=cause)
        tally.add(name, mode, outcome)
        code, phase = line.opcodes[number - 1], every[number - 1]
        assert outcome in outcomes[phase], f"{name} at CDB {number} ({code:02X}h, {phase})"
        if path is not None:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("mode", MODES)
def test_half_a_transfer_at_any_command(mode: str, tally: Tally) -> None:
    work, line = work_of(mode)
    for number in places(line, borders(work.image)):
        code = line.opcodes[number - 1]
        fault = Fault(kind=FaultKind.SHORT, number=number)
        outcome = disturbed(work, fault, cause=names_its_cause(line, number, None))
        tally.add("short", mode, outcome)
        expected = FAILED if code in CARRY_TO_DRIVE else DONE
        assert outcome in expected, f"half a transfer at CDB {number} ({code:02X}h)"


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_spot_anywhere_on_the_disc(mode: str, tally: Tally) -> None:
    """What the host sends fails at its WRITE, what the drive makes when it makes it."""
    work, line = work_of(mode)
    sent = [stretch(cdb) for cdb in line.cdbs if cdb[0] == WRITE]
    end = LEAD_IN + len(work.sectors)
    edges = [at + shift for at in borders(work.image) for shift in (-1, 0)]
    for lba in [LEAD_IN, LEAD_IN + 1, LEAD_IN + 26, *edges, end - 1]:
        writes = [(first, count) for first, count in sent if first <= lba < first + count]

        def cause(error: DriveError, lba: int = lba, writes: Any = writes) -> None:
            assert error.sense == (3, 0x0C, 0)
            assert "03/0C/00 (error of the disc: write error" in str(error)
            if writes:
                ((first, _),) = writes
                assert (error.command, error.lba) == ("WRITE(10)", first)
            else:
                assert error.command in (
                    "SYNCHRONIZE CACHE(10)",
                    "CLOSE TRACK/SESSION",
                    "WRITE(10)",
                )

        outcome = disturbed(work, Fault(kind=FaultKind.MEDIUM_ERROR, lba=lba), cause=cause)
        tally.add("medium-error", mode, outcome)
        assert outcome is Outcome.FAILED, f"LBA {lba}"


@pytest.mark.parametrize("mode", MODES)
def test_a_slow_host_only_takes_longer(mode: str, tally: Tally) -> None:
    """The buffer runs dry and the drive waits: underrun protection is always on."""
    work, _ = work_of(mode)
    fault = Fault(kind=FaultKind.SLOW_HOST, seconds=0.5)

    def cause(error: DriveError) -> None:
        raise AssertionError(error)

    tally.add("slow-host", mode, disturbed(work, fault, cause=cause))


def test_the_sweep_knows_every_kind_of_fault() -> None:
    apart = {FaultKind.SHORT, FaultKind.MEDIUM_ERROR, FaultKind.SLOW_HOST}
    assert {FaultKind(kind) for kind, _ in EXPECTED} | apart == set(FaultKind)


@pytest.mark.parametrize("mode", MODES)
def test_the_sweep_sees_every_phase_and_every_command(mode: str) -> None:
    work, line = work_of(mode)
    assert set(phases(line)) == set(PHASES)
    chosen = {line.opcodes[number - 1] for number in places(line, borders(work.image))}
    assert chosen == set(line.opcodes)
    assert chosen <= NAMES.keys()
