"""The item and the answer of the lint endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from mailreeve.policy.lint.findings import FindingKind, Level, SubjectKind
from mailreeve.policy.model.policy_types import PolicyType

SubjectName = Annotated[str, Meta(extra_json_schema={"enum": sorted((*PolicyType, *SubjectKind))})]
"""What kind of object a finding names: a `PolicyType` or a `SubjectKind`."""


class LintPolicies(Struct, frozen=True, rename="camel"):
    """What to look for: everything, or findings of one kind or level. Without `at` the time is now."""

    kind: FindingKind | None = None
    level: Level | None = None
    at: str | None = None


class SubjectAnswer(Struct, frozen=True):
    """An object that a finding names."""

    type: SubjectName
    id: str
    description: str


class FindingAnswer(Struct, frozen=True):
    """One finding. The first of `policies` is at fault, the others are what it is at odds with; of many that are
    alike the first are named, and `count` is how many there are. `harmless` marks what changes no decision."""

    kind: FindingKind
    level: Level
    why: str
    advice: str
    policies: Sequence[SubjectAnswer]
    count: int
    harmless: bool


class LintAnswer(Struct, frozen=True):
    """The findings, warnings before notes. `counts` is how many of each kind were found; `truncated` tells that
    not all of them are listed, or not all policies looked at, with `why`."""

    findings: Sequence[FindingAnswer]
    counts: Mapping[FindingKind, int]
    truncated: bool
    why: str
    revision: int
