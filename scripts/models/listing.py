"""List the models in the folders that the product searches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inference.detection import Detector
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from scripts.models.folder import load_model


@dataclass(frozen=True, slots=True)
class Listed:
    """A model folder.

    Attributes:
        folder: The folder.
        text: A description, or the reason why the model does not load.
        loads: Whether the model loads.
    """

    folder: Path
    text: str
    loads: bool


def listed_models(bases: Iterable[Path]) -> list[Listed]:
    """Return the folders below `bases`, sorted by name, without hidden ones (downloads)."""
    folders = {
        path.resolve(): path
        for base in bases
        if base.is_dir()
        for path in sorted(base.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    return [_listed(folder) for folder in folders.values()]


def _listed(folder: Path) -> Listed:
    try:
        model = load_model(folder)
        manifest = load_manifest(folder)
    except ModelUnavailable as error:
        return Listed(folder, str(error), loads=False)
    spec = manifest.input
    if isinstance(model, Detector):
        what = f"detector of {len(model.task.labels)} classes"
    else:
        classes = " and ".join(str(len(output.labels)) for output in model.task.outputs)
        what = f"classifier of {classes} classes"
    text = f"{what}, {spec.width}x{spec.height}, version {manifest.version}, {manifest.licence}"
    return Listed(folder, text, loads=True)
