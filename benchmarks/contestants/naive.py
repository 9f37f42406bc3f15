"""The handler that articles describe: requests-toolbelt, base64, Pillow, one picture at a time.

    event -> base64.b64decode -> MultipartDecoder -> Pillow -> session.run -> json.dumps

It uses default sessions, decodes the full picture, and opens urls with `urlopen`. What such
handlers
often get wrong (colour order, EXIF, boxes) is right here, because only time is compared.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any

from requests_toolbelt.multipart.decoder import MultipartDecoder

from benchmarks.contestants.plain import PlainModels

models = PlainModels()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an API Gateway event."""
    body = base64.b64decode(event["body"])
    answer = models.predict if event["path"] == "/predict" else models.detect
    parts = MultipartDecoder(body, event["headers"]["Content-Type"]).parts
    results = []
    for part in parts:
        content = part.content
        if b'name="url"' in part.headers[b"Content-Disposition"]:
            with urllib.request.urlopen(content.decode(), timeout=5) as response:  # noqa: S310  loopback only
                content = response.read()
        results.append(answer(content))
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(results)}
