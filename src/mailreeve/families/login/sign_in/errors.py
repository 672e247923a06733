"""Errors of signing in."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

WRONG_PASSWORD: Final = Fault("err_login_failed", "0002 The user name or the password is wrong", 401)
SCHEME_NOT_OFFERED: Final = Fault(
    "err_login_scheme",
    "0001 This way to sign in is not offered: use Basic-Cloud",
    401,
)
TOO_MANY_ATTEMPTS: Final = Fault(
    "err_login_locked", "Too many wrong passwords came from this address; try again later", 429, True
)
SIGN_IN_BUSY: Final = Fault("err_login_busy", "Too many are signing in at once; try again in a moment", 429, True)
PASSWORD_CHANGE: Final = Fault(
    "err_login_password_change", "0008 The password has to be changed first, with ext/change-password", 401
)
NOT_YOURS: Final = Fault("err_login_key_not_found", "You have no such access key for this application")
NO_KEYS_OF_A_USER: Final = Fault("err_login_no_user", "The call was not made with the keys of a user")
