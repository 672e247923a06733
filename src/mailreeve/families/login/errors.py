"""Errors of keys and access tokens."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

TOKEN_INVALID: Final = Fault("token_verification_failed", "The access token is not valid", 401)
TOKEN_EXPIRED: Final = Fault("token_expired", "The access token has expired", 401)
BINDING_EXPIRED: Final = Fault("err_xdk_binding_expired", "AccessKey Has Expired", 418)
UNKNOWN_APPLICATION: Final = Fault("err_developer_key", "App ID is invalid")
ACCOUNT_LOCKED: Final = Fault("err_account_locked", "0007 The account is locked", 403)
USER_DISABLED: Final = Fault("err_xdk_account_disabled", "0006 The user is locked or disabled", 401)
KEY_NOT_FOUND: Final = Fault("err_key_not_found", "There is no such application or access key")
KEY_LIMIT: Final = Fault("err_key_limit", "The account holds too many applications")
USER_KEPT_OUT: Final = Fault(
    "err_key_user_disabled", "The user is locked or disabled, so every call would be refused"
)
