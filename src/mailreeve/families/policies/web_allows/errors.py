"""Errors of temporary web allows."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

WEB_ALLOW_NOT_FOUND: Final = Fault("err_web_allow_not_found", "There is no such temporary allow, or it has ended")
WEB_ALLOW_LIMIT: Final = Fault("err_web_allow_limit", "The account has too many temporary allows")
