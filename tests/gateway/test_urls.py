from __future__ import annotations

import pytest

from gateway.errors import UrlNotAllowed
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
    "sharp s": ("http://fa\u00df.de/", Target("http", "xn--fa-hia.de", 80, "/")),
    "final sigma": (
        "http://\u03b2\u03cc\u03bb\u03bf\u03c2.example/",
        Target("http", "xn--nxasmm1c.example", 80, "/"),
    ),
    "full-width letters and dot": (
        "http://\uff41\u3002example/",
        Target("http", "a.example", 80, "/"),
    ),
    "underscore and an accent": (
        "http://a_b.\u00e9/",
        Target("http", "a_b.xn--9ca", 80, "/"),
    ),
    "encoded already": ("http://a.example/%20b", Target("http", "a.example", 80, "/%20b")),
    "IPv6": ("http://[2606:2800::1]/b", Target("http", "2606:2800::1", 80, "/b")),
    "IPv4": ("http://8.8.8.8/b", Target("http", "8.8.8.8", 80, "/b")),
    "IPv4 in full-width digits": (
        "http://\uff18.\uff18.\uff18\u3002\uff18/b",
        Target("http", "8.8.8.8", 80, "/b"),
    ),
    "name that starts with a number": ("http://8.a/b", Target("http", "8.a", 80, "/b")),
    "trailing dot": ("http://a.example./b", Target("http", "a.example.", 80, "/b")),
    "at sign in the fragment": (
        "http://a.example#@127.0.0.1/",
        Target("http", "a.example", 80, "/"),
    ),
    "at sign in the query": (
        "http://a.example?@127.0.0.1/",
        Target("http", "a.example", 80, "/?@127.0.0.1/"),
    ),
    "underscore": ("http://a_b.example/", Target("http", "a_b.example", 80, "/")),
    "empty port": ("http://a.example:/b", Target("http", "a.example", 80, "/b")),
}


@pytest.mark.parametrize(("url", "target"), URLS.values(), ids=URLS)
def test_parse_url(url: str, target: Target) -> None:
    assert parse_url(url) == target


MALFORMED_HOSTS = {
    "hexadecimal": "http://0x7f.1/",
    "hexadecimal, whole": "http://0x7f000001/",
    "hexadecimal, empty": "http://127.0.0.0x/",
    "octal": "http://0177.0.0.1/",
    "a leading zero": "http://127.0.0.01/",
    "a number": "http://2130706433/",
    "two numbers": "http://127.1/",
    "five numbers": "http://1.127.0.0.1/",
    "numbers too large": "http://383.0.0.1/",
    "address with a trailing dot": "http://127.0.0.1./",
    "full-width hexadecimal": "http://\uff10\uff58\uff17\uff46.\uff11/",
    "a name whose last label is a number": "http://a.example.1/",
    "IPv6 with a zone": "http://[fe80::1%25eth0]/",
    "IPv6 with a zone, public": "http://[2606:2800::1%25eth0]/",
    "a future address": "http://[v1.a:b]/",
    "IPv4 in brackets": "http://[127.0.0.1]/",
    "percent-encoded host": "http://%31%32%37.0.0.1/",
    "percent-encoded at": "http://a.example%40127.0.0.1/",
    "percent-encoded slash": "http://a.example%2f@127.0.0.1/",
    "percent-encoded null": "http://127.0.0.1%00.a.example/",
    "comma": "http://a.example,127.0.0.1/",
    "quote": 'http://a.example"/',
    "angle bracket": "http://<a.example>/",
    "bar": "http://a.example|b/",
    "empty label": "http://a..example/",
    "only a dot": "http://./",
    "dot first": "http://.a.example/",
    "no-break space": "http://a\xa0.example/",
    "full-width slash": "http://a.example\uff0fb/",
    "full-width colon": "http://a.example\uff1a22/",
    "full-width at sign": "http://a.example\uff20127.0.0.1/",
    "a name too long": "http://" + "a." * 127 + "example/",
    "lone surrogate": "http://a\ud800.example/",
}


@pytest.mark.promise("url-public")
@pytest.mark.parametrize("url", MALFORMED_HOSTS.values(), ids=MALFORMED_HOSTS)
def test_a_malformed_host_is_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        parse_url(url)


AMBIGUOUS = {
    "no slashes": "http:a.example/b",
    "one slash": "http:/a.example/b",
    "three slashes": "http:///a.example/b",
    "only slashes": "//a.example/b",
    "leading space": " http://a.example/",
    "a tab in the scheme": "ht\ttp://a.example/",
    "a tab in the host": "http://a.exa\tmple/",
    "trailing line break": "http://a.example/\n",
    "backslashes": "http:\\\\a.example/",
    "user": "http://a@b/",
    "user and port": "http://a.example:80@127.0.0.1/",
    "two users": "http://a@b@127.0.0.1/",
}


@pytest.mark.parametrize("url", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_url_is_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        parse_url(url)


DESCRIPTIONS = {
    "plain": ("http://a.example/b.jpg", "http://a.example/b.jpg"),
    "secrets": ("https://u:p@a.example/b.jpg?X-Amz-Signature=1#f", "https://a.example/b.jpg"),
    "broken": ("http://[::1", ""),
    "misplaced credentials": ("user:secret@host/path", ""),
    "over the length limit": ("http://a.example/" + "b" * 2048, ""),
}


@pytest.mark.parametrize(("url", "description"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_describe_url_omits_secrets(url: str, description: str) -> None:
    assert describe_url(url) == description


LISTED = {
    "same name": ("a.example", True),
    "subdomain of a wildcard": ("www.b.example", True),
    "deep subdomain of a wildcard": ("x.www.b.example", True),
    "name of the wildcard itself": ("b.example", False),
    "longer label": ("xa.example", False),
    "subdomain": ("www.a.example", False),
    "longer domain": ("a.example.org", False),
    "trailing dot": ("a.example.", False),
    "star": ("*.b.example.org", False),
    "another": ("example", False),
    "address": ("8.8.8.8", False),
}


@pytest.mark.parametrize(("host", "listed"), LISTED.values(), ids=LISTED)
def test_is_listed(host: str, listed: bool) -> None:
    assert is_listed(host, frozenset({"a.example", "*.b.example"})) is listed
