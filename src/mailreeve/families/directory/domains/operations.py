"""What can be done with domains: validate, register, audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, structs

from mailreeve.families.directory.domains import rows
from mailreeve.families.directory.domains.errors import DOMAIN_EXISTS, not_managed
from mailreeve.families.directory.domains.rows import DomainRow
from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.directory.users import rows as users
from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_DOMAIN, NOT_ALLOWED, refused
from mailreeve.wire.tokens import Kind

# A new domain of the live service has these two users (api.md section 3.6). Mail to the postmaster has to be taken
# anyhow (RFC 5321 section 4.5.1), also where only known recipients are.
SYSTEM_USERS: Final = (("abuse", "Domain abuse address"), ("postmaster", "Domain postMaster address"))


class Wanted(Struct, frozen=True):
    """A domain that may be registered: its name, what was typed, and how its recipients are validated."""

    name: Domain
    shown: str
    inbound_type: InboundType


def register(work: Work, text: str, inbound_type: str | None = None) -> DomainRow:
    """A new domain, internal at once, with its system users. Raises `ItemRefused`."""
    return add(work, wanted(work, text, inbound_type))


def wanted(work: Work, text: str, inbound_type: str | None) -> Wanted:
    """A domain that nobody has yet. Raises `ItemRefused`.

    What holds of the live service's rules (api.md section 3.8): a domain that any account manages is not
    registered again, nor one below another account's; the refusal does not tell whose it is.
    """
    name = fields.domain(text, "domain")
    _refuse_one_label(text, name)
    inbound = _inbound_type(inbound_type)
    if rows.account_of(work.connection, name) is not None or rows.others_manage(work, above(name)):
        raise refused(DOMAIN_EXISTS, "domain")
    return Wanted(name, text.removeprefix("@").removesuffix(".").lower(), inbound)


def add(work: Work, new: Wanted) -> DomainRow:
    """A domain of the account, internal at once, with its system users."""
    row = rows.add(work, new.name, new.shown, new.inbound_type)
    work.changed(Part.DIRECTORY, "create", Kind.DOMAIN, row.id, after=row)
    for local, title in SYSTEM_USERS:
        user = users.add(work, parse_address(f"{local}@{new.name}"), name=title)
        work.changed(Part.DIRECTORY, "create", Kind.USER, user.id, after=user)
    return row


def get(work: Work, text: str) -> DomainRow:
    """The domain of the account that a text names. Raises `ItemRefused`."""
    name = fields.domain(text, "domain")
    row = rows.find(work, name)
    if row is None:
        raise not_managed(name, "domain")
    return row


def update(work: Work, text: str, inbound_type: str) -> DomainRow:
    """The domain with another way to validate its recipients, in force for the next of them. Raises
    `ItemRefused`."""
    old = get(work, text)
    new = structs.replace(old, inbound_type=_inbound_type(inbound_type))
    if new != old:
        rows.change(work, new)
        work.changed(Part.DIRECTORY, "update", Kind.DOMAIN, new.id, before=old, after=new)
    return new


def _refuse_one_label(text: str, name: Domain) -> None:
    """A name without a dot is nobody's mail domain, and is mistyped but for hosts that are tried out, such as
    `localhost.`: its final dot says that it is the whole name, as where policies name one
    (`fields.mail_domain`)."""
    if "." not in name and not text.endswith("."):
        message = f"{BAD_DOMAIN.message}: {name!r} has no dot; if the whole name is meant, write {name + '.'!r}"
        raise refused(BAD_DOMAIN, "domain", message)


def _inbound_type(text: str | None) -> InboundType:
    if text is None:
        return InboundType.ANY
    try:
        return InboundType(text.casefold())
    except ValueError as problem:
        raise refused(NOT_ALLOWED, "inboundType", f"Field must be one of [{','.join(InboundType)}]") from problem


def above(name: Domain) -> Iterator[Domain]:
    """The domains that this one lies below."""
    _, dot, rest = name.partition(".")
    while dot:
        yield Domain(rest)
        _, dot, rest = rest.partition(".")
