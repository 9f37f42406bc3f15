"""Pillow's pixels without a copy: the memory that `Image.__arrow_c_array__` lends.

`numpy.asarray(image)` encodes a picture to bytes and copies those, which takes as long as decoding
it did. Pillow exports the same memory by Arrow's C data interface
(https://arrow.apache.org/docs/format/CDataInterface.html), for which `ctypes` is enough.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, _imaging

# One block of memory for each picture: one that lies in several can't be lent as one array.
_imaging.set_use_block_allocator(1)


class ArrowArray(ctypes.Structure):
    """`struct ArrowArray` of the interface, field by field."""


ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]

VALUES = 1
"""Which of an array's buffers has the values; 0 is its validity bitmap."""

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


@contextmanager
def lent_pixels(image: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """A decoded picture's own memory, for as long as the context lasts.

    Args:
        image: Of mode L, or of one that Pillow keeps in four bytes a pixel: RGB, RGBA, CMYK.

    Yields:
        uint8 [height, width] or [height, width, 4], read-only. For RGB the fourth byte means
        nothing.
    """
    _, capsule = image.__arrow_c_array__()
    array = ArrowArray.from_address(_capsule_pointer(capsule, b"arrow_array"))
    values = array.children[0].contents if array.n_children else array
    shape = (image.height, image.width, 4) if array.n_children else (image.height, image.width)
    size = int(np.prod(shape))
    memory = (ctypes.c_uint8 * size).from_address(values.buffers[VALUES])
    pixels = np.ctypeslib.as_array(memory).reshape(shape)
    pixels.flags.writeable = False
    try:
        yield pixels
    finally:
        # The capsule holds Pillow's reference to the memory: it must outlive the view.
        del capsule
