"""What a url's server sends before the file: interim answers and redirects of every spelling."""

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
    "with a length of its own": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "with a target of its own": b"HTTP/1.1 103 Early Hints\r\nLocation: http://b/\r\n\r\n",
    "as many as are read": HINTS * MAX_INTERIM,
}


def fetch(answers: dict[str, bytes], url: str = "http://a.example/") -> bytes:
    return FakeNetwork(answers).fetcher().fetch(url, Deadline.after(5))


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_interim_answers_are_skipped(interim: bytes) -> None:
    assert fetch({"a.example/": interim + http_answer(PICTURE)}) == PICTURE


def test_a_redirect_behind_an_interim_answer_is_followed() -> None:
    answers = {
        "a.example/": HINTS + http_answer(b"", "302 Found", ["Location: /b"]),
        "a.example/b": HINTS + http_answer(PICTURE),
    }

    assert fetch(answers) == PICTURE


NOT_FINAL = {
    "more than are read": HINTS * (MAX_INTERIM + 1) + http_answer(PICTURE),
    "100 Continue without end": CONTINUE * 10_000,
    "nothing behind it": HINTS,
    "the header cut off": HINTS[:-2],
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "a status below all": b"HTTP/1.1 99 Odd\r\n\r\n" + http_answer(PICTURE),
    "a status above all": b"HTTP/1.1 1000 Odd\r\n\r\n" + http_answer(PICTURE),
}


@pytest.mark.parametrize("answer", NOT_FINAL.values(), ids=NOT_FINAL)
def test_without_a_final_answer_there_is_no_file(answer: bytes) -> None:
    with pytest.raises(UrlUnreachable):
        fetch({"a.example/": answer})


LOCATIONS = {
    "UTF-8 as it is": ("/é.jpg", "a.example/%C3%A9.jpg"),
    "white space around it": (" \t /b.jpg \t ", "a.example/b.jpg"),
    "a name in UTF-8": ("http://bücher.example/", "xn--bcher-kva.example/"),
    "relative": ("c.jpg", "a.example/b/c.jpg"),
    "dots": ("../../c.jpg", "a.example/c.jpg"),
    "a query only": ("?c", "a.example/b/?c"),
    "a fragment": ("/c.jpg#d", "a.example/c.jpg"),
}


@pytest.mark.parametrize(("location", "asked"), LOCATIONS.values(), ids=LOCATIONS)
def test_a_redirect_is_read_as_browsers_do(location: str, asked: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    answers = {"a.example/b/": head.encode(), asked: http_answer(PICTURE)}

    assert fetch(answers, "http://a.example/b/") == PICTURE


ODD_LOCATIONS: dict[str, tuple[bytes, type[PartError]]] = {
    "not UTF-8": (b"/\xff", UrlUnreachable),  # Asked for with a question mark: not found.
    "longer than a url": (b"/" + b"b" * 3000, UrlNotAllowed),
    "folded": (b"http://a.example/b\r\n c", UrlUnreachable),
    "a backslash": (b"\\\\127.0.0.1/", UrlNotAllowed),
    "a number": (b"http://2130706433/", UrlNotAllowed),
    "no scheme, no host": (b"//", UrlUnreachable),
    "two of them": (b"http://b.example/\r\nLocation: http://c.example/", UrlUnreachable),
    "a user": (b"//a@127.0.0.1/", UrlNotAllowed),
}


@pytest.mark.parametrize(("location", "error"), ODD_LOCATIONS.values(), ids=ODD_LOCATIONS)
def test_an_odd_redirect_leads_nowhere(location: bytes, error: type[PartError]) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(error):
        fetch({"a.example/": answer})
