"""Properties that hold for every input that hypothesis generates."""

from __future__ import annotations

import base64
import copy
import json
import re
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway.deadline import Deadline
from gateway.errors import BadOption, PartError
from gateway.fetch import Fetcher
from gateway.options import Options, parse_options
from gateway.urls import describe_url, parse_url
from inference.decoding.formats import FORMATS
from inference.errors import ManifestError
from inference.manifest import Manifest, listed_files, load_manifest
from service.picture_answers import PICTURE_ROUTES
from service.settings import Settings
from tests.support.answers import check_well_formed, fields_of
from tests.support.events import rest_event
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_pipeline, tiny_manifest
from tests.support.network import PUBLIC, FakeNetwork, http_answer
from tests.support.pictures import encode, plain
from tests.support.strategies import ANY_CHARACTER, examples, json_values, texts

REFUSALS = (400, 404, 405, 413, 415, 422)
BOUNDARY = "matchvec-boundary"


@pytest.fixture(scope="module")
def fake_handler() -> Handler:
    """The handler with models that find a car and a person in every picture, and a network."""
    network = FakeNetwork({"a.example/b.png": http_answer(plain(5, 3))})
    settings = Settings.from_environment({})
    return make_handler(settings, network.fetcher(), load=lambda _: fake_pipeline())


# Events

PATHS = (
    *(route.path for route in PICTURE_ROUTES),
    "/Prod/shape/",
    "/health",
    "/models",
    "/",
    "",
    "/docs",
)
TYPES = (
    f"multipart/form-data; boundary={BOUNDARY}",
    'multipart/form-data; boundary="',
    "multipart/form-data",
    "image/png",
    "image/jpeg",
    "application/json",
)
BODIES = (
    base64.b64encode(plain()).decode(),
    f"--{BOUNDARY}--\r\n",
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="url"\r\n\r\nx\r\n--{BOUNDARY}--\r\n',
)


def likely(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | json_values


HEADERS = st.dictionaries(
    st.sampled_from(("Content-Type", "content-type", "CONTENT-TYPE", "Accept")) | texts,
    likely(*TYPES),
    max_size=3,
)
QUERIES = st.dictionaries(likely("threshold", "top", "details").map(str), likely("1"), max_size=3)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "httpMethod": likely("POST", "GET", "HEAD", "OPTIONS", "post"),
        "path": likely(*PATHS),
        "rawPath": likely(*PATHS),
        "rawQueryString": likely("threshold=0.5", "top=%", "&=&"),
        "headers": HEADERS | json_values,
        "multiValueHeaders": st.dictionaries(texts, st.lists(likely(*TYPES)), max_size=2)
        | json_values,
        "queryStringParameters": QUERIES | json_values,
        "multiValueQueryStringParameters": QUERIES | json_values,
        "requestContext": st.fixed_dictionaries(
            {},
            optional={
                "requestId": likely("c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
                "http": st.fixed_dictionaries({}, optional={"method": likely("POST")})
                | json_values,
                "elb": json_values,
            },
        )
        | json_values,
        "body": likely(*BODIES),
        "isBase64Encoded": likely(True, False),
    },
)


@pytest.mark.promise("well-formed-answer")
@examples(400)
@given(event=EVENTS | json_values)
def test_every_event_has_a_well_formed_answer(event: Any, fake_handler: Handler) -> None:
    response = fake_handler(event, None)

    check_well_formed(response)
    assert response["statusCode"] in (200, *REFUSALS)


@pytest.mark.promise("well-formed-answer")
@examples(200)
@given(content_type=texts, body=st.binary(max_size=200))
def test_every_content_type_and_body_has_a_well_formed_answer(
    content_type: str, body: bytes, fake_handler: Handler
) -> None:
    for header in (content_type, f"multipart/form-data; {content_type}", f"image/{content_type}"):
        response = fake_handler(rest_event("/shape", header, body), None)

        check_well_formed(response)
        assert response["statusCode"] in (200, 400, 415)


