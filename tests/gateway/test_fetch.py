from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace
from typing import Any

import pytest

from gateway import fetch
from gateway.deadline import Deadline
from gateway.errors import (
    PartError,
    UrlNotAllowed,
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
    "empty": ("", "Only http and https"),
    "file": ("file:///etc/passwd", "Only http and https"),
    "ftp": ("ftp://a.example/b", "Only http and https"),
    "data": ("data:image/png;base64,AAAA", "Only http and https"),
    "gopher": ("gopher://a.example/", "Only http and https"),
    "no scheme": ("a.example/b.jpg", "Only http and https"),
    "no host": ("http:///b.jpg", "no host name"),
    "user": ("http://user@a.example/", "user name or password"),
    "password": ("http://user:pw@a.example/", "user name or password"),
    "empty user": ("http://@a.example/", "user name or password"),
    "other port": ("http://a.example:8080/", "ports 80 and 443"),
    "port 0": ("http://a.example:0/", "ports 80 and 443"),
    "no port": ("http://a.example:port/", "not well-formed"),
    "port too large": ("http://a.example:99999/", "not well-formed"),
    "space": ("http://a.example/b c", "spaces, backslashes or control"),
    "line break": ("http://a.example/b\r\nHost: c", "spaces, backslashes or control"),
    "backslash": ("http://a.example\\@127.0.0.1/", "spaces, backslashes or control"),
    "null": ("http://a.example/\x00", "spaces, backslashes or control"),
    "broken IPv6": ("http://[::1/", "not well-formed"),
    "label too long": ("http://" + "a" * 64 + ".example/", "not well-formed"),
    "half a character": ("http://a.example/\udc99", "not well-formed"),
    "half a character in the query": ("http://a.example/?\ud800", "not well-formed"),
    "too long": ("http://a.example/" + "b" * 2048, "longer than 2048"),
}


@pytest.mark.parametrize(("url", "message"), REFUSED_URLS.values(), ids=REFUSED_URLS)
def test_refused_url(url: str, message: str) -> None:
    network = FakeNetwork()
    with pytest.raises(UrlNotAllowed, match=message):
        network.fetcher().fetch(url, soon())

    assert network.connections == []


def test_the_file_is_fetched_from_the_address_that_was_checked() -> None:
    network = FakeNetwork({"a.example/b.jpg?c": http_answer(PICTURE)})

    assert network.fetcher().fetch("http://a.example/b.jpg?c", soon()) == PICTURE
    assert network.connections == [(PUBLIC, 80)]


def test_nothing_but_the_file_is_asked_for() -> None:
    network = FakeNetwork({"a.example/b": http_answer(PICTURE)})
    network.fetcher().fetch("http://a.example/b", soon())

    assert network.requests == [
        "GET /b HTTP/1.1\r\n"
        "Host: a.example\r\n"
        "Accept: image/jpeg, image/png, image/webp, image/gif, image/bmp, image/tiff, */*;q=0.1\r\n"
        "Accept-Encoding: identity\r\n"
        "User-Agent: matchvec\r\n"
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
def test_internal_addresses_are_never_connected_to(addresses: list[str]) -> None:
    network = FakeNetwork(addresses={"a.example": addresses})
    with pytest.raises(UrlNotAllowed, match="not on the public internet"):
        network.fetcher().fetch("http://a.example/", soon())

    assert network.connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
def test_spellings_of_loopback_are_refused_by_the_real_resolver(host: str) -> None:
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


REDIRECTS = {
    "to an internal name": ("http://internal.example/", UrlNotAllowed),
    "to another scheme": ("file:///etc/passwd", UrlNotAllowed),
    "to another port": ("http://b.example:22/", UrlNotAllowed),
    "with a password": ("http://u:p@b.example/", UrlNotAllowed),
    "in a circle": ("http://a.example/", UrlUnreachable),
    "to nowhere": ("http://gone.invalid/", UrlUnreachable),
}


@pytest.mark.parametrize(("location", "error"), REDIRECTS.values(), ids=REDIRECTS)
def test_redirects_pass_the_same_gate(location: str, error: type[PartError]) -> None:
    network = FakeNetwork(
        {"a.example/": redirect(location)}, addresses={"internal.example": ["192.168.1.1"]}
    )
    with pytest.raises(error):
        network.fetcher().fetch("http://a.example/", soon())

    assert all(address == PUBLIC for address, _ in network.connections)
    assert len(network.connections) <= 4


ANSWERS: dict[str, tuple[bytes, type[PartError], str]] = {
    "not found": (http_answer(b"", "404 Not Found"), UrlUnreachable, "answers 404"),
    "forbidden": (http_answer(b"", "403 Forbidden"), UrlUnreachable, "answers 403"),
    "redirect without a target": (http_answer(b"", "302 Found"), UrlUnreachable, "answers 302"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", UrlUnreachable, "broke off"),
    "nothing": (b"", UrlUnreachable, "broke off"),
    "larger than it may be": (http_answer(b"x" * 10_001), UrlTooLarge, "larger than 10000 bytes"),
    "larger, unsaid": (
        http_answer(b"x" * 10_001, length=False),
        UrlTooLarge,
        "larger than 10000 bytes",
    ),
    "cut off": (http_answer(b"x" * 50)[:-10], UrlUnreachable, "broke off"),
    "interim answers with large heads": (
        (b"HTTP/1.1 103 Early Hints\r\nX: " + b"a" * 60_000 + b"\r\n\r\n") * 6,
        UrlTooLarge,
        "sends more than a file of 10000 bytes needs",
    ),
    "chunks that are mostly extension": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1;" + b"x" * 50_000 + b"\r\nx\r\n") * 8,
        UrlTooLarge,
        "sends more than a file of 10000 bytes needs",
    ),
    "trailers without end": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 60_000,
        UrlTooLarge,
        "sends more than a file of 10000 bytes needs",
    ),
    "endless header": (
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
        UrlUnreachable,
        "broke off",
    ),
}


