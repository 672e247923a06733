"""Errors of records of mail."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

SIEM_TOKEN: Final = Fault("err_audit_siem_invalid_token", "The token is not one of this log")
NO_RECORD: Final = Fault("err_tracking_record_not_found", "There is no such record of mail, or no longer")
