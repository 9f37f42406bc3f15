"""Lets `requests` call the handler directly, without socket, process or gateway."""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from tests.support.handlers import Handler

URL = "http://in-process"


class HandlerAdapter(HTTPAdapter):
    """Turns each request into the event of a REST API (payload 1.0), as API Gateway does.

    Args:
        handler: Answers the events.
        binary_media_types: Media types whose bodies become base64. Others become text.
    """

    def __init__(self, handler: Handler, binary_media_types: list[str]) -> None:
        super().__init__()
        self._handler = handler
        self._binary_media_types = frozenset(binary_media_types)

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        answer = self._handler(self._event(request), None)
        body: str = answer["body"]
        raw = HTTPResponse(
            io.BytesIO(base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()),
            answer["headers"],
            answer["statusCode"],
            version=11,
            preload_content=False,
        )
        return self.build_response(request, raw)

    def _event(self, request: requests.PreparedRequest) -> dict[str, Any]:
        split = urlsplit(request.url or "")
        content = request.body or b""
        content = content.encode() if isinstance(content, str) else content
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
        is_binary = media_type in self._binary_media_types
        text = base64.b64encode(content).decode() if is_binary else content.decode(errors="replace")
        return {
            "path": unquote(split.path),
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "queryStringParameters": dict(parse_qsl(split.query, keep_blank_values=True)),
            "requestContext": {"requestId": "in-process"},
            "body": text or None,
            "isBase64Encoded": is_binary,
        }


def session_to(handler: Handler, binary_media_types: list[str]) -> requests.Session:
    """Return a session whose requests to `URL` the handler answers."""
    session = requests.Session()
    session.mount(URL, HandlerAdapter(handler, binary_media_types))
    return session
