"""Run one target under atheris: `python -m fuzz.run TARGET [libFuzzer's arguments]`.

With a file instead of a folder it runs that one input, to reproduce a finding.
https://llvm.org/docs/LibFuzzer.html#options lists the arguments.
"""

from __future__ import annotations

import sys

import atheris

from fuzz.targets import TARGETS, Target

MEMORY_MB = 2048


def options_of(target: Target) -> list[str]:
    """Return libFuzzer's options for a target."""
    return [
        f"-max_len={target.max_bytes}",
        f"-timeout={target.max_seconds}",
        f"-rss_limit_mb={MEMORY_MB}",
        # libtiff prints a line for every damaged file; libFuzzer has its own copy of stderr.
        "-close_fd_mask=2",
    ]


def main(argv: list[str]) -> None:
    """Fuzz until libFuzzer's limits are reached, then exit the process."""
    target = TARGETS[argv[1]]
    with atheris.instrument_imports(include=list(target.instrumented)):
        check = target.load()
    atheris.Setup([argv[0], *options_of(target), *argv[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
