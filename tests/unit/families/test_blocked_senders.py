"""The blocked sender endpoints: what clients send, what they read, what is refused, what decisions then see.

The rules are those of api.md section 3.2 and behaviour.md section 3.
"""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from mailreeve.families.directory.groups.errors import GROUP_IN_USE, GROUP_NOT_FOUND
from mailreeve.families.policies.blocked_senders.errors import POLICY_IMMUTABLE
from mailreeve.families.policies.errors import POLICY_NOT_FOUND
from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import BlockedOption
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import BLANK, INVALID_TOKEN, NOT_ALLOWED, NULL, WRONG_TYPE, ItemRefused

CREATE = "policy/blockedsenders/create-policy"
UPDATE = "policy/blockedsenders/update-policy"
GET = "policy/blockedsenders/get-policy"
DELETE = "policy/blockedsenders/delete-policy"

EVERYONE = {"type": "everyone"}
EXTERNAL = {"type": "external_addresses"}
BAD = {"type": "email_domain", "emailDomain": "bad.test"}


@pytest.fixture
def corp(account):
    """An account that receives mail for corp.test."""
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def policy(**members) -> dict:
    changed = {name.rstrip("_"): value for name, value in members.items()}
    return {"description": "d", "from": BAD, "to": EVERYONE} | changed


def item(option="block_sender", **members) -> dict:
    return {"option": option, "policy": policy(**members)}


def one(account, path, wanted) -> dict:
    (row,) = account.call(path, wanted)
    return row


def problems(account, path, wanted) -> list[tuple[str, str | None]]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, wanted)
    return [(p.code, p.field) for p in refused.value.problems]


def refused_mail(account, sender="x@bad.test", to="ann@corp.test") -> bool:
    """Whether this message, without a body yet and from a relay network, is refused."""
    facts = MessageFacts(
        parse_address(sender), parse_address(to), at=1_800_000_000.0, header_from=(), source_trusted=True
    )
    return decide_mail(account.policies(), facts).action is Action.REJECT


def test_a_policy_is_answered_as_recorded(account):
    """`option`, `id` and `policy`, in this order, as the live service does."""
    made = one(account, CREATE, item())
    assert list(made) == ["option", "id", "policy"]
    assert made["option"] == "block_sender"
    shown = made["policy"]
    assert shown["from"] == {"type": "email_domain", "emailDomain": "bad.test"}
    assert (shown["fromType"], shown["fromValue"], shown["toType"]) == ("email_domain", "bad.test", "everyone")
    assert (shown["fromDate"], shown["toDate"]) == ("1900-01-01T00:00:00+0000", "2100-01-01T23:59:59+0000")
    assert shown["createTime"] == shown["lastUpdated"]


def test_a_policy_holds_for_the_very_next_message(corp):
    """And stops to when it is deleted."""
    assert not refused_mail(corp)
    made = one(corp, CREATE, item())
    assert refused_mail(corp)
    assert not refused_mail(corp, "x@good.test")
    one(corp, DELETE, {"id": made["id"]})
    assert not refused_mail(corp)


def test_a_narrower_exemption_wins(corp):
    """`no_action` as the single policy that applies exempts (api.md section 5)."""
    one(corp, CREATE, item())
    one(corp, CREATE, item("no_action", from_={"type": "individual_email_address", "emailAddress": "ok@bad.test"}))
    assert refused_mail(corp)
    assert not refused_mail(corp, "OK@bad.test")


def test_the_old_flat_form_of_two_large_clients_makes_the_same_policy(account):
    """Demisto and Rapid7 send `fromType` and `fromValue`, with `toValue` empty (clients.md)."""
    nested = one(account, CREATE, item())
    flat = one(
        account,
        CREATE,
        {
            "option": "block_sender",
            "policy": {
                "description": "d",
                "fromPart": "envelope_from",
                "fromType": "email_domain",
                "fromValue": "bad.test",
                "toType": "everyone",
                "toValue": "",
            },
        },
    )
    for row in (nested, flat):
        del row["id"], row["policy"]["createTime"], row["policy"]["lastUpdated"]
    assert flat == nested


