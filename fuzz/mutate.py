"""Seeded mutations of the seeds, without a fuzzer.

Atheris has wheels for Linux on x86-64 only. These mutations run everywhere and are reproducible.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

TOKENS = (
    b"\r\n", b"\n", b"\0", b"\xff", b"--", b'"', b";", b"%", b"\xff\xd9", b"\xff\xda",
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"-1", b"null", b"[]", b"{}",
    b"\xed\xa0\x80", b"127.0.0.1", b"http://", b"@", b"%repeat\n", b"\n%hop\n",
)  # fmt: skip
"""Tokens that are significant to one of the parsers."""

MAX_CHANGES = 4
MAX_COPIES = 64


def mutations(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` inputs, each a few mutations away from one of the seeds."""
    rng = random.Random(seed)
    for _ in range(count):
        data = rng.choice(seeds)
        for _ in range(rng.randint(1, MAX_CHANGES)):
            data = rng.choice(CHANGES)(rng, data, rng.choice(seeds))
        yield data


def _slice(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    # Few mutations are likelier: inputs far from a seed are refused at their first byte.
    return start, min(len(data), start + int(rng.expovariate(1 / 8)))


def _overwrite(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _flip(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    if not data:
        return data
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _delete(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:end] + data[start:end] * rng.randint(1, MAX_COPIES) + data[end:]


def _insert(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, _ = _slice(rng, data)
    return data[:start] + rng.choice(TOKENS) + data[start:]


def _replace(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + rng.choice(TOKENS) + data[end:]


def _cut(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


Change = Callable[[random.Random, bytes, bytes], bytes]
CHANGES: tuple[Change, ...] = (
    _overwrite, _flip, _delete, _repeat, _insert, _replace, _cut, _splice,
)  # fmt: skip
