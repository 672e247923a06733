"""Attributes of users: types made on first use, values set and removed, and what policies then match."""

from __future__ import annotations

import json

import pytest

from mailreeve.families.directory.users import attribute_operations, attributes
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

USER = "rosie@corp.test"


@pytest.fixture
def corp(account):
    """An account with the user rosie@corp.test."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": USER})
    return account


def put(account, *items: dict[str, object]) -> list[dict]:
    (answer,) = account.call("user/update-attributes", {"emailAddress": USER, "attributes": list(items)})
    assert answer["emailAddress"] == USER
    return answer["attributes"]


def refusal(account, *items: dict[str, object]) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        put(account, *items)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def types(account) -> list[dict]:
    return account.call("attribute/find-attribute-types")[0]["attributeTypes"]


def test_new_name_makes_a_type_that_later_calls_name_by_id(corp):
    (made,) = put(corp, {"name": "Department", "value": "Sales"})
    assert types(corp) == [{"id": made["id"], "name": "Department"}]
    assert put(corp, {"id": made["id"], "value": "Support"}) == [{**made, "value": "Support"}]
    assert len(types(corp)) == 1


def test_names_of_types_are_one_in_any_case(corp):
    put(corp, {"name": "Department", "value": "Sales"})
    put(corp, {"name": "DEPARTMENT", "value": "Support"})
    assert [row["name"] for row in types(corp)] == ["Department"]


def test_value_is_answered_as_typed_and_matched_without_case(corp):
    """D-41."""
    (made,) = put(corp, {"name": "Department", "value": "SALES Straße"})
    assert made["value"] == "SALES Straße"
    key = corp.write(lambda work: attributes.find_type(work, name="department").id)
    assert corp.policies().directory.users[USER].attributes == {key: "sales strasse"}


def test_item_without_a_value_removes_the_value_and_keeps_the_type(corp):
    put(corp, {"name": "Department", "value": "Sales"}, {"name": "Office", "value": "7"})
    assert [row["name"] for row in put(corp, {"name": "Department", "value": ""})] == ["Office"]
    assert [row["name"] for row in types(corp)] == ["Department", "Office"]


def test_get_attributes_answers_the_same_rows_nested_in_attributes(corp):
    held = put(corp, {"name": "Department", "value": "Sales"}, {"name": "Office", "value": "7"})
    answer = corp.answer("user/get-attributes", {"emailAddress": USER}, meta={"pagination": {"pageSize": 50}})
    assert answer["data"] == [{"emailAddress": USER, "attributes": held}]
    assert answer["meta"]["pagination"] == {"pageSize": 2, "totalCount": 2}


def test_user_without_attributes_has_an_empty_list(corp):
    answer = corp.answer("user/get-attributes", {"emailAddress": USER})
    assert answer["data"] == [{"emailAddress": USER, "attributes": []}]
    assert answer["meta"]["pagination"] == {"pageSize": 0}


def test_setting_what_is_set_already_is_no_change(corp):
    put(corp, {"name": "Department", "value": "Sales"})
    revision = corp.policies().revision
    put(corp, {"name": "Department", "value": "Sales"})
    put(corp)
    put(corp, {"name": "Office", "value": "7"})
    assert corp.policies().revision == revision + 1


def test_policy_on_an_attribute_value_names_a_type_that_exists(corp):
    """`families.references` finds attribute types by id and by name."""
    (made,) = put(corp, {"name": "Department", "value": "Sales"})
    target = {"type": "address_attribute_value", "attribute": {"name": "department", "value": "sales"}}
    item = {"option": "block_sender", "policy": {"description": "d", "from": target, "to": {"type": "everyone"}}}
    (policy,) = corp.call("policy/blockedsenders/create-policy", item)
    shown = policy["policy"]["from"]["attribute"]
    assert (shown["id"], shown["name"]) == (made["id"], "Department")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"value": "x"}, ("err_validation_at_least_one_not_null", "attributes[0].id")),
        ({"id": "nonsense", "value": "x"}, ("xdk_failure", "attributes[0].id")),
        ({"name": "Unheard of"}, ("err_attribute_not_found", "attributes[0].name")),
        ({"name": "n" * 256, "value": "x"}, ("err_validation_too_long", "attributes[0].name")),
        ({"name": "Department", "value": "v" * 1025}, ("err_validation_too_long", "attributes[0].value")),
    ],
)
def test_item_is_refused_with_its_place(corp, item, expected):
    assert refusal(corp, item) == expected
    assert types(corp) == []


def test_one_bad_item_undoes_the_others(corp):
    assert refusal(corp, {"name": "Department", "value": "Sales"}, {"value": "x"})[1] == "attributes[1].id"
    assert types(corp) == []
    assert corp.policies().directory.users[USER].attributes == {}


def test_attributes_are_required(corp):
    with pytest.raises(ItemRefused) as refused:
        corp.call("user/update-attributes", {"emailAddress": USER})
    assert [problem.field for problem in refused.value.problems] == ["attributes"]


def test_type_of_another_account_is_refused_by_id(corp, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    (answer,) = other_account.call(
        "user/update-attributes",
        {"emailAddress": "abuse@theirs.test", "attributes": [{"name": "Department", "value": "x"}]},
    )
    assert refusal(corp, {"id": answer["attributes"][0]["id"], "value": "x"}) == (
        "xdk_failure",
        "attributes[0].id",
    )
    assert types(corp) == []


def test_number_of_types_is_limited(corp, monkeypatch):
    monkeypatch.setattr(attribute_operations, "MAX_TYPES", 2)
    put(corp, {"name": "a", "value": "1"}, {"name": "b", "value": "2"})
    assert refusal(corp, {"name": "c", "value": "3"}) == ("err_attribute_limit", "attributes[0].name")
    assert len(put(corp, {"name": "a", "value": "4"})) == 2


def test_change_is_audited_with_all_values_before_and_after(corp):
    put(corp, {"name": "Department", "value": "Sales"})
    put(corp, {"name": "Department", "value": "Support"})
    query = audit_event.select().where(audit_event.c.action == "update-attributes").order_by(audit_event.c.id)
    last = corp.write(lambda work: work.execute(query).all()[-1])
    assert json.loads(last.before)["values"][0]["value"] == "Sales"
    assert json.loads(last.after)["values"][0]["value"] == "Support"


def test_types_are_paged(corp):
    put(corp, *({"name": f"a{n}", "value": "x"} for n in range(3)))
    first = corp.answer("attribute/find-attribute-types", meta={"pagination": {"pageSize": 2}})
    assert [row["name"] for row in first["data"][0]["attributeTypes"]] == ["a0", "a1"]
    token = first["meta"]["pagination"]["next"]
    second = corp.answer("attribute/find-attribute-types", meta={"pagination": {"pageToken": token}})
    assert [row["name"] for row in second["data"][0]["attributeTypes"]] == ["a2"]
