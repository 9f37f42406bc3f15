"""The try page: pictures, boxes, rows, labels and settings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from service.settings import Settings
from tests.browser.conftest import SAMPLES, OpenPage, shoot
from tests.browser.gateway import Stage, serving
from tests.browser.try_page import (
    LETTER,
    PHONE,
    STREET,
    add,
    answer_of,
    expect,
    labels,
    rows,
    settle,
    with_classifiers,
    without_roles,
)
from tests.support.handlers import Handler, make_handler

pytestmark = [pytest.mark.slow, pytest.mark.browser]
THREE = [STREET, SAMPLES / "rotated.jpg", SAMPLES / "truck.jpg"]


@pytest.fixture
def rich(browser_handler: Handler) -> Any:
    with serving(Stage(with_classifiers(browser_handler), "Prod")) as stage:
        yield stage


def test_three_pictures_in_one_request(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, *THREE)
    assert stage.requests.count(("POST", "/Prod/predict")) == 1
    expect(page.locator(".thumb")).to_have_count(3)
    expect(page.locator("#name")).to_have_text("street.jpg")
    expect(rows(page)).to_have_count(4)
    expect(page.locator("svg g")).to_have_count(4)
    expect(page.locator("#rows details[open]")).to_have_count(0)
    page.locator("#rows summary").first.click()
    expect(page.locator("#rows [open] .bars").first.locator("li")).to_have_count(5)
    shoot(page, "desktop")
    page.get_by_role("button", name=re.compile("truck.jpg")).click()
    expect(page.locator("#name")).to_have_text("truck.jpg")


def test_boxes_are_numbered_from_left_to_right(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    middles = [
        box["x"] + box["width"] / 2
        for edge in page.locator("svg .edge").all()
        if (box := edge.bounding_box())
    ]
    assert middles == sorted(middles)
    numbers = [text.split()[0] for text in page.locator("svg text").all_text_contents()]
    assert numbers == ["1", "2", "3", "4"]


def test_boxes_match_the_picture(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, SAMPLES / "rotated.jpg")
    image = page.locator(".pane img")
    natural = image.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert natural == [600, 800], "the browser turns it, as the service does"
    shown = image.bounding_box()
    edge = page.locator("svg .edge").first.bounding_box()
    assert shown
    assert edge
    [vehicle] = answer_of(page)["predictions"]
    scale = shown["width"] / 600
    assert edge["x"] == pytest.approx(shown["x"] + vehicle["x1"] * scale, abs=4)
    assert edge["y"] == pytest.approx(shown["y"] + vehicle["y1"] * scale, abs=4)
    assert edge["width"] == pytest.approx((vehicle["x2"] - vehicle["x1"]) * scale, abs=8)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_labels_are_in_their_own_boxes(
    options: dict[str, Any], rich: Stage, open_page: OpenPage
) -> None:
    page = open_page(f"{rich.url}/", **options)
    add(page, STREET)
    plates = [plate.bounding_box() for plate in page.locator("svg .plate").all()]
    edges = [edge.bounding_box() for edge in page.locator("svg .edge").all()]
    assert len(plates) == len(edges) == 4
    for plate, edge in zip(plates, edges, strict=True):
        assert plate
        assert edge
        assert edge["x"] - 2 <= plate["x"] <= edge["x"] + edge["width"]
        assert plate["x"] + plate["width"] <= edge["x"] + edge["width"] + 2
        assert edge["y"] - 2 <= plate["y"] <= edge["y"] + edge["height"]


def test_box_and_row_highlight_each_other(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    rows(page).nth(1).hover()
    expect(page.locator("svg g.hot text")).to_contain_text("2")
    expect(page.locator("#rows .hot")).to_have_count(1)
    page.mouse.move(0, 0)
    expect(page.locator(".hot")).to_have_count(0)
    page.locator('svg g[data-i="2"] .edge').click()
    expect(rows(page).nth(2).locator("details")).to_have_attribute("open", "")
    expect(rows(page).nth(2).locator("summary")).to_be_focused()


def test_the_score_filters_without_a_request(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    expect(page.locator("#shown")).to_contain_text("0.40")
    page.get_by_label("Detection score").fill("0.85")
    confidences = [each["confidence"] for each in answer_of(page)["predictions"]]
    expect(rows(page)).to_have_count(sum(each >= 0.85 for each in confidences))
    page.get_by_role("button", name="Default").click()
    expect(rows(page)).to_have_count(4)
    assert stage.requests.count(("POST", "/Prod/predict")) == 1


LABELS = {
    "best": ["Renault · white", "truck · white"],
    "make": ["Renault", "truck · white"],
    "kind": ["car", "truck"],
    "colour": ["white"],
    "class": ["bus", "car"],
}


@pytest.mark.parametrize(("chosen", "texts"), LABELS.items(), ids=LABELS)
def test_a_classifier_is_chosen_for_the_labels(
    chosen: str, texts: list[str], rich: Stage, open_page: OpenPage
) -> None:
    page = open_page(f"{rich.url}/")
    add(page, STREET)
    page.get_by_label("Label", exact=True).select_option(chosen)
    assert sorted(set(labels(page))) == texts
    shown = [text.split(" ", 1)[1] for text in page.locator("svg text").all_text_contents()]
    assert shown == labels(page)


def test_answers_of_one_classifier(browser_handler: Handler, open_page: OpenPage) -> None:
    """Classifiers without roles answer `pred` and `prob` without named objects."""
    with serving(Stage(without_roles(browser_handler))) as stage:
        page = open_page(f"{stage.url}/")
        add(page, STREET)
        found = sorted(answer_of(page)["predictions"], key=lambda each: each["x1"] + each["x2"])
        visible = [each for each in found if each["confidence"] >= 0.4]
        assert labels(page) == [each["pred"][0] for each in visible]


def test_a_doubtful_colour_is_no_label(rich: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{rich.url}/")
    add(page, STREET)
    page.evaluate("for (const each of current.answer.predictions) each.colour.prob[0] = 0.4;")
    page.evaluate("changed()")
    assert set(labels(page)) == {"Renault", "truck"}


def test_the_default_score_is_that_of_the_service(settings: Settings, open_page: OpenPage) -> None:
    handler = make_handler(replace(settings, detection_threshold=0.85))
    with serving(Stage(handler)) as stage:
        page = open_page(f"{stage.url}/")
        add(page, STREET)
        expect(page.locator("#shown")).to_have_text("0.85 (default)")
        expect(rows(page)).to_have_count(2)


def test_french(rich: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{rich.url}/", locale="fr-CA")
    assert page.evaluate("document.documentElement.lang") == "fr"
    add(page, STREET, LETTER)
    page.get_by_label("Étiquette").select_option("kind")
    assert set(labels(page)) == {"voiture", "camion"}
    page.get_by_label("Étiquette").select_option("colour")
    assert set(labels(page)) == {"blanc"}
    for summary in page.locator("#rows summary").all():
        summary.click()
    words = page.locator("#rows b, #rows .hint").all_text_contents()
    assert not re.search(r"\bcar\b|\bwhite\b", " ".join(words))
    shoot(page, "french")


def test_the_language_can_be_changed(rich: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{rich.url}/")
    add(page, STREET)
    page.locator("#lang").select_option("fr")
    assert page.title().startswith("Matchvec :")
    expect(page.locator("#clear")).to_have_text("Tout effacer")
    page.locator("#lang").select_option("en")
    expect(page.locator("#clear")).to_have_text("Remove all")


def test_zoom(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    image = page.locator(".pane img")
    before = image.bounding_box()
    page.get_by_role("button", name="Zoom in").click()
    after = image.bounding_box()
    assert before
    assert after
    assert after["width"] == pytest.approx(before["width"] * 1.5, rel=0.01)
    plate = page.locator("svg .plate").first.bounding_box()
    assert plate
    assert plate["height"] == pytest.approx(20, abs=1), "labels keep their size"
    shoot(page, "zoomed")
    page.locator(".frame").focus()
    page.keyboard.press("0")
    assert image.bounding_box() == before


def test_boxes_off(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    page.get_by_label("Boxes").uncheck()
    page.mouse.move(0, 0)
    assert page.locator("svg g").first.evaluate("box => getComputedStyle(box).opacity") == "0"


def test_settings_are_in_the_address(rich: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{rich.url}/#score=0.85&label=colour&boxes=0&lang=fr")
    add(page, STREET)
    expect(page.locator("#shown")).to_have_text("0,85")
    assert page.locator("#label").input_value() == "colour"
    assert not page.locator("#boxes").is_checked()
    page.locator("#reset").click()
    assert page.url.endswith("/Prod/#label=colour&boxes=0&lang=fr")


def test_results_survive_a_reload(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, LETTER, SAMPLES / "car.jpg")
    expected = labels(page)
    posted = len(stage.requests)
    page.reload()
    settle(page)
    assert labels(page) == expected
    expect(page.locator(".thumb")).to_have_count(3)
    expect(page.locator(".thumb.failed")).to_have_count(1)
    assert [each for each in stage.requests[posted:] if each[0] == "POST"] == []
    shoot(page, "reload")
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("#status")).to_have_text("All pictures removed.")
    page.reload()
    expect(page.locator("#work")).to_be_hidden()
    expect(page.locator(".thumb")).to_have_count(0)


def test_pictures_can_be_removed(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, SAMPLES / "car.jpg")
    page.get_by_role("button", name="Remove: street.jpg").click()
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.locator(".thumb")).to_be_focused()
    expect(page.locator("#name")).to_have_text("car.jpg")


def test_the_models_are_readable(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.get_by_role("button", name="Models").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="vehicle_detector")).to_be_visible()
    expect(dialog.locator(".chips li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
