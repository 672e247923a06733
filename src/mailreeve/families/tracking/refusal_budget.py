"""How many refusals are kept? Strangers make them at will, and each would be a row of the database."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.facts import parse_ip
from mailreeve.policy.networks import Ranges, network_of
from mailreeve.policy.policies import Network

log: FilteringBoundLogger = structlog.get_logger(__name__)

HOUR: Final = 3_600
DAY: Final = 86_400
MAX_BY_SOURCE: Final = 1_000  # in one account and hour; for IPv6 a source is a /64
MAX_BY_ACCOUNT: Final = 100_000  # in one day

_REFUSED: Final = (State.REJECTED, State.DEFERRED)


class RefusalBudget:
    """Lets so many refusals through, by source and hour and by account and day, in hours and days of UTC.

    What goes beyond is not kept but counted: a line in the log when that begins, and one with the number
    when the hour is over. Deliveries are never held back. A source in the `relay_networks` has no limit
    of its own: one server in front brings everybody's mail. The counts are this process's own.
    """

    def __init__(self, relay_networks: Iterable[Network] = (), clock: Callable[[], float] = time.time) -> None:
        self._relay_networks = Ranges(relay_networks)
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = self._day = 0
        self._by_source: Counter[tuple[str, Network | None]] = Counter()
        self._by_account: Counter[str] = Counter()
        self._left_out = 0

    def admit(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Those of the outcomes that are to be kept."""
        with self._lock:
            self._turn(int(self._clock()))
            return [outcome for outcome in outcomes if outcome.state not in _REFUSED or self._has_room(outcome)]

    def _has_room(self, outcome: Outcome) -> bool:
        account_id = outcome.account_id
        source = parse_ip(outcome.source_ip) if outcome.source_ip else None
        limited = source is None or not self._relay_networks.hold(source)
        key = account_id, None if source is None else network_of(source)
        if self._by_account[account_id] >= MAX_BY_ACCOUNT or (limited and self._by_source[key] >= MAX_BY_SOURCE):
            if not self._left_out:
                log.warning("refusals are no longer recorded", account=account_id, source_ip=outcome.source_ip)
            self._left_out += 1
            return False
        self._by_account[account_id] += 1
        if limited:
            self._by_source[key] += 1
        return True

    def _turn(self, now: int) -> None:
        """Begin to count anew where an hour or a day is over."""
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self._by_source.clear()
            if self._left_out:
                log.warning("refusals were not recorded", number=self._left_out)
            self._left_out = 0
        if now // DAY != self._day:
            self._day = now // DAY
            self._by_account.clear()
