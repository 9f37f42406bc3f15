"""Sets of parameters that cover the template: every single change, and every pair of values."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import combinations
from typing import Any

from scripts.deployment.rules import broken_rules
from tests.support.stack import parameters_of, source

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
HASH = "ab" * 32
VALUES: dict[str, list[str]] = {
    "StageName": ["v1"],
    "DomainName": ["vision.example.com"],
    "CertificateArn": [f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/0a1b2c3d"],
    "VpcEndpointId": ["vpce-0a1b2c3d4e5f67890"],
    "CorsOrigin": ["https://shop.example"],
    "ApiKeyDailyQuota": ["500"],
    "ApiKeySecret": ["a-secret-of-the-tests-0123"],
    "ThrottlingRateLimit": ["100"],
    "ThrottlingBurstLimit": ["200"],
    "WafRateLimit": ["1000"],
    "Timeout": ["20", "120"],
    "ReservedConcurrency": ["7"],
    "ProvisionedConcurrency": ["2"],
    "PackageHash": [HASH],
    "PermissionsBoundary": [f"arn:aws:iam::{ACCOUNT}:policy/boundary"],
    "RolePath": ["/matchvec/"],
    "KmsKeyArn": [KEY],
    "SourceKmsKeyArns": [f"{KEY},{KEY[:-1]}0"],
    "SubnetIds": ["subnet-0a1b2c3d4e5f67890,subnet-1a1b2c3d4e5f67890"],
    "SecurityGroupIds": ["sg-0a1b2c3d4e5f67890"],
    "MetricsNamespace": ["", "Vision"],
    "AlarmEmail": ["ops@example.com"],
    "LatencyAlarmMilliseconds": ["2000"],
    "ArchiveBucket": ["my-pictures"],
    "ArchivePrefix": ["2024/"],
    "ExistingResultsBucket": ["earlier-results"],
    "BulkConcurrency": ["7"],
    "BulkToleratedFailurePercentage": ["10"],
    "MaxObjectBytes": ["1000"],
    "ModelUri": ["s3://my-models/vehicles/v2"],
    "DetectionModel": ["other_detector"],
    "ClassificationModel": ["one,two"],
    "DetectionThreshold": ["0.5"],
    "DetectionIouThreshold": ["0.5"],
    "DetectionSizeThreshold": ["0.1"],
    "MinThreshold": ["0.1"],
    "MaxClassifiedPerPicture": ["5"],
    "MaxClassifiedPerRequest": ["50"],
    "MaxCpuSeconds": ["2.5"],
    "MaxPixels": ["1000000"],
    "MaxImages": ["4"],
    "MaxUrls": ["0"],
    "MaxUrlBytes": ["1000"],
    "UrlTimeoutSeconds": ["2.5"],
    "UrlAllowedHosts": ["*.example.com,a.example"],
}
"""Values other than the default, for parameters without AllowedValues."""

DOMAIN = {name: VALUES[name][0] for name in ("DomainName", "CertificateArn")}
NETWORK = {name: VALUES[name][0] for name in ("SubnetIds", "SecurityGroupIds")}
ARCHIVE = {"ArchiveBucket": "my-pictures"}
COMPANIONS: dict[str, dict[str, str]] = {
    **dict.fromkeys(DOMAIN, DOMAIN),
    **dict.fromkeys(NETWORK, NETWORK),
    "DisableExecuteApiEndpoint": DOMAIN,
    "ArchivePrefix": ARCHIVE,
    "ExistingResultsBucket": ARCHIVE,
    "Arrivals": ARCHIVE,
    "BulkConcurrency": ARCHIVE,
    "BulkToleratedFailurePercentage": ARCHIVE,
    "ApiKeyDailyQuota": {"RequireApiKey": "true"},
    "ApiGatewayLogRole": {"AccessLogs": "true"},
}
"""Parameter -> others that it needs to have an effect, or to be allowed."""

Parameters = dict[str, str]
Pair = frozenset[tuple[str, str]]
CANDIDATES = 8
"""Random completions that are compared for each row of the pairwise sets."""


@cache
def alternatives() -> dict[str, list[str]]:
    """Every parameter -> the values of it that are tried, without its default."""
    declared: dict[str, dict[str, Any]] = source()["Parameters"]
    return {
        name: [
            str(value)
            for value in parameter.get("AllowedValues", VALUES.get(name, []))
            if str(value) != str(parameter["Default"])
        ]
        for name, parameter in declared.items()
    }


def single_changes() -> dict[str, tuple[Parameters, Parameters]]:
    """Name of the change -> the parameters before and after it."""
    changes = {}
    for name, values in alternatives().items():
        for value in values:
            before = {k: v for k, v in COMPANIONS.get(name, {}).items() if k != name}
            if is_allowed({name: value}):  # It needs no companions to be allowed.
                after = {**before, name: value}
            elif name == "Timeout":
                before = {"FrontDoor": "url"}
                after = {**before, name: value}
            else:
                after = {**COMPANIONS[name], name: value}
                before = before if is_allowed(before) else {}
            changes[f"{name}={value}"] = (before, after)
    return changes


def pairwise() -> list[Parameters]:
    """Sets in which every allowed pair of values of two parameters occurs, in a fixed order."""
    chooser = random.Random(15)  # noqa: S311  repeatable
    defaults = parameters_of(source(), {})
    choices = {
        name: [defaults[name], *dict.fromkeys([values[0], values[-1]])]
        for name, values in alternatives().items()
    }
    wanted: dict[Pair, None] = {
        frozenset({(one, a), (other, b)}): None
        for one, other in combinations(choices, 2)
        for a in choices[one]
        for b in choices[other]
    }
    rows = []
    while wanted:
        forced = dict(next(iter(wanted)))
        rows_for_pair = [_completed(forced, choices, chooser) for _ in range(CANDIDATES)]
        allowed = [row for row in rows_for_pair if row is not None]
        if not allowed:
            del wanted[frozenset(forced.items())]
            continue
        best = max(allowed, key=lambda row: sum(pair in wanted for pair in _pairs(row)))
        for pair in _pairs(best):
            wanted.pop(pair, None)
        rows.append({name: value for name, value in best.items() if value != defaults[name]})
    return rows


def is_allowed(given: Parameters) -> bool:
    """Return whether the template's rules allow a set."""
    return not broken_rules(source(), parameters_of(source(), given))


def _completed(
    forced: Parameters, choices: dict[str, list[str]], chooser: random.Random
) -> Parameters | None:
    """A random set with the forced values; None if the rules do not allow these."""
    defaults = parameters_of(source(), {})
    row = {name: chooser.choice(values) for name, values in choices.items()} | forced
    for name in chooser.sample(sorted(_in_rules()), len(_in_rules())):
        if not broken_rules(source(), row):
            return row
        if name not in forced:
            row[name] = defaults[name]
    for name in forced:  # A forced value may need its companions.
        needed = {k: v for k, v in COMPANIONS.get(name, {}).items() if k not in forced}
        row |= needed if forced[name] != defaults[name] else {}
    return None if broken_rules(source(), row) else row


def _pairs(row: Parameters) -> list[Pair]:
    return [frozenset(pair) for pair in combinations(row.items(), 2)]


@cache
def _in_rules() -> frozenset[str]:
    """Parameters that the template's rules mention."""
    return frozenset(re.findall(r"'Ref': '(\w+)'", str(source()["Rules"])))