# Forms


@dataclass(frozen=True)
class FormField:
    """A field of a form and its answer from `/shape`; None if it is not a picture."""

    disposition: str
    content: bytes
    shape: list[int] | None
    failure: str | None = None

    def encoded(self) -> bytes:
        head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {self.disposition}\r\n\r\n"
        return head.encode() + self.content + b"\r\n"


def escaped(text: str) -> str:
    """As browsers write names: https://html.spec.whatwg.org/#multipart-form-data."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\\%")
NAMES = st.text(PRINTABLE | st.sampled_from('"\r\n;='), max_size=40)
FILENAMES = NAMES.map(escaped)
FORMAT_NAMES = st.sampled_from([name for name, signatures, *_ in FORMATS if signatures])
SIDES = st.integers(1, 16)


def _good(file_format: str, width: int, height: int, filename: str) -> FormField:
    content = encode(Image.new("RGB", (width, height)), file_format)
    return FormField(f'name="image"; filename="{filename}"', content, [height, width, 3])


def _cut(width: int, height: int, share: float, filename: str) -> FormField:
    whole = plain(width, height)
    content = whole[: int(len(whole) * share)]
    return FormField(f'name="image"; filename="{filename}"', content, [], "not_an_image")


def _other(name: str, content: bytes) -> FormField:
    return FormField(f'name="{name}"', content, None)


GOOD = st.builds(_good, FORMAT_NAMES, SIDES, SIDES, FILENAMES)
CUT = st.builds(_cut, SIDES, SIDES, st.floats(0, 0.6), FILENAMES)
URLS = st.sampled_from(
    (
        FormField('name="url"', b" http://a.example/b.png\n", [3, 5, 3]),
        FormField('name="url"', b"http://a.example/gone", [], "url_unreachable"),
        FormField('name="url"', b"http://nobody.invalid/", [], "url_unreachable"),
        FormField('name="url"', b"file:///etc/passwd", [], "url_not_allowed"),
        FormField('name="url"', b"\xff\x00", [], "url_not_allowed"),
        FormField('name="s3"', b"s3://bucket/uploads/key", [], "url_not_allowed"),
        FormField('name="s3"', b"http://a.example/b.png", [], "url_not_allowed"),
        FormField('name="url"', b"", [], "url_not_allowed"),
    )
)
OTHER = st.builds(
    _other,
    FILENAMES.filter(lambda name: name not in ("image", "url", "s3", "")),
    st.binary(max_size=50).filter(lambda content: b"--" not in content),
)
FORMS = st.lists(GOOD | CUT | OTHER, max_size=12).flatmap(
    lambda fields: st.lists(URLS, max_size=6).flatmap(
        lambda urls: st.permutations(fields + urls).map(tuple)
    )
)


@pytest.mark.promise("one-element-per-part")
@examples(250)
@given(fields=FORMS)
def test_every_part_has_its_own_answer_in_its_place(
    fields: tuple[FormField, ...], fake_handler: Handler
) -> None:
    body = b"".join(field.encoded() for field in fields) + f"--{BOUNDARY}--\r\n".encode()
    response = fake_handler(rest_event("/shape", TYPES[0], body), None)
    pictures = [field for field in fields if field.shape is not None]
    failed = [
        f"{position}={field.failure}" for position, field in enumerate(pictures) if field.failure
    ]

    check_well_formed(response)
    if not pictures:
        assert response["statusCode"] == 400
        assert json.loads(response["body"])["error"]["code"] == "no_image"
        return
    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == [field.shape for field in pictures]
    assert fields_of(response).get("X-Failed-Images") == (", ".join(failed) or None)


@examples(150)
@given(filenames=st.lists(NAMES, min_size=1, max_size=4))
def test_every_file_name_comes_back_as_it_was_sent(
    filenames: list[str], fake_handler: Handler
) -> None:
    body = b"".join(_good("PNG", 2, 2, escaped(name)).encoded() for name in filenames)
    event = rest_event(
        "/shape", TYPES[0], body + f"--{BOUNDARY}--".encode(), query={"details": "true"}
    )
    images = json.loads(fake_handler(event, None)["body"])["images"]

    assert [image["filename"] for image in images] == filenames


# Options


@pytest.mark.promise("options-not-guessed")
@examples(200)
@given(query=st.dictionaries(st.sampled_from(("threshold", "top", "details")), texts))
def test_every_option_is_read_or_refused(query: dict[str, str]) -> None:
    try:
        options = parse_options(query)
    except BadOption:
        return
    assert options.threshold is None or 0 <= options.threshold <= 1
    assert 1 <= options.top <= 20
    assert isinstance(options.details, bool)


@examples(200)
@given(number=st.floats(allow_nan=True) | st.integers())
def test_every_number_is_a_threshold_if_it_is_in_range(number: float) -> None:
    if 0 <= number <= 1 and str(number) != "-0.0":
        assert parse_options({"threshold": str(number)}) == Options(threshold=float(number))
    else:
        with pytest.raises(BadOption, match="from 0 to 1"):
            parse_options({"threshold": str(number)})


@examples(200)
@given(number=st.integers(-5, 30) | st.integers())
def test_every_whole_number_is_a_top_if_it_is_in_range(number: int) -> None:
    if 1 <= number <= 20:
        assert parse_options({"top": str(number)}) == Options(top=number)
    else:
        with pytest.raises(BadOption, match="from 1 to 20"):
            parse_options({"top": str(number)})


# Urls

REQUEST_HEAD = re.compile(
    r"GET /[\x21-\x7e]* HTTP/1\.1\r\n"
    r"Host: [\x21-\x7e]+\r\n"
    r"Accept: [ -~]+\r\n"
    r"Accept-Encoding: identity\r\n"
    r"User-Agent: matchvec/0\.2 \(\+https://[\w./-]+\)\r\n"
    r"Connection: close\r\n\r\n"
)
"""Nothing that a url says may end a line, or stand where the next word of it should."""

ADDRESSES = st.lists(
    st.sampled_from((PUBLIC, "127.0.0.1", "169.254.169.254", "::1", "2606:2800:220:1::1"))
    | st.ip_addresses().map(str),
    max_size=3,
)
LIKELY_URLS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(("http://", "https://", "HTTP://", "//", "file://", "ftp:")) | texts,
        st.sampled_from(("", "", "", "user@", "u:p@", "@")),
        st.sampled_from(("a.example", "127.0.0.1", "[::1]", "0x7f.1", "①②⑦.0.0.1")) | texts,
        st.sampled_from(("", "", ":80", ":443", ":22", ":", ":\u0661")),
        st.sampled_from(("", "/", "/b?c#d", "/%0d%0aX: y")) | texts,
    ),
)
ANY_URLS = LIKELY_URLS | st.text(ANY_CHARACTER, max_size=100)


class PassingTls(ssl.SSLContext):
    """Speaks in the clear: what TLS itself does is shown elsewhere."""

    def wrap_socket(self, sock: Any, *_: object, **__: Any) -> Any:
        return sock


def internal(address: str) -> bool:
    """Return whether an address is internal according to the standard library."""
    parsed: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(parsed, IPv6Address) and (parsed.sixtofour or parsed.teredo):
        return True
    return (
        parsed.is_private
        or parsed.is_loopback
        or parsed.is_link_local
        or parsed.is_multicast
        or parsed.is_unspecified
    )


def check_fetch(url: str, addresses: list[str], answer: bytes = b"") -> None:
    """Fetch, and fail if anything was connected to or asked that may not be."""
    network = FakeNetwork()
    resolved: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        assert re.fullmatch(r"[\x21-\x7e]+", host)
        resolved.append(host)
        return addresses

    class OneAnswer(dict[str, bytes]):
        def get(self, _key: str, default: Any = None) -> Any:
            return answer or default

    network.answers = OneAnswer()
    tls = PassingTls(ssl.PROTOCOL_TLS_CLIENT)
    fetcher = Fetcher(1000, 5, resolver=resolve, connector=network.connect, tls=lambda: tls)
    with pytest.raises(PartError):
        fetcher.fetch(url, Deadline.after(5))

    if any(map(internal, addresses)):
        assert network.connections == []
    assert len(network.connections) <= 11
    assert {address for address, _ in network.connections} <= set(addresses[:1])
    assert {port for _, port in network.connections} <= {80, 443}
    assert len(network.connections) <= len(resolved)
    for head in network.requests:
        assert REQUEST_HEAD.fullmatch(head), head


@pytest.mark.promise("url-public")
@examples(400)
@given(url=ANY_URLS, addresses=ADDRESSES)
def test_every_url_is_refused_or_leads_to_the_checked_address(
    url: str, addresses: list[str]
) -> None:
    check_fetch(url, addresses)


@pytest.mark.promise("url-public")
@examples(200)
@given(location=ANY_URLS.map(lambda url: url.encode("utf-8", "replace")), addresses=ADDRESSES)
def test_every_redirect_is_refused_or_leads_to_the_checked_address(
    location: bytes, addresses: list[str]
) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    check_fetch("http://a.example/", addresses, answer)


@examples(300)
@given(url=ANY_URLS)
def test_every_url_is_described_without_its_credentials(url: str) -> None:
    description = describe_url(url)

    assert "@" not in description
    try:
        target = parse_url(url)
    except PartError:
        return
    assert description.lower().startswith(f"{target.scheme}://")


# Manifests

INPUT = {
    "name": "input", "layout": "NCHW", "width": 2, "height": 2, "dtype": "float32",
    "color": "RGB", "resize": "letterbox", "anchor": "center", "pad_value": 0, "scale": 1.0,
    "mean": [0, 0, 0], "std": [1, 1, 1], "batch": False,
}  # fmt: skip
CLASSIFIER = tiny_manifest("tiny", b"", input=INPUT)
DETECTOR = {**CLASSIFIER, "task": "detection", "labels": ["a", "b"], "vehicles": ["a"]}
OUTPUTS: dict[str, dict[str, Any]] = {
    "boxes": {"format": "boxes", "boxes": "b", "normalized": True, "first_class": 1},
    "picodet": {"format": "picodet", "scores": ["s"], "distances": ["d"], "strides": [8]},
    "ssd": {"format": "ssd", "boxes": "b", "classes": "c", "scores": "s", "count": "n"},
    "yolox": {"format": "yolox", "strides": [8, 16, 32], "nms_iou": 0.5},
}
VALID = {
    "classes": CLASSIFIER,
    **{name: {**DETECTOR, "output": output} for name, output in OUTPUTS.items()},
}


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of a JSON value that can be replaced."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(each for key, inner in items for each in paths_of(inner, (*path, key)))]


def changed(manifest: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    manifest = copy.deepcopy(manifest)
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return manifest


def changes(manifest: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.builds(changed, st.just(manifest), st.sampled_from(paths_of(manifest)), json_values)


MANIFESTS = st.one_of(*map(changes, VALID.values()), json_values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("manifest", VALID.values(), ids=VALID)
def test_the_manifests_that_are_changed_below_are_valid(manifest: Any, folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest))

    assert isinstance(load_manifest(folder), Manifest)


@pytest.mark.promise("manifest-checked")
@examples(600)
@given(manifest=MANIFESTS)
def test_every_manifest_is_read_or_refused(manifest: Any, folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest))
    try:
        assert isinstance(load_manifest(folder), Manifest)
    except ManifestError:
        return


@examples(300)
@given(manifest=MANIFESTS)
def test_every_manifest_names_its_files_or_is_refused(manifest: Any) -> None:
    try:
        files = listed_files(json.dumps(manifest).encode())
    except ManifestError:
        return
    assert all(isinstance(name, str) for name in files)
    assert all(sha256 is None or isinstance(sha256, str) for sha256 in files.values())
