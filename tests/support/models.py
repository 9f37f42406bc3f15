"""Models for tests: fakes without onnxruntime, tiny ONNX files, and published models."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from inference.class_outputs import ClassificationTask, ClassOutput
from inference.classification import Classifier
from inference.detection import Detector
from inference.manifest import (
    DetectionTask,
    InputSpec,
    Manifest,
)
from inference.pipeline import Pipeline
from inference.session import Session
from inference.types import Outputs, RawDetections, Tensor

MANIFESTS = Path(__file__).parent.parent / "manifests"
PROJECT = Path(__file__).parent.parent.parent
SHARED = PROJECT.parent / "shared"

BUNDLED = ("vehicle_detector", "vehicle_attributes")
PUBLISHED = (
    "yolox_nano",
    "picodet_s_416",
    "ssd_mobilenet_v1_quant",
    "pvb_crossroad_0078",
    "squeezenet",
    "mobilenet_v2_quant",
    "spectrico_brand",
    "spectrico_color",
    "vehicle_attributes_0039",
)
"""Models of ../shared whose manifests are in tests/manifests."""

EXTRA_FILES = {
    "yolox_nano": ["../coco80.txt"],
    "picodet_s_416": ["../coco80.txt"],
    "ssd_mobilenet_v1_quant": ["coco_labels_90.txt"],
    "mobilenet_v2_quant": ["imagenet_labels_1001.txt"],
    "spectrico_brand": ["labels_make.txt"],
    "spectrico_color": ["labels_color.txt"],
}


def published_model(name: str, base: Path) -> Path:
    """Copy a published model and its manifest into a folder below `base`; return the folder."""
    source, folder = SHARED / "models" / name, base / name
    folder.mkdir(parents=True)
    manifest = json.loads((MANIFESTS / name / "manifest.json").read_text())
    for file in [manifest["file"], *EXTRA_FILES.get(name, [])]:
        shutil.copy(source / file, folder)
    if name == "squeezenet":
        labels = (SHARED / "models/mobilenet_v2_quant/imagenet_labels_1001.txt").read_text()
        without_background = labels.partition("\n")[2]
        (folder / "imagenet_labels_1000.txt").write_text(without_background)
    shutil.copy(MANIFESTS / name / "manifest.json", folder)
    return folder


def input_spec(**changes: Any) -> InputSpec:
    fields: dict[str, Any] = {
        "name": None,
        "layout": "NCHW",
        "width": 4,
        "height": 4,
        "dtype": "float32",
        "color": "RGB",
        "resize": "stretch",
        "anchor": "center",
        "pad_value": 0,
        "scale": 1.0,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "batch": False,
    }
    return InputSpec(**{**fields, **changes})


@dataclass(frozen=True)
class FixedRuntime:
    """Replacement of onnxruntime with constant outputs."""

    values: list[Tensor]

    def run(self, _names: None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        batch = len(next(iter(feeds.values())))
        return [np.repeat(value, batch, axis=0) for value in self.values]


@dataclass(frozen=True)
class FixedHead:
    """Head that finds the same boxes in every picture; `boxes_xyxy` is in pixels of a 4x4 input."""

    found: RawDetections

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        kept = self.found.scores >= threshold
        return RawDetections(
            self.found.boxes_xyxy[kept], self.found.scores[kept], self.found.class_ids[kept]
        )


def fake_manifest(
    name: str, task: DetectionTask | ClassificationTask, sha256: str = "0" * 64
) -> Manifest:
    return Manifest(
        name=name,
        version="1.0.0",
        file=Path("model.onnx"),
        sha256=sha256,
        licence="Apache-2.0",
        source="made for tests",
        input=input_spec(batch=isinstance(task, ClassificationTask)),
        task=task,
    )


def fake_detector(*rows: tuple[tuple[float, float, float, float], float, int]) -> Detector:
    """Return a detector that finds the same (box in a 4x4 input, score, class id) everywhere."""
    found = RawDetections(
        boxes_xyxy=np.array([box for box, _, _ in rows], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in rows], dtype=np.float32),
        class_ids=np.array([class_id for _, _, class_id in rows], dtype=np.int64),
    )
    labels = ("car", "truck", "person")
    task = DetectionTask(labels, frozenset({"car", "truck"}), FixedHead(found))
    return Detector(
        fake_manifest("fake_detector", task), task, Session(FixedRuntime([]), "images", ())
    )


def fake_classifier(
    name: str, outputs: Mapping[str, Mapping[str, float]], sha256: str = "0" * 64
) -> Classifier:
    """Return a classifier with constant probabilities, {output: {label: probability}}."""
    task = ClassificationTask(
        tuple(
            ClassOutput(output, tuple(classes), "none", 1.0) for output, classes in outputs.items()
        )
    )
    values = [np.array([list(classes.values())], np.float32) for classes in outputs.values()]
    session = Session(FixedRuntime(values), "input", tuple(outputs))
    return Classifier(fake_manifest(name, task, sha256), task, session)


CAR_AND_PERSON = (((0, 0, 2, 4), 0.9, 0), ((2, 0, 4, 4), 0.8, 2))


def fake_pipeline(detector: Detector | None = None, *classifiers: Classifier) -> Pipeline:
    """Return a pipeline that finds a Clio on the left half and a person on the right half."""
    default = fake_classifier("fake_classifier", {"probabilities": {"clio": 0.75, "208": 0.25}})
    return Pipeline(
        detector or fake_detector(*CAR_AND_PERSON),
        classifiers or (default,),
        min_area=0.005,
        max_car_truck_iou=0.9,
    )


def tiny_onnx(classes: int = 2) -> onnx.ModelProto:
    """Return a classifier as ONNX: input [1, 3, 2, 2], output the sum over `classes` weights."""
    weights = np.ones((12, classes), dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["input"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 2, 2])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, classes])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model


def tiny_manifest(name: str, model: bytes, **changes: Any) -> dict[str, Any]:
    """Return the JSON of a manifest for `tiny_onnx`."""
    values: dict[str, Any] = {
        "name": name,
        "version": "1.0.0",
        "task": "classification",
        "file": "model.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "licence": "Apache-2.0",
        "source": "made for tests",
        "input": {
            "layout": "NCHW",
            "width": 2,
            "height": 2,
            "dtype": "float32",
            "color": "RGB",
            "resize": "stretch",
        },
        "output": {
            "format": "classes",
            "outputs": [{"name": "scores", "activation": "softmax", "labels": ["a", "b"]}],
        },
    }
    return {**values, **changes}


def tiny_folder(base: Path, folder_name: str = "tiny", /, **changes: Any) -> Path:
    """Create a model folder with `tiny_onnx`; return it."""
    folder = base / folder_name
    folder.mkdir(parents=True)
    model = tiny_onnx().SerializeToString()
    (folder / "model.onnx").write_bytes(model)
    (folder / "manifest.json").write_text(
        json.dumps({**tiny_manifest(folder_name, model), **changes})
    )
    return folder
