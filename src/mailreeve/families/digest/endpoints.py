"""The digest endpoints, which are ours."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.digest import operations, schedule
from mailreeve.families.digest.rows import DefinitionRow
from mailreeve.families.digest.types import DigestAnswer, GetDigest, SendDigest, SendingDigest, SetDigest
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.tokens import Kind


@endpoint("ext/get-digest", Permission.GATEWAY_POLICIES_READ)
def get_digest(call: Call, item: GetDigest) -> DigestAnswer:
    """Say when held messages are told to their recipients by mail, and to whom."""
    return _answer(call, operations.get(call.work))


@endpoint("ext/set-digest", Permission.GATEWAY_POLICIES_EDIT, writes=True, most=1)
def set_digest(call: Call, item: SetDigest) -> DigestAnswer:
    """Say when held messages are to be told to their recipients by mail, and to whom."""
    return _answer(call, operations.change(call, item))


@endpoint("ext/send-digest", Permission.GATEWAY_POLICIES_EDIT, writes=True)
def send_digest(call: Call, item: SendDigest) -> SendingDigest:
    """Have a digest of what is new sent at once, to one user or to all whom it is for."""
    user = operations.ask(call, item.to)
    return SendingDigest(fields.written(call.work.now), UNSET if user is None else user.address)


def _answer(call: Call, row: DefinitionRow) -> DigestAnswer:
    due = schedule.next_due(row.schedule, call.work.now) if row.enabled else None
    return DigestAnswer(
        enabled=row.enabled,
        time_zone=row.schedule.time_zone,
        times=row.schedule.times,
        weekdays=row.schedule.weekdays,
        group_id="" if row.group_id is None else call.seal(Kind.GROUP, row.group_id),
        causes=row.causes.layers,
        sender=operations.sender_of(call.work, row),
        public_url=call.installation.public_url,
        next=UNSET if due is None else fields.written(due),
        asked=UNSET if row.asked_at is None else fields.written(row.asked_at),
    )


ENDPOINTS: Final = (get_digest, set_digest, send_digest)
