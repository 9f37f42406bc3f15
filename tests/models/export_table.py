"""Write the table of docs/exports.md from a folder of exports.

    python -m tests.models.export_table FOLDER

`python -m tests.models.exports FOLDER` writes the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.models.exported import EXPORTS, Detector
from tests.models.try_export import Outcome, try_export

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
RECORD = "exports.json"
HEAD = "| package | model and options | read as | equal boxes | seconds |"
MOST_CHARACTERS = 200


def main(folder: Path) -> None:
    """Try every export in the folder, and replace the table of the page."""
    record = json.loads((folder / RECORD).read_text())
    rows = []
    for name in EXPORTS:
        file = folder / f"{name}.onnx"
        if name not in record or not file.is_file():
            print(f"{name}: not in {folder}")
            continue
        with TemporaryDirectory() as work:
            outcome = try_export(name, file, Path(work))
        rows.append(row(record[name], name, outcome).replace(f"{folder}/", ""))
        print(rows[-1], flush=True)
    text = PAGE.read_text()
    start = text.index(HEAD)
    PAGE.write_text(text[:start] + "\n".join([HEAD, "|---" * 5 + "|", *sorted(rows)]) + "\n")


def row(record: dict[str, object], name: str, outcome: Outcome) -> str:
    """Return the line of one export; a refused one has its sentence."""
    boxes = "-"
    if isinstance(EXPORTS[name], Detector):
        boxes = f"{outcome.equal} of {outcome.compared}"
    refusal = outcome.refusal.replace("|", "/")
    if len(refusal) > MOST_CHARACTERS:
        refusal = refusal[:MOST_CHARACTERS].rpartition(" ")[0] + " ..."
    package = f"{record['package']} {record['version']}"
    seconds = f"{record['seconds']} + {outcome.seconds:.1f}"
    reading = outcome.reading or f"refused: {refusal}"
    return f"| {package} | {record['options']} | {reading} | {boxes} | {seconds} |"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
