"""Faults around the function: each ends in a clear error, and the next request works."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from inference.model_download import download_model
from service.settings import Settings
from tests.support.events import form_event, rest_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.local_api import ROOT, LocalApi, both_runtimes, copy_project, local_api
from tests.support.models import tiny_folder
from tests.support.object_store import ObjectStore, object_store
from tests.support.pictures import plain

# The models' files and where they come from


@dataclass(frozen=True)
class Models:
    """A classifier `tiny`, which the function gets from the store, with the bundled detector."""

    store: ObjectStore
    base: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def folder(self) -> Path:
        return self.base / "tiny"

    @contextmanager
    def without_store(self) -> Iterator[None]:
        """The fault is in the folder of the user's own models, which are not downloaded."""
        self.monkeypatch.setenv("MODEL_URI", "")
        tiny_folder(self.base)
        yield


Fault = Callable[[Models], AbstractContextManager[None]]


@contextmanager
def no_room(models: Models) -> Iterator[None]:
    usage = shutil.disk_usage(models.base.parent)._replace(free=1000)
    with models.monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _path: usage)
        yield


@contextmanager
def disk_fills_up(models: Models) -> Iterator[None]:
    """Every file that is opened for writing is the one that Linux calls full."""
    original = Path.open

    def full(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        return original(Path("/dev/full") if "w" in mode else path, mode, *arguments, **options)

    with models.monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        yield


@contextmanager
def store_breaks_off(models: Models) -> Iterator[None]:
    models.store.is_breaking_off = True
    yield
    models.store.is_breaking_off = False


@contextmanager
def store_fails(models: Models) -> Iterator[None]:
    models.store.is_failing = True
    yield
    models.store.is_failing = False


@contextmanager
def store_is_gone(models: Models) -> Iterator[None]:
    with models.monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        yield


@contextmanager
def store_has_another_file(models: Models) -> Iterator[None]:
    [key] = [key for key in models.store.objects if key.endswith(".onnx")]
    whole = models.store.objects[key]
    models.store.objects[key] = whole[:-1] + b"?"
    yield
    models.store.objects[key] = whole


def changed(file: str, change: Callable[[bytes], bytes | None]) -> Fault:
    """A file of the user's own models is another one, or None, and is put right again."""

    @contextmanager
    def fault(models: Models) -> Iterator[None]:
        with models.without_store():
            path = models.folder / file
            whole = path.read_bytes()
            content = change(whole)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
            yield
            path.write_bytes(whole)

    return fault


FAULTS: dict[str, tuple[Fault, str]] = {
    "no room for the model": (no_room, "Give the function more ephemeral storage"),
    "disk fills up while writing": (disk_fills_up, "No space left on device"),
    "S3 breaks off": (store_breaks_off, "IncompleteRead"),
    "S3 answers 503": (store_fails, "ClientError: An error occurred (503)"),
    "S3 is gone": (store_is_gone, "Could not connect to the endpoint URL"),
    "S3 has another file": (store_has_another_file, "but the manifest has"),
    "model corrupted": (changed("model.onnx", lambda whole: whole[:-1] + b"?"), "has sha256"),
    "model cut off": (changed("model.onnx", lambda whole: whole[:50]), "has sha256"),
    "model empty": (changed("model.onnx", lambda _: b""), "has sha256"),
    "model missing": (changed("model.onnx", lambda _: None), "model.onnx can't be read"),
    "manifest cut off": (changed("manifest.json", lambda whole: whole[:50]), "can't be read"),
    "manifest missing": (changed("manifest.json", lambda _: None), "tiny has no manifest.json"),
}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    monkeypatch.setenv("BASE_MODEL_PATH", str(tmp_path / "base"))
    monkeypatch.setenv("CLASSIFICATION_MODEL", "tiny")
    monkeypatch.setenv("MODEL_URI", "s3://bucket/prod")
    with object_store(monkeypatch) as store:
        store.put_folder(tiny_folder(tmp_path / "source"), "/bucket/prod")
        yield Models(store, tmp_path / "base", monkeypatch)


@pytest.mark.promise("model-unavailable")
@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
def test_a_model_that_can_t_be_had_is_503_until_it_can(
    fault: Fault, message: str, models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    if fault is disk_fills_up and not Path("/dev/full").exists():
        pytest.skip("/dev/full is Linux's own")
    with fault(models):
        handler = make_handler(Settings.from_environment(os.environ))
        refused = handler(form_event("/predict", upload(plain())), None)

    assert refused["statusCode"] == 503
    assert json.loads(refused["body"]) == {
        "error": {"code": "model_unavailable", "message": "A model could not be loaded."}
    }
    assert message in caplog.text
    assert handler(form_event("/predict", upload(plain())), None)["statusCode"] == 200
    assert [path.name for path in models.base.iterdir()] == ["tiny"]


DOWNLOAD_UNTIL_KILLED = """
import sys
from pathlib import Path
from inference.model_download import download_model
download_model("tiny", "s3://bucket/prod", Path(sys.argv[1]))
"""


@pytest.mark.promise("model-downloads")
def test_downloads_that_were_killed_do_not_fill_the_disk(models: Models) -> None:
    models.store.is_stalling = True
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", DOWNLOAD_UNTIL_KILLED, str(models.base)], cwd=ROOT
        )
        models.store.stalled.acquire(timeout=30)
        process.kill()
        process.wait()

        assert len(list(models.base.iterdir())) == 1
    models.store.is_stalling = False
    download_model("tiny", "s3://bucket/prod", models.base)

    assert [path.name for path in models.base.iterdir()] == ["tiny"]


def test_a_download_of_another_process_is_left_alone(models: Models) -> None:
    models.store.is_stalling = True
    process = subprocess.Popen(
        [sys.executable, "-c", DOWNLOAD_UNTIL_KILLED, str(models.base)], cwd=ROOT
    )
    models.store.stalled.acquire(timeout=30)
    models.store.is_stalling = False
    download_model("tiny", "s3://bucket/prod", models.base)
    left = sorted(path.name for path in models.base.iterdir())
    process.kill()
    process.wait()

    assert len(left) == 2
    assert left[0].startswith(".tiny-")
    assert left[1] == "tiny"


def test_without_a_fault_the_model_is_there(models: Models) -> None:
    handler = make_handler(Settings.from_environment(os.environ))
    names = [each["name"] for each in health(handler)["models"]["classification"]]

    assert names == ["tiny"]


def health(handler: Handler) -> Any:
    return json.loads(handler(rest_event("/health", method="GET"), None)["body"])


def test_routes_without_models_do_not_mind(models: Models) -> None:
    settings = replace(Settings.from_environment(os.environ), model_uri="")
    answer = make_handler(settings)(form_event("/shape", upload(plain())), None)

    assert json.loads(answer["body"]) == [[6, 8, 3]]


# Memory

OUT_OF_MEMORY = """
import json, resource, sys
from pathlib import Path
from lambda_function import lambda_handler_classification as handler
from tests.support.events import form_event, upload
from tests.support.pictures import plain

route, spare = sys.argv[1], int(sys.argv[2])
large, car = upload(plain(7000, 7000)), upload(Path("samples/car.jpg").read_bytes())
events = [form_event(route, *fields) for fields in ([car, large, car], [large], [car])]
handler(form_event(route, car), None)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + spare, used + spare))
for event in events:
    answer = handler(event, None)
    found = [bool(element) for element in json.loads(answer["body"])]
    print(answer["statusCode"], found, answer["headers"].get("X-Failed-Images"))
"""


@pytest.mark.promise("out-of-memory")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps RLIMIT_AS and has /proc")
@pytest.mark.parametrize(
    ("route", "spare_mib"),
    [("/shape", 40), ("/shape", 120), ("/shape", 200), ("/predict", 40), ("/predict", 180)],
)
def test_a_picture_that_needs_more_memory_than_there_is(route: str, spare_mib: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, route, str(spare_mib << 20)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == [
        "200 [True, False, True] 1=image_too_large",
        "200 [False] 0=image_too_large",
        "200 [True] None",
    ], done.stderr
    assert done.returncode == 0


# The process


def runtime_of(api: LocalApi) -> int:
    """The process id of the Python that runs the handler: the first one."""
    modules = {"awslambdaric", "scripts.local.plain_emulator"}
    for pid in sorted(api.children()):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        # The emulator has the runtime's command line at the end of its own.
        if words[1:2] == ["-m"] and words[2] in modules:
            return pid
    raise AssertionError(api.log.read_text())


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.promise("killed-process")
@pytest.mark.skipif(sys.platform != "linux", reason="finds the process in Linux's /proc")
@both_runtimes
def test_a_runtime_that_is_killed_within_a_request(flags: tuple[str, ...], tmp_path: Path) -> None:
    long = [("image", ("large.png", plain(7000, 7000)))] * 20
    answers: list[requests.Response] = []
    # A copy, because the local API also ends a runtime whose sources somebody edits.
    root = copy_project(tmp_path)
    with local_api(tmp_path / "log", *flags, "--environments", "1", root=root) as api:
        runtime = runtime_of(api)
        before = processor_seconds(runtime)
        client = threading.Thread(
            target=lambda: answers.append(
                requests.post(f"{api.url}/nbytes", files=long, timeout=60)
            )
        )
        client.start()
        end = time.monotonic() + 30
        while processor_seconds(runtime) < before + 0.5:
            assert time.monotonic() < end, api.log.read_text()
            time.sleep(0.01)
        os.kill(runtime, signal.SIGKILL)
        client.join()
        after = requests.post(f"{api.url}/shape", files=[("image", ("a.png", plain()))], timeout=60)

    assert answers[0].status_code == 502
    assert answers[0].json()["error"]["code"] == "internal_error"
    assert (after.status_code, after.json()) == (200, [[6, 8, 3]])
