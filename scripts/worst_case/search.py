"""Search for the requests that take the most processor time: seeded and bounded.

A candidate is one picture, repeated, on a route. Its work is counted by the estimates that the
function itself uses, without a decode, so that the search is fast and has the same result on every
machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial

from inference.budget import CROP_MS, DRAWING_MS, PICTURE_MS
from inference.decoding.decode import decode_reduced
from inference.decoding.resolution import SMALLEST
from inference.errors import PictureError
from scripts.worst_case.pictures import (
    Make,
    empty_jpeg,
    empty_png,
    encode,
    flat,
    refined_jpeg,
    repeated,
    soft,
)
from service.limits import request_budget
from service.settings import Settings

PART_BYTES = 80
"""Bytes of a form around each picture."""

MAX_BODY_BYTES = 4_700_000
"""Bytes of the largest body: Lambda's 6 MB in base64."""

OBJECTS = 100
"""Vehicles that a detector can report per picture."""

SIDES = (16, 64, 300, 1000, 2000, 3500, 5000, 7000)

MAKES: Mapping[str, Make] = {
    **{
        f"JPEG of {scans} empty scans, {components} components": partial(
            empty_jpeg, components=components, scans=scans
        )
        for scans in (1, 10, 60)
        for components in (1, 3, 4)
    },
    "JPEG of scans without data": partial(empty_jpeg, scans=10, is_damaged=True),
    "JPEG of 60 refining scans": partial(refined_jpeg, components=3, scans=60),
    "JPEG of one colour": lambda width, height: encode(flat(width, height), "JPEG"),
    "JPEG, CMYK": lambda width, height: encode(flat(width, height, "CMYK"), "JPEG"),
    "JPEG, smooth": lambda width, height: encode(soft(width, height), "JPEG"),
    "PNG, one bit": partial(empty_png, bits=1, color=0, interlaced=True),
    "PNG, RGB": partial(empty_png, bits=8, color=2, interlaced=True),
    "PNG, RGBA of 16 bits": partial(empty_png, bits=16, color=6, interlaced=True),
    "WebP, lossless": lambda width, height: encode(
        flat(width, height), "WEBP", lossless=True, method=0
    ),
    "WebP, lossless with transparency": lambda width, height: encode(
        flat(width, height, "RGBA"), "WEBP", lossless=True, method=0
    ),
    "WebP, repeated noise": lambda width, height: encode(
        repeated(width, height), "WEBP", lossless=True, method=0
    ),
    "GIF": lambda width, height: encode(flat(width, height, "P"), "GIF"),
    "TIFF, zstd": lambda width, height: encode(flat(width, height), "TIFF", compression="zstd"),
    "TIFF, LZMA": lambda width, height: encode(flat(width, height), "TIFF", compression="lzma"),
    "AVIF": lambda width, height: encode(flat(width, height), "AVIF", speed=10),
}
"""Name -> picture of a width and height."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request: one picture, repeated.

    Attributes:
        name: Name in `MAKES`.
        side: Width and height of the picture in pixels.
        count: Number of pictures.
        is_drawn: True if the answer is the picture with boxes.
    """

    name: str
    side: int
    count: int
    is_drawn: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Counted work of a request.

    Attributes:
        candidate: The request.
        body_bytes: Size of its form.
        answered: Pictures that are decoded.
        crops: Vehicles that are classified, if every picture is full of them.
        milliseconds: Estimated processor time.
        unlimited_ms: The same without limits.
    """

    candidate: Candidate
    body_bytes: int
    answered: int
    crops: int
    milliseconds: float
    unlimited_ms: float

    @property
    def ms_per_kilobyte(self) -> float:
        """Return the milliseconds of one core per kilobyte of the body."""
        return 1000 * self.milliseconds / self.body_bytes


@cache
def picture(name: str, side: int) -> bytes:
    """Return the picture of a candidate."""
    return MAKES[name](side, side)


class _Planned(Exception):
    """The header has been read, and the decode is not needed."""


def header_ms(data: bytes, max_pixels: int) -> float | None:
    """Return the estimated milliseconds of a decode; None if the header is refused."""
    found: list[float] = []

    def stop(milliseconds: float) -> None:
        found.append(milliseconds)
        raise _Planned

    with suppress(_Planned, PictureError):
        decode_reduced(data, max_pixels=max_pixels, resolution=SMALLEST, charge=stop)
    return found[0] if found else None


def count_work(candidate: Candidate, settings: Settings) -> Work:
    """Count the work of a request under the limits of the settings."""
    data = picture(candidate.name, candidate.side)
    size = candidate.count * len(data)
    budget = request_budget(settings, is_drawn=candidate.is_drawn)
    budget.expect(candidate.count)
    budget.add_bytes(size)
    decode_ms = header_ms(data, settings.max_pixels)
    answered = crops = 0
    for _ in range(candidate.count if decode_ms is not None else 0):
        try:
            budget.start()
            budget.charge(decode_ms or 0.0, len(data))
        except PictureError:
            break
        answered += 1
        crops += budget.take_crops(OBJECTS)
    picture_ms = PICTURE_MS + (decode_ms or 0.0) + DRAWING_MS * candidate.is_drawn
    return Work(
        candidate,
        size + candidate.count * PART_BYTES,
        answered,
        crops,
        answered * picture_ms + crops * CROP_MS,
        candidate.count * (picture_ms + OBJECTS * CROP_MS),
    )


def candidates(
    seed: int, number: int, settings: Settings, encoded_side: int
) -> Iterator[Candidate]:
    """Yield random requests whose body is not too large.

    Args:
        seed: Seed of the choices.
        number: Number of choices.
        settings: Limits.
        encoded_side: Largest side of pictures that an encoder makes, which takes seconds.
    """
    chosen = random.Random(seed)  # noqa: S311  The same requests in every run.
    names = sorted(MAKES)
    for _ in range(number):
        name, side = chosen.choice(names), chosen.choice(SIDES)
        if not isinstance(MAKES[name], partial):
            side = min(side, encoded_side)
        room = MAX_BODY_BYTES // (len(picture(name, side)) + PART_BYTES)
        most = min(settings.max_images, room)
        if most:
            yield Candidate(name, side, chosen.choice((1, most)), is_drawn=False)
            yield Candidate(name, side, 1, is_drawn=True)


def search(
    settings: Settings, *, seed: int = 0, number: int = 300, encoded_side: int = max(SIDES)
) -> list[Work]:
    """Return the counted work of different random requests, most milliseconds first."""
    different = dict.fromkeys(candidates(seed, number, settings, encoded_side))
    works = [count_work(candidate, settings) for candidate in different]
    return sorted(works, key=lambda work: -work.milliseconds)
