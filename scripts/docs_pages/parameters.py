"""docs/parameters.md, from the parameters of template.yaml."""

from __future__ import annotations

from typing import Any

from scripts.deployment.parameters import COMPUTED, declared_parameters
from scripts.docs_pages.tables import markdown_table

INTRODUCTION = """\
# Parameters of the stack

Set them when you deploy. CloudFormation's console shows them in the same groups.

```shell
scripts/deploy.sh --parameter-overrides MemorySize=3008 LogRetentionDays=14
```

A parameter that you do not name keeps its value. The script computes `PackageHash` itself.
"""


def page() -> str:
    """Return the page."""
    rows = [
        (
            f"`{name}`",
            parameter["Description"],
            f"`{parameter['Default']}`" if str(parameter["Default"]) else "",
            values(parameter),
        )
        for name, parameter in declared_parameters().items()
        if name != COMPUTED
    ]
    table = markdown_table(("parameter", "meaning", "default", "values"), rows)
    return f"{INTRODUCTION}\n{table}\n"


def values(parameter: dict[str, Any]) -> str:
    """Return the allowed values or the range of a parameter; "" for any."""
    if "AllowedValues" in parameter:
        return ", ".join(f"`{each}`" for each in parameter["AllowedValues"])
    low, high = parameter.get("MinValue"), parameter.get("MaxValue")
    if low is None and high is None:
        return ""
    return f"from {low}" if high is None else f"{low} to {high}"
