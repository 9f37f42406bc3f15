"""Responses before the final one: interim responses and redirects."""

from __future__ import annotations

import pytest

from gateway.deadline import Deadline
from gateway.errors import PartError, UrlNotAllowed, UrlUnreachable
from gateway.exchange import MAX_INTERIM
from tests.support.network import FakeNetwork, http_answer

PICTURE = b"\xff\xd8 picture"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
INTERIM = {
    "100 Continue": CONTINUE,
    "102 Processing": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103 Early Hints": HINTS,
    "several": CONTINUE + HINTS + HINTS,
    "with a content length": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "with a location": b"HTTP/1.1 103 Early Hints\r\nLocation: http://b/\r\n\r\n",
    "the maximum": HINTS * MAX_INTERIM,
}


def fetch(answers: dict[str, bytes], url: str = "http://a.example/") -> bytes:
    return FakeNetwork(answers).fetcher().fetch(url, Deadline.after(5))


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_interim_responses_are_skipped(interim: bytes) -> None:
    assert fetch({"a.example/": interim + http_answer(PICTURE)}) == PICTURE


def test_a_redirect_after_an_interim_response_is_followed() -> None:
    answers = {
        "a.example/": HINTS + http_answer(b"", "302 Found", ["Location: /b"]),
        "a.example/b": HINTS + http_answer(PICTURE),
    }

    assert fetch(answers) == PICTURE


NOT_FINAL = {
    "over the maximum": HINTS * (MAX_INTERIM + 1) + http_answer(PICTURE),
    "endless 100 Continue": CONTINUE * 10_000,
    "nothing after it": HINTS,
    "truncated header": HINTS[:-2],
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "status below 100": b"HTTP/1.1 99 Odd\r\n\r\n" + http_answer(PICTURE),
    "status above 999": b"HTTP/1.1 1000 Odd\r\n\r\n" + http_answer(PICTURE),
}


@pytest.mark.parametrize("answer", NOT_FINAL.values(), ids=NOT_FINAL)
def test_a_missing_final_response_is_an_error(answer: bytes) -> None:
    with pytest.raises(UrlUnreachable):
        fetch({"a.example/": answer})


LOCATIONS = {
    "raw UTF-8": ("/é.jpg", "a.example/%C3%A9.jpg"),
    "white space around it": (" \t /b.jpg \t ", "a.example/b.jpg"),
    "host in UTF-8": ("http://bücher.example/", "xn--bcher-kva.example/"),
    "relative": ("c.jpg", "a.example/b/c.jpg"),
    "dots": ("../../c.jpg", "a.example/c.jpg"),
    "query only": ("?c", "a.example/b/?c"),
    "a fragment": ("/c.jpg#d", "a.example/c.jpg"),
}


@pytest.mark.parametrize(("location", "requested"), LOCATIONS.values(), ids=LOCATIONS)
def test_location(location: str, requested: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    answers = {"a.example/b/": head.encode(), requested: http_answer(PICTURE)}

    assert fetch(answers, "http://a.example/b/") == PICTURE


BAD_LOCATIONS: dict[str, tuple[bytes, type[PartError]]] = {
    "not UTF-8": (b"/\xff", UrlUnreachable),  # Requested with a replacement character: not found.
    "longer than a url": (b"/" + b"b" * 3000, UrlNotAllowed),
    "folded": (b"http://a.example/b\r\n c", UrlUnreachable),
    "a backslash": (b"\\\\127.0.0.1/", UrlNotAllowed),
    "a number": (b"http://2130706433/", UrlNotAllowed),
    "no scheme, no host": (b"//", UrlUnreachable),
    "two of them": (b"http://b.example/\r\nLocation: http://c.example/", UrlUnreachable),
    "a user": (b"//a@127.0.0.1/", UrlNotAllowed),
}


@pytest.mark.promise("url-public")
@pytest.mark.parametrize(("location", "error"), BAD_LOCATIONS.values(), ids=BAD_LOCATIONS)
def test_a_bad_location_is_an_error(location: bytes, error: type[PartError]) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(error):
        fetch({"a.example/": answer})
