"""Is the caller who it claims to be? From the credentials of one call to a `Caller` (api.md section 2)."""

from __future__ import annotations

import hashlib
import hmac
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import structlog
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from sqlalchemy import Connection

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, built_in
from mailreeve.families.directory.roles.rows import permissions_in
from mailreeve.families.login import rows
from mailreeve.families.login.errors import (
    ACCOUNT_LOCKED,
    BINDING_EXPIRED,
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    UNKNOWN_APPLICATION,
    USER_DISABLED,
)
from mailreeve.families.login.known import Credentials, KnownCredentials
from mailreeve.families.login.last_use import LastUses
from mailreeve.families.login.sign_in.check import PasswordCheck
from mailreeve.memory.bounded import Bounded
from mailreeve.store.changes import revision_of
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire import signing
from mailreeve.wire.errors import INVALID_SIGNATURE, RequestRefused
from mailreeve.wire.signing import SignedCall

if TYPE_CHECKING:  # it is loaded where it is wanted
    from mailreeve.families.login.access_tokens import AccessTokens

TOKEN_LIFE: Final = 1799  # seconds, as recorded from the live service (clients.md)
REMEMBERED: Final = 65_536  # signatures kept to notice repeats
_NO_SECRET: Final = bytes(64)

_log = structlog.get_logger(__name__)


