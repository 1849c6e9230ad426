"""Everything rawcd raises of its own accord: one tree, one place.

```text
RawCDError
+-- AuthoringError     you asked for a disc that must not exist; .hresult is IMAPI's code
+-- MasteringError     a call of the Image Mastering API is refused; .hresult is IMAPI's code
+-- FormatError        a file is not what it claims (also a ValueError); .file, .place
+-- UnsupportedError   the target cannot keep what the disc has; .lost names it
+-- PluginError        a declared plug-in cannot be loaded; .name, .group
+-- StorageError       a file could not be read or written (also an OSError); .file, .errno
+-- MissingExtraError  an optional library is not installed; .extra
+-- DriveError         a drive refused, or cannot be reached; .sense, .command, .lba, .disc_state
+-- CancelledError     the caller's progress function said stop
```

`rawcd.imapi` shows all of them as `com_error`, a RawCDError too: COM's way to put it.
The class says who is to blame, the fields say where. Misuse from Python that has nothing
to do with discs or files (an LBA outside the image, a negative count) is a `ValueError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class RawCDError(Exception):
    """The root: catch this to catch everything that rawcd reports."""

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole: message, fields and all."""
        return _rebuilt, (type(self), self.args, self._fields())

    def _fields(self) -> dict[str, object]:
        return dict(self.__dict__)


class AuthoringError(RawCDError):
    """The disc that was asked for must not exist.

    Attributes:
        rule: the rule's id, as in `rawcd.rules` (`"short-track"`, `"lead-out-limit"`, ...).
        hresult: IMAPI's code as an unsigned 32-bit number; None where IMAPI was not asked.
    """

    def __init__(self, message: str, *, rule: str, hresult: int | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.hresult = hresult


class MasteringError(RawCDError):
    """A call of the Image Mastering API came at the wrong time, or could not be carried out.

    Attributes:
        hresult: IMAPI's code as an unsigned 32-bit number, a `rawcd.hresults.HResult`.
    """

    def __init__(self, message: str, *, hresult: int) -> None:
        super().__init__(message)
        self.hresult = hresult


class FormatError(RawCDError, ValueError):
    """A file, or a text, is not what it claims to be.

    Attributes:
        file: the file's name, or None for bytes that came without one.
        place: where in it: `"line 12"`, `"offset 2048"`, `"lead-in"`.
        reason: the message without file and place.
    """

    def __init__(self, reason: str, *, file: str | None = None, place: str | None = None) -> None:
        super().__init__(": ".join(part for part in (file, place, reason) if part))
        self.reason = reason
        self.file = file
        self.place = place


class UnsupportedError(RawCDError):
    """What was asked for cannot be held, or not yet be made, by what shall hold or make it.

    Attributes:
        lost: what would be lost, a phrase each; empty when nothing was at stake.
    """

    def __init__(self, message: str, *, lost: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lost = tuple(lost)


class PluginError(RawCDError):
    """A plug-in is unknown, or is declared and cannot be loaded.

    Attributes:
        name: the entry point's name.
        group: the entry point's group, such as `"rawcd.formats"`.
    """

    def __init__(self, message: str, *, name: str, group: str) -> None:
        super().__init__(message)
        self.name = name
        self.group = group


class StorageError(RawCDError, OSError):
    """A file could not be read or written, or is not the one that was measured.

    Attributes:
        file: the file's name.
        errno: the system's error number, or None where the system reported success.
    """

    def __init__(self, reason: str, *, file: str, errno: int | None = None) -> None:
        super().__init__(f"{file}: {reason}")
        self.reason = reason
        self.file = file
        self.errno = errno

    def _fields(self) -> dict[str, object]:
        return {**self.__dict__, "errno": self.errno}  # OSError keeps it elsewhere

    def __str__(self) -> str:  # OSError would print its own two-argument form
        return f"{self.file}: {self.reason}"

    @classmethod
    def of(cls, error: OSError, *, file: str, doing: str) -> StorageError:
        """Turn the system's error into ours.

        Args:
            error: what the system raised.
            file: the file's name.
            doing: the verb that failed, such as `"read"`.
        """
        why = error.strerror or str(error)
        return cls(f"cannot {doing}: {why}", file=file, errno=error.errno)


class MissingExtraError(RawCDError):
    """An optional library is needed and is not installed.

    Attributes:
        extra: the extra that brings it: `pip install 'rawcd[extra]'`.
    """

    def __init__(self, message: str, *, extra: str) -> None:
        super().__init__(message)
        self.extra = extra


class DriveError(RawCDError):
    """A drive refused a command, failed in it, or cannot be reached.

    Attributes:
        sense: sense key, additional code and qualifier as the drive sent them, or None.
        command: the command's name in MMC, or None.
        lba: the address that the command was about, or None.
        disc_state: what the disc is now, in words; None where nothing was written.
    """

    def __init__(
        self,
        message: str,
        *,
        sense: tuple[int, int, int] | None = None,
        command: str | None = None,
        lba: int | None = None,
        disc_state: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sense = sense
        self.command = command
        self.lba = lba
        self.disc_state = disc_state

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.disc_state is None else f"{message}; {self.disc_state}"


class CancelledError(RawCDError):
    """The caller's progress function said stop; files leave nothing behind, a burn leaves a disc.

    Attributes:
        disc_state: what the disc is now, in words, when a burn was stopped; else None.
    """

    def __init__(self, message: str, *, disc_state: str | None = None) -> None:
        super().__init__(message)
        self.disc_state = disc_state


def _rebuilt(
    cls: type[RawCDError], args: tuple[object, ...], fields: dict[str, object]
) -> RawCDError:
    error = cls.__new__(cls, *args)
    error.args = args
    for name, value in fields.items():
        setattr(error, name, value)
    return error
