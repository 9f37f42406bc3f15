from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from dataclasses import replace
from typing import Any

import pytest

from gateway import fetch
from gateway.deadline import Deadline
from gateway.errors import (
    PartError,
    UrlNotAllowed,
    UrlNotAnImage,
    UrlTimeout,
    UrlTooLarge,
    UrlUnreachable,
)
from gateway.fetch import Fetcher
from tests.support.network import PUBLIC, FakeNetwork, http_answer

PICTURE = b"\xff\xd8 picture"


def soon() -> Deadline:
    return Deadline.after(5)


def redirect(location: str, status: str = "302 Found") -> bytes:
    return http_answer(b"moved", status, [f"Location: {location}"])


REFUSED_URLS = {
    "empty": "",
    "file": "file:///etc/passwd",
    "ftp": "ftp://a.example/b",
    "data": "data:image/png;base64,AAAA",
    "gopher": "gopher://a.example/",
    "no scheme": "a.example/b.jpg",
    "no host": "http:///b.jpg",
    "user": "http://user@a.example/",
    "password": "http://user:pw@a.example/",
    "empty user": "http://@a.example/",
    "other port": "http://a.example:8080/",
    "port 0": "http://a.example:0/",
    "no port": "http://a.example:port/",
    "port too large": "http://a.example:99999/",
    "space": "http://a.example/b c",
    "line break": "http://a.example/b\r\nHost: c",
    "backslash": "http://a.example\\@127.0.0.1/",
    "null": "http://a.example/\x00",
    "broken IPv6": "http://[::1/",
    "label too long": "http://" + "a" * 64 + ".example/",
    "lone surrogate": "http://a.example/\udc99",
    "lone surrogate in the query": "http://a.example/?\ud800",
    "too long": "http://a.example/" + "b" * 2048,
}


@pytest.mark.promise("url-schemes")
@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS)
def test_refused_url(url: str) -> None:
    network = FakeNetwork()
    with pytest.raises(UrlNotAllowed):
        network.fetcher().fetch(url, soon())

    assert network.connections == []


def test_the_connection_goes_to_the_checked_address() -> None:
    network = FakeNetwork({"a.example/b.jpg?c": http_answer(PICTURE)})

    assert network.fetcher().fetch("http://a.example/b.jpg?c", soon()) == PICTURE
    assert network.connections == [(PUBLIC, 80)]


@pytest.mark.promise("url-clean-request")
def test_request_headers() -> None:
    network = FakeNetwork({"a.example/b": http_answer(PICTURE)})
    network.fetcher().fetch("http://a.example/b", soon())

    assert network.requests == [
        "GET /b HTTP/1.1\r\n"
        "Host: a.example\r\n"
        "Accept: image/jpeg, image/png, image/webp, image/gif, image/bmp, image/tiff, */*;q=0.1\r\n"
        "Accept-Encoding: identity\r\n"
        "User-Agent: matchvec/0.2 (+https://github.com/ia-flash/matchvec)\r\n"
        "Connection: close\r\n\r\n"
    ]


INTERNAL = {
    "loopback": ["127.0.0.1"],
    "metadata": ["169.254.169.254"],
    "one of several": [PUBLIC, "10.0.0.1"],
    "IPv6": ["::1"],
    "mapped": ["::ffff:169.254.169.254"],
}


@pytest.mark.parametrize("addresses", INTERNAL.values(), ids=INTERNAL)
def test_internal_addresses_are_refused(addresses: list[str]) -> None:
    network = FakeNetwork(addresses={"a.example": addresses})
    with pytest.raises(UrlNotAllowed):
        network.fetcher().fetch("http://a.example/", soon())

    assert network.connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
def test_spellings_of_loopback_are_refused(host: str) -> None:
    connections: list[Any] = []

    def connect(*arguments: object) -> socket.socket:
        connections.append(arguments)
        raise OSError

    fetcher = Fetcher(100, 5, connector=connect)
    with pytest.raises(UrlNotAllowed):
        fetcher.fetch(f"http://{host}/", soon())

    assert connections == []


