"""Pictures over a request's limit go to the API's bucket, if it has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from matchvec_client import ApiError, ApiRefused, ApiUnreachable, Client, Failure, Limits, Retry
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
    """Three pictures of at least 120 kB, and a small one."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(noisy(300 + number))
    (folder / "9.png").write_bytes(plain(width=40))
    return folder


def test_a_large_picture_is_uploaded(api: StubApi, bucket: StubBucket, large: Path) -> None:
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
        assert "x-api-key" not in headers  # The key is for the API only.
        assert "content-length" in headers  # S3 does not accept chunked forms.
    asked = [seen for seen in api.seen if seen.path == "/Prod/uploads"]
    assert [seen.headers["x-api-key"] for seen in asked] == ["secret"] * 3


def test_the_bucket_is_preferred_to_shrinking(
    api: StubApi, bucket: StubBucket, large: Path
) -> None:
    bucket.max_bytes = max((large / f"{n}.png").stat().st_size for n in range(3))
    with Client(api.url, limits=LIMITS, shrink=True) as client:
        pictures = list(client.predict([large, noisy(600)]))

    assert [picture.width for picture in pictures] == [300, 301, 302, 40, 600]
    assert [picture.error for picture in pictures] == [None] * 5
    stored = [len(content) for content in bucket.objects.values()]
    assert max(stored) == bucket.max_bytes
    assert len(stored) == 3


def test_too_large_for_the_bucket_too(api: StubApi, bucket: StubBucket) -> None:
    bucket.max_bytes = 100_000
    with Client(api.url, limits=LIMITS) as client:
        [picture] = client.predict(noisy(300))

    assert picture.error
    assert picture.error.code == "too_large"
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
    """A form may expire during the waits for a busy S3."""
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
        with pytest.raises(ApiUnreachable):
            list(client.predict([large, *map(noisy, (400, 410, 420, 430, 440))]))


ENDINGS: dict[str, tuple[Answer, type[ApiError], str]] = {
    "a key": ((403, {}, '{"message": "Forbidden"}'), ApiRefused, "refused"),
    "another server": ((200, {}, "<html>"), ApiRefused, "not_matchvec"),
    "a strange address": (
        (200, {}, '{"url": "file:///", "fields": {}, "s3": "", "max_bytes": 1, "expires_in": 1}'),
        ApiRefused,
        "not_matchvec",
    ),
    "throttled": ((429, {}, ""), ApiUnreachable, "unreachable"),
}


@pytest.mark.parametrize(("answer", "error", "code"), ENDINGS.values(), ids=ENDINGS)
def test_errors_that_end_a_run(
    api: StubApi,
    bucket: StubBucket,
    retry: Retry,
    answer: Answer,
    error: type[ApiError],
    code: str,
) -> None:
    bucket.wrong_form = lambda _: answer
    with (
        Client(api.url, limits=LIMITS, retry=retry) as client,
        pytest.raises(error) as caught,
    ):
        list(client.predict(noisy(300)))

    assert caught.value.code == code


def test_a_type_that_the_api_refuses(api: StubApi, bucket: StubBucket) -> None:
    bucket.wrong_form = lambda _: (400, {}, '{"error": {"code": "bad_type", "message": "No."}}')
    with Client(api.url, limits=LIMITS) as client:
        [picture, small] = client.predict([bytes(50_000), plain()])

    assert bucket.forms == ["application/octet-stream"]
    assert picture.error == Failure("bad_type", "No.")
    assert small.error is None


def upload_to(api: str, bucket: str, large: Path) -> tuple[list[str], Failure | str | None]:
    """Hosts that got a picture, and its error or the code that ended the call."""
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/uploads":
            form = {"url": bucket, "fields": {"key": "a"}, "s3": "s3://bucket/a"}
            return httpx.Response(200, json={**form, "max_bytes": 10**6, "expires_in": 300})
        if request.url.path == "/predict":
            return httpx.Response(413)
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://other.example/"})

    transport = httpx.MockTransport(answer)
    with Client(api, limits=LIMITS, transport=transport) as client:
        try:
            [picture] = client.predict(large / "0.png")
        except ApiRefused as error:
            return hosts, error.code
    return hosts, picture.error


def test_a_redirect_of_the_bucket_is_not_followed(large: Path) -> None:
    hosts, error = upload_to("https://a.example", "https://s3.example/b", large)
    assert hosts == ["s3.example"]
    assert isinstance(error, Failure)
    assert error.code == "upload_refused"


BAD_BUCKETS = {
    "no encryption": ("https://a.example", "http://s3.example/"),
    "another scheme": ("http://a.example", "ftp://s3.example/"),
    "metadata": ("http://a.example", "http://169.254.169.254/latest"),
    "loopback": ("https://a.example", "https://127.0.0.1/"),
    "a short loopback": ("https://a.example", "https://127.1/"),
    "a hexadecimal loopback": ("https://a.example", "https://0x7f000001/"),
    "IPv6": ("https://a.example", "https://[::1]/"),
    "localhost": ("https://a.example", "https://localhost/"),
    "credentials": ("https://a.example", "https://a.example@s3.example/"),
}


@pytest.mark.parametrize(("api_url", "bucket_url"), BAD_BUCKETS.values(), ids=BAD_BUCKETS)
def test_an_address_of_a_bucket_that_is_not_allowed(
    api_url: str, bucket_url: str, large: Path
) -> None:
    assert upload_to(api_url, bucket_url, large) == ([], "not_matchvec")


GOOD_BUCKETS = {
    "S3": ("https://a.example", "https://bucket.s3.eu-west-1.amazonaws.com/"),
    "local": ("http://127.0.0.1:3000", "http://127.0.0.1:9000/"),
    "local by name": ("http://localhost:3000", "http://[::1]:9000/"),
}


@pytest.mark.parametrize(("api_url", "bucket_url"), GOOD_BUCKETS.values(), ids=GOOD_BUCKETS)
def test_an_address_of_a_bucket_that_is_allowed(api_url: str, bucket_url: str, large: Path) -> None:
    assert len(upload_to(api_url, bucket_url, large)[0]) == 1


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
    """The real local API with a bucket of moto."""
    # Imported here: moto's server takes seconds to import.
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
def test_media_types_by_content(kind: str, media_type: str) -> None:
    assert type_of(encode(Image.new("RGB", (8, 8)), kind)) == media_type
    assert type_of(b"") == "application/octet-stream"
