"""`bench` measures models on pictures labelled in common formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from scripts.models.__main__ import main
from scripts.models.bench import average_precision, right_share
from scripts.models.errors import ToolError
from scripts.models.labelled import Labelled, read_labelled, true_boxes
from tests.support.graphs import colour_classifier, fixed_onnx, yolov8_columns

CAR = (16, 16, 48, 48)
"""The box that the detector finds in every picture of 64x64."""


def picture(path: Path, colour: tuple[int, int, int] = (90, 90, 90)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), colour).save(path)


def yolo(folder: Path) -> None:
    picture(folder / "train" / "images" / "a.png")
    (folder / "train" / "labels").mkdir()
    (folder / "train" / "labels" / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text("names: [dog, Car]\n")


def coco(folder: Path) -> None:
    picture(folder / "a.png")
    values = {
        "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "absent.png"}],
        "annotations": [{"image_id": 7, "category_id": 3, "bbox": [16, 16, 32, 32]}],
        "categories": [{"id": 3, "name": "car"}],
    }
    (folder / "annotations.json").write_text(json.dumps(values))


def classes(folder: Path) -> None:
    picture(folder / "red" / "a.png", (220, 20, 20))
    picture(folder / "red" / "b.png", (20, 20, 220))
    picture(folder / "blue" / "a.png", (20, 20, 220))


def add(base: Path, model: bytes, *flags: str) -> None:
    base.mkdir(parents=True)
    (base / "file.onnx").write_bytes(model)
    arguments = ["add", str(base / "file.onnx"), "--name", "mine", "--models", str(base)]
    assert main([*arguments, *flags]) == 0


@pytest.mark.parametrize("write", [yolo, coco])
def test_a_detector_is_measured(
    write: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(write)
    (tmp_path / "labels").write_text("car\nperson\n")
    write(tmp_path / "data")
    model = fixed_onnx({"output0": yolov8_columns()})
    add(tmp_path / "models", model, "--labels", str(tmp_path / "labels"))
    capsys.readouterr()

    flags = ["--models", str(tmp_path / "models"), "--images", str(tmp_path / "data")]
    assert main(["bench", "mine", *flags]) == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[0] == "mine"
    assert last[3:] == ["1.000", "mAP", "50,", "1", "classes,", "1", "pictures"]


def test_a_classifier_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels").write_text("red\nblue\n")
    classes(tmp_path / "data")
    plain = ["--set", "input.mean=", "--set", "input.std="]
    add(tmp_path / "models", colour_classifier(), "--labels", str(tmp_path / "labels"), *plain)
    capsys.readouterr()

    flags = ["--models", str(tmp_path / "models"), "--images", str(tmp_path / "data")]
    assert main(["bench", "mine", *flags]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[3] == "0.667"


@pytest.mark.parametrize(
    ("labels", "expected"),
    {
        "in any case": ([("RED", "blue")], 0.5),
        "the output that has the folders' names": ([("Fiat", "Opel"), ("red", "blue")], 0.5),
        "one of the folders is unknown": ([("red", "green")], 1.0),
    }.values(),
)
def test_right_answers_are_counted(labels: list[tuple[str, ...]], expected: float) -> None:
    pictures = [Labelled(Path("a"), (), "red"), Labelled(Path("b"), (), "Blue")]
    answers = [tuple(each[0] for each in labels)] * 2
    assert right_share(answers, pictures, labels)[0] == expected


@pytest.mark.parametrize("write", [classes, coco])
def test_a_model_without_a_common_class_is_timed(
    write: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(write)
    write(tmp_path / "data")
    (tmp_path / "labels").write_text("cat\ndog\n")
    model = fixed_onnx({"output0": yolov8_columns()})
    add(tmp_path / "models", model, "--labels", str(tmp_path / "labels"), "--vehicles", "cat")
    flags = ["--models", str(tmp_path / "models"), "--images", str(tmp_path / "data")]
    assert main(["bench", "mine", *flags]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[3] == "-"


def test_boxes_are_in_pixels(tmp_path: Path) -> None:
    yolo(tmp_path)
    [[labelled], kind] = read_labelled(tmp_path)
    assert (labelled.boxes, kind) == ((("Car", CAR),), "YOLO")


def test_an_outline_becomes_a_box(tmp_path: Path) -> None:
    yolo(tmp_path)
    outline = "1 0.25 0.25 0.75 0.5 0.5 0.75\n"
    (tmp_path / "train" / "labels" / "a.txt").write_text(outline)
    [[labelled], _] = read_labelled(tmp_path)
    assert labelled.boxes == (("Car", CAR),)


@pytest.mark.parametrize(
    ("images", "labels", "names", "given"),
    {
        "the whole folder": ("images", "labels", "data.yaml", "."),
        "the pictures": ("images", "labels", "data.yaml", "images"),
        "a split": ("images/val", "labels/val", "data.yaml", "images/val"),
        "names above": ("val/images", "val/labels", "data.yaml", "val"),
        "a list of names": ("images", "labels", "classes.txt", "images"),
    }.values(),
)
def test_true_boxes_lie_next_to_pictures(
    images: str, labels: str, names: str, given: str, tmp_path: Path
) -> None:
    picture(tmp_path / images / "a.png")
    (tmp_path / labels).mkdir(parents=True)
    (tmp_path / labels / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / names).write_text("dog\nCar\n" if names.endswith("txt") else "names: [dog, Car]")
    assert true_boxes(tmp_path / given) == {tmp_path / images / "a.png": (("Car", CAR),)}


def test_boxes_of_several_coco_files(tmp_path: Path) -> None:
    coco(tmp_path / "train")
    coco(tmp_path / "val")
    (tmp_path / "val" / "a.png").rename(tmp_path / "val" / "b.png")
    text = (tmp_path / "val" / "annotations.json").read_text().replace("a.png", "b.png")
    (tmp_path / "val" / "annotations.json").write_text(text)
    assert {path.name: boxes for path, boxes in true_boxes(tmp_path).items()} == {
        "a.png": (("car", CAR),),
        "b.png": (("car", CAR),),
    }


@pytest.mark.parametrize("row", ["7 0.5 0.5 0.5 0.5", "car 0.5 0.5 0.5 0.5"])
def test_rows_without_a_name_are_refused(row: str, tmp_path: Path) -> None:
    yolo(tmp_path)
    (tmp_path / "train" / "labels" / "a.txt").write_text(row)
    with pytest.raises(ToolError):
        read_labelled(tmp_path)
    assert true_boxes(tmp_path) == {}


def test_pictures_without_labels_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(ToolError, match="has no labels"):
        read_labelled(tmp_path)


@pytest.mark.parametrize(
    ("judged", "total", "expected"),
    {
        "all": ([(0.9, True), (0.8, True)], 2, 1.0),
        "half found": ([(0.9, True)], 2, 0.5),
        "a wrong one first": ([(0.9, False), (0.8, True)], 1, 0.5),
        "a wrong one last": ([(0.9, True), (0.8, False)], 1, 1.0),
        "nothing found": ([], 3, 0.0),
    }.values(),
)
def test_average_precision(judged: list[tuple[float, bool]], total: int, expected: float) -> None:
    assert average_precision(judged, total) == pytest.approx(expected)
