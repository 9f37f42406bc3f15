from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.session import load_session, thread_places
from tests.support.models import tiny_folder, tiny_manifest, tiny_onnx


def test_a_model_runs(tmp_path: Path) -> None:
    session = load_session(load_manifest(tiny_folder(tmp_path)))
    outputs = session.run(np.ones((1, 3, 2, 2), np.float32))

    assert session.input_name == "input"
    assert {name: value.tolist() for name, value in outputs.items()} == {"scores": [[12.0, 12.0]]}


@pytest.mark.promise("model-checksum")
def test_a_model_of_another_checksum_never_reaches_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_folder(tmp_path)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\x00")

    def load(*_arguments: object, **_options: object) -> None:
        raise AssertionError("onnxruntime was asked to load it")

    monkeypatch.setattr("onnxruntime.InferenceSession", load)
    with pytest.raises(ModelUnavailable, match=r"has sha256 .*, but its manifest has"):
        load_session(load_manifest(folder))


def test_a_missing_file(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match="can't be read"):
        load_session(load_manifest(folder))


def save(folder: Path, model: bytes, **changes: Any) -> None:
    (folder / "model.onnx").write_bytes(model)
    (folder / "manifest.json").write_text(json.dumps(tiny_manifest("tiny", model, **changes)))


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    save(folder, b"hello")
    with pytest.raises(ModelUnavailable, match="does not load"):
        load_session(load_manifest(folder))


@pytest.mark.promise("model-checksum")
def test_external_data_is_refused_even_beside_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_folder(tmp_path)
    onnx.save_model(
        tiny_onnx(),
        folder / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    model = (folder / "model.onnx").read_bytes()
    save(folder, model)
    # Where onnxruntime would find them.
    monkeypatch.chdir(folder)
    with pytest.raises(ModelUnavailable, match="keeps weights in other files"):
        load_session(load_manifest(folder))


def test_a_model_may_call_a_tensor_location(tmp_path: Path) -> None:
    model = tiny_onnx()
    model.graph.node[0].output[0] = "location"
    model.graph.node[1].input[0] = "location"
    folder = tiny_folder(tmp_path)
    save(folder, model.SerializeToString())

    assert load_session(load_manifest(folder)).output_names == ("scores",)


def test_an_input_that_is_not_there(tmp_path: Path) -> None:
    manifest = tiny_manifest("tiny", b"")
    folder = tiny_folder(tmp_path, input={**manifest["input"], "name": "images"})
    with pytest.raises(ModelUnavailable, match=r"no input 'images'\. Its inputs are \['input'\]"):
        load_session(load_manifest(folder))


def test_the_checksum_is_the_file_s(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)

    assert load_manifest(folder).sha256 == (
        hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    )


PLACES: dict[str, tuple[set[int], int, str]] = {
    "one thread": ({0, 1}, 1, ""),
    "two cores": ({0, 1}, 2, "2"),
    "four cores": ({0, 1, 2, 3}, 4, "2;3;4"),
    "fewer threads than cores": ({0, 1, 2, 3}, 2, "2"),
    "a container with the last cores": ({6, 7}, 2, "8"),
    "fewer cores than threads": ({0}, 2, ""),
}


@pytest.mark.parametrize(("cores", "threads", "places"), PLACES.values(), ids=PLACES)
def test_threads_have_cores_of_their_own(
    cores: set[int], threads: int, places: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: cores, raising=False)

    assert thread_places(threads) == places


def test_a_system_that_does_not_list_its_cores_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)

    assert thread_places(2) == ""