@pytest.mark.parametrize(("answer", "error", "message"), ANSWERS.values(), ids=ANSWERS)
def test_bad_answer(answer: bytes, error: type[PartError], message: str) -> None:
    network = FakeNetwork({"a.example/": answer})
    with pytest.raises(error, match=message):
        network.fetcher().fetch("http://a.example/", soon())


def test_a_file_without_a_length_is_read_to_its_end() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE, length=False)})

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE


def test_a_chunked_file_is_joined() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    network = FakeNetwork({"a.example/": chunked})

    assert network.fetcher().fetch("http://a.example/", soon()) == b"abcde"


def test_an_unknown_name_is_unreachable() -> None:
    with pytest.raises(UrlUnreachable, match="host name is not known"):
        FakeNetwork().fetcher().fetch("http://nobody.invalid/", soon())


def test_a_refused_connection_is_unreachable() -> None:
    def refuse(_address: str, _port: int, _seconds: float) -> socket.socket:
        raise ConnectionRefusedError

    fetcher = Fetcher(100, 5, resolver=lambda _host, _port: [PUBLIC], connector=refuse)
    with pytest.raises(UrlUnreachable, match="can't be reached"):
        fetcher.fetch("http://a.example/", soon())


def test_the_next_address_is_tried_when_one_leads_nowhere() -> None:
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
    """A server that sends a byte now and then, for ever: every single wait is short."""
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


def test_one_deadline_holds_for_the_whole_fetch() -> None:
    stop = threading.Event()
    fetcher = Fetcher(
        100, 0.1, resolver=lambda _host, _port: [PUBLIC], connector=lambda *_: dripping(stop)
    )
    try:
        with pytest.raises(UrlTimeout, match=r"within 0\.1 seconds"):
            fetcher.fetch("http://a.example/", soon())
    finally:
        stop.set()


def test_the_request_s_deadline_comes_before_the_fetch_s() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    with pytest.raises(UrlTimeout):
        network.fetcher().fetch("http://a.example/", Deadline.after(0))

    assert network.connections == []


def test_only_allowed_hosts_are_opened() -> None:
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
        with pytest.raises(UrlNotAllowed, match="not among those that are opened here"):
            fetcher.fetch(url, soon())
    assert "Host: b.example" not in "".join(network.requests)


def test_an_allowed_host_has_to_be_public_too() -> None:
    network = FakeNetwork(addresses={"a.example": ["10.0.0.1"]})
    fetcher = replace(network.fetcher(), allowed_hosts=frozenset({"a.example"}))
    with pytest.raises(UrlNotAllowed, match="not on the public internet"):
        fetcher.fetch("http://a.example/", soon())

    assert network.connections == []


def test_no_url_is_opened_where_fetching_is_off() -> None:
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    with pytest.raises(UrlNotAllowed, match="send the picture itself"):
        replace(network.fetcher(), is_enabled=False).fetch("http://a.example/", soon())

    assert network.connections == []


class RecordingTls(ssl.SSLContext):
    """Notes which name a certificate would be verified against."""

    names: list[str | None]

    def wrap_socket(self, sock: socket.socket, *_: object, **options: Any) -> Any:
        self.names.append(options["server_hostname"])
        return sock


def test_tls_is_verified_against_the_name_not_the_address() -> None:
    tls = RecordingTls(ssl.PROTOCOL_TLS_CLIENT)
    tls.names = []
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})
    fetcher = Fetcher(100, 5, resolver=network.resolve, connector=network.connect, tls=lambda: tls)

    assert fetcher.fetch("https://a.example/", soon()) == PICTURE
    assert tls.names == ["a.example"]
    assert network.connections == [(PUBLIC, 443)]


def test_the_default_tls_context_verifies() -> None:
    tls = Fetcher(100, 5).tls()

    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


def test_no_switch_opens_internal_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    network = FakeNetwork({"a.example/": http_answer(PICTURE)})

    assert network.fetcher().fetch("http://a.example/", soon()) == PICTURE
    assert network.connections == [(PUBLIC, 80)]
    assert Fetcher(1, 1).resolver is fetch.resolve
