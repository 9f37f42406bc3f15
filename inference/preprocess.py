"""RGB pixels -> input tensor of a model, and the placement of the image in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.decoding.resolution import Resolution
from inference.manifest import InputSpec
from inference.opencv import cv2
from inference.types import ImageRGB, SizeWH, Tensor

INT8_RANGE = (-128, 127)
"""Smallest and largest int8."""
DETAIL = 1.5
"""Decoded pixels per input pixel and side. At this resolution the answers equal those of the whole
image (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Mapping of source pixels to input pixels: ``input = source * scale + offset``.

    Attributes:
        input_wh: Width and height of the input in pixels.
        scale_xy: Input pixels per source pixel.
        offset_xy: Position of the source's top left corner in input pixels.
    """

    input_wh: SizeWH
    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]

    def to_source(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert float32 boxes [n, 4] from input pixels to source pixels, without clipping."""
        offset = np.array([*self.offset_xy, *self.offset_xy], dtype=np.float32)
        scale = np.array([*self.scale_xy, *self.scale_xy], dtype=np.float32)
        return (boxes_xyxy - offset) / scale


def prepare(image_rgb: ImageRGB, spec: InputSpec) -> tuple[Tensor, Placement]:
    """Convert an image or a crop to the input that a manifest describes.

    Args:
        image_rgb: uint8 [height, width, 3]; a view is fine.
        spec: Size, resize mode, color order, normalization, dtype and layout.

    Returns:
        The tensor with a batch axis of 1, and the placement of the image in it. The tensor has the
        manifest's size, or a smaller one if the manifest has a `multiple`.
    """
    pixels_rgb, placement = _resize(image_rgb, spec)
    is_planar = spec.layout == "NCHW"
    height, width = pixels_rgb.shape[:2]
    shape = (3, height, width) if is_planar else (height, width, 3)
    tensor = np.empty((1, *shape), dtype=spec.dtype)
    by_pixel = tensor[0].transpose(1, 2, 0) if is_planar else tensor[0]
    planes = cv2.split(pixels_rgb)
    for channel, values in enumerate(planes[::-1] if spec.color == "BGR" else planes):
        if spec.is_normalized:
            scale, mean, std = (
                np.float32(value) for value in (spec.scale, spec.mean[channel], spec.std[channel])
            )
            if tensor.dtype == np.int8:
                whole = np.rint(values * (scale / std) - mean / std)
                by_pixel[:, :, channel] = np.clip(whole, *INT8_RANGE)
                continue
            np.multiply(values, scale / std, out=by_pixel[:, :, channel], casting="unsafe")
            by_pixel[:, :, channel] -= mean / std
        else:
            by_pixel[:, :, channel] = values
    return tensor, placement


def input_resolution(spec: InputSpec) -> Resolution:
    """Return the smallest resolution at which an image gives the answers of the whole one."""
    every_side = spec.resize == "stretch"
    return Resolution(DETAIL * spec.width, DETAIL * spec.height, every_side)


def _resize(image_rgb: ImageRGB, spec: InputSpec) -> tuple[ImageRGB, Placement]:
    height, width = image_rgb.shape[:2]
    if spec.resize == "stretch":
        scale_xy = (spec.width / width, spec.height / height)
        size_wh = (spec.width, spec.height)
        return _averaged(image_rgb, size_wh), Placement(size_wh, scale_xy, (0, 0))
    scale = min(spec.width / width, spec.height / height)
    inner_width = min(spec.width, max(1, round(width * scale)))
    inner_height = min(spec.height, max(1, round(height * scale)))
    # Padding takes as long to process as pixels, so a model of flexible size gets little of it.
    outer_width = spec.width if spec.multiple is None else _rounded_up(inner_width, spec.multiple)
    outer_height = (
        spec.height if spec.multiple is None else _rounded_up(inner_height, spec.multiple)
    )
    left = (outer_width - inner_width) // 2 if spec.is_centred else 0
    top = (outer_height - inner_height) // 2 if spec.is_centred else 0
    canvas = np.full((outer_height, outer_width, 3), spec.pad_value, dtype=np.uint8)
    inner = _fitted(image_rgb, (inner_width, inner_height))
    canvas[top : top + inner_height, left : left + inner_width] = inner
    scale_xy = (inner_width / width, inner_height / height)
    return canvas, Placement((outer_width, outer_height), scale_xy, (left, top))


def _averaged(image_rgb: ImageRGB, size_wh: SizeWH) -> ImageRGB:
    """Resize without keeping the proportions: downscaling takes exact averages."""
    width, height = size_wh
    is_smaller = image_rgb.shape[1] > width or image_rgb.shape[0] > height
    return _resized(image_rgb, size_wh, cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)


def _fitted(image_rgb: ImageRGB, size_wh: SizeWH) -> ImageRGB:
    """Resize with the proportions kept: average by powers of two, then interpolate.

    Averaging prevents moiré. libjpeg averages in the same way while it decodes, so a reduced image
    gives the result of the whole one. The interpolation is that of YOLOX's and Ultralytics'
    letterboxes and takes a tenth of the time of exact averages.
    """
    height, width = image_rgb.shape[:2]
    across, down = _halvings(width, size_wh[0]), _halvings(height, size_wh[1])
    if across > 1 or down > 1:
        # OpenCV is fast on multiples of the step; the rest is less than one pixel.
        whole_rgb = image_rgb[: height // down * down, : width // across * across]
        image_rgb = _resized(whole_rgb, (width // across, height // down), cv2.INTER_AREA)
    return _resized(image_rgb, size_wh, cv2.INTER_LINEAR)


def _resized(image_rgb: ImageRGB, size_wh: SizeWH, interpolation: int) -> ImageRGB:
    if image_rgb.shape[1::-1] == size_wh:
        return image_rgb
    return np.asarray(cv2.resize(image_rgb, size_wh, interpolation=interpolation), dtype=np.uint8)


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _halvings(size: int, target: int) -> int:
    """Return the largest power of two that divides `size` without going below `target`."""
    return 1 << max(0, (size // target).bit_length() - 1)
