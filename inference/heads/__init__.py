"""Detector output formats: raw outputs -> boxes, one file per format.

A head is created from the manifest's `output` object and depends only on the model's outputs. To
add a format, add a file here and a line in `HEADS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections


class Head(Protocol):
    """The output format of a detector family."""

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """Return the boxes whose score is at least `threshold`.

        Args:
            outputs: Outputs by name for one image (batch 1).
            input_wh: Width and height of the model's input in pixels.
            threshold: 0..1.

        Raises:
            KeyError: The model lacks an output that the manifest names.
            ValueError: An output has the wrong shape for the format.
        """
        ...


class HeadClass(Protocol):
    """The class of a head, which reads its own fields of the manifest."""

    def from_fields(self, fields: JsonReader, class_count: int) -> Head:
        """Return a head with the fields of the manifest's `output` object.

        Args:
            fields: The object; a field that the head does not read is refused.
            class_count: Number of the model's classes.

        Raises:
            ManifestError: A field is missing or invalid.
        """
        ...


HEADS: Mapping[str, str] = {
    "boxes": "BoxesHead",
    "detr": "DetrHead",
    "picodet": "PicodetHead",
    "rows": "RowsHead",
    "scored": "ScoredHead",
    "ssd": "SsdHead",
    "yolov5": "Yolov5Head",
    "yolov8": "Yolov8Head",
    "yolox": "YoloxHead",
}
"""`output.format` of the manifest, which is also the module's name -> class. Only the module that
the model needs is imported."""


def read_head(fields: JsonReader, class_count: int) -> Head:
    """Create the head that a manifest's `output` object describes.

    Raises:
        ManifestError: The format is unknown, or one of its fields is invalid.
    """
    name = fields.choice("format", HEADS)
    head_class: HeadClass = getattr(import_module(f"inference.heads.{name}"), HEADS[name])
    head = head_class.from_fields(fields, class_count)
    fields.finish()
    return head
