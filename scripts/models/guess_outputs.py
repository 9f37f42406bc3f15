"""Guess the output format from output shapes and names; the first matching rule wins.

Each rule takes the graph and the input's size, and returns findings, or None if it does not match.
`inference/heads/` documents the formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.models.findings import Finding
from scripts.models.graph import Graph, Port, metadata_value

YOLO_STRIDES = (8, 16, 32)
"""Strides of YOLOX, YOLOv5 and YOLOv8 without extra levels."""
PICODET_STRIDES = (8, 16, 32, 64)
YOLOV5_ANCHORS = 3
MOST_FINISHED_ROWS = 1000
"""End-to-end exports return some hundred boxes; raw grids have thousands of cells."""


@dataclass(frozen=True, slots=True)
class Format:
    """A matching output format.

    Attributes:
        name: Value of `output.format`.
        findings: Fields of `output`.
        classes: Number of classes; None if the outputs do not show it.
    """

    name: str
    findings: tuple[Finding, ...]
    classes: int | None


Rule = Callable[[Graph, tuple[int, int]], Format | None]


def guess_format(graph: Graph, size_wh: tuple[int, int]) -> Format | None:
    """Return the detector format that matches the graph's outputs, or None."""
    return next((found for rule in RULES if (found := rule(graph, size_wh))), None)


def cell_count(size_wh: tuple[int, int], strides: Sequence[int]) -> int:
    """Return the number of cells of the grids with these strides."""
    width, height = size_wh
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def _format(
    name: str, reason: str, classes: int | None, *fields: tuple[str, object, str]
) -> Format:
    findings = [Finding("output.format", name, reason)]
    findings += [Finding(f"output.{field}", value, why) for field, value, why in fields]
    return Format(name, tuple(findings), classes)


def _named(graph: Graph, *parts: str) -> str | None:
    """Return the first output whose name contains one of these texts, in the texts' order."""
    names = [port.name for port in graph.outputs]
    return next((name for part in parts for name in names if part in name.lower()), None)


def _port(graph: Graph, name: str | None) -> Port:
    return next(port for port in graph.outputs if port.name == name)


def _detr(graph: Graph, _size_wh: tuple[int, int]) -> Format | None:
    logits, boxes = _named(graph, "logits"), _named(graph, "boxes")
    if logits is None or boxes is None or len(_port(graph, logits).shape) != 3:
        return None
    _, queries, columns = _port(graph, logits).shape
    # DETR itself has 100 queries; its successors, with a sigmoid, have 300 or more.
    is_softmax = queries is not None and queries <= 100
    activation = "softmax" if is_softmax else "sigmoid"
    why = (
        f"{queries} queries: DETR, whose last class is 'no object'"
        if is_softmax
        else f"{queries or 'many'} queries: Deformable DETR, RT-DETR and D-FINE use a sigmoid"
    )
    return _format(
        "detr",
        f"outputs {logits} and {boxes}: a DETR of HuggingFace's transformers",
        None if columns is None else columns - is_softmax,
        ("logits", logits, "its name"),
        ("boxes", boxes, "its name"),
        ("activation", activation, why),
    )


def _tensorflow(graph: Graph, _size_wh: tuple[int, int]) -> Format | None:
    names = [port.name for port in graph.outputs]
    if any("detection_boxes" in name for name in names):
        parts = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
        boxes, classes, scores, count = (_named(graph, part) for part in parts)
        first, why = 1, "TensorFlow's object detection API counts classes from 1"
        reason = "outputs detection_boxes, ...: TensorFlow's object detection API"
    elif len(names) == 4 and all("PostProcess" in name for name in names):
        boxes, classes, scores, count = names
        first, why = 0, "TFLite's post-processing counts classes from 0"
        reason = "four outputs of TFLite_Detection_PostProcess"
    else:
        return None
    if boxes is None or classes is None or scores is None:
        return None
    fields = [("boxes", boxes), ("classes", classes), ("scores", scores), ("count", count)]
    return _format(
        "ssd",
        reason,
        None,
        *((field, name, "its name") for field, name in fields if name),
        ("first_class", first, why),
    )


def _boxes(graph: Graph, _size_wh: tuple[int, int]) -> Format | None:
    if len(graph.outputs) != 3:
        return None
    boxes = _named(graph, "boxes", "bbox")
    scores, labels = _named(graph, "scores", "score"), _named(graph, "labels", "classes", "label")
    if boxes is None or scores is None or labels is None:
        return None
    return _format(
        "boxes",
        f"outputs {boxes}, {scores} and {labels}: decoded boxes",
        None,
        ("boxes", boxes, "its name"),
        ("scores", scores, "its name"),
        ("labels", labels, "its name"),
        ("normalized", False, "most exports return pixels; `check` detects 0..1"),
        ("first_class", 0, "most exports count from 0; torchvision from 1"),
    )


