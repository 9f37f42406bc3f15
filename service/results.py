"""Results of a request's parts, as domain objects. `service.json_answers` writes them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import PartError
from gateway.parts import Part
from inference.errors import PictureError
from inference.types import Detection, SizeWH, Vehicle

ShapeHWC = tuple[int, int, int]
"""Height and width in pixels, and number of channels."""

Objects = list[Detection] | list[Vehicle]

PictureAnswer = Objects | ShapeHWC | int
"""Answer of a picture route for one picture: objects, a shape, or a number of bytes."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of a part.

    Attributes:
        fetch: Milliseconds of the download; 0 for a file in the request.
        decode: Milliseconds of decoding.
        inference: Milliseconds of everything after decoding.
    """

    fetch: float = 0.0
    decode: float = 0.0
    inference: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """Result of one part: an answer or an error.

    Attributes:
        part: Part of the request.
        answer: What the route computes; None if the part failed.
        size_wh: Width and height of the upright picture in pixels; None if it was not decoded.
        error: Why the part failed; None if it did not.
        timing: Times of the part.
    """

    part: Part
    answer: PictureAnswer | None = None
    size_wh: SizeWH | None = None
    error: PartError | PictureError | None = None
    timing: Timing = field(default_factory=Timing)

    @property
    def objects(self) -> Sequence[Detection | Vehicle]:
        """Objects with boxes; none if the part failed or the route does not detect objects."""
        return self.answer if isinstance(self.answer, list) else ()

    @property
    def not_classified(self) -> int:
        """Number of vehicles that the limit of crops left out."""
        return sum(isinstance(each, Vehicle) and not each.is_classified for each in self.objects)
