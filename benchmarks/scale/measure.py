"""Measure the service times that the simulation draws from.

    python -m benchmarks.scale.measure FOLDER [FOLDER ...] > benchmarks/scale/service_times.json

Measures processor time of the handler, from the event to the answer of ``/predict``, one picture
per
request. Other programs on the machine hardly change it.
"""

from __future__ import annotations

import base64
import json
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hooks.pre_traffic import proxy_event

ROUNDS = 8
SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_BYTES = 4_400_000
"""Maximum bytes of a picture in a request."""


def measure(pictures: list[Path]) -> list[float]:
    """Return processor milliseconds of every picture in every round but the first, sorted."""
    from lambda_function import lambda_handler_classification as handler

    times = []
    for turn in range(ROUNDS + 1):
        for picture in pictures:
            event: dict[str, Any] = proxy_event(
                "POST",
                "/predict",
                headers={"Content-Type": "image/jpeg"},
                body=base64.b64encode(picture.read_bytes()).decode(),
                isBase64Encoded=True,
            )
            start = time.process_time()
            answer = handler(event, None)
            elapsed = (time.process_time() - start) * 1000
            if answer["statusCode"] != 200:
                sys.exit(f"{picture}: {answer}")
            if "X-Failed-Images" in answer["headers"]:
                continue
            if turn:
                times.append(round(elapsed, 2))
    return sorted(times)


def processor() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor() or platform.machine()
    lines = cpuinfo.read_text().splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


def main() -> None:
    """Measure the pictures of all folders and print the JSON file."""
    pictures = [
        path
        for folder in sys.argv[1:]
        for path in sorted(Path(folder).iterdir())
        if path.suffix.lower() in SUFFIXES and path.stat().st_size <= MAX_BYTES
    ]
    if not pictures:
        sys.exit("measure: no pictures found. Name folders with pictures.")
    print(
        json.dumps(
            {
                "source": "python -m benchmarks.scale.measure",
                "what": "processor time of /predict, one picture per request, milliseconds",
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "processor": processor(),
                "pictures": len(pictures),
                "values_ms": measure(pictures),
            }
        )
    )


if __name__ == "__main__":
    main()
