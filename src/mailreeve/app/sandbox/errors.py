"""The error that only a sandbox answers, because somebody asked for it."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

UNAVAILABLE: Final = Fault("err_service_unavailable", "The service is not available", 503, True)
