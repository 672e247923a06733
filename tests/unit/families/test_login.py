"""Who is let in, as whom, and who is not: signed calls, bindings, access tokens (api.md section 2)."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import select, update

from mailreeve.access.permissions import ROLE_PERMISSIONS, Role
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users.rows import user as user_table
from mailreeve.families.login import authenticate, issue, rows
from mailreeve.families.login.authenticate import TOKEN_LIFE, Authenticator, _Seen
from mailreeve.families.login.errors import (
    BINDING_EXPIRED,
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    UNKNOWN_APPLICATION,
    USER_DISABLED,
)
from mailreeve.families.login.issue import Keys, issue_application
from mailreeve.formats.addresses import parse_address
from mailreeve.store.changes import Part
from mailreeve.store.schema import audit_event
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire import signing
from mailreeve.wire.errors import DATE_OUT_OF_RANGE, INVALID_SIGNATURE, Fault, RequestRefused
from mailreeve.wire.signing import SignedCall

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATE = "Fri, 02 Jan 2026 03:04:05 UTC"
PATH = "/api/account/get-account"
TOKEN_KEY = bytes(range(32))
VAULT = Vault(bytes(32))


class Application:
    """An application of an account, with an administrator bound to it."""

    def __init__(self, account, domain: str = "corp.test", role: str = Role.HELP_DESK) -> None:
        self.account = account
        self.authenticator = Authenticator(account.services.store, VAULT, TOKEN_KEY, 900)
        self.address = f"admin@{domain}"

        def make(work) -> Keys:
            domains.register(work, domain)
            self.user_id = users.create_administrator(
                work, parse_address(self.address), "correct horse battery", Role.SUPER_ADMINISTRATOR
            )
            return issue_application(work, VAULT, "Playbooks", role, self.user_id)

        self.keys: Keys = account.write(make)

    def call(self, req_id: str = "id", date: str = DATE, **keys: str) -> SignedCall:
        """A signed call; `keys` replace the application's own."""
        used = msgspec.structs.replace(self.keys, **keys)
        secret = base64.b64decode(used.secret_key)
        signature = signing.sign(secret, date, req_id, PATH, used.app_key)
        return SignedCall(used.access_key, signature, used.app_id, date, req_id, PATH)

    def set_user(self, **values: object) -> None:
        """Change the administrator's row."""

        def change(work) -> None:
            mine = user_table.c.account_id == work.account_id, user_table.c.id == self.user_id
            work.execute(update(user_table).where(*mine).values(**values))
            work.changed(Part.CREDENTIALS, "update", "user", self.user_id)

        self.account.write(change)

    def expire(self, at: datetime | None) -> None:
        """Have the binding end at that time."""

        def change(work) -> None:
            mine = rows.binding.c.account_id == work.account_id
            work.execute(update(rows.binding).where(mine).values(expires_at=at))
            key = work.execute(select(rows.binding.c.id).where(mine)).scalar_one()
            work.changed(Part.CREDENTIALS, "update", "binding", key)

        self.account.write(change)

    def refusal(self, call: SignedCall, now: datetime = NOW) -> RequestRefused:
        with pytest.raises(RequestRefused) as caught:
            self.authenticator.signed(call, now)
        return caught.value

    def refused_token(self, token: str, fault: Fault, now: datetime = NOW) -> None:
        with pytest.raises(RequestRefused) as caught:
            self.authenticator.bearer(token, now)
        assert (caught.value.problem.code, caught.value.status) == (fault.code, 401)

    def token(self, now: datetime = NOW) -> str:
        given = self.authenticator.give_token(self.keys.client_id, self.keys.client_secret, now)
        assert given is not None
        return given.access_token


@pytest.fixture
def application(account) -> Application:
    return Application(account)


# Signed calls.


def test_a_signed_call_is_the_users(account):
    """With the user's address, account and role; the application is named beside it."""
    application = Application(account, role=Role.SUPER_ADMINISTRATOR)
    caller = application.authenticator.signed(application.call(), NOW)
    assert (caller.application, caller.app_id) == ("Playbooks", application.keys.app_id)
    assert (caller.account_id, caller.actor, caller.user_id) == (
        application.account.id,
        application.address,
        application.user_id,
    )
    assert caller.permissions == ROLE_PERMISSIONS[Role.SUPER_ADMINISTRATOR]


