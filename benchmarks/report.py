"""Write results as JSON, as Markdown and, with `benchmarks.chart`, as a chart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.environments import EnvironmentFailed, python_of
from benchmarks.processes import PROJECT

RESULTS = Path(__file__).parent / "results"
MB = 1_000_000
Json = Mapping[str, Any]


def write(results: Json, name: str, folder: Path = RESULTS) -> None:
    """Write `NAME.json`, `NAME.md` and, if matplotlib can be installed, `NAME.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    try:
        python = python_of("report")
    except EnvironmentFailed as error:
        has_chart, why = False, str(error)
    else:
        chart = [str(python), "-m", "benchmarks.chart", str(path), str(folder / f"{name}.png")]
        done = subprocess.run(chart, cwd=PROJECT, capture_output=True, text=True, check=False)
        has_chart, why = not done.returncode, done.stderr[-500:]
    if not has_chart:
        print(f"no chart: {why}")
    (folder / f"{name}.md").write_text(markdown(results, f"{name}.png" if has_chart else None))


def markdown(results: Json, chart: str | None = None) -> str:
    """Return the report in Markdown."""
    sections = [
        f"# Benchmark, plan `{results['plan']}`",
        "[benchmarks/README.md](../README.md) explains the method. Times are medians in "
        "milliseconds; the spread is the interquartile range as a share of the median.",
        table(("", ""), results["machine"].items()),
        "## Bars",
        bars_table(results),
    ]
    if chart:
        sections.append(f"![Times by case and contestant]({chart})")
    if "in_process" in results:
        sections += ["## In process", _timings(results["in_process"])]
    if "http_latency" in results:
        sections += ["## Over HTTP, one client", _latencies(results["http_latency"])]
    if "http_throughput" in results:
        rows = [
            (name, f"{found['per_second']:.1f}", f"{found['per_core_second']:.1f}")
            for name, found in results["http_throughput"].items()
        ]
        head = ("contestant", "requests per second", "per second of processor time")
        sections += ["## Over HTTP, four clients, 1 x 2 MP", table(head, rows)]
    if "starts" in results:
        sections += ["## Start and memory", _starts(results["starts"])]
    for cores, timings in results.get("quota", {}).items():
        sections += [f"## In process, with the time of {cores} cores", _timings(timings)]
    if "cost" in results:
        rows = [
            (name, f"${found['arm64']:.2f}", f"${found['x86_64']:.2f}")
            for name, found in results["cost"].items()
        ]
        head = ("per million pictures of 2 MP, at 1769 MB", "arm64 prices", "x86_64 prices")
        sections += ["## Cost", table(head, rows)]
    if results["skipped"]:
        sections += ["## Not measured", table(("what", "why"), results["skipped"].items())]
    return "\n\n".join(sections) + "\n"


def bars_table(results: Json) -> str:
    """Return a table of every goal, its measured value, and whether it is met."""
    rows = [
        (
            bar["name"],
            bar["bound"],
            "not measured" if bar["seen"] is None else f"{bar['seen']:.2f}",
            "pass" if bar["is_passed"] else "FAIL",
        )
        for bar in results["bars"]
    ]
    return table(("bar", "bound", "seen", "verdict"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; line breaks and bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _timings(cases: Json) -> str:
    rows = [
        (
            CASES[case].title,
            contestant,
            f"{found['wall']['median']:.1f}",
            f"{found['wall']['p99']:.1f}",
            f"{found['wall']['spread']:.0%}",
            f"{found['processor']['median']:.1f}",
            f"{found['wall']['median'] / times['ours']['wall']['median']:.2f}",
        )
        for case, times in cases.items()
        for contestant, found in times.items()
    ]
    head = ("case", "contestant", "p50", "p99", "spread", "processor time", "p50 / ours")
    return table(head, rows)


def _latencies(cases: Json) -> str:
    rows = [
        (
            CASES[case].title,
            contestant,
            f"{found['median']:.1f}",
            f"{found['p99']:.1f}",
            f"{found['spread']:.0%}",
            f"{found['median'] / times['ours']['median']:.2f}",
        )
        for case, times in cases.items()
        for contestant, found in times.items()
    ]
    return table(("case", "contestant", "p50", "p99", "spread", "p50 / ours"), rows)


def _starts(starts: Json) -> str:
    rows = [
        (
            name,
            *(f"{found[each]['median']:.0f}" for each in ("ready", "first_answer", "imports")),
            *(f"{found[each] / MB:.0f}" for each in ("memory", "peak", "package")),
        )
        for name, found in starts.items()
    ]
    milliseconds = ("ready, ms", "first answer, ms", "imports alone, ms")
    megabytes = ("memory after init, MB", "peak on 10 x 2 MP, MB", "package, MB")
    return table(("contestant", *milliseconds, *megabytes), rows)
