from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from matchvec_client import (
    ApiError,
    ApiRefused,
    ApiUnreachable,
    AsyncClient,
    Client,
    Failure,
    Limits,
    Picture,
    Prediction,
    Retry,
    UsageError,
)
from matchvec_client.sources import Given
from tests.client.conftest import Naps
from tests.client.stub_api import DROP, Fault, Seen, StubApi
from tests.support.pictures import encode, plain

THROTTLED = Fault(429, '{"error": {"code": "throttled", "message": "Slow down."}}')
BAD_GATEWAY = Fault(502, '{"message": "Internal server error"}')
TIMEOUT = Fault(504, '{"error": {"code": "timeout", "message": "Too slow."}}')
NO_MODEL = Fault(503, '{"error": {"code": "model_unavailable", "message": "No model."}}')


def widths(pictures: Any) -> list[int | None]:
    return [picture.width for picture in pictures]


def test_predictions_are_typed_and_in_order(api: StubApi, photos: Path) -> None:
    with Client(api.url) as client:
        pictures = list(client.predict([photos]))

    assert widths(pictures) == list(range(10, 30))
    assert pictures[0] == Picture(
        name=str(photos / "00.png"),
        width=10,
        height=6,
        predictions=(
            Prediction(0, 0, 5, 6, "car", 0.9, "clio: 0.75", ("clio", "208"), (0.75, 0.25)),
        ),
        models=("fake_detector@1.0.0", "fake_classifier@1.0.0"),
        timing_ms=pictures[0].timing_ms,
    )
    assert set(pictures[0].timing_ms) == {"fetch", "decode", "inference"}


def test_detections_of_one_path(api: StubApi, photos: Path) -> None:
    with Client(api.url) as client:
        [picture] = client.detect(photos / "03.png", threshold=0.85)

    assert [found.class_name for found in picture.predictions] == ["car"]
    assert picture.predictions[0].pred == ()
    assert api.seen[0].path == "/object_detection"
    assert api.seen[0].query == {"details": "true", "threshold": "0.85"}


def test_bytes_and_urls_beside_paths(api: StubApi, photos: Path) -> None:
    given: list[Given] = [
        plain(width=50),
        photos / "00.png",
        "http://localhost/a.jpg",
        b"not a picture",
    ]
    with Client(api.url) as client:
        pictures = list(client.predict(given))

    assert [picture.name for picture in pictures] == [
        "bytes[0]",
        str(photos / "00.png"),
        "http://localhost/a.jpg",
        "bytes[3]",
    ]
    assert [picture.error and picture.error.code for picture in pictures] == [
        None,
        None,
        "url_not_allowed",
        "not_an_image",
    ]


def test_a_stage_and_a_key(api: StubApi, photos: Path) -> None:
    with Client(api.url + "/Prod/", api_key="secret") as client:
        list(client.predict(photos / "00.png", top=1))

    assert api.seen[0].path == "/Prod/predict"
    assert api.seen[0].headers["x-api-key"] == "secret"
    assert api.seen[0].query["top"] == "1"


def test_a_client_in_a_running_loop(api: StubApi, photos: Path) -> None:
    async def notebook() -> list[int | None]:
        with Client(api.url) as client:
            return widths(client.predict(photos))

    assert asyncio.run(notebook()) == list(range(10, 30))


def test_an_async_client(api: StubApi, photos: Path) -> None:
    async def both() -> list[list[int | None]]:
        async with AsyncClient(api.url, limits=Limits(pictures=3)) as client:
            detected = [picture async for picture in client.detect(photos)]
            predicted = [picture async for picture in client.predict(photos)]
            return [widths(detected), widths(predicted)]

    assert asyncio.run(both()) == [list(range(10, 30))] * 2


def test_stopping_early_leaves_no_request(api: StubApi, photos: Path) -> None:
    threads = threading.active_count()
    with Client(api.url, jobs=1, limits=Limits(pictures=1)) as client:
        for _ in client.predict(photos):
            break
        # At most the one taken, the four in the queue, and one in progress were sent.
        assert len(api.seen) <= 7
        assert widths(client.predict(photos)) == list(range(10, 30))
    client.close()  # Closing twice is allowed.

    assert threading.active_count() <= threads + 8  # asyncio keeps its threads that read files.
    with pytest.raises(UsageError):
        list(client.predict(photos))


