"""The seeds that are text: events, headers of form fields, and urls with their servers."""

from __future__ import annotations

_FORM = (
    '--b\r\nContent-Disposition: form-data; name="url"\r\n\r\nhttp://a.example/b.png\r\n'
    '--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nGIF89a\r\n--b--'
)

EVENTS = {
    "rest": "httpMethod: POST\npath: /Prod/shape\nresource: /shape\n"
    "headers.Content-Type: multipart/form-data; boundary=b\n"
    "multiValueHeaders.Content-Type: [\"multipart/form-data; boundary=b\"]\n"
    "requestContext.requestId: c6af9ac6-7b61-11e6-9a41-93e8deadbeef\nrequestContext.stage: Prod\n"
    f"isBase64Encoded: true\n\n{_FORM}",
    "http_api": "version: \"2.0\"\nrawPath: /predict\nrawQueryString: top=3&details=true\n"
    "headers.content-type: multipart/form-data; boundary=b\n"
    f"requestContext.http.method: POST\nisBase64Encoded: true\n\n{_FORM}",
    "alb": "httpMethod: POST\npath: /nbytes\nrequestContext.elb: {}\n"
    "multiValueQueryStringParameters.threshold: [\"0%2E5\"]\n"
    "multiValueHeaders.content-type: [\"multipart/form-data; boundary=b\"]\n"
    f"isBase64Encoded: true\n\n{_FORM}",
    "options": "httpMethod: OPTIONS\npath: /predict\nheaders.Origin: https://b.example",
    "health": "httpMethod: GET\npath: /health",
    "models": "httpMethod: HEAD\npath: /models/",
    "root": "httpMethod: GET\npath: /\nheaders.Accept: text/html",
    "raw_text": "httpMethod: POST\npath: /shape\nheaders.content-type: image/png\nbody: aGVsbG8=",
    "bad_base64": "httpMethod: POST\npath: /shape\nheaders.content-type: image/png\n"
    "isBase64Encoded: true\nbody: \"aGVsbG8\"",
    "text_form": "httpMethod: POST\npath: /object_detection\n"
    f"headers.content-type: multipart/form-data; boundary=b\n\n{_FORM}",
    "gzip": "httpMethod: POST\npath: /shape\nheaders.content-type: image/gif\n"
    "headers.content-encoding: gzip\nisBase64Encoded: true\n"
    "body: H4sIAAAAAAACA3P3dLOwTGRkYGQAAh0QAWYzMVgDAE2773EaAAAA",
    "deflate": "httpMethod: POST\npath: /shape\nheaders.content-type: image/gif\n"
    "headers.content-encoding: deflate\nisBase64Encoded: true\n"
    "body: eJxz93SzsExkZGBkAAIdEAFmMzFYAwAplQIW",
    "json": "httpMethod: POST\npath: /predict\nheaders.content-type: application/json\n"
    "isBase64Encoded: false\n\n"
    '{"image": "R0lGODlhAQABAAAAACwAAAAAAQABAAACADs=", "url": "http://a/", "strict": true}',
    "urlencoded": "httpMethod: POST\npath: /shape\nqueryStringParameters.strict: true\n"
    "headers.content-type: application/x-www-form-urlencoded\nisBase64Encoded: false\n\n"
    "url=ftp%3A%2F%2Fa&file[]=x&comment=",
    "drawn": "httpMethod: POST\npath: /object_detection\nheaders.accept: image/jpeg\n"
    "headers.content-type: image/gif\nisBase64Encoded: true\n\n"
    "GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00;",
    "options_wrong": "httpMethod: POST\npath: /predict\nqueryStringParameters.threshold: 1e400\n"
    "queryStringParameters.top: \u0663\nqueryStringParameters.details: TRUE",
    "types_wrong": "httpMethod: [\"POST\"]\npath: 7\nheaders: [1]\nqueryStringParameters: \"a=b\"\n"
    "requestContext: null\nisBase64Encoded: \"yes\"\nbody: {\"a\": 1}",
    "forged_id": "httpMethod: GET\npath: /health\nrequestContext.requestId: \"a\\r\\nX-B: c\"",
    "percent": "httpMethod: GET\npath: /%68ealth%2f%00\nrawQueryString: %zz&=&top=%ff",
    "list": "[1, null, {\"httpMethod\": \"GET\"}]",
    "null": "null",
    "deep": "[" * 200 + "]" * 200,
}  # fmt: skip

_TYPE = "multipart/form-data; boundary=b"
_IMAGE = 'Content-Disposition: form-data; name="image"; filename="a.jpg"'
_URL = 'Content-Disposition: form-data; name="url"'

