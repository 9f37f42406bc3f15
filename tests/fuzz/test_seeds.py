"""The committed corpora are the ones that fuzz.seeds generates."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.seeds import FOUND, corpora, write
from fuzz.targets import CORPUS, TARGETS


def committed(target: str) -> dict[str, bytes]:
    files = sorted((CORPUS / target).iterdir())
    return {path.name: path.read_bytes() for path in files if not path.name.startswith(FOUND)}


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_comes_from_the_script(target: str) -> None:
    files = corpora()[target]

    assert set(committed(target)) == set(files)
    if target in ("event", "fetch"):  # Encoded pictures depend on Pillow and zlib.
        assert committed(target) == files


def test_the_corpora_are_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]

    assert sum(sizes) < 300_000
    assert max(sizes) < 16_384


def test_writing_keeps_findings(tmp_path: Path) -> None:
    folder = tmp_path / "fetch"
    folder.mkdir()
    (folder / f"{FOUND}once").write_bytes(b"x")
    (folder / "old").write_bytes(b"y")
    write(tmp_path)

    assert {path.name for path in folder.iterdir()} == {f"{FOUND}once", *corpora()["fetch"]}
