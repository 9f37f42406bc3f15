"""Command line of `matchvec URL PICTURE...`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matchvec_client.api import Query
from matchvec_client.batches import Limits
from matchvec_client.errors import ExtraMissing, UsageError
from matchvec_client.output import FORMATS, Format
from matchvec_client.sources import PICTURE_SUFFIXES
from matchvec_client.version import __version__

SUFFIX_FORMATS: Mapping[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
MAX_PICTURES = 32
SHELLS = ("bash", "zsh", "tcsh")
HOST = re.compile(r"(localhost|[\w-]+(\.[\w-]+)+|[\w-]+(?=:\d))(:\d+)?(/\S*)?", re.ASCII)
"""An address without http://: a name with a dot, localhost, or a name with a port."""
DESCRIPTION = """\
Send pictures to Matchvec and show what is in them.

The first argument is the API's address, unless --url or MATCHVEC_URL gives it. The others are
files, folders (searched recursively), globs and URLs. @FILE reads more of them from a file, one per
line, and - reads them from standard input.

`matchvec bulk --help` describes archives in S3, which a stack answers on its own.
"""
EPILOG = """\
With --output, results are saved as they arrive, and --resume continues an interrupted run. JSON
lines are saved in FILE; for a table or CSV they are saved in FILE.jsonl.

exit codes: 0 all pictures were answered; 1 some pictures failed; 2 a path, an option or a file is
invalid; 3 the API is unreachable or refuses; 130 interrupted; 141 the output was closed.
"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parsed command line.

    Attributes:
        url: Address of the API.
        is_http_assumed: True if the address was given without ``http://``.
        given: Files, folders, globs and URLs.
        query: Route and options.
        limits: Limits of one request.
        jobs: Number of concurrent requests.
        attempts: Maximum number of attempts of a request.
        timeout: Seconds to wait for an answer.
        api_key: API key; None: none.
        may_shrink: Send pictures over the limit smaller.
        file_format: Output format.
        output: Output file; None: standard output.
        may_resume: Continue the output file.
        may_overwrite: Replace the output file.
        annotate: Folder of the copies with boxes; None: no copies.
        watch: Folder whose new pictures are sent until the program is interrupted; None: none.
        is_quiet: Show no progress and no notes.
    """

    url: str
    is_http_assumed: bool
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
    watch: Path | None
    is_quiet: bool


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Arguments:
    """Parse the command line.

    Raises:
        SystemExit: The command line is invalid (2), or asks for help (0).
        UsageError: A value is out of range, or a list cannot be read.
        ExtraMissing: Shell completion needs shtab.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.print_completion:
        print(completion(options.print_completion))
        raise SystemExit(0)
    address = options.url or environment.get("MATCHVEC_URL")
    given = list(options.given)
    if not address:
        if not given or not _is_address(given[0]):
            parser.error("the API's address is missing: URL PICTURE..., --url or MATCHVEC_URL")
        address = given.pop(0)
    is_http_assumed = "://" not in address
    _check(parser, options, given)
    by_suffix = SUFFIX_FORMATS.get(options.output.suffix.lower()) if options.output else None
    default: Format = "jsonl" if options.watch else "table"
    top = options.top if options.route == "predict" else None
    return Arguments(
        url=f"http://{address}" if is_http_assumed else address,
        is_http_assumed=is_http_assumed,
        given=tuple(_with_lists(given)),
        query=Query(options.route, options.threshold, top),
        limits=Limits(pictures=_ranged("--batch", options.batch, 1, MAX_PICTURES)),
        jobs=_ranged("--jobs", options.jobs, 1, 256),
        attempts=_ranged("--retries", options.retries, 0, 100) + 1,
        timeout=options.timeout,
        api_key=options.api_key or environment.get("MATCHVEC_API_KEY"),
        may_shrink=options.shrink,
        file_format=options.format or by_suffix or default,
        output=options.output,
        may_resume=options.resume,
        may_overwrite=options.overwrite,
        annotate=options.annotate,
        watch=options.watch,
        is_quiet=options.quiet,
    )


def completion(shell: str) -> str:
    """Return the completion script of a shell.

    Raises:
        ExtraMissing: shtab is not installed.
    """
    try:
        import shtab
    except ImportError as error:
        message = "Shell completion needs shtab: pip install 'matchvec-client[completion]'"
        raise ExtraMissing(message) from error
    parser = _parser(shtab.FILE, shtab.DIRECTORY, _bulk_commands())
    return str(shtab.complete(parser, shell=shell))


def _bulk_commands() -> Callable[[argparse.ArgumentParser], None] | None:
    """Return what adds the commands of `matchvec bulk`, or None if boto3 is not installed."""
    try:
        from matchvec_client.bulk.cli import add_commands
    except ImportError:
        return None
    return add_commands


def _check(
    parser: argparse.ArgumentParser, options: argparse.Namespace, given: Sequence[str]
) -> None:
    if options.watch and given:
        parser.error("--watch takes its pictures from its folder: name no others")
    if options.watch and not options.watch.is_dir():
        parser.error(f"--watch {options.watch} is not a folder")
    if options.watch and not options.output and options.format in ("table", "csv"):
        parser.error("--watch writes a table or CSV only with --output FILE")
    if not given and not options.watch:
        parser.error("name the pictures to send: files, folders, globs or URLs")
    if options.resume and not options.output:
        parser.error("--resume needs --output FILE")
    if options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")


def _is_address(text: str) -> bool:
    if text.lower().startswith(("http://", "https://")):
        return True
    is_picture = os.path.splitext(text)[1].lower() in PICTURE_SUFFIXES
    return bool(HOST.fullmatch(text)) and not is_picture and not os.path.exists(text)


def _with_lists(given: Iterable[str]) -> list[str]:
    found: list[str] = []
    for each in given:
        if each == "-":
            found += _listed(sys.stdin.read())
        elif each.startswith("@") and not os.path.exists(each):
            try:
                found += _listed(Path(each[1:]).read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"The list {each[1:]} cannot be read: {error}") from error
        else:
            found.append(each)
    return found


def _listed(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _ranged(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise UsageError(f"{name} {value} is out of range. Use {low} to {high}.")
    return value


def _parser(
    file: object = None,
    folder: object = None,
    add_bulk: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.ArgumentParser:
    """Return the parser.

    Args:
        file: shtab's completion of files; None: no completion.
        folder: shtab's completion of folders; None: no completion.
        add_bulk: Adds the commands of `matchvec bulk`, for completion only; `cli.main` runs them.
    """

    def complete(action: argparse.Action, how: object) -> None:
        if how is not None:
            vars(action)["complete"] = how

    parser = argparse.ArgumentParser(
        prog="matchvec",
        usage="matchvec [options] URL PICTURE...",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if add_bulk:
        add_bulk(parser.add_subparsers().add_parser("bulk", help="pictures of an S3 bucket"))
    add = parser.add_argument
    complete(add("given", nargs="*", metavar="URL PICTURE...", help=argparse.SUPPRESS), file)
    add("--version", action="version", version=f"matchvec-client {__version__}")
    add("--print-completion", choices=SHELLS, help="print the completion script of a shell")
    add = parser.add_argument_group("request").add_argument
    add(
        "--route",
        choices=("predict", "object_detection"),
        default="predict",
        help="vehicles, each classified, or all objects (default: predict)",
    )
    add("--threshold", type=float, help="minimum score of a detection, 0 to 1")
    add("--top", type=int, help="classes per vehicle, 1 to 20")
    add = parser.add_argument_group("API").add_argument
    add("--url", help="address of the API (or MATCHVEC_URL); http:// is assumed")
    add("--api-key", metavar="KEY", help="API key (better: MATCHVEC_API_KEY)")
    add("--jobs", type=int, default=4, help="concurrent requests (default: 4)")
    pictures = Limits().pictures
    add("--batch", type=int, default=pictures, help=f"pictures per request (default: {pictures})")
    add("--retries", type=int, default=5, help="further attempts of a request (default: 5)")
    add("--timeout", type=float, default=60.0, help="seconds to wait for an answer (default: 60)")
    add(
        "--shrink",
        action="store_true",
        help="send pictures smaller that are too large for the API; needs Pillow",
    )
    add = parser.add_argument_group("results").add_argument
    add("--format", choices=FORMATS, help="default: by FILE's suffix, .jsonl or .csv; else table")
    complete(add("--output", type=Path, metavar="FILE", help="write the results to FILE"), file)
    add("--resume", action="store_true", help="continue FILE")
    add("--overwrite", action="store_true", help="replace FILE")
    text = "save copies with boxes in DIR; needs Pillow"
    complete(add("--annotate", type=Path, metavar="DIR", help=text), folder)
    text = "send the pictures of DIR and all that arrive later, until Ctrl-C"
    complete(add("--watch", type=Path, metavar="DIR", help=text), folder)
    add("--quiet", action="store_true", help="show no progress and no notes")
    return parser
