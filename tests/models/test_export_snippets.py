"""The Python snippets of docs/models.md write files that `inspect` understands.

EXPORTS_PYTHON is the interpreter of an environment with torch, torchvision and onnx.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.models.graph import read_graph
from scripts.models.guess import guess
from tests.models.test_own_model import TEXT

PYTHON = os.environ.get("EXPORTS_PYTHON", "")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TASKS = ("classification", "detection")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("snippet", "task"), list(zip(SNIPPETS, TASKS, strict=True)), ids=TASKS)
def test_a_snippet(snippet: str, task: str, tmp_path: Path) -> None:
    if not PYTHON:
        pytest.skip("EXPORTS_PYTHON names no environment with torch and torchvision")
    # Weights cannot be downloaded in a test.
    snippet = snippet.replace('weights="DEFAULT"', "weights=None, **NO_WEIGHTS")
    backbone = '{"weights_backbone": None}' if task == "detection" else "{}"
    start = f"import torch, torchvision\nNO_WEIGHTS = {backbone}\n"
    subprocess.run([PYTHON, "-c", start + snippet], cwd=tmp_path, check=True, timeout=300)

    guessed = guess(read_graph(tmp_path / "model.onnx"))
    assert guessed.problems == ()
    assert guessed.value("task") == task
