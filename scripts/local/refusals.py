"""What API Gateway answers by itself, as swagger.yaml words it; SAM CLI leaves that out.

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
    """One answer of the gateway's own.

    Attributes:
        status: The HTTP status.
        headers: Its header fields.
        body: JSON.
    """

    status: int
    headers: dict[str, str]
    body: str

    def as_proxy_response(self) -> str:
        """As a function would have to answer it."""
        return json.dumps({"statusCode": self.status, "headers": self.headers, "body": self.body})


class Refusals:
    """The gateway responses of a definition.

    Args:
        definition: swagger.yaml.
        cors_origin: What CloudFormation would put in for the template's CorsOrigin.
    """

    def __init__(self, definition: Path, cors_origin: str) -> None:
        """Read the definition."""
        self._responses = yaml.safe_load(definition.read_text())[KEY]
        self._cors_origin = cors_origin

    def of(self, response_type: str, status: int) -> Refusal:
        """The answer of a type that the definition words, or has a default for.

        Args:
            response_type: Such as ``REQUEST_TOO_LARGE``.
            status: The gateway's own, where the definition does not say.
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
        """A quoted text, a text with the origin in it, or the request's id."""
        if value == "context.requestId":
            return request_id
        text = value["Fn::Sub"] if isinstance(value, Mapping) else value
        return str(text).strip("'").replace("${CorsOrigin}", self._cors_origin)
