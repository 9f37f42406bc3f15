"""Only EXIF turns an image, as in browsers."""

from __future__ import annotations

import zlib

import pytest
from PIL import Image, PngImagePlugin

from inference.decoding.decode import decode
from tests.support.hostile import chunk
from tests.support.pictures import encode

IMAGE = Image.new("RGB", (8, 6))
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'  # noqa: E501
XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0" + XMP


def exif(orientation: int) -> bytes:
    values = Image.Exif()
    values[0x0112] = orientation
    return values.tobytes()


def with_segment(jpeg: bytes, content: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content + jpeg[2:]


def with_text(name: str, text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(name, text)
    return encode(IMAGE, "PNG", pnginfo=info)


def with_raw_profile() -> bytes:
    """EXIF as text, as ImageMagick writes it."""
    data = exif(6)
    profile = f"\nexif\n{len(data):8d}\n{data.hex()}\n"
    content = b"Raw profile type exif\0\0" + zlib.compress(profile.encode())
    png = encode(IMAGE, "PNG")
    return png[:33] + chunk(b"zTXt", content) + png[33:]


def with_late_exif() -> bytes:
    png = encode(IMAGE, "PNG")
    return png[:-12] + chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0")) + png[-12:]


JPEG = encode(IMAGE, "JPEG")
TURNED = {
    "JPEG, EXIF": with_segment(JPEG, exif(6)),
    "JPEG, EXIF and XMP that differ": with_segment(
        with_segment(JPEG, XMP_SEGMENT.replace(b'"6"', b'"1"')), exif(6)
    ),
    "PNG, EXIF": encode(IMAGE, "PNG", exif=exif(6)),
    "PNG, EXIF after the pixels": with_late_exif(),
    "WebP, EXIF": encode(IMAGE, "WEBP", exif=exif(6)),
    "JPEG, EXIF in two segments": with_segment(
        with_segment(JPEG, b"Exif\0\0" + exif(6)[20:]), exif(6)[:20]
    ),
    "TIFF": encode(IMAGE, "TIFF", tiffinfo={274: 6}),
}


@pytest.mark.parametrize("data", TURNED.values(), ids=TURNED)
def test_exif_turns_an_image(data: bytes) -> None:
    assert decode(data, max_pixels=100).shape == (8, 6, 3)


NOT_TURNED = {
    "JPEG, XMP": with_segment(JPEG, XMP_SEGMENT),
    "JPEG, EXIF and XMP that differ": with_segment(with_segment(JPEG, XMP_SEGMENT), exif(1)),
    "PNG, XMP": with_text("XML:com.adobe.xmp", XMP.decode()),
    "PNG, EXIF as text": with_raw_profile(),
    "WebP, XMP": encode(IMAGE, "WEBP", xmp=XMP),
    "JPEG, EXIF of orientation 9": with_segment(JPEG, exif(9)),
    "JPEG, EXIF that ends early": with_segment(JPEG, exif(6)[:15]),
    "JPEG, EXIF without a directory": with_segment(JPEG, b"Exif\0\0junk"),
}


@pytest.mark.parametrize("data", NOT_TURNED.values(), ids=NOT_TURNED)
def test_nothing_else_turns_an_image(data: bytes) -> None:
    assert decode(data, max_pixels=100).shape == (6, 8, 3)
