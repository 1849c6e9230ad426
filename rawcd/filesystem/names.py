"""Names as ISO 9660, Joliet, Rock Ridge and UDF can hold them, one of each for every entry.

A tree beside ISO 9660 that keeps the true names makes the ISO 9660 ones a matter of form: they
are cut and numbered as needed. Where ISO 9660 stands alone its names must be the true ones, but
for the case of letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Final

from rawcd.errors import AuthoringError
from rawcd.filesystem.tree import Folder, Link
from rawcd.filesystem.values import MAX_FILE_BYTES, Trouble, shown
from rawcd.image import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.filesystem.tree import Entry, FileTree
    from rawcd.filesystem.values import VolumeOptions

_NOT_D: Final = re.compile("[^A-Z0-9_]")
_NOT_LEVEL_4: Final = re.compile('[^ -~]|[*/:;?\\\\"]')
_NOT_JOLIET: Final = re.compile("[\\x00-\\x1f*/:;?\\\\]|[^\\x00-\\ud7ff\\ue000-\\uffff]|[.]+$")
_LAST_DOTS: Final = re.compile("[.]+$")
"""Readers take a dot at the end for the mark of a file without suffix and leave it out."""
_NOT_UDF: Final = re.compile("[\\x00/]|[^\\x00-\\ud7ff\\ue000-\\uffff]")
_NOT_UTF8: Final = re.compile("[\\x00/\\ud800-\\udfff]")
_NOT_UTF8_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
JOLIET_CHARS: Final = 64
"""Joliet specification 1.0: 128 bytes of UCS-2."""
_ROCK_RIDGE_BYTES: Final = 255
"""What POSIX systems hold; NM itself could be continued for ever (RRIP 4.1.4)."""
_UDF_BYTES: Final = 254
"""A d-string's 255 less the byte that tells 8 bits from 16 (UDF 2.60, 2.1.1)."""
ISO_DEPTH: Final = 8
"""Levels of folders, the root being the first (ECMA-119 6.8.2.1)."""
CATALOG: Final = "boot.cat"
"""The name of El Torito's catalogue, in the root."""
_MAX_SUFFIX: Final = 16
MOVED: Final = "RR_MOVED"
"""Where Rock Ridge keeps folders that lie too deep (RRIP 4.1.5)."""


@dataclass(slots=True, kw_only=True)
class Named:
    """An entry with its name in each tree; None where that tree has no such entry.

    Attributes:
        entry: what it is.
        path: its true path.
        name: the last part of it.
        iso: ISO 9660's, without version.
        joliet: Joliet's.
        rock_ridge: Rock Ridge's.
        udf: UDF's.
        children: what a folder holds, in the order of their true names.
    """

    entry: Entry
    path: str
    name: str
    iso: str = ""
    joliet: str | None = None
    rock_ridge: str | None = None
    udf: str | None = None
    children: list[Named] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """What a tree that keeps names can hold.

    Attributes:
        name: what a message calls it.
        illegal: letters that it cannot hold.
        fits: whether it has room for a name of legal letters.
        key: what tells two names apart.
    """

    name: str
    illegal: re.Pattern[str]
    fits: Callable[[str], bool]
    key: Callable[[str], object] = str

    def holds(self, name: str) -> bool:
        """Tell whether it can hold a name as it is."""
        return not self.illegal.search(name) and self.fits(name)


