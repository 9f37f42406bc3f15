"""`manifest.json` -> `Manifest`: everything that is needed to use a model.

docs/models.md describes the fields.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from inference.class_outputs import ClassificationTask, check_roles, read_output
from inference.errors import ManifestError
from inference.heads import Head, read_head
from inference.json_reader import JsonReader, Numbers

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")
MAX_SIDE = 4096
"""Largest side of a model input in pixels: a limit for mistyped manifests."""

DTYPES = ("float32", "float16", "float64", "uint8", "int8")
"""numpy's names of the types that an input can have."""
IDENTITY_MEAN = (0.0, 0.0, 0.0)
IDENTITY_STD = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Conversion of an image to the model's input: ``(pixels * scale - mean) / std``.

    Attributes:
        name: Name of the ONNX input; None for the first one.
        layout: `NCHW` or `NHWC`.
        width: Width in pixels.
        height: Height in pixels.
        dtype: One of `DTYPES`.
        color: `RGB` or `BGR`, the order of the channels and of `mean` and `std`.
        resize: `stretch` fills the input; `letterbox` keeps the proportions and pads the rest;
            `square-pad` is a letterbox that is always centered, as classifiers of crops use it.
        anchor: Position of the image in a letterbox: `top-left` or `center`.
        pad_value: Value of the padding, 0..255.
        multiple: For a model of flexible size: a letterbox is cropped to the smallest multiple
            of this that holds the image. None for a fixed size.
        scale: Factor on 0..255 pixels.
        mean: Subtracted per channel after scaling.
        std: Divisor per channel.
        batch: True if the model takes several images per run.
        constants: (name, value) of further inputs that are the same for every image: nested
            lists, or one number for the whole input.
    """

    name: str | None
    layout: str
    width: int
    height: int
    dtype: str
    color: str
    resize: str
    anchor: str
    pad_value: int
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    batch: bool
    constants: tuple[tuple[str, Numbers], ...] = ()
    multiple: int | None = None

    @property
    def is_normalized(self) -> bool:
        """Return whether scale, mean or std change the pixels."""
        return (self.scale, self.mean, self.std) != (1.0, IDENTITY_MEAN, IDENTITY_STD)

    @property
    def is_centred(self) -> bool:
        """Return whether the padding is on all sides."""
        return self.resize == "square-pad" or self.anchor == "center"


@dataclass(frozen=True, slots=True)
class DetectionTask:
    """Labels and output format of a detector.

    Attributes:
        labels: Class names by id.
        vehicles: Labels that `/predict` classifies.
        head: Decodes the outputs to boxes.
    """

    labels: tuple[str, ...]
    vehicles: frozenset[str]
    head: Head


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a model.

    Attributes:
        name: Name of the model and of its folder.
        version: Version from the publisher.
        file: Path of the ONNX file, inside the folder.
        sha256: Checksum of the file, lower-case hex.
        licence: SPDX identifier or plain words.
        source: Origin of the model.
        input: Conversion of images to the input.
        task: Meaning of the outputs.
    """

    name: str
    version: str
    file: Path
    sha256: str
    licence: str
    source: str
    input: InputSpec
    task: DetectionTask | ClassificationTask


def load_manifest(folder: Path) -> Manifest:
    """Read and check a model folder's manifest.

    Raises:
        ManifestError: The file is missing, is not JSON, or a field is invalid; the message names
            the file and the field.
    """
    path = folder / MANIFEST_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path} can't be read: {error}") from error
    fields = JsonReader(f"{folder.name}/{MANIFEST_FILE}", values)
    name = check_name(fields.text("name"))
    if name != folder.name:
        raise fields.refuse("name", f"{folder.name!r}, the name of its folder")
    task = fields.choice("task", ("detection", "classification"))
    read_task = _read_detection if task == "detection" else _read_classification
    manifest = Manifest(
        name=name,
        version=fields.text("version"),
        file=inside(folder, fields.text("file", MODEL_FILE)),
        sha256=_read_sha256(fields),
        licence=fields.text("licence"),
        source=fields.text("source", "not stated"),
        input=_read_input(fields.object("input")),
        task=read_task(fields, folder),
    )
    fields.finish()
    return manifest


