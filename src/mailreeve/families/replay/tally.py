"""What is told of many differences? Groups by cause, with who is concerned most and a few examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET

from mailreeve.families.replay.draft import Tried
from mailreeve.families.replay.types import CauseAnswer, Example, Fate, Group, Named
from mailreeve.families.tracking.rows import Recorded
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import Action, Decision
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.policy.replay.difference import DEFINITION, Cause, Change
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

EXAMPLES: Final = 5
NAMED: Final = 10  # addresses named of each group
COUNTED: Final = 10_000  # different addresses counted of each group; there may be a million
COUNTED_IN_ALL: Final = 500_000
KEPT: Final = 2_000  # groups gathered for themselves
GROUPS: Final = 200  # groups told, the largest first

Decide = Callable[[], tuple[Decision, Decision]]
"""What becomes of a message without the draft, and with it."""

_KINDS: Final[Mapping[str, str]] = {
    **{row.type: row.kind for row in POLICY_TYPES.values()},
    DEFINITION: Kind.ALTERATION_DEFINITION,
}


class _Counted:
    """How often each address occurred. Of many the first are counted each, the others only noticed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.complete = True

    def add(self, address: str, room: int) -> int:
        """Count one; `room` is for how many new addresses there is room, the answer how many were taken."""
        if address in self.counts:
            self.counts[address] += 1
            return 0
        if room <= 0 or len(self.counts) >= COUNTED:
            self.complete = False
            return 0
        self.counts[address] = 1
        return 1

    def most(self) -> list[Named]:
        """Those that occurred most often."""
        return [Named(address, count) for address, count in self.counts.most_common(NAMED)]


@dataclass(slots=True)
class _Gathered:
    """The differences of one kind with one cause."""

    count: int = 0
    senders: _Counted = field(default_factory=_Counted)
    recipients: _Counted = field(default_factory=_Counted)
    examples: list[Example] = field(default_factory=list)


class Tally:
    """Gathers differences; bounded in memory however many there are."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Change, Cause | None], _Gathered] = {}
        self._room = COUNTED_IN_ALL
        self.changes: Counter[Change] = Counter()

    def add(self, record: Recorded, change: Change, cause: Cause | None, decide: Decide) -> None:
        """Count one difference. Records come newest first, so the first are the examples. Where there are too many
        causes to keep apart, the later ones go together as if there were none."""
        self.changes[change] += 1
        group = self._groups.get((change, cause))
        if group is None:
            key = (change, cause if len(self._groups) < KEPT else None)
            group = self._groups.setdefault(key, _Gathered())
        group.count += 1
        self._room -= group.senders.add(record.sender, self._room)
        self._room -= group.recipients.add(record.recipient, self._room)
        if len(group.examples) < EXAMPLES:
            group.examples.append(_example(record, *decide()))

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def groups(self, tried: Tried, ids: Ids, account_id: str) -> list[Group]:
        """The groups, the largest first."""
        ranked = sorted(self._groups.items(), key=lambda item: item[1].count, reverse=True)
        return [
            Group(
                change=change,
                cause=None if cause is None else _cause(cause, tried, ids, account_id),
                count=gathered.count,
                senders=gathered.senders.most(),
                sender_count=len(gathered.senders.counts),
                more_senders=not gathered.senders.complete,
                recipients=gathered.recipients.most(),
                recipient_count=len(gathered.recipients.counts),
                more_recipients=not gathered.recipients.complete,
                examples=gathered.examples,
            )
            for (change, cause), gathered in ranked[:GROUPS]
        ]


def _cause(cause: Cause, tried: Tried, ids: Ids, account_id: str) -> CauseAnswer:
    wire_id = "" if cause.id in tried.created else ids.seal(_KINDS[cause.type], cause.id, account_id)
    return CauseAnswer(cause.type, cause.description, wire_id, tried.steps.get(cause.id))


def _example(record: Recorded, before: Decision, after: Decision) -> Example:
    return Example(
        decision_id=record.decision_id,
        at=fields.written(datetime.fromtimestamp(record.at, UTC)),
        sender=record.sender,
        recipient=record.recipient,
        header_from=None if record.header_from is None else ", ".join(map(_author, record.header_from)),
        source_ip=record.source_ip,
        before=_fate(before),
        after=_fate(after),
    )


def _author(author: HeaderFrom) -> str:
    address = "" if author.address is None else str(author.address)
    return f"{author.display_name} <{address}>" if author.display_name else address


def _fate(decision: Decision) -> Fate:
    reply = None if decision.reply is None else str(decision.reply)
    held = True if decision.action is Action.HOLD else UNSET
    return Fate(reply, decision.layer.value, decision.spam_checks.value, decision.recipient, held)
