"""Download a model from S3 to a local folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from inference.errors import ModelUnavailable
from inference.manifest import MANIFEST_FILE, inside, listed_files

MAX_MANIFEST_BYTES = 1 << 20
S3_LIMITS: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
"""Lambda stops startup after 10 seconds; boto3's default timeouts of 60 would never be reported."""

CHUNK_BYTES = 1 << 20
FREE_BYTES_KEPT = 16 << 20
"""Bytes that a download leaves free for other writers of /tmp."""


def download_model(name: str, uri: str, base: Path) -> None:
    """Download a model's folder from S3, unless the same one exists already.

    The files are downloaded to a temporary folder and checked before it is renamed, so no process
    ever sees half a model.

    Args:
        name: Name of the model; its objects are below ``<uri>/<name>/``.
        uri: ``s3://bucket/prefix``.
        base: Folder in which the folder `name` is created.

    Raises:
        ModelUnavailable: An object is missing, too large for the disk, or has the wrong checksum.
    """
    bucket, prefix = _split_uri(uri)
    try:
        base.mkdir(parents=True, exist_ok=True)
        client = boto3.client("s3", config=Config(**S3_LIMITS))
        key = f"{prefix}{name}/"
        answer = client.get_object(Bucket=bucket, Key=key + MANIFEST_FILE)
        manifest = answer["Body"].read(MAX_MANIFEST_BYTES)
        files = listed_files(manifest)
        if _is_complete(base / name, manifest, files):
            return
        _remove_abandoned(base, name)
        with _temporary_folder(base, name) as folder:
            (folder / MANIFEST_FILE).write_bytes(manifest)
            for file, sha256 in files.items():
                _fetch(client, bucket, key + file, inside(folder, file), sha256)
            shutil.rmtree(base / name, ignore_errors=True)
            folder.rename(base / name)
    except (BotoCoreError, ClientError, OSError) as error:
        raise ModelUnavailable(
            f"Model {name} cannot be downloaded from {uri}: {type(error).__name__}: {error}"
        ) from error


@contextmanager
def _temporary_folder(base: Path, name: str) -> Iterator[Path]:
    """Create a folder `name` in a hidden temporary folder that is locked while it is in use."""
    with (
        tempfile.TemporaryDirectory(dir=base, prefix=f".{name}-") as temporary,
        _lock(Path(temporary)),
    ):
        folder = Path(temporary) / name
        folder.mkdir()
        yield folder


def _remove_abandoned(base: Path, name: str) -> None:
    """Remove the temporary folders of processes that were killed during a download.

    Lambda keeps /tmp when it restarts a process, so repeated failures would fill the disk. The
    system releases a lock when its process ends.
    """
    for temporary in base.glob(f".{name}-*"):
        with suppress(OSError), _lock(temporary):
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; raise BlockingIOError if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _split_uri(uri: str) -> tuple[str, str]:
    split = urlsplit(uri)
    if split.scheme != "s3" or not split.netloc:
        raise ModelUnavailable(f"MODEL_URI {uri!r} must look like s3://bucket/prefix.")
    prefix = split.path.strip("/")
    return split.netloc, f"{prefix}/" if prefix else ""


def _is_complete(folder: Path, manifest: bytes, files: Mapping[str, str | None]) -> bool:
    """Return whether a complete earlier download of the same manifest exists."""
    try:
        return (folder / MANIFEST_FILE).read_bytes() == manifest and all(
            _sha256(folder / file) == sha256 if sha256 else (folder / file).is_file()
            for file, sha256 in files.items()
        )
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(client: Any, bucket: str, key: str, path: Path, sha256: str | None) -> None:  # noqa: ANN401
    """Download one object to a file."""
    answer = client.get_object(Bucket=bucket, Key=key)
    size = answer["ContentLength"]
    free = shutil.disk_usage(path.parent).free
    if size + FREE_BYTES_KEPT > free:
        raise ModelUnavailable(
            f"s3://{bucket}/{key} has {size} bytes, but {path.parent} has only {free} free. "
            "Give the function more ephemeral storage."
        )
    with path.open("wb") as file:
        for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
            file.write(chunk)
    if path.stat().st_size != size:
        raise ModelUnavailable(
            f"The download of s3://{bucket}/{key} ended after {path.stat().st_size} bytes."
        )
    if sha256 is not None and (found := _sha256(path)) != sha256:
        raise ModelUnavailable(
            f"s3://{bucket}/{key} has sha256 {found}, but the manifest has {sha256}."
        )
