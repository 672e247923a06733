"""How do copies that wait come and go? What the one process that hands them on asks for, and reports."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.outgoing import rows
from mailreeve.families.outgoing.rows import GIVE_UP_AFTER, Waiting
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, Outcome, State, following
from mailreeve.formats.message import Content
from mailreeve.store.bodies import Bodies
from mailreeve.store.transactions import Store, Work

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)

_ORIGIN: Final = Origin("mail door")
_log = structlog.get_logger(__name__)


class Depth(Struct, frozen=True):
    """How many copies wait, and for how many seconds the oldest one does, 0 where none does."""

    waiting: int
    oldest: float


OnDelivery = Callable[[Work, Waiting, Outcome | None], None]
"""What else is done in the transaction that notes that the next hop has a copy, given the outcome of its message
when it came; None where there is none."""


class OutgoingQueue:
    """The copies of all accounts that wait to be handed on. Its methods block on the database. `on_delivery` is
    called once for each copy that the next hop takes."""

    def __init__(self, store: Store, bodies: Bodies, on_delivery: OnDelivery | None = None) -> None:
        self._store = store
        self._bodies = bodies
        self._on_delivery = on_delivery

    def hurry(self) -> None:
        """Have all that waits tried at once: what kept them may have gone while nobody served."""
        for account_id in self._store.look_up(accounts.codes).values():
            self._store.write(account_id, _ORIGIN, rows.hurry)

    def due(self, most: int, without: Collection[str] = ()) -> list[Waiting]:
        """Copies whose time has come, at most so many of each account, but those with these keys."""
        now = datetime.now(UTC)
        found: list[Waiting] = []
        for account_id in self._store.look_up(partial(rows.due_accounts, now=now)):
            found += self._store.read(account_id, partial(rows.due, most=most, without=without))
        return found

    def next_due(self) -> float | None:
        """In how many seconds the next one is due; None where nothing waits."""
        due_at = self._store.look_up(rows.next_due)
        return None if due_at is None else max(0.0, (due_at - datetime.now(UTC)).total_seconds())

    def depth(self) -> Depth:
        """How much there is to do."""
        waiting, oldest = self._store.look_up(rows.depth)
        return Depth(waiting, 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds()))

    def begin(self, one: Waiting) -> Content | None:
        """Begin an attempt, and the copy that is to be handed over; None where it is not there any more.

        That it was begun is durable first: whoever dies in the middle of it hands the copy over once more, and
        not again and again. Raises `OSError` where its body cannot be read.
        """
        pause = min(FIRST_PAUSE * 2 ** min(one.attempts, 10), LONGEST_PAUSE)

        def note(work: Work) -> bool:
            return rows.begin(work, one.key, work.now + pause)

        account_id = one.kept.copy.account_id
        if not self._store.write(account_id, _ORIGIN, note):
            return None
        header = one.kept.copy.content.header
        body = tuple(self._bodies.read(account_id, one.kept.body)) if one.kept.body else ()
        return Content(header, body)

    def delivered(self, one: Waiting, reply: str, queue_id: str) -> None:
        """The next hop has it, and said this."""
        self._end(one, State.DELIVERED, "250 2.0.0 Delivered", hop_reply=reply, queue_id=queue_id)

    def refused(self, one: Waiting, reply: str) -> None:
        """The next hop refuses it for good."""
        self._end(one, State.BOUNCED, reply)

    def put_off(self, one: Waiting, reply: str) -> None:
        """The next hop does not take it now. It is given up once it has waited for `GIVE_UP_AFTER`."""
        if datetime.now(UTC) - one.created_at >= GIVE_UP_AFTER:
            self._end(one, State.BOUNCED, reply)
            return
        self._store.write(one.kept.copy.account_id, _ORIGIN, partial(rows.put_off, key=one.key, reply=reply))

    def _end(self, one: Waiting, state: State, reply: str, *, hop_reply: str = "", queue_id: str = "") -> None:
        copy = one.kept.copy
        (to,) = copy.recipients

        def end(work: Work) -> None:
            if not rows.remove(work, one.key):
                return
            # What we wrote ourselves has no outcome that this could follow.
            before = tracking.of_recipient(work, copy.decision_id, str(to.original))
            if before is not None:
                layer = LAYER_NEXT_HOP if state is State.BOUNCED else before.layer
                tracking.add(work, [following(before, state, work.now, layer, reply, hop_reply, queue_id)])
            if state is State.DELIVERED and self._on_delivery is not None:
                self._on_delivery(work, one, before)

        self._store.write(copy.account_id, _ORIGIN, end)
        members = {"origin": one.origin, "decision": copy.decision_id, "recipient": str(to.effective)}
        if state is State.BOUNCED:
            _log.warning("outgoing.given_up", **members, attempts=one.attempts + 1, reply=reply)
        else:
            _log.info("outgoing.delivered", **members, reply=hop_reply)
