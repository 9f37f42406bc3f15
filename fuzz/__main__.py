"""Fuzz every target: `python -m fuzz` (`make fuzz`).

    python -m fuzz [--seconds 600] [--target NAME] [--jobs 2]

Prints the number of inputs and findings. New inputs and findings are saved in build/fuzz/TARGET.
The
exit status is 1 if there are findings and 2 if atheris is not installed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fuzz.targets import ROOT, TARGETS, Target

OUTPUT = ROOT / "build" / "fuzz"
FINDINGS = ("crash-*", "timeout-*", "oom-*", "leak-*")
"""File names that libFuzzer gives to inputs that failed."""
COVERED = re.compile(r"cov: (\d+)")
EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one target.

    Attributes:
        name: The target's name.
        executions: Number of inputs tried; None if the fuzzer ended before it counted them.
        covered: Number of branches of the instrumented Python code that were reached.
        new_inputs: Number of inputs kept because they reached a new branch.
        findings: Inputs that violated the property, in this and earlier runs.
        is_clean: Whether the fuzzer exited with status 0.
    """

    name: str
    executions: int | None
    covered: int
    new_inputs: int
    findings: tuple[Path, ...]
    is_clean: bool


def fuzz(target: Target, seconds: int) -> Outcome:
    """Run one target; the fuzzer's output is written to build/fuzz/TARGET/log."""
    folder = OUTPUT / target.name
    inputs = folder / "corpus"
    inputs.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
    folders = [inputs, *target.seed_folders]
    command = [sys.executable, "-m", "fuzz.run", target.name, *limits, *map(str, folders)]
    log = folder / "log"
    with log.open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    executions = EXECUTIONS.search(text)
    findings = sorted(path for pattern in FINDINGS for path in folder.glob(pattern))
    return Outcome(
        target.name,
        int(executions[1]) if executions else None,
        max(map(int, COVERED.findall(text)), default=0),
        sum(1 for _ in inputs.iterdir()),
        tuple(findings),
        done.returncode == 0,
    )


def report(outcome: Outcome) -> str:
    """Return a row of the table and a line for each finding."""
    executions = "?" if outcome.executions is None else f"{outcome.executions:,}"
    lines = [
        f"{outcome.name:<10} {executions:>12} {outcome.covered:>8,} {outcome.new_inputs:>10,} "
        f"{len(outcome.findings):>8}"
    ]
    lines += [f"  {path.relative_to(ROOT)}" for path in outcome.findings]
    if not outcome.is_clean:
        lines.append(f"  see {(OUTPUT / outcome.name / 'log').relative_to(ROOT)}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fuzz, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600, help="seconds per target")
    parser.add_argument("--target", choices=["", *TARGETS], default="", help="run only this target")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="targets to run in parallel"
    )
    options = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("atheris is not installed. It has wheels for Linux on x86-64 only.", file=sys.stderr)
        return 2
    targets = [TARGETS[options.target]] if options.target else list(TARGETS.values())
    print(
        f"{len(targets)} targets, {options.seconds} s each, {options.jobs} in parallel", flush=True
    )
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: fuzz(target, options.seconds), targets))
    print("target       executions  covered new inputs findings")
    for outcome in outcomes:
        print(report(outcome))
    return 0 if all(each.is_clean and not each.findings for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
