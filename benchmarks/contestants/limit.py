"""The lower bound for `/object_detection`: the cheapest correct decode, and the model.

No HTTP, no base64, no checks, no JSON: pictures lie in memory as bytes. libjpeg-turbo decodes a
JPEG at the smallest of its scales that has 1.5 times as many pixels as the model's input: at the
next one the answers differ from those of the whole picture by more than the tolerance
(tests/models/test_fast_path.py). simplejpeg, as in the product, writes the model's colour order
straight into an array; OpenCV decodes other formats. Two threads share several pictures, each with
its own single-threaded run. One picture alone gets a session of two threads that spin while they
wait, onnxruntime's default: the fastest setting on two whole cores (8 ms; 14 with one thread, 11
with two that sleep). Its second thread has the second core, so that the kernel does not put both on
one.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import onnxruntime
import simplejpeg
from numpy.typing import NDArray

from benchmarks.contestants.plain import MODELS, PlainModels

CORES = 2
SCALES = (8, 4, 2)
"""Source pixels per decoded pixel and side, largest first."""

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
        """Return the objects, for the check of the answers. Not timed."""
        return [self._plain.objects(*each) for each in raw]


def _run(session: onnxruntime.InferenceSession, data: bytes) -> Raw:
    side = 416
    pixels_bgr, size_wh = _decode(data, 1.5 * side)
    width, height = size_wh
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
    if threads > 1:
        second = sorted(os.sched_getaffinity(0))[1]
        options.add_session_config_entry("session.intra_op_thread_affinities", str(second + 1))
    model = MODELS / "vehicle_detector" / "model.onnx"
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def _decode(data: bytes, enough: float) -> tuple[NDArray[np.uint8], Size]:
    """Return uint8 [height, width, 3] with a side of at least `enough`, and the full size."""
    if not data.startswith(b"\xff\xd8"):
        pixels_bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
        return pixels_bgr.astype(np.uint8, copy=False), pixels_bgr.shape[1::-1]
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    scale = next((each for each in SCALES if max(width, height) >= enough * each), 1)
    pixels_bgr = simplejpeg.decode_jpeg(
        data, "BGR", min_height=-(-height // scale), min_width=-(-width // scale)
    )
    return pixels_bgr, (width, height)
