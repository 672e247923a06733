"""Why was it decided so? The trace of a decision: every candidate, and what each layer found.

Policies are tested by the same `evaluate` that decides without a trace. What differs is which ones
are tested, all of a type here unless there are too many, and that the results are written down.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec.structs import replace

from mailreeve.policy.decide.contest import Contest, contest
from mailreeve.policy.index.matching import Case, Match, P, evaluate, policy_order
from mailreeve.policy.index.personal import Hit, HitOrder, PersonalView, entry_description, hit_order, kind_of
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.decisions import Decision, SpamChecks
from mailreeve.policy.model.identities import Identities, Membership, Renamed, StandIn
from mailreeve.policy.model.order import Order, tie_breaker
from mailreeve.policy.model.policies import Effect, EffectKind, FromPart, ManagedAction, ManagedSender
from mailreeve.policy.model.policy_types import SCOPED, PolicyType
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.model.trace import (
    Candidate,
    ContentFinding,
    EffectiveRecipient,
    FreeMailList,
    GroupPath,
    PersonalFinding,
    PoliciesFinding,
    RecipientFinding,
    RelayFinding,
    Side,
    StandInsFinding,
    Step,
    Survey,
    UnknownHeader,
    Unmet,
)
from mailreeve.policy.model.ways import senders_of, way_to_member, way_to_target

EXPLAINED: Final = 100
"""So many candidates of each type are listed, the best first; the others are counted. An account may
hold a million policies, and nobody reads more than the first few."""

LOOKED_THROUGH: Final = 1_000
"""Up to so many policies of a type are all tested for an explanation."""

TESTED: Final = 32
"""Of more than that, so many: those that are about the sender."""

_PERSONAL_EFFECTS: Final = {
    ManagedAction.PERMIT: Effect(EffectKind.PERSONAL_PERMIT),
    ManagedAction.BLOCK: Effect(EffectKind.PERSONAL_BLOCK),
}


class Trace:
    """The trace of one decision, filled while it is made."""

    def __init__(self, policies: PolicySet, case: Case) -> None:
        self._policies = policies
        self._case = case
        self._candidates: dict[PolicyType, list[Candidate]] = {}
        self._surveys: dict[PolicyType, Survey] = {}

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
            Candidate(type_, policy.id, policy.description, policy.effect, unmet, key, 0)
            for key, policy, unmet in rest
        ]
        self._note(type_, candidates, len(matches), len(index), all_tested=decided is None)
        return decided or Contest(index, self._case, ranked[0][1] if ranked else None)

    def set_aside(self, type_: PolicyType, index: ScopedIndex[P], why: Unmet) -> None:
        """Write down that no policy of the type was asked. Where there is nothing to ask about, nobody wants to
        read of each."""
        if why is Unmet.NOTHING_FOUND:
            self._note(type_, [], 0, len(index), all_tested=True)
            return
        first = islice(index.policies, EXPLAINED)
        ranked = heapq.nlargest(EXPLAINED, ((policy_order(policy), policy) for policy in first), key=_first)
        candidates = [
            Candidate(type_, policy.id, policy.description, policy.effect, why, key, 0) for key, policy in ranked
        ]
        self._note(type_, candidates, 0, len(index), all_tested=True)

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
        return replace(decision, candidates=tuple(candidates), steps=tuple(self._steps(decision, personal)))

    def _applied(self, type_: PolicyType, match: Match[P], place: int, best: Order) -> Candidate:
        policy, key = match.policy, match.order
        stand_ins, groups, renamed = self._ways(match)
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
            stand_ins=stand_ins,
            groups=groups,
            renamed=renamed,
            tie=tie_breaker(best, key) if place > 1 else None,
        )

    def _ways(self, match: Match[P]) -> tuple[tuple[StandIn, ...], tuple[GroupPath, ...], tuple[Renamed, ...]]:
        """For whom the addresses stand so that the policy names them (D-53), by which groups they belong to the
        groups that it names (D-03), and whom it names that had another address before."""
        scope, facts = match.policy.scope, self._case.facts
        sender, recipient = (scope.to, scope.from_) if match.is_reversed else (scope.from_, scope.to)
        senders = senders_of(facts, match.part)
        identities = self._policies.identities
        stand_ins: dict[StandIn, None] = {}
        paths: list[GroupPath] = []
        renamed = [one for target in (sender, recipient) for one in _renamed(identities, target)]
        sides = [*((Side.SENDER, sender, one) for one in senders), (Side.RECIPIENT, recipient, facts.recipient)]
        for side, target, address in sides:
            if target.type is TargetType.PROFILE_GROUP:
                found = identities.membership(address, target.value)
                if found is not None:
                    stand_ins |= dict.fromkeys(way_to_member(identities, address, found.member))
                    paths.append(self._path(side, found))
            else:
                stand_ins |= dict.fromkeys(way_to_target(identities, address, target))
        return tuple(stand_ins), tuple(paths), tuple(renamed)

    def _path(self, side: Side, membership: Membership) -> GroupPath:
        names = self._policies.directory.group_names
        groups = tuple(names.get(group, group) for group in membership.groups)
        return GroupPath(side, groups, membership.until)

    def _survey_entries(self, personal: PersonalView) -> None:
        """The entries of the recipient's list, as `survey` does for policies."""
        type_ = PolicyType.MANAGED_SENDERS
        hits: dict[str, Hit] = {}
        for hit in personal.hits:
            hits.setdefault(hit.entry.sender, hit)
        unmet = {hit.entry.sender: (hit.part, Unmet.UNAUTHENTICATED) for hit in personal.ignored}
        unmet |= {hit.entry.sender: (hit.part, Unmet.EXPIRED) for hit in personal.over}
        total = len(personal.list.entries)
        entries = personal.list.entries
        all_tested = total <= LOOKED_THROUGH
        candidates = [
            self._entry(hit.entry, hit.part, None, place)
            for place, hit in enumerate(heapq.nlargest(EXPLAINED, hits.values(), key=_hit_key), 1)
        ]
        tested: Iterable[str] = entries if all_tested else dict.fromkeys((*unmet, *islice(entries, TESTED)))
        rest = (
            self._entry(entries[sender], part, failed, 0)
            for sender in tested
            if sender not in hits
            for part, failed in [unmet.get(sender) or (None, self._unmet(entries[sender]))]
        )
        room = EXPLAINED - len(candidates)
        # First those that would be about the sender.
        candidates += heapq.nlargest(room, rest, key=lambda entry: (bool(entry.part), entry.sort_key, entry.id))
        self._note(type_, candidates, len(hits), total, all_tested=all_tested)

    def _unmet(self, entry: ManagedSender) -> Unmet:
        """Why an entry about others does not apply: its time is asked first, as with policies."""
        return Unmet.EXPIRED if self._case.at >= entry.ends else Unmet.SENDER

    def _entry(self, entry: ManagedSender, part: FromPart | None, failed: Unmet | None, place: int) -> Candidate:
        stand_ins: dict[StandIn, None] = {}
        if failed is None:
            kind = TargetType.INDIVIDUAL_EMAIL_ADDRESS if "@" in entry.sender else TargetType.EMAIL_DOMAIN
            target, facts = Target.of(kind, entry.sender), self._case.facts
            for address in senders_of(facts, part):
                stand_ins |= dict.fromkeys(way_to_target(self._policies.identities, address, target))
        identities = self._policies.identities
        return Candidate(
            type=PolicyType.MANAGED_SENDERS,
            id=entry.id,
            description=entry_description(entry),
            effect=_PERSONAL_EFFECTS[entry.action],
            failed=failed,
            sort_key=hit_order(kind_of(entry), part or FromPart.HEADER_FROM),
            place=place,
            part=part,
            stand_ins=tuple(stand_ins),
            renamed=(*identities.renamed(entry.sender), *identities.renamed(entry.recipient)),
        )

    def _note(
        self, type_: PolicyType, candidates: list[Candidate], applied: int, total: int, *, all_tested: bool
    ) -> None:
        self._candidates[type_] = candidates
        self._surveys[type_] = Survey(
            candidates[0] if applied else None, applied, total, total - len(candidates), all_tested
        )

    def _steps(self, decision: Decision, personal: PersonalView) -> Iterator[Step]:
        """What each layer found, in order. Layers after the one that settled it are told as well."""
        policies, case = self._policies, self._case
        identities, directory, recipient = policies.identities, policies.directory, case.facts.recipient
        is_internal = identities.is_internal(recipient)
        yield RelayFinding(is_internal, case.source_ip, case.trusted_source)
        yield RecipientFinding(
            is_internal, recipient.domain in directory.known_only, identities.user(recipient) is not None
        )
        people = [*senders_of(case.facts, FromPart.ENVELOPE_FROM), *senders_of(case.facts, FromPart.HEADER_FROM)]
        ways = dict.fromkeys(step for one in (*people, recipient) for step in identities.way(one))
        if ways:
            yield StandInsFinding(tuple(ways))
        at_root = sum(1 for alteration in decision.alterations if not alteration.set_id)
        facts = case.facts
        has_content = facts.spam is not None or bool(facts.flaws)
        for type_ in SCOPED:
            if type_ is PolicyType.SPAM_SCANNING and not has_content:
                continue
            altered = at_root if type_ is PolicyType.ADDRESS_ALTERATION else 0
            yield PoliciesFinding(type_, self._surveys[type_], at_root=altered)
        yield EffectiveRecipient(decision.recipient)
        yield PersonalFinding(personal.key, self._surveys[PolicyType.MANAGED_SENDERS])
        if has_content:
            yield ContentFinding(facts.spam, facts.flaws, decision.spam_checks is SpamChecks.SKIP)
        if directory.free_mail:
            yield FreeMailList(directory.free_mail_version)
        if not case.header_known:
            yield UnknownHeader(decision.certain)


def _renamed(identities: Identities, target: Target) -> tuple[Renamed, ...]:
    return identities.renamed(target.value) if target.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS else ()


def _first(item: tuple[Order, *tuple[object, ...]]) -> Order:
    return item[0]


def _hit_key(hit: Hit) -> tuple[HitOrder, str]:
    return hit.order, hit.entry.id
