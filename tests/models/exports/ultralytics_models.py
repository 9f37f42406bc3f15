"""Ultralytics' own export of its models."""

from __future__ import annotations

import shutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.models.exports.recipe import SIDE, Recipe, spread

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "ul_yolov8n": ("yolov8n", {}),
    "ul_yolov8n_nms": ("yolov8n", {"nms": True}),
    "ul_yolov8n_dyn": ("yolov8n", {"dynamic": True}),
    "ul_yolov8n_b4": ("yolov8n", {"batch": 4}),
    "ul_yolov8n_rect": ("yolov8n", {"imgsz": [256, 320]}),
    "ul_yolov8n_op12": ("yolov8n", {"opset": 12}),
    "ul_yolov8n_p2": ("yolov8n-p2", {}),
    "ul_yolov8n_p6": ("yolov8n-p6", {}),
    "ul_yolov5nu": ("yolov5n", {}),
    "ul_yolov6n": ("yolov6n", {}),
    "ul_yolov9t": ("yolov9t", {}),
    "ul_yolov10n": ("yolov10n", {}),
    "ul_yolov10n_e2e": ("yolov10n", {"nms": False}),
    "ul_yolo11n": ("yolo11n", {}),
    "ul_yolo11n_half": ("yolo11n", {"half": True}),
    "ul_yolo11n_seg": ("yolo11n-seg", {}),
    "ul_yolo11n_seg_nms": ("yolo11n-seg", {"nms": True}),
    "ul_yolo11n_pose": ("yolo11n-pose", {}),
    "ul_yolo11n_pose_nms": ("yolo11n-pose", {"nms": True}),
    "ul_yolo11n_obb": ("yolo11n-obb", {}),
    "ul_yolo11n_cls": ("yolo11n-cls", {}),
    "ul_yolo12n": ("yolo12n", {}),
    "ul_yolo26n": ("yolo26n", {}),
    "ul_yolo26n_e2e": ("yolo26n", {"nms": False}),
    "ul_yolo26n_seg": ("yolo26n-seg", {}),
    "ul_yolo26n_seg_e2e": ("yolo26n-seg", {"nms": False}),
    "ul_yolo26n_pose": ("yolo26n-pose", {}),
    "ul_yolo26n_pose_e2e": ("yolo26n-pose", {"nms": False}),
    "ul_yolov3tiny": ("yolov3-tiny", {}),
    "ul_rtdetr": ("rtdetr-l", {}),
}


def write(model: str, options: dict[str, Any], file: Path) -> None:
    """Export one model; Ultralytics writes into the working directory."""
    package = import_module("ultralytics")
    network = (package.RTDETR if "rtdetr" in model else package.YOLO)(f"{model}.yaml")
    spread(network.model, network.model.yaml.get("nc", 80))
    shutil.move(network.export(format="onnx", **{"imgsz": SIDE, **options}), file)


RECIPES = {
    name: Recipe(
        "ultralytics",
        ", ".join([model, *(f"{key}={value}" for key, value in options.items())]),
        partial(write, model, options),
    )
    for name, (model, options) in MODELS.items()
}
