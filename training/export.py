"""Trained weights -> ONNX files and manifests: `python -m training.export detector|classifier`.

Writes `training/weights/<name>.onnx` (float32) from a checkpoint, checks that ONNX and PyTorch
agree, and ships it folded (training/fold.py), or with `--ship int8` its quantised version, as
`models/<name>/model.onnx`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from training import datasets, mobilenet
from training.crops import MEAN_RGB, STD_RGB, VEHICLE_TYPES
from training.crops import SIDE as CLASSIFIER_SIDE
from training.detection import SIDE as DETECTOR_SIDE
from training.detection import STRIDES
from training.fold import BUNDLED, WEIGHTS, fold
from training.mobilenet import MobileNet
from training.quantise import quantise_classifier, quantise_detector
from training.teachers import open_session
from training.yolox import Exported, YoloxNano

OPSET = 17
AGREEMENT = 1e-3
VERSION = "1.0.0"


def mean_weights(paths: list[Path]) -> dict[str, Tensor]:
    """The mean of several checkpoints of one training (model soups, arXiv 2203.05482)."""
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def write_onnx(
    network: nn.Module, example: Tensor, path: Path, output: str, axes: dict[str, dict[int, str]]
) -> None:
    """Save `network` as ONNX with input `images`; `axes` names those that stay open."""
    with warnings.catch_warnings():
        # The TorchScript exporter needs no further package and keeps the module names.
        # What it can't fold (slices with steps) is small.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            str(path),
            input_names=["images"],
            output_names=[output],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))


def difference(network: nn.Module, path: Path, example: Tensor) -> float:
    """Largest absolute difference between PyTorch's and onnxruntime's answer."""
    with torch.no_grad():
        expected = network.eval()(example).numpy()
    answer = open_session(path).run(None, {"images": example.numpy()})[0]
    return float(np.abs(expected - answer).max())


def _manifest(name: str, task: str, path: Path, source: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": VERSION,
        "task": task,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "source": source,
    }


def detector_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the detector file at `path`."""
    source = "YOLOX-nano (Megvii, Apache-2.0), fine-tuned by training/ on open photos"
    return {
        **_manifest("vehicle_detector", "detection", path, source),
        "input": {
            "name": "images",
            "layout": "NCHW",
            "width": DETECTOR_SIDE,
            "height": DETECTOR_SIDE,
            "dtype": "float32",
            "color": "BGR",
            "resize": "letterbox",
            "anchor": "top-left",
            "pad_value": 114,
            "multiple": STRIDES[-1],
            "scale": 1.0,
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
        },
        "output": {"format": "yolox", "strides": list(STRIDES), "nms_iou": 0.5},
        "labels": list(datasets.LABELS),
        "vehicles": [name for name in datasets.LABELS if name not in ("person", "bicycle")],
    }


def classifier_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the classifier file at `path`."""
    source = "Front of MobileNetV2 (Google, Apache-2.0), fine-tuned by training/ on open photos"
    return {
        **_manifest("vehicle_classifier", "classification", path, source),
        "input": {
            "name": "images",
            "layout": "NCHW",
            "width": CLASSIFIER_SIDE,
            "height": CLASSIFIER_SIDE,
            "dtype": "float32",
            "color": "RGB",
            "resize": "stretch",
            "scale": 1.0,
            "mean": list(MEAN_RGB),
            "std": list(STD_RGB),
            "batch": True,
        },
        "output": {
            "format": "classes",
            "outputs": [{"name": "logits", "activation": "softmax", "labels": list(VEHICLE_TYPES)}],
        },
    }


def export_detector(weights: dict[str, Tensor], path: Path) -> float:
    """Write the detector; returns how far ONNX and PyTorch are apart."""
    network = YoloxNano()
    network.load_state_dict(weights)
    exported = Exported(network)
    example = torch.rand(1, 3, DETECTOR_SIDE, DETECTOR_SIDE) * 255
    # A letterbox need not be a square: most of a photograph's padding is left out.
    axes = {"images": {2: "height", 3: "width"}, "output": {1: "cells"}}
    write_onnx(exported, example, path, "output", axes)
    return difference(exported, path, example)


def export_classifier(weights: dict[str, Tensor], path: Path) -> float:
    """Write the classifier; returns how far ONNX and PyTorch are apart."""
    inner = MobileNet()
    inner.load_state_dict(weights)
    network = mobilenet.Exported(inner)
    example = torch.rand(3, 3, CLASSIFIER_SIDE, CLASSIFIER_SIDE) * 2 - 1
    write_onnx(network, example, path, "logits", {"images": {0: "n"}, "logits": {0: "n"}})
    return difference(network, path, example)


def main() -> None:
    """Read the options and write the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["detector", "classifier"])
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        nargs="+",
        help="averageN.pt files; several are averaged",
    )
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--out", type=Path, default=BUNDLED)
    parser.add_argument("--ship", choices=["float", "int8"], default="float")
    options = parser.parse_args()
    weights = mean_weights(options.weights)
    name, detector = f"vehicle_{options.model}", options.model == "detector"
    export = export_detector if detector else export_classifier
    quantise = quantise_detector if detector else quantise_classifier
    manifest_of = detector_manifest if detector else classifier_manifest
    plain, shipped = WEIGHTS / f"{name}.onnx", options.out / name / "model.onnx"
    for path in (plain, shipped):
        path.parent.mkdir(parents=True, exist_ok=True)
    apart = export(weights, plain)
    if apart > AGREEMENT:
        raise SystemExit(f"ONNX and PyTorch are {apart:.2g} apart, more than {AGREEMENT}")
    if options.ship == "int8":
        quantise(plain, shipped, options.data)
    else:
        fold(plain, shipped)
    manifest = json.dumps(manifest_of(shipped), indent=2)
    (shipped.parent / "manifest.json").write_text(manifest + "\n")
    print(f"{shipped}: {shipped.stat().st_size} bytes; float ONNX and PyTorch {apart:.2g} apart")


if __name__ == "__main__":
    main()
