"""Write the exports that `test_exports.py` reads, with random weights.

    python -m tests.models.exports FOLDER [NAME...]

It needs an environment with the packages of the recipes, and skips what is not installed or
already written. The files of Keras and TensorFlow Lite in the table of `exported.py` are written
by the exporters of those projects.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path

from tests.models.exports import (
    documented,
    huggingface,
    libreyolo_models,
    repositories,
    torch_models,
    ultralytics_models,
)
from tests.models.exports.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    **ultralytics_models.RECIPES,
    **torch_models.RECIPES,
    **huggingface.RECIPES,
    **repositories.RECIPES,
    **libreyolo_models.RECIPES,
    **documented.RECIPES,
}
RECORD = "exports.json"


def main(folder: Path, names: Sequence[str]) -> None:
    """Write the files, and a record of package, version, options and seconds of each."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.absolute()
    (folder / "work").mkdir(exist_ok=True)
    os.chdir(folder / "work")
    record_file = folder / RECORD
    record = json.loads(record_file.read_text()) if record_file.is_file() else {}
    for name in names or RECIPES:
        file = folder / f"{name}.onnx"
        if file.is_file() and not names:
            continue
        recipe = RECIPES[name]
        random.seed(0)
        import_module("torch").manual_seed(0)
        start = time.perf_counter()
        try:
            recipe.write(file)
        except ImportError as error:
            print(f"{name}: {recipe.package} is not installed: {error}")
            continue
        except Exception as error:  # One that cannot be written does not stop the others.
            print(f"{name}: {type(error).__name__}: {error}")
            file.unlink(missing_ok=True)
            continue
        record[name] = {
            "package": recipe.package,
            "version": metadata.version(recipe.package),
            "options": recipe.options,
            "seconds": round(time.perf_counter() - start),
        }
        record_file.write_text(json.dumps(record, indent=1))
        print(f"{name}: {record[name]['seconds']} s", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
