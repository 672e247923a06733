"""Whose mail is this? From the domains of a message to the account whose policies hold for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from mailreeve.families.directory.domains import rows as domains
from mailreeve.formats.addresses import Address, Domain, Sender
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.store.changes import WHOLE, Part, Touched
from mailreeve.store.follow import Follower
from mailreeve.store.transactions import Store
from mailreeve.store.transactions import WouldWait as WouldWait  # which doors know from here
from mailreeve.wire.tokens import Kind


class _Owners(Struct, frozen=True):
    """The account of each internal domain, and the one that has all of them, if one has. The latter is asked for
    with each connection, and there may be many thousands of domains. The mail of `locked` accounts is put off."""

    by_domain: Mapping[Domain, str]
    only: str | None
    locked: frozenset[str] = frozenset()

    @staticmethod
    def of(found: tuple[Mapping[Domain, str], frozenset[str]]) -> _Owners:
        by_domain, locked = found
        accounts = set(by_domain.values())
        return _Owners(by_domain, accounts.pop() if len(accounts) == 1 else None, locked)


class AccountLocked(Exception):
    """The account that the mail belongs to is locked: the mail is to be put off."""


def _owner(owners: _Owners, recipient: Address, sender: Sender) -> str | None:
    """The account whose policies hold for a message. Raises `AccountLocked`."""
    owner = owners.by_domain.get(recipient.domain)
    if owner is None and isinstance(sender, Address):
        owner = owners.by_domain.get(sender.domain)
    if owner is None:
        # A server with one account decides all mail by its policies, so that even the refusal of strangers'
        # mail to strangers is recorded and can be explained.
        owner = owners.only
    if owner in owners.locked:
        raise AccountLocked
    return owner


def _of_only(owners: _Owners, current: Callable[[str], PolicySet]) -> Sequence[PolicySet]:
    if owners.only is None or owners.only in owners.locked:
        return []
    return [current(owners.only)]


class PoliciesAtHand:
    """What `MailPolicies` says, as long as that is in memory and nothing newer is known. Raises `WouldWait`
    where it is not, and waits for nothing: so it may be asked on an event loop (ADR 0066)."""

    def __init__(self, owners: Callable[[], _Owners], follower: Follower) -> None:
        self._owners = owners
        self._follower = follower

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """As `MailPolicies.policies_for`."""
        owner = _owner(self._owners(), recipient, sender)
        return None if owner is None else self._follower.current_at_once(owner)

    def all_policies(self) -> Sequence[PolicySet]:
        """As `MailPolicies.all_policies`."""
        return _of_only(self._owners(), self._follower.current_at_once)


class MailPolicies:
    """Finds the policy set for a message, by its domains. They are read again when the feed names one."""

    def __init__(self, store: Store, follower: Follower) -> None:
        self._store = store
        self._follower = follower
        self._changes = 0
        # The owners and the count of changes that they cover, swapped together.
        self._loaded: tuple[int, _Owners] = (-1, _Owners({}, None))
        self._loading = threading.Lock()
        self._at_hand = PoliciesAtHand(self.known_owners, follower)
        store.feed.follow(self._touched)

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """The policies in force of the account to which the recipient's domain is internal, or else the one to
        which the sender's is; None if neither is anybody's. It may wait for the store. Raises `AccountLocked`."""
        owner = _owner(self._current(), recipient, sender)
        return None if owner is None else self._follower.current(owner)

    def all_policies(self) -> Sequence[PolicySet]:
        """The policy sets of every account, to refuse a connection by. Empty when there are several accounts:
        to load them all for one connection would cost more than refusing it per recipient."""
        return _of_only(self._current(), self._follower.current)

    @property
    def at_hand(self) -> PoliciesAtHand:
        """The same answers, for whoever must not be held up."""
        return self._at_hand

    def known_owners(self) -> _Owners:
        """Whose domains are whose. Raises `WouldWait` where that has to be read."""
        # In this order: what was committed before is then counted before it is asked what is covered.
        if self._store.feed.up_to_date:
            changes = self._changes
            loaded, owners = self._loaded
            if loaded >= changes:
                return owners
        raise WouldWait

    def _current(self) -> _Owners:
        self._store.feed.catch_up()
        # The count first: what is committed after it was read is this caller's future.
        changes = self._changes
        loaded, owners = self._loaded
        if loaded >= changes:
            return owners
        with self._loading:
            changes = self._changes
            if self._loaded[0] < changes:
                self._loaded = changes, _Owners.of(self._store.look_up(domains.owners))
            return self._loaded[1]

    def _touched(self, account_id: str, touched: Touched) -> None:
        # By one thread at a time, see `Feed.catch_up`.
        domain = any(name == WHOLE or name.kind == Kind.DOMAIN for name in touched.get(Part.DIRECTORY, ()))
        if domain or any(name.kind == Kind.ACCOUNT for name in touched.get(Part.CREDENTIALS, ())):
            self._changes += 1
