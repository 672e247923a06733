"""Errors of users, their addresses and attributes."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

USER_NOT_FOUND: Final = Fault("err_user_not_found", "User not found")
USER_EXISTS: Final = Fault("err_user_already_exists", "The address is in use already")
USER_IN_USE: Final = Fault("err_user_in_use", "The user is in use")
USER_PASSWORD: Final = Fault("err_user_password_not_allowed", "The password is not allowed")
LAST_ADMINISTRATOR: Final = Fault(
    "err_user_last_administrator",
    "This is the last administrator who can sign in, and nobody could let it in again",
)
ALIAS_NOT_FOUND: Final = Fault("err_user_alias_not_found", "Alias not found")
ATTRIBUTE_NOT_FOUND: Final = Fault("err_attribute_not_found", "Attribute not found")
ATTRIBUTE_LIMIT: Final = Fault("err_attribute_limit", "The account holds too many attribute types")
