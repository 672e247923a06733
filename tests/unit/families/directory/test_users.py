"""The user endpoints: creating, changing, listing, aliases, and what decisions then see."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role
from mailreeve.families.directory.users import operations, passwords, rows
from mailreeve.formats.addresses import parse_address
from mailreeve.store.schema import audit_event
from mailreeve.wire import fields
from mailreeve.wire.errors import ItemRefused, RequestRefused

PASSWORD = "correct horse battery"
SHIPPED = passwords._hasher


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """Hashes that cost next to nothing, for the many that are made here."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def corp(account):
    """An account with two domains."""
    account.call("domain/create-domain", {"domain": "corp.test"}, {"domain": "b.test"})
    return account


@pytest.fixture
def rosie(corp):
    """The same account, with the user rosie@corp.test."""
    corp.call("user/create-user", {"emailAddress": "Rosie@corp.test", "name": "Rosie", "password": PASSWORD})
    return corp


def refusal(account, path: str, **item: object) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


class Stored(NamedTuple):
    user: rows.UserRow
    password_hash: str | None


def stored(account, address: str) -> Stored | None:
    """The user who has the address, and the hash that is kept of the password."""

    def transaction(work) -> Stored | None:
        user = rows.find_by_address(work, parse_address(address).key)
        if user is None:
            return None
        query = select(rows.user.c.password_hash).where(rows.user.c.account_id == account.id)
        return Stored(user, work.execute(query.where(rows.user.c.id == user.id)).scalar_one())

    return account.services.store.read(account.id, transaction)


def is_hash_of(kept: str, text: str) -> bool:
    try:
        return PasswordHasher().verify(kept, text)
    except VerifyMismatchError:
        return False


def audits(account) -> list:
    return account.write(lambda work: list(work.execute(audit_event.select().order_by(audit_event.c.id))))


# Creating


def test_created_user_is_answered_as_typed_and_seen_by_decisions(corp):
    (answer,) = corp.call("user/create-user", {"emailAddress": "Rosie@Corp.test", "name": "Rosie"})
    assert answer.keys() == {"id", "emailAddress"}
    assert answer["emailAddress"] == "Rosie@Corp.test"
    assert corp.policies().directory.users["rosie@corp.test"].primary == "rosie@corp.test"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, ("err_validation_null", "emailAddress")),
        ({"emailAddress": ""}, ("err_validation_blank", "emailAddress")),
        ({"emailAddress": "rosie"}, ("err_validation_invalid_email_address", "emailAddress")),
        ({"emailAddress": "x@elsewhere.test"}, ("err_xdk_operation_forbidden_for_address", "emailAddress")),
        ({"emailAddress": "x@sub.corp.test"}, ("err_xdk_operation_forbidden_for_address", "emailAddress")),
        ({"emailAddress": "x@corp.test", "password": "7 chars"}, ("err_user_password_not_allowed", "password")),
        ({"emailAddress": "x@corp.test", "password": "x" * 257}, ("err_user_password_not_allowed", "password")),
        ({"emailAddress": "x@corp.test", "name": "n" * 256}, ("err_validation_too_long", "name")),
        ({"emailAddress": "x@corp.test", "accountCode": "CMRA1"}, (
            "err_xdk_operation_forbidden_for_address", "accountCode"
        )),
    ],
)  # fmt: skip
def test_create_refuses(corp, item, expected):
    before = corp.policies().directory.users.keys()
    assert refusal(corp, "user/create-user", **item) == expected
    assert corp.policies().directory.users.keys() == before


def test_own_account_code_may_be_named(corp):
    corp.call("user/create-user", {"emailAddress": "x@corp.test", "accountCode": corp.id.upper()})
    assert "x@corp.test" in corp.policies().directory.users


def test_real_code_of_another_account_is_refused_like_a_made_up_one(corp, other_account):
    def message(code: str) -> str:
        with pytest.raises(ItemRefused) as refused:
            corp.call("user/create-user", {"emailAddress": "x@corp.test", "accountCode": code})
        return refused.value.problems[0].message

    assert message(other_account.id) == message("nobody's")