def test_a_batch_is_within_the_limits(api: StubApi, photos: Path) -> None:
    limits = Limits(pictures=8, body_bytes=3000)
    with Client(api.url, limits=limits) as client:
        assert widths(client.predict(photos)) == list(range(10, 30))

    assert max(len(seen.body) for seen in api.seen) <= 3000
    assert max(len(names) for names in api.batches) > 1


@pytest.mark.parametrize(
    ("faults", "naps_taken"),
    [
        ([THROTTLED], [1]),
        ([Fault(429, "", {"Retry-After": "7"})], [8]),
        ([NO_MODEL, BAD_GATEWAY], [1, 2]),
        ([DROP, THROTTLED, DROP, DROP, BAD_GATEWAY], [1, 2, 4, 8, 16]),
        ([Fault(500, '{"error": {"code": "internal_error", "message": "x"}}')], [1]),
    ],
    ids=["throttled", "Retry-After", "503 and 502", "five in a row", "500"],
)
def test_a_failed_request_is_sent_again(
    api: StubApi,
    photos: Path,
    retry: Retry,
    naps: Naps,
    faults: list[Fault],
    naps_taken: list[float],
) -> None:
    api.fail_first(*faults)
    with Client(api.url, retry=retry, limits=Limits(pictures=20)) as client:
        assert widths(client.predict(photos)) == list(range(10, 30))

    assert naps.taken == naps_taken
    assert len(api.seen) == len(faults) + 1


def test_a_request_that_is_too_large_is_halved(api: StubApi, photos: Path) -> None:
    """A proxy may allow less than Lambda."""
    api.wrong = lambda seen: Fault(413) if len(seen.parts) > 3 else None
    with Client(api.url, limits=Limits(pictures=20)) as client:
        assert widths(client.predict(photos)) == list(range(10, 30))

    assert [len(names) for names in api.batches] == [20, 10, 5, 2, 3, 5, 2, 3, 10, 5, 2, 3, 5, 2, 3]


def test_a_timeout_halves_the_request(api: StubApi, photos: Path, retry: Retry, naps: Naps) -> None:
    api.fail_first(TIMEOUT)
    with Client(api.url, retry=retry, limits=Limits(pictures=20)) as client:
        assert widths(client.predict(photos)) == list(range(10, 30))

    assert [len(names) for names in api.batches] == [20, 10, 10]
    assert naps.taken == []


@pytest.mark.parametrize(
    ("fault", "code"), [(BAD_GATEWAY, "no_answer"), (DROP, "no_answer"), (TIMEOUT, "timeout")]
)
def test_a_picture_that_crashes_the_api_does_not_affect_others(
    api: StubApi, photos: Path, retry: Retry, fault: Fault, code: str
) -> None:
    api.wrong = lambda seen: fault if "07.png" in seen.names else None
    with Client(api.url, retry=retry) as client:
        pictures = list(client.predict(photos))

    failed = {Path(each.name).name: each.error.code for each in pictures if each.error}
    assert failed == {"07.png": code}
    assert len(pictures) == 20


