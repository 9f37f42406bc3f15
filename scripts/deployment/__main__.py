"""Small commands that the deployment scripts call, one for each fact they need.

    python -m scripts.deployment COMMAND ...

    names NAME=VALUE ...        check the names and values of parameters
    account                     print the account, the region and the user
    region                      print the region
    deployable STACK            check that deploy.sh can work on the stack in its state
    deletable STACK             check that destroy.sh can; print the state
    delete STACK                delete a stack that has no resources yet
    size PACKAGE                check that the package fits into Lambda
    parameters [--offline] STACK BUILD NAME=VALUE ...
                                stamp the build's API definition, and print the parameters for
                                `sam deploy`, one per line
    url STACK                   print the address for pictures
    post STACK PICTURE          post a picture, and check the answer

An error ends the program with a message that says what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from scripts.deployment.aws import (
    HIDDEN,
    DeploymentError,
    account,
    delete,
    describe,
    predict_url,
    region,
)
from scripts.deployment.parameters import (
    COMPUTED,
    check_size,
    declared_parameters,
    deployed_parameters,
    package_hash,
    parse_overrides,
)
from scripts.deployment.sample import post
from scripts.deployment.stamp import stamp
from scripts.deployment.states import check_deletable, check_deployable

QUOTED_NOTHING = '""'


def _print_parameters(*arguments: str) -> None:
    offline = arguments[0] == "--offline"
    stack, build, *overrides = arguments[offline:]
    given, values = deployed_parameters(stack, parse_overrides(overrides), offline=offline)
    stamp(Path(build), values)
    declared = declared_parameters()
    for name, value in {**given, COMPUTED: package_hash(Path(build), values)}.items():
        shown = HIDDEN if offline and declared[name].get("NoEcho") else value
        # SAM CLI takes an empty value only in quotes; without, it drops the parameter.
        print(f"{name}={shown or QUOTED_NOTHING}")


def _check_names(*texts: str) -> None:
    parse_overrides(texts)


def _print_deletable(stack: str) -> None:
    check_deletable(stack)
    found = describe(stack)
    print(found["StackStatus"] if found else "")


COMMANDS: dict[str, Callable[..., None]] = {
    "names": _check_names,
    "account": lambda: print(account()),
    "region": lambda: print(region()),
    "deployable": check_deployable,
    "deletable": _print_deletable,
    "delete": delete,
    "size": lambda package: print(check_size(Path(package))),
    "parameters": _print_parameters,
    "url": lambda stack: print(predict_url(stack)),
    "post": lambda stack, picture: print(post(stack, Path(picture))),
}


def main(arguments: list[str]) -> None:
    """Run one command."""
    try:
        COMMANDS[arguments[0]](*arguments[1:])
    except DeploymentError as error:
        sys.exit(f"deployment: {error}")
    except NoCredentialsError:
        sys.exit(
            "deployment: there are no AWS credentials. Run `aws configure` or `aws sso login`, "
            "or pass --profile."
        )
    except NoRegionError:
        sys.exit("deployment: no region is set. Pass --region, such as --region eu-west-1.")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"deployment: AWS refused: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
