"""Keys: made with an end, exchanged with a time of grace, and known by their last use."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.account import rows as account_rows
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.users import rows as users
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.login.errors import ACCOUNT_LOCKED, BINDING_EXPIRED, TOKEN_EXPIRED, TOKEN_INVALID
from mailreeve.families.registry import seed_account
from mailreeve.store.schema import metadata
from mailreeve.wire import signing
from mailreeve.wire.errors import INVALID_SIGNATURE, ItemRefused, RequestRefused
from mailreeve.wire.signing import SignedCall

PATH = "/api/account/get-account"


class Program:
    """A program with keys of ann's."""

    def __init__(self, account, **item: object) -> None:
        self.account = account
        self.authenticator = Authenticator(account.services.store, account.services.vault, bytes(32), 900)
        (self.keys,) = account.call("ext/create-key", {"user": "ann@corp.test", **item})

    def call(self, now: datetime, **keys: str):
        used = self.keys | keys
        date = now.strftime("%a, %d %b %Y %H:%M:%S UTC")
        signature = signing.sign(base64.b64decode(used["secretKey"]), date, "id", PATH, used["appKey"])
        signed = SignedCall(used["accessKey"], signature, used["appId"], date, "id", PATH)
        return self.authenticator.signed(signed, now, "192.0.2.7")

    def refusal(self, now: datetime, **keys: str) -> str:
        with pytest.raises(RequestRefused) as caught:
            self.call(now, **keys)
        return caught.value.problem.code

    def token(self, now: datetime, **keys: str) -> str | None:
        used = self.keys | keys
        given = self.authenticator.give_token(used["clientId"], used["clientSecret"], now)
        return None if given is None else given.access_token


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("ext/add-administrator", {"emailAddress": "ann@corp.test", "role": "Help Desk"})
    return account


def test_keys_end_when_they_were_made_to(corp) -> None:
    """Signed calls with 418, and so do tokens that were given before; no new ones are given."""
    now = datetime.now(UTC)
    end = now + timedelta(seconds=100)
    program = Program(corp, expires=end.isoformat())
    assert program.call(now).actor == "ann@corp.test"
    token = program.token(now)
    assert program.authenticator.bearer(token, now)
    assert program.refusal(end) == BINDING_EXPIRED.code
    with pytest.raises(RequestRefused) as caught:
        program.authenticator.bearer(token, end)
    assert (caught.value.status, caught.value.problem.code) == (418, BINDING_EXPIRED.code)
    assert program.token(end) is None


@pytest.mark.parametrize("grace", [0, 60])
def test_a_secret_key_is_exchanged(corp, grace: int) -> None:
    """The old one is good for the time of grace, and none at all without one."""
    now = datetime.now(UTC)
    program = Program(corp)
    program.call(now)
    (made,) = corp.call("ext/rotate-key", {"id": program.keys["accessKey"], "grace": grace})
    assert made["secretKey"] != program.keys["secretKey"]
    assert program.call(now, secretKey=made["secretKey"]).actor == "ann@corp.test"
    if grace:
        assert program.call(now).actor == "ann@corp.test"
        assert "oldUntil" in made
    else:
        assert program.refusal(now) == INVALID_SIGNATURE.code
    later = now + timedelta(seconds=grace + 5)
    assert program.refusal(later) == INVALID_SIGNATURE.code
    assert program.call(later, secretKey=made["secretKey"])


@pytest.mark.parametrize("grace", [0, 60])
def test_the_secrets_of_an_application_are_exchanged(corp, grace: int) -> None:
    """Its key, which every signature takes part in, and the secret of its OAuth client."""
    now = datetime.now(UTC)
    program = Program(corp)
    program.call(now)
    (made,) = corp.call("ext/rotate-key", {"id": program.keys["appId"], "grace": grace})
    later = now + timedelta(seconds=grace + 5)
    new = {name: made[name] for name in ("appKey", "clientSecret")}
    assert program.call(now, appKey=made["appKey"])
    assert program.token(now, **new)
    assert (program.token(now) is not None) == bool(grace)
    if grace:
        assert program.call(now)
    assert program.refusal(later) == INVALID_SIGNATURE.code
    assert program.token(later) is None
    assert program.token(later, **new)


