"""What is told of many differences? Groups by cause, with who is concerned most and a few examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from mailreeve.families.replay.draft import Tried
from mailreeve.families.replay.types import CauseAnswer, Example, Fate, Group, Named
from mailreeve.families.tracking.rows import Recorded
from mailreeve.policy.decisions import Decision, PolicyType
from mailreeve.policy.facts import HeaderFrom
from mailreeve.policy.replay import DEFINITION, Cause, Change, Difference
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

EXAMPLES: Final = 5
NAMED: Final = 10  # addresses named of each group
COUNTED: Final = 10_000  # different addresses counted of each group; there may be a million
GROUPS: Final = 200  # groups told, the largest first

_KINDS: Final[Mapping[str, Kind]] = {
    PolicyType.BLOCKED_SENDERS.value: Kind.BLOCKED_SENDER_POLICY,
    PolicyType.PERMITTED_SENDERS.value: Kind.PERMITTED_SENDER_POLICY,
    PolicyType.MANAGED_SENDERS.value: Kind.MANAGED_SENDER,
    PolicyType.ADDRESS_ALTERATION.value: Kind.ALTERATION_POLICY,
    DEFINITION: Kind.ALTERATION_DEFINITION,
}


@dataclass(slots=True)
class _Gathered:
    """The differences of one kind with one cause."""

    count: int = 0
    senders: Counter[str] = field(default_factory=Counter)
    recipients: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


class Tally:
    """Gathers differences; bounded in memory however many there are."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Change, Cause | None], _Gathered] = {}
        self.changes: Counter[Change] = Counter()

    def add(self, record: Recorded, difference: Difference) -> None:
        """Count one difference. Records come newest first, so the first are the examples."""
        self.changes[difference.change] += 1
        group = self._groups.setdefault((difference.change, difference.cause), _Gathered())
        group.count += 1
        for counter, address in ((group.senders, record.sender), (group.recipients, record.recipient)):
            if address in counter or len(counter) < COUNTED:
                counter[address] += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(_example(record, difference))

    def groups(self, tried: Tried, ids: Ids, account_id: str) -> list[Group]:
        """The groups, the largest first."""
        ranked = sorted(self._groups.items(), key=lambda item: item[1].count, reverse=True)
        return [
            Group(
                change=change,
                cause=None if cause is None else _cause(cause, tried, ids, account_id),
                count=gathered.count,
                senders=_most(gathered.senders),
                sender_count=len(gathered.senders),
                recipients=_most(gathered.recipients),
                recipient_count=len(gathered.recipients),
                examples=gathered.examples,
            )
            for (change, cause), gathered in ranked[:GROUPS]
        ]


def _most(counter: Counter[str]) -> list[Named]:
    return [Named(address, count) for address, count in counter.most_common(NAMED)]


def _cause(cause: Cause, tried: Tried, ids: Ids, account_id: str) -> CauseAnswer:
    wire_id = "" if cause.id in tried.created else ids.seal(_KINDS[cause.type], cause.id, account_id)
    return CauseAnswer(cause.type, cause.description, wire_id, tried.steps.get(cause.id))


def _example(record: Recorded, difference: Difference) -> Example:
    return Example(
        decision_id=record.decision_id,
        at=fields.written(datetime.fromtimestamp(record.at, UTC)),
        sender=record.sender,
        recipient=record.recipient,
        header_from=None if record.header_from is None else ", ".join(map(_author, record.header_from)),
        source_ip=record.source_ip,
        before=_fate(difference.before),
        after=_fate(difference.after),
    )


def _author(author: HeaderFrom) -> str:
    address = "" if author.address is None else str(author.address)
    return f"{author.display_name} <{address}>" if author.display_name else address


def _fate(decision: Decision) -> Fate:
    reply = None if decision.reply is None else str(decision.reply)
    return Fate(reply, decision.layer.value, decision.spam_checks.value, decision.recipient)
