"""Images in memory: files are decoded upright, PIL images and NumPy arrays are encoded."""

from __future__ import annotations

import io
import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from matchvec_client.errors import PillowMissing, UsageError

try:
    from PIL import Image, ImageOps, UnidentifiedImageError
except ImportError:  # An extra; `require_pillow` says how to install it.
    HAS_PILLOW = False
else:
    HAS_PILLOW = True

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

ChannelOrder = Literal["RGB", "BGR"]
MAX_PIXELS = 200_000_000
JPEG_QUALITY = 95
LOSSLESS_BYTES = 4_000_000
"""Maximum size of a PNG; larger images are sent as JPEG, because a request has a limit."""


class CannotDecode(Exception):
    """The picture cannot be decoded."""


def require_pillow(purpose: str) -> None:
    """Check that Pillow is installed.

    Args:
        purpose: What needs it, as the start of the message.

    Raises:
        PillowMissing: It is not; the message says how to install it.
    """
    if not HAS_PILLOW:
        raise PillowMissing(f"{purpose} needs Pillow: pip install 'matchvec-client[pictures]'")


def open_upright(content: bytes) -> PilImage:
    """Decode a picture as RGB, upright by its EXIF orientation, transparency over white.

    Args:
        content: The picture's file.

    Raises:
        CannotDecode: The file is not a picture, is damaged, or has more than `MAX_PIXELS` pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures and of bad EXIF.
            return _open_upright(content)
    except CannotDecode:
        raise
    except UnidentifiedImageError as error:
        raise CannotDecode("Pillow cannot read this format.") from error
    except Exception as error:  # Pillow's readers raise exceptions of any type.
        raise CannotDecode(str(error) or type(error).__name__) from error


def _open_upright(content: bytes) -> PilImage:
    with Image.open(io.BytesIO(content)) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise CannotDecode(f"The picture has more than {MAX_PIXELS // 10**6} million pixels.")
        return _flatten(ImageOps.exif_transpose(opened))


def _flatten(image: PilImage) -> PilImage:
    """Return a PIL image as RGB, transparency over white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def is_pil_image(value: object) -> TypeGuard[PilImage]:
    """Return True for a PIL image, without importing Pillow."""
    module: Any = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def is_array(value: object) -> bool:
    """Return True for a NumPy array, without importing NumPy."""
    module: Any = sys.modules.get("numpy")
    return module is not None and isinstance(value, module.ndarray)


def encode_image(image: PilImage) -> bytes:
    """Encode a PIL image as PNG, or as JPEG above `LOSSLESS_BYTES`, upright."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        upright = upright.convert("RGB")
    buffer = io.BytesIO()
    upright.save(buffer, "PNG", compress_level=1)
    if buffer.tell() <= LOSSLESS_BYTES:
        return buffer.getvalue()
    buffer = io.BytesIO()
    _flatten(upright).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def encode_array(array: Any, channel_order: ChannelOrder | None) -> bytes:  # noqa: ANN401
    """Encode a NumPy array.

    Args:
        array: `uint8` of shape (height, width), (height, width, 3) or (height, width, 4).
        channel_order: Order of the colour channels: "RGB" as in Pillow, "BGR" as in OpenCV. It is
            required for colour, because the two cannot be distinguished.

    Raises:
        PillowMissing: Pillow is not installed.
        UsageError: The dtype or the shape is wrong, or the order is missing.
    """
    require_pillow("A NumPy array")
    if array.dtype != "uint8":
        raise UsageError(
            f"The array has dtype {array.dtype}. Convert it to uint8, with values from 0 to 255."
        )
    is_colour = array.ndim == 3 and array.shape[2] in (3, 4)
    if (array.ndim != 2 and not is_colour) or 0 in array.shape:
        raise UsageError(
            f"The array has shape {array.shape}. Use (height, width), (height, width, 3) or "
            "(height, width, 4)."
        )
    if is_colour and channel_order not in ("RGB", "BGR"):
        raise UsageError(
            "The order of the array's channels is unknown. Pass channel_order='RGB' for arrays of "
            "Pillow, imageio or scikit-image, or channel_order='BGR' for arrays of OpenCV."
        )
    if is_colour and channel_order == "BGR":
        array = array[..., [2, 1, 0, *range(3, array.shape[2])]]
    return encode_image(Image.fromarray(array))
