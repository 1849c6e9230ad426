"""The sockets: formats, writers and recorders, found through entry points and loaded late.

The built-in ones come in by the same door as a stranger's: a distribution declares
`[project.entry-points."rawcd.formats"]` and so on. A format says which bytes, a writer says
where they go.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from dataclasses import replace as change
from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

from rawcd.errors import FormatError, PluginError, RawCDError, UnsupportedError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from rawcd.features import Feature, Loss
    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, ImageType, Note
    from rawcd.progress import Progress

FORMATS: Final = "rawcd.formats"
WRITERS: Final = "rawcd.writers"
RECORDERS: Final = "rawcd.recorders"
GROUPS: Final = (FORMATS, RECORDERS, WRITERS)
_PROOF: Final = 100
"""What a format answers that no other can be surer than."""


class Format(Protocol):
    """A file format: one class, made without arguments.

    Attributes:
        name: the entry point's name.
        suffixes: endings with the dot, in lower case, the usual one first.
        keeps: what a file of this format can hold; the rest is refused by name before a byte
            is written.
        keeps_for: optional; a method that returns what it keeps of one image, where that
            depends on the image's kind.
        read_only: optional; True where nothing is ever written: it is not chosen by a suffix to
            save in, and `save` is not called.
        one_file: a save makes one file, so that it can go into a pipe.
        accepts_tail: optional; a method that is shown the file's last 64 KiB and answers as
            `accepts` does, for formats that are told by their end.
        main_name: optional; the name that the main file always has, where a format's files are
            a folder by themselves. Such a folder is opened and saved by its own name.
    """

    name: str
    suffixes: tuple[str, ...]
    keeps: frozenset[Feature]
    one_file: bool

    def accepts(self, name: str, head: bytes) -> int:
        """Tell how sure it is that a file is its own: 0 is no, 100 is proof.

        Args:
            name: the file's name.
            head: its first 64 KiB.

        A format called as the file's suffix is asked first; after its 100 no other one is.
        """
        ...

    def load(self, files: InputFiles) -> DiscImage:
        """Return the image that a file describes; nothing is read before it is asked for.

        Raises:
            FormatError: the file is not what it claims.
            StorageError: a file cannot be read.
        """
        ...

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write an image.

        Raises:
            UnsupportedError: an option is unknown.
            StorageError: reading or writing failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What a writer did.

    Attributes:
        files: what was made, the main file last.
        losses: what the target could not hold and the caller allowed to be lost.
        notes: what was changed on the way.
    """

    files: tuple[Path, ...]
    losses: tuple[Loss, ...] = ()
    notes: tuple[Note, ...] = ()


class Writer(Protocol):
    """A destination: one class, made without arguments.

    Attributes:
        name: the entry point's name.
    """

    name: str

    def write(
        self,
        image: DiscImage,
        target: Any,
        *,
        format: Format,
        options: Mapping[str, str],
        progress: Progress | None,
        replace: bool,
    ) -> WriteResult:
        """Write an image in a format to a target, whole or not at all.

        Args:
            image: the image.
            target: a path, a stream: what the writer is for.
            format: makes the bytes.
            options: the format's.
            progress: told how far the work is.
            replace: an existing target may be replaced.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A declared plug-in; nothing of it has been loaded.

    Attributes:
        group: `"rawcd.formats"`, `"rawcd.recorders"` or `"rawcd.writers"`.
        name: its name in the group.
        value: the object it stands for, `module:attribute`.
        package: the distribution that brings it, and its version.
    """

    group: str
    name: str
    value: str
    package: str


@lru_cache(maxsize=8)
def _entries(group: str, search_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return a group's entry points; looked up anew only where modules are found elsewhere."""
    del search_path
    return tuple(entry_points(group=group))


def _declared(group: str) -> tuple[EntryPoint, ...]:
    return _entries(group, tuple(sys.path))


def plugins(group: str | None = None) -> tuple[Plugin, ...]:
    """Return the declared plug-ins of a group, or of all, by group and name."""
    found = [
        Plugin(
            group=each,
            name=entry.name,
            value=entry.value,
            package=f"{entry.dist.name} {entry.dist.version}" if entry.dist else "?",
        )
        for each in ((group,) if group else GROUPS)
        for entry in _declared(each)
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.group, plugin.name, plugin.package)))


