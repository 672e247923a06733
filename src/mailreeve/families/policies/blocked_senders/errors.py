"""Errors of blocked sender policies."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

POLICY_IMMUTABLE: Final = Fault("err_policy_immutable", "This policy cannot be changed")
