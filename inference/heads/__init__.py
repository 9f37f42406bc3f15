"""Detector output formats: one file each, from raw outputs to boxes.

A head is built from the manifest's `output` object and is a pure function of the model's
outputs, so a test can feed it arrays. A further format is a further file and a line in `HEADS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from inference.fields import Fields
from inference.heads.boxes import BoxesHead
from inference.heads.detr import DetrHead
from inference.heads.picodet import PicodetHead
from inference.heads.rows import RowsHead
from inference.heads.ssd import SsdHead
from inference.heads.yolov5 import Yolov5Head
from inference.heads.yolov8 import Yolov8Head
from inference.heads.yolox import YoloxHead
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


HEADS: dict[str, Callable[[Fields, int], Head]] = {
    "boxes": BoxesHead.from_fields,
    "detr": DetrHead.from_fields,
    "picodet": PicodetHead.from_fields,
    "rows": RowsHead.from_fields,
    "ssd": SsdHead.from_fields,
    "yolov5": Yolov5Head.from_fields,
    "yolov8": Yolov8Head.from_fields,
    "yolox": YoloxHead.from_fields,
}
"""By the manifest's `output.format`: (the object's fields, the number of classes) -> head."""


def read_head(fields: Fields, class_count: int) -> Head:
    """The head that a manifest's `output` object asks for.

    Raises:
        ManifestError: The format is unknown, or one of its fields is not what it should be.
    """
    head = HEADS[fields.choice("format", HEADS)](fields, class_count)
    fields.finish()
    return head
