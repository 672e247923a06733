"""Errors of the digest."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

DIGEST_NO_URL: Final = Fault(
    "err_digest_no_public_url", "The setting public_url is not set, and a digest is its links"
)
DIGEST_TIME: Final = Fault("err_validation_invalid_time", "A time of day is written HH:MM, from 00:00 to 23:59")
DIGEST_ZONE: Final = Fault("err_validation_invalid_time_zone", "There is no such time zone")
DIGEST_NO_USER: Final = Fault("err_digest_no_user", "The user gets no digest")