class Namer:
    """Names a whole tree; what it cannot name is in `troubles`, what it changed in `notes`."""

    def __init__(self, options: VolumeOptions) -> None:
        self._options = options
        self._alone = not (options.joliet or options.rock_ridge or options.udf)
        self.troubles: list[Trouble] = []
        self.notes: list[Note] = []
        self._links = 0

    def name(self, tree: FileTree) -> Named:
        """Return the root with everything below it."""
        root = Named(entry=tree.root, path="/", name="")
        pending = [(root, 1)]
        while pending:
            parent, level = pending.pop()
            self._name_children(parent, level)
            pending.extend(
                (child, level + 1) for child in parent.children if isinstance(child.entry, Folder)
            )
        if self._links and (self._options.joliet or self._options.udf):
            also = " and ".join(
                name
                for name, on in (("Joliet", self._options.joliet), ("UDF", self._options.udf))
                if on
            )
            self.notes.append(
                Note(code="links-left-out", message=f"{also} cannot hold {self._links} links")
            )
        return root

    def _name_children(self, parent: Named, level: int) -> None:
        folder = parent.entry
        assert isinstance(folder, Folder)
        options = self._options
        above = parent.path.rstrip("/")
        for name in sorted(folder.entries):
            entry = folder.entries[name]
            path = f"{above}/{name}"
            self._check(entry, path, level)
            parent.children.append(Named(entry=entry, path=path, name=name))
        taken = _Taken()
        if level == 1 and options.rock_ridge:
            taken.take(MOVED, bool)
        if level == 1 and options.boot:
            taken.take("BOOT.CAT" if options.level < 4 else CATALOG, bool)
        # Names that can be kept are given first, so that none of them gives way to a changed one.
        for named in sorted(parent.children, key=self._is_reshaped):
            named.iso = self._iso(named, taken)
        shown_true = [child for child in parent.children if not isinstance(child.entry, Link)]
        if options.rock_ridge:
            for named, name in self._true(_ROCK_RIDGE, parent.children):
                named.rock_ridge = name
        if options.joliet:
            for named, name in self._true(_JOLIET, shown_true):
                named.joliet = name
        if options.udf:
            for named, name in self._true(_UDF, shown_true):
                named.udf = name

    def _check(self, entry: Entry, path: str, level: int) -> None:
        options = self._options
        if isinstance(entry, Link):
            self._links += 1
            if not options.rock_ridge:
                self._trouble("link", path, "is a link: follow it, or keep it in Rock Ridge")
            elif _NOT_UTF8_TEXT.search(entry.target):
                self._trouble("link", path, f"leads to {shown(entry.target)!r}, which is no UTF-8")
        elif isinstance(entry, Folder):
            if level >= ISO_DEPTH and not options.rock_ridge and options.level < 4:
                self._trouble(
                    "folder-depth",
                    path,
                    f"lies deeper than {ISO_DEPTH} levels, which needs Rock Ridge or level 4",
                )
        elif entry.size > MAX_FILE_BYTES:
            self._trouble(
                "file-size", path, f"has {entry.size} bytes, more than one piece of 4 GiB can hold"
            )

    def _is_reshaped(self, named: Named) -> bool:
        level = self._options.level
        shaped = _iso_shape(named.name, level, folder=isinstance(named.entry, Folder))
        return shaped != (named.name if level == 4 else _folded(named.name))

    def _iso(self, named: Named, taken: _Taken) -> str:
        level = self._options.level
        folder = isinstance(named.entry, Folder)
        shaped = _iso_shape(named.name, level, folder=folder)
        found = taken.take(
            shaped, lambda text: text is shaped or _iso_shape(text, level, folder=folder) == text
        )
        if self._alone:
            odd = self._is_reshaped(named)
            if odd or found != shaped:
                self._changed(f"ISO 9660 level {level}", named, found, clean=not odd)
        return found

    def _true(self, tree: _Tree, children: list[Named]) -> Iterator[tuple[Named, str]]:
        """Give every child its name in a tree that keeps names."""
        taken = _Taken(tree.key)
        for named in sorted(children, key=lambda child: not tree.holds(child.name)):
            found = taken.take(tree.illegal.sub("_", named.name), tree.fits)
            if found != named.name:
                self._changed(tree.name, named, found, clean=False)
            yield named, found

    def _changed(self, tree: str, named: Named, found: str, *, clean: bool) -> None:
        name, path = named.name, named.path
        if self._options.relax:
            self.notes.append(
                Note(code="name-changed", message=f"{tree} calls it {found!r}", file=shown(path))
            )
        elif clean:
            self._trouble("file-name", path, f"{tree} knows no case, and the name is taken")
        else:
            self._trouble("file-name", path, f"{tree} cannot hold the name {shown(name)!r}")

    def text_changed(self, tree: str, what: str, text: str, found: str) -> None:
        """Note, or refuse, that a text of the volume cannot be held."""
        if self._options.relax:
            message = f"{tree} has {what} {found!r} for {shown(text)!r}"
            self.notes.append(Note(code="name-changed", message=message))
        else:
            self._trouble("volume-text", what, f"{tree} cannot hold {shown(text)!r}")

    def _trouble(self, rule: str, path: str, why: str) -> None:
        self.troubles.append(Trouble(rule=rule, path=path, why=why))


_CAPITALS: Final = str.maketrans(ascii_lowercase, ascii_uppercase)


def _folded(name: str) -> str:
    """Return a name in capitals, ASCII alone: others have capitals of other lengths."""
    return name.upper() if name.isascii() else name.translate(_CAPITALS)


def _iso_shape(name: str, level: int, *, folder: bool) -> str:
    """Return the ISO 9660 name nearest to a name (ECMA-119 7.5, 7.6, 10; ISO 9660:1999 7.5)."""
    if level == 4:
        return _LAST_DOTS.sub("_", _cut(_NOT_LEVEL_4.sub("_", name), 200))
    name = _folded(name)
    if folder:
        return _NOT_D.sub("_", name)[: 8 if level == 1 else 31]
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    stem, suffix = _NOT_D.sub("_", stem), _NOT_D.sub("_", suffix)
    if level == 1:
        stem, suffix = stem[:8], suffix[:3]
    else:
        suffix = suffix[:29]
        stem = stem[: 30 - len(suffix)]
    if not (stem or suffix):
        stem = "_"
    return f"{stem}.{suffix}" if suffix else stem


def _cut(name: str, chars: int) -> str:
    """Shorten a name, its suffix kept."""
    if len(name) <= chars:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > chars // 4:
        return name[:chars]
    return stem[: chars - len(suffix) - 1] + dot + suffix


