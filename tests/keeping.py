"""What the formats declare that they keep, as the README's table."""

from __future__ import annotations

from rawcd.features import CDTEXT, Feature
from rawcd.plugins import FORMATS, load_format, plugins


def written_formats() -> list[str]:
    """Formats that are written and hold the tracks of a disc, by name."""
    names = [plugin.name for plugin in plugins(FORMATS)]
    loaded = {name: load_format(name) for name in names}
    return sorted(
        name
        for name, each in loaded.items()
        if not getattr(each, "read_only", False) and not each.keeps <= CDTEXT | _BESIDE_TEXT
    )


_BESIDE_TEXT = frozenset({Feature.TEXT_CHARACTERS})


def table() -> str:
    """The table: a row for each thing that a disc can have, a column for each format."""
    names = written_formats()
    head = f"| what a disc can have | {' | '.join(f'`{name}`' for name in names)} |"
    rows = [head, f"| --- |{' --- |' * len(names)}"]
    for feature in Feature:
        marks = ["yes" if feature in load_format(name).keeps else "" for name in names]
        cells = "".join(f" {mark} |" if mark else " |" for mark in marks)
        rows.append(f"| {feature.value} |{cells}")
    return "\n".join(rows)
