"""The delegate endpoints: who may open whose mailbox (behaviour.md section 7, vectors 31 and 33)."""

from __future__ import annotations

import json

import msgspec
import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.delegates import rows
from mailreeve.families.directory.users import rows as users
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused, RequestRefused

ADD = "user/add-delegate-user"
FIND = "user/find-delegate-users"
REMOVE = "user/remove-delegate-user"


@pytest.fixture
def corp(account):
    """An account with the users rosie, arrie and kim, and the alias boss@corp.test of arrie's."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call(
        "user/create-user", *({"emailAddress": f"{n}@corp.test", "name": n} for n in ("rosie", "arrie", "kim"))
    )
    account.call("user/update-alias", {"aliasFor": "arrie@corp.test", "alias": "boss@corp.test"})
    return account


def add(account, primary: str, delegate: str) -> str:
    item = {"primaryAddress": f"{primary}@corp.test", "delegateAddress": f"{delegate}@corp.test"}
    (answer,) = account.call(ADD, item)
    assert answer["success"] is True
    return answer["id"]


def found(account, primary: str) -> list[dict]:
    (answer,) = account.call(FIND, {"primaryAddress": f"{primary}@corp.test"})
    return answer["delegateUsers"]


def opens(account, user: str, mailbox: str) -> bool:
    def transaction(work):
        ids = [users.find_by_address(work, f"{name}@corp.test").id for name in (user, mailbox)]
        return rows.find_between(work, *ids) is not None

    return account.services.store.read(account.id, transaction)


def refusal(account, path: str, **item: object) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def test_primary_gains_access_to_the_delegates_mailbox_and_not_the_reverse(corp):
    add(corp, "rosie", "arrie")
    assert opens(corp, "rosie", "arrie")
    assert not opens(corp, "arrie", "rosie")


def test_adding_twice_gives_the_same_id_and_changes_nothing(corp):
    """Vector 31, D-29."""
    first = add(corp, "rosie", "arrie")
    query = audit_event.select().where(audit_event.c.object_kind == "delegate right")
    assert add(corp, "rosie", "arrie") == first
    assert add(corp, "ROSIE", "boss") == first
    assert len(found(corp, "rosie")) == 1
    assert len(corp.write(lambda work: work.execute(query).all())) == 1
    (event,) = corp.call("ext/find-audit-events", {"objectKind": "delegate right"})
    assert event["objectName"] == "rosie@corp.test for arrie@corp.test"


def test_rights_are_not_handed_on(corp):
    """Vector 33, D-31."""
    add(corp, "rosie", "arrie")
    add(corp, "arrie", "kim")
    assert opens(corp, "arrie", "kim")
    assert not opens(corp, "rosie", "kim")


@pytest.mark.parametrize(("primary", "delegate"), [("rosie", "rosie"), ("arrie", "boss"), ("boss", "arrie")])
def test_nobody_is_the_own_delegate_by_whatever_address(corp, primary, delegate):
    """D-30."""
    item = {"primaryAddress": f"{primary}@corp.test", "delegateAddress": f"{delegate}@corp.test"}
    assert refusal(corp, ADD, **item) == ("err_delegate_self", "delegateAddress")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"primaryAddress": "who@corp.test", "delegateAddress": "arrie@corp.test"}, (
            "err_user_not_found", "primaryAddress"
        )),
        ({"primaryAddress": "rosie@corp.test", "delegateAddress": "who@corp.test"}, (
            "err_user_not_found", "delegateAddress"
        )),
        ({"primaryAddress": "x@out.test", "delegateAddress": "arrie@corp.test"}, (
            "err_xdk_operation_forbidden_for_address", "primaryAddress"
        )),
        ({"primaryAddress": "rosie@corp.test", "delegateAddress": "x@out.test"}, (
            "err_xdk_operation_forbidden_for_address", "delegateAddress"
        )),
        ({"primaryAddress": "rosie", "delegateAddress": "arrie@corp.test"}, (
            "err_validation_invalid_email_address", "primaryAddress"
        )),
        ({"primaryAddress": "rosie@corp.test"}, ("err_validation_null", "delegateAddress")),
        ({"delegateAddress": "arrie@corp.test", "primaryAddress": ""}, ("err_validation_blank", "primaryAddress")),
    ],
)  # fmt: skip
def test_add_refuses_and_names_the_field(corp, item, expected):
    """D-30."""
    assert refusal(corp, ADD, **item) == expected


def test_everything_missing_is_told_at_once(corp):
    with pytest.raises(ItemRefused) as refused:
        corp.call(ADD, {})
    assert {problem.field for problem in refused.value.problems} == {"primaryAddress", "delegateAddress"}


def test_alias_stands_for_its_user_and_the_right_outlives_it(corp):
    """D-32."""
    add(corp, "rosie", "boss")
    assert [row["emailAddress"] for row in found(corp, "rosie")] == ["arrie@corp.test"]
    corp.call("user/remove-alias", {"alias": "boss@corp.test"})
    assert opens(corp, "rosie", "arrie")


def test_row_of_the_list_has_the_id_under_every_name_that_a_client_reads(corp):
    right = add(corp, "rosie", "arrie")
    assert found(corp, "rosie") == [
        {
            "id": right,
            "delegateId": right,
            "secureId": right,
            "emailAddress": "arrie@corp.test",
            "delegateAddress": "arrie@corp.test",
            "delegateEmailAddress": "arrie@corp.test",
            "name": "arrie",
            "source": "cloud",
            "scopes": ["held", "lists", "archive"],
        }
    ]


def test_list_has_exactly_the_rights_that_the_primary_user_holds(corp):
    add(corp, "rosie", "arrie")
    add(corp, "rosie", "kim")
    add(corp, "kim", "rosie")
    assert [row["name"] for row in found(corp, "rosie")] == ["arrie", "kim"]
    assert [row["name"] for row in found(corp, "kim")] == ["rosie"]
    assert found(corp, "boss") == []


def test_list_carries_pagination_and_can_be_cut(corp):
    add(corp, "rosie", "arrie")
    add(corp, "rosie", "kim")
    item = {"primaryAddress": "rosie@corp.test"}
    assert corp.answer(FIND, item)["meta"]["pagination"] == {"pageSize": 2, "totalCount": 2}
    first = corp.answer(FIND, item, meta={"pagination": {"pageSize": 1}})
    assert [row["name"] for row in first["data"][0]["delegateUsers"]] == ["arrie"]
    token = first["meta"]["pagination"]["next"]
    second = corp.answer(FIND, item, meta={"pagination": {"pageToken": token}})
    assert [row["name"] for row in second["data"][0]["delegateUsers"]] == ["kim"]
    assert "next" not in second["meta"]["pagination"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({}, "err_validation_null"),
        ({"primaryAddress": "who@corp.test"}, "err_user_not_found"),
        ({"primaryAddress": "x@out.test"}, "err_xdk_operation_forbidden_for_address"),
    ],
)
def test_list_of_a_user_who_is_not_there_is_refused(corp, item, code):
    assert refusal(corp, FIND, **item) == (code, "primaryAddress")


def test_removed_right_is_gone_and_its_id_too(corp):
    right = add(corp, "rosie", "arrie")
    kept = add(corp, "rosie", "kim")
    assert corp.call(REMOVE, {"id": right, "primaryAddress": "kim@corp.test"}) == [{"id": right, "success": True}]
    assert not opens(corp, "rosie", "arrie")
    assert [row["id"] for row in found(corp, "rosie")] == [kept]
    assert refusal(corp, REMOVE, id=right) == ("err_delegate_not_found", "id")


def test_right_given_anew_has_another_id(corp):
    right = add(corp, "rosie", "arrie")
    corp.call(REMOVE, {"id": right})
    assert add(corp, "rosie", "arrie") != right


def test_remove_refuses_what_is_no_id_of_a_right(corp):
    (domain,) = corp.call("domain/get-internal-domain")
    assert refusal(corp, REMOVE, id="nonsense") == ("xdk_failure", "id")
    assert refusal(corp, REMOVE, id=domain["id"]) == ("xdk_failure", "id")
    assert refusal(corp, REMOVE) == ("err_validation_null", "id")


def test_another_account_neither_sees_nor_removes_rights(corp, other_account):
    right = add(corp, "rosie", "arrie")
    assert refusal(other_account, REMOVE, id=right) == ("xdk_failure", "id")
    assert refusal(other_account, FIND, primaryAddress="rosie@corp.test") == (
        "err_xdk_operation_forbidden_for_address",
        "primaryAddress",
    )
    assert opens(corp, "rosie", "arrie")


def test_rights_per_user_are_limited_and_the_limit_counts_no_repeats(corp):
    """D-33."""
    corp.services = msgspec.structs.replace(
        corp.services, limits=msgspec.structs.replace(corp.services.limits, delegates_per_user=1)
    )
    right = add(corp, "rosie", "arrie")
    full = refusal(corp, ADD, primaryAddress="rosie@corp.test", delegateAddress="kim@corp.test")
    assert full == ("err_delegate_limit", "primaryAddress")
    assert add(corp, "rosie", "arrie") == right
    add(corp, "kim", "arrie")
    corp.call(REMOVE, {"id": right})
    add(corp, "rosie", "kim")


def test_audit_says_who_may_open_what(corp):
    right = add(corp, "rosie", "arrie")
    corp.call(REMOVE, {"id": right})
    query = (
        audit_event.select().where(audit_event.c.object_kind == "delegate right").order_by(audit_event.c.revision)
    )
    created, deleted = corp.write(lambda work: work.execute(query).all())
    assert (created.action, deleted.action) == ("create", "delete")
    assert created.before is None
    assert created.after == deleted.before
    row = json.loads(created.after)
    assert (row["holder"], row["mailbox"]) == ("rosie@corp.test", "arrie@corp.test")


def test_delegate_rights_do_not_make_decisions_load_anything(corp):
    directory = corp.policies().directory
    add(corp, "rosie", "arrie")
    assert corp.policies().directory is directory


@pytest.mark.parametrize("path", [ADD, FIND, REMOVE])
def test_the_published_permission_is_required_and_suffices(corp, path):
    permission = Permission.DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS
    corp.caller = Caller(corp.id, "x", "app", frozenset(Permission) - {permission})
    with pytest.raises(RequestRefused, match="Create Alternate Address"):
        corp.answer(path, {})
    corp.caller = Caller(corp.id, "x", "app", frozenset({permission}))
    corp.answer(path, {})
