"""Errors of keys and access tokens."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

TOKEN_INVALID: Final = Fault("token_verification_failed", "The access token is not valid", 401)
TOKEN_EXPIRED: Final = Fault("token_expired", "The access token has expired", 401)
BINDING_EXPIRED: Final = Fault("err_xdk_binding_expired", "AccessKey Has Expired", 418)
UNKNOWN_APPLICATION: Final = Fault("err_developer_key", "App ID is invalid")
USER_DISABLED: Final = Fault("err_xdk_account_disabled", "0006 The user is locked or disabled", 401)
