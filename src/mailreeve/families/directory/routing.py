"""Whose mail is this? From the domains of a message to the account whose policies hold for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from msgspec import Struct

from mailreeve.families.directory.domains import rows as domains
from mailreeve.formats.addresses import Address, Domain, Sender
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.store.changes import WHOLE, Part, Touched
from mailreeve.store.follow import Follower
from mailreeve.store.transactions import Store
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


class MailPolicies:
    """Finds the policy set for a message, by its domains. They are read again when the feed names one."""

    def __init__(self, store: Store, follower: Follower) -> None:
        self._store = store
        self._follower = follower
        self._changes = 0
        # The owners and the count of changes that they cover, swapped together.
        self._loaded: tuple[int, _Owners] = (-1, _Owners({}, None))
        self._loading = threading.Lock()
        store.feed.follow(self._touched)

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """The policies in force of the account to which the recipient's domain is internal, or else the one to
        which the sender's is; None if neither is anybody's. It may wait for the store. Raises `AccountLocked`."""
        owners = self._current()
        owner = owners.by_domain.get(recipient.domain)
        if owner is None and isinstance(sender, Address):
            owner = owners.by_domain.get(sender.domain)
        if owner is None:
            # A server with one account decides all mail by its policies, so that even the refusal of strangers'
            # mail to strangers is recorded and can be explained.
            owner = owners.only
        if owner is None:
            return None
        if owner in owners.locked:
            raise AccountLocked
        return self._follower.current(owner)

    def all_policies(self) -> Sequence[PolicySet]:
        """The policy sets of every account, to refuse a connection by. Empty when there are several accounts:
        to load them all for one connection would cost more than refusing it per recipient."""
        owners = self._current()
        if owners.only is None or owners.only in owners.locked:
            return []
        return [self._follower.current(owners.only)]

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
