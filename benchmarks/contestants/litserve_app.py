"""LitServe, the way its documentation does it: one `LitAPI` per route, two workers.

python -m benchmarks.contestants.litserve_app PORT
"""

import sys
from typing import Any

import httpx
import litserve
from fastapi import Request

from benchmarks.contestants.options import session_options
from benchmarks.contestants.plain import PlainModels


class Detection(litserve.LitAPI):
    """The objects of every picture."""

    def setup(self, device: str) -> None:
        """Load the models, once per worker."""
        self.models = PlainModels(options=session_options())

    def decode_request(self, request: Request) -> list[bytes]:
        """The pictures of a form."""
        files = [each.file.read() for each in request.getlist("image")]
        return files + [httpx.get(each, timeout=5).content for each in request.getlist("url")]

    def predict(self, x: list[bytes]) -> list[Any]:
        """Find them."""
        return [self.models.detect(content) for content in x]

    def encode_response(self, output: list[Any]) -> list[Any]:
        """As it is."""
        return output


class Classification(Detection):
    """The vehicles of every picture, classified."""

    def predict(self, x: list[bytes]) -> list[Any]:
        """Find and classify them."""
        return [self.models.predict(content) for content in x]


if __name__ == "__main__":
    apis = [Detection(api_path="/object_detection"), Classification(api_path="/predict")]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=2)
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
