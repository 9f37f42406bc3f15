"""Write pages/swagger.json, the API's definition for clients: `python -m scripts.definition`.

swagger.yaml is what API Gateway is built from. Clients get the same without what only AWS reads,
and as JSON, because the function has no YAML parser. A test holds the two together.
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

ONE_FIELD_PER_TEXT = {name: {"style": "form", "explode": True} for name in ("url", "s3")}
"""Without it Swagger UI sends an empty `url` where the user gives none."""


def for_clients(source: dict[str, Any]) -> dict[str, Any]:
    """The definition without AWS's extensions, CloudFormation's functions and CORS preflights.

    The server is the folder that the definition lies in, so it is right under any stage, base
    path and host (OpenAPI 3.0.1, "Server Object": relative to the document). A key may be sent and
    need not be: only the stack knows whether it asks for one.
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
            contents = operation.get("requestBody", {}).get("content", {})
            if "multipart/form-data" in contents:
                contents["multipart/form-data"]["encoding"] = ONE_FIELD_PER_TEXT
    rest = _without_aws(definition)
    return {**rest, "servers": [{"url": "./"}], "paths": paths}


def as_text(definition: dict[str, Any]) -> str:
    """What stands in pages/swagger.json."""
    return json.dumps(for_clients(definition), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file; the exit status of the program."""
    TARGET.write_text(as_text(yaml.safe_load(SOURCE.read_text())))
    return 0


def _without_aws(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.startswith(AWS_PREFIX)}


if __name__ == "__main__":
    sys.exit(main())
