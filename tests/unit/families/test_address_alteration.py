"""Address alteration through the API: sets, definitions, policies, and what they do to mail (behaviour.md 5)."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from mailreeve.families.machinery.call import Limits
from mailreeve.families.policies.address_alteration import operations
from mailreeve.families.registry import ENDPOINTS
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import AddressType
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import Kind

FAMILY = "policy/address-alteration/"
CREATE_SET = FAMILY + "create-address-alteration-set"
GET_SET = FAMILY + "get-address-alteration-set"
CREATE_DEFINITION = FAMILY + "create-definition"
GET_DEFINITION = FAMILY + "get-definition"
DELETE_DEFINITION = FAMILY + "delete-definition"
CREATE_POLICY = FAMILY + "create-policy"
GET_POLICY = FAMILY + "get-policy"
UPDATE_POLICY = FAMILY + "update-policy"
DELETE_POLICY = FAMILY + "delete-policy"

EVERYONE = {"from": {"type": "everyone"}, "to": {"type": "everyone"}}


@pytest.fixture
def corp(account):
    """An account that receives mail for corp.test and old.test."""
    for domain in ("corp.test", "old.test"):
        account.call("domain/create-domain", {"domain": domain, "inboundType": "any"})
    return account


def new_set(account, name="Merger", **members) -> str:
    (row,) = account.call(CREATE_SET, {"description": name, **members})
    return row["id"]


def definition(original="*@old.test", new="*@corp.test", type_="envelope_to", routing="all"):
    return {"originalAddress": original, "newAddress": new, "addressType": type_, "routing": routing}


def define(account, *definitions, **members) -> list[str]:
    rows = account.call(CREATE_DEFINITION, {"addressAlterations": list(definitions), **members})
    assert all(row["success"] is True for row in rows)
    return [row["id"] for row in rows]


def found(account, **asked) -> list[dict]:
    (answer,) = account.call(GET_DEFINITION, asked)
    assert set(answer) == {"items"}
    return answer["items"]


def new_policy(account, set_id, **members) -> dict:
    (row,) = account.call(CREATE_POLICY, {"addressAlterationSetId": set_id, "policy": {**EVERYONE, **members}})
    return row


def recipient(account, to, sender="ann@x.test") -> str:
    """To whom a message goes after alteration."""
    facts = MessageFacts(parse_address(sender), parse_address(to), at=0.0, header_from=())
    return str(rewriter(account.policies(), facts).recipient(parse_address(to)))


def problems(account, path, *items) -> list[tuple[str, str | None]]:
    """Code and field of every problem with the first item that is refused."""
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, *items)
    return [(problem.code, problem.field) for problem in refusal.value.problems]


# Sets


def test_a_new_set_is_answered_with_every_member_that_clients_read(corp):
    (row,) = corp.call(CREATE_SET, {"description": "Merger"})
    assert row.pop("id")
    assert row == {
        "description": "Merger",
        "source": "cloud",
        "parentId": "",
        "folderCount": 0,
        "userCount": 0,
        "folders": [],
    }


def test_all_sets_are_a_tree_whose_counts_are_true_at_every_depth(corp):
    """terraform asks again for a set whose `folderCount` is more than the folders given (clients.md)."""
    top = new_set(corp, "top")
    middle = new_set(corp, "middle", parentId=top)
    leaf = new_set(corp, "leaf", parentId=middle)
    new_set(corp, "other")

    rows = corp.call(GET_SET, {})
    assert [row["description"] for row in rows] == ["top", "other"]
    (shown,) = rows[0]["folders"]
    assert (shown["id"], shown["parentId"], shown["folderCount"], shown["folders"]) == (middle, top, 1, [])

    (row,) = corp.call(GET_SET, {"folderId": middle})
    assert (row["id"], row["folders"][0]["id"], row["folders"][0]["folderCount"]) == (middle, leaf, 0)

    deep = corp.call(GET_SET, {"depth": "2"})[0]
    assert deep["folders"][0]["folders"][0]["description"] == "leaf"

    (flat,) = corp.call(GET_SET, {"id": top, "depth": 0})
    assert (flat["folderCount"], flat["folders"]) == (1, [])


def test_lists_of_sets_say_how_many_they_hold(corp):
    new_set(corp, "a")
    new_set(corp, "b")
    assert corp.answer(GET_SET)["meta"]["pagination"] == {"pageSize": 2, "totalCount": 2}
    paged = corp.answer(GET_SET, meta={"pagination": {"pageSize": 1}})
    assert [row["description"] for row in paged["data"]] == ["a"]
    assert paged["meta"]["pagination"]["next"]


def test_a_set_that_is_nobodys_id_is_refused(corp):
    for item, field in (({"folderId": "nonsense"}, "folderId"), ({"id": "nonsense"}, "id")):
        assert problems(corp, GET_SET, item) == [("xdk_failure", field)]
    assert problems(corp, CREATE_SET, {"description": "x", "parentId": "nonsense"}) == [
        ("xdk_failure", "parentId")
    ]


def test_a_set_that_is_gone_is_an_empty_answer(corp):
    """A sealed id without its object: terraform takes the empty answer for "gone", and an error for a failure."""
    gone = corp.services.ids.seal(Kind.ALTERATION_SET, "0" * 32, corp.id)
    assert corp.answer(GET_SET, {"folderId": gone})["data"] == []
    assert problems(corp, CREATE_SET, {"description": "x", "parentId": gone}) == [
        ("err_address_alteration_set_not_found", "parentId")
    ]


def test_a_set_needs_a_name_of_bounded_length_and_a_sane_depth(corp):
    assert problems(corp, CREATE_SET, {"description": " "}) == [("err_validation_blank", "description")]
    assert problems(corp, CREATE_SET, {}) == [("err_validation_null", "description")]
    assert problems(corp, CREATE_SET, {"description": "x" * 256}) == [("err_validation_too_long", "description")]
    assert problems(corp, GET_SET, {"depth": -1}) == [("err_validation_value_not_allowed", "depth")]


def test_sets_are_nested_to_a_bounded_depth(corp):
    parent = new_set(corp, "1")
    for level in range(2, 33):
        parent = new_set(corp, str(level), parentId=parent)
    refusal = problems(corp, CREATE_SET, {"description": "33", "parentId": parent})
    assert refusal == [("err_validation_value_not_allowed", "parentId")]


def test_an_account_holds_a_limited_number_of_sets(corp, monkeypatch):
    monkeypatch.setattr(operations, "MAX_SETS", 1)
    new_set(corp)
    assert problems(corp, CREATE_SET, {"description": "x"}) == [("err_address_alteration_set_limit", None)]


# Definitions


def test_one_definition_is_answered_with_one_row(corp):
    """What terraform needs: exactly one row, a filled id, and success."""
    (row,) = corp.call(CREATE_DEFINITION, {"addressAlterations": [definition()]})
    assert set(row) == {"id", "success"}
    assert row["id"]
    assert row["success"] is True


def test_a_root_definition_is_at_work_without_a_policy(corp):
    """Vector 21."""
    define(corp, definition(routing="inbound"), folderId="")
    assert recipient(corp, "Jo@old.test") == "Jo@corp.test"
    assert recipient(corp, "jo@corp.test") == "jo@corp.test"


def test_definitions_are_found_by_set_and_by_root(corp):
    set_id = new_set(corp)
    (at_root,) = define(corp, definition())
    (in_set,) = define(corp, definition("jo@old.test", "jane@corp.test", "all", "outbound"), folderId=set_id)
    assert found(corp, folderId=set_id) == [
        {
            "id": in_set,
            "addressType": "all",
            "originalAddress": "jo@old.test",
            "newAddress": "jane@corp.test",
            "routing": "outbound",
        }
    ]
    # An empty id alone is the root; beside another filter it is as good as absent.
    assert [row["id"] for row in found(corp, folderId="")] == [at_root]
    assert [row["id"] for row in found(corp, folderId="", routing="outbound")] == [in_set]


def test_definitions_are_found_by_all_that_is_given(corp):
    set_id = new_set(corp)
    one, two = define(corp, definition(), definition("Jo@*", "Info@*", routing="inbound"))
    (three,) = define(corp, definition(), folderId=set_id)
    assert [row["id"] for row in found(corp, routing="all")] == [one, three]
    assert [row["id"] for row in found(corp, routing="inbound")] == [two]
    assert [row["id"] for row in found(corp, originalAddress="jo@")] == [two]
    assert [row["id"] for row in found(corp, newAddress="INFO@*")] == [two]
    assert [row["id"] for row in found(corp, originalAddress="@OLD.test", folderId=set_id)] == [three]
    assert found(corp, originalAddress="@old.test", routing="inbound") == []


def test_a_search_needs_a_filter_and_valid_ones(corp):
    assert problems(corp, GET_DEFINITION, {}) == [("err_validation_at_least_one_not_null", "folderId")]
    assert problems(corp, GET_DEFINITION, {"folderId": "nonsense"}) == [("xdk_failure", "folderId")]
    assert problems(corp, GET_DEFINITION, {"routing": "up"}) == [("err_validation_value_not_allowed", "routing")]
    for field in ("originalAddress", "newAddress"):
        assert problems(corp, GET_DEFINITION, {field: "jo"}) == [("err_validation_invalid_email_address", field)]


@pytest.mark.parametrize(
    ("original", "new", "to", "becomes"),
    [
        ("*@old.test", "*@corp.test", "jo@old.test", "jo@corp.test"),
        ("@old.test", "@corp.test", "jo@old.test", "jo@corp.test"),
        ("*@OLD.test", "info@corp.test", "jo@old.test", "info@corp.test"),
        ("jo@*", "jane@*", "JO@old.test", "jane@old.test"),
        ("jo@", "Jane@", "jo@corp.test", "Jane@corp.test"),
        ("Jo@old.test", "Jane@corp.test", "jo@old.test", "Jane@corp.test"),
        ("jo@old.test", "*@corp.test", "jo@old.test", "jo@corp.test"),
        ("jo@old.test", "jo@partner.test", "jo@old.test", "jo@partner.test"),
    ],
)
def test_every_form_is_taken_given_back_as_typed_and_at_work(corp, original, new, to, becomes):
    """Terraform reports an inconsistent result unless it reads back what it wrote."""
    define(corp, definition(original, new))
    (row,) = found(corp, folderId="")
    assert (row["originalAddress"], row["newAddress"]) == (original, new)
    assert recipient(corp, to) == becomes


@pytest.mark.parametrize(
    "bad", ["jo", "@", "*@*", "*@", "j*o@old.test", "jo@*.test", "*o@*", "a b@old.test", "jo@-x"]
)
def test_any_other_form_is_refused_on_either_side(corp, bad):
    bad_address = "err_validation_invalid_email_address"
    for one, field in (
        (definition(original=bad), "addressAlterations[0].originalAddress"),
        (definition(new=bad), "addressAlterations[0].newAddress"),
    ):
        assert problems(corp, CREATE_DEFINITION, {"addressAlterations": [one]}) == [(bad_address, field)]


def test_the_original_domain_must_be_internal(corp, other_account):
    """behaviour.md section 5.2; another account's domain is as foreign as any."""
    other_account.call("domain/create-domain", {"domain": "other.test", "inboundType": "any"})
    for original in ("*@x.test", "jo@sub.corp.test", "jo@other.test"):
        assert problems(corp, CREATE_DEFINITION, {"addressAlterations": [definition(original)]}) == [
            ("err_xdk_operation_forbidden_for_address", "addressAlterations[0].originalAddress")
        ]


