"""One HTTP request to a checked address, under one deadline and one size limit."""

from __future__ import annotations

import http.client
import io
import re
import socket
from dataclasses import dataclass
from http import HTTPStatus

from gateway.content_coding import DecodedTooLarge, InvalidCoding, UnknownCoding, decode_content
from gateway.deadline import Deadline, seconds_left
from gateway.errors import UrlNotAllowed, UrlNotAnImage, UrlTooLarge, UrlUnreachable
from gateway.urls import MAX_URL_LENGTH, Target

MAX_INTERIM = 8
"""Interim responses such as 103 Early Hints. RFC 9110, section 15.2 sets no limit."""
MAX_OVERHEAD_BYTES = 1 << 18
"""Bytes a server may send besides the file: headers, chunk extensions and trailers. http.client
limits the length of each line, but not the number of chunk extensions and trailers."""
CHUNK_BYTES = 65536
ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/bmp, image/tiff, */*;q=0.1"
"""Supported formats first, because servers that negotiate prefer AVIF."""

USER_AGENT = "matchvec/0.2 (+https://github.com/ia-flash/matchvec)"
"""Names the project, so that operators of servers can look up who fetches their files."""

COMPLETE = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
"""Statuses of a whole file; a proxy that has changed it responds with 203."""

CONTENT_RANGE = re.compile(r"bytes 0-([0-9]{1,18})/([0-9]{1,18})")
UNSUPPORTED_CODINGS = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})

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
    """A response that redirects to another url.

    Attributes:
        location: Absolute or relative url.
    """

    location: str

    @classmethod
    def to(cls, location: str) -> Redirect:
        """Create from a Location header, which http.client decodes as Latin-1."""
        if len(location) > MAX_URL_LENGTH:  # urljoin would cache it.
            raise UrlNotAllowed(f"The url redirects to a url of over {MAX_URL_LENGTH} characters.")
        text = location.encode("latin-1").decode("utf-8", "replace")
        return cls(text.strip(" \t").replace(" ", "%20"))


def exchange(
    connection: socket.socket, target: Target, deadline: Deadline, max_bytes: int
) -> bytes | Redirect:
    """Request a file and read the response.

    Args:
        connection: Socket connected to a checked address of the target's host.
        target: Url to request.
        deadline: Deadline of the whole exchange.
        max_bytes: Maximum size of the file.

    Raises:
        UrlUnreachable: The response is an error, not HTTP, or truncated.
        UrlTooLarge: The file exceeds `max_bytes`, or its headers `MAX_OVERHEAD_BYTES`.
        UrlNotAnImage: The file has a Content-Encoding that cannot be decoded.
        OSError: The connection failed; a TimeoutError if the deadline passed.
    """
    client = http.client.HTTPConnection(target.host, target.port)
    client.response_class = _FinalResponse
    client.sock = _BoundedSocket(connection, deadline, max_bytes + MAX_OVERHEAD_BYTES)
    # No cookies, no credentials and no proxy.
    client.putrequest("GET", target.resource, skip_host=True, skip_accept_encoding=True)
    client.putheader("Host", target.authority)
    client.putheader("Accept", ACCEPT)
    client.putheader("Accept-Encoding", "identity")
    client.putheader("User-Agent", USER_AGENT)
    client.putheader("Connection", "close")
    try:
        client.endheaders()
        return _answer(client.getresponse(), max_bytes)
    except _TooManyBytes as error:
        raise UrlTooLarge(
            f"The url's server sends more than the limit of {max_bytes} bytes."
        ) from error
    except http.client.HTTPException as error:
        raise UrlUnreachable("The url's server is unreachable or closed the connection.") from error


def _answer(response: http.client.HTTPResponse, max_bytes: int) -> bytes | Redirect:
    location = response.getheader("Location")
    if response.status in REDIRECTS and location:
        return Redirect.to(location)
    if response.status not in COMPLETE and not _is_whole(response):
        raise UrlUnreachable(f"The url's server responds with status {response.status}.")
    return _decode(
        response.getheader("Content-Encoding", ""), _read(response, max_bytes), max_bytes
    )


def _is_whole(response: http.client.HTTPResponse) -> bool:
    """Return whether a 206 response contains the whole file, although no range was requested."""
    match = CONTENT_RANGE.fullmatch(response.getheader("Content-Range", ""))
    return (
        response.status == HTTPStatus.PARTIAL_CONTENT
        and match is not None
        and int(match[1]) + 1 == int(match[2])
    )


def _decode(content_encoding: str, content: bytes, max_bytes: int) -> bytes:
    """Decode a Content-Encoding, which storage services send as it was stored with the file.

    Like browsers, this function ignores names that are not codings.
    """
    try:
        return decode_content(content_encoding, content, max_bytes)
    except UnknownCoding as error:
        if not UNSUPPORTED_CODINGS & set(re.split(r"[\s,]+", content_encoding.lower())):
            return content
        raise UrlNotAnImage(
            f"The url's server sends Content-Encoding {content_encoding[:80]!r}, which is not "
            "supported. Store the picture without it."
        ) from error
    except InvalidCoding as error:
        raise UrlNotAnImage(
            f"The url's file is damaged or truncated {content_encoding[:80]}."
        ) from error
    except DecodedTooLarge as error:
        raise _too_large(max_bytes) from error


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    if (response.length or 0) > max_bytes:
        raise _too_large(max_bytes)
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise _too_large(max_bytes)
    if response.length:
        raise UrlUnreachable("The url's server closed the connection before the end of the file.")
    return bytes(content)


def _too_large(max_bytes: int) -> UrlTooLarge:
    return UrlTooLarge(f"The url's file is larger than {max_bytes} bytes.")


class _FinalResponse(http.client.HTTPResponse):
    """Skips all interim responses (RFC 9110, section 15.2); http.client skips only 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(1 + MAX_INTERIM):
            # The type stubs lack this method.
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException(f"more than {MAX_INTERIM} interim responses")


class _TooManyBytes(Exception):
    """A server sent too many bytes. Not an OSError, which http.client could handle as the end."""


class _BoundedSocket:
    """A socket for http.client with one deadline and one size limit for all calls together.

    A socket's own timeout restarts with every byte, so a slow server could block forever.
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
        """Do nothing: http.client closes before it reads the body. `Fetcher` closes the socket."""


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
