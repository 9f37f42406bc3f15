"""Pictures over a request's limit go to the API's bucket, where it has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from matchvec_client import ApiRefused, ApiUnreachable, Client, Failure, Limits, Retry
from matchvec_client.cli import main
from matchvec_client.uploads import type_of
from tests.client.conftest import Naps
from tests.client.stub_api import StubApi
from tests.client.stub_bucket import Answer, StubBucket
from tests.support.pictures import encode, plain

LIMITS = Limits(body_bytes=40_000)
EXPIRED = "<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>"
SLOW = "<Error><Code>SlowDown</Code></Error>"


def noisy(width: int) -> bytes:
    return encode(Image.effect_noise((width, 200), 90).convert("RGB"), "PNG")


@pytest.fixture
def bucket(api: StubApi) -> StubBucket:
    api.bucket = StubBucket(api.url)
    return api.bucket


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Three pictures of 120 kB and more, and a small one."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(noisy(300 + number))
    (folder / "9.png").write_bytes(plain(width=40))
    return folder


def test_a_large_picture_goes_by_the_bucket(api: StubApi, bucket: StubBucket, large: Path) -> None:
    with Client(api.url + "/Prod", api_key="secret", limits=LIMITS, jobs=2) as client:
        pictures = list(client.predict(large))

    assert [picture.name for picture in pictures] == [str(large / f"{n}.png") for n in (0, 1, 2, 9)]
    assert [picture.width for picture in pictures] == [300, 301, 302, 40]
    assert pictures[0].predictions[0].box_xyxy == (0, 0, 150, 200)
    assert sorted(map(len, bucket.objects.values())) == sorted(
        (large / f"{number}.png").stat().st_size for number in range(3)
    )
    assert bucket.forms == ["image/png"] * 3
    for headers, fields in bucket.posted:
        assert [name for name, _ in fields] == ["key", "Content-Type", "policy", "file"]
        assert fields[-1] == ("file", "image/png")
        assert "x-api-key" not in headers  # It is the API's, and no other's.
        assert "content-length" in headers  # S3 takes no chunks in forms.
    asked = [seen for seen in api.seen if seen.path == "/Prod/uploads"]
    assert [seen.headers["x-api-key"] for seen in asked] == ["secret"] * 3


def test_the_bucket_is_preferred_to_shrinking(
    api: StubApi, bucket: StubBucket, large: Path
) -> None:
    bucket.max_bytes = (large / "1.png").stat().st_size
    with Client(api.url, limits=LIMITS, shrink=True) as client:
        pictures = list(client.predict([large, noisy(600)]))

    assert [picture.width for picture in pictures] == [300, 301, 302, 40, 600]
    assert [picture.error for picture in pictures] == [None] * 5
    stored = [len(content) for content in bucket.objects.values()]
    assert max(stored) <= bucket.max_bytes
    assert len(stored) in (2, 3)  # Noise may compress to any size.


def test_too_large_for_the_bucket_too(api: StubApi, bucket: StubBucket) -> None:
    bucket.max_bytes = 100_000
    content = noisy(300)
    with Client(api.url, limits=LIMITS) as client:
        [picture] = client.predict(content)

    assert picture.error == Failure(
        "too_large",
        f"The picture has {len(content) / 1e6:.1f} MB, the API takes 0.1 MB: "
        "shrink it first, or let the client do it.",
    )
    assert bucket.posted == []


NO_BUCKET: dict[str, Answer] = {
    "404": (404, {}, '{"error": {"code": "not_found", "message": "No such route."}}'),
    "405": (405, {}, ""),
    "an unknown route of API Gateway": (
        403,
        {"x-amzn-ErrorType": "MissingAuthenticationTokenException"},
        '{"message": "Missing Authentication Token"}',
    ),
}


@pytest.mark.parametrize("answer", NO_BUCKET.values(), ids=NO_BUCKET)
@pytest.mark.parametrize("is_shrunk", [False, True], ids=["as it is", "shrunk"])
def test_an_api_without_a_bucket_is_asked_once(
    api: StubApi, bucket: StubBucket, large: Path, answer: Answer, is_shrunk: bool
) -> None:
    bucket.wrong_form = lambda _: answer
    with Client(api.url, limits=LIMITS, shrink=is_shrunk) as client:
        pictures = list(client.predict(large))

    codes = [picture.error and picture.error.code for picture in pictures]
    assert codes == [*([None] * 3 if is_shrunk else ["too_large"] * 3), None]
    assert [picture.width for picture in pictures][3] == 40
    assert len(bucket.forms) == 1


REFUSALS: dict[str, tuple[Answer, list[float], int]] = {
    "busy": ((503, {"Retry-After": "7"}, SLOW), [8], 1),
    "broken": ((500, {}, "<Error><Code>InternalError</Code></Error>"), [1], 1),
    "silent for long": ((400, {}, "<Error><Code>RequestTimeout</Code></Error>"), [1], 1),
    "an expired form": ((403, {}, EXPIRED), [1], 2),
    "expired credentials": ((400, {}, "The provided token has expired."), [1], 2),
}


@pytest.mark.parametrize(("answer", "waits", "forms"), REFUSALS.values(), ids=REFUSALS)
def test_an_upload_is_sent_again(
    api: StubApi,
    bucket: StubBucket,
    retry: Retry,
    naps: Naps,
    answer: Answer,
    waits: list[float],
    forms: int,
) -> None:
    bucket.refuse = [answer]
    with Client(api.url, limits=LIMITS, retry=retry) as client:
        [picture] = client.predict(noisy(300))

    assert picture.width == 300
    assert naps.taken == waits
    assert len(bucket.forms) == forms
    assert len(bucket.posted) == 2


def test_a_form_that_is_about_to_expire_is_not_used(api: StubApi, bucket: StubBucket) -> None:
    """As where the waits for a busy S3 took longer than the form is good for."""
    bucket.expires_in = 10
    bucket.wrong_form = lambda number: setattr(bucket, "expires_in", 300) if number > 1 else None
    with Client(api.url, limits=LIMITS) as client:
        [picture] = client.predict(noisy(300))

    assert picture.width == 300
    assert list(bucket.objects) == ["s3://bucket/uploads/2"]


def test_a_refused_upload_is_the_pictures_error(
    api: StubApi, bucket: StubBucket, large: Path, retry: Retry
) -> None:
    denied = "<Error><Code>AccessDenied</Code></Error>"
    bucket.refuse = [(403, {}, denied), (400, {}, "<Code>EntityTooLarge</Code>")]
    with Client(api.url, limits=LIMITS, retry=retry, jobs=1) as client:
        pictures = list(client.predict(large))

    assert [picture.error for picture in pictures[::2]] == [
        Failure("upload_refused", f"S3 refused the picture: 403 {denied}"),
        None,
    ]
    assert pictures[1].error
    assert pictures[1].error.code == "too_large"


def test_a_bucket_out_of_reach_ends_no_run_of_small_pictures(
    api: StubApi, bucket: StubBucket, large: Path, retry: Retry
) -> None:
    bucket.url = "http://127.0.0.1:1"
    with Client(api.url, limits=LIMITS, retry=retry, jobs=1) as client:
        pictures = list(client.predict(large))
        assert [picture.error and picture.error.code for picture in pictures] == [
            *["no_answer"] * 3,
            None,
        ]
        with pytest.raises(ApiUnreachable, match="picture after picture"):
            list(client.predict([large, *map(noisy, (400, 410, 420, 430, 440))]))


ENDINGS: dict[str, tuple[Answer, type[Exception], str]] = {
    "a key": ((403, {}, '{"message": "Forbidden"}'), ApiRefused, "Forbidden"),
    "another server": ((200, {}, "<html>"), ApiRefused, "not as Matchvec"),
    "a strange address": (
        (200, {}, '{"url": "file:///", "fields": {}, "s3": "", "max_bytes": 1, "expires_in": 1}'),
        ApiRefused,
        "not as Matchvec",
    ),
    "throttled": ((429, {}, ""), ApiUnreachable, "429"),
}


@pytest.mark.parametrize(("answer", "error", "message"), ENDINGS.values(), ids=ENDINGS)
def test_what_ends_a_run(
    api: StubApi,
    bucket: StubBucket,
    retry: Retry,
    answer: Answer,
    error: type[Exception],
    message: str,
) -> None:
    bucket.wrong_form = lambda _: answer
    with (
        Client(api.url, limits=LIMITS, retry=retry) as client,
        pytest.raises(error, match=message),
    ):
        list(client.predict(noisy(300)))


def test_a_type_that_the_api_refuses(api: StubApi, bucket: StubBucket) -> None:
    bucket.wrong_form = lambda _: (400, {}, '{"error": {"code": "bad_type", "message": "No."}}')
    with Client(api.url, limits=LIMITS) as client:
        [picture, small] = client.predict([bytes(50_000), plain()])

    assert bucket.forms == ["application/octet-stream"]
    assert picture.error == Failure("bad_type", "No.")
    assert small.error is None


def test_a_bucket_of_another_region(api: StubApi, large: Path) -> None:
    """S3 redirects with 307, and the form goes along."""
    bodies: list[tuple[str, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/uploads":
            form = {"url": "http://s3.example", "fields": {"key": "a"}, "s3": "s3://bucket/a"}
            return httpx.Response(200, json={**form, "max_bytes": 10**6, "expires_in": 300})
        if request.url.path == "/predict":
            assert b"s3://bucket/a" in request.read()
            return httpx.Response(413)
        bodies.append((request.url.host, len(request.read())))
        if request.url.host == "s3.example":
            return httpx.Response(307, headers={"Location": "http://eu.s3.example/"})
        return httpx.Response(204)

    transport = httpx.MockTransport(answer)
    with Client("http://a.example", limits=LIMITS, transport=transport) as client:
        list(client.predict(large / "0.png"))

    assert [host for host, _ in bodies] == ["s3.example", "eu.s3.example"]
    assert bodies[0][1] == bodies[1][1] > (large / "0.png").stat().st_size


def test_the_row_has_the_local_name(
    api: StubApi, bucket: StubBucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture of 5 MB, by the command line."""
    path = tmp_path / "large.bmp"
    path.write_bytes(encode(Image.new("RGB", (1300, 1200), "grey"), "BMP"))
    bucket.max_bytes = 52_428_800
    assert main([api.url, str(path), "--format", "csv"]) == 0

    shown = capsys.readouterr().out.splitlines()
    assert shown[1].startswith(f"{path},1300,1200,0,0,650,1200,car,")
    assert bucket.forms == ["image/bmp"]


