"""Client of Matchvec, the HTTP API that detects and classifies vehicles in pictures.

`Client` and `AsyncClient` are the Python interface; `matchvec` is the command line.
"""

from matchvec_client.async_client import AsyncClient
from matchvec_client.batches import Limits
from matchvec_client.client import Client
from matchvec_client.errors import (
    ApiError,
    ApiRefused,
    ApiUnreachable,
    ExtraMissing,
    InputTypeError,
    JournalError,
    MatchvecError,
    PillowMissing,
    UsageError,
)
from matchvec_client.retry import Retry
from matchvec_client.types import Classification, Failure, Picture, Prediction
from matchvec_client.version import __version__
from matchvec_client.views import to_dataframe

__all__ = [
    "ApiError",
    "ApiRefused",
    "ApiUnreachable",
    "AsyncClient",
    "Classification",
    "Client",
    "ExtraMissing",
    "Failure",
    "InputTypeError",
    "JournalError",
    "Limits",
    "MatchvecError",
    "Picture",
    "PillowMissing",
    "Prediction",
    "Retry",
    "UsageError",
    "__version__",
    "to_dataframe",
]