@pytest.mark.parametrize("user", list(Role))
def test_a_signed_call_may_do_what_both_roles_permit(account, user):
    """The user's and the application's: keys are made for less than their user may do."""
    for number, role in enumerate(Role):
        application = Application(account, f"d{number}.test", role)
        application.set_user(role=user)
        caller = application.authenticator.signed(application.call(), NOW)
        assert caller.permissions == ROLE_PERMISSIONS[user] & ROLE_PERMISSIONS[role]


def test_a_user_without_a_role_may_do_nothing(application):
    """But is who it is; from the very next call on."""
    assert application.authenticator.signed(application.call(), NOW).permissions
    application.set_user(role=None)
    assert application.authenticator.signed(application.call(), NOW).permissions == frozenset()


def test_wrong_keys_are_refused_alike(application, other_account):
    """A wrong application key, a wrong secret key, an unknown access key and another application's access key: one
    code, one text, one status (api.md section 1.6)."""
    other = Application(other_account, "other.test")
    spoiled = [
        application.call(app_key="00000000-0000-0000-0000-000000000000"),
        application.call(secret_key=base64.b64encode(bytes(64)).decode()),
        application.call(access_key="unknown"),
        application.call(access_key=other.keys.access_key),
        application.call(access_key=other.keys.access_key, secret_key=other.keys.secret_key),
        msgspec.structs.replace(application.call(), signature=""),
    ]
    seen = {(r.status, r.problem, r.retry_after) for r in map(application.refusal, spoiled)}
    (one,) = {(status, problem.code, problem.message) for status, problem, _ in seen}
    assert one == (401, INVALID_SIGNATURE.code, "0004 Invalid Signature")
    assert len(seen) == 1


def test_an_access_key_is_good_for_its_application_only(application):
    """A user's keys for one application do not open another of the same account."""
    other = application.account.write(
        lambda work: issue_application(work, VAULT, "Other", Role.HELP_DESK, application.user_id)
    )
    mixed = application.call(app_id=other.app_id, app_key=other.app_key)
    assert application.refusal(mixed).problem.code == INVALID_SIGNATURE.code
    own = application.call(**msgspec.structs.asdict(other))
    assert application.authenticator.signed(own, NOW).actor == application.address


def test_an_unknown_application_is_told_so_with_200(application):
    """As recorded live; the id is repeated in the text."""
    refusal = application.refusal(application.call(app_id="no-such-id"))
    assert (refusal.status, refusal.problem.code) == (200, UNKNOWN_APPLICATION.code)
    assert refusal.problem.message == "App ID is invalid: no-such-id"


def test_an_old_call_is_refused(application):
    """Outside the window, although everything else is right."""
    refusal = application.refusal(application.call(), NOW + timedelta(seconds=901))
    assert refusal.problem.code == DATE_OUT_OF_RANGE.code


def test_an_expired_binding_is_418(application):
    """From the very moment on; the text is the one that a client looks for (clients.md)."""
    application.expire(NOW + timedelta(seconds=1))
    assert application.authenticator.signed(application.call(), NOW).actor == application.address
    application.expire(NOW)
    refusal = application.refusal(application.call("other"))
    assert (refusal.status, refusal.problem.code) == (418, BINDING_EXPIRED.code)
    assert "AccessKey Has Expired" in refusal.problem.message


@pytest.mark.parametrize("flag", ["locked", "disabled"])
def test_a_locked_or_disabled_user_is_refused(application, flag):
    """From the very next call on, and let in again when that is over."""
    assert application.authenticator.signed(application.call("before"), NOW).actor == application.address
    application.set_user(**{flag: True})
    refusal = application.refusal(application.call())
    assert (refusal.status, refusal.problem.code) == (401, USER_DISABLED.code)
    application.set_user(**{flag: False})
    assert application.authenticator.signed(application.call(), NOW).actor == application.address


def test_a_stranger_does_not_learn_of_locks_and_ends(application):
    """A wrong signature is a wrong signature, whatever the state of user and binding."""
    application.set_user(locked=True)
    application.expire(NOW - timedelta(days=1))
    wrong = application.call(secret_key=base64.b64encode(bytes(64)).decode())
    assert application.refusal(wrong).problem.code == INVALID_SIGNATURE.code


