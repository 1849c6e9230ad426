"""The one table of members: IMAPI's interfaces and classes, and what stands behind each member.

`images`, `writing`, `device`, `streams` and `version1` hold the rows that work, `absent` those that
are beyond reach. Names, DISPIDs and ids are those of imapi.h, imapi2.h and objidl.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.imapi.library import absent, device, images, streams, version1, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.imapi.library.values import CoClass, Interface, Member

_MODULES: Final = (images, writing, device, streams, version1, absent)
INTERFACES: Final = tuple(each for module in _MODULES for each in module.INTERFACES)
CLASSES: Final = tuple(each for module in _MODULES for each in module.CLASSES)
_BY_NAME: Final = {each.name: each for each in INTERFACES}
_BY_ID: Final = {
    key.upper(): each for each in CLASSES for key in (each.progid, f"{each.progid}.1", each.clsid)
}


def plain_id(what: object) -> str:
    """Return a ProgID, name or GUID in upper case without braces."""
    return str(what).strip().strip("{}").upper()


def class_of(what: object) -> CoClass | None:
    """Return a class by its ProgID (with or without version) or CLSID; None where there is none."""
    return _BY_ID.get(plain_id(what))


def interface_of(name: str) -> Interface | None:
    """Return an interface by its name; None where there is none."""
    return _BY_NAME.get(name)


def beyond_reach() -> Iterator[tuple[Interface, Member]]:
    """Yield the members that say E_NOTIMPL."""
    for interface in INTERFACES:
        for member in interface.members:
            if member.ours is None:
                yield interface, member
