"""Calls of the picture service with a fake network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.deadline import Deadline
from gateway.parts import Part
from inference.budget import RequestBudget
from inference.decoding.resolution import SMALLEST
from inference.decoding.source import ImageSource
from service.pictures import PictureService
from service.results import Result
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import plain

WIDTHS = {"a.example/7.png": http_answer(plain(7)), "a.example/9.png": http_answer(plain(9))}


def width(source: ImageSource) -> int:
    return source.decode(SMALLEST).size_wh[0]


def answer(
    parts: list[Part],
    predict: Callable[[ImageSource], Any] = width,
    deadline: Deadline | None = None,
    network: FakeNetwork | None = None,
    budget: RequestBudget | None = None,
) -> list[Result]:
    network = network or FakeNetwork(WIDTHS)
    service = PictureService(network.fetcher(), max_pixels=4_000_000, max_urls=8)
    return service.answer(parts, predict, deadline or Deadline.after(20), budget)


def summary(results: list[Result]) -> list[Any]:
    return [result.error.code if result.error else result.answer for result in results]
