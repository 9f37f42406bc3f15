"""A fake network: chosen addresses of names, and one server with canned responses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.fetch import Fetcher

PUBLIC = "93.184.216.34"


def http_answer(
    body: bytes, status: str = "200 OK", headers: Sequence[str] = (), *, length: bool = True
) -> bytes:
    """Return the bytes of an HTTP response."""
    fields = [*headers, *([f"Content-Length: {len(body)}"] if length else [])]
    head = "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
    return head.encode("latin-1") + body


@dataclass
class FakeNetwork:
    """Resolver and connector for a `Fetcher`.

    Attributes:
        answers: Bytes of the response by host and path, such as ``"cars.example/a.jpg"``.
        addresses: Addresses by host; other hosts have one public address.
        requests: Heads of the received requests, in order.
        connections: Address and port of each connection, in order.
    """

    answers: Mapping[str, bytes] = field(default_factory=dict)
    addresses: Mapping[str, list[str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    connections: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, _port: int) -> list[str]:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.addresses.get(host, [PUBLIC])

    def connect(self, address: str, port: int, _seconds: float) -> socket.socket:
        self.connections.append((address, port))
        client, server = socket.socketpair()
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()
        return client

    def fetcher(self, max_bytes: int = 10_000, timeout_seconds: float = 5) -> Fetcher:
        return Fetcher(max_bytes, timeout_seconds, resolver=self.resolve, connector=self.connect)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                received = connection.recv(4096)
                if not received:
                    return
                head += received
            text = head.decode("latin-1")
            self.requests.append(text)
            lines = text.split("\r\n")
            path = lines[0].split(" ")[1]
            host = next(line[6:] for line in lines if line.startswith("Host: "))
            answer = self.answers.get(host + path, http_answer(b"", "404 Not Found"))
            try:
                connection.sendall(answer)
            except OSError:
                return  # The fetcher closes the connection if a file exceeds its limit.
