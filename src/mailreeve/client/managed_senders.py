"""Managed senders: whom one user permits or blocks for themselves."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

PATH: Final = "managedsender/permit-or-block-sender"


class ManagedSender(Struct, frozen=True):
    """An entry of one user's list."""

    id: str
    sender: str
    to: str
    type: Literal["Permit", "Block"]
