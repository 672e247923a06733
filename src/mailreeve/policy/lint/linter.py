"""What is wrong with an account's policies? The linter: pure, and near-linear in the number of policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.alteration import lint_definitions
from mailreeve.policy.lint.authentication import lint_authentication
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.findings import Finding
from mailreeve.policy.lint.groups import lint_ended, lint_groups
from mailreeve.policy.lint.mail import MailLinter
from mailreeve.policy.lint.permits import PermitLinter
from mailreeve.policy.lint.rewritten import lint_rewritten
from mailreeve.policy.lint.spam import lint_spam
from mailreeve.policy.lint.web import WebLinter
from mailreeve.policy.lint.zones import lint_zones
from mailreeve.policy.model.policies import WebPolicyKind
from mailreeve.policy.model.policy_types import PolicyType

Progress = Callable[[int], None]
"""Told now and then how many policies and entries have been looked at."""

STEP: Final = 1_000  # policies between two reports of progress


def lint(
    policies: PolicySet,
    at: float,
    *,
    web_proxy: bool,
    spam_engine: bool = True,
    zones: bool = False,
    progress: Progress | None = None,
) -> Iterator[Finding]:
    """Everything that is wrong from the time `at` on, in POSIX seconds; found while it is asked for.

    `web_proxy` says whether requests are decided with their whole URL, `spam_engine` whether one is set,
    `zones` whether resolvers fetch zones. A
    finding that is one of `NEVER_WINS` is certain; what is not reported may still be wrong: see
    `policy.lint.mail`.
    """
    looked = _Count(progress)
    ended = [*policies.identities.ended(at)]
    policies = policies.at(at)
    coverage = Coverage(policies.identities, policies.identities.lasting())

    blocked = MailLinter(policies.blocked, PolicyType.BLOCKED_SENDERS, coverage, at)
    for blocking in policies.blocked.policies:
        looked.one_more()
        yield from blocked.look_at(blocking)
    yield from blocked.last()
    permits = PermitLinter(policies, blocked.rivals, coverage, at)
    permitted = MailLinter(policies.permitted, PolicyType.PERMITTED_SENDERS, coverage, at)
    for permit in policies.permitted.policies:
        looked.one_more()
        yield from permitted.look_at(permit)
        yield from permits.look_at_policy(permit)
    yield from permitted.last()
    for entry in policies.managed.entries:
        looked.one_more()
        permits.look_at_entry(entry)
    yield from permits.findings()
    for type_, index in policies.scoped.items():
        if type_ in (PolicyType.BLOCKED_SENDERS, PolicyType.PERMITTED_SENDERS):
            continue  # looked at above, together
        linter = MailLinter(index, type_, coverage, at)
        for policy in index.policies:
            looked.one_more()
            yield from linter.look_at(policy)
        yield from linter.last()
    yield from lint_authentication(policies, at)
    yield from lint_definitions(policies)
    yield from lint_rewritten(policies)
    yield from lint_groups(policies)
    yield from lint_ended(policies, ended)
    yield from lint_spam(policies, spam_engine=spam_engine)

    lists = tuple(policy for policy in policies.web.policies if policy.kind is not WebPolicyKind.TEMPORARY)
    web = WebLinter(lists, coverage, at, web_proxy=web_proxy)
    for listed in lists:
        looked.one_more(max(1, len(listed.entries)))
        yield from web.look_at(listed)
    yield from web.last()
    if zones:
        yield from lint_zones(policies, at)
    looked.report()


def size(policies: PolicySet) -> int:
    """How much there is to look at: what progress counts up to."""
    return (
        sum(map(len, policies.scoped.values()))
        + sum(1 for _ in policies.managed.entries)
        + sum(max(1, len(policy.entries)) for policy in policies.web.policies)
    )


class _Count:
    """Counts what has been looked at, and reports it now and then."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._looked = self._reported = 0

    def one_more(self, number: int = 1) -> None:
        self._looked += number
        if self._looked - self._reported >= STEP:
            self.report()

    def report(self) -> None:
        self._reported = self._looked
        if self._progress is not None:
            self._progress(self._looked)
