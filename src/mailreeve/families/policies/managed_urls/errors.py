"""Errors of managed URLs (api.md section 1.6)."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

MANAGED_URL_EXISTS: Final = Fault(
    "err_managed_url_exists_code", "The managed URL already exists; to update it, delete and recreate"
)
MANAGED_URL_NOT_FOUND: Final = Fault("err_managed_url_not_found", "Managed URL not found", echoes=False)
MANAGED_URL_LIMIT: Final = Fault("err_managed_url_limit", "The account holds too many managed URLs")
