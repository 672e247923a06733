"""What becomes of an address? The rewriting of one message for one recipient (behaviour.md section 5).

The policy is chosen by the original addresses (D-20). Its set is consulted first, then the root; the
first hit for an address field ends it, and a result is never rewritten again (D-21).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, NullSender
from mailreeve.policy.decide.contest import Contest, contest
from mailreeve.policy.index.definitions import ROOT, Definitions, Route, apply_pattern
from mailreeve.policy.index.matching import Match, case_of
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import FieldAlteration
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import AddressType, AlterationPolicy, Definition, Routing

_INBOUND: Final = Route(Routing.INBOUND)
_OUTBOUND: Final = Route(Routing.OUTBOUND)
_NEITHER: Final = Route(Routing.ALL)


class Rewriter(Struct, frozen=True, gc=False):
    """The rewrites of one message on its way to one recipient.

    `policy` is the alteration policy that won, or None, which leaves the root's definitions.
    It is not `certain` while the header is unknown and could choose another set (D-07).
    """

    definitions: Definitions
    identities: Identities
    facts: MessageFacts
    choice: Contest[AlterationPolicy]

    @property
    def policy(self) -> AlterationPolicy | None:
        """The alteration policy that won."""
        return None if self.choice.winner is None else self.choice.winner.policy

    @property
    def certain(self) -> bool:
        """Whether the set is the same whatever the header will say."""
        sets = self._possible_sets()
        return sets is not None and len(sets) == 1

    @property
    def outcome(self) -> tuple[str, Routing]:
        """What alone tells the rewrites of one account's messages apart: the set, and the direction."""
        return _set_of(self.choice.winner), self._route().routing

    def concerns(self, facts: MessageFacts, effective: Address) -> bool:
        """Whether an address among the facts could be rewritten, if the recipient becomes `effective`: the quick
        answer for most mail."""
        domains = self.definitions.domains
        if not domains:
            return False
        if effective is not facts.recipient or "" in domains:
            return True
        sender = facts.sender
        if type(sender) is not NullSender and sender.domain in domains:
            return True
        for author in facts.header_from or ():
            if author.address is not None and author.address.domain in domains:
                return True
        return False

    def rewrite(self, field: AddressType, address: Address) -> FieldAlteration | None:
        """The rewrite of this address where it stands in this field, or None if it stays as it is.

        A definition that maps an address to itself ends the search as any other hit does: that is
        how an address is left out of a wider definition.
        """
        definition = self._definition(_set_of(self.choice.winner), field, address)
        if definition is None:
            return None
        original, new = str(address), str(apply_pattern(definition.new, address))
        if new == original:
            return None
        return FieldAlteration(definition.id, definition.set_id, field, original, new)

    def recipient(self, original: Address) -> Address:
        """The envelope recipient to whom the message goes."""
        definitions = self.definitions
        if original.domain not in definitions.domains and "" not in definitions.domains:
            return original
        return self._recipient(_set_of(self.choice.winner), original)

    def possible_recipients(self, original: Address) -> set[Address] | None:
        """All whom the message could go to once the header is known; None for "cannot say"."""
        sets = self._possible_sets()
        return None if sets is None else self.recipients_by(sets, original)

    def recipients_by(self, sets: set[str], original: Address) -> set[Address]:
        """All whom the message goes to by one of these sets."""
        return {self._recipient(set_id, original) for set_id in sets}

    def _possible_sets(self) -> set[str] | None:
        return self.choice.possible(_set_of) if self.definitions.domains else {_set_of(self.choice.winner)}

    def _route(self) -> Route:
        if self.identities.is_internal(self.facts.recipient):
            return _INBOUND
        return _OUTBOUND if self.identities.is_internal(self.facts.sender) else _NEITHER

    def _recipient(self, set_id: str, original: Address) -> Address:
        definition = self._definition(set_id, AddressType.ENVELOPE_TO, original)
        return original if definition is None else apply_pattern(definition.new, original)

    def _definition(self, set_id: str, field: AddressType, address: Address) -> Definition | None:
        definitions, internal_domains = self.definitions, self.identities.directory.internal_domains
        if not definitions.concern(address, internal_domains):
            return None
        route = self._route()
        for folder in (ROOT,) if set_id == ROOT else (set_id, ROOT):
            found = definitions.find(folder, field, address, route, internal_domains)
            if found is not None:
                return found
        return None


def rewriter(policies: PolicySet, facts: MessageFacts) -> Rewriter:
    """The rewrites that the policies bring about for this message and recipient."""
    policies = policies.at(facts.at)
    case = case_of(policies.identities, policies.relay_networks, facts)
    return Rewriter(policies.definitions, policies.identities, facts, contest(policies.alteration, case))


def _set_of(match: Match[AlterationPolicy] | None) -> str:
    return ROOT if match is None else match.policy.set_id
