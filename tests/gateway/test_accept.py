from __future__ import annotations

import pytest

from gateway.accept import wanted_picture_type

ACCEPTS = {
    "JPEG": ("image/jpeg", "image/jpeg"),
    "PNG": ("image/png", "image/png"),
    "another name of JPEG": ("image/jpg", "image/jpeg"),
    "other case": ("Image/PNG", "image/png"),
    "with a weight": ("image/jpeg;q=0.1, application/json", "image/jpeg"),
    "with spaces": (" image/png , */*", "image/png"),
    "second": ("application/json, image/jpeg", None),
    "anything": ("*/*", None),
    "any picture": ("image/*", None),
    "another kind": ("image/webp", None),
    "browser navigation": ("text/html,application/xhtml+xml,image/png", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("accept", "expected"), ACCEPTS.values(), ids=ACCEPTS)
def test_first_media_type(accept: str, expected: str | None) -> None:
    assert wanted_picture_type({"accept": accept}) == expected


def test_missing_header() -> None:
    assert wanted_picture_type({}) is None
