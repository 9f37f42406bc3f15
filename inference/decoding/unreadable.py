"""Recognize files that are not pictures of a supported format, so that the error can name them."""

from __future__ import annotations

import re

from inference.errors import NotAnImage, PictureError, UnsupportedFormat

HEAD_BYTES = 1024
"""Bytes of a file that are examined."""

SEND = "Send JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF."
SEND_BYTES = "Send the bytes of the picture's file."

RAW_FORMATS = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"IIRO"),  # Olympus
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),  # Panasonic, Leica
    (0, b"\0MRM"),  # Minolta
    (0, b"FOVb"),  # Sigma
    (8, b"CR\2\0"),  # Canon CR2
    (4, b"ftypcrx "),  # Canon CR3
)
"""Offset and signature of raw camera files."""

PICTURE_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")
"""First letters of the brands of HEIC and AVIF; other files with an ftyp box are videos."""

OTHER_FILES = (
    ("a ZIP archive", 0, b"PK\3\4"),
    ("a gzip archive", 0, b"\x1f\x8b"),
    ("a 7z archive", 0, b"7z\xbc\xaf\x27\x1c"),
    ("a RAR archive", 0, b"Rar!"),
    ("a bzip2 archive", 0, b"BZh"),
    ("an xz archive", 0, b"\xfd7zXZ"),
    ("a Zstandard archive", 0, b"\x28\xb5\x2f\xfd"),
    ("a tar archive", 257, b"ustar"),
    ("an AVI video", 8, b"AVI "),
    ("a WAV file", 8, b"WAVE"),
    ("a WebM or MKV video", 0, b"\x1a\x45\xdf\xa3"),
    ("an MPEG video", 0, b"\0\0\1\xba"),
    ("an MPEG video", 0, b"\0\0\1\xb3"),
)
"""Name, offset and signature of files that people send by mistake."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
TEXTS = (
    ("the text of a JavaScript object", re.compile(r"\[object \w+\]")),
    ("the text undefined or null", re.compile(r"(?:undefined|null|None|NaN)\s*\Z")),
    ("a data URL that is not valid", re.compile(r"data:", re.IGNORECASE)),
    (
        "a url",
        re.compile(
            r"(?:https?|ftp|s3|gs|file|blob|content|ph)://|(?:blob|file):|www\.", re.IGNORECASE
        ),
    ),
    (
        "a web page",
        re.compile(r"(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.I | re.S),
    ),
    ("an XML document", re.compile(r"<\?xml")),
    ("JSON text", re.compile(r"[{\[]")),
    (
        "base64 text that is not a valid picture",
        re.compile(r"[A-Za-z0-9+/_=-][A-Za-z0-9+/_=\s-]{38,}\Z"),
    ),
)
"""Name and beginning of texts that people send as a picture."""

REPLACEMENT = "\ufffd"
SVG = re.compile(r"<svg[\s>]|<!doctype svg", re.IGNORECASE)


def recognize_binary(data: bytes) -> PictureError | None:
    """Return the error that names the kind of a file by its signature; None for other files."""
    if not data:
        return NotAnImage("The file is empty. Send a file with content.")
    if any(data.startswith(signature, offset) for offset, signature in RAW_FORMATS):
        return UnsupportedFormat(f"Raw camera files are not supported. {SEND}")
    if data[4:8] == b"ftyp" and not data[8:11].startswith(PICTURE_BRANDS):
        return NotAnImage(f"The file is a MOV or MP4 video, not a picture. {SEND}")
    for name, offset, signature in OTHER_FILES:
        if data.startswith(signature, offset):
            return NotAnImage(f"The file is {name}, not a picture. {SEND}")
    return None


def recognize_text(data: bytes) -> PictureError | None:
    """Return the error that names the kind of a text; None for a binary file."""
    text = _text_of(data[:HEAD_BYTES])
    if text is None:
        return None
    if text.startswith("<") and SVG.search(text):
        return UnsupportedFormat(f"SVG files are not supported. {SEND}")
    for name, beginning in TEXTS:
        if beginning.match(text):
            return NotAnImage(f"The file is {name}, not a picture. {SEND_BYTES}")
    if REPLACEMENT in text:
        return NotAnImage(
            "A conversion to text has damaged the file: bytes are replaced by U+FFFD. "
            "Send the bytes of the file, without decoding them as text."
        )
    return NotAnImage(f"The file is text, not a picture. {SEND_BYTES}")


def _text_of(head: bytes) -> str | None:
    """Return the head of a file as text without leading white space; None if it is binary."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < HEAD_BYTES - 3:  # No character cut at the end.
            return None
        text = head[: error.start].decode()
    return None if CONTROL_CHARACTERS.search(text) else text.lstrip("\ufeff \t\r\n\"'")
