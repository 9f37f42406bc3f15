"""Measure the start of the built package and of the naive layout of the same function.

    python -m benchmarks.init [--package build/package-x86_64] [--rounds 15]

Init is what Lambda bills before the first event: it imports the handler, loads both models and
tests each of them once. The naive layout is the result of `pip install --target` and a copy of the
sources: every file of the wheels, no `.pyc`, and onnxruntime's sessions with their default options.
Both start alternately, in a new isolated process each, on one core, after a first round that fills
the page cache and does not count. Processor time is reported too; on an idle core it equals the
elapsed time.

Needs Linux, a package built by `make package`, and a Python of the runtime's version. On a shared
machine, `sudo chrt -r 1 .venv/bin/python -m benchmarks.init` reserves the core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.package.build import BuildFailed, copy_function, install
from scripts.package.interpreter import INSTALL_HINT, find_interpreter

TARGET_MS = 450
"""Maximum median of the built package."""

BUSY = 1.25
"""Ratio of elapsed to processor time from which the core was used by other processes."""

MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}

START = """
import sys, time
started, used = time.perf_counter(), time.process_time()
sys.path.insert(0, sys.argv[1])
if "--default-sessions" in sys.argv:
    import onnxruntime
    make = onnxruntime.InferenceSession
    onnxruntime.InferenceSession = lambda model, options, **others: make(model, **others)
import lambda_function
elapsed, used = time.perf_counter() - started, time.process_time() - used
health = {"httpMethod": "GET", "path": "/health"}
answer = lambda_function.lambda_handler_classification(health, None)
print([elapsed * 1000, used * 1000, answer["statusCode"]])
"""
"""Code of the measured process: prints elapsed ms, processor ms, and the status of /health."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout of the function.

    Attributes:
        name: Name in the table.
        folder: The package.
        options: Further arguments of `START`.
    """

    name: str
    folder: Path
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """One start, in milliseconds.

    Attributes:
        elapsed: Elapsed time.
        processor: Processor time.
    """

    elapsed: float
    processor: float


def main() -> None:
    """Measure both layouts and print the table."""
    architecture = MACHINES.get(platform.machine())
    interpreter = find_interpreter()
    if sys.platform != "linux" or architecture is None:
        sys.exit("init: this machine cannot run Lambda's programs.")
    if interpreter is None:
        sys.exit(f"init: {INSTALL_HINT}")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.init", description=__doc__)
    parser.add_argument("--package", type=Path, default=Path(f"build/package-{architecture}"))
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    if not (arguments.package / "lambda_function.py").is_file():
        sys.exit(f"init: {arguments.package} is not a package. Build one with `make package`.")
    with tempfile.TemporaryDirectory(prefix="matchvec-naive-") as folder:
        naive = Path(folder)
        try:
            copy_function(naive)
            install(architecture, naive)
        except BuildFailed as error:
            sys.exit(f"init: {error}")
        layouts = [
            Layout("as built", arguments.package.resolve()),
            Layout("naive", naive, ("--default-sessions",)),
        ]
        core = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})  # Children inherit the affinity.
        measured = measure(interpreter, layouts, arguments.rounds)
    print(table(layouts, measured))


def measure(interpreter: Path, layouts: Sequence[Layout], rounds: int) -> list[list[Times]]:
    """Start the layouts alternately; return the times of each, without the first round."""
    measured: list[list[Times]] = [[] for _ in layouts]
    for _ in range(1 + rounds):
        for layout, times in zip(layouts, measured, strict=True):
            times.append(start(interpreter, layout))
    return [times[1:] for times in measured]


def start(interpreter: Path, layout: Layout) -> Times:
    """Start a layout once, isolated and without writing bytecode."""
    command = [str(interpreter), "-I", "-S", "-B", "-c", START, str(layout.folder)]
    done = subprocess.run(
        [*command, *layout.options], capture_output=True, text=True, env={}, cwd="/", check=True
    )
    elapsed, processor, status = json.loads(done.stdout)
    if status != 200:
        sys.exit(f"init: the models of {layout.folder} do not load:\n{done.stderr}")
    return Times(elapsed, processor)


def table(layouts: Sequence[Layout], measured: Sequence[Sequence[Times]]) -> str:
    """Return a table of medians, fastest starts, and ratios to the first layout."""
    medians = [
        Times(
            statistics.median(each.elapsed for each in times),
            statistics.median(each.processor for each in times),
        )
        for times in measured
    ]
    lines = [f"{'median of ' + str(len(measured[0])):12}  elapsed ms  processor ms  fastest ms"]
    for layout, times, median in zip(layouts, measured, medians, strict=True):
        fastest = min(each.elapsed for each in times)
        row = f"{layout.name:12}  {median.elapsed:10.0f}  {median.processor:12.0f}"
        lines.append(f"{row}  {fastest:10.0f}")
    for layout, median in zip(layouts[1:], medians[1:], strict=True):
        elapsed = median.elapsed / medians[0].elapsed
        processor = median.processor / medians[0].processor
        row = f"{'ratio, ' + layout.name:12}  {elapsed:10.2f}  {processor:12.2f}"
        lines.append(row)
    return "\n".join([*lines, verdict(medians[0])])


def verdict(median: Times) -> str:
    """Say whether the target is met, or that other processes used the core."""
    target = f"Target: a median of {TARGET_MS} ms elapsed"
    if median.elapsed <= TARGET_MS:
        return f"{target}: met."
    if median.elapsed > BUSY * median.processor and median.processor <= TARGET_MS:
        return (
            f"{target}: not measurable, because other processes used this core for "
            f"{median.elapsed - median.processor:.0f} ms; by processor time it is met."
        )
    return f"{target}: MISSED."


if __name__ == "__main__":
    main()