def test_an_api_that_fails_with_everything_ends_the_run(
    api: StubApi, photos: Path, retry: Retry
) -> None:
    api.wrong = lambda seen: BAD_GATEWAY
    with (
        Client(api.url, retry=retry, jobs=1) as client,
        pytest.raises(ApiUnreachable) as caught,
    ):
        list(client.predict(photos))

    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("fault", "error", "code", "status"),
    [
        (THROTTLED, ApiUnreachable, "unreachable", 429),
        (NO_MODEL, ApiUnreachable, "unreachable", 503),
        (Fault(503, "", {"Retry-After": "3600"}), ApiUnreachable, "unreachable", 503),
        (
            Fault(429, '{"error": {"code": "quota_exceeded", "message": "Enough."}}'),
            ApiRefused,
            "quota_exceeded",
            429,
        ),
        (
            Fault(403, '{"error": {"code": "invalid_api_key", "message": "Send the key."}}'),
            ApiRefused,
            "invalid_api_key",
            403,
        ),
        (Fault(403, '{"message": "Forbidden"}'), ApiRefused, "refused", 403),
        (Fault(404, "<html>"), ApiRefused, "refused", 404),
        (
            Fault(301, "", {"Location": "https://a.example/predict?details=true"}),
            ApiRefused,
            "refused",
            301,
        ),
        (Fault(200, "<html>"), ApiRefused, "not_matchvec", 200),
        (Fault(200, '{"images": []}'), ApiRefused, "not_matchvec", 200),
        (Fault(200, "[[]]"), ApiRefused, "not_matchvec", 200),
    ],
)
def test_errors_that_end_a_call(
    api: StubApi,
    photos: Path,
    retry: Retry,
    fault: Fault,
    error: type[ApiError],
    code: str,
    status: int,
) -> None:
    api.wrong = lambda seen: fault
    with Client(api.url, retry=retry) as client, pytest.raises(error) as caught:
        list(client.predict(photos))

    assert (caught.value.code, caught.value.status) == (code, status)


def test_unreachable(photos: Path, retry: Retry, naps: Naps) -> None:
    with (
        Client("http://127.0.0.1:1", retry=retry, jobs=1) as client,
        pytest.raises(ApiUnreachable),
    ):
        list(client.predict(photos))

    assert naps.taken == [1, 2, 4, 8, 16]


def test_a_timeout(photos: Path, retry: Retry) -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    with Client("http://a.example", retry=retry, transport=httpx.MockTransport(late)) as client:
        [picture] = client.predict(photos / "00.png")

    assert picture.error
    assert picture.error.code == "timeout"


def test_transient_errors_are_sent_again_in_smaller_requests(api: StubApi, photos: Path) -> None:
    """The pictures after the tenth of a request exceed the deadline."""
    whole = api.handler

    def late(event: Any, context: Any) -> dict[str, Any]:
        response = whole(event, context)
        answer = response["body"].split('"error": null')
        if len(answer) > 11:
            error = '"error": {"code": "deadline_exceeded", "message": "late"}'
            answer = [*answer[:10], error.join(answer[10:])]
        return {**response, "body": '"error": null'.join(answer)}

    api.handler = late
    with Client(api.url, limits=Limits(pictures=20)) as client:
        pictures = list(client.predict(photos))

    assert widths(pictures) == list(range(10, 30))
    assert [picture.error for picture in pictures] == [None] * 20
    assert sorted(len(names) for names in api.batches) == [5, 5, 20]


def test_lasting_transient_errors_are_reported(api: StubApi, photos: Path) -> None:
    whole = api.handler
    error = '"error": {"code": "url_timeout", "message": "late"}'
    api.handler = lambda event, context: {
        **(response := whole(event, context)),
        "body": response["body"].replace('"error": null', error),
    }
    with Client(api.url, limits=Limits(pictures=20)) as client:
        pictures = list(client.predict(photos))

    assert {picture.error for picture in pictures} == {Failure("url_timeout", "late")}
    assert sorted(len(names) for names in api.batches) == [1] * 20 + [5] * 4 + [20]


def noisy(width: int, height: int) -> bytes:
    return encode(Image.effect_noise((width, height), 90).convert("RGB"), "PNG")


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_picture_over_the_limit(api: StubApi, tmp_path: Path, is_asked: bool) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(noisy(300, 200))
    with Client(api.url, limits=Limits(body_bytes=40_000), shrink=is_asked) as client:
        [picture, small] = client.predict([path, plain()])

    assert small.error is None
    if is_asked:
        assert (picture.width, picture.height) == (300, 200)
        x1, y1, x2, y2 = picture.predictions[0].box_xyxy
        assert (x1, y1, y2) == (0, 0, 200)
        assert abs(x2 - 150) <= 2  # A pixel of the small picture is two of the large one.
        assert max(len(seen.body) for seen in api.seen) <= 40_000
    else:
        assert picture.error
        assert picture.error.code == "too_large"
        assert sorted(seen.path for seen in api.seen) == ["/predict", "/uploads"]


