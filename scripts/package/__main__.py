"""Builds and checks the Lambda package, and says how large it is.

    python -m scripts.package --architecture arm64 --output build/package-arm64

Works on any host: nothing is compiled but Python's bytecode, and that needs a Python of the
runtime's version, 3.13. Without one the package has no `.pyc` files: it is right all the same,
but imports take more than twice as long at every cold start, so the build says so.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

from scripts.package import trial
from scripts.package.build import BuildFailed, build
from scripts.package.elf import ElfError
from scripts.package.interpreter import HOW_TO_GET_ONE, find_interpreter
from scripts.package.prune import RuleFailed, tree_size
from scripts.package.report import contents_table, savings_table
from scripts.package.rules import LIMIT_BYTES

HOSTS = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "amd64")}
"""Names of the processors that can run a package themselves."""


def main() -> None:
    """Build, print the tables, run the package where this machine can."""
    parser = argparse.ArgumentParser(prog="python -m scripts.package", description=__doc__)
    parser.add_argument("--architecture", choices=sorted(LIMIT_BYTES), required=True)
    parser.add_argument("--output", type=Path, required=True, help="directory, emptied first")
    arguments = parser.parse_args()
    try:
        _make(arguments.architecture, arguments.output)
    except (BuildFailed, RuleFailed, ElfError) as error:
        sys.exit(f"package: {error}")


def _make(architecture: str, output: Path) -> None:
    interpreter = find_interpreter()
    built = build(architecture, output, interpreter)
    limit = LIMIT_BYTES[architecture]
    print(f"The package for {architecture}, in {output}:\n")
    print(savings_table(built.savings), end="\n\n")
    print(contents_table(output, limit), end="\n\n")
    if (size := tree_size(output)) > limit:
        raise BuildFailed(f"{size - limit:,} bytes over the limit of {limit:,}; see the table.")
    if interpreter is None:
        print(f"Bytecode: none, so that cold starts are slow: {HOW_TO_GET_ONE}.")
        print("Trial run: none, for the same reason.")
        return
    print(f"Bytecode: {built.bytecode_size:,} bytes, by {interpreter}.")
    if sys.platform != "linux" or platform.machine().lower() not in HOSTS[architecture]:
        print(f"Trial run: none, this machine does not run Linux programs for {architecture}.")
        return
    _try_out(interpreter, output)
    print("Trial run: with nothing else to import it loads its models and says that it is well.")


def _try_out(interpreter: Path, package: Path) -> None:
    """Start the package on its own, and ask it for its health.

    Raises:
        BuildFailed: It is not well.
    """
    done = subprocess.run(
        [str(interpreter), "-I", "-S", "-B", trial.__file__, str(package)],
        capture_output=True,
        text=True,
        env={},
    )
    report = json.loads(done.stdout) if done.returncode == 0 else {}
    if report.get("health", {}).get("statusCode") != 200 or report["from_elsewhere"]:
        raise BuildFailed(f"the package does not run:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
