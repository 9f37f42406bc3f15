"""Check the header ``x-api-key``, for event sources that have no API keys of their own."""

from __future__ import annotations

from gateway.errors import InvalidApiKey
from gateway.event import Request

HEADER = "x-api-key"


def check_api_key(request: Request, secret: str) -> None:
    """Check the key of a POST request. Other methods need none, as in API Gateway.

    Args:
        request: Request of the client.
        secret: Key that clients must send; empty if they need none.

    Raises:
        InvalidApiKey: The key is missing or wrong.
    """
    if not secret or request.method != "POST":
        return
    # Imported here: most deployments have no secret, and a cold start pays for every import.
    import hmac

    sent = request.headers.get(HEADER, "").encode(errors="backslashreplace")
    # In constant time: the time of the answer says nothing about the secret.
    if not hmac.compare_digest(sent, secret.encode()):
        raise InvalidApiKey("The key is missing or wrong. Send it in the header X-Api-Key.")
