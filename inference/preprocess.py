"""RGB pixels -> a model's input tensor, and where the picture lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.decoding.resolution import Resolution
from inference.manifest import InputSpec
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
        input_wh: Width and height of the input, pixels.
        scale_xy: Input pixels per source pixel.
        offset_xy: Where the source's top left corner lies, input pixels.
    """

    input_wh: SizeWH
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
        The tensor with a batch axis of 1, and the placement of the picture in it. Its size is the
        manifest's, or less where that names a `multiple`.
    """
    pixels_rgb, placement = _resize(image_rgb, spec)
    is_planar = spec.layout == "NCHW"
    height, width = pixels_rgb.shape[:2]
    shape = (3, height, width) if is_planar else (height, width, 3)
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
    # Padding costs as much as the picture does: a model that takes any size gets little of it.
    outer_width = spec.width if spec.multiple is None else _rounded_up(inner_width, spec.multiple)
    outer_height = (
        spec.height if spec.multiple is None else _rounded_up(inner_height, spec.multiple)
    )
    left = (outer_width - inner_width) // 2 if spec.is_centred else 0
    top = (outer_height - inner_height) // 2 if spec.is_centred else 0
    canvas = np.full((outer_height, outer_width, 3), spec.pad_value, dtype=np.uint8)
    resize = _fitted if spec.resize == "letterbox" else _averaged
    inner = resize(image_rgb, (inner_width, inner_height))
    canvas[top : top + inner_height, left : left + inner_width] = inner
    scale_xy = (inner_width / width, inner_height / height)
    return canvas, Placement((outer_width, outer_height), scale_xy, (left, top))


def _averaged(image_rgb: ImageRGB, size_wh: SizeWH) -> ImageRGB:
    """Resized as the training of classifiers does it: exact averages of a picture made smaller."""
    width, height = size_wh
    is_smaller = image_rgb.shape[1] > width or image_rgb.shape[0] > height
    return _resized(image_rgb, size_wh, cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)


def _fitted(image_rgb: ImageRGB, size_wh: SizeWH) -> ImageRGB:
    """Resized for a detector: averaged down by powers of two, the rest interpolated.

    The averages keep moiré away. libjpeg makes the same ones while it decodes, so that a picture
    which it has made smaller comes out as the whole one does. The interpolation is the one of
    YOLOX's and Ultralytics' letterboxes, and takes a tenth of the time of exact averages.
    """
    height, width = image_rgb.shape[:2]
    across, down = _halvings(width, size_wh[0]), _halvings(height, size_wh[1])
    if across > 1 or down > 1:
        # A multiple of the step is what OpenCV averages fast; the rest is less than one pixel.
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
    """The largest power of two by which `size` can be divided without falling below `target`."""
    return 1 << max(0, (size // target).bit_length() - 1)
