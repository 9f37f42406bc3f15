"""docs/routes.md, from the API's definition in swagger.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from scripts.definition import SOURCE, for_clients
from scripts.docs_pages.tables import markdown_table

METHODS = ("get", "post")
REFERENCE = "#/components/schemas/"
INTRODUCTION = """\
# Routes, options and fields

This page is generated from the API's definition. A running API serves the definition: `GET /docs`
shows it, and `GET /swagger.json` (OpenAPI 3.0) is for client generators. [HTTP API](api.md) has
examples.
"""
SECTIONS = {
    "Request fields": (
        "Pictures",
        "Fields of a form. JSON and url-encoded bodies have the same names.",
    ),
    "Detections": ("Detection", "Elements of the arrays of `/object_detection`."),
    "Vehicles": ("Vehicle", "Elements of the arrays of `/predict`."),
    "Classes": ("Classes", "The objects `make`, `kind` and `colour` of a vehicle."),
    "Uploads": ("UploadAnswer", "Answer of `POST /uploads`."),
}


def page() -> str:
    """Return the page."""
    definition = for_clients(yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
    parts = [INTRODUCTION.strip(), "## Routes", _routes(definition)]
    parts += ["## Options", _options(definition)]
    schemas: dict[str, Any] = definition["components"]["schemas"]
    for heading, (name, text) in SECTIONS.items():
        parts += [f"## {heading}", text, _fields(schemas[name], schemas)]
    return "\n\n".join(parts) + "\n"


def _operations(definition: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in definition["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def _routes(definition: dict[str, Any]) -> str:
    rows = [
        (f"`{method} {path}`", operation["summary"], operation.get("description", ""))
        for method, path, operation in _operations(definition)
    ]
    return markdown_table(("route", "purpose", "notes"), rows)


def _options(definition: dict[str, Any]) -> str:
    options: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for _, path, operation in _operations(definition):
        for parameter in operation.get("parameters", ()):
            options.setdefault(parameter["name"], (parameter, []))[1].append(f"`{path}`")
    rows = [
        (
            f"`{name}`",
            _values(parameter["schema"]),
            _default(parameter["schema"]),
            ", ".join(paths),
            parameter["description"],
        )
        for name, (parameter, paths) in options.items()
    ]
    return markdown_table(("option", "values", "default", "routes", "meaning"), rows)


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`",
            _type(field),
            "always" if name in required else "",
            field.get("description") or schemas.get(_type(field), {}).get("description", ""),
        )
        for name, field in schema["properties"].items()
    ]
    return markdown_table(("field", "type", "present", "meaning"), rows)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"].removeprefix(REFERENCE))
    inner = f" of {_type(field['items'])}" if "items" in field else ""
    return f"{field.get('type', 'object')}{inner}"


def _values(schema: dict[str, Any]) -> str:
    if schema["type"] == "boolean":
        return "`true`, `false`"
    return f"{schema['minimum']} to {schema['maximum']}"


def _default(schema: dict[str, Any]) -> str:
    return f"`{schema['default']}`".lower() if "default" in schema else ""
