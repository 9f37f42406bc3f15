"""Draw the chart of a report, in the environment of requirements-report.txt.

python -m benchmarks.chart RESULTS.json CHART.png
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # There is no display; this must precede the import of pyplot.
from matplotlib import pyplot as plt

COLOURS = {
    "ours": "#0b6e4f",
    "naive": "#c44536",
    "limit": "#8d99ae",
    "fastapi": "#3d5a80",
    "litserve": "#7b2cbf",
    "bentoml": "#e09f3e",
}
Times = dict[str, dict[str, Any]]


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw bars by case, in process above and over HTTP below; ours is 1."""
    panels: list[tuple[str, Times, Callable[[Any], float]]] = []
    if "in_process" in results:
        panels.append(("in process", results["in_process"], lambda each: each["wall"]["median"]))
    if "http_latency" in results:
        panels.append(
            ("over HTTP, one client", results["http_latency"], lambda each: each["median"])
        )
    figure, axes = plt.subplots(
        max(1, len(panels)), 1, figsize=(11, 4.2 * max(1, len(panels))), squeeze=False
    )
    for axis, (title, cases, median) in zip(axes.flat, panels, strict=False):
        names = list(dict.fromkeys(name for times in cases.values() for name in times))
        width = 0.84 / len(names)
        for place, name in enumerate(names):
            rows = [(row, times) for row, times in enumerate(cases.values()) if name in times]
            heights = [median(times[name]) / median(times["ours"]) for _, times in rows]
            where = [row + (place - (len(names) - 1) / 2) * width for row, _ in rows]
            axis.bar(where, heights, width, label=name, color=COLOURS.get(name))
        axis.set_xticks(range(len(cases)), list(cases), rotation=25, ha="right")
        axis.set_ylabel("median time, ours = 1")
        axis.set_title(title)
        axis.axhline(1, color="black", linewidth=0.6)
        axis.legend(ncols=len(names), fontsize=8)
    machine = results["machine"]
    figure.suptitle(f"{machine['processor']}, {machine['cores']} cores, {machine['commit']}")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
