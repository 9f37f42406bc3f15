"""An in-memory network: names resolve, and servers answer, as the test defines.

It has no sockets and no threads, and its own clock, so an input always has the same result.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from gateway.deadline import Deadline
from gateway.fetch import Fetcher

TIMEOUT_SECONDS = 5.0
RECEIVE_SECONDS = 0.01
"""Duration of every read on the network's clock."""


class PlaintextTls(ssl.SSLContext):
    """Replaces TLS by plain text; other tests verify certificates in a real handshake."""

    def wrap_socket(self, sock: Any, *_: object, **__: object) -> Any:  # noqa: ANN401  what ssl calls a socket
        """Return the connection unchanged."""
        return sock


TLS = PlaintextTls(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Hop:
    """The server that one url of a redirect chain leads to.

    Attributes:
        addresses: Addresses of its host name; empty if the name does not exist.
        answer: Bytes that the server sends.
        repeated: Bytes that the server then sends repeatedly; "" to close.
    """

    addresses: tuple[str, ...]
    answer: bytes
    repeated: bytes = b""


@dataclass
class MemoryNetwork:
    """Resolver, connector and clock for a `Fetcher`; records how they are used.

    Attributes:
        hops: Servers in the order of the lookups; the last one also answers all later lookups.
        now: Seconds on the network's clock.
        looked_up: Resolved host names, in order.
        connections: Opened connections, in order.
    """

    hops: Sequence[Hop]
    now: float = 0.0
    looked_up: list[str] = field(default_factory=list)
    connections: list[MemoryConnection] = field(default_factory=list)

    @property
    def deadline(self) -> Deadline:
        """A deadline after the fetcher's own timeout."""
        return Deadline.after(2 * TIMEOUT_SECONDS, lambda: self.now)

    def fetcher(self, max_bytes: int) -> Fetcher:
        """Return a fetcher that uses only this network."""
        return Fetcher(max_bytes, TIMEOUT_SECONDS, self._resolve, self._connect, tls=lambda: TLS)

    def _resolve(self, host: str, _port: int) -> list[str]:
        self.looked_up.append(host)
        addresses = self._hop().addresses
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return list(addresses)

    def _connect(self, address: str, port: int, _seconds: float) -> socket.socket:
        connection = MemoryConnection(self, self._hop(), address, port)
        self.connections.append(connection)
        return cast(socket.socket, connection)

    def _hop(self) -> Hop:
        return self.hops[min(len(self.looked_up), len(self.hops)) - 1]


@dataclass
class MemoryConnection:
    """The part of a socket's interface that `Fetcher` uses.

    Attributes:
        network: The network, which has the clock.
        hop: The server's behaviour.
        address: IP address of the server.
        port: Port of the server.
        sent: Bytes sent to the server.
        received: Number of bytes read.
        is_closed: Whether the connection was closed.
    """

    network: MemoryNetwork
    hop: Hop
    address: str
    port: int
    sent: bytes = b""
    received: int = 0
    is_closed: bool = False

    def __enter__(self) -> MemoryConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.is_closed = True

    def settimeout(self, seconds: float) -> None:
        """Set a positive timeout; 0 would make the socket non-blocking."""
        assert 0 < seconds <= TIMEOUT_SECONDS

    def sendall(self, data: bytes) -> None:
        """Record the bytes."""
        self.sent += data

    def recv_into(self, buffer: memoryview) -> int:
        """Fill the buffer with the available bytes; return their number, 0 at the end."""
        self.network.now += RECEIVE_SECONDS
        chunk = self._next(len(buffer))
        buffer[: len(chunk)] = chunk
        self.received += len(chunk)
        return len(chunk)

    def _next(self, size: int) -> bytes:
        answer, repeated = self.hop.answer, self.hop.repeated
        if self.received < len(answer):
            return answer[self.received : self.received + size]
        if not repeated:
            return b""
        start = (self.received - len(answer)) % len(repeated)
        return (repeated * (1 + (start + size) // len(repeated)))[start : start + size]
