from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.manifest import MANIFEST_FILE, DetectionTask, load_manifest
from scripts.models.__main__ import main
from scripts.models.errors import ToolError
from scripts.models.labels import known_lists, read_labels
from tests.support.graphs import fixed_onnx, yolov8_columns
from tests.support.models import SHARED, tiny_onnx


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "models"


def written(tmp_path: Path, content: bytes, name: str = "file.onnx") -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


def labels_file(tmp_path: Path, *labels: str) -> str:
    return written(tmp_path, "\n".join([*labels, ""]).encode(), "names.txt")


def add(base: Path, file: str, *flags: str) -> int:
    return main(["add", file, "--name", "mine", "--models", str(base), *flags])


def detector(tmp_path: Path, **metadata: str) -> str:
    return written(tmp_path, fixed_onnx({"output0": yolov8_columns(2)}, metadata=metadata))


def values(base: Path) -> Any:
    return json.loads((base / "mine" / MANIFEST_FILE).read_text(encoding="utf-8"))


def test_a_detector_by_flags_alone(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = labels_file(tmp_path, "véhicule", "person")
    flags = ["--labels", labels, "--vehicles", "véhicule", "--licence", "MIT"]
    flags += ["--version", "2.1", "--source", "here", "--set", "output.nms_iou=0.6"]

    assert add(base, detector(tmp_path), *flags, "--set", "input.pad_value=") == 0
    assert values(base) == {
        "name": "mine",
        "version": "2.1",
        "task": "detection",
        "licence": "MIT",
        "source": "here",
        "sha256": values(base)["sha256"],
        "input": {
            "name": "images", "layout": "NCHW", "width": 64, "height": 64, "dtype": "float32",
            "color": "RGB", "resize": "letterbox", "scale": 1 / 255,
        },
        "output": {"format": "yolov8", "nms_iou": 0.6},
        "labels": ["véhicule", "person"],
        "vehicles": ["véhicule"],
    }  # fmt: skip
    assert sorted(path.name for path in (base / "mine").iterdir()) == [MANIFEST_FILE, "model.onnx"]
    assert [path.name for path in base.iterdir()] == ["mine"]
    shown = capsys.readouterr().out
    assert "output.nms_iou     0.6" in shown
    assert "DETECTION_MODEL=mine make start" in shown


def test_labels_and_licence_of_the_file_itself(base: Path, tmp_path: Path) -> None:
    names = "{0: 'car', 1: 'person'}"
    file = detector(tmp_path, names=names, license="AGPL-3.0", description="Ultralytics YOLOv8n")

    assert add(base, file) == 0
    assert values(base)["labels"] == ["car", "person"]
    assert values(base)["vehicles"] == ["car"]
    assert values(base)["licence"] == "AGPL-3.0"
    assert values(base)["source"] == "Ultralytics YOLOv8n, file.onnx"


ADJACENT = {
    "classes.txt": "car\nperson\n",
    "data.yaml": "names: {0: car, 1: person}\n",
    "config.json": '{"id2label": {"0": "car", "1": "person"}}',
}


@pytest.mark.parametrize("name", ADJACENT)
def test_labels_next_to_the_model(name: str, base: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("another\nnumber\nof\nlabels\n")
    (tmp_path / name).write_text(ADJACENT[name])

    assert add(base, detector(tmp_path)) == 0
    assert values(base)["labels"] == ["car", "person"]


def test_preprocessing_next_to_the_model(base: Path, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_resize": true}'
    )
    outputs = {"logits": np.array([[3, -1]], np.float32)}
    file = written(tmp_path, fixed_onnx(outputs))

    assert add(base, file, "--labels", labels_file(tmp_path, "a", "b")) == 0
    found = values(base)["input"]
    assert (found["scale"], found["mean"], found["std"]) == (1 / 255, [0.5] * 3, [0.5] * 3)


def test_many_labels_go_into_a_file(base: Path, tmp_path: Path) -> None:
    file = written(tmp_path, fixed_onnx({"output0": yolov8_columns(80)}))

    assert add(base, file, "--labels", "coco80", "--set", "output.format=yolov8") == 1
    file = written(tmp_path, fixed_onnx({"o": np.ones((1, 1000), np.float32)}))
    assert add(base, file, "--labels", "imagenet1000") == 0
    assert (base / "mine" / "labels.txt").read_text().splitlines()[:2] == ["tench", "goldfish"]
    assert values(base)["output"]["outputs"][0]["labels_file"] == "labels.txt"


@pytest.mark.parametrize("count", [5, 6, 7, 84])
def test_a_classifier_with_as_many_classes_as_rows_have_columns(
    count: int, base: Path, tmp_path: Path
) -> None:
    file = written(tmp_path, fixed_onnx({"o": np.eye(1, count, dtype=np.float32) * 3 - 1}))
    labels = labels_file(tmp_path, *(f"class {number}" for number in range(count)))

    assert add(base, file, "--labels", str(labels)) == 0
    assert values(base)["task"] == "classification"


def test_several_outputs_have_labels_each(base: Path, tmp_path: Path) -> None:
    outputs = {"kind": np.array([[0.5, 0.5]]), "colour": np.array([[0.2, 0.2, 0.6]])}
    file = written(tmp_path, fixed_onnx({k: v.astype(np.float32) for k, v in outputs.items()}))
    kinds = labels_file(tmp_path, "car", "bus")
    (tmp_path / "colours").write_text("red\ngreen\nblue\n")

    colours = f"colour={tmp_path / 'colours'}"
    assert add(base, file, "--labels", f"kind={kinds}", "--labels", colours) == 0
    assert [each["labels"] for each in values(base)["output"]["outputs"]] == [
        ["car", "bus"],
        ["red", "green", "blue"],
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    {
        "no labels": ([], "--labels"),
        "too few": (["--labels", "{one}"], "background"),
        "too many": (["--labels", "{three}"], "background"),
        "far too many": (["--labels", "coco80"], "80"),
        "no such file": (["--labels", "nowhere.txt"], "coco80"),
        "other output": (["--labels", "{two}", "--set", "output.predictions=x"], "'x'"),
        "no vehicles": (["--labels", "{two}"], "--vehicles"),
        "other vehicles": (["--labels", "{two}", "--vehicles", "car"], "--vehicles"),
        "all names in a line": (["--labels", "{line}"], "one per line"),
        "outputs that are none": (
            ["--labels", "{two}", "--vehicles", "a", "--set", "output=1"],
            "output",
        ),
        "no such output": (
            ["--labels", "{two}", "--vehicles", "a", "--set", "output.outputs.0.scale=1"],
            "outputs",
        ),
        "a number of a list": (
            [
                "--labels",
                "{two}",
                "--vehicles",
                "a",
                "--set",
                "input.mean=[0, 0, 0]",
                "--set",
                "input.mean.0=1",
            ],
            "input.mean.0",
        ),
        "no equals": (["--labels", "{two}", "--set", "input"], "--set"),
        "a wrong value": (
            ["--labels", "{two}", "--vehicles", "a", "--set", "input.color=GRAY"],
            "input.color",
        ),
        "an unknown field": (
            ["--labels", "{two}", "--vehicles", "a", "--set", "input.colour=RGB"],
            "colour",
        ),
    }.values(),
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_wrong_options_are_named(
    flags: list[str], message: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"one": "a", "two": "a b", "three": "a b c", "line": "a,b"}
    for name, text in names.items():
        (tmp_path / name).write_text(text.replace(" ", "\n"))
    filled = [flag.format(**{name: tmp_path / name for name in names}) for flag in flags]
    if "output.predictions=x" in filled:
        filled += ["--vehicles", "a"]

    assert add(base, detector(tmp_path), *filled) == 1
    assert message in capsys.readouterr().err
    assert not base.exists() or list(base.iterdir()) == []


def test_replacing_needs_a_flag(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = labels_file(tmp_path, "car", "person")

    assert add(base, detector(tmp_path), "--labels", labels) == 0
    assert add(base, detector(tmp_path), "--labels", labels) == 1
    assert "--replace" in capsys.readouterr().err
    assert add(base, detector(tmp_path), "--labels", labels, "--replace", "--version", "2") == 0
    assert values(base)["version"] == "2"
    assert [path.name for path in base.iterdir()] == ["mine"]


def test_a_name_that_is_a_path_is_refused(base: Path, tmp_path: Path) -> None:
    arguments = ["add", detector(tmp_path, names="['car', 'b']"), "--name", "../mine"]
    assert main([*arguments, "--models", str(base)]) == 1
    assert not (tmp_path / "mine").exists()


def test_the_next_commands_take_any_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "my models"
    assert add(base, detector(tmp_path, names="['car', 'b']"), "--vehicles", "car") == 0
    assert f"BASE_MODEL_PATH='{base}' " in capsys.readouterr().out


def test_a_name_of_an_embedded_model_is_refused(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["add", detector(tmp_path, names="['car', 'b']"), "--name", "vehicle_detector"]
    assert main([*arguments, "--models", str(base)]) == 1
    assert "--name" in capsys.readouterr().err
    assert not (base / "vehicle_detector").exists()


def test_one_output_of_a_classifier_is_changed(base: Path, tmp_path: Path) -> None:
    file = written(tmp_path, fixed_onnx({"scores": np.array([[1, 2]], np.float32)}))
    flags = ["--labels", labels_file(tmp_path, "a", "b"), "--set", "output.outputs.0.scale=0.5"]
    assert add(base, file, *flags) == 0
    assert values(base)["output"]["outputs"] == [
        {"name": "scores", "activation": "softmax", "scale": 0.5, "labels": ["a", "b"]}
    ]


def test_missing_options_are_asked_for(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([labels_file(tmp_path, "a", "b"), "", "", "b"])
    questions: list[str] = []

    def reply(question: str) -> str:
        questions.append(question)
        return next(answers)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", reply)

    assert add(base, detector(tmp_path)) == 0
    assert values(base)["labels"] == ["a", "b"]
    assert values(base)["licence"] == "not stated"
    assert values(base)["vehicles"] == ["b"]
    assert len(questions) == 4
    assert "not stated" in questions[1]


def test_a_constant_may_be_given_for_an_unknown_input(base: Path, tmp_path: Path) -> None:
    inputs = {"images": ("float32", (1, 3, 64, 64)), "prompt": ("int64", (1, 2))}
    file = written(tmp_path, fixed_onnx({"output0": yolov8_columns(2)}, inputs))
    flags = ["--labels", labels_file(tmp_path, "car", "b")]

    assert add(base, file, *flags) == 1
    assert add(base, file, *flags, "--set", 'input.constants={"prompt": [[1, 2]]}') == 0
    assert load_manifest(base / "mine").input.constants == (("prompt", ((1, 2),)),)


def test_included_lists() -> None:
    assert {name: len(each) for name, each in known_lists().items()} == {
        "coco80": 80, "coco90": 90, "coco91": 91, "imagenet1000": 1000, "imagenet1001": 1001,
    }  # fmt: skip
    lists = known_lists()
    assert lists["coco80"][:3] == ("person", "bicycle", "car")
    assert lists["coco80"][79] == "toothbrush"
    assert (lists["coco90"][0], lists["coco90"][2]) == ("person", "car")
    assert lists["imagenet1000"][817] == "sports car"
    assert lists["imagenet1001"][818] == "sports car"


def test_the_lists_are_the_published_ones(shared: Path) -> None:
    published = (SHARED / "models" / "coco80.txt").read_text().split("\n")[:80]
    assert list(known_lists()["coco80"]) == published
    imagenet = SHARED / "models" / "mobilenet_v2_quant" / "imagenet_labels_1001.txt"
    others = zip(known_lists()["imagenet1001"], imagenet.read_text().splitlines(), strict=True)
    # The published list has all synonyms, ours has one of them.
    assert [pair for pair in others if pair[0] not in pair[1]] == [
        ("crane bird", "crane"),
        ("maillot tank suit", "maillot, tank suit"),
    ]


def test_a_labels_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    assert read_labels(labels_file(tmp_path, "RENAULT CLIO ", "", "CITROËN C3")) == (
        "RENAULT CLIO",
        "CITROËN C3",
    )
    with pytest.raises(ToolError):
        read_labels(labels_file(tmp_path))


LISTED = "classifier of 2 classes, 2x2, version 1, not stated"


def test_list_shows_which_models_load(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, tiny_onnx().SerializeToString())
    assert add(base, file, "--labels", labels_file(tmp_path, "a", "b")) == 0
    capsys.readouterr()
    assert main(["list", "--models", str(base)]) == 0
    shown = capsys.readouterr().out
    assert f"{'mine':28} {LISTED}\n" in shown
    assert "vehicle_detector" in shown

    (base / "mine" / "model.onnx").write_bytes(b"")
    assert main(["list", "--models", str(base)]) == 1
    assert "DOES NOT LOAD: Model mine: model.onnx has sha256" in capsys.readouterr().out


def test_the_product_loads_the_manifest(base: Path, tmp_path: Path) -> None:
    add(base, detector(tmp_path), "--labels", labels_file(tmp_path, "car", "b"))
    task = load_manifest(base / "mine").task
    assert isinstance(task, DetectionTask)
    assert task.labels == ("car", "b")
