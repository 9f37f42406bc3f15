"""Read the Accept header: does the client want a drawn picture, and of what type?"""

from __future__ import annotations

from collections.abc import Mapping

PICTURE_TYPES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
}
"""Media types a client may ask for, and the media type of the response."""


def wanted_picture_type(headers: Mapping[str, str]) -> str | None:
    """Return the media type of the picture to respond with, or None for JSON.

    Only the first media type of Accept counts, whatever its weight, because API Gateway uses it
    to decide whether a response is binary.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html

    Args:
        headers: The request's headers, with lower-case names.

    Example:
        >>> wanted_picture_type({"accept": "image/jpeg;q=0.5, application/json"})
        'image/jpeg'
        >>> wanted_picture_type({"accept": "*/*"})
    """
    first = headers.get("accept", "").split(",")[0].split(";")[0]
    return PICTURE_TYPES.get(first.strip().lower())
