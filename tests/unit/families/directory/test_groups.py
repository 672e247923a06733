"""The group endpoints: what they answer, what they refuse, and what decisions then see (api.md section 3.7)."""

from __future__ import annotations

import pytest

from mailreeve.families.directory.domains.errors import NOT_MANAGED
from mailreeve.families.directory.groups import operations
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.groups.errors import (
    GROUP_CYCLE,
    GROUP_DEPTH,
    GROUP_IN_USE,
    GROUP_LIMIT,
    GROUP_MEMBER_EXISTS,
    GROUP_MEMBER_NOT_FOUND,
    GROUP_NOT_FOUND,
)
from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.wire.errors import (
    AT_LEAST_ONE,
    BAD_ADDRESS,
    BAD_DOMAIN,
    BLANK,
    EXACTLY_ONE,
    INVALID_TOKEN,
    NOT_ALLOWED,
    NULL,
    TOO_LONG,
    ItemRefused,
)

CREATE = "directory/create-group"
UPDATE = "directory/update-group"
DELETE = "directory/delete-group"
GET = "directory/get-group"
FIND = "directory/find-groups"
MEMBERS = "directory/get-group-members"
ADD = "directory/add-group-member"
REMOVE = "directory/remove-group-member"


def one(account, path, **item) -> dict:
    (row,) = account.call(path, item)
    return row


def refusal(account, path, **item) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def new_group(account, name="Partners", **members) -> str:
    return one(account, CREATE, description=name, **members)["id"]


def folders(account, **asked) -> list[dict]:
    return one(account, FIND, **asked)["folders"]


def members(account, group_id) -> list[dict]:
    return one(account, MEMBERS, id=group_id)["groupMembers"]


# Groups.


def test_a_new_group_is_answered_whole(account):
    """`id, description, source, parentId, userCount, folderCount`, and is found again under its id."""
    made = one(account, CREATE, description="Partners")
    assert made == {
        "id": made["id"],
        "description": "Partners",
        "source": "cloud",
        "parentId": "",
        "userCount": 0,
        "folderCount": 0,
    }
    assert one(account, GET, id=made["id"], source="cloud") == made


def test_a_group_below_another_is_counted_there(account):
    """`parentId` is the other's id, whose `folderCount` grows; `userCount` counts members."""
    parent = new_group(account)
    child = one(account, CREATE, description="Child", parentId=parent)
    account.call(ADD, {"id": parent, "domain": "x.test"}, {"id": parent, "emailAddress": "a@y.test"})
    assert child["parentId"] == parent
    above = one(account, GET, id=parent)
    assert (above["folderCount"], above["userCount"]) == (1, 2)
    assert folders(account) == [above, child]


@pytest.mark.parametrize(
    ("item", "refused"),
    [
        ({}, (NULL.code, "description")),
        ({"description": " "}, (BLANK.code, "description")),
        ({"description": "x" * (operations.MAX_NAME + 1)}, (TOO_LONG.code, "description")),
        ({"description": "x", "parentId": "nonsense"}, (INVALID_TOKEN.code, "parentId")),
    ],
)
def test_a_group_that_cannot_be_is_refused(account, item, refused):
    """With the code and the member."""
    assert refusal(account, CREATE, **item) == refused
    assert folders(account) == []


def test_an_account_holds_so_many_groups(account, monkeypatch):
    """And not one more."""
    monkeypatch.setattr(operations, "MAX_GROUPS", 2)
    new_group(account)
    new_group(account)
    assert refusal(account, CREATE, description="x") == (GROUP_LIMIT.code, None)


def test_a_group_is_renamed_and_moved(account):
    """What is left out stays."""
    parent, group = new_group(account, "Above"), new_group(account, "Old")
    assert one(account, UPDATE, id=group, description="New")["description"] == "New"
    moved = one(account, UPDATE, id=group, parentId=parent)
    assert (moved["description"], moved["parentId"]) == ("New", parent)
    assert one(account, GET, id=group) == moved


