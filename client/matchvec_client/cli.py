"""The command line: `matchvec URL PICTURE...`, and `matchvec bulk ...`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from matchvec_client.arguments import Arguments, parse
from matchvec_client.client import Client
from matchvec_client.draw import check_targets, save_annotated, target_of
from matchvec_client.errors import ApiError, BotoMissing, MatchvecError, UsageError
from matchvec_client.journal import Journal, Row, row_of
from matchvec_client.output import printable, write
from matchvec_client.progress import Progress
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder
from matchvec_client.shrink import CantShrink, require_pillow
from matchvec_client.sources import Source, expand
from matchvec_client.types import Picture

ALL_ANSWERED = 0
SOME_FAILED = 1
BAD_USAGE = 2
API_FAILED = 3
INTERRUPTED = 130
CLOSED_PIPE = 141
"""As the shell reports a program that SIGPIPE has ended."""


def main(arguments: Sequence[str] | None = None, retry: Retry | None = None) -> int:
    """Do what the command line says; an exit code.

    Args:
        arguments: None: those of the process.
        retry: For tests; how fast to try again.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given[:1] == ["bulk"]:
            return _bulk(given[1:])
        wanted = parse(given, os.environ)
        return _send(wanted, replace(retry or Retry(), attempts=wanted.attempts))
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
        # Python flushes standard output at its end, which would complain once more.
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


def _send(wanted: Arguments, retry: Retry) -> int:
    sources = expand(wanted.given)
    if wanted.annotate:
        require_pillow("--annotate")
        check_targets(wanted.annotate, sources)
    with Client(
        wanted.url,
        api_key=wanted.api_key,
        jobs=wanted.jobs,
        timeout=wanted.timeout,
        limits=wanted.limits,
        retry=retry,
        shrink=wanted.may_shrink,
    ) as client:
        if wanted.output:
            return _to_file(client, wanted, sources, wanted.output)
        return _to_stdout(client, wanted, sources)


def _to_stdout(client: Client, wanted: Arguments, sources: Sequence[Source]) -> int:
    """Write results as they come, in the order of the pictures."""
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
        except (ApiError, KeyboardInterrupt) as error:  # What there is, is shown before.
            ended_by = error
        progress.end()

    if isinstance(sys.stdout, io.TextIOWrapper):  # File names may have letters that it has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    write(rows(), wanted.file_format, sys.stdout)
    if ended_by:
        raise ended_by
    return SOME_FAILED if is_failed else ALL_ANSWERED


def _to_file(client: Client, wanted: Arguments, sources: Sequence[Source], output: Path) -> int:
    """Keep every result in the journal at once, and make the file of it at the end."""
    is_own_journal = wanted.file_format == "jsonl"
    path = output if is_own_journal else output.with_name(output.name + ".jsonl")
    if not is_own_journal and output.exists() and not (wanted.may_resume or wanted.may_overwrite):
        raise UsageError(f"{output} exists: --resume goes on with it, --overwrite starts anew.")
    if wanted.may_overwrite:
        path.unlink(missing_ok=True)
    with Journal(path, wanted.query, sources, may_resume=wanted.may_resume) as journal:
        missing = [source for source in sources if source not in journal]
        progress = _progress(wanted, sources, len(sources) - len(missing))
        if len(missing) < len(sources):
            progress.note(f"matchvec: {len(sources) - len(missing)} pictures are done already")
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
    """Each picture as it is done, drawn and counted."""
    with closing(client.stream(sources, wanted.query)) as answers:
        for source, picture in answers:
            if wanted.annotate and not picture.error:
                _annotate(wanted.annotate, source, picture, progress)
            progress.add(is_failed=picture.error is not None)
            yield source, picture


def _annotate(folder: Path, source: Source, picture: Picture, progress: Progress) -> None:
    name = printable(source.name)
    if source.is_url:
        progress.note(f"matchvec: {name}: pictures behind urls are not drawn on")
        return
    try:
        save_annotated(source, picture, target_of(folder, source))
    except (CantShrink, OSError) as error:
        progress.note(f"matchvec: {name}: can't be drawn on: {error}")


def _write_whole(output: Path, wanted: Arguments, rows: Iterator[Row]) -> None:
    """Write a file that is there whole or not at all."""
    partial = output.with_name(output.name + ".new")
    with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write(rows, wanted.file_format, file)
    os.replace(partial, output)


def _progress(wanted: Arguments, sources: Sequence[Source], done: int) -> Progress:
    file: TextIO | None = None if wanted.is_quiet else sys.stderr
    return Progress(len(sources), done, file)
