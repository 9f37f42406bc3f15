"""The stack's parameters: what the user sets, and what is computed for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from scripts.deployment.aws import DeploymentError, current_parameters, log_role

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_BYTES = 262_144_000
"""Of a package, unzipped
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
COMPUTED = "PackageHash"


def declared_parameters() -> dict[str, dict[str, Any]]:
    """The template's parameters."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    parameters: dict[str, dict[str, Any]] = template["Parameters"]
    return parameters


def parse_overrides(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a mapping; the last of a name counts.

    Raises:
        DeploymentError: One is not like that, or no parameter of the template.
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
        allowed = [str(each) for each in declared[name].get("AllowedValues", [])]
        if allowed and value not in allowed:
            raise DeploymentError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        overrides[name] = value
    return overrides


def package_size(package: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def check_size(package: Path) -> str:
    """What to say of a package's size.

    Raises:
        DeploymentError: Lambda would refuse it.
    """
    size = package_size(package)
    if size > LIMIT_BYTES:
        raise DeploymentError(
            f"the package has {size:,} bytes, over the {LIMIT_BYTES:,} that Lambda takes; "
            "`make package` shows what is in it."
        )
    return f"Package: {size:,} bytes of the {LIMIT_BYTES:,} that Lambda takes"


def package_hash(build: Path, parameters: Mapping[str, str]) -> str:
    """SHA-256 over what a version of the function is: its files and the stack's parameters.

    SAM CLI's own hash sees the files only, so that a new threshold or memory size would change
    the function but publish nothing, and clients of the alias would never meet it.

    Args:
        build: What `sam build` wrote.
        parameters: All of the stack, also those that the user left alone.
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


def all_parameters(
    stack: str, build: Path, overrides: Mapping[str, str], *, offline: bool
) -> dict[str, str]:
    """What `sam deploy` is to be given: what the user set, and what is computed for them."""
    given = dict(overrides)
    current = {} if offline else current_parameters(stack)
    if not offline and "ApiGatewayLogRole" not in given:
        given["ApiGatewayLogRole"] = log_role(stack)
    defaults = {name: str(each["Default"]) for name, each in declared_parameters().items()}
    return {**given, COMPUTED: package_hash(build, {**defaults, **current, **given})}