@pytest.mark.parametrize("again", ["rosie@corp.test", "ROSIE@corp.test", "r.osie@b.test"])
def test_address_in_use_as_primary_or_alias_is_refused(rosie, again):
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "R.osie@b.test"})
    assert refusal(rosie, "user/create-user", emailAddress=again) == ("err_user_already_exists", "emailAddress")


def test_domain_of_another_account_is_not_ours(corp, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    assert refusal(corp, "user/create-user", emailAddress="x@theirs.test") == (
        "err_xdk_operation_forbidden_for_address",
        "emailAddress",
    )


# Passwords


def test_a_user_is_found_under_primary_address_and_alias(rosie):
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "r@b.test"})
    found = stored(rosie, "ROSIE@corp.test")
    assert found is not None
    assert (found.user.address, found.user.name, found.user.role) == ("Rosie@corp.test", "Rosie", None)
    assert (found.user.locked, found.user.disabled) == (False, False)
    assert stored(rosie, "r@b.test") == found
    assert stored(rosie, "nobody@corp.test") is None


def test_no_user_of_another_account_is_found(rosie, other_account):
    assert stored(other_account, "rosie@corp.test") is None


def test_password_is_kept_as_argon2id_and_checked(rosie):
    kept = stored(rosie, "rosie@corp.test").password_hash
    assert kept.startswith("$argon2id$")
    assert is_hash_of(kept, PASSWORD)
    assert not is_hash_of(kept, PASSWORD + "x")


def test_a_hash_costs_what_rfc_9106_recommends():
    """Its second choice (section 4): 64 MiB, three passes, four lanes."""
    parameters = extract_parameters(SHIPPED.hash(PASSWORD))
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (65_536, 3, 4)


def test_a_password_is_hashed_with_its_letters_composed_and_without_the_blanks_at_its_ends(corp):
    corp.call("user/create-user", {"emailAddress": "x@corp.test", "password": " pa\u0308ssw\u00f6rter\u00a01 "})
    kept = stored(corp, "x@corp.test").password_hash
    assert is_hash_of(kept, "p\u00e4ssw\u00f6rter 1")


def test_no_hash_is_kept_where_there_is_no_password(corp):
    corp.call("user/create-user", {"emailAddress": "x@corp.test"})
    assert stored(corp, "x@corp.test").password_hash is None


def test_neither_password_nor_hash_is_in_an_answer_or_the_audit_log(rosie):
    answer = rosie.answer(
        "user/create-user",
        {"emailAddress": "ok@corp.test", "password": PASSWORD},
        {"emailAddress": "x@elsewhere.test", "password": PASSWORD},
    )
    rosie.call("user/update-user", {"emailAddress": "rosie@corp.test", "password": PASSWORD + "2"})
    logged = "".join(f"{row.before}{row.after}" for row in audits(rosie))
    assert "rosie@corp.test" in logged
    for text in (json.dumps(answer), logged):
        assert PASSWORD not in text
        assert "argon2" not in text


def test_passwords_are_hashed_before_the_transaction_begins(rosie, monkeypatch):
    """A hash takes a tenth of a second, during which nobody else could write."""
    happened = []
    write, hashed = rosie.services.store.write_together, passwords.hashed

    def noted_write(*arguments):
        happened.append("begin")
        result = write(*arguments)
        happened.append("end")
        return result

    def noted_hash(text, field):
        happened.append("hash")
        return hashed(text, field)

    monkeypatch.setattr(rosie.services.store, "write_together", noted_write)
    monkeypatch.setattr(passwords, "hashed", noted_hash)
    new = [{"emailAddress": f"{name}@corp.test", "password": PASSWORD} for name in "ab"]
    rosie.call("user/create-user", *new)
    rosie.call("user/update-user", {"emailAddress": "rosie@corp.test", "password": PASSWORD + "2"})
    assert happened == ["hash", "hash", "begin", "end", "hash", "begin", "end"]


def test_changing_the_password_is_audited_as_a_change(rosie):
    rosie.call("user/update-user", {"emailAddress": "rosie@corp.test", "password": PASSWORD + "2"})
    last = audits(rosie)[-1]
    assert (last.action, last.object_kind) == ("update", "user")
    assert json.loads(last.before)["password_changed_at"] != json.loads(last.after)["password_changed_at"]
    assert is_hash_of(stored(rosie, "rosie@corp.test").password_hash, PASSWORD + "2")


