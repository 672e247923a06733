"""Which groups lie deeper than groups may? They came to be before there was a limit, or by other hands."""

from __future__ import annotations

from collections.abc import Iterator

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.group_tree import MAX_DEPTH
from mailreeve.policy.model.wording import listed, quoted


def lint_groups(policies: PolicySet) -> Iterator[Finding]:
    """The groups that are nested too deep, as one finding. They work, but every decision about a member goes
    through all groups above."""
    directory = policies.directory
    deep = sorted(group for group, depth in policies.identities.tree.depths().items() if depth > MAX_DEPTH)
    if not deep:
        return
    subjects = tuple(Subject(SubjectKind.GROUP, key, directory.group_names.get(key, "")) for key in deep[:NAMED])
    names = listed((quoted(subject.description) for subject in subjects), 3)
    what = f"The group {names} lies" if len(deep) == 1 else f"{len(deep)} groups, {names} among them, lie"
    yield Finding(
        FindingKind.DEEP_GROUP,
        subjects,
        f"{what} deeper than {MAX_DEPTH} groups one in another: decisions about their members are slow",
        "Move them nearer to the top.",
        len(deep),
    )
