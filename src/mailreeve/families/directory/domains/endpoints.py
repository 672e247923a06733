"""The domain endpoints (api.md section 3.8)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.domains import operations, pending_rows, proof, registration, removal, rows
from mailreeve.families.directory.domains.pending_rows import PendingRow
from mailreeve.families.directory.domains.registration import LookedUp
from mailreeve.families.directory.domains.rows import DomainRow
from mailreeve.families.directory.domains.types import (
    ChangeDomain,
    CreateDomain,
    DomainAnswer,
    FindDomains,
    FindPending,
    GivenUpDomain,
    OneDomain,
    PendingDomain,
    PendingOrId,
    ProvisionStatus,
    RegisteredDomain,
    RemovedDomain,
    RemoveDomain,
    VerificationCode,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

REGISTER: Final = Permission.DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN


@endpoint("domain/get-internal-domain", Permission.DIRECTORIES_INTERNAL_READ)
def get_internal_domain(call: Call, item: FindDomains) -> Page[DomainAnswer]:
    """List the account's domains, or one of them."""
    if item.domain is None:
        page = rows.page(call.work, call.page)
    else:
        row = rows.find(call.work, fields.domain(item.domain, "domain"))
        page = Page.of_all([] if row is None else [row])
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint("domain/create-domain", REGISTER, writes=True, most=50)
def create_domain(call: Call, item: CreateDomain) -> RegisteredDomain:
    """Register a domain."""
    row = registration.create(call, item.domain, item.inbound_type)
    is_pending = isinstance(row, PendingRow)
    return RegisteredDomain(
        id=call.seal(Kind.PENDING_DOMAIN if is_pending else Kind.DOMAIN, row.id),
        domain=row.shown,
        token=row.code if isinstance(row, PendingRow) else "",
        created=fields.written(row.created_at),
        expiry=fields.written(row.expires_at) if isinstance(row, PendingRow) else "",
        inbound_type=row.inbound_type,
    )


@endpoint(
    "domain/verify-domain", REGISTER, writes=True, most=50, prepare=registration.prepare_verify, slow="domain"
)
def verify_domain(call: Call, looked_up: LookedUp) -> DomainAnswer:
    """Look into the DNS for the code of a domain, and take mail for it if it is there."""
    return _answer(call, registration.verify(call, looked_up))


@endpoint("domain/get-pending-domain", REGISTER)
def get_pending_domain(call: Call, item: FindPending) -> Page[PendingDomain]:
    """List the domains that wait for their proof, or one of them."""
    if item.domain is None:
        page = pending_rows.page(call.work, call.page)
    else:
        row = pending_rows.find(call.work, fields.domain(item.domain, "domain"))
        page = Page.of_all([] if row is None else [row])
    return page.showing([_pending(call, row) for row in page.rows])


@endpoint("domain/delete-pending-domain", REGISTER, writes=True)
def delete_pending_domain(call: Call, item: PendingOrId) -> GivenUpDomain:
    """Give up on a domain that waits for its proof."""
    row = registration.give_up(call, item)
    return GivenUpDomain(call.seal(Kind.PENDING_DOMAIN, row.id), row.shown)


@endpoint("domain/get-verification-code", REGISTER, most=50)
def get_verification_code(call: Call, item: OneDomain) -> VerificationCode:
    """Tell what the DNS has to say about a domain that waits."""
    row = registration.get(call.work, fields.domain(item.domain, "domain"), "domain")
    names = [str(row.name), f"{proof.LABEL}.{row.name}"]
    return VerificationCode(row.shown, row.code, "TXT", names, fields.written(row.expires_at))


@endpoint("domain/get-provision-status", REGISTER, most=50)
def get_provision_status(call: Call, item: OneDomain) -> ProvisionStatus:
    """Tell whether a domain waits, or is the account's."""
    name = fields.domain(item.domain, "domain")
    there = rows.find(call.work, name)
    if there is not None:
        return ProvisionStatus(there.shown, "provisioned")
    return ProvisionStatus(registration.get(call.work, name, "domain").shown, "pending")


@endpoint("ext/update-domain", Permission.DIRECTORIES_INTERNAL_EDIT, writes=True, most=50)
def update_domain(call: Call, item: ChangeDomain) -> DomainAnswer:
    """Change how the recipients of a domain are validated."""
    return _answer(call, operations.update(call.work, item.domain, item.inbound_type))


@endpoint("ext/remove-domain", Permission.DIRECTORIES_INTERNAL_EDIT, writes=True, most=10)
def remove_domain(call: Call, item: RemoveDomain) -> RemovedDomain:
    """Give a domain up: mail for it is nobody's any more."""
    done = removal.remove(call, item.domain, item.with_users)
    return RemovedDomain(call.seal(Kind.DOMAIN, done.domain.id), done.domain.shown, done.users, done.aliases)


def _pending(call: Call, row: PendingRow) -> PendingDomain:
    return PendingDomain(
        id=call.seal(Kind.PENDING_DOMAIN, row.id),
        domain=row.shown,
        token=row.code,
        created=fields.written(row.created_at),
        expiry=fields.written(row.expires_at),
    )


def _answer(call: Call, row: DomainRow) -> DomainAnswer:
    return DomainAnswer(
        id=call.seal(Kind.DOMAIN, row.id),
        domain=row.shown,
        send_only=row.send_only,
        local=True,
        inbound_type=row.inbound_type,
    )


ENDPOINTS: Final = (
    get_internal_domain,
    create_domain,
    verify_domain,
    get_pending_domain,
    delete_pending_domain,
    get_verification_code,
    get_provision_status,
    update_domain,
    remove_domain,
)