def test_too_large_for_the_api_alone(api: StubApi, photos: Path) -> None:
    api.wrong = lambda seen: Fault(413, '{"error": {"code": "too_large", "message": "Too much."}}')
    with Client(api.url) as client:
        pictures = list(client.predict(photos))

    assert {picture.error for picture in pictures} == {Failure("too_large", "Too much.")}


def test_a_file_that_is_gone_when_it_is_read(api: StubApi, photos: Path) -> None:
    gone = photos / "00.png"

    def vanish(seen: Seen) -> None:
        gone.unlink(missing_ok=True)

    api.wrong = vanish
    limits = Limits(pictures=1)
    with Client(api.url, limits=limits, jobs=1) as client:
        pictures = list(client.predict([photos / "01.png", gone]))

    assert pictures[1].error
    assert pictures[1].error.code == "unreadable"


def test_no_more_requests_at_once_than_asked(api: StubApi, photos: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0
    both = threading.Barrier(2, timeout=20)

    def count(seen: Seen) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait()  # Blocks until two requests are in progress.
        with lock:
            now -= 1

    api.wrong = count
    with Client(api.url, jobs=2, limits=Limits(pictures=2)) as client:
        assert widths(client.predict(photos)) == list(range(10, 30))

    assert most == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "127.0.0.1:3000"},
        {"url": "ftp://a.example"},
        {"jobs": 0},
        {"timeout": 0},
        {"api_key": "a\nb"},
    ],
    ids=str,
)
def test_invalid_arguments_of_a_client(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Client(**{"url": "http://a.example", **arguments})


@pytest.mark.parametrize(
    "arguments", [{"threshold": 1.5}, {"threshold": float("nan")}, {"top": 0}, {"top": 21}], ids=str
)
def test_options_out_of_range(api: StubApi, photos: Path, arguments: dict[str, Any]) -> None:
    with Client(api.url) as client, pytest.raises(UsageError):
        client.predict(photos, **arguments)

    assert api.seen == []


ROUTES = {"health": {"status": "ok"}, "models": {"detection": {"name": "a"}}}


def routes(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=ROUTES[request.url.path.rsplit("/", 1)[-1]])


@pytest.mark.parametrize("name", ROUTES)
def test_health_and_models(name: str) -> None:
    transport = httpx.MockTransport(routes)
    with Client("http://a.example/Prod", transport=transport) as client:
        assert getattr(client, name)() == ROUTES[name]

    async def ask() -> Any:
        async with AsyncClient("http://a.example", transport=transport) as client:
            return await getattr(client, name)()

    assert asyncio.run(ask()) == ROUTES[name]


BAD_HEALTH: dict[str, tuple[httpx.Response, type[ApiError], str, int]] = {
    "models are missing": (httpx.Response(503), ApiUnreachable, "unreachable", 503),
    "failure": (httpx.Response(500), ApiUnreachable, "unreachable", 500),
    "no such route": (httpx.Response(404), ApiRefused, "refused", 404),
    "another server": (httpx.Response(200, text="<html>"), ApiRefused, "not_matchvec", 200),
    "a list": (httpx.Response(200, json=[]), ApiRefused, "not_matchvec", 200),
}


@pytest.mark.parametrize(
    ("response", "error", "code", "status"), BAD_HEALTH.values(), ids=BAD_HEALTH
)
def test_bad_health(
    response: httpx.Response, error: type[ApiError], code: str, status: int, naps: Naps
) -> None:
    transport = httpx.MockTransport(lambda _: response)
    retry = Retry(sleep=naps.sleep)
    with (
        Client("http://a.example", transport=transport, retry=retry) as client,
        pytest.raises(error) as caught,
    ):
        client.health()
    assert (caught.value.code, caught.value.status) == (code, status)
    assert naps.taken == []


def test_results_know_their_pictures(api: StubApi, photos: Path) -> None:
    with Client(api.url) as client:
        [first] = client.predict(photos / "00.png")
        [second] = client.detect(plain(width=30))
    assert (first.draw().size, second.draw().size) == ((10, 6), (30, 6))
    assert [crop.size for crop in first.crop()] == [(5, 6)]
