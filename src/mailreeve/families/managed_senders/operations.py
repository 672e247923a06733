"""What can be done with personal lists: validate, change, audit (behaviour.md section 4, D-18, D-19)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.errors import (
    MANAGED_SENDER_LIMIT,
    MANAGED_SENDER_NOT_FOUND,
    MANAGED_SENDER_OVER,
)
from mailreeve.families.managed_senders.rows import ManagedSenderRow
from mailreeve.formats.addresses import AddressError, parse_domain, without_tags
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.targets import BELOW
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, BAD_ADDRESS, BAD_DOMAIN, EXACTLY_ONE, ItemRefused, refused

MAX_REASON: Final = 500  # characters

_ROW: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS]
KIND: Final = _ROW.kind

EVERY_LIST: Final = (_ROW.edit,)
LISTS_SEEN: Final = (_ROW.edit, Permission.GATEWAY_POLICIES_READ)
"""What it takes to change, or to see, the lists of everybody. The own one takes none."""


class Outcome(StrEnum):
    """What became of the recipient's entry for a sender."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def permit_or_block(
    call: Call, sender: str, to: str, action: ManagedAction, reason: str | None = None, expires: str | None = None
) -> ManagedSenderRow:
    """The recipient's entry for the sender: a new one, or the one there is, as it is said now (D-19).

    An entry that says so already stays as it is, and nothing is recorded. Raises `ItemRefused`.
    """
    matched = sender_key(call, sender)
    recipient = opened_list(call, to)
    said = rows.Said(action, reason_of(reason), end_of(expires))
    if said.expires_at is not None and said.expires_at <= call.work.now:
        raise refused(MANAGED_SENDER_OVER, "expires", f"{MANAGED_SENDER_OVER.message}: {expires} is past")
    return put(call, recipient, matched, sender, said)[0]


def put(call: Call, recipient: str, matched: str, shown: str, said: rows.Said) -> tuple[ManagedSenderRow, Outcome]:
    """The entry of a list, a new one or the one there is, and what became of it. Who changed it last, and when,
    is kept with it. Raises `ItemRefused`."""
    old = rows.find(call.work, recipient, matched)
    if old is None:
        return _add(call, recipient, matched, shown, said), Outcome.ADDED
    if said.reason is None and said.action is old.action:
        said = msgspec.structs.replace(said, reason=old.reason)
    before, after = (old.action, old.reason, old.expires_at), (said.action, said.reason or "", said.expires_at)
    if before == after and not old.is_auto:
        return old, Outcome.UNCHANGED
    row = rows.change(call.work, old, said, call.caller.actor)
    call.work.changed(PolicyType.MANAGED_SENDERS, "update", KIND, row.id, before=old, after=row)
    return row, Outcome.CHANGED


def remove(call: Call, wire_id: str | None, to: str | None, sender: str | None) -> ManagedSenderRow:
    """End an entry, by its id or by whose it is and about whom; as it was. Raises `ItemRefused`."""
    if wire_id is not None:
        if to is not None or sender is not None:
            raise refused(EXACTLY_ONE, "id", "Either id, or to and sender, is required")
        row, field = rows.get(call.work, call.open(KIND, wire_id)), "id"
        if row is not None and not _may_open(call, row.recipient):
            row = None
    elif to is None or sender is None:
        missing = "id" if to is None and sender is None else "to" if to is None else "sender"
        raise refused(AT_LEAST_ONE, missing, "Either id, or to and sender, is required")
    else:
        row, field = rows.find(call.work, opened_list(call, to), sender_key(call, sender)), "sender"
    if row is None:
        raise refused(MANAGED_SENDER_NOT_FOUND, field)
    rows.remove(call.work, [row.id])
    call.work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, row.id, before=row)
    return row


def join_lists(call: Call, address: str, owner: str, field: str) -> None:
    """Put the entries kept for an address into the list of the user who now has it, see `AddressJoined`.

    Where both have one for a sender, the one that changed last stays and the other goes (D-19), with why, by whom
    and until when; but one that has ended displaces none that has not. A list does not grow beyond its limit this
    way either, once what has ended is taken out. Raises `ItemRefused` naming `field`.
    """
    work = call.work
    joining = rows.of_recipient(work, address)
    if not joining:
        return
    held = {row.sender: row for row in rows.of_recipient(work, owner)}
    size = len(held.keys() | {row.sender for row in joining})
    most = call.limits.managed_senders_per_user
    if size > max(most, len(held)) and _make_room(call, address, owner, wanted=size - max(most, len(held))):
        join_lists(call, address, owner, field)
        return
    if size > max(most, len(held)):
        message = f"{MANAGED_SENDER_LIMIT.message}: with the entries of the alias it would hold {size} of {most}"
        raise refused(MANAGED_SENDER_LIMIT, field, message)
    both = [(row, held[row.sender]) for row in joining if row.sender in held]
    gone = {row.id: row for row in (min(rivals, key=partial(precedence, work.now)) for rivals in both)}
    rows.remove(work, list(gone))
    rows.hand_over(work, address, owner)
    for row in gone.values():
        work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, row.id, before=row)
    for row in joining:
        if row.id not in gone:
            moved = msgspec.structs.replace(row, recipient=owner)
            work.changed(PolicyType.MANAGED_SENDERS, "update", KIND, row.id, before=row, after=moved)


