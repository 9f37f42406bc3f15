"""Exports of real frameworks are added without flags, and give the boxes of an independent decode.

The frameworks are not installed here: EXPORTS is a folder of the files that
`python -m tests.models.exports` writes. `python -m tests.models.export_table` writes the table of
docs/exports.md from the same folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.models.exported import EXPORTS, Classifier
from tests.models.try_export import try_export

FOLDER = os.environ.get("EXPORTS", "")
MIN_EQUAL = 0.98
"""Share of equal boxes. Scores of untrained models can be so close that rounding changes which of
two boxes suppression keeps."""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(FOLDER) / f"{name}.onnx"
    if not FOLDER or not file.is_file():
        pytest.skip(f"EXPORTS has no {name}.onnx (tests/models/exports writes it)")
    expected = EXPORTS[name]
    outcome = try_export(name, file, tmp_path)
    if isinstance(expected, str):
        assert expected in outcome.refusal
        return
    assert outcome.refusal == ""
    if isinstance(expected, Classifier):
        assert outcome.activations == (expected.activation,)
        return
    with capsys.disabled():
        print(f"{name}: {outcome.equal} of {outcome.compared} boxes")
    assert outcome.compared
    assert outcome.equal >= MIN_EQUAL * outcome.compared
