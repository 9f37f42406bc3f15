"""The composition root: `make_app` builds everything that outlives a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from gateway.deadline import Clock
from gateway.fetch import Fetcher
from gateway.upload_bucket import UploadBucket
from inference.errors import ModelUnavailable
from service.models import Models
from service.pictures import PictureService
from service.settings import Settings
from service.upload_bucket import uploads_of

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class App:
    """The objects that all requests share.

    Attributes:
        settings: Configuration.
        models: Detector and classifiers.
        pictures: Fetches, decodes and processes the pictures of a request.
        uploads: Bucket for pictures that are too large for a request.
        clock: Monotonic clock in seconds.
        request_numbers: Counts the requests from 0; number 0 is the cold start.
    """

    settings: Settings
    models: Models
    pictures: PictureService
    uploads: UploadBucket
    clock: Clock = time.monotonic
    request_numbers: Iterator[int] = field(default_factory=count)


def make_app(
    settings: Settings,
    models: Models,
    *,
    fetcher: Fetcher | None = None,
    uploads: UploadBucket | None = None,
    clock: Clock = time.monotonic,
) -> App:
    """Build the app and wait for its models, so that the first request does not.

    A model that does not load is logged here and loaded again by the first request that needs it:
    routes without models work in the meantime.

    Args:
        settings: Configuration.
        models: Models that are loading.
        fetcher: Replaces the fetcher of the settings.
        uploads: Replaces the upload bucket of the settings.
        clock: Monotonic clock in seconds.
    """
    uploads = uploads or uploads_of(settings)
    pictures = PictureService(
        fetcher=fetcher or _fetcher(settings),
        max_pixels=settings.max_pixels,
        max_urls=settings.max_urls,
        workers=settings.workers,
        uploads=uploads,
    )
    try:
        models.pipeline()
    except ModelUnavailable:
        logger.exception("a model could not be loaded at startup")
    return App(settings, models, pictures, uploads, clock)


def _fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        max_bytes=settings.max_url_bytes,
        timeout_seconds=settings.url_timeout_seconds,
        is_enabled=settings.url_fetch,
        allowed_hosts=settings.url_allowed_hosts,
    )
