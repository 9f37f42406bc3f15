"""Results as pictures, tables, detections and HTML."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from matchvec_client import (
    Classification,
    ExtraMissing,
    Failure,
    Picture,
    PillowMissing,
    Prediction,
    UsageError,
    images,
    to_dataframe,
)
from matchvec_client.output import CSV_FIELDS
from matchvec_client.sources import Source
from tests.support.pictures import plain

MORE = {
    "make": Classification("Renault: 0.9", ("Renault",), (0.9,)),
    "colour": Classification("red: 0.8", ("red", "brown"), (0.8, 0.1)),
}
CAR = Prediction(4, 5, 24, 25, "car", 0.91234, "clio: 0.75", ("clio", "208"), (0.75, 0.25), MORE)
BUS = Prediction(0, 0, 10, 10, "bus", 0.5, "bus: 0.5")
CONTENT = plain(width=40, height=30)
SOURCE = Source("a<b>.png", content=CONTENT, size=len(CONTENT))
PICTURE = Picture("a<b>.png", 40, 30, (CAR, BUS), source=SOURCE)
EMPTY = Picture("empty.png", 8, 6)
FAILED = Picture("bad.jpg", error=Failure("not_an_image", "It is <not> a picture."))


def test_reprs_are_short() -> None:
    assert repr(CAR) == "<car 0.912 'clio: 0.75' (4, 5, 24, 25)>"
    assert repr(PICTURE) == (
        "<Picture 'a<b>.png' 40x30: <car 0.912 'clio: 0.75' (4, 5, 24, 25)>, "
        "<bus 0.500 'bus: 0.5' (0, 0, 10, 10)>>"
    )
    assert repr(EMPTY) == "<Picture 'empty.png' 8x6: nothing found>"
    assert repr(FAILED) == "<Picture 'bad.jpg' not_an_image: It is <not> a picture.>"


def test_named_answers() -> None:
    assert (CAR.make, CAR.kind, CAR.colour) == (MORE["make"], None, MORE["colour"])


def test_draw() -> None:
    drawn = PICTURE.draw()
    assert drawn.size == (40, 30)
    assert drawn.tobytes() != images.open_upright(CONTENT).tobytes()


@pytest.mark.parametrize(
    ("margin", "sizes"), [(0.0, [(20, 20), (10, 10)]), (0.5, [(34, 30), (15, 15)])]
)
def test_crop(margin: float, sizes: list[tuple[int, int]]) -> None:
    assert [crop.size for crop in PICTURE.crop(margin=margin)] == sizes


def test_another_image_can_be_passed(tmp_path: Path) -> None:
    url = Picture("http://a.example/1.jpg", 40, 30, (CAR,), source=Source("http://a.example/1.jpg"))
    path = tmp_path / "a.png"
    path.write_bytes(CONTENT)
    given: list[Any] = [path, CONTENT, Image.new("RGB", (40, 30)), np.zeros((30, 40, 3), np.uint8)]
    assert [url.draw(image).size for image in given] == [(40, 30)] * 4


NOT_READABLE = {
    "url": Source("http://a.example/1.jpg"),
    "gone": Source("gone.jpg", Path("gone.jpg")),
    "damaged": Source("a.png", content=b"text"),
    "unknown": None,
}


@pytest.mark.parametrize("source", NOT_READABLE.values(), ids=NOT_READABLE)
def test_a_picture_that_cannot_be_read(source: Source | None) -> None:
    picture = Picture("a.jpg", 40, 30, (CAR,), source=source)
    with pytest.raises(UsageError):
        picture.draw()
    with pytest.raises(UsageError):
        picture.crop()
    assert "<img" not in html_of(picture)


def test_a_negative_margin() -> None:
    with pytest.raises(UsageError):
        PICTURE.crop(margin=-1)


def test_drawing_needs_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "HAS_PILLOW", False)
    with pytest.raises(PillowMissing):
        PICTURE.draw()


def html_of(picture: Picture) -> str:
    represent = getattr(picture, "_repr_html_")  # noqa: B009  notebooks call it by this name
    return str(represent())


def test_html() -> None:
    html = html_of(PICTURE)
    assert 'src="data:image/jpeg;base64,' in html
    assert html.count("<tr>") == 3
    assert "<b>" not in html
    assert "<not>" not in html_of(FAILED)
    assert "<table>" not in html_of(EMPTY)


class FakePandas(ModuleType):
    """pandas, as far as `to_dataframe` uses it."""

    @staticmethod
    def DataFrame(rows: list[dict[str, Any]], columns: list[str]) -> Any:
        return SimpleNamespace(rows=rows, columns=columns)


def test_a_dataframe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", FakePandas("pandas"))
    frame: Any = to_dataframe([PICTURE, EMPTY, FAILED])
    assert frame.columns == list(CSV_FIELDS)
    assert [row["picture"] for row in frame.rows] == [
        "a<b>.png",
        "a<b>.png",
        "empty.png",
        "bad.jpg",
    ]
    assert frame.rows[0]["make"] == "Renault"
    assert frame.rows[0]["colour"] == "red"
    assert frame.rows[0]["pred"] == ["clio", "208"]
    assert frame.rows[3]["error"] == "not_an_image"
    assert len(PICTURE.to_dataframe().rows) == 2


class Detections(SimpleNamespace):
    """supervision.Detections, as far as `to_supervision` uses it."""

    @classmethod
    def empty(cls) -> Detections:
        return cls(xyxy=np.empty((0, 4)))


@pytest.fixture
def supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("supervision")
    module.Detections = Detections
    monkeypatch.setitem(sys.modules, "supervision", module)


@pytest.mark.parametrize(
    ("names", "ids"), [(None, [0, 1]), (["bus", "truck", "car"], [2, 0])], ids=["default", "named"]
)
def test_detections(supervision: None, names: list[str] | None, ids: list[int]) -> None:
    found: Any = PICTURE.to_supervision(names)
    assert found.xyxy.tolist() == [[4, 5, 24, 25], [0, 0, 10, 10]]
    assert found.xyxy.dtype == np.float32
    assert found.confidence.tolist() == pytest.approx([0.91234, 0.5])
    assert found.class_id.tolist() == ids
    assert found.data["class_name"].tolist() == ["car", "bus"]
    assert found.data["label"].tolist() == ["clio: 0.75", "bus: 0.5"]


def test_no_detections(supervision: None) -> None:
    assert len(EMPTY.to_supervision().xyxy) == 0


def test_a_class_without_an_id(supervision: None) -> None:
    with pytest.raises(UsageError):
        PICTURE.to_supervision(["car"])


@pytest.mark.parametrize(
    ("method", "package"), [("to_dataframe", "pandas"), ("to_supervision", "supervision")]
)
def test_missing_extras(method: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing) as caught:
        getattr(PICTURE, method)()
    assert caught.value.code == "extra_missing"
