"""Parse and validate the urls that clients send."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import quote, urlsplit

from gateway.errors import UrlNotAllowed

MAX_URL_LENGTH = 2048
PORTS = {"http": 80, "https": 443}
ALLOWED_PORTS = frozenset(PORTS.values())

FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")
"""Control characters, white space and backslashes, which url parsers treat differently."""

HOST = re.compile(
    r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}+(?:\.[a-z0-9_-]{1,63}+)*+\.?|[0-9a-f:.]*:[0-9a-f:.]*"
)
"""A domain name, or an IPv6 address without a zone. Public names have no other characters (``%``,
``,``, ``~``, quotes), and parsers interpret those differently."""

ENDS_IN_A_NUMBER = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
"""A host that is an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker"""


@dataclass(frozen=True, slots=True)
class Target:
    """A validated url, split into its components.

    Attributes:
        scheme: `http` or `https`.
        host: Host name in lower-case ASCII, or an address without brackets.
        port: 80 or 443.
        resource: Percent-encoded path and query for the request line.
    """

    scheme: str
    host: str
    port: int
    resource: str

    @property
    def authority(self) -> str:
        """Host header, without the scheme's default port (RFC 9112, section 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Validate a url and split it into its components.

    Raises:
        UrlNotAllowed: The url breaks a rule, which the message names.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlNotAllowed(
            f"The url is longer than {MAX_URL_LENGTH} characters. Send the picture itself."
        )
    if FORBIDDEN_CHARACTERS.search(url):
        raise UrlNotAllowed(
            "The url contains spaces, backslashes or control characters. Percent-encode them."
        )
    try:
        split = urlsplit(url)
        scheme, host, port = split.scheme, split.hostname or "", split.port
        host = host.lower() if host.isascii() else _to_ascii(host)
        if host and not HOST.fullmatch(host):
            raise ValueError("The host contains invalid characters.")
        if ENDS_IN_A_NUMBER.search(
            host
        ):  # Accept only four decimal numbers: not 0x7f.1, 2130706433 or 010.1.
            IPv4Address(host)
        path = quote(split.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = quote(split.query, safe="/?%:@!$&'()*+,;=~-._")
    except (ValueError, UnicodeError) as error:
        raise UrlNotAllowed("The url is not valid. Check its spelling.") from error
    if scheme not in PORTS:
        raise UrlNotAllowed("Only http and https urls are supported.")
    if split.username is not None or split.password is not None:
        raise UrlNotAllowed("Urls with a user name or password are not supported.")
    if not host:
        raise UrlNotAllowed("The url has no host name.")
    port = PORTS[scheme] if port is None else port
    if port not in ALLOWED_PORTS:
        raise UrlNotAllowed("Only ports 80 and 443 are supported.")
    return Target(scheme, host, port, f"{path}?{query}" if query else path)


def _to_ascii(host: str) -> str:
    """Convert an international host name as browsers do (UTS 46, nontransitional, IDNA 2008).

    Raises:
        UnicodeError: The name is not valid.
    """
    import idna  # Imported here because few requests have such a name, and startup would pay.

    name = idna.uts46_remap(host, std3_rules=False, transitional=False)
    return ".".join(
        label if label.isascii() else idna.alabel(label).decode() for label in name.split(".")
    )


def describe_url(url: str) -> str:
    """Return a url's scheme, host and path for responses and logs, without possible secrets.

    Return "" for urls over the length limit, because `urlsplit` would cache them.
    """
    if len(url) > MAX_URL_LENGTH:
        return ""
    try:
        split = urlsplit(url)
        shown = f"{split.scheme}://{split.hostname or ''}{split.path}"
    except ValueError:
        return ""
    return "" if "@" in shown else shown  # Misplaced credentials such as "user:pw@host".


def is_listed(host: str, hosts: Collection[str]) -> bool:
    """Return whether a host is in a list.

    Args:
        host: Host of a `Target`.
        hosts: Names in lower-case ASCII. ``*.a.example`` matches every name below `a.example`, at
            any depth, but not `a.example` itself.
    """
    above = host.split(".")
    parents = {".".join(["*", *above[i:]]) for i in range(1, len(above))}
    return not parents.isdisjoint(hosts) or host in hosts
