"""The generated pages of docs/ are current, and have what their source has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scripts.docs_pages.configuration import Variable, read_variables
from scripts.docs_pages.pages import DOCS, PAGES, content
from scripts.docs_pages.tables import markdown_table
from service.batch.settings import BatchSettings
from service.settings import Settings
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parents[2]
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_current(path: Path) -> None:
    """After a change of its source, `python -m scripts.docs_pages` writes the page."""
    assert path.read_text(encoding="utf-8") == content(PAGES[path])


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert markdown_table(("a", "b"), [("1|2", "")]) == "| a | b |\n| --- | --- |\n| 1\\|2 |  |"


def test_variables_and_defaults_are_those_of_the_function() -> None:
    rows = cells(CONFIGURATION, "variable")
    shown = {quoted(name)[0]: "".join(quoted(default)) for name, _, default, _ in rows}
    assert Settings.from_environment(shown) == Settings.from_environment({})
    template = re.sub(r"!\w+", "", (ROOT / "template.yaml").read_text())
    function = yaml.safe_load(template)["Resources"]["MatchvecFunction"]["Properties"]
    # The C library reads RES_OPTIONS.
    assert {*shown, "RES_OPTIONS"} == set(function["Environment"]["Variables"])


def test_variables_of_batches() -> None:
    bucket, *others = read_variables(BatchSettings)
    assert (bucket.name, bucket.default) == ("RESULTS_BUCKET", "")
    environ = {"RESULTS_BUCKET": "a"}
    assert BatchSettings.from_environment(
        environ | {each.name: each.default for each in others}
    ) == BatchSettings.from_environment(environ)


@pytest.mark.parametrize(
    "expected",
    [
        Variable(
            "MAX_URLS",
            "8",
            "0 to 1000",
            "Urls per request.",
        ),
        Variable(
            "CORS_ORIGIN", "*", "", "Origin whose scripts may read answers in a browser, or `*`."
        ),
    ],
    ids=lambda variable: variable.name,
)
def test_a_variable(expected: Variable) -> None:
    assert expected in read_variables(Settings)
