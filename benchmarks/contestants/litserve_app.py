"""LitServe as in its documentation: one `LitAPI` per route, two workers.

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
    """Returns the objects of every picture."""

    def setup(self, device: str) -> None:
        """Load the models, once per worker."""
        self.models = PlainModels(options=session_options())

    def decode_request(self, request: Request) -> list[bytes]:
        """Return the pictures of a form."""
        files = [each.file.read() for each in request.getlist("image")]
        return files + [httpx.get(each, timeout=5).content for each in request.getlist("url")]

    def predict(self, x: list[bytes]) -> list[Any]:
        """Detect the objects."""
        return [self.models.detect(content) for content in x]

    def encode_response(self, output: list[Any]) -> list[Any]:
        """Return the output unchanged."""
        return output


class Classification(Detection):
    """Returns the classified vehicles of every picture."""

    def predict(self, x: list[bytes]) -> list[Any]:
        """Detect and classify the vehicles."""
        return [self.models.predict(content) for content in x]


if __name__ == "__main__":
    apis = [Detection(api_path="/object_detection"), Classification(api_path="/predict")]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=2)
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
