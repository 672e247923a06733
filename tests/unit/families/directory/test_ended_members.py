"""Memberships that end: what the group endpoints say of them, what explains and lints them, and how they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.families.directory.groups import rows
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.model.targets import group_key
from mailreeve.store.changes import Name, Part
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import Kind

LATER = "2100-01-01T00:00:00+0000"
PAT = "pat@guest.test"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    (top,) = account.call("directory/create-group", {"description": "Guests"})
    (below,) = account.call("directory/create-group", {"description": "Visitors", "parentId": top["id"]})
    account.top, account.below = top["id"], below["id"]
    return account


def ended(account, member: str, ago: float = 60.0) -> None:
    """A membership that ended so many seconds ago, which nobody can make."""
    key = account.services.ids.open(Kind.GROUP, account.below, account.id)

    def transaction(work) -> None:
        rows.add_member(work, key, member, member, "", datetime.now(UTC) - timedelta(seconds=ago))
        work.touch(Part.DIRECTORY, Name(Kind.GROUP_MEMBER, member))

    account.write(transaction)


def add(account, member: str = PAT, **more: object) -> dict:
    item = {"id": account.below, "emailAddress": member, **more}
    (row,) = account.call("directory/add-group-member", item)
    return row


def members(account) -> dict[str, tuple[object, object]]:
    (answer,) = account.call("directory/get-group-members", {"id": account.below})
    found = answer["groupMembers"]
    return {one["emailAddress"]: (one.get("until"), one.get("ended")) for one in found}


def test_the_end_is_kept_shown_and_changed(corp) -> None:
    """Others have neither member in the answers, as before."""
    assert add(corp, until="2099-06-01T12:00")["until"] == "2099-06-01T12:00:00+0000"
    assert "until" not in add(corp, "ann@other.test")
    assert members(corp) == {PAT: ("2099-06-01T12:00:00+0000", False), "ann@other.test": (None, None)}
    change = {"id": corp.below, "emailAddress": PAT}
    corp.call("ext/update-group-member", {**change, "until": LATER, "notes": "prolonged"})
    assert members(corp)[PAT] == (LATER, False)
    corp.call("ext/update-group-member", {**change, "until": ""})
    assert members(corp)[PAT] == (None, None)
    revision = corp.policies().revision
    corp.call("ext/update-group-member", change)
    assert corp.policies().revision == revision
    with pytest.raises(ItemRefused):
        corp.call("ext/update-group-member", {**change, "until": "2020-01-01"})


def test_decisions_see_it_until_then_and_groups_above_too(corp) -> None:
    """Without any change of the account at that instant."""
    add(corp, until="2099-06-01T12:00:00Z")
    end = datetime(2099, 6, 1, 12, tzinfo=UTC).timestamp()
    top = group_key(corp.services.ids.open(Kind.GROUP, corp.top, corp.id))
    identities = corp.policies().identities
    assert top in identities.at(end - 0.001).keys(parse_address(PAT))
    assert top not in identities.at(end).keys(parse_address(PAT))


def test_an_ended_membership_is_no_obstacle_to_a_new_one(corp) -> None:
    """One that lasts is."""
    ended(corp, PAT)
    assert members(corp)[PAT][1] is True
    add(corp)
    assert members(corp) == {PAT: (None, None)}
    with pytest.raises(ItemRefused):
        add(corp, until=LATER)


def test_ended_memberships_are_found_by_the_linter_and_go_at_one_call(corp) -> None:
    """Of a group, or of all; those that last stay."""
    for number in range(3):
        ended(corp, f"p{number}@guest.test")
    add(corp, until=LATER)
    (answer,) = corp.call("ext/lint-policies", {"kind": "ended_membership"})
    (finding,) = answer["findings"]
    assert (finding["level"], finding["count"]) == ("note", 3)
    assert finding["policies"][0]["id"] == corp.below
    assert "p0@guest.test since" in finding["why"]
    (gone,) = corp.call("ext/remove-ended-members", {"id": corp.top})
    assert gone["removed"] == []
    (gone,) = corp.call("ext/remove-ended-members", {})
    assert sorted(one["emailAddress"] for one in gone["removed"]) == [
        f"p{number}@guest.test" for number in range(3)
    ]
    assert gone["more"] is False
    assert members(corp) == {PAT: (LATER, False)}
    assert [member for member, *_ in corp.policies().identities.ended(9e9)] == [PAT]


def test_explain_says_until_when(corp) -> None:
    """And after the end that the policy does not meet."""
    add(corp, until="2099-06-01T12:00:00Z")
    from_ = {"type": "profile_group", "groupId": corp.top}
    policy = {"description": "no guests", "from": from_, "to": {"type": "internal_addresses"}}
    (made,) = corp.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": policy})
    asked = {"from": PAT, "to": "ann@corp.test", "policyId": made["id"]}
    (before,) = corp.call("ext/explain-message", {**asked, "at": "2099-06-01T11:59:59Z"})
    assert before["verdict"] == "reject"
    note = next(one["note"] for one in before["trace"] if one["id"] == made["id"])
    assert note == "the sender is in Visitors until 2099-06-01 12:00:00 UTC, which is in Guests"
    (after,) = corp.call("ext/explain-message", {**asked, "at": "2099-06-01T12:00:00Z"})
    assert (after["verdict"], after["expected"]["applied"]) == ("deliver", False)


def test_a_policy_is_not_found_by_whoever_was_in_its_group(corp):
    """It decides nothing about them any more."""
    policy = {
        "description": "guests",
        "from": {"type": "profile_group", "groupId": corp.top},
        "to": {"type": "internal_addresses"},
    }
    corp.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": policy})
    ended(corp, PAT)
    assert corp.call("ext/find-policies", {"matching": PAT, "matchingTo": "ann@corp.test", "text": "guests"}) == []
    add(corp, "eve@guest.test", until=LATER)
    found = corp.call("ext/find-policies", {"matching": "eve@guest.test", "text": "guests"})
    assert [one["description"] for one in found] == ["guests"]
