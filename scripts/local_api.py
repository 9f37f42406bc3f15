"""Serve the API on this machine: SAM CLI's `start-api` without Docker.

    python -m scripts.local_api [--host 127.0.0.1] [--port 3000] [--environments 2] [--verbose]

A request takes the same path as on AWS. API Gateway (SAM CLI's local one, which reads template.yaml
and swagger.yaml) turns it into a proxy event. The Lambda runtime (AWS's Runtime Interface Emulator
with awslambdaric) passes the event to the handler and returns the answer. Environment variables
that template.yaml declares (DETECTION_MODEL, BASE_MODEL_PATH, ...) reach the function.

AWS's emulator has binaries for Linux only. On other systems, such as macOS, a plain process
replaces it.
"""

from __future__ import annotations

import argparse
import errno
import os
import platform
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parent.parent
HEALTH_SECONDS = 60
"""Timeout in seconds of the first request, which loads the models."""

SAM_SETTINGS = {
    "SAM_CLI_TELEMETRY": "0",
    # Otherwise boto3 would wait for the metadata service of an EC2 instance.
    "AWS_EC2_METADATA_DISABLED": "true",
}
CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)


class StartError(Exception):
    """The local API cannot start; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C, SIGTERM or a closed terminal; return the exit status."""
    parser = argparse.ArgumentParser(description="Serve the API on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument(
        "--environments", type=int, default=2, help="requests answered at the same time, at most"
    )
    parser.add_argument(
        "--plain", action="store_true", help="use a plain process instead of AWS's emulator"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="print the log of AWS's emulator, too, unchanged"
    )
    options = parser.parse_args(arguments)
    try:
        prepare_environment()
        with listening(options.host, options.port) as listener:
            serve(listener, options.environments, plain=options.plain, verbose=options.verbose)
    except StartError as error:
        print(f"local API: {error}", file=sys.stderr)
        return 1
    return 0


def prepare_environment() -> None:
    """Set the environment variables that SAM CLI reads.

    AWS credentials are removed, unless MODEL_URI or UPLOAD_BUCKET names a bucket: nothing else
    calls AWS, and SAM CLI would pass them to the function.

    Raises:
        StartError: This Python version or system is not supported, or a variable has a value
            that the function does not accept.
    """
    if os.name != "posix":
        raise StartError("Windows is not supported. Use WSL.")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        version = platform.python_version()
        raise StartError(f"Python {version} is not supported. Run `make start` instead.")
    try:
        Settings.from_environment(os.environ)
    except SettingsError as error:  # Otherwise every request would fail.
        raise StartError(str(error)) from error
    os.environ.update(SAM_SETTINGS)
    # The template turns CloudWatch metrics on. Here their lines would hide the log.
    os.environ.setdefault("METRICS_NAMESPACE", "")
    if not (os.environ.get("MODEL_URI") or os.environ.get("UPLOAD_BUCKET")):
        for name in CREDENTIALS:
            os.environ.pop(name, None)
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a listening socket. It is opened before anything else, so that a bad port fails fast.

    Raises:
        StartError: The address is invalid or in use.
    """
    if not 0 <= port <= 65535:  # getaddrinfo would use it modulo 65536.
        raise StartError(f"port {port} does not exist. Use 0 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            # A port whose last connections are still closing counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
            yield listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} is in use. Stop the program that uses it, or choose another port: "
                f"make start PORT={port + 1}"
            )
            raise StartError(message) from error
        raise StartError(f"cannot listen on {host} port {port}: {error}") from error


def serve(listener: socket.socket, size: int, *, plain: bool, verbose: bool) -> None:
    """Answer requests until a signal asks to stop, and end all processes that were started.

    Args:
        listener: A listening socket.
        size: Execution environments, at most.
        plain: Use a plain process instead of AWS's emulator.
        verbose: Print every line of the function's processes unchanged.

    Raises:
        StartError: A package is missing.
    """
    try:  # These imports take seconds, so that a bad port is reported before.
        from werkzeug.serving import make_server

        from scripts.local.environments import EnvironmentPool, emulator_binary
        from scripts.local.gateway import HostInvokeContext, RequestHandler, make_app
        from scripts.local.refusals import Refusals
    except ModuleNotFoundError as error:
        raise StartError(f"{error.name} is not installed. Run `make start` instead.") from error

    host, port = listener.getsockname()[:2]
    binary = None if plain else emulator_binary()
    pool = EnvironmentPool(size, binary, verbose=verbose)
    stop = _stop_on_signals()
    try:
        cors_origin = Settings.from_environment(os.environ).cors_origin
        refusals = Refusals(ROOT / "swagger.yaml", cors_origin)
        with HostInvokeContext(ROOT / "template.yaml", pool, refusals) as context:
            app = make_app(context, host, port, refusals)
            server = make_server(
                host,
                port,
                app,
                threaded=True,
                request_handler=RequestHandler,
                fd=listener.fileno(),
            )
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
            runtime = "a plain process" if binary is None else "AWS's emulator"
            threading.Thread(target=_announce, args=(url, runtime), daemon=True).start()
            stop.wait()
            server.shutdown()
    finally:
        pool.close()


def documented_routes() -> list[str]:
    """Return the routes that swagger.yaml documents, such as `POST /predict`."""
    import yaml

    paths = yaml.safe_load((ROOT / "swagger.yaml").read_text())["paths"]
    return [
        f"{method.upper():4} {path}"
        for path, operations in paths.items()
        for method in operations
        if method in ("get", "post") and "{" not in path
    ]


def _announce(url: str, runtime: str) -> None:
    """Wait for the function, then print how to call it or why it does not work."""
    import requests

    try:
        health = requests.get(f"{url}/health", timeout=HEALTH_SECONDS)
    except requests.RequestException as error:
        print(f"\nlocal API: {url}/health does not answer: {error}", file=sys.stderr)
        return
    if health.status_code != 200:
        print(
            f"\nlocal API: the function does not work: {url}/health answers "
            f"{health.status_code} {health.text.strip()}\n"
            "The log above has the reason. The next request loads changed files without a restart.",
            file=sys.stderr,
        )
        return
    models = health.json()["models"]
    names = [model["name"] for model in (models["detection"], *models["classification"])]
    samples = sorted((ROOT / "samples").glob("*.jpg"))
    sample = samples[0].relative_to(ROOT) if samples else "PICTURE.jpg"
    print(
        f"\nMatchvec answers on {url}\n\n"
        + "".join(f"  {route}\n" for route in documented_routes())
        + f"\nModels: {', '.join(names)}. Runtime: {runtime}, "
        f"Python {platform.python_version()}.\n"
        f"Try:    curl -F image=@{sample} '{url}/predict'\n"
        "The next request loads changed code and models. Ctrl-C stops.\n",
        flush=True,
    )


def _stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