def test_several_definitions_are_made_together_or_not_at_all(corp):
    """Every one at fault is named, and none is made."""
    several = [definition(), definition("x"), definition("jo@old.test"), definition("*@x.test")]
    assert problems(corp, CREATE_DEFINITION, {"addressAlterations": several}) == [
        ("err_validation_invalid_email_address", "addressAlterations[1].originalAddress"),
        ("err_xdk_operation_forbidden_for_address", "addressAlterations[3].originalAddress"),
    ]
    assert found(corp, folderId="") == []
    assert len(define(corp, several[0], several[2])) == 2
    assert [row["originalAddress"] for row in found(corp, folderId="")] == ["*@old.test", "jo@old.test"]


def test_missing_members_are_all_named(corp):
    assert problems(corp, CREATE_DEFINITION, {}) == [("err_validation_null", "addressAlterations")]
    assert problems(corp, CREATE_DEFINITION, {"addressAlterations": []}) == [
        ("err_validation_null", "addressAlterations")
    ]
    incomplete = {"addressAlterations": [{"originalAddress": "", "addressType": "body"}]}
    assert problems(corp, CREATE_DEFINITION, incomplete) == [
        ("err_validation_blank", "addressAlterations[0].originalAddress"),
        ("err_validation_null", "addressAlterations[0].newAddress"),
        ("err_validation_value_not_allowed", "addressAlterations[0].addressType"),
        ("err_validation_null", "addressAlterations[0].routing"),
    ]