class GivenToken(Struct, frozen=True):
    """An OAuth access token as `/oauth/token` answers it."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class Authenticator:
    """Turns credentials into callers. `window` is the allowed clock skew in seconds."""

    def __init__(self, store: Store, vault: Vault, token_key: bytes, window: float) -> None:
        self._store = store
        self._vault = vault
        self._token_key = token_key
        self._window = window
        self._seen = _Seen(window)
        self._known = KnownCredentials(store.feed)
        self.uses = LastUses(store)
        self.passwords = PasswordCheck(store)

    @cached_property
    def _tokens(self) -> AccessTokens:
        from mailreeve.families.login.access_tokens import AccessTokens

        return AccessTokens(self._token_key)

    def signed(self, call: SignedCall, now: datetime, source: str = "") -> Caller:
        """The caller of a signed call, from the address `source`. Raises `RequestRefused`.

        It may do what the user's role and the application's role both permit.

        A wrong application key, a wrong secret key and an unknown access key look alike, as they do on the live
        service, and cost alike: the signature is checked against a key of no use when there is none. Only a key
        whose holder has just called is quicker.
        """
        found = self._known.find(call.application_id, call.access_key)
        if found is None:
            found = self._look_up(call)
            self._verify(call, found, now)
            self._known.keep(call.application_id, call.access_key, found)
        else:
            self._verify(call, found, now)
        application, binding = found.application, found.binding
        if application.locked:
            raise RequestRefused(ACCOUNT_LOCKED)
        if _over(binding.expires_at, now) or _over(application.expires_at, now) or binding.is_outdated:
            raise RequestRefused(BINDING_EXPIRED)
        if binding.locked or binding.disabled:
            raise RequestRefused(USER_DISABLED)
        if self._seen.repeated(call.signature, now):
            # Some clients repeat a call to the letter (api.md section 2.3), so it is served; the date window
            # bounds for how long.
            _log.warning("signed call repeated", request_id=call.request_id, path=call.path, actor=binding.address)
        self.uses.note(application.account_id, rows.BINDING, binding.id, now, source)
        of_user = _permissions(binding.role, binding.permissions)
        permissions = of_user
        if binding.role != application.role:
            permissions = of_user & _permissions(application.role, application.permissions)
        return Caller(
            application.account_id,
            binding.address,
            application.id,
            permissions,
            binding.user_id,
            application.name,
            application.app_id,
            in_person=permissions == of_user,
            binding_id=binding.id,
        )

    def _verify(self, call: SignedCall, found: Credentials, now: datetime) -> None:
        """Check a signature by the keys, or by those that were exchanged of late. Raises `RequestRefused`."""
        try:
            signing.verify(call, found.secret_key, found.app_key, now, self._window)
        except RequestRefused as refusal:
            if refusal.problem.code != INVALID_SIGNATURE.code:
                raise
            for secret_key, app_key in found.exchanged(now):
                with suppress(RequestRefused):
                    return signing.verify(call, secret_key, app_key, now, self._window)
            raise

    def knows(self, app_id: str, access_key: str) -> bool:
        """Whether these keys can be judged without looking anything up."""
        return self._known.at_hand(app_id, access_key)

    def _look_up(self, call: SignedCall) -> Credentials:
        """The credentials that a call names. Raises `RequestRefused`."""

        def look_up(connection: Connection) -> tuple[rows.ApplicationRow | None, rows.BindingRow | None, int]:
            application = rows.find_application(connection, call.application_id)
            if application is None:
                return None, None, 0
            binding = rows.find_binding(connection, application, call.access_key)
            return application, binding, revision_of(connection, application.account_id)

        application, binding, revision = self._store.look_up(look_up)
        if application is None:
            raise RequestRefused(UNKNOWN_APPLICATION, f"{UNKNOWN_APPLICATION.message}: {call.application_id}")
        try:
            app_key = self._vault.open(application.app_key, application.account_id).decode()
        except (InvalidTag, ValueError) as problem:
            _log.error("stored key left out", table="application", key=application.id)
            raise RequestRefused(INVALID_SIGNATURE) from problem
        if binding is None:
            # As much work as with one: something is opened, and something signed.
            self._vault.open(application.app_key, application.account_id)
            signing.sign(_NO_SECRET, call.date, call.request_id, call.path, app_key)
            raise RequestRefused(INVALID_SIGNATURE)
        try:
            secret_key = self._vault.open(binding.secret_key, application.account_id)
            old_app_key, old_secret_key = (
                None if sealed is None else self._vault.open(sealed, application.account_id)
                for sealed in (application.old_app_key, binding.old_secret_key)
            )
            before = None if old_app_key is None else old_app_key.decode()
        except (InvalidTag, ValueError) as problem:
            _log.error("stored key left out", table="binding", application=application.id, user=binding.user_id)
            raise RequestRefused(INVALID_SIGNATURE) from problem
        return Credentials(application, binding, app_key, secret_key, revision, before, old_secret_key)

    def give_token(self, client_id: str, client_secret: str, now: datetime) -> GivenToken | None:
        """A new access token for an OAuth client, or None when id or secret is wrong."""
        application = self._store.look_up(lambda connection: rows.find_client(connection, client_id))
        known = application.client_secret if application is not None else ""
        hashed = hash_client_secret(client_secret)
        is_right = hmac.compare_digest(hashed, known)
        if application is not None and not is_right and application.old_client_secret is not None:
            is_old = hmac.compare_digest(hashed, application.old_client_secret)
            is_right = is_old and not _over(application.old_until, now)
        if not is_right or application is None or _over(application.expires_at, now):
            return None
        expires = int((now + timedelta(seconds=TOKEN_LIFE)).timestamp())
        # A token ends with the secret that it was given for: whoever knew that one holds no other.
        claims = {
            "sub": application.id,
            "account": application.account_id,
            "exp": expires,
            "secret": hash_client_secret(hashed),
        }
        return GivenToken(self._tokens.written(claims), "Bearer", TOKEN_LIFE, "")

    def bearer(self, token: str, now: datetime, source: str = "") -> Caller:
        """The caller behind an access token: the application itself, with its role as it is now. Raises
        `RequestRefused`."""
        try:
            claims = self._tokens.claims(token)
            account_id, application_id = str(claims["account"]), str(claims["sub"])
            expires, secret = float(str(claims["exp"])), str(claims.get("secret"))
        except (ValueError, KeyError) as problem:
            raise RequestRefused(TOKEN_INVALID) from problem
        if expires <= now.timestamp():
            raise RequestRefused(TOKEN_EXPIRED)
        application = self._store.look_up(lambda c: rows.find_bearer(c, account_id, application_id))
        if application is None:
            raise RequestRefused(TOKEN_INVALID)
        if application.locked:
            raise RequestRefused(ACCOUNT_LOCKED)
        if _over(application.expires_at, now):
            raise RequestRefused(BINDING_EXPIRED)
        good = [application.client_secret]
        if application.old_client_secret is not None and not _over(application.old_until, now):
            good.append(application.old_client_secret)
        if not any(hmac.compare_digest(secret.encode(), hash_client_secret(one).encode()) for one in good):
            raise RequestRefused(TOKEN_EXPIRED)
        self.uses.note(account_id, rows.APPLICATION, application.id, now, source)
        permissions = _permissions(application.role, application.permissions)
        return Caller(
            account_id,
            application.name,
            application.id,
            permissions,
            application=application.name,
            app_id=application.app_id,
        )


def _permissions(role: str | None, custom: str | None) -> frozenset[Permission]:
    """What a stored role permits, `custom` being what is stored of one that is not built in. One that is not
    known, or none, permits nothing."""
    if not role:
        return frozenset()
    default = built_in(role)
    if default is not None:
        return ROLE_PERMISSIONS[default]
    if custom is None:
        _log.error("stored role not known", role=role)
    return permissions_in(custom)


def _over(end: datetime | None, now: datetime) -> bool:
    """Whether this end has come, if there is one."""
    return end is not None and end <= now


class _Seen:
    """The signatures of late, so that a repeated one is noticed. Bounded in number and in time."""

    def __init__(self, window: float) -> None:
        self._life = 2 * window
        self._times: Bounded[str, float] = Bounded(REMEMBERED)
        self._lock = threading.Lock()

    def repeated(self, signature: str, now: datetime) -> bool:
        """Whether this signature was seen before; it is remembered in any case."""
        at = now.timestamp()
        with self._lock:
            self._times.drop_while(lambda seen: seen < at - self._life)
            before = self._times.get(signature) is not None
            self._times.keep(signature, at)
            return before


def hash_client_secret(secret: str) -> str:
    """What is kept of a client secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
