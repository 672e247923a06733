"""What host, path and query does a URL really mean? Canonical forms for the web lists.

URLs are read as browsers read them (WHATWG URL Standard), so that a disguised host is the host that
the request would reach: `0x7f.1`, percent-encoded letters, internationalised names, backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import parse_qsl, quote

import ada_url
from msgspec import Struct

REQUEST_SCHEMES: Final = frozenset(("http", "https", "ftp", "ws", "wss"))
ENTRY_SCHEMES: Final = frozenset(("http", "https", "ftp"))
"""Those that behaviour.md section 6.1 strips from an entry."""

_C0_AND_SPACE: Final = "".join(map(chr, range(0x21)))
_STRIPPED: Final = str.maketrans("", "", "\t\n\r")  # the standard removes these anywhere
_ORDINARY: Final = re.compile("https?://[!-~]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WHOLE_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST_AND_PORT: Final = re.compile(r"[^/\\?#@:]+:\d+")
_AUTHORITY: Final = re.compile(r"[^/\\?#]+")
_PERCENT: Final = re.compile("%([0-9A-Fa-f]{2})?")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NO_PARAMETERS: Final[frozenset[tuple[str, str]]] = frozenset()  # one value for all entries
_PLAIN_IN_QUERY: Final = "/?:@!$'()*,;~"
MAX_URL: Final = 65_536
"""Characters of a URL; browsers and proxies take no longer ones. All parameters within it are looked at, so this
bounds the work, and no number of other parameters in front of one hides it."""

MAX_HOST: Final = 253
"""Characters of the host of an entry: no name has more (RFC 1035 section 2.3.4), so no request gets to one."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""The addresses of IPv4 hosts to those who have IPv6 alone (RFC 6052 section 2.1)."""


class UrlError(ValueError):
    """The text is no URL of a kind that web lists deal with. The message says why."""


class WebUrl(Struct, frozen=True, gc=False):
    """A URL without scheme, credentials, port and fragment, which no list distinguishes.

    `host` is in A-labels without a trailing dot, or an IP address. `path` is empty or begins with a
    slash and never ends with one. `query` comes without its question mark.
    """

    host: str
    path: str
    query: str
    has_credentials: bool = False

    def __str__(self) -> str:
        return f"{self.host}{self.path}?{self.query}" if self.query else self.host + self.path


def says_more_than_host(text: str) -> bool:
    """Whether what somebody typed is taken for a URL rather than a domain: it has a path or a query."""
    found = _WHOLE_SCHEME.match(text)
    rest = text if found is None else text[found.end() :]
    return bool(rest.partition("/")[2]) or "?" in rest


def domains_above(host: str) -> Iterator[str]:
    """The domains above a host, the nearest first."""
    at = host.find(".") + 1
    while at:
        yield host[at:]
        at = host.find(".", at) + 1


def is_address(host: str) -> bool:
    """Whether a canonical host is an IP address. A name's last label is no number."""
    return host.startswith("[") or host.rpartition(".")[2].isdigit()


def parse_web_url(text: str, schemes: frozenset[str] = REQUEST_SCHEMES) -> WebUrl:
    """The canonical parts of a URL; the scheme may be missing. Raises `UrlError`.

    Paths are compared as D-40 has it: case counts, dot segments are removed, and percent-encoding is
    made uniform (RFC 3986 section 6.2.2). An IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2, RFC 6052
    section 2.1) is the IPv4 address, which is where the request goes.
    """
    if len(text) > MAX_URL:
        raise UrlError(f"the URL is longer than {MAX_URL} characters")
    if not _ORDINARY.fullmatch(text):
        text = _with_scheme(text, schemes)
    try:
        href = ada_url.normalize_url(text)
    except ValueError as problem:
        raise UrlError("this is no valid URL") from problem
    # What the parser has written is regular: scheme://[credentials@]host[:port]/path[?query][#fragment]
    _, _, rest = href.partition("://")
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    credentials, at, host = authority.rpartition("@")
    if not host.endswith("]"):
        name, colon, port = host.rpartition(":")
        host = name if colon and port.isdigit() else host
    host = host.rstrip(".") if not host.endswith("..") else _without_dots(host)
    if host.startswith(("[::ffff:", "[64:ff9b::")):
        host = _ipv4_behind(host)
    if not host:
        raise UrlError("the URL has no host")
    path = ("/" + path).rstrip("/")
    if "%" in path:
        path = _PERCENT.sub(_uniform, path)
    if "%" in query:
        query = _PERCENT.sub(_uniform, query)
    return WebUrl(host, path, query, bool(at and credentials))