class _Taken:
    """The names of one folder in one tree, and the number that a doubled name tries next."""

    def __init__(self, key: Callable[[str], object] = str) -> None:
        self._key = key
        self._names: set[object] = set()
        self._next: dict[str, int] = {}

    def take(self, name: str, fits: Callable[[str], bool]) -> str:
        """Return `name`, or one like it that fits and is free: cut, and numbered if need be."""
        key = self._key(name)
        if key not in self._names and fits(name):
            self._names.add(key)
            return name
        stem, dot, suffix = name.rpartition(".")
        if not stem or len(suffix) > _MAX_SUFFIX:
            stem, dot, suffix = name, "", ""
        number = self._next.get(name, 0)
        while True:
            found = _cut_to_fit(stem, (str(number) if number else "") + dot + suffix, fits)
            number += 1
            if self._key(found) not in self._names:
                break
        self._next[name] = number
        self._names.add(self._key(found))
        return found


def _cut_to_fit(stem: str, tail: str, fits: Callable[[str], bool]) -> str:
    """Return as much of a stem as fits with its tail; every tree has room for a short one."""
    keep = len(stem)
    while keep and not fits(stem[:keep] + tail):
        keep -= 1
    return stem[:keep] + tail


def _fits_joliet(name: str) -> bool:
    return 0 < len(name) <= JOLIET_CHARS


def _fits_rock_ridge(name: str) -> bool:
    return 0 < len(name.encode()) <= _ROCK_RIDGE_BYTES


def _fits_udf(name: str) -> bool:
    return 0 < len(_udf_bytes(name)) <= _UDF_BYTES


def _udf_bytes(name: str) -> bytes:
    """Return a name as pycdlib tells UDF's names apart: without the byte that says how wide."""
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("utf-16-be")


_D_TEXT: Final = re.compile("[^A-Z0-9_]")
_A_TEXT: Final = re.compile("[^A-Z0-9_ !\"%&'()*+,\\-./:;<=>?]")
_TEXT_LIMITS: Final = (
    ("volume_id", 32, _D_TEXT),
    ("system_id", 32, _A_TEXT),
    ("publisher", 128, _A_TEXT),
    ("preparer", 128, _A_TEXT),
    ("application", 128, _A_TEXT),
)
_JOLIET_VOLUME_CHARS: Final = 16
_UDF_VOLUME_BYTES: Final = 30
"""A d-string of 32 bytes: width, text, length (ECMA-167 1/7.2.12)."""


_ROCK_RIDGE: Final = _Tree(name="Rock Ridge", illegal=_NOT_UTF8, fits=_fits_rock_ridge)
_JOLIET: Final = _Tree(name="Joliet", illegal=_NOT_JOLIET, fits=_fits_joliet)
_UDF: Final = _Tree(name="UDF", illegal=_NOT_UDF, fits=_fits_udf, key=_udf_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of the volume descriptors, as they go there."""

    volume_id: str
    joliet_volume_id: str
    udf_volume_id: str
    system_id: str
    publisher: str
    preparer: str
    application: str


def texts_of(options: VolumeOptions, namer: Namer) -> Texts:
    """Return the texts of the volume descriptors, in capitals (ECMA-119 8.4).

    What is wrong with them goes to `namer`. Where a tree beside it holds the volume's true name,
    ISO 9660's is a matter of form.
    """
    found = {}
    for what, limit, illegal in _TEXT_LIMITS:
        text: str = getattr(options, what)
        chars = limit // 2 if options.joliet and what != "volume_id" else limit
        form = illegal.sub("_", _folded(text))[:chars]
        free = what == "volume_id" and (options.joliet or options.udf) and len(text) <= chars
        if form != _folded(text) and not free:
            namer.text_changed("ISO 9660", what, text, form)
        found[what] = form
    name = options.volume_id
    joliet = _NOT_JOLIET.sub("_", name)[:_JOLIET_VOLUME_CHARS]
    if options.joliet and joliet != name:
        namer.text_changed("Joliet", "volume_id", name, joliet)
    udf = _NOT_UDF.sub("_", joliet if options.joliet else name)
    while len(_udf_bytes(udf)) > _UDF_VOLUME_BYTES:
        udf = udf[:-1]
    if options.udf and udf != name:
        namer.text_changed("UDF", "volume_id", name, udf)
    return Texts(joliet_volume_id=joliet, udf_volume_id=udf or "CDROM", **found)


def iso_identifier(named: Named, level: int) -> str:
    """Return an entry's identifier as its directory record has it (ECMA-119 7.5.1)."""
    if level == 4 or isinstance(named.entry, Folder):
        return named.iso
    return f"{named.iso}{'' if '.' in named.iso else '.'};1"


def check_taken(tree: FileTree, path: str) -> None:
    """Refuse a path that the tree has already.

    Raises:
        AuthoringError: it has.
    """
    if tree.get(path) is not None:
        raise AuthoringError(
            f"{path}: the boot catalogue would lie there, but the folder has such a file",
            rule="boot-catalog",
        )
