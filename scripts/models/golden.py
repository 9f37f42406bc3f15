"""Answers that were once looked at and found right: `golden.json` in a model's folder.

One entry per picture: what is found, with its box and the range of its score. Scores shift a
little between processors, so the ranges are wide and faint objects are not asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.geometry import iou_one_to_many
from inference.types import BoxXYXY
from scripts.models.errors import ToolError

GOLDEN_FILE = "golden.json"
MIN_IOU = 0.8
EXPECTED_FROM = 0.5
"""Detections below this confidence are not asked for: elsewhere they may miss the threshold."""
SURE = 0.65
"""A detection that is not expected must stay below this."""
TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """One object that was found, or one crop that was classified.

    Attributes:
        class_name: The detector's, or the classifier's best.
        box_xyxy: Where, pixels.
        score: Of the class, 0..1.
        confidence: Of the detection, 0..1; 1 for a whole picture.
    """

    class_name: str
    box_xyxy: BoxXYXY
    score: float
    confidence: float


Golden = dict[str, list[dict[str, Any]]]
"""By picture: objects with class_name, box_xyxy, score_min and score_max."""


def read_golden(folder: Path) -> Golden | None:
    """The recorded answers by picture, None where there are none.

    Raises:
        ToolError: The file is not one of golden answers.
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
        raise ToolError(f"{path} can't be read: {error!r}. Delete it, or --record anew") from error


def write_golden(folder: Path, answers: Mapping[str, Sequence[Answer]]) -> Path:
    """Record the answers, in place of any that were there."""
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
    """What the answers to recorded pictures have otherwise than recorded, in words."""
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
            lines.append(f"{name} at {each['box_xyxy']} is not found")
        elif not any(low <= score <= high for score in scores):
            lines.append(f"{name} has a score of {scores[0]:.2f}, recorded as {low} to {high}")
    boxes = [each["box_xyxy"] for each in expected]
    return lines + [
        f"{answer.class_name} at {list(answer.box_xyxy)} was not found before"
        for answer in found
        if answer.confidence >= SURE and all(_iou(answer.box_xyxy, box) < MIN_IOU for box in boxes)
    ]


def _iou(a: Sequence[int], b: Sequence[int]) -> float:
    one, many = np.array(a, dtype=np.float32), np.array([b], dtype=np.float32)
    return float(iou_one_to_many(one, many)[0])
