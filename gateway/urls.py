"""A client's url -> where it leads, if it is one that may be opened."""

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
"""Control characters, white space and the backslash: parsers disagree about where they belong."""

HOST = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+\.?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name of labels, or an IPv6 address without a zone. Others (``%``, ``,``, ``~``, quotes) are in
no name of the public internet, and read differently by whoever reads them next."""

ENDS_IN_A_NUMBER = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
"""Such a host is an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one hop goes: a url that passed the gate, taken apart.

    Attributes:
        scheme: `http` or `https`.
        host: Lower-case ASCII, an address literal without brackets.
        port: 80 or 443.
        resource: Path and query for the request line, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    resource: str

    @property
    def authority(self) -> str:
        """The Host field: no port where it is the scheme's own (RFC 9112, section 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Take a url apart if it is one that may be opened.

    Raises:
        UrlNotAllowed: The message says which rule it breaks.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlNotAllowed(f"The url is longer than {MAX_URL_LENGTH} characters.")
    if FORBIDDEN_CHARACTERS.search(url):
        raise UrlNotAllowed("The url has spaces, backslashes or control characters in it.")
    try:
        split = urlsplit(url)
        scheme, host, port = split.scheme, split.hostname or "", split.port
        host = host if ":" in host else host.encode("idna").decode("ascii").lower()
        if host and not HOST.fullmatch(host):
            raise ValueError("The host has characters that none has.")
        if ENDS_IN_A_NUMBER.search(host):  # One spelling is enough: not 0x7f.1, 2130706433, 010.1.
            IPv4Address(host)
        path = quote(split.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = quote(split.query, safe="/?%:@!$&'()*+,;=~-._")
    except (ValueError, UnicodeError) as error:
        raise UrlNotAllowed("The url is not well-formed.") from error
    if scheme not in PORTS:
        raise UrlNotAllowed("Only http and https urls are opened.")
    if split.username is not None or split.password is not None:
        raise UrlNotAllowed("Urls with a user name or password are not opened.")
    if not host:
        raise UrlNotAllowed("The url has no host name.")
    port = PORTS[scheme] if port is None else port
    if port not in ALLOWED_PORTS:
        raise UrlNotAllowed("Only ports 80 and 443 are opened.")
    return Target(scheme, host, port, f"{path}?{query}" if query else path)


def describe_url(url: str) -> str:
    """A url for answers and logs: scheme, host and path, without what may be secret.

    One that is too long to be opened is not described: urlsplit would keep it in its cache.
    """
    if len(url) > MAX_URL_LENGTH:
        return ""
    try:
        split = urlsplit(url)
        shown = f"{split.scheme}://{split.hostname or ''}{split.path}"
    except ValueError:
        return ""
    return "" if "@" in shown else shown  # Credentials in the wrong place, such as "user:pw@host".


def is_listed(host: str, hosts: Collection[str]) -> bool:
    """Whether a host is one of a list.

    Args:
        host: A `Target`'s.
        hosts: Names in lower-case ASCII; ``*.a.example`` stands for every name below `a.example`,
            however far, and not for `a.example` itself.
    """
    above = host.split(".")
    parents = {".".join(["*", *above[i:]]) for i in range(1, len(above))}
    return not parents.isdisjoint(hosts) or host in hosts
