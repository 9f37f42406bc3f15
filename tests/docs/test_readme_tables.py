"""Compares the tables of README.md with the code."""

import inspect
import re
from pathlib import Path
from typing import Any

import yaml

import gateway.errors
import inference.errors
from gateway.routes import ASSETS, Route
from service.settings import Settings
from tests.support.documents import FENCE
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def rows(*headings: str) -> list[list[str]]:
    return cells(README.read_text(encoding="utf-8"), *headings)


def test_routes() -> None:
    shown = [quoted(route)[0] for route, _ in rows("route")]
    assert shown == [f"{route.methods[0]} {route.path}" for route in Route if route not in ASSETS]


def test_errors() -> None:
    classes: list[Any] = [
        each
        for module in (gateway.errors, inference.errors)
        for _, each in inspect.getmembers(module, inspect.isclass)
    ]
    whole = {(str(each.status), each.code) for each in classes if hasattr(each, "status")}
    assert {(status, quoted(code)[0]) for status, code, _ in rows("status")} == whole
    codes = {each.code for each in classes if hasattr(each, "code")}
    text = FENCE.sub("", README.read_text(encoding="utf-8"))
    assert codes <= set(quoted(text))


def test_variables_and_defaults() -> None:
    shown = {quoted(name)[0]: "".join(quoted(default)) for name, default, _ in rows("variable")}
    assert Settings.from_environment(shown) == Settings.from_environment({})
    template = re.sub(r"!\w+", "", (ROOT / "template.yaml").read_text())
    function = yaml.safe_load(template)["Resources"]["MatchvecFunction"]["Properties"]
    assert set(shown) == set(function["Environment"]["Variables"])
