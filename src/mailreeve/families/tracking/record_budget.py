"""How much is recorded? Strangers make records at will, and what each says is theirs as well."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.families.tracking.outcomes import REFUSED, Outcome, State
from mailreeve.formats.networks import IPAddress, Network, network_of, parse_ip
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.model.decisions import Stage

log: FilteringBoundLogger = structlog.get_logger(__name__)

HOUR: Final = 3_600
DAY: Final = 86_400
MIB: Final = 1 << 20

REFUSED_BY_SOURCE: Final = 1 * MIB  # in one account and hour; for IPv6 a source is a /64
REFUSED_BY_ACCOUNT: Final = 100 * MIB  # in one day
DELIVERED_BY_SOURCE: Final = 32 * MIB
DELIVERED_BY_ACCOUNT: Final = 2_048 * MIB

MAX_SOURCES: Final = 100_000  # that are counted apart; those beyond are counted as one


@lru_cache(maxsize=4_096)
def _source(text: str) -> tuple[IPAddress, Network]:
    """A source address, and the network that it is counted with."""
    address = parse_ip(text)
    return address, network_of(address)


class RecordBudget:
    """Lets so many octets through, by source and hour and by account and day, in hours and days of UTC.

    Refusals and deliveries have a budget each, so that a flood of the one leaves room for the other. What goes
    beyond is not kept but counted: a line in the log when that begins, and one with the number when the hour is
    over. A source in the `relay_networks` has no limit of its own: one server in front brings everybody's mail.
    The counts are this process's own.

    A refusal at the end of the data while others got the message is always kept: its sender was told 250 and the
    record is all that is left of it (D-13). It takes room of its source, and none of the account, lest one source
    take it all.
    """

    def __init__(self, relay_networks: Iterable[Network] = (), clock: Callable[[], float] = time.time) -> None:
        self._relay_networks = NetworkTable.of(relay_networks)
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = self._day = 0
        self._by_source: Counter[tuple[bool, str, Network | None]] = Counter()
        self._by_account: Counter[tuple[bool, str]] = Counter()
        self._left_out = 0
        self.left_out = 0
        """How many outcomes were not kept so far."""

    def admit(self, outcomes: Sequence[tuple[Outcome, int]]) -> list[Outcome]:
        """Those of the outcomes of one message that are to be kept. With each comes how many octets its record
        takes."""
        got_by_others = any(outcome.state is State.DELIVERED for outcome, _ in outcomes)
        with self._lock:
            self._turn(int(self._clock()))
            return [outcome for outcome, octets in outcomes if self._has_room(outcome, octets, got_by_others)]

    def _has_room(self, outcome: Outcome, octets: int, got_by_others: bool) -> bool:
        refused = outcome.state in REFUSED
        account = refused, outcome.account_id
        source, network = _source(outcome.source_ip) if outcome.source_ip else (None, None)
        limited = source is None or source not in self._relay_networks
        key = *account, network
        if len(self._by_source) >= MAX_SOURCES and key not in self._by_source:
            key = *account, None
        by_source, by_account = (
            (REFUSED_BY_SOURCE, REFUSED_BY_ACCOUNT) if refused else (DELIVERED_BY_SOURCE, DELIVERED_BY_ACCOUNT)
        )
        if got_by_others and outcome.stage is Stage.DATA:
            if limited:
                self._by_source[key] += octets
            return True
        if self._by_account[account] + octets > by_account or (
            limited and self._by_source[key] + octets > by_source
        ):
            if not self._left_out:
                log.warning(
                    "outcomes are no longer recorded",
                    account=outcome.account_id,
                    state=outcome.state,
                    source_ip=outcome.source_ip,
                )
            self._left_out += 1
            self.left_out += 1
            return False
        self._by_account[account] += octets
        if limited:
            self._by_source[key] += octets
        return True

    def _turn(self, now: int) -> None:
        """Begin to count anew where an hour or a day is over."""
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self._by_source.clear()
            if self._left_out:
                log.warning("outcomes were not recorded", number=self._left_out)
            self._left_out = 0
        if now // DAY != self._day:
            self._day = now // DAY
            self._by_account.clear()
