"""The benchmark's statistics, checks and reports. Nothing here is timed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from requests_toolbelt.multipart import MultipartDecoder

from benchmarks import machine, picture_server, report, worker
from benchmarks.answers import WrongAnswer, check, iou
from benchmarks.bars import BARS, judge
from benchmarks.cases import CASES, CLASSIFICATION, CONTENT_TYPE, Case, form
from benchmarks.compare import Timing, render, takes_part
from benchmarks.pictures import Picture, picture_path
from benchmarks.stats import Summary, summarize


def found(x1: int, y1: int, x2: int, y2: int, name: str = "car", **fields: Any) -> dict[str, Any]:
    box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return {**box, "class_name": name, "confidence": 0.9, **fields}


TINY = Picture("car", (64, 48), 5, 85)
CAR, BUS = found(0, 0, 100, 100), found(200, 0, 300, 100, "bus")


@pytest.mark.parametrize(
    ("values", "median", "p99", "spread"),
    [
        ([7.0], 7.0, 7.0, 0.0),
        ([4.0, 1.0, 3.0, 2.0, 5.0], 3.0, 5.0, 2 / 3),
        ([float(value) for value in range(1, 201)], 100.5, 198.0, 99.5 / 100.5),
    ],
)
def test_statistics(values: list[float], median: float, p99: float, spread: float) -> None:
    summary = summarize(values)

    assert (summary.median, summary.p99, summary.count) == (median, p99, len(values))
    assert summary.spread == pytest.approx(spread)


def test_statistics_need_values() -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any message
        summarize([])


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([[CAR, BUS]], id="the same"),
        pytest.param([[BUS, found(1, 0, 101, 100)]], id="another order, a box one pixel off"),
        pytest.param([[CAR, BUS, found(0, 0, 9, 9, confidence=0.41)]], id="one more, hardly sure"),
    ],
)
def test_right_answers_pass(given: list[list[dict[str, Any]]]) -> None:
    check([[CAR, BUS]], given, min_found=2)


WRONG_ANSWERS = {
    "no picture": [],
    "nothing found": [[]],
    "one box twice": [[CAR, CAR]],
    "another class": [[CAR, {**BUS, "class_name": "truck"}]],
    "another box": [[CAR, found(210, 0, 310, 100, "bus")]],
    "one box too many": [[CAR, BUS, found(500, 0, 600, 9)]],
    "another prediction": [[{**CAR, "pred": ["van"]}, BUS]],
}


@pytest.mark.parametrize("given", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_wrong_answers_are_refused(given: list[list[dict[str, Any]]]) -> None:
    with pytest.raises(WrongAnswer):
        check([[CAR, BUS]], given, min_found=2)


def test_overlap_of_boxes() -> None:
    assert iou(CAR, CAR) == 1.0
    assert iou(CAR, found(50, 0, 150, 100)) == pytest.approx(1 / 3)
    assert iou(CAR, BUS) == 0.0


@pytest.mark.parametrize("by_url", [False, True])
def test_forms_hold_the_pictures(
    by_url: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.pictures.FOLDER", tmp_path)
    case = Case("one", "One", CLASSIFICATION, (TINY,), 1, by_url=by_url)
    path = picture_path(TINY)

    parts = MultipartDecoder(form(case, "http://a.example"), CONTENT_TYPE).parts

    (disposition,) = (part.headers[b"Content-Disposition"] for part in parts)
    if by_url:
        assert disposition == b'form-data; name="url"'
        assert parts[0].content == f"http://a.example/{path.name}".encode()
    else:
        assert disposition == f'form-data; name="image"; filename="{path.name}"'.encode()
        assert parts[0].content == path.read_bytes()


def test_pictures_are_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        monkeypatch.setattr("benchmarks.pictures.FOLDER", folder)
        contents.append(picture_path(TINY).read_bytes())

    assert contents[0] == contents[1]


def test_the_limit_only_detects_uploads() -> None:
    out = {case.name for case in CASES.values() if not takes_part("limit", case)}

    assert out == {"url-2mp", "predict-1", "predict-20"}
    assert all(takes_part("ours", case) for case in CASES.values())


def test_the_product_gets_a_public_name() -> None:
    assert picture_server.url_base("ours", 81) == "http://pictures.example"
    assert picture_server.url_base("ours@/before", 81) == "http://pictures.example"
    assert picture_server.url_base("fastapi", 81) == "http://127.0.0.1:81"


def test_a_worker_answers_its_commands(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"form")
    events: list[dict[str, Any]] = []

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        events.append(event)
        return {"statusCode": 200, "body": "[[]]"}

    contest = worker.Contest(worker.rest_events, handler, worker.parsed_answer)
    prepare = {"do": "prepare", "route": CLASSIFICATION, "content_type": "a/b", "body": str(body)}
    commands = [prepare, {"do": "run", "times": 2}, {"do": "answer"}, {"do": "memory"}]
    replies = io.StringIO()
    worker.serve(contest, io.StringIO("\n".join(map(json.dumps, commands))), replies)

    prepared, run, answer, memory = map(json.loads, replies.getvalue().splitlines())
    assert prepared == {}
    assert [len(times) for times in run["times"]] == [2, 2]
    assert answer == {"answer": [[]]}
    assert memory["peak"] >= memory["rss"] > 0
    assert [event["body"] for event in events] == ["Zm9ybQ=="] * 3
    assert events[0] is not events[1]


def test_a_worker_refuses_failures() -> None:
    with pytest.raises(SystemExit):
        worker.parsed_answer({"statusCode": 503, "body": "no"})


def test_machine_facts() -> None:
    facts = machine.facts()

    assert {"date", "commit", "processor", "cores", "Python", "onnxruntime"} <= set(facts)
    assert all(facts.values())


def times(wall: float) -> dict[str, Any]:
    summary = {"median": wall, "p99": wall, "spread": 0.0, "count": 1}
    return {"wall": summary, "processor": summary}


def results(**sections: Any) -> dict[str, Any]:
    base = {"plan": "smoke", "machine": {"date": "today"}, "skipped": {}, "bars": []}
    return {**base, **sections}


def test_goals_that_were_not_measured_fail() -> None:
    case = {"ours": times(10), "naive": times(42), "limit": times(8)}
    verdicts = {each.name: each for each in judge(results(in_process={"jpeg-12mp": case}))}

    assert len(verdicts) == len(BARS)
    passed = verdicts["naive / ours, 1 x 12 MP"]
    assert (passed.seen, passed.is_passed) == (4.2, True)
    failed = verdicts["ours / limit, 1 x 12 MP"]
    assert (failed.seen, failed.is_passed) == (1.25, False)
    missing = verdicts["naive / ours, 10 x 2 MP"]
    assert (missing.seen, missing.is_passed) == (None, False)


def test_a_peer_is_judged_by_its_best_case() -> None:
    latency = {
        "jpeg-2mp": {"ours": {"median": 10.0}, "fastapi": {"median": 30.0}},
        "png-2mp": {"ours": {"median": 10.0}, "fastapi": {"median": 9.0}},
    }
    verdicts = {each.name: each for each in judge(results(http_latency=latency))}

    worst = verdicts["fastapi / ours, p50, worst case"]
    assert (worst.seen, worst.is_passed) == (0.9, False)


def test_the_report_shows_ratios_and_skipped_sections() -> None:
    case = {"ours": times(10), "naive": times(25)}
    text = report.markdown(
        results(
            in_process={"jpeg-2mp": case},
            skipped={"quota": "the cpu controller | can't\nbe set"},
            bars=[{"name": "a / b", "bound": "at least 3", "seen": None, "is_passed": False}],
        )
    )

    assert "| 1 x 2 MP JPEG | naive | 25.0 | 25.0 | 0% | 25.0 | 2.50 |" in text
    assert "| quota | the cpu controller \\| can't be set |" in text
    assert "| a / b | at least 3 | not measured | FAIL |" in text


def test_the_quick_table_shows_ratios_to_the_first() -> None:
    one, two = Summary(10, 11, 0.1, 5), Summary(25, 30, 0.2, 5)
    text = render({"jpeg-2mp": {"ours": Timing(one, one), "naive": Timing(two, two)}})

    assert text.splitlines()[2].split()[-6:] == ["25.0", "30.0", "20%", "25.0", "2.50", "2.50"]
