"""Roles of one's own: made of what the maker may do, given to nobody beyond it, and in force at once."""

from __future__ import annotations

import msgspec
import pytest

from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role
from mailreeve.families.directory.roles import operations as roles
from mailreeve.families.directory.users import operations as users
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire.errors import ItemRefused, RequestRefused

READ = "Directories | Groups | Read"
EDIT = "Gateway | Managed Senders | Edit"
USERS = "Directories | Internal | Edit"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.write(
        lambda work: users.add_user(work, "root@corp.test", role=Role.SUPER_ADMINISTRATOR.value, password_hash="x")
    )
    return account


def as_(account, *permissions: Permission) -> None:
    account.caller = msgspec.structs.replace(account.caller, permissions=frozenset(permissions))


def code(account, path: str, item: dict) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as caught:
        account.call(path, item)
    (problem,) = caught.value.problems
    return problem.code, problem.field


def test_built_in_roles_come_first_and_custom_ones_after(corp) -> None:
    (made,) = corp.call(
        "ext/create-role", {"name": "Keeper", "permissions": [EDIT.upper(), f" {READ}"], "description": "lists"}
    )
    assert made == {
        "name": "Keeper", "description": "lists", "builtIn": False, "permissions": [READ, EDIT],
        "users": 0, "applications": 0,
    }  # fmt: skip
    found = corp.call("ext/get-roles")
    assert [one["name"] for one in found] == [*Role, "Keeper"]
    for one, role in zip(found, Role, strict=False):
        assert set(one["permissions"]) == ROLE_PERMISSIONS[role]
        assert one["builtIn"]
    assert found[0]["users"] == 1
    assert corp.call("ext/get-roles", {"role": "KEEPER"}) == [made]


@pytest.mark.parametrize(
    ("path", "item", "expected"),
    [
        ("ext/create-role", {"name": "help desk", "permissions": [READ]}, ("err_role_already_exists", "name")),
        ("ext/create-role", {"name": "KEEPER", "permissions": [READ]}, ("err_role_already_exists", "name")),
        (
            "ext/create-role",
            {"name": "New", "permissions": ["Read"]},
            ("err_role_unknown_permission", "permissions"),
        ),
        ("ext/create-role", {"name": "x" * 65, "permissions": [READ]}, ("err_validation_too_long", "name")),
        ("ext/update-role", {"role": "Help Desk", "description": "x"}, ("err_role_built_in", "role")),
        ("ext/update-role", {"role": "None", "description": "x"}, ("err_role_not_found", "role")),
        ("ext/update-role", {"role": "keeper", "name": "Help Desk"}, ("err_role_already_exists", "name")),
        ("ext/delete-role", {"role": "super administrator"}, ("err_role_built_in", "role")),
        ("ext/delete-role", {"role": "King"}, ("err_role_not_found", "role")),
        ("ext/set-role", {"emailAddress": "root@corp.test", "role": "King"}, ("err_role_not_found", "role")),
        ("ext/set-role", {"role": "Help Desk"}, ("err_validation_exactly_one", "emailAddress, appId")),
        ("ext/set-role", {"appId": "none", "role": "Help Desk"}, ("err_key_not_found", "appId")),
        ("ext/create-key", {"role": "King", "user": "root@corp.test"}, ("err_role_not_found", "role")),
    ],
)
def test_what_is_wrong_is_named(corp, path: str, item: dict, expected) -> None:
    corp.call("ext/create-role", {"name": "Keeper", "permissions": [READ]})
    before = corp.call("ext/get-roles")
    assert code(corp, path, item) == expected
    assert corp.call("ext/get-roles") == before


