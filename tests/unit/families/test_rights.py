"""Who may change whom: every function that changes a user, by every role, towards a user of every role."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import msgspec
import pytest

from mailreeve.access.permissions import ROLE_PERMISSIONS, Role
from mailreeve.families.delegates.operations import KIND
from mailreeve.families.directory.users import operations, rows
from mailreeve.families.login.issue import issue_application
from mailreeve.families.registry import ENDPOINTS
from mailreeve.formats.addresses import parse_address
from mailreeve.wire.errors import ItemRefused, RequestRefused

PLAIN = "plain@corp.test"
OTHER = "other@corp.test"
HELP_DESK = Role.HELP_DESK.value
ROLES = [*Role, None]


@dataclasses.dataclass(frozen=True)
class Guarded:
    """A function that changes the user with an address. `item` makes what is sent, `field` is what is refused."""

    path: str
    field: str
    item: Callable[[Corp, str], dict[str, object]]


@dataclasses.dataclass
class Corp:
    """An account with a user of every role, and each role's alias and delegate right."""

    account: object
    rights: dict[tuple[str, str], str]
    keys: dict[str, dict[str, str]]

    def right(self, primary: str, delegate: str) -> str:
        return self.rights[primary, delegate]


def rows_of(**row: object) -> dict[str, object]:
    """An import of one row."""
    return {"rows": [row]}


GUARDED = [
    Guarded("user/create-user", "emailAddress", lambda corp, who: {"emailAddress": who.replace("@", "+new@")}),
    Guarded("user/update-user", "emailAddress", lambda corp, who: {"emailAddress": who, "name": "New"}),
    Guarded("user/update-user", "emailAddress", lambda corp, who: {"emailAddress": f"a.{who}", "name": "New"}),
    Guarded(
        "user/update-user", "emailAddress", lambda corp, who: {"emailAddress": who, "password": "a new password"}
    ),
    Guarded("user/update-user", "emailAddress", lambda corp, who: {"emailAddress": who, "accountLocked": True}),
    Guarded("user/update-alias", "aliasFor", lambda corp, who: {"alias": f"b.{who}", "aliasFor": who}),
    Guarded("user/update-alias", "aliasFor", lambda corp, who: {"alias": f"b.{who}", "aliasFor": f"a.{who}"}),
    Guarded("user/update-alias", "alias", lambda corp, who: {"alias": who.replace("@", "+t@"), "aliasFor": PLAIN}),
    Guarded("user/remove-alias", "alias", lambda corp, who: {"alias": f"a.{who}"}),
    Guarded("user/remove-alias", "alias", lambda corp, who: {"alias": f"a.{who}", "aliasFor": who}),
    Guarded(
        "user/update-attributes",
        "emailAddress",
        lambda corp, who: {"emailAddress": who, "attributes": [{"name": "site", "value": "Riga"}]},
    ),
    Guarded(
        "user/add-delegate-user",
        "delegateAddress",
        lambda corp, who: {"primaryAddress": PLAIN, "delegateAddress": who},
    ),
    Guarded(
        "user/add-delegate-user",
        "delegateAddress",
        lambda corp, who: {"primaryAddress": OTHER, "delegateAddress": f"a.{who}"},
    ),
    Guarded(
        "user/add-delegate-user",
        "primaryAddress",
        lambda corp, who: {"primaryAddress": who, "delegateAddress": PLAIN},
    ),
    Guarded("ext/add-administrator", "emailAddress", lambda corp, who: {"emailAddress": who, "role": HELP_DESK}),
    Guarded("ext/set-role", "emailAddress", lambda corp, who: {"emailAddress": f"a.{who}", "role": HELP_DESK}),
    Guarded("ext/remove-administrator", "emailAddress", lambda corp, who: {"emailAddress": who}),
    Guarded("ext/rotate-key", "id", lambda corp, who: {"id": corp.keys[who]["accessKey"]}),
    Guarded("ext/rotate-key", "id", lambda corp, who: {"id": corp.keys[who]["appId"], "grace": 60}),
    Guarded("ext/revoke-key", "ids", lambda corp, who: {"ids": [corp.keys[who]["clientId"]]}),
    Guarded("ext/revoke-key", "ids", lambda corp, who: {"ids": [corp.keys[who]["accessKey"]]}),
    Guarded("user/remove-delegate-user", "id", lambda corp, who: {"id": corp.right(OTHER, who)}),
    Guarded("user/remove-delegate-user", "id", lambda corp, who: {"id": corp.right(who, OTHER)}),
    Guarded("ext/rename-user", "emailAddress", lambda corp, who: {"emailAddress": who, "newAddress": f"n.{who}"}),
    Guarded(
        "ext/rename-user",
        "newAddress",
        lambda corp, who: {"emailAddress": PLAIN, "newAddress": who.replace("@", "+t@")},
    ),
    Guarded("user/add-to-purge-list", "emailAddresses", lambda corp, who: {"emailAddresses": [who]}),
    Guarded("user/remove-from-purge-list", "emailAddresses", lambda corp, who: {"emailAddresses": [who]}),
    Guarded("ext/remove-user", "emailAddress", lambda corp, who: {"emailAddress": who}),
    Guarded("ext/remove-user", "emailAddress", lambda corp, who: {"emailAddress": f"a.{who}", "force": True}),
    Guarded("ext/import-users", "rows[0].address", lambda corp, who: rows_of(address=who, name="New")),
    Guarded("ext/import-users", "rows[0].address", lambda corp, who: rows_of(address=who, locked=True)),
    Guarded("ext/import-users", "rows[0].address", lambda corp, who: rows_of(address=who, attributes={"a": "b"})),
    Guarded("ext/import-users", "rows[0].address", lambda corp, who: rows_of(address=who.replace("@", "+n@"))),
    Guarded("ext/import-delegates", "rows[0].delegate", lambda corp, who: rows_of(primary=PLAIN, delegate=who)),
    Guarded("ext/import-delegates", "rows[0].primary", lambda corp, who: rows_of(primary=who, delegate=PLAIN)),
]