def test_the_same_definition_is_refused_within_a_set_and_taken_in_another(corp):
    exists = "err_address_alteration_definition_exists"
    define(corp, definition())
    for twin in (definition(), definition("@OLD.test", "@corp.test")):
        assert problems(corp, CREATE_DEFINITION, {"addressAlterations": [twin]}) == [
            (exists, "addressAlterations[0]")
        ]
    twice = [definition("jo@old.test"), definition("JO@old.test")]
    assert problems(corp, CREATE_DEFINITION, {"addressAlterations": twice}) == [(exists, "addressAlterations[1]")]
    set_id = new_set(corp)
    assert define(corp, definition(), folderId=set_id)
    assert define(corp, definition(type_="from"), definition(routing="inbound"))


def test_a_definition_is_replaced_by_a_newer_one_for_the_same_address(corp):
    """There is no update: the successor is made first and wins at once."""
    (old,) = define(corp, definition(new="*@corp.test"))
    define(corp, definition(new="info@corp.test"))
    assert recipient(corp, "jo@old.test") == "info@corp.test"
    corp.call(DELETE_DEFINITION, {"id": old})
    assert recipient(corp, "jo@old.test") == "info@corp.test"


def test_the_account_holds_a_limited_number_of_definitions(corp):
    """3,000 by default, over all sets, whole items only; the error names the numbers."""
    corp.services = msgspec.structs.replace(corp.services, limits=Limits(address_alterations=2))
    define(corp, definition(), folderId=new_set(corp))
    with pytest.raises(ItemRefused) as refusal:
        define(corp, definition("a@old.test"), definition("b@old.test"))
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == ("err_address_alteration_limit", "addressAlterations")
    assert "3 of 2" in problem.message
    assert found(corp, folderId="") == []
    assert define(corp, definition("a@old.test"))
    assert Limits().address_alterations == 3000