@pytest.mark.parametrize(
    ("wanted", "faults"),
    [
        ({}, [(NULL.code, "option"), (NULL.code, "policy")]),
        ({"option": "", "policy": None}, [(BLANK.code, "option"), (NULL.code, "policy")]),
        ({"option": "explode", "policy": policy()}, [(NOT_ALLOWED.code, "option")]),
        ({"option": "no_action", "policy": [policy()]}, [(WRONG_TYPE.code, "policy")]),
        (item(from_={}), [(NULL.code, "policy.from.type")]),
        (item(fromPart="body"), [(NOT_ALLOWED.code, "policy.fromPart")]),
        (item(to={"type": "header_display_name"}), [(NULL.code, "policy.to.headerDisplayName")]),
        (item(to={"type": "web_device"}), [(NOT_ALLOWED.code, "policy.to.type")]),
        (item(from_={"type": "profile_group", "groupId": "x"}), [(INVALID_TOKEN.code, "policy.from.groupId")]),
    ],
)
@pytest.mark.parametrize("path", [CREATE, UPDATE])
def test_a_bad_policy_is_refused_with_every_member_named(account, path, wanted, faults):
    """And nothing is kept of it. Test 20 of behaviour.md: omission does not mean everyone here."""
    given = wanted
    if path == UPDATE:
        made = one(account, CREATE, item())
        given = {"id": made["id"], **wanted}
    assert problems(account, path, given) == faults
    rows = account.call(GET)
    assert [row["policy"]["from"] for row in rows] == ([BAD] if path == UPDATE else [])


def test_a_new_policy_without_anything_is_refused_with_every_member_named(account):
    """Test 20 of behaviour.md: omission does not mean everyone."""
    assert problems(account, CREATE, {"option": "no_action", "policy": {}}) == [
        (NULL.code, "policy.description"),
        (NULL.code, "policy.from"),
        (NULL.code, "policy.to"),
    ]


@pytest.mark.parametrize("path", [CREATE, UPDATE])
@pytest.mark.parametrize(
    "change",
    [
        {"description": "renamed"},
        {"enabled": False},
        {"toDate": "2027-01-01T00:00:00+0000"},
        {"conditions": {"sourceIPs": ["192.0.2.0/24"]}},
        {"fromPart": "both"},
        {"comment": "why"},
        {"override": True},
        {},
    ],
    ids=lambda change: next(iter(change), "nothing"),
)
def test_a_change_without_a_scope_leaves_the_scope_and_all_else(account, path, change):
    """D-48."""
    whole = {
        "description": "a policy",
        "comment": "c",
        "from": {"type": "individual_email_address", "emailAddress": "x@bad.test"},
        "to": {"type": "email_domain", "emailDomain": "corp.test"},
        "fromPart": "header_from",
        "fromDate": "2026-01-01T00:00:00+0000",
        "bidirectional": True,
        "conditions": {"sourceIPs": ["198.51.100.0/24"]},
    }
    made = one(account, CREATE, {"option": "block_sender", "policy": whole})
    changed = one(account, path, {"id": made["id"], "option": "block_sender", "policy": change})
    wanted = {**made["policy"], **change, "lastUpdated": changed["policy"]["lastUpdated"]}
    if "toDate" in change:
        wanted["toEternal"] = False
    assert changed["policy"] == wanted
    assert account.call(GET, {"id": made["id"]}) == [changed]


def test_a_change_of_one_side_leaves_the_other(account):
    """D-48: it is not whole, so that what it leaves out is not everyone."""
    made = one(account, CREATE, item(from_=BAD, to={"type": "email_domain", "emailDomain": "corp.test"}))
    other = {"type": "email_domain", "emailDomain": "worse.test"}
    changed = one(account, UPDATE, {"id": made["id"], "option": "block_sender", "policy": {"from": other}})
    assert (changed["policy"]["from"], changed["policy"]["to"]) == (other, made["policy"]["to"])
    flat = {"toType": "individual_email_address", "toValue": "u@corp.test"}
    changed = one(account, UPDATE, {"id": made["id"], "option": "block_sender", "policy": flat})
    assert (changed["policy"]["from"], changed["policy"]["toValue"]) == (other, "u@corp.test")


def test_a_policy_object_with_both_sides_replaces_the_whole(account):
    """What it leaves out takes its default."""
    made = one(account, CREATE, item(enabled=False, override=True, comment="c", toDate="2099-01-01T00:00:00Z"))
    changed = one(account, UPDATE, {"id": made["id"], **item()})["policy"]
    assert (changed["enabled"], changed["override"], changed["comment"], changed["toEternal"]) == (
        True,
        False,
        "",
        True,
    )


