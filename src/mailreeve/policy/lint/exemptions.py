"""Does an exemption let some of what a permit names pass a block? Then the permit has a say after all."""

from __future__ import annotations

from collections.abc import Iterable

from mailreeve.policy.index.matching import P
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.scope_cover import Direction, directions, is_in_force, may_meet
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy
from mailreeve.policy.model.targets import Target

Way = Direction[BlockedSenderPolicy]


class Exemptions:
    """The exemptions of an account that are in force now or later, by what permits name.

    Of an exemption and a permit each side of one is known to be within that of the other, or they count as
    strangers: groups that share members are.
    """

    def __init__(
        self,
        policies: Iterable[BlockedSenderPolicy],
        senders: frozenset[str],
        recipients: frozenset[str],
        coverage: Coverage,
        at: float,
    ) -> None:
        """`senders` and `recipients` are the keys of all targets that permits name."""
        self._coverage = coverage
        self._at = at
        self._by_keys: dict[tuple[str, str], list[Way]] = {}
        for policy in policies:
            if policy.option is not BlockedOption.NO_ACTION or not is_in_force(policy.scope, at):
                continue
            for way in directions(policy):
                if not coverage.impossible(way.sender) and not coverage.impossible(way.recipient):
                    for sender in _within(coverage, way.sender, senders):
                        for recipient in _within(coverage, way.recipient, recipients):
                            self._by_keys.setdefault((sender, recipient), []).append(way)
        for ways in self._by_keys.values():
            ways.sort(key=_order, reverse=True)

    def any_above(self, place: Order, permit: Direction[P]) -> bool:
        """Whether one comes before that place for some of the permit's mail."""
        coverage, sender, recipient = self._coverage, permit.sender, permit.recipient
        for sender_key in (*coverage.sure_keys(sender), _inside(sender.key)):
            for recipient_key in (*coverage.sure_keys(recipient), _inside(recipient.key)):
                for way in self._by_keys.get((sender_key, recipient_key), ()):
                    if way.order <= place:
                        break  # so do all that follow
                    if may_meet(permit.policy.scope, way.policy.scope, self._at):
                        return True
        return False


def _within(coverage: Coverage, target: Target, wanted: frozenset[str]) -> list[str]:
    """The keys under which a side of an exemption is found: its own, and those of wanted targets around it."""
    return [target.key, *(_inside(key) for key in coverage.sure_keys(target) if key in wanted)]


def _inside(key: str) -> str:
    return f"in {key}"


def _order(way: Way) -> Order:
    return way.order
