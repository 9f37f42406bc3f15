"""Builds events of API Gateway, and loads those of tests/events."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from requests_toolbelt.multipart.encoder import MultipartEncoder

Field = tuple[str, str | bytes | tuple[str, bytes, str]]
EVENTS = Path(__file__).parent.parent / "events"


def multipart(*fields: Field) -> tuple[str, bytes]:
    """Return Content-Type and body of a form with these fields, in this order."""
    encoder = MultipartEncoder(fields=list(fields), boundary="matchvec-boundary")
    return encoder.content_type, encoder.to_string()


def upload(content: bytes, name: str = "image", filename: str = "photo.jpg") -> Field:
    return name, (filename, content, "image/jpeg")


def rest_event(
    path: str,
    content_type: str | None = None,
    body: bytes | None = None,
    *,
    method: str = "POST",
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event of a REST API's proxy integration (payload 1.0), with the main fields."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": content_type} if content_type else {},
        "queryStringParameters": query,
        "requestContext": {"requestId": "test-request", "stage": "Prod"},
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def form_event(
    path: str, *fields: Field, query: dict[str, str] | None = None, method: str = "POST"
) -> dict[str, Any]:
    return rest_event(path, *multipart(*fields), query=query, method=method)


def load_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event