def test_redirects_are_followed() -> None:
    network = FakeNetwork(
        {
            "a.example/": redirect("/1", "301 Moved Permanently"),
            "a.example/1": redirect("http://b.example/2", "307 Temporary Redirect"),
            "b.example/2": redirect("//c.example/3", "308 Permanent Redirect"),
            "c.example/3": http_answer(PICTURE),
        }
    )

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE
    assert len(network.connections) == 4


BAD_REDIRECTS = {
    "to an internal name": ("http://internal.example/", UrlNotAllowed),
    "to another scheme": ("file:///etc/passwd", UrlNotAllowed),
    "to another port": ("http://b.example:22/", UrlNotAllowed),
    "with a password": ("http://u:p@b.example/", UrlNotAllowed),
    "in a loop": ("http://a.example/", UrlUnreachable),
    "to an unknown name": ("http://gone.invalid/", UrlUnreachable),
}


@pytest.mark.parametrize(("location", "error"), BAD_REDIRECTS.values(), ids=BAD_REDIRECTS)
def test_redirects_are_checked_like_urls(location: str, error: type[PartError]) -> None:
    network = FakeNetwork(
        {"a.example/": redirect(location)}, addresses={"internal.example": ["192.168.1.1"]}
    )
    with pytest.raises(error):
        network.fetcher().fetch("http://a.example/", soon())

    assert all(address == PUBLIC for address, _ in network.connections)
    assert len(network.connections) <= 11


BAD_RESPONSES: dict[str, tuple[bytes, type[PartError]]] = {
    "not found": (http_answer(b"", "404 Not Found"), UrlUnreachable),
    "forbidden": (http_answer(b"", "403 Forbidden"), UrlUnreachable),
    "redirect without a location": (http_answer(b"", "302 Found"), UrlUnreachable),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", UrlUnreachable),
    "nothing": (b"", UrlUnreachable),
    "over the limit": (http_answer(b"x" * 10_001), UrlTooLarge),
    "over the limit without a length": (
        http_answer(b"x" * 10_001, length=False),
        UrlTooLarge,
    ),
    "truncated": (http_answer(b"x" * 50)[:-10], UrlUnreachable),
    "interim responses with large headers": (
        (b"HTTP/1.1 103 Early Hints\r\nX: " + b"a" * 60_000 + b"\r\n\r\n") * 6,
        UrlTooLarge,
    ),
    "chunk extensions": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1;" + b"x" * 50_000 + b"\r\nx\r\n") * 8,
        UrlTooLarge,
    ),
    "endless trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 60_000,
        UrlTooLarge,
    ),
    "endless header": (
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
        UrlUnreachable,
    ),
}


@pytest.mark.promise("url-limits")
@pytest.mark.parametrize(("response", "error"), BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_bad_response(response: bytes, error: type[PartError]) -> None:
    network = FakeNetwork({"a.example/": response})
    with pytest.raises(error):
        network.fetcher().fetch("http://a.example/", soon())


def test_a_file_without_content_length_is_read_to_the_end() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE, length=False)})

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE


def test_a_chunked_file_is_joined() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    network = FakeNetwork({"a.example/": chunked})

    assert network.fetcher().fetch("http://a.example/", soon()) == b"abcde"


def test_ten_redirects_are_followed() -> None:
    hops = {f"a.example/{n}": redirect(f"/{n + 1}") for n in range(11)}
    network = FakeNetwork({**hops, "a.example/11": http_answer(PICTURE)})

    assert network.fetcher().fetch("http://a.example/1", soon()) == PICTURE
    with pytest.raises(UrlUnreachable):
        network.fetcher().fetch("http://a.example/0", soon())


