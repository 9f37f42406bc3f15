"""Work grows with the size of what is sent, not with its square, however it is made.

Two measures, neither of them a clock. The calls that the code makes are counted for a body and
for one of four times its size. What happens inside of a single call (a search, a copy, a pattern)
is not seen that way, so everything is also run at the largest size that Lambda takes, by a process
with a limit of processor time that a square of that size would exceed many times.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.event import decode_body, parse_event
from gateway.parts import parse_body
from gateway.urls import describe_url, is_listed, parse_url

ROOT = Path(__file__).parents[2]
LARGEST = 4_400_000
"""Bytes: as many as 6 MB of base64 hold."""

PROCESSOR_SECONDS = 30
"""All cases together take 4. A square of 4.4 million steps is 2e13, which is hours in C."""

TYPE = "multipart/form-data; boundary="
IMAGE = b'Content-Disposition: form-data; name="image"\r\n'
DASHES = "-" * 70


def form(content: bytes, boundary: str = "b", header: bytes = IMAGE) -> bytes:
    line = b"--" + boundary.encode()
    return line + b"\r\n" + header + b"\r\n" + content + b"\r\n" + line + b"--\r\n"


def filled(pattern: bytes, size: int) -> bytes:
    return pattern * (size // len(pattern))


def parts(header: bytes, size: int) -> bytes:
    """As many parts of that header as are read, or fit."""
    part = b"--b\r\n" + header + b"\r\n\r\n"
    return part * min(200, 1 + size // len(part)) + b"--b--\r\n"


Case = Callable[[int], tuple[str, bytes]]
FORMS: dict[str, Case] = {
    "nothing special": lambda n: (TYPE + "b", form(b"\xff" * n)),
    "almost boundaries": lambda n: (
        TYPE + "boundary",
        form(filled(b"\r\n--boundarx", n), "boundary"),
    ),
    "beginnings of a boundary": lambda n: (
        TYPE + "boundary",
        form(filled(b"\r\n--b\r\n--bo\r\n--bou\r\n--bound\r\n--boundar", n), "boundary"),
    ),
    "a boundary that continues": lambda n: (TYPE + "b", form(filled(b"\r\n--bb", n))),
    "a boundary of dashes": lambda n: (TYPE + DASHES, form(b"-" * n, DASHES)),
    "almost boundaries of dashes": lambda n: (
        TYPE + DASHES,
        form(filled(b"\r\n--" + b"-" * 69 + b"x", n), DASHES),
    ),
    "a boundary as long as a header": lambda n: (
        TYPE + "-" * 8000,
        form(filled(b"\r\n--" + b"-" * 7999 + b"x", n), "-" * 8000),
    ),
    "line ends": lambda n: (TYPE + "b", form(filled(b"\r\n", n))),
    "CR": lambda n: (TYPE + "b", form(b"\r" * n)),
    "LF": lambda n: (TYPE + "b", form(b"\n" * n)),
    "CR, CR, LF": lambda n: (TYPE + "b", form(filled(b"\r\r\n", n))),
    "dashes": lambda n: (TYPE + "b", form(filled(b"--", n))),
    "line ends and dashes": lambda n: (TYPE + "b", form(filled(b"\r\n--", n))),
    "before the first boundary": lambda n: (
        TYPE + "b",
        filled(b"\r\n--", n) + b"\r\n" + form(b"x"),
    ),
    "only that": lambda n: (TYPE + "b", filled(b"\r\n--", n)),
    "behind the last boundary": lambda n: (TYPE + "b", form(b"x") + form(b"x") * (n // 60)),
    "tiny parts": lambda n: (TYPE + "b", filled(b"--b\r\n" + IMAGE + b"\r\nx\r\n", n) + b"--b--"),
    "parts without anything": lambda n: (TYPE + "b", filled(b"--b\r\n", n) + b"--b--"),
    "boundaries only": lambda n: (TYPE + "b", filled(b"--b--\r\n", n)),
    "a header that does not end": lambda n: (TYPE + "b", b"--b\r\nX: " + b"a" * n),
    "a giant header": lambda n: (TYPE + "b", form(b"x", header=b"X: " + b"a" * n + b"\r\n")),
    "headers without end": lambda n: (TYPE + "b", form(b"x", header=filled(b"X: a\r\n", n))),
    "folded lines": lambda n: (TYPE + "b", form(b"x", header=IMAGE + filled(b" x\r\n", n))),
    "folded lines in every part": lambda n: (TYPE + "b", parts(IMAGE + b" x\r\n" * 7, n)),
    "a header of semicolons": lambda n: (TYPE + "b", parts(IMAGE[:-2] + b";" * 4000, n)),
    "a header of quotes": lambda n: (TYPE + "b", parts(IMAGE[:-2] + b';a="x' * 800, n)),
    "a header of escaped quotes": lambda n: (TYPE + "b", parts(IMAGE[:-2] + b';a="\\' * 800, n)),
    "a header of spaces": lambda n: (TYPE + "b", parts(IMAGE[:-2] + b";" + b" " * 4000, n)),
    "a file name of backslashes": lambda n: (
        TYPE + "b",
        parts(IMAGE[:-2] + b'; filename="' + b"\\" * 3900, n),
    ),
    "a giant field of another name": lambda n: (
        TYPE + "b",
        form(b"x" * n, header=b"Content-Disposition: form-data; name=x\r\n"),
    ),
    "a giant url": lambda n: (
        TYPE + "b",
        form(b"http://" + b"a." * (n // 2), header=b"Content-Disposition: form-data; name=url\r\n"),
    ),
    "a giant url of spaces": lambda n: (
        TYPE + "b",
        form(b" " * n, header=b"Content-Disposition: form-data; name=url\r\n"),
    ),
    "lines that end in LF": lambda n: (TYPE + "b", form(filled(b"\r\n--", n)).replace(b"\r", b"")),
    "boundaries that end in LF": lambda n: (TYPE + "b", filled(b"--b\n", n)),
    "a type of semicolons": lambda n: ("multipart/form-data" + "; " * (n // 2), b"x"),
    "a type of quotes": lambda n: ("multipart/form-data" + ';a="x' * (n // 5), b"x"),
    "a type of escaped quotes": lambda n: ("multipart/form-data" + ';a="\\' * (n // 5), b"x"),
    "a type of spaces": lambda n: ("multipart/form-data;" + " " * n, b"x"),
    "a type of one long name": lambda n: ("multipart/form-data;" + "a" * n, b"x"),
    "a giant boundary": lambda n: (TYPE + "b" * n, b"--" + b"b" * n + b"\r\n"),
    "a giant quoted boundary": lambda n: (TYPE + '"' + '\\"' * (n // 2) + '"', b"--"),
}  # fmt: skip
BODIES: dict[str, Callable[[int], tuple[str | bytes, bool | None]]] = {
    "base64": lambda n: (base64.b64encode(b"\xff" * n).decode(), True),
    "base64 in lines": lambda n: (base64.encodebytes(b"\xff" * n).decode(), True),
    "base64 of line ends": lambda n: ("QQ==" + "\r\n" * n, True),
    "base64 of padding": lambda n: ("=" * n, True),
    "base64 with padding inside": lambda n: ("QQ==" * (n // 4), True),
    "base64 of spaces": lambda n: (" " * n, True),
    "unsaid: line ends": lambda n: ("\r\n" * (n // 2), None),
    "unsaid: bytes of base64": lambda n: (b"QUJD" * (n // 4), None),
    "unsaid: bytes of padding": lambda n: (b"A" * n + b"===", None),
    "text": lambda n: ("\u00e9" * (n // 2), False),
}
URLS: dict[str, Callable[[int], str]] = {
    "labels": lambda n: "http://" + "a." * (n // 2),
    "dots": lambda n: "http://" + "." * n,
    "an international name": lambda n: "http://" + "\u00fc" * n,
    "colons": lambda n: "http://[" + ":" * n + "]/",
    "users": lambda n: "http://" + "a@" * (n // 2) + "b/",
    "percent signs": lambda n: "http://a.example/" + "%" * n,
    "characters to encode": lambda n: "http://a.example/" + "\u00fc" * n,
}


def answer_form(make: Case, size: int) -> None:
    parse_body(*make(size), max_images=32, max_urls=8)


def answer_body(make: Callable[[int], tuple[str | bytes, bool | None]], size: int) -> None:
    body, is_base64 = make(size)
    event = {"body": body, "isBase64Encoded": is_base64}
    decode_body(parse_event(event, None), 4 * LARGEST)


def answer_url(make: Callable[[int], str], size: int) -> None:
    url = make(size)
    describe_url(url)
    is_listed(parse_url(url).host, {"*.a.example"})


INPUTS: dict[str, tuple[Callable[[Any, int], None], Any]] = {
    **{f"form: {name}": (answer_form, make) for name, make in FORMS.items()},
    **{f"body: {name}": (answer_body, make) for name, make in BODIES.items()},
    **{f"url: {name}": (answer_url, make) for name, make in URLS.items()},
}


def answer(name: str, size: int) -> None:
    """Run a case; it may be refused."""
    check, make = INPUTS[name]
    with suppress(GatewayError):
        check(make, size)


def calls(name: str, size: int) -> int:
    """Return the number of function calls for an input of that size."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        answer(name, size)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.promise("linear-work")
@pytest.mark.parametrize("name", INPUTS)
def test_calls_grow_no_faster_than_what_is_sent(name: str) -> None:
    calls(name, 5_000)  # The first time, caches are filled and modules imported.

    assert calls(name, 20_000) <= 4 * calls(name, 5_000) + 20


def main() -> None:
    """Run every case at full size."""
    for name in INPUTS:
        answer(name, LARGEST)
        print(name, flush=True)


RUN_ALL = f"""
import resource
resource.setrlimit(resource.RLIMIT_CPU, ({PROCESSOR_SECONDS}, {PROCESSOR_SECONDS}))
from tests.trust.test_linear import main
main()
"""


@pytest.mark.promise("linear-work")
def test_everything_is_answered_at_full_size() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == list(INPUTS), done.stderr
    assert done.returncode == 0