FORM_HEADS: dict[str, tuple[str, tuple[str, ...]]] = {
    "curl": (_TYPE, (f"{_IMAGE}\nContent-Type: image/jpeg", _URL)),
    "browser": (
        _TYPE,
        (
            'Content-Disposition: form-data; name="image"; filename="a %22b%22.jpg"\n'
            "Content-Type: image/jpeg",
            'Content-Disposition: form-data; name="comment"',
        ),
    ),
    "requests": (_TYPE, (_IMAGE, _URL, _IMAGE)),
    "aiohttp": (
        'multipart/form-data; boundary="b"',
        (f"Content-Type: image/png\n{_IMAGE}; filename*=utf-8''a.jpg",),
    ),
    "okhttp": (_TYPE, (f"{_IMAGE}\nContent-Type: image/png\nContent-Length: 75",)),
    "apache": (
        "multipart/form-data; charset=UTF-8; boundary=b",
        (f"{_IMAGE}\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: binary",),
    ),
    "dotnet": (
        'multipart/form-data; boundary="b"',
        ("Content-Type: image/png\nContent-Disposition: form-data; name=image; filename=a.jpg",),
    ),
    "dart": (_TYPE, (f"content-type: image/png\n{_IMAGE.lower()}",)),
    "go": (
        _TYPE,
        ('Content-Disposition: form-data; name="image"; filename="a\\"b\\\\c.jpg"',),
    ),
    "ie": (_TYPE, ('Content-Disposition: form-data; name="image"; filename="C:\\\\a\\\\b.jpg"',)),
    "latin1": (_TYPE, ('Content-Disposition: form-data; name="image"; filename="\xe7\xff.jpg"',)),
    "odd_case": ("Multipart/Form-Data; Boundary=b", (f"CONTENT-DISPOSITION:{_IMAGE[20:]}",)),
    "no_filename": (_TYPE, ('Content-Disposition: form-data; name="image"',)),
    "other_names": (_TYPE, ('Content-Disposition: form-data; name="file"',)),
}
"""Content-Type, and the headers of each field. The dialects follow the documentation and sources of
the clients."""

_OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_PUBLIC = "93.184.216.34"


def _moved(location: str, status: int = 302) -> str:
    return (
        f"{_PUBLIC}\nHTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    )


_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chain(url: str, *hops: str) -> str:
    return "\n%hop\n".join((url, *hops))


FETCHES = {
    "plain": _chain("http://a.example/b.png?c=d#e", f"{_PUBLIC}\n{_OK}"),
    "https": _chain("https://a.example:443/", f"2606:2800:220:1::1 {_PUBLIC}\n{_OK}"),
    "unknown_name": _chain("http://a.invalid/", ""),
    "loopback": _chain("http://a.example/", f"127.0.0.1\n{_OK}"),
    "one_of_two_internal": _chain("http://a.example/", f"{_PUBLIC} 10.0.0.1\n{_OK}"),
    "mapped": _chain("http://a.example/", f"::ffff:169.254.169.254\n{_OK}"),
    "nat64": _chain("http://a.example/", f"64:ff9b::7f00:1\n{_OK}"),
    "6to4": _chain("http://a.example/", f"2002:7f00:1::\n{_OK}"),
    "zone": _chain("http://[fe80::1%25eth0]/", f"fe80::1%eth0\n{_OK}"),
    "literal": _chain("http://[::1]/", f"::1\n{_OK}"),
    "odd_number": _chain("http://0x7f.1/", f"127.0.0.1\n{_OK}"),
    "credentials": _chain("http://user:pw@a.example/", f"{_PUBLIC}\n{_OK}"),
    "other_port": _chain("http://a.example:22/", f"{_PUBLIC}\n{_OK}"),
    "other_scheme": "file:///etc/passwd",
    "split_header": _chain("http://a.example/%0d%0aX:%20y", f"{_PUBLIC}\n{_OK}"),
    "moved_inside": _chain("http://a.example/", _moved("http://b.example/"), f"10.0.0.1\n{_OK}"),
    "moved_relative": _chain("http://a.example/b/", _moved("../c d"), f"{_PUBLIC}\n{_OK}"),
    "moved_to_file": _chain("http://a.example/", _moved("file:///etc/passwd", 308)),
    "moved_in_a_circle": _chain("http://a.example/", _moved("//a.example:443/")),
    "chunked": _chain(
        "http://a.example/", f"{_PUBLIC}\n{_CHUNKED}5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n"
    ),
    "gzip": _chain(
        "http://a.example/",
        f"{_PUBLIC}\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00\x00",
    ),
    "deflate": _chain(
        "http://a.example/",
        f"{_PUBLIC}\nHTTP/1.1 203 OK\r\nContent-Encoding: deflate\r\n\r\n"
        "x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15",
    ),
    "whole_range": _chain(
        "http://a.example/",
        f"{_PUBLIC}\nHTTP/1.1 206 OK\r\nContent-Range: bytes 0-4/5\r\n\r\nhello",
    ),
    "international": _chain("http://fa\xc3\x9f.\xe3\x80\x82example/", f"{_PUBLIC}\n{_OK}"),
    "no_length": _chain("http://a.example/", f"{_PUBLIC}\nHTTP/1.0 200 OK\r\n\r\nhello"),
    "cut": _chain("http://a.example/", f"{_PUBLIC}\n{_OK[:-2]}"),
    "said_too_large": _chain(
        "http://a.example/", f"{_PUBLIC}\nHTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"
    ),
    "endless": _chain("http://a.example/", f"{_PUBLIC}\nHTTP/1.1 200 OK\r\n\r\n%repeat\nx"),
    "endless_continue": _chain(
        "http://a.example/", f"{_PUBLIC}\n%repeat\nHTTP/1.1 100 Continue\r\n\r\n"
    ),
    "endless_header": _chain("http://a.example/", f"{_PUBLIC}\nHTTP/1.1 200 OK\r\nX: %repeat\ny"),
    "endless_extension": _chain("http://a.example/", f"{_PUBLIC}\n{_CHUNKED}1;%repeat\nx"),
    "endless_trailers": _chain("http://a.example/", f"{_PUBLIC}\n{_CHUNKED}0\r\n%repeat\nx: y\r\n"),
    "not_found": _chain("http://a.example/", f"{_PUBLIC}\nHTTP/1.1 404 Not Found\r\n\r\n"),
    "not_http": _chain("http://a.example/", f"{_PUBLIC}\nSSH-2.0-OpenSSH_9.2\r\n"),
}
