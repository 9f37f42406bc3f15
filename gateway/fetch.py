"""Fetch the urls that clients send, from public addresses only.

The rules follow OWASP's cheat sheet on server-side request forgery:

- Only http and https on their default ports.
- Every address that the host name resolves to must be public.
- The connection goes to an address that was checked; TLS is verified against the name.
- Each redirect is checked by the same rules.

No setting allows internal addresses. Tests pass their own resolver and connector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from gateway.addresses import is_public
from gateway.deadline import Deadline, seconds_left
from gateway.errors import UrlNotAllowed, UrlTimeout, UrlUnreachable
from gateway.urls import Target, is_listed, parse_url

if TYPE_CHECKING:
    import socket
    import ssl

    from gateway.exchange import Redirect

MAX_REDIRECTS = 10
"""Redirects of one url. Browsers follow 20, but have no deadline."""

Resolver = Callable[[str, int], list[str]]
"""Maps (host name, port) to addresses as text; raises OSError for unknown names."""

Connector = Callable[[str, int, float], "socket.socket"]
"""Maps (address, port, timeout in seconds) to a connected stream socket; raises OSError."""


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a name from the system's resolver."""
    import socket  # With the first url: startup would pay 3 ms for it.

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Open a TCP connection to an address, without another lookup."""
    import socket

    return socket.create_connection((address, port), timeout=seconds)


@cache
def verifying_tls() -> ssl.SSLContext:
    """Return the shared TLS context, which verifies certificates and names.

    It is created for the first https url, because loading the system's certificates takes 20 ms
    of a cold start.
    """
    import ssl

    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches files from urls; stateless, so threads may share it.

    Attributes:
        max_bytes: Maximum size of a file in bytes.
        timeout_seconds: Seconds for the whole fetch: lookup, redirects and transfer.
        resolver: Resolves host names.
        connector: Opens connections to checked addresses.
        tls: Returns the context that verifies certificates against the name.
        is_enabled: False to refuse all urls.
        allowed_hosts: Allowed hosts in the format of `is_listed`; empty to allow all.
    """

    max_bytes: int
    timeout_seconds: float
    resolver: Resolver = resolve
    connector: Connector = connect
    tls: Callable[[], ssl.SSLContext] = verifying_tls
    is_enabled: bool = True
    allowed_hosts: frozenset[str] = frozenset()

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """Return the file at a url.

        Args:
            url: Url as the client wrote it.
            deadline: Deadline of the request; `timeout_seconds` applies as well.

        Raises:
            UrlNotAllowed: The url or a redirect breaks a rule, or fetching is disabled.
            UrlUnreachable: The lookup, the connection or the response failed.
            UrlTimeout: The fetch took too long.
            UrlTooLarge: The response exceeds the limit.
            UrlNotAnImage: The file has a Content-Encoding that cannot be decoded.
        """
        deadline = deadline.earlier(self.timeout_seconds)
        try:
            for _ in range(1 + MAX_REDIRECTS):
                answer = self._request(self._check(url), deadline)
                if isinstance(answer, bytes):
                    return answer
                url = urljoin(url, answer.location)
        except TimeoutError as error:
            raise UrlTimeout(
                f"The url's server did not respond within {self.timeout_seconds:g} seconds."
            ) from error
        except (OSError, ValueError) as error:
            raise UrlUnreachable(
                "The url's server is unreachable or closed the connection."
            ) from error
        raise UrlUnreachable(f"The url redirects more than {MAX_REDIRECTS} times.")

    def _check(self, url: str) -> Target:
        if not self.is_enabled:
            raise UrlNotAllowed("Fetching urls is disabled. Send the picture itself.")
        target = parse_url(url)
        if self.allowed_hosts and not is_listed(target.host, self.allowed_hosts):
            raise UrlNotAllowed("The url's host is not in the list of allowed hosts.")
        return target

    def _request(self, target: Target, deadline: Deadline) -> bytes | Redirect:
        # Imported here because HTTP and TLS take 25 ms of a cold start.
        from gateway.exchange import exchange

        with self._connect(target, deadline) as connection:
            return exchange(connection, target, deadline, self.max_bytes)

    def _connect(self, target: Target, deadline: Deadline) -> socket.socket:
        try:
            addresses = self.resolver(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise UrlUnreachable("The url's host name is unknown.") from error
        if not addresses:
            raise UrlUnreachable("The url's host name has no address.")
        # A mix of public and internal addresses is a sign of DNS rebinding.
        if not all(is_public(address) for address in addresses):
            raise UrlNotAllowed("The url's host is not on the public internet.")
        connection = self._connect_to_any(addresses, target.port, deadline)
        if target.scheme == "http":
            return connection
        try:
            connection.settimeout(seconds_left(deadline))
            return self.tls().wrap_socket(connection, server_hostname=target.host.removesuffix("."))
        except BaseException:
            connection.close()
            raise

    def _connect_to_any(self, addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
        """Connect to the first address that accepts; IPv6 may be unreachable."""
        failure: OSError | None = None
        for position, address in enumerate(addresses):
            share = seconds_left(deadline) / (len(addresses) - position)
            try:
                return self.connector(address, port, share)
            except OSError as error:
                failure = error
        raise failure or OSError
