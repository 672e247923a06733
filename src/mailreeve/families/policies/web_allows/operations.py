"""What can be done with temporary web allows: made, listed, ended before their time. They end by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_allows import rows
from mailreeve.families.policies.web_allows.errors import WEB_ALLOW_LIMIT, WEB_ALLOW_NOT_FOUND
from mailreeve.families.policies.web_allows.rows import WebAllowRow
from mailreeve.families.policies.web_allows.types import AllowWeb, FindWebAllows
from mailreeve.formats.addresses import Address
from mailreeve.formats.networks import IPAddress
from mailreeve.formats.weburls import says_more_than_host
from mailreeve.policy.decide.web import WebEntryError, canonical_entry, decide_web
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import WebEntryType
from mailreeve.policy.model.wording import quoted
from mailreeve.store.changes import Name, Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_DOMAIN, BAD_RANGE, BAD_URL, EXACTLY_ONE, NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import MAX_DESCRIPTION
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.WEB_ALLOW
MOST: Final = 1_000
"""So many may be in force at once: what is for many is a list."""
LONGEST: Final = timedelta(days=366)
"""What is for longer is no exception but a rule, and belongs into a list."""


def add(call: Call, item: AllowWeb) -> WebAllowRow:
    """A new temporary allow; those that have ended are forgotten meanwhile. The caller is told where a list that
    overrides keeps it from winning. Raises `ItemRefused`."""
    work = call.work
    user, client = _whom(item.user, item.client)
    fields.short(item.reason, "reason", MAX_DESCRIPTION)
    until = fields.moment(item.until, "until")
    if until <= work.now:
        raise refused(BAD_RANGE, "until", "An allow that has ended already would allow nothing")
    if until > work.now + LONGEST:
        raise refused(
            NOT_ALLOWED, "until", f"A temporary allow ends within {LONGEST.days} days; use a list instead"
        )
    type_ = item.type or _type_of(item.value)
    try:
        value = canonical_entry(type_, item.value.strip())
    except WebEntryError as reason:
        fault = BAD_DOMAIN if type_ is WebEntryType.DOMAIN else BAD_URL
        raise refused(fault, "value", f"{fault.message}: {reason}") from reason
    if rows.count(work) >= MOST:
        raise refused(WEB_ALLOW_LIMIT, "value", f"{WEB_ALLOW_LIMIT.message}: {MOST} are in force")
    for key in rows.forget_ended(work):
        work.touch(Part.WEB_LISTS, Name(KIND, key))
    row = WebAllowRow(
        id=new_key(),
        type=type_,
        value=value,
        shown=item.value,
        address=None if user is None else user.key,
        client=None if client is None else str(client),
        reason=item.reason,
        override=item.override,
        made_by=call.caller.actor,
        created_at=work.now,
        ends_at=until,
    )
    rows.RECORDS.insert(work, row)
    work.changed(Part.WEB_LISTS, "create", KIND, row.id, after=row)
    _warn_of_override(call, row, user, client)
    return row


def page(call: Call, item: FindWebAllows) -> Page[WebAllowRow]:
    """A page of those in force. Raises `ItemRefused`."""
    user = "" if item.user is None else fields.address(item.user, "user").key
    client = "" if item.client is None else str(fields.ip(item.client, "client"))
    return rows.page(call.work, call.page, user, client)


def remove(call: Call, wire_id: str) -> None:
    """End one now. Raises `ItemRefused`."""
    row = rows.RECORDS.find(call.work, call.open(KIND, wire_id))
    if row is None or row.ends_at <= call.work.now:
        raise refused(WEB_ALLOW_NOT_FOUND, "id")
    rows.RECORDS.delete(call.work, row.id)
    call.work.changed(Part.WEB_LISTS, "delete", KIND, row.id, before=row)


def _whom(user: str | None, client: str | None) -> tuple[Address | None, IPAddress | None]:
    if (user is None) == (client is None):
        raise refused(EXACTLY_ONE, "user", "Exactly one of user and client is required")
    return (
        None if user is None else fields.address(user, "user"),
        None if client is None else fields.ip(client, "client"),
    )


def _type_of(text: str) -> WebEntryType:
    return WebEntryType.URL if says_more_than_host(text.strip()) else WebEntryType.DOMAIN


def _warn_of_override(call: Call, row: WebAllowRow, user: Address | None, client: IPAddress | None) -> None:
    """An override is an order that no exception undoes (D-25), so whoever makes one is told that it comes to
    nothing."""
    facts = WebFacts(f"http://{row.value}", call.work.now.timestamp(), user, client)
    decision = decide_web(call.policies, facts, explain=True)
    if decision.verdict is WebVerdict.BLOCK and not row.override and decision.candidates[0].sort_key[0]:
        name = quoted(decision.candidates[0].description)
        call.warnings.append(f"{row.shown} stays blocked: {name} overrides; an allow with override wins over it")