DEFLATE = zlib.compressobj(wbits=-15)
CODINGS: dict[str, tuple[str, bytes]] = {
    "gzip": ("gzip", gzip.compress(PICTURE)),
    "x-gzip": ("X-GZIP", gzip.compress(PICTURE)),
    "deflate": ("deflate", zlib.compress(PICTURE)),
    "deflate without a container": ("deflate", DEFLATE.compress(PICTURE) + DEFLATE.flush()),
    "stored by S3": ("aws-chunked,gzip", gzip.compress(PICTURE)),
    "label only": ("gzip", PICTURE),
    "not a coding": ("utf-8", PICTURE),
}


@pytest.mark.parametrize(("coding", "content"), CODINGS.values(), ids=CODINGS)
def test_a_stored_content_encoding_is_decoded(coding: str, content: bytes) -> None:
    answer = http_answer(content, headers=[f"Content-Encoding: {coding}"])
    network = FakeNetwork({"a.example/": answer})

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE


BAD_CODINGS: dict[str, tuple[str, bytes, type[PartError]]] = {
    "brotli": ("br", b"\x0b\x02\x80", UrlNotAnImage),
    "truncated": ("gzip", gzip.compress(PICTURE)[:-4], UrlNotAnImage),
    "bomb": ("gzip", gzip.compress(bytes(10_001)), UrlTooLarge),
    "nested bomb": ("gzip, gzip", gzip.compress(gzip.compress(bytes(9_000_000))), UrlTooLarge),
}


@pytest.mark.parametrize(("coding", "content", "error"), BAD_CODINGS.values(), ids=BAD_CODINGS)
def test_a_bad_content_encoding(coding: str, content: bytes, error: type[PartError]) -> None:
    answer = http_answer(content, headers=[f"Content-Encoding: {coding}"])
    network = FakeNetwork({"a.example/": answer})
    with pytest.raises(error):
        network.fetcher().fetch("http://a.example/", soon())


STATUSES: dict[str, tuple[str, list[str], bool]] = {
    "203": ("203 Non-Authoritative Information", [], True),
    "206 of the whole": ("206 Partial Content", ["Content-Range: bytes 0-9/10"], True),
    "206 of the start": ("206 Partial Content", ["Content-Range: bytes 0-9/11"], False),
    "206 of the end": ("206 Partial Content", ["Content-Range: bytes 1-10/11"], False),
    "206 of an unknown size": ("206 Partial Content", ["Content-Range: bytes 0-9/*"], False),
    "206 without a range": ("206 Partial Content", [], False),
    "404 with a range": ("404 Not Found", ["Content-Range: bytes 0-9/10"], False),
    "202": ("202 Accepted", [], False),
    "204": ("204 No Content", [], False),
}


@pytest.mark.parametrize(("status", "headers", "is_file"), STATUSES.values(), ids=STATUSES)
def test_status(status: str, headers: list[str], is_file: bool) -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE, status, headers)})
    if is_file:
        assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE
        return
    with pytest.raises(UrlUnreachable):
        network.fetcher().fetch("http://a.example/", soon())


def test_an_unknown_name_is_unreachable() -> None:
    with pytest.raises(UrlUnreachable):
        FakeNetwork().fetcher().fetch("http://nobody.invalid/", soon())


def test_a_refused_connection_is_unreachable() -> None:
    def refuse(_address: str, _port: int, _seconds: float) -> socket.socket:
        raise ConnectionRefusedError

    fetcher = Fetcher(100, 5, resolver=lambda _host, _port: [PUBLIC], connector=refuse)
    with pytest.raises(UrlUnreachable):
        fetcher.fetch("http://a.example/", soon())


def test_the_next_address_is_tried_after_a_failure() -> None:
    network = FakeNetwork(
        {"a.example/": http_answer(PICTURE)}, {"a.example": ["2606:2800:220:1::1", PUBLIC]}
    )

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        if ":" in address:
            raise OSError("Network is unreachable")
        return network.connect(address, port, seconds)

    fetcher = Fetcher(100, 5, resolver=network.resolve, connector=connect)

    assert fetcher.fetch("http://a.example/", soon()) == PICTURE


