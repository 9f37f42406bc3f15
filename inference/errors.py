"""What can be wrong with a picture or a model.

InferenceError
├── PictureError            this picture can't be used; `code` names the reason
│   ├── NotAnImage          not_an_image
│   ├── UnsupportedFormat   unsupported_format
│   └── ImageTooLarge       image_too_large
└── ModelUnavailable        this model can't be used; the message is for the operator's log
    └── ManifestError       its manifest.json says something that can't be
"""

from __future__ import annotations

from typing import ClassVar


class InferenceError(Exception):
    """Base of all errors of this wing."""


class PictureError(InferenceError):
    """A picture can't be used.

    Attributes:
        code: The machine-readable name, stable across releases.
        message: One sentence for the client that says what to change.
    """

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Keep the message for the answer."""
        super().__init__(message)
        self.message = message


class NotAnImage(PictureError):
    """The bytes are no picture, or a damaged one."""

    code = "not_an_image"


class UnsupportedFormat(PictureError):
    """The bytes are a picture of a kind that is not decoded."""

    code = "unsupported_format"


class ImageTooLarge(PictureError):
    """The picture has more pixels than the limit."""

    code = "image_too_large"


class ModelUnavailable(InferenceError):
    """A model can't be found, is not the file it should be, or does not load."""


class ManifestError(ModelUnavailable):
    """A manifest.json is missing a field, or has one that can't be."""
