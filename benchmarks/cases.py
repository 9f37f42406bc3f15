"""The requests that every contestant answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.pictures import (
    MP_05,
    MP_2,
    MP_12,
    MP_24,
    ONE_VEHICLE,
    PNG_2,
    PROGRESSIVE_2,
    TWENTY_VEHICLES,
    Picture,
    photo_paths,
    picture_path,
)

BOUNDARY = "matchvec-benchmark-7MA4YWxkTrZu0gW"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
DETECTION = "/object_detection"
CLASSIFICATION = "/predict"
PHOTO_BYTES = 4_000_000
"""Maximum bytes of photographs in one request: Lambda accepts 6 MB in base64."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request.

    Attributes:
        name: Name on the command line and in the reports.
        title: Title in the reports.
        route: Path of the API.
        pictures: Pictures in the order of the parts; empty for photographs.
        photos: Maximum number of photographs to use instead.
        by_url: Whether the pictures are sent as urls instead of files.
        min_found: Minimum number of objects in a right answer, over all pictures, so that a
            detector
            that finds nothing does not win.
    """

    name: str
    title: str
    route: str
    pictures: tuple[Picture, ...]
    min_found: int
    photos: int = 0
    by_url: bool = False

    def paths(self) -> list[Path]:
        """Return the files of the pictures, generated if missing."""
        if self.photos:
            return photo_paths(self.photos, PHOTO_BYTES)
        return [picture_path(picture) for picture in self.pictures]


def _several(picture: Picture, count: int) -> tuple[Picture, ...]:
    return tuple(replace(picture, seed=seed) for seed in range(1, count + 1))


CASES = {
    case.name: case
    for case in (
        Case("jpeg-0.5mp", "1 x 0.5 MP JPEG", DETECTION, (MP_05,), 4),
        Case("jpeg-2mp", "1 x 2 MP JPEG", DETECTION, (MP_2,), 4),
        Case("jpeg-12mp", "1 x 12 MP JPEG", DETECTION, (MP_12,), 4),
        Case("jpeg-24mp", "1 x 24 MP JPEG", DETECTION, (MP_24,), 4),
        Case("10x2mp", "10 x 2 MP JPEG", DETECTION, _several(MP_2, 10), 40),
        Case("32x0.5mp", "32 x 0.5 MP JPEG", DETECTION, _several(MP_05, 32), 128),
        Case("png-2mp", "1 x 2 MP PNG", DETECTION, (PNG_2,), 4),
        Case("progressive-2mp", "1 x 2 MP progressive", DETECTION, (PROGRESSIVE_2,), 4),
        Case("url-2mp", "1 url of 2 MP", DETECTION, (MP_2,), 4, by_url=True),
        Case("photos", "up to 10 photographs", DETECTION, (), 1, photos=10),
        Case("predict-1", "/predict, 1 vehicle", CLASSIFICATION, (ONE_VEHICLE,), 1),
        Case("predict-20", "/predict, 20 vehicles", CLASSIFICATION, (TWENTY_VEHICLES,), 20),
    )
}


def form(case: Case, url_base: str) -> bytes:
    """Return a case's body: `multipart/form-data` as curl and browsers write it.

    Args:
        case: The case.
        url_base: Address of the picture server, without a slash at the end.
    """
    lines: list[bytes] = []
    for path in case.paths():
        disposition = 'form-data; name="url"'
        content, media_type = f"{url_base}/{path.name}".encode(), None
        if not case.by_url:
            disposition = f'form-data; name="image"; filename="{path.name}"'
            content = path.read_bytes()
            media_type = "image/png" if path.suffix == ".png" else "image/jpeg"
        lines += [f"--{BOUNDARY}".encode(), f"Content-Disposition: {disposition}".encode()]
        lines += [f"Content-Type: {media_type}".encode()] if media_type else []
        lines += [b"", content]
    return b"\r\n".join([*lines, f"--{BOUNDARY}--".encode(), b""])


def chosen(names: Sequence[str]) -> list[Case]:
    """Return the cases with these names, or all; without those whose pictures are missing here.

    Raises:
        KeyError: No case has that name.
    """
    cases = [CASES[name] for name in names] if names else list(CASES.values())
    return [case for case in cases if case.pictures or case.paths()]
