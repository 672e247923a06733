"""What signing in gives, and what it does not: keys for a while, so many of them, of a user who may sign in."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update
from tests.unit.families.test_login import Application

from mailreeve.families.directory.users import passwords
from mailreeve.families.directory.users.rows import user as users
from mailreeve.families.login import rows
from mailreeve.families.login.sign_in import attempts as attempts_module
from mailreeve.families.login.sign_in.attempts import PER_NETWORK, PER_USER, WINDOW, Attempts
from mailreeve.families.login.sign_in.check import GivenPassword, read_password
from mailreeve.families.login.sign_in.operations import MOST_KEYS
from mailreeve.store.schema import account as accounts
from mailreeve.wire.errors import ItemRefused, RequestRefused

PASSWORD = "correct horse battery"
HERE, THERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def application(account) -> Application:
    return Application(account)


def refusal(application, password: str = PASSWORD, name: str = "", source: str = HERE) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        check(application, password, name, source)
    return caught.value


def check(application, password: str = PASSWORD, name: str = "", source: str = HERE):
    given = GivenPassword(application.keys.app_id, name or application.address, password)
    return application.authenticator.passwords.signed_in(given, datetime.now(UTC), source)


def log_in(application, **item: object) -> dict:
    """A sign-in with the right password, and its answer."""
    application.account.caller = check(application)
    (given,) = application.account.call("login/login", item)
    return given


def signed(application, given: dict, **changed: object):
    """The caller of a call that is signed with these keys, now."""
    now = changed.pop("now", datetime.now(UTC))
    date = now.strftime("%a, %d %b %Y %H:%M:%S UTC")
    call = application.call(date=date, access_key=given["accessKey"], secret_key=given["secretKey"])
    return application.authenticator.signed(call, now)


# The password.


def test_whoever_gave_a_password_may_sign_in_and_nothing_else(application) -> None:
    caller = check(application)
    assert (caller.user_id, caller.actor) == (application.user_id, application.address)
    assert not caller.permissions
    assert not caller.in_person


@pytest.mark.parametrize(
    ("password", "name"),
    [("wrong", ""), (PASSWORD, "ghost@corp.test"), (PASSWORD, "nobody"), (PASSWORD, "a@far.test")],
)
def test_what_is_wrong_is_told_alike(application, monkeypatch, password, name) -> None:
    """And a password is looked at whether there is such a user or not."""
    looked_at = []
    matches = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda *both: looked_at.append(both) or matches(*both))
    found = refusal(application, password, name)
    assert (found.status, found.problem.message) == (401, "0002 The user name or the password is wrong")
    assert len(looked_at) == 1


def test_nobody_has_the_password_of_a_user_without_one() -> None:
    assert not passwords.matches("", None)
    assert not passwords.matches("anything", None)
    known = passwords.hashed("a good pass\u00a0word ", "password")
    assert passwords.matches(" a good pass word", known)
    assert not passwords.matches("a good password", known)


@pytest.mark.parametrize("member", ["locked", "disabled"])
def test_a_locked_user_is_told_so_only_with_the_password(application, member: str) -> None:
    """From the next call on, the keys that are there stop as well."""
    given = log_in(application)
    assert signed(application, given).user_id == application.user_id
    application.set_user(**{member: True})
    assert refusal(application).problem.code == "err_xdk_account_disabled"
    assert refusal(application, "wrong").problem.code == "err_login_failed"
    with pytest.raises(RequestRefused, match="locked or disabled"):
        signed(application, given)


def test_a_locked_account_and_an_unknown_application(application) -> None:
    other = GivenPassword("none", application.address, PASSWORD)
    with pytest.raises(RequestRefused, match="App ID is invalid: none"):
        application.authenticator.passwords.signed_in(other, datetime.now(UTC), HERE)
    application.account.write(
        lambda work: work.execute(update(accounts).where(accounts.c.id == work.account_id).values(locked=True))
    )
    assert refusal(application).problem.code == "err_account_locked"


@pytest.mark.parametrize("scheme", ["basic-ad", "basic-exchange"])
def test_other_ways_are_refused_by_name(scheme: str) -> None:
    with pytest.raises(RequestRefused, match="use Basic-Cloud"):
        read_password(scheme, base64.b64encode(b"a@b.test:x").decode(), "app")


# The keys.


def test_keys_end_and_can_be_given_more_time(application) -> None:
    """Both keys stay; the very next call is served again."""
    given = log_in(application)
    life = timedelta(milliseconds=given["duration"])
    assert life == timedelta(days=3)
    later = datetime.now(UTC) + life + timedelta(seconds=1)
    with pytest.raises(RequestRefused, match="AccessKey Has Expired") as caught:
        signed(application, given, now=later)
    assert caught.value.status == 418
    past = datetime.now(UTC) - timedelta(days=9)

    def age(work) -> None:
        mine = rows.binding.c.access_key == given["accessKey"]
        work.execute(update(rows.binding).where(mine).values(expires_at=past))

    application.account.write(age)
    again = log_in(application, userName=application.address, accessKey=given["accessKey"])
    assert (again["accessKey"], again["secretKey"]) == (given["accessKey"], given["secretKey"])
    assert signed(application, given).user_id == application.user_id


def test_how_long_is_a_setting(application) -> None:
    services = application.account.services
    application.account.services = replace(services, installation=replace(services.installation, login_life=60))
    assert log_in(application)["duration"] == 60_000


def test_keys_of_an_administrator_keep_their_end(application) -> None:
    """A password gives no more time than whoever made them."""
    key = application.keys.access_key
    assert log_in(application, accessKey=key)["secretKey"] == application.keys.secret_key
    end = datetime.now(UTC) + timedelta(hours=1)
    application.expire(end)
    assert log_in(application, accessKey=key)["duration"] <= 3_600_000
    application.expire(datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(ItemRefused, match="accessKey: This key was made with an end"):
        log_in(application, accessKey=key)


def test_nobody_gets_the_keys_of_others(application, other_account) -> None:
    other = Application(other_account, "other.test")
    for key in (other.keys.access_key, "none"):
        with pytest.raises(ItemRefused, match="You have no such access key"):
            log_in(application, accessKey=key)
    with pytest.raises(ItemRefused, match="userName: Field must name the user"):
        log_in(application, userName="admin@other.test")


def test_the_keys_that_were_not_heard_of_give_way(application) -> None:
    """Those that an administrator made do not."""
    first = log_in(application)
    given = [log_in(application) for _ in range(MOST_KEYS)]
    with pytest.raises(RequestRefused, match="0004"):
        signed(application, first)
    assert signed(application, given[0]).user_id == application.user_id
    count = application.account.write(
        lambda work: len(work.execute(select(rows.binding).where(rows.binding.c.signed_in_at.is_not(None))).all())
    )
    assert count == MOST_KEYS
    assert signed(
        application, {"accessKey": application.keys.access_key, "secretKey": application.keys.secret_key}
    )


def test_another_password_ends_what_was_got_with_the_one_before(application) -> None:
    """Whoever sets it. Keys that were made without it go on."""
    given = log_in(application)
    made = {"accessKey": application.keys.access_key, "secretKey": application.keys.secret_key}
    application.set_user(password_changed_at=datetime.now(UTC) + timedelta(seconds=1))
    with pytest.raises(RequestRefused, match="AccessKey Has Expired"):
        signed(application, given)
    assert signed(application, made).user_id == application.user_id


def test_a_password_that_has_to_be_changed_gives_no_keys(application) -> None:
    application.set_user(force_password_change=True)
    with pytest.raises(RequestRefused, match="0008"):
        log_in(application)
    application.account.caller = check(application)
    with pytest.raises(ItemRefused, match="newPassword: The password is not allowed"):
        application.account.call("ext/change-password", {"newPassword": "short"})
    application.account.call("ext/change-password", {"newPassword": "a much longer one"})
    assert refusal(application).problem.code == "err_login_failed"
    assert check(application, "a much longer one").user_id == application.user_id
    row = application.account.write(
        lambda work: work.execute(
            select(users.c.force_password_change).where(users.c.id == application.user_id)
        ).scalar_one()
    )
    assert row is False


def test_keys_for_less_take_back_none_but_themselves(application) -> None:
    given = log_in(application)
    caller = signed(application, given)
    assert not caller.in_person, "the application may do less than the user"
    application.account.caller = caller
    with pytest.raises(ItemRefused, match="accessKey: 0002"):
        application.account.call("ext/revoke-my-key", {"accessKey": application.keys.access_key})
    assert application.account.call("login/logout", {}) == [{"accessKey": given["accessKey"]}]


def test_a_token_has_no_keys_to_give_back(application) -> None:
    application.account.caller = application.authenticator.bearer(
        application.token(datetime.now(UTC)), datetime.now(UTC)
    )
    with pytest.raises(ItemRefused, match="not made with the keys of a user"):
        application.account.call("login/logout", {})


# How often it may be wrong.


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_user_is_locked_out_of_one_network_for_a_while(clock) -> None:
    """Not out of another, and nobody else out of this one."""
    attempts = Attempts(clock)
    assert [attempts.begin("ann", HERE) for _ in range(PER_USER)] == [0] * PER_USER
    clock.now = 60
    assert attempts.begin("ann", HERE) == int((WINDOW - 60) * 1000)
    assert attempts.begin("ann", THERE) == 0
    assert attempts.begin("bob", HERE) == 0
    clock.now = WINDOW
    assert attempts.begin("ann", HERE) == 0


def test_what_was_right_is_not_counted(clock) -> None:
    attempts = Attempts(clock)
    for _ in range(PER_NETWORK * 2):
        assert attempts.begin("ann", HERE) == 0
        attempts.succeeded("ann", HERE)


def test_a_network_that_tries_everybody_keeps_out_nobody_who_was_there(clock) -> None:
    attempts = Attempts(clock)
    attempts.begin("ann", HERE)
    attempts.succeeded("ann", HERE)
    begun = [attempts.begin(f"user {n}", HERE) for n in range(PER_NETWORK + 1)]
    assert begun[:-1] == [0] * PER_NETWORK
    assert begun[-1] > 0
    assert attempts.begin("ann", HERE) == 0
    assert attempts.is_familiar("ann", HERE)
    assert not attempts.is_familiar("ann", THERE)


def test_who_signed_in_is_known_before_anything_is_looked_up(application) -> None:
    """To whoever queues sign-ins: by this name, in any case, to this application and from this network."""
    passwords_of = application.authenticator.passwords
    given = GivenPassword(application.keys.app_id, application.address, PASSWORD)
    assert not passwords_of.is_known(given, HERE)
    check(application)
    assert passwords_of.is_known(given, HERE)
    assert passwords_of.is_known(replace(given, name=application.address.upper(), password="another"), HERE)
    assert not passwords_of.is_known(given, THERE)
    assert not passwords_of.is_known(replace(given, app_id="another"), HERE)


def test_what_is_remembered_has_an_end(clock, monkeypatch) -> None:
    monkeypatch.setattr(attempts_module, "REMEMBERED", 10)
    attempts = Attempts(clock)
    for n in range(100):
        attempts.begin(f"user {n}", f"192.0.2.{n}")
        attempts.succeeded(f"user {n}", f"192.0.2.{n}")
        attempts.begin(f"user {n}", f"192.0.2.{n}")
    assert max(map(len, (attempts._pairs, attempts._networks, attempts._familiar))) == 10


def test_locked_out_is_told_with_the_time_and_without_looking(application, monkeypatch) -> None:
    """Alike for users and others; two ways to write an address are one."""
    looked_at = []
    monkeypatch.setattr(passwords, "matches", lambda *both: looked_at.append(both))
    for name in (application.address, "ghost@corp.test"):
        for n in range(PER_USER):
            assert refusal(application, "wrong", name.upper() if n % 2 else name).status == 401
        found = refusal(application, PASSWORD, name)
        assert (found.status, found.problem.code, found.problem.retryable) == (429, "err_login_locked", True)
        assert 0 < found.retry_after <= WINDOW * 1000
    assert len(looked_at) == 2 * PER_USER
