"""The endpoints about proxies that ask, ours."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.web_proxies import operations, rows
from mailreeve.families.web_proxies.rows import WebProxyRow
from mailreeve.families.web_proxies.types import (
    CreateWebProxy,
    DeletedWebProxy,
    EveryWebProxy,
    NewWebProxy,
    OneWebProxy,
    WebProxyAnswer,
)
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page


@endpoint("ext/create-web-proxy", Permission.SERVICES_API_APPLICATIONS_EDIT, writes=True)
def create_web_proxy(call: Call, item: CreateWebProxy) -> NewWebProxy:
    """Give a proxy a token with which it may ask about web requests."""
    row, token = operations.create(call, item)
    shown = _answer(call, row)
    return NewWebProxy(shown.id, shown.name, shown.kind, shown.user_header, shown.created, shown.made_by, token)


@endpoint("ext/get-web-proxies", Permission.SERVICES_API_APPLICATIONS_READ)
def get_web_proxies(call: Call, item: EveryWebProxy) -> Page[WebProxyAnswer]:
    """List the proxies that may ask about web requests."""
    page = rows.page(call.work, call.page)
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint("ext/delete-web-proxy", Permission.SERVICES_API_APPLICATIONS_EDIT, writes=True)
def delete_web_proxy(call: Call, item: OneWebProxy) -> DeletedWebProxy:
    """Take the token of a proxy away."""
    operations.delete(call, item.id)
    return DeletedWebProxy(item.id)


def _answer(call: Call, row: WebProxyRow) -> WebProxyAnswer:
    return WebProxyAnswer(
        id=call.seal(operations.KIND, row.id),
        name=row.name,
        kind=row.kind,
        user_header=row.user_header,
        created=fields.written(row.created_at),
        made_by=row.made_by,
    )


ENDPOINTS: Final = (create_web_proxy, get_web_proxies, delete_web_proxy)