OPEN = {
    "ext/restore",  # of what is no user, each with the permission that changing it takes
    # Each line of a file is looked at when it is taken over, see tests/unit/families/directory.
    "user/import-users",
    "domain/verify-domain",
    # It asks for what the installation does by itself every day.
    "directory/execute-sync",
    "domain/delete-pending-domain",
    # What is held, archived and told is looked after by who may, or whose it is: see `mailboxes.may_open`.
    "gateway/hold-release",
    "gateway/hold-reject",
    "ext/decide-held-messages",
    "ext/ask-held-release",
    "ext/decline-held-release",
    # Whoever calls has given the password, or signed with the keys, of the user whom it is about.
    "login/login",
    "login/logout",
    "ext/change-password",
    "ext/revoke-my-key",
    "ext/set-legal-hold",
    "ext/set-archive-retention",
    "ext/set-digest",
    "ext/send-digest",
    "ext/spam-policies/create-policy",
    "ext/spam-policies/update-policy",
    "ext/spam-policies/delete-policy",
    # What only reads changes nobody, and has a permission of its own.
    *(endpoint.path for endpoint in ENDPOINTS if not endpoint.writes),
    # Policies say what becomes of mail and web requests, whoever sends or gets them.
    "policy/blockedsenders/create-policy",
    "policy/blockedsenders/update-policy",
    "policy/blockedsenders/delete-policy",
    "policy/webwhiteurl/create-policy-with-targets",
    "policy/webwhiteurl/update-policy-with-targets",
    "policy/webwhiteurl/delete-policy-with-targets",
    "policy/address-alteration/create-address-alteration-set",
    "policy/address-alteration/create-definition",
    "policy/address-alteration/delete-definition",
    "policy/address-alteration/create-policy",
    "policy/address-alteration/update-policy",
    "policy/address-alteration/delete-policy",
    "ext/permittedsenders/create-policy",
    "ext/permittedsenders/update-policy",
    "ext/permittedsenders/delete-policy",
    "ext/antispoofing/create-policy",
    "ext/antispoofing/update-policy",
    "ext/antispoofing/delete-policy",
    "policy/antispoofing-bypass/create-policy",
    "policy/antispoofing-bypass/update-policy",
    "policy/antispoofing-bypass/delete-policy",
    "ext/add-web-entries",
    "ext/import-web-entries",
    "ext/set-web-default-deny",
    "ttp/url/create-managed-url",
    "ttp/url/delete-managed-url",
    "ext/allow-web",
    "ext/remove-web-allow",
    # A proxy may ask, and do nothing.
    "ext/create-web-proxy",
    "ext/delete-web-proxy",
    "ext/remove-web-entries",
    "ext/import-blocks",
    "ext/import-web",
    # Where web requests come from says nothing of what users may do in Mailreeve.
    "ext/create-web-location",
    "ext/update-web-location",
    "ext/delete-web-location",
    "ext/set-web-clients",
    "ext/remove-web-clients",
    "ext/close-web-access-request",
    # One sender in one list: what a help desk is for, and a policy may do the same.
    "managedsender/permit-or-block-sender",
    "ext/remove-managed-sender",
    "ext/import-senders",
    # Groups carry no rights: only policies ask for them.
    "directory/create-group",
    "directory/update-group",
    "directory/delete-group",
    "directory/add-group-member",
    "directory/remove-group-member",
    "ext/update-group-member",
    "ext/remove-ended-members",
    "ext/import-groups",
    "ext/import-members",
    # A new domain has no users but those it comes with, who have no role.
    "domain/create-domain",
    # What is said of a domain says nothing of its users. Who goes with a domain is guarded: tried below.
    "ext/update-domain",
    "ext/remove-domain",
    # Nobody makes a role, or keys, that permit more than the maker: tried in `directory/test_roles.py` and
    # `test_keys.py`.
    "ext/create-role",
    "ext/update-role",
    "ext/delete-role",
    "ext/create-key",
}


