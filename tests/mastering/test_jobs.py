"""Whole jobs of IMAPI 1, in the documented sequence, on the virtual recorder."""

from __future__ import annotations

import shutil
import wave
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.filesystem import VolumeOptions
from rawcd.hresults import HResult
from rawcd.mastering import DiscMaster, DiscMasterFormat, JolietDiscMaster, RedbookDiscMaster
from tests.mastering.jobs import (
    BLOCK,
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

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.mastering import DiscMasterProgressEvents


def sounds_on(disc: Path, *lengths: int) -> list[bytes]:
    """Return what the tracks of a disc begin with, so many blocks of each."""
    image = rawcd.open_image(disc)
    assert len(image.disc.tracks) == len(lengths)
    return [
        rawcd.main_sectors(image, track.start_lba, blocks).tobytes()
        for track, blocks in zip(image.disc.tracks, lengths, strict=True)
    ]


def check_steps(steps: list[tuple[str | int, ...]], total: int) -> None:
    """Check that a progress begins, rises and ends as it should."""
    done = [step[1] for step in steps]
    assert all(step[2] == total for step in steps)
    assert (done[0], done[-1]) == (0, total)
    assert all(isinstance(a, int) and a < int(b) for a, b in pairwise(done))
    assert len(done) > 2


def test_a_disc_of_sound_step_by_step_as_the_reference_has_it(tmp_path: Path) -> None:
    bench, log = Bench(tmp_path), Log()
    master = DiscMaster([bench], stash=a_stash(tmp_path))
    master.open()
    formats = list(master.enum_disc_master_formats())
    assert formats == [DiscMasterFormat.REDBOOK, DiscMasterFormat.JOLIET]
    audio = master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
    assert isinstance(audio, RedbookDiscMaster)
    code, (recorder,) = master.enum_disc_recorders().next(1)
    assert code is HResult.S_OK
    recorder.open_exclusive()
    assert recorder.query_media_info().free_blocks > 300_000
    recorder.close()
    assert recorder.set_recorder_properties({"WriteSpeed": 8, "AudioGapSize": 150}) == HResult.S_OK
    master.set_active_disc_recorder(recorder)
    cookie = master.progress_advise(log)
    tracks = [sound(300), sound(700, 2), sound(450, 3)]
    for track in tracks:
        blocks = len(track) // BLOCK
        assert audio.get_available_audio_track_blocks() >= blocks
        audio.create_audio_track(blocks)
        for at in range(0, len(track), 100 * BLOCK):
            audio.add_audio_track_blocks(track[at : at + 100 * BLOCK])
        audio.close_audio_track()
    assert audio.get_total_audio_tracks() == 3
    assert audio.get_used_audio_blocks() == 1450
    staged = len(log.events)
    assert {event[0] for event in log.events} == {"add"}
    master.record_disc(False, False)
    burned = log.events[staged:]
    assert [event for event in burned if event[0] != "block"] == [
        ("preparing",),
        ("track", 0, 3),
        ("track", 1, 3),
        ("track", 2, 3),
        ("track", 3, 3),
        ("closing",),
        ("complete", HResult.S_OK),
    ]
    check_steps([event for event in burned if event[0] == "block"], 1450)
    place = [event for event in burned if event[0] in ("block", "track")]
    for done, blocks in ((1, 300), (2, 1000), (3, 1450)):  # the last block of a track, then it
        at = place.index(("track", done, 3))
        assert place[at - 1] == ("block", blocks, 1450)
    assert log.asked > 10
    master.progress_unadvise(cookie)
    master.close()
    assert bench.disc is not None
    assert sounds_on(bench.disc, 300, 700, 450) == tracks
    disc = rawcd.open_image(bench.disc).disc
    assert [track.pregap_sectors for track in disc.tracks] == [150, 150, 150]
    assert [track.sector_count for track in disc.tracks] == [302, 702, 452], "two more, each"
    assert not disc.appendable


def test_recorders_are_named_by_the_environment_or_in_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"virtual:{tmp_path / 'disc.raw'}?medium=cdr-short"
    monkeypatch.setenv("RAWCD_STASH", str(tmp_path / "stash"))
    monkeypatch.setenv("RAWCD_RECORDERS", name)
    for master in (DiscMaster(), DiscMaster(name), DiscMaster([name])):
        with master:
            master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
            found = {recorder.get_path() for recorder in master.enum_disc_recorders()}
            assert name in found
    with DiscMaster("no such recorder") as master:
        master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            master.enum_disc_recorders()


@pytest.mark.parametrize("gap", [0, 75, 225])
def test_the_true_gap_is_longer_by_the_two_blocks_of_the_engine(tmp_path: Path, gap: int) -> None:
    tracks = [sound(300), sound(310, 2), sound(320, 3)]
    with AudioJob(tmp_path) as job:
        job.recorder.set_recorder_properties({"AudioGapSize": gap})
        job.stage(*tracks)
        room = job.audio.get_available_audio_track_blocks()
        job.master.record_disc()
        assert job.bench.disc is not None
        assert sounds_on(job.bench.disc, 300, 310, 320) == tracks
        first, second, third = rawcd.open_image(job.bench.disc).disc.tracks
    assert second.start_lba - (first.start_lba + 300) == gap + 2
    assert third.start_lba - (second.start_lba + 310) == gap + 2
    stash = ((64 << 20) - 4096) // BLOCK
    assert room == min(359_849 - (third.end_lba + gap + 2), stash - 930)


def test_a_key_that_stops_the_program_leaves_the_image_for_another_try(tmp_path: Path) -> None:
    class Impatient(Log):
        def notify_block_progress(self, completed: int, total: int) -> None:
            if completed:
                raise KeyboardInterrupt

    with AudioJob(tmp_path) as job:
        job.stage(sound(300))
        cookie = job.master.progress_advise(Impatient())
        with pytest.raises(KeyboardInterrupt):
            job.master.record_disc()
        job.master.progress_unadvise(cookie)
        job.bench.blank()
        job.master.record_disc(simulate=True)


def test_a_disc_of_files_step_by_step_as_the_reference_has_it(tmp_path: Path) -> None:
    bench, log = Bench(tmp_path), Log()
    first = folder_of(tmp_path / "a", one=b"1" * 5000, sub__two=b"22", empty=b"")
    second = folder_of(tmp_path / "b", sub__three=b"3" * 2048)
    master = DiscMaster([bench], stash=a_stash(tmp_path))
    master.open()
    files = master.set_active_disc_master_format(DiscMasterFormat.JOLIET.iid)
    assert isinstance(files, JolietDiscMaster)
    [recorder] = master.enum_disc_recorders()
    master.set_active_disc_recorder(recorder)
    master.progress_advise(log)
    properties = files.get_joliet_properties()
    properties["VolumeName"] = "Urlaub 2026"
    assert files.set_joliet_properties(properties) == HResult.S_OK
    assert files.get_joliet_properties() == properties
    assert files.get_total_data_blocks() > files.get_used_data_blocks() == 0
    files.add_data(first)
    files.add_data(second)
    assert 20 < files.get_used_data_blocks() < 60
    check_adds = log.of("add")
    assert check_adds[0][1] == 0
    assert check_adds[-1][1:] == (1, 1)
    del log.events[:]
    master.record_disc()
    assert [event for event in log.events if event[0] != "block"] == [
        ("preparing",),
        ("closing",),
        ("complete", HResult.S_OK),
    ]
    check_steps(log.of("block"), 300)
    master.close()
    assert bench.disc is not None
    assert files_on(bench.disc) == {
        "/one": b"1" * 5000,
        "/sub/two": b"22",
        "/sub/three": b"3" * 2048,
        "/empty": b"",
    }
    assert rawcd.open_image(bench.disc).disc.appendable


def test_sound_is_burned_from_the_stash_alone(tmp_path: Path) -> None:
    source = tmp_path / "source.wav"
    samples = sound(320, 7)
    with wave.open(str(source), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(samples)
    with AudioJob(tmp_path) as job:
        job.audio.create_audio_track(320)
        job.audio.add_audio_track_blocks(source)
        job.audio.close_audio_track()
        source.unlink()
        job.master.record_disc()
        assert job.bench.disc is not None
        assert sounds_on(job.bench.disc, 320) == [samples]


def test_files_are_burned_from_the_stash_alone(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", one=b"1" * 700_000, sub__two=b"22")
    with DataJob(tmp_path) as job:
        job.files.add_data(folder)
        shutil.rmtree(folder)
        job.master.record_disc()
        assert job.bench.disc is not None
        assert files_on(job.bench.disc) == {"/one": b"1" * 700_000, "/sub/two": b"22"}


def test_a_second_session_shows_the_files_of_the_first(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    totals = []
    for number, (files, overwrite) in enumerate(
        [
            ({"a": b"first", "sub__b": b"b" * 3000}, False),
            ({"c": b"second"}, False),
            ({"a": b"third"}, True),
        ]
    ):
        with DataJob(tmp_path, bench) as job:
            job.recorder.open_exclusive()
            totals.append(job.recorder.query_media_info().free_blocks)
            job.recorder.close()
            job.files.add_data(folder_of(tmp_path / str(number), **files), overwrite)
            job.master.record_disc()
    assert bench.disc is not None
    assert files_on(bench.disc) == {"/a": b"third", "/sub/b": b"b" * 3000, "/c": b"second"}
    disc = rawcd.open_image(bench.disc).disc
    assert [len(session.tracks) for session in disc.sessions] == [1, 1, 1]
    lead_out, lead_in = 6750, 4500
    assert totals[0] - totals[1] >= 300 + lead_out + lead_in, "the first session costs 21 MB"
    assert 300 + 2250 + lead_in <= totals[1] - totals[2] < 300 + lead_out + lead_in, "then 11 MB"


def test_a_name_on_the_disc_is_there_already(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = folder_of(tmp_path / "a", name=b"1")
    with DataJob(tmp_path, bench) as job:
        job.files.add_data(folder)
        job.master.record_disc()
    with DataJob(tmp_path, bench) as job, refuses(HResult.IMAPI_E_FILEEXISTS):
        job.files.add_data(folder)


def test_what_was_replaced_still_reaches_the_disc(tmp_path: Path) -> None:
    old, new = b"the old bytes " * 300, b"the new bytes"
    with DataJob(tmp_path) as job:
        job.files.add_data(folder_of(tmp_path / "a", name=old))
        before = job.files.get_used_data_blocks()
        job.files.add_data(folder_of(tmp_path / "b", name=new), overwrite=True)
        assert job.files.get_used_data_blocks() == before + 1
        job.master.record_disc()
        assert job.bench.disc is not None
        assert files_on(job.bench.disc) == {"/name": new}
        image = rawcd.open_image(job.bench.disc)
        track = image.disc.tracks[0]
        plain = rawcd.main_sectors(image, track.start_lba, 300)[:, 16:2064].tobytes()
        assert old in plain


def test_another_disc_than_the_one_that_was_read_is_refused_and_the_right_one_taken(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    with DataJob(tmp_path, bench) as job:
        job.files.add_data(folder_of(tmp_path / "a", a=b"1"))
        job.master.record_disc()
    right = bench.disc
    other = Bench(tmp_path)
    with DataJob(tmp_path, other) as job:
        job.files.add_data(folder_of(tmp_path / "x", x=b"1"))
        job.master.record_disc()
    with DataJob(tmp_path, bench) as job:
        job.files.add_data(folder_of(tmp_path / "b", b=b"2"))
        bench.disc = other.disc
        with refuses(HResult.IMAPI_E_WRONGDISC):
            job.master.record_disc()
        bench.blank()
        with refuses(HResult.IMAPI_E_WRONGDISC):
            job.master.record_disc()
        assert job.log.of("complete") == [("complete", HResult.IMAPI_E_WRONGDISC)] * 2
        bench.disc = right
        job.master.record_disc()
    assert right is not None
    assert files_on(right) == {"/a": b"1", "/b": b"2"}


def test_the_disc_of_the_last_image_is_no_longer_the_one_that_was_read(tmp_path: Path) -> None:
    with DataJob(tmp_path) as job:
        job.files.add_data(folder_of(tmp_path / "a", a=b"1"))
        job.master.record_disc()
        job.files.add_data(folder_of(tmp_path / "b", b=b"1"))
        with refuses(HResult.IMAPI_E_CANNOT_WRITE_TO_MEDIA):
            job.master.record_disc()
        job.choose()  # as the documentation asks before every image; what is staged stays
        job.master.record_disc()
        assert job.bench.disc is not None
        assert files_on(job.bench.disc) == {"/a": b"1", "/b": b"1"}


def test_the_image_is_kept_until_a_burn_succeeds(tmp_path: Path) -> None:
    track = sound(300)
    with AudioJob(tmp_path) as job:
        job.stage(track)
        right, job.bench.disc = job.bench.disc, None
        with refuses(HResult.IMAPI_E_MEDIUM_NOTPRESENT):
            job.master.record_disc()
        job.bench.disc = right
        job.recorder.open_exclusive()
        with refuses(HResult.IMAPI_E_DEVICE_NOTACCESSIBLE):
            job.master.record_disc()
        job.recorder.close()
        job.log.stop_at = job.log.asked + 3
        with refuses(HResult.IMAPI_E_USERABORT):
            job.master.record_disc()
        job.log.stop_at = None
        job.bench.blank()
        job.master.record_disc()
        assert job.bench.disc is not None
        assert sounds_on(job.bench.disc, 300) == [track]
        with refuses(HResult.IMAPI_E_INVALIDIMAGE):
            job.master.record_disc()


def test_a_simulated_burn_writes_nothing_and_uses_the_image_up(tmp_path: Path) -> None:
    with AudioJob(tmp_path) as job:
        job.stage(sound(300), sound(300))
        job.master.record_disc(simulate=True)
        assert job.log.of("track", "closing", "complete") == [
            ("track", 0, 2),
            ("track", 1, 2),
            ("track", 2, 2),
            ("closing",),
            ("complete", HResult.S_OK),
        ]
        assert job.bench.disc is not None
        assert not job.bench.disc.exists()
        assert job.audio.get_total_audio_tracks() == 0
        with refuses(HResult.IMAPI_E_INVALIDIMAGE):
            job.master.record_disc()


def test_a_lost_recorder_can_be_replaced_and_the_image_is_kept(tmp_path: Path) -> None:
    gone, other = Bench(tmp_path), Bench(tmp_path)
    track = sound(300)
    with AudioJob(tmp_path, gone) as job:
        job.stage(track)
        gone.unplug()
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            job.master.record_disc()
        assert ("pnp",) in job.log.events
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            job.master.get_active_disc_recorder()
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            job.audio.create_audio_track(300)
        assert list(job.master.enum_disc_recorders()) == []
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            job.master.set_active_disc_recorder(job.recorder)
        job.master._recorders = (gone, other)
        job.choose()
        assert job.recorder.get_path() == other.name
        job.master.record_disc()
    assert other.disc is not None
    assert sounds_on(other.disc, 300) == [track]


def test_the_tray_opens_after_a_burn_if_it_shall(tmp_path: Path) -> None:
    with AudioJob(tmp_path) as job:
        job.stage(sound(300))
        job.bench.faults = ["aborted@unit.1"]  # START STOP UNIT: a tray that does not open
        job.master.record_disc(eject_after_burn=True)  # changes nothing in what was burned
        assert job.log.of("complete") == [("complete", HResult.S_OK)]


def test_what_a_listener_raises_ends_the_work_and_is_the_cause(tmp_path: Path) -> None:
    class Broken(Log):
        def notify_block_progress(self, completed: int, total: int) -> None:
            raise ZeroDivisionError

    with AudioJob(tmp_path) as job:
        job.stage(sound(300))
        job.master.progress_advise(Broken())
        with pytest.raises(MasteringError) as caught:
            job.master.record_disc()
        assert caught.value.hresult == HResult.IMAPI_E_USERABORT
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_closing_in_the_middle_of_a_burn_ends_it_first(tmp_path: Path) -> None:
    with AudioJob(tmp_path) as job:

        class Closer(Log):
            def notify_track_progress(self, current: int, total: int) -> None:
                with refuses(HResult.E_UNEXPECTED):
                    job.master.clear_format_content()
                job.master.close()

        job.stage(sound(300))
        job.master.progress_advise(Closer())
        with refuses(HResult.IMAPI_E_USERABORT):
            job.master.record_disc()
        with refuses(HResult.IMAPI_E_NOTOPENED):
            job.master.record_disc()
        assert not job.master._job.stash.is_taken


def test_everyone_who_listens_is_told_and_asked(tmp_path: Path) -> None:
    with AudioJob(tmp_path) as job:
        others: list[DiscMasterProgressEvents] = [Log(), Log(stop_at=1)]
        cookies = [job.master.progress_advise(other) for other in others]
        assert len({*cookies, job.cookie}) == 3
        job.audio.create_audio_track(300)
        with refuses(HResult.IMAPI_E_USERABORT):
            job.audio.add_audio_track_blocks(sound(300))
        job.master.progress_unadvise(cookies[1])
        job.audio.add_audio_track_blocks(sound(300))
        first = others[0]
        assert isinstance(first, Log)
        assert first.events == job.log.events


def test_a_stop_comes_too_late_when_the_disc_is_being_closed(tmp_path: Path) -> None:
    class Late(Log):
        def notify_closing_disc(self, seconds: int) -> None:
            self.stop_at = 0

    track = sound(300)
    with AudioJob(tmp_path) as job:
        job.stage(track)
        job.master.progress_advise(Late())
        job.master.record_disc()
        assert job.log.of("complete") == [("complete", HResult.S_OK)]
        assert job.bench.disc is not None
        assert sounds_on(job.bench.disc, 300) == [track]


def foreign_disc(tmp_path: Path, kind: str, bench: Bench) -> None:
    """Write a session of another kind than IMAPI's, that another could follow."""
    folder = folder_of(tmp_path / kind, a=b"1")
    creator = rawcd.RawCDImageCreator()
    creator.appendable = True
    if kind == "sound":
        creator.add_track(sound(300))
    elif kind == "data that is no file system":
        creator.add_track(bytes(300 * 2048), sector_type=rawcd.SectorType.MODE1)
    else:
        options = VolumeOptions(rock_ridge=kind == "rock ridge", joliet=kind != "iso")
        sector_type = rawcd.SectorType.MODE2FORM1 if kind == "xa" else rawcd.SectorType.MODE1
        creator.add_folder(folder, sector_type, options=options)
    with bench.open() as session:
        session.burn(creator.create_result_image())


@pytest.mark.parametrize(
    "kind", ["sound", "data that is no file system", "rock ridge", "iso", "xa"]
)
def test_a_session_of_another_kind_is_not_gone_on_from(tmp_path: Path, kind: str) -> None:
    bench = Bench(tmp_path)
    foreign_disc(tmp_path, kind, bench)
    job = DataJob(tmp_path, bench)
    with refuses(HResult.IMAPI_E_DISCFULL), job:
        pass
    with refuses(HResult.IMAPI_E_NOACTIVERECORDER):
        job.files.get_total_data_blocks()
    job.master.close()


def test_a_session_that_somebody_left_open_is_not_gone_on_from(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.open() as session:
        session.track_at_once(rawcd.ArraySource(sound(300)))
    job = DataJob(tmp_path, bench)
    with refuses(HResult.IMAPI_E_DISCFULL), job:
        pass
    job.master.close()
