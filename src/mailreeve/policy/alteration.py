"""What becomes of an address? The rewriting of one message for one recipient (behaviour.md section 5).

The policy is chosen by the original addresses (D-20). Its set is consulted first, then the root; the
first hit for an address field ends it, and a result is never rewritten again (D-21).
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from mailreeve.policy.addresses import Address
from mailreeve.policy.contest import Contest, contest
from mailreeve.policy.decisions import FieldAlteration
from mailreeve.policy.definitions import ROOT, Route, apply_pattern
from mailreeve.policy.facts import MessageFacts
from mailreeve.policy.matching import Match, case_of
from mailreeve.policy.policies import AddressType, AlterationPolicy, Definition, Routing
from mailreeve.policy.policy_set import PolicySet

_INBOUND: Final = Route(Routing.INBOUND)
_OUTBOUND: Final = Route(Routing.OUTBOUND)
_NEITHER: Final = Route(Routing.ALL)


class Rewriter:
    """The rewrites of one message on its way to one recipient.

    `policy` is the alteration policy that won, or None, which leaves the root's definitions.
    It is not `certain` while the header is unknown and could choose another set (D-07).
    """

    def __init__(self, policies: PolicySet, facts: MessageFacts, choice: Contest[AlterationPolicy]) -> None:
        self._definitions = policies.definitions
        self._identities = policies.identities
        self._facts = facts
        self._choice = choice
        self._set_id = ROOT if choice.winner is None else choice.winner.policy.set_id

    @property
    def policy(self) -> AlterationPolicy | None:
        """The alteration policy that won."""
        return None if self._choice.winner is None else self._choice.winner.policy

    @cached_property
    def _route(self) -> Route:
        if self._identities.is_internal(self._facts.recipient):
            return _INBOUND
        return _OUTBOUND if self._identities.is_internal(self._facts.sender) else _NEITHER

    @cached_property
    def _possible_sets(self) -> set[str] | None:
        return self._choice.possible(_set_of) if self._definitions else {self._set_id}

    @property
    def certain(self) -> bool:
        """Whether the set is the same whatever the header will say."""
        return self._possible_sets is not None and len(self._possible_sets) == 1

    def rewrite(self, field: AddressType, address: Address) -> FieldAlteration | None:
        """The rewrite of this address where it stands in this field, or None if it stays as it is.

        A definition that maps an address to itself ends the search as any other hit does: that is
        how an address is left out of a wider definition.
        """
        definition = self._definition(self._set_id, field, address)
        if definition is None:
            return None
        original, new = str(address), str(apply_pattern(definition.new, address))
        if new == original:
            return None
        return FieldAlteration(definition.id, definition.set_id, field, original, new)

    def recipient(self, original: Address) -> Address:
        """The envelope recipient to whom the message goes."""
        return self._recipient(self._set_id, original)

    def possible_recipients(self, original: Address) -> set[Address] | None:
        """All whom the message could go to once the header is known; None for "cannot say"."""
        if self._possible_sets is None:
            return None
        return {self._recipient(set_id, original) for set_id in self._possible_sets}

    def _recipient(self, set_id: str, original: Address) -> Address:
        definition = self._definition(set_id, AddressType.ENVELOPE_TO, original)
        return original if definition is None else apply_pattern(definition.new, original)

    def _definition(self, set_id: str, field: AddressType, address: Address) -> Definition | None:
        internal_domains = self._identities.directory.internal_domains
        if not self._definitions.concern(address, internal_domains):
            return None
        for folder in (ROOT,) if set_id == ROOT else (set_id, ROOT):
            found = self._definitions.find(folder, field, address, self._route, internal_domains)
            if found is not None:
                return found
        return None


def rewriter(policies: PolicySet, facts: MessageFacts) -> Rewriter:
    """The rewrites that the policies bring about for this message and recipient."""
    case = case_of(policies.identities, policies.relay_networks, facts)
    return Rewriter(policies, facts, contest(policies.alteration, case))


def _set_of(match: Match[AlterationPolicy] | None) -> str:
    return ROOT if match is None else match.policy.set_id
