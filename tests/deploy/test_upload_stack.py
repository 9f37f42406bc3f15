"""Resources for large pictures: none without `Uploads`, and no more than needed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gateway.upload_bucket import PREFIX
from service.settings import Settings
from tests.deploy.test_archive_stack import actions, resolved
from tests.support.stack import Stack, Template, packaged

DEFAULT = Stack()
UPLOADS = Stack(Uploads="true", MaxObjectBytes="1000")
PARAMETERS = ("Uploads",)
VARIABLES = ("UPLOAD_BUCKET",)
CONDITION = "HasUploads"


def variables(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.resources["MatchvecFunction"]["Properties"]["Environment"][
        "Variables"
    ]
    return found


def unversioned(template: Template) -> Template:
    """Without the checksum over the function's properties, the variables among them."""
    text = re.sub("(MatchvecFunctionVersion)[0-9a-f]{10}", r"\1", json.dumps(template))
    found: Template = json.loads(text)
    return found


def test_without_it_the_stack_is_what_it_would_be_if_it_did_not_exist() -> None:
    without = packaged()
    for section in ("Resources", "Outputs"):
        without[section] = {
            name: each
            for name, each in without[section].items()
            if each.get("Condition") != CONDITION
        }
    for name in PARAMETERS:
        del without["Parameters"][name]
    del without["Conditions"][CONDITION]
    declared = without["Resources"]["MatchvecFunction"]["Properties"]["Environment"]["Variables"]
    for name in VARIABLES:
        del declared[name]
    policies = without["Resources"]["FunctionRole"]["Properties"]["Policies"]
    without["Resources"]["FunctionRole"]["Properties"]["Policies"] = [
        each for each in policies if each.get("Fn::If", [""])[0] != CONDITION
    ]

    as_it_is = unversioned(resolved(packaged()))
    environment = as_it_is["Resources"]["MatchvecFunction"]["Properties"]["Environment"]
    assert {name: environment["Variables"].pop(name) for name in VARIABLES} == {"UPLOAD_BUCKET": ""}
    assert unversioned(resolved(without)) == as_it_is


def test_it_makes_a_bucket_and_its_policy() -> None:
    assert set(UPLOADS.resources) - set(DEFAULT.resources) == {"UploadBucket", "UploadBucketPolicy"}
    assert set(DEFAULT.resources) <= set(UPLOADS.resources)
    assert variables(UPLOADS)["UPLOAD_BUCKET"] == {"Ref": "UploadBucket"}
    settings = Settings.from_environment(
        {"MAX_UPLOAD_BYTES": str(variables(UPLOADS)["MAX_UPLOAD_BYTES"])}
    )
    assert settings.max_upload_bytes == 1000


@pytest.mark.promise("upload-bucket")
def test_the_role_may_do_with_uploads_what_the_function_does() -> None:
    before, now = actions(DEFAULT, "FunctionRole"), actions(UPLOADS, "FunctionRole")
    below = [{"Fn::Sub": "${UploadBucket.Arn}/uploads/*"}]
    assert PREFIX == "uploads/"
    assert {name: now[name] for name in now if now[name] != before.get(name)} == {
        "s3:GetObject": below,
        "s3:PutObject": below,
    }


@pytest.mark.promise("upload-bucket")
def test_the_bucket_is_private_and_forgets() -> None:
    bucket = UPLOADS.resources["UploadBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"], "Prefix" in rule) == ("Enabled", 1, False)
    [cors] = bucket["CorsConfiguration"]["CorsRules"]
    assert (cors["AllowedMethods"], cors["AllowedOrigins"]) == (["POST"], ["*"])
    [denial] = UPLOADS.resources["UploadBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "s3:*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