def test_a_group_is_never_below_itself(account):
    """Neither directly nor further down."""
    top = new_group(account, "Top")
    middle = new_group(account, "Middle", parentId=top)
    bottom = new_group(account, "Bottom", parentId=middle)
    for parent in (top, middle, bottom):
        assert refusal(account, UPDATE, id=top, parentId=parent) == (GROUP_CYCLE.code, "parentId")
    assert one(account, UPDATE, id=bottom, parentId=top)["parentId"] == top


def chain(account, length, parent=None) -> list[str]:
    """So many groups, each in the one before."""
    made = []
    for number in range(length):
        above = made[-1] if made else parent
        made.append(new_group(account, f"Level {number}", **({} if above is None else {"parentId": above})))
    return made


def test_so_many_groups_lie_one_in_another(account):
    """And not one more, however it would get there: made in place, moved, or moved with those below it."""
    most = operations.MAX_DEPTH
    groups = chain(account, most)
    assert refusal(account, CREATE, description="x", parentId=groups[-1]) == (GROUP_DEPTH.code, "parentId")
    alone = new_group(account, "Alone")
    assert refusal(account, UPDATE, id=alone, parentId=groups[-1]) == (GROUP_DEPTH.code, "parentId")
    assert one(account, UPDATE, id=alone, parentId=groups[-2])["parentId"] == groups[-2]
    top, *_, last = chain(account, 3)
    # Its height is that of its longest branch.
    branch = new_group(account, "Branch", parentId=top)
    assert refusal(account, UPDATE, id=top, parentId=groups[most - 3]) == (GROUP_DEPTH.code, "parentId")
    assert one(account, UPDATE, id=top, parentId=groups[most - 4])["parentId"] == groups[most - 4]
    assert refusal(account, CREATE, description="x", parentId=last) == (GROUP_DEPTH.code, "parentId")
    assert new_group(account, "MemoryBudget", parentId=branch)
    with pytest.raises(ItemRefused, match=f"at most {most} lie one in another"):
        account.call(CREATE, {"description": "x", "parentId": last})


def test_groups_that_lie_too_deep_already_work_and_can_be_moved_up(account, monkeypatch):
    """As a folder from before the limit has them. They are renamed, found, and count for whoever is in them."""
    monkeypatch.setattr(operations, "MAX_DEPTH", 100)
    groups = chain(account, 30)
    monkeypatch.undo()
    account.call(ADD, {"id": groups[-1], "emailAddress": "ann@x.test"})
    assert one(account, UPDATE, id=groups[25], description="Renamed")["description"] == "Renamed"
    keys = account.policies().identities.keys(parse_address("ann@x.test"))
    assert len(keys.groups) == 30
    alone = new_group(account, "Alone")
    assert refusal(account, UPDATE, id=alone, parentId=groups[28]) == (GROUP_DEPTH.code, "parentId")
    assert one(account, UPDATE, id=groups[15], parentId=groups[0])["parentId"] == groups[0]
    assert len(account.policies().identities.keys(parse_address("ann@x.test")).groups) == 16


def test_a_deleted_group_is_gone_with_its_members(account):
    """The id is echoed; afterwards it names nothing."""
    group = new_group(account)
    account.call(ADD, {"id": group, "emailAddress": "ann@x.test"})
    assert one(account, DELETE, id=group) == {"id": group, "deleted": True}
    assert refusal(account, GET, id=group) == (GROUP_NOT_FOUND.code, "id")
    assert refusal(account, DELETE, id=group) == (GROUP_NOT_FOUND.code, "id")
    assert account.policies().directory.groups == {}


def test_a_group_that_is_in_use_stays(account):
    """With groups below it, or named by a policy: the policy would never match again, without a word."""
    parent = new_group(account)
    child = new_group(account, "Child", parentId=parent)
    assert refusal(account, DELETE, id=parent) == (GROUP_IN_USE.code, "id")
    target = {"type": "profile_group", "groupId": child}
    policy = {"description": "d", "from": target, "to": {"type": "everyone"}}
    (made,) = account.call("policy/blockedsenders/create-policy", {"option": "no_action", "policy": policy})
    assert refusal(account, DELETE, id=child) == (GROUP_IN_USE.code, "id")
    policy["from"] = {"type": "everyone"}
    account.call(
        "policy/blockedsenders/update-policy", {"id": made["id"], "option": "no_action", "policy": policy}
    )
    one(account, DELETE, id=child)
    one(account, DELETE, id=parent)


