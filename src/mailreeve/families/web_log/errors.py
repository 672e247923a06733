"""Errors of records of web requests."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

WEB_RECORD_NOT_FOUND: Final = Fault("err_web_record_not_found", "There is no such record")
WEB_ACCESS_REQUEST_NOT_FOUND: Final = Fault(
    "err_web_access_request_not_found", "There is no such request for access"
)
