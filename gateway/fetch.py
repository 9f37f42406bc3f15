"""A client's url -> bytes, without ever touching what is not public.

The rules, after OWASP's cheat sheet on server-side request forgery: only http and https on
their own ports; every address that the name resolves to must be public; the connection goes
to the very address that was checked, while TLS is still verified against the name; each
redirect is a new url that passes the same gate. There is no switch that opens internal
addresses: tests pass their own resolver and connector instead.
"""

from __future__ import annotations

import socket
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
    import ssl

    from gateway.exchange import Redirect

MAX_REDIRECTS = 3
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
    import ssl

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
        except (OSError, ValueError) as error:
            raise UrlUnreachable("The url's server can't be reached or broke off.") from error
        raise UrlUnreachable(f"The url redirects more than {MAX_REDIRECTS} times.")

    def _gate(self, url: str) -> Target:
        if not self.is_enabled:
            raise UrlNotAllowed("No urls are opened here: send the picture itself.")
        target = parse_url(url)
        if self.allowed_hosts and not is_listed(target.host, self.allowed_hosts):
            raise UrlNotAllowed("The url's host is not among those that are opened here.")
        return target

    def _hop(self, target: Target, deadline: Deadline) -> bytes | Redirect:
        # Only here: HTTP and TLS would cost every cold start 25 ms, urls or not.
        from gateway.exchange import exchange

        with self._connect(target, deadline) as connection:
            return exchange(connection, target, deadline, self.max_bytes)

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
            connection.settimeout(seconds_left(deadline))
            return self.tls().wrap_socket(connection, server_hostname=target.host.removesuffix("."))
        except BaseException:
            connection.close()
            raise

    def _connect_to_any(self, addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
        """A connection to the first address that takes one: IPv6 may lead nowhere."""
        failure: OSError | None = None
        for position, address in enumerate(addresses):
            share = seconds_left(deadline) / (len(addresses) - position)
            try:
                return self.connector(address, port, share)
            except OSError as error:
                failure = error
        raise failure or OSError
