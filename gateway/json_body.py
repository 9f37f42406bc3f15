"""Read pictures and options from JSON bodies, in the shapes of well-known vision APIs.

``{"image": "<base64 or data URL>"}``, ``{"url": "https://..."}``, ``{"images": [...]}``,
``{"urls": [...]}`` and ``{"instances": [{"b64": "..."}, {"url": "..."}]}``. Every name may hold one
value or a list, and the options of the query may be members, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gateway.base64_text import decode_picture_text
from gateway.errors import MalformedBody, TooLarge
from gateway.multipart_form import MAX_FIELDS, FormField

PICTURE_NAMES = frozenset({"image", "images", "file", "files", "instances", "b64", "image_bytes"})
"""Names of pictures, or of objects that contain them."""

TEXT_NAMES = frozenset({"url", "urls", "s3"})

MAX_NESTING = 3
"""Objects inside objects: ``{"instances": [{"image_bytes": {"b64": "..."}}]}`` has three."""

EXAMPLE = '{"image": "<base64>"} or {"url": "https://..."}'

Members = tuple[tuple[str, Any], ...]
"""A JSON object; unlike a dict it keeps repeated names, so that no picture is lost."""


def read_json(body: bytes) -> list[FormField]:
    """Return the members of a JSON body as form fields, in their order.

    Raises:
        MalformedBody: The body is not a JSON object, or a picture is not a string.
        TooLarge: The body has too many members.
    """
    try:
        members = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"The body is not valid JSON. Send {EXAMPLE}.") from error
    if not isinstance(members, tuple):
        raise MalformedBody(f"The body is not a JSON object. Send {EXAMPLE}.")
    fields: list[FormField] = []
    for field in _fields_of(members, MAX_NESTING):
        if len(fields) == MAX_FIELDS:
            raise TooLarge(f"The body has more than {MAX_FIELDS} values. Send fewer.")
        fields.append(field)
    return fields


def _fields_of(members: Members, nesting: int) -> Iterator[FormField]:
    for name, value in members:
        is_picture = name in PICTURE_NAMES
        if is_picture or name in TEXT_NAMES:
            for each in value if isinstance(value, list) else [value]:
                if is_picture and isinstance(each, tuple) and nesting > 1:
                    yield from _fields_of(each, nesting - 1)
                elif isinstance(each, str):
                    yield _picture(each) if is_picture else FormField(name, _encode(each))
                elif each is not None:
                    raise MalformedBody(
                        f"The JSON value of {name} is not a string. Send {EXAMPLE}."
                    )
        elif value is not None:
            is_scalar = isinstance(value, str | int | float)
            text = value if isinstance(value, str) else json.dumps(value) if is_scalar else ""
            yield FormField(name, _encode(text))


def _picture(text: str) -> FormField:
    return FormField("image", decode_picture_text(_encode(text), is_text=True))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # Only lone surrogates are replaced.
