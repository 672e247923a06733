"""POST /api/ext/find-policies: policies of all types in one list, of which filters let some pass."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mailreeve.access.permissions import Permission
from mailreeve.families.policies.overview import operations
from mailreeve.families.registry import seed_account
from mailreeve.wire.errors import ItemRefused, RequestRefused

PATH = "ext/find-policies"
EVERYONE, INTERNAL = {"type": "everyone"}, {"type": "internal_addresses"}


def domain(name: str) -> dict[str, object]:
    return {"type": "email_domain", "emailDomain": name}


def address(name: str) -> dict[str, object]:
    return {"type": "individual_email_address", "emailAddress": name}


def policy(description: str, from_: dict, to: dict = INTERNAL, **more: object) -> dict[str, object]:
    return {"description": description, "from": from_, "to": to, **more}


@pytest.fixture
def filled(account):
    """Four of each kind but one, and a group."""
    account.write(seed_account)
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.group = account.call("directory/create-group", {"description": "Rivals"})[0]["id"]
    account.call("directory/add-group-member", {"id": account.group, "domain": "rival.test"})
    in_group = {"type": "profile_group", "groupId": account.group}
    blocked = [
        policy("evil", domain("evil.test"), comment="Ticket 7"),
        policy("off", domain("off.test"), enabled=False),
        policy("past", address("a@past.test"), toDate="2020-01-01T00:00:00Z"),
        policy("future", address("a@later.test"), fromDate="2090-01-01T00:00:00Z"),
        policy("rivals", in_group, address("Ann@corp.test")),
        policy("both ways", domain("corp.test"), domain("ways.test"), bidirectional=True),
    ]
    for one in blocked:
        account.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": one})
    account.call("ext/permittedsenders/create-policy", {"policy": policy("bank", domain("bank.test"))})
    set_ = account.call("policy/address-alteration/create-address-alteration-set", {"description": "Merger"})
    account.call(
        "policy/address-alteration/create-policy",
        {"addressAlterationSetId": set_[0]["id"], "policy": policy("merger", EVERYONE)},
    )
    account.call(
        "policy/webwhiteurl/create-policy-with-targets",
        {
            "description": "games",
            "policies": [policy("x", in_group, EVERYONE), policy("y", address("ann@corp.test"), EVERYONE)],
            "urls": [
                {"action": "block", "type": "domain", "value": "games.test"},
                {"action": "allow", "type": "domain", "value": "chess.games.test"},
            ],
        },
    )
    return account


def found(account, **item: object) -> list[str]:
    """The descriptions of what is found, but for the account's furniture."""
    rows = account.call(PATH, {name.rstrip("_"): value for name, value in item.items()})
    return [row["description"] for row in rows if not row["description"].startswith("Default: ")]


def test_policies_of_all_types_are_listed_by_type_with_what_they_do(filled) -> None:
    rows = {row["description"]: row for row in filled.call(PATH, {})}
    assert [row["type"] for row in rows.values()] == (
        ["blocked_senders"] * 9 + ["permitted_senders"] * 2 + ["address_alteration", "spam_scanning", "web_lists"]
    )
    does = {name: row["does"] for name, row in rows.items()}
    assert does["evil"] == "block_sender"
    assert does["bank"] == "permit"
    assert does["merger"] == "alter by Merger"
    assert does["games"] == "block 1, allow 1"
    assert rows["Default: no open relay"]["immutable"] is True
    assert rows["rivals"]["from"] == [{"type": "profile_group", "value": "Rivals", "groupId": filled.group}]
    assert rows["rivals"]["to"] == [{"type": "individual_email_address", "value": "Ann@corp.test"}]
    assert len(rows["games"]["from"]) == 2
    states = [rows[name]["state"] for name in ("evil", "off", "past", "future")]
    assert states == ["active", "disabled", "expired", "pending"]


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ({"type": "permitted_senders"}, ["bank"]),
        ({"type": "web_lists"}, ["games"]),
        ({"from_": "evil.test"}, ["evil"]),
        ({"from_": "@EVIL.test"}, ["evil"]),
        ({"from_": "a@evil.test"}, []),
        ({"from_": "A@past.test"}, ["past"]),
        ({"from_": "everyone"}, ["merger"]),
        ({"to": "ann@corp.test"}, ["rivals"]),
        ({"enabled": False}, ["off"]),
        ({"state": "expired"}, ["past"]),
        ({"state": "pending"}, ["future"]),
        ({"text": "ticket 7"}, ["evil"]),
        ({"text": "MERGER"}, ["merger"]),
        ({"text": "later.test"}, ["future"]),
        ({"matching": "x@rival.test"}, ["rivals", "merger", "games"]),
        ({"matching": "x@rival.test", "matchingTo": "ann@corp.test", "type": "blocked_senders"}, ["rivals"]),
        ({"matching": "x@rival.test", "matchingTo": "bob@corp.test", "type": "blocked_senders"}, []),
        ({"matching": "x@ways.test", "type": "blocked_senders"}, ["both ways"]),
        ({"from_": "evil.test", "enabled": False}, []),
    ],
    ids=str,
)
def test_filters_let_some_pass(filled, item, wanted) -> None:
    assert found(filled, **item) == wanted


