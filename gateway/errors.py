"""Errors of a request and of its parts. Each class carries its error code.

GatewayError
├── RequestError              the whole request is refused
│   ├── MalformedBody         400 malformed_body
│   ├── NoImage               400 no_image
│   ├── BadOption             400 bad_option
│   ├── SeveralImages         400 several_images
│   ├── InvalidApiKey         403 invalid_api_key
│   ├── UnknownRoute          404 unknown_route
│   ├── MethodNotAllowed      405 method_not_allowed
│   ├── TooLarge              413 too_large
│   ├── UnsupportedMediaType  415 unsupported_media_type
│   ├── ImageFailed           422 image_failed
│   ├── AllFailed             422 all_failed
│   ├── InternalError         500 internal_error
│   └── ServiceUnavailable    503 model_unavailable
└── PartError                 one part fails, the other parts are answered
    ├── NotAPicture           not_an_image
    ├── UrlNotAllowed         url_not_allowed
    ├── UrlUnreachable        url_unreachable
    ├── UrlTimeout            url_timeout
    ├── UrlTooLarge           url_too_large
    ├── UrlNotAnImage         url_not_an_image
    ├── DeadlineExceeded      deadline_exceeded
    └── PartFailed            internal_error

Messages are sent to the client: they say what is wrong, what to change, and contain no secrets.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Base class of all errors that are reported to the client.

    Attributes:
        code: Machine-readable name, stable across releases.
        message: Human-readable explanation of what is wrong and what to change.
    """

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Keep the message for the response."""
        super().__init__(message)
        self.message = message


class RequestError(GatewayError):
    """The whole request is refused.

    Attributes:
        status: HTTP status of the response (RFC 9110, section 15).
    """

    status: ClassVar[int]

    @property
    def headers(self) -> dict[str, str]:
        """Headers this error adds to those of every response."""
        return {}


class MalformedBody(RequestError):
    """The body is missing, or does not have the format its headers state."""

    status = 400
    code = "malformed_body"


class NoImage(RequestError):
    """The body is valid, but contains no picture."""

    status = 400
    code = "no_image"


class BadOption(RequestError):
    """An option has an invalid value."""

    status = 400
    code = "bad_option"


class SeveralImages(RequestError):
    """The client asked for a drawn picture but sent several pictures."""

    status = 400
    code = "several_images"


class InvalidApiKey(RequestError):
    """The key in ``x-api-key`` is missing or wrong."""

    status = 403
    code = "invalid_api_key"


class UnknownRoute(RequestError):
    """No route has this path."""

    status = 404
    code = "unknown_route"


class MethodNotAllowed(RequestError):
    """The route does not support this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        """Keep the allowed methods for the ``Allow`` field (RFC 9110, section 15.5.6)."""
        super().__init__(message)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """The ``Allow`` header, which a 405 response must have."""
        return {"Allow": ", ".join(self.allowed)}


class TooLarge(RequestError):
    """The body, or its number of parts, exceeds a limit."""

    status = 413
    code = "too_large"


class UnsupportedMediaType(RequestError):
    """The body has a media type or content coding that is not supported."""

    status = 415
    code = "unsupported_media_type"

    def __init__(self, message: str, accept_encoding: str = "") -> None:
        """Keep the supported content codings, if the coding is the reason."""
        super().__init__(message)
        self.accept_encoding = accept_encoding

    @property
    def headers(self) -> dict[str, str]:
        """The ``Accept-Encoding`` header (RFC 9110, section 15.5.16)."""
        return {"Accept-Encoding": self.accept_encoding} if self.accept_encoding else {}


class ImageFailed(RequestError):
    """The client asked for a drawn picture, but the picture it sent is unusable."""

    status = 422
    code = "image_failed"

    def __init__(self, message: str, image_code: str) -> None:
        """Keep the picture's error code for the ``X-Failed-Images`` header."""
        super().__init__(message)
        self.image_code = image_code

    @property
    def headers(self) -> dict[str, str]:
        """The ``X-Failed-Images`` header that a JSON response would have."""
        return {"X-Failed-Images": f"0={self.image_code}"}


class AllFailed(RequestError):
    """Every picture of a request with ``strict=true`` failed; the body is the usual one."""

    status = 422
    code = "all_failed"


class InternalError(RequestError):
    """The service failed; only the log has the details."""

    status = 500
    code = "internal_error"


class ServiceUnavailable(RequestError):
    """A model that the route needs could not be loaded; only the log has the details."""

    status = 503
    code = "model_unavailable"


class PartError(GatewayError):
    """One part is unusable. Its element of the response is empty."""


class NotAPicture(PartError):
    """The file is unusable before it is decoded."""

    code = "not_an_image"


class UrlNotAllowed(PartError):
    """The service does not open this url."""

    code = "url_not_allowed"


class UrlUnreachable(PartError):
    """The url's server is unknown, unreachable, or responds with an error."""

    code = "url_unreachable"


class UrlTimeout(PartError):
    """The url's server did not respond in time."""

    code = "url_timeout"


class UrlTooLarge(PartError):
    """The url's file exceeds the size limit."""

    code = "url_too_large"


class UrlNotAnImage(PartError):
    """The url's file is not a picture."""

    code = "url_not_an_image"


class DeadlineExceeded(PartError):
    """The request's deadline passed before this picture was processed."""

    code = "deadline_exceeded"


class PartFailed(PartError):
    """The service failed on this part only; the log has the details."""

    code = "internal_error"
