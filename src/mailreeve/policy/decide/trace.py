"""Why was it decided so? The trace of a decision: every candidate, and what each layer found.

Policies are tested by the same `evaluate` that decides without a trace. What differs is which ones
are tested, all of a type here unless there are too many, and that the results are written down.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import islice
from typing import Final, assert_never

from msgspec.structs import replace

from mailreeve.policy.decide.contest import Contest, contest
from mailreeve.policy.index.matching import Case, Match, P, Unmet, evaluate, policy_order
from mailreeve.policy.index.personal import (
    UNAUTHENTICATED,
    Hit,
    HitOrder,
    PersonalView,
    entry_description,
    hit_order,
    kind_of,
)
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.decisions import Action, Candidate, Decision
from mailreeve.policy.model.identities import Membership, StandIn
from mailreeve.policy.model.order import Order, tie_breaker
from mailreeve.policy.model.policies import FromPart, ManagedSender
from mailreeve.policy.model.policy_types import POLICY_TYPES, SCOPED, Layer, PolicyType
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.model.ways import senders_of, way_to_member, way_to_target
from mailreeve.policy.model.wording import stand_in_words

EXPLAINED: Final = 100
"""So many candidates of each type are listed, the best first; the others are counted. An account may
hold a million policies, and nobody reads more than the first few."""

LOOKED_THROUGH: Final = 1_000
"""Up to so many policies of a type are all tested for an explanation."""

TESTED: Final = 32
"""Of more than that, so many: those that are about the sender."""


class Trace:
    """The trace of one decision, filled while it is made."""

    def __init__(self, policies: PolicySet, case: Case) -> None:
        self._policies = policies
        self._case = case
        self._candidates: dict[PolicyType, list[Candidate]] = {}
        self._steps: dict[PolicyType, str] = {}

    def survey(self, type_: PolicyType, index: ScopedIndex[P]) -> Contest[P]:
        """The contest as decided by testing every policy of the type, written down.

        Of more than `LOOKED_THROUGH` only those about the sender are tested, and the contest is decided as without
        a trace. Nobody reads more than the first few, and a million would take a second.
        """
        decided: Contest[P] | None = None
        policies: Iterable[P]
        if len(index) > LOOKED_THROUGH:
            decided = contest(index, self._case)
            policies = self._near(index, decided.winner)
        else:
            policies = index.policies
        matches: list[tuple[Order, Match[P]]] = []
        failed: list[tuple[Order, P, Unmet]] = []
        for policy in policies:
            found = evaluate(policy, self._case)
            if isinstance(found, Unmet):
                failed.append((policy_order(policy), policy, found))
            else:
                matches.append((found.order, found))
        ranked = heapq.nlargest(EXPLAINED, matches, key=_first)
        rest = heapq.nlargest(EXPLAINED - len(ranked), failed, key=_first)
        candidates = [
            self._applied(type_, match, place, ranked[0][0]) for place, (_, match) in enumerate(ranked, 1)
        ]
        candidates += [
            Candidate(type_, policy.id, policy.description, policy.effect, unmet.value, key, 0)
            for key, policy, unmet in rest
        ]
        self._note(type_, candidates, len(matches), len(index), everything=decided is None)
        return decided or Contest(index, self._case, ranked[0][1] if ranked else None)

    def _near(self, index: ScopedIndex[P], winner: Match[P] | None) -> Iterable[P]:
        """The winner, and policies about the sender."""
        case = self._case
        found = {} if winner is None else {winner.policy.id: winner.policy}
        for policy in islice(index.about(case.senders, case.recipient), TESTED):
            found[policy.id] = policy
        return found.values()

    def attach(self, decision: Decision, personal: PersonalView) -> Decision:
        """The decision with its trace."""
        self._survey_entries(personal)
        candidates = [candidate for type_ in PolicyType for candidate in self._candidates[type_]]
        return replace(decision, candidates=tuple(candidates), steps=self._sentences(decision, personal))

    def _applied(self, type_: PolicyType, match: Match[P], place: int, best: Order) -> Candidate:
        policy, key = match.policy, match.order
        stand_ins, memberships = self._ways(match)
        notes = [*map(stand_in_words, stand_ins), *memberships]
        if place > 1 and (reason := tie_breaker(best, key)):
            notes.append(f"as narrow as the winner: {reason}")
        return Candidate(
            type=type_,
            id=policy.id,
            description=policy.description,
            effect=policy.effect,
            failed=None,
            sort_key=key,
            place=place,
            part=match.part,
            is_reversed=match.is_reversed,
            note="; ".join(notes),
            stand_ins=stand_ins,
        )

    def _ways(self, match: Match[P]) -> tuple[tuple[StandIn, ...], list[str]]:
        """For whom the addresses stand so that the policy names them (D-53), and by which groups they belong to
        the groups that it names (D-03)."""
        scope, facts = match.policy.scope, self._case.facts
        sender, recipient = (scope.to, scope.from_) if match.is_reversed else (scope.from_, scope.to)
        senders = senders_of(facts, match.part)
        identities = self._policies.identities
        stand_ins: dict[StandIn, None] = {}
        memberships: list[str] = []
        sides = [*(("sender", sender, address) for address in senders), ("recipient", recipient, facts.recipient)]
        for side, target, address in sides:
            if target.type is TargetType.PROFILE_GROUP:
                found = identities.membership(address, target.value)
                if found is not None:
                    stand_ins |= dict.fromkeys(way_to_member(identities, address, found.member))
                    memberships.append(self._path(side, found))
            else:
                stand_ins |= dict.fromkeys(way_to_target(identities, address, target))
        return tuple(stand_ins), memberships

    def _path(self, side: str, membership: Membership) -> str:
        names = self._policies.directory.group_names
        groups = [names.get(group, group) for group in membership.groups]
        return f"the {side} is in {', which is in '.join(groups)}"

    def _survey_entries(self, personal: PersonalView) -> None:
        """The entries of the recipient's list, as `survey` does for policies."""
        type_ = PolicyType.MANAGED_SENDERS
        hits: dict[str, Hit] = {}
        for hit in personal.hits:
            hits.setdefault(hit.entry.sender, hit)
        ignored = {hit.entry.sender: hit for hit in personal.ignored}
        total = len(personal.list.entries)
        listed = personal.list.entries.items()
        everything = total <= LOOKED_THROUGH
        candidates = [
            self._entry(hit.entry, hit.part, None, place)
            for place, hit in enumerate(heapq.nlargest(EXPLAINED, hits.values(), key=_hit_key), 1)
        ]
        rest = (
            self._entry(
                entry,
                None if sender not in ignored else ignored[sender].part,
                Unmet.SENDER.value if sender not in ignored else UNAUTHENTICATED,
                0,
            )
            for sender, entry in (listed if everything else islice(listed, TESTED))
            if sender not in hits
        )
        room = EXPLAINED - len(candidates)
        candidates += heapq.nlargest(
            room, rest, key=lambda entry: (entry.failed == UNAUTHENTICATED, entry.sort_key, entry.id)
        )
        self._note(type_, candidates, len(hits), total, everything=everything)

    def _entry(self, entry: ManagedSender, part: FromPart | None, failed: str | None, place: int) -> Candidate:
        stand_ins: dict[StandIn, None] = {}
        if failed is None:
            kind = TargetType.INDIVIDUAL_EMAIL_ADDRESS if "@" in entry.sender else TargetType.EMAIL_DOMAIN
            target, facts = Target.of(kind, entry.sender), self._case.facts
            for address in senders_of(facts, part):
                stand_ins |= dict.fromkeys(way_to_target(self._policies.identities, address, target))
        return Candidate(
            type=PolicyType.MANAGED_SENDERS,
            id=entry.id,
            description=entry_description(entry),
            effect=entry.action.value,
            failed=failed,
            sort_key=hit_order(kind_of(entry), part or FromPart.HEADER_FROM),
            place=place,
            part=part,
            note="; ".join(map(stand_in_words, stand_ins)),
            stand_ins=tuple(stand_ins),
        )

    def _note(
        self, type_: PolicyType, candidates: list[Candidate], applied: int, total: int, *, everything: bool
    ) -> None:
        left_out = total - len(candidates)
        self._candidates[type_] = candidates
        if not applied:
            sentence = f"none of {total} applies"
        else:
            winner = candidates[0]
            among = "that apply" if everything else "looked at that apply"
            sentence = f"{winner.effect} by {winner.id} ({winner.description}), the first of {applied} {among}"
            if winner.part is not None:
                sentence += f", by {winner.part.value}"
        if left_out:
            sentence += f"; {left_out} more are left out of this list"
        self._steps[type_] = sentence

    def _sentences(self, decision: Decision, personal: PersonalView) -> tuple[str, ...]:
        """What each layer found, in order. Layers after the one that settled it are told as well."""
        policies, case = self._policies, self._case
        if case.source_ip is None:
            source = f"the source is unknown and {'' if case.trusted_source else 'not '}taken as a relay network"
        else:
            source = f"the source {case.source_ip} is {'' if case.trusted_source else 'not '}in a relay network"
        recipient = case.facts.recipient
        internal = policies.identities.is_internal(recipient)
        known = policies.identities.user(recipient) is not None
        validated = recipient.domain in policies.directory.known_only
        if internal:
            validation = (
                f"the domain takes {'known recipients only' if validated else 'any recipient'}"
                f", this one is {'known' if known else 'not in the directory'}"
            )
        else:
            validation = "does not apply, the recipient is external"
        lines = [
            f"relay: the recipient is {'internal' if internal else 'external'}, {source}",
            f"recipient validation: {validation}",
        ]
        people = [*senders_of(case.facts, FromPart.ENVELOPE_FROM), *senders_of(case.facts, FromPart.HEADER_FROM)]
        ways = dict.fromkeys(step for one in (*people, recipient) for step in policies.identities.way(one))
        if ways:
            lines.append(f"aliases and tags: {'; '.join(map(stand_in_words, ways))}")
        for type_ in SCOPED:
            lines.append(f"{POLICY_TYPES[type_].words}: {self._steps[type_]}")
        at_root = sum(1 for alteration in decision.alterations if not alteration.set_id)
        if at_root:
            lines[-1] += f"; {at_root} altered by definitions at the root, which need no policy"
        lines.append(f"effective recipient: {decision.recipient}")
        lines.append(f"managed senders of {personal.key}: {self._steps[PolicyType.MANAGED_SENDERS]}")
        if policies.directory.free_mail:
            lines.append(f"free-mail list: {policies.directory.free_mail_version or 'unversioned'}")
        if not case.header_known:
            lines.append(
                "the From header is not known: "
                + ("it cannot change this" if decision.certain else "it could still change this")
            )
        lines.append(verdict_sentence(decision))
        return tuple(lines)


def verdict_sentence(decision: Decision) -> str:
    """What came of it all: the last step."""
    settled = "no layer objects" if decision.layer is Layer.DEFAULT else f"settled by {decision.layer.value}"
    match decision.action:
        case Action.DELIVER:
            return f"verdict: deliver, {settled}, spam checks {decision.spam_checks.value}"
        case Action.REJECT:
            return f"verdict: reject with {decision.reply}, {settled}"
        case other:
            assert_never(other)


def _first(item: tuple[Order, *tuple[object, ...]]) -> Order:
    return item[0]


def _hit_key(hit: Hit) -> tuple[HitOrder, str]:
    return hit.order, hit.entry.id