def test_a_group_is_looked_for_on_either_side_and_an_id_by_its_beginning(filled) -> None:
    assert found(filled, groupId=filled.group) == ["rivals", "games"]
    for row in filled.call(PATH, {}):
        prefix = row["id"].lstrip("-")[:10]
        assert [one["id"] for one in filled.call(PATH, {"idPrefix": prefix})] == [row["id"]]
        assert filled.call(PATH, {"id": row["id"]}) == [row]


def test_only_types_that_the_caller_may_read_are_listed(filled) -> None:
    everything = filled.call(PATH, {})
    web = next(row for row in everything if row["type"] == "web_lists")
    for permission, wanted in (
        (Permission.GATEWAY_POLICIES_READ, [row for row in everything if row != web]),
        (Permission.WEB_SECURITY_POLICIES_READ, [web]),
    ):
        filled.caller = replace(filled.caller, permissions=frozenset({permission}))
        assert filled.call(PATH, {}) == wanted
        assert filled.answer(PATH, {})["meta"]["pagination"]["totalCount"] == len(wanted)
    with pytest.raises(ItemRefused):
        filled.call(PATH, {"id": everything[0]["id"]})
    filled.caller = replace(filled.caller, permissions=frozenset({Permission.DIRECTORIES_GROUPS_READ}))
    with pytest.raises(RequestRefused):
        filled.call(PATH, {})


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"type": "spam"}, "type"),
        ({"from": "a@"}, "from"),
        ({"to": "two words"}, "to"),
        ({"matching": "corp.test"}, "matching"),
        ({"groupId": "x"}, "groupId"),
        ({"id": "x"}, "id"),
        ({"state": "gone"}, "state"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_read_is_named(filled, item, field) -> None:
    with pytest.raises(ItemRefused) as caught:
        filled.call(PATH, item)
    assert [problem.field for problem in caught.value.problems] == [field]


@pytest.mark.parametrize("size", [1, 2, 3, 500])
@pytest.mark.parametrize("item", [{"text": "test"}, {"matching": "x@rival.test"}, {"enabled": True}], ids=str)
def test_a_call_looks_through_so_many_and_the_next_one_goes_on(filled, monkeypatch, item, size) -> None:
    """Pages may be short or empty; forward and back they hold every policy once, in order."""
    whole = filled.call(PATH, item)
    monkeypatch.setattr(operations, "MOST_READ", 4)
    monkeypatch.setattr(operations, "AT_ONCE", 2)
    pages = [filled.answer(PATH, item, meta={"pagination": {"pageSize": size}})]
    while "next" in pages[-1]["meta"]["pagination"]:
        token = pages[-1]["meta"]["pagination"]["next"]
        pages.append(filled.answer(PATH, item, meta={"pagination": {"pageSize": size, "pageToken": token}}))
    assert [row for page in pages for row in page["data"]] == whole
    assert all(len(page["data"]) <= size for page in pages)
    back = [pages[-1]]
    while "previous" in back[-1]["meta"]["pagination"]:
        token = back[-1]["meta"]["pagination"]["previous"]
        back.append(filled.answer(PATH, item, meta={"pagination": {"pageSize": size, "pageToken": token}}))
    assert [row for page in reversed(back) for row in page["data"]] == whole
