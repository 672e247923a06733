"""What can be done with the digest: say how it is to be, and ask for one at once (behaviour.md section 8.3)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from mailreeve.families.digest import rows, schedule
from mailreeve.families.digest.errors import DIGEST_NO_URL, DIGEST_NO_USER, DIGEST_TIME, DIGEST_ZONE
from mailreeve.families.digest.rows import Causes, DefinitionRow
from mailreeve.families.digest.schedule import Schedule
from mailreeve.families.digest.types import SetDigest
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.groups import operations as groups
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import refused

KIND: Final = "digest"
"""What the audit log says; an account has one, so that it needs no id on the wire."""

_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


def get(work: Work) -> DefinitionRow:
    """The digest as it is defined, or as it is where nobody has."""
    return rows.find(work) or rows.first(work)


def change(call: Call, item: SetDigest) -> DefinitionRow:
    """The digest as it is said now; what is left out stays. Raises `ItemRefused`.

    A new schedule is for what comes: what would have been due by it before now is not made up for.
    """
    work = call.work
    old = rows.find(work)
    base = old or rows.first(work)
    planned = _schedule(base.schedule, item)
    enabled = base.enabled if item.enabled is None else item.enabled
    if item.enabled and not call.installation.public_url:
        raise refused(DIGEST_NO_URL, "enabled")
    new = msgspec.structs.replace(
        base,
        enabled=enabled,
        schedule=planned,
        group_id=base.group_id if item.group_id is None else _group(call, item.group_id),
        causes=base.causes if item.causes is None else Causes(tuple(sorted(set(item.causes)))),
        sender=base.sender if item.sender is None else _sender(work, item.sender),
    )
    if new == old:
        return new
    starts_anew = (new.enabled, new.schedule) != (base.enabled, base.schedule) or old is None
    row = msgspec.structs.replace(
        new, handled_to=max(work.now, base.handled_to) if starts_anew else base.handled_to, updated_at=work.now
    )
    rows.put(work, row)
    group_rows.use(work, row.id, [] if row.group_id is None else [row.group_id])
    # No decision looks at the digest.
    work.changed(None, "create" if old is None else "update", KIND, row.id, before=old, after=row)
    return row


def ask(call: Call, to: str | None) -> UserRow | None:
    """Have a digest sent as soon as may be, to one user or to all whom it is for, whether it is on or off; the
    user, where it is for one. Raises `ItemRefused`."""
    work = call.work
    if not call.installation.public_url:
        raise refused(DIGEST_NO_URL)
    if to is None:
        old = rows.find(work)
        base = old or rows.first(work)
        row = msgspec.structs.replace(base, asked_at=_after(base.handled_to, work))
        rows.put(work, row)
        work.changed(None, "send", KIND, row.id, before=old, after=row)
        return None
    user = users.get_reached(work, to, "to")
    if user.disabled:
        raise refused(DIGEST_NO_USER, "to", f"{DIGEST_NO_USER.message}: {user.address} is disabled")
    told = rows.told_of(work, user.id) or rows.never(user.id)
    rows.put_told(work, msgspec.structs.replace(told, asked_at=_after(told.sent_for, work)))
    work.changed(None, "send", KIND, get(work).id, after={"to": user.address})
    return user


def _after(last: datetime, work: Work) -> datetime:
    """Now, or right after the last digest, where the clock was set back since (behaviour.md D-50)."""
    return max(work.now, last + datetime.resolution)


def sender_of(work: Work, row: DefinitionRow) -> str:
    """From which address digests come: as it is set, or the postmaster of the account's first domain. Empty where
    the account has no domain."""
    if row.sender:
        return row.sender
    first = domains.first(work)
    return "" if first is None else f"postmaster@{first.name}"


def _schedule(old: Schedule, item: SetDigest) -> Schedule:
    zone = old.time_zone if item.time_zone is None else item.time_zone
    try:
        schedule.zone_of(zone)
    except ValueError as problem:
        message = f"{DIGEST_ZONE.message} as {zone}; write one like Europe/Berlin"
        raise refused(DIGEST_ZONE, "timeZone", message) from problem
    times = old.times
    if item.times is not None:
        for n, text in enumerate(item.times):
            if not _TIME.fullmatch(text):
                raise refused(DIGEST_TIME, f"times[{n}]", f"{DIGEST_TIME.message}; not {text}")
        times = tuple(sorted(set(item.times)))
    weekdays = old.weekdays if item.weekdays is None else tuple(d for d in schedule.Weekday if d in item.weekdays)
    return Schedule(zone, times, weekdays)


def _group(call: Call, wire_id: str) -> str | None:
    return groups.get(call, wire_id, "groupId").id if wire_id else None


def _sender(work: Work, text: str) -> str:
    if not text:
        return ""
    address = fields.address(text, "sender")
    if domains.find(work, address.domain) is None:
        raise not_managed(address.domain, "sender")
    return str(address)
