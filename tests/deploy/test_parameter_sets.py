"""Properties of the stack that hold for every set of parameters.

The sets are every single change of a parameter, and sets that have every pair of values. Each set
is translated once, and everything is checked on it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from scripts.deployment.stamp import STAMP, parameters_in
from tests.support.parameter_sets import (
    COMPANIONS,
    alternatives,
    is_allowed,
    pairwise,
    single_changes,
)
from tests.support.policies import WILDCARDS, problems_of_policies, problems_of_policy
from tests.support.stack import REGION, Stack, include, read_local, source, texts

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")

SINGLE = single_changes()
PAIRWISE = pairwise()
SETS = {**{name: after for name, (_, after) in SINGLE.items()}}
SETS |= {f"pairs-{number}": each for number, each in enumerate(PAIRWISE)}


@lru_cache(maxsize=16)
def _stack(given: tuple[tuple[str, str], ...]) -> Stack:
    return Stack(**dict(given))


def stack_of(given: dict[str, str]) -> Stack:
    return _stack(tuple(sorted(given.items())))


# The sets themselves


def test_every_parameter_is_changed() -> None:
    assert [name for name, values in alternatives().items() if not values] == []
    assert {name.partition("=")[0] for name in SINGLE} == set(alternatives())
    assert all(is_allowed(before) and is_allowed(after) for before, after in SINGLE.values())


def test_every_allowed_pair_of_values_is_covered() -> None:
    covered = {pair for row in PAIRWISE for pair in combinations(sorted(row.items()), 2)}
    changed = {name: {values[0], values[-1]} for name, values in alternatives().items()}
    missing = [
        (one, other)
        for first, second in combinations(sorted(changed), 2)
        for one in ((first, value) for value in changed[first])
        for other in ((second, value) for value in changed[second])
        if (one, other) not in covered and is_allowed(dict((one, other)))
    ]
    assert missing == []
    assert all(map(is_allowed, PAIRWISE))


# Every set


def nulls(node: Any, path: str = "") -> Iterator[str]:
    if node is None:
        yield path
    elif isinstance(node, list):
        for index, each in enumerate(node):
            yield from nulls(each, f"{path}/{index}")
    elif isinstance(node, dict):
        for name, each in node.items():
            yield from nulls(each, f"{path}/{name}")


def references(node: Any) -> set[str]:
    """Logical ids that a part of a template refers to."""
    if isinstance(node, list):
        return set().union(*map(references, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(references, node.values())) if node else set()
    if isinstance(node.get("Ref"), str):
        found.add(node["Ref"])
    if isinstance(node.get("Fn::GetAtt"), list):
        found.add(node["Fn::GetAtt"][0])
    if "Fn::Sub" in node:
        text = node["Fn::Sub"] if isinstance(node["Fn::Sub"], str) else node["Fn::Sub"][0]
        own = set() if isinstance(node["Fn::Sub"], str) else set(node["Fn::Sub"][1])
        found |= {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)} - own
    return found


def definition(stack: Stack) -> Any:
    """The API's definition without the stamp; None for the front doors without one."""
    for api in stack.of_type("AWS::ApiGateway::RestApi").values():
        return {name: each for name, each in api["Body"].items() if name != STAMP}
    return None


def deployment(stack: Stack) -> list[str]:
    return list(stack.of_type("AWS::ApiGateway::Deployment"))


