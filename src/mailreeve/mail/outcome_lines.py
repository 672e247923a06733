"""What became of mail, as lines of the service's log: one for each recipient.

Strangers cause refusals as often as they like. So these have a budget (`doors.line_budget`): the first ones of
each network in a minute, and so many of all. What has no line has a record all the same, as far as `RecordBudget`
goes. The servers of one's own relay networks bring everybody's mail and are asked for no budget, and what was
delivered is always told: a sender had to bring all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.doors.line_budget import LineBudget
from mailreeve.families.tracking.outcomes import REFUSED, Outcome
from mailreeve.formats.networks import Network, parse_ip
from mailreeve.policy.index.network_table import NetworkTable

log: FilteringBoundLogger = structlog.get_logger()

EVENT: Final = "mail"
MAX_SHOWN: Final = 255
"""Characters of what a stranger says that stand in a line: more than any address has."""


class PolicyIds(Protocol):
    """Gives the id that the API knows a policy by."""

    def __call__(self, account_id: str, layer: str, key: str) -> str:
        """The id of the policy with this key, which settled the verdict in this layer."""
        ...


def no_ids(account_id: str, layer: str, key: str) -> str:
    """Where nobody knows them."""
    return ""


class OutcomeLines:
    """Logs outcomes. It waits for nothing: see `app.logs`."""

    def __init__(
        self, lines: LineBudget, policy_ids: PolicyIds = no_ids, relay_networks: Iterable[Network] = ()
    ) -> None:
        self._lines = lines
        self._policy_ids = policy_ids
        self._relay_networks = NetworkTable.of(relay_networks)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """A line for each, as far as the budget goes."""
        for outcome in outcomes:
            if outcome.state not in REFUSED or self._is_own(outcome.source_ip) or self._admits(outcome):
                self._tell(outcome)

    def _admits(self, outcome: Outcome) -> bool:
        return self._lines.admits(EVENT, outcome.source_ip)

    def _is_own(self, source_ip: str) -> bool:
        return bool(source_ip) and parse_ip(source_ip) in self._relay_networks

    def _tell(self, one: Outcome) -> None:
        # What filters look for comes first: nothing that a stranger wrote stands before it.
        members: dict[str, object] = {"source_ip": one.source_ip, "verdict": one.state.value}
        if one.stage is not None:
            members["stage"] = one.stage.value
        members |= {"layer": one.layer, "decision": one.decision_id, "revision": one.revision}
        if one.policy_id:
            members["policy"] = self._policy_ids(one.account_id, one.layer, one.policy_id)
        if one.recipient:
            members |= {"sender": one.sender[:MAX_SHOWN], "recipient": one.recipient[:MAX_SHOWN]}
        if one.client_name:
            members["helo"] = one.client_name
        if one.login:
            members["login"] = one.login[:MAX_SHOWN]
        members["reply"] = one.reply
        if one.size:
            members["size"] = one.size
        if one.message_id:
            members["message_id"] = one.message_id
        if one.queue_id:
            members["queue_id"] = one.queue_id
        log.info(EVENT, **members)
