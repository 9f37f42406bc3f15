"""Grouping of pictures into requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from matchvec_client.sources import Source

PART_OVERHEAD = 512
"""Maximum bytes around a picture in the form: boundary line (36), Content-Disposition with a
file name of `MAX_FILENAME` characters, Content-Type, line ends, and the closing boundary."""
MAX_FILENAME = 80
"""Characters of a file name that are sent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request.

    Attributes:
        pictures: Maximum number of pictures, URLs included. The API accepts 32; 16 leave a small
            function 1.7 s per picture before API Gateway's limit of 29 s.
        urls: Maximum number of URLs.
        body_bytes: Maximum size of the body in bytes. Lambda accepts an event of 6 MiB
            (6,291,456 bytes), in which base64 needs four characters for three bytes; the other
            fields of the event need the rest
            (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
    """

    pictures: int = 16
    urls: int = 8
    body_bytes: int = 4_400_000

    @property
    def picture_bytes(self) -> int:
        """Maximum size in bytes of a picture in a request of its own."""
        return self.body_bytes - PART_OVERHEAD

    def fewer(self, factor: int) -> Limits:
        """Return limits with `factor` times fewer pictures, at least one."""
        return replace(
            self, pictures=max(1, self.pictures // factor), urls=max(1, self.urls // factor)
        )


def plan(sources: Iterable[Source], limits: Limits) -> Iterator[tuple[Source, ...]]:
    """Group pictures into requests, in order, each as full as the limits allow.

    A picture above `body_bytes` gets a request of its own; `Run` decides what to do with it.
    """
    batch: list[Source] = []
    size = urls = 0
    for source in sources:
        part = source.size + PART_OVERHEAD
        is_full = (
            len(batch) == limits.pictures
            or size + part > limits.body_bytes
            or urls + source.is_url > limits.urls
        )
        if batch and is_full:
            yield tuple(batch)
            batch, size, urls = [], 0, 0
        batch.append(source)
        size += part
        urls += source.is_url
    if batch:
        yield tuple(batch)
