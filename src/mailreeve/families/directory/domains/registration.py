"""How does a domain become the account's? At once, or after a proof, as the installation says (ADR 0082).

The rules are the live service's (api.md section 3.8): a domain that some account manages is not registered again,
one below a domain of the own account is internal at once, one below another account's is refused, and any other
waits for its proof.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.domains import operations, pending_rows, proof, rows
from mailreeve.families.directory.domains.errors import (
    DOMAIN_NOT_PENDING,
    DOMAIN_NOT_VERIFIED,
    DOMAIN_UNREACHABLE,
    PENDING_LIMIT,
)
from mailreeve.families.directory.domains.pending_rows import PendingRow
from mailreeve.families.directory.domains.proof import Found
from mailreeve.families.directory.domains.rows import DomainRow
from mailreeve.families.directory.domains.types import PendingOrId, VerifyDomain
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Domain
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, refused
from mailreeve.wire.tokens import Kind

LIFE: Final = timedelta(days=30)  # that a code is good for
MOST_PENDING: Final = 100  # domains of one account that wait
_OCTETS: Final = 16


class LookedUp(Struct, frozen=True):
    """A domain to verify, and what the DNS said about it."""

    item: VerifyDomain
    found: Found


def create(call: Call, text: str, inbound_type: str | None) -> DomainRow | PendingRow:
    """A new domain of the account, or one that waits. One that waits already keeps its code. Raises
    `ItemRefused`."""
    work = call.work
    wanted = operations.wanted(work, text, inbound_type)
    is_below = any(rows.find(work, above) is not None for above in operations.above(wanted.name))
    if is_below or not call.installation.domains_are_verified:
        return operations.add(work, wanted)
    there = pending_rows.find(work, wanted.name)
    if there is not None:
        return there
    if pending_rows.count(work) >= MOST_PENDING:
        raise refused(PENDING_LIMIT, "domain", f"{PENDING_LIMIT.message}: {MOST_PENDING} are allowed")
    code = proof.PREFIX + secrets.token_hex(_OCTETS)
    row = pending_rows.add(work, wanted.name, wanted.shown, wanted.inbound_type, code, work.now + LIFE)
    work.changed(None, "create", Kind.PENDING_DOMAIN, row.id, after=row)
    return row


def prepare_verify(item: VerifyDomain) -> LookedUp:
    """The item, with what the DNS says. Raises `ItemRefused`."""
    return LookedUp(item, proof.look_up(fields.domain(item.domain, "domain")))


def verify(call: Call, looked_up: LookedUp) -> DomainRow:
    """The domain, internal from now on. Raises `ItemRefused` where the DNS does not have its code."""
    work = call.work
    item, found = looked_up.item, looked_up.found
    name = fields.domain(item.domain, "domain")
    row = get(work, name, "domain")
    if not any(hmac.compare_digest(text.strip().encode(), row.code.encode()) for text in found.texts):
        if found.problem:
            raise refused(DOMAIN_UNREACHABLE, "domain", f"{DOMAIN_UNREACHABLE.message}: {found.problem}")
        message = f"{DOMAIN_NOT_VERIFIED.message}: no TXT record of {name} or {proof.LABEL}.{name} is {row.code}"
        raise refused(DOMAIN_NOT_VERIFIED, "domain", message)
    # Somebody else may have been quicker.
    wanted = operations.wanted(work, row.shown, item.inbound_type or row.inbound_type)
    pending_rows.remove(work, row.id)
    work.changed(None, "verify", Kind.PENDING_DOMAIN, row.id, before=row)
    return operations.add(work, wanted)


def give_up(call: Call, item: PendingOrId) -> PendingRow:
    """A domain waits no more; what it was. Raises `ItemRefused`."""
    work = call.work
    row = _with_id(call, item.id) if item.domain is None else _named(work, item.domain)
    if item.id is not None and _with_id(call, item.id).id != row.id:
        raise refused(DOMAIN_NOT_PENDING, "id", "id and domain are not of the same one")
    pending_rows.remove(work, row.id)
    work.changed(None, "delete", Kind.PENDING_DOMAIN, row.id, before=row)
    return row


def get(work: Work, name: Domain, field: str) -> PendingRow:
    """The domain of this name that waits. Raises `ItemRefused` naming `field`."""
    row = pending_rows.find(work, name)
    if row is None:
        raise refused(DOMAIN_NOT_PENDING, field)
    return row


def _named(work: Work, text: str) -> PendingRow:
    return get(work, fields.domain(text, "domain"), "domain")


def _with_id(call: Call, wire_id: str | None) -> PendingRow:
    if wire_id is None:
        raise refused(AT_LEAST_ONE, "domain", "One of domain and id is required")
    row = pending_rows.with_key(call.work, call.open(Kind.PENDING_DOMAIN, wire_id))
    if row is None:
        raise refused(DOMAIN_NOT_PENDING, "id")
    return row
