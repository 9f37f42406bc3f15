"""The Accept field -> the kind of picture that a client wants drawn, if any."""

from __future__ import annotations

from collections.abc import Mapping

PICTURE_TYPES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
}
"""What can be asked for, and the media type of the answer."""


def wanted_picture_type(headers: Mapping[str, str]) -> str | None:
    """The media type of the picture to answer with; None: the client wants JSON.

    Only the first media type of Accept counts, whatever the weights: API Gateway decides by it
    whether it passes a binary answer on.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html

    Args:
        headers: A request's, with names in lower case.

    Example:
        >>> wanted_picture_type({"accept": "image/jpeg;q=0.5, application/json"})
        'image/jpeg'
        >>> wanted_picture_type({"accept": "*/*"})
    """
    first = headers.get("accept", "").split(",")[0].split(";")[0]
    return PICTURE_TYPES.get(first.strip().lower())
