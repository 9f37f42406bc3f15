"""The files behind the GET pages: the try page, Swagger UI and the API's definition.

They are read when first asked for, so that a cold start that answers pictures pays nothing.
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
"""Where each page is below `FOLDER`, and its media type."""

POLICIES: Mapping[Route, str] = {
    # Pictures behind a url are shown from where they are; `blob:` are those of the user.
    Route.TRY: "img-src 'self' blob: data: https: http:; connect-src 'self'",
    # Swagger UI writes style attributes, and its icons are data.
    Route.DOCS: "img-src 'self' blob: data:; connect-src 'self'",
}
"""What the content security policy allows besides the page's own script and styles; `connect-src`
comes last, as the try page has to reach one more address."""

REVALIDATE = "no-cache"
FOREVER = "public, max-age=31536000, immutable"
"""For what is named with its version (docs.html asks for ``swagger-ui.css?v=...``)."""

INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is answered.

    Attributes:
        text: Its content.
        content_type: Its media type.
        headers: Further header fields: caching, and how far a browser may trust it.
    """

    text: str
    content_type: str
    headers: Mapping[str, str]


@cache
def page_of(route: Route, upload_origin: str = "") -> Page:
    """The page of a route.

    Args:
        route: One of `gateway.routes.PAGES`.
        upload_origin: What else than the API the page may speak to; "" for nothing.
    """
    name, content_type = FILES[route]
    content = (FOLDER / name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    text = content.decode()
    headers = {
        "Cache-Control": FOREVER if name.endswith(".gz") else REVALIDATE,
        # Weak, as API Gateway compresses what it passes on.
        "ETag": f'W/"{sha256(content).hexdigest()[:16]}"',
        "X-Content-Type-Options": "nosniff",
    }
    if route in POLICIES:
        allowed = f"{POLICIES[route]} {upload_origin}".rstrip()
        headers["Content-Security-Policy"] = content_security_policy(text, allowed)
        headers["Referrer-Policy"] = "no-referrer"
    return Page(text, content_type, headers)


def content_security_policy(html: str, allowed: str) -> str:
    """A policy under which only the page's own script and styles have an effect.

    Those that stand in the page are named by their hash, so what an attacker might get into it
    does nothing (https://www.w3.org/TR/CSP3/#grammardef-hash-source).

    Args:
        html: The page; its inline elements are `<script>` and `<style>` without attributes.
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