def address(role: Role | None) -> str:
    return f"{role.name.lower() if role else 'nobody'}@corp.test"


@pytest.fixture
def corp(account) -> Corp:
    account.call("domain/create-domain", {"domain": "corp.test"})

    def people(work):
        for role in ROLES:
            operations.add_user(work, address(role), role=role, password_hash="x")
        for text in (PLAIN, OTHER):
            operations.add_user(work, text)
        # Another who may let the last one in again.
        operations.add_user(work, "second@corp.test", role=Role.SUPER_ADMINISTRATOR, password_hash="x")

    account.write(people)
    everybody = [address(role) for role in ROLES]
    account.call("user/update-alias", *({"alias": f"a.{who}", "aliasFor": who} for who in everybody))
    pairs = [pair for who in everybody for pair in ((OTHER, who), (who, OTHER))]
    items = ({"primaryAddress": primary, "delegateAddress": delegate} for primary, delegate in pairs)
    made = account.call("user/add-delegate-user", *items)
    rights = {pair: row["id"] for pair, row in zip(pairs, made, strict=True)}
    bound: dict[str, dict[str, str]] = {}
    for role in Role:
        bound[address(role)] = account.call("ext/create-key", {"user": address(role)})[0]
    bound[address(None)] = account.write(lambda work: keys_of_nobody(account, work))
    return Corp(account, rights, bound)


def keys_of_nobody(account, work) -> dict[str, str]:
    """The keys of a user who had a role and has none."""
    user = rows.find_by_address(work, parse_address(address(None)).key)
    made = issue_application(work, account.services.vault, "keys", "Gone", user.id)
    return {"appId": made.app_id, "clientId": made.client_id, "accessKey": made.access_key}


def as_role(account, role: Role | None) -> None:
    permissions = ROLE_PERMISSIONS[role] if role else frozenset()
    account.caller = msgspec.structs.replace(account.caller, permissions=permissions)


def test_every_function_that_writes_has_its_place() -> None:
    """A new one has to be placed: among those that the guard stands before, or with a reason among the others."""
    guarded = {case.path for case in GUARDED}
    assert guarded.isdisjoint(OPEN)
    assert guarded | OPEN == {endpoint.path for endpoint in ENDPOINTS}


@pytest.mark.parametrize("caller", ROLES, ids=lambda role: role.name if role else "no role")
@pytest.mark.parametrize("case", GUARDED, ids=lambda case: f"{case.path}-{case.field}")
def test_nobody_changes_a_user_who_may_do_more(corp, case: Guarded, caller: Role | None) -> None:
    """Towards a user of every role: refused where that one may do what the caller may not, and else done."""
    held = ROLE_PERMISSIONS[caller] if caller else frozenset()
    needed = next(endpoint.permissions for endpoint in ENDPOINTS if endpoint.path == case.path)
    for role in ROLES:
        above = role is not None and not ROLE_PERMISSIONS[role] <= held
        item = case.item(corp, address(role))
        as_role(corp.account, caller)
        if held.isdisjoint(needed):
            with pytest.raises(RequestRefused):
                corp.account.call(case.path, item)
        elif above:
            with pytest.raises(ItemRefused) as caught:
                corp.account.call(case.path, item)
            assert [(p.code, p.field) for p in caught.value.problems] == [("err_xdk_forbidden", case.field)]
        else:
            assert corp.account.call(case.path, item)


def test_the_address_of_a_user_above_is_in_use_for_everybody(corp) -> None:
    as_role(corp.account, Role.FULL_ADMINISTRATOR)
    for item in (
        {"alias": address(Role.SUPER_ADMINISTRATOR)},
        {"alias": f"a.{address(Role.SUPER_ADMINISTRATOR)}"},
    ):
        with pytest.raises(ItemRefused) as caught:
            corp.account.call("user/update-alias", item | {"aliasFor": PLAIN})
        assert caught.value.problems[0].code == "err_user_already_exists"


