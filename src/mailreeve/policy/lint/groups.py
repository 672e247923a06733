"""Which groups lie deeper than groups may, or hold memberships that have ended?

Groups came to lie deeper before there was a limit, or by other hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.group_tree import MAX_DEPTH
from mailreeve.policy.model.wording import listed, moment_words, quoted


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


def lint_ended(policies: PolicySet, ended: Iterable[tuple[str, str, float]]) -> Iterator[Finding]:
    """The memberships that have ended, one finding for each group that holds some: they decide nothing any more.
    Each is a member, a group, and when it ended."""
    by_group: dict[str, list[tuple[str, float]]] = {}
    for member, group, end in ended:
        by_group.setdefault(group, []).append((member, end))
    for group, members in by_group.items():
        subject = Subject(SubjectKind.GROUP, group, policies.directory.group_names.get(group, ""))
        names = listed((f"{member} since {moment_words(end)}" for member, end in members), 3)
        what = "A membership has" if len(members) == 1 else f"{len(members)} memberships have"
        yield Finding(
            FindingKind.ENDED_MEMBERSHIP,
            (subject,),
            f"{what} ended in the group {quoted(subject.description)}: {names}",
            "Remove it, or give it another end."
            if len(members) == 1
            else "Remove them, or give them another end.",
            len(members),
        )
