"""Which permits come to nothing, because a block of the account covers them and blocks count first (3.3)?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailreeve.policy.coverage import Coverage
from mailreeve.policy.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.keys import keys_of
from mailreeve.policy.lint_mail import TRIED
from mailreeve.policy.matching import P
from mailreeve.policy.order import Order
from mailreeve.policy.personal import entry_description
from mailreeve.policy.policies import (
    BlockedOption,
    BlockedSenderPolicy,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Scope,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.scope_cover import Direction, covers, direction_of, directions, is_in_force
from mailreeve.policy.targets import Target, TargetType
from mailreeve.policy.wording import listed, quoted

_EXEMPT: Final = (
    "Delete the permit; or exempt the sender with a narrower blocked sender policy whose option is no_action."
)


class PermitLinter:
    """Permits that come to nothing, because a block of the account covers them and blocks count first (3.3)."""

    def __init__(self, policies: PolicySet, coverage: Coverage, at: float) -> None:
        self._policies = policies
        self._coverage = coverage
        self._at = at
        self._under: dict[str, tuple[BlockedSenderPolicy, list[ManagedSender], int]] = {}
        self._inside: list[ManagedSender] = []
        self._inside_count = 0

    def look_at_policy(self, policy: PermittedSenderPolicy) -> Iterator[Finding]:
        """A permitted sender policy that covers nothing but blocked senders."""
        if not is_in_force(policy.scope, self._at):
            return
        ways = list(directions(policy))
        blocks = [self._block(each) for each in ways]
        if not ways or any(block is None for block in blocks):
            return
        found = {block.id: block for block in blocks if block is not None}
        theirs = listed(quoted(block.description) for block in found.values())
        subjects = (
            Subject(SubjectKind.PERMITTED_SENDERS, policy.id, policy.description),
            *(Subject(SubjectKind.BLOCKED_SENDERS, block.id, block.description) for block in found.values()),
        )
        name = quoted(policy.description)
        why = f"{name} lets nobody in: {theirs} blocks the same senders, and blocks count first"
        yield Finding(FindingKind.PERMIT_UNDER_BLOCK, subjects, why, _EXEMPT)

    def look_at_entry(self, entry: ManagedSender) -> None:
        """A personal permit. What is found is told by `findings`, together for those that are alike."""
        if entry.action is not ManagedAction.PERMIT:
            return
        domain = entry.sender.rpartition("@")[2]
        if domain in self._policies.directory.internal_domains:
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
        """What was found among the personal permits."""
        for block, named, count in self._under.values():
            entries = tuple(_entry_subject(entry) for entry in named)
            subject = Subject(SubjectKind.BLOCKED_SENDERS, block.id, block.description)
            shown = listed((f"{entry.sender} by {entry.recipient}" for entry in named), 3)
            what = (
                f"the permit of {shown} lets nobody in"
                if count == 1
                else f"{count} personal permits let nobody in"
            )
            why = f"{what}: {quoted(block.description)} blocks the same senders, and blocks count first"
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

    def _block(self, way: Direction[P]) -> BlockedSenderPolicy | None:
        """The block that refuses all that the permit is for, unless an exemption covers that too and wins."""
        coverage = self._coverage
        senders, recipients = coverage.sure_keys(way.sender), coverage.sure_keys(way.recipient)
        best: Direction[BlockedSenderPolicy] | None = None
        best_order: Order | None = None
        for row in self._policies.blocked.candidates(keys_of(senders), keys_of(recipients)):
            for rival in map(direction_of, islice(row, TRIED)):
                if best_order is not None and rival.order <= best_order:
                    break  # so are all that follow
                if covers(coverage, rival, way, self._at):
                    best, best_order = rival, rival.order
        if best is None or best.policy.option is not BlockedOption.BLOCK_SENDER:
            return None
        return best.policy


def _entry_subject(entry: ManagedSender) -> Subject:
    return Subject(SubjectKind.MANAGED_SENDERS, entry.id, entry_description(entry))
