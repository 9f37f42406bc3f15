"""docs/configuration.md, from the settings of the two functions.

Names, defaults and ranges are read from the calls in `from_environment`, and the descriptions from
the docstrings of the classes, so a new setting needs no change here.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass

from scripts.docs_pages.tables import markdown_table
from service.batch.settings import BatchSettings
from service.settings import Settings

READERS = {"text", "number", "integer"}
SET_BY_LAMBDA = "AWS_LAMBDA_"
ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
CLASSIFIERS = ("CLASSIFICATION_MODEL", "classification_models")
"""The only variable whose attribute has another name."""
BACKEND = "Program that runs the models. `onnx` is the only one."

INTRODUCTION = """\
# Configuration

The function reads these environment variables once, at startup. An invalid value stops it there,
with a message that names the variable and its range. An empty variable counts as not set.

`make start` takes them from your shell: `DETECTION_THRESHOLD=0.6 make start`. On AWS, set the
[parameters](parameters.md) of the stack. Most have the same name in another spelling, such
as `DetectionThreshold`.

## The API function
"""
BATCH = """\
## The batch function

It processes archives and arrivals ([scale.md](scale.md)). It also reads those variables above that
change an answer.
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable.

    Attributes:
        name: Its name.
        default: Value if it is not set; "" for none.
        values: Range, or "".
        meaning: One sentence.
    """

    name: str
    default: str
    values: str
    meaning: str


def read_variables(settings: type) -> list[Variable]:
    """Return the variables that the `from_environment` of a class reads, in its order."""
    meanings = {
        name: re.sub(r"\s+", " ", text).replace("``", "`")
        for name, text in ATTRIBUTE.findall(inspect.getdoc(settings) or "")
    }
    meanings |= {"backend": BACKEND}
    calls = [
        node
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(settings))))
        if isinstance(node, ast.Call) and _function_name(node.func) in READERS
    ]
    return [
        _variable(call, meanings)
        for call in sorted(calls, key=lambda each: each.lineno)
        if not ast.literal_eval(call.args[0]).startswith(SET_BY_LAMBDA)
    ]


def _function_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _variable(call: ast.Call, meanings: dict[str, str]) -> Variable:
    name, default, *limits = (ast.literal_eval(argument) for argument in call.args)
    attribute = dict([CLASSIFIERS]).get(name, name.lower())
    values = "{:g} to {}".format(*limits) if limits else ""
    return Variable(name, str(default), values, meanings[attribute])


def page() -> str:
    """Return the page."""
    sections = [
        markdown_table(
            ("variable", "meaning", "default", "values"),
            [
                (f"`{each.name}`", each.meaning, each.default and f"`{each.default}`", each.values)
                for each in read_variables(settings)
            ],
        )
        for settings in (Settings, BatchSettings)
    ]
    return f"{INTRODUCTION}\n{sections[0]}\n\n{BATCH}\n{sections[1]}\n"
