"""The table of members against what IMAPI documents, and against our own objects."""

from __future__ import annotations

import inspect
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import rawcd.imapi as win32
from rawcd import mastering
from rawcd.creator import TrackInfo
from rawcd.hresults import HResult
from rawcd.imapi.constants import ENUMERATIONS, values_of
from rawcd.imapi.library import CLASSES, INTERFACES, beyond_reach, interface_of
from rawcd.imapi.library.values import Interface, Kind, Member, Way
from rawcd.imapi.streams import ByteStream
from rawcd.imapi.version1 import PropertyStorage
from rawcd.mastering import formats2

REFERENCE = Path(__file__).parent.parent.parent / "fixtures" / "imapi" / "reference.toml"
DOCUMENTED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))


# -- IMAPI's side --------------------------------------------------------------------------------


@pytest.mark.parametrize("documented", DOCUMENTED["interface"], ids=lambda each: each["name"])
def test_every_documented_member_is_in_the_table(documented: dict[str, Any]) -> None:
    ours = interface_of(documented["name"])
    assert ours is not None
    if documented["iid"]:
        assert ours.iid == documented["iid"]
    for each in documented["members"]:
        member = ours.find(each["name"])
        assert member is not None, each["name"]
        assert member.name == each["name"], "its case is IMAPI's"
        if "dispid" in each:
            assert member.dispid == each["dispid"], each["name"]
        if "way" in each:
            assert member.way.value == each["way"], each["name"]
        reach = "E_NOTIMPL: " + member.why if member.ours is None else member.ours
        print(f"{documented['section']:8} {ours.name}.{member.name}: {reach}")


def test_the_table_has_no_members_of_its_own() -> None:
    for documented in DOCUMENTED["interface"]:
        ours = interface_of(documented["name"])
        assert ours is not None
        names = {each["name"] for each in documented["members"]}
        # Enumerators can be iterated over, too, as win32com's wrapper around them can.
        assert {each.name for each in ours.members} - names <= {"_NewEnum"}, ours.name


@pytest.mark.parametrize("documented", DOCUMENTED["enumeration"], ids=lambda each: each["name"])
def test_every_documented_enumeration_has_its_values(documented: dict[str, Any]) -> None:
    prefix = ENUMERATIONS[documented["name"]][0] if documented["name"] != "v1" else ""
    for name, value in documented["values"].items():
        full = name if name.startswith(prefix) else prefix + name
        assert getattr(win32.constants, full) == value, full
    if documented["name"] != "v1":
        assert len(values_of(documented["name"])) == len(documented["values"])


def test_every_documented_code_is_a_constant_and_signed() -> None:
    for name, code in DOCUMENTED["codes"].items():
        assert HResult[name] == code, name
        assert getattr(win32.constants, name) == HResult(code).signed, name
    assert win32.constants.E_IMAPI_RAW_IMAGE_NO_TRACKS == 0x80AA0A03 - (1 << 32)


def test_constants_cannot_be_put_and_have_no_others() -> None:
    with pytest.raises(AttributeError):
        win32.constants.IMAPI_CD_SECTOR_AUDIO = 1
    with pytest.raises(AttributeError):
        _ = win32.constants.IMAPI_CD_SECTOR_NOISE


def test_dispids_are_given_once() -> None:
    for interface in INTERFACES:
        numbers = [each.dispid for each in interface.members if each.dispid is not None]
        assert len(numbers) == len(set(numbers)), interface.name


# -- our side ------------------------------------------------------------------------------------


