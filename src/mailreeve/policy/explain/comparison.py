"""Why does one of two policies that both apply come first? The order of D-10 and D-11, in words."""

from __future__ import annotations

from mailreeve.policy.explain.words import tie_words
from mailreeve.policy.index.matching import Match, P
from mailreeve.policy.model.order import Order, tie_breaker
from mailreeve.policy.model.targets import Target, is_wide
from mailreeve.policy.model.wording import KIND_WORDS


def why_before(winner: Match[P], loser: Match[P]) -> str:
    """The reason in half a sentence, in which "the latter" is the winner."""
    first, second = winner.order, loser.order
    if first[0] != second[0]:
        return "the latter overrides"
    (near, far), (their_near, their_far) = _by_narrowness(winner), _by_narrowness(loser)
    if first[1] != second[1]:
        return f"the latter names a narrower target on the {near[0]} side ({_before(near[1], their_near[1])})"
    if first[2] != second[2]:
        return (
            "their narrowest targets are alike and the latter's other target, on the "
            f"{far[0]} side, is narrower ({_before(far[1], their_far[1])})"
        )
    if first[3] != second[3]:
        return "they are equally narrow and the latter's narrower target is on the sender side, which counts first"
    return f"they are equally narrow and {why_tied(first, second)}"


def why_tied(winner: Order, loser: Order) -> str:
    """What puts the winner before a policy that is equally narrow."""
    breaker = tie_breaker(winner, loser)
    if breaker is None:
        raise AssertionError("they are not equally narrow, or one and the same")
    return tie_words(breaker)


Side = tuple[str, Target]


def _by_narrowness(match: Match[P]) -> tuple[Side, Side]:
    """Both sides of the policy as it matched, the narrower one first; of two alike the sender's."""
    scope = match.policy.scope
    sender, recipient = (scope.to, scope.from_) if match.is_reversed else (scope.from_, scope.to)
    sides: tuple[Side, Side] = ("sender", sender), ("recipient", recipient)
    return sides if sender.rank >= recipient.rank else (sides[1], sides[0])


def _before(narrow: Target, wide: Target) -> str:
    first, second = _kind(narrow), _kind(wide)
    if first == second:  # one of two domains around the sender's
        return f"{narrow.value} before {wide.value}"
    return f"{first} before {second}"


def _kind(target: Target) -> str:
    words = KIND_WORDS[target.type]
    return f"{words} with everything below it" if is_wide(target) else words
