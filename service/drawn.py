"""One result -> the picture itself with what was found drawn on it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import ImageFailed, SeveralImages
from gateway.parts import Part
from inference.errors import PictureError
from service.json_answers import labelled_boxes
from service.pictures import Result

MAX_PICTURE_BYTES = 4_400_000
"""What becomes 5.9 MB in base64: Lambda lets 6 MB through."""


def check_single(parts: Sequence[Part]) -> None:
    """Check that there is one picture, before any is looked at.

    Raises:
        SeveralImages: There are more.
    """
    if len(parts) > 1:
        raise SeveralImages(
            f"Accept asks for a drawn picture, which can show one and not {len(parts)}: send one "
            "picture per request, or ask for application/json."
        )


def drawn_picture(result: Result, media_type: str, max_pixels: int) -> bytes:
    """The picture's file with boxes and labels, under the size that Lambda lets through.

    Args:
        result: Of `/object_detection` or `/predict`.
        media_type: ``image/jpeg`` or ``image/png``.
        max_pixels: Of a picture that is decoded.

    Raises:
        ImageFailed: There is nothing to draw on; it says why.
    """
    # Only here: the modules that draw would cost every cold start 10 ms.
    from inference.render import render_file

    if result.error or result.content is None:
        code = result.error.code if result.error else "internal_error"
        message = result.error.message if result.error else ""
        raise ImageFailed(f"There is no picture to draw on ({code}). {message}".strip(), code)
    try:
        return render_file(
            result.content,
            labelled_boxes(result.predictions),
            media_type,
            max_pixels=max_pixels,
            max_bytes=MAX_PICTURE_BYTES,
        )
    except PictureError as error:  # Drawing takes all of the picture, and so more memory.
        raise ImageFailed(f"The picture can't be drawn on. {error.message}", error.code) from error