def _names(group: str) -> list[str]:
    """Return the names of a group; whose they are is not asked, as each answer is a parsed file."""
    return sorted({entry.name for entry in _declared(group)})


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()()
    except Exception as error:
        raise PluginError(
            f"the plug-in {entry.name!r} of {entry.group} ({entry.value}) cannot be loaded: "
            f"{type(error).__name__}: {error}",
            name=entry.name,
            group=entry.group,
        ) from error


def load_all(group: str) -> list[Any]:
    """Return all plug-ins of a group, by name.

    Raises:
        PluginError: one cannot be loaded.
    """
    return [_load(entry) for entry in sorted(_declared(group), key=lambda entry: entry.name)]


def _load_named(group: str, name: str) -> Any:
    found = [entry for entry in _declared(group) if entry.name == name]
    if not found:
        known = ", ".join(_names(group))
        raise PluginError(
            f"no plug-in of {group} is called {name!r}; there are {known or 'none'}",
            name=name,
            group=group,
        )
    return _load(found[0])


def load_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        PluginError: there is none, or it cannot be loaded.
    """
    loaded: Format = _load_named(FORMATS, name)
    return loaded


def load_writer(name: str) -> Writer:
    """Return a writer by its name.

    Raises:
        PluginError: there is none, or it cannot be loaded.
    """
    loaded: Writer = _load_named(WRITERS, name)
    return loaded


def _formats(broken: list[PluginError]) -> Iterator[Format]:
    """Yield the formats by name, each loaded when it is its turn.

    A stranger's broken plug-in must not keep ours from a file: what it met goes into `broken`.
    """
    for name in _names(FORMATS):
        try:
            loaded = load_format(name)
        except PluginError as error:
            broken.append(error)
        else:
            yield loaded


def format_for(path: str | os.PathLike[str]) -> Format:
    """Return the format that a file name, or its suffix, asks to be written; the first by name.

    Raises:
        PluginError: no format has the suffix.
        UnsupportedError: the formats that have it are only read.
    """
    from pathlib import Path

    name, suffix = Path(path).name, Path(path).suffix.lower()
    known: list[str] = []
    broken: list[PluginError] = []
    only_read: Format | None = None
    for candidate in _formats(broken):
        if _is_read_only(candidate):
            if suffix in candidate.suffixes:
                only_read = candidate
            continue
        if suffix in candidate.suffixes or name.upper() == main_name_of(candidate):
            return candidate
        known.extend(candidate.suffixes)
    if only_read is not None:
        raise _never_written(only_read)
    raise PluginError(
        f"{str(path)!r}: no format has the suffix {suffix!r}; there are {', '.join(known)}; "
        "or name the format",
        name=suffix,
        group=FORMATS,
    ) from (broken[-1] if broken else None)


def main_name_of(format: Format) -> str | None:
    """Return the name that a format's main file always has, in upper case, if it has one."""
    name: str | None = getattr(format, "main_name", None)
    return None if name is None else name.upper()


def main_file(path: str | os.PathLike[str]) -> Path:
    """Return the main file of a folder that is an image by itself; any other path as it is."""
    from pathlib import Path

    given = Path(path)
    if not given.is_dir():
        return given
    try:
        within = {each.name.upper(): each for each in sorted(given.iterdir(), reverse=True)}
    except OSError:  # whoever opens it will tell
        return given
    for each in _formats([]):
        name = main_name_of(each)
        if name in within:
            return within[name]
    return given


def _is_read_only(candidate: Format) -> bool:
    return getattr(candidate, "read_only", False)


def _never_written(only_read: Format) -> UnsupportedError:
    return UnsupportedError(
        f"files of the format {only_read.name} are read and never written; choose another format, "
        "or another suffix"
    )