def _yolox(graph: Graph, size_wh: tuple[int, int]) -> Format | None:
    rows, columns = _rows(graph)
    cells = cell_count(size_wh, YOLO_STRIDES)
    if rows != cells or columns is None or columns < 6:
        return None
    return _format(
        "yolox",
        f"{rows} rows are the cells of strides 8, 16 and 32, one row each",
        columns - 5,
        ("strides", list(YOLO_STRIDES), "their cells sum to the number of rows"),
    )


def _yolov5(graph: Graph, size_wh: tuple[int, int]) -> Format | None:
    rows, columns = _rows(graph)
    cells = YOLOV5_ANCHORS * cell_count(size_wh, YOLO_STRIDES)
    if rows != cells or columns is None or columns < 6:
        return None
    reason = f"{rows} rows are the cells of strides 8, 16 and 32, three anchors each"
    return _format("yolov5", reason, columns - 5, *_predictions(graph))


def _yolov8(graph: Graph, size_wh: tuple[int, int]) -> Format | None:
    columns, boxes = _rows(graph)
    if boxes is None and metadata_value(graph, "author") == "Ultralytics":
        boxes = cell_count(size_wh, YOLO_STRIDES)
    if boxes != cell_count(size_wh, YOLO_STRIDES) or columns is None or columns < 5:
        return None
    reason = f"{boxes} columns are the cells of strides 8, 16 and 32; YOLOv8 has no objectness"
    return _format("yolov8", reason, columns - 4, *_predictions(graph))


def _finished_rows(graph: Graph, _size_wh: tuple[int, int]) -> Format | None:
    rows, columns = _rows(graph)
    if columns not in (6, 7) or (rows is not None and rows > MOST_FINISHED_ROWS):
        return None
    is_plain = len(graph.outputs[0].shape) == 2
    is_batch = any(len(port.shape) == 4 and port.shape[0] is None for port in graph.inputs)
    # [n, 7] of n pictures is a classifier's; [n, 7] of one picture is a list of boxes.
    if is_plain and len(graph.outputs) == 1 and (is_batch or rows == 1):
        return None
    corners = ["x1", "y1", "x2", "y2"]
    if columns == 7:
        order, like = ["batch", *corners, "class", "score"], "YOLOv7's end-to-end export"
    elif len(graph.outputs) > 1:
        order, like = ["class", "score", *corners], "PaddleDetection with its NMS"
    else:
        order, like = [*corners, "score", "class"], "YOLOv10, or Ultralytics with nms=True"
    reason = f"rows of {columns} after suppression: {like}"
    return _format("rows", reason, None, *_predictions(graph), ("columns", order, like))


def _picodet(graph: Graph, size_wh: tuple[int, int]) -> Format | None:
    outputs = [port for port in graph.outputs if len(port.shape) == 3 and port.shape[2]]
    half = len(outputs) // 2
    if half not in (3, 4) or len(outputs) != len(graph.outputs) or len(outputs) % 2:
        return None
    strides = PICODET_STRIDES[:half]
    cells = [cell_count(size_wh, [stride]) for stride in strides]
    by_rows = sorted(outputs, key=lambda port: -(port.shape[1] or 0))
    widths = {port.shape[2] for port in outputs}
    if sorted(cells * 2, reverse=True) != [port.shape[1] for port in by_rows] or len(widths) != 2:
        return None
    # Exporters write scores first; with as many edges as classes only the order distinguishes them.
    first, second = outputs[0].shape[2], next(w for w in widths if w != outputs[0].shape[2])
    scores, distances = (
        [port.name for port in by_rows if port.shape[2] == width] for width in (first, second)
    )
    if len(scores) != half or second is None or second % 4:
        return None
    return _format(
        "picodet",
        f"{half} outputs of classes and {half} of edges, for strides {strides}",
        first,
        ("scores", scores, f"{first} columns, one per class"),
        ("distances", distances, f"{second} columns, {second // 4} for each edge"),
        ("strides", list(strides), "their cells are the rows"),
        ("reg_max", second // 4 - 1, f"{second} columns are 4 edges of {second // 4}"),
    )


def _rows(graph: Graph) -> tuple[int | None, int | None]:
    """Return the last two axes of the first output if it is [1, a, b] or [a, b]; else 0, 0."""
    shape = graph.outputs[0].shape
    if len(shape) == 3 and shape[0] in (1, None):
        shape = shape[1:]
    return (shape[0], shape[1]) if len(shape) == 2 else (0, 0)


def _predictions(graph: Graph) -> list[tuple[str, object, str]]:
    """Return the name of the first output, if there are several."""
    if len(graph.outputs) == 1:
        return []
    return [("predictions", graph.outputs[0].name, "the first of several outputs")]


RULES: tuple[Rule, ...] = (
    _detr,
    _tensorflow,
    _boxes,
    _yolox,
    _yolov5,
    _yolov8,
    _picodet,
    _finished_rows,
)
