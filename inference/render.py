"""Image -> image file of limited size with boxes and labels drawn on it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import sqrt

import numpy as np
from PIL import Image

from inference.annotate import LabelledBox, annotate
from inference.opencv import cv2
from inference.types import BoxXYXY, ImageRGB, SizeWH

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
OPTIONS = {"JPEG": {"quality": 90}, "PNG": {}}

START_PIXELS = {"JPEG": 12_000_000, "PNG": 3_000_000}
"""Pixels of the first attempt: photographs of this size take about 4 MB."""

MAX_SIDE = {"JPEG": 65_500, "PNG": 1_000_000}
"""Pixels of the longest side: libjpeg's limit, and the longest side that is decoded."""

SHRINK = 0.95
"""Extra factor on the next attempt: smaller images need more bytes per pixel."""


def render(
    image_rgb: ImageRGB, labelled_boxes: Sequence[LabelledBox], media_type: str, *, max_bytes: int
) -> bytes:
    """Draw boxes with labels on an image and encode it.

    If the result would be larger than `max_bytes`, the image is scaled down with its boxes. Labels
    are drawn at the final size, so they stay legible.

    Args:
        image_rgb: Upright image: uint8 [height, width, 3].
        labelled_boxes: As for `inference.annotate.annotate`, in pixels of the image.
        media_type: ``image/jpeg`` or ``image/png``.
        max_bytes: Largest size of the result in bytes.
    """
    file_format = FORMATS[media_type]
    height, width = image_rgb.shape[:2]
    scale = min(
        1.0,
        sqrt(START_PIXELS[file_format] / (width * height)),
        MAX_SIDE[file_format] / max(width, height),
    )
    while True:
        small_rgb = _shrunk(image_rgb, scale)
        drawn_rgb = _annotated(small_rgb, labelled_boxes, (width, height))
        buffer = io.BytesIO()
        Image.fromarray(drawn_rgb).save(buffer, file_format, **OPTIONS[file_format])
        if buffer.tell() <= max_bytes or max(small_rgb.shape[:2]) == 1:
            return buffer.getvalue()
        scale *= sqrt(max_bytes / buffer.tell()) * SHRINK


def _annotated(
    small_rgb: ImageRGB, labelled_boxes: Sequence[LabelledBox], from_wh: SizeWH
) -> ImageRGB:
    """Draw boxes that are in pixels of the larger size `from_wh`."""
    small_wh = (small_rgb.shape[1], small_rgb.shape[0])
    boxes = [
        (_scaled(box_xyxy, from_wh, small_wh), class_name, label)
        for box_xyxy, class_name, label in labelled_boxes
    ]
    return annotate(small_rgb, boxes)


def _shrunk(image_rgb: ImageRGB, scale: float) -> ImageRGB:
    if scale == 1:
        return image_rgb
    height, width = image_rgb.shape[:2]
    small_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(image_rgb, small_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def _scaled(box_xyxy: BoxXYXY, from_wh: tuple[int, int], to_wh: tuple[int, int]) -> BoxXYXY:
    """Convert a box to pixels of another size of the image; it is at least one pixel wide."""
    x1, y1, x2, y2 = box_xyxy
    (from_width, from_height), (width, height) = from_wh, to_wh
    left = min(round(x1 * width / from_width), width - 1)
    top = min(round(y1 * height / from_height), height - 1)
    right = max(left + 1, round(x2 * width / from_width))
    bottom = max(top + 1, round(y2 * height / from_height))
    return left, top, right, bottom
