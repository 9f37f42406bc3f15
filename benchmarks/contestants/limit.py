"""How little `/object_detection` can take: the cheapest right decode, and the model.

No HTTP, no base64, no checks, no answer to write: pictures lie in memory as bytes. libjpeg, by way
of OpenCV, decodes at the smallest of its scales that has half as many pixels again as the model's
input: at the next one the answers differ from the whole picture's by more than the tolerance
(tests/models/test_fast_path.py). OpenCV was faster than Pillow's `draft` at every size, and gives
the model's colour order for nothing. Several pictures are shared by two threads, and each run
keeps to its own; one picture alone has a session of two threads that spin while they wait,
onnxruntime's default: it was the fastest of all settings on two whole cores (8 ms against 14 with
one thread and 11 with two that sleep).
"""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.contestants.plain import MODELS, PlainModels

CORES = 2
SCALES = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's start-of-frame markers, which give the size: ITU-T T.81, table B.1."""

Size = tuple[int, int]
Raw = tuple[NDArray[np.float32], float, Size, Size]
"""The detector's rows, input pixels per pixel of the picture, the picture's size, the input's."""

cv2.setNumThreads(1)


class Limit:
    """Runs the detector and nothing that can be left out."""

    def __init__(self) -> None:
        """Load the model once for a lone picture and once for several at a time."""
        self._pool = ThreadPoolExecutor(CORES)
        self._alone = _session(CORES)
        self._together = _session(1)
        self._plain = PlainModels()

    def run(self, pictures: list[bytes]) -> list[Raw]:
        """Decode and run: what is timed."""
        if len(pictures) == 1:
            return [_run(self._alone, pictures[0])]
        return list(self._pool.map(lambda data: _run(self._together, data), pictures))

    def answer(self, raw: list[Raw]) -> list[list[dict[str, Any]]]:
        """What was found, for the check of the answers; not timed."""
        return [self._plain.objects(*each) for each in raw]


def _run(session: onnxruntime.InferenceSession, data: bytes) -> Raw:
    side = 416
    enough = 1.5 * side
    width, height = size_wh = _jpeg_size(data)
    flag = cv2.IMREAD_COLOR
    for divisor, reduced in SCALES:
        if max(width, height) >= enough * divisor:
            flag = reduced
            break
    pixels_bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if pixels_bgr is None:
        raise ValueError("not a picture")
    if not width:
        height, width = pixels_bgr.shape[:2]
        size_wh = (width, height)
    scale = min(side / width, side / height)
    inner_wh = (round(width * scale), round(height * scale))
    # The model takes any multiple of 32: padding up to the next one is all that it needs.
    input_wh = (-(-inner_wh[0] // 32) * 32, -(-inner_wh[1] // 32) * 32)
    canvas = np.full((input_wh[1], input_wh[0], 3), 114, np.uint8)
    small = cv2.resize(pixels_bgr, inner_wh, interpolation=cv2.INTER_LINEAR)
    canvas[: inner_wh[1], : inner_wh[0]] = small
    tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32)
    return session.run(None, {"images": tensor})[0][0], scale, size_wh, input_wh


def _session(threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    model = MODELS / "vehicle_detector" / "model.onnx"
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from a JPEG's header, (0, 0) for another format."""
    if data[:2] != b"\xff\xd8":
        return 0, 0
    position = 2
    while position + 9 < len(data):
        marker, length = data[position + 1], struct.unpack_from(">H", data, position + 2)[0]
        if marker in FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        position += 2 + length
    return 0, 0
