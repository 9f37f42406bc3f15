"""Facts about the machine and the measured code, for reports."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import PROJECT, cores

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "Pillow", "multipart")


def facts() -> dict[str, str]:
    """Return the facts by name."""
    names = re.findall(r"^model name\s*:\s*(.+)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": f"{len(cores()) or 'all'} of {os.cpu_count()}",
        "load at the end": load,
        "system": platform.platform(),
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def commit() -> str:
    """Return the measured commit, with a + if the product's files differ from it."""
    head = _git("rev-parse", "--short", "HEAD") or "unknown"
    product = ("gateway", "inference", "service", "lambda_function.py", "models")
    return head + ("+" if _git("status", "--porcelain", "--", *product) else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607  the developer's own
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