# Changing


def test_update_with_an_address_alone_reads_the_settings_and_changes_nothing(rosie):
    revision = rosie.policies().revision
    (answer,) = rosie.call("user/update-user", {"emailAddress": "rosie@corp.test"})
    assert answer.pop("id")
    assert answer == {
        "emailAddress": "Rosie@corp.test",
        "name": "Rosie",
        "forcePasswordChange": False,
        "passwordNeverExpires": False,
        "accountLocked": False,
        "accountDisabled": False,
        "allowSmtp": False,
        "allowPop": False,
    }
    assert [row.action for row in audits(rosie)].count("update") == 0
    rosie.call("user/create-user", {"emailAddress": "next@corp.test"})
    assert rosie.policies().revision == revision + 1


def test_update_changes_what_is_given_and_keeps_the_rest(rosie):
    changes = {
        "accountLocked": "True",
        "accountDisabled": True,
        "passwordNeverExpires": True,
        "forcePasswordChange": True,
        "allowSmtp": True,
        "allowPop": True,
        "archiveStartDate": "2015-11-16T14:49:18+0000",
    }
    rosie.call("user/update-user", {"emailAddress": "rosie@corp.test", **changes})
    (answer,) = rosie.call("user/update-user", {"emailAddress": "rosie@corp.test", "name": "R", "allowPop": False})
    expected = {
        **changes,
        "accountLocked": True,
        "allowPop": False,
        "name": "R",
        "emailAddress": "Rosie@corp.test",
    }
    assert {name: answer[name] for name in expected} == expected
    found = stored(rosie, "rosie@corp.test").user
    assert found.locked
    assert found.disabled
    assert found.archive_start.isoformat() == "2015-11-16T14:49:18+00:00"


@pytest.mark.parametrize("sent", ["2015-11-16T14:49:18+0100", "2015-11-16T14:49:18Z", "2015-11-16T14:49"])
def test_when_the_archive_starts_is_answered_as_it_was_sent(rosie, sent):
    """And stays so when something else is changed."""
    who = {"emailAddress": "rosie@corp.test"}
    rosie.call("user/update-user", {**who, "archiveStartDate": "2001-01-01T00:00:00+0000"})
    for changes in ({"archiveStartDate": sent}, {}, {"name": "R"}):
        (answer,) = rosie.call("user/update-user", {**who, **changes})
        assert answer["archiveStartDate"] == sent
    assert stored(rosie, "rosie@corp.test").user.archive_start == fields.moment(sent, "")


def test_update_may_name_the_user_by_an_alias(rosie):
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "r@b.test"})
    (answer,) = rosie.call("user/update-user", {"emailAddress": "r@b.test", "accountLocked": True})
    assert answer["emailAddress"] == "Rosie@corp.test"
    assert stored(rosie, "rosie@corp.test").user.locked


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"emailAddress": "who@corp.test"}, ("err_user_not_found", "emailAddress")),
        ({"emailAddress": "x@y.test"}, ("err_xdk_operation_forbidden_for_address", "emailAddress")),
        ({"emailAddress": "rosie@corp.test", "password": "short"}, ("err_user_password_not_allowed", "password")),
        ({"emailAddress": "rosie@corp.test", "archiveStartDate": "soon"}, (
            "err_validation_invalid_date", "archiveStartDate"
        )),
        ({"emailAddress": "rosie@corp.test", "allowPop": "maybe"}, ("err_validation_wrong_type", "allowPop")),
        ({"emailAddress": "rosie@corp.test", "name": "n" * 256}, ("err_validation_too_long", "name")),
    ],
)  # fmt: skip
def test_update_refuses(rosie, item, expected):
    assert refusal(rosie, "user/update-user", **item) == expected


