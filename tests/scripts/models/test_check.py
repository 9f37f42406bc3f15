from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.classification import Classifier
from inference.detection import Detector
from scripts.models.__main__ import main
from scripts.models.check import advice_for, hints_for, open_model
from scripts.models.errors import ToolError
from scripts.models.golden import Answer, differences, read_golden, write_golden
from scripts.models.hints import classifier_hints
from scripts.models.pictures import Crop
from tests.support.graphs import (
    PICTURE,
    colour_classifier,
    finished_rows,
    fixed_onnx,
    red_detector,
    yolov8_columns,
)
from tests.support.models import PROJECT, fake_classifier

STRETCH = ("--set", "input.resize=stretch")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "models"


def add(base: Path, model: bytes, *flags: str, labels: str = "car\nperson\n") -> None:
    base.parent.mkdir(exist_ok=True)
    (base.parent / "labels").write_text(labels)
    (base.parent / "file.onnx").write_bytes(model)
    arguments = ["add", str(base.parent / "file.onnx"), "--name", "mine", "--models", str(base)]
    assert main([*arguments, "--labels", str(base.parent / "labels"), *flags]) == 0


def check(base: Path, images: Path, *flags: str) -> int:
    out = base.parent / "out"
    return main(
        ["check", "mine", "--models", str(base), "--images", str(images), "--out", str(out), *flags]
    )


def pictures(folder: Path, count: int = 8, colour: tuple[int, int, int] = (255, 0, 0)) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (96 + number, 64), colour).save(folder / f"{number}.png")
    return folder


