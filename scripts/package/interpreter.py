"""Find a Python of the Lambda runtime's version on this machine.

Bytecode only works with the version that compiled it, so the `.pyc` files and the smoke test of a
package need this version. Everything else runs on the Python that runs the build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PYTHON_VERSION = "3.13"
"""The version of the function's runtime in template.yaml, `python3.13`."""

INSTALL_HINT = (
    f"Install Python {PYTHON_VERSION} on the PATH as python{PYTHON_VERSION}, "
    f"or set PYTHON_FOR_LAMBDA=/path/to/python{PYTHON_VERSION}."
)


def find_interpreter() -> Path | None:
    """Return the first Python of the runtime's version, or None."""
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
        # pyenv has shims for versions that are not selected; those fail.
        return None
    return done.stdout.strip()
