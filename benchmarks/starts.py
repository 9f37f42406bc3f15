"""Measure start and memory of the built package and of the naive handler.

The product is the result of `make package`. The naive tree is what `sam build` creates by default:
complete wheels and their dependencies, without bytecode, which Python then compiles at each start
because Lambda's file system is read-only. Each start is a new, isolated process of the runtime's
Python. The layouts alternate, and a first round, which fills the page cache, does not count.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, CONTENT_TYPE, form
from benchmarks.processes import MEMORY_MB, PROJECT, set_up
from benchmarks.stats import Summary, summarize
from scripts.package.build import WHEEL_MACHINES, WHEEL_PLATFORMS, build
from scripts.package.interpreter import INSTALL_HINT, PYTHON_VERSION, find_interpreter

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
PACKAGE = PROJECT / "build" / "bench-package"
NAIVE = PROJECT / "build" / "bench-naive"
FIRST_CASE, MEMORY_CASE = CASES["jpeg-2mp"], CASES["10x2mp"]
MEMORY_CALLS = 5

START = """
import sys, time
began, folder, module, name, body_file, content_type, calls = sys.argv[1:8]
sys.path.insert(0, folder)
handler = getattr(__import__(module, fromlist=[name]), name)
ready = time.monotonic() - float(began)
memory = lambda: {line[:5]: int(line.split()[1]) * 1024 for line in open("/proc/self/status")
                  if line[:5] in ("VmRSS", "VmHWM")}
at_ready = memory()
import base64, json
body = base64.b64encode(open(body_file, "rb").read()).decode()
read = time.monotonic()
for call in range(int(calls)):
    answer = handler({"httpMethod": "POST", "path": "/object_detection", "body": body,
        "isBase64Encoded": True, "headers": {"Content-Type": content_type}}, None)
    if not call:
        first = ready + time.monotonic() - read
heavy = "numpy PIL.Image cv2 onnxruntime multipart requests requests_toolbelt".split()
print(json.dumps({"status": answer["statusCode"], "ready": ready * 1000, "first": first * 1000,
    "rss": at_ready["VmRSS"], "peak": memory()["VmHWM"],
    "imports": [each for each in heavy if each in sys.modules]}))
"""
"""Code of the measured process: prints milliseconds since its start, and bytes."""

IMPORTS = """
import sys, time
began = time.monotonic()
sys.path.insert(0, sys.argv[1])
for module in sys.argv[2:]:
    __import__(module)
print((time.monotonic() - began) * 1000)
"""


class StartsFailed(Exception):
    """Starts cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A package and its handler.

    Attributes:
        name: The contestant's name.
        folder: The package.
        module: The handler's module.
        handler: The handler's name.
    """

    name: str
    folder: Path
    module: str
    handler: str


@dataclass(frozen=True, slots=True)
class Starts:
    """The costs of a contestant's starts.

    Attributes:
        ready: Milliseconds from process start to loaded models.
        first_answer: Milliseconds from process start to the answer for a 2 MP picture, without
            building the request.
        imports: Milliseconds for importing the third-party modules alone.
        memory: Resident bytes when the models are loaded.
        peak: Maximum resident bytes after five requests of ten 2 MP pictures.
        package: Bytes of the package.
    """

    ready: Summary
    first_answer: Summary
    imports: Summary
    memory: int
    peak: int
    package: int


def measure(rounds: int, folder: Path) -> dict[str, Starts]:
    """Measure the starts of both alternately.

    Args:
        rounds: Number of counted rounds.
        folder: Folder for the bodies of the requests.

    Raises:
        StartsFailed: There is no Python of the runtime's version, or a package cannot be built.
        BuildFailed: The product's package cannot be built.
    """
    interpreter = find_interpreter()
    architecture = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or architecture is None:
        raise StartsFailed("this machine cannot run Lambda's programs")
    if interpreter is None:
        raise StartsFailed(INSTALL_HINT)
    build(architecture, PACKAGE, interpreter)
    _install_naive(architecture)
    bodies = {case.name: folder / f"{case.name}.body" for case in (FIRST_CASE, MEMORY_CASE)}
    for case in (FIRST_CASE, MEMORY_CASE):
        bodies[case.name].write_bytes(form(case, ""))
    layouts = [
        Layout("ours", PACKAGE, "lambda_function", "lambda_handler_classification"),
        Layout("naive", NAIVE, "benchmarks.contestants.naive", "handler"),
    ]
    for layout in layouts:
        forget(layout.folder)
    starts: dict[str, list[dict[str, Any]]] = {layout.name: [] for layout in layouts}
    imports: dict[str, list[float]] = {layout.name: [] for layout in layouts}
    for _ in range(1 + rounds):
        for layout in layouts:
            found = _start(interpreter, layout, bodies[FIRST_CASE.name], 1)
            starts[layout.name].append(found)
            modules = [str(name) for name in found["imports"]]
            imports[layout.name].append(
                float(_run(interpreter, IMPORTS, [str(layout.folder), *modules]))
            )
    return {
        layout.name: Starts(
            ready=summarize([found["ready"] for found in starts[layout.name][1:]]),
            first_answer=summarize([found["first"] for found in starts[layout.name][1:]]),
            imports=summarize(imports[layout.name][1:]),
            memory=int(summarize([found["rss"] for found in starts[layout.name][1:]]).median),
            peak=_start(interpreter, layout, bodies[MEMORY_CASE.name], MEMORY_CALLS)["peak"],
            package=tree_bytes(layout.folder),
        )
        for layout in layouts
    }


def forget(folder: Path) -> None:
    """Drop a folder from the page cache, so that its files are read, not just written.

    A program maps 69 MB of the package's files if pip has just written them, but 47 MB of the same
    files if they were read, as on Lambda.
    """
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def tree_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _start(interpreter: Path, layout: Layout, body: Path, calls: int) -> dict[str, Any]:
    arguments = [str(layout.folder), layout.module, layout.handler, str(body), CONTENT_TYPE]
    found = json.loads(_run(interpreter, START, [str(time.monotonic()), *arguments, str(calls)]))
    if found["status"] != 200:
        raise StartsFailed(f"{layout.name} answers {found['status']}")
    return dict(found)


def _run(interpreter: Path, script: str, arguments: Sequence[str]) -> str:
    command = [str(interpreter), "-I", "-S", "-B", "-c", script, *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": MEMORY_MB},
        cwd="/",
        preexec_fn=set_up("realtime"),
        check=False,
    )
    if done.returncode:
        raise StartsFailed(done.stderr[-1500:])
    return done.stdout


def _install_naive(architecture: str) -> None:
    shutil.rmtree(NAIVE, ignore_errors=True)
    contestants = NAIVE / "benchmarks" / "contestants"
    contestants.mkdir(parents=True)
    for name in ("naive.py", "plain.py"):
        shutil.copy(Path(__file__).parent / "contestants" / name, contestants / name)
    for model in ("vehicle_detector", "vehicle_attributes"):
        (NAIVE / "models" / model).mkdir(parents=True)
        for name in ("manifest.json", "model.onnx"):
            shutil.copy(PROJECT / "models" / model / name, NAIVE / "models" / model / name)
    machine = WHEEL_MACHINES[architecture]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    requirements = Path(__file__).parent / "requirements-naive.txt"
    done = subprocess.run(
        [
            *(*pip, "--requirement", str(requirements), "--target", str(NAIVE), "--no-compile"),
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON_VERSION),
            *(f"--platform={each}_{machine}" for each in WHEEL_PLATFORMS),
        ],
        check=False,
    )
    if done.returncode:
        raise StartsFailed("pip could not install requirements-naive.txt")
