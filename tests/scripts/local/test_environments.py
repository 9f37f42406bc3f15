"""Execution environments of the local API, with small functions of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.local import environments
from scripts.local.environments import (
    EnvironmentFailed,
    EnvironmentPool,
    EnvironmentTimeout,
    FunctionSettings,
    emulator_binary,
)
from tests.support.local_api import needs_emulator

CODE = """
import os, time

def echo(event, context):
    return {"event": event, "left_ms": context.get_remaining_time_in_millis()}

def sleeps(event, context):
    time.sleep(60)

def pid(event, context):
    return os.getpid()
"""


def function(directory: Path, handler: str) -> FunctionSettings:
    (directory / "small.py").write_text(CODE)
    variables = {
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
        "AWS_LAMBDA_FUNCTION_NAME": "small",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }
    return FunctionSettings(f"small.{handler}", directory, variables)


@pytest.fixture
def pool() -> Iterator[EnvironmentPool]:
    pool = EnvironmentPool(1, emulator_binary())
    yield pool
    pool.close()


@needs_emulator
def test_an_environment_is_kept_for_the_next_event(pool: EnvironmentPool, tmp_path: Path) -> None:
    settings = function(tmp_path, "pid")
    assert pool.invoke(settings, b"{}") == pool.invoke(settings, b"{}")


@needs_emulator
def test_a_function_that_is_too_slow_gets_a_new_environment(
    pool: EnvironmentPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(environments, "GATEWAY_SECONDS", 0.5)
        with pytest.raises(EnvironmentTimeout):
            pool.invoke(function(tmp_path, "sleeps"), b"{}")
    answer = pool.invoke(function(tmp_path, "echo"), b'{"a": 1}')
    assert b'"event": {"a": 1}' in answer


def test_a_closed_pool_starts_nothing(pool: EnvironmentPool, tmp_path: Path) -> None:
    pool.close()
    with pytest.raises(EnvironmentFailed):
        pool.invoke(function(tmp_path, "echo"), b"{}")


@pytest.mark.parametrize(
    ("system", "machine", "binary"),
    [
        ("linux", "x86_64", "aws-lambda-rie-x86_64"),
        ("linux", "aarch64", "aws-lambda-rie-arm64"),
        ("linux", "riscv64", None),
        ("darwin", "arm64", None),
        ("darwin", "x86_64", None),
    ],
)
def test_awss_emulator_is_used_where_it_runs(
    system: str, machine: str, binary: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if binary and sys.platform != "linux":
        pytest.skip("awslambdaric is installed on Linux only")
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    found = emulator_binary()
    assert (found and found.name) == binary
