"""Clients of AWS's services, and what can be wrong with a call of theirs."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from matchvec_client.errors import MatchvecError

PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


class BulkError(MatchvecError):
    """The archive, the run or the stack is not as it has to be; the message says what to do."""

    code = "bad_archive"


def use(region: str | None, profile: str | None) -> None:
    """Take the user's choice for all clients made from now on; None: what the environment says."""
    if region or profile:
        boto3.setup_default_session(region_name=region, profile_name=profile)


def client(service: str) -> Any:  # noqa: ANN401  boto3 makes its clients at run time
    """A client that does not wait for long.

    Raises:
        BulkError: Nothing says in which region.
    """
    make: Any = boto3.client  # Its annotation lists the names of all services.
    session = boto3.DEFAULT_SESSION or boto3.Session()
    if not session.region_name:
        raise BulkError("no region is set. Pass --region, such as --region eu-west-1.")
    return make(service, region_name=session.region_name, config=PATIENCE)
