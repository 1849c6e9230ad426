"""Other programs print the CD-TEXT of the sheets we save, from its commands and from its packs.

libcdio takes a sheet's commands for ISO 8859-1, whatever they are, and lets them beat the packs:
letters beyond ASCII are in packs alone here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from rawcd.cdtext import CDText, TextBlock, TextItem, fitting_charset
from rawcd.plugins import save_image
from tests.contract.format_contract import plain_disc
from tests.oracles.test_bin_cue import needs, run
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

SAID = ("title", "performer", "songwriter")
"""What a sheet has commands for."""


def block(words: str, *fields: str, language: int = 9, message: str | None = None) -> TextBlock:
    items = tuple(
        TextItem(field=field, track=track, text=f"{words} {field[:5]} {track}")
        for track in (0, 1, 2)
        for field in fields
    )
    if message is not None:
        items += tuple(TextItem(field="message", track=track, text=message) for track in (0, 1, 2))
    return TextBlock(
        language=language,
        items=items,
        charset=fitting_charset(item.text for item in items),
    )


TEXTS = {
    "commands alone": [block("One", *SAID)],
    "packs beside them": [block("One", *SAID, "composer", "arranger", "message")],
    "two languages": [block("One", *SAID), block("Eins", "title", "message", language=8)],
    "letters beyond ASCII": [block("One", "title", message="Caf\xe9")],
    "Japanese": [block("One", "title", language=0x69, message="\u6b4c 1")],
}
LANGUAGES = {9: "English", 8: "German", 0x69: "Japanese"}
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
"""Every letter of MS-JIS takes two bytes."""


def saved(name: str, folder: Path) -> list[TextBlock]:
    disc = plain_disc(cdtext=CDText(blocks=tuple(TEXTS[name])))
    save_image(image_of(disc), folder / "disc.cue")
    return TEXTS[name]


def told_by_cd_info(said: str) -> dict[str, dict[tuple[int, str], str]]:
    """Language, then track and field, as `cd-info` prints them."""
    found: dict[str, dict[tuple[int, str], str]] = defaultdict(dict)
    language, track = "", 0
    for line in said.splitlines():
        if match := re.match(r"Language \d+ '(\w+)':", line):
            language = match[1]
        elif match := re.match(r"CD-TEXT for (Disc|Track +(\d+)):", line):
            track = int(match[2] or 0)
        elif language and (match := re.match(r"\t(\w+): (.*)", line)):
            found[language][track, match[1].lower()] = match[2]
    return dict(found)


@needs("cd-info")
@pytest.mark.parametrize("name", TEXTS)
def test_cd_info_prints_them_all(tmp_path: Path, name: str) -> None:
    blocks = saved(name, tmp_path)
    assert (tmp_path / "disc.cdt").exists() is (name != "commands alone")
    said = run("cd-info", "--cue-file", "disc.cue", "--no-device-info", folder=tmp_path)
    assert told_by_cd_info(said) == {
        LANGUAGES[each.language]: {
            (item.track, item.field): item.text.translate(
                _WIDE if name == "Japanese" and item.field == "message" else {}
            )
            for item in each.items
        }
        for each in blocks
    }


@needs("cueprint")
@pytest.mark.parametrize("name", TEXTS)
def test_cueprint_prints_what_the_sheet_s_commands_say(tmp_path: Path, name: str) -> None:
    """It knows no CDTEXTFILE, but takes a sheet that has one."""
    (first, *_) = saved(name, tmp_path)
    said = run("cueprint", "-d", "0|%T|%P|%S\n", "-t", "%n|%t|%p|%s\n", "disc.cue", folder=tmp_path)
    assert said.splitlines() == [
        "|".join((str(track), *(first.text(field, track) or "" for field in SAID)))
        for track in (0, 1, 2)
    ]
