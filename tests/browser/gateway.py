"""A stub of API Gateway: HTTP requests on this machine become events for the handler.

It has what a page can notice: a stage before the path, an API key, binary media types by the first
type of Accept, the size limit, and API Gateway's own errors.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from scripts.local.refusals import Refusals

ROOT = Path(__file__).parent.parent.parent
DEFINITION = ROOT / "swagger.yaml"
BINARY = frozenset(yaml.safe_load(DEFINITION.read_text())["x-amazon-apigateway-binary-media-types"])
LAMBDA_BYTES = 6 * 1024 * 1024

LambdaHandler = Callable[[object, object], dict[str, Any]]


@dataclass
class Stage:
    """A stage of an API.

    Attributes:
        handler: Lambda handler.
        name: First part of every path; "": a custom domain without a base path.
        key: API key for POST requests; "": none.
        requests: (method, path) of each request so far.
        url: Address with the stage.
    """

    handler: LambdaHandler
    name: str = ""
    key: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(stage: Stage) -> Iterator[Stage]:
    """Serve a stage on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _connections(stage))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    stage.url = f"http://127.0.0.1:{server.server_port}" + (f"/{stage.name}" if stage.name else "")
    try:
        yield stage
    finally:
        server.shutdown()
        server.server_close()


def _connections(stage: Stage) -> type[BaseHTTPRequestHandler]:
    refusals = Refusals(DEFINITION, "*")

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            split = urlsplit(self.path)
            stage.requests.append((self.command, split.path))
            prefix = f"/{stage.name}" if stage.name else ""
            if split.path != prefix and not split.path.startswith(f"{prefix}/"):
                return self.refuse("MISSING_AUTHENTICATION_TOKEN", 403)
            if self.command == "POST" and self.headers.get("x-api-key", "") != stage.key:
                return self.refuse("INVALID_API_KEY", 403)
            if len(body) * 4 / 3 > LAMBDA_BYTES:
                return self.refuse("REQUEST_TOO_LARGE", 413)
            media_type = self.headers.get("Content-Type", "").partition(";")[0]
            is_binary = media_type in BINARY
            text = base64.b64encode(body) if is_binary else body
            event = {
                "resource": "/{proxy+}",
                "path": split.path.removeprefix(prefix) or "/",
                "httpMethod": self.command,
                "headers": dict(self.headers.items()),
                "queryStringParameters": dict(parse_qsl(split.query)) or None,
                "requestContext": {"requestId": "browser-test", "stage": stage.name},
                "body": text.decode() if body else None,
                "isBase64Encoded": is_binary,
            }
            response = stage.handler(event, None)
            content: bytes = response["body"].encode()
            accepted = self.headers.get("Accept", "").split(",")[0].partition(";")[0]
            if response["isBase64Encoded"] and accepted in BINARY:
                content = base64.b64decode(content)
            return self.send(response["statusCode"], response["headers"], content)

        do_GET = do_HEAD = do_POST = do_OPTIONS = answer

        def refuse(self, response_type: str, status: int) -> None:
            refusal = refusals.of(response_type, status)
            self.send(refusal.status, refusal.headers, refusal.body.encode())

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Connection