@pytest.mark.parametrize("spelling", ["nested", "flat"])
@pytest.mark.parametrize("side", ["from", "to"])
def test_what_two_clients_call_an_individual_address_is_one(account, side, spelling):
    """Answered by its proper name."""
    target = {"type": "email_address", "emailAddress": "x@corp.test"}
    flat = {f"{side}Type": "email_address", f"{side}Value": "x@corp.test"}
    wanted = item()
    wanted["policy"].pop(side)
    wanted["policy"].update({side: target} if spelling == "nested" else flat)
    answered = one(account, CREATE, wanted)["policy"]
    assert answered[side] == {"type": "individual_email_address", "emailAddress": "x@corp.test"}
    assert answered[f"{side}Type"] == "individual_email_address"


def test_a_display_name_of_recipients_is_kept_and_meets_nobody(corp):
    """D-02: it is in the published list, and recipients have no name in the envelope."""
    target = {"type": "header_display_name", "headerDisplayName": "The Boss"}
    made = one(corp, CREATE, item(to=target))
    assert (made["policy"]["to"], made["policy"]["toType"], made["policy"]["toValue"]) == (
        target,
        "header_display_name",
        "The Boss",
    )
    assert corp.call(GET, {"id": made["id"]}) == [made]
    assert not refused_mail(corp)


@pytest.mark.parametrize(
    "typed",
    ["2027-03-01T10:00:00+0100", "2027-03-01T10:00:00+01:00", "2027-03-01T09:00:00Z", "2027-03-01T09:00:00",
     "2027-03-01T09:00:00.500+0000", "2027-03-01T09:00:00+0000"],
)  # fmt: skip
def test_a_date_comes_back_as_it_was_written(account, typed):
    """D-47; the moment is the same, however it was written."""
    made = one(account, CREATE, item(toDate=typed))
    assert (made["policy"]["toDate"], made["policy"]["toEternal"]) == (typed, False)
    assert account.call(GET, {"id": made["id"]}) == [made]
    kept = one(account, UPDATE, {"id": made["id"], "option": "block_sender", "policy": {"comment": "c"}})
    assert kept["policy"]["toDate"] == typed


def test_a_group_that_is_gone_is_not_found(account):
    """Its id is genuine, yet names nothing any more."""
    (group,) = account.call("directory/create-group", {"description": "g"})
    account.call("directory/delete-group", {"id": group["id"]})
    target = {"type": "profile_group", "groupId": group["id"]}
    assert problems(account, CREATE, item(from_=target)) == [(GROUP_NOT_FOUND.code, "policy.from.groupId")]


def test_a_deleted_policy_lets_go_of_its_group(account):
    """The group can be deleted after it, and not before."""
    (group,) = account.call("directory/create-group", {"description": "g"})
    made = one(account, CREATE, item(from_={"type": "profile_group", "groupId": group["id"]}))
    assert problems(account, "directory/delete-group", {"id": group["id"]}) == [(GROUP_IN_USE.code, "id")]
    one(account, DELETE, {"id": made["id"]})
    one(account, "directory/delete-group", {"id": group["id"]})


def test_a_policy_for_a_group_holds_for_its_members(corp):
    """From the moment they are in it."""
    (group,) = corp.call("directory/create-group", {"description": "g"})
    made = one(corp, CREATE, item(from_={"type": "profile_group", "groupId": group["id"]}))
    assert made["policy"]["from"] == {"type": "profile_group", "groupId": group["id"]}
    assert not refused_mail(corp)
    corp.call("directory/add-group-member", {"id": group["id"], "emailAddress": "x@bad.test"})
    assert refused_mail(corp)
    assert not refused_mail(corp, "y@bad.test")


# Reading.


def test_all_policies_are_returned_when_none_is_named(account):
    """In the order in which they were made, with `pageSize` (clients.md); however `all` is spelled."""
    made = [one(account, CREATE, item(description=f"p{n}")) for n in range(3)]
    for asked in ([], [{}], [{"id": ""}], [{"id": None}]):
        answer = account.answer(GET, *asked)
        assert answer["data"] == made
        assert answer["meta"]["pagination"] == {"pageSize": 3, "totalCount": 3}
    assert account.answer(GET, {"id": made[1]["id"]})["data"] == [made[1]]


def test_several_policies_may_be_named(account):
    """Each item is a call; the page size is the number of rows."""
    made = [one(account, CREATE, item(description=f"p{n}")) for n in range(3)]
    answer = account.answer(GET, {"id": made[2]["id"]}, {"id": "nonsense"}, {"id": made[0]["id"]})
    assert answer["data"] == [made[2], made[0]]
    assert answer["meta"]["pagination"]["pageSize"] == 2
    assert [f["errors"][0]["code"] for f in answer["fail"]] == [INVALID_TOKEN.code]