def test_a_role_in_use_is_not_deleted_and_its_holders_are_named(corp) -> None:
    corp.call("ext/create-role", {"name": "Keeper", "permissions": [READ]})
    corp.call("ext/add-administrator", {"emailAddress": "ann@corp.test", "role": "keeper"})
    corp.call("ext/create-key", {"user": "ann@corp.test", "name": "playbooks"})
    with pytest.raises(ItemRefused, match=r"ann@corp\.test, application playbooks"):
        corp.call("ext/delete-role", {"role": "Keeper"})
    # Under another name it is theirs as before.
    corp.call("ext/update-role", {"role": "Keeper", "name": "Warden"})
    assert corp.call("ext/get-roles", {"role": "warden"})[0]["users"] == 1
    corp.call("ext/remove-administrator", {"emailAddress": "ann@corp.test"})
    (one,) = corp.call("ext/get-keys")
    corp.call("ext/revoke-key", {"ids": [one["appId"]]})
    assert corp.call("ext/delete-role", {"role": "Warden"}) == [{"role": "Warden", "deleted": True}]


def test_roles_are_few(corp, monkeypatch) -> None:
    monkeypatch.setattr(roles, "MAX_ROLES", 2)
    for name in "ab":
        corp.call("ext/create-role", {"name": name, "permissions": [READ]})
    assert code(corp, "ext/create-role", {"name": "c", "permissions": [READ]}) == ("err_role_limit", "name")


def test_nobody_gives_more_than_they_have(corp) -> None:
    """Neither as a role, nor to a user, nor to an application, nor with keys; nor changes such a role."""
    corp.call("ext/create-role", {"name": "Above", "permissions": [EDIT, READ]})
    corp.call("ext/create-role", {"name": "Mine", "permissions": [READ]})
    corp.call("ext/add-administrator", {"emailAddress": "ann@corp.test", "role": "Mine"})
    (made,) = corp.call("ext/create-key", {"user": "ann@corp.test"})
    as_(
        corp,
        Permission(READ),
        Permission.DIRECTORIES_ROLES_EDIT,
        Permission.DIRECTORIES_INTERNAL_EDIT,
        Permission.SERVICES_API_APPLICATIONS_EDIT,
    )
    for path, item, field in (
        ("ext/create-role", {"name": "New", "permissions": [EDIT]}, "permissions"),
        ("ext/update-role", {"role": "Mine", "permissions": [READ, EDIT]}, "permissions"),
        ("ext/update-role", {"role": "Above", "permissions": [READ]}, "role"),
        ("ext/delete-role", {"role": "Above"}, "role"),
        ("ext/add-administrator", {"emailAddress": "new@corp.test", "role": "Above"}, "role"),
        ("ext/add-administrator", {"emailAddress": "new@corp.test", "role": "Super Administrator"}, "role"),
        ("ext/set-role", {"emailAddress": "ann@corp.test", "role": "Above"}, "role"),
        ("ext/set-role", {"appId": made["appId"], "role": "Above"}, "role"),
        ("ext/create-key", {"user": "ann@corp.test", "role": "Above"}, "role"),
        ("ext/create-key", {"user": "root@corp.test", "role": "Mine"}, "user"),
    ):
        assert code(corp, path, item) == ("err_xdk_forbidden", field), (path, item)
    assert corp.call("ext/create-role", {"name": "New", "permissions": [READ]})
    assert corp.call("ext/create-key", {"user": "ann@corp.test"})


@pytest.mark.parametrize("path", sorted(endpoint.path for endpoint in ENDPOINTS if endpoint.permissions))
def test_a_role_with_all_permissions_but_those_of_an_endpoint_is_refused_there(account, path: str) -> None:
    """The matrix of every function and a role made to lack just it: 403, which names what is missing."""
    endpoint = next(one for one in ENDPOINTS if one.path == path)
    held = frozenset(Permission) - set(endpoint.permissions)
    account.call("ext/create-role", {"name": "Most", "permissions": sorted(held)})
    (row,) = account.call("ext/get-roles", {"role": "Most"})
    as_(account, *map(Permission, row["permissions"]))
    with pytest.raises(RequestRefused) as caught:
        account.answer(path, {})
    assert caught.value.status == 403
    assert all(one.value in caught.value.problem.message for one in endpoint.permissions)


