from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matchvec_client import Failure, JournalError, Picture, Prediction
from matchvec_client.api import Query
from matchvec_client.journal import Journal
from matchvec_client.sources import Source

QUERY = Query("predict", 0.5, 3)
A, B, C = (Source(f"{name}.jpg", Path(f"{name}.jpg"), size=9, mtime_ns=7) for name in "abc")
URL = Source("http://a.example/1", size=18)
FOUND = Prediction(1, 2, 3, 4, "car", 0.9, "clio: 0.75", ("clio",), (0.75,))


def open_journal(path: Path, *sources: Source, query: Query = QUERY) -> Journal:
    return Journal(path, query, sources, may_resume=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with A and the url done."""
    path = tmp_path / "deep" / "all.jsonl"
    with open_journal(path, A, B, URL) as journal:
        journal.append(A, Picture("a.jpg", 8, 6, (FOUND,)))
        journal.append(URL, Picture(URL.name, 8, 6))
    return path


def names(path: Path) -> list[str]:
    return [json.loads(line)["picture"] for line in path.read_text().splitlines()]


def test_a_row(path: Path) -> None:
    assert json.loads(path.read_text().splitlines()[0]) == {
        "picture": "a.jpg",
        "width": 8,
        "height": 6,
        "predictions": [
            {
                "x1": 1,
                "y1": 2,
                "x2": 3,
                "y2": 4,
                "class_name": "car",
                "confidence": 0.9,
                "label": "clio: 0.75",
                "pred": ["clio"],
                "prob": [0.75],
            }
        ],
        "error": None,
        "models": [],
        "timing_ms": {},
        "size": 9,
        "mtime_ns": 7,
        "route": "predict",
        "threshold": 0.5,
        "top": 3,
    }


def test_done_pictures_are_recognised(path: Path) -> None:
    with open_journal(path, A, B, URL) as journal:
        assert [source in journal for source in (A, B, URL)] == [True, False, True]
        journal.append(B, Picture("b.jpg"))
        assert [row["picture"] for row in journal.rows([B, URL, A])] == ["b.jpg", URL.name, "a.jpg"]

    assert names(path) == ["a.jpg", URL.name, "b.jpg"]


@pytest.mark.parametrize("cut", range(1, 200, 22))
def test_a_torn_line_counts_as_not_written(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:-cut])
    with open_journal(path, A, URL) as journal:
        assert (A in journal, URL in journal) == (True, False)
        journal.append(URL, Picture(URL.name))

    assert names(path) == ["a.jpg", URL.name]


def test_only_a_torn_line(path: Path) -> None:
    path.write_text('{"picture": "a.j')
    with open_journal(path, A) as journal:
        journal.append(A, Picture("a.jpg"))

    assert names(path) == ["a.jpg"]


@pytest.mark.parametrize(
    "changed",
    [Source("a.jpg", Path("a.jpg"), size=10, mtime_ns=7), Source("a.jpg", size=9, mtime_ns=8)],
    ids=["size", "time"],
)
def test_a_changed_picture_is_done_again(path: Path, changed: Source) -> None:
    with open_journal(path, changed, URL) as journal:
        assert (changed in journal, URL in journal) == (False, True)
        journal.append(changed, Picture("a.jpg", 99))
        assert [row["width"] for row in journal.rows([changed, URL])] == [99, 8]

    assert names(path) == [URL.name, "a.jpg"]


@pytest.mark.parametrize(
    ("code", "is_done"),
    [("not_an_image", True), ("url_timeout", False), ("no_answer", False), ("too_large", True)],
)
def test_a_transient_failure_is_retried(path: Path, code: str, is_done: bool) -> None:
    with open_journal(path, A, B, URL) as journal:
        journal.append(B, Picture("b.jpg", error=Failure(code, "x")))
    with open_journal(path, A, B, URL) as journal:
        assert (B in journal) == is_done


def test_other_pictures_lines_stay(path: Path) -> None:
    with open_journal(path, C) as journal:
        journal.append(C, Picture("c.jpg"))
        assert [row["picture"] for row in journal.rows([C])] == ["c.jpg"]

    assert names(path) == ["a.jpg", URL.name, "c.jpg"]


def test_a_repeated_picture_is_kept_once(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)
    with open_journal(path, A, URL) as journal:
        assert A in journal

    assert sorted(names(path)) == ["a.jpg", URL.name]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda text: "a,b,c\n" + text, "line 1"),
        (lambda text: text.replace('"size": 9, ', ""), "line 1"),
        (lambda text: text + "[]\n", "line 3"),
        (lambda text: text.replace('"threshold": 0.5', '"threshold": 0.6'), "0.6"),
        (lambda text: text.replace('"predict"', '"object_detection"'), "object_detection"),
    ],
    ids=["csv", "missing field", "list", "threshold", "route"],
)
def test_a_file_of_another_run_is_not_changed(
    path: Path, spoil: Callable[[str], str], named: str
) -> None:
    path.write_text(text := spoil(path.read_text()))
    with pytest.raises(JournalError, match=named):
        open_journal(path, A)

    assert path.read_text() == text


def test_an_existing_file_is_not_replaced(path: Path) -> None:
    with pytest.raises(JournalError, match="--resume"):
        Journal(path, QUERY, [A], may_resume=False)


def test_two_runs_at_once(path: Path) -> None:
    with open_journal(path, A), pytest.raises(JournalError):
        open_journal(path, A)
    open_journal(path, A).__exit__(None, None, None)


def test_a_name_that_is_not_utf8(path: Path) -> None:
    odd = Source("\udcff.jpg", Path("\udcff.jpg"), size=1, mtime_ns=1)
    with open_journal(path, odd) as journal:
        journal.append(odd, Picture(odd.name))
    with open_journal(path, odd) as journal:
        assert odd in journal
