from __future__ import annotations

import pytest

from gateway.urls import Target, describe_url, is_listed, parse_url

URLS = {
    "plain": ("http://a.example/b.jpg", Target("http", "a.example", 80, "/b.jpg")),
    "TLS": ("https://a.example/b.jpg", Target("https", "a.example", 443, "/b.jpg")),
    "ports": ("http://a.example:443/b", Target("http", "a.example", 443, "/b")),
    "no path": ("http://a.example", Target("http", "a.example", 80, "/")),
    "query": ("http://a.example/b?c=d&e", Target("http", "a.example", 80, "/b?c=d&e")),
    "fragment": ("http://a.example/b#c", Target("http", "a.example", 80, "/b")),
    "capitals": ("HTTP://A.Example/B", Target("http", "a.example", 80, "/B")),
    "accents": (
        "http://bücher.example/é.jpg?ü=1",
        Target("http", "xn--bcher-kva.example", 80, "/%C3%A9.jpg?%C3%BC=1"),
    ),
    "encoded already": ("http://a.example/%20b", Target("http", "a.example", 80, "/%20b")),
    "IPv6": ("http://[2606:2800::1]/b", Target("http", "2606:2800::1", 80, "/b")),
}


@pytest.mark.parametrize(("url", "target"), URLS.values(), ids=URLS)
def test_url_is_taken_apart(url: str, target: Target) -> None:
    assert parse_url(url) == target


DESCRIPTIONS = {
    "plain": ("http://a.example/b.jpg", "http://a.example/b.jpg"),
    "secrets": ("https://u:p@a.example/b.jpg?X-Amz-Signature=1#f", "https://a.example/b.jpg"),
    "broken": ("http://[::1", ""),
    "credentials in the wrong place": ("user:secret@host/path", ""),
}


@pytest.mark.parametrize(("url", "description"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_url_is_described_without_secrets(url: str, description: str) -> None:
    assert describe_url(url) == description


LISTED = {
    "itself": ("a.example", True),
    "below a star": ("www.b.example", True),
    "far below a star": ("x.www.b.example", True),
    "the star's own name": ("b.example", False),
    "a name before it": ("xa.example", False),
    "a name below it": ("www.a.example", False),
    "a name behind it": ("a.example.org", False),
    "a dot at the end": ("a.example.", False),
    "star": ("*.b.example.org", False),
    "another": ("example", False),
    "address": ("8.8.8.8", False),
}


@pytest.mark.parametrize(("host", "listed"), LISTED.values(), ids=LISTED)
def test_a_host_is_listed(host: str, listed: bool) -> None:
    assert is_listed(host, frozenset({"a.example", "*.b.example"})) is listed
