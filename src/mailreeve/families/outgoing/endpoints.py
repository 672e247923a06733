"""The endpoint about queues: what waits here. What has been handed on is the mail server's to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.outgoing import rows
from mailreeve.families.outgoing.types import FindQueues, QueuedThen, QueuesAnswer
from mailreeve.formats.addresses import parse_address
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint


@endpoint("email/get-email-queues", Permission.ACCOUNT_DASHBOARD_READ)
def get_email_queues(call: Call, item: FindQueues) -> QueuesAnswer:
    """Count the messages that wait to be handed on, by the hour in which they came."""
    since = None if item.start is None else fields.moment(item.start, "start")
    until = None if item.end is None else fields.moment(item.end, "end")
    inbound: Counter[datetime] = Counter()
    outbound: Counter[datetime] = Counter()
    is_internal = call.policies.identities.is_internal
    for created, recipient in rows.waiting_for(call.work, since, until):
        queue = inbound if is_internal(parse_address(recipient)) else outbound
        queue[created.replace(minute=0, second=0, microsecond=0)] += 1
    return QueuesAnswer(_hours(inbound), _hours(outbound))


def _hours(counted: Mapping[datetime, int]) -> list[QueuedThen]:
    return [QueuedThen(fields.written(hour), counted[hour]) for hour in sorted(counted)]


ENDPOINTS: Final = (get_email_queues,)
