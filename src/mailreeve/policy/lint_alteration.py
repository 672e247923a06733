"""Which definitions and sets of address alteration come to nothing, or rewrite strangers?"""

from __future__ import annotations

from collections.abc import Iterator

from mailreeve.policy import contents
from mailreeve.policy.findings import Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.wording import quoted


def lint_definitions(policies: PolicySet) -> Iterator[Finding]:
    """Which definitions and sets of address alteration come to nothing, or rewrite strangers?"""
    first: dict[tuple[str, str, str, str, str], Subject] = {}
    sets: dict[str, Subject] = {}
    for definition in contents.definitions(policies):
        original, new = definition.original, definition.new
        text = f"{original.local or '*'}@{original.domain or '*'} -> {new.local or '*'}@{new.domain or '*'}"
        subject = Subject(SubjectKind.ALTERATION_DEFINITION, definition.id, text)
        sets.setdefault(definition.set_id, subject)
        same = (
            definition.set_id,
            original.local.lower(),
            original.domain,
            definition.address_type.value,
            definition.routing.value,
        )
        winner = first.setdefault(same, subject)
        if winner is not subject:
            yield Finding(
                FindingKind.SHADOWED,
                (subject, winner),
                f'The definition "{text}" can never win: "{winner.description}" of the same set is for the same'
                " addresses, and newer",
                "Delete it.",
            )
        if original.domain and original.domain not in policies.directory.internal_domains:
            yield Finding(
                FindingKind.EXTERNAL_ORIGINAL,
                (subject,),
                f'The definition "{text}" rewrites addresses of {original.domain}, which is none of the'
                " account's domains any more",
                "Delete it, or register the domain again.",
            )
    used = {policy.set_id for policy in contents.alteration(policies) if policy.scope.terms.enabled}
    for set_id, subject in sets.items():
        if set_id and set_id not in used:
            yield Finding(
                FindingKind.UNUSED_SET,
                (subject,),
                f'No policy uses the set that holds "{subject.description}": its definitions rewrite nothing',
                "Create a policy for the set, or delete its definitions.",
            )
    for policy in contents.alteration(policies):
        if policy.scope.terms.enabled and policy.set_id not in sets:
            yield Finding(
                FindingKind.EMPTY_SET,
                (Subject(SubjectKind.ADDRESS_ALTERATION, policy.id, policy.description),),
                f"{quoted(policy.description)} uses a set without definitions: where it wins, only those of the"
                " root count",
                "Add definitions to its set, or delete the policy.",
            )