def test_an_account_without_policies_answers_an_empty_page(account):
    """Which is no failure."""
    assert account.answer(GET) == {"meta": {"status": 200, "pagination": {"pageSize": 0}}, "data": [], "fail": []}


def test_policies_are_paged_when_asked_for(account):
    """XS sends a page size and follows `next`; more than a page of policies are returned whole otherwise."""
    made = [one(account, CREATE, item(description=f"p{n}")) for n in range(5)]
    first = account.answer(GET, meta={"pagination": {"pageSize": 3}})
    token = first["meta"]["pagination"]["next"]
    second = account.answer(GET, meta={"pagination": {"page_size": 3, "pageToken": token}})
    assert first["data"] + second["data"] == made
    assert "next" not in second["meta"]["pagination"]


# Changing.


def test_a_policy_is_replaced_whole(corp):
    """What is left out takes its default; id and creation time stay, `lastUpdated` moves."""
    made = one(corp, CREATE, item(override=True, comment="c", toDate="2030-01-01T00:00:00Z"))
    changed = one(corp, UPDATE, {"id": made["id"], **item("no_action", description="new")})
    assert changed["id"] == made["id"]
    assert changed["option"] == "no_action"
    assert changed["policy"]["createTime"] == made["policy"]["createTime"]
    kept = changed["policy"]
    assert (kept["description"], kept["override"], kept["comment"], kept["toEternal"]) == ("new", False, "", True)
    assert account_rows(corp) == [changed]
    assert not refused_mail(corp)


def account_rows(account) -> list[dict]:
    return account.call(GET)


def test_creating_with_an_id_is_updating(account):
    """XS's way to update (api.md section 3.2.1); an empty id is none."""
    made = one(account, CREATE, {"id": "", **item()})
    changed = one(account, CREATE, {"id": made["id"], **item(description="new")})
    assert (changed["id"], changed["policy"]["description"]) == (made["id"], "new")
    assert len(account_rows(account)) == 1


def test_what_was_read_can_be_written_back(account):
    """XS re-sends every member, far dates beside true eternities (api.md section 3.2.4): nothing changes."""
    made = one(account, CREATE, item(bidirectional=True, conditions={"sourceIPs": ["8.8.8.8/24"]}))
    again = one(account, CREATE, json.loads(json.dumps(made)))
    again["policy"]["lastUpdated"] = made["policy"]["lastUpdated"]
    assert again == made


def test_deleting_echoes_the_id_and_happens_once(account):
    """XS raises unless the id is the one that it sent."""
    made = one(account, CREATE, item())
    assert one(account, DELETE, {"id": made["id"]}) == {"id": made["id"], "deleted": True}
    assert problems(account, DELETE, {"id": made["id"]}) == [(POLICY_NOT_FOUND.code, "id")]
    assert account_rows(account) == []


@pytest.mark.parametrize("path", [UPDATE, DELETE, GET, CREATE])
def test_a_policy_that_is_not_ours_does_not_exist(account, other_account, path):
    """Another account's id and a group's id are no tokens; a deleted policy's id is not found. `fail`, not 404."""
    theirs = one(other_account, CREATE, item())
    (group,) = account.call("directory/create-group", {"description": "g"})
    gone = one(account, CREATE, item())
    one(account, DELETE, {"id": gone["id"]})
    rest = item() if path in (UPDATE, CREATE) else {}
    for wire_id, code in (
        (theirs["id"], INVALID_TOKEN.code),
        (group["id"], INVALID_TOKEN.code),
        ("x", INVALID_TOKEN.code),
        (gone["id"], POLICY_NOT_FOUND.code),
    ):
        assert problems(account, path, {"id": wire_id, **rest}) == [(code, "id")]
    assert account_rows(other_account) == [theirs]


@pytest.mark.parametrize("path", [UPDATE, DELETE])
def test_an_id_is_required(account, path):
    """Where one policy is meant."""
    assert (NULL.code, "id") in problems(account, path, {})


def test_a_batch_succeeds_in_part(account):
    """The good items are kept, the bad ones echoed; one transaction, one revision."""
    before = account.policies().revision
    bad = item(from_={"type": "email_domain"})
    answer = account.answer(CREATE, item(description="a"), bad, item(description="b"))
    assert [row["policy"]["description"] for row in answer["data"]] == ["a", "b"]
    assert [(f["key"], f["errors"][0]["field"]) for f in answer["fail"]] == [(bad, "policy.from.emailDomain")]
    assert len(account_rows(account)) == 2
    assert account.policies().revision == before + 1


