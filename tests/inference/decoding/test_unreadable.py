from __future__ import annotations

import io
import tarfile

import pytest

from inference.decoding.formats import unreadable

TAR = io.BytesIO()
with tarfile.open(fileobj=TAR, mode="w") as archive:
    archive.addfile(tarfile.TarInfo("a"))

FILES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "not_an_image", "empty"),
    "text": ("Grüße".encode(), "not_an_image", "text"),
    "text whose head ends within a character": (
        b"a" * 1023 + "é".encode(),
        "not_an_image",
        "base64",
    ),
    "[object Object]": (b"[object Object]", "not_an_image", "JavaScript object"),
    "[object File]": (b"[object File]", "not_an_image", "JavaScript object"),
    "undefined": (b"undefined", "not_an_image", "undefined"),
    "url": (b" https://a.example/b.jpg\n", "not_an_image", "a url"),
    "blob url": (b"blob:https://a.example/5a1f", "not_an_image", "a url"),
    "file url": (b"file:///storage/emulated/0/a.jpg", "not_an_image", "a url"),
    "data URL": (b"data:image/jpeg;base64,/9j/!", "not_an_image", "data URL"),
    "base64": (b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0L!"[:-1] * 2, "not_an_image", "base64"),
    "web page": (b"\n<!DOCTYPE html><html>", "not_an_image", "a web page, not a picture"),
    "web page with a comment": (b"<!-- x -->\n<HTML lang=en>", "not_an_image", "a web page"),
    "XML": (b"<?xml version='1.0'?><Error/>", "not_an_image", "XML"),
    "JSON": (b'{"error": 1}', "not_an_image", "JSON"),
    "PNG converted to text": ("\ufffdPNG\r\n".encode(), "not_an_image", "U+FFFD"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", "SVG"),
    "SVG with a prologue": (
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg>",
        "unsupported_format",
        "SVG",
    ),
    "MOV": (b"\0\0\0\x14ftypqt  ", "not_an_image", "MOV or MP4"),
    "MP4": (b"\0\0\0\x18ftypisom", "not_an_image", "MOV or MP4"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "not_an_image", "AVI"),
    "WebM": (b"\x1a\x45\xdf\xa3", "not_an_image", "WebM"),
    "CR2": (b"II*\0\x10\0\0\0CR\2\0", "unsupported_format", "Raw camera"),
    "CR3": (b"\0\0\0\x18ftypcrx ", "unsupported_format", "Raw camera"),
    "RAF": (b"FUJIFILMCCD-RAW 0201", "unsupported_format", "Raw camera"),
    "ORF": (b"IIRO\x08\0\0\0", "unsupported_format", "Raw camera"),
    "RW2": (b"IIU\0\x18\0\0\0", "unsupported_format", "Raw camera"),
    "ZIP": (b"PK\3\4\x14\0", "not_an_image", "ZIP"),
    "gzip": (b"\x1f\x8b\x08\0", "not_an_image", "gzip"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "not_an_image", "7z"),
    "RAR": (b"Rar!\x1a\x07", "not_an_image", "RAR"),
    "tar": (TAR.getvalue() + bytes(1024), "not_an_image", "tar"),
    "HEIF": (b"\0\0\0\x18ftypheic", "unsupported_format", "HEIF"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "unsupported_format", "PDF"),
    "PDF in ASCII": (b"%PDF-1.7\n%%EOF\n", "unsupported_format", "PDF"),
    "JPEG": (b"\xff\xd8\xff", "not_an_image", "damaged or truncated"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "not_an_image", "damaged or truncated"),
    "GIF": (b"GIF89a", "not_an_image", "damaged or truncated"),
}


@pytest.mark.parametrize(("data", "code", "kind"), FILES.values(), ids=FILES)
def test_the_error_names_the_kind(data: bytes, code: str, kind: str) -> None:
    error = unreadable(data)

    assert error.code == code
    assert kind in error.message
