"""The parameters of a header field, as `; name=value` follows a Content-Type or -Disposition.

RFC 9110, section 5.6.6 says how they are written. Clients differ from it, and from each other,
in what they leave unquoted and how they quote: each difference that is understood here is a row
of tests/gateway/test_dialects.py, with the client that writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

# A quote ends a value only where the next parameter or nothing follows: some clients write those
# of a file name as they are. Every match takes all that it has looked at, and nothing is tried
# twice (the possessive + of each repetition), so that no field takes more than one pass.
PARAMETER = re.compile(
    r';[ \t]*+([^ \t;="]++)[ \t]*+=[ \t]*+'
    r'(?:"((?:\\.|[^\\"]|"(?![ \t]*+(?:;|\Z)))*+)"?|([^;]*+))',
    re.DOTALL,
)
EXTENDED_VALUE = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.DOTALL | re.IGNORECASE)
BACKSLASHES_IN_PAIRS = re.compile(r"(?:[^\\]|\\\\)*+")
PERCENT_ENCODED = {"%22": '"', "%0D": "\r", "%0A": "\n"}


def parse_parameters(field: str) -> tuple[str, dict[str, str]]:
    """A header field's value and its parameters.

    Args:
        field: Such as ``form-data; name="image"; filename=a.jpg``.

    Returns:
        The value in lower case, and per name in lower case what stands behind it: between the
        quotes, as it is there, or up to the next semicolon. Of a repeated name the last.
    """
    value, separator, _ = field.partition(";")
    parameters = {
        match[1].lower(): match[3].strip(" \t") if match[2] is None else match[2]
        for match in PARAMETER.finditer(field, len(value))
    }
    return value.strip(" \t").lower(), parameters if separator else {}


def unescape(value: str) -> str:
    r"""A quoted string's content by RFC 9110, section 5.6.4: ``\x`` stands for x."""
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


def disposition_text(parameters: Mapping[str, str], name: str) -> str | None:
    r"""The `name` or `filename` of a Content-Disposition, as its sender meant it; None: not there.

    Browsers write ``%22`` for a quote and a backslash as it is
    (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data);
    others write ``\"`` and ``\\``; .NET adds a second one with the charset (RFC 8187), which then
    says more. Old browsers sent a file's path on Windows, of which the last part is the name.
    """
    extended = EXTENDED_VALUE.fullmatch(parameters.get(f"{name}*", ""))
    if extended:
        return unquote_to_bytes(extended[2]).decode(extended[1], "replace")
    value = parameters.get(name)
    if value is None:
        return None
    if '\\"' in value:
        value = re.sub(r'\\(["\\])', r"\1", value)
    else:
        if BACKSLASHES_IN_PAIRS.fullmatch(value):
            value = value.replace("\\\\", "\\")
        for encoded, character in PERCENT_ENCODED.items():
            value = value.replace(encoded, character)
    if re.match(r"[A-Za-z]:\\|\\\\", value):
        value = value.rpartition("\\")[2]
    return value