def _surest(
    formats: Sequence[Format], name: str, head: bytes, tail: Callable[[], bytes] | None = None
) -> tuple[Format | None, int]:
    """Return the format that is surest of a file, if any is, and how sure."""
    best: Format | None = None
    best_sure = 0
    for candidate in formats:
        sure = candidate.accepts(name, head)
        by_tail = getattr(candidate, "accepts_tail", None)
        if sure < _PROOF and by_tail is not None and tail is not None:
            sure = max(sure, by_tail(tail()))
        if sure > best_sure:
            best, best_sure = candidate, sure
    return best, best_sure


def _namesake(files: InputFiles) -> Format | None:
    """Return the format called as the file's suffix, where the content proves that it is right.

    The others need not be loaded then, which takes longer than all else before the first sector.
    """
    if files.suffix[1:] not in _names(FORMATS):
        return None
    try:
        candidate = load_format(files.suffix[1:])
    except PluginError:
        return None
    _, sure = _surest([candidate], files.plain_name, files.head(), files.tail)
    return candidate if sure >= _PROOF else None


def _recognise(files: InputFiles, format: str | None = None) -> tuple[Format, InputFiles]:
    """Return a file's format, and the file: of an archive the one in it that is to be opened."""
    named = None if format is None else load_format(format)
    heads = list(files.heads())
    if not heads:
        named = named or _namesake(files)
        if named is not None:
            return named, files
    broken: list[PluginError] = []
    formats = list(_formats(broken)) if named is None else [named]
    cause = broken[-1] if broken else None
    if heads:
        return _choose(files, formats, heads, cause)
    best, _ = _surest(formats, files.plain_name, files.head(), files.tail)
    if best is None:
        raise _unknown(files, "it", formats) from cause
    return best, files


def _choose(
    files: InputFiles,
    formats: Sequence[Format],
    heads: Sequence[tuple[str, bytes | RawCDError]],
    broken: PluginError | None,
) -> tuple[Format, InputFiles]:
    """Return the one sheet in an archive; where there is none, the one image."""
    known: list[tuple[Format, int, str]] = []
    unread: list[RawCDError] = []
    for name, head in heads:
        if isinstance(head, RawCDError):
            unread.append(head)
            continue
        best, sure = _surest(formats, name, head)
        if best is not None:
            known.append((best, sure, name))
    # What takes several files names the others; an image beside it is one that it names.
    found = [each for each in known if not each[0].one_file] or known
    if len(formats) == 1:  # the format was named, and may know others' files a little, too
        found = [each for each in found if each[1] == max(sure for _, sure, _ in found)]
    if not found:
        raise unread[0] if unread else _unknown(files, "a file in it", formats) from broken
    if len(found) > 1:
        names = ", ".join(f"{name} ({best.name})" for best, _, name in found)
        raise FormatError(
            f"there are several discs in it: {names}; unpack it and give one of them, or name "
            "the format",
            file=files.name,
            place="directory",
        )
    chosen, _, name = found[0]
    return chosen, files.chosen(name)


def _unknown(files: InputFiles, what: str, formats: Sequence[Format]) -> FormatError:
    from pathlib import Path

    if Path(f"{files.name}.pma").is_file():
        return FormatError(
            "is a disc of a virtual recorder that is not finished: beside it lies what tells of "
            f"its open session; rawcd drives virtual:{files.name}",
            file=files.name,
            place="offset 0",
        )
    names = ", ".join(each.name for each in formats)
    return FormatError(
        f"no format recognises {what} (tried {names}); a file of bare sectors has no addresses: "
        "give the sheet that names it, or name the format",
        file=files.name,
        place="offset 0",
    )


