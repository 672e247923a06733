"""Who is it that gives a password? From the credentials of a sign-in to a `Caller` that may do nothing but that.

A wrong password, a user whom there is not and one without a password are answered alike, and take as long: a
password is hashed in any case, which is most of the work. Whoever carries this out sees to it that not too many
are hashed at once.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final

import structlog
from msgspec import Struct

from mailreeve.access.caller import Caller
from mailreeve.families.directory.users import passwords
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.login import rows
from mailreeve.families.login.errors import ACCOUNT_LOCKED, UNKNOWN_APPLICATION, USER_DISABLED
from mailreeve.families.login.rows import ApplicationRow
from mailreeve.families.login.sign_in.attempts import Attempts
from mailreeve.families.login.sign_in.errors import SCHEME_NOT_OFFERED, TOO_MANY_ATTEMPTS, WRONG_PASSWORD
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.formats.networks import counted_as
from mailreeve.store.transactions import Store
from mailreeve.wire.errors import NO_CREDENTIALS, RequestRefused
from mailreeve.wire.signing import MAX_HEADER

SCHEME: Final = "Basic-Cloud"
"""The one way to sign in: with the password that is kept here (api.md section 2.4.2)."""

_log = structlog.get_logger(__name__)


class GivenPassword(Struct, frozen=True):
    """What the headers of a sign-in say, unverified."""

    app_id: str
    name: str
    password: str

    @property
    def counted_name(self) -> str:
        """Under which name attempts are counted: two ways to write an address are one."""
        try:
            return parse_address(self.name).key
        except AddressError:
            return self.name.casefold()

    @property
    def told_name(self) -> str:
        """Under which name a user is known before anybody has looked up whose the application is."""
        return f"{self.app_id}/{self.counted_name}"


def read_password(scheme: str, rest: str, app_id: str | None) -> GivenPassword:
    """The parts of a sign-in: `Basic-Cloud`, in any case, and user and password in base64. Raises
    `RequestRefused`."""
    if scheme.startswith("basic-") and scheme != SCHEME.lower():
        raise RequestRefused(SCHEME_NOT_OFFERED)
    if scheme != SCHEME.lower():
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: {SCHEME} is required")
    try:
        name, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as problem:
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: no user and password") from problem
    if not (name.strip() and colon and password and app_id) or len(rest) > MAX_HEADER or len(app_id) > MAX_HEADER:
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: application, user or password")
    return GivenPassword(app_id.strip(), name.strip(), password)


class PasswordCheck:
    """Turns passwords into callers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.attempts = Attempts()

    def is_known(self, given: GivenPassword, source: str) -> bool:
        """Whether this user has signed in to this application from this network of late: what can be told before
        anything is looked up."""
        return self.attempts.is_familiar(given.told_name, counted_as(source))

    def application(self, app_id: str, now: datetime) -> Caller:
        """Whoever names an application: nobody in particular. Raises `RequestRefused`."""
        found = self._application(app_id.strip(), now)
        return Caller(found.account_id, "", found.id, frozenset(), application=found.name, app_id=found.app_id)

    def signed_in(self, given: GivenPassword, now: datetime, source: str) -> Caller:
        """The user whose password it is. Raises `RequestRefused`. It takes its time (`passwords.matches`)."""
        application = self._application(given.app_id, now)
        name, network = f"{application.account_id}/{given.counted_name}", counted_as(source)
        key = {"username": given.name}
        wait = self.attempts.begin(name, network)
        if wait:
            raise RequestRefused(TOO_MANY_ATTEMPTS, retry_after=wait, key=key)
        found = self._user(application.account_id, given.name)
        user, known = (None, None) if found is None else found
        if not passwords.matches(given.password, known) or user is None:
            raise RequestRefused(WRONG_PASSWORD, key=key)
        self.attempts.succeeded(name, network)
        self.attempts.remember(given.told_name, network)
        # From here on it is somebody who knows the password, and may be told what there is about the user.
        if user.locked or user.disabled:
            raise RequestRefused(USER_DISABLED, key=key)
        return Caller(
            application.account_id,
            user.address,
            application.id,
            frozenset(),
            user.id,
            application.name,
            application.app_id,
        )

    def _application(self, app_id: str, now: datetime) -> ApplicationRow:
        found = self._store.look_up(lambda connection: rows.find_application(connection, app_id))
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            raise RequestRefused(UNKNOWN_APPLICATION, f"{UNKNOWN_APPLICATION.message}: {app_id}")
        if found.locked:
            raise RequestRefused(ACCOUNT_LOCKED)
        return found

    def _user(self, account_id: str, name: str) -> tuple[UserRow, str | None] | None:
        try:
            key = parse_address(name).key
        except AddressError:
            key = ""  # Nobody's, and looked up all the same.
        return self._store.read(account_id, lambda work: users.with_password(work, key))