def test_a_domain_does_not_go_with_a_user_above(corp) -> None:
    """Nor with the alias of one; nothing has gone then."""
    for domain, taken in (
        ("a.test", lambda work: operations.add_user(work, "root@a.test", role=Role.SUPER_ADMINISTRATOR)),
        ("b.test", lambda work: None),
    ):
        corp.account.call("domain/create-domain", {"domain": domain})
        corp.account.write(taken)
    alias = {"alias": "root@b.test", "aliasFor": address(Role.SUPER_ADMINISTRATOR)}
    corp.account.call("user/update-alias", alias)
    as_role(corp.account, Role.FULL_ADMINISTRATOR)
    for domain in ("a.test", "b.test"):
        with pytest.raises(ItemRefused) as caught:
            corp.account.call("ext/remove-domain", {"domain": domain, "withUsers": True})
        assert [(p.code, p.field) for p in caught.value.problems] == [("err_xdk_forbidden", "domain")]
    as_role(corp.account, Role.SUPER_ADMINISTRATOR)
    for domain in ("a.test", "b.test"):
        assert corp.account.call("ext/remove-domain", {"domain": domain, "withUsers": True})


@pytest.mark.parametrize("member", ["accountLocked", "accountDisabled"])
def test_the_last_administrator_is_not_kept_out(corp, member: str) -> None:
    """Neither at one go nor one after the other, and nothing else of the item is done."""
    root, second = address(Role.SUPER_ADMINISTRATOR), "second@corp.test"
    answer = corp.account.answer(
        "user/update-user", *({"emailAddress": who, "name": "New", member: True} for who in (second, root))
    )
    assert [row["emailAddress"] for row in answer["data"]] == [second]
    (failure,) = answer["fail"]
    assert [(e["code"], e["field"]) for e in failure["errors"]] == [("err_user_last_administrator", member)]
    assert corp.account.write(lambda work: rows.find_by_address(work, parse_address(root).key)).name == ""
    # Once the other one may come in again, this one may be kept out.
    corp.account.call("user/update-user", {"emailAddress": second, member: False})
    corp.account.call("user/update-user", {"emailAddress": root, member: True})


@pytest.mark.parametrize("member", ["accountLocked", "accountDisabled"])
def test_who_cannot_sign_in_lets_nobody_in(account, member: str) -> None:
    """Neither a user without any credentials, nor one who may do less: it could not change this one."""
    account.call("domain/create-domain", {"domain": "corp.test"})

    def people(work):
        operations.add_user(work, "root@corp.test", role=Role.SUPER_ADMINISTRATOR, password_hash="x")
        operations.add_user(work, "idle@corp.test", role=Role.SUPER_ADMINISTRATOR)
        operations.add_user(work, "full@corp.test", role=Role.FULL_ADMINISTRATOR, password_hash="x")

    account.write(people)
    lock = {"emailAddress": "root@corp.test", member: True}
    (failure,) = account.answer("user/update-user", lock)["fail"]
    assert failure["errors"][0]["code"] == "err_user_last_administrator"
    # A password change is owed by somebody who can sign in; and the one without credentials may be locked too.
    assert account.call("user/update-user", {"emailAddress": "root@corp.test", "forcePasswordChange": True})
    assert account.call("user/update-user", {"emailAddress": "idle@corp.test", member: True})
    assert account.call("user/update-user", {"emailAddress": "full@corp.test", member: True})


def test_the_last_administrator_of_less_is_not_kept_out_either(account) -> None:
    """Where the only Super Administrator is locked already, a Full Administrator is the last who signs in."""
    account.call("domain/create-domain", {"domain": "corp.test"})

    def people(work):
        operations.add_user(work, "full@corp.test", role=Role.FULL_ADMINISTRATOR, password_hash="x")
        operations.add_user(work, "desk@corp.test", role=Role.HELP_DESK, password_hash="x")

    account.write(people)
    (failure,) = account.answer("user/update-user", {"emailAddress": "full@corp.test", "accountLocked": True})[
        "fail"
    ]
    assert failure["errors"][0]["code"] == "err_user_last_administrator"
    assert account.call("user/update-user", {"emailAddress": "desk@corp.test", "accountLocked": True})


def test_an_administrator_of_another_account_does_not_count(corp, other_account) -> None:
    other_account.call("domain/create-domain", {"domain": "b.test"})
    other_account.write(lambda work: operations.add_user(work, "r@b.test", role=Role.SUPER_ADMINISTRATOR))
    with pytest.raises(ItemRefused):
        other_account.call("user/update-user", {"emailAddress": "r@b.test", "accountLocked": True})


def test_a_delegate_right_is_sealed_as_one(corp) -> None:
    """The ids that the matrix sends are those of rights: another kind would be refused for that."""
    assert all(corp.account.services.ids.open(KIND, wire, corp.account.id, "id") for wire in corp.rights.values())
