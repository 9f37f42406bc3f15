"""The try page for everyone: phones, keyboards, languages, dark screens, axe."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import SAMPLES, OpenPage, shoot
from tests.browser.gateway import Stage
from tests.browser.try_page import LETTER, PHONE, STREET, add, expect, rows, settle

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_phone(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/", **PHONE)
    expect(page.get_by_text("Take a photo")).to_be_visible()
    assert page.locator("#camera").get_attribute("capture") == "environment"
    add(page, STREET, LETTER)
    assert page.evaluate("document.scrollingElement.scrollWidth") == 390
    picture = page.locator(".frame").bounding_box()
    assert picture
    assert picture["y"] + picture["height"] < 844, "the whole picture is above the fold"
    assert not page.locator("#options").evaluate("options => options.open")
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or box["height"] >= 24, "large enough for a finger"
    page.locator("svg .edge").nth(1).tap()
    expect(rows(page).nth(1).locator("details")).to_have_attribute("open", "")
    shoot(page, "phone")


def test_by_keyboard_alone(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    # Playwright intercepts file choosers from the first listener on, but does not wait until
    # Chromium knows. A key pressed right after it can open a chooser that is never reported.
    page.on("filechooser", lambda _: None)
    focused = page.locator("*:focus")

    def tab_to(selector: str, key: str = "Tab") -> None:
        for _ in range(40):
            page.keyboard.press(key)
            if focused.evaluate("(e, selector) => e.matches(selector)", selector):
                return
        pytest.fail(f"{selector} cannot be reached")

    tab_to("#files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([STREET, SAMPLES / "car.jpg"])
    settle(page)
    expect(rows(page)).to_have_count(4)
    tab_to("#options summary")
    page.keyboard.press("Enter")
    tab_to("#url")
    page.keyboard.type("http://127.0.0.1/a.jpg")
    page.keyboard.press("Enter")
    settle(page)
    expect(page.locator(".thumb.failed")).to_have_count(1)
    tab_to(".frame")
    page.keyboard.press("+")
    assert page.evaluate("view.zoom") == 1.5
    tab_to("#score")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert page.locator("#score").input_value() == "0.85"
    tab_to("#reset", "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to("#rows summary")
    expect(page.locator("svg g.hot")).to_have_count(1)
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#rows .bars").first).to_be_visible()
    tab_to(".thumb")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#name")).to_have_text("car.jpg")
    tab_to("[role=tab]")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", selected=True)).to_have_text("Python (matchvec-client)")


def test_both_languages_have_every_text(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    missing = page.evaluate(
        """() => {
            const {en, fr} = TEXTS;
            const both = (a, b) => Object.keys(a).filter((key) => !(key in b));
            const marked = [...document.querySelectorAll("[data-t]")].map((e) => e.dataset.t);
            const named = [...document.querySelectorAll("[data-a]")].map((e) => e.dataset.a);
            return [...marked.filter((key) => !(key in fr)), ...named.filter((key) => !(key in en)),
                ...both(en, fr), ...both(en.errors, fr.errors), ...both(fr.errors, en.errors)];
        }"""
    )
    assert missing == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_has_its_sentence(language: str, stage: Stage, open_page: OpenPage) -> None:
    """The codes of pictures, of requests and of API Gateway."""
    page = open_page(f"{stage.url}/")
    written = set(page.evaluate(f"Object.keys(TEXTS.{language}.errors)"))
    definition = (Path(__file__).parents[2] / "swagger.yaml").read_text()
    answered = set(re.findall(r'"error": \{"code": "(\w+)"', definition))
    from gateway.errors import PartError
    from inference.errors import PictureError

    answered |= {each.code for base in (PartError, PictureError) for each in base.__subclasses__()}
    assert len(answered) > 15
    assert answered - written == set()


def test_dark(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/", color_scheme="dark")
    add(page, STREET, LETTER)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", background))) < 100
    shoot(page, "dark")


LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "French": {"locale": "fr-FR"},
}


@pytest.mark.parametrize("options", LOOKS.values(), ids=LOOKS)
def test_axe_finds_nothing(options: dict[str, Any], stage: Stage, open_page: OpenPage) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    page = open_page(f"{stage.url}/", **options)
    results = [axe.run(page)]
    add(page, STREET, LETTER)
    page.locator("#options summary").click()
    page.locator("#rows summary").first.click()
    page.locator("#raw summary").click()
    results.append(axe.run(page))
    page.locator(".thumb.failed").click()
    page.locator("#show-models").click()
    expect(page.locator(".chips li").first).to_be_visible()
    results.append(axe.run(page))
    for each in results:
        assert each.violations_count == 0, each.generate_report()
        assert len(each.response["passes"]) > 10


def test_the_readmes_picture(stage: Stage, open_page: OpenPage) -> None:
    """docs/images/try-page.png is this screenshot, with fewer colours."""
    page = open_page(f"{stage.url}/", viewport={"width": 1180, "height": 900})
    add(page, STREET)
    page.wait_for_load_state("load")
    screenshot = page.screenshot(animations="disabled")
    image = Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(128)
    path = shoot(page, "readme")
    image.save(path, optimize=True)
    assert path.stat().st_size < 250_000
