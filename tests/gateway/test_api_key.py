"""The header x-api-key, for event sources without API keys."""

from __future__ import annotations

import pytest

from gateway.api_key import check_api_key
from gateway.errors import InvalidApiKey
from gateway.event import Request

SECRET = "a-secret-of-the-tests-0123"
ALLOWED = {
    "no secret, no key": ("POST", "", {}),
    "no secret, any key": ("POST", "", {"x-api-key": "?"}),
    "the key": ("POST", SECRET, {"x-api-key": SECRET}),
    "GET without a key": ("GET", SECRET, {}),
    "HEAD without a key": ("HEAD", SECRET, {}),
    "OPTIONS without a key": ("OPTIONS", SECRET, {}),
}
REFUSED = {
    "no key": {},
    "an empty key": {"x-api-key": ""},
    "another key": {"x-api-key": SECRET.upper()},
    "a part of the key": {"x-api-key": SECRET[:-1]},
    "the key and more": {"x-api-key": f"{SECRET}0"},
    "letters that are not ASCII": {"x-api-key": "clé"},
    "half a surrogate pair": {"x-api-key": "\ud800"},
    "the key in another header": {"authorization": SECRET},
}


def request(method: str, headers: dict[str, str]) -> Request:
    return Request(method, "/predict", headers, {}, None, None, "id")


@pytest.mark.parametrize(("method", "secret", "headers"), ALLOWED.values(), ids=ALLOWED)
def test_allowed(method: str, secret: str, headers: dict[str, str]) -> None:
    check_api_key(request(method, headers), secret)


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidApiKey) as raised:
        check_api_key(request("POST", headers), SECRET)
    assert (raised.value.status, raised.value.code) == (403, "invalid_api_key")
    assert SECRET not in raised.value.message
