"""The Lambda runtime's version of Python on this machine, if there is one.

Bytecode is compiled by the version that reads it, so this is what `.pyc` files and a first run of
the package need. Everything else is done by whichever Python runs the build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PYTHON_VERSION = "3.13"
"""Of the function's runtime in template.yaml, `python3.13`."""

HOW_TO_GET_ONE = (
    f"no Python {PYTHON_VERSION} found: install one that is on the PATH as "
    f"python{PYTHON_VERSION}, or name it by PYTHON_FOR_LAMBDA=/path/to/python{PYTHON_VERSION}"
)


def find_interpreter() -> Path | None:
    """The first Python of the runtime's version: named, this one, on the PATH, or pyenv's."""
    for candidate in _candidates():
        if _version(candidate) == PYTHON_VERSION:
            return Path(candidate)
    return None


def _candidates() -> Iterator[str]:
    if named := os.environ.get("PYTHON_FOR_LAMBDA"):
        yield named
    yield sys.executable
    if on_path := shutil.which(f"python{PYTHON_VERSION}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{PYTHON_VERSION}.*/bin/python")))


def _version(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        # pyenv's shims exist for versions that are not selected, and then fail.
        return None
    return done.stdout.strip()
