"""The invoke endpoint of AWS's Runtime Interface Emulator, for systems without its binary.

    python -m scripts.local.plain_emulator PORT MODULE.FUNCTION

It imports the handler from the working directory, as awslambdaric does, and answers one invocation
at a time on 127.0.0.1:

    POST /2015-03-31/functions/function/invocations    event -> the handler's answer, both JSON

If the handler cannot be imported or raises, the answer is Lambda's error object:
``{"errorMessage", "errorType", "stackTrace"}``
(https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html). The log has awslambdaric's
JSON format. Limits of memory and time are not enforced.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

LambdaHandler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """The fields of Lambda's context object that have a meaning on this machine.

    See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html.
    """

    deadline: float
    function_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = field(
        default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    )
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's timeout."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class JsonFormatter(logging.Formatter):
    """Formats log records as awslambdaric does, with its field names."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line of JSON."""
        fields: dict[str, Any] = {"level": record.levelname, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            fields |= _error_fields(record.exc_info[1])
        return json.dumps(fields)


def load_handler(name: str) -> LambdaHandler:
    """Import ``module.function`` from the working directory."""
    module, _, function = name.rpartition(".")
    handler: LambdaHandler = getattr(importlib.import_module(module), function)
    return handler


def answer(handler_name: str, handlers: dict[str, LambdaHandler], event: bytes) -> bytes:
    """Invoke the handler once. An exception becomes the answer, as on Lambda."""
    deadline = time.monotonic() + float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])
    try:
        if handler_name not in handlers:
            handlers[handler_name] = load_handler(handler_name)
        result = handlers[handler_name](json.loads(event), Context(deadline))
        return json.dumps(result).encode()
    except Exception as error:
        traceback.print_exc()
        return json.dumps(_error_fields(error)).encode()


def main(port: int, handler_name: str) -> None:
    """Serve until the process is ended."""
    log = logging.StreamHandler()
    log.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[log])
    handlers: dict[str, LambdaHandler] = {}

    class Invocation(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = self.rfile.read(int(self.headers["Content-Length"]))
            body = answer(handler_name, handlers, event)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: the local API Gateway logs the requests."""

    HTTPServer(("127.0.0.1", port), Invocation).serve_forever()


def _error_fields(error: BaseException) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