def test_the_groups_of_a_new_account_stay_but_take_members(account):
    """The default policies rest on them (api.md section 3.7, behaviour.md section 3.2)."""
    account.write(seed_account)
    group = folders(account, query="Blocked Senders")[0]["id"]
    assert refusal(account, UPDATE, id=group, description="x") == (NOT_MANAGED.code, "id")
    assert refusal(account, DELETE, id=group) == (NOT_MANAGED.code, "id")
    account.call(ADD, {"id": group, "domain": "bad.test"})
    assert [m["domain"] for m in members(account, group)] == ["bad.test"]


@pytest.mark.parametrize(
    ("path", "extra"), [(UPDATE, {"description": "x"}), (DELETE, {}), (GET, {}), (MEMBERS, {})]
)
def test_another_accounts_group_does_not_exist(account, other_account, path, extra):
    """Its id is as good as none; so is a missing one."""
    theirs = new_group(other_account)
    assert refusal(account, path, id=theirs, **extra) == (INVALID_TOKEN.code, "id")
    assert refusal(account, path, **extra) == (NULL.code, "id")
    assert refusal(account, CREATE, description="x", parentId=theirs) == (INVALID_TOKEN.code, "parentId")


# Finding.


def test_nothing_found_is_an_empty_list_and_a_page_of_none(account):
    """XS decides by `pageSize` (api.md section 3.7)."""
    answer = account.answer(FIND)
    assert answer["data"] == [{"source": "cloud", "folders": []}]
    assert answer["meta"]["pagination"] == {"pageSize": 0}


def test_groups_are_found_by_a_part_of_their_name_in_any_case(account):
    """The query is answered when it was sent, and only then."""
    new_group(account, "Permitted senders")
    new_group(account, "Blocked Senders")
    new_group(account, "Straße")
    found = one(account, FIND, query="SENDERS")
    assert [g["description"] for g in found["folders"]] == ["Permitted senders", "Blocked Senders"]
    assert found["query"] == "SENDERS"
    assert [g["description"] for g in folders(account, query="STRASSE")] == ["Straße"]
    assert folders(account, query="nobody") == []
    assert len(folders(account, query="")) == 3
    assert "query" not in one(account, FIND, query="")


def test_groups_are_found_by_source(account):
    """None comes from a directory server; a source that is none is refused."""
    new_group(account)
    assert len(folders(account, source="cloud")) == 1
    assert one(account, FIND, source="ldap") == {"source": "ldap", "folders": []}
    assert refusal(account, FIND, source="moon") == (NOT_ALLOWED.code, "source")


def test_groups_are_listed_in_pages_in_the_order_they_were_made(account):
    """Each once; the last page has no `next`."""
    for number in range(5):
        new_group(account, f"g{number}")
    seen: list[str] = []
    pagination: dict[str, object] = {"pageSize": 2}
    for expected in (2, 2, 1):
        answer = account.answer(FIND, meta={"pagination": pagination})
        seen += [g["description"] for g in answer["data"][0]["folders"]]
        shown = answer["meta"]["pagination"]
        assert (shown["pageSize"], shown["totalCount"]) == (expected, 5)
        pagination = {"pageToken": shown.get("next")}
    assert pagination == {"pageToken": None}
    assert seen == [f"g{n}" for n in range(5)]


def test_two_questions_in_one_request_are_both_answered_and_counted(account):
    """N items are N calls; the page size shown is that of all of `data`."""
    new_group(account, "a")
    new_group(account, "b")
    answer = account.answer(FIND, {"query": "a"}, {"query": ""})
    assert [len(row["folders"]) for row in answer["data"]] == [1, 2]
    assert answer["meta"]["pagination"] == {"pageSize": 3, "totalCount": 3}


