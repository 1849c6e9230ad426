"""No text of a disc becomes markup, or a command of a terminal."""

from __future__ import annotations

from html.parser import HTMLParser
from unicodedata import bidirectional, category

from hypothesis import given
from hypothesis import strategies as st

from rawcd.report.markup import Markup, joined, plain, tag

ANY = st.text(st.characters(exclude_categories=()), max_size=30)


class Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(ANY, ANY)
def test_any_text_comes_back_as_text(text: str, title: str) -> None:
    seen = Seen(tag("p", text, title=title))
    assert seen.tags == [("p", {"title": plain(title)})]
    assert seen.text == plain(text)


@given(ANY)
def test_what_is_shown_is_one_line_that_any_screen_can_take(text: str) -> None:
    shown = plain(text)
    shown.encode()  # no lone surrogate is left
    assert not {"Cc", "Cs", "Zl", "Zp"} & set(map(category, shown))
    assert not {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI"} & set(map(bidirectional, shown))
    assert plain(shown) == shown


def test_bytes_that_were_no_text_are_spelled() -> None:
    assert plain("a\udc80\x1b[31m\u202eb") == "a\\x80\\x1B[31m\\u202Eb"


def test_what_is_markup_already_stays() -> None:
    assert joined([Markup("<b>"), "<", None, 5]) == "<b>&lt;5"
    assert tag("input", checked=True, hidden=False, for_=None, data_span=0) == (
        '<input checked data-span="0">'
    )