def test_results_are_printed_drawn_and_recorded(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(base, red_detector(), *STRETCH)
    images = pictures(tmp_path / "images", 2)
    (images / "broken.jpg").write_bytes(b"no picture")
    capsys.readouterr()

    assert check(base, images) == 0
    shown = capsys.readouterr().out
    assert f"{images}/0.png\n  1.00 car at 24, 16, 72, 48\n" in shown
    assert f"not read: {images}/broken.jpg: " in shown
    drawn = sorted((tmp_path / "out" / "mine").iterdir())
    assert [path.name for path in drawn] == ["001-0.jpg", "002-1.jpg"]
    with Image.open(drawn[0]) as picture:
        assert picture.size == (96, 64)
        assert picture.getcolors(maxcolors=2) is None
    assert json.loads((base / "mine" / "golden.json").read_text())[0] == {
        "picture": f"{images}/0.png",
        "objects": [
            {
                "class_name": "car",
                "box_xyxy": [24, 16, 72, 48],
                "score_min": 0.9,
                "score_max": 1.0,
            }
        ],
    }


def test_the_next_run_is_compared(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = pictures(tmp_path / "images", 2)
    add(base, red_detector(), *STRETCH)
    assert check(base, images) == 0
    assert check(base, images) == 0
    assert "Compared 2 of 2 pictures" in capsys.readouterr().out

    columns = yolov8_columns()
    columns[0, 4:, 7] = [0, 0.9]
    add(base, fixed_onnx({"output0": columns}), "--replace", *STRETCH)
    capsys.readouterr()
    assert check(base, images) == 1
    shown = capsys.readouterr().out
    assert f"! {images}/0.png: car at [24, 16, 72, 48]" in shown

    assert check(base, images, "--record") == 0
    assert check(base, images) == 0


GOLDEN = {"a.jpg": [{"class_name": "car", "box_xyxy": [0, 0, 10, 10], "score_min": 0.7, "score_max": 0.9}]}  # fmt: skip  # noqa: E501  one entry as the file has it
COMPARED: dict[str, tuple[list[Answer], list[str]]] = {
    "the same": ([Answer("car", (0, 0, 10, 10), 0.8, 0.8)], []),
    "nearly": ([Answer("car", (0, 0, 10, 9), 0.71, 0.8)], []),
    "elsewhere, surely": (
        [Answer("car", (0, 0, 10, 5), 0.8, 0.8)],
        ["car at [0, 0, 10, 10] is missing", "car at [0, 0, 10, 5] is new"],
    ),
    "another score": (
        [Answer("car", (0, 0, 10, 10), 0.6, 0.8)],
        ["car has a score of 0.60, expected 0.7 to 0.9"],
    ),
    "one more, hardly": (
        [Answer("car", (0, 0, 10, 10), 0.8, 0.8), Answer("bus", (20, 0, 30, 10), 0.6, 0.6)],
        [],
    ),
    "nothing": ([], ["car at [0, 0, 10, 10] is missing"]),
}


@pytest.mark.parametrize(("found", "lines"), COMPARED.values(), ids=COMPARED)
def test_differences(found: list[Answer], lines: list[str]) -> None:
    assert differences(GOLDEN, {"a.jpg": found, "new.jpg": found}) == [
        f"a.jpg: {line}" for line in lines
    ]


def test_recorded_results_are_read_again(tmp_path: Path) -> None:
    faint = Answer("bus", (0, 0, 5, 5), 0.4, 0.4)
    write_golden(tmp_path, {"a.jpg": [Answer("car", (0, 0, 10, 10), 0.8, 0.8), faint]})
    assert read_golden(tmp_path) == GOLDEN
    (tmp_path / "golden.json").write_text("[{}]")
    with pytest.raises(ToolError):
        read_golden(tmp_path)


WRONG_INPUTS: dict[str, tuple[list[str], list[str]]] = {
    "colours": (["input.color=BGR"], ['change input.color from "BGR" to "RGB"']),
    "values of 0..255": (
        ["input.scale=1"],
        ["change input.scale from 1.0 to 0.00392156862745098"],
    ),
    "ImageNet's mean": (
        ["input.mean=[0.485, 0.456, 0.406]", "input.std=[0.229, 0.224, 0.225]"],
        [
            "change input.mean from [0.485, 0.456, 0.406] to [0.0, 0.0, 0.0]",
            "change input.std from [0.229, 0.224, 0.225] to [1.0, 1.0, 1.0]",
        ],
    ),
    "values of -1..1": (
        ["input.scale=0.00784313725490196", "input.mean=[1, 1, 1]"],
        [
            "change input.scale from 0.00784313725490196 to 0.00392156862745098",
            "change input.mean from [1.0, 1.0, 1.0] to [0.0, 0.0, 0.0]",
        ],
    ),
}


@pytest.mark.parametrize(("fields", "changes"), WRONG_INPUTS.values(), ids=WRONG_INPUTS)
def test_a_wrong_input_of_a_detector_is_found(
    fields: list[str],
    changes: list[str],
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = [flag for each in fields for flag in ("--set", each)]
    add(base, red_detector(), *STRETCH, *flags)
    images = pictures(tmp_path / "images")
    capsys.readouterr()

    assert check(base, images) == 0, "advice does not change the exit code"
    shown = capsys.readouterr().out
    assert [line.strip() for line in shown.splitlines() if "change input" in line] == changes
    assert not (base / "mine" / "golden.json").exists()

    for change in changes:
        field, _, value = change.removeprefix("change ").partition(" from ")
        flags += ["--set", f"{field}={value.partition(' to ')[2]}"]
    add(base, red_detector(), "--replace", *STRETCH, *flags)
    capsys.readouterr()
    assert check(base, images) == 0
    assert "change input" not in capsys.readouterr().out
    assert (base / "mine" / "golden.json").exists()


def test_folders_named_like_labels_are_the_truth(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures(tmp_path / "images" / "red", 5, (220, 30, 20))
    pictures(tmp_path / "images" / "blue", 5, (20, 30, 220))
    plain = ["--set", "input.mean=", "--set", "input.std="]
    add(base, colour_classifier(), *plain, "--set", "input.color=BGR", labels="red\nblue\n")
    capsys.readouterr()

    assert check(base, tmp_path / "images") == 0
    assert 'change input.color from "BGR" to "RGB"' in capsys.readouterr().out
    add(base, colour_classifier(), *plain, "--replace", labels="red\nblue\n")
    assert check(base, tmp_path / "images") == 0
    shown = capsys.readouterr().out
    assert "red/0.png\n  1.00 red at 0, 0, 96, 64\n" in shown
    assert "change input" not in shown


def labelled(folder: Path, count: int = 24) -> Path:
    """Write pictures of one car in YOLO's folders."""
    images = pictures(folder / "images", count)
    (folder / "data.yaml").write_text("names: [person, car]\n")
    (folder / "labels").mkdir()
    for path in images.iterdir():
        (folder / "labels" / f"{path.stem}.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    return images


@pytest.mark.parametrize("below", ["images", ""])
def test_true_boxes_show_a_wrong_input(
    below: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path / "data")
    add(base, red_detector(), *STRETCH, "--set", "input.color=BGR")
    capsys.readouterr()

    assert check(base, tmp_path / "data" / below) == 0, "advice does not change the exit code"
    shown = capsys.readouterr().out
    assert "24 of 24 pictures have true boxes" in shown
    assert 'change input.color from "BGR" to "RGB"' in shown
    assert "times the precision on the labelled pictures" in shown

    add(base, red_detector(), "--replace", *STRETCH)
    assert check(base, tmp_path / "data" / below) == 0
    assert "change input" not in capsys.readouterr().out


def test_folders_show_shifted_labels(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures(tmp_path / "images" / "red", 5, (220, 30, 20))
    pictures(tmp_path / "images" / "blue", 5, (20, 30, 220))
    plain = ["--set", "input.mean=", "--set", "input.std="]
    add(base, colour_classifier(), *plain, labels="blue\nred\n")
    capsys.readouterr()

    assert check(base, tmp_path / "images", "--no-compare") == 0
    assert "Hint: output logits: the labels seem to be shifted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("threshold", "has_hint"),
    {"reached": (0.7, False), "never reached": (0.8, True), "certainty": (1.0, True)}.values(),
)
def test_a_threshold_that_nothing_reaches(threshold: float, has_hint: bool) -> None:
    model = fake_classifier("fake", {"o": {"a": 0.75, "b": 0.25}})
    outputs = tuple(replace(each, threshold=threshold) for each in model.task.outputs)
    model = replace(model, task=replace(model.task, outputs=outputs))
    crop = Crop(np.zeros((32, 32, 3), np.uint8), "car", "folder")
    assert bool(classifier_hints(model, [crop])) == has_hint


def test_labels_can_have_a_name_twice(base: Path, tmp_path: Path) -> None:
    add(base, colour_classifier(), labels="red\nred\n")
    assert check(base, pictures(tmp_path / "images")) == 0


def test_a_classifier_without_crops_gets_neither_hints_nor_advice(base: Path) -> None:
    add(base, colour_classifier(), labels="red\nblue\n")
    model = open_model(base / "mine")
    finder = open_model(PROJECT / "models" / "vehicle_detector")
    assert isinstance(model, Classifier)
    assert isinstance(finder, Detector)

    assert hints_for(base / "mine", model, finder, []) == []
    assert advice_for(model, finder, []) is None
    assert classifier_hints(model, []) == []


def test_activations_are_checked(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = pictures(tmp_path / "images", 2)
    activation = 'output.outputs=[{"name": "o", "activation": "%s"}]'
    for values, wrong, right in (([0.2, 0.8], "softmax", "none"), ([3, -2], "none", "softmax")):
        model = fixed_onnx({"o": np.array([values], np.float32)})
        add(base, model, "--replace", "--set", activation % wrong)
        capsys.readouterr()
        assert check(base, images) == 1
        assert "! output o " in capsys.readouterr().out
        add(base, model, "--replace", "--set", activation % right)
        assert check(base, images, "--record") == 0


def manifest_change(base: Path, path: str, value: object) -> None:
    file = base / "mine" / "manifest.json"
    values = json.loads(file.read_text())
    place = values
    *parents, name = path.split(".")
    for parent in parents:
        place = place[parent]
    place[name] = value
    file.write_text(json.dumps(values))


CONTRADICTIONS: dict[str, tuple[dict[str, object], str]] = {
    "layout": ({"input.layout": "NHWC"}, 'input.layout is "NHWC", expected "NCHW"'),
    "size": ({"input.width": 96}, "input.width is 96, expected 64"),
    "dtype": ({"input.dtype": "float16"}, 'input.dtype is "float16", expected "float32"'),
    "name": ({"input.name": "data"}, 'input.name is "data", expected "images"'),
    "format": ({"output.format": "yolov5"}, 'output.format is "yolov5", expected "yolov8"'),
    "labels": ({"labels": ["car", "a", "b"]}, "labels has 3 names"),
    "task": (
        {"task": "classification", "output": {"format": "classes", "outputs": []}},
        'task is "classification", expected "detection"',
    ),
}


@pytest.mark.parametrize(("changes", "line"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_manifest_that_does_not_load_is_compared_with_the_file(
    changes: dict[str, object],
    line: str,
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add(base, fixed_onnx({"output0": yolov8_columns()}, PICTURE))
    for path, value in changes.items():
        manifest_change(base, path, value)

    assert check(base, pictures(tmp_path / "images", 1)) == 1
    assert line in capsys.readouterr().err


def test_an_input_without_its_constant_is_named(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = {**PICTURE, "scale_factor": ("float32", (1, 2))}
    add(base, fixed_onnx({"o": np.zeros((1, 1, 6), np.float32), "n": np.zeros(1)}, inputs))
    manifest_change(base, "input.constants", {})

    assert check(base, pictures(tmp_path / "images", 1)) == 1
    assert 'input.constants is {}, expected {"scale_factor": [[1, 1]]}' in capsys.readouterr().err


def test_normalized_boxes_are_detected(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = pictures(tmp_path / "images", 1)
    add(base, fixed_onnx({"output0": finished_rows()}), "--set", "output.normalized=true")
    assert check(base, images) == 1
    assert "! output.normalized is true" in capsys.readouterr().out

    rows = finished_rows()
    rows[0, :, :4] /= 64
    add(base, fixed_onnx({"output0": rows}), "--replace", "--set", "output.normalized=false")
    assert check(base, images) == 1
    assert "! output.normalized is false" in capsys.readouterr().out


def test_class_ids_from_1_are_detected(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {
        "boxes": np.array([[[16, 16, 48, 48]]], np.float32),
        "scores": np.array([[0.9]], np.float32),
        "labels": np.array([[2]]),
    }
    add(base, fixed_onnx(outputs))

    assert check(base, pictures(tmp_path / "images", 1)) == 1
    assert "output.first_class" in capsys.readouterr().out


def test_no_pictures(base: Path, tmp_path: Path) -> None:
    add(base, red_detector())
    (tmp_path / "images").mkdir()

    assert check(base, tmp_path / "images") == 1
    assert main(["check", "other", "--models", str(base), "--images", str(tmp_path)]) == 1
