"""The command line: `matchvec bulk start|status|results`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from botocore.exceptions import BotoCoreError, ClientError

from matchvec_client.bulk import aws
from matchvec_client.bulk.aws import BulkError
from matchvec_client.bulk.results import Output, results
from matchvec_client.bulk.rows import ROUTES
from matchvec_client.bulk.runs import Source, check_name, follow, start, status
from matchvec_client.bulk.target import Target, find

KINDS = {
    "prefix": 'all pictures below a prefix ("" for all)',
    "inventory": "an S3 Inventory in CSV format, by the address of its manifest.json",
    "manifest": "a list of keys, one per line, in a file or in S3",
}
BATCH = 100
MAX_BATCH = 1000
"""Pictures per batch; the function has five minutes for a batch."""

DONE, RUN_FAILED, BAD_USAGE, AWS_REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
DESCRIPTION = """\
Answer the pictures of an S3 bucket with a stack that was deployed with ArchiveBucket. It uses the
credentials of the AWS CLI; docs/scale.md lists the permissions that it needs.
"""
EPILOG = """\
exit codes: 0 done; 1 the run that --follow waited for has failed; 2 an option, a file or the stack
is invalid; 3 AWS is unreachable or refuses; 130 interrupted, which does not stop the run.
"""
Also = Mapping[str, Callable[[Target], str]]


def parse(arguments: Sequence[str], prog: str, also: Sequence[str] = ()) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        SystemExit: The command line is invalid (2), or asks for help (0).
        BulkError: A value is out of range.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_commands(parser, also)
    options = parser.parse_args(arguments)
    if options.command == "results" and options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    if options.command == "results" and options.resume and not options.output:
        parser.error("--resume needs --output FILE")
    if options.command == "start" and not 1 <= options.batch <= MAX_BATCH:
        raise BulkError(f"--batch {options.batch} is out of range. Use 1 to {MAX_BATCH}.")
    return options


def add_commands(parser: argparse.ArgumentParser, also: Sequence[str] = ()) -> None:
    """Add the commands and their options to a parser; `also` names further commands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    begin = commands.add_parser("start", help="answer the pictures that have no row yet")
    kinds = begin.add_mutually_exclusive_group(required=True)
    for name, meaning in KINDS.items():
        kinds.add_argument(f"--{name}", help=meaning)
    begin.add_argument("--batch", type=int, default=BATCH, help="pictures per batch (default: 100)")
    begin.add_argument("--dry-run", action="store_true", help="show the number and the cost only")
    look = commands.add_parser("status", help="show the progress and the cost of a run")
    look.add_argument("--run", metavar="NAME", help="name of the run (default: the last one)")
    look.add_argument("--follow", action="store_true", help="wait until it ends")
    load = commands.add_parser("results", help="count the rows, or write them to a file")
    load.add_argument("--output", type=Path, metavar="FILE", help="JSON lines, or CSV for .csv")
    load.add_argument("--resume", action="store_true", help="load only rows that FILE lacks")
    load.add_argument("--overwrite", action="store_true", help="replace FILE")
    load.add_argument("--quiet", action="store_true", help="do not show the progress")
    for command in (begin, load):
        command.add_argument("--route", choices=ROUTES, default=ROUTES[0])
    for command in (begin, look, load, *map(commands.add_parser, also)):
        command.add_argument(
            "--stack", default="matchvec", help="name of the stack (default: matchvec)"
        )
        command.add_argument("--region", help="AWS region (default: that of the AWS CLI)")
        command.add_argument("--profile", help="profile of the AWS CLI")


def main(arguments: Sequence[str], prog: str = "matchvec bulk", also: Also | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: Arguments after `bulk`.
        prog: Name of the program in messages.
        also: Further commands and their functions.
    """
    try:
        options = parse(arguments, prog, list(also or {}))
        aws.use(options.region, options.profile)
        return _run(options, find(options.stack), also or {})
    except (BulkError, OSError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return BAD_USAGE
    except (BotoCoreError, ClientError) as error:
        print(f"{prog}: AWS refused: {error}", file=sys.stderr)
        return AWS_REFUSED
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(options: argparse.Namespace, target: Target, also: Also) -> int:
    if options.command in also:
        print(also[options.command](target))
    elif options.command == "start":
        [kind] = [kind for kind in KINDS if getattr(options, kind) is not None]
        source = Source(kind, getattr(options, kind), options.route, options.batch)
        print(start(target, source, dry_run=options.dry_run))
    elif options.command == "results":
        output = options.output and Output(options.output, options.resume, options.overwrite)
        progress: TextIO | None = sys.stderr if output and not options.quiet else None
        print(results(target, options.route, output, progress))
    else:
        name = check_name(options.run) if options.run else None
        state = follow(target, name, sys.stderr) if options.follow else status(target, name)
        print(state.text)
        return DONE if not options.follow or state.status == "SUCCEEDED" else RUN_FAILED
    return DONE
