"""The rules of IDiscMaster, and those that several members share."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from rawcd.mastering import DiscMaster, DiscMasterFormat, DiscRecorder
from tests.mastering.jobs import (
    AudioJob,
    Bench,
    DataJob,
    Log,
    a_stash,
    files_on,
    folder_of,
    refuses,
    sound,
)
from tests.mastering.rulebook import (
    DISCFULL,
    DOCUMENTED,
    NO_MEDIUM,
    NOACTIVEFORMAT,
    NOACTIVERECORDER,
    NOTACCESSIBLE,
    NOTINITIALIZED,
    NOTOPENED,
    NOTPRESENT,
    TRACKOPEN,
    USERABORT,
    WRONGFORMAT,
    H,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.hresults import HResult


def closed(folder: Path) -> DiscMaster:
    return DiscMaster([Bench(folder)], stash=a_stash(folder))


# -- NOTOPENED, NOACTIVEFORMAT, WRONGFORMAT, NOACTIVERECORDER: members that share them -------------

MASTER_CALLS: dict[str, Callable[[DiscMaster], object]] = {
    "enum_disc_master_formats": lambda m: m.enum_disc_master_formats(),
    "get_active_disc_master_format": lambda m: m.get_active_disc_master_format(),
    "set_active_disc_master_format": lambda m: m.set_active_disc_master_format(
        DiscMasterFormat.REDBOOK
    ),
    "enum_disc_recorders": lambda m: m.enum_disc_recorders(),
    "get_active_disc_recorder": lambda m: m.get_active_disc_recorder(),
    "set_active_disc_recorder": lambda m: m.set_active_disc_recorder(DiscRecorder()),
    "clear_format_content": lambda m: m.clear_format_content(),
    "progress_advise": lambda m: m.progress_advise(Log()),
    "progress_unadvise": lambda m: m.progress_unadvise(1),
    "record_disc": lambda m: m.record_disc(),
}
AUDIO_CALLS: dict[str, tuple[object, ...]] = {
    "get_total_audio_tracks": (),
    "get_total_audio_blocks": (),
    "get_used_audio_blocks": (),
    "get_available_audio_track_blocks": (),
    "get_audio_block_size": (),
    "create_audio_track": (300,),
    "add_audio_track_blocks": (bytes(2352),),
    "close_audio_track": (),
}
DATA_CALLS: dict[str, tuple[object, ...]] = {
    "get_total_data_blocks": (),
    "get_used_data_blocks": (),
    "get_data_block_size": (),
    "add_data": (".",),
    "get_joliet_properties": (),
    "set_joliet_properties": ({},),
}
RECORDER_CALLS: dict[str, tuple[object, ...]] = {
    "get_recorder_guid": (),
    "get_recorder_type": (),
    "get_display_names": (),
    "get_base_pnp_id": (),
    "get_path": (),
    "get_recorder_properties": (),
    "set_recorder_properties": ({},),
    "get_recorder_state": (),
    "open_exclusive": (),
    "query_media_type": (),
    "query_media_info": (),
    "eject": (),
    "erase": (False,),
    "close (recorder)": (),
}


def shared(member: str, code: HResult, text: str, check: Callable[[Path], None]) -> None:
    rule(member, code, text)(check)


def _master_rule(name: str, code: HResult, prepare: Callable[[DiscMaster], object]) -> None:
    def check(folder: Path) -> None:
        master = closed(folder)
        prepare(master)
        with refuses(code):
            MASTER_CALLS[name](master)
        master.close()

    shared(name, code, "what comes before it has not been done", check)


for _name in MASTER_CALLS:
    _master_rule(_name, NOTOPENED, lambda master: None)
for _name in (
    "get_active_disc_master_format",
    "enum_disc_recorders",
    "get_active_disc_recorder",
    "set_active_disc_recorder",
    "record_disc",
):
    _master_rule(_name, NOACTIVEFORMAT, lambda master: master.open())


def _opened_with_format(master: DiscMaster) -> None:
    master.open()
    master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)


for _name in ("get_active_disc_recorder", "record_disc"):
    _master_rule(_name, NOACTIVERECORDER, _opened_with_format)


def _format_rule(name: str, arguments: tuple[object, ...], own: DiscMasterFormat) -> None:
    other = next(each for each in DiscMasterFormat if each is not own)

    def wrong(folder: Path) -> None:
        with closed(folder) as master:
            interface = master.set_active_disc_master_format(own)
            master.set_active_disc_master_format(other)
            with refuses(WRONGFORMAT):
                getattr(interface, name)(*arguments)

    def not_opened(folder: Path) -> None:
        with closed(folder) as master:
            interface = master.set_active_disc_master_format(own)
        with refuses(NOTOPENED):
            getattr(interface, name)(*arguments)

    def no_format(folder: Path) -> None:
        with closed(folder) as master:
            interface = master.set_active_disc_master_format(own)
            master.close()
            master.open()
            with refuses(NOACTIVEFORMAT):
                getattr(interface, name)(*arguments)

    shared(name, WRONGFORMAT, f"{other.name} is active", wrong)
    shared(name, NOTOPENED, "the master was closed", not_opened)
    shared(name, NOACTIVEFORMAT, "the master was closed and opened again", no_format)


for _name, _arguments in AUDIO_CALLS.items():
    _format_rule(_name, _arguments, DiscMasterFormat.REDBOOK)
for _name, _arguments in DATA_CALLS.items():
    _format_rule(_name, _arguments, DiscMasterFormat.JOLIET)


def _recorder_rule(name: str, arguments: tuple[object, ...]) -> None:
    method = name.partition(" ")[0]

    def made_by_hand(folder: Path) -> None:
        with refuses(NOTINITIALIZED):
            getattr(DiscRecorder(), method)(*arguments)

    def not_held(folder: Path) -> None:
        with AudioJob(folder) as job, refuses(NOTOPENED):
            getattr(job.recorder, method)(*arguments)

    shared(name, NOTINITIALIZED, "no enumerator gave it", made_by_hand)
    if NOTOPENED in DOCUMENTED[name]:
        shared(name, NOTOPENED, "open_exclusive was not called", not_held)


for _name, _arguments in RECORDER_CALLS.items():
    _recorder_rule(_name, _arguments)


# -- IDiscMaster -----------------------------------------------------------------------------------


@rule("open", H.IMAPI_E_ALREADYOPEN, "once per object before close")
def _(folder: Path) -> None:
    with closed(folder) as master:
        with refuses(H.IMAPI_E_ALREADYOPEN):
            master.open()
        master.close()
        master.open()


@rule("set_active_disc_master_format", H.E_NOINTERFACE, "there are two formats")
def _(folder: Path) -> None:
    with closed(folder) as master:
        for wrong in ("E3BC42CF-4E5C-11D3-9144-00104BA11C5E", "Redbook", ""):
            with refuses(H.E_NOINTERFACE):
                master.set_active_disc_master_format(wrong)
        with refuses(NOACTIVEFORMAT):
            master.get_active_disc_master_format()
        for kind in DiscMasterFormat:
            master.set_active_disc_master_format(str(kind.iid).lower())
            assert master.get_active_disc_master_format() is kind


@rule("set_active_disc_master_format", H.S_OK, "clears the image, and the recorders are others")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        assert job.log.events[-1] == ("pnp",)
        assert job.audio.get_total_audio_tracks() == 0
        with refuses(NOACTIVERECORDER):
            job.master.get_active_disc_recorder()


@rule("enum_disc_recorders", H.S_OK, "a snapshot of what can be used; the speed is the highest")
def _(folder: Path) -> None:
    good, gone = Bench(folder), Bench(folder)
    with DiscMaster([good, gone, "virtual:"], stash=a_stash(folder)) as master:
        master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        all_three = master.enum_disc_recorders()
        gone.unplug()
        assert len(all_three) == 3
        assert len(master.enum_disc_recorders()) == 2
        [first, *_rest] = all_three
        first.set_recorder_properties({"WriteSpeed": 4, "AudioGapSize": 100})
        [again, *_rest] = master.enum_disc_recorders()
        found = again.get_recorder_properties()
        assert found["WriteSpeed"] == found["MaxWriteSpeed"]
        assert found["AudioGapSize"] == 100


@rule("get_active_disc_recorder", NOTPRESENT, "it was unplugged")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        assert job.master.get_active_disc_recorder() is job.recorder
        job.bench.trouble = errno.EBUSY  # busy is not gone
        assert job.master.get_active_disc_recorder() is job.recorder
        job.bench.unplug()
        for _ in range(2):
            with refuses(NOTPRESENT):
                job.master.get_active_disc_recorder()
        job.bench.plug_in()
        job.master.set_active_disc_recorder(job.recorder)
        assert job.master.get_active_disc_recorder() is job.recorder


@rule("set_active_disc_recorder", NOTPRESENT, "it is gone; the one before stays active")
def _(folder: Path) -> None:
    other = Bench(folder)
    with AudioJob(folder) as job:
        job.master._recorders = (job.bench, other)
        first, second = job.master.enum_disc_recorders()
        other.unplug()
        with refuses(NOTPRESENT):
            job.master.set_active_disc_recorder(second)
        assert job.master.get_active_disc_recorder().get_path() == first.get_path()


@rule("set_active_disc_recorder", NO_MEDIUM, "the disc comes first")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.bench.disc = None
        with refuses(NO_MEDIUM):
            job.master.set_active_disc_recorder(job.recorder)


@rule("set_active_disc_recorder", DISCFULL, "sound wants a blank disc, files one with room")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.master.record_disc()
        with refuses(DISCFULL):
            job.master.set_active_disc_recorder(job.recorder)
        job.master.set_active_disc_master_format(DiscMasterFormat.JOLIET)
        with refuses(DISCFULL):
            job.master.set_active_disc_recorder(job.recorder)


@rule("set_active_disc_recorder", H.IMAPI_E_STASHINUSE, "one user on the system")
def _(folder: Path) -> None:
    with AudioJob(folder):
        second = AudioJob(folder)
        with refuses(H.IMAPI_E_STASHINUSE), second:
            pass
        second.master.close()


@rule("set_active_disc_recorder", H.E_POINTER, "none is given")
def _(folder: Path) -> None:
    with AudioJob(folder) as job, refuses(H.E_POINTER):
        job.master.set_active_disc_recorder(None)  # type: ignore[arg-type]  # as from COM


@rule("clear_format_content", H.S_OK, "no way back, and a blank disc is needed from then on")
def _(folder: Path) -> None:
    bench = Bench(folder)
    for number in range(2):
        with DataJob(folder, bench) as job:
            job.files.add_data(folder_of(folder / f"d{number}", **{f"f{number}": b"x"}))
            if not number:
                job.master.record_disc()
                continue
            job.master.clear_format_content()
            with refuses(H.IMAPI_E_INVALIDIMAGE):
                job.master.record_disc()
            job.files.add_data(folder / "d1")
            with refuses(H.IMAPI_E_CANNOT_WRITE_TO_MEDIA):
                job.master.record_disc()
            disc = bench.blank()
            job.master.record_disc()
            assert files_on(disc) == {"/f1": b"x"}


@rule("progress_unadvise", H.E_INVALIDARG, "nobody has that cookie (no page names a code)")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.master.progress_unadvise(job.cookie)
        with refuses(H.E_INVALIDARG):
            job.master.progress_unadvise(job.cookie)


@rule("progress_advise", H.E_POINTER, "nobody is given")
def _(folder: Path) -> None:
    with AudioJob(folder) as job, refuses(H.E_POINTER):
        job.master.progress_advise(None)  # type: ignore[arg-type]  # as from COM


def _record_rule(
    code: HResult, text: str, *faults: str, blocks: int = 400, may_pause: bool = True
) -> None:
    """State what `record_disc` gives when the drive does something."""

    def check(folder: Path) -> None:
        with AudioJob(folder) as job:
            job.stage(sound(blocks))
            job.recorder.set_recorder_properties({"EnableBufferUnderrunFree": int(may_pause)})
            job.bench.faults = list(faults)
            with refuses(code):
                job.master.record_disc()
            assert job.log.of("complete") == [("complete", code)]
            assert job.audio.get_total_audio_tracks() == 1, "the image is kept"
            job.bench.faults = []
            job.bench.blank()
            if code is NOTPRESENT:
                job.choose()
            job.master.record_disc(simulate=True)

    rule("record_disc", code, text)(check)


_record_rule(H.IMAPI_E_GENERIC, "a sector cannot be written", "medium-error@lba=200")
_record_rule(NOTPRESENT, "the power goes while it writes", "power-loss@write.5")
_record_rule(NOTPRESENT, "it does not answer when it is looked at", "power-loss@disc.1")
_record_rule(H.IMAPI_E_INITIALIZE_WRITE, "the laser cannot be tried", "aborted@opc.1")
_record_rule(H.IMAPI_E_INITIALIZE_ENDWRITE, "the track cannot be closed", "aborted@close.1")
_record_rule(H.IMAPI_E_INITIALIZE_ENDWRITE, "the session cannot be closed", "aborted@close.2")
_record_rule(H.IMAPI_E_INITIALIZE_ENDWRITE, "the buffer cannot be emptied", "aborted@sync.1")
_record_rule(H.IMAPI_E_DISCINFO, "the disc's state cannot be read", "aborted@disc.1")
_record_rule(
    H.IMAPI_E_LOSS_OF_STREAMING,
    "data come too late, and the drive may not pause",
    "slow-host@5",
    blocks=2000,  # more than the drive's buffer holds: else it begins when it has everything
    may_pause=False,
)
_record_rule(NO_MEDIUM, "the disc is taken out while it writes", "medium-change@write.4")


@rule("record_disc", NOTACCESSIBLE, "the drive is held: here, and by another program")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.recorder.open_exclusive()
        with refuses(NOTACCESSIBLE):
            job.master.record_disc()
        job.recorder.close()
        job.bench.trouble = errno.EBUSY
        with refuses(NOTACCESSIBLE):
            job.master.record_disc()
        assert job.log.of("complete") == [("complete", NOTACCESSIBLE)], "the burn had begun"


@rule("record_disc", NO_MEDIUM, "the drive is empty")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.bench.disc = None
        with refuses(NO_MEDIUM):
            job.master.record_disc()


@rule("record_disc", USERABORT, "query_cancel says so, at any question")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.log.asked = 0
        job.master.record_disc(simulate=True)
        questions = job.log.asked
        for stop_at in range(1, questions + 1, max(1, questions // 6)):
            job.stage(sound(300))
            job.log.asked, job.log.stop_at = 0, stop_at
            with refuses(USERABORT):
                job.master.record_disc(simulate=True)
            job.log.stop_at = None
            job.master.clear_format_content()


@rule("record_disc", TRACKOPEN, "all tracks are closed first")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(300)
        with refuses(TRACKOPEN):
            job.master.record_disc()


@rule("record_disc", H.IMAPI_E_INVALIDIMAGE, "nothing is staged, or nothing any more")
def _(folder: Path) -> None:
    with AudioJob(folder) as job, refuses(H.IMAPI_E_INVALIDIMAGE):
        job.master.record_disc()
    with DataJob(folder) as files:
        (folder / "nothing").mkdir()
        files.files.add_data(folder / "nothing")
        with refuses(H.IMAPI_E_INVALIDIMAGE):
            files.master.record_disc()


@rule("record_disc", H.IMAPI_E_INVALIDIMAGE, "the stash was damaged under it")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        stash = job.master._job.stash.path
        with stash.open("r+b") as file:
            file.truncate(100_000)
        with refuses(H.IMAPI_E_INVALIDIMAGE):
            job.master.record_disc()


@rule("record_disc", H.IMAPI_E_WRONGDISC, "the disc of a multi-session was taken out")
def _(folder: Path) -> None:
    bench = Bench(folder)
    with DataJob(folder, bench) as job:
        job.files.add_data(folder_of(folder / "a", a=b"1"))
        job.master.record_disc()
    with DataJob(folder, bench) as job:
        job.files.add_data(folder_of(folder / "b", b=b"1"))
        bench.blank()
        with refuses(H.IMAPI_E_WRONGDISC):
            job.master.record_disc()


@rule("record_disc", DISCFULL, "a smaller disc came instead (no page names a code)")
def _(folder: Path) -> None:
    with AudioJob(folder, Bench(folder, "cdr90")) as job:
        job.stage(sound(300))
        tracks = job.master._audio.tracks
        tracks[0].blocks = 300_000
        job.master._job.stash.used = 300_000 * 2352
        job.bench.blank("cdr63")
        with refuses(DISCFULL):
            job.master.record_disc()


@rule("close", H.S_OK, "always succeeds, and may be repeated")
def _(folder: Path) -> None:
    master = closed(folder)
    for _ in range(3):
        master.close()
    job = AudioJob(folder)
    with job:
        job.stage(sound(300))
        for _ in range(2):
            job.master.close()
    with job:
        assert job.audio.get_total_audio_tracks() == 0, "what was not burned is lost"
