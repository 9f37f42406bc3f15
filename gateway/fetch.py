"""A client's url -> bytes, without ever touching what is not public.

The rules, after OWASP's cheat sheet on server-side request forgery: only http and https on
their own ports; every address that the name resolves to must be public; the connection goes
to the very address that was checked, while TLS is still verified against the name; each
redirect is a new url that passes the same gate. There is no switch that opens internal
addresses: tests pass their own resolver and connector instead.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from urllib.parse import urljoin

from gateway.addresses import is_public
from gateway.deadline import Deadline
from gateway.errors import UrlNotAllowed, UrlTimeout, UrlTooLarge, UrlUnreachable
from gateway.urls import MAX_URL_LENGTH, Target, is_listed, parse_url

MAX_REDIRECTS = 3
MAX_INTERIM = 8
"""Answers such as 103 Early Hints before the final one: RFC 9110, section 15.2 sets no limit."""
MAX_OVERHEAD_BYTES = 1 << 18
"""What a server may send beside the file: header fields and the frame of its chunks. http.client
bounds each line of them, but not how many chunk extensions and trailers come."""
CHUNK_BYTES = 65536
ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/bmp, image/tiff, */*;q=0.1"
"""What can be decoded first: a server that negotiates would otherwise send AVIF."""

Resolver = Callable[[str, int], list[str]]
"""(host name, port) -> its addresses in text form; raises OSError where there are none."""

Connector = Callable[[str, int, float], socket.socket]
"""(address, port, seconds) -> a connected stream socket; raises OSError."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """A TCP connection to an address, which is not looked up again."""
    return socket.create_connection((address, port), timeout=seconds)


@cache
def verifying_tls() -> ssl.SSLContext:
    """A context that verifies certificates and names, one for all.

    It is made for the first https url, not at start: reading the system's certificates takes
    20 ms, which every cold start would pay.
    """
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches one picture at a time; holds no state, so threads may share it.

    Attributes:
        max_bytes: The largest file.
        timeout_seconds: For the whole fetch: look-up, every hop, every byte.
        resolver: Finds a name's addresses.
        connector: Opens a connection to a checked address.
        tls: Gives the context that verifies certificates against the name.
        is_enabled: Whether urls are opened at all.
        allowed_hosts: The only hosts that are, as `is_listed` takes them; empty for all.
    """

    max_bytes: int
    timeout_seconds: float
    resolver: Resolver = resolve
    connector: Connector = connect
    tls: Callable[[], ssl.SSLContext] = verifying_tls
    is_enabled: bool = True
    allowed_hosts: frozenset[str] = frozenset()

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """The file behind a url.

        Args:
            url: As the client wrote it.
            deadline: The request's; the fetch ends at the earlier of the two limits.

        Raises:
            UrlNotAllowed: The url, or one it redirects to, is not http(s) to a public address
                or an allowed host, or no urls are opened.
            UrlUnreachable: The name, the connection or the answer failed.
            UrlTimeout: It took too long.
            UrlTooLarge: The file is over `max_bytes`, or comes with too much beside it.
        """
        deadline = deadline.earlier(self.timeout_seconds)
        try:
            for _ in range(1 + MAX_REDIRECTS):
                answer = self._hop(self._gate(url), deadline)
                if isinstance(answer, bytes):
                    return answer
                url = urljoin(url, answer.location)
        except TimeoutError as error:
            raise UrlTimeout(
                f"The url did not deliver within {self.timeout_seconds:g} seconds."
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UrlUnreachable("The url's server can't be reached or broke off.") from error
        raise UrlUnreachable(f"The url redirects more than {MAX_REDIRECTS} times.")

    def _gate(self, url: str) -> Target:
        if not self.is_enabled:
            raise UrlNotAllowed("No urls are opened here: send the picture itself.")
        target = parse_url(url)
        if self.allowed_hosts and not is_listed(target.host, self.allowed_hosts):
            raise UrlNotAllowed("The url's host is not among those that are opened here.")
        return target

    def _hop(self, target: Target, deadline: Deadline) -> bytes | _Redirect:
        with self._connect(target, deadline) as connection:
            exchange = http.client.HTTPConnection(target.host, target.port)
            exchange.response_class = _FinalResponse
            max_bytes = self.max_bytes + MAX_OVERHEAD_BYTES
            exchange.sock = _BoundedSocket(connection, deadline, max_bytes)
            # No cookies, no credentials, no proxy and no content coding: just the file.
            exchange.putrequest("GET", target.resource, skip_host=True, skip_accept_encoding=True)
            exchange.putheader("Host", target.authority)
            exchange.putheader("Accept", ACCEPT)
            exchange.putheader("Accept-Encoding", "identity")
            exchange.putheader("User-Agent", "matchvec")
            exchange.putheader("Connection", "close")
            exchange.endheaders()
            try:
                return self._answer(exchange.getresponse())
            except _TooManyBytes as error:
                raise UrlTooLarge(
                    f"The url's server sends more than a file of {self.max_bytes} bytes needs."
                ) from error

    def _answer(self, response: http.client.HTTPResponse) -> bytes | _Redirect:
        location = response.getheader("Location")
        if response.status in _REDIRECTS and location:
            return _Redirect.to(location)
        if response.status != HTTPStatus.OK:
            raise UrlUnreachable(f"The url's server answers {response.status}.")
        return self._read(response)

    def _connect(self, target: Target, deadline: Deadline) -> socket.socket:
        try:
            addresses = self.resolver(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise UrlUnreachable("The url's host name is not known.") from error
        if not addresses:
            raise UrlUnreachable("The url's host name has no address.")
        # One internal address among public ones is how rebinding starts: refuse them all.
        if not all(is_public(address) for address in addresses):
            raise UrlNotAllowed("The url's host is not on the public internet.")
        connection = self._connect_to_any(addresses, target.port, deadline)
        if target.scheme == "http":
            return connection
        try:
            connection.settimeout(_seconds_left(deadline))
            return self.tls().wrap_socket(connection, server_hostname=target.host.removesuffix("."))
        except BaseException:
            connection.close()
            raise

    def _connect_to_any(self, addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
        """A connection to the first address that takes one: IPv6 may lead nowhere."""
        failure: OSError | None = None
        for position, address in enumerate(addresses):
            share = _seconds_left(deadline) / (len(addresses) - position)
            try:
                return self.connector(address, port, share)
            except OSError as error:
                failure = error
        raise failure or OSError

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        too_large = UrlTooLarge(f"The url's file is larger than {self.max_bytes} bytes.")
        if (response.length or 0) > self.max_bytes:
            raise too_large
        content = bytearray()
        while chunk := response.read(CHUNK_BYTES):
            content += chunk
            if len(content) > self.max_bytes:
                raise too_large
        if response.length:
            raise UrlUnreachable("The url's server broke off before the end of the file.")
        return bytes(content)


_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str

    @classmethod
    def to(cls, location: str) -> _Redirect:
        """From the header field, of which http.client makes text as if it were Latin-1."""
        if len(location) > MAX_URL_LENGTH:  # urljoin would keep it in its cache.
            raise UrlNotAllowed(f"The url redirects to one of over {MAX_URL_LENGTH} characters.")
        text = location.encode("latin-1").decode("utf-8", "replace")
        return cls(text.strip(" \t").replace(" ", "%20"))


class _FinalResponse(http.client.HTTPResponse):
    """Skips interim answers (RFC 9110, section 15.2), of which http.client knows only 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(1 + MAX_INTERIM):
            # The stubs do not know the method; every Python since 2.0 has it.
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException(f"more than {MAX_INTERIM} interim answers")


def _seconds_left(deadline: Deadline) -> float:
    """For a socket's timeout, where 0 would mean "do not block"."""
    if deadline.remaining == 0:
        raise TimeoutError
    return deadline.remaining


class _TooManyBytes(Exception):
    """A server sent more than it may; no OSError, which http.client might take for an end."""


class _BoundedSocket:
    """The part of a socket that http.client uses, under one deadline and one limit for all calls.

    A socket's own timeout starts anew with every byte that arrives, so a server that drips
    could hold a request for ever.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._max_bytes = max_bytes

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_seconds_left(self._deadline))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        reader = _BoundedReader(self._connection, self._deadline, self._max_bytes)
        return io.BufferedReader(reader)

    def close(self) -> None:
        """Nothing: http.client closes before it reads the body, `Fetcher` closes after."""


class _BoundedReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes_left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader's own
        if self._bytes_left < 0:
            raise _TooManyBytes
        self._connection.settimeout(_seconds_left(self._deadline))
        received = self._connection.recv_into(buffer)
        self._bytes_left -= received
        return received