@pytest.mark.parametrize("grace", [0, 60])
def test_an_access_token_ends_with_the_secret_that_it_was_given_for(corp, grace: int) -> None:
    """Else whoever stole the secret went on for half an hour after it was exchanged."""
    now = datetime.now(UTC)
    program = Program(corp)
    token = program.token(now)
    assert program.authenticator.bearer(token, now)
    (made,) = corp.call("ext/rotate-key", {"id": program.keys["appId"], "grace": grace})
    if grace:
        assert program.authenticator.bearer(token, now)
    with pytest.raises(RequestRefused) as caught:
        program.authenticator.bearer(token, now + timedelta(seconds=grace + 5))
    assert caught.value.problem.code == TOKEN_EXPIRED.code
    assert program.authenticator.bearer(program.token(now, clientSecret=made["clientSecret"]), now)


def test_both_may_be_exchanged_one_after_the_other(corp) -> None:
    """Whoever has one of the new and one of the old secrets is let in while both are good."""
    now = datetime.now(UTC)
    program = Program(corp)
    (secret,) = corp.call("ext/rotate-key", {"id": program.keys["accessKey"], "grace": 60})
    (app,) = corp.call("ext/rotate-key", {"id": program.keys["appId"], "grace": 60})
    for keys in ({}, {"secretKey": secret["secretKey"]}, {"appKey": app["appKey"]}):
        assert program.call(now, **keys)
    assert program.call(now, secretKey=secret["secretKey"], appKey=app["appKey"])
    assert program.refusal(now, secretKey=base64.b64encode(bytes(64)).decode()) == INVALID_SIGNATURE.code


def test_keys_speak_for_their_user_in_person_where_they_were_not_made_for_less(corp) -> None:
    """So that a leaked key that may do little does not open its user's mailbox; a user without a role has keys as
    well, and they open that alone."""
    now = datetime.now(UTC)
    assert Program(corp).call(now).in_person
    corp.call("ext/create-role", {"name": "Onlooker", "permissions": ["Directories | Groups | Read"]})
    assert not Program(corp, role="Onlooker").call(now).in_person
    corp.call("user/create-user", {"emailAddress": "bob@corp.test"})
    for role in ({}, {"role": "Onlooker"}):
        bob = Program(corp, user="bob@corp.test", **role).call(now)
        assert (bob.actor, bob.permissions, bob.in_person) == ("bob@corp.test", frozenset(), True)
    program = Program(corp, user="bob@corp.test")
    assert program.keys["role"] == ""
    application = program.authenticator.bearer(program.token(now), now)
    assert (application.permissions, application.in_person) == (frozenset(), False)


def test_nobody_gets_keys_of_a_user_whose_password_they_could_not_set(corp) -> None:
    """Keys open the user's mailbox."""
    corp.call("user/create-user", {"emailAddress": "bob@corp.test"})
    (made,) = corp.call("ext/create-key", {"user": "bob@corp.test"})
    few = frozenset(Permission) - {Permission.DIRECTORIES_INTERNAL_EDIT}
    ann = corp.services.store.read(corp.id, lambda work: users.find_by_address(work, "ann@corp.test").id)
    corp.caller = Caller(corp.id, "ann@corp.test", "app", few, ann)
    for path, item in (
        ("ext/create-key", {"user": "bob@corp.test"}),
        ("ext/rotate-key", {"id": made["accessKey"]}),
    ):
        with pytest.raises(ItemRefused, match="keys open the user's mailbox"):
            corp.call(path, item)
    assert corp.call("ext/create-key", {"user": "ann@corp.test"}), "one's own"


def test_a_changed_role_holds_for_the_next_call(corp) -> None:
    """Whether the role itself is changed, or the user or the application is given another."""
    now = datetime.now(UTC)
    corp.call("ext/create-role", {"name": "Keeper", "permissions": ["Directories | Groups | Read"]})
    corp.call("ext/set-role", {"emailAddress": "ann@corp.test", "role": "Keeper"})
    program = Program(corp)
    assert program.call(now).permissions == {"Directories | Groups | Read"}
    token = program.token(now)
    corp.call(
        "ext/update-role",
        {"role": "keeper", "permissions": ["Directories | Groups | Edit", "Directories | Groups | Read"]},
    )
    for caller in (program.call(now), program.authenticator.bearer(token, now)):
        assert caller.permissions == {"Directories | Groups | Edit", "Directories | Groups | Read"}
    corp.call("ext/update-role", {"role": "Keeper", "name": "Warden"})
    assert len(program.call(now).permissions) == len(program.authenticator.bearer(token, now).permissions) == 2
    corp.call("ext/set-role", {"appId": program.keys["appId"], "role": "Help Desk"})
    assert program.call(now).permissions == {"Directories | Groups | Read"}
    assert len(program.authenticator.bearer(token, now).permissions) > 5


