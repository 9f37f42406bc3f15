"""Generated clients: each is generated from the definition, compiled, and sends two pictures.

The generators are installed into build/generators from PyPI and npm. Java is tested if the machine
has a JDK and the libraries of Debian's libhttpmime-java and libgeronimo-annotation-1.3-spec-java.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.local_api import ROOT, LocalApi, local_api

DEFINITION = ROOT / "pages" / "swagger.json"
PROGRAMS = Path(__file__).parent / "programs"
BUILD = ROOT / "build" / "generators"
BIN = BUILD / "python" / "bin"
MODULES = BUILD / "node_modules" / ".bin"
SAMPLES = ROOT / "samples"
JAVA_LIBRARIES = tuple(
    Path("/usr/share/java") / f"{name}.jar"
    for name in ("httpmime", "httpcore", "httpclient", "geronimo-annotation-1.3-spec")
)
PYTHON_PACKAGES = (
    "openapi-generator-cli", "openapi-python-client",
    "attrs", "httpx", "pydantic>=2.11", "python-dateutil", "urllib3>=2",
)  # fmt: skip
NODE_PACKAGES = (
    "@types/node@22", "esbuild", "openapi-fetch", "openapi-typescript@7",
    "openapi-typescript-codegen", "typescript@5",
)  # fmt: skip
TYPESCRIPT = {
    "compilerOptions": {
        "target": "ES2022",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "module": "ESNext",
        "moduleResolution": "bundler",
        "strict": True,
        "noEmit": True,
        "types": ["node"],
    }
}
SECONDS = 600
PICTURES = (str(SAMPLES / "car.jpg"), str(SAMPLES / "bus.jpg"))
EXPECTED = "plain 1 1\ncar.jpg car\nbus.jpg bus\n"

pytestmark = pytest.mark.slow


def run(*command: object, folder: Path = BUILD, **variables: str) -> str:
    """Run a program and return its output; fail with its messages."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables},
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def generators() -> None:
    """Install the generators, or skip the tests where a registry is not reached."""
    for name in ("npm", "java"):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        run(sys.executable, "-m", "venv", BUILD / "python")
        run(BIN / "pip", "install", "--quiet", *PYTHON_PACKAGES)
        run("npm", "install", "--no-audit", "--no-fund", "--prefix", BUILD, *NODE_PACKAGES)
    except AssertionError as error:
        pytest.skip(f"the generators cannot be installed: {error}")


@pytest.fixture(scope="module")
def api(generators: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with local_api(tmp_path_factory.mktemp("generators") / "log") as running:
        yield running


def generate(generator: str, output: Path, *options: str) -> None:
    command = (BIN / "openapi-generator-cli", "generate", "-i", DEFINITION)
    run(*command, "-g", generator, "-o", output, *options)


def python_of_openapi_generator(folder: Path, url: str) -> str:
    generate("python", folder)
    program = PROGRAMS / "openapi_generator.py"
    return run(BIN / "python", program, url, *PICTURES, PYTHONPATH=str(folder))


def openapi_python_client(folder: Path, url: str) -> str:
    command = (BIN / "openapi-python-client", "generate", "--overwrite", "--path", DEFINITION)
    run(*command, "--output-path", folder)
    program = PROGRAMS / "openapi_python_client.py"
    return run(BIN / "python", program, url, *PICTURES, PYTHONPATH=str(folder))


def typescript_fetch(folder: Path, url: str) -> str:
    extension = "--additional-properties=importFileExtension=.js"
    generate("typescript-fetch", folder / "generated", extension)
    return run_typescript("typescript_fetch", folder, url)


def typescript_codegen(folder: Path, url: str) -> str:
    run(MODULES / "openapi", "--input", DEFINITION, "--output", folder / "generated")
    return run_typescript("typescript_codegen", folder, url)


def openapi_typescript(folder: Path, url: str) -> str:
    run(MODULES / "openapi-typescript", DEFINITION, "-o", folder / "generated" / "index.d.ts")
    return run_typescript("openapi_typescript", folder, url)


def run_typescript(name: str, folder: Path, url: str) -> str:
    """Check the types, and run the program with what it imports."""
    shutil.copy(PROGRAMS / f"{name}.ts", folder / "main.ts")
    (folder / "tsconfig.json").write_text(json.dumps(TYPESCRIPT))
    run(MODULES / "tsc", "-p", folder, folder=folder)
    bundle = ("--bundle", "--platform=node", "--format=esm", "--outfile=main.mjs")
    run(MODULES / "esbuild", "main.ts", *bundle, folder=folder)
    return run("node", folder / "main.mjs", url, *PICTURES)


def java_of_openapi_generator(folder: Path, url: str) -> str:
    if not shutil.which("javac") or not all(path.exists() for path in JAVA_LIBRARIES):
        pytest.skip("needs a JDK, libhttpmime-java and libgeronimo-annotation-1.3-spec-java")
    properties = "--additional-properties=openApiNullable=false,hideGenerationTimestamp=true"
    generate("java", folder, "--library", "native", properties)
    # The generator's own archive has Jackson, which the client needs.
    [generator] = (BUILD / "python").rglob("openapi-generator.jar")
    path = os.pathsep.join(map(str, (generator, *JAVA_LIBRARIES, folder)))
    sources = [*(folder / "src" / "main").rglob("*.java"), PROGRAMS / "Generated.java"]
    run("javac", "-nowarn", "-cp", path, "-d", folder, *sources)
    return run("java", "-cp", path, "Generated", url, *PICTURES)


CLIENTS: Mapping[str, Callable[[Path, str], str]] = {
    "openapi-generator: python": python_of_openapi_generator,
    "openapi-generator: typescript-fetch": typescript_fetch,
    "openapi-generator: java": java_of_openapi_generator,
    "openapi-python-client": openapi_python_client,
    "openapi-typescript": openapi_typescript,
    "openapi-typescript-codegen": typescript_codegen,
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_generated_client_sends_two_files(name: str, api: LocalApi) -> None:
    folder = BUILD / "clients" / name.replace(": ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    assert CLIENTS[name](folder, api.url) == EXPECTED