@pytest.mark.slow
def test_the_projects_own_bucket(tmp_path: Path) -> None:
    """The stack on this machine, and a bucket of moto's: nothing stands for the API."""
    # Here: moto's server takes seconds to import, which the fast tests need not wait for.
    from tests.support.local_api import local_api
    from tests.support.uploads import BUCKET, local_s3

    street = Path(__file__).parents[2] / "samples" / "street.jpg"
    path = tmp_path / "street.bmp"
    with Image.open(street) as picture:
        picture.convert("RGB").resize((1800, 1200)).save(path)
    assert path.stat().st_size > 6_000_000
    with local_s3() as s3:
        settings: Any = {"UPLOAD_BUCKET": BUCKET, **s3.environment}
        with local_api(tmp_path / "log", **settings) as stack, Client(stack.url) as client:
            large, small = client.predict([path, street])

    assert large.error is None
    assert (large.name, large.width, large.height) == (str(path), 1800, 1200)
    found, expected = (
        sorted(each.class_name for each in picture.predictions) for picture in (large, small)
    )
    assert found == expected != []


TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}


@pytest.mark.parametrize(("kind", "media_type"), TYPES.items(), ids=TYPES)
def test_types_are_told_by_content(kind: str, media_type: str) -> None:
    assert type_of(encode(Image.new("RGB", (8, 8)), kind)) == media_type
    assert type_of(b"") == "application/octet-stream"
