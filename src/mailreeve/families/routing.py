"""Whose mail is this? From the domains of a message to the account whose policies hold for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from mailreeve.families.domains import rows as domains
from mailreeve.policy.addresses import Address, Domain, Sender
from mailreeve.policy.policy_set import PolicySet
from mailreeve.store.follow import Follower
from mailreeve.store.transactions import Part, Store


class MailPolicies:
    """Finds the policy set for a message, by its domains. Domains are read again after a directory changed."""

    def __init__(self, store: Store, follower: Follower) -> None:
        self._store = store
        self._follower = follower
        self._owners: Mapping[Domain, str] = {}
        self._marks = 0
        self._loaded = -1
        self._guard = threading.Lock()
        store.on_commit(self._committed)

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        """The policies in force of the account to which the recipient's domain is internal, or else the one to
        which the sender's is; None if neither is anybody's. It may wait for the store."""
        owners = self._current()
        owner = owners.get(recipient.domain)
        if owner is None and isinstance(sender, Address):
            owner = owners.get(sender.domain)
        if owner is None:
            # A server with one account decides all mail by its policies, so that even the refusal of strangers'
            # mail to strangers is recorded and can be explained.
            accounts = set(owners.values())
            if len(accounts) != 1:
                return None
            (owner,) = accounts
        return self._follower.current(owner)

    def all_policies(self) -> Sequence[PolicySet]:
        """The policy sets of every account, to refuse a connection by. Empty when there are several accounts:
        to load them all for one connection would cost more than refusing it per recipient."""
        accounts = set(self._current().values())
        return [self._follower.current(account) for account in accounts] if len(accounts) == 1 else []

    def _current(self) -> Mapping[Domain, str]:
        if self._loaded != self._marks:
            # Counted before the rows are read: what is committed from now on is read by the next caller.
            marks = self._marks
            self._owners = self._store.look_up(domains.owners)
            self._loaded = marks
        return self._owners

    def _committed(self, account_id: str, revision: int, touched: frozenset[Part]) -> None:
        if Part.DIRECTORY in touched:
            with self._guard:
                self._marks += 1