def precedence(now: datetime, row: ManagedSenderRow) -> tuple[bool, bool, int, datetime, bool]:
    """Which of two entries about one sender stays, the highest: one that has not ended, then one that somebody
    made, then the one that was changed last: by revision, which no clock sets back (D-50). Of two of one instant a
    block comes later."""
    is_block = row.action is ManagedAction.BLOCK
    return not row.is_over(now), not row.is_auto, row.changed_in, row.updated_at, is_block


def _add(call: Call, recipient: str, matched: str, shown: str, said: rows.Said) -> ManagedSenderRow:
    most = call.limits.managed_senders_per_user
    if rows.count(call.work, recipient) >= most and not _make_room(call, recipient):
        raise refused(MANAGED_SENDER_LIMIT, "to", f"{MANAGED_SENDER_LIMIT.message}: it holds {most} of {most}")
    row = rows.add(call.work, recipient, matched, shown, said, call.caller.actor)
    call.work.changed(PolicyType.MANAGED_SENDERS, "create", KIND, row.id, after=row)
    return row


def _make_room(call: Call, *recipients: str, wanted: int = 1) -> bool:
    """Take out of full lists what has ended, which is of no use to anybody, or else as many automatic entries as
    are wanted, those that were renewed longest ago (D-19). Whether there was anything."""
    gone = [row for recipient in recipients for row in rows.over(call.work, recipient)]
    if not gone:
        gone = [row for one in recipients for row in rows.auto_longest_ago(call.work, one, wanted)][:wanted]
    rows.remove(call.work, [row.id for row in gone])
    for row in gone:
        call.work.changed(PolicyType.MANAGED_SENDERS, "delete", KIND, row.id, before=row)
    return bool(gone)


def reason_of(text: str | None) -> str | None:
    """Why somebody is permitted or blocked. Raises `ItemRefused`."""
    return None if text is None else fields.short(text, "reason", MAX_REASON)


def end_of(text: str | None) -> datetime | None:
    """When an entry ends, None if it does not. Raises `ItemRefused`."""
    return None if text is None else fields.moment(text, "expires")


def opened_list(call: Call, text: str) -> str:
    """As `list_owner`, for a caller who may change this list: an administrator any, a user the own one and those
    of mailboxes that were opened to the user for it. To others it is as if it were not there.

    Raises `ItemRefused`.
    """
    if call.caller.may(EVERY_LIST):
        return list_owner(call, text)
    return mailboxes.open_mailbox(call, text, "to", DelegateScope.LISTS).key


def own_list(call: Call) -> str | None:
    """Which list is meant where none is named: None for all, of those who may see all; else the own one."""
    if call.caller.may(LISTS_SEEN):
        return None
    own = user_rows.find(call.work, call.caller.user_id)
    return "" if own is None else own.key


def shown_list(call: Call, text: str) -> str:
    """As `opened_list`, for a caller who may see it."""
    return list_owner(call, text) if call.caller.may(LISTS_SEEN) else opened_list(call, text)


def _may_open(call: Call, recipient: str) -> bool:
    """Whether the caller may change the list kept under this key; if it is for another, that is noted."""
    if call.caller.may(EVERY_LIST):
        return True
    owner = user_rows.find_by_address(call.work, recipient)
    if owner is None or not call.caller.in_person:
        return False
    if not mailboxes.may_open(call.work, call.caller.user_id, owner.id, DelegateScope.LISTS):
        return False
    mailboxes.act_for(call, owner)
    return True


def list_owner(call: Call, text: str) -> str:
    """Under which key the list of this internal recipient is kept: where decisions look for it (`list_key`), so
    that aliases lead to the user and a `+tag` is ignored (D-18). Asked of the rows, which know an alias that
    was given in this transaction."""
    address = fields.address(text, "to")
    if domains.find(call.work, address.domain) is None:
        raise not_managed(address.domain, "to")
    user = users.reached(call.work, address)
    return user.key if user is not None else [address.key, *without_tags(address.key)][-1]


def sender_key(call: Call, text: str) -> str:
    """What an entry matches: an address's key with its `+tag`, a bare domain (D-18), or with a dot in front that
    domain and everything below it (ADR 0045).

    A word without a dot is no domain but a mistyped address, as the live service sees it (api.md section 1.4);
    with an `@` in front it is one that no sender has (see `fields.mail_domain`), unless it is the account's own.
    """
    if "*" in text:
        # Legal in a local part, but whoever writes it means a pattern, and there are none here.
        raise refused(
            BAD_ADDRESS,
            "sender",
            f"{BAD_ADDRESS.message}: there are no wildcards; a dot before a domain says all below it",
        )
    local, at, domain = text.rpartition("@")
    if local:
        return fields.address(text, "sender").key
    if domain.startswith(BELOW):
        try:
            return fields.domain_or_below(domain, "sender")
        except ItemRefused as refusal:
            message = refusal.problems[0].message.replace(BAD_DOMAIN.message, BAD_ADDRESS.message, 1)
            raise refused(BAD_ADDRESS, "sender", message) from refusal
    try:
        found = parse_domain(domain)
    except AddressError as problem:
        raise refused(BAD_ADDRESS, "sender") from problem
    single = "." not in found and not domain.endswith(".")
    if (not at and single) or found.rpartition(".")[2].isdecimal():
        # A name that ends in digits is an IP address, which no sender's domain can be (RFC 1123 section 2.1).
        raise refused(BAD_ADDRESS, "sender")
    if single and domains.find(call.work, found) is None:
        message = f"{BAD_ADDRESS.message}: no sender is at {text}; if that is meant, write {text}."
        raise refused(BAD_ADDRESS, "sender", message)
    return found