@pytest.mark.parametrize("name", SETS)
def test_properties_of_a_set(name: str) -> None:
    stack = stack_of(SETS[name])
    assert list(nulls([stack.resources, stack.outputs])) == [], "CloudFormation refuses nulls"
    used = {each: references(resource) for each, resource in stack.resources.items()}
    existing = set(stack.resources)
    assert {each: ids - existing for each, ids in used.items() if ids - existing} == {}
    assert references(stack.outputs) <= existing
    try:
        TopologicalSorter({each: ids - {each} for each, ids in used.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"CloudFormation refuses cycles: {error.args[1]}")
    assert problems_of_policies(stack) == []
    assert len(json.dumps(stack.resources)) < 1_000_000, "CloudFormation's limit of a template"
    if name in SINGLE:
        check_deployment(stack_of(SINGLE[name][0]), stack)


def check_deployment(before: Stack, after: Stack) -> None:
    """A changed definition has a new deployment, an unchanged one keeps it."""
    if definition(before) is None or definition(after) is None:
        assert not (deployment(before) and deployment(after))
        return
    is_changed = definition(before) != definition(after)
    assert (deployment(before) != deployment(after)) is is_changed


CHANGES_OF_THE_DEFINITION = {
    *("RequireApiKey=true", "CorsOrigin=https://shop.example"),
    *("VpcEndpointId=vpce-0a1b2c3d4e5f67890", "DisableExecuteApiEndpoint=true"),
}


def test_these_parameters_change_the_definition() -> None:
    before = definition(stack_of({}))
    assert parameters_in(before_conditions(), source()) == {
        name.partition("=")[0] for name in CHANGES_OF_THE_DEFINITION
    } | {"FrontDoor"}
    for name in CHANGES_OF_THE_DEFINITION:
        assert definition(stack_of(SETS[name])) != before, name


def before_conditions() -> Any:
    """The definition as swagger.yaml has it."""
    return include(source()["Resources"]["MatchvecApi"]["Properties"]["DefinitionBody"], read_local)


def test_the_same_parameters_have_the_same_deployment() -> None:
    assert deployment(Stack()) == deployment(Stack())


# cfn-lint


def findings(stack: Stack) -> list[str]:
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": stack.resources,
        "Outputs": stack.outputs,
    }
    found = lint(json.dumps(template), config=ManualArgs(regions=[REGION]))
    return [f"{each.rule.id} {each.message} {each.path}" for each in found]


def test_cfn_lint_would_find_a_mistake() -> None:
    stack = copy.copy(stack_of({}))
    stack.resources = copy.deepcopy(stack.resources)
    stack.resources["FunctionLogGroup"]["Properties"]["Retention"] = 7
    assert any("'Retention' was unexpected" in each for each in findings(stack))


@pytest.mark.parametrize("front_door", ["rest", "http", "url"])
def test_cfn_lint_finds_nothing(front_door: str) -> None:
    assert findings(stack_of({"FrontDoor": front_door})) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_cfn_lint_finds_nothing_in_a_set(name: str) -> None:
    assert findings(stack_of(SETS[name])) == []


# Wildcards


def test_every_wildcard_is_used_and_has_a_reason() -> None:
    everything = Stack(Tracing="Active", **COMPANIONS["SubnetIds"])
    wild = {
        tuple(statement["Action"])
        for role in everything.of_type("AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == "*"
    }
    assert wild == set(WILDCARDS)
    assert all(len(reason) > 20 for reason in WILDCARDS.values())


def test_parliament_would_find_a_mistake() -> None:
    wrong = {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::b/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [wrong]})
    assert any("UNKNOWN_ACTION" in each for each in problems_of_policy(text))


def test_every_role_has_the_path_and_the_boundary() -> None:
    given = SETS["PermissionsBoundary=arn:aws:iam::123456789012:policy/boundary"]
    stack = Stack(**given, RolePath="/matchvec/", ArchiveBucket="my-pictures")
    roles = stack.of_type("AWS::IAM::Role")
    assert set(roles) == {
        *("ApiGatewayAccountRole", "FunctionRole", "PreTrafficHookRole", "CodeDeployRole"),
        *("BatchRole", "BulkRole"),
    }
    assert {(each["Path"], each["PermissionsBoundary"]) for each in roles.values()} == {
        ("/matchvec/", given["PermissionsBoundary"])
    }


def test_the_key_encrypts_all_that_is_the_stacks_own() -> None:
    key = SETS[next(name for name in SETS if name.startswith("KmsKeyArn="))]["KmsKeyArn"]
    stack = Stack(
        KmsKeyArn=key,
        Uploads="true",
        ArchiveBucket="my-pictures",
        Arrivals="true",
        AlarmEmail="ops@example.com",
    )
    encrypted = {
        "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic",
        "AWS::Lambda::Function",
    }  # fmt: skip
    for kind in encrypted:
        for logical_id, properties in stack.of_type(kind).items():
            assert key in set(texts(properties)), logical_id
    for role in ("FunctionRole", "BatchRole", "BulkRole"):
        policies = stack.resources[role]["Properties"]["Policies"]
        granted = [each for each in policies if key in set(texts(each))]
        assert len(granted) == 1, role
