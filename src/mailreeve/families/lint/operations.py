"""What is wrong with an account's policies, in the words and with the ids of the wire.

A pure function over a policy set, so that the endpoint and the command line say the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from mailreeve.families.directory.users import rows as users
from mailreeve.families.lint.types import FindingAnswer, LintAnswer, LintPolicies, SubjectAnswer
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import Finding, FindingKind, Level, Subject, SubjectKind
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.store.reading import UnreadableRow
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

MOST: Final = 1_000  # findings that one answer lists

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_TABLES: Final[Mapping[str, PolicyType | SubjectKind]] = {
    **{row.table: row.type for row in POLICY_TYPES.values()},
    "alteration_definition": SubjectKind.ALTERATION_DEFINITION,
    "web_policy": SubjectKind.WEB_LIST,
    "web_entry": SubjectKind.WEB_ENTRY,
    "managed_url": SubjectKind.MANAGED_URL,
}

Stop = Callable[[int], str]
"""Asked now and then, with how many policies and entries have been looked at: why to stop, or an empty text to go
on."""

_KINDS: Final[Mapping[str, str]] = {
    **{row.type: row.kind for row in POLICY_TYPES.values()},
    SubjectKind.ALTERATION_DEFINITION: Kind.ALTERATION_DEFINITION,
    SubjectKind.GROUP: Kind.GROUP,
    SubjectKind.WEB_LIST: Kind.WEB_POLICY,
    SubjectKind.WEB_ENTRY: Kind.WEB_ENTRY,
    SubjectKind.MANAGED_URL: Kind.MANAGED_URL,
}


def lint_policies(
    policies: PolicySet,
    ids: Ids,
    item: LintPolicies,
    now: datetime,
    *,
    web_proxy: bool,
    spam_engine: bool = True,
    zones: bool = False,
    unreadable: Sequence[UnreadableRow] = (),
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
        for finding in chain(
            map(_left_out, unreadable),
            lint(policies, at, web_proxy=web_proxy, spam_engine=spam_engine, zones=zones, progress=progress),
        ):
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
        kind = _KINDS.get(subject.kind)
        # A row of which even the key is broken, or of what has no id on the wire, is known by its key.
        sealed = kind is not None and _KEY.fullmatch(subject.id)
        wire_id = ids.seal(kind, subject.id, policies.account_id) if kind and sealed else subject.id
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


def left_out(work: Work, policies: PolicySet) -> list[UnreadableRow]:
    """The stored rows that cannot be read: those found when these policies were loaded, and those that policies
    have no part in."""
    users.check(work)
    return work.unreadable.of(policies.account_id)


def _left_out(row: UnreadableRow) -> Finding:
    subject = Subject(_TABLES.get(row.table, SubjectKind.STORED_ROW), row.key, f"{row.table} {row.key}")
    return Finding(
        kind=FindingKind.UNREADABLE,
        subjects=(subject,),
        why=f'"{subject.description}" cannot be read and is left out, as if it were not there: {row.why}',
        advice="Put the row back from a backup, or delete it from the database and make the object anew",
    )


class _Stopped(Exception):
    """The linter was told to stop. The message says why."""
