"""What is a mail address, what is a domain, and when are two of them the same?

An address is parsed once, at the door it came through, and compared by value from then on.
Domains are held as A-labels in lower case (behaviour.md D-43); the local part is kept as given, but
for quotes that it does not need, and matched without regard to case. The null sender of RFC 5321
section 4.5.5 is a value of its own, never an empty string.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NewType, final

import idna
from msgspec import Struct

Domain = NewType("Domain", str)
"""A domain in canonical form: A-labels, lower case, no trailing dot. Made by `parse_domain` only."""

MAX_DOMAIN_OCTETS: Final = 253  # RFC 1035 section 2.3.4, without the root's length octet
MAX_ADDRESS_OCTETS: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
"""The only limit of a local part as well. The 64 octets of section 4.5.3.1.1 are what everybody must take, and a
server should take more (section 4.5.3.1); senders with long tokens in their addresses count on it."""

_DOT_ATOM: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
    r"(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
)
# Dots where RFC 5321 has none without quotes. Some carriers gave out such addresses, and Postfix takes them.
_STRAY_DOTS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+")
_QUOTED: Final = re.compile(r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"')
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
_NEEDS_BACKSLASH: Final = re.compile(r'["\\]')
# By these older mail servers are told to send a message on: user%other.test, other.test!user,
# "user@other.test". Colon, slash and bar lead to gateways, files and programs; controls to nothing good.
_ROUTING: Final = re.compile(r"[@%!:/|\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Underscores are no host names, yet live in the domains of real senders.
_LABELS: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_LITERAL: Final = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|ipv6:[0-9a-f:.]+)\]")


_MADE_HARMLESS: Final = re.compile(r"[\[({](?:\.|dot)[\])}]")
_SEVERAL: Final = re.compile(r"[\s,;]")


class AddressError(ValueError):
    """The text is no mail address or no domain. The message says why, without repeating the text."""


class Address(Struct, frozen=True, eq=False, gc=False):
    """A mail address other than the null sender.

    `local` is the local part with no more quoting than it needs, its case as given; `domain` the
    canonical domain, and `key` what the address is matched by, see `address_key`. Equality and hash go by
    `key`. Two mailboxes may share a key (`Bob@` and `bob@`): that is how policies see them, and no reason to
    deliver to one of them only.
    """

    local: str
    domain: Domain
    key: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self.key == other.key

    def __ne__(self, other: object) -> bool:
        # Not derived: a Struct brings its own, which asks whether it is the same object.
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@final
class NullSender(Struct, frozen=True):
    """The empty reverse path `<>` of bounces (RFC 5321 section 4.5.5)."""

    def __str__(self) -> str:
        return ""


NULL_SENDER: Final = NullSender()

Sender = Address | NullSender


@lru_cache(maxsize=65_536)
def parse_domain(text: str) -> Domain:
    """The canonical form of a domain: A-labels, lower case, one trailing dot removed.

    A name has one form however it is spelt (behaviour.md D-43): with letters beyond ASCII or as A-labels, composed
    or not, with full stops of other scripts. So names are taken in the one spelling that would be taken in the
    other, even such as no registry gives out, with an underscore or a heart in them.
    Raises `AddressError` for anything that is no domain: empty, wildcards, over-long or malformed
    labels, or characters that UTS 46 allows in no name.
    """
    name = text if text.isascii() else _a_labels(text)
    name = name.removesuffix(".").lower()
    if "*" in name:
        raise AddressError("a domain cannot hold a wildcard")
    if len(name) > MAX_DOMAIN_OCTETS:
        raise AddressError(f"the domain is longer than {MAX_DOMAIN_OCTETS} octets")
    if not _LABELS.fullmatch(name):
        raise AddressError(_why_no_domain(name))
    return Domain(name)


def _why_no_domain(name: str) -> str:
    """What people write instead of a domain most often, or that it is malformed."""
    if _MADE_HARMLESS.search(name):
        return "the dots are in brackets, as reports have them; write them alone"
    if _SEVERAL.search(name):
        return "a domain holds no space or comma; give one"
    if "/" in name or ":" in name:
        return "this is a URL, or part of one; give the domain alone"
    return "the domain is malformed"


def _a_labels(text: str) -> str:
    if len(text) > MAX_DOMAIN_OCTETS:  # no A-label is shorter, and encoding takes time
        raise AddressError(f"the domain is longer than {MAX_DOMAIN_OCTETS} octets")
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        return ".".join(label if label.isascii() else "xn--" + _punycode(label) for label in mapped.split("."))
    except (idna.IDNAError, UnicodeError) as problem:
        raise AddressError("the domain is not a valid internationalised name") from problem


def _punycode(label: str) -> str:
    return label.encode("punycode").decode("ascii")


def parse_address(text: str) -> Address:
    """The address written as `local@domain`, without angle brackets or display name.

    The local part is a dot-atom or a quoted string (RFC 5321 section 4.1.2), with non-ASCII letters
    as RFC 6531 has them; the domain a name or an address literal. Quoting is spelling and no part of
    the mailbox, so `"ann"@x.test` and `"a\\nn"@x.test` are `ann@x.test`. Dots that would need quotes are
    taken without them, and get them: `a..b@x.test` is `"a..b"@x.test`. Raises `AddressError`.
    """
    local, at, domain_text = text.rpartition("@")
    if not at or not local or not domain_text:
        raise AddressError("an address has the form local@domain")
    quoted = not _DOT_ATOM.fullmatch(local)
    if quoted and not _QUOTED.fullmatch(local):
        if not _STRAY_DOTS.fullmatch(local):
            raise AddressError("the part before the @ is malformed")
        local = f'"{local}"'
    octets = len(local) if local.isascii() else _utf8_length(local)
    if domain_text.startswith("["):
        literal = domain_text.lower()
        if not _LITERAL.fullmatch(literal):
            raise AddressError("the address literal is malformed")
        domain = Domain(literal)
    else:
        domain = parse_domain(domain_text)
    if octets + 1 + len(domain) > MAX_ADDRESS_OCTETS:
        raise AddressError(f"the address is longer than {MAX_ADDRESS_OCTETS} octets")
    if quoted:
        local = _requoted(local)
    return Address(local, domain, address_key(local, domain))


def address_key(local: str, domain: str) -> str:
    """What an address is matched by: its local part as `fold_local` has it, `@`, and the domain."""
    return f"{fold_local(local)}@{domain}"


def fold_local(local: str) -> str:
    """The form local parts are compared in: without case, and composed (NFC).

    A letter may be written as one character or as two, and mail programs write either (RFC 6532 section 3.1).
    """
    return local.lower() if local.isascii() else unicodedata.normalize("NFC", local.lower())


def parse_sender(text: str) -> Sender:
    """The envelope sender: an address, or `NULL_SENDER` for the empty text. Raises `AddressError`."""
    return parse_address(text) if text else NULL_SENDER


def without_tags(key: str) -> Iterator[str]:
    """The keys of the address with less and less of its `+tag`, the last one without any (behaviour.md D-18).

    None for an address without a tag, and for one that consists of a tag. Mail servers part the tag from what the
    quotes hold, so `"jo+a b"@` and `jo+a..b@`, which is the same as `"jo+a..b"@`, are `jo@` as well.
    """
    local, _, domain = key.rpartition("@")
    quoted = local.startswith('"')
    text = local[1:-1] if quoted else local
    end = text.rfind("+")
    while end > 0:
        shorter = _requoted(f'"{text[:end]}"') if quoted else text[:end]
        yield f"{shorter}@{domain}"
        end = text.rfind("+", 0, end)


def is_sendable(text: str) -> bool:
    """Whether an altered address is within the limit of all addresses: a pattern may put a long local part before
    a longer domain."""
    return len(text) <= MAX_ADDRESS_OCTETS and len(text.encode("utf-8", "surrogateescape")) <= MAX_ADDRESS_OCTETS


def is_sender_routed(address: Address) -> bool:
    """Whether a mail server behind us could read the local part as a way to somewhere else.

    Such forms are of RFC 1123 section 5.2.16 and before; who takes them from strangers is an open relay.
    """
    return _ROUTING.search(address.local) is not None


def _requoted(quoted: str) -> str:
    """The one spelling of a quoted local part: without quotes where it can be, else without idle backslashes."""
    text = _QUOTED_PAIR.sub(r"\1", quoted[1:-1])
    return text if _DOT_ATOM.fullmatch(text) else f'"{_NEEDS_BACKSLASH.sub(_with_backslash, text)}"'


def _with_backslash(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _utf8_length(text: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError as problem:
        raise AddressError("the part before the @ is not valid Unicode") from problem
