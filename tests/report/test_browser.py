"""The demo disc's page in a real browser: nothing is fetched, all is seen, keys suffice."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import rawcd

if TYPE_CHECKING:
    from collections.abc import Iterator

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

REPO = Path(__file__).parent.parent.parent
SIZES = [(1280, 900), (390, 844)]
PARTS = ["h1", ".disc svg.fitted", ".timeline svg.map", "#findings", ".player", "#frames table"]


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("browser")
    image = rawcd.open_image(REPO / "fixtures" / "demo" / "demo.cue")
    return rawcd.write_report(image, folder / "demo.html", name="demo.cue").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        opened = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if root else []
        )
        yield opened
        opened.close()


class Watched:
    """A page, and what it should never do."""

    def __init__(self, browser: Any, url: str, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", lambda message: self.trouble.append(message.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(url)
        self._url = url

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.trouble.append(request.url)

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        if error[0] is None:
            assert self.trouble == []


def pixels(shot: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
def test_all_parts_are_seen(
    browser: Any, page_url: str, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    viewport = {"width": width, "height": height}
    with Watched(browser, page_url, viewport=viewport, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".track").count() == 4
        for part in [*PARTS, *(f".track >> nth={i}" for i in range(4))]:
            box = page.locator(part).first.bounding_box()
            assert box, part
            assert box["width"] > 40, part
            assert box["height"] > 15, part
            assert box["x"] >= 0, part
            if "table" not in part:  # it scrolls within its frame
                assert box["x"] + box["width"] <= width + 1, part
        whole = pixels(page.screenshot(full_page=True))
        assert whole.shape[1] == width
        # The paper is as bright as the scheme says, and nowhere is a whole screen of it alone.
        paper = np.median(whole.reshape(-1, 3), axis=0).mean()
        assert paper > 200 if scheme == "light" else paper < 60
        for top in range(0, whole.shape[0] - height, height):
            assert whole[top : top + height].std() > 5, f"blank from {top} on"
        disc = pixels(page.locator(".disc svg.fitted").screenshot())
        middle = disc[disc.shape[0] // 2, : disc.shape[1] // 2]
        saturated = (middle.max(axis=1) - middle.min(axis=1)) > 60
        assert saturated.mean() > 0.3, "the rings of the tracks have no colour"
        hues = {tuple(colour) for colour in (middle[saturated] // 48).tolist()}
        assert len(hues) >= 4
        waves = pixels(page.locator(".track .picture").first.screenshot())
        assert ((waves.max(axis=2) - waves.min(axis=2)) > 40).mean() > 0.02


def test_keys_reach_everything(browser: Any, page_url: str) -> None:
    with Watched(browser, page_url) as page:
        held = "document.activeElement"
        page.keyboard.press("Tab")
        assert page.evaluate(f"{held}.className") == "skip"
        assert page.locator(".skip").bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate(f"{held} === document.querySelector('.track .head')")
        assert page.evaluate(f"getComputedStyle({held}).outlineStyle") == "solid"
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        third = page.locator(".track .head").nth(2)
        assert third.evaluate(f"each => each === {held}")
        assert third.get_attribute("aria-pressed") == "true"
        assert page.locator(".ring.chosen").count() > 0
        assert page.locator(".hub-number").first.text_content() == "03"
        assert "Behind a Gap" in page.locator(".screen .title").first.text_content()
        page.keyboard.press("Home")
        assert "Bit for Bit" in page.locator(".screen .title").first.text_content()
        page.keyboard.press("Escape")
        assert page.locator(".chosen").count() == 0
        # One stop for all tracks, one for the line.
        stops = page.evaluate("document.querySelectorAll('.track .head[tabindex=\"0\"]').length")
        assert stops == 1
        page.locator(".timeline .span").first.focus()
        assert page.get_by_role("button", name="Track 1: from 00:02:00").count() == 1
        page.keyboard.press("End")
        assert page.locator(".track.chosen .title").text_content() == "Resampled"
        page.locator("[data-step='-1']").press("Enter")
        assert page.locator(".track.chosen .title").text_content() == "Behind a Gap"
        page.locator("#scale-fitted").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator(".disc svg.true").is_visible()
        assert not page.locator(".disc svg.fitted").is_visible()


def test_what_is_focusable_has_a_name(browser: Any, page_url: str) -> None:
    with Watched(browser, page_url) as page:
        nameless = page.evaluate(
            """[...document.querySelectorAll("a, button, input, [tabindex='0'], [role=img]")]
            .filter(each => !(each.textContent.trim() || each.getAttribute("aria-label")
              || each.labels && each.labels.length)).length"""
        )
        assert nameless == 0
        assert page.get_by_role("button", name="Bit for Bit").count() == 1
        assert page.get_by_role("navigation").count() == 1
        assert page.get_by_role("main").count() == 1


def test_light_and_dark_are_at_hand(browser: Any, page_url: str) -> None:
    with Watched(browser, page_url, color_scheme="light") as page:
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        button = page.locator(".theme")
        button.press("Enter")
        assert (button.text_content(), page.evaluate(paper)) == ("Theme: light", light)
        button.press("Enter")
        dark = page.evaluate(paper)
        assert (button.text_content(), dark == light) == ("Theme: dark", False)
        page.reload()
        assert page.evaluate(paper) == dark
        page.locator(".theme").press("Enter")
        assert page.evaluate(paper) == light


def test_it_is_whole_without_its_script_and_on_paper(browser: Any, page_url: str) -> None:
    with Watched(browser, page_url, java_script_enabled=False) as page:
        assert page.locator(".language").first.is_visible()
        assert not page.locator(".theme").is_visible()
        page.set_viewport_size({"width": 760, "height": 1000})  # A4 with margins
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 760
        assert not page.locator(".bar").is_visible()
        assert page.locator("#areas table").is_visible()
        assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1200])
def test_a_catalogue_number_stays_on_its_line(browser: Any, page_url: str, width: int) -> None:
    shape = {"viewport": {"width": width, "height": 900}}
    with Watched(browser, page_url, **shape) as page:
        number = page.locator(".facts dd", has_text="2000000001234")
        other = page.locator(".facts dd", has_text="00:20:20")
        assert number.bounding_box()["height"] == other.bounding_box()["height"]