# Members.


def test_a_member_is_answered_with_its_own_id_and_the_groups(account):
    """`id` is the membership, `folderId` the group; `internal` goes by the account's domains."""
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    group = new_group(account)
    made = one(account, ADD, id=group, emailAddress="Ann@Corp.TEST", notes="why")
    assert made == {
        "id": made["id"],
        "folderId": group,
        "emailAddress": "Ann@Corp.TEST",
        "domain": "corp.test",
        "internal": True,
    }
    assert made["id"] != group
    assert members(account, group) == [
        {
            "name": "",
            "emailAddress": "Ann@Corp.TEST",
            "domain": "corp.test",
            "type": "created_manually",
            "internal": True,
            "notes": "why",
        }
    ]


def test_a_member_has_the_name_of_its_user(account):
    """By the primary address, an alias, or a tagged form of them; who is no user has none (api.md section 3.7)."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "ann@corp.test", "name": "Ann Smith"})
    account.call("user/create-user", {"emailAddress": "bob@corp.test"})
    account.call("user/update-alias", {"alias": "A.Smith@corp.test", "aliasFor": "ann@corp.test"})
    group = new_group(account)
    addresses = [
        "Ann@corp.test",
        "a.smith@corp.test",
        "ann+x+y@corp.test",
        "a.smith+x@corp.test",
        "bob@corp.test",
        "ann@far.test",
    ]
    for text in addresses:
        one(account, ADD, id=group, emailAddress=text)
    one(account, ADD, id=group, domain="corp.test")
    names = {m["emailAddress"]: m["name"] for m in members(account, group)}
    assert names == dict(zip(addresses, ["Ann Smith"] * 4 + ["", ""], strict=True)) | {"": ""}


@pytest.mark.parametrize("written", ["Bad.test", "@Bad.test"])
def test_a_domain_member_has_an_empty_address(account, written):
    """Clients read both keys (clients.md)."""
    group = new_group(account)
    made = one(account, ADD, id=group, domain=written)
    assert (made["emailAddress"], made["domain"], made["internal"]) == ("", "Bad.test", False)
    (listed,) = members(account, group)
    assert (listed["emailAddress"], listed["domain"]) == ("", "Bad.test")


@pytest.mark.parametrize(
    ("item", "refused"),
    [
        ({}, (AT_LEAST_ONE.code, "emailAddress")),
        ({"emailAddress": "", "domain": None}, (AT_LEAST_ONE.code, "emailAddress")),
        ({"emailAddress": "a@x.test", "domain": "x.test"}, (EXACTLY_ONE.code, "domain")),
        ({"emailAddress": "nobody"}, (BAD_ADDRESS.code, "emailAddress")),
        ({"domain": "*.x.test"}, (BAD_DOMAIN.code, "domain")),
        ({"domain": "a@x.test"}, (BAD_DOMAIN.code, "domain")),
    ],
)
@pytest.mark.parametrize("path", [ADD, REMOVE])
def test_a_member_that_cannot_be_is_refused(account, path, item, refused):
    """One of address and domain, well formed; wildcards have no place in groups (behaviour.md section 2.2)."""
    assert refusal(account, path, id=new_group(account), **item) == refused


def test_notes_are_short(account):
    """Up to 100 characters (api.md section 3.7)."""
    group = new_group(account)
    one(account, ADD, id=group, domain="x.test", notes="n" * 100)
    assert refusal(account, ADD, id=group, domain="y.test", notes="n" * 101) == (TOO_LONG.code, "notes")


@pytest.mark.parametrize("again", ["ann@x.test", "ANN@X.TEST"])
def test_a_member_is_added_once(account, again):
    """In whatever case (api.md section 1.6); the code is the live one."""
    group = new_group(account)
    one(account, ADD, id=group, emailAddress="ann@x.test")
    assert refusal(account, ADD, id=group, emailAddress=again) == (GROUP_MEMBER_EXISTS.code, None)
    assert len(members(account, group)) == 1


def test_a_repetition_in_one_request_is_refused_and_the_rest_done(account):
    """Each item by itself, in order, with the refused one echoed as it came."""
    group = new_group(account)
    repeated = {"id": group, "emailAddress": "Ann@x.test", "notes": None}
    answer = account.answer(
        ADD, {"id": group, "emailAddress": "ann@x.test"}, repeated, {"id": group, "domain": "y.test"}
    )
    assert [row["emailAddress"] or row["domain"] for row in answer["data"]] == ["ann@x.test", "y.test"]
    (failure,) = answer["fail"]
    assert failure["key"] == repeated
    assert [e["code"] for e in failure["errors"]] == [GROUP_MEMBER_EXISTS.code]


def test_a_removed_member_is_answered_as_it_was(account):
    """And is gone; removing it again has the live code."""
    group = new_group(account)
    added = one(account, ADD, id=group, emailAddress="Ann@x.test")
    assert one(account, REMOVE, id=group, emailAddress="ann@X.test") == added
    assert members(account, group) == []
    assert refusal(account, REMOVE, id=group, emailAddress="ann@x.test") == (GROUP_MEMBER_NOT_FOUND.code, None)
    assert one(account, ADD, id=group, emailAddress="ann@x.test")["id"] != added["id"]


def test_members_of_another_group_are_not_touched(account):
    """The same address may be in many groups."""
    one_group, other = new_group(account), new_group(account, "Other")
    for group in (one_group, other):
        account.call(ADD, {"id": group, "domain": "x.test"})
    account.call(REMOVE, {"id": one_group, "domain": "x.test"})
    assert (members(account, one_group), len(members(account, other))) == ([], 1)


@pytest.mark.parametrize("path", [ADD, REMOVE])
def test_another_accounts_group_takes_no_members(account, other_account, path):
    """Nor does a membership's id stand for a group."""
    theirs = new_group(other_account)
    assert refusal(account, path, id=theirs, domain="x.test") == (INVALID_TOKEN.code, "id")
    membership = one(account, ADD, id=new_group(account), domain="x.test")["id"]
    assert refusal(account, path, id=membership, domain="x.test") == (INVALID_TOKEN.code, "id")


