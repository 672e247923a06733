"""Errors of records of mail."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

NO_RECORD: Final = Fault("err_tracking_record_not_found", "There is no such record of mail, or no longer")
