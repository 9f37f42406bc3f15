"""A virtual environment per contestant, in build/bench-venvs, created on first use."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.processes import PROJECT

FOLDER = PROJECT / "build" / "bench-venvs"
REQUIREMENTS = Path(__file__).parent


class EnvironmentFailed(Exception):
    """An environment cannot be created; the message says which."""


def python_of(name: str) -> Path:
    """Return the interpreter of an environment with `requirements-NAME.txt` installed.

    All environments use the Python that runs the benchmark. An environment with other requirements
    or another Python is created again.

    Raises:
        EnvironmentFailed: pip could not install the requirements; its message is above.
    """
    folder = FOLDER / name
    python, stamp = folder / "bin" / "python", folder / "made-from"
    made_from = _fingerprint(name)
    if stamp.is_file() and stamp.read_text() == made_from:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making {folder.relative_to(PROJECT)}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True)
    requirements = REQUIREMENTS / f"requirements-{name}.txt"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--requirement", str(requirements)], check=False).returncode:
        raise EnvironmentFailed(f"pip could not install {requirements.name}")
    stamp.write_text(made_from)
    return python


def _fingerprint(name: str) -> str:
    sources = (REQUIREMENTS / f"requirements-{name}.txt", PROJECT / "requirements.txt")
    return hashlib.sha256(
        b"\n".join([sys.version.encode(), *(source.read_bytes() for source in sources)])
    ).hexdigest()