def test_a_redirect_with_a_space_in_it_is_followed() -> None:
    network = FakeNetwork(
        {"a.example/": redirect("/a b.jpg"), "a.example/a%20b.jpg": http_answer(PICTURE)}
    )

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE


def dripping(stop: threading.Event) -> socket.socket:
    """Return a connection to a server that sends a byte every 10 ms, forever."""
    client, server = socket.socketpair()

    def drip() -> None:
        with server:
            while not stop.wait(0.01):
                try:
                    server.sendall(b"H")
                except OSError:
                    return

    threading.Thread(target=drip, daemon=True).start()
    return client


@pytest.mark.promise("url-limits")
def test_one_timeout_covers_the_whole_fetch() -> None:
    stop = threading.Event()
    fetcher = Fetcher(
        100, 0.1, resolver=lambda _host, _port: [PUBLIC], connector=lambda *_: dripping(stop)
    )
    try:
        with pytest.raises(UrlTimeout):
            fetcher.fetch("http://a.example/", soon())
    finally:
        stop.set()


def test_the_deadline_of_the_request_applies() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    with pytest.raises(UrlTimeout):
        network.fetcher().fetch("http://a.example/", Deadline.after(0))

    assert network.connections == []


@pytest.mark.promise("url-settings")
def test_only_allowed_hosts_are_fetched() -> None:
    network = FakeNetwork(
        {
            "a.example/": http_answer(PICTURE),
            "a.example/moved": redirect("http://b.example/"),
            "b.example/": http_answer(PICTURE),
        }
    )
    fetcher = replace(network.fetcher(), allowed_hosts=frozenset({"a.example"}))

    assert fetcher.fetch("http://A.example/", soon()) == PICTURE
    for url in ("http://b.example/", "http://a.example/moved", "http://93.184.216.34/"):
        with pytest.raises(UrlNotAllowed):
            fetcher.fetch(url, soon())
    assert "Host: b.example" not in "".join(network.requests)


@pytest.mark.promise("url-settings")
def test_an_allowed_host_must_be_public() -> None:
    network = FakeNetwork(addresses={"a.example": ["10.0.0.1"]})
    fetcher = replace(network.fetcher(), allowed_hosts=frozenset({"a.example"}))
    with pytest.raises(UrlNotAllowed):
        fetcher.fetch("http://a.example/", soon())

    assert network.connections == []


def test_fetching_can_be_disabled() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    with pytest.raises(UrlNotAllowed):
        replace(network.fetcher(), is_enabled=False).fetch("http://a.example/", soon())

    assert network.connections == []


class RecordingTls(ssl.SSLContext):
    """Records the names that certificates are verified against."""

    names: list[str | None]

    def wrap_socket(self, sock: socket.socket, *_: object, **options: Any) -> Any:
        self.names.append(options["server_hostname"])
        return sock


@pytest.mark.promise("url-certificates")
def test_tls_is_verified_against_the_host_name() -> None:
    tls = RecordingTls(ssl.PROTOCOL_TLS_CLIENT)
    tls.names = []
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    fetcher = Fetcher(100, 5, resolver=network.resolve, connector=network.connect, tls=lambda: tls)

    assert fetcher.fetch("https://a.example/", soon()) == PICTURE
    assert tls.names == ["a.example"]
    assert network.connections == [(PUBLIC, 443)]


@pytest.mark.promise("url-certificates")
def test_the_default_tls_context_verifies() -> None:
    tls = Fetcher(100, 5).tls()

    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


@pytest.mark.promise("url-clean-request")
def test_proxy_settings_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE
    assert network.connections == [(PUBLIC, 80)]
    assert Fetcher(1, 1).resolver is fetch.resolve
