"""Send pictures to the API and save them with the results: `python -m scripts.demo PHOTO...`.

Without pictures it sends samples/. Without --url it starts the local API and stops it at the end.
All pictures go in one POST to /predict. The JSON answer is printed, and the annotated pictures are
saved in out/demo/.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests
from PIL import Image

from inference.annotate import annotate
from inference.decoding.decode import decode

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
OUT = ROOT / "out" / "demo"
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MAX_PIXELS = 50_000_000
START_SECONDS = 60.0
STOP_SECONDS = 20.0
REQUEST_SECONDS = 60.0
LINE_WIDTH = 100


class DemoError(Exception):
    """A problem that the user can solve; the message says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 if every picture was answered."""
    options = _parser().parse_args(arguments)
    try:
        paths = _pictures(options.photos)
        if options.url:
            answer = predict(options.url, paths)
        else:
            with local_api() as base_url:
                answer = predict(base_url, paths)
        print(readable(answer))
        failed = [image for image in answer["images"] if image["error"]]
        for path in save_annotated(paths, answer["images"], options.out):
            print(path)
        for image in failed:
            print(f"{image['filename']}: {image['error']['message']}", file=sys.stderr)
        return 1 if failed else 0
    except (DemoError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def predict(base_url: str, paths: Sequence[Path]) -> dict[str, Any]:
    """Post the pictures in one request to /predict and return the answer with all details.

    Raises:
        DemoError: No API answers at that address, or it refused the request.
    """
    files = [("image", (path.name, path.read_bytes())) for path in paths]
    try:
        response = requests.post(
            f"{base_url.rstrip('/')}/predict",
            params={"details": "true"},
            files=files,
            timeout=REQUEST_SECONDS,
        )
        answer = response.json()
    except requests.RequestException as error:
        raise DemoError(f"{base_url} did not answer with JSON: {error}") from error
    if response.ok and isinstance(answer, dict) and "images" in answer:
        return answer
    message = response.text[:200]
    if isinstance(answer, dict) and "error" in answer:
        message = answer["error"]["message"]
    raise DemoError(f"{base_url} answered {response.status_code}: {message}")


@contextmanager
def local_api() -> Iterator[str]:
    """Start the local API on a free port, yield its address, and stop it at the end.

    Raises:
        DemoError: It does not start; the message has its output.
    """
    port = str(_free_port())
    command = [sys.executable, "-m", "scripts.local_api", "--host", "127.0.0.1", "--port", port]
    print("Starting the local API ...", file=sys.stderr)
    with running(command, f"http://127.0.0.1:{port}") as base_url:
        yield base_url


@contextmanager
def running(command: Sequence[str], base_url: str) -> Iterator[str]:
    """Start a process that serves the API at `base_url`, in the project's root.

    Raises:
        DemoError: It ends or is unhealthy before it answers; the message has its output.
    """
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C stops the demo, which then stops the API itself.
            start_new_session=True,
        )
        try:
            _wait_until_up(base_url, process, log)
            yield base_url
        finally:
            _stop(process)


def readable(value: object, indent: int = 0, column: int = 0) -> str:
    """Return JSON in which every value that fits into a line is on one line.

    Args:
        value: Any JSON value.
        indent: Indentation of the line that it begins on.
        column: Column where it begins.
    """
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or column + len(line) <= LINE_WIDTH:
        return line
    inner = indent + 2
    if isinstance(value, dict):
        keys = [json.dumps(key, ensure_ascii=False) + ": " for key in value]
        values, brackets = list(value.values()), "{}"
    else:
        keys, values, brackets = [""] * len(value), value, "[]"
    margin = "\n" + " " * inner
    items = [
        margin + key + readable(item, inner, inner + len(key))
        for key, item in zip(keys, values, strict=True)
    ]
    return f"{brackets[0]}{','.join(items)}\n{' ' * indent}{brackets[1]}"


def save_annotated(
    paths: Sequence[Path], images: Sequence[dict[str, Any]], folder: Path
) -> list[Path]:
    """Draw the vehicles on each answered picture, save it as JPEG, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for position, (path, image) in enumerate(zip(paths, images, strict=True), start=1):
        if image["error"]:
            continue
        image_rgb = decode(path.read_bytes(), max_pixels=MAX_PIXELS)
        vehicles = [
            ((each["x1"], each["y1"], each["x2"], each["y2"]), each["class_name"], each["label"])
            for each in image["predictions"]
        ]
        # The number distinguishes pictures of the same name from different folders.
        saved.append(folder / f"{position:02}-{path.stem}.jpg")
        Image.fromarray(annotate(image_rgb, vehicles)).save(saved[-1], quality=90)
    return saved


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.demo",
        description="Send pictures to the API and save them with the results.",
    )
    parser.add_argument(
        "photos", nargs="*", type=Path, metavar="PHOTO", help="your pictures (default: samples/)"
    )
    parser.add_argument("--url", help="address of a running API, such as http://127.0.0.1:3000")
    parser.add_argument(
        "--out", type=Path, default=OUT, help="folder for annotated pictures (default: out/demo)"
    )
    return parser


def _pictures(photos: Sequence[Path]) -> list[Path]:
    if not photos:
        return sorted(path for path in SAMPLES.iterdir() if path.suffix in PICTURE_SUFFIXES)
    if missing := [str(path) for path in photos if not path.is_file()]:
        raise DemoError(f"no such file: {', '.join(missing)}")
    return list(photos)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_up(base_url: str, process: subprocess.Popen[bytes], log: IO[str]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            log.seek(0)
            raise DemoError(f"the local API did not start:\n{log.read()}")
        try:
            health = requests.get(f"{base_url}/health", timeout=START_SECONDS)
        except requests.RequestException:
            time.sleep(0.2)
            continue
        if health.ok:
            return
        log.seek(0)
        raise DemoError(f"the local API is unhealthy: {health.text}\n{log.read()}")
    raise DemoError(f"the local API did not answer within {START_SECONDS:g} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # Ctrl-C sends this signal.
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    # Stop the API on SIGTERM and SIGHUP, too.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    sys.exit(main())
