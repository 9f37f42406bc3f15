"""The stack's parameters: what the user sets, and what is computed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from scripts.deployment.aws import DeploymentError, current_parameters, log_role
from scripts.deployment.rules import broken_rules

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_BYTES = 262_144_000
"""Maximum size of a package, unzipped
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
COMPUTED = "PackageHash"


def load_template() -> dict[str, Any]:
    """Return the parsed template.yaml."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def declared_parameters() -> dict[str, dict[str, Any]]:
    """Return the template's parameters."""
    parameters: dict[str, dict[str, Any]] = load_template()["Parameters"]
    return parameters


def parse_overrides(texts: Iterable[str]) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a mapping; the last value of a name counts.

    Raises:
        DeploymentError: A text has another form, or the template does not allow it.
    """
    declared = declared_parameters()
    overrides = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or any(character.isspace() for character in value):
            raise DeploymentError(f"{text!r} must be NAME=VALUE, without spaces.")
        if name not in declared or name == COMPUTED:
            known = ", ".join(sorted(set(declared) - {COMPUTED}))
            raise DeploymentError(f"the template has no parameter {name} to set. It has: {known}.")
        if problem := _problem(declared[name], value):
            shown = "the value" if declared[name].get("NoEcho") else repr(value)
            raise DeploymentError(f"{name} {problem}, not {shown}.")
        overrides[name] = value
    return overrides


def package_size(package: Path) -> int:
    """Return the bytes of all files in a package."""
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def check_size(package: Path) -> str:
    """Return a line with a package's size.

    Raises:
        DeploymentError: Lambda would refuse the package.
    """
    size = package_size(package)
    if size > LIMIT_BYTES:
        raise DeploymentError(
            f"the package has {size:,} bytes, and Lambda accepts {LIMIT_BYTES:,}. "
            "`make package` lists its contents."
        )
    return f"Package: {size:,} of {LIMIT_BYTES:,} bytes"


def package_hash(build: Path, parameters: Mapping[str, str]) -> str:
    """Return a SHA-256 over what a version of the function is: its files and the parameters.

    SAM CLI hashes the files only. A new threshold or memory size would then change the function but
    publish no version, and the alias would keep the old one.

    Args:
        build: The directory that `sam build` wrote.
        parameters: All parameters of the stack, including those that the user did not set.
    """
    digest = hashlib.sha256()
    package = build / "MatchvecFunction"
    for path in sorted(package.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(package)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    for name, value in sorted(parameters.items()):
        if name != COMPUTED:
            digest.update(f"{name}={value}\0".encode())
    return digest.hexdigest()


def deployed_parameters(
    stack: str, overrides: Mapping[str, str], *, offline: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters to pass to `sam deploy`, and the values of all parameters.

    Raises:
        DeploymentError: The values break a rule of the template.
    """
    given = dict(overrides)
    current = {} if offline else current_parameters(stack)
    if not offline and "ApiGatewayLogRole" not in given:
        given["ApiGatewayLogRole"] = log_role(stack)
    template = load_template()
    declared = template["Parameters"]
    kept = {name: value for name, value in current.items() if name in declared}
    values = {name: str(each["Default"]) for name, each in declared.items()} | kept | given
    if broken := broken_rules(template, values):
        raise DeploymentError(" ".join(broken))
    return given, values


def _problem(parameter: Mapping[str, Any], value: str) -> str | None:
    """Return what a value must be, if it is not."""
    allowed = [str(each) for each in parameter.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        return str(parameter.get("ConstraintDescription", f"must match {pattern}"))
    if parameter["Type"] == "Number" and not allowed:
        low, high = parameter.get("MinValue", "-inf"), parameter.get("MaxValue", "inf")
        try:
            is_in_range = float(low) <= float(value) <= float(high)
        except ValueError:
            is_in_range = False
        if not is_in_range:
            return f"must be a number from {low} to {high}"
    return None
