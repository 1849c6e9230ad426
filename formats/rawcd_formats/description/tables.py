"""The tables of a description, read and held against the schema.

Every value knows its line, so that whatever is wrong with it later can be told with its place.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rawcd.errors import AuthoringError, FormatError, StorageError, UnsupportedError
from rawcd_formats.description.kinds import WrongValue, shown
from rawcd_formats.description.lines import parse
from rawcd_formats.description.schema import ROOT, Field, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd_formats.description.lines import Path


class Table:
    """One table: its values by key, those of its fields alone.

    Args:
        values: what the file says.
        schema: what it may say.
        path: where the table is.
        lines: the line of every path.
        file: the file's name.

    Raises:
        FormatError: a key is unknown, or a value not of its kind.
    """

    def __init__(
        self,
        values: dict[str, Any],
        schema: TableSchema,
        path: Path,
        lines: dict[Path, int],
        file: str,
    ) -> None:
        self.schema = schema
        self._path = path
        self._lines = lines
        self._file = file
        fields = {field.key: field for field in schema.fields}
        self._values = {
            key: self._read(fields.get(key), key, value) for key, value in values.items()
        }

    def _read(self, field: Field | None, key: str, value: object) -> Any:
        if field is None:
            raise self.error(self._unknown(key), key)
        if field.kind is not None:
            try:
                return field.kind.read(value)
            except WrongValue as error:
                raise self.error(f"{key} {error}", key) from error
        assert field.table is not None, "a field has a kind or a table"
        if isinstance(value, dict):
            table = Table(value, field.table, (*self._path, key), self._lines, self._file)
            return [table] if field.several else table
        if field.several and isinstance(value, list):
            return [self._item(field.table, key, place, item) for place, item in enumerate(value)]
        raise self.error(f"{key} is a table, {field.table.header}, not {shown(value)}", key)

    def _item(self, schema: TableSchema, key: str, place: int, item: object) -> Table:
        path = (*self._path, key, place)
        if not isinstance(item, dict):
            line = self._lines.get(path, self.line_of(key))
            raise self._at(line, f"{key} holds tables, {schema.header}, not {shown(item)}")
        return Table(item, schema, path, self._lines, self._file)

    def _unknown(self, key: str) -> str:
        known = [field.key for field in self.schema.fields]
        near = difflib.get_close_matches(key.lower().replace("_", "-"), known, n=1, cutoff=0.6)
        remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        return f"{self.schema.header} has no {shown(key)}; {remedy}"

    @property
    def line(self) -> int:
        """Where it begins."""
        return self._lines.get(self._path, 1)

    def line_of(self, key: str) -> int:
        """Return the line of a key; that of the table where it is not there."""
        return self._lines.get((*self._path, key), self.line)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or what holds without it."""
        assert any(field.key == key for field in self.schema.fields), key
        return self._values.get(key, default)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a key that may have several."""
        found: list[Table] = self.get(key, [])
        return found

    def _at(self, line: int, reason: str) -> FormatError:
        return FormatError(reason, file=self._file, place=f"line {line}")

    def error(self, reason: str, key: str | None = None) -> FormatError:
        """Return the error for something wrong with the table, or with a key of it."""
        return self._at(self.line if key is None else self.line_of(key), reason)

    def forbid(self, keys: tuple[str, ...], why: str) -> None:
        """Refuse keys that contradict another one.

        Raises:
            FormatError: one of them is there.
        """
        for key in keys:
            if key in self:
                raise self.error(f"{key} {why}", key)

    @contextmanager
    def told(self, key: str | None = None) -> Iterator[None]:
        """Give what is refused inside the block the table's line, or that of a key.

        An error about another file keeps that file's name.
        """
        line = self.line if key is None else self.line_of(key)
        where = f"{self._file}: line {line}"
        try:
            yield
        except AuthoringError as error:
            why = str(error).replace("pad_short=True", "pad-short = true")  # as one says it here
            raise AuthoringError(
                f"{where}: {why}", rule=error.rule, hresult=error.hresult
            ) from error
        except FormatError as error:
            if error.file is None:
                raise FormatError(error.reason, file=self._file, place=f"line {line}") from error
            if error.file == self._file:
                raise
            place = f"{error.place}, " if error.place else ""
            raise FormatError(
                error.reason, file=error.file, place=f"{place}named in line {line} of {self._file}"
            ) from error
        except StorageError as error:
            if error.file == self._file:
                raise StorageError(
                    f"line {line}: {error.reason}", file=error.file, errno=error.errno
                ) from error
            raise
        except UnsupportedError as error:
            raise UnsupportedError(f"{where}: {error}", lost=error.lost) from error


def read(data: bytes, file: str) -> Table:
    """Return the tables of a description; that of the disc is always there.

    Args:
        data: the file.
        file: its name, for messages.

    Raises:
        FormatError: it is no TOML, or says what the schema does not know.
    """
    values, lines = parse(data, file)
    values.setdefault("disc", {})
    return Table(values, ROOT, (), lines, file)
