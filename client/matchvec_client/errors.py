"""Everything that ends a run, as classes with codes.

MatchvecError
├── UsageError         bad_usage        something about the call: a path, an option, a file
├── PillowMissing      pillow_missing   drawing and shrinking need Pillow
├── BotoMissing        boto3_missing    archives need boto3
├── BulkError          bad_archive      something about an archive in S3 (bulk.aws)
├── JournalError       bad_journal      the file to resume is not one of this run's
└── ApiError
    ├── ApiUnreachable unreachable      no answer, or only failures, after every attempt
    └── ApiRefused     the API's own    a request was refused in a way that the next one will be too

A picture that fails ends nothing: it is a `Picture` with a `Failure`.
"""

from __future__ import annotations

from typing import ClassVar


class MatchvecError(Exception):
    """Base of all errors of this package.

    Attributes:
        code: The machine-readable name, stable across releases.
        message: One sentence for people that says what to change.
    """

    code: str = "error"

    def __init__(self, message: str) -> None:
        """Keep the message."""
        super().__init__(message)
        self.message = message


class UsageError(MatchvecError):
    """A path, an address or an option can't be used; nothing was sent."""

    code = "bad_usage"


class PillowMissing(MatchvecError):
    """Drawing and shrinking need Pillow, which is not installed."""

    code = "pillow_missing"


class BotoMissing(MatchvecError):
    """Archives need boto3, which is not installed."""

    code = "boto3_missing"


class JournalError(MatchvecError):
    """The file to go on with was not made by a run like this one."""

    code = "bad_journal"


class ApiError(MatchvecError):
    """The API can't do what is asked of it.

    Attributes:
        status: The HTTP status of the last answer; None where there was none.
    """

    status: int | None = None


class ApiUnreachable(ApiError):
    """There was no usable answer, however often it was tried."""

    code = "unreachable"

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the message and the last answer's status."""
        super().__init__(message)
        self.status = status


class ApiRefused(ApiError):
    """The API refused the request as a whole, and would refuse it again.

    `code` is the one that the API gave, such as `invalid_api_key` or `bad_option`, or one of
    `UNEXPECTED`.
    """

    UNEXPECTED: ClassVar[tuple[str, ...]] = ("refused", "not_matchvec")

    def __init__(self, code: str, message: str, status: int) -> None:
        """Keep what the API said."""
        super().__init__(message)
        self.code = code
        self.status = status
