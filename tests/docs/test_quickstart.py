"""docs/quickstart.ipynb runs against the API, and is stored without outputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.gateway import Stage, serving
from tests.support.handlers import Handler

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK: Any = json.loads((DOCS / "quickstart.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_outputs_are_cleared() -> None:
    assert CODE
    assert [(cell["outputs"], cell["execution_count"]) for cell in CODE] == [([], None)] * len(CODE)


@pytest.mark.slow
def test_every_cell_runs(
    embedded_handler: Handler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("pandas")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(DOCS / "quickstart.ipynb", as_version=4)
    with serving(Stage(embedded_handler)) as stage:
        monkeypatch.setenv("MATCHVEC_URL", stage.url)
        paths = [os.fspath(DOCS.parent / "client"), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        monkeypatch.setenv("IPYTHONDIR", os.fspath(tmp_path))
        client = nbclient.NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": DOCS}}
        )
        client.execute()
    street = notebook.cells[3]["outputs"][0]["data"]
    assert "data:image/jpeg;base64," in street["text/html"]
