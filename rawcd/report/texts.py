"""CD-TEXT as a player shows it: a screen and a list for each language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.cdtext import FIELDS, charset_name, language_name
from rawcd.report.labels import clock
from rawcd.report.markup import Child, Markup, tag

if TYPE_CHECKING:
    from rawcd.cdtext import TextBlock
    from rawcd.report.reading import DiscReading

_NAMES: Final = {
    "disc_id": "disc identification",
    "upc_ean": "UPC/EAN",
    "isrc": "ISRC",
    "closed": "closed information",
}
_TAGS: Final = {
    "Arabic": "ar", "Chinese": "zh", "Czech": "cs", "Danish": "da", "Dutch": "nl", "English": "en",
    "Finnish": "fi", "French": "fr", "German": "de", "Greek": "el", "Hebrew": "he",
    "Hungarian": "hu", "Italian": "it", "Japanese": "ja", "Korean": "ko", "Norwegian": "no",
    "Polish": "pl", "Portuguese": "pt", "Russian": "ru", "Spanish": "es", "Swedish": "sv",
    "Thai": "th", "Turkish": "tr",
}  # fmt: skip
"""What a browser calls a language, where readers and fonts differ by it."""


def text_section(reading: DiscReading) -> Markup | None:
    """Return the part of the page with the texts of the lead-in; None where there are none."""
    if reading.cdtext is None:
        if not reading.text_defects:
            return None
        return tag("section", tag("h2", "CD-TEXT"), _defects(reading), id="texts")
    blocks = reading.cdtext.blocks
    tabs = [
        tag(
            "button",
            _language(block),
            type="button",
            role="tab",
            id=f"tab-{place}",
            aria_controls=f"language-{place}",
            aria_selected="true" if place == 0 else "false",
        )
        for place, block in enumerate(blocks)
    ]
    return tag(
        "section",
        tag("h2", "CD-TEXT"),
        tag("p", "As a player shows it, from the packs in the lead-in.", class_="lede"),
        tag("div", *tabs, role="tablist", aria_label="Languages", class_="tabs"),
        *(_panel(reading, place, block) for place, block in enumerate(blocks)),
        _defects(reading),
        id="texts",
    )


def _defects(reading: DiscReading) -> Markup | None:
    lines = [tag("li", defect) for defect in reading.text_defects[:20]]
    return tag("ul", *lines, class_="heard") if lines else None


def _language(block: TextBlock) -> str:
    return language_name(block.language) or f"language {block.language:02X}h"


def _panel(reading: DiscReading, place: int, block: TextBlock) -> Markup:
    tracks = len(reading.spans)
    total = clock(reading.playing_sectors)
    screen = tag(
        "div",
        tag("span", f"{tracks} tr", class_="place"),
        tag("span", total, class_="long"),
        tag("span", block.text("title", 0) or "", class_="title"),
        tag("span", block.text("performer", 0) or "", class_="by"),
        data_place=f"{tracks} tr",
        data_long=total,
        aria_live="polite",
        class_="screen",
    )
    keys = tag(
        "div",
        tag("button", "◀", type="button", data_step=-1, aria_label="Previous track"),
        tag("button", "▶", type="button", data_step=1, aria_label="Next track"),
        class_="keys",
    )
    return tag(
        "div",
        tag("div", screen, keys, class_="player"),
        _list(reading, block),
        role="tabpanel",
        id=f"language-{place}",
        aria_labelledby=f"tab-{place}",
        lang=_TAGS.get(_language(block)),
        class_="language",
    )


def _list(reading: DiscReading, block: TextBlock) -> Markup:
    """Return all texts of a language: a row for the album and each track, a column a field."""
    told = {item.field for item in block.items}
    fields = [field.name for field in FIELDS if field.name in told]
    numbers = sorted({item.track for item in block.items})
    place_of = {span.number: place for place, span in enumerate(reading.spans)}
    rows = [
        tag(
            "tr",
            tag("th", f"{number:02}" if number else "Album", scope="row"),
            *(_shown(block, name, number) for name in fields),
            data_span=place_of.get(number) if number else None,
            data_album=not number,
        )
        for number in numbers
    ]
    heads = [tag("th", _NAMES.get(name, name), scope="col") for name in fields]
    caption = f"{_language(block)}, {charset_name(block.charset)}"
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", tag("th", "Track", scope="col"), *heads)),
            tag("tbody", *rows),
        ),
        tabindex=0,
        role="region",
        aria_label=caption,
        class_="scroller",
    )


def _shown(block: TextBlock, name: str, track: int) -> Child:
    text = next((i.shown for i in block.items if (i.field, i.track) == (name, track)), "")
    return tag("td", tag("bdi", text), data_field=name)
