"""Errors of delegate rights."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

DELEGATE_SELF: Final = Fault("err_delegate_self", "A user needs no delegate right to the own mailbox")
DELEGATE_NOT_FOUND: Final = Fault("err_delegate_not_found", "Delegate right not found")
DELEGATE_OVER: Final = Fault("err_delegate_over", "The right would have ended already")
DELEGATE_LIMIT: Final = Fault("err_delegate_limit", "The user holds too many delegate rights")
