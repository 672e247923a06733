"""The item and the answer of the managed sender endpoint (api.md section 3.1)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mailreeve.policy.model.policies import ManagedAction


class EntryType(StrEnum):
    """What an entry does, in the capitals of the answers; requests have none (api.md section 3.1.1)."""

    PERMIT = "Permit"
    BLOCK = "Block"


class PermitOrBlock(Struct, frozen=True):
    """A sender, an address or a domain, to permit or to block for one recipient."""

    sender: str
    to: str
    action: ManagedAction


class ManagedSenderAnswer(Struct, frozen=True):
    """An entry of a personal list. `sender` and `to` are repeated as they came."""

    id: str
    sender: str
    to: str
    type: EntryType
