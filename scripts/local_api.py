"""Serve the API on this machine: SAM CLI's `start-api` without Docker.

    python -m scripts.local_api [--host 127.0.0.1] [--port 3000] [--environments 2]

A request goes the way it goes on AWS: API Gateway (SAM CLI's local one, from template.yaml and
swagger.yaml) makes a proxy event of it, the Lambda runtime (AWS's Runtime Interface Emulator with
awslambdaric) hands that to the handler, and the answer comes back the same way. Variables of the
shell that template.yaml declares (DETECTION_MODEL, BASE_MODEL_PATH, ...) reach the function.

On systems that AWS's emulator has no binary for, such as macOS, a plain process takes its place.
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
"""Time for the first answer, which loads the models."""

SAM_SETTINGS = {
    "SAM_CLI_TELEMETRY": "0",
    # Without a profile boto3 would look for an EC2 instance's role, and wait for an answer.
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
    """The local API can't start; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C, SIGTERM or a closed terminal; the exit status of the program."""
    parser = argparse.ArgumentParser(description="Serve the API on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument(
        "--environments", type=int, default=2, help="events that are answered at the same time"
    )
    parser.add_argument(
        "--plain", action="store_true", help="don't use AWS's emulator even where it runs"
    )
    options = parser.parse_args(arguments)
    try:
        prepare_environment()
        with listening(options.host, options.port) as listener:
            serve(listener, options.environments, plain=options.plain)
    except StartError as error:
        print(f"local API: {error}", file=sys.stderr)
        return 1
    return 0


def prepare_environment() -> None:
    """Set what SAM CLI reads from the environment.

    AWS credentials stay out: nothing here calls AWS, and SAM CLI would hand them to the function.
    Only MODEL_URI and UPLOAD_BUCKET, which name a bucket, need them.

    Raises:
        StartError: This Python or system can't run the local API, or a variable of the shell
            has a value that the function would refuse.
    """
    if os.name != "posix":
        raise StartError("it runs on Linux and macOS; on Windows use WSL.")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        version = platform.python_version()
        raise StartError(f"it needs Python 3.11 to 3.13, this is {version}; use `make start`.")
    try:
        Settings.from_environment(os.environ)
    except SettingsError as error:  # Else the function would say so with every request.
        raise StartError(str(error)) from error
    os.environ.update(SAM_SETTINGS)
    # The template has a namespace for CloudWatch; here its lines would only hide the log.
    os.environ.setdefault("METRICS_NAMESPACE", "")
    if not (os.environ.get("MODEL_URI") or os.environ.get("UPLOAD_BUCKET")):
        for name in CREDENTIALS:
            os.environ.pop(name, None)
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, so that a taken port is known before anything is loaded.

    Raises:
        StartError: The address can't be had.
    """
    if not 0 <= port <= 65535:  # getaddrinfo would take it modulo 65536.
        raise StartError(f"there is no port {port}; the highest is 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            # As every server does: a port whose last connections are still closing is free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
            yield listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} is in use. Stop what listens there, or take another one: "
                f"make start PORT={port + 1}"
            )
            raise StartError(message) from error
        raise StartError(f"can't listen on {host} port {port}: {error}") from error


def serve(listener: socket.socket, size: int, *, plain: bool) -> None:
    """Answer requests until a signal asks to stop; leaves no process behind.

    Args:
        listener: A listening socket.
        size: Most execution environments at a time.
        plain: Use the plain emulator even where AWS's runs.

    Raises:
        StartError: The packages of the dependency group `start` are missing.
    """
    try:
        from werkzeug.serving import make_server

        from scripts.local.environments import EnvironmentPool, emulator_binary
        from scripts.local.gateway import HostInvokeContext, RequestHandler, make_app
        from scripts.local.refusals import Refusals
    except ModuleNotFoundError as error:
        raise StartError(f"{error.name} is not installed; use `make start`.") from error

    host, port = listener.getsockname()[:2]
    binary = None if plain else emulator_binary()
    pool = EnvironmentPool(size, binary)
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
    """What the definition documents one by one, such as `POST /predict`."""
    import yaml

    paths = yaml.safe_load((ROOT / "swagger.yaml").read_text())["paths"]
    return [
        f"{method.upper():4} {path}"
        for path, operations in paths.items()
        for method in operations
        if method in ("get", "post")
    ]


def _announce(url: str, runtime: str) -> None:
    """Say that it is ready once it is, or what keeps it from being so."""
    import requests

    try:
        health = requests.get(f"{url}/health", timeout=HEALTH_SECONDS)
    except requests.RequestException as error:
        print(f"\nlocal API: {url}/health does not answer: {error}", file=sys.stderr)
        return
    if health.status_code != 200:
        print(
            f"\nlocal API: the function is not well: {url}/health answers "
            f"{health.status_code} {health.text.strip()}\n"
            "The reason is in the log above. Mend it and ask again; changes are loaded at once.",
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
        "Changed code and models are loaded with the next request. Ctrl-C stops.\n",
        flush=True,
    )


def _stop_on_signals() -> threading.Event:
    """An event that is set by Ctrl-C, SIGTERM and a closed terminal."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
