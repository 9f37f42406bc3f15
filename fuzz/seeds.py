"""Generate the seed corpora: `python -m fuzz.seeds`. All seeds are created here."""

from __future__ import annotations

import zlib
from pathlib import Path
from struct import pack
from typing import Any

from PIL import Image, ImageDraw

from fuzz.seed_texts import EVENTS, FETCHES, FORM_HEADS
from fuzz.targets import CORPUS
from tests.support.heif import heic
from tests.support.pictures import encode, plain

FOUND = "found_"
"""Prefix of inputs that once violated a property; they are never overwritten."""


def drawing(mode: str = "RGB", size: tuple[int, int] = (16, 12)) -> Image.Image:
    """Draw a few shapes, so that compressors have data."""
    image = Image.new("RGB", size, "#204060")
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, size[0] - 3, size[1] - 3), fill="#e0a030")
    draw.line((0, 0, *size), fill="#ffffff", width=2)
    return image.convert(mode)


def exif(orientation: int) -> bytes:
    """Return an EXIF block with an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def animation(file_format: str) -> bytes:
    """Return an animation of three frames."""
    frames = [drawing("P"), drawing("P").rotate(90), drawing("P").rotate(180)]
    return encode(frames[0], file_format, save_all=True, append_images=frames[1:])


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return length, type, content and checksum (PNG, third edition, section 5.3)."""
    return pack(">L", len(content)) + kind + content + pack(">L", zlib.crc32(kind + content))


def png_with(*chunks: bytes) -> bytes:
    """Return a PNG with these chunks after its header."""
    whole = plain()
    end_of_header = 8 + 25
    return whole[:end_of_header] + b"".join(chunks) + whole[end_of_header:]


def bmp_rle8() -> bytes:
    """Return a run-length encoded BMP of 8x4 pixels: runs, a literal run, a jump and the end."""
    palette = bytes(4) + b"\xff\xff\xff\0"
    pixels = b"\x08\x01\0\0\0\x03\x01\0\x01\0\0\0\0\x02\x02\x01\x04\x01\0\1"
    offset = 14 + 40 + len(palette)
    info = pack("<LllHHLLllLL", 40, 8, 4, 1, 8, 1, len(pixels), 0, 0, 2, 2)
    head = b"BM" + pack("<LLL", offset + len(pixels), 0, offset)
    return head + info + palette + pixels