def target_of(interface: Interface) -> Any:
    """Return the class behind an interface; None where nothing is."""
    for each in CLASSES:
        if each.interface == interface.name and each.maker:
            module, _, name = each.maker.partition(":")
            return getattr(import_module(module), name)
    return {
        "IBurnVerification": formats2.DiscFormat2TrackAtOnce,
        "IDiscMasterProgressEvents": mastering.DiscMasterProgressEvents,
        "IDiscRecorder": mastering.DiscRecorder,
        "IEnumDiscMasterFormats": mastering.Enumerator,
        "IEnumDiscRecorders": mastering.Enumerator,
        "IJolietDiscMaster": mastering.JolietDiscMaster,
        "IPropertyStorage": PropertyStorage,
        "IRedbookDiscMaster": mastering.RedbookDiscMaster,
        "IRawCDImageTrackInfo": TrackInfo,
        "IDiscFormat2": formats2.DiscFormat2RawCD,
        "IDiscRecorder2Ex": formats2.DiscRecorder2,
        "IDiscFormat2RawCDEventArgs": formats2.RawCDProgress,
        "IDiscFormat2TrackAtOnceEventArgs": formats2.TrackAtOnceProgress,
        "ISequentialStream": ByteStream,
        "IWriteEngine2EventArgs": formats2.RawCDProgress,
        "IWriteSpeedDescriptor": formats2.WriteSpeedDescriptor,
    }.get(interface.name)


ROWS = [
    pytest.param(interface, member, id=f"{interface.name}.{member.name}")
    for interface in INTERFACES
    for member in interface.members
    if member.ours is not None and target_of(interface) is not None
]


@pytest.mark.parametrize(("interface", "member"), ROWS)
def test_a_row_fits_what_it_stands_for(interface: Interface, member: Member) -> None:
    ours = getattr(target_of(interface), str(member.ours), None)
    assert ours is not None, f"{member.ours} is missing"
    if isinstance(ours, property):
        assert member.way in (Way.GET, Way.GET_PUT)
        assert (ours.fset is not None) == (member.way is Way.GET_PUT)
    elif member.is_call:
        expected = inspect.signature(ours).parameters
        given = [each.ours for each in member.arguments]
        assert set(given) <= expected.keys()
        needed = [
            name
            for name, each in expected.items()
            if each.default is each.empty
            and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
            and name != "self"
        ]
        assert set(needed) <= set(given)


def test_objects_in_the_table_have_interfaces_in_the_table() -> None:
    for interface in INTERFACES:
        for member in interface.members:
            for shape in (member.shape, *(each.shape for each in member.arguments)):
                if shape.kind in (Kind.OBJECT, Kind.OBJECTS) and shape.interface:
                    assert interface_of(shape.interface) is not None, member.name
    for each in CLASSES:
        assert interface_of(each.interface) is not None
        assert not each.events or interface_of(each.events) is not None


# -- what is beyond reach ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interface", "member"),
    [pytest.param(i, m, id=f"{i.name}.{m.name}") for i, m in beyond_reach()],
)
def test_what_is_beyond_reach_says_so(interface: Interface, member: Member) -> None:
    assert member.why
    thing = win32.ComObject(None, interface)

    def use() -> None:
        value = getattr(thing, member.name)
        if member.is_call:
            value(*("1" for _ in member.arguments))

    def put() -> None:
        setattr(thing, member.name, 1)

    for attempt in (use, put) if member.way is Way.GET_PUT else (use,):
        with pytest.raises(win32.com_error) as caught:
            attempt()
        assert caught.value.hresult == win32.constants.E_NOTIMPL
        assert caught.value.excepinfo is not None
        assert member.why in str(caught.value.excepinfo[2])


@pytest.mark.parametrize("chosen", CLASSES, ids=lambda each: each.name)
def test_classes_are_made_by_progid_and_clsid_in_any_case(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAWCD_RECORDERS", raising=False)
    for what in (
        chosen.progid,
        chosen.progid.upper(),
        f"{chosen.progid}.1",
        "{" + chosen.clsid.lower() + "}",
        win32.pywintypes.IID(chosen.clsid),
    ):
        made = win32.Dispatch(what)
        assert made._interface_.name == chosen.interface
        assert win32.Dispatch(made) is made
    assert dir(made)
