"""Make a changed parameter reach the stage of the REST API.

SAM names the `AWS::ApiGateway::Deployment` after the text of the definition, before `Fn::If`, `Ref`
and `Fn::Sub` in it are resolved. A parameter that changes only what these resolve to would change
the API, but the stage would keep serving the old deployment
(https://github.com/aws/serverless-application-model/issues/660). So the definition that is deployed
gets a hash of those parameters as literal text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from samcli.yamlhelper import yaml_dump, yaml_parse

STAMP = "x-matchvec-parameters"
API = "MatchvecApi"
DEFINITION = "swagger.yaml"
SUBSTITUTED = re.compile(r"\$\{(\w+)\}")


def parameters_in(definition: Mapping[str, Any], template: Mapping[str, Any]) -> set[str]:
    """Return the names of the parameters that the definition depends on.

    Args:
        definition: The parsed swagger.yaml.
        template: The parsed template.yaml, for its parameters and conditions.
    """
    conditions = template.get("Conditions", {})
    names: set[str] = set()
    pending: list[Any] = [definition]
    seen: set[str] = set()
    while pending:
        for kind, name in _references(pending.pop()):
            if kind == "parameter":
                names.add(name)
            elif name in conditions and name not in seen:
                seen.add(name)
                pending.append(conditions[name])
    return names & set(template["Parameters"])


def definition_hash(
    definition: Mapping[str, Any], template: Mapping[str, Any], values: Mapping[str, str]
) -> str:
    """Return a SHA-256 over the values of the parameters that the definition depends on."""
    names = sorted(parameters_in(definition, template))
    text = "".join(f"{name}={values[name]}\0" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()


def stamp(build: Path, values: Mapping[str, str]) -> None:
    """Write the stamped definition into a build, and have its template include that.

    Args:
        build: The directory that `sam build` wrote. May be stamped already.
        values: A value for every parameter.
    """
    path = build / "template.yaml"
    template = yaml_parse(path.read_text())
    api = template["Resources"][API]["Properties"]
    include = api["DefinitionBody"]["Fn::Transform"]["Parameters"]
    lines = (build / include["Location"]).read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(STAMP))
    value = definition_hash(yaml.safe_load(text), template, values)
    (build / DEFINITION).write_text(f"{text}{STAMP}: {value}\n")
    include["Location"] = DEFINITION
    api.pop("AlwaysDeploy", None)
    path.write_text(yaml_dump(template))


def _references(node: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  any part of a definition
    """Yield ("parameter" or "condition", name) for every reference in a tree."""
    if isinstance(node, list):
        for each in node:
            yield from _references(each)
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "Ref":
            yield "parameter", value
        elif name == "Condition" and isinstance(value, str):
            yield "condition", value
        elif name == "Fn::If":
            yield "condition", value[0]
        elif name == "Fn::Sub":
            text = value if isinstance(value, str) else value[0]
            yield from (("parameter", each) for each in SUBSTITUTED.findall(text))
        yield from _references(value)
