from __future__ import annotations

import gzip
import zlib

import pytest

from gateway.content_coding import (
    MAX_MEMBERS,
    DecodedTooLarge,
    InvalidCoding,
    UnknownCoding,
    decode_content,
)

PLAIN = b"picture " * 10
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(PLAIN) + RAW.flush()

DECODED: dict[str, tuple[str, bytes]] = {
    "none": ("", PLAIN),
    "identity": ("identity", PLAIN),
    "gzip": ("gzip", gzip.compress(PLAIN)),
    "another name and case": (" X-GZIP ", gzip.compress(PLAIN)),
    "deflate": ("deflate", zlib.compress(PLAIN)),
    "deflate without a container": ("deflate", RAW_DEFLATE),
    "two codings": ("deflate, gzip", gzip.compress(zlib.compress(PLAIN))),
    "two members": ("gzip", gzip.compress(PLAIN[:8]) + gzip.compress(PLAIN[8:])),
    "decoded already": ("gzip", PLAIN),
    "deflate, decoded already": ("deflate", PLAIN),
    "padding": ("gzip", gzip.compress(PLAIN) + b"\0\0"),
}
FAILED: dict[str, tuple[str, bytes, type[Exception]]] = {
    "brotli": ("br", PLAIN, UnknownCoding),
    "one of two is unknown": ("gzip, zstd", gzip.compress(PLAIN), UnknownCoding),
    "three codings": ("gzip, gzip, gzip", PLAIN, UnknownCoding),
    "damaged": ("gzip", gzip.compress(PLAIN)[:12] + b"xxxx", InvalidCoding),
    "truncated": ("gzip", gzip.compress(PLAIN)[:-4], InvalidCoding),
    "truncated deflate": ("deflate", zlib.compress(PLAIN)[:-6], InvalidCoding),
    "too many members": ("gzip", gzip.compress(b"") * (MAX_MEMBERS + 1), InvalidCoding),
    "one byte over the limit": ("gzip", gzip.compress(PLAIN + b"x"), DecodedTooLarge),
    "bomb": ("gzip", gzip.compress(bytes(50_000_000)), DecodedTooLarge),
    "bomb inside": ("gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000))), DecodedTooLarge),
    "bomb of members": ("gzip", gzip.compress(PLAIN[:50]) * 2, DecodedTooLarge),
}


@pytest.mark.parametrize(("coding", "content"), DECODED.values(), ids=DECODED)
def test_decoded(coding: str, content: bytes) -> None:
    assert decode_content(coding, content, len(PLAIN)) == PLAIN


@pytest.mark.parametrize(("coding", "content", "error"), FAILED.values(), ids=FAILED)
def test_failed(coding: str, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_content(coding, content, len(PLAIN))
