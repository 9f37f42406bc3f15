"""The Lambda handlers: of the API, and of batches of S3 objects.

The order of this file makes a cold start fast: the models start loading in threads before the rest
is imported. onnxruntime loads a model without Python's global lock, so both proceed at once.
"""

from __future__ import annotations

import gc
import os
from functools import cache
from typing import TYPE_CHECKING, Any

# Startup creates no garbage: all that it allocates is kept.
gc.disable()
# numpy starts these threads for linear algebra, which this function does not use.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from service.models import make_models
from service.settings import Settings

settings = Settings.from_environment(os.environ)
models = make_models(settings)

from service.app import make_app
from service.handler import handle

if TYPE_CHECKING:
    from gateway.response import ProxyResponse
    from service.batch.app import BatchApp

app = make_app(settings, models)

gc.freeze()
gc.enable()


def lambda_handler_classification(event: object, context: object) -> ProxyResponse:
    """Answer a request to the API."""
    return handle(app, event, context)


def lambda_handler_batch(event: object, context: object) -> dict[str, Any]:
    """Answer a batch of S3 objects, or S3's messages about new objects.

    It raises, so that the state machine and the queue retry what failed.
    """
    # Imported here: the API does not need it.
    from service.batch.handler import handle_batch

    return handle_batch(_batch_app(), event, context)


@cache
def _batch_app() -> BatchApp:
    from service.batch.app import make_batch_app

    return make_batch_app(app, os.environ)
