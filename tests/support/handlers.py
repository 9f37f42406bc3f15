"""Handlers for tests: the API with models, network, clock and uploads of the test's choice."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from gateway.deadline import Clock
from gateway.fetch import Fetcher
from gateway.response import ProxyResponse
from gateway.upload_bucket import UploadBucket
from inference.pipeline import Pipeline
from service.app import App, make_app
from service.handler import handle
from service.models import Models, make_models
from service.settings import Settings

Handler = Callable[[object, object], ProxyResponse]
"""(event, context) -> proxy response, as Lambda calls it."""


def build_app(
    settings: Settings,
    fetcher: Fetcher | None = None,
    *,
    load: Callable[[Settings], Pipeline] | None = None,
    uploads: UploadBucket | None = None,
    clock: Clock = time.monotonic,
) -> App:
    models = Models(partial(load, settings)) if load else make_models(settings)
    return make_app(settings, models, fetcher=fetcher, uploads=uploads, clock=clock)


def make_handler(
    settings: Settings,
    fetcher: Fetcher | None = None,
    *,
    load: Callable[[Settings], Pipeline] | None = None,
    uploads: UploadBucket | None = None,
    clock: Clock = time.monotonic,
) -> Handler:
    app = build_app(settings, fetcher, load=load, uploads=uploads, clock=clock)
    return partial(handle, app)
