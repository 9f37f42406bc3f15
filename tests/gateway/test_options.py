from __future__ import annotations

import pytest

from gateway.errors import BadOption
from gateway.options import Options, parse_options

GOOD = {
    "none": ({}, Options(threshold=None, top=5, details=False)),
    "all": (
        {"threshold": "0.25", "top": "3", "details": "true"},
        Options(threshold=0.25, top=3, details=True),
    ),
    "lowest": ({"threshold": "0", "top": "1"}, Options(threshold=0.0, top=1)),
    "highest": ({"threshold": "1", "top": "20"}, Options(threshold=1.0, top=20)),
    "exponent": ({"threshold": "1e-2"}, Options(threshold=0.01)),
    "capitals": ({"details": "True"}, Options(details=True)),
    "somebody else's": ({"utm_source": "mail"}, Options()),
}


@pytest.mark.parametrize(("query", "options"), GOOD.values(), ids=GOOD)
def test_options(query: dict[str, str], options: Options) -> None:
    assert parse_options(query) == options


BAD = {
    "threshold: word": ("threshold", "high", "a number from 0 to 1"),
    "threshold: empty": ("threshold", "", "a number from 0 to 1"),
    "threshold: above": ("threshold", "1.01", "a number from 0 to 1"),
    "threshold: below": ("threshold", "-0.1", "a number from 0 to 1"),
    "threshold: nan": ("threshold", "nan", "a number from 0 to 1"),
    "threshold: infinite": ("threshold", "inf", "a number from 0 to 1"),
    "threshold: underscore": ("threshold", "0_0", "a number from 0 to 1"),
    "threshold: space": ("threshold", " 0.5", "a number from 0 to 1"),
    "threshold: other digits": ("threshold", "٣", "a number from 0 to 1"),
    "threshold: enormous": ("threshold", "1e" + "9" * 5000, "a number from 0 to 1"),
    "top: zero": ("top", "0", "a whole number from 1 to 20"),
    "top: above": ("top", "21", "a whole number from 1 to 20"),
    "top: fraction": ("top", "2.5", "a whole number from 1 to 20"),
    "top: sign": ("top", "-1", "a whole number from 1 to 20"),
    "top: underscore": ("top", "1_0", "a whole number from 1 to 20"),
    "top: other digits": ("top", "٣", "a whole number from 1 to 20"),
    "top: enormous": ("top", "9" * 5000, "a whole number from 1 to 20"),
    "details: number": ("details", "1", "true or false"),
    "details: empty": ("details", "", "true or false"),
}


@pytest.mark.parametrize(("name", "value", "wanted"), BAD.values(), ids=BAD)
def test_bad_option_names_option_value_and_range(name: str, value: str, wanted: str) -> None:
    with pytest.raises(BadOption) as caught:
        parse_options({name: value})

    assert name in caught.value.message
    assert repr(value[:40]) in caught.value.message
    assert wanted in caught.value.message
