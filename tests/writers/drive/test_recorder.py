"""Recorders by name, and what they tell of themselves."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import DriveError, PluginError
from rawcd.recorders import Recorder, list_recorders
from rawcd_writers.drive.recorder import ScsiRecorder, ScsiRecorders, VirtualRecorders

if TYPE_CHECKING:
    from pathlib import Path


def test_names_lead_to_their_kind() -> None:
    scsi, virtual = ScsiRecorders(), VirtualRecorders()
    for name in ("/dev/sr0", "iscsi://host/target/1"):
        found = scsi.named(name)
        assert found is not None
        assert found.name == name
        assert virtual.named(name) is None
    assert scsi.named("virtual:x") is None
    assert scsi.named("album.cue") is None
    assert virtual.discover() == ()
    assert all(each.name.startswith("/dev/sr") for each in scsi.discover())


def test_a_blank_in_a_virtual_recorder_is_described(tmp_path: Path) -> None:
    recorder = VirtualRecorders().named(f"virtual:{tmp_path / 'x.raw'}?medium=cdrw80")
    assert recorder is not None
    facts = recorder.facts()
    assert facts.writes_cdr
    assert facts.writes_cdrw
    assert facts.test_write
    assert facts.modes == ("raw 96", "sao", "tao")
    assert list(facts.speeds) == [52, 48, 40, 32, 24, 16, 8, 4]  # 51.9, 47.9, ... it said
    assert (facts.medium, facts.blank, facts.erasable) == ("CD-RW", True, True)
    kernels: Recorder = recorder  # the kernel's protocols fit what the plug-in gives
    with kernels.open(client="test") as session:
        assert session.identity().vendor == facts.vendor
    assert (facts.maker_code, facts.last_lead_out_lba) == ("97:34:22", 359_849)


def test_recorders_of_one_name_are_equal_and_say_it() -> None:
    for kind, name in ((ScsiRecorders(), "/dev/sr0"), (VirtualRecorders(), "virtual:a.raw")):
        one, other = kind.named(name), kind.named(name)
        assert one == other == pickle.loads(pickle.dumps(one))
        assert {one, other} == {one}
        assert name in repr(one)


def test_an_empty_virtual_recorder_is_described() -> None:
    recorder = VirtualRecorders().named("virtual:?empty=1")
    assert recorder is not None
    facts = recorder.facts()
    assert (facts.medium, facts.modes, facts.speeds) == (None, (), ())
    assert facts.vendor


@pytest.mark.skipif(sys.platform != "linux", reason="SG_IO is Linux' own")
def test_a_device_that_is_no_drive_is_let_go(tmp_path: Path) -> None:
    node = tmp_path / "sr9"
    node.touch()
    for name in (str(node), str(tmp_path / "none")):
        with pytest.raises(DriveError, match=r"no SCSI device|no such device"):
            ScsiRecorder(name).open()


def test_the_environment_names_recorders_that_nobody_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RAWCD_RECORDERS", raising=False)
    found = [each.name for each in list_recorders()]
    one, other = f"virtual:{tmp_path / 'a.raw'}", "virtual:?empty=1"
    monkeypatch.setenv("RAWCD_RECORDERS", f"{one}; {other} ;;{one}")
    assert [each.name for each in list_recorders()] == [*found, one, other]
    monkeypatch.setenv("RAWCD_RECORDERS", "tape:1")
    with pytest.raises(PluginError, match="RAWCD_RECORDERS: 'tape:1' is no recorder's name"):
        list_recorders()
