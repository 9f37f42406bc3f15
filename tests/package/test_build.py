"""The build copies the right files and refuses unsafe directories and large packages."""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from scripts.package import __main__ as command
from scripts.package import interpreter
from scripts.package.build import (
    TIMESTAMP,
    BuildFailed,
    Built,
    copy_function,
    make_empty,
    normalize,
)
from scripts.package.prune import Saving
from scripts.package.rules import LIMIT_BYTES

PROJECT = Path(__file__).parents[2]


def test_only_the_function_and_its_models_are_copied(tmp_path: Path) -> None:
    copy_function(tmp_path)

    top = {path.name for path in tmp_path.iterdir()}
    folders = {"gateway", "inference", "service", "pages", "models"}
    assert top == {"lambda_function.py", "LICENSE", "NOTICE", *folders}
    assert (tmp_path / "pages" / "index.html").is_file()
    assert {path.name for path in tmp_path.glob("models/*/*")} == {"manifest.json", "model.onnx"}
    copied = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")}
    assert {Path("inference/heads/yolox.py"), Path("gateway/event.py")} <= copied
    assert not list(tmp_path.rglob("__pycache__"))


def test_label_files_of_models_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, output = tmp_path / "project", tmp_path / "package"
    manifest = {"sha256": "0" * 64, "output": {"outputs": [{"labels_file": "makes.txt"}]}}
    folder = project / "models/brand"
    folder.mkdir(parents=True)
    output.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in ("model.onnx", "makes.txt", "MODEL_CARD.md"):
        (folder / name).touch()
    monkeypatch.setattr("scripts.package.build.PROJECT", project)
    monkeypatch.setattr("scripts.package.build.FUNCTION_FILES", ())

    copy_function(output)

    assert {path.name for path in output.glob("models/brand/*")} == {
        "manifest.json",
        "model.onnx",
        "makes.txt",
    }


def test_an_earlier_package_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "lambda_function.py").touch()
    (tmp_path / "old").mkdir()

    make_empty(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("directory", [PROJECT, PROJECT.parent, PROJECT / "tests"])
def test_only_a_package_is_deleted(directory: Path) -> None:
    before = sorted(directory.iterdir())

    with pytest.raises(BuildFailed):
        make_empty(directory)

    assert sorted(directory.iterdir()) == before


def test_modes_and_times_are_normalized(tmp_path: Path) -> None:
    file = tmp_path / "folder/module.py"
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o600)

    normalize(tmp_path)

    assert [path.stat().st_mode & 0o777 for path in (file.parent, file)] == [0o755, 0o644]
    assert {path.stat().st_mtime for path in (tmp_path, file.parent, file)} == {TIMESTAMP}


@pytest.mark.parametrize(
    ("sizes", "is_refused"),
    {
        "small": ({"numpy": 1000}, False),
        "grown": ({"numpy": 1001}, True),
        "a model of the user": ({"numpy": 1000, "models/mine/model.onnx": 1000}, False),
        "a model too large for Lambda": ({"numpy": 1000, "models/mine/model.onnx": 1001}, True),
    }.values(),
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_package_over_a_limit_fails_after_its_table(
    sizes: dict[str, int],
    is_refused: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    built = Built([Saving("tests", "only tests import them", 7)], bytecode_size=None)
    monkeypatch.setattr(command, "build", lambda *_: built)
    monkeypatch.setattr(command, "find_interpreter", lambda: None)
    monkeypatch.setitem(LIMIT_BYTES, "arm64", 1000)
    monkeypatch.setattr(command, "LAMBDA_LIMIT_BYTES", 2000)
    arguments = ["package", "--architecture", "arm64", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)

    with pytest.raises(SystemExit) if is_refused else nullcontext():
        command.main()

    assert f"{sizes['numpy']:,}  numpy" in capsys.readouterr().out


def test_without_an_interpreter_the_build_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "build", lambda *_: Built([], bytecode_size=None))
    monkeypatch.setattr(command, "find_interpreter", lambda: None)
    arguments = ["package", "--architecture", "x86_64", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)

    command.main()

    assert "PYTHON_FOR_LAMBDA" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "is_taken"), [("3.13", True), ("3.12", False), ("", False)], ids=str
)
def test_bytecode_needs_the_runtime_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, is_taken: bool
) -> None:
    named = tmp_path / "python"
    named.write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\nexit 127\n")
    named.chmod(0o755)
    monkeypatch.setenv("PYTHON_FOR_LAMBDA", str(named))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setenv("PYENV_ROOT", os.devnull)
    monkeypatch.setattr(sys, "executable", os.devnull)

    # `echo` is built into /bin/sh, so it works without a PATH.
    assert interpreter.find_interpreter() == (named if is_taken else None)