def test_the_last_administrators_keep_what_lets_others_in(corp) -> None:
    """Whether they are locked, dismissed, given another role, or their role is made less."""
    last = ("err_user_last_administrator",)
    root = {"emailAddress": "root@corp.test"}
    assert code(corp, "ext/remove-administrator", root)[:1] == last
    assert code(corp, "ext/set-role", root | {"role": "Help Desk"})[:1] == last
    assert code(corp, "ext/add-administrator", root | {"role": "Help Desk"})[:1] == last
    corp.call("ext/create-role", {"name": "All", "permissions": list(Permission)})
    corp.call("ext/set-role", root | {"role": "All"})
    assert code(corp, "ext/update-role", {"role": "All", "permissions": [READ]})[:1] == last
    assert code(corp, "user/update-user", root | {"accountLocked": True})[:1] == last
    # Once somebody else can let them in again, they may be made less.
    corp.call(
        "ext/add-administrator",
        {"emailAddress": "ann@corp.test", "role": "Super Administrator", "password": "a good password"},
    )
    corp.call("ext/update-role", {"role": "All", "permissions": [READ]})
    assert code(corp, "user/update-user", {"emailAddress": "ann@corp.test", "accountLocked": True})[:1] == last


def test_whoever_loses_a_role_may_still_know_the_secret_of_an_application(corp) -> None:
    """Which is said, since access tokens are the application's."""
    corp.call("ext/add-administrator", {"emailAddress": "ann@corp.test", "role": "Full Administrator"})
    corp.call("ext/create-key", {"user": "ann@corp.test", "name": "playbooks"})
    answer = corp.answer("ext/set-role", {"emailAddress": "ann@corp.test", "role": "Help Desk"})
    (warning,) = answer["meta"]["warnings"]
    assert "playbooks" in warning
    assert "Full Administrator" in warning


def test_an_administrator_is_listed_with_keys(corp) -> None:
    (made,) = corp.call(
        "ext/add-administrator", {"emailAddress": "Ann@corp.test", "role": "HELP DESK", "name": "Ann"}
    )
    assert (made["role"], made["name"], made["localPassword"], made["keys"]) == ("Help Desk", "Ann", False, [])
    (key,) = corp.call("ext/create-key", {"user": "ann@corp.test", "expires": "2099-01-01T00:00:00+0000"})
    listed = corp.call("ext/get-administrators")
    assert [one["emailAddress"] for one in listed] == ["root@corp.test", "Ann@corp.test"]
    assert listed[1]["keys"] == [
        {"application": key["name"], "accessKey": key["accessKey"], "expires": "2099-01-01T00:00:00+0000"}
    ]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"emailAddress": "ann@corp.test", "password": "a good password"}, "password"),
        ({"emailAddress": "ann@corp.test", "name": "Ann"}, "name"),
        ({"emailAddress": "ann@corp.test", "forcePasswordChange": True}, "forcePasswordChange"),
        ({"emailAddress": "new@corp.test"}, "emailAddress"),
    ],
)
def test_whoever_may_give_roles_alone_makes_no_user_and_sets_no_password(corp, item: dict, field: str) -> None:
    """Else they could sign in as anybody who has fewer permissions, and read that one's mail."""
    corp.call("user/create-user", {"emailAddress": "ann@corp.test"})
    corp.call("ext/create-role", {"name": "Mine", "permissions": [READ]})
    as_(corp, Permission(READ), Permission.DIRECTORIES_ROLES_EDIT)
    assert code(corp, "ext/add-administrator", item | {"role": "Mine"}) == ("err_xdk_forbidden", field)
    (given,) = corp.call("ext/add-administrator", {"emailAddress": "ann@corp.test", "role": "Mine"})
    assert given["role"] == "Mine"
