"""Detector output formats: one file each, from raw outputs to boxes.

A head is built from the manifest's `output` object and is a pure function of the model's
outputs, so a test can feed it arrays. A further format is a further file and a line in `HEADS`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections


class Head(Protocol):
    """Turns one detector family's outputs into boxes."""

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """Find the boxes whose score is at least `threshold`.

        Args:
            outputs: By name, of one picture (batch 1).
            input_wh: Width and height of the model's input, pixels.
            threshold: 0..1.

        Raises:
            KeyError: An output that the manifest names is not there.
            ValueError: An output has another shape than the format's.
        """
        ...


HEADS = {
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
"""By the manifest's `output.format`, which is the file's name, too: the class. A start imports the
one that its model needs."""


def read_head(fields: JsonReader, class_count: int) -> Head:
    """The head that a manifest's `output` object asks for.

    Raises:
        ManifestError: The format is unknown, or one of its fields is not what it should be.
    """
    name = fields.choice("format", HEADS)
    kind = getattr(import_module(f"inference.heads.{name}"), HEADS[name])
    head: Head = kind.from_fields(fields, class_count)
    fields.finish()
    return head