def pictures() -> dict[str, bytes]:
    """Return files in all supported and some unsupported formats, and damaged files."""
    options: dict[str, tuple[str, str, dict[str, Any]]] = {
        "jpeg": ("RGB", "JPEG", {}),
        "jpeg_gray": ("L", "JPEG", {}),
        "jpeg_cmyk": ("CMYK", "JPEG", {}),
        "jpeg_progressive": ("RGB", "JPEG", {"progressive": True}),
        "jpeg_exif": ("RGB", "JPEG", {"exif": exif(6)}),
        "jpeg_restart": ("RGB", "JPEG", {"restart_marker_blocks": 1, "comment": b"drawn"}),
        "png": ("RGB", "PNG", {}),
        "png_gray_alpha": ("LA", "PNG", {}),
        "png_rgba": ("RGBA", "PNG", {}),
        "png_palette": ("P", "PNG", {"transparency": 0}),
        "png_1bit": ("1", "PNG", {}),
        "png_16bit": ("I;16", "PNG", {}),
        "png_exif": ("RGB", "PNG", {"exif": exif(3)}),
        "webp": ("RGB", "WEBP", {}),
        "webp_lossless": ("RGBA", "WEBP", {"lossless": True, "exif": exif(8)}),
        "gif": ("P", "GIF", {"transparency": 1, "interlace": 1}),
        "bmp": ("RGB", "BMP", {}),
        "bmp_palette": ("P", "BMP", {}),
        "bmp_1bit": ("1", "BMP", {}),
        "tiff": ("RGB", "TIFF", {}),
        "tiff_big": ("RGB", "TIFF", {"big_tiff": True}),
        "tiff_lzw": ("RGB", "TIFF", {"compression": "tiff_lzw", "exif": exif(5)}),
        "tiff_deflate": ("RGBA", "TIFF", {"compression": "tiff_adobe_deflate"}),
        "tiff_jpeg": ("RGB", "TIFF", {"compression": "jpeg"}),
        "tiff_packbits": ("L", "TIFF", {"compression": "packbits"}),
        "tiff_fax": ("1", "TIFF", {"compression": "group4"}),
        "tiff_16bit": ("I;16", "TIFF", {}),
        "tiff_float": ("F", "TIFF", {}),
        "avif": ("RGB", "AVIF", {"speed": 10, "max_threads": 1}),
        "avif_alpha": ("RGBA", "AVIF", {"speed": 10, "max_threads": 1}),
        "other_ico": ("RGB", "ICO", {}),
        "other_ppm": ("RGB", "PPM", {}),
        "other_jpeg2000": ("RGB", "JPEG2000", {}),
    }
    files = {
        name: encode(drawing("L").convert("I").convert(mode) if mode == "I;16" else drawing(mode),
                     file_format, **more)
        for name, (mode, file_format, more) in options.items()
    }  # fmt: skip
    files |= {
        "gif_animated": animation("GIF"),
        "webp_animated": animation("WEBP"),
        "png_animated": animation("PNG"),
        "tiff_pages": animation("TIFF"),
        "bmp_rle8": bmp_rle8(),
        "png_text": png_with(
            png_chunk(b"tEXt", b"Comment\0drawn"),
            png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"drawn" * 50)),
            png_chunk(b"iTXt", b"Comment\0\0\0\0\0drawn"),
            png_chunk(b"gAMA", pack(">L", 45455)),
            png_chunk(b"pHYs", pack(">LLB", 2835, 2835, 1)),
        ),
        "heic_boxes": heic([(64, 48)]),
        "wide": plain(4000, 1),
        "high": plain(1, 4000),
        "over_the_limit": plain(300, 200),
        "other_svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"/>',
        "other_heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "other_pdf": b"%PDF-1.7\n%%EOF\n",
        "nothing": b"",
    }
    return files | {f"{name}_cut": files[name][: len(files[name]) * 2 // 3] for name in CUT}


CUT = ("jpeg", "png", "webp", "gif", "bmp", "tiff_lzw")


def forms() -> dict[str, bytes]:
    """Return a form in each client's dialect, with the first bytes of a picture."""
    content = plain(2, 2)
    return {
        name: f"{content_type}\n".encode()
        + b"".join(
            b"--b\r\n" + head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n"
            + (b" http://a.example/b.png\n" if 'name="url"' in head else content) + b"\r\n"
            for head in heads
        )
        + b"--b--\r\n"
        for name, (content_type, heads) in FORM_HEADS.items()
    }  # fmt: skip


def odd_forms() -> dict[str, bytes]:
    """Return bodies that are not forms, or damaged forms."""
    head = b'\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
    form_type = b"multipart/form-data; boundary=b\n"
    return {
        "raw": b"image/png\n" + plain(2, 2),
        "json": b'application/json\n{"url": "http://a.example/b.png"}',
        "no_boundary": b"multipart/form-data\n--b--",
        "empty": form_type + b"--b--\r\n",
        "cut": form_type + b"--b" + head + b"x",
        "no_last_dashes": form_type + b"--b" + head + b"x\r\n--b\r\n",
        "line_feeds": form_type
        + b'--b\nContent-Disposition: form-data; name="image"\n\nx\n--b--\n',
        "preamble": form_type + b"This is MIME.\r\n--b" + head + b"x\r\n--b--\r\nepilogue",
        "almost_a_boundary": form_type + b"--b" + head + b"\r\n--\r\n-b\r\n--c\r\n--b--\r\n",
        "many": form_type + b"--b" + (head + b"x\r\n--b") * 12 + b"--\r\n",
        "nameless": form_type + b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n",
        "base64_part": form_type
        + b"--b\r\nContent-Transfer-Encoding: base64"
        + head
        + b"/9j/\r\n4AAQ\r\n--b--\r\n",
        "quoted_printable_part": form_type
        + b"--b\r\nContent-Disposition: file; name=url\r\n"
        + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nx=3D1=\r\n2\r\n--b--\r\n",
        "nested_parts": form_type
        + b"--b\r\nContent-Type: multipart/mixed; boundary=n"
        + head
        + b"--n\r\nContent-Disposition: file; filename=a\r\n\r\nx\r\n--n--\r\n--b--\r\n",
        "no_closing_delimiter": form_type + b"\xef\xbb\xbf--b \t" + head + b"x",
        "arrays": form_type
        + b"--b"
        + head.replace(b"image", b"image[]")
        + b"x\r\n--b"
        + head.replace(b"image", b"url[0]")
        + b"\xe2\x80\x8bhttp://a.example/b\r\n--b--\r\n",
        "data_url": form_type + b"--b" + head + b"data:image/gif;base64,R0lGODlh\r\n--b--\r\n",
        "urlencoded": b"application/x-www-form-urlencoded\nimage=%2F9j%2F4AAQ&url[]=http://a/&x=",
        "json_instances": b'application/json\n{"instances": [{"b64": "/9j/4AAQ"}, {"url": "x"}],'
        b' "images": ["data:;base64,R0lGODlh"], "top": 3}',
        "damaged_by_text": b"image/odd\n\xef\xbf\xbdPNG",
    }


def corpora() -> dict[str, dict[str, bytes]]:
    """Return contents by file name, by target."""
    return {
        "event": {name: text.encode("utf-8") for name, text in EVENTS.items()},
        "multipart": forms() | odd_forms(),
        "decode": pictures(),
        "fetch": {name: text.encode("latin-1") for name, text in FETCHES.items()},
    }


def write(corpus: Path) -> None:
    """Write every seed below a folder, but keep earlier findings."""
    for target, files in corpora().items():
        folder = corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if not path.name.startswith(FOUND):
                path.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write(CORPUS)
