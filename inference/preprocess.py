"""RGB pixels -> a model's input tensor, and where the picture lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.manifest import InputSpec
from inference.types import ImageRGB, Tensor

# Pictures are the unit of parallel work, and Lambda gives few cores: no threads inside OpenCV.
cv2.setNumThreads(1)


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
    pixels = pixels_rgb[:, :, ::-1] if spec.color == "BGR" else pixels_rgb
    if spec.is_normalized:
        mean = np.array(spec.mean, dtype=np.float32)
        std = np.array(spec.std, dtype=np.float32)
        tensor: Tensor = (pixels * np.float32(spec.scale) - mean) / std
    else:
        tensor = pixels
    if spec.layout == "NCHW":
        tensor = tensor.transpose(2, 0, 1)
    return np.ascontiguousarray(tensor[np.newaxis], dtype=spec.dtype), placement


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


def _scaled(image_rgb: ImageRGB, size_wh: tuple[int, int]) -> ImageRGB:
    width, height = size_wh
    if image_rgb.shape[:2] == (height, width):
        return image_rgb
    # Averaging keeps a large photo from breaking up into moiré when it is made small.
    is_smaller = image_rgb.shape[1] > width or image_rgb.shape[0] > height
    interpolation = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image_rgb, size_wh, interpolation=interpolation), dtype=np.uint8)
