from __future__ import annotations

import os
from pathlib import Path

import pytest

from matchvec_client import UsageError
from matchvec_client.sources import expand


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "b/2.JPG",
        "b/1.jpeg",
        "b/notes.txt",
        "b/._1.jpeg",
        "b/.thumbs/1.jpg",
        "a.png",
        "x[1].webp",
        "empty/readme.md",
        "odd",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"12345")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a.png"], ["a.png"]),
        ("a.png", ["a.png"]),
        (Path("a.png"), ["a.png"]),
        (["odd"], ["odd"]),
        (["b"], ["b/1.jpeg", "b/2.JPG"]),
        (["."], ["a.png", "x[1].webp", "b/1.jpeg", "b/2.JPG"]),
        (["b/*.JPG"], ["b/2.JPG"]),
        (["**/*.jpeg"], ["b/1.jpeg"]),
        (["*"], ["a.png", "b/1.jpeg", "b/2.JPG", "odd", "x[1].webp"]),
        (["x[1].webp"], ["x[1].webp"]),
        (["b/2.JPG", "b", "./b/1.jpeg"], ["b/2.JPG", "b/1.jpeg"]),
        (["HTTPS://a.example/*.jpg"], ["HTTPS://a.example/*.jpg"]),
        (["http://a.example/1", "http://a.example/1"], ["http://a.example/1"]),
        ([], []),
    ],
    ids=str,
)
def test_names(tree: Path, given: list[str], names: list[str]) -> None:
    assert [source.name for source in expand(given)] == names


@pytest.mark.parametrize("given", ["nothing.jpg", "nothing/*.jpg", "empty"])
def test_missing_pictures(tree: Path, given: str) -> None:
    with pytest.raises(UsageError):
        expand([given])


def test_a_relative_and_an_absolute_path_are_one_picture(tree: Path) -> None:
    assert len(expand(["a.png", tree / "a.png"])) == 1


def test_facts_of_a_file(tree: Path) -> None:
    os.utime("a.png", ns=(7, 7))
    [source] = expand(["a.png"])

    assert (source.size, source.mtime_ns, source.is_url) == (5, 7, False)


def test_a_dead_link_is_reported_by_its_picture(tree: Path) -> None:
    (tree / "b" / "0.jpg").symlink_to("nowhere")

    assert [source.name for source in expand(["b"])] == ["b/0.jpg", "b/1.jpeg", "b/2.JPG"]
