"""A command for a drive: an object that holds its own CDB, and knows how its reply is read.

It has the shape that PYSCSI's devices execute: `cdb`, `dataout`, `datain`, `sense`. PYSCSI keeps
a command's layout on the class; ours keep nothing there, so that threads may build them at will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import construct

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

R = TypeVar("R")

SECONDS: Final = 30.0
"""How long a command may take that finds the drive at rest."""


class Command(Generic[R]):
    """A command for a drive, and how its reply is read.

    Attributes:
        name: as MMC calls it.
        cdb: the command descriptor block.
        data_out: what is sent.
        data_in: the most bytes that may come.
        timeout: seconds until it counts as lost.
        lba: the address that it is about, or None.
        sense: where PYSCSI's devices look for sense data.
        result: where PYSCSI's devices leave what they read.
    """

    __slots__ = (
        "_datain",
        "_parse",
        "cdb",
        "data_in",
        "data_out",
        "lba",
        "name",
        "result",
        "sense",
        "timeout",
    )

    def __init__(
        self,
        name: str,
        layout: construct.Construct[Any, Any],
        fields: dict[str, int],
        parse: Callable[[bytes], R],
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = SECONDS,
        lba: int | None = None,
    ) -> None:
        self.name = name
        try:
            self.cdb: bytes = layout.build(fields)
        except construct.ConstructError as error:
            raise ValueError(f"{name} cannot say {fields}: {error}") from error
        self.data_out = data_out
        self.data_in = data_in
        self.timeout = timeout
        self.lba = lba
        self.sense: bytes | None = None
        self.result: R | None = None
        self._parse = parse
        self._datain: bytearray | None = None

    @property
    def dataout(self) -> bytearray:
        """What is sent, as PYSCSI's devices take it."""
        return bytearray(self.data_out)

    @property
    def datain(self) -> bytearray:
        """Room for what comes, as PYSCSI's devices take it."""
        if self._datain is None:
            self._datain = bytearray(self.data_in)
        return self._datain

    def unmarshall(self) -> None:
        """Read `datain` into `result`, as PYSCSI's facade asks for it."""
        self.result = self.reply(bytes(self.datain))

    def reply(self, data: bytes) -> R:
        """Return what the bytes say that came.

        Raises:
            FormatError: they are no reply to this command.
        """
        return self._parse(data)

    def unread(self) -> Command[bytes]:
        """Return the same command, whose reply is taken as it comes."""
        same = Command.__new__(Command)
        for name in Command.__slots__:
            setattr(same, name, getattr(self, name))
        same._parse = as_it_is
        return same

    def __repr__(self) -> str:
        return f"<{self.name} {self.cdb.hex()}>"


def nothing(data: bytes) -> None:
    """Read the reply of a command that has none."""
    del data


def as_it_is(data: bytes) -> bytes:
    """Read a reply that is bytes and nothing else."""
    return data


def cdb_layout(opcode: int, *fields: construct.Construct[Any, Any]) -> construct.Struct:
    """Return the layout of a command: its code, then fields to the length the code implies."""
    group = opcode >> 5
    size = {0: 6, 1: 10, 2: 10, 5: 12}[group]
    layout = construct.Struct(construct.Const(bytes([opcode])), *fields)
    return construct.Struct(*layout.subcons, construct.Padding(size - layout.sizeof()))
