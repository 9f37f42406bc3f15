"""What the API found, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Route = Literal["predict", "object_detection"]

TRANSIENT_CODES = frozenset(
    {"deadline_exceeded", "internal_error", "url_timeout", "timeout", "no_answer"}
)
"""Of failures that another attempt may mend; the rest lies in the picture itself."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What a classifier makes of an object.

    Attributes:
        label: The best class and its probability, for people: ``"car: 0.8847"``.
        pred: The best classes, best first.
        prob: Their probabilities, 0..1, in the same order.
    """

    label: str
    pred: tuple[str, ...]
    prob: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """An object on a picture.

    Attributes:
        x1: Left edge, in pixels of the upright picture.
        y1: Upper edge.
        x2: Right edge, greater than x1.
        y2: Lower edge, greater than y1.
        class_name: The detector's class.
        confidence: The detector's score, 0..1.
        label: The best class and its score, for people: ``"car: 0.9512"``.
        pred: The classifier's best classes, best first; () from /object_detection.
        prob: Their probabilities, 0..1, in the same order.
        more: The answers of further classifiers, by their names.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    class_name: str
    confidence: float
    label: str
    pred: tuple[str, ...] = ()
    prob: tuple[float, ...] = ()
    more: Mapping[str, Classification] = field(default_factory=dict)

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge."""
        return self.x1, self.y1, self.x2, self.y2

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Prediction:
        """Read an element of the API's answer.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        own = {"x1", "y1", "x2", "y2", "class_name", "confidence", "label", "pred", "prob"}
        return cls(
            x1=int(value["x1"]),
            y1=int(value["y1"]),
            x2=int(value["x2"]),
            y2=int(value["y2"]),
            class_name=str(value["class_name"]),
            confidence=float(value["confidence"]),
            label=str(value["label"]),
            pred=tuple(value.get("pred", ())),
            prob=tuple(value.get("prob", ())),
            more={
                name: Classification(each["label"], tuple(each["pred"]), tuple(each["prob"]))
                for name, each in value.items()
                if name not in own and isinstance(each, Mapping) and "pred" in each
            },
        )

    def as_json(self) -> dict[str, Any]:
        """The same element again, as the API wrote it."""
        element: dict[str, Any] = {
            "x1": self.x1,
            "y1": self.y1,
            "x2": self.x2,
            "y2": self.y2,
            "class_name": self.class_name,
            "confidence": self.confidence,
            "label": self.label,
        }
        if self.pred:
            element |= {"pred": list(self.pred), "prob": list(self.prob)}
        for name, each in self.more.items():
            element[name] = {"label": each.label, "pred": list(each.pred), "prob": list(each.prob)}
        return element


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture has no answer.

    Attributes:
        code: The API's code, such as `not_an_image`, or one of the client's own: `unreadable`
            (the file), `too_large` (for a request, and for the API's bucket if it has one),
            `upload_refused` (by that bucket), `timeout` and `no_answer` (of the API, to
            this picture alone).
        message: One sentence for people.
    """

    code: str
    message: str

    @property
    def is_transient(self) -> bool:
        """Whether another attempt may mend it."""
        return self.code in TRANSIENT_CODES


@dataclass(frozen=True, slots=True)
class Picture:
    """What became of one picture.

    Attributes:
        name: The path or url as it was given; of bytes, their place, as in ``"bytes[3]"``.
        width: Of the upright picture, in pixels; None where it could not be read.
        height: Likewise.
        predictions: The objects on it, best first.
        error: Why there is no answer; None where there is one.
        models: The models that answered, as ``"vehicle_detector@1.0.0"``.
        timing_ms: Milliseconds that the API spent on `fetch`, `decode` and `inference`.
    """

    name: str
    width: int | None = None
    height: int | None = None
    predictions: tuple[Prediction, ...] = ()
    error: Failure | None = None
    models: tuple[str, ...] = ()
    timing_ms: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any], models: tuple[str, ...]) -> Picture:
        """Read an element of `images` of the API's detailed answer.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        error = value["error"]
        return cls(
            name=name,
            width=None if value["width"] is None else int(value["width"]),
            height=None if value["height"] is None else int(value["height"]),
            predictions=tuple(Prediction.from_json(each) for each in value["predictions"]),
            error=error and Failure(str(error["code"]), str(error["message"])),
            models=models,
            timing_ms={key: float(each) for key, each in value["timing_ms"].items()},
        )

    def as_json(self) -> dict[str, Any]:
        """For a line of JSON; `from_json` reads it."""
        error = self.error
        return {
            "picture": self.name,
            "width": self.width,
            "height": self.height,
            "predictions": [each.as_json() for each in self.predictions],
            "error": error and {"code": error.code, "message": error.message},
            "models": list(self.models),
            "timing_ms": dict(self.timing_ms),
        }
