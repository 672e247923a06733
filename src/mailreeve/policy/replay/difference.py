"""What would a draft change about messages of the past? Two policy sets, held against one message at a time.

Both sets decide the message as it was recorded, at the time when it came: a draft is compared with the policies of
today, not with whatever was in force then.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum, StrEnum
from math import inf
from typing import Final, assert_never

from msgspec import Struct

from mailreeve.memory.bounded import Bounded
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action, Decision, Winner
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import SETTLED_IN, PolicyType
from mailreeve.policy.model.wording import definition_words
from mailreeve.policy.replay.alike import KEPT, Alike
from mailreeve.policy.replay.concern import Concern


class Change(StrEnum):
    """How a message would fare differently. The header of a message that was refused before its content was never
    seen; where it matters, nothing more can be said."""

    NEWLY_REFUSED = "newly_refused"
    NEWLY_DELIVERED = "newly_delivered"
    NEWLY_HELD = "newly_held"
    REFUSED_DIFFERENTLY = "refused_differently"
    SPAM_CHECKS = "spam_checks"
    ALTERED_DIFFERENTLY = "altered_differently"
    TAGGED_DIFFERENTLY = "tagged_differently"
    DEPENDS_ON_HEADER = "depends_on_header"


DEFINITION: Final = "alteration_definition"
"""The type of cause that is a definition rather than a policy."""


class Cause(Struct, frozen=True):
    """What makes the difference: a policy, personal entry or definition. `type` is a `PolicyType` or
    `DEFINITION`."""

    type: str
    id: str
    description: str


class Undetermined(Enum):
    """Both decisions wait for a header that was never seen, and are the same so far."""

    UNDETERMINED = "undetermined"


UNDETERMINED: Final = Undetermined.UNDETERMINED

Difference = tuple[Change, Cause | None] | Undetermined | None
"""What a draft changes about a message: how it would fare differently and by what, that nothing can be said, or
that it would fare as it does now."""


class Comparison:
    """Two sets to compare. `touched` are the ids of what the draft creates, changes or deletes.

    A draft concerns few messages, so whatever none of the touched objects could have a part in is not decided:
    both decisions would be the same. And of messages that are decided alike the first speaks for all. They are
    to be of the times `during` which the sets are compared, in POSIX seconds.
    """

    def __init__(
        self,
        before: PolicySet,
        after: PolicySet,
        touched: frozenset[str],
        during: tuple[float, float] = (-inf, inf),
    ) -> None:
        self._before = before
        self._after = after
        self._touched = touched
        self._concern = Concern(before, after, touched)
        self._alike = Alike(before, after, during=during, differing=touched)
        self._found: Bounded[Hashable, tuple[Difference]] = Bounded(KEPT)
        self._definitions = {
            one.id: definition_words(one) for held in (before, after) for one in held.definitions.every()
        }

    def difference(self, facts: MessageFacts) -> Difference:
        """What the draft changes about the message."""
        key = self._alike.key(facts)
        found = self._found.get(key)
        if found is None:
            alone = self.difference_alone(facts) if self._concern.about(facts) else None
            found = self._found.keep(key, (alone,))
        return found[0]

    def difference_alone(self, facts: MessageFacts) -> Difference:
        """The same, found out by deciding the message and nothing else."""
        before, after = self.decisions(facts)
        if not (before.certain and after.certain):
            if before.certain is after.certain and _outcome(before) == _outcome(after):
                return UNDETERMINED
            return Change.DEPENDS_ON_HEADER, self._cause(before, after)
        change = _change(before, after)
        return None if change is None else (change, self._cause(before, after))

    def decisions(self, facts: MessageFacts) -> tuple[Decision, Decision]:
        """What becomes of the message without the draft, and with it."""
        return decide_mail(self._before, facts), decide_mail(self._after, facts)

    def _cause(self, before: Decision, after: Decision) -> Cause | None:
        """What the draft touches comes first; failing that, whatever took a type that another one had."""
        candidates: list[Cause] = []
        for type_ in PolicyType:
            ours, theirs = after.winners[type_], before.winners[type_]
            if ours != theirs:
                candidates += [_cause(type_, winner) for winner in (ours, theirs) if winner is not None]
        for decision in (after, before):
            settled = SETTLED_IN.get(decision.layer)
            winner = None if settled is None else decision.winners[settled]
            if settled is not None and winner is not None:
                candidates.append(_cause(settled, winner))
        for definition in sorted(one.definition_id for one in {*after.alterations} ^ {*before.alterations}):
            candidates.append(Cause(DEFINITION, definition, self._definitions[definition]))
        touched = (cause for cause in candidates if cause.id in self._touched)
        return next(touched, candidates[0] if candidates else None)


def _outcome(decision: Decision) -> tuple[object, ...]:
    return decision.action, decision.reply, decision.spam_checks, decision.recipient, decision.alterations


def _change(before: Decision, after: Decision) -> Change | None:
    action = after.action
    if action is Action.REJECT:
        if before.action is not action:
            return Change.NEWLY_REFUSED
        return None if before.reply == after.reply else Change.REFUSED_DIFFERENTLY
    if before.action is not action:
        match action:
            case Action.DELIVER:
                return Change.NEWLY_DELIVERED
            case Action.HOLD:
                return Change.NEWLY_HELD
            case other:
                assert_never(other)
    if (before.recipient, before.alterations) != (after.recipient, after.alterations):
        return Change.ALTERED_DIFFERENTLY
    if before.spam_checks is not after.spam_checks:
        return Change.SPAM_CHECKS
    return None if before.tag == after.tag else Change.TAGGED_DIFFERENTLY


def _cause(type_: PolicyType, winner: Winner) -> Cause:
    return Cause(type_.value, winner.id, winner.description)
