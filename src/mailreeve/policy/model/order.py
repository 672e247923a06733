"""Which of two applicable policies of one type wins? The order of behaviour.md D-10 and D-11, in one place."""

from __future__ import annotations

from math import inf
from typing import Final

from mailreeve.policy.model.policies import Scope
from mailreeve.policy.model.targets import RANK, TargetType, domain_rank
from mailreeve.policy.model.trace import TieBreaker

Order = tuple[int, float, float, float, int, int, float, str]
"""The sort key of a policy: compared as a tuple, the highest wins. Ids make it total."""

_DOMAIN: Final = TargetType.EMAIL_DOMAIN

RANKED: Final = 4
"""How many leading elements of an `Order` say how narrow the policy is; the others only break ties."""


def order(scope: Scope, created: float, policy_id: str, is_reversed: bool = False) -> Order:
    """The sort key of a policy in the direction in which it matched.

    1. `override` comes before everything else (behaviour.md section 2.7, rule 4).
    2. Then the narrowest target on either side, then the other side (D-10): an individual address is
       the most specific thing that a policy can name, wherever it stands.
    3. Then the sender's side, so that two mirrored scopes are not equal. Swapped, the sender's side is
       the policy's `to`, because the ranks swap with the targets (D-09).
    4. Ties (D-11): a source address condition narrows the policy and a date shows intent; after
       that the newest wins, since that is what people try; last the id, so that no tie is left.
    """
    from_, to = scope.from_, scope.to
    ours = RANK[from_.type] if from_.type is not _DOMAIN else domain_rank(from_.key)
    theirs = RANK[to.type] if to.type is not _DOMAIN else domain_rank(to.key)
    if is_reversed:
        ours, theirs = theirs, ours
    high, low = (ours, theirs) if ours >= theirs else (theirs, ours)
    dated = scope.terms.starts != -inf or scope.terms.ends != inf
    return (
        1 if scope.terms.override else 0,
        high,
        low,
        ours,
        1 if scope.terms.networks else 0,
        1 if dated else 0,
        created,
        policy_id,
    )


def tie_breaker(first: Order, second: Order) -> TieBreaker | None:
    """What puts `first` before an equally narrow `second`; None if it is narrower anyway."""
    if first[:RANKED] != second[:RANKED]:
        return None
    ties = zip(TieBreaker, first[RANKED:], second[RANKED:], strict=True)
    return next((breaker for breaker, a, b in ties if a != b), None)
