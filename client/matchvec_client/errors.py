"""Exceptions that end a call, with their codes.

MatchvecError
├── UsageError         bad_usage        a path, an option or a file is invalid; nothing was sent
│   └── InputTypeError bad_type         an input has a type that the client does not accept
├── PillowMissing      pillow_missing   images and drawing need Pillow
├── ExtraMissing       extra_missing    pandas, supervision or shtab is not installed
├── BotoMissing        boto3_missing    archives need boto3
├── BulkError          bad_archive      an archive, a run or a stack is invalid (bulk.aws)
├── JournalError       bad_journal      the results file belongs to another run
└── ApiError
    ├── ApiUnreachable unreachable      every attempt failed
    └── ApiRefused     the API's own    the API refuses the request and would refuse it again

A failed picture raises nothing: it is a `Picture` with a `Failure`.
"""

from __future__ import annotations

from typing import ClassVar


class MatchvecError(Exception):
    """Base class of this package's exceptions.

    Attributes:
        code: Machine-readable name, stable across releases.
        message: What is wrong and what to do.
    """

    code: str = "error"

    def __init__(self, message: str) -> None:
        """Store the message."""
        super().__init__(message)
        self.message = message


class UsageError(MatchvecError):
    """A path, an address or an option is invalid; nothing was sent."""

    code = "bad_usage"


class InputTypeError(UsageError, TypeError):
    """An input has a type that the client does not accept."""

    code = "bad_type"


class ExtraMissing(MatchvecError):
    """An optional package is not installed."""

    code = "extra_missing"


class PillowMissing(MatchvecError):
    """Images and drawing need Pillow, which is not installed."""

    code = "pillow_missing"


class BotoMissing(MatchvecError):
    """Archives in S3 need boto3, which is not installed."""

    code = "boto3_missing"


class JournalError(MatchvecError):
    """The results file belongs to another run."""

    code = "bad_journal"


class ApiError(MatchvecError):
    """The API cannot answer.

    Attributes:
        status: HTTP status of the last answer; None: no answer.
    """

    status: int | None = None


class ApiUnreachable(ApiError):
    """Every attempt failed."""

    code = "unreachable"

    def __init__(self, message: str, status: int | None = None) -> None:
        """Store the message and the status."""
        super().__init__(message)
        self.status = status


class ApiRefused(ApiError):
    """The API refused the request as a whole and would refuse it again.

    `code` is the API's, such as `invalid_api_key` or `bad_option`, or one of `UNEXPECTED`.
    """

    UNEXPECTED: ClassVar[tuple[str, ...]] = ("refused", "not_matchvec")

    def __init__(self, code: str, message: str, status: int) -> None:
        """Store the API's answer."""
        super().__init__(message)
        self.code = code
        self.status = status