def test_nobody_changes_a_user_whose_role_has_more_permissions(corp):
    """Who sets the password of a Super Administrator has become one."""
    boss = parse_address("boss@corp.test")
    corp.write(lambda work: operations.create_administrator(work, boss, PASSWORD, Role.SUPER_ADMINISTRATOR))
    corp.caller = Caller(corp.id, "full@corp.test", "app", ROLE_PERMISSIONS[Role.FULL_ADMINISTRATOR])
    code = refusal(corp, "user/update-user", emailAddress="boss@corp.test", password="another password")
    assert code == ("err_xdk_forbidden", "emailAddress")
    assert is_hash_of(stored(corp, "boss@corp.test").password_hash, PASSWORD)
    # Reading stays allowed, and so does changing an equal.
    assert corp.call("user/update-user", {"emailAddress": "boss@corp.test"})[0]["accountLocked"] is False
    corp.caller = Caller(corp.id, "super@corp.test", "app", frozenset(Permission))
    assert corp.call("user/update-user", {"emailAddress": "boss@corp.test", "name": "Boss"})[0]["name"] == "Boss"


def test_administrator_can_be_a_domains_postmaster(corp):
    """The postmaster is there from the start, so it is appointed rather than created."""
    postmaster = parse_address("postmaster@corp.test")
    user_id = corp.write(lambda work: operations.create_administrator(work, postmaster, PASSWORD, Role.HELP_DESK))
    found = stored(corp, "postmaster@corp.test")
    assert (found.user.id, found.user.role) == (user_id, Role.HELP_DESK)
    assert is_hash_of(found.password_hash, PASSWORD)


# Listing


def test_list_has_primary_addresses_and_aliases_with_the_members_seen_live(rosie):
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "Red@b.test"})
    (answer,) = rosie.call("user/get-internal-users")
    assert answer["userCount"] == len(answer["users"]) == 6
    shown = {row["emailAddress"]: row for row in answer["users"]}
    assert shown["Rosie@corp.test"] == {
        "name": "Rosie",
        "emailAddress": "Rosie@corp.test",
        "domain": "corp.test",
        "alias": False,
        "addressType": "created_manually",
        "source": "cloud",
    }
    assert shown["Red@b.test"]["alias"] is True
    assert shown["Red@b.test"]["domain"] == "b.test"


def test_list_of_one_domain_has_only_that_domains_addresses(rosie):
    (answer,) = rosie.call("user/get-internal-users", {"domain": "b.test"})
    assert [row["emailAddress"] for row in answer["users"]] == ["abuse@b.test", "postmaster@b.test"]
    assert answer["userCount"] == 2


def test_pages_of_the_list_hold_each_address_once(rosie):
    seen, token, sizes = [], None, []
    while True:
        pagination = {"pageSize": 2, "pageToken": token}
        answer = rosie.answer("user/get-internal-users", {}, meta={"pagination": pagination})
        shown = answer["meta"]["pagination"]
        assert answer["data"][0]["userCount"] == shown["totalCount"] == 5
        sizes.append(shown["pageSize"])
        seen += [row["emailAddress"] for row in answer["data"][0]["users"]]
        token = shown.get("next")
        if token is None:
            break
    assert sizes == [2, 2, 1]
    assert len(set(seen)) == len(seen) == 5


