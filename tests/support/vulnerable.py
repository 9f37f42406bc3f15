"""A decoder with all the faults that one can have, for the processes that decode."""

from __future__ import annotations

import ctypes
import os
import time

from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.rgb import Allocate
from inference.types import ImageRGB
from tests.support.pictures import encode

NAME = "tests.support.vulnerable:vulnerable"
CRASH, SPIN, SLEEP, GREED, CHATTER = b"crash", b"spin", b"sleep", b"greed", b"chatter"
BMP = encode(Image.new("RGB", (8, 6)), "BMP")


def vulnerable(data: bytes, *, max_pixels: int, allocate: Allocate) -> ImageRGB:
    """Decodes, unless the file asks for something worse."""
    if data == CRASH:
        ctypes.string_at(0)
    while data == SPIN:
        pass
    if data == SLEEP:
        time.sleep(600)
    if data == GREED:
        allocate((30_000, 30_000, 3))
    if data == CHATTER:
        os.write(2, b"TIFFReadDirectory: Warning, a line of the client's own.\n")
    return decode(BMP if data == CHATTER else data, max_pixels=max_pixels, allocate=allocate)
