"""Matchvec's Lambda handlers: the door of the hall. How a request goes on: service/handler.py.

A start is paid for by the millisecond, so this file's order is one of time: onnxruntime prepares
the models in threads of their own, without Python's lock, while Python imports the rest.
"""

from __future__ import annotations

import gc
import os
from functools import cache, partial
from typing import TYPE_CHECKING, Any

# All that a start makes is there to stay: there is no garbage to look for.
gc.disable()
# numpy's threads are for linear algebra, of which there is none here; they would only spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from service.sessions import Sessions
from service.settings import Settings

settings = Settings.from_environment(os.environ)
sessions = Sessions(settings)

from gateway.options import Options
from service.handler import Handler
from service.models import load_pipeline

if TYPE_CHECKING:
    from service.batch.handler import BatchHandler

lambda_handler_classification = Handler(settings, load=partial(load_pipeline, sessions=sessions))

gc.freeze()
gc.enable()


def lambda_handler_batch(event: object, context: object) -> dict[str, Any]:
    """Answer a batch of S3 objects, or S3's messages about new ones (service/batch/handler.py).

    Unlike the API's handler it raises: the state machine and the queue retry what failed.
    """
    return _batch_handler()(event, context)


@cache
def _batch_handler() -> BatchHandler:
    """The handler of batches, made by the first one: the API's start pays nothing for it."""
    from service.batch.handler import make_batch_handler

    api = lambda_handler_classification
    predict = partial(api._predict, options=Options())
    return make_batch_handler(os.environ, api._settings, api._pictures, api._pipeline, predict)