def test_a_deleted_definition_is_gone_and_answered_with_its_id(corp):
    (wire_id,) = define(corp, definition())
    assert recipient(corp, "jo@old.test") == "jo@corp.test"
    assert corp.call(DELETE_DEFINITION, {"id": wire_id}) == [{"id": wire_id, "success": True}]
    assert recipient(corp, "jo@old.test") == "jo@old.test"
    assert problems(corp, DELETE_DEFINITION, {"id": wire_id}) == [
        ("err_address_alteration_definition_not_found", "id")
    ]
    assert problems(corp, DELETE_DEFINITION, {"id": "nonsense"}) == [("xdk_failure", "id")]


# Policies


def test_a_set_is_at_work_only_through_a_policy_and_its_full_address_wins(corp):
    """Vector 22, before and after the policy."""
    set_id = new_set(corp)
    define(
        corp,
        definition("jo@old.test", "jane@corp.test"),
        definition("jo@*", "x@*"),
        definition(),
        folderId=set_id,
    )
    assert recipient(corp, "jo@old.test") == "jo@old.test"
    new_policy(corp, set_id)
    assert recipient(corp, "jo@old.test") == "jane@corp.test"
    assert recipient(corp, "jo@corp.test") == "x@corp.test"
    assert recipient(corp, "kim@old.test") == "kim@corp.test"