def test_a_binding_that_ends_while_it_is_in_use_is_noticed(application):
    """By the clock alone, without any change to the account."""
    application.expire(NOW + timedelta(seconds=5))
    for _ in range(2):
        assert application.authenticator.signed(application.call(), NOW).actor == application.address
    refusal = application.refusal(application.call(), NOW + timedelta(seconds=5))
    assert refusal.problem.code == BINDING_EXPIRED.code


def test_a_call_in_good_standing_does_not_vouch_for_a_forged_one(application):
    """The keys are known by then; the signature is checked all the same, as is the date."""
    good = application.call()
    assert application.authenticator.signed(good, NOW).actor == application.address
    assert (
        application.refusal(msgspec.structs.replace(good, request_id="x")).problem.code == INVALID_SIGNATURE.code
    )
    assert application.refusal(good, NOW + timedelta(days=1)).problem.code == DATE_OUT_OF_RANGE.code
    wrong = application.call(app_key="x")
    assert application.refusal(wrong).problem.code == INVALID_SIGNATURE.code


def test_a_binding_that_was_removed_is_unknown_at_once(application):
    """Although it was in use a moment ago."""
    assert application.authenticator.signed(application.call(), NOW).actor == application.address

    def remove(work) -> None:
        mine = rows.binding.c.account_id == work.account_id
        work.changed(
            Part.CREDENTIALS, "delete", "binding", work.execute(select(rows.binding.c.id).where(mine)).scalar_one()
        )
        work.execute(rows.binding.delete().where(mine))

    application.account.write(remove)
    assert application.refusal(application.call()).problem.code == INVALID_SIGNATURE.code


def test_a_repeated_call_is_served_and_logged(application):
    """Two clients repeat calls to the letter (api.md section 2.3); the log says which and whose."""
    call = application.call("the-id")
    with structlog.testing.capture_logs() as logs:
        application.authenticator.signed(call, NOW)
        application.authenticator.signed(application.call("another-id"), NOW)
    assert logs == []
    with structlog.testing.capture_logs() as logs:
        assert application.authenticator.signed(call, NOW).actor == application.address
    (entry,) = logs
    assert entry["log_level"] == "warning"
    assert (entry["request_id"], entry["path"], entry["actor"]) == ("the-id", PATH, application.address)


def test_a_refused_call_does_not_count_as_a_repetition(application):
    """Only what was served once can be repeated."""
    wrong = application.call(app_key="x")
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            application.refusal(wrong)
    assert logs == []


def test_signatures_are_forgotten_after_the_window(monkeypatch):
    """In time and in number: what is remembered is bounded."""
    seen = _Seen(900)
    assert [seen.repeated("a", NOW), seen.repeated("a", NOW)] == [False, True]
    late = NOW + timedelta(seconds=1801)
    assert not seen.repeated("b", late)
    assert list(seen._times) == ["b"]
    monkeypatch.setattr(authenticate, "REMEMBERED", 10)
    seen = _Seen(900)
    for number in range(100):
        seen.repeated(str(number), late)
    assert len(seen._times) <= 10


def test_a_signature_that_is_repeated_keeps_no_others_in_memory():
    """The oldest is forgotten first, whichever was seen again."""
    seen = _Seen(900)
    for signature in ("again", "once"):
        seen.repeated(signature, NOW)
    seen.repeated("again", NOW + timedelta(seconds=1800))
    seen.repeated("new", NOW + timedelta(seconds=1801))
    assert set(seen._times) == {"again", "new"}


# Keys.


def test_keys_have_the_forms_of_the_live_service(application):
    """A GUID, long URL-safe text, 64 octets in base64 (api.md section 2.1)."""
    keys = application.keys
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", keys.app_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{150,}", keys.access_key)
    assert len(keys.secret_key) == 88
    assert len(base64.b64decode(keys.secret_key, validate=True)) == 64


def test_no_key_is_kept_in_clear(application):
    """Neither in the tables nor in the audit log: sealed or hashed (design.md section 5)."""

    def everything(work) -> str:
        tables = (rows.application, rows.binding, audit_event)
        return repr([tuple(row) for table in tables for row in work.execute(select(table))])

    kept = application.account.write(everything)
    keys = application.keys
    assert keys.app_id in kept
    secret = base64.b64decode(keys.secret_key)
    for text in (keys.app_key, keys.secret_key, keys.client_secret, "correct horse battery", repr(secret)[2:30]):
        assert text not in kept


