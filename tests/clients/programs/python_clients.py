"""Python's HTTP clients: `python python_clients.py NAME API SMALL OTHER URL`."""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path
from typing import Any, BinaryIO

NAME, API, SMALL, OTHER, URL = sys.argv[1:]
SHAPE = f"{API}/shape"
JPEG = "image/jpeg"
SMALL_BYTES, OTHER_BYTES = Path(SMALL).read_bytes(), Path(OTHER).read_bytes()
FILES = [("image", ("a.jpg", SMALL_BYTES, JPEG)), ("image", ("b.jpg", OTHER_BYTES, JPEG))]
ARRAY = [(f"{name}[]", file) for name, file in FILES]
GZIPPED = {"Content-Type": JPEG, "Content-Encoding": "gzip"}


def opened() -> BinaryIO:
    return Path(SMALL).open("rb")  # Clients read its name and its content.


def show(case: str, body: str) -> None:
    print(case, body.strip(), sep="\t")


def use_requests() -> None:
    import requests

    show("form", requests.post(SHAPE, files=FILES, data={"url": URL}, timeout=30).text)
    show("file", requests.post(SHAPE, files={"image": opened()}, timeout=30).text)
    show("url", requests.post(SHAPE, data={"url": URL}, timeout=30).text)
    show("json", requests.post(SHAPE, json={"url": URL}, timeout=30).text)
    show("array", requests.post(SHAPE, files=ARRAY, timeout=30).text)
    body = gzip.compress(SMALL_BYTES)
    show("gzip", requests.post(SHAPE, data=body, headers=GZIPPED, timeout=30).text)


def use_httpx() -> None:
    import httpx

    client: Any = httpx.Client(timeout=30)
    show("form", client.post(SHAPE, files=FILES, data={"url": URL}).text)
    show("file", client.post(SHAPE, files={"image": opened()}).text)
    show("url", client.post(SHAPE, data={"url": URL}).text)
    show("json", client.post(SHAPE, json={"url": URL}).text)
    show("array", client.post(SHAPE, files=ARRAY).text)
    body = gzip.compress(SMALL_BYTES)
    show("gzip", client.post(SHAPE, content=body, headers=GZIPPED).text)


def use_urllib3() -> None:
    import urllib3

    pool: Any = urllib3.PoolManager()
    fields = [*FILES, ("url", URL)]
    show("form", pool.request("POST", SHAPE, fields=fields).data.decode())
    show("file", pool.request("POST", SHAPE, fields=FILES[:1]).data.decode())
    show(
        "url",
        pool.request("POST", SHAPE, fields={"url": URL}, encode_multipart=False).data.decode(),
    )
    show("array", pool.request("POST", SHAPE, fields=ARRAY).data.decode())
    body = gzip.compress(SMALL_BYTES)
    show("gzip", pool.request("POST", SHAPE, body=body, headers=GZIPPED).data.decode())


async def use_aiohttp() -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def post(case: str, **arguments: Any) -> None:
            async with session.post(SHAPE, **arguments) as response:
                show(case, await response.text())

        def form(*fields: tuple[str, Any]) -> Any:
            data = aiohttp.FormData()
            for name, (filename, content, kind) in fields:
                data.add_field(name, content, filename=filename, content_type=kind)
            return data

        whole = form(*FILES)
        whole.add_field("url", URL)
        await post("form", data=whole)
        await post("file", data={"image": opened()})
        await post("url", data={"url": URL})
        await post("json", json={"url": URL})
        await post("array", data=form(*ARRAY))
        await post("gzip", data=form(*FILES[:1]), compress="gzip")


def use_http_client() -> None:
    """The standard library with email.mime, which encodes parts in base64."""
    import urllib.parse
    import urllib.request
    from email.mime.image import MIMEImage
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    def part(name: str, content: bytes) -> MIMEImage:
        image = MIMEImage(content, "jpeg")
        image.add_header("Content-Disposition", "form-data", name=name, filename="a.jpg")
        return image

    def post(case: str, *parts: Any) -> None:
        message = MIMEMultipart("form-data")
        for each in parts:
            message.attach(each)
        body = message.as_bytes().partition(b"\n\n")[2]
        request = urllib.request.Request(SHAPE, body, {"Content-Type": message["Content-Type"]})
        show(case, urllib.request.urlopen(request, timeout=30).read().decode())

    url = MIMEText(URL)
    url.add_header("Content-Disposition", "form-data", name="url")
    post("form", part("image", SMALL_BYTES), part("image", OTHER_BYTES), url)
    post("file", part("image", SMALL_BYTES))
    post("array", part("image[]", SMALL_BYTES), part("image[]", OTHER_BYTES))
    encoded = urllib.parse.urlencode({"url": URL}).encode()
    show("url", urllib.request.urlopen(SHAPE, encoded, timeout=30).read().decode())


CLIENTS = {
    "requests": use_requests,
    "httpx": use_httpx,
    "urllib3": use_urllib3,
    "aiohttp": lambda: asyncio.run(use_aiohttp()),
    "urllib with email.mime": use_http_client,
}
CLIENTS[NAME]()
