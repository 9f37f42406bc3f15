"""Translates template.yaml offline, with AWS's own transforms.

`AWS::Include` and `AWS::Serverless` are macros that CloudFormation runs, the innermost first
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html). The second
one is open source and part of SAM CLI: `samtranslator`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import boto3
import yaml
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from scripts.deployment.stamp import API, STAMP, definition_hash

ROOT = Path(__file__).parent.parent.parent
REGION = "eu-west-1"
CODE = {"Bucket": "artifacts", "Key": "code"}
Template = dict[str, Any]
Read = Callable[[str], str]
NO_VALUE = {"Ref": "AWS::NoValue"}


class PlainLoader(yaml.SafeLoader):
    """YAML loader without short forms such as !Sub, which SAM CLI adds to the safe loader."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.startswith("tag:yaml.org,")
    }
    yaml_multi_constructors: ClassVar[dict[Any, Any]] = {}


def read_local(location: str) -> str:
    return (ROOT / location).read_text()


@cache
def source() -> Template:
    """Return template.yaml, parsed once. Copy it before changing it."""
    template: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def packaged() -> Template:
    """Return template.yaml as `sam package` writes it, with the code in a bucket."""
    template = copy.deepcopy(source())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = dict(CODE)
        elif resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = dict(CODE)
    return template


def include(node: Any, read: Read) -> Any:
    """Replace every AWS::Include by the content of its file, where tags such as !Sub fail."""
    if isinstance(node, list):
        return [include(each, read) for each in node]
    if not isinstance(node, dict):
        return node
    call = node.get("Fn::Transform")
    if isinstance(call, dict) and call.get("Name") == "AWS::Include":
        siblings = {name: each for name, each in node.items() if name != "Fn::Transform"}
        content = copy.deepcopy(_parsed(read(call["Parameters"]["Location"])))
        return include({**content, **siblings}, read)
    return {name: include(each, read) for name, each in node.items()}


@cache
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506  It is a safe loader.


def stamped(template: Template, values: Mapping[str, str], read: Read = read_local) -> Template:
    """Return the template as scripts/deploy.sh stamps it (scripts/deployment/stamp.py)."""
    template = include(template, read)
    api = template["Resources"][API]["Properties"]
    api.pop("AlwaysDeploy")
    api["DefinitionBody"][STAMP] = definition_hash(api["DefinitionBody"], template, values)
    return template


def parameters_of(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """Return the value or default of each parameter. All are texts, as on AWS.

    Raises:
        ValueError: The template has no parameter of a given name.
    """
    declared = template.get("Parameters", {})
    if unknown := set(given) - set(declared):
        raise ValueError(f"The template has no parameters {sorted(unknown)}.")
    return {
        name: given[name] if name in given else str(each["Default"])
        for name, each in declared.items()
    }


def translate(template: Template, values: Mapping[str, str], read: Read = read_local) -> Template:
    """Return the template in plain CloudFormation, as a change set contains it."""
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    known = {"AWS::Region": REGION, **values}
    translated: Template = translator.translate(include(template, read), known)
    return json.loads(json.dumps(translated, default=str))  # type: ignore[no-any-return]


class Decisions:
    """Resolves conditions and parameters of a template.

    `Fn::GetAtt` and `Ref` to a resource stay unchanged: only AWS knows their values.
    """

    def __init__(self, template: Template, values: Mapping[str, str]) -> None:
        self._conditions = template.get("Conditions", {})
        self._values = values

    def template(self, template: Template) -> Template:
        """Return the template without conditions, and without what they exclude."""
        sections = {
            name: self._existing(template.get(name, {})) for name in ("Resources", "Outputs")
        }
        return {"AWSTemplateFormatVersion": "2010-09-09", **sections}

    def is_true(self, condition: str) -> bool:
        return bool(self.resolve(self._conditions[condition]))

    def resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [each for each in map(self.resolve, node) if each != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name == "Fn::If":
                return self.resolve(argument[1 if self.is_true(argument[0]) else 2])
            if name == "Condition" and isinstance(argument, str):
                return self.is_true(argument)
            if name == "Ref" and argument in self._values:
                return self._values[argument]
            if name in FUNCTIONS:
                return FUNCTIONS[name](self.resolve(argument), self._values)
        resolved = {name: self.resolve(each) for name, each in node.items()}
        return {name: each for name, each in resolved.items() if each != NO_VALUE}

    def _existing(self, section: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self.resolve({key: value for key, value in each.items() if key != "Condition"})
            for name, each in section.items()
            if "Condition" not in each or self.is_true(each["Condition"])
        }


def pseudo_parameters(stack: str) -> dict[str, str]:
    return {
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
        "AWS::AccountId": "123456789012",
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com",
    }


class Stack:
    """The resources that a stack with some parameters would have."""

    def __init__(self, **given: str) -> None:
        template = packaged()
        values = parameters_of(template, given) | pseudo_parameters("matchvec")
        translated = translate(stamped(template, values), values)
        decided = Decisions(translated, values).template(translated)
        self.resources: dict[str, dict[str, Any]] = decided["Resources"]
        self.outputs: dict[str, dict[str, Any]] = decided["Outputs"]

    def of_type(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by logical id."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.resources.items()
            if resource["Type"] == name
        }

    def one(self, name: str) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        [properties] = self.of_type(name).values()
        return properties


def _substitute(argument: Any, values: Mapping[str, str]) -> Any:
    text, variables = (argument, {}) if isinstance(argument, str) else argument
    unknown = {}
    for name, value in {**values, **variables}.items():
        if isinstance(value, dict) and "Ref" in value:
            value = f"${{{value['Ref']}}}"  # Another resource, which the text can name itself.
        elif isinstance(value, dict) and isinstance(value.get("Fn::Sub"), str):
            value = value["Fn::Sub"]
        if isinstance(value, str):
            text = text.replace(f"${{{name}}}", value)
        else:
            unknown[name] = value
    if unknown:
        return {"Fn::Sub": [text, unknown]}
    return text if "${" not in text else {"Fn::Sub": text}


def _join(separator: str, parts: list[Any]) -> Any:
    if all(isinstance(part, str) for part in parts):
        return separator.join(parts)
    return {"Fn::Join": [separator, parts]}


def _split(pair: list[Any], _: Mapping[str, str]) -> Any:
    separator, text = pair
    return text.split(separator) if isinstance(text, str) else {"Fn::Split": pair}


def _select(pair: list[Any], _: Mapping[str, str]) -> Any:
    index, values = pair
    return values[int(index)] if isinstance(values, list) else {"Fn::Select": pair}


FUNCTIONS: dict[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "Fn::Equals": lambda pair, _: str(pair[0]) == str(pair[1]),
    "Fn::Not": lambda one, _: not one[0],
    "Fn::And": lambda each, _: all(each),
    "Fn::Select": _select,
    "Fn::Join": lambda pair, _: _join(*pair),
    "Fn::Split": _split,
    "Fn::Sub": _substitute,
}


def texts(node: Any) -> Iterator[str]:
    """Yield all texts of a tree."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for each in node.values():
            yield from texts(each)
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)
