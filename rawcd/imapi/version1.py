"""What version 1 takes from a script and gives it: callbacks, and sets of properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rawcd.errors import MasteringError
from rawcd.hresults import HResult, ResultCode
from rawcd.imapi.automation import taken
from rawcd.imapi.events import handler_of
from rawcd.imapi.failures import com_error
from rawcd.imapi.library import interface_of
from rawcd.imapi.library.values import BOOL, STREAM
from rawcd.imapi.objects import com_object_of
from rawcd.mastering import DiscMasterProgressEvents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES: Final = {
    str(member.ours): member.name
    for interface in [interface_of("IDiscMasterProgressEvents")]
    if interface is not None
    for member in interface.members
}
"""IMAPI's name of each callback by ours."""
_VALUES: Final = 2
"""Which argument of WriteMultiple the values are."""


class ScriptSink(DiscMasterProgressEvents):
    """A script's object with QueryCancel, NotifyAddProgress and so on; it need not have them all.

    A callback that it lacks, or that says E_NOTIMPL, is one that it does not want. What else one
    raises ends the work as if QueryCancel had said so.
    """

    def __init__(self, sink: object) -> None:
        self._sink = sink

    def _tell(self, ours: str, *numbers: int) -> Any:
        handler = handler_of(self._sink, _NAMES[ours])
        if handler is None:
            return None
        try:
            return handler(*numbers)
        except NotImplementedError:
            return None
        except com_error as error:
            if error.hresult != HResult.E_NOTIMPL:
                raise
            return None

    def query_cancel(self) -> bool:
        """Ask QueryCancel."""
        return bool(self._tell("query_cancel"))

    def notify_pnp_activity(self) -> None:
        """Tell NotifyPnPActivity."""
        self._tell("notify_pnp_activity")

    def notify_add_progress(self, completed: int, total: int) -> None:
        """Tell NotifyAddProgress."""
        self._tell("notify_add_progress", completed, total)

    def notify_block_progress(self, completed: int, total: int) -> None:
        """Tell NotifyBlockProgress."""
        self._tell("notify_block_progress", completed, total)

    def notify_track_progress(self, current: int, total: int) -> None:
        """Tell NotifyTrackProgress."""
        self._tell("notify_track_progress", current, total)

    def notify_preparing_burn(self, seconds: int) -> None:
        """Tell NotifyPreparingBurn."""
        self._tell("notify_preparing_burn", seconds)

    def notify_closing_disc(self, seconds: int) -> None:
        """Tell NotifyClosingDisc."""
        self._tell("notify_closing_disc", seconds)

    def notify_burn_complete(self, hresult: HResult) -> None:
        """Tell NotifyBurnComplete, with the code as scripts see it."""
        self._tell("notify_burn_complete", ResultCode(hresult))

    def notify_erase_complete(self, hresult: HResult) -> None:
        """Tell NotifyEraseComplete, likewise."""
        self._tell("notify_erase_complete", ResultCode(hresult))


class PropertyStorage:
    """A set of properties, got, changed and put back (IPropertyStorage, as pywin32 has it).

    Attributes:
        values: them, by name.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values: dict[str, object] = dict(values)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def _known(self, name: str) -> str:
        """Return a name as the set has it: their case does not count."""
        wanted = name.casefold()
        return next((each for each in self.values if each.casefold() == wanted), name)

    def read_multiple(self, names: Sequence[str]) -> tuple[object, ...]:
        """Return the values of some (ReadMultiple); None for one that there is not."""
        return tuple(self.values.get(self._known(name)) for name in names)

    def write_multiple(self, names: Sequence[str], values: Any, first_id: int = 2) -> None:
        """Put some (WriteMultiple); the drive or the format judges them when the set is put back.

        Raises:
            MasteringError: there are not as many values as names (E_INVALIDARG).
            com_error: a truth value is none, or an object no stream (DISP_E_TYPEMISMATCH).
        """
        del first_id
        if not isinstance(values, (list, tuple)) or len(values) != len(names):
            raise MasteringError(
                f"WriteMultiple: {len(names)} names need as many values",
                hresult=HResult.E_INVALIDARG,
            )
        for name, value in zip(map(self._known, names), values, strict=True):
            if com_object_of(value) is not None:  # a stream, such as the boot image
                value = taken(STREAM, value, _VALUES)
            elif isinstance(self.values.get(name), bool):  # VARIANT_TRUE is -1
                value = taken(BOOL, value, _VALUES)
            self.values[name] = value
