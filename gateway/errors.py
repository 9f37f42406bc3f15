"""Everything that can be wrong with a request, as classes that carry their own answer.

GatewayError
├── RequestError              the whole request is refused
│   ├── MalformedBody         400 malformed_body
│   ├── NoImage               400 no_image
│   ├── BadOption             400 bad_option
│   ├── SeveralImages         400 several_images
│   ├── UnknownRoute          404 unknown_route
│   ├── MethodNotAllowed      405 method_not_allowed
│   ├── TooLarge              413 too_large
│   ├── UnsupportedMediaType  415 unsupported_media_type
│   ├── ImageFailed           422 image_failed
│   ├── InternalError         500 internal_error
│   └── ServiceUnavailable    503 model_unavailable
└── PartError                 one part fails, its neighbours are answered
    ├── UrlNotAllowed         url_not_allowed
    ├── UrlUnreachable        url_unreachable
    ├── UrlTimeout            url_timeout
    ├── UrlTooLarge           url_too_large
    ├── UrlNotAnImage         url_not_an_image
    ├── DeadlineExceeded      deadline_exceeded
    └── PartFailed            internal_error

A message is written for the client: it says what to change and holds nothing secret.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Base of all errors that a client is told about.

    Attributes:
        code: The machine-readable name, stable across releases.
        message: One sentence for people that says what to change.
    """

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Keep the message for the answer."""
        super().__init__(message)
        self.message = message


class RequestError(GatewayError):
    """The request as a whole can't be answered.

    Attributes:
        status: The HTTP status of the answer (RFC 9110, section 15).
    """

    status: ClassVar[int]

    @property
    def headers(self) -> dict[str, str]:
        """Header fields that the status asks for, besides the ones every answer has."""
        return {}


class MalformedBody(RequestError):
    """The body is missing, not base64, or not the multipart message it claims to be."""

    status = 400
    code = "malformed_body"


class NoImage(RequestError):
    """The form was read but has no ``image``, ``url`` or ``s3`` field."""

    status = 400
    code = "no_image"


class BadOption(RequestError):
    """A query option has a value outside of its range."""

    status = 400
    code = "bad_option"


class SeveralImages(RequestError):
    """A drawn picture is asked for, and there are several."""

    status = 400
    code = "several_images"


class UnknownRoute(RequestError):
    """No route has this path."""

    status = 404
    code = "unknown_route"


class MethodNotAllowed(RequestError):
    """The route exists, but not for this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        """Keep the allowed methods for the ``Allow`` field (RFC 9110, section 15.5.6)."""
        super().__init__(message)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """The ``Allow`` field that a 405 must have."""
        return {"Allow": ", ".join(self.allowed)}


class TooLarge(RequestError):
    """The body, or the number of its parts, is over a limit."""

    status = 413
    code = "too_large"


class UnsupportedMediaType(RequestError):
    """The body is neither ``multipart/form-data`` nor ``image/*``."""

    status = 415
    code = "unsupported_media_type"


class ImageFailed(RequestError):
    """A drawn picture is asked for, and the one that was sent can't be used."""

    status = 422
    code = "image_failed"

    def __init__(self, message: str, image_code: str) -> None:
        """Keep the picture's own code for the ``X-Failed-Images`` field."""
        super().__init__(message)
        self.image_code = image_code

    @property
    def headers(self) -> dict[str, str]:
        """What a JSON answer would tell of the picture."""
        return {"X-Failed-Images": f"0={self.image_code}"}


class InternalError(RequestError):
    """Our own fault; the details stand in the log only."""

    status = 500
    code = "internal_error"


class ServiceUnavailable(RequestError):
    """A model that the route needs could not be loaded; the details stand in the log only."""

    status = 503
    code = "model_unavailable"


class PartError(GatewayError):
    """One part can't be used. It is answered with an empty result in its place."""


class UrlNotAllowed(PartError):
    """The url is not one that this service opens."""

    code = "url_not_allowed"


class UrlUnreachable(PartError):
    """The url's server can't be found, can't be reached, or answers with an error."""

    code = "url_unreachable"


class UrlTimeout(PartError):
    """The url's server did not deliver in time."""

    code = "url_timeout"


class UrlTooLarge(PartError):
    """The url's file is over the limit."""

    code = "url_too_large"


class UrlNotAnImage(PartError):
    """The url delivered something that is not a picture."""

    code = "url_not_an_image"


class DeadlineExceeded(PartError):
    """The gateway's time limit came before this picture's turn."""

    code = "deadline_exceeded"


class PartFailed(PartError):
    """Our own fault, with this part only; the details stand in the log."""

    code = "internal_error"