def test_a_result_is_not_rewritten_again(corp):
    """Vector 23."""
    set_id = new_set(corp)
    define(corp, definition("jo@old.test", "jane@corp.test"), folderId=set_id)
    define(corp, definition("jane@corp.test", "zoe@corp.test"))
    new_policy(corp, set_id)
    assert recipient(corp, "jo@old.test") == "jane@corp.test"


def test_a_header_is_rewritten_for_its_own_address_type_only(corp):
    define(corp, definition("jo@corp.test", "desk@corp.test", "from", "outbound"))
    jo = parse_address("jo@corp.test")
    outbound = rewriter(corp.policies(), MessageFacts(jo, parse_address("ann@x.test"), at=0.0, header_from=()))
    altered = outbound.rewrite(AddressType.FROM, jo)
    assert altered is not None
    assert altered.new == "desk@corp.test"
    assert outbound.rewrite(AddressType.SENDER, jo) is None


def test_a_policy_is_an_object_with_real_booleans_both_spellings_and_no_far_dates(corp):
    """What terraform and MimecastV2 read (clients.md)."""
    set_id = new_set(corp)
    row = new_policy(corp, set_id, description="Merger", comment="for a year")
    assert set(row) == {"id", "addressAlterationSetId", "policy"}
    assert row["addressAlterationSetId"] == set_id
    policy = row["policy"]
    assert policy.pop("createTime").endswith("+0000")
    assert policy.pop("lastUpdated").endswith("+0000")
    assert policy == {
        "description": "Merger",
        "comment": "for a year",
        "fromPart": "envelope_from",
        "from": {"type": "everyone"},
        "to": {"type": "everyone"},
        "fromType": "everyone",
        "toType": "everyone",
        "fromEternal": True,
        "toEternal": True,
        "override": False,
        "bidirectional": False,
        "enabled": True,
        "enforced": False,
        "conditions": {},
    }


def test_the_vendors_array_of_one_with_text_booleans_is_taken(corp):
    """The documented sample: `policy` is an array, booleans are texts (api.md section 7.1)."""
    sample = {
        "fromEternal": "true",
        "enforced": "False",
        "enabled": "true",
        "override": "true",
        "from": {"type": "email_domain", "emailDomain": "x.test"},
        "to": {"type": "everyone"},
        "conditions": {"sourceIPs": ["192.0.2.0/24"]},
    }
    (row,) = corp.call(CREATE_POLICY, {"addressAlterationSetId": new_set(corp), "policy": [sample]})
    policy = row["policy"]
    assert (policy["override"], policy["enforced"], policy["fromValue"]) == (True, False, "x.test")
    assert policy["conditions"] == {"sourceIPs": ["192.0.2.0/24"]}


def test_the_flat_form_with_empty_texts_is_taken(corp):
    """What MimecastV2 sends."""
    flat = {
        "description": "flat",
        "fromPart": "",
        "fromType": "individual_email_address",
        "fromValue": "ann@x.test",
        "toType": "everyone",
        "toValue": "",
    }
    (row,) = corp.call(CREATE_POLICY, {"addressAlterationSetId": new_set(corp), "policy": flat})
    assert row["policy"]["from"] == {"type": "individual_email_address", "emailAddress": "ann@x.test"}


