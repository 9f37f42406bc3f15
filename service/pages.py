"""The pages: the try page, Swagger UI and the API's definition.

Files are read on the first request for them, not at startup.
"""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from gateway.routes import Route

FOLDER = Path(__file__).parent.parent / "pages"

FILES: Mapping[Route, tuple[str, str]] = {
    Route.TRY: ("index.html", "text/html; charset=utf-8"),
    Route.DOCS: ("docs.html", "text/html; charset=utf-8"),
    Route.DEFINITION: ("swagger.json", "application/json"),
    Route.SWAGGER_UI_STYLE: ("swagger_ui/swagger-ui.css.gz", "text/css; charset=utf-8"),
    Route.SWAGGER_UI_SCRIPT: ("swagger_ui/swagger-ui-bundle.js.gz", "text/javascript"),
}
"""File below `FOLDER` and media type of each page."""

POLICIES: Mapping[Route, str] = {
    # Pictures of urls are shown from their own host; `blob:` are the user's files.
    Route.TRY: "img-src 'self' blob: data: https: http:; connect-src 'self'",
    # Swagger UI's icons are data urls.
    Route.DOCS: "img-src 'self' blob: data:; connect-src 'self'",
}
"""Directives besides those for the page's own scripts and styles. `connect-src` is last: the upload
bucket's origin is appended."""

REVALIDATE = "no-cache"
FOREVER = "public, max-age=31536000, immutable"
"""Caching of files whose urls name their version, such as ``swagger-ui.css?v=...``."""

INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is sent.

    Attributes:
        text: Content of the file.
        content_type: Media type of the file.
        headers: Header fields for caching and for the browser's security.
    """

    text: str
    content_type: str
    headers: Mapping[str, str]


@cache
def page_of(route: Route, upload_origin: str = "") -> Page:
    """Return the page of a route.

    Args:
        route: A route of `FILES`.
        upload_origin: Origin that the page may connect to besides the API; "" for none.
    """
    name, content_type = FILES[route]
    content = (FOLDER / name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    text = content.decode()
    headers = {
        "Cache-Control": FOREVER if name.endswith(".gz") else REVALIDATE,
        # Weak: API Gateway may compress the content.
        "ETag": f'W/"{sha256(content).hexdigest()[:16]}"',
        "X-Content-Type-Options": "nosniff",
    }
    if route in POLICIES:
        allowed = f"{POLICIES[route]} {upload_origin}".rstrip()
        headers["Content-Security-Policy"] = content_security_policy(text, allowed)
        headers["Referrer-Policy"] = "no-referrer"
    return Page(text, content_type, headers)


def content_security_policy(html: str, allowed: str) -> str:
    """Return a policy that allows the page's own scripts and styles only.

    Inline elements are allowed by their hash, so injected ones have no effect
    (https://www.w3.org/TR/CSP3/#grammardef-hash-source).

    Args:
        html: Page whose inline elements are `<script>` and `<style>` without attributes.
        allowed: Further directives.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in INLINE.findall(html):
        hashes[kind].append(f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'")
    sources = {kind: " ".join(["'self'", *hashes[kind]]) for kind in hashes}
    return (
        f"default-src 'none'; script-src {sources['script']}; style-src {sources['style']}; "
        f"{allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
