"""Recognise formats with several outputs: boxes, scores and classes apart."""

from __future__ import annotations

import numpy as np

from scripts.models.formats import Format, Model, are_normalized, cell_count, is_list, make_format
from scripts.models.formats_tensorflow import EXPORT_FINISHED, tensorflow
from scripts.models.probe import Output

PICODET_STRIDES = (8, 16, 32, 64)
SUM_TOLERANCE = 0.02
MAX_ODD = 0.2
"""Share of boxes with a negative size, above which they are no boxes."""
NO_OBJECT_SHARE = 0.8
"""Share of queries whose largest logit is the last one, if that means "no object"."""
ITS_NAME = "its name"
SOFTMAX_TYPES = frozenset(("detr", "table-transformer", "yolos"))
IMAGENET_TYPES = frozenset(("conditional_detr", "dab-detr", "deformable_detr", "deta", "lw_detr"))
SIGMOID_TYPES = IMAGENET_TYPES | {"d_fine", "rt_detr", "rt_detr_v2", "rf_detr"}
"""Values of `model_type` in HuggingFace's config.json."""
COCO_ID_COLUMNS = (91,)
SOFTMAX_COLUMNS = (81, 92)
SIGMOID_COLUMNS = (80, *COCO_ID_COLUMNS)
"""Numbers of columns of models of COCO, with and without "no object"."""
SURELY_EMPTY = -1.0
"""Most queries of a trained model find nothing: their highest logit is below this."""
MAX_SOFTMAX_QUERIES = 125
"""DETR and YOLOS have 100 queries, Table Transformer 15 and 125, their successors 300."""


def finished_boxes(model: Model) -> Format | None:
    """Boxes, scores and labels after suppression, such as torchvision's and EfficientNMS'."""
    boxes = model.probe.named("boxes", "bbox", "location")
    scores = model.probe.named("scores", "score", "conf")
    labels = model.probe.named("labels", "classes", "label", "class")
    if boxes is None or scores is None or labels is None or boxes is labels or scores is labels:
        return None
    if not (is_list(boxes, 4) and is_list(scores) and is_list(labels)):
        return None
    is_azure = boxes.name == "detected_boxes"
    found = np.asarray(scores.values) > 0.01
    rows = boxes.rows()
    seen = rows[found] if len(found) == len(rows) else rows
    normalized = is_azure or are_normalized(seen)
    unit = "0..1" if normalized else "pixels" if seen.any() else "unknown; most exports use pixels"
    return make_format(
        "boxes",
        "azure" if is_azure else _finished_family(model, boxes),
        f"outputs {boxes.name}, {scores.name} and {labels.name}: decoded boxes",
        None,
        ("boxes", boxes.name, ITS_NAME),
        ("scores", scores.name, ITS_NAME),
        ("labels", labels.name, ITS_NAME),
        ("normalized", normalized, f"boxes of the drawn street are in {unit}"),
        ("first_class", 0, "most exports count from 0; torchvision from 1"),
    )


def _finished_family(model: Model, boxes: Output) -> str:
    """Return the family whose preprocessing exports with these names of outputs use."""
    if model.probe.named("num_predictions") is not None:
        return "yolonas"
    return "efficientnms" if boxes.name == "det_boxes" else "boxes"


def boxes_with_scores(model: Model) -> Format | None:
    """mmdeploy: rows of x1, y1, x2, y2, score, and labels."""
    boxes = next((each for each in model.probe.outputs if is_list(each, 5)), None)
    labels = model.probe.named("labels", "label")
    if boxes is None or labels is None or not is_list(labels) or len(model.probe.outputs) > 3:
        return None
    return make_format(
        "boxes",
        "mmdetection",
        f"outputs {boxes.name} (x1, y1, x2, y2, score) and {labels.name}: mmdeploy",
        None,
        ("boxes", boxes.name, "five columns"),
        ("labels", labels.name, ITS_NAME),
        ("normalized", False, "mmdeploy returns pixels"),
        ("first_class", 0, "mmdetection counts from 0"),
    )


def undecoded(model: Model) -> str | None:
    """Boxes and classes before decoding: offsets from anchors, as EfficientDet's network gives."""
    boxes, scores = _boxes_and_classes(model)
    if boxes is None or scores is None:
        return None
    rows = boxes.rows()
    is_reversed = (rows[:, 2] < rows[:, 0]) | (rows[:, 3] < rows[:, 1])
    has_sizes = (rows[:, 2:] >= 0).all(axis=1)
    are_offsets = is_reversed.mean() > MAX_ODD and has_sizes.mean() < 1 - MAX_ODD
    if not scores.are_probabilities:
        # The boxes of queries come out of a sigmoid.
        are_offsets = rows.min() < -SUM_TOLERANCE
    if not are_offsets and model.probe.named("anchors") is None:
        return None
    return (
        f"output {boxes.name} has offsets from anchors ({rows.min():.2f} to {rows.max():.2f}), "
        f"which are not decoded to boxes. {EXPORT_FINISHED}"
    )


def queries(model: Model) -> Format | None:
    """DETR and its successors: logits and boxes (cx, cy, w, h of 0..1) per query."""
    boxes, logits = _boxes_and_classes(model)
    if boxes is None or logits is None:
        return None
    if "logits" not in logits.name.lower() and logits.are_probabilities:
        return None
    columns = logits.shape[-1]
    is_softmax, why = _is_softmax(model, logits, boxes)
    names = model.labels or ()
    # RF-DETR has a column that no class uses.
    ignored = 1 if not is_softmax and len(names) == columns - 1 else 0
    return make_format(
        "detr",
        _query_family(model, boxes, columns, is_softmax=is_softmax),
        f"outputs {logits.name} and {boxes.name}: logits and boxes per query",
        columns - is_softmax - ignored,
        ("logits", logits.name, f"{columns} columns that are no probabilities"),
        ("boxes", boxes.name, "four columns"),
        ("activation", "softmax" if is_softmax else "sigmoid", why),
        ("ignored", ignored or None, f"{columns} columns for {len(names)} labels"),
    )


