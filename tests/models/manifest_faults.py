"""Manifests with a single wrong setting."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.models.findings import put

Values = dict[str, Any]
Fault = tuple[str, str, Values]
"""Kind, name, and changed fields by path; None removes a field."""


PLAIN: Values = {"input.mean": None, "input.std": None}
IMAGENET: Values = {
    "input.scale": 1 / 255,
    "input.mean": [0.485, 0.456, 0.406],
    "input.std": [0.229, 0.224, 0.225],
}
NORMALISATIONS: dict[str, Values] = {
    "0..255": {"input.scale": None, **PLAIN},
    "0..1": {"input.scale": 1 / 255, **PLAIN},
    "-1..1": {"input.scale": 1 / 127.5, "input.mean": [1, 1, 1], "input.std": None},
    "ImageNet": IMAGENET,
}
RESIZES: dict[str, Values] = {
    "stretch": {"input.resize": "stretch"},
    "letterbox": {"input.resize": "letterbox", "input.anchor": "center", "input.pad_value": 114},
}
OWN_NORMALISATION = {
    "yolox_nano": "0..255",
    "picodet_s_416": "ImageNet",
    "pvb_crossroad_0078": "0..255",
    "spectrico_brand": "-1..1",
    "spectrico_color": "-1..1",
    "vehicle_attributes_0039": "0..255",
    "vehicle_detector": "0..255",
    "vehicle_attributes": "-1..1",
}


def faults(name: str, values: Values, labels: list[str]) -> Iterator[Fault]:
    """Yield the single faults of a manifest."""
    spec, output = values["input"], values["output"]
    other = {"RGB": "BGR", "BGR": "RGB"}[spec["color"]]
    yield "colours", other, {"input.color": other}
    if spec.get("dtype") != "uint8":
        for reason, changes in NORMALISATIONS.items():
            if reason != OWN_NORMALISATION.get(name):
                yield "normalisation", reason, changes
    turned = {"NCHW": "NHWC", "NHWC": "NCHW"}[spec["layout"]]
    yield "layout", turned, {"input.layout": turned}
    yield "size", "half", {"input.width": spec["width"] // 2, "input.height": spec["height"] // 2}
    if values["task"] == "detection":
        if spec["resize"] == "stretch":
            yield "resize", "letterbox", RESIZES["letterbox"]
        else:
            yield "resize", "stretch", {**RESIZES["stretch"], "input.multiple": None}
        yield from _boxes(output)
    else:
        yield from _activations(output)
    yield "labels", "one missing", {"labels": labels[:-1]}
    yield "labels", "one too many", {"labels": ["background", *labels]}
    yield "labels", "shifted up", {"labels": [*labels[1:], labels[0]]}
    yield "labels", "shifted down", {"labels": [labels[-1], *labels[:-1]]}


def _boxes(output: Values) -> Iterator[Fault]:
    """Yield wrong readings of a detector's outputs."""
    if output["format"] in ("boxes", "ssd"):
        first = 1 - output.get("first_class", 0)
        yield "labels", f"first_class {first}", {"output.first_class": first}
    if output["format"] == "boxes":
        yield "box format", "pixels", {"output.normalized": not output["normalized"]}
    if output["format"] == "ssd":
        swapped = {"output.scores": output["classes"], "output.classes": output["scores"]}
        yield "box format", "scores and classes", swapped
        as_boxes: Values = {"format": "boxes", "normalized": True}
        as_boxes |= {"boxes": output["boxes"], "scores": output["scores"]}
        yield "box format", "boxes", {"output": {**as_boxes, "labels": output["classes"]}}
    if output["format"] == "yolox":
        yield "box format", "yolov5", {"output": {"format": "yolov5"}}
        yield "box format", "strides", {"output.strides": [8, 16, 64]}
        yield "box format", "order of strides", {"output.strides": [32, 16, 8]}
    if output["format"] == "picodet":
        swapped = {"output.scores": output["distances"], "output.distances": output["scores"]}
        yield "box format", "scores and distances", swapped
        yield "box format", "reg_max", {"output.reg_max": 15}
        yield "box format", "strides", {"output.strides": [4, 8, 16, 32]}
    if "nms_iou" in output:
        yield "threshold", "nms_iou 1", {"output.nms_iou": 1}
        yield "threshold", "nms_iou 0", {"output.nms_iou": 0}


def _activations(output: Values) -> Iterator[Fault]:
    """Yield wrong readings of a classifier's outputs."""
    outputs = output["outputs"]
    for position, each in enumerate(outputs):
        other = {"softmax": "none", "none": "softmax"}[each["activation"]]
        wrong = [*outputs]
        wrong[position] = {**each, "activation": other}
        yield "activation", f"{each['name']} {other}", {"output.outputs": wrong}
    if "scale" in outputs[0]:
        plain = {key: value for key, value in outputs[0].items() if key != "scale"}
        yield "activation", "scale", {"output.outputs": [plain, *outputs[1:]]}
    # `/predict` never names a vehicle by an output whose threshold nothing reaches.
    strict = [{**each, "role": each["name"], "threshold": 1} for each in outputs]
    yield "threshold", "threshold 1", {"output.outputs": strict}


def labels_of(folder: Path, values: Values) -> list[str]:
    """Return the labels of a manifest, or of its first output."""
    holder = values if values["task"] == "detection" else values["output"]["outputs"][0]
    if "labels" in holder:
        return list(holder["labels"])
    return list((folder / holder["labels_file"]).read_text(encoding="utf-8-sig").splitlines())


def wrong_folder(folder: Path, changes: Values, base: Path) -> Path:
    """Copy a model's folder and change its manifest."""
    copy = base / folder.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    (copy / "golden.json").unlink(missing_ok=True)
    path = copy / "manifest.json"
    values = json.loads(path.read_text())
    for field, value in changes.items():
        holder = values
        if field == "labels" and values["task"] == "classification":
            holder = values["output"]["outputs"][0]
        if field == "labels":
            holder.pop("labels_file", None)
        put(holder, field, value)
    if "vehicles" in values:
        known = set(values.get("labels") or labels_of(copy, values))
        values["vehicles"] = [name for name in values["vehicles"] if name in known]
    path.write_text(json.dumps(values))
    return copy