def test_the_last_use_is_written_now_and_then(corp) -> None:
    """When and from where; by no revision and with no audit row. Of several processes the last one is right."""
    now = datetime.now(UTC).replace(microsecond=0)
    program = Program(corp)
    assert "lastUsed" not in corp.call("ext/get-keys")[0]["keys"][0]
    for seconds in (0, 1):
        program.call(now + timedelta(seconds=seconds))
    program.authenticator.bearer(program.token(now), now, "2001:db8::1")
    store = corp.services.store
    revision = corp.write(lambda work: work.revision)
    assert program.authenticator.uses.write() == 2
    assert program.authenticator.uses.write() == 0
    assert corp.write(lambda work: work.revision) == revision
    (one,) = corp.call("ext/get-keys")
    assert (one["lastUsedFrom"], one["keys"][0]["lastUsedFrom"]) == ("2001:db8::1", "192.0.2.7")
    assert datetime.fromisoformat(one["keys"][0]["lastUsed"]) == now + timedelta(seconds=1)
    other = Program.__new__(Program)
    other.account, other.keys = corp, program.keys
    other.authenticator = Authenticator(store, corp.services.vault, bytes(32), 900)
    other.call(now)
    assert other.authenticator.uses.write() == 1
    assert corp.call("ext/get-keys") == [one]


def test_uses_that_cannot_be_written_are_kept(corp, monkeypatch) -> None:
    now = datetime.now(UTC)
    program = Program(corp)
    program.call(now)
    with monkeypatch.context() as patch:
        patch.setattr(corp.services.store, "write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            program.authenticator.uses.write()
    assert program.authenticator.uses.write() == 1


def test_keys_are_revoked_all_or_none(corp) -> None:
    first, second = Program(corp), Program(corp)
    with pytest.raises(ItemRefused, match="nonsense: there is no such"):
        corp.call("ext/revoke-key", {"ids": [first.keys["appId"], "nonsense"]})
    assert len(corp.call("ext/get-keys")) == 2
    gone = corp.call(
        "ext/revoke-key", {"ids": [first.keys["accessKey"][:12], first.keys["appId"], second.keys["appId"]]}
    )
    assert gone == [{"appId": first.keys["appId"]}, {"appId": second.keys["appId"]}]
    assert corp.call("ext/get-keys") == []


def test_calls_for_a_locked_account_are_refused(corp) -> None:
    """From the very next one on, and served again once it is unlocked."""
    now = datetime.now(UTC)
    program = Program(corp)
    token = program.token(now)
    assert program.call(now)
    assert corp.write(lambda work: accounts.set_locked(work, True))
    assert not corp.write(lambda work: accounts.set_locked(work, True))
    assert program.refusal(now) == ACCOUNT_LOCKED.code
    with pytest.raises(RequestRefused) as caught:
        program.authenticator.bearer(token, now)
    assert (caught.value.status, caught.value.problem.code) == (403, ACCOUNT_LOCKED.code)
    corp.write(lambda work: accounts.set_locked(work, False))
    assert program.call(now)


def test_of_a_removed_account_nothing_is_left(corp, other_account) -> None:
    """No row in any table; the other account keeps all of its own."""
    for one, domain in ((corp, "more.test"), (other_account, "other.test")):
        one.write(seed_account)
        one.write(lambda work, name=domain: domains.register(work, name))

    def rows(account_id: str) -> dict[str, int]:
        with corp.services.store._engine.reading() as connection:
            return {
                table.name: connection.execute(
                    select(func.count()).select_from(table).where(table.c.account_id == account_id)
                ).scalar_one()
                for table in metadata.sorted_tables
                if table.name != "account"
            }

    now = datetime.now(UTC)
    program = Program(corp)
    token = program.token(now)
    program.call(now)
    kept = rows(other_account.id)
    assert sum(1 for number in rows(corp.id).values() if number) > 5
    corp.write(account_rows.remove)
    assert set(rows(corp.id).values()) == {0}
    assert rows(other_account.id) == kept
    corp.services.store.feed.look()
    with pytest.raises(RequestRefused):
        program.call(now)
    with pytest.raises(RequestRefused) as caught:
        program.authenticator.bearer(token, now)
    assert caught.value.problem.code == TOKEN_INVALID.code
