"""Write pages/swagger.json, the API's definition for clients: `python -m scripts.definition`.

API Gateway is built from swagger.yaml. Clients get the same definition without the parts for AWS,
and as JSON, because the function has no YAML parser. A test compares both files.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "swagger.yaml"
TARGET = ROOT / "pages" / "swagger.json"
AWS_PREFIX = "x-amazon-"
CATCH_ALL = "/{proxy+}"
NULL = "null"
"""Text for null in the examples of swagger.yaml: CloudFormation refuses nulls in a template."""

FORM = "multipart/form-data"
"""The only body of pictures for clients. Of several, generated clients choose the wrong one:
openapi-generator's Python client prefers JSON and sends no files. The text describes the others."""

ONE_FIELD_PER_TEXT = {name: {"style": "form", "explode": True} for name in ("url", "s3")}
"""Without it, Swagger UI sends an empty `url` if the user gives none."""


def for_clients(source: dict[str, Any]) -> dict[str, Any]:
    """Return the definition without AWS's extensions and functions, and without CORS preflights.

    The server is the folder of the definition, which is right under any stage, base path and host
    (OpenAPI 3.0.1, "Server Object": relative to the document). The key is optional: only the stack
    knows whether it requires one.
    """
    definition = copy.deepcopy(source)
    paths = {
        path: {
            method: _without_aws(operation)
            for method, operation in item.items()
            if method in ("get", "post")
        }
        for path, item in definition["paths"].items()
        if path != CATCH_ALL
    }
    for item in paths.values():
        for operation in item.values():
            if "security" in operation:
                operation["security"] = [{}, {"ApiKey": []}]
            if FORM in operation.get("requestBody", {}).get("content", {}):
                form = operation["requestBody"]["content"][FORM]
                operation["requestBody"]["content"] = {
                    FORM: {**form, "encoding": ONE_FIELD_PER_TEXT}
                }
    rest = _without_aws(definition)
    whole: dict[str, Any] = with_nulls({**rest, "servers": [{"url": "./"}], "paths": paths})
    return whole


def with_nulls(node: Any) -> Any:  # noqa: ANN401  any part of a definition
    """Return a tree with null instead of the text "null"."""
    if isinstance(node, list):
        return [with_nulls(each) for each in node]
    if isinstance(node, dict):
        return {name: with_nulls(value) for name, value in node.items()}
    return None if node == NULL else node


def as_text(definition: dict[str, Any]) -> str:
    """Return the text of pages/swagger.json."""
    return json.dumps(for_clients(definition), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file; return the exit status."""
    TARGET.write_text(as_text(yaml.safe_load(SOURCE.read_text())))
    return 0


def _without_aws(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.startswith(AWS_PREFIX)}


if __name__ == "__main__":
    sys.exit(main())
