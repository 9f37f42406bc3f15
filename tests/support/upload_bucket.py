"""A bucket for uploads in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.deadline import Deadline
from gateway.errors import UrlUnreachable
from gateway.upload_bucket import PREFIX, Source, own_key

BUCKET = "uploads-in-memory"


@dataclass
class UploadBucket:
    """`gateway.upload_bucket.UploadBucket` without S3.

    Attributes:
        origin: Origin of the server that receives the forms.
        objects: Uploaded files by S3 uri.
    """

    origin: str = "http://127.0.0.1"
    objects: dict[str, bytes] = field(default_factory=dict)

    def offer(self, content_type: str) -> Mapping[str, Any]:
        key = f"{PREFIX}{len(self.objects):032}"
        return {
            "url": f"{self.origin}/",
            "fields": {"Content-Type": content_type, "key": key, "policy": "none"},
            "s3": f"s3://{BUCKET}/{key}",
            "max_bytes": 50_000_000,
            "expires_in": 300,
        }

    def reader(self) -> Source:
        return self

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        own_key(url, BUCKET)
        assert deadline.remaining
        if url not in self.objects:
            raise UrlUnreachable("There is no such upload.")
        return self.objects[url]
