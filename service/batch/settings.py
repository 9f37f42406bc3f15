"""Configuration of batches, read from environment variables, besides the API's `Settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.settings import EnvironmentReader, SettingsError


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Configuration of batches; docs/configuration.md is generated from it.

    Attributes:
        results_bucket: Bucket that rows are written to. The stack sets it; it has no default.
        max_object_bytes: Size of the largest picture in bytes.
        tolerated_failure_percentage: Percentage of a batch's pictures that may fail before the
            batch counts as failed.
    """

    results_bucket: str
    max_object_bytes: int
    tolerated_failure_percentage: float

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> BatchSettings:
        """Read and check all variables. An empty variable counts as not set.

        Raises:
            SettingsError: A variable is missing or out of range.
        """
        reader = EnvironmentReader(environ)
        bucket = reader.text("RESULTS_BUCKET", "")
        if not bucket:
            raise SettingsError("RESULTS_BUCKET is not set. Set it to the bucket of the results.")
        return cls(
            results_bucket=bucket,
            max_object_bytes=reader.integer("MAX_OBJECT_BYTES", 52_428_800, 1, 1_000_000_000),
            tolerated_failure_percentage=reader.number("TOLERATED_FAILURE_PERCENTAGE", 5, 0, 100),
        )
