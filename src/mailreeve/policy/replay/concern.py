"""Which messages could a change of policies concern at all? A quick test that errs on the side of yes.

A decision is made from policies that could apply, the recipient's list, definitions that name an address, and what
the directory says about the addresses. Where a change has no part in any of these, both decisions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.index.matching import P
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.keys import NO_KEYS, Keys, union
from mailreeve.policy.replay.patterns import Patterns

CouldApply = Callable[[Keys, Keys, bool], bool]
"""Whether changed policies could apply between addresses with these keys; the last says if the header is known."""


class Concern:
    """What differs between two policy sets of one account, in whatever mail decisions are made from.

    `touched` are the ids of all policies, personal entries and definitions that differ. Of the directory groups
    and their members may differ, but neither domains nor users.
    """

    def __init__(self, before: PolicySet, after: PolicySet, touched: frozenset[str]) -> None:
        self._sets = (before, after)
        self._before = before.identities
        self._after = after.identities
        self._directory_differs = before.directory is not after.directory
        self._could_apply: list[CouldApply] = []
        # One index for each set: in an index a changed policy would displace what it was before.
        for held in self._sets:
            for index in held.scoped.values():
                self._could_apply += _could_apply(_those(touched, index))
        self._lists = frozenset(
            entry.recipient for held in self._sets for entry in map(held.managed.get, touched) if entry is not None
        )
        self._patterns = Patterns(
            definition
            for held in self._sets
            for definition in held.definitions.every()
            if definition.id in touched
        )
        self._has_source_blocks = any(held.source_blocks.blocks for held in self._sets)

    def about(self, facts: MessageFacts) -> bool:
        """Whether the message could be decided differently."""
        before, after = self._before.at(facts.at), self._after.at(facts.at)
        sender, recipient, authors = facts.sender, facts.recipient, facts.header_from
        if self._lists and (list_key(before, recipient) in self._lists or self._may_go_elsewhere(recipient)):
            return True
        if self._patterns and any(one in self._patterns for one in _addresses(sender, recipient, authors)):
            return True
        if self._has_source_blocks and self._at_connect(facts):
            return True
        senders, recipients = before.keys(sender), before.keys(recipient)
        written = NO_KEYS if authors is None else before.author_keys(authors)
        if self._directory_differs:
            # One by one: what an author has already, the envelope sender may be new to.
            if _differ(after.keys(sender), senders) or _differ(after.keys(recipient), recipients):
                return True
            if authors is not None and _differ(after.author_keys(authors), written):
                return True
        senders = union((senders, written))
        header_known = authors is not None
        return any(could_apply(senders, recipients, header_known) for could_apply in self._could_apply)

    def _may_go_elsewhere(self, recipient: Address) -> bool:
        """Whether alteration may have the message obey another one's list."""
        return any(held.definitions.concern(recipient, held.directory.internal_domains) for held in self._sets)

    def _at_connect(self, facts: MessageFacts) -> bool:
        """Whether the source is refused at connect by either set: that depends on all policies together."""
        source = facts.source_ip
        return source is not None and any(
            held.source_blocks.refusing(held.identities.at(facts.at), source, facts.at) is not None
            for held in self._sets
        )


def _could_apply(policies: list[P]) -> Iterator[CouldApply]:
    """Whether any of the policies of one type could apply; nothing where none of them is enabled."""
    if not any(policy.scope.terms.enabled for policy in policies):
        return
    index = ScopedIndex(policies)

    def could_apply(senders: Keys, recipient: Keys, header_known: bool) -> bool:
        if index.candidates(senders, recipient):
            return True
        return not header_known and any(True for _ in index.header_readers(recipient))

    yield could_apply


def _differ(first: Keys, second: Keys) -> bool:
    """Whether the keys are not the same, in whatever order."""
    return first != second and set(first) != set(second)


def _those(touched: frozenset[str], index: ScopedIndex[P]) -> list[P]:
    return [policy for policy in map(index.get, touched) if policy is not None]


def _addresses(sender: Sender, recipient: Address, authors: tuple[HeaderFrom, ...] | None) -> Iterator[Address]:
    yield recipient
    if isinstance(sender, Address):
        yield sender
    for author in authors or ():
        if author.address is not None:
            yield author.address
