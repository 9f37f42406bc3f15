"""The built packages work without any other package installed."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.package import smoke_test
from scripts.package.linkage import problems
from scripts.package.prune import tree_size
from scripts.package.rules import LIMIT_BYTES
from tests.package import arm64
from tests.package.conftest import PICTURES, PROJECT
from tests.support.events import form_event, upload

pytestmark = pytest.mark.slow
runs_x86_64 = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="this machine does not run Linux programs for x86_64",
)

PRODUCT_TESTS = ("gateway", "inference", "models", "service")
LIBRARIES = ("PIL", "cv2", "idna", "numpy", "onnxruntime")


PATIENT = {"DEADLINE_SECONDS": "600"}
"""QEMU is about a hundred times slower than a real processor."""


def run_smoke_test(python: list[str], package: str, pictures: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [*python, package, *pictures], capture_output=True, text=True, env=PATIENT, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def predictions(answer: dict[str, Any]) -> list[Any]:
    """Return the predictions of each picture; none may have failed."""
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert [image["error"] for image in body["images"]] == [None] * len(body["images"])
    return [image["predictions"] for image in body["images"]]


@pytest.fixture(scope="module")
def expected(embedded_handler: Any, pictures: list[Path]) -> list[Any]:
    """Return the answers of the sources with complete wheels."""
    fields = [upload(picture.read_bytes(), filename=picture.name) for picture in pictures]
    found = predictions(
        embedded_handler(form_event("/predict", *fields, query={"details": "true"}), None)
    )
    assert all(len(vehicles) > 2 and vehicles[0]["pred"] for vehicles in found)
    return found


@pytest.mark.parametrize("architecture", LIMIT_BYTES)
def test_size_and_libraries_of_a_package(request: pytest.FixtureRequest, architecture: str) -> None:
    package: Path = request.getfixturevalue(f"package_{architecture}")

    assert tree_size(package) <= LIMIT_BYTES[architecture]
    assert problems(package, architecture) == []


@pytest.mark.parametrize("architecture", LIMIT_BYTES)
def test_every_module_has_its_bytecode(request: pytest.FixtureRequest, architecture: str) -> None:
    package: Path = request.getfixturevalue(f"package_{architecture}")
    compiled = {
        source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        for source in package.rglob("*.py")
    }

    assert set(package.rglob("*.pyc")) == compiled
    # Bits 0 and 1 of the flags, after the magic number: hash-based, not checked (PEP 552).
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}


@runs_x86_64
def test_builds_are_reproducible(
    build_package: Callable[[str], Path], package_x86_64: Path
) -> None:
    assert fingerprints(build_package("x86_64")) == fingerprints(package_x86_64)


def fingerprints(package: Path) -> dict[str, tuple[str, int, float]]:
    """Return checksum, mode and time of every file."""
    return {
        str(path.relative_to(package)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode,
            path.stat().st_mtime,
        )
        for path in package.rglob("*")
        if path.is_file()
    }


@runs_x86_64
def test_the_isolated_package_gives_the_same_results(
    package_x86_64: Path, pictures: list[Path], expected: list[Any]
) -> None:
    python = [sys.executable, "-I", "-S", "-B", smoke_test.__file__]

    report = run_smoke_test(python, str(package_x86_64), [str(picture) for picture in pictures])

    assert report["from_elsewhere"] == []
    assert json.loads(report["health"]["body"])["status"] == "ok"
    assert predictions(report["predict"]) == expected


@runs_x86_64
def test_the_product_tests_pass_with_the_package(package_x86_64: Path) -> None:
    """Run the tests with the pruned Pillow, numpy, OpenCV and onnxruntime."""
    environment = {**os.environ, "PYTHONPATH": str(package_x86_64), "PYTHONDONTWRITEBYTECODE": "1"}
    imports = f"import {', '.join(LIBRARIES)}; print(*({'.__file__, '.join(LIBRARIES)}.__file__,))"
    files = subprocess.run(
        [sys.executable, "-c", imports], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [Path(file).is_relative_to(package_x86_64) for file in files] == [True] * len(LIBRARIES)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"),
            *(f"tests/{name}" for name in PRODUCT_TESTS),
        ],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def arm64_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := arm64.why_not():
        pytest.skip(reason)
    return arm64.make_root(tmp_path_factory.mktemp("arm64"))


def test_arm64_without_sys_gives_the_same_results(
    package_arm64: Path, arm64_root: Path, pictures: list[Path], expected: list[Any]
) -> None:
    """onnxruntime up to 1.25.1 aborted at import where /sys/devices/system/cpu was missing."""
    shutil.copytree(package_arm64, arm64_root / "var/task")
    smoke_test_folder = arm64_root / "smoke"
    smoke_test_folder.mkdir()
    for path in (Path(smoke_test.__file__), *pictures):
        shutil.copy(path, smoke_test_folder)
    python = arm64.command_line(arm64_root, "-I", "-S", "-B", "/smoke/smoke_test.py")
    assert not (arm64_root / "sys").exists()

    report = run_smoke_test(python, "/var/task", [f"/smoke/{name}" for name in PICTURES])

    assert report["from_elsewhere"] == []
    found = predictions(report["predict"])
    assert [classes(vehicles) for vehicles in found] == [classes(each) for each in expected]


def classes(vehicles: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the classes; the last decimals of scores depend on the processor."""
    return [(vehicle["class_name"], vehicle["pred"][0]) for vehicle in vehicles]
