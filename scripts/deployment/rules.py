"""The template's `Rules`, evaluated before AWS is asked to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def broken_rules(template: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    """Return the description of every assertion that the values of the parameters break."""
    return [
        assertion["AssertDescription"]
        for rule in template.get("Rules", {}).values()
        if _is_true(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
        if not _is_true(assertion["Assert"], values)
    ]


def _is_true(node: Any, values: Mapping[str, str]) -> bool:  # noqa: ANN401  any rule function
    if isinstance(node, bool):
        return node
    [(function, argument)] = node.items()
    if function == "Fn::Not":
        return not _is_true(argument[0], values)
    if function == "Fn::Equals":
        return _value(argument[0], values) == _value(argument[1], values)
    if function == "Fn::Contains":
        return _value(argument[1], values) in argument[0]
    raise ValueError(f"{function} is not supported in a rule here.")


def _value(node: Any, values: Mapping[str, str]) -> str:  # noqa: ANN401
    return values[node["Ref"]] if isinstance(node, dict) else str(node)
