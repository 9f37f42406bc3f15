"""Stubs of `POST /uploads` and of S3."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import multipart
from requests_toolbelt import MultipartEncoder

Answer = tuple[int, dict[str, str], str]


@dataclass
class StubBucket:
    """A bucket and the forms for it.

    Attributes:
        url: Address of the stub of S3.
        max_bytes: Maximum size of a picture.
        expires_in: Lifetime of a form in seconds.
        refuse: Error answers to the next uploads, one each.
        wrong_form: Answer instead of a form, by the number of requests for forms.
        objects: Stored objects by address.
        forms: Requested content types.
        posted: Headers of each upload, and (name, content type) of its fields in order.
    """

    url: str
    max_bytes: int = 1_000_000
    expires_in: int = 300
    refuse: list[Answer] = field(default_factory=list)
    wrong_form: Callable[[int], Answer | None] = lambda number: None
    objects: dict[str, bytes] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)
    posted: list[tuple[dict[str, str], list[tuple[str, str]]]] = field(default_factory=list)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """Answer for S3 and for /uploads; None: another path."""
        if path == "/s3":
            return self._store(headers, body)
        return self._form(body) if path.endswith("/uploads") else None

    def _form(self, body: bytes) -> Answer:
        self.forms.append(json.loads(body)["content_type"])
        if wrong := self.wrong_form(len(self.forms)):
            return wrong
        key = f"uploads/{len(self.forms)}"
        form = {
            "url": f"{self.url}/s3",
            "fields": {"key": key, "Content-Type": self.forms[-1], "policy": "e30="},
            "s3": f"s3://bucket/{key}",
            "max_bytes": self.max_bytes,
            "expires_in": self.expires_in,
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(form)

    def _store(self, headers: dict[str, str], body: bytes) -> Answer:
        parts = parts_of(headers["content-type"], body)
        self.posted.append((headers, [(part.name, part.content_type) for part in parts]))
        if self.refuse:
            return self.refuse.pop(0)
        [key] = [part.value for part in parts if part.name == "key"]
        self.objects[f"s3://bucket/{key}"] = parts[-1].raw
        return 204, {}, ""


def parts_of(content_type: str, body: bytes) -> list[multipart.MultipartPart]:
    boundary = multipart.parse_options_header(content_type)[1]["boundary"]
    stream, limit = io.BytesIO(body), len(body)  # In memory, because files would have to be closed.
    parser = multipart.MultipartParser(
        stream, boundary, strict=True, spool_limit=limit, memory_limit=limit
    )
    return list(parser)


def in_place_of_s3(bucket: StubBucket, content_type: str, body: bytes) -> tuple[str, bytes]:
    """Return the content type and body of a form with pictures instead of their addresses."""
    fields = [
        ("image", (part.value, bucket.objects[part.value]))
        if part.name == "s3"
        else (part.name, (part.filename, part.raw))
        for part in parts_of(content_type, body)
    ]
    encoder = MultipartEncoder(fields)
    return str(encoder.content_type), encoder.to_string()
