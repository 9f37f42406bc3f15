"""Clients of AWS services, and the error of this package."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from matchvec_client.errors import MatchvecError

TIMEOUTS = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


class BulkError(MatchvecError):
    """An archive, a run or a stack is invalid; the message says what to do."""

    code = "bad_archive"


def use(region: str | None, profile: str | None) -> None:
    """Set the region and profile of all later clients; None: the environment's."""
    if region or profile:
        boto3.setup_default_session(region_name=region, profile_name=profile)


def client(service: str) -> Any:  # noqa: ANN401  boto3 creates its clients at run time
    """Return a client with short timeouts.

    Raises:
        BulkError: No region is set.
    """
    make: Any = boto3.client  # Its annotation lists the names of all services.
    session = boto3.DEFAULT_SESSION or boto3.Session()
    if not session.region_name:
        raise BulkError("No region is set. Pass --region, such as --region eu-west-1.")
    return make(service, region_name=session.region_name, config=TIMEOUTS)
