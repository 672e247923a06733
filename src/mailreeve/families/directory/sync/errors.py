"""Errors of taking over a directory."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

NO_DIRECTORY: Final = Fault("err_directory_not_configured", "No directory is configured")
DIRECTORY_UNREACHABLE: Final = Fault("err_directory_unreachable", "The directory cannot be read", retryable=True)
DIRECTORY_SHRANK: Final = Fault("err_directory_shrank", "The directory holds too few users to be believed")
