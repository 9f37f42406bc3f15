"""The environment of the batch function -> `BatchSettings`, on top of the API's `Settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.settings import EnvironmentReader, SettingsError


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What can be configured of batches; docs/scale.md describes each variable.

    Attributes:
        results_bucket: Where rows are written.
        max_object_bytes: Of one picture.
        tolerated_failure_percentage: Of a batch's pictures that may stay without an answer
            before the batch as a whole counts as failed, 0..100.
    """

    results_bucket: str
    max_object_bytes: int
    tolerated_failure_percentage: float

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> BatchSettings:
        """Read and check all variables; an empty one counts as not set.

        Raises:
            SettingsError: One is missing, or has a value outside of its range.
        """
        reader = EnvironmentReader(environ)
        bucket = reader.text("RESULTS_BUCKET", "")
        if not bucket:
            raise SettingsError("RESULTS_BUCKET must name the bucket that results go to.")
        return cls(
            results_bucket=bucket,
            max_object_bytes=reader.integer("MAX_OBJECT_BYTES", 52_428_800, 1, 1_000_000_000),
            tolerated_failure_percentage=reader.number("TOLERATED_FAILURE_PERCENTAGE", 5, 0, 100),
        )
