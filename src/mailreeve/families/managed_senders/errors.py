"""Errors of managed senders."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

MANAGED_SENDER_NOT_FOUND: Final = Fault("err_managed_sender_not_found", "There is no such entry")
MANAGED_SENDER_OVER: Final = Fault("err_managed_sender_over", "The entry would have ended already")
MANAGED_SENDER_LIMIT: Final = Fault("err_managed_sender_limit", "The recipient's list is full")
