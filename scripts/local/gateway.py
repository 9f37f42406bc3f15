"""SAM CLI's local API Gateway, with the function on this machine instead of in a container.

SAM CLI's classes behind `sam local start-api` read the template and the definition, route requests,
build events and handle binary media types. This module replaces the two classes that need Docker,
and adds the limits that AWS enforces and SAM CLI does not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from samcli.commands.local.cli_common.invoke_context import InvokeContext
from samcli.lib.providers.api_provider import ApiProvider
from samcli.local.apigw.local_apigw_service import LocalApigwService
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_content_length, get_input_stream

from scripts.local.environments import (
    EnvironmentFailed,
    EnvironmentPool,
    EnvironmentTimeout,
    FunctionSettings,
)
from scripts.local.refusals import Refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GATEWAY_BYTES = 10 * 1024 * 1024
"""Largest request body in bytes that API Gateway accepts
(https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""
LAMBDA_BYTES = 6 * 1024 * 1024
"""Largest event in bytes of a synchronous invocation
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). AWS's emulator truncates
longer events silently."""


class HostRuntime:
    """Replacement of SAM CLI's `LambdaRuntime` that invokes a pool instead of a container."""

    def __init__(self, pool: EnvironmentPool, refusals: Refusals) -> None:
        self._pool = pool
        self._refusals = refusals

    # SAM CLI adds keywords (debugging, container network) with every release.
    def invoke(self, function_config: Any, event: str, *_: object, stdout: Any, **__: Any) -> None:  # noqa: ANN401
        """Write the function's answer to an event, or API Gateway's if the function fails."""
        payload = event.encode()
        if len(payload) > LAMBDA_BYTES:
            stdout.write_str(self._refusals.of("REQUEST_TOO_LARGE", 413).as_proxy_response())
            return
        function = FunctionSettings(
            handler=function_config.handler,
            directory=Path(function_config.code_abs_path),
            variables=function_config.env_vars.resolve(),
        )
        try:
            answer = self._pool.invoke(function, payload).decode()
        except EnvironmentTimeout:
            answer = self._refusals.of("INTEGRATION_TIMEOUT", 504).as_proxy_response()
        except EnvironmentFailed:
            answer = ""
        if _is_function_error(answer):  # SAM CLI answers 500 to some of these, AWS always 502.
            answer = self._refusals.of("INTEGRATION_FAILURE", 502).as_proxy_response()
        stdout.write_str(answer)

    def clean_runtime_containers(self) -> None:
        """Do nothing: the pool stops the environments."""


class HostInvokeContext(InvokeContext):  # type: ignore[misc]  # SAM CLI is not typed.
    """SAM CLI's context without the parts that need Docker or the network."""

    def __init__(self, template: Path, pool: EnvironmentPool, refusals: Refusals) -> None:
        super().__init__(template_file=str(template))
        self._host_runtime = HostRuntime(pool, refusals)

    @property
    def lambda_runtime(self) -> HostRuntime:
        """The runtime that invokes the function."""
        return self._host_runtime

    @staticmethod
    def _get_container_manager(*_: object, **__: object) -> None:
        """Return None: there are no containers."""

    def _add_account_id_to_global(self) -> None:
        """Do nothing: the default account id is good enough, so AWS is not called."""


class RequestHandler(WSGIRequestHandler):
    """Sends one `100 Continue`; http.server and Werkzeug each send one."""

    def handle_expect_100(self) -> bool:
        """Leave the interim response to Werkzeug."""
        return True


class AwsLimits:
    """WSGI middleware that treats request bodies as API Gateway does.

    It refuses bodies over the limit. Bodies without a binary media type are text: bytes that are
    not UTF-8 are replaced, where SAM CLI alone would fail.
    """

    def __init__(
        self, app: WSGIApplication, binary_media_types: Iterable[str], refusals: Refusals
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._binary_media_types = frozenset(binary_media_types)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request: with 413 if the body is too long, else with the application."""
        try:
            body = self._body(environ)
        except (ClientDisconnected, OSError):  # The client is gone: nobody reads this answer.
            return Response(status=400)(environ, start_response)
        if body is None:
            refusal = self._refusals.of("REQUEST_TOO_LARGE", 413)
            response = Response(refusal.body, refusal.status, refusal.headers)
            return response(environ, start_response)
        media_type, _ = parse_options_header(environ.get("CONTENT_TYPE"))
        if media_type.lower() not in self._binary_media_types:
            body = body.decode("utf-8", "replace").encode()
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._app(environ, start_response)

    @staticmethod
    def _body(environ: WSGIEnvironment) -> bytes | None:
        """Read the request body; return None if it is too long."""
        stream = get_input_stream(environ)
        if (get_content_length(environ) or 0) <= GATEWAY_BYTES:
            return stream.read()
        while stream.read(1 << 20):  # A client that is still sending would miss the answer.
            pass
        return None


def make_app(context: HostInvokeContext, host: str, port: int, refusals: Refusals) -> Flask:
    """Return SAM CLI's web application for the template's API, behind AWS's limits."""
    # SAM CLI warns of every operation that needs an API key. Keys have no meaning here.
    for module in ("commands.local.lib.swagger.parser", "lib.providers.api_collector"):
        logging.getLogger(f"samcli.{module}").setLevel(logging.ERROR)
    api = ApiProvider(context.stacks, cwd=context.get_cwd()).api
    service = LocalApigwService(
        api=api, lambda_runner=context.local_lambda_runner, port=port, host=host
    )
    service.create()
    app: Flask = service._app  # noqa: SLF001  SAM CLI has no public name for it.
    # Flask documents this way to add middleware; to mypy it overwrites a method.
    app.wsgi_app = AwsLimits(app.wsgi_app, api.binary_media_types, refusals)  # type: ignore[method-assign]
    return app


def _is_function_error(answer: str) -> bool:
    """Return whether the handler raised, could not be imported, or ended its process."""
    try:
        parsed = json.loads(answer)
    except ValueError:
        return True
    return not isinstance(parsed, dict) or "statusCode" not in parsed
