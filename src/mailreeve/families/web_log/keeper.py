"""How are records of web requests written, how many of them, and for how long are they kept?

Whoever browses makes records at will. So a day's records of an account, and an hour's of one client, take so much
room and no more; what goes beyond is counted, and left out.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_log import access_rows, rows
from mailreeve.families.web_log.record import WebRecord
from mailreeve.formats.networks import counted_as
from mailreeve.store.transactions import Store

HOUR: Final = 3_600
DAY: Final = 86_400
MIB: Final = 1 << 20

BY_CLIENT: Final = 16 * MIB
"""Octets in an hour, of one client in one account; for IPv6 a client is a /64."""
BY_ACCOUNT: Final = 512 * MIB
"""Octets in a day, of one account."""
MAX_CLIENTS: Final = 100_000
"""Clients that are counted apart; those beyond are counted as one."""

KEEP: Final = timedelta(days=30)
"""For how long records are kept, as those of mail are; requests for access as well."""
FORGET_AT_ONCE: Final = 1_000

_ORIGIN: Final = Origin("web door")
_log = structlog.get_logger(__name__)


class WebKeeper:
    """Writes records, within a budget that is this process's own."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = self._day = 0
        self._by_client: Counter[tuple[str, str]] = Counter()
        self._by_account: Counter[str] = Counter()
        self._said = False
        self.left_out = 0
        """How many records were not kept so far."""

    def write(self, records: Sequence[tuple[str, WebRecord]]) -> None:
        """Keep records, each with its account: one transaction for each account. What one account cannot keep is
        logged and counted, and keeps nothing from the others."""
        by_account: dict[str, list[WebRecord]] = defaultdict(list)
        with self._lock:
            self._turn(int(self._clock()))
            for account_id, record in records:
                if self._admits(account_id, record):
                    by_account[account_id].append(record)
        for account_id, several in by_account.items():
            try:
                self._store.write(account_id, _ORIGIN, partial(rows.add, records=several))
            except Exception:
                self.left_out += len(several)
                _log.exception("web records were not kept", account=account_id, number=len(several))

    def forget(self) -> int:
        """Remove what is older than it is kept for, in every account, batch by batch. The number removed."""
        before = datetime.now(UTC) - KEEP
        total = 0
        for account_id in self._store.look_up(accounts.codes).values():
            for forget in (rows.forget, access_rows.forget):
                removed = FORGET_AT_ONCE
                while removed == FORGET_AT_ONCE:
                    removed = self._store.write(
                        account_id, _ORIGIN, partial(forget, before=before, most=FORGET_AT_ONCE)
                    )
                    total += removed
        return total

    def _admits(self, account_id: str, record: WebRecord) -> bool:
        octets = rows.octets(record)
        client = account_id, counted_as(record.client) if record.client else ""
        if len(self._by_client) >= MAX_CLIENTS and client not in self._by_client:
            client = account_id, ""
        if self._by_account[account_id] + octets > BY_ACCOUNT or self._by_client[client] + octets > BY_CLIENT:
            if not self._said:
                _log.warning("web requests are no longer recorded", account=account_id, client=record.client)
                self._said = True
            self.left_out += 1
            return False
        self._by_account[account_id] += octets
        self._by_client[client] += octets
        return True

    def _turn(self, now: int) -> None:
        """Begin to count anew where an hour or a day is over."""
        if now // HOUR != self._hour:
            self._hour, self._said = now // HOUR, False
            self._by_client.clear()
        if now // DAY != self._day:
            self._day = now // DAY
            self._by_account.clear()
