"""Find constants for the inputs of a model that are no pictures."""

from __future__ import annotations

from typing import Any

from scripts.models.graph import Graph, Port

Known = tuple[tuple[str, ...], Any, str]
"""(parts of names, value, reason)."""
SCORE, OVERLAP, MOST_BOXES = 0.05, 0.5, 100
DETR_MASK = "mask"
"""A mask of DETR: true is padding in its own code, which has booleans; numbers are 1 for pixels."""


def constants(
    graph: Graph, picture: Port, size_wh: tuple[int, int]
) -> tuple[dict[str, tuple[Any, str]], str]:
    """Return constants for the other inputs with reasons, and a problem ("" if there is none)."""
    others = [port for port in graph.inputs if port.name != picture.name]
    known = _known(size_wh)
    found = {}
    for port in others:
        name = port.name.lower()
        match = next((each for each in known if any(part in name for part in each[0])), None)
        if match is not None:
            found[port.name] = (_fitted(match[1], port), match[2])
    if unknown := [str(port) for port in others if port.name not in found]:
        return found, (
            f"the value of {'; '.join(unknown)} is unknown. If it is the same for every "
            "picture, pass --set 'input.constants={\"NAME\": VALUE}'"
        )
    return found, ""


def _known(size_wh: tuple[int, int]) -> list[Known]:
    """Return the known inputs; the first match counts."""
    width, height = size_wh
    sizes = "makes the model return boxes in input pixels"
    return [
        (("orig_target_sizes",), [[width, height]], sizes),
        (("im_info",), [[height, width, 1]], "PaddleDetection: height, width and scale"),
        (("im_shape",), [[height, width]], "PaddleDetection: the input's height and width"),
        (("scale_factor",), [[1, 1]], f"PaddleDetection: {sizes}"),
        (("padding_mask",), 0, "no pixel is padding"),
        (("pixel_mask", "attention_mask"), 1, "the picture fills the input"),
        (("mask",), DETR_MASK, "the picture fills the input"),
        (("learning_phase", "train"), 0, "inference, not training"),
        (("keep_prob",), 1, "inference: nothing is dropped out"),
        (("dropout",), 0, "inference: nothing is dropped out"),
        (("batch_size",), 1, "one picture at a time"),
        (("iou_thr", "nms_thr", "nms_iou"), OVERLAP, "a usual limit of suppression"),
        (("max_output", "max_det", "topk"), MOST_BOXES, "a usual number of boxes"),
        (("score_thr", "conf_thr", "confidence"), SCORE, "requests set their own threshold"),
        (("image_shape",), [[height, width]], "the input's height and width"),
        (("target_size", "orig_size", "original_size"), [[height, width]], sizes),
        (("image_size", "img_size", "im_size", "input_size"), [[height, width]], sizes),
    ]


def _fitted(value: Any, port: Port) -> Any:  # noqa: ANN401  JSON can be anything
    """Return a value for the number of axes of an input."""
    if value is DETR_MASK:
        return 0 if port.dtype == "bool" else 1
    if isinstance(value, list) and len(port.shape) == 1:
        return value[0]
    return value
