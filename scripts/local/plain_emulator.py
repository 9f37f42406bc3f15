"""The invoke endpoint of AWS's Runtime Interface Emulator, for systems that it has no binary for.

    python -m scripts.local.plain_emulator PORT MODULE.FUNCTION

It imports the handler as awslambdaric does (from the working directory) and answers one
invocation at a time on 127.0.0.1:

    POST /2015-03-31/functions/function/invocations    event -> the handler's answer, both JSON

A handler that can't be imported, or that raises, is answered like Lambda does:
``{"errorMessage", "errorType", "stackTrace"}``
(https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html). Limits of memory and time
are left to whoever started it.
"""

from __future__ import annotations

import importlib
import json
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
    """The part of Lambda's context object that has a meaning on this machine.

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
        """Milliseconds until the function's time limit."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def load_handler(name: str) -> LambdaHandler:
    """Import ``module.function`` from the working directory."""
    module, _, function = name.rpartition(".")
    handler: LambdaHandler = getattr(importlib.import_module(module), function)
    return handler


def answer(handler_name: str, handlers: dict[str, LambdaHandler], event: bytes) -> bytes:
    """Invoke the handler once; what it raises becomes the answer, as on Lambda."""
    deadline = time.monotonic() + float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])
    try:
        if handler_name not in handlers:
            handlers[handler_name] = load_handler(handler_name)
        result = handlers[handler_name](json.loads(event), Context(deadline))
        return json.dumps(result).encode()
    except Exception as error:
        traceback.print_exc()
        return json.dumps(
            {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "stackTrace": traceback.format_tb(error.__traceback__),
            }
        ).encode()


def main(port: int, handler_name: str) -> None:
    """Serve until killed."""
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
            """Leave the log to the function."""

    HTTPServer(("127.0.0.1", port), Invocation).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