def test_the_new_application_is_audited(application):
    """By name and role."""
    query = select(audit_event.c.action, audit_event.c.after).where(audit_event.c.object_kind == "application")
    (row,) = application.account.write(lambda work: work.execute(query).all())
    assert tuple(row) == ("create", '{"name":"Playbooks","role":"Help Desk"}')


# Access tokens.


def test_a_token_is_given_as_recorded(application):
    """`expires_in` 1799 and an empty scope (api.md section 2.6)."""
    given = application.authenticator.give_token(application.keys.client_id, application.keys.client_secret, NOW)
    shown = msgspec.to_builtins(given)
    assert shown.pop("access_token")
    assert shown == {"token_type": "Bearer", "expires_in": 1799, "scope": ""}


def test_a_token_is_the_applications(application):
    """With the application's own role and no user."""
    caller = application.authenticator.bearer(application.token(), NOW)
    assert (caller.account_id, caller.actor, caller.user_id) == (application.account.id, "Playbooks", "")
    assert (caller.application, caller.app_id) == ("Playbooks", application.keys.app_id)
    assert caller.permissions == ROLE_PERMISSIONS[Role.HELP_DESK]


@pytest.mark.parametrize(
    "spoil", [lambda s: "", lambda s: s[:-1], lambda s: s + "x", lambda s: s.swapcase(), lambda s: "é"]
)
def test_a_wrong_client_gets_no_token(application, spoil):
    """Wrong id or wrong secret, alike."""
    keys = application.keys
    give = application.authenticator.give_token
    assert give(keys.client_id, spoil(keys.client_secret), NOW) is None
    assert give(spoil(keys.client_id), keys.client_secret, NOW) is None


def test_a_clients_secret_is_good_for_that_client_only(application, other_account):
    """Another application's is not."""
    other = Application(other_account, "other.test")
    give = application.authenticator.give_token
    assert give(application.keys.client_id, other.keys.client_secret, NOW) is None


def test_a_token_ends(application):
    """After its life and not before, with the code that clients look for."""
    token = application.token()
    almost = NOW + timedelta(seconds=TOKEN_LIFE - 1)
    assert application.authenticator.bearer(token, almost).actor == "Playbooks"
    application.refused_token(token, TOKEN_EXPIRED, NOW + timedelta(seconds=TOKEN_LIFE))


def test_a_token_that_we_did_not_give_is_refused(application):
    """Signed by another key, unsigned, cut, or made of claims with no application behind them."""
    token = application.token()
    head, body, signature = token.split(".")
    claims = {"sub": "x", "account": application.account.id, "exp": 4_000_000_000}
    ours, theirs = OctKey.import_key(TOKEN_KEY), OctKey.import_key(bytes(32))
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for spoiled in (
        jwt.encode({"alg": "HS256"}, claims, theirs),
        jwt.encode({"alg": "HS256"}, claims, ours),
        jwt.encode({"alg": "HS256"}, {"sub": "x"}, ours),
        jwt.encode({"alg": "HS256"}, claims | {"exp": "soon"}, ours),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-2]}",
        f"{head}.{body}",
        token + ".x",
        token.replace(".", " "),
    ):
        application.refused_token(spoiled, TOKEN_INVALID)


def test_a_token_ends_with_its_application(application):
    """A revoked application's tokens open nothing."""
    token = application.token()

    def revoke(work) -> None:
        for table in (rows.binding, rows.application):
            work.execute(table.delete().where(table.c.account_id == work.account_id))

    application.account.write(revoke)
    application.refused_token(token, TOKEN_INVALID)


BARE = Authenticator(Store(None), VAULT, TOKEN_KEY, 900)  # type: ignore[arg-type]  # nothing is looked up


@given(st.text(max_size=80) | st.lists(st.binary(max_size=30), min_size=3, max_size=3))
def test_any_text_is_a_token_or_refused(text):
    """Never another exception."""
    if not isinstance(text, str):
        text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in text)
    with pytest.raises(RequestRefused) as caught:
        BARE.bearer(text, NOW)
    assert caught.value.problem.code == TOKEN_INVALID.code


def test_no_key_begins_as_an_option_does(monkeypatch):
    """`mailreeve keys revoke -h…` would print the help."""
    texts = iter(["-hidden", "--", "plain-text"])
    monkeypatch.setattr(issue.secrets, "token_urlsafe", lambda octets: next(texts))
    assert issue.url_safe(12) == "plain-text"
