"""A result as the picture itself, with its objects drawn on it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import ImageFailed, SeveralImages
from gateway.parts import Part
from inference.decoding.resolution import FULL
from inference.decoding.source import ImageSource
from inference.errors import PictureError
from inference.types import Detection
from service.json_answers import label_of
from service.results import Result

MAX_PICTURE_BYTES = 4_400_000
"""Bytes of the largest drawn picture: 5.9 MB in base64, below Lambda's limit of 6 MB."""


def check_single(parts: Sequence[Part]) -> None:
    """Check that the request has one picture.

    Raises:
        SeveralImages: It has more.
    """
    if len(parts) > 1:
        raise SeveralImages(
            f"Accept asks for a drawn picture, but the request has {len(parts)} pictures. Send one "
            "picture per request, or ask for application/json."
        )


def drawn_picture(result: Result, source: ImageSource | None, media_type: str) -> bytes:
    """Return the picture's file with boxes and labels, small enough for Lambda.

    Args:
        result: Result of a route that detects objects.
        source: The picture, whose pixels are used again; None if it could not be fetched.
        media_type: ``image/jpeg`` or ``image/png``.

    Raises:
        ImageFailed: The part failed, or its picture can't be decoded in full.
    """
    # Imported here: a cold start without drawing saves 10 ms.
    from inference.render import render

    if result.error or source is None:
        code = result.error.code if result.error else "internal_error"
        message = result.error.message if result.error else ""
        raise ImageFailed(f"The picture failed ({code}). {message}".strip(), code)
    labelled_boxes = [
        (detection.box_xyxy, detection.class_name, label_of(each))
        for each in result.objects
        for detection in [each if isinstance(each, Detection) else each.detection]
    ]
    try:
        image_rgb = source.decode(FULL).image_rgb
    except PictureError as error:  # Drawing decodes at full size, which takes more memory.
        raise ImageFailed(f"The picture can't be drawn on. {error.message}", error.code) from error
    return render(image_rgb, labelled_boxes, media_type, max_bytes=MAX_PICTURE_BYTES)
