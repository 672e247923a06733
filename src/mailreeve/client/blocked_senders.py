"""Blocked sender policies: refuse a sender, or exempt one from a wider refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from mailreeve.client.api import convert, only
from mailreeve.client.functions.blocked_senders import BlockedSendersFunctions
from mailreeve.client.policies import Policy

Option = Literal["block_sender", "no_action"]

_ROOM: Final = "policy/blockedsenders/"


class BlockedSenderPolicy(Struct, frozen=True):
    """A policy as the server keeps it."""

    id: str
    option: Option
    policy: Policy


class BlockedSenders(BlockedSendersFunctions):
    """The blocked sender policies of the account."""

    def create(self, policy: Policy, option: Option = "block_sender") -> BlockedSenderPolicy:
        """A new policy. `no_action` makes it an exemption."""
        return self._one("create-policy", {"option": option, "policy": policy})

    def update(self, policy_id: str, policy: Policy, option: Option = "block_sender") -> BlockedSenderPolicy:
        """The policy with other contents; all of them are replaced."""
        return self._one("update-policy", {"id": policy_id, "option": option, "policy": policy})

    def get(self, policy_id: str) -> BlockedSenderPolicy:
        """One policy."""
        return self._one("get-policy", {"id": policy_id})

    def every(self, page_size: int | None = None) -> Iterator[BlockedSenderPolicy]:
        """All policies."""
        for row in self._api.every(_ROOM + "get-policy", page_size=page_size):
            yield convert(row, BlockedSenderPolicy)

    def delete(self, policy_id: str) -> None:
        """Remove a policy."""
        self._api.call(_ROOM + "delete-policy", {"id": policy_id})

    def _one(self, function: str, item: dict[str, object]) -> BlockedSenderPolicy:
        return only(self._api.call_for(BlockedSenderPolicy, _ROOM + function, item))
