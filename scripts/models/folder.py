"""Create a model folder and test it before it becomes visible."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.classification import Classifier, load_classifier
from inference.detection import Detector, load_detector
from inference.errors import ModelUnavailable
from inference.manifest import (
    MANIFEST_FILE,
    MODEL_FILE,
    DetectionTask,
    check_name,
    load_manifest,
)
from scripts.models.errors import ToolError
from scripts.models.golden import GOLDEN_FILE
from scripts.models.labels import LABELS_FILE, MOST_INLINE
from service.settings import BUNDLED_MODELS


def load_model(folder: Path) -> Detector | Classifier:
    """Load and test a model as the product does.

    Raises:
        ModelUnavailable: It cannot be used; the message says why.
    """
    manifest = load_manifest(folder)
    if isinstance(manifest.task, DetectionTask):
        return load_detector(manifest)
    return load_classifier(manifest)


def install(
    base: Path,
    model: bytes,
    values: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    *,
    replace: bool = False,
) -> Path:
    """Create a model folder below `base`, if the product can load it.

    Args:
        base: The folder of models.
        model: Content of the ONNX file.
        values: The manifest without `file`, `sha256` and labels.
        labels: A detector's labels under "", a classifier's by output.
        replace: Whether to replace an existing model.

    Raises:
        ToolError: A model of that name exists, or the product cannot load the new one.
    """
    name = str(values["name"])
    target = base / name
    try:
        check_name(name)
        bundled = BUNDLED_MODELS / name
        if bundled.is_dir() and bundled.resolve() != target.resolve():
            raise ToolError(
                f"{name} is an embedded model, which the function prefers. Use another --name"
            )
        if target.exists() and not replace:
            raise ToolError(f"{target} exists. Use --replace to replace it, or another --name")
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base, prefix=f".{name}-") as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            (folder / MODEL_FILE).write_bytes(model)
            _write_manifest(folder, values, labels)
            load_model(folder)
            # The new model is compared with the recorded results of the replaced one.
            if (target / GOLDEN_FILE).is_file():
                shutil.copyfile(target / GOLDEN_FILE, folder / GOLDEN_FILE)
            if target.exists():
                target.rename(Path(temporary) / "replaced")
            folder.rename(target)
    except ModelUnavailable as error:
        raise ToolError(str(error)) from error
    except OSError as error:
        raise ToolError(f"{target} is not writable: {error}") from error
    return target


def file_sha256(path: Path) -> str:
    """Return a file's checksum, lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(
    folder: Path, values: Mapping[str, Any], labels: Mapping[str, Sequence[str]]
) -> None:
    manifest = json.loads(json.dumps(values))
    manifest["sha256"] = file_sha256(folder / MODEL_FILE)
    if "" in labels:
        manifest.update(_label_fields(folder, LABELS_FILE, labels[""]))
    outputs = _outputs(manifest)
    for position, output in enumerate(outputs):
        file = LABELS_FILE if len(outputs) == 1 else f"labels-{position}.txt"
        if (found := labels.get(str(output.get("name")))) is not None:
            output.update(_label_fields(folder, file, found))
    order = ("name", "version", "task", "licence", "source", "sha256", "input", "output")
    ordered = {key: manifest[key] for key in (*order, *sorted(manifest)) if key in manifest}
    text = json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def _outputs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a classifier's outputs; [] if the user's changes made something else of them."""
    output = manifest.get("output")
    outputs = output.get("outputs") if isinstance(output, dict) else None
    return [each for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []


def _label_fields(folder: Path, file: str, labels: Sequence[str]) -> dict[str, Any]:
    """Put few labels into the manifest, and many into a file."""
    if len(labels) <= MOST_INLINE:
        return {"labels": list(labels)}
    (folder / file).write_text("\n".join(labels) + "\n", encoding="utf-8")
    return {"labels_file": file}
