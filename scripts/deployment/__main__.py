"""What scripts/deploy.sh asks of AWS and of the build, one small command each.

    python -m scripts.deployment COMMAND ...

    names NAME=VALUE ...                        are these parameters of the template?
    account                                     who AWS says we are, and where
    region                                      where
    size PACKAGE                                does the package fit into Lambda?
    parameters [--offline] STACK BUILD NAME=VALUE ...
                                                all that `sam deploy` is to be given, one a line
    url STACK                                   where pictures are posted to
    post STACK PICTURE                          post one, and check the answer

A mistake ends the program with a message that says what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from scripts.deployment.aws import DeploymentError, account, predict_url, region
from scripts.deployment.parameters import all_parameters, check_size, parse_overrides
from scripts.deployment.sample import post

QUOTED_NOTHING = '""'


def _print_parameters(*arguments: str) -> None:
    offline = arguments[0] == "--offline"
    stack, build, *overrides = arguments[offline:]
    given = parse_overrides(overrides)
    for name, value in all_parameters(stack, Path(build), given, offline=offline).items():
        # SAM CLI takes an empty value only in quotes; without, it drops the parameter.
        print(f"{name}={value or QUOTED_NOTHING}")


def _check_names(*texts: str) -> None:
    parse_overrides(texts)


COMMANDS: dict[str, Callable[..., None]] = {
    "names": _check_names,
    "account": lambda: print(account()),
    "region": lambda: print(region()),
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