def check_name(name: str) -> str:
    """Return the name of a model if it is valid: it becomes part of paths and responses.

    Raises:
        ManifestError: The name is invalid.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise ManifestError(
            f"Model name {name[:80]!r} must be lower-case letters, digits, '_', '-' and '.'."
        )
    return name


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file if it is directly in the folder, after following links.

    Raises:
        ManifestError: The file is elsewhere.
    """
    path = folder / name
    # Paths cannot hold a null byte or half a surrogate pair; a line break would forge a log line.
    if not name.isprintable() or path.name != name or path.resolve().parent != folder.resolve():
        raise ManifestError(f"{folder.name}: file {name!r} is not inside the model's folder.")
    return path


def listed_files(content: bytes) -> dict[str, str | None]:
    """Return the files that a manifest names, with their checksums if known.

    Raises:
        ManifestError: The content is not a manifest.
    """
    try:
        values = json.loads(content)
        holders = [values, *values.get("output", {}).get("outputs", [])]
        files = {holder["labels_file"]: None for holder in holders if "labels_file" in holder}
        file, sha256 = values.get("file", MODEL_FILE), values["sha256"]
        if not all(isinstance(text, str) for text in (*files, file, sha256)):
            raise TypeError("file, sha256 and labels_file must be texts")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(f"The {MANIFEST_FILE} is invalid: {error!r}") from error
    return {**files, file: sha256}


def _read_sha256(fields: JsonReader) -> str:
    sha256 = fields.text("sha256")
    if not SHA256_PATTERN.fullmatch(sha256):
        raise fields.refuse("sha256", "64 lower-case hex digits")
    return sha256


def _read_input(fields: JsonReader) -> InputSpec:
    spec = InputSpec(
        name=fields.optional_text("name"),
        layout=fields.choice("layout", ("NCHW", "NHWC")),
        width=fields.integer("width", 1, MAX_SIDE),
        height=fields.integer("height", 1, MAX_SIDE),
        dtype=fields.choice("dtype", DTYPES, "float32"),
        color=fields.choice("color", ("RGB", "BGR")),
        resize=fields.choice("resize", ("stretch", "letterbox", "square-pad")),
        anchor=fields.choice("anchor", ("top-left", "center"), "center"),
        pad_value=fields.integer("pad_value", 0, 255, 0),
        scale=fields.number("scale", 0, 1e6, 1.0),
        mean=fields.triple("mean", IDENTITY_MEAN),
        std=fields.triple("std", IDENTITY_STD),
        batch=fields.flag("batch", False),
        constants=fields.arrays("constants") if fields.has("constants") else (),
        multiple=fields.integer("multiple", 1, MAX_SIDE) if fields.has("multiple") else None,
    )
    if 0 in spec.std:
        raise fields.refuse("std", "three numbers other than 0")
    if spec.dtype == "uint8" and spec.is_normalized:
        raise fields.refuse("dtype", "a type other than uint8 if scale, mean or std are set")
    if spec.dtype == "int8" and not spec.is_normalized:
        # Pixels above 127 would wrap around to negative numbers.
        raise fields.refuse("mean", "three numbers such as [128, 128, 128] for an int8 input")
    if spec.multiple is not None and (
        spec.resize != "letterbox" or spec.width % spec.multiple or spec.height % spec.multiple
    ):
        raise fields.refuse("multiple", "a divisor of width and height, with resize letterbox")
    fields.finish()
    return spec


def _read_detection(fields: JsonReader, folder: Path) -> DetectionTask:
    labels = _read_labels(fields, folder)
    vehicles = frozenset(fields.texts("vehicles"))
    if not vehicles <= set(labels):
        raise fields.refuse("vehicles", "a list of names that are among the labels")
    return DetectionTask(labels, vehicles, read_head(fields.object("output"), len(labels)))


def _read_classification(fields: JsonReader, folder: Path) -> ClassificationTask:
    output = fields.object("output")
    output.choice("format", ("classes",))
    outputs = tuple(
        read_output(item, _read_labels(item, folder)) for item in output.objects("outputs")
    )
    check_roles(output, outputs)
    output.finish()
    return ClassificationTask(outputs)


def _read_labels(fields: JsonReader, folder: Path) -> tuple[str, ...]:
    """Read `labels`, or the lines of the file that `labels_file` names."""
    if not fields.has("labels_file"):
        return fields.texts("labels")
    path = inside(folder, fields.text("labels_file"))
    try:
        labels = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        wanted = "the name of a UTF-8 text file in the model's folder" + (
            "" if path.exists() else " (no such file)"
        )
        raise fields.refuse("labels_file", wanted) from error
    return tuple(label.strip() for label in labels if label.strip())
