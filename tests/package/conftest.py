"""Packages that are built once for all tests."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PROJECT = Path(__file__).parents[2]
SAMPLE = PROJECT / "samples" / "street.jpg"

PICTURES: dict[str, dict[str, Any]] = {
    "street.jpg": {},
    "street.png": {},
    "street.webp": {"lossless": True},
    "street.gif": {},
    "street.bmp": {},
    "street.tiff": {"compression": "tiff_lzw"},
}
"""The six formats with their save options."""


@pytest.fixture(scope="session")
def build_package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that runs `make package`'s command in a new directory."""
    if platform.python_version_tuple()[:2] != ("3", "13"):
        pytest.skip("the package is for Python 3.13: `make test-all` builds and runs it with that")

    def build(architecture: str) -> Path:
        output = tmp_path_factory.mktemp(f"package-{architecture}")
        module = [sys.executable, "-m", "scripts.package"]
        subprocess.run(
            [*module, "--architecture", architecture, "--output", str(output)],
            cwd=PROJECT,
            check=True,
        )
        return output

    return build


@pytest.fixture(scope="session")
def package_x86_64(build_package: Callable[[str], Path]) -> Path:
    return build_package("x86_64")


@pytest.fixture(scope="session")
def package_arm64(build_package: Callable[[str], Path]) -> Path:
    return build_package("arm64")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a sample picture in each format, small enough for one request."""
    folder = tmp_path_factory.mktemp("pictures")
    with Image.open(SAMPLE) as sample:
        small = sample.resize((sample.width // 2, sample.height // 2))
    for name, options in PICTURES.items():
        small.save(folder / name, **options)
    return [folder / name for name in PICTURES]
