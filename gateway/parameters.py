"""Parse header parameters, the `; name=value` of Content-Type and Content-Disposition.

RFC 9110, section 5.6.6 defines the syntax. Clients deviate from it in what they quote and how:
tests/gateway/test_dialects.py has a row for each supported deviation, with the client that sends
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

# A quote ends a value only before the next parameter or at the end, because some clients do not
# escape the quotes of a file name. The repetitions are possessive (`*+`), so the expression never
# backtracks and matching takes linear time.
PARAMETER = re.compile(
    r';[ \t]*+([^ \t;="]++)[ \t]*+=[ \t]*+'
    r'(?:"((?:\\.|[^\\"]|"(?![ \t]*+(?:;|\Z)))*+)"?|([^;]*+))',
    re.DOTALL,
)
EXTENDED_VALUE = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.DOTALL | re.IGNORECASE)
BACKSLASHES_IN_PAIRS = re.compile(r"(?:[^\\]|\\\\)*+")
PERCENT_ENCODED = {"%22": '"', "%0D": "\r", "%0A": "\n"}


def parse_parameters(field: str) -> tuple[str, dict[str, str]]:
    """Parse a header's value and parameters.

    Args:
        field: Header value such as ``form-data; name="image"; filename=a.jpg``.

    Returns:
        The value in lower case, and a dict from lower-case parameter names to values. Quoted
        values are returned without their quotes, still escaped. The last of repeated names wins.
    """
    value, separator, _ = field.partition(";")
    parameters = {
        match[1].lower(): match[3].strip(" \t") if match[2] is None else match[2]
        for match in PARAMETER.finditer(field, len(value))
    }
    return value.strip(" \t").lower(), parameters if separator else {}


def unescape(value: str) -> str:
    r"""Unescape a quoted string as RFC 9110, section 5.6.4 defines: ``\x`` becomes x."""
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


def disposition_text(parameters: Mapping[str, str], name: str) -> str | None:
    r"""Return the `name` or `filename` of a Content-Disposition, or None if it is missing.

    Browsers write ``%22`` for a quote and do not escape backslashes
    (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data);
    others write ``\"`` and ``\\``; .NET adds an extended value with a charset (RFC 8187), which
    takes precedence. Old browsers send a Windows path, whose last component is the name.
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
