"""The functions that read records of mail: ours, and those of message-finder (api.md section 3.12)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.tracking import gateway, message_finder, reading, siem_logs
from mailreeve.families.tracking.contacts import get_most_used_contacts
from mailreeve.families.tracking.gateway_types import (
    FindProcessing,
    FindRejections,
    ProcessingMessages,
    Rejections,
)
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.types import (
    AskSiemLogs,
    FindMailRecords,
    FoundMessages,
    MailRecord,
    MailRecordDetail,
    MessageFound,
    OneMailRecord,
    OneMessage,
    SearchMessages,
)
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.raw_answer import RawAnswer

PERMISSION: Final = Permission.GATEWAY_TRACKING_READ


@endpoint("ext/find-mail-records", PERMISSION, most=10)
def find_mail_records(call: Call, item: FindMailRecords) -> Page[MailRecord]:
    """List records of mail, refusals included, by any of their fields."""
    page = reading.find(call, item)
    teller = Teller(call.ids, call.work.account_id)
    return page.showing([teller.record(one) for one in page.rows])


@endpoint("ext/get-mail-record", PERMISSION, most=10)
def get_mail_record(call: Call, item: OneMailRecord) -> list[MailRecordDetail]:
    """Show a decision with all that is kept of it, and what would be decided today."""
    return reading.show(call, item)


@endpoint("message-finder/search", PERMISSION, most=10)
def search(call: Call, item: SearchMessages) -> Page[FoundMessages]:
    """Find messages by Message-ID, or by sender, recipient, subject, source and route."""
    page = message_finder.search(call, item)
    return page.showing([FoundMessages(page.rows)])


@endpoint("message-finder/get-message-info", PERMISSION, most=10)
def get_message_info(call: Call, item: OneMessage) -> MessageFound:
    """Show what is known of a message that a search found."""
    return message_finder.info(call, item.id)


@endpoint("gateway/get-rejections", *gateway.EVERYBODYS, most=10, own=True)
def get_rejections(call: Call, item: FindRejections) -> Page[Rejections]:
    """List messages that were refused: the caller's own, or everybody's."""
    page = gateway.rejections(call, item)
    return page.showing([Rejections(page.rows)])


@endpoint("gateway/find-processing-messages", Permission.MONITORING_PROCESSING_READ, most=10)
def find_processing_messages(call: Call, item: FindProcessing) -> Page[ProcessingMessages]:
    """List messages that were put off and not taken since, and copies that wait here."""
    page = gateway.processing(call, item)
    return page.showing([ProcessingMessages(page.rows)])


@endpoint("audit/get-siem-logs", PERMISSION, most=1)
def get_siem_logs(call: Call, item: AskSiemLogs) -> RawAnswer:
    """Hand out what became of mail, file by file, for a monitoring system."""
    return siem_logs.logs(call, item)


ENDPOINTS: Final = (
    get_siem_logs,
    find_mail_records,
    get_mail_record,
    search,
    get_message_info,
    get_rejections,
    find_processing_messages,
    get_most_used_contacts,
)