class UrlParts(Struct, frozen=True):
    """A URL in parts, for people. `scheme` is `http` where none was written, `port` -1 where none was or it is the
    scheme's own; `path` is empty where nothing but a slash was, and `query` is without its question mark."""

    scheme: str
    host: str
    port: int
    path: str
    query: str


def url_parts(text: str, schemes: frozenset[str] = REQUEST_SCHEMES) -> UrlParts:
    """The parts of a URL as they were written, but for what the standard makes regular. Raises `UrlError`."""
    host = parse_web_url(text, schemes).host
    if not _ORDINARY.fullmatch(text):
        text = _with_scheme(text, schemes)
    found = ada_url.parse_url(text)
    port = found["port"]
    return UrlParts(
        scheme=found["protocol"].removesuffix(":"),
        host=host,
        port=int(port) if port else -1,
        path="" if found["pathname"] == "/" else found["pathname"],
        query=found["search"].removeprefix("?"),
    )


def host_of(text: str) -> str:
    """The part of a URL that names host and port, for whoever sees no more of it; not validated."""
    found = _AUTHORITY.match(text.partition("://")[2] or text)
    return found[0] if found else text


@lru_cache(maxsize=1)  # many entries are asked about one request after the other
def parameters(query: str) -> frozenset[tuple[str, str]]:
    """The parameters of a query, decoded. Neither order nor repetition counts (behaviour.md D-39).

    Each octet becomes one character: what is no UTF-8 must not be taken for other octets that are none either.
    """
    if not query:
        return _NO_PARAMETERS
    distinct = dict.fromkeys(query.split("&"))  # a thousand repetitions are decoded once
    return frozenset(parse_qsl("&".join(distinct), keep_blank_values=True, encoding="latin-1"))


def canonical_query(query: str) -> str:
    """The text that all queries with these parameters share: each once, in order, octets spelt in one way."""
    return "&".join(
        _in_query(name) + (f"={_in_query(value)}" if value else "") for name, value in sorted(parameters(query))
    )


def _in_query(text: str) -> str:
    return quote(text, safe=_PLAIN_IN_QUERY, encoding="latin-1")


def _without_dots(host: str) -> str:
    """A host without the dots at its end. Proxies take off all of them, and what is left may be an address, which
    the parser did not see with two dots behind it (`127.1..`). Raises `UrlError`."""
    bare = host.rstrip(".")
    try:
        return ada_url.normalize_url(f"http://{bare}/").removeprefix("http://").removesuffix("/") if bare else ""
    except ValueError as problem:
        raise UrlError("this is no valid URL") from problem


def _ipv4_behind(host: str) -> str:
    """The IPv4 address that an IPv6 address in brackets stands for, or what was given."""
    address = IPv6Address(host[1:-1])
    mapped = address.ipv4_mapped
    if mapped is None and address in _NAT64:
        mapped = IPv4Address(int(address) & 0xFFFF_FFFF)
    return host if mapped is None else str(mapped)


def _with_scheme(text: str, schemes: frozenset[str]) -> str:
    """The text with a scheme in front, its own or `http`. Raises `UrlError` for a scheme that is not wanted."""
    text = text.strip(_C0_AND_SPACE).translate(_STRIPPED)
    if not text:
        raise UrlError("the URL is empty")
    # `host:443`, as a proxy names the target of a tunnel, looks like a scheme and is none.
    found = None if _HOST_AND_PORT.fullmatch(text) else _SCHEME.match(text)
    if found is None:
        return "http://" + text
    scheme = found[1].lower()
    if scheme in schemes:
        return text
    if scheme not in REQUEST_SCHEMES and not text.startswith("//", found.end()) and "." in scheme:
        return "http://" + text  # host:port/path; only a name with a dot is likelier a host than a scheme
    raise UrlError(f"the scheme must be one of {', '.join(sorted(schemes))}")


def _uniform(found: re.Match[str]) -> str:
    digits = found[1]
    if digits is None:
        return "%25"
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else f"%{digits.upper()}"
