"""Errors of all policies."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

POLICY_NOT_FOUND: Final = Fault("err_policy_not_found", "Policy not found")
POLICY_REACH: Final = Fault("err_policy_reach_unconfirmed", "The policy would block a whole organisation")
