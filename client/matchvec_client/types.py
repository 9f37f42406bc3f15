"""Results of the API as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from matchvec_client.sources import Source

if TYPE_CHECKING:
    import pandas
    import supervision
    from PIL.Image import Image

    from matchvec_client.sources import Given

Route = Literal["predict", "object_detection"]

TRANSIENT_CODES = frozenset(
    {"deadline_exceeded", "internal_error", "url_timeout", "timeout", "no_answer"}
)
"""Codes of failures that another attempt may fix; all others are final."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The answer of one classifier for an object.

    Attributes:
        label: Best class and its probability as text: ``"car: 0.8847"``.
        pred: Classes, sorted by probability, highest first.
        prob: Their probabilities, 0..1, in the same order.
    """

    label: str
    pred: tuple[str, ...]
    prob: tuple[float, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """An object in a picture.

    Attributes:
        x1: Left edge in pixels of the upright picture.
        y1: Upper edge in pixels.
        x2: Right edge in pixels, greater than x1.
        y2: Lower edge in pixels, greater than y1.
        class_name: Class of the detector.
        confidence: Score of the detector, 0..1.
        label: Best class and its score as text: ``"car: 0.9512"``.
        pred: Classes of the first classifier, highest probability first; () for detections.
        prob: Their probabilities, 0..1, in the same order.
        more: Answers of the named classifiers, such as `make`, `kind` and `colour`.
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

    def __repr__(self) -> str:
        """Return a short text: class, score, label and box."""
        return f"<{self.class_name} {self.confidence:.3f} {self.label!r} {self.box_xyxy}>"

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge in pixels."""
        return self.x1, self.y1, self.x2, self.y2

    @property
    def make(self) -> Classification | None:
        """The vehicle's make; None: the API does not answer it for this object."""
        return self.more.get("make")

    @property
    def kind(self) -> Classification | None:
        """The kind of vehicle; None: the API does not answer it."""
        return self.more.get("kind")

    @property
    def colour(self) -> Classification | None:
        """The vehicle's colour; None: the API does not answer it."""
        return self.more.get("colour")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Prediction:
        """Parse an element of the API's answer.

        Raises:
            KeyError, TypeError, ValueError: The element is invalid.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the element as the API wrote it."""
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
    """The reason why a picture has no answer.

    Attributes:
        code: The API's code, such as `not_an_image`, or the client's: `unreadable` (the file),
            `too_large` (for a request and for the API's bucket), `upload_refused` (by the bucket),
            `timeout` and `no_answer` (the API fails with this picture).
        message: What is wrong and what to do.
    """

    code: str
    message: str

    @property
    def is_transient(self) -> bool:
        """True if another attempt may succeed."""
        return self.code in TRANSIENT_CODES


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """The result of one picture.

    Attributes:
        name: The path or URL as given; for pictures in memory their position, as in ``"bytes[3]"``.
        width: Width of the upright picture in pixels; None: it could not be read.
        height: Height of the upright picture in pixels; None: it could not be read.
        predictions: Objects, sorted by score, highest first.
        error: Reason for a missing answer; None: the picture was answered.
        models: Models that answered, such as ``"vehicle_detector@1.0.0"``.
        timing_ms: Milliseconds that the API spent on `fetch`, `decode` and `inference`.
        source: The picture itself, which `draw` and `crop` read again.
    """

    name: str
    width: int | None = None
    height: int | None = None
    predictions: tuple[Prediction, ...] = ()
    error: Failure | None = None
    models: tuple[str, ...] = ()
    timing_ms: Mapping[str, float] = field(default_factory=dict)
    source: Source | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """Return a short text: name, size and objects, or the error."""
        if self.error:
            return f"<Picture {self.name!r} {self.error.code}: {self.error.message}>"
        size = f"{self.width}x{self.height}" if self.width else "size unknown"
        found = ", ".join(map(repr, self.predictions)) or "nothing found"
        return f"<Picture {self.name!r} {size}: {found}>"

    def _repr_html_(self) -> str:
        """Return HTML for notebooks: the picture with its boxes, and a table."""
        from matchvec_client import views

        return views.to_html(self)

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any], models: tuple[str, ...]) -> Picture:
        """Parse an element of `images` of the API's detailed answer.

        Raises:
            KeyError, TypeError, ValueError: The element is invalid.
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

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values; `from_json` parses them."""
        error = self.error
        return {
            "picture": self.name,
            "width": self.width,
            "height": self.height,
            "predictions": [each.to_dict() for each in self.predictions],
            "error": error and {"code": error.code, "message": error.message},
            "models": list(self.models),
            "timing_ms": dict(self.timing_ms),
        }

    def draw(self, image: Given | None = None) -> Image:
        """Return a copy of the picture with boxes and labels; needs Pillow.

        Args:
            image: The picture; None: it is read again from where it came from.

        Raises:
            PillowMissing: Pillow is not installed.
            UsageError: The picture was sent as a URL or cannot be read; pass `image`.
        """
        from matchvec_client import views

        return views.draw(self, image)

    def crop(self, image: Given | None = None, *, margin: float = 0.0) -> list[Image]:
        """Return one image per prediction, in order; needs Pillow.

        Args:
            image: The picture; None: it is read again from where it came from.
            margin: Width of the margin around each box, as a share of the box's sides.

        Raises:
            PillowMissing: Pillow is not installed.
            UsageError: The picture was sent as a URL or cannot be read; pass `image`.
        """
        from matchvec_client import views

        return views.crop(self, image, margin)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with one row per object; see `views.to_dataframe`.

        Raises:
            ExtraMissing: pandas is not installed.
        """
        from matchvec_client import views

        return views.to_dataframe([self])

    def to_supervision(self, class_names: Sequence[str] | None = None) -> supervision.Detections:
        """Return `supervision.Detections`; their `data` holds `class_name` and `label`.

        Args:
            class_names: Classes in the order of their ids; None: order of appearance.

        Raises:
            ExtraMissing: supervision is not installed.
            UsageError: A class is not in `class_names`.
        """
        from matchvec_client import views

        return views.to_supervision(self, class_names)
