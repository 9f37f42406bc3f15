"""A minimal HTTP server in front of a Lambda handler, instead of API Gateway.

    BENCH_HANDLER=ours uvicorn benchmarks.contestants.front:app --workers 2

Each process answers one request at a time, like a Lambda environment. The body is encoded as base64
here and decoded by the handler, as behind API Gateway; the web frameworks do not have this cost.
"""

from __future__ import annotations

import base64
import importlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.worker import proxy_event

Message = dict[str, Any]

handler = importlib.import_module(f"benchmarks.contestants.{os.environ['BENCH_HANDLER']}").handler


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Return an ASGI application of one handler."""
    if scope["type"] != "http":
        return
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    body = base64.b64encode(b"".join(chunks)).decode()
    response = handler(proxy_event(scope["path"], content_type, body), None)
    fields = [
        (name.lower().encode(), str(value).encode("latin-1"))
        for name, value in response["headers"].items()
    ]
    content = response["body"].encode()
    if response.get("isBase64Encoded"):
        content = base64.b64decode(content)
    await send({"type": "http.response.start", "status": response["statusCode"], "headers": fields})
    await send({"type": "http.response.body", "body": content})