def test_list_of_a_domain_that_is_not_ours_is_refused(corp, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    for name in ("theirs.test", "nobodys.test"):
        assert refusal(corp, "user/get-internal-users", domain=name) == (
            "err_xdk_operation_forbidden_for_address",
            "domain",
        )


def test_list_of_an_account_without_users_is_an_empty_page(account):
    answer = account.answer("user/get-internal-users")
    assert answer["data"] == [{"users": [], "userCount": 0}]
    assert answer["meta"]["pagination"] == {"pageSize": 0}


def test_users_of_another_account_are_not_listed(rosie, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    (answer,) = other_account.call("user/get-internal-users")
    assert {row["domain"] for row in answer["users"]} == {"theirs.test"}


def test_international_domain_is_shown_alike_in_both_lists(account):
    """A client joins the two lists by it."""
    account.call("domain/create-domain", {"domain": "bücher.test"})
    (answer,) = account.call("user/get-internal-users", {"domain": "bücher.test"})
    assert {row["domain"] for row in answer["users"]} == {"bücher.test"}
    assert account.call("domain/get-internal-domain")[0]["domain"] == "bücher.test"


# Profile


def test_profile_has_every_documented_member(rosie):
    rosie.call(
        "user/update-attributes",
        {"emailAddress": "rosie@corp.test", "attributes": [{"name": "Department", "value": "Sales"}]},
    )
    (answer,) = rosie.call("user/get-profile", {"emailAddress": "rosie@corp.test", "showAvatar": "False"})
    assert answer.pop("id")
    assert answer == {
        "name": "Rosie",
        "emailAddress": "Rosie@corp.test",
        "accountCode": rosie.id,
        "companyName": "Test",
        "role": "",
        "admin": False,
        "localPassword": True,
        "changePassword": False,
        "external": False,
        "editable": True,
        "attributes": {"Department": "Sales"},
        "links": [],
        "serverTimeZone": "UTC",
    }


def test_profile_without_an_address_is_the_callers(corp):
    boss = parse_address("boss@corp.test")
    user_id = corp.write(lambda work: operations.create_administrator(work, boss, PASSWORD, Role.HELP_DESK))
    corp.caller = Caller(corp.id, "boss@corp.test", "app", ROLE_PERMISSIONS[Role.HELP_DESK], user_id)
    (answer,) = corp.call("user/get-profile")
    assert (answer["emailAddress"], answer["role"], answer["admin"]) == ("boss@corp.test", "Help Desk", True)


def test_profile_without_an_address_is_refused_to_an_application(corp):
    assert refusal(corp, "user/get-profile") == ("err_validation_null", "emailAddress")


def test_profile_of_an_address_outside_is_told_apart_from_an_unknown_user(corp):
    outside = refusal(corp, "user/get-profile", emailAddress="x@y.test")
    assert outside == ("err_xdk_operation_forbidden_for_address", "emailAddress")
    unknown = refusal(corp, "user/get-profile", emailAddress="x@corp.test")
    assert unknown == ("err_user_not_found", "emailAddress")


# Aliases


def test_alias_is_another_key_to_the_same_user_for_decisions(rosie):
    (answer,) = rosie.call("user/update-alias", {"aliasFor": "ROSIE@corp.test", "alias": "Red@b.test"})
    assert answer == {
        "alias": "Red@b.test",
        "aliasDisplayName": "Rosie",
        "aliasFor": "Rosie@corp.test",
        "domain": "b.test",
        "isInternal": True,
        "type": "created_manually",
    }
    users = rosie.policies().directory.users
    assert users["red@b.test"] is users["rosie@corp.test"]
    assert rosie.call("user/get-aliases", {"emailAddress": "rosie@corp.test"}) == [answer]
    assert rosie.call("user/get-aliases", {"emailAddress": "red@b.test"}) == [answer]


def test_giving_an_alias_again_changes_nothing(rosie):
    first = rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "red@b.test"})
    count = len(audits(rosie))
    assert rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "RED@b.test"}) == first
    assert len(audits(rosie)) == count


def test_alias_of_an_alias_is_the_users(rosie):
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "red@b.test"})
    (answer,) = rosie.call("user/update-alias", {"aliasFor": "red@b.test", "alias": "ginger@b.test"})
    assert answer["aliasFor"] == "Rosie@corp.test"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"aliasFor": "rosie@corp.test", "alias": "x@out.test"},
            ("err_xdk_operation_forbidden_for_address", "alias"),
        ),
        ({"aliasFor": "rosie@corp.test", "alias": "rosie@corp.test"}, ("err_user_already_exists", "alias")),
        ({"aliasFor": "rosie@corp.test", "alias": "abuse@corp.test"}, ("err_user_already_exists", "alias")),
        ({"aliasFor": "rosie@corp.test", "alias": "nonsense"}, ("err_validation_invalid_email_address", "alias")),
        ({"aliasFor": "rosie@corp.test"}, ("err_validation_null", "alias")),
        ({"alias": "x@corp.test"}, ("err_validation_null", "aliasFor")),
        ({"aliasFor": "who@corp.test", "alias": "x@corp.test"}, ("err_user_not_found", "aliasFor")),
        (
            {"aliasFor": "x@y.test", "alias": "x@corp.test"},
            ("err_xdk_operation_forbidden_for_address", "aliasFor"),
        ),
    ],
)
def test_alias_is_refused(rosie, item, expected):
    assert refusal(rosie, "user/update-alias", **item) == expected


