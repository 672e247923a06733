"""Why did the policy that somebody expected not win this message? One sentence about one policy.

The sentence is made from what the decision was made from: `evaluate` says whether the policy applies, the order
says why another one comes first, the decision says which layer settled the verdict.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, NullSender
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.explain.comparison import why_before
from mailreeve.policy.explain.words import unmet_words
from mailreeve.policy.index.matching import Case, Match, case_of, evaluate, reads_header
from mailreeve.policy.index.personal import Hit, PersonalView, entry_description, personal_view
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action, Decision
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    FromPart,
    ManagedAction,
    ManagedSender,
    Scope,
    ScopedPolicy,
    SpamPolicy,
)
from mailreeve.policy.model.policy_types import POLICY_TYPES, Layer, PolicyType
from mailreeve.policy.model.trace import Unmet
from mailreeve.policy.model.wording import LAYER_WORDS, quoted, target_words

_PARTS: Final = {
    FromPart.ENVELOPE_FROM: "the envelope sender",
    FromPart.HEADER_FROM: "the From header",
}


class Expectation(Struct, frozen=True):
    """What became of a policy that a reader asks about.

    `applied` tells whether it applied to the message at all, `won` whether it then took its type.
    """

    id: str
    description: str
    applied: bool
    won: bool
    sentence: str


def expect_policy(
    policies: PolicySet, facts: MessageFacts, decision: Decision, type_: PolicyType, policy_id: str
) -> Expectation | None:
    """What became of the policy or personal entry in the decision about these facts; None if there is none."""
    if type_ is PolicyType.MANAGED_SENDERS:
        entry = policies.managed.get(policy_id)
        return None if entry is None else _expect_entry(policies, facts, decision, entry)
    policy = policies.scoped[type_].get(policy_id)
    if policy is None:
        return None
    policies = policies.at(facts.at)
    case = case_of(policies.identities, policies.relay_networks, facts)
    found: Match[ScopedPolicy] | Unmet = evaluate(policy, case)
    name = quoted(policy.description)
    if type_ is PolicyType.SPAM_SCANNING and not _asks_content(facts, decision):
        known = facts.spam is not None or facts.flaws
        found = Unmet.REFUSED_BEFORE if known and facts.header_from is not None else Unmet.NOTHING_FOUND
    if isinstance(found, Unmet):
        sentence = f"{name} did not apply: {_why_not(policies, case, policy.scope, found)}"
        return Expectation(policy.id, policy.description, False, False, sentence)
    winner = decision.winners[type_]
    if winner is None or winner.id == policy.id:
        sentence = f"{name} won among {POLICY_TYPES[type_].words}{_what_came_of_it(decision, type_, policy)}"
        return Expectation(policy.id, policy.description, True, True, sentence)
    return Expectation(policy.id, policy.description, True, False, _lost(policies, case, type_, found, winner.id))


def _asks_content(facts: MessageFacts, decision: Decision) -> bool:
    """Whether spam scanning policies had a say in the decision."""
    if facts.header_from is None or (facts.spam is None and not facts.flaws):
        return False
    settled = decision.layer in POLICY_TYPES[PolicyType.SPAM_SCANNING].layers
    return settled or decision.action is not Action.REJECT


def _lost(policies: PolicySet, case: Case, type_: PolicyType, loser: Match[ScopedPolicy], winner_id: str) -> str:
    name = quoted(loser.policy.description)
    winner = policies.scoped[type_].get(winner_id)
    match: Match[ScopedPolicy] | Unmet = Unmet.SENDER if winner is None else evaluate(winner, case)
    if winner is None or isinstance(match, Unmet):
        raise AssertionError(f"the winner {winner_id} does not apply")
    return f"{name} applied but lost to {quoted(winner.description)}: both apply, and {why_before(match, loser)}"


def _why_not(policies: PolicySet, case: Case, scope: Scope, unmet: Unmet) -> str:
    """The failing test, with what the policy names beside what the message has."""
    names, facts = policies.directory.group_names, case.facts
    words = unmet_words(unmet)
    if unmet is Unmet.RECIPIENT:
        sentence = f"{words}, it names {target_words(scope.to, names)} and the message is for {facts.recipient}"
    elif unmet is Unmet.SENDER:
        seen = _senders(facts, scope)
        sentence = f"{words}, it names {target_words(scope.from_, names)} and {seen}"
    elif unmet is Unmet.SOURCE_OUTSIDE:
        sentence = f"{words}, which do not hold {case.source_ip}"
    else:
        return words
    return f"{sentence}, nor do they match when exchanged" if scope.terms.bidirectional else sentence


def _senders(facts: MessageFacts, scope: Scope) -> str:
    """The sender addresses that the policy looked at."""
    shown = []
    if scope.terms.from_part is not FromPart.HEADER_FROM and not _only_header(scope):
        shown.append(f"the envelope sender is {facts.sender if isinstance(facts.sender, Address) else 'empty'}")
    if reads_header(scope, is_reversed=False):
        authors = facts.header_from or ()
        named = " and ".join(
            " ".join(part for part in (" or ".join(a.names), f"<{a.address}>" if a.address else "") if part)
            or "nobody"
            for a in authors
        )
        shown.append(f"the From header names {named}" if named else "there is no From header")
    return " and ".join(shown)


def _only_header(scope: Scope) -> bool:
    return scope.terms.from_part is FromPart.ENVELOPE_FROM and reads_header(scope, is_reversed=False)


def _what_came_of_it(decision: Decision, type_: PolicyType, policy: ScopedPolicy) -> str:
    """What follows from having won the type: the verdict may come from another layer."""
    if isinstance(policy, AlterationPolicy):
        if decision.action is Action.REJECT:
            return f", but the message is refused by {LAYER_WORDS[decision.layer]}, so nothing is altered"
        if not any(made.set_id == policy.set_id for made in decision.alterations):
            return ", but no definition of its set names an address among these facts"
        return " and its set alters the message"
    if isinstance(policy, SpamPolicy) and decision.layer is Layer.DEFAULT:
        return ": it lets pass what was found, and no other layer objects"
    exempts = isinstance(policy, BlockedSenderPolicy) and policy.option is BlockedOption.NO_ACTION
    if exempts and decision.layer not in (Layer.RELAY, Layer.RECIPIENT_VALIDATION):
        if decision.layer is Layer.DEFAULT:
            return ": it exempts the message, and no other layer objects"
        return f": it exempts the message, and then {_settled(decision)}"
    return _or_settled(decision, type_)


def _or_settled(decision: Decision, type_: PolicyType) -> str:
    if decision.layer in POLICY_TYPES[type_].layers:
        return " and settled the verdict"
    return f", but {_settled(decision)}, which counts first"


def _settled(decision: Decision) -> str:
    by = f" with {quoted(decision.description)}" if decision.description else ""
    return f"the verdict came from {LAYER_WORDS[decision.layer]}{by}"


def _expect_entry(
    policies: PolicySet, facts: MessageFacts, decision: Decision, entry: ManagedSender
) -> Expectation:
    effective = rewriter(policies, facts).recipient(facts.recipient)
    view = personal_view(policies.managed, policies.identities, facts, effective)
    hit = next((hit for hit in view.hits if hit.entry.id == entry.id), None)
    winner = view.winner
    name = entry_description(entry)

    def answer(applied: bool, won: bool, rest: str) -> Expectation:
        return Expectation(entry.id, name, applied, won, f"The {name} {rest}")

    if hit is None or winner is None:
        return answer(False, False, f"did not apply: {_entry_unmet(facts, view, entry)}")
    if winner.entry.id == entry.id:
        return answer(True, True, f"won{_or_settled(decision, PolicyType.MANAGED_SENDERS)}")
    rival, why = entry_description(winner.entry), _why_entry_before(winner, hit)
    return answer(True, False, f"applied but lost to the {rival}: both apply, and {why}")


def _entry_unmet(facts: MessageFacts, view: PersonalView, entry: ManagedSender) -> str:
    if entry.recipient != view.key:
        return f"it is in the list of {entry.recipient}, and this message obeys that of {view.key}"
    if view.at >= entry.ends:
        return unmet_words(Unmet.EXPIRED)
    if any(hit.entry.id == entry.id for hit in view.ignored):
        return unmet_words(Unmet.UNAUTHENTICATED)
    sender = "empty" if isinstance(facts.sender, NullSender) else str(facts.sender)
    authors = [str(author.address) for author in facts.header_from or () if author.address is not None]
    seen = f"the envelope sender is {sender}" + (
        f" and the From header names {', '.join(authors)}" if authors else ""
    )
    return f"{unmet_words(Unmet.SENDER)}, {seen}"


def _why_entry_before(winner: Hit, loser: Hit) -> str:
    """The order of `personal.hit_order` in words."""
    if winner.kind.narrowness != loser.kind.narrowness:
        if winner.kind.is_address:
            return "the latter names an address, which comes before a domain"
        if winner.kind.narrowness == 0:
            return "the latter names a single domain, which comes before one with everything below it"
        return "the latter names the longer domain, which comes before a shorter one"
    if winner.kind.action is not loser.kind.action:
        first = "block" if winner.kind.action is ManagedAction.BLOCK else "permit"
        return f"of two that are equally narrow a {first} comes first"
    return f"the latter names {_PARTS[winner.part]}, which comes first"
