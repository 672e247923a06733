"""What is wrong with an account's policies, in the words and with the ids of the wire.

A pure function over a policy set, so that the endpoint and the command line say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from mailreeve.families.lint.types import FindingAnswer, LintAnswer, LintPolicies, SubjectAnswer
from mailreeve.policy.findings import Finding, FindingKind, Level, Subject, SubjectKind
from mailreeve.policy.lint import lint
from mailreeve.policy.policy_set import PolicySet
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

MOST: Final = 1_000  # findings that one answer lists

Stop = Callable[[int], str]
"""Asked now and then, with how many policies and entries have been looked at: why to stop, or an empty text to go
on."""

_KINDS: Final = {
    SubjectKind.BLOCKED_SENDERS: Kind.BLOCKED_SENDER_POLICY,
    SubjectKind.PERMITTED_SENDERS: Kind.PERMITTED_SENDER_POLICY,
    SubjectKind.MANAGED_SENDERS: Kind.MANAGED_SENDER,
    SubjectKind.ADDRESS_ALTERATION: Kind.ALTERATION_POLICY,
    SubjectKind.ALTERATION_DEFINITION: Kind.ALTERATION_DEFINITION,
    SubjectKind.GROUP: Kind.GROUP,
    SubjectKind.WEB_LIST: Kind.WEB_POLICY,
    SubjectKind.WEB_ENTRY: Kind.WEB_ENTRY,
}


def lint_policies(
    policies: PolicySet,
    ids: Ids,
    item: LintPolicies,
    now: datetime,
    *,
    web_proxy: bool,
    wanted: Callable[[Finding], bool] = lambda finding: True,
    most: int | None = MOST,
    stop: Stop = lambda looked_at: "",
) -> LintAnswer:
    """The findings that are `wanted` and that the item asks for, at most `most` of them. Raises `ItemRefused`."""

    def progress(looked_at: int) -> None:
        if why := stop(looked_at):
            raise _Stopped(why)

    at = (now if item.at is None else fields.moment(item.at, "at")).timestamp()
    counts: Counter[FindingKind] = Counter()
    kept: dict[Level, list[Finding]] = {level: [] for level in Level}
    why = ""
    try:
        for finding in lint(policies, at, web_proxy=web_proxy, progress=progress):
            if item.kind not in (None, finding.kind) or item.level not in (None, finding.level):
                continue
            if not wanted(finding):
                continue
            counts[finding.kind] += 1
            of_level = kept[finding.level]
            if most is None or len(of_level) < most:
                of_level.append(finding)
    except _Stopped as stopped:
        why = str(stopped)
    listed = [finding for level in Level for finding in kept[level]][:most]
    if not why and counts.total() > len(listed):
        why = f"only {most} are listed"

    def subject_answer(subject: Subject) -> SubjectAnswer:
        wire_id = ids.seal(_KINDS[subject.kind], subject.id, policies.account_id)
        return SubjectAnswer(subject.kind, wire_id, subject.description)

    return LintAnswer(
        findings=[
            FindingAnswer(
                kind=finding.kind,
                level=finding.level,
                why=finding.why,
                advice=finding.advice,
                policies=[subject_answer(subject) for subject in finding.subjects],
                count=finding.count,
                harmless=finding.harmless,
            )
            for finding in listed
        ],
        counts=dict(counts),
        truncated=bool(why),
        why=why,
        revision=policies.revision,
    )


class _Stopped(Exception):
    """The linter was told to stop. The message says why."""
