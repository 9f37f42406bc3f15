"""Target `fetch`: every url and server yields bytes within the limits, or a part's error.

The input's first line is the url. Each further section, after a line ``%hop``, describes the next
host name that is resolved: a line of addresses, then the bytes that the server sends, and after
``%repeat`` the bytes that it sends repeatedly.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

from fuzz.network import RECEIVE_SECONDS, TIMEOUT_SECONDS, Hop, MemoryNetwork
from gateway.errors import PartError, UrlNotAllowed
from gateway.exchange import MAX_OVERHEAD_BYTES
from gateway.fetch import MAX_REDIRECTS
from gateway.urls import MAX_URL_LENGTH, describe_url, parse_url

MAX_BYTES = 1000
BUFFER_BYTES = 65_536
"""Bytes that may be read ahead."""

NEXT_HOP = b"\n%hop\n"
REPEAT = b"%repeat\n"
HOST = re.compile(r"[\x21-\x7e]+")
REQUEST_HEAD = re.compile(
    rb"GET /[\x21-\x7e]* HTTP/1\.1\r\n"
    rb"Host: [\x21-\x7e]+\r\n"
    rb"Accept: [ -~]+\r\n"
    rb"Accept-Encoding: identity\r\n"
    rb"User-Agent: matchvec/0\.2 \(\+https://[\w./-]+\)\r\n"
    rb"Connection: close\r\n\r\n"
)
"""The expected request. A url must not add lines or words to it."""


def check(data: bytes) -> None:
    """Fetch one url, and fail if a limit or a network rule is violated."""
    url, *sections = data.split(NEXT_HOP)
    text = url.decode("utf-8", "surrogateescape")
    check_url(text)
    network = MemoryNetwork([hop_of(section) for section in sections] or [Hop((), b"")])
    try:
        content = network.fetcher(MAX_BYTES).fetch(text, network.deadline)
    except PartError:
        content = b""
    assert len(content) <= MAX_BYTES
    check_network(network)


def check_url(url: str) -> None:
    """Check that a valid url leads to the same address after it is normalised again."""
    assert "@" not in describe_url(url)
    try:
        target = parse_url(url)
    except UrlNotAllowed:
        return
    again = f"{target.scheme}://{target.authority}{target.resource}"
    if len(again) <= MAX_URL_LENGTH:
        assert parse_url(again) == target


def check_network(network: MemoryNetwork) -> None:
    """Check the addresses connected to, the requests sent, and the limits."""
    assert len(network.looked_up) <= 1 + MAX_REDIRECTS
    assert len(network.connections) <= len(network.looked_up)
    assert all(HOST.fullmatch(host) for host in network.looked_up)
    assert network.now <= TIMEOUT_SECONDS + RECEIVE_SECONDS
    for connection in network.connections:
        assert connection.port in (80, 443)
        assert connection.address in connection.hop.addresses
        assert not any(map(is_internal, connection.hop.addresses))
        assert REQUEST_HEAD.fullmatch(connection.sent), connection.sent
        assert connection.received <= MAX_BYTES + MAX_OVERHEAD_BYTES + BUFFER_BYTES
        assert connection.is_closed


def is_internal(address: str) -> bool:
    """Return whether Python's standard library, which our code does not use here, says internal."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return True
    if isinstance(parsed, IPv6Address):
        if parsed.sixtofour or parsed.teredo or parsed.ipv4_mapped or parsed.scope_id:
            return True
        if parsed.is_site_local:
            return True
    return (
        parsed.is_private
        or parsed.is_loopback
        or parsed.is_link_local
        or parsed.is_multicast
        or parsed.is_reserved
        or parsed.is_unspecified
    )


def hop_of(section: bytes) -> Hop:
    """Parse one section of the input."""
    addresses, _, answer = section.partition(b"\n")
    answer, _, repeated = answer.partition(REPEAT)
    return Hop(tuple(addresses.decode("latin-1").split()), answer, repeated)
