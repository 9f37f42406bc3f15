"""Short runs of the fuzzer, if it is installed; `make fuzz` runs longer."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import fuzz.__main__
from fuzz.__main__ import COVERED, Outcome, report
from fuzz.targets import ROOT, TARGETS

needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has wheels for Linux on x86-64 only"
)
RUNS = {"event": 400, "multipart": 2_000, "decode": 600, "fetch": 600}


def run(target: str, runs: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a fixed number of inputs; the seed makes every run the same."""
    limits = [f"-runs={runs}", "-seed=1", f"-artifact_prefix={folder}/"]
    folders = map(str, [folder, *TARGETS[target].seed_folders])
    command = [sys.executable, "-m", "fuzz.run", target, *limits, *folders]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.mark.promise("fuzzed-requests")
@needs_atheris
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_finds_nothing(target: str, tmp_path: Path) -> None:
    done = run(target, RUNS[target], tmp_path)

    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    # Our code is instrumented.
    assert max(map(int, COVERED.findall(done.stderr))) > 100


@needs_atheris
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_longer_run_finds_nothing(target: str, tmp_path: Path) -> None:
    done = run(target, 5 * RUNS[target], tmp_path)

    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@needs_atheris
def test_a_finding_ends_the_run_and_is_kept(tmp_path: Path) -> None:
    code = (
        "import sys, fuzz.multipart, fuzz.run; fuzz.multipart.parse_body = lambda *a, **k: 1 / 0;"
        f"fuzz.run.main(['fuzz', 'multipart', '-runs=10', '-artifact_prefix={tmp_path}/'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stdout
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["crash"]


def test_without_atheris_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz.__main__, "find_spec", lambda _: None)

    assert fuzz.__main__.main([]) == 2
    assert capsys.readouterr().err


def test_the_report_names_findings() -> None:
    finding = ROOT / "build" / "fuzz" / "decode" / "crash-1"
    text = report(Outcome("decode", 12_345, 1_000, 7, (finding,), is_clean=False))

    assert text.splitlines() == [
        "decode           12,345    1,000          7        1",
        "  build/fuzz/decode/crash-1",
        "  see build/fuzz/decode/log",
    ]
