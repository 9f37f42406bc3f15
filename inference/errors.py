"""Errors of pictures and models.

InferenceError
├── PictureError            the picture is invalid; `code` names the reason
│   ├── NotAnImage          not_an_image
│   ├── UnsupportedFormat   unsupported_format
│   ├── ImageTooLarge       image_too_large
│   └── RequestTooExpensive deadline_exceeded
└── ModelUnavailable        the model is unusable; the message is for the operator's log
    └── ManifestError       its manifest.json is invalid
"""

from __future__ import annotations

from typing import ClassVar

NATIVE_OUT_OF_MEMORY = ("Insufficient memory", "std::bad_alloc", "Failed to allocate memory")
"""Texts of OpenCV, C++ and onnxruntime where Python raises MemoryError."""


class InferenceError(Exception):
    """Base of all errors of this package."""


class PictureError(InferenceError):
    """The picture is invalid.

    Attributes:
        code: Machine-readable name, stable across releases.
        message: Text for the client: what is wrong, then what to do.
    """

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Keep the message for the response."""
        super().__init__(message)
        self.message = message


class NotAnImage(PictureError):
    """The bytes are not an image, or a damaged one."""

    code = "not_an_image"


class UnsupportedFormat(PictureError):
    """The bytes are an image of a format that is not decoded."""

    code = "unsupported_format"


class ImageTooLarge(PictureError):
    """The image has more pixels than the limit, or takes too much time or memory."""

    code = "image_too_large"


class RequestTooExpensive(PictureError):
    """The other pictures of the request leave no time for this one."""

    code = "deadline_exceeded"


class ModelUnavailable(InferenceError):
    """The model is missing, its checksum is wrong, or it does not load."""


class ManifestError(ModelUnavailable):
    """A manifest.json lacks a field or has an invalid one."""


def is_out_of_memory(error: Exception) -> bool:
    """Return whether Python or a native library ran out of memory."""
    return isinstance(error, MemoryError) or any(
        text in str(error) for text in NATIVE_OUT_OF_MEMORY
    )
