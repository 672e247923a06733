"""Which messages could a change of policies concern at all? A quick test that errs on the side of yes.

A decision is made from policies that could apply, the recipient's list, definitions that name an address, and what
the directory says about the addresses. Where a change has no part in any of these, both decisions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mailreeve.policy import contents
from mailreeve.policy.addresses import Address, Sender
from mailreeve.policy.facts import HeaderFrom, MessageFacts
from mailreeve.policy.index import ScopedIndex
from mailreeve.policy.keys import Keys, union
from mailreeve.policy.matching import P
from mailreeve.policy.personal import list_key
from mailreeve.policy.policies import Definition
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.targets import TargetType

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
            self._could_apply += [
                *_could_apply(_those(touched, contents.blocked(held))),
                *_could_apply(_those(touched, contents.permitted(held))),
                *_could_apply(_those(touched, contents.alteration(held))),
            ]
        self._lists = frozenset(
            entry.recipient for held in self._sets for entry in contents.managed(held) if entry.id in touched
        )
        self._alters = bool(before.definitions) or bool(after.definitions)
        self._patterns = frozenset(
            _pattern(definition)
            for held in self._sets
            for definition in contents.definitions(held)
            if definition.id in touched
        )
        self._has_source_blocks = any(_has_source_blocks(held) for held in self._sets)

    def about(self, facts: MessageFacts) -> bool:
        """Whether the message could be decided differently."""
        before, sender, recipient, authors = self._before, facts.sender, facts.recipient, facts.header_from
        # Whose list counts is known without alteration only.
        if self._lists and (self._alters or list_key(before, recipient) in self._lists):
            return True
        if self._patterns and any(map(self._is_named, _addresses(sender, recipient, authors))):
            return True
        if self._has_source_blocks and self._at_connect(facts):
            return True
        senders, recipients = before.keys(sender), before.keys(recipient)
        if authors is not None:
            senders = union((senders, before.author_keys(authors)))
        if self._directory_differs:
            after = self._after
            now = after.keys(sender)
            if authors is not None:
                now = union((now, after.author_keys(authors)))
            if _differ(now, senders) or _differ(after.keys(recipient), recipients):
                return True
        header_known = authors is not None
        return any(could_apply(senders, recipients, header_known) for could_apply in self._could_apply)

    def _is_named(self, address: Address) -> bool:
        local, _, domain = address.key.rpartition("@")
        patterns = self._patterns
        return (local, domain) in patterns or (local, "") in patterns or ("", domain) in patterns

    def _at_connect(self, facts: MessageFacts) -> bool:
        """Whether the source is refused at connect by either set: that depends on all policies together."""
        source = facts.source_ip
        return source is not None and any(
            held.source_blocks.refusing(held.identities, source, facts.at) is not None for held in self._sets
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


def _has_source_blocks(policies: PolicySet) -> bool:
    """Whether any policy is about source addresses and nothing else."""
    everyone = TargetType.EVERYONE
    scopes = (policy.scope for policy in contents.blocked(policies))
    return any(scope.terms.networks and scope.from_.type is scope.to.type is everyone for scope in scopes)


def _those(touched: frozenset[str], policies: Iterable[P]) -> list[P]:
    return [policy for policy in policies if policy.id in touched]


def _pattern(definition: Definition) -> tuple[str, str]:
    original = definition.original
    return original.local.lower(), original.domain


def _addresses(sender: Sender, recipient: Address, authors: tuple[HeaderFrom, ...] | None) -> Iterator[Address]:
    yield recipient
    if isinstance(sender, Address):
        yield sender
    for author in authors or ():
        if author.address is not None:
            yield author.address
