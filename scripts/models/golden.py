"""Results that the user has confirmed: `golden.json` in a model folder.

It has one entry per picture: the objects with their boxes and score ranges. Scores differ slightly
between processors, so the ranges are wide and faint objects are not required.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.geometry import iou
from inference.types import BoxXYXY
from scripts.models.errors import ToolError

GOLDEN_FILE = "golden.json"
MIN_IOU = 0.8
EXPECTED_FROM = 0.5
"""Required confidence: fainter detections can miss the threshold on other processors."""
SURE = 0.65
"""An unexpected detection must have a lower confidence."""
TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """A detected object or a classified crop.

    Attributes:
        class_name: The detector's class, or the classifier's best class.
        box_xyxy: Box in pixels.
        score: Score of the class, 0..1.
        confidence: Confidence of the detection, 0..1; 1 for a whole picture.
    """

    class_name: str
    box_xyxy: BoxXYXY
    score: float
    confidence: float


Golden = dict[str, list[dict[str, Any]]]
"""By picture: objects with class_name, box_xyxy, score_min and score_max."""


def read_golden(folder: Path) -> Golden | None:
    """Read the recorded results by picture; None if there are none.

    Raises:
        ToolError: The file is invalid.
    """
    path = folder / GOLDEN_FILE
    if not path.is_file():
        return None
    try:
        return {
            entry["picture"]: [
                {key: each[key] for key in ("class_name", "box_xyxy", "score_min", "score_max")}
                for each in entry["objects"]
            ]
            for entry in json.loads(path.read_text(encoding="utf-8"))
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is invalid: {error!r}. Delete it, or check with --record"
        ) from error


def write_golden(folder: Path, answers: Mapping[str, Sequence[Answer]]) -> Path:
    """Write the results, replacing earlier ones."""
    entries = [
        {
            "picture": picture,
            "objects": [
                {
                    "class_name": each.class_name,
                    "box_xyxy": list(each.box_xyxy),
                    "score_min": round(max(each.score - TOLERANCE, 0), 2),
                    "score_max": round(min(each.score + TOLERANCE, 1), 2),
                }
                for each in found
                if each.confidence >= EXPECTED_FROM
            ],
        }
        for picture, found in answers.items()
    ]
    path = folder / GOLDEN_FILE
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def differences(golden: Golden, answers: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Describe the differences between results and recorded results."""
    return [
        f"{picture}: {difference}"
        for picture, found in answers.items()
        if picture in golden
        for difference in _differences(golden[picture], found)
    ]


def _differences(expected: Sequence[Mapping[str, Any]], found: Sequence[Answer]) -> list[str]:
    lines = []
    for each in expected:
        name, low, high = each["class_name"], each["score_min"], each["score_max"]
        scores = [
            answer.score
            for answer in found
            if answer.class_name == name and _iou(answer.box_xyxy, each["box_xyxy"]) >= MIN_IOU
        ]
        if not scores:
            lines.append(f"{name} at {each['box_xyxy']} is missing")
        elif not any(low <= score <= high for score in scores):
            lines.append(f"{name} has a score of {scores[0]:.2f}, expected {low} to {high}")
    boxes = [each["box_xyxy"] for each in expected]
    return lines + [
        f"{answer.class_name} at {list(answer.box_xyxy)} is new"
        for answer in found
        if answer.confidence >= SURE and all(_iou(answer.box_xyxy, box) < MIN_IOU for box in boxes)
    ]


def _iou(a: Sequence[int], b: Sequence[int]) -> float:
    return float(iou(np.array(a, dtype=np.float32), np.array(b, dtype=np.float32)))
