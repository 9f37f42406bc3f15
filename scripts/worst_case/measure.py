"""Measure what decoders take, and write inference/decoding/cost_table.py.

    python -m scripts.worst_case.measure

A decoder's time is taken as a sum of nanoseconds per pixel, per scan and pixel, and per byte. The
first is the slowest of the files with few bytes; the last is what the files with many bytes take
beyond that. Processor time, best of three runs, plus a margin.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from inference.decoding import cost
from inference.decoding.cost import COSTS, Cost
from inference.decoding.resolution import SMALLEST, Resolution
from inference.decoding.source import ImageSource
from inference.errors import PictureError
from scripts.worst_case.pictures import LARGE, SMALL, Make, scanned

TABLE = Path(__file__).parents[2] / "inference/decoding/cost_table.py"
WIDTH, HEIGHT = 3500, 3500
PIXELS = WIDTH * HEIGHT
RUNS = 3
SCANS = 40
MARGIN = 1.25
"""Factor on what was measured: processors differ, and other files may be slower."""
KEPT = ("HEIC",)
"""Rows that this does not measure, because no encoder is installed."""

HEAD = '''"""Processor time of decoders by mode of a file, for `inference.decoding.cost`.

Written by `python -m scripts.worst_case.measure`. Do not edit it by hand, except HEIC, for which no
encoder is installed: it was measured once, with pictures of pillow-heif.
"""

from __future__ import annotations

NANOSECONDS = {
'''
TAIL = '''"""Row -> nanoseconds of one core per pixel, per byte, and per pixel and scan.

A TIFF has one row per compression number.
"""
'''


def decode_ns(data: bytes) -> float:
    """Return the processor time of all decodes of one request, in nanoseconds: best of three.

    `/predict` decodes a JPEG twice: reduced for the detector, and again for the crops.
    """
    times = []
    for _ in range(RUNS):
        start = time.process_time_ns()
        with suppress(PictureError):
            source = ImageSource(data, PIXELS)
            source.decode(SMALLEST)
            source.decode(Resolution(WIDTH, HEIGHT, every_side=True))
        times.append(time.process_time_ns() - start)
    return min(times)


def measured(row: str) -> Cost:
    """Return the costs of one row."""
    per_pixel = max(decode_ns(data) / PIXELS for data in _files(SMALL.get(row, ())))
    per_byte = max(
        ((decode_ns(data) - per_pixel * PIXELS) / len(data) for data in _files(LARGE.get(row, ()))),
        default=0.0,
    )
    per_scan = 0.0
    if row == "JPEG scans":
        slowest = max(map(decode_ns, scanned(WIDTH, HEIGHT, SCANS)))
        per_scan = max(0.0, slowest - per_pixel * PIXELS) / PIXELS / SCANS
    return Cost(*(round(max(0.0, each) * MARGIN, 1) for each in (per_pixel, per_byte, per_scan)))


def table_text(costs: dict[str, Cost]) -> str:
    """Return the source of the table."""
    rows = "".join(
        f'    "{row}": ({", ".join(str(each) for each in cost)}),\n' for row, cost in costs.items()
    )
    return f"{HEAD}{rows}}}\n{TAIL}"


def _files(makes: Iterable[Make]) -> Iterable[bytes]:
    return (make(WIDTH, HEIGHT) for make in makes)


def main() -> None:
    """Measure every row and write the table."""
    cost.BASE_MS = math.inf  # What is measured may exceed the limits.
    costs = {row: COSTS[row] for row in KEPT}
    for row in SMALL:
        costs[row] = measured(row)
        print(f"{row:14} {costs[row]}", flush=True)
    TABLE.write_text(table_text(costs), encoding="utf-8")


if __name__ == "__main__":
    main()
