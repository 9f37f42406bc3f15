"""The command line -> what is to be done."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matchvec_client.api import Query
from matchvec_client.batches import Limits
from matchvec_client.errors import UsageError
from matchvec_client.output import FORMATS, Format

SUFFIX_FORMATS: Mapping[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
MAX_PICTURES = 32
DESCRIPTION = """\
Send pictures to Matchvec and write down what is on them.

The first argument is the API's address, unless --url or MATCHVEC_URL gives it. Pictures are files,
folders (searched with all below them), globs and urls; @FILE reads more of these from a file, one
per line, and - from standard input.

matchvec bulk --help is about archives in S3, which a stack answers on its own.
"""
EPILOG = """\
With --output the results are kept as they come, and a run that was ended, in whatever way, goes on
with --resume. JSON lines are written to FILE itself; of a table or CSV they are kept in FILE.jsonl.

exit codes: 0 every picture was answered; 1 some pictures failed; 2 a path, an option or a file
can't be used; 3 the API is unreachable or refuses; 130 interrupted.
"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the user wants.

    Attributes:
        url: The API's address.
        given: Files, folders, globs and urls.
        query: What is asked.
        limits: Of a request.
        jobs: Requests at once.
        attempts: How often a request is sent at most.
        timeout: Seconds for an answer.
        api_key: None where there is none.
        may_shrink: Whether pictures over the limit are sent smaller.
        file_format: Of the results.
        output: Their file; None: standard output.
        may_resume: Whether to go on with that file.
        may_overwrite: Whether to start it anew.
        annotate: Folder of the copies with boxes; None: no copies.
        is_quiet: Whether to leave out the progress.
    """

    url: str
    given: tuple[str, ...]
    query: Query
    limits: Limits
    jobs: int
    attempts: int
    timeout: float
    api_key: str | None
    may_shrink: bool
    file_format: Format
    output: Path | None
    may_resume: bool
    may_overwrite: bool
    annotate: Path | None
    is_quiet: bool


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Arguments:
    """Read the command line.

    Raises:
        SystemExit: It can't be understood (2), or asks for help (0).
        UsageError: A value is out of its range, or a list can't be read.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    url = options.url or environment.get("MATCHVEC_URL")
    given = list(options.given)
    if not url:
        if not given or not given[0].startswith(("http://", "https://")):
            parser.error("the API's address is missing: URL PICTURE..., --url or MATCHVEC_URL")
        url = given.pop(0)
    if not given:
        parser.error("name the pictures to send: files, folders, globs or urls")
    if options.resume and not options.output:
        parser.error("--resume goes on with the results of --output FILE")
    if options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    by_suffix = SUFFIX_FORMATS.get(options.output.suffix.lower()) if options.output else None
    top = options.top if options.route == "predict" else None
    return Arguments(
        url=url,
        given=tuple(_with_lists(given)),
        query=Query(options.route, options.threshold, top),
        limits=Limits(pictures=_ranged("--batch", options.batch, 1, MAX_PICTURES)),
        jobs=_ranged("--jobs", options.jobs, 1, 256),
        attempts=_ranged("--retries", options.retries, 0, 100) + 1,
        timeout=options.timeout,
        api_key=options.api_key or environment.get("MATCHVEC_API_KEY"),
        may_shrink=options.shrink,
        file_format=options.format or by_suffix or "table",
        output=options.output,
        may_resume=options.resume,
        may_overwrite=options.overwrite,
        annotate=options.annotate,
        is_quiet=options.quiet,
    )


def _with_lists(given: Iterable[str]) -> list[str]:
    found: list[str] = []
    for each in given:
        if each == "-":
            found += _listed(sys.stdin.read())
        elif each.startswith("@") and not os.path.exists(each):
            try:
                found += _listed(Path(each[1:]).read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"The list {each[1:]} can't be read: {error}") from error
        else:
            found.append(each)
    return found


def _listed(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _ranged(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise UsageError(f"{name} {value} is not a whole number from {low} to {high}.")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matchvec",
        usage="matchvec [options] URL PICTURE...",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("given", nargs="*", metavar="URL PICTURE...", help=argparse.SUPPRESS)
    asked = parser.add_argument_group("what is asked")
    asked.add_argument(
        "--route",
        choices=("predict", "object_detection"),
        default="predict",
        help="vehicles, each classified, or all objects (default: predict)",
    )
    asked.add_argument("--threshold", type=float, help="lowest score of a detection, 0 to 1")
    asked.add_argument("--top", type=int, help="classes per vehicle, 1 to 20")
    api = parser.add_argument_group("the API")
    api.add_argument("--url", help="its address (or MATCHVEC_URL)")
    api.add_argument("--api-key", metavar="KEY", help="its key (better: MATCHVEC_API_KEY)")
    api.add_argument("--jobs", type=int, default=4, help="requests at once (default: 4)")
    api.add_argument(
        "--batch", type=int, default=Limits().pictures, help="pictures per request (default: 16)"
    )
    api.add_argument(
        "--retries", type=int, default=5, help="further attempts of a request (default: 5)"
    )
    api.add_argument(
        "--timeout", type=float, default=60.0, help="seconds to wait for an answer (default: 60)"
    )
    api.add_argument(
        "--shrink",
        action="store_true",
        help="send pictures smaller that neither a request nor the API's bucket takes (Pillow)",
    )
    results = parser.add_argument_group("the results")
    results.add_argument(
        "--format", choices=FORMATS, help="default: by FILE's suffix, .jsonl or .csv; else table"
    )
    results.add_argument("--output", type=Path, metavar="FILE", help="write them to FILE")
    results.add_argument("--resume", action="store_true", help="go on with FILE")
    results.add_argument("--overwrite", action="store_true", help="start FILE anew")
    results.add_argument(
        "--annotate", type=Path, metavar="DIR", help="save copies with boxes in DIR (Pillow)"
    )
    results.add_argument("--quiet", action="store_true", help="do not show the progress")
    return parser