def test_members_are_listed_in_pages(account):
    """In the order in which they were added."""
    group = new_group(account)
    account.call(ADD, *({"id": group, "domain": f"d{n}.test"} for n in range(5)))
    first = account.answer(MEMBERS, {"id": group}, meta={"pagination": {"pageSize": 3}})
    token = first["meta"]["pagination"]["next"]
    second = account.answer(MEMBERS, {"id": group}, meta={"pagination": {"pageToken": token}})
    assert second["meta"]["pagination"].keys() == {"pageSize", "totalCount", "previous"}
    shown = [m["domain"] for a in (first, second) for m in a["data"][0]["groupMembers"]]
    assert shown == [f"d{n}.test" for n in range(5)]
    empty = account.answer(MEMBERS, {"id": new_group(account, "Empty")})
    assert (empty["data"], empty["meta"]["pagination"]) == ([{"groupMembers": []}], {"pageSize": 0})


def test_decisions_see_members_at_once(account):
    """Addresses by their keys, domains as they are, and the way up to the parent (D-03)."""
    parent = new_group(account, "Above")
    group = new_group(account, "Below", parentId=parent)
    account.call(ADD, {"id": group, "emailAddress": "Ann@X.test"}, {"id": parent, "domain": "Bücher.test"})
    directory = account.policies().directory
    keys = account.write(lambda work: {row.name: row.id for row in group_rows.every_group(work)})
    assert directory.groups == {"ann@x.test": (keys["Below"],), "xn--bcher-kva.test": (keys["Above"],)}
    assert directory.parents == {keys["Below"]: keys["Above"]}
    assert directory.group_names == {keys["Below"]: "Below", keys["Above"]: "Above"}
    account.call(REMOVE, {"id": group, "emailAddress": "ann@x.test"})
    assert account.policies().directory.groups.keys() == {"xn--bcher-kva.test"}
