from __future__ import annotations

import pytest

from gateway.errors import BadOption
from gateway.options import Options, parse_options

GOOD = {
    "none": ({}, Options(threshold=None, top=5, details=False)),
    "all": (
        {"threshold": "0.25", "top": "3", "details": "true", "strict": "true"},
        Options(threshold=0.25, top=3, details=True, strict=True),
    ),
    "lowest": ({"threshold": "0", "top": "1"}, Options(threshold=0.0, top=1)),
    "highest": ({"threshold": "1", "top": "20"}, Options(threshold=1.0, top=20)),
    "exponent": ({"threshold": "1e-2"}, Options(threshold=0.01)),
    "capitals": ({"details": "True"}, Options(details=True)),
    "other parameters": ({"utm_source": "mail"}, Options()),
}


@pytest.mark.parametrize(("query", "options"), GOOD.values(), ids=GOOD)
def test_options(query: dict[str, str], options: Options) -> None:
    assert parse_options(query) == options


BAD = {
    "threshold: word": ("threshold", "high"),
    "threshold: empty": ("threshold", ""),
    "threshold: above": ("threshold", "1.01"),
    "threshold: below": ("threshold", "-0.1"),
    "threshold: nan": ("threshold", "nan"),
    "threshold: infinite": ("threshold", "inf"),
    "threshold: underscore": ("threshold", "0_0"),
    "threshold: space": ("threshold", " 0.5"),
    "threshold: other digits": ("threshold", "٣"),
    "threshold: enormous": ("threshold", "1e" + "9" * 5000),
    "top: zero": ("top", "0"),
    "top: above": ("top", "21"),
    "top: fraction": ("top", "2.5"),
    "top: sign": ("top", "-1"),
    "top: underscore": ("top", "1_0"),
    "top: other digits": ("top", "٣"),
    "top: enormous": ("top", "9" * 5000),
    "details: number": ("details", "1"),
    "details: empty": ("details", ""),
    "strict: word": ("strict", "yes"),
}


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_bad_option_names_the_option_and_the_value(name: str, value: str) -> None:
    with pytest.raises(BadOption) as caught:
        parse_options({name: value})

    assert f"{name}={value[:40]!r}" in caught.value.message
