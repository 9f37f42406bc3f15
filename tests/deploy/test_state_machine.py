"""statemachine/bulk.asl.json as statelint sees it, which knows the specification of the language.

The interpreter in tests/support/asl.py is our own reading of that specification. It shows how the
definition is meant to run, and proves nothing about Step Functions.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from statelint.config import Config
from statelint.linter import Linter

DEFINITION = Path(__file__).parent.parent.parent / "statemachine" / "bulk.asl.json"
EXTENSIONS = {
    'Field "Label" not allowed in State Machine.States.Prefix',
    'Field "Label" not allowed in State Machine.States.Inventory',
    'Field "Label" not allowed in State Machine.States.Manifest',
    'Field "InputType" not allowed in State Machine.States.Inventory.ItemReader.ReaderConfig',
    'Field "InputType" not allowed in State Machine.States.Manifest.ItemReader.ReaderConfig',
}
"""AWS's additions to the specification, for distributed maps
(https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html)."""


def problems(text: str) -> set[str]:
    return {str(each) for each in Linter.validate(text, Config())}


def test_statelint_finds_only_what_aws_adds() -> None:
    assert problems(DEFINITION.read_text()) == EXTENSIONS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"End": true', '"Next": "Nowhere"'),
        ('"StartAt"', '"Start"'),
        ('"Type": "Map"', '"Type": 1'),
    ],
)
def test_statelint_would_find_a_mistake(old: str, new: str) -> None:
    text = DEFINITION.read_text().replace(old, new, 1)
    assert json.loads(text)
    assert problems(text) - EXTENSIONS
