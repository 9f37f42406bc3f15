"""Archives of pictures in S3: what scripts/bulk.sh runs.

    python -m scripts.bulk start --prefix 2024/ [--route predict] [--batch 100] [--dry-run]
    python -m scripts.bulk start --inventory s3://bucket/.../manifest.json
    python -m scripts.bulk start --manifest keys.txt
    python -m scripts.bulk status [--run NAME]
    python -m scripts.bulk results [--output rows.jsonl]
    python -m scripts.bulk watch | unwatch

docs/scale.md tells which is for what.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from gateway.routes import Route
from scripts.bulk import arrivals
from scripts.bulk.results import results
from scripts.bulk.runs import Source, check_name, start, status
from scripts.bulk.target import Target, find
from scripts.deployment.aws import DeploymentError
from scripts.prices import BATCH
from service.items import PICTURE_ROUTES, BatchRefused

MAX_BATCH = 1000
"""Pictures: the function has five minutes for a batch."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bulk.sh", description="Archives in S3.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("start", "status", "results", "watch", "unwatch"):
        command = commands.add_parser(name)
        command.add_argument("--stack", default="matchvec")
        if name in ("start", "results"):
            command.add_argument("--route", choices=[*map(str, PICTURE_ROUTES)], default="predict")
        if name == "start":
            source = command.add_mutually_exclusive_group(required=True)
            for kind in ("prefix", "inventory", "manifest"):
                source.add_argument(f"--{kind}")
            command.add_argument("--batch", type=int, default=BATCH)
            command.add_argument("--dry-run", action="store_true")
        if name == "status":
            command.add_argument("--run")
        if name == "results":
            command.add_argument("--output", type=Path)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, target: Target) -> str:
    """One command; what to say."""
    if options.command == "start":
        if not 1 <= options.batch <= MAX_BATCH:
            raise DeploymentError(f"--batch must be from 1 to {MAX_BATCH}, not {options.batch}.")
        kinds = ("prefix", "inventory", "manifest")
        [kind] = [kind for kind in kinds if getattr(options, kind) is not None]
        source = Source(kind, getattr(options, kind), Route(options.route), options.batch)
        return start(target, source, dry_run=options.dry_run)
    if options.command == "status":
        return status(target, check_name(options.run) if options.run else None)
    if options.command == "results":
        return results(target, Route(options.route), options.output)
    return arrivals.watch(target) if options.command == "watch" else arrivals.unwatch(target)


def main(arguments: list[str]) -> None:
    """Run one command."""
    options = parse(arguments)
    try:
        print(run(options, find(options.stack)))
    except (DeploymentError, BatchRefused, OSError) as error:
        sys.exit(f"bulk: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"bulk: AWS refused: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
