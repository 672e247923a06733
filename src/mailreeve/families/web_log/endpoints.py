"""The functions that read records of web requests, and requests for access. All are ours."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.web_log import access_rows, reading
from mailreeve.families.web_log.errors import WEB_ACCESS_REQUEST_NOT_FOUND
from mailreeve.families.web_log.types import (
    AccessRequestAnswer,
    ClosedAccessRequest,
    FindAccessRequests,
    FindWebRecords,
    OneAccessRequest,
    OneWebRecord,
    WebRecordAnswer,
    WebRecordDetail,
)
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

READ: Final = Permission.WEB_SECURITY_POLICIES_READ
EDIT: Final = Permission.WEB_SECURITY_POLICIES_EDIT


@endpoint("ext/find-web-records", READ, most=10)
def find_web_records(call: Call, item: FindWebRecords) -> Page[WebRecordAnswer]:
    """List decisions about web requests: all blocks, and a sample of what passed."""
    page = reading.find(call, item)
    return page.showing([reading.answer(call, one) for one in page.rows])


@endpoint("ext/get-web-record", READ, most=10)
def get_web_record(call: Call, item: OneWebRecord) -> WebRecordDetail:
    """Show a decision about a web request, and what would be decided today."""
    return reading.detail(call, reading.get(call, item.id))


@endpoint("ext/get-web-access-requests", READ)
def get_web_access_requests(call: Call, item: FindAccessRequests) -> Page[AccessRequestAnswer]:
    """List who asked on a block page to be let through, and why."""
    page = access_rows.page(call.work, call.page)
    return page.showing(
        [
            AccessRequestAnswer(
                id=call.seal(Kind.WEB_ACCESS_REQUEST, row.id),
                decision_id=call.seal(Kind.WEB_RECORD, row.record_id),
                at=fields.written(row.asked_at),
                user=row.user,
                asked_from=row.asked_from,
                url=row.url,
                policy=row.policy,
                reason=row.reason,
            )
            for row in page.rows
        ]
    )


@endpoint("ext/close-web-access-request", EDIT, writes=True, most=100)
def close_web_access_request(call: Call, item: OneAccessRequest) -> ClosedAccessRequest:
    """Take a request for access from the list, once it is answered."""
    row = access_rows.find(call.work, call.open(Kind.WEB_ACCESS_REQUEST, item.id))
    if row is None:
        raise refused(WEB_ACCESS_REQUEST_NOT_FOUND, "id")
    access_rows.remove(call.work, row.id)
    call.work.changed(None, "delete", Kind.WEB_ACCESS_REQUEST, row.id, before=row)
    return ClosedAccessRequest(item.id, url=row.url)


ENDPOINTS: Final = (find_web_records, get_web_record, get_web_access_requests, close_web_access_request)
