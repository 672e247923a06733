"""What does a link of a digest do? Release, permit or block, once, as its user (behaviour.md section 8.2).

Whoever has the link may act: that is what it is for. The audit log has it as the user's own, done by the link.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec import Struct

from mailreeve.access.caller import Caller, Origin
from mailreeve.families.digest import held_mail, operations, words
from mailreeve.families.digest.links import Act, Link, Links, NoLink
from mailreeve.families.digest.schedule import zone_of
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.held import operations as held_operations
from mailreeve.families.held import rows as held_rows
from mailreeve.families.held.rows import HeldRow, HeldState
from mailreeve.families.machinery import perform
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.perform import Services
from mailreeve.families.managed_senders import operations as managed_senders
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.store.transactions import Work

BY_LINK: Final = "link from the digest"
"""What the audit log calls the application that was used."""


class Standing(StrEnum):
    """How it stands with what a link is about."""

    WAITING = "waiting"
    DONE = "done"
    RELEASED = "released"
    REJECTED = "rejected"
    ENDED = "ended"
    PAUSED = "paused"


class Shown(Struct, frozen=True):
    """The held message, each text in one harmless line."""

    sender: str
    subject: str
    received: str
    why: str


class Seen(Struct, frozen=True):
    """What a link is about, and how it stands with that. `listed` is whom it permits or blocks."""

    act: Act
    standing: Standing
    message: Shown | None = None
    listed: str = ""


class Acts:
    """Looks at links, and does what they say. Its methods block on the database, and raise `NoLink` for what is no
    link of ours: nobody learns from them whether an account, a user or a message exists."""

    def __init__(self, services: Callable[[], Services], links: Links) -> None:
        self._services = services
        self._links = links

    def look(self, token: str) -> Seen:
        """How it stands with what a link is about. Nothing is changed."""
        link = self._links.read(token)
        services = self._services()
        self._require_account(services, link)
        return services.store.read(link.account_id, partial(_seen, link))

    def carry_out(self, token: str, address: str) -> Seen:
        """Do what a link says, unless its message has come to its end already; `address` is where the reader is.
        Raises `ItemRefused` where it cannot be done, and then nothing is."""
        link = self._links.read(token)
        services = self._services()
        self._require_account(services, link)
        user = services.store.read(link.account_id, partial(users.find, key=link.user_id))
        if user is None:
            return Seen(link.act, Standing.ENDED)
        caller = Caller(link.account_id, user.address, "", frozenset(), user.id, BY_LINK, in_person=True)
        origin = Origin(user.address, address, application=BY_LINK)
        return perform.act(services, caller, origin, partial(_done, link))

    def _require_account(self, services: Services, link: Link) -> None:
        if link.account_id not in services.store.look_up(accounts.codes).values():
            raise NoLink


def _seen(link: Link, work: Work) -> Seen:
    user = users.find(work, link.user_id)
    held = held_rows.find(work, link.held_id)
    standing = _standing(work, link, user, held)
    if held is None or standing in (Standing.ENDED, Standing.PAUSED):
        return Seen(link.act, standing)
    return Seen(link.act, standing, _shown(work, held), words.listed_as(held.header_from, held.sender))


def _standing(work: Work, link: Link, user: UserRow | None, held: HeldRow | None) -> Standing:
    if accounts.get(work).locked:
        return Standing.PAUSED
    if user is None or user.disabled or held is None or held.owner_id != user.id or not held_mail.is_theirs(held):
        return Standing.ENDED
    match held.state:
        case HeldState.RELEASED:
            return Standing.RELEASED
        case HeldState.REJECTED:
            return Standing.REJECTED
        case HeldState.EXPIRED:
            return Standing.ENDED
        case HeldState.HELD:
            return Standing.ENDED if work.now >= min(link.ends, held.expires_at) else Standing.WAITING


def _done(link: Link, call: Call) -> Seen:
    """One transaction: the act, the entry of the list, and what the audit log says of both."""
    seen = _seen(link, call.work)
    user = users.find(call.work, link.user_id)
    if seen.standing is not Standing.WAITING or user is None:
        return seen
    held_id = call.seal(held_operations.KIND, link.held_id)
    match link.act:
        case Act.RELEASE:
            held_operations.release(call, held_id)
        case Act.PERMIT:
            held_operations.release(call, held_id)
            managed_senders.permit_or_block(call, seen.listed, user.address, ManagedAction.PERMIT, BY_LINK)
        case Act.BLOCK:
            held_operations.reject(call, held_id)
            managed_senders.permit_or_block(call, seen.listed, user.address, ManagedAction.BLOCK, BY_LINK)
    return Seen(link.act, Standing.DONE, seen.message, seen.listed)


def _shown(work: Work, held: HeldRow) -> Shown:
    zone = zone_of(operations.get(work).schedule.time_zone)
    return Shown(
        words.from_of(held.header_from_name, held.header_from, held.sender),
        words.subject_of(held.subject),
        words.when_of(held.received_at, zone),
        words.why_of(held.cause, held.description),
    )
