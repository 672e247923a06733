"""Which definitions and sets of address alteration come to nothing, or rewrite strangers?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from mailreeve.formats.addresses import fold_local
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.policies import AddressType, Definition, Routing
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.wording import definition_words, listed, quoted

_FIELDS: Final[tuple[AddressType, ...]] = tuple(field for field in AddressType if field is not AddressType.ALL)

Use = tuple[AddressType, Routing]
"""A field and a direction of mail; `Routing.ALL` stands for mail that is neither inbound nor outbound."""

_NEVER_INSIDE: Final = frozenset[Use](
    (
        (AddressType.ENVELOPE_TO, Routing.OUTBOUND),
        (AddressType.ENVELOPE_TO, Routing.ALL),
        (AddressType.ENVELOPE_FROM, Routing.ALL),
    )
)
_NEVER_OUTSIDE: Final = frozenset[Use](
    ((AddressType.ENVELOPE_TO, Routing.INBOUND), (AddressType.ENVELOPE_FROM, Routing.OUTBOUND))
)


def lint_definitions(policies: PolicySet) -> Iterator[Finding]:
    """Which definitions and sets of address alteration come to nothing, or rewrite strangers?

    A definition that others of its set with the same pattern leave nothing to do is always found.
    """
    taken: dict[tuple[str, str, str], dict[Use, Subject]] = {}
    sets: dict[str, Subject] = {}
    internal_domains = policies.directory.internal_domains
    for definition in policies.definitions.every():
        original, text = definition.original, definition_words(definition)
        subject = Subject(SubjectKind.ALTERATION_DEFINITION, definition.id, text)
        sets.setdefault(definition.set_id, subject)
        inside = not original.domain or original.domain in internal_domains
        uses = _uses(definition, inside=inside)
        # Of one pattern the winner-to-be comes first.
        earlier = taken.setdefault((definition.set_id, fold_local(original.local), original.domain), {})
        if not uses:
            yield Finding(
                FindingKind.NEVER_MATCHES,
                (subject,),
                f'The definition "{text}" can rewrite nothing: no such address can be the'
                f" {definition.address_type} of {definition.routing} mail",
                "Delete it, or create it for all mail.",
            )
        elif uses <= earlier.keys():
            winners = list({earlier[use].id: earlier[use] for use in sorted(uses)}.values())
            theirs = listed(f'"{winner.description}"' for winner in winners)
            yield Finding(
                FindingKind.SHADOWED,
                (subject, *winners),
                f'The definition "{text}" can never win: {theirs} of the same set'
                f" {'is' if len(winners) == 1 else 'are'} for the same addresses, and more special or newer",
                "Delete it.",
            )
        for use in uses:
            earlier.setdefault(use, subject)
        if not inside:
            yield Finding(
                FindingKind.EXTERNAL_ORIGINAL,
                (subject,),
                f'The definition "{text}" rewrites addresses of {original.domain}, which is none of the'
                " account's domains any more",
                "Delete it, or register the domain again.",
            )
    used = {policy.set_id for policy in policies.alteration.policies if policy.scope.terms.enabled}
    for set_id, subject in sets.items():
        if set_id and set_id not in used:
            yield Finding(
                FindingKind.UNUSED_SET,
                (subject,),
                f'No policy uses the set that holds "{subject.description}": its definitions rewrite nothing',
                "Create a policy for the set, or delete its definitions.",
            )
    for policy in policies.alteration.policies:
        if policy.scope.terms.enabled and policy.set_id not in sets:
            yield Finding(
                FindingKind.EMPTY_SET,
                (Subject(PolicyType.ADDRESS_ALTERATION, policy.id, policy.description),),
                f"{quoted(policy.description)} uses a set without definitions: where it wins, only those of the"
                " root count",
                "Add definitions to its set, or delete the policy.",
            )


def _uses(definition: Definition, *, inside: bool) -> set[Use]:
    """What the definition may be for. Mail to one of the account's own addresses is inbound, other mail from one
    is outbound; mail to a stranger is not inbound, mail from one not outbound."""
    fields = _FIELDS if definition.address_type is AddressType.ALL else (definition.address_type,)
    routes = tuple(Routing) if definition.routing is Routing.ALL else (definition.routing,)
    uses: set[Use] = set(product(fields, routes))
    return uses - (_NEVER_INSIDE if inside else _NEVER_OUTSIDE)
