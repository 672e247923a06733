"""The functions about managed URLs (api.md section 3.14)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.managed_urls import operations
from mailreeve.families.policies.managed_urls.rows import ManagedUrlRow
from mailreeve.families.policies.managed_urls.types import (
    CreateManagedUrl,
    DecodedUrl,
    DeletedManagedUrl,
    EncodedUrl,
    FindManagedUrls,
    ManagedUrlAnswer,
    OneManagedUrl,
)
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

READ: Final = Permission.SERVICES_TARGETED_THREAT_PROTECTION_URL_PROTECT_READ
EDIT: Final = Permission.SERVICES_TARGETED_THREAT_PROTECTION_URL_PROTECT_EDIT
DELETE: Final = Permission.SERVICES_URL_PROTECTION_EDIT
MOST_DECODED: Final = 25  # api.md section 1.10


@endpoint("ttp/url/create-managed-url", EDIT, writes=True)
def create_managed_url(call: Call, item: CreateManagedUrl) -> ManagedUrlAnswer:
    """Permit or block a URL, or a domain with all below it, for everybody."""
    return _answer(call, operations.create(call, item))


@endpoint("ttp/url/get-all-managed-urls", READ, EDIT)
def get_all_managed_urls(call: Call, item: FindManagedUrls) -> Page[ManagedUrlAnswer]:
    """List the managed URLs, or those that hold or name a domain or URL."""
    page = operations.page(call, item)
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint("ttp/url/delete-managed-url", DELETE, EDIT, writes=True)
def delete_managed_url(call: Call, item: OneManagedUrl) -> DeletedManagedUrl:
    """Delete a managed URL."""
    operations.delete(call, item.id)
    return DeletedManagedUrl(item.id)


@endpoint("ttp/url/decode-url", Permission.ACCOUNT_DASHBOARD_READ, most=MOST_DECODED)
def decode_url(call: Call, item: EncodedUrl) -> DecodedUrl:
    """Tell the URL behind a rewritten one; none is rewritten here, so that it is always the URL itself."""
    return DecodedUrl(item.url, success=False)


def _answer(call: Call, row: ManagedUrlRow) -> ManagedUrlAnswer:
    return ManagedUrlAnswer(
        id=call.seal(operations.KIND, row.id),
        scheme=row.scheme,
        domain=row.domain,
        port=row.port,
        path=row.path,
        query_string=row.query,
        match_type=row.match_type,
        action=row.action,
        comment=row.comment,
        disable_user_awareness=row.disable_user_awareness,
        disable_rewrite=row.disable_rewrite,
        disable_log_click=row.disable_log_click,
    )


ENDPOINTS: Final = (create_managed_url, get_all_managed_urls, delete_managed_url, decode_url)
