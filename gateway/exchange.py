"""One question to a checked server, and its answer: HTTP under one deadline and one limit."""

from __future__ import annotations

import http.client
import io
import socket
from dataclasses import dataclass
from http import HTTPStatus

from gateway.deadline import Deadline, seconds_left
from gateway.errors import UrlNotAllowed, UrlTooLarge, UrlUnreachable
from gateway.urls import MAX_URL_LENGTH, Target

MAX_INTERIM = 8
"""Answers such as 103 Early Hints before the final one: RFC 9110, section 15.2 sets no limit."""
MAX_OVERHEAD_BYTES = 1 << 18
"""What a server may send beside the file: header fields and the frame of its chunks. http.client
bounds each line of them, but not how many chunk extensions and trailers come."""
CHUNK_BYTES = 65536
ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/bmp, image/tiff, */*;q=0.1"
"""What can be decoded first: a server that negotiates would otherwise send AVIF."""

REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that names another url.

    Attributes:
        location: As a url, relative or not.
    """

    location: str

    @classmethod
    def to(cls, location: str) -> Redirect:
        """From the header field, of which http.client makes text as if it were Latin-1."""
        if len(location) > MAX_URL_LENGTH:  # urljoin would keep it in its cache.
            raise UrlNotAllowed(f"The url redirects to one of over {MAX_URL_LENGTH} characters.")
        text = location.encode("latin-1").decode("utf-8", "replace")
        return cls(text.strip(" \t").replace(" ", "%20"))


def exchange(
    connection: socket.socket, target: Target, deadline: Deadline, max_bytes: int
) -> bytes | Redirect:
    """Ask for a file and read it.

    Args:
        connection: To a checked address of the target's host.
        target: What is asked for.
        deadline: For all of it.
        max_bytes: The largest file.

    Raises:
        UrlUnreachable: The answer is no file, no HTTP, or ends too early.
        UrlTooLarge: The file is over `max_bytes`, or comes with too much beside it.
        OSError: The connection failed; a TimeoutError where the deadline came.
    """
    asked = http.client.HTTPConnection(target.host, target.port)
    asked.response_class = _FinalResponse
    asked.sock = _BoundedSocket(connection, deadline, max_bytes + MAX_OVERHEAD_BYTES)
    # No cookies, no credentials, no proxy and no content coding: just the file.
    asked.putrequest("GET", target.resource, skip_host=True, skip_accept_encoding=True)
    asked.putheader("Host", target.authority)
    asked.putheader("Accept", ACCEPT)
    asked.putheader("Accept-Encoding", "identity")
    asked.putheader("User-Agent", "matchvec")
    asked.putheader("Connection", "close")
    try:
        asked.endheaders()
        return _answer(asked.getresponse(), max_bytes)
    except _TooManyBytes as error:
        raise UrlTooLarge(
            f"The url's server sends more than a file of {max_bytes} bytes needs."
        ) from error
    except http.client.HTTPException as error:
        raise UrlUnreachable("The url's server can't be reached or broke off.") from error


def _answer(response: http.client.HTTPResponse, max_bytes: int) -> bytes | Redirect:
    location = response.getheader("Location")
    if response.status in REDIRECTS and location:
        return Redirect.to(location)
    if response.status != HTTPStatus.OK:
        raise UrlUnreachable(f"The url's server answers {response.status}.")
    return _read(response, max_bytes)


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    too_large = UrlTooLarge(f"The url's file is larger than {max_bytes} bytes.")
    if (response.length or 0) > max_bytes:
        raise too_large
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise too_large
    if response.length:
        raise UrlUnreachable("The url's server broke off before the end of the file.")
    return bytes(content)


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
        self._connection.settimeout(seconds_left(self._deadline))
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
        self._connection.settimeout(seconds_left(self._deadline))
        received = self._connection.recv_into(buffer)
        self._bytes_left -= received
        return received
