"""Errors of imports of users."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

IMPORT_NOT_FOUND: Final = Fault("err_user_import_not_found", "There is no such import")
IMPORT_FILE: Final = Fault("err_user_import_file", "The file is not a list of users")
IMPORT_LIMIT: Final = Fault("err_user_import_limit", "Too many imports are under way", retryable=True)
