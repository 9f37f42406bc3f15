"""The AWS CLI, curl and the project's scripts, as far as scripts/verify_aws.sh uses them.

    python fake_aws_cli.py FOLDER PROGRAM ARGUMENT ...

It keeps an account in FOLDER/state.json and records every call in FOLDER/calls. Variables make it
fail: FAKE_FAULT is a number of a call, or the start of calls with the number of the one that fails
("deploy.sh#2"). FAKE_WRONG names a deployment that does something else than it should.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
CAR = json.dumps([[{"class_name": "car", "label": "car: 0.9"}]])
State = dict[str, Any]


class Failed(Exception):
    """The call ends with this message and exit status 1."""


def wrong(name: str) -> bool:
    return os.environ.get("FAKE_WRONG") == name


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else ""


def deploy(state: State, arguments: list[str]) -> str:
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    given = dict(each.split("=", 1) for each in arguments if "=" in each and each[0] != "-")
    stack = state["stack"]
    if given.get("DetectionModel") == "no_such_model" and not wrong("deployed_broken"):
        stack["status"] = "UPDATE_ROLLBACK_COMPLETE"
        stack["version"] += wrong("not_rolled_back")
        raise Failed("the new version failed its check")
    name = option(arguments, "--stack")
    if stack is None:
        state["buckets"] += [f"{name}-uploadbucket-1a", f"{name}-resultsbucket-1a"]
        status = "ROLLBACK_COMPLETE" if wrong("not_created") else "CREATE_COMPLETE"
        stack = {"name": name, "status": status, "parameters": {}, "version": 1, "deployment": 1}
    else:
        is_changed = any(stack["parameters"].get(key) != value for key, value in given.items())
        stack["status"] = "UPDATE_COMPLETE"
        stack["deployment"] += (is_changed and not wrong("stale_stage")) or wrong("always_changed")
    stack["parameters"] |= given
    state["stack"] = stack
    return ""


def destroy(state: State, arguments: list[str]) -> str:
    if wrong("not_destroyed"):
        raise Failed("the stack has a resource that cannot be deleted")
    state["stack"] = None
    return ""


def bulk(state: State, arguments: list[str]) -> str:
    if arguments[0] == "results":
        count = 99 if wrong("lost_row") else 100
        errors = 4 if wrong("failed_picture") else 3
        rows = [
            {"key": str(n), "error": {} if n >= errors else {"code": "x"}} for n in range(count)
        ]
        text = "".join(json.dumps({**row, "error": row["error"] or None}) + "\n" for row in rows)
        Path(option(arguments, "--output")).write_text(text)
    return ""


def curl(state: State, arguments: list[str]) -> str:
    url = next(each for each in arguments if each.startswith("https://"))
    parameters = state["stack"]["parameters"]
    origin = parameters.get("CorsOrigin", "*")
    wants_status = "--write-out" in arguments
    if "OPTIONS" in arguments:
        return f"HTTP/2 200\naccess-control-allow-origin: {origin}\n"
    if url.endswith("/uploads"):
        fields = {"key": "uploads/1", "policy": "abc"}
        return json.dumps({"url": "https://bucket.example/", "fields": fields, "s3": "s3://b/k"})
    if url == "https://bucket.example/":
        return "403" if wrong("refused_upload") else "204"
    if url.endswith("/shape"):
        return "[[]]" if wrong("undecoded_upload") else "[[2500, 2800, 3]]"
    is_closed = parameters.get("RequireApiKey") == "true" and not wrong("open")
    if is_closed and "--config" not in arguments:
        text = f"access-control-allow-origin: {origin}\n\n" + '{"code": "invalid_api_key"}'
        return "403" if wants_status else text
    if wants_status:
        return "200"
    return "[[]]" if wrong("no_car") else CAR


def aws(state: State, arguments: list[str]) -> str:
    stack = state["stack"]
    call = " ".join(arguments[:2])
    if call == "cloudformation describe-stacks":
        if stack is None:
            raise Failed("Stack with id x does not exist")
        return stack["status"] if "text" in arguments else described(stack)
    if call == "cloudformation delete-stack" and not wrong("not_destroyed"):
        state["stack"] = None
    if call == "s3api create-bucket":
        state["buckets"].append(option(arguments, "--bucket"))
    if call == "s3 rb":
        state["buckets"].remove(arguments[2].removeprefix("s3://"))
    answers: dict[str, Any] = {
        "sts get-caller-identity": {"Account": ACCOUNT},
        "s3api list-buckets": chosen(state["buckets"], option(arguments, "--query")),
        "lambda list-functions": [f"{stack['name']}-function"] if stack else [],
        "logs describe-log-groups": [f"/matchvec/{stack['name']}/function"] if stack else [],
        "apigateway get-api-key": {"value": "the-key"},
        "apigateway get-stage": {"deploymentId": str(stack["deployment"])} if stack else None,
        "lambda get-alias": {"FunctionVersion": str(stack["version"])} if stack else None,
    }
    return json.dumps(answers[call]) if call in answers else ""


def chosen(buckets: list[str], query: str) -> list[str]:
    """The buckets of a query such as Buckets[?starts_with(Name, 'x-')].Name."""
    start = query.partition("'")[2].partition("'")[0]
    return [name for name in buckets if name.startswith(start)]


def described(stack: dict[str, Any]) -> str:
    url = "https://api1.execute-api.eu-west-1.amazonaws.com/prod"
    outputs = {
        "ApiUrl": url,
        "PredictUrl": f"{url}/predict",
        "FunctionAlias": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f:live",
        "ApiKeyId": "key1",
    }
    listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
    return json.dumps({"Stacks": [{"StackStatus": stack["status"], "Outputs": listed}]})


PROGRAMS = {"aws": aws, "curl": curl, "deploy.sh": deploy, "destroy.sh": destroy, "bulk.sh": bulk}


def must_fail(call: str, calls: list[str]) -> bool:
    fault = os.environ.get("FAKE_FAULT", "")
    if fault.isdigit():
        return len(calls) == int(fault)
    start, _, number = fault.partition("#")
    matching = [each for each in calls if each.startswith(start)]
    return bool(fault) and call.startswith(start) and len(matching) == int(number) - 1


def run(folder: Path, program: str, arguments: list[str]) -> tuple[int, str]:
    """Exit status and output of one call."""
    state_path, log = folder / "state.json", folder / "calls"
    state = json.loads(state_path.read_text())
    calls = log.read_text().splitlines() if log.exists() else []
    call = " ".join([program, *arguments])
    with log.open("a") as file:
        file.write(call.replace("\n", " ") + "\n")
    try:
        if must_fail(call, calls):
            raise Failed("injected")
        return 0, PROGRAMS[program](state, arguments)
    except Failed as error:
        return 1, str(error)
    finally:
        state_path.write_text(json.dumps(state))


if __name__ == "__main__":
    status, text = run(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    print(text, file=sys.stderr if status else sys.stdout)
    sys.exit(status)
