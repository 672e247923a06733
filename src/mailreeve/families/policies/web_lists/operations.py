"""What can be done with web lists: validate, change, audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.directory.web_places import rows as web_places
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.errors import POLICY_NOT_FOUND
from mailreeve.families.policies.reach_guard import guard_web, warn_of_widening, web_users
from mailreeve.families.policies.web_lists import contents, rows
from mailreeve.families.policies.web_lists.errors import WEB_ACCOUNT_URL_LIMIT, WEB_POLICY_URL_LIMIT
from mailreeve.families.policies.web_lists.rows import WebPolicyRow
from mailreeve.families.policies.web_lists.types import UrlItem, WebTargetItem
from mailreeve.policy.model.policies import WebAction
from mailreeve.policy.model.wording import quoted
from mailreeve.store.changes import Part
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.policy_object import MAX_DESCRIPTION
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.WEB_POLICY


def create(
    call: Call, description: str, policies: Sequence[WebTargetItem], urls: Sequence[UrlItem]
) -> WebPolicyRow:
    """A new list. Raises `ItemRefused`."""
    fields.short(description, "description", MAX_DESCRIPTION)
    refuse_too_many(call, len(urls))
    row = rows.add(call.work, description, contents.targets(call, policies), contents.entries(call, urls))
    groups.use(call.work, row.id, row.group_keys())
    web_places.use(call.work, row.id, row.location_ids())
    call.work.changed(Part.WEB_LISTS, "create", KIND, row.id, after=row)
    return row


def update(
    call: Call,
    wire_id: str,
    description: str | None,
    policies: Sequence[WebTargetItem],
    urls: Sequence[UrlItem] | None,
) -> WebPolicyRow:
    """The list with new contents, each part as sent; description and entries stay where they are not sent at
    all, as the newer form of the call allows (api.md section 3.3.4). Raises `ItemRefused`."""
    old = get(call, wire_id)
    fields.short(description or "", "description", MAX_DESCRIPTION)
    targets = contents.targets(call, policies, old.targets)
    if urls is None:
        entries = list(old.entries)
    else:
        refuse_too_many(call, len(urls), old.id)
        entries = contents.entries(call, urls, old.entries)
    if old.default_deny or any(entry.action is WebAction.BLOCK for entry in entries):
        name = f"{quoted(description or old.description)} now blocks for"
        # A target that is bound to a location is nobody's elsewhere.
        before, after = (
            [target.document.scope() for target in several if not target.locations]
            for several in (old.targets, targets)
        )
        warn_of_widening(call, name, before, after, web_users)
    row = rows.replace(call.work, old, description or old.description, targets, entries)
    groups.use(call.work, row.id, row.group_keys())
    web_places.use(call.work, row.id, row.location_ids())
    call.work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=old, after=row)
    return row


def set_default_deny(call: Call, wire_id: str, on: bool, confirmed: bool | None) -> WebPolicyRow:
    """The list with its default deny on or off. One that would stop everybody's browsing is warned of, or refused,
    unless it is said to be meant. Raises `ItemRefused`."""
    old = get(call, wire_id)
    if old.default_deny == on:
        return old
    if on:
        name = f"{quoted(old.description)} blocks whatever it does not allow for"
        guard_web(call, name, [target.document.scope() for target in old.targets], confirmed)
    row = rows.set_default_deny(call.work, old, on)
    call.work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=old, after=row)
    return row


def delete(call: Call, wire_id: str) -> WebPolicyRow:
    """Remove a list; what it was. Raises `ItemRefused`."""
    old = get(call, wire_id)
    rows.remove(call.work, old.id)
    groups.use(call.work, old.id, ())
    web_places.use(call.work, old.id, ())
    call.work.changed(Part.WEB_LISTS, "delete", KIND, old.id, before=old)
    return old


def get(call: Call, wire_id: str) -> WebPolicyRow:
    """One list. Raises `ItemRefused`."""
    row = rows.find(call.work, call.open(KIND, wire_id))
    if row is None:
        raise refused(POLICY_NOT_FOUND, "id")
    return row


def refuse_too_many(call: Call, count: int, replaced: str = "") -> None:
    """Hold the limits of D-28, for the item as a whole. `replaced` is the list whose entries are written anew."""
    most = call.limits.web_urls_per_policy
    if count > most:
        raise refused(WEB_POLICY_URL_LIMIT, "urls", f"The policy would hold {count} of {most} URLs")
    refuse_too_many_in_account(call, count, replaced)


def refuse_too_many_in_account(call: Call, count: int, replaced: str = "") -> None:
    """Hold the limit of the account alone."""
    most = call.limits.web_urls_per_account
    total = count + rows.count_entries(call.work, outside=replaced)
    if total > most:
        raise refused(WEB_ACCOUNT_URL_LIMIT, "urls", f"The account would hold {total} of {most} URLs")
