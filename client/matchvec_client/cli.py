"""Command line: `matchvec URL PICTURE...` and `matchvec bulk ...`."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from matchvec_client.arguments import Arguments, parse
from matchvec_client.client import Client
from matchvec_client.draw import check_targets, save_annotated, target_of
from matchvec_client.errors import ApiError, BotoMissing, MatchvecError, UsageError
from matchvec_client.images import CannotDecode, require_pillow
from matchvec_client.journal import Journal, Row, row_of
from matchvec_client.output import printable, write
from matchvec_client.progress import Progress
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder
from matchvec_client.sources import Skipped, Source, expand
from matchvec_client.types import Picture
from matchvec_client.watch import POLL_SECONDS, Watch

ALL_ANSWERED = 0
SOME_FAILED = 1
BAD_USAGE = 2
API_FAILED = 3
INTERRUPTED = 130
CLOSED_PIPE = 141
"""The shell's code of a program that SIGPIPE ended."""
NAMES_PER_REASON = 5
"""Skipped files that are named for each reason."""


def main(
    arguments: Sequence[str] | None = None,
    retry: Retry | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Arguments; None: those of the process.
        retry: Waits between attempts; tests replace them.
        sleep: Waits between two looks at a watched folder; tests replace it.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given[:1] == ["bulk"]:
            return _bulk(given[1:])
        wanted = parse(given, os.environ)
        return _send(wanted, replace(retry or Retry(), attempts=wanted.attempts), sleep)
    except ApiError as error:
        print(f"matchvec: {error.message} ({error.code})", file=sys.stderr)
        return API_FAILED
    except MatchvecError as error:
        print(f"matchvec: {error.message}", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        print("matchvec: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output at its end, which would raise the error again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        print(f"matchvec: {error}", file=sys.stderr)
        return BAD_USAGE


def _bulk(arguments: Sequence[str]) -> int:
    try:
        from matchvec_client.bulk import cli
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
            raise
        message = "bulk needs boto3: pip install 'matchvec-client[bulk]'"
        raise BotoMissing(message) from error
    return cli.main(arguments)


def _send(wanted: Arguments, retry: Retry, sleep: Callable[[float], object]) -> int:
    skipped = Skipped()
    sources = expand(wanted.given, skipped=skipped)
    if wanted.annotate:
        require_pillow("--annotate")
        check_targets(wanted.annotate, sources)
    if not wanted.is_quiet:
        if wanted.is_http_assumed:
            print(f"matchvec: using {wanted.url}", file=sys.stderr)
        for line in _skipped_lines(skipped):
            print(line, file=sys.stderr)
    with Client(
        wanted.url,
        api_key=wanted.api_key,
        jobs=wanted.jobs,
        timeout=wanted.timeout,
        limits=wanted.limits,
        retry=retry,
        shrink=wanted.may_shrink,
    ) as client:
        if wanted.watch:
            _watch(client, wanted, Watch(wanted.watch), sleep)
        if wanted.output:
            return _to_file(client, wanted, sources, wanted.output)
        return _to_stdout(client, wanted, sources)


def _skipped_lines(skipped: Skipped) -> Iterator[str]:
    """Yield the number of skipped files, and their reasons with some names."""
    if skipped.count:
        yield f"matchvec: {skipped.count} skipped"
    for reason, paths in sorted(skipped.by_reason.items()):
        names = ", ".join(printable(path) for path in paths[:NAMES_PER_REASON])
        rest = len(paths) - NAMES_PER_REASON
        yield f"  {len(paths)} {reason}: {names}" + (f" and {rest} more" if rest > 0 else "")


def _watch(
    client: Client, wanted: Arguments, watch: Watch, sleep: Callable[[float], object]
) -> None:
    """Send the pictures of a folder as they arrive, until Ctrl-C."""
    while True:
        if new := watch.poll():
            if wanted.output:
                _to_file(client, wanted, watch.ready, wanted.output)
                wanted = replace(wanted, may_resume=True, may_overwrite=False)
            else:
                _to_stdout(client, wanted, new)
        sleep(POLL_SECONDS)


def _to_stdout(client: Client, wanted: Arguments, sources: Sequence[Source]) -> int:
    """Write results as they arrive, in the order of the pictures."""
    order = InOrder(sources)
    progress = _progress(wanted, sources, 0)
    is_failed = False
    ended_by: BaseException | None = None

    def rows() -> Iterator[Row]:
        nonlocal is_failed, ended_by
        in_turn = iter(sources)
        try:
            with closing(_answers(client, wanted, sources, progress)) as answers:
                for answered in answers:
                    for picture in order.add(*answered):
                        is_failed = is_failed or picture.error is not None
                        yield row_of(next(in_turn), picture, wanted.query)
        except (ApiError, KeyboardInterrupt) as error:  # Raised after the answers are shown.
            ended_by = error
        progress.end()

    if isinstance(sys.stdout, io.TextIOWrapper):  # File names may not be valid in its encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    write(rows(), wanted.file_format, sys.stdout)
    if ended_by:
        raise ended_by
    return SOME_FAILED if is_failed else ALL_ANSWERED


def _to_file(client: Client, wanted: Arguments, sources: Sequence[Source], output: Path) -> int:
    """Save each result in the journal at once, and write the output file at the end."""
    is_own_journal = wanted.file_format == "jsonl"
    path = output if is_own_journal else output.with_name(output.name + ".jsonl")
    if not is_own_journal and output.exists() and not (wanted.may_resume or wanted.may_overwrite):
        raise UsageError(f"{output} exists. Use --resume or --overwrite.")
    if wanted.may_overwrite:
        path.unlink(missing_ok=True)
    with Journal(path, wanted.query, sources, may_resume=wanted.may_resume) as journal:
        missing = [source for source in sources if source not in journal]
        progress = _progress(wanted, sources, len(sources) - len(missing))
        if len(missing) < len(sources):
            progress.note(f"matchvec: {len(sources) - len(missing)} pictures are already done")
        try:
            with closing(_answers(client, wanted, missing, progress)) as answers:
                for source, picture in answers:
                    journal.append(source, picture)
        finally:
            progress.end()
        if not is_own_journal:
            _write_whole(output, wanted, journal.rows(sources))
        is_failed = any(row["error"] for row in journal.rows(sources))
    return SOME_FAILED if is_failed else ALL_ANSWERED


def _answers(
    client: Client, wanted: Arguments, sources: Sequence[Source], progress: Progress
) -> Generator[Answered, None, None]:
    """Yield each picture as it is done, after it is drawn and counted."""
    with closing(client.stream(sources, wanted.query)) as answers:
        for source, picture in answers:
            if wanted.annotate and not picture.error:
                _annotate(wanted.annotate, source, picture, progress)
            progress.add(is_failed=picture.error is not None)
            yield source, picture


def _annotate(folder: Path, source: Source, picture: Picture, progress: Progress) -> None:
    name = printable(source.name)
    if source.is_url:
        progress.note(f"matchvec: {name}: not drawn, because it is a URL")
        return
    try:
        save_annotated(source, picture, target_of(folder, source))
    except (CannotDecode, OSError) as error:
        progress.note(f"matchvec: {name}: not drawn: {error}")


def _write_whole(output: Path, wanted: Arguments, rows: Iterator[Row]) -> None:
    """Write a file atomically."""
    partial = output.with_name(output.name + ".new")
    with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write(rows, wanted.file_format, file)
    os.replace(partial, output)


def _progress(wanted: Arguments, sources: Sequence[Source], done: int) -> Progress:
    file: TextIO | None = None if wanted.is_quiet else sys.stderr
    return Progress(len(sources), done, file)
