"""The decoders of all six formats, for whoever decodes anything but JPEG.

Importing one of Pillow's plugins registers it. JPEG's alone is imported at the start
(inference/decoding/decode.py): the others take several milliseconds, and few requests need
them.
"""

from __future__ import annotations

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# Pillow's own reader of uncompressed TIFF takes minutes over a file of many tiny strips.
TiffImagePlugin.READ_LIBTIFF = True

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)
"""With these, Pillow asks no other plugin."""
