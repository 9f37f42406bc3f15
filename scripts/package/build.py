"""Build the Lambda package from wheels for the runtime and the function's files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.manifest import MANIFEST_FILE, listed_files
from scripts.package.interpreter import PYTHON_VERSION
from scripts.package.linkage import problems
from scripts.package.prune import Saving, prune
from scripts.package.rules import CUTS, FUNCTION_FILES, RULES

PROJECT = Path(__file__).parent.parent.parent

PINS = PROJECT / "requirements.txt"
HASHES = PROJECT / "requirements-hashes.txt"
"""The same pins with the checksums of their wheels."""

WHEEL_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}

WHEEL_PLATFORMS = (
    "manylinux_2_34",
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_17",
    "manylinux2014",
)
"""Platform tags of wheels that run on Amazon Linux 2023 (glibc 2.34, PEP 600), newest first. pip
does not infer older tags, so all are listed. manylinux2014 is the former name of 2_17."""

TASK_ROOT = "/var/task"
"""Folder in which Lambda unpacks the package; tracebacks show this path."""

TIMESTAMP = 315532800
"""1980-01-01, the earliest date in a zip file. All files get it, so the same sources make the same
zip and redeploying them changes nothing."""


class BuildFailed(Exception):
    """The package cannot be built; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build.

    Attributes:
        savings: Bytes that each rule removed.
        bytecode_size: Bytes of the `.pyc` files; None if there was no interpreter to compile them.
    """

    savings: list[Saving]
    bytecode_size: int | None


def build(architecture: str, output: Path, interpreter: Path | None) -> Built:
    """Build a package in a directory, which is emptied first.

    Args:
        architecture: `arm64` or `x86_64`.
        output: The directory.
        interpreter: A Python of the runtime's version, which compiles the `.pyc` files; None
            to build without them, which makes cold starts slower.

    Raises:
        BuildFailed: pip failed, or a library of the package would not load on Lambda.
        RuleFailed: A rule does not match the wheels.
        ElfError: A library cannot be removed from a module.
    """
    make_empty(output)
    copy_function(output)
    install(architecture, output)
    savings = prune(output, RULES, CUTS)
    if found := problems(output, architecture):
        raise BuildFailed("\n  ".join(["these libraries would not load on Lambda:", *found]))
    bytecode_size = None if interpreter is None else _compile(output, interpreter)
    normalize(output)
    return Built(savings, bytecode_size)


def make_empty(output: Path) -> None:
    """Delete an earlier build; refuse to delete anything else, in case the path is mistyped.

    Raises:
        BuildFailed: The directory exists and is not a package.
    """
    if output.exists() and any(output.iterdir()):
        is_package = (output / FUNCTION_FILES[0]).is_file()
        if not is_package or PROJECT.resolve().is_relative_to(output.resolve()):
            raise BuildFailed(f"{output} is not an earlier package. Choose another directory.")
        shutil.rmtree(output)
    output.mkdir(parents=True, exist_ok=True)


def install(architecture: str, output: Path) -> None:
    """Install the wheels of requirements.txt for the runtime, whatever the host is.

    Raises:
        BuildFailed: pip failed, or a wheel has another checksum than requirements-hashes.txt.
    """
    options = ["--require-hashes", "--requirement", str(HASHES)]
    pip_wheels("install", architecture, [*options, "--target", str(output), "--no-compile"])


def pip_wheels(command: str, architecture: str, options: Sequence[str]) -> None:
    """Run pip for wheels of the runtime.

    Args:
        command: `install` or `download`.
        architecture: `arm64` or `x86_64`.
        options: Requirements and target.

    Raises:
        BuildFailed: pip failed.
    """
    machine = WHEEL_MACHINES[architecture]
    platforms = [f"--platform={platform}_{machine}" for platform in WHEEL_PLATFORMS]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"),
            # requirements.txt pins everything that run time imports. The packages' other
            # dependencies are for their tools only: onnxruntime's protobuf, flatbuffers and
            # packaging.
            "--no-deps",
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON_VERSION),
            *platforms,
            *options,
        ],
        check=False,
    )
    if done.returncode:
        raise BuildFailed(
            "pip could not get the wheels; its message is above. It needs a package index: without "
            "internet, set PIP_INDEX_URL or PIP_FIND_LINKS. After a change of requirements.txt, "
            "run `python -m scripts.package.hashes`."
        )


def copy_function(output: Path) -> None:
    """Copy the function's modules, and the files that each model's manifest names."""
    for name in FUNCTION_FILES:
        source = PROJECT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, output / name, ignore=ignored)
        else:
            shutil.copy(source, output / name)
    for manifest in sorted(PROJECT.glob(f"models/*/{MANIFEST_FILE}")):
        folder = output / "models" / manifest.parent.name
        folder.mkdir(parents=True)
        for name in (MANIFEST_FILE, *listed_files(manifest.read_bytes())):
            shutil.copy(manifest.parent / name, folder / name)


def _compile(output: Path, interpreter: Path) -> int:
    """Compile every module next to its source and return the size of the bytecode.

    The `.pyc` files are unchecked (PEP 552): a zip file's time stamps would make timestamped ones
    stale, and Python would recompile them at each cold start on Lambda's read-only file system.
    """
    done = subprocess.run(
        [
            *(str(interpreter), "-I", "-m", "compileall", "-q", "-f", "-j", "0"),
            *("--invalidation-mode", "unchecked-hash"),
            *("-s", str(output.resolve()), "-p", TASK_ROOT, str(output.resolve())),
        ],
        check=False,
    )
    if done.returncode:
        raise BuildFailed("A module does not compile; the message is above.")
    return sum(path.stat().st_size for path in output.rglob("*.pyc"))


def normalize(output: Path) -> None:
    """Set the same modes and times on every file, whatever this machine's umask and clock are.

    Lambda runs the function as a user who does not own the files but must read them.
    """
    for path in (output, *output.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (TIMESTAMP, TIMESTAMP))