def _is_softmax(model: Model, logits: Output, boxes: Output) -> tuple[bool, str]:
    """Return whether the last column is "no object" of a softmax, and the reason."""
    kind = model.graph.config.get("model_type")
    if kind in SOFTMAX_TYPES or kind in SIGMOID_TYPES:
        return kind in SOFTMAX_TYPES, f"config.json: {kind}"
    if boxes.name == "dets":
        return False, "RF-DETR: one sigmoid per class"
    rows, columns = logits.rows(), logits.shape[-1]
    last = (rows.argmax(axis=1) == columns - 1) & (rows.max(axis=1) > rows.min(axis=1))
    if last.mean() > NO_OBJECT_SHARE:
        return True, "the last class wins nearly everywhere: it is 'no object'"
    if model.labels is not None and columns - len(model.labels) in (0, 1):
        return len(model.labels) < columns, f"{columns} columns for {len(model.labels)} labels"
    if np.median(rows.max(axis=1)) < SURELY_EMPTY or columns in SIGMOID_COLUMNS:
        return False, "no class wins everywhere: one sigmoid per class"
    if columns in SOFTMAX_COLUMNS or logits.shape[1] <= MAX_SOFTMAX_QUERIES:
        return True, f"{logits.shape[1]} queries of {columns} columns, as DETR has"
    return False, "no class wins everywhere: one sigmoid per class"


def _query_family(model: Model, boxes: Output, columns: int, *, is_softmax: bool) -> str:
    """Return the family whose preprocessing the model uses."""
    if boxes.name == "dets":
        return "rfdetr"
    kind = model.graph.config.get("model_type")
    has_imagenet = kind in IMAGENET_TYPES or (kind is None and columns in COCO_ID_COLUMNS)
    return "detr" if is_softmax or has_imagenet else "rtdetr"


def scored_boxes(model: Model) -> Format | None:
    """Decoded boxes (x1, y1, x2, y2) and class probabilities before suppression: YOLO-NAS."""
    boxes, scores = _boxes_and_classes(model)
    if boxes is None or scores is None or not scores.are_probabilities:
        return None
    rows = scores.rows()
    has_background = bool(np.all(np.abs(rows.sum(axis=1) - 1) < SUM_TOLERANCE))
    return make_format(
        "scored",
        "ultraface" if has_background else "yolonas",
        f"outputs {boxes.name} and {scores.name}: boxes and class probabilities",
        rows.shape[1] - has_background,
        ("boxes", boxes.name, "four columns"),
        ("scores", scores.name, f"{rows.shape[1]} columns of 0..1"),
        ("normalized", are_normalized(boxes.rows()), "the range of its values"),
        ("background", has_background, "whether rows of scores sum to 1"),
    )


def _boxes_and_classes(model: Model) -> tuple[Output | None, Output | None]:
    """Return the outputs [1, n, 4] and [1, n, classes] of the same length."""
    lists = [each for each in model.probe.outputs if len(each.shape) == 3 and each.shape[0] == 1]
    named = [each for each in lists if any(p in each.name.lower() for p in ("box", "dets", "bbox"))]
    boxes = next((each for each in (*named, *lists) if each.shape[2] == 4), None)
    if boxes is None:
        return None, None
    others = [each for each in lists if each is not boxes and each.shape[1] == boxes.shape[1]]
    parts = ("logits", "scores", "labels", "class", "conf")
    others.sort(key=lambda each: not any(part in each.name.lower() for part in parts))
    return boxes, others[0] if others else None


def picodet(model: Model) -> Format | None:
    """PicoDet and NanoDet: per stride an output of class scores and one of edge distributions."""
    outputs = [each for each in model.probe.outputs if len(each.shape) == 3]
    half = len(outputs) // 2
    if half not in (3, 4) or len(outputs) != len(model.probe.outputs) or len(outputs) % 2:
        return None
    strides = PICODET_STRIDES[:half]
    cells = [cell_count(model.probe.size_wh, [stride]) for stride in strides]
    by_rows = sorted(outputs, key=lambda each: -each.shape[1])
    widths = {each.shape[2] for each in outputs}
    if sorted(cells * 2, reverse=True) != [each.shape[1] for each in by_rows] or len(widths) != 2:
        return None
    # Exporters write scores first; with as many edges as classes only the order decides.
    first = outputs[0].shape[2]
    (second,) = widths - {first}
    scores, distances = (
        [each.name for each in by_rows if each.shape[2] == width] for width in (first, second)
    )
    if len(scores) != half or second % 4:
        return None
    return make_format(
        "picodet",
        "picodet",
        f"{half} outputs of classes and {half} of edges, for strides {strides}",
        first,
        ("scores", scores, f"{first} columns, one per class"),
        ("distances", distances, f"{second} columns, {second // 4} for each edge"),
        ("strides", list(strides), "their cells are the rows"),
        ("reg_max", second // 4 - 1, f"{second} columns are 4 edges of {second // 4}"),
    )


NAMED_RULES = (
    tensorflow,
    finished_boxes,
    boxes_with_scores,
    picodet,
    undecoded,
    queries,
    scored_boxes,
)
