"""AWS on this machine: moto's server, with the transforms that CloudFormation runs.

moto accepts a template with `AWS::Serverless` resources, creates none of them, and reports success.
So AWS's own translator translates the templates first. A stack then has the resources that it would
have on AWS, if moto implements their types.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
from moto.cloudformation.models import ChangeSet
from moto.cloudformation.responses import CloudFormationResponse
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from samcli.yamlhelper import yaml_parse
from werkzeug.serving import make_server

from tests.support.stack import (
    REGION,
    Decisions,
    Template,
    parameters_of,
    pseudo_parameters,
    translate,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


UNKNOWN_TO_MOTO = {
    "AWS::Lambda::Version": "1",
    "AWS::Lambda::Alias": f"arn:aws:lambda:{REGION}:123456789012:function:matchvec:live",
    "AWS::Lambda::Permission": "",
    # moto imports no definition from a template, so the API has nothing to deploy.
    "AWS::ApiGateway::Deployment": "",
    "AWS::ApiGateway::Stage": "prod",
}
"""Types that moto cannot create from a template, with the value of a reference to one."""


@dataclass
class LocalAws:
    """A running server.

    Attributes:
        url: Endpoint.
        templates: Translated template of each change set.
    """

    url: str
    templates: list[Template] = field(default_factory=list)

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that send boto3, and so SAM CLI, to the server."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url}

    def read(self, location: str) -> str:
        """Return an object of S3, by `s3://bucket/key` or by a url of the endpoint."""
        split = urlsplit(location)
        bucket, key = split.netloc, split.path.lstrip("/")
        if split.scheme != "s3":
            bucket, _, key = key.partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode()


class Transforms:
    """WSGI middleware that runs the macros of a change set's template."""

    def __init__(self, app: WSGIApplication, aws: LocalAws) -> None:
        self._app = app
        self._aws = aws

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length)
            form = {name: values[0] for name, values in parse_qs(body.decode(), True).items()}
            if form.get("Action") == "CreateChangeSet":
                body = urlencode(self._transformed(form)).encode()
                environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self._app(environ, start_response)

    def _transformed(self, form: dict[str, str]) -> dict[str, str]:
        url = form.get("TemplateURL")
        template = yaml_parse(self._aws.read(url) if url else form["TemplateBody"])
        given = self._given(form, template)
        # moto rounds the numbers of parameters that a change set keeps, so all are sent.
        form = {name: value for name, value in form.items() if not name.startswith("Parameters.")}
        for position, (name, value) in enumerate(given.items(), 1):
            form[f"Parameters.member.{position}.ParameterKey"] = name
            form[f"Parameters.member.{position}.ParameterValue"] = value
        values = parameters_of(template, given)
        values |= pseudo_parameters(form["StackName"])
        translated = translate(template, values, read=self._aws.read)
        self._aws.templates.append(Decisions(translated, values).template(translated))
        made = known_to_moto(translated, values)
        # The parameters stay declared, because a stack keeps them for its next change.
        made["Parameters"] = template.get("Parameters", {})
        form.pop("TemplateURL", None)
        return {**form, "TemplateBody": json.dumps(made)}

    def _given(self, form: dict[str, str], template: Template) -> dict[str, str]:
        """Return the parameters of a change set; kept ones have the values of the stack."""
        previous = {}
        if form["ChangeSetType"] == "UPDATE":
            [stack] = self._aws.client("cloudformation").describe_stacks(
                StackName=form["StackName"]
            )["Stacks"]
            previous = {
                each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]
            }
        given = {}
        for name, key in form.items():
            prefix, _, last = name.rpartition(".")
            if prefix.startswith("Parameters.member.") and last == "ParameterKey":
                value = form.get(f"{prefix}.ParameterValue", previous.get(key))
                if value is not None:
                    given[key] = value
        return {
            name: value for name, value in given.items() if name in template.get("Parameters", {})
        }


def known_to_moto(template: Template, values: Mapping[str, str]) -> Template:
    """Return what moto can create; references to all else become texts."""
    left_out = {
        name: UNKNOWN_TO_MOTO[resource["Type"]]
        for name, resource in template["Resources"].items()
        if resource["Type"] in UNKNOWN_TO_MOTO
    }
    made = Decisions(template, {**values, **left_out}).template(template)
    made["Resources"] = {
        name: resource for name, resource in made["Resources"].items() if name not in left_out
    }
    return made


def _apply(change_set: ChangeSet) -> None:
    """Execute a change set completely.

    moto ignores its outputs, its parameters, and the conditions of a new stack.
    """
    stack = change_set.stack
    stack.template = change_set.template
    stack.parameters = change_set.parameters
    stack._parse_template()  # noqa: SLF001  moto has no public name for these three.
    if change_set.change_set_type == "CREATE":
        stack.resource_map = stack._create_resource_map()  # noqa: SLF001
        stack.resource_map.create(stack.template_dict)
    else:
        stack.resource_map.update(stack.template_dict, change_set.parameters)
    stack.output_map = stack._create_output_map()  # noqa: SLF001


@contextmanager
def local_aws() -> Iterator[LocalAws]:
    """Serve empty services on a free port."""
    moto_api_backend.reset()
    aws = LocalAws("")
    app = Transforms(DomainDispatcherApplication(create_backend_app), aws)
    server = make_server("localhost", 0, app, threaded=True)
    # With this spelling moto separates the name of a bucket from the host.
    aws.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with (
            patch.object(ChangeSet, "apply", _apply),
            # AWS and moto's model accept a change set without changes, and it fails later. Only
            # moto's HTTP layer refuses it.
            patch.object(CloudFormationResponse, "_validate_different_update", lambda *_: None),
        ):
            yield aws
    finally:
        server.shutdown()
        thread.join()
