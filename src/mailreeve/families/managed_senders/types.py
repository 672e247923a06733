"""The items and answers of the managed sender endpoints (api.md section 3.1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from mailreeve.policy.model.policies import ManagedAction
from mailreeve.wire.items import Prose


class EntryType(StrEnum):
    """What an entry does, in the capitals of the answers; requests have none (api.md section 3.1.1). `Auto` is a
    permit that nobody made: its user wrote to that address."""

    PERMIT = "Permit"
    BLOCK = "Block"
    AUTO = "Auto"


class EntryFilter(StrEnum):
    """Which entries are asked for by what they do: those that somebody made, or automatic ones."""

    PERMIT = "permit"
    BLOCK = "block"
    AUTO = "auto"


AnyCase = Annotated[EntryFilter, Meta(extra={"also": {one.value: one.value.lower() for one in EntryType}})]
"""A filter, also as answers spell it, so that what was read can be sent again."""


class State(StrEnum):
    """Whether an entry still decides anything."""

    ACTIVE = "active"
    EXPIRED = "expired"


class PermitOrBlock(Struct, frozen=True):
    """A sender, an address or a domain, to permit or to block for one recipient. `expires` is when that ends."""

    sender: str
    to: str
    action: ManagedAction
    reason: Prose | None = None
    expires: str | None = None


class ManagedSenderAnswer(Struct, frozen=True):
    """An entry of a personal list. `sender` and `to` are repeated as they came. `reason` and `expires` are there
    if the entry has them."""

    id: str
    sender: str
    to: str
    type: EntryType
    reason: str | UnsetType = UNSET
    expires: str | UnsetType = UNSET


class FindEntries(Struct, frozen=True):
    """Which entries are asked for: of the list that mail to an address obeys, about a sender, of one type, of one
    state, or with a text in sender, recipient or reason; all of them where nothing is said."""

    to: str | None = None
    sender: str | None = None
    type: AnyCase | None = None
    text: str | None = None
    state: State | None = None


class EntryAnswer(Struct, frozen=True, rename="camel"):
    """An entry of a personal list as it is kept. `to` is whose list it is in; `set_by` and `set_at` say who had it
    be as it is, and when."""

    id: str
    sender: str
    to: str
    type: EntryType
    reason: str
    set_by: str
    set_at: str
    created: str
    state: State
    expires: str | UnsetType = UNSET


class OneEntry(Struct, frozen=True):
    """One entry: by id, or by whose it is and about whom."""

    id: str | None = None
    to: str | None = None
    sender: str | None = None