def test_all_policy_members_are_optional_and_mean_everyone(corp):
    """behaviour.md section 2.1."""
    set_id = new_set(corp)
    define(corp, definition(), folderId=set_id)
    (row,) = corp.call(CREATE_POLICY, {"addressAlterationSetId": set_id, "policy": {}})
    assert (row["policy"]["fromType"], row["policy"]["toType"]) == ("everyone", "everyone")
    assert recipient(corp, "jo@old.test") == "jo@corp.test"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, ("err_validation_null", "policy")),
        ([], ("err_validation_exactly_one", "policy")),
        ([EVERYONE, EVERYONE], ("err_validation_exactly_one", "policy")),
        ("text", ("err_validation_wrong_type", "policy")),
        ({"from": {"type": "nobody"}}, ("err_validation_value_not_allowed", "policy.from.type")),
        ([{"from": {"type": "nobody"}}], ("err_validation_value_not_allowed", "policy[0].from.type")),
        ({"from": {}}, ("err_validation_null", "policy.from.type")),
        ({"from": {"type": "free_mail_domains"}}, ("err_validation_value_not_allowed", "policy.from.type")),
        (
            [{"from": {"type": "header_display_name", "headerDisplayName": "Jo"}}],
            ("err_validation_value_not_allowed", "policy[0].from.type"),
        ),
        ({"to": {"type": "email_domain"}}, ("err_validation_null", "policy.to.emailDomain")),
        (
            {"from": {"type": "profile_group", "groupId": "nonsense"}},
            ("xdk_failure", "policy.from.groupId"),
        ),
        ({"conditions": {"sourceIPs": ["x"]}}, ("err_validation_invalid_cidr", "policy.conditions.sourceIPs[0]")),
    ],
)
def test_a_policy_at_fault_names_the_member(corp, policy, expected):
    item = {"addressAlterationSetId": new_set(corp), "policy": policy}
    assert problems(corp, CREATE_POLICY, item) == [expected]
    assert corp.call(GET_POLICY) == []


def test_the_set_is_required_and_must_exist(corp):
    field = "addressAlterationSetId"
    gone = corp.services.ids.seal(Kind.ALTERATION_SET, "0" * 32, corp.id)
    assert problems(corp, CREATE_POLICY, {"policy": EVERYONE}) == [("err_validation_null", field)]
    assert problems(corp, CREATE_POLICY, {field: "nonsense", "policy": EVERYONE}) == [("xdk_failure", field)]
    assert problems(corp, CREATE_POLICY, {field: gone, "policy": EVERYONE}) == [
        ("err_address_alteration_set_not_found", field)
    ]


def test_policies_are_read_one_by_one_and_all_at_once(corp):
    set_id = new_set(corp)
    one, two = new_policy(corp, set_id, description="one"), new_policy(corp, set_id, description="two")
    assert corp.call(GET_POLICY, {"id": two["id"]}) == [two]
    assert corp.call(GET_POLICY) == [one, two]
    assert corp.answer(GET_POLICY)["meta"]["pagination"] == {"pageSize": 2, "totalCount": 2}


def test_a_policy_that_is_gone_is_an_empty_answer_and_a_malformed_id_an_error(corp):
    """Terraform recreates a policy only after an empty answer (api.md section 3.4.3)."""
    row = new_policy(corp, new_set(corp))
    corp.call(DELETE_POLICY, {"id": row["id"]})
    answer = corp.answer(GET_POLICY, {"id": row["id"]})
    assert (answer["data"], answer["fail"]) == ([], [])
    assert problems(corp, GET_POLICY, {"id": "nonsense"}) == [("xdk_failure", "id")]


def test_an_update_replaces_the_policy_object_and_keeps_the_rest(corp):
    first, second = new_set(corp, "first"), new_set(corp, "second")
    row = new_policy(corp, first, description="before", comment="kept only if sent", override=True)
    (changed,) = corp.call(UPDATE_POLICY, {"id": row["id"], "policy": [{**EVERYONE, "description": "after"}]})
    assert (changed["id"], changed["addressAlterationSetId"]) == (row["id"], first)
    policy = changed["policy"]
    assert (policy["description"], policy["comment"], policy["override"]) == ("after", "", False)
    assert policy["createTime"] == row["policy"]["createTime"]
    (moved,) = corp.call(UPDATE_POLICY, {"id": row["id"], "addressAlterationSetId": second})
    assert moved["addressAlterationSetId"] == second
    assert moved["policy"]["description"] == "after"
    assert corp.call(GET_POLICY, {"id": row["id"]}) == [moved]


