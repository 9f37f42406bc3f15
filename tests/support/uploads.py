"""A bucket for uploads in moto's S3 server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from tests.support.answers import check_well_formed
from tests.support.handlers import Handler

BUCKET = "matchvec-uploads"
REGION = "eu-west-1"
MAX_BYTES = 1000


@dataclass(frozen=True)
class LocalS3:
    """A running server with one empty bucket.

    Attributes:
        url: Endpoint with an IP address, so that botocore puts the bucket into the path.
    """

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that send boto3 to the server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing-secret",
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self) -> Any:
        make: Any = boto3.client
        return make(
            "s3",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


def send(offer: Mapping[str, Any], content: bytes) -> None:
    """Upload a file with the form that `POST /uploads` returned."""
    files = {"file": ("photo", content, offer["fields"]["Content-Type"])}
    response = requests.post(offer["url"], data=offer["fields"], files=files, timeout=20)
    assert response.status_code == 204, response.text


@contextmanager
def local_s3() -> Iterator[LocalS3]:
    """Serve an empty bucket on a free port."""
    moto_api_backend.reset()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    s3 = LocalS3(f"http://127.0.0.1:{port}")
    try:
        s3.client().create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield s3
    finally:
        server.stop()


def posted(handler: Handler, event: dict[str, Any]) -> Any:
    """Return the JSON of an answer whose status is 200."""
    response = handler(event, None)
    check_well_formed(response)
    assert response["statusCode"] == 200, response["body"]
    return json.loads(response["body"])
