"""The rules of IRedbookDiscMaster and IJolietDiscMaster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawcd
from rawcd.filesystem import FileTree, Folder, Link, MemoryFile
from rawcd.mastering import DiscMaster, Stash
from tests.mastering.jobs import AudioJob, Bench, DataJob, files_on, folder_of, refuses, sound
from tests.mastering.rulebook import (
    DISCFULL,
    IGNORED,
    TRACKNOTOPEN,
    TRACKOPEN,
    USERABORT,
    H,
    rule,
)

if TYPE_CHECKING:
    from pathlib import Path


# -- IRedbookDiscMaster ----------------------------------------------------------------------------


@rule("get_total_audio_tracks", H.S_OK, "closed and open tracks")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.stage(sound(300))
        job.audio.create_audio_track(300)
        assert job.audio.get_total_audio_tracks() == 2


@rule("get_available_audio_track_blocks", H.S_OK, "gaps and the engine's two blocks allowed for")
def _(folder: Path) -> None:
    job = AudioJob(folder)
    job.master = DiscMaster([job.bench], stash=folder / "stash")
    with job:
        total, disc = job.audio.get_total_audio_blocks(), 359_849
        assert 0 < total <= disc
        job.stage(sound(300))
        job.recorder.set_recorder_properties({"AudioGapSize": 225})
        assert job.audio.get_used_audio_blocks() == 300
        stash = ((800 << 20) - 4096) // 2352
        expected = min(disc - (300 + 2) - 225 - 2, stash - 300)
        assert job.audio.get_available_audio_track_blocks() == expected
        job.audio.create_audio_track(1)
        assert job.audio.get_available_audio_track_blocks() == expected


@rule("get_audio_block_size", H.S_OK, "2,352")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        assert job.audio.get_audio_block_size() == 2352


@rule("create_audio_track", TRACKOPEN, "one open track at a time; nBlocks is only advice")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(1 << 40)
        with refuses(TRACKOPEN):
            job.audio.create_audio_track(300)
        job.audio.add_audio_track_blocks(sound(300))
        job.audio.close_audio_track()


@rule("create_audio_track", DISCFULL, "at most 99 tracks (no page names a code)")
def _(folder: Path) -> None:
    job = AudioJob(folder)
    job.master = DiscMaster([job.bench], stash=Stash(folder / "stash", limit=100 << 20))
    with job:
        track = sound(300)
        for _ in range(99):
            job.stage(track)
        with refuses(DISCFULL):
            job.audio.create_audio_track(300)
        assert job.audio.get_total_audio_tracks() == 99


@rule("create_audio_track", DISCFULL, "no room for four seconds (no page names a code)")
def _(folder: Path) -> None:
    job = AudioJob(folder)
    job.master = DiscMaster([job.bench], stash=Stash(folder / "stash", limit=500 * 2352))
    with job:
        job.stage(sound(300))
        with refuses(DISCFULL):
            job.audio.create_audio_track(100)


@rule("add_audio_track_blocks", TRACKNOTOPEN, "a track is open")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        for _ in range(2):
            with refuses(TRACKNOTOPEN):
                job.audio.add_audio_track_blocks(sound(300))
            job.stage(sound(300))


@rule("add_audio_track_blocks", H.E_INVALIDARG, "whole blocks of 2,352 bytes")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(300)
        for wrong in (b"1", bytes(2353), bytes(2351)):
            with refuses(H.E_INVALIDARG):
                job.audio.add_audio_track_blocks(wrong)
        for other in (17, object()):
            with refuses(H.E_INVALIDARG):
                job.audio.add_audio_track_blocks(other)
        with refuses(H.E_POINTER):
            job.audio.add_audio_track_blocks(None)
        job.audio.add_audio_track_blocks(b"")
        assert job.audio.get_used_audio_blocks() == 0


@rule("add_audio_track_blocks", H.IMAPI_E_GENERIC, "the file that was named cannot be read")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(300)
        with refuses(H.IMAPI_E_GENERIC):
            job.audio.add_audio_track_blocks(folder / "none.wav")


@rule("add_audio_track_blocks", DISCFULL, "as much as fits is kept")
def _(folder: Path) -> None:
    job = AudioJob(folder)
    job.master = DiscMaster([job.bench], stash=Stash(folder / "stash", limit=500 * 2352))
    with job:
        room = job.audio.get_available_audio_track_blocks()
        job.audio.create_audio_track(600)
        with refuses(DISCFULL):
            job.audio.add_audio_track_blocks(sound(600))
        assert job.audio.get_used_audio_blocks() == room
        job.audio.close_audio_track()
        assert job.log.of("add")[-1] == ("add", room, room)


@rule("add_audio_track_blocks", USERABORT, "query_cancel says so; nothing of the call is kept")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(900)
        job.audio.add_audio_track_blocks(sound(300))
        for question in (1, 2, 3):
            job.log.asked, job.log.stop_at = 0, question
            with refuses(USERABORT):
                job.audio.add_audio_track_blocks(sound(600))
        job.log.stop_at = None
        assert job.audio.get_used_audio_blocks() == 300
        job.audio.close_audio_track()


@rule("close_audio_track", TRACKNOTOPEN, "a track is open")
def _(folder: Path) -> None:
    with AudioJob(folder) as job, refuses(TRACKNOTOPEN):
        job.audio.close_audio_track()


@rule("close_audio_track", H.IMAPI_E_TRACK_NOT_BIG_ENOUGH, "four seconds at least; it stays open")
def _(folder: Path) -> None:
    with AudioJob(folder) as job:
        job.audio.create_audio_track(300)
        job.audio.add_audio_track_blocks(sound(299))
        with refuses(H.IMAPI_E_TRACK_NOT_BIG_ENOUGH):
            job.audio.close_audio_track()
        job.audio.add_audio_track_blocks(sound(1))
        job.audio.close_audio_track()


# -- IJolietDiscMaster -----------------------------------------------------------------------------


@rule("get_data_block_size", H.S_OK, "2,048")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        assert job.files.get_data_block_size() == 2048


@rule("add_data", H.IMAPI_E_FILEEXISTS, "a name is there, and overwrite is not asked")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        job.files.add_data(folder_of(folder / "a", x=b"1", sub__y=b"2"))
        used = job.files.get_used_data_blocks()
        for other in (
            folder_of(folder / "b", new=b"3", x=b"4"),
            folder_of(folder / "c", sub__y=b"5"),
            folder_of(folder / "d", sub=b"6"),
            folder_of(folder / "e", x__y=b"7"),
        ):
            with refuses(H.IMAPI_E_FILEEXISTS):
                job.files.add_data(other)
        assert job.files.get_used_data_blocks() == used
        job.files.add_data(folder_of(folder / "f", sub__z=b"8"))  # folders are merged
        job.files.add_data(folder / "d", overwrite=True)
        job.master.record_disc()
        assert job.bench.disc is not None
        assert files_on(job.bench.disc) == {"/x": b"1", "/sub": b"6"}


@rule("add_data", DISCFULL, "what does not fit is dropped whole, before a byte is copied")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        huge = folder / "huge"
        huge.mkdir()
        for number in range(2):
            with (huge / f"{number}").open("wb") as file:
                file.truncate(500 << 20)
        with refuses(DISCFULL):
            job.files.add_data(huge)
        assert job.log.of("add") == []
        assert job.files.get_used_data_blocks() == 0


@rule("add_data", H.IMAPI_E_BADJOLIETNAME, "names of 64 characters that Joliet can hold")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        for bad in ("n" * 65, "a*b", "a;b", "q?"):
            tree = FileTree(root=Folder(entries={bad: MemoryFile(data=b"1")}))
            with refuses(H.IMAPI_E_BADJOLIETNAME):
                job.files.add_data(tree)
        good = FileTree(root=Folder(entries={"n" * 64: MemoryFile(data=b"1")}))
        job.files.add_data(good)


@rule("add_data", USERABORT, "query_cancel says so; nothing of the call is kept")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        data = folder_of(folder / "a", x=b"1" * 2_000_000, y=b"2")
        for question in (1, 3, 6):
            job.log.asked, job.log.stop_at = 0, question
            with refuses(USERABORT):
                job.files.add_data(data)
        job.log.stop_at = None
        assert job.files.get_used_data_blocks() == 0
        job.files.add_data(data)
        steps = job.log.of("add")[-6:]
        assert [step[1] for step in steps] == [0, 256, 512, 768, 977, 978]


@rule("add_data", H.E_INVALIDARG, "what no disc can hold")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        tree = FileTree(root=Folder(entries={"l": Link(target="x")}))
        with refuses(H.E_INVALIDARG):
            job.files.add_data(tree)
        (folder / "a").mkdir()
        (folder / "a" / "loop").symlink_to(folder / "a")
        with refuses(H.E_INVALIDARG):
            job.files.add_data(folder / "a")


@rule("add_data", H.IMAPI_E_GENERIC, "it cannot be read")
def _(folder: Path) -> None:
    with DataJob(folder) as job, refuses(H.IMAPI_E_GENERIC):
        job.files.add_data(folder / "none")


@rule("get_joliet_properties", H.S_OK, "the current date is the name; they do not outlive close")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        first = job.files.get_joliet_properties()
        assert first["VolumeName"]
        job.files.set_joliet_properties({"VolumeName": "mine"})
        job.files.get_joliet_properties()["VolumeName"] = "a copy of them was changed"
        assert job.files.get_joliet_properties()["VolumeName"] == "mine"
    with job:
        assert job.files.get_joliet_properties()["VolumeName"] == first["VolumeName"]


@rule("set_joliet_properties", IGNORED, "unknown ones are skipped, the rest is set")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        given = {"VolumeName": "mine", "Colour": "red"}
        assert job.files.set_joliet_properties(given) == IGNORED
        assert job.files.get_joliet_properties()["VolumeName"] == "mine"


@rule("set_joliet_properties", H.E_POINTER, "nothing is given")
def _(folder: Path) -> None:
    with DataJob(folder) as job, refuses(H.E_POINTER):
        job.files.set_joliet_properties(None)


@rule("set_joliet_properties", H.IMAPI_E_BADJOLIETNAME, "the volume's name is one Joliet can hold")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        for bad in ("n" * 17, "a*b"):
            with refuses(H.IMAPI_E_BADJOLIETNAME):
                job.files.set_joliet_properties({"VolumeName": bad})


WRONG_PROPERTIES: list[dict[str, object]] = [
    {"VolumeName": ""},
    {"VolumeName": 7},
    {"PlaceBootImageOnDisc": "yes"},
    {"PlaceBootImageOnDisc": True},
    {"BootImageManufacturerIDString": "m" * 25},
    {"BootImageManufacturerIDString": "\u00fc"},
    {"BootImagePlatform": 3},
    {"BootImageEmulationType": 5},
    {"BootImageEmulationType": None},
    {"BootImage": 7},
    {"BootImage": b"x", "BootImageEmulationType": 1, "PlaceBootImageOnDisc": True},
]


@rule("set_joliet_properties", H.E_INVALIDARG, "all are set or, where one is wrong, none")
def _(folder: Path) -> None:
    with DataJob(folder) as job:
        before = job.files.get_joliet_properties()
        for wrong in WRONG_PROPERTIES:
            with refuses(H.E_INVALIDARG):
                job.files.set_joliet_properties({"VolumeName": "mine", **wrong})
            assert job.files.get_joliet_properties() == before


@rule("set_joliet_properties", H.S_OK, "a boot image, its platform, its maker")
def _(folder: Path) -> None:
    image = bytes(range(256)) * 20
    (folder / "loader").write_bytes(image)
    with DataJob(folder) as job:
        job.files.set_joliet_properties(
            {
                "PlaceBootImageOnDisc": True,
                "BootImage": folder / "loader",
                "BootImageManufacturerIDString": "RAWCD TESTS",
                "BootImagePlatform": 1,
            }
        )
        (folder / "loader").unlink()
        job.files.add_data(folder_of(folder / "a", readme=b"hello"))
        job.master.record_disc()
        assert job.bench.disc is not None
        files = files_on(job.bench.disc)
        assert image in files.values()
        assert files["/readme"] == b"hello"
        disc = rawcd.open_image(job.bench.disc)
        rows = rawcd.main_sectors(disc, 0, 300)[:, 16:2064]
        record = rows[17].tobytes()
        assert record[7:30] == b"EL TORITO SPECIFICATION"
        catalog = rows[int.from_bytes(record[71:75], "little")].tobytes()
        assert (catalog[0], catalog[1], catalog[30:32]) == (1, 1, b"\x55\xaa")
        assert catalog[4:28] == b"RAWCD TESTS".ljust(24, b"\0")
        assert sum(memoryview(catalog[:32]).cast("H")) & 0xFFFF == 0
        assert catalog[32] == 0x88
        start = int.from_bytes(catalog[40:44], "little")
        assert rows[start : start + 3].tobytes()[: len(image)] == image


@rule(
    "set_joliet_properties",
    H.IMAPI_E_BOOTIMAGE_AND_NONBLANK_DISC,
    "a boot image wants a blank disc",
)
def _(folder: Path) -> None:
    bench = Bench(folder)
    boot = {"PlaceBootImageOnDisc": True, "BootImage": b"x" * 2048}
    with DataJob(folder, bench) as job:
        job.files.add_data(folder_of(folder / "a", a=b"1"))
        job.master.record_disc()
    with DataJob(folder, bench) as job:
        with refuses(H.IMAPI_E_BOOTIMAGE_AND_NONBLANK_DISC):
            job.files.set_joliet_properties(boot)
        written = bench.disc
        bench.blank()
        job.choose()
        job.files.set_joliet_properties(boot)
        bench.disc = written
        job.master.set_active_disc_recorder(job.recorder)
        with refuses(H.IMAPI_E_BOOTIMAGE_AND_NONBLANK_DISC):
            job.files.add_data(folder_of(folder / "b", b=b"1"))


@rule("set_joliet_properties", H.S_OK, "floppies of three sizes and a hard disk")
def _(folder: Path) -> None:
    sizes = {1: 1_228_800, 2: 1_474_560, 3: 2_949_120}
    for emulation, size in sizes.items():
        with DataJob(folder) as job:
            job.files.set_joliet_properties(
                {
                    "PlaceBootImageOnDisc": True,
                    "BootImage": bytes(size),
                    "BootImageEmulationType": emulation,
                }
            )
            job.files.add_data(folder_of(folder / f"a{emulation}", a=b"1"))
            job.master.record_disc()
            assert job.bench.disc is not None
            rows = rawcd.main_sectors(rawcd.open_image(job.bench.disc), 0, 100)[:, 16:2064]
            catalog = rows[int.from_bytes(rows[17, 71:75].tobytes(), "little")]
            assert catalog[33] & 15 == emulation
