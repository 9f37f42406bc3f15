"""The properties hold for all seeds and mutations, and detect planted faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fuzz.decode
import fuzz.event
import fuzz.fetch
import fuzz.multipart
import gateway.exchange
import gateway.fetch
import gateway.parts
import inference.decoding.decode
import inference.decoding.other_formats
import service.handler
import service.routes
from fuzz.mutate import mutations
from fuzz.targets import TARGETS, Target
from gateway.parts import Form, FormFile
from gateway.urls import Target as UrlTarget

SEEDS = [
    pytest.param(target, seed, id=f"{name}-{file}")
    for name, target in TARGETS.items()
    for file, seed in target.seeds().items()
]
MUTATIONS = 800


@pytest.mark.promise("fuzzed-requests")
@pytest.mark.parametrize(("target", "seed"), SEEDS)
def test_every_seed(target: Target, seed: bytes) -> None:
    target.load()(seed)


@pytest.mark.promise("fuzzed-requests")
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_mutated_seeds(target: Target) -> None:
    check = target.load()
    for number, data in enumerate(mutations(list(target.seeds().values()), MUTATIONS, seed=1)):
        try:
            check(data)
        except Exception as error:
            raise AssertionError(f"mutation {number}: {data!r}") from error


def test_mutations_are_the_same_in_every_run() -> None:
    first, again = (list(mutations([b"seed", b"another"], 50, seed=7)) for _ in range(2))

    assert first == again
    assert len(set(first)) > 40


def failing_every_second_time(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function to return another value every second time."""
    calls = iter(range(1_000_000))

    def fail(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        return result ^ 1 if next(calls) % 2 else result

    return fail


def without_last(form: Form) -> Form:
    return Form(form.parts[:-1] or form.parts, form.options, form.ignored)


def backwards(form: Form) -> Form:
    return Form(form.parts[::-1], form.options, form.ignored)


PORT_22 = UrlTarget("http", "a.example", 22, "/")

PLANTED: dict[str, tuple[str, Any, str, Any]] = {
    "an event that raises": ("event", service.routes, "find_route", lambda *_: 1 / 0),
    "a missing part": (
        "event",
        service.routes,
        "parse_body",
        lambda *a, **k: without_last(gateway.parts.parse_body(*a, **k)),
    ),
    "a part without its element": (
        "event",
        service.routes,
        "failed_images",
        lambda codes: {"X-Failed-Images": f"{len(codes)}=not_an_image"},
    ),
    "a missing response": ("event", service.handler, "file_response", lambda *_, **__: {}),
    "a form that raises": ("multipart", fuzz.multipart, "parse_body", lambda *_, **__: 1 / 0),
    "content from elsewhere": (
        "multipart",
        fuzz.multipart,
        "parse_body",
        lambda *_, **__: Form([FormFile(b"of another request")], {}, []),
    ),
    "parts in another order": (
        "multipart",
        fuzz.multipart,
        "parse_body",
        lambda *a, **k: backwards(gateway.parts.parse_body(*a, **k)),
    ),
    "a limit that is ignored": (
        "multipart",
        fuzz.multipart,
        "parse_body",
        lambda kind, body, **_: gateway.parts.parse_body(kind, body, max_images=99, max_urls=99),
    ),
    "a file that raises": ("decode", fuzz.decode, "decode", lambda *_, **__: 1 / 0),
    "pixels that differ": (
        "decode",
        fuzz.decode,
        "decode",
        failing_every_second_time(inference.decoding.decode.decode),
    ),
    "a decoder without a limit": (
        "decode",
        inference.decoding.other_formats,
        "check_header",
        lambda *_: None,
    ),
    "an internal address": ("fetch", gateway.fetch, "is_public", lambda _: True),
    "no limit of received bytes": ("fetch", gateway.exchange, "MAX_OVERHEAD_BYTES", 1 << 30),
    "redirects without end": ("fetch", gateway.fetch, "MAX_REDIRECTS", 50),
    "another error": ("fetch", gateway.fetch, "urljoin", lambda *_: 1 / 0),
    "another port": ("fetch", gateway.fetch, "parse_url", lambda _: PORT_22),
}  # fmt: skip


@pytest.mark.parametrize(("name", "module", "attribute", "fault"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found_by_a_seed(
    name: str, module: Any, attribute: str, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = TARGETS[name].load()
    monkeypatch.setattr(module, attribute, fault)

    assert any(fails(check, seed) for seed in TARGETS[name].seeds().values())


def fails(check: Callable[[bytes], None], data: bytes) -> bool:
    try:
        check(data)
    except Exception:
        return True
    return False
