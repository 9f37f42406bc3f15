"""Client of Matchvec, the HTTP API that finds and classifies vehicles on pictures.

In Python, `Client` and `AsyncClient`; in the shell, `python -m matchvec_client` or `matchvec`.
"""

from matchvec_client.async_client import AsyncClient
from matchvec_client.batches import Limits
from matchvec_client.client import Client
from matchvec_client.errors import (
    ApiError,
    ApiRefused,
    ApiUnreachable,
    JournalError,
    MatchvecError,
    PillowMissing,
    UsageError,
)
from matchvec_client.retry import Retry
from matchvec_client.types import Classification, Failure, Picture, Prediction

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "ApiRefused",
    "ApiUnreachable",
    "AsyncClient",
    "Classification",
    "Client",
    "Failure",
    "JournalError",
    "Limits",
    "MatchvecError",
    "Picture",
    "PillowMissing",
    "Prediction",
    "Retry",
    "UsageError",
    "__version__",
]