def open_image(
    path: str | os.PathLike[str] | InputFiles,
    *,
    format: str | None = None,
    rw: ImageType | None = None,
    trust_paths: bool = False,
) -> DiscImage:
    """Open an image or a sheet of any format, wrapped by gzip, xz, zstd or zip or not.

    Args:
        path: the file; the sheet where there is one; the folder of a format that is one. Of a
            zip archive its sheet is opened, or its only image.
        format: the format's name; None recognises the file by name and content.
        rw: what the file's stored R-W subcode is taken to be (COOKED: packs before
            interleave). None asks a raw file's parity, and takes others' for final.
        trust_paths: names in a sheet, and links, may lead out of its folder. Where `path` is an
            `InputFiles`, that has been told already.

    Returns:
        The image; nothing but what describes it has been read, and what is wrapped unpacked.

    Raises:
        FormatError: the file is not what it claims, or no format recognises it.
        StorageError: a file cannot be read, or must not be, or unpacked.
        UnsupportedError: an archive encrypts it.
        MissingExtraError: it is wrapped by zstd, and there is no library for it.
        PluginError: there is no such format.
    """
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage

    if isinstance(path, InputFiles):
        files = path
    else:
        files = InputFiles(main_file(path), trust_paths=trust_paths)
    chosen, files = _recognise(files, format)
    image = chosen.load(files)
    if isinstance(image, RegionImage):
        image = change(image, inputs=tuple(dict.fromkeys((*image.inputs, *files.opened))))
        if rw is not None:
            image = image.taking_rw_as(rw)
    return image


def recognised_format(path: str | os.PathLike[str] | InputFiles) -> str:
    """Return the name of the format that recognises a file best; of an archive, what is in it.

    Raises:
        FormatError: none does.
        StorageError: the file cannot be read.
    """
    from rawcd.fileset import InputFiles

    files = path if isinstance(path, InputFiles) else InputFiles(main_file(path))
    return _recognise(files)[0].name


def unkept(image: DiscImage, chosen: Format) -> tuple[Loss, ...]:
    """Return what a format would lose of an image, item by item.

    Raises:
        StorageError: a source cannot be read.
    """
    from rawcd.features import losses

    keeps_for = getattr(chosen, "keeps_for", None)
    return losses(image, chosen.keeps if keeps_for is None else keeps_for(image))


def save_image(
    image: DiscImage,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    writer: str | None = None,
    allow_loss: bool = False,
    replace: bool = False,
    options: Mapping[str, str | int] | None = None,
    progress: Progress | None = None,
) -> WriteResult:
    """Write an image to files, or a one-file format into a stream: whole or not at all.

    Args:
        image: the image.
        target: a path, or a binary stream.
        format: the format's name; None takes the one of the path's suffix.
        writer: the writer's name; None takes `files` for a path and `stream` for a stream.
        allow_loss: go on when the format cannot hold all; the result names what was lost.
        replace: existing files may be replaced. Inputs of the image never are.
        options: the format's; numbers and True or False stand for their texts, yes and no.
        progress: called with the sectors done and the sectors in all; False stops.

    Returns:
        The files that were made, and what was lost.

    Raises:
        UnsupportedError: something would be lost; `.lost` names it, nothing was written. Or the
            format is only read.
        StorageError: a file cannot be read or written, or exists.
        PluginError: there is no such format or writer.
        CancelledError: `progress` said stop.
    """
    is_path = isinstance(target, str) or hasattr(target, "__fspath__")
    if format is not None:
        chosen = load_format(format)
        if _is_read_only(chosen):
            raise _never_written(chosen)
    elif is_path:
        chosen = format_for(target)  # type: ignore[arg-type]  # is_path says so
    else:
        raise ValueError("a stream has no suffix: name the format")
    lost = unkept(image, chosen)
    if lost and not allow_loss:
        names = tuple(map(str, lost))
        # What the format keeps by itself is lost to the image's kind of subcode.
        by_kind = any(loss.feature in chosen.keeps for loss in lost)
        remedy = "make it a RAW image (--type raw), " if by_kind else ""
        raise UnsupportedError(
            f"{chosen.name} cannot hold {_listed(names)}"
            f"{f' in an image of type {image.kind.name}' if by_kind else ''}; "
            f"{remedy}choose another format, or allow the loss (--allow-loss)",
            lost=names,
        )
    door = load_writer(writer or ("files" if is_path else "stream"))
    result = door.write(
        image,
        target,
        format=chosen,
        options={key: _option_text(key, value) for key, value in (options or {}).items()},
        progress=progress,
        replace=replace,
    )
    return WriteResult(files=result.files, losses=(*lost, *result.losses), notes=result.notes)


def _option_text(key: str, value: str | int) -> str:
    """Return an option's value as a format takes it, and a command line gives it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(cast("object", value), str | int):
        raise TypeError(f"the option {key} is a text or a number, not {value!r}")
    return str(value)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
