from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from matchvec_client import Classification, Failure, Picture, Prediction
from matchvec_client.api import Query
from matchvec_client.journal import row_of
from matchvec_client.output import Format, write
from matchvec_client.progress import Progress, clock_text
from matchvec_client.sources import Source

CAR = Prediction(1, 2, 30, 40, "car", 0.91234, "clio: 0.75", ("clio", "208"), (0.75, 0.25))
NAMED = ("make", "kind", "colour")
DOG = Prediction(5, 6, 7, 8, "dog", 0.5, "dog: 0.5")
PICTURES = [
    Picture("street, long.jpg", 80, 60, (CAR, DOG)),
    Picture("empty.jpg", 8, 6),
    Picture("bad\x1b[31m.jpg", error=Failure("not_an_image", "It is not a picture.")),
]


def written(file_format: Format) -> str:
    file = io.StringIO()
    rows = [row_of(Source(picture.name), picture, Query()) for picture in PICTURES]
    write(rows, file_format, file)
    return file.getvalue()


def test_a_table() -> None:
    assert written("table") == (
        "PICTURE           FOUND  SCORE  LABEL       BOX\n"
        "street, long.jpg  car    0.912  clio: 0.75  1 2 30 40\n"
        "                  dog    0.500  dog: 0.5    5 6 7 8\n"
        "empty.jpg         -\n"
        "bad?[31m.jpg      not_an_image: It is not a picture.\n"
    )


def test_csv() -> None:
    assert written("csv") == (
        "picture,width,height,x1,y1,x2,y2,class_name,confidence,label,pred,prob,"
        "make,make_prob,kind,kind_prob,colour,colour_prob,error\n"
        '"street, long.jpg",80,60,1,2,30,40,car,0.91234,clio: 0.75,clio|208,0.75|0.25,,,,,,,\n'
        '"street, long.jpg",80,60,5,6,7,8,dog,0.5,dog: 0.5,,,,,,,,,\n'
        "empty.jpg,8,6,,,,,,,,,,,,,,,,\n"
        "bad\x1b[31m.jpg,,,,,,,,,,,,,,,,,,not_an_image\n"
    )


def test_json_lines() -> None:
    rows: list[dict[str, Any]] = [json.loads(line) for line in written("jsonl").splitlines()]

    assert [row["picture"] for row in rows] == [picture.name for picture in PICTURES]
    assert Picture.from_json("street, long.jpg", rows[0], ()) == PICTURES[0]


def test_a_prediction_of_several_classifiers() -> None:
    element = {
        **DOG.to_dict(),
        "colour": {"label": "red: 0.9", "pred": ["red"], "prob": [0.9]},
        "of_the_future": 1,
    }
    found = Prediction.from_json(element)

    assert found.more == {"colour": Classification("red: 0.9", ("red",), (0.9,))}
    assert found.to_dict() == {key: element[key] for key in element if key != "of_the_future"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal() -> None:
    seconds = iter(range(100))
    file = Terminal()
    progress = Progress(4, 1, file, clock=lambda: next(seconds))
    progress.add(is_failed=False)
    progress.note("a note")
    progress.add(is_failed=True)
    progress.add(is_failed=False)
    progress.end()
    shown = file.getvalue().split("\r\033[K")

    assert shown[1].startswith("[######..................] 1/4  25 %")
    assert shown[2].startswith("[############............] 2/4  50 %  0.2/s  0:10 left")
    assert shown[3] == "a note\n"
    assert shown[-1].startswith("[########################] 4/4  100 %")
    assert "left" not in shown[-1]
    assert shown[-1].endswith("  1 failed\n")


def test_lines_without_a_terminal() -> None:
    now = 0.0
    file = io.StringIO()
    progress = Progress(100, 0, file, clock=lambda: now)
    for _ in range(100):
        now += 0.3
        progress.add(is_failed=False)
    progress.end()

    assert file.getvalue() == (
        "matchvec: 34/100  34 %  3.3/s  0:20 left\n"
        "matchvec: 68/100  68 %  3.3/s  0:10 left\n"
        "matchvec: 100/100  100 %  3.3/s  in 0:30\n"
    )


def test_quiet() -> None:
    progress = Progress(2, 0, None)
    progress.add(is_failed=False)
    progress.note("a note")
    progress.end()

    assert progress.text().startswith("1/2  50 %")


def test_times() -> None:
    assert [clock_text(each) for each in (0, 59.6, 3599, 3600, 86399)] == [
        "0:00",
        "1:00",
        "59:59",
        "1:00:00",
        "23:59:59",
    ]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_cells_that_a_spreadsheet_would_run(text: str) -> None:
    label = Prediction(1, 2, 3, 4, text, 0.5, text, (text, "b"), (0.9, 0.1))
    file = io.StringIO()
    write([row_of(Source(text), Picture(text, 8, 6, (label,)), Query())], "csv", file)
    [row] = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    cell = "'" + text.replace("\r", " ")
    assert row["picture"] == row["class_name"] == row["label"] == cell
    assert row["pred"] == f"{cell}|b"
    assert (row["x1"], row["confidence"]) == ("1", "0.5")


def test_classifiers_have_columns() -> None:
    more = {name: Classification("x: 0.9", (f"best {name}", "y"), (0.9, 0.1)) for name in NAMED}
    found = Prediction(1, 2, 3, 4, "car", 0.5, "x: 0.9", more=more)
    file = io.StringIO()
    write([row_of(Source("a.jpg"), Picture("a.jpg", 8, 6, (found,)), Query())], "csv", file)
    [row] = csv.DictReader(io.StringIO(file.getvalue()))
    assert [row[name] for name in NAMED] == [f"best {name}" for name in NAMED]
    assert [row[f"{name}_prob"] for name in NAMED] == ["0.9"] * 3
