"""A network in memory: names resolve as told, servers say what they are given to say.

No sockets, no threads and no clock but its own, so that an input does the same in every run.
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
"""How long every read takes on the network's clock."""


class PassingTls(ssl.SSLContext):
    """Speaks in the clear; that names are verified is shown with a real handshake elsewhere."""

    def wrap_socket(self, sock: Any, *_: object, **__: object) -> Any:  # noqa: ANN401  what ssl calls a socket
        """The connection as it is."""
        return sock


TLS = PassingTls(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Hop:
    """What one url of a chain of redirects leads to.

    Attributes:
        addresses: What its name resolves to; none: there is no such name.
        answer: The bytes that its server sends.
        repeated: What the server sends from then on, without end; "" to close.
    """

    addresses: tuple[str, ...]
    answer: bytes
    repeated: bytes = b""


@dataclass
class MemoryNetwork:
    """Resolver, connector and clock for a `Fetcher`; holds what was done with them.

    Attributes:
        hops: In the order in which names are looked up; the last one serves all further ones.
        now: Seconds on the network's clock.
        looked_up: The names, in order.
        connections: One per connection, in order.
    """

    hops: Sequence[Hop]
    now: float = 0.0
    looked_up: list[str] = field(default_factory=list)
    connections: list[MemoryConnection] = field(default_factory=list)

    @property
    def deadline(self) -> Deadline:
        """Later than the fetcher's own."""
        return Deadline.after(2 * TIMEOUT_SECONDS, lambda: self.now)

    def fetcher(self, max_bytes: int) -> Fetcher:
        """One that knows no other network."""
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
    """The part of a socket that `Fetcher` uses.

    Attributes:
        network: Whose clock it is.
        hop: What the server sends.
        address: Where it leads.
        port: Where it leads.
        sent: What the server was told.
        received: How many bytes were read.
        is_closed: Whether it was given back.
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
        """As a socket's."""
        self.is_closed = True

    def settimeout(self, seconds: float) -> None:
        """As a socket's; 0 would mean "do not block"."""
        assert 0 < seconds <= TIMEOUT_SECONDS

    def sendall(self, data: bytes) -> None:
        """As a socket's."""
        self.sent += data

    def recv_into(self, buffer: memoryview) -> int:
        """As a socket's: as many bytes as there are and fit, 0 at the end."""
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
