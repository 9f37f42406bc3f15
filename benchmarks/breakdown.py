"""Measure each step of an `/object_detection` request.

    python -m benchmarks.breakdown [--picture FILE.jpg] [--rounds 15]

Prints the median of each step as a table and as the chart of docs/performance.md (Mermaid). The
steps are the product's own functions, called in the same order as by the handler.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pictures import MP_12, picture_path
from gateway.event import decode_body, parse_event
from gateway.parts import FormFile, parse_body
from inference.decoding.decode import decode_reduced
from inference.detection import to_detections
from inference.preprocess import prepare
from inference.types import RawDetections
from service.json_answers import object_json
from service.models import load_pipeline
from service.settings import Settings

BOUNDARY = "breakdown"
LIMIT = 100_000_000


def main() -> None:
    """Measure the steps and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breakdown", description=__doc__)
    parser.add_argument("--picture", type=Path, default=None, help="default: 12 megapixels, 4 MB")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    content = (options.picture or picture_path(MP_12)).read_bytes()
    medians = measure(content, options.rounds)
    total = sum(medians.values())
    print(f"{len(content):,} bytes, median of {options.rounds}: {total:.1f} ms\n")
    for name, milliseconds in medians.items():
        print(f"| {name} | {milliseconds:.1f} | {milliseconds / total:.0%} |")
    print("\n```mermaid\npie showData title Milliseconds of a request")
    for name, milliseconds in medians.items():
        print(f'    "{name}" : {milliseconds:.1f}')
    print("```")


def measure(content: bytes, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of every step, in order."""
    times: dict[str, list[float]] = {}

    def step(name: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever the step gives
        start = time.perf_counter()
        result = call()
        times.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        return result

    settings = Settings.from_environment({})
    pipeline = load_pipeline(settings, settings.workers)
    for _ in range(rounds + 1):
        _request(content, pipeline.detector, step)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def _request(content: bytes, detector: Any, step: Callable[..., Any]) -> None:  # noqa: ANN401
    event = _event(content)
    request = step("event", lambda: parse_event(event, None))
    body = step("base64", lambda: decode_body(request, LIMIT))
    content_type = request.headers["content-type"]
    [part] = step("form", lambda: parse_body(content_type, body, max_images=1, max_urls=1).parts)
    assert isinstance(part, FormFile)  # noqa: S101  for the type checker
    picture = step(
        "decode",
        lambda: decode_reduced(part.content, max_pixels=LIMIT, resolution=detector.resolution),
    )
    tensor, placement = step(
        "preprocess", lambda: prepare(picture.image_rgb, detector.manifest.input)
    )
    outputs = step("model", lambda: detector.session.run(tensor))
    task = detector.task

    def boxes() -> Any:  # noqa: ANN401
        found = task.head.decode(outputs, placement.input_wh, 0.4)
        boxes_xyxy = placement.to_source(found.boxes_xyxy) * picture.reduction
        placed = RawDetections(boxes_xyxy, found.scores, found.class_ids)
        return to_detections(placed, task.labels, picture.size_wh)

    found = step("boxes", boxes)
    step("answer", lambda: json.dumps([[object_json(each) for each in found]]))


def _event(content: bytes) -> dict[str, Any]:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return {
        "httpMethod": "POST",
        "path": "/object_detection",
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


if __name__ == "__main__":
    main()
