"""Pictures -> requests that the API takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from matchvec_client.sources import Source

PART_OVERHEAD = 512
"""Bytes around a picture in the form, at most: the boundary line (36), Content-Disposition with a
file name of up to `MAX_FILENAME` letters, Content-Type, line ends, and the closing boundary."""
MAX_FILENAME = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may hold.

    Attributes:
        pictures: Most pictures, urls among them. The API takes 32; half of it leaves a small,
            cold function 1.7 s for each picture before API Gateway's 29 s are over.
        urls: Most urls.
        body_bytes: Largest body. Lambda takes 6 MiB (6,291,456 bytes) of event, in which three
            bytes are four letters of base64: 4,718,592 bytes, of which the event's other fields
            need some
            (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
    """

    pictures: int = 16
    urls: int = 8
    body_bytes: int = 4_400_000

    @property
    def picture_bytes(self) -> int:
        """Largest picture that goes into a request of its own."""
        return self.body_bytes - PART_OVERHEAD

    def fewer(self, factor: int) -> Limits:
        """The same with so many times fewer pictures, but one."""
        return replace(
            self, pictures=max(1, self.pictures // factor), urls=max(1, self.urls // factor)
        )


def plan(sources: Iterable[Source], limits: Limits) -> Iterator[tuple[Source, ...]]:
    """Requests of as many pictures as go into each, in their order.

    A picture that is too large for any request gets one of its own: what becomes of it is
    decided when it is read.
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