@pytest.mark.parametrize("as_list", [False, True], ids=["an object", "an array of one"])
@pytest.mark.parametrize(
    "change",
    [{"description": "renamed"}, {"enabled": False}, {"toDate": "2027-01-01T00:00:00Z"}, {"override": True}],
    ids=lambda change: next(iter(change)),
)
def test_an_update_without_a_scope_leaves_the_scope(corp, change, as_list):
    """D-48: the newest of the large clients sends only what changed, without the set."""
    (folder,) = corp.call(CREATE_SET, {"description": "s"})
    whole = {
        "description": "d",
        "from": {"type": "email_domain", "emailDomain": "x.test"},
        "to": {"type": "individual_email_address", "emailAddress": "u@corp.test"},
        "fromPart": "both",
        "conditions": {"sourceIPs": ["192.0.2.0/24"]},
    }
    (made,) = corp.call(CREATE_POLICY, {"addressAlterationSetId": folder["id"], "policy": whole})
    (after,) = corp.call(UPDATE_POLICY, {"id": made["id"], "policy": [change] if as_list else change})
    wanted = {**made["policy"], **change, "lastUpdated": after["policy"]["lastUpdated"]}
    if "toDate" in change:
        wanted["toEternal"] = False
    assert after == {**made, "policy": wanted}
    assert corp.call(GET_POLICY, {"id": made["id"]}) == [after]


def test_an_update_is_at_work_at_once(corp):
    set_id = new_set(corp)
    define(corp, definition(), folderId=set_id)
    row = new_policy(corp, set_id)
    assert recipient(corp, "jo@old.test") == "jo@corp.test"
    corp.call(UPDATE_POLICY, {"id": row["id"], "policy": {**EVERYONE, "enabled": "false"}})
    assert recipient(corp, "jo@old.test") == "jo@old.test"


def test_an_update_needs_an_existing_policy_and_set(corp):
    row = new_policy(corp, new_set(corp))
    assert problems(corp, UPDATE_POLICY, {"policy": EVERYONE}) == [("err_validation_null", "id")]
    assert problems(corp, UPDATE_POLICY, {"id": "nonsense", "policy": EVERYONE}) == [("xdk_failure", "id")]
    bad_set = {"id": row["id"], "addressAlterationSetId": "nonsense"}
    assert problems(corp, UPDATE_POLICY, bad_set) == [("xdk_failure", "addressAlterationSetId")]
    corp.call(DELETE_POLICY, {"id": row["id"]})
    assert problems(corp, UPDATE_POLICY, {"id": row["id"], "policy": EVERYONE}) == [("err_policy_not_found", "id")]


def test_a_deleted_policy_is_answered_with_its_id_and_at_work_no_more(corp):
    set_id = new_set(corp)
    define(corp, definition(), folderId=set_id)
    row = new_policy(corp, set_id)
    assert corp.call(DELETE_POLICY, {"id": row["id"]}) == [{"id": row["id"], "deleted": True}]
    assert recipient(corp, "jo@old.test") == "jo@old.test"
    assert problems(corp, DELETE_POLICY, {"id": row["id"]}) == [("err_policy_not_found", "id")]


