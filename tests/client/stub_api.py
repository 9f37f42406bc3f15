"""The project's handler behind a small HTTP server, with faults that a test chooses."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.parts import FormFile, Part, parse_body
from tests.client.stub_bucket import StubBucket, in_place_of_s3
from tests.support.handlers import Handler


@dataclass(frozen=True)
class Seen:
    """A received request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def parts(self) -> list[Part]:
        content_type = self.headers["content-type"]
        return parse_body(content_type, self.body, max_images=999, max_urls=999).parts

    @property
    def names(self) -> list[str]:
        return [
            part.filename or "" if isinstance(part, FormFile) else part.url for part in self.parts
        ]


@dataclass(frozen=True)
class Fault:
    """An answer instead of the handler's; status 0 closes the connection without an answer."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


DROP = Fault(0)
Wrong = Callable[[Seen], Fault | None]


@dataclass
class StubApi:
    """A running stub; `wrong` returns the fault of a request, or None."""

    handler: Callable[[Any, Any], dict[str, Any]]
    wrong: Wrong = lambda seen: None
    bucket: StubBucket | None = None
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def fail_first(self, *faults: Fault) -> None:
        """Answer the first requests with these faults, one each."""
        remaining = list(faults)
        self.wrong = lambda seen: remaining.pop(0) if remaining else None

    def as_handled(self, seen: Seen) -> Seen:
        """Replace the names of objects by their pictures in the bucket."""
        if self.bucket is None or b'name="s3"' not in seen.body:
            return seen
        kind, body = in_place_of_s3(self.bucket, seen.headers["content-type"], seen.body)
        return replace(seen, headers={**seen.headers, "content-type": kind}, body=body)

    @property
    def batches(self) -> list[list[str]]:
        return [seen.names for seen in self.seen]


@contextmanager
def stub_api(handler: Handler) -> Iterator[StubApi]:
    api = StubApi(handler)
    lock = threading.Lock()  # Lambda passes one event at a time to a function.

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # Head and body go in one packet: a second one would wait 40 ms.

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            seen = Seen(
                url.path,
                dict(parse_qsl(url.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers["Content-Length"])),
            )
            api.seen.append(seen)
            fault = api.wrong(seen)
            if fault == DROP:
                self.close_connection = True
                return
            if fault:
                self.answer(fault.status, fault.headers, fault.body)
                return
            if api.bucket and (answer := api.bucket.answer(seen.path, seen.headers, seen.body)):
                self.answer(*answer)
                return
            with lock:
                response = api.handler(as_event(api.as_handled(seen)), None)
            self.answer(response["statusCode"], response["headers"], response["body"])

        def answer(self, status: int, headers: dict[str, str], body: str) -> None:
            content = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # A test killed the client.
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def as_event(seen: Seen) -> dict[str, Any]:
    return {
        "path": seen.path,
        "httpMethod": "POST",
        "headers": seen.headers,
        "queryStringParameters": seen.query,
        "requestContext": {"requestId": "stub", "stage": "Prod"},
        "body": base64.b64encode(seen.body).decode(),
        "isBase64Encoded": True,
    }
