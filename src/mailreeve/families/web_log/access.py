"""What does somebody see who was blocked, and how do they ask to be let through? For the page that says so.

Whoever has the decision id may see what it was and ask once. It is sealed, and nobody guesses one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_log import access_rows, rows
from mailreeve.families.web_log.access_rows import AccessRow
from mailreeve.families.web_log.record import WebRecord
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Store, Work
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import Ids, Kind

MAX_REASON: Final = 500
"""Characters of what somebody writes who asks for access."""
MAX_REQUESTS: Final = 10_000
"""Requests that an account keeps until they are answered; whoever asks beyond that is told to call somebody."""

_ORIGIN: Final = Origin("block page")


class Blocked(Struct, frozen=True):
    """A decision that blocked something, and when somebody asked about it, None where nobody did."""

    record: WebRecord
    asked_at: datetime | None


class NotBlocked(Exception):
    """There is no such decision, or it blocked nothing, or it is kept no longer. `is_ours` says that the id was
    given by this server all the same."""

    def __init__(self, *, is_ours: bool = False) -> None:
        super().__init__()
        self.is_ours = is_ours


class TooManyRequests(Exception):
    """Too many others asked whom nobody answered yet."""


class BlockedRequests:
    """The decisions that blocked something, in every account. `fresh` has those that are not written yet."""

    def __init__(
        self, store: Store, ids: Ids, fresh: Callable[[str], WebRecord | None] = lambda key: None
    ) -> None:
        self._store = store
        self._ids = ids
        self._fresh = fresh

    def look(self, decision_id: str) -> Blocked:
        """What was blocked. Raises `NotBlocked`."""
        account_id, key = self._opened(decision_id)

        def read(work: Work) -> Blocked:
            record = rows.find(work, key) or self._fresh(key)
            asked = access_rows.of_record(work, key)
            return self._blocked(record, asked)

        return self._store.read(account_id, read)

    def ask(self, decision_id: str, reason: str, asked_from: str) -> Blocked:
        """Ask for access to what was blocked; whoever asks twice has asked once. Raises `NotBlocked` and
        `TooManyRequests`."""
        account_id, key = self._opened(decision_id)

        def write(work: Work) -> Blocked:
            record = rows.find(work, key) or self._fresh(key)
            asked = access_rows.of_record(work, key)
            found = self._blocked(record, asked)
            if asked is not None:
                return found
            if access_rows.count(work) >= MAX_REQUESTS:
                raise TooManyRequests
            one = found.record
            row = AccessRow(
                id=new_key(),
                record_id=key,
                asked_at=work.now,
                asked_from=asked_from[:45],
                user=one.user or one.login,
                url=one.url,
                policy=one.description,
                reason=reason[:MAX_REASON],
            )
            access_rows.insert(work, row)
            return Blocked(one, work.now)

        return self._store.write(account_id, _ORIGIN, write)

    @staticmethod
    def _blocked(record: WebRecord | None, asked: AccessRow | None) -> Blocked:
        if record is None or record.verdict is not WebVerdict.BLOCK:
            raise NotBlocked(is_ours=True)
        return Blocked(record, None if asked is None else asked.asked_at)

    def _opened(self, decision_id: str) -> tuple[str, str]:
        """The account that gave an id, and the key behind it. Raises `NotBlocked`."""
        for account_id in self._store.look_up(accounts.codes).values():
            try:
                return account_id, self._ids.open(Kind.WEB_RECORD, decision_id, account_id)
            except ItemRefused:
                continue
        raise NotBlocked
