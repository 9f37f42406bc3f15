"""Public models that can be downloaded: `catalogue.json`.

An entry identifies the publisher's file by commit, checksum and size, and says how to preprocess
pictures. Names of inputs and outputs are read from the file. The folder is only created if the
product can load the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.manifest import NAME_PATTERN, SHA256_PATTERN
from scripts.models.download import Progress, download
from scripts.models.errors import ToolError
from scripts.models.findings import nested, put
from scripts.models.folder import install
from scripts.models.graph import read_graph
from scripts.models.guess import guess
from scripts.models.labels import check_count, read_labels

CATALOGUE = Path(__file__).parent / "catalogue.json"
URL = re.compile(r"https?://[^\s]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that can be downloaded.

    Attributes:
        name: Name of the folder.
        url: Address of the ONNX file.
        sha256: Checksum of the file, lower-case hex.
        size: Size of the file in bytes.
        licence: SPDX identifier or plain words.
        source: Description and origin.
        version: The publisher's version.
        labels: Name of a known list.
        vehicles: Labels that a detector's `/predict` classifies.
        fields: Fields of the manifest, such as `input.color`; the others are read from the file.
    """

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    source: str
    version: str
    labels: str
    vehicles: tuple[str, ...]
    fields: Mapping[str, Any]


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Entry]:
    """Read the entries by name.

    Raises:
        ToolError: The file is not a catalogue; the message says why.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        entries = {name: _entry(name, each) for name, each in values.items()}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise ToolError(f"{path} is not a catalogue of models: {error!r}") from error
    return entries


def fetch_model(base: Path, entry: Entry, progress: Progress, *, replace: bool = False) -> Path:
    """Download a model and create its folder below `base`.

    Raises:
        ToolError: The download failed, or a model of that name exists.
    """
    target = base / entry.name
    if target.exists() and not replace:
        raise ToolError(f"{target} exists. Use --replace to replace it")
    downloads = base / ".downloads"
    file = downloads / f"{entry.sha256}.onnx"
    if not file.is_file():
        download(entry.url, file, entry.sha256, entry.size, progress)
    folder = install_entry(base, file, entry, replace=replace)
    file.unlink()
    if not any(downloads.iterdir()):
        downloads.rmdir()
    return folder


def install_entry(base: Path, file: Path, entry: Entry, *, replace: bool = False) -> Path:
    """Create the folder of an entry from its downloaded file.

    Raises:
        ToolError: The product cannot load it.
    """
    width, height = (entry.fields.get(f"input.{side}") for side in ("width", "height"))
    graph = read_graph(file)
    guessed = guess(graph, (width, height) if width and height else None)
    if guessed.problems:
        raise ToolError("; ".join(guessed.problems))
    values = nested(guessed.findings)
    for path, value in entry.fields.items():
        put(values, path, value)
    values.update(
        name=entry.name, version=entry.version, licence=entry.licence, source=entry.source
    )
    if values["task"] == "detection":
        values["vehicles"] = list(entry.vehicles)
    labels = {output: read_labels(entry.labels) for output in guessed.classes}
    for output, names in labels.items():
        check_count(names, guessed.classes[output], output or entry.name)
    return install(base, graph.content, values, labels, replace=replace)


def _entry(name: str, values: Mapping[str, Any]) -> Entry:
    entry = Entry(
        name=name,
        url=values["url"],
        sha256=values["sha256"],
        size=values["bytes"],
        licence=values["licence"],
        source=values["source"],
        version=values["version"],
        labels=values["labels"],
        vehicles=tuple(values.get("vehicles", ())),
        fields=values["fields"],
    )
    if not NAME_PATTERN.fullmatch(name) or not SHA256_PATTERN.fullmatch(entry.sha256):
        raise ValueError(f"{name}: the name or the sha256 is invalid")
    if not URL.fullmatch(entry.url) or not isinstance(entry.size, int) or entry.size < 1:
        raise ValueError(f"{name}: the url or the number of bytes is invalid")
    return entry
