"""Trained weights -> ONNX files and manifests: `python -m training.export detector|attributes`.

The detector: writes `training/weights/vehicle_detector.onnx` (float32) from checkpoints, checks
that ONNX and PyTorch agree, and ships it folded (training/fold.py), or with `--ship int8` its
quantised version, as `models/vehicle_detector/model.onnx`. The attributes: ships the folded network
with its weights in float16 (training/half.py); float32 would be more than 8 MB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from training import attributes, datasets, half
from training.attributes import VehicleAttributes
from training.crops import VEHICLE_TYPES
from training.detection import SIDE as DETECTOR_SIDE
from training.detection import STRIDES
from training.fold import BUNDLED, WEIGHTS, fold
from training.kind_rule import MAKE_KINDS, MAKE_THRESHOLD, detector_weights
from training.names import COLOURS, OTHER, make_labels, teacher_rows
from training.quantise import quantise_detector
from training.teachers import open_session
from training.yolox import Exported, YoloxNano

OPSET = 17
AGREEMENT = 1e-3
HALF_AGREEMENT = 2e-2
"""Logits of the float16 weights differ this much at most from those of the float32 weights."""
VERSION = "1.0.0"


def mean_weights(paths: list[Path]) -> dict[str, Tensor]:
    """The mean of several checkpoints of one training (model soups, arXiv 2203.05482)."""
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def write_onnx(
    network: nn.Module, example: Tensor, path: Path, axes: dict[str, dict[int, str]]
) -> None:
    """Save `network` as ONNX.

    `axes` names the input `images` and the outputs, in order, with the axes that stay open.
    """
    inputs, *outputs = axes
    with warnings.catch_warnings():
        # The TorchScript exporter needs no further package and keeps the module names.
        # What it can't fold (slices with steps) is small.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            str(path),
            input_names=[inputs],
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))


def difference(network: nn.Module, path: Path, example: Tensor) -> float:
    """Return the largest absolute difference between PyTorch's and onnxruntime's answers."""
    with torch.no_grad():
        expected = network.eval()(example)
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = open_session(path).run(None, {"images": example.numpy()})
    pairs = zip(expected, found, strict=True)
    return max(float(np.abs(mine.numpy() - theirs).max()) for mine, theirs in pairs)


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


def _attribute_outputs() -> list[dict[str, Any]]:
    return [
        {
            "name": "make",
            "role": "make",
            "applies_to": list(MAKE_KINDS),
            "threshold": MAKE_THRESHOLD,
            "unknown_label": OTHER,
            "activation": "none",
            "labels": list(make_labels()),
        },
        {
            "name": "kind",
            "role": "kind",
            "activation": "softmax",
            "detector_weights": detector_weights(),
            "labels": list(VEHICLE_TYPES),
        },
        {"name": "colour", "role": "colour", "activation": "softmax", "labels": list(COLOURS)},
    ]


def attributes_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of the attributes file at `path`."""
    source = (
        "MobileNetV3-small of Spectrico's make and colour classifiers (MIT), "
        "trained further by training/ on open photos"
    )
    return {
        **_manifest("vehicle_attributes", "classification", path, source),
        "licence": "Apache-2.0 AND MIT",
        "input": {
            "name": "images",
            "layout": "NCHW",
            "width": attributes.SIDE,
            "height": attributes.SIDE,
            "dtype": "float32",
            "color": "RGB",
            "resize": "square-pad",
            "pad_value": 0,
            "scale": 1.0,
            "mean": [attributes.MEAN] * 3,
            "std": [attributes.STD] * 3,
            "batch": True,
        },
        "output": {"format": "classes", "outputs": _attribute_outputs()},
    }


def export_detector(weights: dict[str, Tensor], path: Path) -> float:
    """Write the detector; returns how far ONNX and PyTorch are apart."""
    network = YoloxNano()
    network.load_state_dict(weights)
    exported = Exported(network)
    example = torch.rand(1, 3, DETECTOR_SIDE, DETECTOR_SIDE) * 255
    # A letterbox does not need to be a square: most of a photograph's padding is left out.
    axes = {"images": {2: "height", 3: "width"}, "output": {1: "cells"}}
    write_onnx(exported, example, path, axes)
    return difference(exported, path, example)


def export_attributes(network: VehicleAttributes, rows: list[int], path: Path) -> float:
    """Write the attributes, their weights as float32; returns how far ONNX and PyTorch are apart.

    `rows` are the positions of the named makes among those of the network.
    """
    exported = attributes.Exported(network, rows)
    example = torch.rand(3, 3, attributes.SIDE, attributes.SIDE) * 2 - 1
    write_onnx(
        exported, example, path, {name: {0: "n"} for name in ("images", "make", "kind", "colour")}
    )
    return difference(exported, path, example)


def check(apart: float, most: float) -> None:
    """Stop where ONNX and PyTorch are further apart than `most`."""
    if apart > most:
        raise SystemExit(f"ONNX and PyTorch are {apart:.2g} apart, more than {most}")


def ship_detector(weights: dict[str, Tensor], data: Path, shipped: Path, version: str) -> float:
    """Write the float32 detector to `training/weights` and the one to ship."""
    plain = WEIGHTS / "vehicle_detector.onnx"
    apart = export_detector(weights, plain)
    check(apart, AGREEMENT)
    if version == "int8":
        quantise_detector(plain, shipped, data)
    else:
        fold(plain, shipped)
    return apart


def ship_attributes(weights: dict[str, Tensor], models: Path, shipped: Path) -> float:
    """Write the attributes to ship."""
    network, rows = attributes.trained(weights), teacher_rows(models)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        check(export_attributes(network, rows, plain), AGREEMENT)
        fold(plain, shipped)
    half.shrink(shipped)
    example = torch.rand(2, 3, attributes.SIDE, attributes.SIDE) * 2 - 1
    apart = difference(attributes.Exported(network, rows), shipped, example)
    check(apart, HALF_AGREEMENT)
    return apart


def main() -> None:
    """Read the options and write the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["detector", "attributes"])
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        nargs="+",
        help="averageN.pt files; several are averaged",
    )
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--out", type=Path, default=BUNDLED)
    parser.add_argument("--ship", choices=["float", "int8"], default="float", help="detector only")
    options = parser.parse_args()
    weights = mean_weights(options.weights)
    shipped = options.out / f"vehicle_{options.model}" / "model.onnx"
    for folder in (WEIGHTS, shipped.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if options.model == "detector":
        apart = ship_detector(weights, options.data, shipped, options.ship)
        manifest = detector_manifest(shipped)
    else:
        apart = ship_attributes(weights, options.models, shipped)
        manifest = attributes_manifest(shipped)
    (shipped.parent / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{shipped}: {shipped.stat().st_size} bytes; ONNX and PyTorch {apart:.2g} apart")


if __name__ == "__main__":
    main()
