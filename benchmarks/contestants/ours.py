"""The product's handler, which fetches the benchmark's urls from loopback.

The product opens no url of a private address and has no switch for it. As in its tests, a `Fetcher`
with another resolver and connector replaces the internet: the name resolves to a public address,
and
the connection goes to the benchmark's picture server. Everything else, the models included, is the
same as in the deployed handler.
"""

from __future__ import annotations

import os
import socket
from functools import partial

from gateway.fetch import Fetcher
from lambda_function import models, settings
from service.app import make_app
from service.handler import handle

PUBLIC_ADDRESS = "93.184.216.34"


def _connect(_address: str, _port: int, seconds: float) -> socket.socket:
    port = int(os.environ["BENCH_PICTURES_PORT"])
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


_fetcher = Fetcher(
    max_bytes=settings.max_url_bytes,
    timeout_seconds=settings.url_timeout_seconds,
    resolver=lambda _host, _port: [PUBLIC_ADDRESS],
    connector=_connect,
)
handler = partial(handle, make_app(settings, models, fetcher=_fetcher))
