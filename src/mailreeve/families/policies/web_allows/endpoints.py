"""The endpoints about temporary web allows, ours."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_allows import operations
from mailreeve.families.policies.web_allows.rows import WebAllowRow
from mailreeve.families.policies.web_allows.types import (
    AllowWeb,
    FindWebAllows,
    OneWebAllow,
    RemovedWebAllow,
    WebAllowAnswer,
)
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page


@endpoint("ext/allow-web", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def allow_web(call: Call, item: AllowWeb) -> WebAllowAnswer:
    """Allow a web address for one user or client until an instant."""
    return _answer(call, operations.add(call, item))


@endpoint("ext/get-web-allows", Permission.WEB_SECURITY_POLICIES_READ)
def get_web_allows(call: Call, item: FindWebAllows) -> Page[WebAllowAnswer]:
    """List the temporary allows of web addresses that are in force."""
    page = operations.page(call, item)
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint("ext/remove-web-allow", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def remove_web_allow(call: Call, item: OneWebAllow) -> RemovedWebAllow:
    """End a temporary allow of a web address before its time."""
    operations.remove(call, item.id)
    return RemovedWebAllow(item.id)


def _answer(call: Call, row: WebAllowRow) -> WebAllowAnswer:
    return WebAllowAnswer(
        id=call.seal(operations.KIND, row.id),
        type=row.type,
        value=row.shown,
        user=UNSET if row.address is None else row.address,
        client=UNSET if row.client is None else row.client,
        reason=row.reason,
        created=fields.written(row.created_at),
        until=fields.written(row.ends_at),
        override=row.override,
        made_by=row.made_by,
    )


ENDPOINTS: Final = (allow_web, get_web_allows, remove_web_allow)
