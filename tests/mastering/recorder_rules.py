"""The rules of IDiscRecorder, of the enumerators, and of its events."""

from __future__ import annotations

import errno
import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import rawcd
from rawcd.mastering import DiscMaster, DiscMasterFormat, MediaFlags, MediaType
from rawcd.mastering.recorder import RecorderState, RecorderType
from tests.mastering.jobs import AudioJob, Bench, DataJob, Log, a_stash, folder_of, refuses, sound
from tests.mastering.rulebook import (
    IGNORED,
    NO_MEDIUM,
    NOPROPERTIES,
    NOTACCESSIBLE,
    NOTPRESENT,
    H,
    rule,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.hresults import HResult
    from rawcd.mastering import DiscRecorder


@rule("get_recorder_guid", H.IMAPI_S_BUFFER_TO_SMALL, "room for it; the same for a drive")
def _(folder: Path) -> None:
    other = Bench(folder)
    with AudioJob(folder) as job:
        guid = job.recorder.get_recorder_guid()
        assert isinstance(guid, bytes)
        assert len(guid) == 16
        for size in (0, 15):
            assert job.recorder.get_recorder_guid(size) is H.IMAPI_S_BUFFER_TO_SMALL
        assert job.recorder.get_recorder_guid(16) == guid
        job.master._recorders = (job.bench, other)
        assert [each.get_recorder_guid() == guid for each in job.master.enum_disc_recorders()] == [
            True,
            False,
        ]


@rule("get_recorder_type", H.S_OK, "the drive's, not the disc's")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        assert job.recorder.get_recorder_type() is RecorderType.CDRW
        job.recorder.drive.facts = replace(job.recorder.drive.facts, writes_cdrw=False)
        assert job.recorder.get_recorder_type() is RecorderType.CDR


@rule("get_base_pnp_id", H.S_OK, "maker, product and revision")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        names = job.recorder.get_display_names()
        assert names == ("RAWCD", "VIRTUAL RECORDER", "1.00")
        assert job.recorder.get_base_pnp_id() == "".join(names)
        assert job.recorder.get_path() == job.bench.name


@rule("get_recorder_properties", NOPROPERTIES, "the recorder has none")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        assert job.recorder.get_recorder_properties() == {
            "WriteSpeed": 52,
            "MaxWriteSpeed": 52,
            "BufferUnderrunFreeCapable": True,
            "EnableBufferUnderrunFree": -1,
            "AudioGapSize": 150,
        }
        job.recorder.drive.facts = replace(job.recorder.drive.facts, max_speed=0)
        with refuses(NOPROPERTIES):
            job.recorder.get_recorder_properties()


@rule("set_recorder_properties", NOPROPERTIES, "the recorder has none")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.recorder.drive.facts = replace(job.recorder.drive.facts, max_speed=0)
        with refuses(NOPROPERTIES):
            job.recorder.set_recorder_properties({"AudioGapSize": 150})


@rule("set_recorder_properties", IGNORED, "unknown and read-only ones are skipped; few will do")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        given = {"AudioGapSize": 75, "MaxWriteSpeed": 99, "Colour": "red"}
        assert job.recorder.set_recorder_properties(given) == IGNORED
        found = job.recorder.get_recorder_properties()
        assert (found["AudioGapSize"], found["MaxWriteSpeed"]) == (75, 52)
        assert job.recorder.set_recorder_properties({}) == H.S_OK
        everything = {"WriteSpeed": 4, "EnableBufferUnderrunFree": 1, "AudioGapSize": 0}
        assert job.recorder.set_recorder_properties(everything) == H.S_OK


@rule("set_recorder_properties", H.E_POINTER, "nothing is given")
def _(folder: Path) -> None:
    with AudioJob(folder) as job, refuses(H.E_POINTER):
        job.recorder.set_recorder_properties(None)


@rule("set_recorder_properties", H.E_INVALIDARG, "within their ranges; all or none")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        before = job.recorder.get_recorder_properties()
        for name, wrong in (
            ("AudioGapSize", -1),
            ("AudioGapSize", 226),
            ("AudioGapSize", "150"),
            ("WriteSpeed", 0),
            ("WriteSpeed", 53),
            ("WriteSpeed", -2),
            ("EnableBufferUnderrunFree", 2),
        ):
            with refuses(H.E_INVALIDARG):
                job.recorder.set_recorder_properties({"WriteSpeed": 8, name: wrong})
            assert job.recorder.get_recorder_properties() == before
        job.recorder.set_recorder_properties({"WriteSpeed": -1, "AudioGapSize": 225})
        assert job.recorder.drive.write_speed is None


@rule("get_recorder_state", H.S_OK, "idle, opened, burning, whichever object of the drive is asked")
def _(folder: Path) -> None:
    class Asking(Log):
        def notify_closing_disc(self, seconds: int) -> None:
            states.append(second.get_recorder_state())

    states: list[RecorderState] = []
    with AudioJob(folder) as job:
        [second] = job.master.enum_disc_recorders()
        states.append(second.get_recorder_state())
        job.recorder.open_exclusive()
        states.append(second.get_recorder_state())
        job.recorder.close()
        job.stage(sound(300))
        job.master.progress_advise(Asking())
        job.master.record_disc(simulate=True)
        states.append(second.get_recorder_state())
    assert [int(state) for state in states] == [0, 1, 2, 0]


@rule("open_exclusive", NOTACCESSIBLE, "somebody has it: here, or another program")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        [second] = job.master.enum_disc_recorders()
        job.recorder.open_exclusive()
        assert job.bench.opened[-1] is True
        for each in (job.recorder, second):
            with refuses(NOTACCESSIBLE):
                each.open_exclusive()
        with refuses(H.IMAPI_E_NOTOPENED):
            second.close()
        job.recorder.close()
        job.bench.trouble = errno.EBUSY
        with refuses(NOTACCESSIBLE):
            second.open_exclusive()
        job.bench.plug_in()
        second.open_exclusive()
        del second, each  # forgotten, not closed; the errors above still know them
        gc.collect()
        job.recorder.open_exclusive()
        job.recorder.close()


@rule("open_exclusive", NOTPRESENT, "it is gone")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.bench.unplug()
        with refuses(NOTPRESENT):
            job.recorder.open_exclusive()


def asked(job: AudioJob) -> tuple[int, int]:
    job.recorder.open_exclusive()
    try:
        kind, flags = job.recorder.query_media_type()
        return int(kind), int(flags)
    finally:
        job.recorder.close()


@rule("query_media_type", H.S_OK, "what is in it, and what can be done with it")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        assert asked(job) == (MediaType.CDDA_CDROM, MediaFlags.BLANK | MediaFlags.WRITABLE)
        job.stage(sound(300))
        job.master.record_disc()
        assert asked(job) == (MediaType.CDDA_CDROM, 0)
        job.bench.blank("cdrw-short")
        assert asked(job) == (1, 0x1 | 0x2 | 0x4)
        job.bench.disc = None
        assert asked(job) == (0, 0)
    with DataJob(folder) as files:
        files.files.add_data(folder_of(folder / "a", a=b"1"))
        files.master.record_disc()
        assert asked(files) == (1, MediaFlags.WRITABLE)


@rule("query_media_type", H.S_OK, "sound and data behind it, XA, and what cannot be read")
def _(folder: Path) -> None:
    data = np.zeros((300, 2048), np.uint8)
    with AudioJob(folder) as job:
        with job.bench.open() as session:
            session.write_tracks([rawcd.SilenceSource(block_count=300)], appendable=True)
            session.write_tracks([rawcd.ArraySource(data, block_size=2048)])
        assert asked(job) == (MediaType.CD_EXTRA, 0)
        job.bench.faults = ["aborted@toc.2*9"]
        assert asked(job) == (MediaType.CD_OTHER, 0)
        job.bench.faults = []
        job.bench.blank()
        creator = rawcd.RawCDImageCreator()
        creator.add_folder(folder_of(folder / "xa", a=b"1"), rawcd.SectorType.MODE2FORM1)
        with job.bench.open() as session:
            session.burn(creator.create_result_image())
        assert asked(job) == (MediaType.CD_ROM_XA, 0)


def _power_rule(member: str, fault: str) -> None:
    def check(folder: Path) -> None:
        with AudioJob(folder, Bench(folder, "cdrw-short")) as job:
            job.bench.faults = [f"power-loss@{fault}"]
            job.recorder.open_exclusive()
            with refuses(NOTPRESENT):
                if member == "erase":
                    job.recorder.erase(False)
                else:
                    getattr(job.recorder, member)()
            job.recorder.close()

    rule(member, NOTPRESENT, "the power goes")(check)


_power_rule("query_media_type", "disc.1")
_power_rule("query_media_info", "disc.1")
_power_rule("eject", "unit.1")
_power_rule("erase", "blank.1")


@rule("query_media_info", H.S_OK, "sessions, last track and its start, what can be written")
def _(folder: Path) -> None:
    bench = Bench(folder)
    found = []
    for number in range(3):
        with DataJob(folder, bench) as job:
            job.recorder.open_exclusive()
            found.append(job.recorder.query_media_info())
            job.recorder.close()
            if number < 2:
                job.files.add_data(folder_of(folder / str(number), **{f"f{number}": b"1"}))
                job.master.record_disc()
    assert [each.sessions for each in found] == [0, 1, 2]
    assert [each.last_track for each in found] == [0, 1, 2]
    second = 302 + 6750 + 4500 + 150
    third = second + 302 + 2250 + 4500 + 150
    assert [each.start_address for each in found] == [0, 0, second]
    assert [each.next_writable for each in found] == [0, second, third]
    assert len({each.next_writable + each.free_blocks for each in found}) == 1, "the disc's size"


@rule("query_media_info", NO_MEDIUM, "there is a disc")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.bench.disc = None
        job.recorder.open_exclusive()
        with refuses(NO_MEDIUM):
            job.recorder.query_media_info()
        job.recorder.close()


@rule("eject", H.S_OK, "unlocks and opens the tray")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.recorder.open_exclusive()
        job.recorder.eject()
        assert job.recorder.query_media_type() == (MediaType.NONE, MediaFlags.NONE)
        job.recorder.close()


def erase(job: AudioJob, code: HResult) -> None:
    """Erase, and check code and event."""
    before = len(job.log.of("erased"))
    job.recorder.open_exclusive()
    if code is H.S_OK:
        job.recorder.erase(False)
    else:
        with refuses(code):
            job.recorder.erase(True)
    job.recorder.close()
    assert job.log.of("erased")[before:] == [("erased", code)]


@rule("erase", H.S_OK, "a CD-RW is blank again, and whoever listens is told")
def _(folder: Path) -> None:
    with AudioJob(folder, Bench(folder, "cdrw-short")) as job:
        job.stage(sound(300))
        job.master.record_disc()
        assert asked(job) == (1, MediaFlags.RW)
        erase(job, H.S_OK)
        assert asked(job) == (1, MediaFlags.RW | MediaFlags.BLANK | MediaFlags.WRITABLE)


@rule("erase", H.IMAPI_E_MEDIUM_INVALIDTYPE, "a CD-R stays written")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        erase(job, H.IMAPI_E_MEDIUM_INVALIDTYPE)


@rule("erase", NO_MEDIUM, "there is a disc")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.bench.disc = None
        erase(job, NO_MEDIUM)


@rule("erase", H.IMAPI_E_DEVICE_INVALIDTYPE, "the drive writes CD-RW")
def _(folder: Path) -> None:
    with AudioJob(folder, Bench(folder, "cdrw-short")) as job:
        job.recorder.drive.facts = replace(job.recorder.drive.facts, writes_cdrw=False)
        erase(job, H.IMAPI_E_DEVICE_INVALIDTYPE)


@rule("erase", H.IMAPI_E_GENERIC, "the drive fails")
def _(folder: Path) -> None:
    with AudioJob(folder, Bench(folder, "cdrw-short")) as job:
        job.bench.faults = ["aborted@blank.1"]
        erase(job, H.IMAPI_E_GENERIC)


# -- the enumerators -------------------------------------------------------------------------------


@rule("next", H.S_FALSE, "fewer are left than were asked for")
def _(folder: Path) -> None:
    with DiscMaster([], stash=a_stash(folder)) as master:
        formats = master.enum_disc_master_formats()
        assert formats.next() == (H.S_OK, (DiscMasterFormat.REDBOOK,))
        assert formats.next(2) == (H.S_FALSE, (DiscMasterFormat.JOLIET,))
        assert formats.next(1) == (H.S_FALSE, ())
        assert formats.next(0) == (H.S_OK, ())
        with refuses(H.E_INVALIDARG):
            formats.next(-1)
        assert list(formats) == list(DiscMasterFormat), "and Python's own way leaves it alone"


@rule("skip", H.S_FALSE, "fewer are left than are passed over")
def _(folder: Path) -> None:
    with DiscMaster([], stash=a_stash(folder)) as master:
        formats = master.enum_disc_master_formats()
        assert formats.skip(1) is H.S_OK
        assert formats.skip(2) is H.S_FALSE
        assert formats.next() == (H.S_FALSE, ())
        formats.reset()
        assert formats.skip(2) is H.S_OK


@rule("reset", H.S_OK, "it begins again")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        recorders = job.master.enum_disc_recorders()
        first: tuple[DiscRecorder, ...] = recorders.next()[1]
        recorders.reset()
        assert recorders.next()[1] == first


@rule("clone", H.S_OK, "another one at the same place")
def _(folder: Path) -> None:
    with DiscMaster([], stash=a_stash(folder)) as master:
        formats = master.enum_disc_master_formats()
        formats.skip(1)
        twin = formats.clone()
        formats.reset()
        assert twin.next() == (H.S_OK, (DiscMasterFormat.JOLIET,))
        assert formats.next() == (H.S_OK, (DiscMasterFormat.REDBOOK,))
