"""`virtual:FILE[?medium=cdr80&fault=...]`, as a user names a virtual recorder."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from rawcd.errors import UnsupportedError
from rawcd_writers.drive.virtual.blanks import blank_named
from rawcd_writers.drive.virtual.clock import Clock
from rawcd_writers.drive.virtual.device import VirtualRecorder
from rawcd_writers.drive.virtual.faults import Fault

SCHEME: Final = "virtual:"


def open_virtual(name: str) -> VirtualRecorder:
    """Return the recorder of a name.

    `virtual:` alone keeps its disc in a temporary file; `virtual:FILE` in FILE, which is a blank
    while it is missing, and goes again when nothing was recorded. Behind a question mark:
    `medium=` a kind of blank, `fault=` what goes wrong (as often as wanted), `empty=1` no disc,
    `clock=host` the host's own time counts.

    Raises:
        FormatError: the file holds no disc.
        StorageError: the file cannot be opened, or another recorder has it.
        UnsupportedError: the name says what there is not.
    """
    if not name.startswith(SCHEME):
        raise UnsupportedError(f"{name!r} does not begin with {SCHEME!r}")
    file, _, query = name[len(SCHEME) :].partition("?")
    try:
        options = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise UnsupportedError(f"{name!r}: write OPTION=VALUE behind '?', with '&'") from error
    known = dict(options)
    unknown = known.keys() - {"medium", "fault", "empty", "clock"}
    if unknown:
        raise UnsupportedError(
            f"{name!r}: no option {sorted(unknown)[0]!r}; there are medium, fault, empty, clock"
        )
    for option in known.keys() - {"fault"}:
        if sum(each == option for each, _ in options) > 1:
            raise UnsupportedError(f"{name!r}: {option}= is given twice")
    if known.get("clock", "host") != "host" or known.get("empty", "1") != "1":
        raise UnsupportedError(f"{name!r}: clock= takes host, empty= takes 1")
    return VirtualRecorder(
        Path(file) if file else None,
        blank=blank_named(known["medium"]) if "medium" in known else None,
        empty="empty" in known,
        faults=[Fault.parse(value) for option, value in options if option == "fault"],
        clock=Clock(counts_host="clock" in known),
    )
