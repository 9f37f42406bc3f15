"""Build and check the Lambda package, and print its size.

    python -m scripts.package --architecture arm64 --output build/package-arm64

The build works on any host because it compiles nothing but Python bytecode. Bytecode needs a
Python of the runtime's version, 3.13. Without one the package has no `.pyc` files: it still
works, but imports at a cold start take more than twice as long, and the build says so.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

from scripts.package import smoke_test
from scripts.package.build import BuildFailed, build
from scripts.package.elf import ElfError
from scripts.package.interpreter import INSTALL_HINT, find_interpreter
from scripts.package.prune import RuleFailed, tree_size
from scripts.package.report import LAMBDA_LIMIT_BYTES, contents_table, savings_table
from scripts.package.rules import LIMIT_BYTES

HOSTS = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "amd64")}
"""Names that `platform.machine()` returns on hosts that can run each package."""


def main() -> None:
    """Build the package, print its tables, and run it if this machine can."""
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
    _check_size(output, limit)
    if interpreter is None:
        print(f"Bytecode: none, so cold starts are slow. {INSTALL_HINT}")
        print("Smoke test: skipped, because it needs the same Python.")
        return
    print(f"Bytecode: {built.bytecode_size:,} bytes, by {interpreter}.")
    if sys.platform != "linux" or platform.machine().lower() not in HOSTS[architecture]:
        print(
            f"Smoke test: skipped, because this machine cannot run Linux programs for "
            f"{architecture}."
        )
        return
    _smoke_test(interpreter, output)
    print("Smoke test: passed. The package loads its models without any other package installed.")


def _check_size(package: Path, limit: int) -> None:
    """Check that Lambda accepts a package, and that it did not grow apart from its models.

    Raises:
        BuildFailed: It is too large.
    """
    size = tree_size(package)
    if size > LAMBDA_LIMIT_BYTES:
        raise BuildFailed(
            f"{size - LAMBDA_LIMIT_BYTES:,} bytes over Lambda's limit of {LAMBDA_LIMIT_BYTES:,}; "
            "see the table. Move large models from models/ to S3: docs/deploy.md, Models from S3."
        )
    growing = size - tree_size(package / "models")
    if growing > limit:
        raise BuildFailed(f"{growing - limit:,} bytes over the limit of {limit:,}; see the table.")


def _smoke_test(interpreter: Path, package: Path) -> None:
    """Run the package in an isolated interpreter and request `/health`.

    Raises:
        BuildFailed: The package does not answer with 200, or imports modules from elsewhere.
    """
    done = subprocess.run(
        [str(interpreter), "-I", "-S", "-B", smoke_test.__file__, str(package)],
        capture_output=True,
        text=True,
        env={},
    )
    report = json.loads(done.stdout) if done.returncode == 0 else {}
    if report.get("health", {}).get("statusCode") != 200 or report["from_elsewhere"]:
        raise BuildFailed(f"the package does not run:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
