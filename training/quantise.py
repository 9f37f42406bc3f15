"""The int8 detector by static quantisation (QDQ, weights per channel), calibrated on photos.

The first stages stay float, and so do its last convolutions: box offsets and
probabilities leave the network in one tensor, and one scale for both would cost boxes their
precision.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from training import datasets
from training.detection import letterbox

CALIBRATION_PICTURES = 100
# The first stages see raw pixels 0..255 through depthwise convolutions; in int8 they alone cost
# half of the precision.
FLOAT_STAGES = ("backbone/stem", "backbone/dark2", "backbone/dark3")
T = TypeVar("T")


class Pictures(CalibrationDataReader):
    """Feeds tensors (1, 3, h, w) to the calibration."""

    def __init__(self, tensors: Iterable[np.ndarray]) -> None:
        self._tensors: Iterator[np.ndarray] = iter(tensors)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next input, None at the end."""
        tensor = next(self._tensors, None)
        return None if tensor is None else {"images": tensor}


def _spread(items: list[T], count: int) -> list[T]:
    step = max(len(items) // count, 1)
    return items[::step][:count]


def _quantise(source: Path, target: Path, tensors: Iterable[np.ndarray], left: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(
            str(source), str(prepared), skip_symbolic_shape=True, skip_optimization=True
        )
        quantize_static(
            str(prepared),
            str(target),
            Pictures(tensors),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            # 7-bit weights: on x86 without VNNI, sums of 8-bit products overflow silently.
            reduce_range=True,
            nodes_to_exclude=left,
        )


def stays_float(node: str) -> bool:
    """Return whether a node of the detector, named by its module, stays unchanged."""
    at_the_end = "_pred/" in node or node.count("/") <= 2
    return at_the_end or any(stage in node for stage in FLOAT_STAGES)


def quantise_detector(source: Path, target: Path, data: Path) -> None:
    """Write the int8 version of the float detector `source` to `target`."""
    photos = datasets.vehicles_openimages(data, "train")
    photos = [example for example in photos if not datasets.is_held_out(example.key)]
    examples = _spread(photos, CALIBRATION_PICTURES)
    tensors = (
        letterbox(datasets.read_picture(example.path))[0]
        .transpose(2, 0, 1)[None]
        .astype(np.float32)
        for example in examples
    )
    nodes = onnx.load(str(source)).graph.node
    left = [node.name for node in nodes if stays_float(node.name)]
    _quantise(source, target, tensors, left)
