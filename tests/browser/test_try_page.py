"""The try page in a real browser, as people use it."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from service.settings import Settings
from tests.browser.bucket import upload_bucket
from tests.browser.conftest import SAMPLES, SECONDS, OpenPage, shoot
from tests.browser.gateway import Stage, serving
from tests.support.handlers import Handler, make_handler
from tests.support.local_api import local_api
from tests.support.pictures import encode

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
STREET = SAMPLES / "street.jpg"
THREE = [STREET, SAMPLES / "rotated.jpg", SAMPLES / "truck.jpg"]
LETTER: FilePayload = {
    "name": "letter.jpg",
    "mimeType": "image/jpeg",
    "buffer": b"Dear Sir or Madam,",
}


def expect(locator: Locator) -> Any:
    from playwright.sync_api import expect as expect_locator

    return expect_locator(locator)


def add(page: Page, *files: Path | FilePayload, answered: str = "answered in") -> None:
    """Choose files and wait until all are answered."""
    page.set_input_files("#files", [payload(file) for file in files])
    expect(page.locator("#status")).to_contain_text(answered)


def payload(file: Path | FilePayload) -> FilePayload:
    if isinstance(file, Path):
        kind = f"image/{file.suffix.removeprefix('.').replace('jpg', 'jpeg')}"
        return {"name": file.name, "mimeType": kind, "buffer": file.read_bytes()}
    return file


def file_of(image: Image.Image, name: str, file_format: str, **options: Any) -> FilePayload:
    content = encode(image, file_format, **options)
    return {"name": name, "mimeType": f"image/{file_format.lower()}", "buffer": content}


def noise(width: int, height: int) -> Image.Image:
    """What no encoder makes small."""
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def cards(page: Page) -> Locator:
    return page.locator("#results > li")


def answer_of(page: Page) -> Any:
    """The raw JSON that the page shows of its last request."""
    return json.loads(page.locator("#exchanges details pre").last.text_content() or "")


# What one sees


def test_three_pictures(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, *THREE)
    expect(page.locator("#status")).to_have_text(
        re.compile(r"3 pictures answered in [\d,]+ ms: 7 objects found\.")
    )
    assert [stage.requests.count(("POST", f"/Prod/{route}")) for route in ("predict",)] == [1]
    for card, path in zip(cards(page).all(), THREE, strict=True):
        expect(card.get_by_role("heading")).to_have_text(path.name)
        expect(card.locator("header .hint")).to_have_text(
            re.compile(r"\d+×\d+ px · decode \d+ \+ inference \d+ ms")
        )
    street = cards(page).first
    expect(street.locator("tbody tr")).to_have_count(4)
    expect(street.locator("svg g")).to_have_count(4)
    for row in street.locator("tbody tr").all():
        expect(row.locator(".bars li")).to_have_count(5)
    texts = street.locator("svg text").all_text_contents()
    assert {re.sub(r" [\d.]+%", "", text) for text in texts} == {"1 car", "2 bus", "3 car", "4 car"}
    shoot(page, "desktop")


def test_boxes_lie_on_the_picture(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, SAMPLES / "rotated.jpg")
    image = cards(page).first.locator("img")
    natural = image.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert natural == [600, 800], "the browser has turned it, as the service has"
    shown = image.bounding_box()
    edge = cards(page).first.locator("rect.edge").bounding_box()
    assert shown
    assert edge
    [vehicle] = answer_of(page)["images"][0]["predictions"]
    scale = min(shown["width"] / 600, shown["height"] / 800)
    left = shown["x"] + (shown["width"] - 600 * scale) / 2
    assert edge["x"] == pytest.approx(left + vehicle["x1"] * scale, abs=4)
    assert edge["y"] == pytest.approx(shown["y"] + vehicle["y1"] * scale, abs=4)
    assert edge["width"] == pytest.approx((vehicle["x2"] - vehicle["x1"]) * scale, abs=8)


def test_labels_stay_on_the_picture_and_off_each_other(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/", **PHONE)
    add(page, STREET)
    frame = page.locator(".frame").bounding_box()
    assert frame
    plates = [plate.bounding_box() for plate in page.locator("svg g rect:nth-child(3)").all()]
    assert len(plates) == 4
    for i, plate in enumerate(plates):
        assert plate
        assert plate["x"] >= frame["x"] - 1
        assert plate["x"] + plate["width"] <= frame["x"] + frame["width"] + 1
        for other in plates[:i]:
            assert other
            assert (
                plate["x"] >= other["x"] + other["width"] - 1
                or other["x"] >= plate["x"] + plate["width"] - 1
                or plate["y"] >= other["y"] + other["height"] - 1
                or other["y"] >= plate["y"] + plate["height"] - 1
            )


def test_box_and_row_belong_together(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    rows, boxes = page.locator("tbody tr"), page.locator("svg g")
    rows.nth(1).hover()
    expect(page.locator("svg g.hot text")).to_contain_text("2 bus")
    expect(page.locator("tr.hot")).to_have_count(1)
    boxes.filter(has_text="1 car").locator("rect.edge").hover()
    expect(page.locator("tr.hot .number")).to_have_text("1")
    page.mouse.move(0, 0)
    expect(page.locator(".hot")).to_have_count(0)
    boxes.filter(has_text="3 car").locator("rect.edge").click()
    expect(rows.nth(2).get_by_role("button")).to_be_focused()


def test_a_failed_picture_says_why(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, LETTER)
    expect(page.locator("#status")).to_contain_text("1 picture answered")
    expect(page.locator("#status")).to_contain_text("1 failed.")
    failed = cards(page).nth(1).locator(".failed")
    expect(failed).to_contain_text("The file is not a picture, or it is damaged")
    expect(failed.get_by_text("not_an_image")).to_be_visible()
    expect(cards(page).first.locator(".failed")).to_have_count(0)
    shoot(page, "failed")


# Ways to give a picture


def test_an_address(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.route("http://pictures.example/street.jpg", lambda route: route.fulfill(path=STREET))
    page.get_by_label("Or a picture’s address").fill("http://pictures.example/street.jpg")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#status")).to_contain_text("4 objects found")
    expect(cards(page).first.get_by_role("heading")).to_have_text("street.jpg")
    expect(page.locator("svg g text")).to_have_count(4)
    expect(page.locator("#exchanges .line pre")).to_contain_text(
        "--form-string url=http://pictures.example/street.jpg"
    )


def test_an_address_inside_the_network_is_refused(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.get_by_label("Or a picture’s address").fill("http://127.0.0.1/secret.jpg")
    page.keyboard.press("Enter")
    expect(page.locator(".failed")).to_contain_text("a public http or https address")
    expect(page.locator(".failed code")).to_have_text("url_not_allowed")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_dropped_and_pasted_files(kind: str, stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.evaluate(
        """async ([kind, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
            document.body.dispatchEvent(kind === "drop"
                ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        [kind, list((SAMPLES / "car.jpg").read_bytes())],
    )
    expect(page.locator("#status")).to_contain_text("1 object found")
    expect(page.locator("h2").first).to_have_text("dropped.jpg")


def test_the_drawn_sample(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.get_by_role("button", name="Use a drawn sample").click()
    expect(page.locator("#status")).to_contain_text("4 objects found")
    expect(page.locator(".frame svg text")).to_have_count(4)


# Options


def test_route_and_threshold(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    page.get_by_label("Lowest score").fill("0.85")
    expect(page.locator("#shown")).to_have_text("0.85")
    page.get_by_label("Every object, without its kind").check()
    page.get_by_role("button", name="Analyse again").click()
    expect(page.locator("#status")).to_contain_text("2 objects found")
    expect(page.locator(".bars")).to_have_count(0)
    expect(page.locator("#exchanges .line pre")).to_contain_text(
        "/Prod/object_detection?details=true&threshold=0.85"
    )
    page.get_by_role("button", name="Back to the default").click()
    page.get_by_role("button", name="Analyse again").click()
    expect(page.locator("#status")).to_contain_text("4 objects found")
    assert "threshold" not in (page.locator("#exchanges .line pre").text_content() or "")


def test_nothing_found(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, file_of(Image.new("RGB", (300, 200), "#88aacc"), "sky.png", "PNG"))
    expect(page.locator(".found")).to_have_text("Nothing found. A lower score may show more.")


def test_an_api_key(browser_handler: Handler, open_page: OpenPage) -> None:
    with serving(Stage(browser_handler, "Prod", key="k3y")) as stage:
        page = open_page(f"{stage.url}/")
        add(page, SAMPLES / "car.jpg", answered="asks for an API key")
        expect(page.locator(".failed")).to_contain_text("invalid_api_key")
        expect(page.get_by_label("Key, if this service asks for one")).to_be_focused()
        page.keyboard.type("k3y")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("1 object found")
        shown = page.locator("#exchanges .line pre").text_content() or ""
        assert '-H "x-api-key: $API_KEY"' in shown
        assert "k3y" not in page.content()
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
        page.reload()
        add(page, SAMPLES / "car.jpg", answered="1 object found")


# Limits


def test_a_picture_that_is_too_large_is_reduced(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    exif = Image.Exif()
    exif[0x0112] = 6
    large = file_of(noise(2400, 1500), "large.jpg", "JPEG", quality=99, exif=exif)
    assert len(large["buffer"]) > 4_400_000
    add(page, large)
    expect(page.locator(".note")).to_have_text(
        re.compile(r"Too large for one request, so it was reduced here: 1500×2400, [\d.]+ MB → ")
    )
    [image] = answer_of(page)["images"]
    assert image["width"] < image["height"], "upright"
    expect(page.locator("#exchanges .line pre")).to_contain_text("# reduced here before")


def test_a_picture_that_is_too_large_goes_by_way_of_the_bucket(
    settings: Settings, open_page: OpenPage
) -> None:
    large = file_of(noise(2400, 1500), "large.jpg", "JPEG", quality=99)
    with (
        upload_bucket() as uploads,
        serving(Stage(make_handler(settings, uploads=uploads), "Prod")) as stage,
    ):
        page = open_page(f"{stage.url}/")
        add(page, STREET, large)
        expect(page.locator(".note")).to_have_text(re.compile(r"Too large .* after a day\."))
        [key] = uploads.objects
        assert uploads.objects[key] == large["buffer"]
        assert stage.requests.count(("POST", "/Prod/uploads")) == 1
        street, stored = answer_of(page)["images"]
        assert (street["field"], stored["field"], stored["error"]) == ("image", "s3", None)
        assert (stored["width"], stored["height"]) == (2400, 1500), "not reduced"
        expect(page.locator("#exchanges .line pre")).to_contain_text(f"s3={key}")
        expect(cards(page).nth(1).locator("img")).to_be_visible()


def test_pictures_that_are_too_many_for_one_request(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    files = [
        file_of(noise(900, 700), f"{i}.png", "PNG", compress_level=0) for i in range(3)
    ]  # 1.9 MB each
    add(page, *files)
    expect(page.locator("#status")).to_contain_text(
        "Together these are too much for one request, so they went in 2."
    )
    expect(page.locator(".note")).to_have_count(0)
    assert stage.requests.count(("POST", "/Prod/predict")) == 2
    expect(page.locator("#exchanges h3")).to_have_count(2)


def test_a_file_that_the_browser_can_not_show(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    with Image.open(SAMPLES / "car.jpg") as car:
        add(page, file_of(car.convert("RGB"), "car.tiff", "TIFF", compression="tiff_lzw"))
    expect(page.locator(".note")).to_contain_text("this is the picture as the service draws it")
    natural = page.locator(".frame img").evaluate("image => image.naturalWidth")
    assert natural == 800


# The same in a terminal


def test_the_command_shown_gives_the_same_answer(
    stage: Stage, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(f"{stage.url}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    names = ['street; 1, "old".jpg', "l'été.jpg"]
    for name in names:
        shutil.copy(STREET, tmp_path / name)
    add(page, *(tmp_path / name for name in names))
    page.get_by_role("button", name="Copy: curl").click()
    expect(page.get_by_role("button", name="Copy: curl")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == page.locator("#exchanges .line pre").text_content()
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -sS ", 1)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    page.locator("#exchanges summary").click()
    assert predictions(json.loads(done.stdout)) == predictions(answer_of(page))


def predictions(answer: Any) -> list[Any]:
    return [(image["filename"], image["predictions"]) for image in answer["images"]]


# For everyone


def test_a_phone(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/", **PHONE)
    expect(page.get_by_text("Take a photo")).to_be_visible()
    assert page.locator("#camera").get_attribute("capture") == "environment"
    add(page, STREET, LETTER)
    assert page.evaluate("document.scrollingElement.scrollWidth") == 390
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or box["height"] >= 24, "large enough for a finger"
    shoot(page, "phone")


def test_by_keyboard_alone(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    focused = page.locator("*:focus")

    def tab_to(name: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if focused.evaluate("(e, name) => e.matches(name)", name):
                return
        pytest.fail(f"{name} can't be reached")

    tab_to("#files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(STREET)
    expect(page.locator("#status")).to_contain_text("4 objects found")
    tab_to("#url")
    page.keyboard.type("http://127.0.0.1/a.jpg")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("1 picture failed.")
    tab_to("[name=route]")
    page.keyboard.press("ArrowDown")
    tab_to("#threshold")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    tab_to("#again")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("2 objects found, 1 failed.")
    tab_to(".number")
    expect(page.locator("svg g.hot")).to_have_count(1)
    outline = focused.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"
    tab_to("#exchanges summary")
    page.keyboard.press("Enter")
    expect(page.locator("#exchanges details pre")).to_be_visible()


def test_french(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/", locale="fr-CA")
    assert page.evaluate("document.documentElement.lang") == "fr"
    add(page, STREET, LETTER, answered="1 image traitée en")
    expect(page.locator("#status")).to_contain_text("4 objets trouvés, 1 en échec.")
    expect(page.get_by_role("button", name="Relancer l’analyse")).to_be_visible()
    expect(page.locator(".failed")).to_contain_text("Ce fichier n’est pas une image")
    expect(page.locator(".failed [lang=en]")).to_contain_text("The file is not a picture")
    shoot(page, "french")


def test_both_languages_have_every_text(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    missing = page.evaluate(
        """() => {
            const keys = [...document.querySelectorAll("[data-t], [data-ta]")].map(
                (each) => each.dataset.t ?? each.dataset.ta.split(":")[1]);
            const both = (a, b) => Object.keys(a).filter((key) => !(key in b));
            const {en, fr} = TEXTS;
            return [...keys.filter((key) => !(key in fr)), ...both(en, fr),
                ...both(en.errors, fr.errors), ...both(fr.errors, en.errors)];
        }"""
    )
    assert missing == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_has_its_sentence(language: str, stage: Stage, open_page: OpenPage) -> None:
    """Of one picture, of a request, and of API Gateway itself."""
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


LOOKS = {
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
    empty = axe.run(page)
    page.set_input_files("#files", [payload(STREET), LETTER])
    expect(page.locator("tbody tr")).to_have_count(4)
    page.locator("#exchanges summary").click()
    page.locator("#key-panel summary").click()
    page.locator("tbody tr").nth(1).hover()
    full = axe.run(page)
    for results in (empty, full):
        assert results.violations_count == 0, results.generate_report()
        assert len(results.response["passes"]) > 20


# Wherever it is


@pytest.mark.parametrize("name", ["", "Prod", "vision/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_under_any_prefix(
    name: str, slash: str, browser_handler: Handler, open_page: OpenPage
) -> None:
    with serving(Stage(browser_handler, name)) as stage:
        page = open_page(f"{stage.url}{slash}")
        page.get_by_role("button", name="Use a drawn sample").click()
        expect(page.locator("#status")).to_contain_text("4 objects found")
        prefix = f"/{name}" if name else ""
        assert ("POST", f"{prefix}/predict") in stage.requests
        page.get_by_role("link", name="Models").click()
        page.wait_for_url(f"{stage.url}/models")


def test_with_the_local_api(open_page: OpenPage, tmp_path: Path) -> None:
    """Through SAM CLI, the emulator and the real events."""
    with local_api(tmp_path / "log") as api:
        page = open_page(f"{api.url}/")
        page.set_default_timeout(2 * SECONDS * 1000)
        with Image.open(SAMPLES / "car.jpg") as car:
            tiff = file_of(car.convert("RGB"), "car.tiff", "TIFF", compression="tiff_lzw")
        add(page, STREET, tiff)
        expect(page.locator("#status")).to_contain_text("5 objects found")
        # The drawn answer is binary, which SAM has to pass on as such.
        expect(page.locator(".note")).to_contain_text("as the service draws it")


def test_without_a_connection(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.route("**/predict?*", lambda route: route.abort())
    add(page, STREET, answered="1 picture failed.")
    expect(page.locator(".failed")).to_contain_text("The service can’t be reached.")
    page.unroute("**/predict?*")
    page.get_by_role("button", name="Analyse again").click()
    expect(page.locator("#status")).to_contain_text("4 objects found")


def test_pictures_can_be_removed(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, SAMPLES / "car.jpg")
    page.get_by_role("button", name="Remove street.jpg").click()
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Remove car.jpg")).to_be_focused()
    page.get_by_role("button", name="Remove all").click()
    expect(cards(page)).to_have_count(0)
    expect(page.locator("#requests")).to_be_hidden()


def test_the_readmes_picture(stage: Stage, open_page: OpenPage) -> None:
    """docs/images/try-page.png is this screenshot, with fewer colours."""
    page = open_page(f"{stage.url}/", viewport={"width": 1080, "height": 1100})
    add(page, STREET)
    page.wait_for_load_state("networkidle")
    screenshot = page.screenshot(animations="disabled")
    image = Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(128)
    path = shoot(page, "readme")
    image.save(path, optimize=True)
    assert path.stat().st_size < 150_000