def test_alias_of_one_user_is_not_given_to_another(rosie):
    rosie.call("user/create-user", {"emailAddress": "kim@corp.test"})
    rosie.call("user/update-alias", {"aliasFor": "kim@corp.test", "alias": "team@corp.test"})
    taken = refusal(rosie, "user/update-alias", aliasFor="rosie@corp.test", alias="team@corp.test")
    assert taken == ("err_user_already_exists", "alias")


def test_removed_alias_is_nobodys_and_free(rosie):
    given = rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "red@b.test"})
    assert rosie.call("user/remove-alias", {"aliasFor": "rosie@corp.test", "alias": "RED@b.test"}) == given
    assert "red@b.test" not in rosie.policies().directory.users
    assert rosie.call("user/get-aliases", {"emailAddress": "rosie@corp.test"}) == []
    rosie.call("user/create-user", {"emailAddress": "red@b.test"})


def test_remove_alias_needs_no_owner_but_minds_one(rosie):
    rosie.call("user/create-user", {"emailAddress": "kim@corp.test"})
    rosie.call("user/update-alias", {"aliasFor": "rosie@corp.test", "alias": "red@b.test"})
    wrong = refusal(rosie, "user/remove-alias", aliasFor="kim@corp.test", alias="red@b.test")
    assert wrong == ("err_user_alias_not_found", "alias")
    rosie.call("user/remove-alias", {"alias": "red@b.test"})
    assert refusal(rosie, "user/remove-alias", alias="red@b.test") == ("err_user_alias_not_found", "alias")


def test_primary_address_is_not_removed_as_an_alias(rosie):
    assert refusal(rosie, "user/remove-alias", alias="rosie@corp.test") == ("err_user_alias_not_found", "alias")
    assert "rosie@corp.test" in rosie.policies().directory.users


# Isolation and permissions


def test_user_of_another_account_cannot_be_read_or_changed(rosie, other_account):
    for path, item in (
        ("user/update-user", {"emailAddress": "rosie@corp.test", "accountLocked": True}),
        ("user/get-profile", {"emailAddress": "rosie@corp.test"}),
        ("user/get-aliases", {"emailAddress": "rosie@corp.test"}),
        ("user/get-attributes", {"emailAddress": "rosie@corp.test"}),
        ("user/update-attributes", {"emailAddress": "rosie@corp.test", "attributes": []}),
    ):
        code = refusal(other_account, path, **item)
        assert code == ("err_xdk_operation_forbidden_for_address", "emailAddress")
    assert not stored(rosie, "rosie@corp.test").user.locked


@pytest.mark.parametrize(
    ("path", "sufficient"),
    [
        ("user/create-user", {Permission.DIRECTORIES_INTERNAL_EDIT}),
        ("user/update-user", {Permission.DIRECTORIES_INTERNAL_EDIT}),
        ("user/get-internal-users", {Permission.DIRECTORIES_INTERNAL_READ}),
        ("user/get-profile", {Permission.DIRECTORIES_INTERNAL_READ}),
        ("user/get-aliases", {Permission.DIRECTORIES_GROUPS_READ}),
        ("user/update-alias", {Permission.DIRECTORIES_GROUPS_EDIT}),
        ("user/remove-alias", {Permission.DIRECTORIES_GROUPS_EDIT}),
        ("user/get-attributes", {Permission.DIRECTORIES_INTERNAL_EDIT, Permission.DIRECTORIES_INTERNAL_READ}),
        ("user/update-attributes", {Permission.DIRECTORIES_INTERNAL_EDIT}),
        ("attribute/find-attribute-types", {Permission.DIRECTORIES_ATTRIBUTES_READ}),
    ],
)
def test_each_call_is_granted_by_its_published_permission_alone(account, path, sufficient):
    account.caller = Caller(account.id, "x", "app", frozenset(Permission) - sufficient)
    with pytest.raises(RequestRefused) as refused:
        account.answer(path, {})
    assert refused.value.status == 403
    for permission in sufficient:
        account.caller = Caller(account.id, "x", "app", frozenset({permission}))
        account.answer(path, {})