def test_a_group_that_a_policy_names_cannot_be_deleted_until_no_policy_does(corp):
    (group,) = corp.call("directory/create-group", {"description": "Leavers"})
    leavers = {"from": {"type": "everyone"}, "to": {"type": "profile_group", "groupId": group["id"]}}
    set_id = new_set(corp)
    one, two = new_policy(corp, set_id, **leavers), new_policy(corp, set_id, **leavers)
    assert one["policy"]["to"] == leavers["to"]
    in_use = [("err_folder_in_use", "id")]
    assert problems(corp, "directory/delete-group", {"id": group["id"]}) == in_use
    corp.call(UPDATE_POLICY, {"id": one["id"], "policy": EVERYONE})
    assert problems(corp, "directory/delete-group", {"id": group["id"]}) == in_use
    corp.call(DELETE_POLICY, {"id": two["id"]})
    assert corp.call("directory/delete-group", {"id": group["id"]})


def test_another_accounts_ids_are_worth_nothing(corp, other_account):
    """Read, changed or deleted: each answers as for a forged id, and nothing happens to the owner's objects."""
    set_id = new_set(corp)
    (definition_id,) = define(corp, definition(), folderId=set_id)
    policy_id = new_policy(corp, set_id)["id"]
    other_set = new_set(other_account)
    for path, item, field in (
        (GET_SET, {"folderId": set_id}, "folderId"),
        (CREATE_SET, {"description": "x", "parentId": set_id}, "parentId"),
        (CREATE_DEFINITION, {"addressAlterations": [definition()], "folderId": set_id}, "folderId"),
        (GET_DEFINITION, {"folderId": set_id}, "folderId"),
        (DELETE_DEFINITION, {"id": definition_id}, "id"),
        (CREATE_POLICY, {"addressAlterationSetId": set_id, "policy": {}}, "addressAlterationSetId"),
        (GET_POLICY, {"id": policy_id}, "id"),
        (UPDATE_POLICY, {"id": policy_id, "addressAlterationSetId": other_set}, "id"),
        (DELETE_POLICY, {"id": policy_id}, "id"),
    ):
        assert problems(other_account, path, item) == [("xdk_failure", field)], path
    assert found(other_account, routing="all") == []
    assert other_account.call(GET_POLICY) == []
    assert [row["id"] for row in other_account.call(GET_SET)] == [other_set]
    assert recipient(corp, "jo@old.test") == "jo@corp.test"


def test_an_id_of_one_kind_does_not_open_another(corp):
    set_id = new_set(corp)
    policy_id = new_policy(corp, set_id)["id"]
    assert problems(corp, GET_SET, {"folderId": policy_id}) == [("xdk_failure", "folderId")]
    assert problems(corp, DELETE_POLICY, {"id": set_id}) == [("xdk_failure", "id")]


def test_every_change_is_audited(corp):
    """D-38: each object's states before and after; a new set is audited though no decision sees it."""
    set_id = new_set(corp)
    (definition_id,) = define(corp, definition(), folderId=set_id)
    policy_id = new_policy(corp, set_id)["id"]
    corp.call(UPDATE_POLICY, {"id": policy_id, "policy": {"description": "x"}})
    corp.call(DELETE_POLICY, {"id": policy_id})
    corp.call(DELETE_DEFINITION, {"id": definition_id})
    table = audit_event
    rows = corp.write(
        lambda work: work.execute(
            select(table.c.action, table.c.object_kind, table.c.before, table.c.after)
            .where(table.c.account_id == work.account_id, table.c.object_kind.like("address alteration%"))
            .order_by(table.c.revision)
        ).all()
    )
    kind = "address alteration "
    assert [(r.action, r.object_kind.removeprefix(kind), r.before is None, r.after is None) for r in rows] == [
        ("create", "set", True, False),
        ("create", "definition", True, False),
        ("create", "policy", True, False),
        ("update", "policy", False, False),
        ("delete", "policy", False, True),
        ("delete", "definition", False, True),
    ]


def test_the_permissions_are_the_published_ones():
    """Reading asks for Read, everything else for Edit (api.md section 3.4)."""
    family = {e.path.removeprefix(FAMILY): e.permissions for e in ENDPOINTS if e.path.startswith(FAMILY)}
    assert len(family) == 9
    for name, permissions in family.items():
        assert permissions == (f"Gateway | Policies | {'Read' if name.startswith('get-') else 'Edit'}",)
