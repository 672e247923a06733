"""Which permits come to nothing, because a block of the account covers them and blocks count first (3.3)?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailreeve.policy.index.matching import P
from mailreeve.policy.index.personal import entry_description
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.exemptions import Exemptions
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject
from mailreeve.policy.lint.rivals import Rivals
from mailreeve.policy.lint.scope_cover import Direction, directions, is_in_force
from mailreeve.policy.model.policies import (
    BlockedOption,
    BlockedSenderPolicy,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Scope,
)
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import BELOW, Target, TargetType, is_around
from mailreeve.policy.model.wording import listed, quoted

_EXEMPT: Final = (
    "Delete the permit; or exempt the sender with a narrower blocked sender policy whose option is no_action."
)


class PermitLinter:
    """Permits that come to nothing, because a block of the account covers them and blocks count first (3.3).

    Such a permit never spares a message its spam checks, unless a blocked sender policy exempts the message.
    """

    def __init__(
        self, policies: PolicySet, blocked: Rivals[BlockedSenderPolicy], coverage: Coverage, at: float
    ) -> None:
        self._policies = policies
        self._blocked = blocked
        self._coverage = coverage
        self._at = at
        self._exemptions = Exemptions(policies.blocked.policies, *_named(policies), coverage, at)
        self._under: dict[str, tuple[BlockedSenderPolicy, list[ManagedSender], int]] = {}
        self._inside: list[ManagedSender] = []
        self._inside_count = 0
        self._over: list[ManagedSender] = []
        self._over_count = 0

    def look_at_policy(self, policy: PermittedSenderPolicy) -> Iterator[Finding]:
        """A permitted sender policy that covers nothing but blocked senders."""
        scope = policy.scope
        if not is_in_force(scope, self._at) or any(map(self._coverage.impossible, (scope.from_, scope.to))):
            return
        ways = list(directions(policy))
        blocks = [self._block(each) for each in ways]
        if not ways or any(block is None for block in blocks):
            return
        found = {block.id: block for block in blocks if block is not None}
        theirs = listed(quoted(block.description) for block in found.values())
        subjects = (
            Subject(PolicyType.PERMITTED_SENDERS, policy.id, policy.description),
            *(Subject(PolicyType.BLOCKED_SENDERS, block.id, block.description) for block in found.values()),
        )
        name = quoted(policy.description)
        why = f"{name} lets nobody in: {theirs} blocks whatever it permits, and blocks count first"
        yield Finding(FindingKind.PERMIT_UNDER_BLOCK, subjects, why, _EXEMPT)

    def look_at_entry(self, entry: ManagedSender) -> None:
        """A personal entry. What is found is told by `findings`, together for those that are alike."""
        if self._at >= entry.ends and entry.is_auto:
            return  # It goes by itself.
        if self._at >= entry.ends:
            self._over_count += 1
            if len(self._over) < NAMED:
                self._over.append(entry)
            return
        if entry.action is not ManagedAction.PERMIT:
            return
        domain, own = entry.sender.rpartition("@")[2], self._policies.directory.internal_domains
        if domain in own or (domain[0] == BELOW and any(is_around(domain, one) for one in own)):
            self._inside_count += 1
            if len(self._inside) < NAMED:
                self._inside.append(entry)
        kind = TargetType.INDIVIDUAL_EMAIL_ADDRESS if "@" in entry.sender else TargetType.EMAIL_DOMAIN
        recipient = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, entry.recipient)
        scope = Scope(Target.of(kind, entry.sender), recipient)
        block = self._block(Direction(BlockedSenderPolicy("", "", scope, BlockedOption.NO_ACTION, 0.0), False))
        if block is None:
            return
        _, named, count = self._under.get(block.id, (block, [], 0))
        if len(named) < NAMED:
            named.append(entry)
        self._under[block.id] = (block, named, count + 1)

    def findings(self) -> Iterator[Finding]:
        """What was found among the personal entries."""
        for block, named, count in self._under.values():
            entries = tuple(_entry_subject(entry) for entry in named)
            subject = Subject(PolicyType.BLOCKED_SENDERS, block.id, block.description)
            shown = listed((f"{entry.sender} by {entry.recipient}" for entry in named), 3)
            what = (
                f"the permit of {shown} lets nobody in"
                if count == 1
                else f"{count} personal permits let nobody in"
            )
            why = f"{what}: {quoted(block.description)} blocks what they permit, and blocks count first"
            yield Finding(
                FindingKind.PERMIT_UNDER_BLOCK, (*entries, subject), why[0].upper() + why[1:], _EXEMPT, count
            )
        if self._inside:
            shown = listed((f"{entry.sender} by {entry.recipient}" for entry in self._inside), 3)
            number = (
                "A personal permit names"
                if self._inside_count == 1
                else f"{self._inside_count} personal permits name"
            )
            yield Finding(
                FindingKind.INSIDE_PERMIT,
                tuple(_entry_subject(entry) for entry in self._inside),
                f"{number} inside senders, whom anybody can claim to be: {shown}",
                "They count only for mail that authenticates; remove those that are not needed.",
                self._inside_count,
            )

        if self._over:
            shown = listed((f"{entry.sender} by {entry.recipient}" for entry in self._over), 3)
            number = (
                "A personal entry has expired"
                if self._over_count == 1
                else f"{self._over_count} personal entries have expired"
            )
            yield Finding(
                FindingKind.EXPIRED,
                tuple(_entry_subject(entry) for entry in self._over),
                f"{number}: {shown}",
                "They decide nothing any more; `mailreeve sender remove --expired` takes them out.",
                self._over_count,
                harmless=True,
            )

    def _block(self, way: Direction[P]) -> BlockedSenderPolicy | None:
        """The block that refuses all that the permit is for, unless an exemption is in its way."""
        coverage = self._coverage
        senders, recipients = coverage.sure_keys(way.sender), coverage.sure_keys(way.recipient)
        rows = self._policies.blocked.candidates(senders, recipients)
        block = self._blocked.covering(rows, way, blocks=True)
        if block is None or self._exemptions.any_above(block.floor, way):
            return None
        return block.policy


def _named(policies: PolicySet) -> tuple[frozenset[str], frozenset[str]]:
    """The keys that permits name, on the sender's side and on the recipient's."""
    senders: set[str] = set()
    recipients: set[str] = set()
    for policy in policies.permitted.policies:
        for way in directions(policy):
            senders.add(way.sender.key)
            recipients.add(way.recipient.key)
    for entry in policies.managed.entries:
        senders.add(entry.sender)
        recipients.add(entry.recipient)
    return frozenset(senders), frozenset(recipients)


def _entry_subject(entry: ManagedSender) -> Subject:
    return Subject(PolicyType.MANAGED_SENDERS, entry.id, entry_description(entry))
