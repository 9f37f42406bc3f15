"""One target under atheris: `python -m fuzz.run TARGET [libFuzzer's arguments]`.

With a file in place of a folder it runs that one input, which is how a finding is looked at.
https://llvm.org/docs/LibFuzzer.html#options lists the arguments.
"""

from __future__ import annotations

import sys

import atheris

from fuzz.targets import TARGETS, Target

MEMORY_MB = 2048


def options_of(target: Target) -> list[str]:
    """What libFuzzer is told of a target."""
    return [
        f"-max_len={target.max_bytes}",
        f"-timeout={target.max_seconds}",
        f"-rss_limit_mb={MEMORY_MB}",
        # libtiff writes a line of its own about every damaged file; libFuzzer keeps its own copy.
        "-close_fd_mask=2",
    ]


def main(argv: list[str]) -> None:
    """Fuzz until libFuzzer's arguments say that it is enough; ends the process."""
    target = TARGETS[argv[1]]
    with atheris.instrument_imports(include=list(target.instrumented)):
        check = target.load()
    atheris.Setup([argv[0], *options_of(target), *argv[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
