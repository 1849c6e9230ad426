"""Recorders: what a drive has to be, and how an image gets onto the disc in one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rawcd.errors import PluginError
from rawcd.plugins import RECORDERS, load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.drives import BurnOutcome, DriveSession
    from rawcd.image import DiscImage
    from rawcd.progress import BurnWatch

NAMED_BY: Final = "RAWCD_RECORDERS"
"""The environment variable that names recorders which nobody finds by looking."""
_BETWEEN_NAMES: Final = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderFacts:
    """What a recorder says of itself and of what is in it.

    Attributes:
        name: how it is called.
        vendor: the maker.
        product: the model.
        firmware: its revision.
        writes_cdr: it writes CD-R.
        writes_cdrw: it writes CD-RW.
        test_write: it can rehearse a burn.
        buffer_bytes: its buffer; 0 where it does not say.
        modes: `raw 96`, `sao`, `tao`: what it takes with the blank that is in it.
        speeds: for this disc, times single speed, the fastest first.
        medium: `CD-R`, `CD-RW`, ...; None: it is empty.
        blank: nothing is written.
        closed: nothing can be added: the disc is complete.
        erasable: the disc can be blanked.
        lead_in_lba: where the blank's groove puts the lead-in.
        last_lead_out_lba: the last possible start of the lead-out.
        maker_code: the lead-in's address, by which the disc's maker is known.
        maker: the blank's maker, where that address is a known code.
        dye: of a CD-R the kind of its dye, by the same address.
    """

    name: str
    vendor: str
    product: str
    firmware: str
    writes_cdr: bool
    writes_cdrw: bool
    test_write: bool
    buffer_bytes: int
    modes: tuple[str, ...] = ()
    speeds: tuple[float, ...] = ()
    medium: str | None = None
    blank: bool = False
    closed: bool = False
    erasable: bool = False
    lead_in_lba: int | None = None
    last_lead_out_lba: int | None = None
    maker_code: str | None = None
    maker: str | None = None
    dye: str | None = None


class Recorder(Protocol):
    """A recorder that nobody holds yet.

    Attributes:
        name: `/dev/sr0`, `virtual:disc.img`: what leads to it again.
    """

    @property
    def name(self) -> str:
        """What leads to it again."""
        ...

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> DriveSession:
        """Return a session with it, a context manager that lets go of it.

        Args:
            exclusive: nobody else may have it meanwhile.
            client: who holds it.

        Raises:
            DriveError: it cannot be opened, or somebody else has it.
        """
        ...

    def facts(self) -> RecorderFacts:
        """Ask it what it is, what it can write and what is in it.

        Raises:
            DriveError: it does not answer.
        """
        ...


class Recorders(Protocol):
    """A kind of recorders: one class, made without arguments.

    Attributes:
        name: the entry point's name.
    """

    name: str

    def discover(self) -> Sequence[Recorder]:
        """Return those that can be found without being named."""
        ...

    def named(self, name: str) -> Recorder | None:
        """Return the one of a name; None where the name is of another kind."""
        ...


def _all_recorders() -> list[Recorders]:
    return load_all(RECORDERS)


def list_recorders() -> tuple[Recorder, ...]:
    """Return the recorders of this computer.

    Virtual and distant ones cannot be found by looking: those are listed that the environment
    names in `RAWCD_RECORDERS`, with ";" between two of them, behind those that were found:

    ```sh
    RAWCD_RECORDERS="virtual:disc.raw;iscsi://HOST/TARGET/LUN" rawcd drives
    ```

    Raises:
        PluginError: a plug-in cannot be loaded; no plug-in knows a name of `RAWCD_RECORDERS`.
    """
    found = [recorder for kind in _all_recorders() for recorder in kind.discover()]
    known = {recorder.name for recorder in found}
    for name in map(str.strip, os.environ.get(NAMED_BY, "").split(_BETWEEN_NAMES)):
        if name and name not in known:
            known.add(name)
            try:
                found.append(find_recorder(name))
            except PluginError as error:
                raise PluginError(f"{NAMED_BY}: {error}", name=name, group=RECORDERS) from error
    return tuple(found)


def find_recorder(name: str) -> Recorder:
    """Return a recorder by its name: `/dev/sr0`, `iscsi://HOST/TARGET/LUN`, `virtual:FILE`.

    Raises:
        PluginError: no plug-in knows such names.
    """
    for kind in _all_recorders():
        found = kind.named(name)
        if found is not None:
            return found
    raise PluginError(
        f"{name!r} is no recorder's name; write /dev/sr0, iscsi://HOST/TARGET/LUN or virtual:FILE",
        name=name,
        group=RECORDERS,
    )


def given_recorder(given: Recorder | str | os.PathLike[str]) -> Recorder:
    """Return a recorder that was given, or the one of a name or path that was.

    Raises:
        PluginError: no plug-in knows such names, or it is something else.
    """
    if isinstance(given, str | os.PathLike):
        return find_recorder(os.fsdecode(given))
    if isinstance(getattr(given, "name", None), str) and callable(getattr(given, "open", None)):
        return given
    raise PluginError(
        f"a {type(given).__name__} is no recorder; give one of list_recorders(), or a name",
        name=repr(given),
        group=RECORDERS,
    )


def burn_image(
    image: DiscImage,
    recorder: Recorder | str | os.PathLike[str],
    *,
    mode: str = "auto",
    simulate: bool = False,
    speed: float | None = None,
    overburn: bool = False,
    progress: BurnWatch | None = None,
) -> BurnOutcome:
    """Write an image on the blank disc in a recorder.

    Args:
        image: the image.
        recorder: one of `list_recorders`, or a name.
        mode: `raw`, `sao`, `tao`; `auto` takes the best that the drive has.
        simulate: all is done but the laser's power.
        speed: how often single speed; None is the fastest.
        overburn: the lead-out may begin behind the blank's limit.
        progress: told on this thread; False, or an exception, stops the burn.

    Returns:
        What was done: `mode`, `losses`, `remarks`, `disc_state`.

    Raises:
        AuthoringError: the disc must not be burned, or does not fit; nothing was written.
        UnsupportedError: the recorder cannot write so; nothing was written.
        DriveError: the recorder failed; `.disc_state` says what became of the disc.
        CancelledError: `progress` said stop; `.disc_state` likewise.
        PluginError: there is no such recorder.
    """
    with given_recorder(recorder).open(exclusive=True, client="rawcd") as session:
        return session.burn(
            image,
            mode=mode,
            simulate=simulate,
            speed=speed,
            overburn=overburn,
            progress=progress,
        )
