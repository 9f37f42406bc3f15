from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.settings import Settings
from service.upload_bucket import S3Uploads
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_pipeline
from tests.support.uploads import BUCKET, MAX_BYTES, LocalS3, local_s3


@pytest.fixture(scope="module")
def s3() -> Iterator[LocalS3]:
    with local_s3() as s3:
        yield s3


@pytest.fixture
def uploads(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> S3Uploads:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return S3Uploads(BUCKET, MAX_BYTES, timeout_seconds=5)


@pytest.fixture
def handler_with_bucket(uploads: S3Uploads) -> Handler:
    settings = Settings.from_environment({"UPLOAD_BUCKET": BUCKET})
    return make_handler(settings, load=lambda _: fake_pipeline(), uploads=uploads)
