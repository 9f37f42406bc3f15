"""A good picture is answered next to every hostile one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from service.settings import Settings
from tests.inference.decoding.test_cost import HOSTILE
from tests.support.events import form_event, upload
from tests.support.handlers import make_handler
from tests.support.hostile import FLOODS, HARMLESS
from tests.support.models import fake_pipeline
from tests.support.pictures import plain

LARGE_BODIES = {"MAX_REQUEST_BYTES": "100000000"}
"""Some floods have 10 MB, which only a url can deliver."""

CASES = {**FLOODS, **HARMLESS, **HOSTILE}


@pytest.mark.promise("one-element-per-part")
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_the_neighbours_of_a_hostile_picture_are_answered(make: Callable[[], bytes]) -> None:
    settings = Settings.from_environment(LARGE_BODIES)
    handler = make_handler(settings, load=lambda _: fake_pipeline())
    parts = [upload(plain()), upload(make()), upload(plain())]
    response = handler(form_event("/shape", *parts), None)

    first, _, last = json.loads(response["body"])
    assert [first, last] == [[6, 8, 3], [6, 8, 3]]
