"""The domain endpoints (api.md section 3.8)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.domains import operations, removal, rows
from mailreeve.families.directory.domains.rows import DomainRow
from mailreeve.families.directory.domains.types import (
    ChangeDomain,
    CreateDomain,
    DomainAnswer,
    FindDomains,
    RegisteredDomain,
    RemovedDomain,
    RemoveDomain,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind


@endpoint("domain/get-internal-domain", Permission.DIRECTORIES_INTERNAL_READ)
def get_internal_domain(call: Call, item: FindDomains) -> Page[DomainAnswer]:
    """List the account's domains, or one of them."""
    if item.domain is None:
        page = rows.page(call.work, call.page)
    else:
        row = rows.find(call.work, fields.domain(item.domain, "domain"))
        page = Page.of_all([] if row is None else [row])
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint("domain/create-domain", Permission.DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN, writes=True, most=50)
def create_domain(call: Call, item: CreateDomain) -> RegisteredDomain:
    """Register a domain."""
    row = operations.register(call.work, item.domain, item.inbound_type)
    return RegisteredDomain(
        id=call.seal(Kind.DOMAIN, row.id),
        domain=row.shown,
        token="",
        created=fields.written(row.created_at),
        expiry="",
        inbound_type=row.inbound_type,
    )


@endpoint("ext/update-domain", Permission.DIRECTORIES_INTERNAL_EDIT, writes=True, most=50)
def update_domain(call: Call, item: ChangeDomain) -> DomainAnswer:
    """Change how the recipients of a domain are validated."""
    return _answer(call, operations.update(call.work, item.domain, item.inbound_type))


@endpoint("ext/remove-domain", Permission.DIRECTORIES_INTERNAL_EDIT, writes=True, most=10)
def remove_domain(call: Call, item: RemoveDomain) -> RemovedDomain:
    """Give a domain up: mail for it is nobody's any more."""
    done = removal.remove(call, item.domain, item.with_users)
    return RemovedDomain(call.seal(Kind.DOMAIN, done.domain.id), done.domain.shown, done.users, done.aliases)


def _answer(call: Call, row: DomainRow) -> DomainAnswer:
    return DomainAnswer(
        id=call.seal(Kind.DOMAIN, row.id),
        domain=row.shown,
        send_only=row.send_only,
        local=True,
        inbound_type=row.inbound_type,
    )


ENDPOINTS: Final = (get_internal_domain, create_domain, update_domain, remove_domain)
