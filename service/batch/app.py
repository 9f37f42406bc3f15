"""The composition root of the batch function."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from service.app import App
from service.batch.s3_objects import Objects
from service.batch.settings import BatchSettings

READER_THREADS = 4
"""Threads that read objects: enough to hide S3's latency of 20 to 100 ms behind the models."""


@dataclass(frozen=True, slots=True)
class BatchApp:
    """The objects that all batches share.

    Attributes:
        api: Settings, models and pictures, which batches share with the API.
        settings: Configuration of batches.
        objects: Access to S3.
        readers: Threads that read objects.
    """

    api: App
    settings: BatchSettings
    objects: Objects
    readers: ThreadPoolExecutor


def make_batch_app(
    api: App, environ: Mapping[str, str], objects: Objects | None = None
) -> BatchApp:
    """Build the batch app.

    Args:
        api: App of the API.
        environ: Environment variables.
        objects: Replaces the access to S3.

    Raises:
        SettingsError: A variable is missing or out of range.
    """
    settings = BatchSettings.from_environment(environ)
    readers = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="read")
    return BatchApp(api, settings, objects or Objects(), readers)
