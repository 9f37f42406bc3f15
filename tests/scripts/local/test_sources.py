from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.local.sources import fingerprint


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("code.py", True),
        ("models/a/manifest.json", True),
        ("models/a/model.onnx", True),
        ("README.md", False),
        (".hidden/code.py", False),
        ("__pycache__/code.py", False),
        ("environment/lib/code.py", False),
    ],
)
def test_fingerprint_changes_with_the_sources(file: str, counts: bool, tmp_path: Path) -> None:
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    empty = fingerprint([tmp_path])
    path.write_text("1")
    added = fingerprint([tmp_path])
    os.utime(path, ns=(1, 1))
    touched = fingerprint([tmp_path])
    assert (added != empty, touched != added) == (counts, counts)


def test_fingerprint_of_a_missing_directory_is_empty(tmp_path: Path) -> None:
    assert fingerprint([tmp_path / "missing"]) == ()
