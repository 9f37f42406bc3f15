"""RGB pixels -> a model's input tensor, and where the picture lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.manifest import InputSpec
from inference.picture import Need
from inference.types import ImageRGB, SizeWH, Tensor

# Pictures are the unit of parallel work, and Lambda gives few cores: no threads inside OpenCV.
cv2.setNumThreads(1)

DETAIL = 1.5
"""Pixels that a picture is decoded to, per pixel of the model's input and side. From here on the
answers are those of the whole picture: docs/performance.md has the comparison."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How source pixels map to input pixels: ``input = source * scale + offset``.

    Attributes:
        scale_xy: Input pixels per source pixel.
        offset_xy: Where the source's top left corner lies, input pixels.
    """

    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]

    def to_source(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes [n, 4] in input pixels -> the same in source pixels, not yet clipped."""
        offset = np.array([*self.offset_xy, *self.offset_xy], dtype=np.float32)
        scale = np.array([*self.scale_xy, *self.scale_xy], dtype=np.float32)
        return (boxes_xyxy - offset) / scale


def prepare(image_rgb: ImageRGB, spec: InputSpec) -> tuple[Tensor, Placement]:
    """Make a picture, or a crop of one, the input that a manifest describes.

    Args:
        image_rgb: uint8 [height, width, 3]; a view is fine.
        spec: Size, resize mode, colour order, normalisation, dtype and layout.

    Returns:
        The tensor with a batch axis of 1, and the placement of the picture in it.
    """
    pixels_rgb, placement = _resize(image_rgb, spec)
    is_planar = spec.layout == "NCHW"
    shape = (3, spec.height, spec.width) if is_planar else (spec.height, spec.width, 3)
    tensor = np.empty((1, *shape), dtype=spec.dtype)
    by_pixel = tensor[0].transpose(1, 2, 0) if is_planar else tensor[0]
    for channel, source in enumerate((2, 1, 0) if spec.color == "BGR" else (0, 1, 2)):
        values = pixels_rgb[:, :, source]
        if spec.is_normalized:
            scale, mean, std = (
                np.float32(value) for value in (spec.scale, spec.mean[channel], spec.std[channel])
            )
            np.multiply(values, scale / std, out=by_pixel[:, :, channel], casting="unsafe")
            by_pixel[:, :, channel] -= mean / std
        else:
            by_pixel[:, :, channel] = values
    return tensor, placement


def needed_pixels(spec: InputSpec) -> Need:
    """How many pixels of a picture an input can make use of."""
    every_side = spec.resize == "stretch"
    return Need(DETAIL * spec.width, DETAIL * spec.height, every_side)


def _resize(image_rgb: ImageRGB, spec: InputSpec) -> tuple[ImageRGB, Placement]:
    height, width = image_rgb.shape[:2]
    if spec.resize == "stretch":
        scale_xy = (spec.width / width, spec.height / height)
        return _scaled(image_rgb, (spec.width, spec.height)), Placement(scale_xy, (0, 0))
    scale = min(spec.width / width, spec.height / height)
    inner_width = min(spec.width, max(1, round(width * scale)))
    inner_height = min(spec.height, max(1, round(height * scale)))
    left = (spec.width - inner_width) // 2 if spec.is_centred else 0
    top = (spec.height - inner_height) // 2 if spec.is_centred else 0
    canvas = np.full((spec.height, spec.width, 3), spec.pad_value, dtype=np.uint8)
    inner = _scaled(image_rgb, (inner_width, inner_height))
    canvas[top : top + inner_height, left : left + inner_width] = inner
    return canvas, Placement((inner_width / width, inner_height / height), (left, top))


def _scaled(image_rgb: ImageRGB, size_wh: SizeWH) -> ImageRGB:
    """Averaged down by powers of two, which keeps moiré away, and the rest interpolated.

    libjpeg averages in the same way while it decodes, so that a picture which it has made smaller
    comes out here as the whole one does.
    """
    height, width = image_rgb.shape[:2]
    if (width, height) == size_wh:
        return image_rgb
    across, down = _halvings(width, size_wh[0]), _halvings(height, size_wh[1])
    if across > 1 or down > 1:
        # A multiple of the step is what OpenCV averages fast; the rest is less than one pixel.
        whole_rgb = image_rgb[: height // down * down, : width // across * across]
        smaller_wh = (width // across, height // down)
        image_rgb = np.asarray(
            cv2.resize(whole_rgb, smaller_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    resized = cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def _halvings(size: int, target: int) -> int:
    """The largest power of two by which `size` can be divided without falling below `target`."""
    return 1 << max(0, (size // target).bit_length() - 1)
