"""docs/deploy.md and related pages agree with template, definition, script and prices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import cost, prices
from scripts.deployment.parameters import COMPUTED, declared_parameters
from scripts.deployment.states import ADVICE
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
TEXT = (DOCS / "deploy.md").read_text(encoding="utf-8")
COSTS_PAGE = (DOCS / "costs.md").read_text(encoding="utf-8")
PARAMETERS = declared_parameters()


def limits(parameter: dict[str, Any]) -> str:
    low, high = parameter.get("MinValue"), parameter.get("MaxValue")
    if low is None and high is None:
        return ""
    return f"from {low}" if high is None else f"{low} to {high}"


def test_every_parameter_is_there_in_the_templates_order() -> None:
    names = [
        quoted(row[0])[0]
        for row in cells((DOCS / "parameters.md").read_text(encoding="utf-8"), "parameter")
    ]
    assert names == [name for name in PARAMETERS if name != COMPUTED]


@pytest.mark.parametrize(
    "row",
    cells((DOCS / "parameters.md").read_text(encoding="utf-8"), "parameter"),
    ids=lambda row: quoted(row[0])[0],
)
def test_defaults_and_values_are_the_templates(row: list[str]) -> None:
    name, meaning, default, values = row
    parameter = PARAMETERS[quoted(name)[0]]
    assert "".join(quoted(default)) == str(parameter["Default"])
    if "AllowedValues" in parameter:
        assert quoted(values) == [str(each) for each in parameter["AllowedValues"]]
        assert str(parameter["Default"]) in quoted(values)
    else:
        assert values == limits(parameter)
    assert meaning


def test_every_parameter_has_a_description() -> None:
    assert [name for name, each in PARAMETERS.items() if not each.get("Description")] == []


def test_the_gateways_codes_are_the_definitions() -> None:
    definition = yaml.safe_load((ROOT / "swagger.yaml").read_text())
    answers = definition["x-amazon-apigateway-gateway-responses"].values()
    codes = {
        re.findall(r'"code": "(\w+)"', each["responseTemplates"]["application/json"])[0]: str(
            each.get("statusCode", "")
        )
        for each in answers
    }
    errors = (DOCS / "errors.md").read_text(encoding="utf-8")
    documented = {
        quoted(code)[0]: status for status, code, _ in cells(errors, "status", "gateway code")
    }
    assert set(documented) == set(codes)
    for code, status in codes.items():
        assert documented[code] == status or (not status and documented[code] in ("4xx", "5xx"))


def test_the_costs_are_computed_from_the_measured_time() -> None:
    [measured] = re.findall(r"One picture takes (\d+) ms of a core", COSTS_PAGE)
    assert float(measured) == prices.CORE_MS
    assert cost.PRICES_OF in COSTS_PAGE
    for dollars in cost.DOLLARS_PER_GB_SECOND.values():
        assert f"${dollars:.10f}" in COSTS_PAGE


COSTS = {
    "full core": (100, 1769, "arm64", 1e6 * 1769 / 1024 * 0.1 * 0.0000133334 + 3.7),
    "half a core takes twice as long": (
        100,
        884.5,
        "arm64",
        1e6 * 1769 / 1024 * 0.1 * 0.0000133334 + 3.7,
    ),
    "a second core is idle": (100, 3538, "x86_64", 1e6 * 3538 / 1024 * 0.1 * 0.0000166667 + 3.7),
}


@pytest.mark.parametrize(("ms", "memory", "architecture", "dollars"), COSTS.values(), ids=COSTS)
def test_costs(ms: float, memory: int, architecture: str, dollars: float) -> None:
    assert cost.dollars_per_million(ms, memory, architecture) == pytest.approx(dollars)


def test_the_options_are_the_scripts() -> None:
    script = (ROOT / "scripts" / "deploy.sh").read_text()
    options = set(re.findall(r"--[a-z][a-z-]+", "\n".join(re.findall(r"^#   --.*", script, re.M))))
    used = {
        option
        for command in re.findall(r"scripts/deploy\.sh (--[^\n`]*)", TEXT)
        for option in re.findall(r"--[a-z][a-z-]+", command)
    }
    assert used <= options | {"--parameter-overrides"}
    commands = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert options <= set(re.findall(r"--[a-z][a-z-]+", commands))


def test_overrides_that_it_shows_are_parameters() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")]
    shown = re.findall(r"--parameter-overrides ([^\n`]+)", "\n".join(texts))
    names = {pair.partition("=")[0] for command in shown for pair in command.split()}
    assert names - {"NAME", "...", "...]", "[NAME"} <= set(PARAMETERS)


def test_the_states_are_those_that_the_scripts_know() -> None:
    documented = {name for row in cells(TEXT, "state of the stack") for name in quoted(row[0])}
    assert documented - {"REVIEW_IN_PROGRESS", "..._IN_PROGRESS"} == set(ADVICE)


def test_front_doors_are_the_templates() -> None:
    values = PARAMETERS["FrontDoor"]["AllowedValues"]
    assert re.findall(r"^\| front door \| (.+) \|$", TEXT, re.M) == [
        " | ".join(f"`{value}`" for value in values)
    ]
    assert list(cost.FRONT_DOOR_DOLLARS) == values


@pytest.mark.parametrize(
    ("front_door", "request_bytes", "dollars"),
    [
        ("rest", 4_000_000, 3.5),
        ("http", 0, 1.0),
        ("http", 524_288, 1.0),
        ("http", 524_289, 2.0),
        ("url", 4_000_000, 0.0),
    ],
)
def test_http_apis_count_512_kb(front_door: str, request_bytes: int, dollars: float) -> None:
    assert cost.front_door_dollars(front_door, request_bytes) == dollars


def test_the_readme_says_the_same_prices() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = {quoted(name)[0]: dollars for name, dollars, _ in cells(readme, "`FrontDoor`")}
    assert shown == {
        front_door: f"${sum(prices.api_dollars(1_000_000, front_door=front_door).values()):.2f}"
        for front_door in cost.FRONT_DOOR_DOLLARS
    }
    assert cost.PRICES_OF in readme
