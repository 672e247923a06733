"""The typed methods: each sends what the API's pages say, and reads what the live service answered."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from mailreeve.client import (
    ClientError,
    Conditions,
    DefinitionItem,
    Policy,
    Target,
    WebEntry,
    WebTarget,
)

BLOCKED = {
    "option": "block_sender",
    "id": "eNo1",
    "policy": {
        "description": "some test policy",
        "fromPart": "envelope_from",
        "from": {"type": "email_domain", "emailDomain": "example.com"},
        "to": {"type": "everyone"},
        "fromType": "email_domain",
        "fromValue": "example.com",
        "toType": "everyone",
        "fromEternal": True,
        "toEternal": True,
        "fromDate": "1900-01-01T00:00:00+0000",
        "toDate": "2100-01-01T23:59:59+0000",
        "override": False,
        "bidirectional": False,
        "conditions": {},
        "enabled": True,
        "enforced": False,
        "createTime": "2022-04-21T06:51:04+0000",
        "lastUpdated": "2022-04-21T06:51:04+0000",
    },
}
SCOPE = {k: v for k, v in BLOCKED["policy"].items() if k not in ("fromDate", "toDate")}
WEB = {
    "id": "W",
    "description": "list",
    "urls": [{"id": "U", "action": "block", "type": "domain", "value": "bad.test"}],
    "policies": [{"id": "P", "locations": [], "policy": SCOPE}],
}


@pytest.mark.parametrize(("method", "action"), [("permit_sender", "permit"), ("block_sender", "block")])
def test_managed_sender(client, script, method: str, action: str) -> None:
    row = {"id": "MTOKEN:x", "sender": "a@shop.test", "to": "b@corp.test", "type": action.capitalize()}
    script.answers = [script.envelope(row)]
    entry = getattr(client, method)("a@shop.test", to="b@corp.test")
    assert script.requests[0].url.path == "/api/managedsender/permit-or-block-sender"
    assert script.body()["data"] == [{"action": action, "sender": "a@shop.test", "to": "b@corp.test"}]
    assert (entry.id, entry.type) == ("MTOKEN:x", action.capitalize())


def test_blocked_sender_policy_is_created_with_what_was_set_and_nothing_else(client, script) -> None:
    script.answers = [script.envelope(BLOCKED)]
    policy = Policy(
        "No shops",
        Target.domain("example.com"),
        Target.everyone(),
        to_date=datetime(2030, 1, 2, tzinfo=UTC),
        conditions=Conditions(("10.0.0.0/8",)),
    )
    made = client.blocked_senders.create(policy, "no_action")
    assert script.requests[0].url.path == "/api/policy/blockedsenders/create-policy"
    assert script.body()["data"] == [
        {
            "option": "no_action",
            "policy": {
                "description": "No shops",
                "from": {"type": "email_domain", "emailDomain": "example.com"},
                "to": {"type": "everyone"},
                "toDate": "2030-01-02T00:00:00Z",
                "conditions": {"sourceIPs": ["10.0.0.0/8"]},
            },
        }
    ]
    assert made.id == "eNo1"
    assert made.policy.from_ == Target.domain("example.com")
    assert made.policy.create_time == datetime(2022, 4, 21, 6, 51, 4, tzinfo=UTC)


def test_blocked_sender_policy_that_was_read_can_be_changed_and_sent_back(client, script) -> None:
    """What the server said about dates goes back beside the change, so that nothing else changes."""
    script.answers = [script.envelope(BLOCKED), script.envelope(BLOCKED), script.envelope({"id": "eNo1"})]
    read = client.blocked_senders.get("eNo1")
    client.blocked_senders.update(read.id, msgspec.structs.replace(read.policy, enabled=False))
    client.blocked_senders.delete(read.id)
    sent = script.body(1)["data"][0]
    assert (sent["id"], sent["option"], sent["policy"]["enabled"]) == ("eNo1", "block_sender", False)
    assert sent["policy"]["fromEternal"] is True
    assert [r.url.path.rpartition("/")[2] for r in script.requests] == [
        "get-policy",
        "update-policy",
        "delete-policy",
    ]
    assert script.body(2)["data"] == [{"id": "eNo1"}]


def test_all_blocked_sender_policies_come_page_by_page(client, script) -> None:
    script.answers = [
        script.envelope(BLOCKED, pageSize=1, totalCount=2, next="T"),
        script.envelope(BLOCKED, pageSize=1),
    ]
    assert [p.id for p in client.blocked_senders.every(page_size=1)] == ["eNo1", "eNo1"]


def test_web_list_is_sent_flat_and_read_nested(client, script) -> None:
    """Requests hold bare policy objects, answers hold them inside `policy` (api.md section 3.0.5)."""
    script.answers = [script.envelope(WEB)]
    made = client.web_lists.create(
        "list", [WebEntry("block", "domain", "bad.test")], [Policy("all", Target.everyone())]
    )
    assert script.requests[0].url.path == "/api/policy/webwhiteurl/create-policy-with-targets"
    assert script.body()["data"] == [
        {
            "description": "list",
            "urls": [{"action": "block", "type": "domain", "value": "bad.test"}],
            "policies": [{"description": "all", "from": {"type": "everyone"}}],
        }
    ]
    assert (made.urls[0].id, made.policies[0].id) == ("U", "P")
    assert made.policies[0].policy.description == "some test policy"


def test_web_list_keeps_its_ids_over_an_update(client, script) -> None:
    script.answers = [script.envelope(WEB), script.envelope(WEB), script.envelope(WEB | {"deleted": True})]
    read = client.web_lists.get("W")
    client.web_lists.update("W", "new", read.urls, read.policies)
    gone = client.web_lists.delete("W")
    sent = script.body(1)["data"][0]
    assert sent["urls"][0]["id"] == "U"
    assert sent["policies"][0]["id"] == "P"
    assert sent["policies"][0]["description"] == "some test policy"
    assert "policy" not in sent["policies"][0]
    assert gone.id == "W"


def test_new_target_beside_old_ones_has_no_id(client, script) -> None:
    script.answers = [script.envelope(WEB)]
    client.web_lists.update("W", "new", [], [WebTarget(Policy("a"), "P"), WebTarget(Policy("b"))])
    assert script.body()["data"][0]["policies"] == [{"description": "a", "id": "P"}, {"description": "b"}]


def test_alteration_sets_definitions_and_policies(client, script) -> None:
    kept = {
        "id": "D",
        "addressType": "all",
        "originalAddress": "*@old.test",
        "newAddress": "*@new.test",
        "routing": "inbound",
    }
    folder = {"id": "S", "description": "set", "source": "cloud", "parentId": "", "folderCount": 1, "userCount": 0}
    script.answers = [
        script.envelope(folder | {"folders": []}),
        script.envelope(folder | {"folders": [folder | {"id": "C", "parentId": "S", "folders": []}]}),
        script.envelope({"id": "D", "success": True}),
        script.envelope({"items": [kept]}),
        script.envelope({"id": "P", "addressAlterationSetId": "S", "policy": SCOPE}),
        script.envelope(),
        script.envelope({"id": "P", "deleted": True}),
    ]
    alteration = client.address_alteration
    assert alteration.create_set("set").id == "S"
    assert alteration.sets("S", depth=2)[0].folders[0].id == "C"
    definition = DefinitionItem("*@old.test", "*@new.test", routing="inbound")
    assert alteration.create_definitions([definition], "S") == ["D"]
    assert alteration.definitions(folder_id="")[0].original_address == "*@old.test"
    assert alteration.create_policy("S", Policy("p", bidirectional=True)).address_alteration_set_id == "S"
    assert alteration.policy("gone") is None
    alteration.delete_policy("P")
    sent = [script.body(n)["data"][0] for n in range(7)]
    assert sent[1] == {"folderId": "S", "depth": 2}
    assert sent[2] == {
        "folderId": "S",
        "addressAlterations": [
            {
                "originalAddress": "*@old.test",
                "newAddress": "*@new.test",
                "addressType": "all",
                "routing": "inbound",
            }
        ],
    }
    assert sent[3] == {"folderId": ""}, "an empty folder id is the root, and must be sent"
    assert sent[4] == {"addressAlterationSetId": "S", "policy": {"description": "p", "bidirectional": True}}


def test_delegate_rights_name_the_holder_as_the_primary_address(client, script) -> None:
    """The primary address gains access, the delegate address is opened: often confused (api.md section 3.5)."""
    script.answers = [
        script.envelope({"id": "R", "success": True}),
        script.envelope(
            {"delegateUsers": [{"id": "R", "emailAddress": "boss@corp.test", "name": "Boss", "source": "cloud"}]}
        ),
        script.envelope({"id": "R", "success": True}),
        script.envelope({"delegateUsers": []}),
    ]
    assert client.delegates.add("ann@corp.test", mailbox="boss@corp.test").success
    assert [u.email_address for u in client.delegates.find("ann@corp.test")] == ["boss@corp.test"]
    client.delegates.remove("R")
    assert client.delegates.find("ann@corp.test") == []
    assert script.body(0)["data"] == [{"primaryAddress": "ann@corp.test", "delegateAddress": "boss@corp.test"}]
    assert script.body(2)["data"] == [{"id": "R"}]


@pytest.mark.parametrize("rows", [[], [BLOCKED, BLOCKED]])
def test_answer_with_another_number_of_rows_than_one_raises(client, script, rows: list) -> None:
    script.answers = [script.envelope(*rows)]
    with pytest.raises(ClientError, match="rows"):
        client.blocked_senders.get("x")


@pytest.mark.parametrize(
    ("target", "wire"),
    [
        (Target.internal(), {"type": "internal_addresses"}),
        (Target.external(), {"type": "external_addresses"}),
        (Target.free_mail(), {"type": "free_mail_domains"}),
        (Target.address("a@b.test"), {"type": "individual_email_address", "emailAddress": "a@b.test"}),
        (Target.group("G"), {"type": "profile_group", "groupId": "G"}),
        (Target.display_name("The Boss"), {"type": "header_display_name", "headerDisplayName": "The Boss"}),
        (
            Target.attribute_value("team", "red"),
            {"type": "address_attribute_value", "attribute": {"name": "team", "value": "red"}},
        ),
    ],
)
def test_target_carries_what_its_type_needs(target: Target, wire: dict) -> None:
    assert msgspec.to_builtins(target) == wire