def test_every_change_is_audited_with_the_policy_before_and_after(account):
    """D-38."""
    made = one(account, CREATE, item())
    one(account, UPDATE, {"id": made["id"], **item("no_action")})
    one(account, DELETE, {"id": made["id"]})
    columns = (audit_event.c.action, audit_event.c.object_kind, audit_event.c.before, audit_event.c.after)
    query = select(*columns).where(audit_event.c.account_id == account.id).order_by(audit_event.c.id)
    rows = account.write(lambda work: [tuple(row) for row in work.execute(query)])
    options = [tuple(text and json.loads(text)["option"] for text in row[2:]) for row in rows]
    assert [row[:2] for row in rows] == [(a, "blocked sender policy") for a in ("create", "update", "delete")]
    assert options == [(None, "block_sender"), ("block_sender", "no_action"), ("no_action", None)]


# What every account starts with.


@pytest.fixture
def furnished(corp):
    corp.write(seed_account)
    return corp


def test_an_account_starts_with_three_policies(furnished):
    """No open relay, its exemptions, and the group of blocked senders (behaviour.md section 3.2, D-14)."""
    rows = account_rows(furnished)
    assert [(r["option"], r["policy"]["fromType"], r["policy"]["toType"]) for r in rows] == [
        ("block_sender", "external_addresses", "external_addresses"),
        ("no_action", "profile_group", "everyone"),
        ("block_sender", "profile_group", "internal_addresses"),
    ]
    assert refused_mail(furnished, "a@x.test", "b@y.test")
    assert not refused_mail(furnished, "a@x.test", "ann@corp.test")


def test_the_groups_of_the_default_policies_work(furnished):
    """Whoever is put in is blocked, or may relay."""
    (found,) = furnished.call("directory/find-groups", {"query": "Blocked Senders"})
    furnished.call("directory/add-group-member", {"id": found["folders"][0]["id"], "domain": "bad.test"})
    assert refused_mail(furnished)
    (found,) = furnished.call("directory/find-groups", {"query": "Relay"})
    furnished.call("directory/add-group-member", {"id": found["folders"][0]["id"], "emailAddress": "a@x.test"})
    assert not refused_mail(furnished, "a@x.test", "b@y.test")
    assert refused_mail(furnished, "c@x.test", "b@y.test")


def test_the_relay_guard_is_fixed(furnished):
    """It cannot be changed or deleted by any path; the two others can."""
    guard, exempt, blocked = account_rows(furnished)
    for path, wanted in (
        (DELETE, {"id": guard["id"]}),
        (UPDATE, {"id": guard["id"], **item()}),
        (CREATE, {"id": guard["id"], **item()}),
    ):
        assert problems(furnished, path, wanted) == [(POLICY_IMMUTABLE.code, "id")]
    for row in (exempt, blocked):
        one(furnished, DELETE, {"id": row["id"]})
    assert [row["id"] for row in account_rows(furnished)] == [guard["id"]]
    assert [p.relay_guard for p in furnished.policies().blocked.policies] == [True]


@pytest.mark.parametrize("path", [CREATE, UPDATE])
def test_there_is_no_second_relay_guard(account, path):
    """No second policy of that scope; one with a condition, a date or another option is something else."""
    made = one(account, CREATE, item())
    extra = {"id": made["id"]} if path == UPDATE else {}
    second = item(from_=EXTERNAL, to=EXTERNAL)
    assert problems(account, path, extra | second) == [(POLICY_IMMUTABLE.code, "policy")]
    for other in (
        item("no_action", from_=EXTERNAL, to=EXTERNAL),
        item(from_=EXTERNAL, to=EXTERNAL, conditions={"sourceIPs": ["192.0.2.1"]}),
        item(from_=EXTERNAL, to=EXTERNAL, toDate="2099-01-01T00:00:00Z"),
    ):
        one(account, path, extra | other)


def test_decisions_see_the_policy_as_it_was_written(account):
    """Option, description and scope; nobody else's."""
    one(account, CREATE, item(description="why", override="true", enabled="False"))
    (seen,) = account.policies().blocked.policies
    assert (seen.description, seen.option, seen.relay_guard) == ("why", BlockedOption.BLOCK_SENDER, False)
    assert (seen.scope.terms.override, seen.scope.terms.enabled) == (True, False)


def test_another_accounts_policies_are_not_seen(account, other_account):
    """Neither by reads nor by decisions."""
    one(other_account, CREATE, item())
    assert account_rows(account) == []
    assert account.policies().blocked.policies == ()
