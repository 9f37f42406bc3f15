"""API Gateway's own error responses, as swagger.yaml defines them. SAM CLI ignores them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KEY = "x-amazon-apigateway-gateway-responses"
HEADER = "gatewayresponse.header."


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error response of API Gateway.

    Attributes:
        status: HTTP status.
        headers: Header fields.
        body: JSON text.
    """

    status: int
    headers: dict[str, str]
    body: str

    def as_proxy_response(self) -> str:
        """Return the response in the form that a function returns, as JSON text."""
        return json.dumps({"statusCode": self.status, "headers": self.headers, "body": self.body})


class Refusals:
    """The gateway responses of a definition.

    Args:
        definition: Path of swagger.yaml.
        cors_origin: Value of the template's parameter CorsOrigin.
    """

    def __init__(self, definition: Path, cors_origin: str) -> None:
        """Read the gateway responses from the definition."""
        self._responses = yaml.safe_load(definition.read_text())[KEY]
        self._cors_origin = cors_origin

    def of(self, response_type: str, status: int) -> Refusal:
        """Return the response of a type, or the default that the definition has for it.

        Args:
            response_type: API Gateway's name of the error, such as ``REQUEST_TOO_LARGE``.
            status: HTTP status, unless the definition sets another one.
        """
        default = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
        response = self._responses.get(response_type) or self._responses[default]
        request_id = str(uuid.uuid4())
        headers = {
            name.removeprefix(HEADER): self._value(value, request_id)
            for name, value in response["responseParameters"].items()
        }
        template: str = response["responseTemplates"]["application/json"]
        return Refusal(
            status=int(response.get("statusCode", status)),
            headers={"Content-Type": "application/json", **headers},
            body=template.replace("$context.requestId", request_id),
        )

    def _value(self, value: str | Mapping[str, Any], request_id: str) -> str:
        """Resolve a header value: quoted text, text that contains the origin, or the request id."""
        if value == "context.requestId":
            return request_id
        text = value["Fn::Sub"] if isinstance(value, Mapping) else value
        return str(text).strip("'").replace("${CorsOrigin}", self._cors_origin)
