"""Recorders: what a drive has to be, and how an image gets onto the disc in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rawcd.errors import PluginError
from rawcd.plugins import RECORDERS, load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.image import DiscImage
    from rawcd.progress import BurnWatch


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

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> Any:
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
    """Return the recorders of this computer; virtual and distant ones have to be named.

    Raises:
        PluginError: a plug-in cannot be loaded.
    """
    return tuple(recorder for kind in _all_recorders() for recorder in kind.discover())


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


def burn_image(
    image: DiscImage,
    recorder: Recorder | str,
    *,
    mode: str = "auto",
    simulate: bool = False,
    speed: float | None = None,
    overburn: bool = False,
    progress: BurnWatch | None = None,
) -> Any:
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
    chosen = find_recorder(recorder) if isinstance(recorder, str) else recorder
    with chosen.open(exclusive=True, client="rawcd") as session:
        return session.burn(
            image,
            mode=mode,
            simulate=simulate,
            speed=speed,
            overburn=overburn,
            progress=progress,
        )
