"""Groups, the groups below them, and their members."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN, EVERYONE, NO_ID, block, domain, group

ROOM = "directory/"


def play(r: Recorder) -> None:
    create, find, update, delete, get = (
        ROOM + n for n in ("create-group", "find-groups", "update-group", "delete-group", "get-group")
    )
    r.call("the groups of a new account", find)
    top = r.call(
        "new groups",
        create,
        {"description": "Friends"},
        {"description": "Foes\nof ours"},
        {"description": "  Zoë  "},
    )
    friends, foes, zoe = (row["id"] for row in top)
    below = r.call(
        "groups below",
        create,
        {"description": "Best", "parentId": friends},
        {"description": "Good", "parentId": friends},
        {"description": "Friends"},
    )
    r.call(
        "groups that are refused",
        create,
        {"description": "x", "parentId": NO_ID},
        {"description": "x", "parentId": "none"},
        {"description": "y" * 600},
        {"description": "a\x1bb"},
    )
    r.call(
        "groups found",
        find,
        {"query": "fr"},
        {"query": "none such"},
        {"query": "ZOË"},
        {"source": "cloud"},
        {"source": "ldap"},
        {"source": "moon"},
    )
    r.pages("groups", find, {"query": "o"}, 2)
    r.call("one group, none, another's", get, {"id": friends}, {"id": NO_ID}, {"id": "x"})
    r.call("another account's group", get, {"id": friends}, who="foreign")
    best = below[0]["id"]
    r.call(
        "renamed and moved",
        update,
        {"id": zoe, "description": "Zoe"},
        {"id": zoe, "parentId": friends},
        {"id": zoe},
        {"id": zoe, "parentId": best, "description": "Deep"},
    )
    r.call(
        "moves that are refused",
        update,
        {"id": friends, "parentId": best},
        {"id": friends, "parentId": friends},
        {"id": NO_ID, "description": "x"},
        {"id": zoe, "parentId": NO_ID},
    )
    _depth(r, zoe)
    _members(r, friends, foes)
    named = r.call(
        "a policy with a group",
        "policy/blockedsenders/create-policy",
        block("Foes", group(foes)),
        block("Friends", group(friends), EVERYONE, "no_action"),
    )
    r.call("groups removed", delete, {"id": foes}, {"id": best}, {"id": below[1]["id"]}, {"id": NO_ID})
    for row in named:
        r.call("the policy goes", "policy/blockedsenders/delete-policy", {"id": row["id"]})
    r.call("groups removed after it", delete, {"id": foes}, {"id": foes})
    system = r.call("groups of the account", find, {"query": "Blocked Senders"})[0]["folders"][0]["id"]
    r.call("a system group", delete, {"id": system})
    r.call("a system group renamed", update, {"id": system, "description": "x"})


def _depth(r: Recorder, parent: str) -> None:
    for level in range(40):
        made = r.call(
            f"a group at depth {level}",
            ROOM + "create-group",
            {"description": f"level {level}", "parentId": parent},
        )
        if not made:
            return
        parent = made[0]["id"]


def _members(r: Recorder, friends: str, foes: str) -> None:
    add, remove, find = (ROOM + n for n in ("add-group-member", "remove-group-member", "get-group-members"))
    r.call(
        "members",
        add,
        {"id": friends, "emailAddress": ANN, "notes": "a\tnote"},
        {"id": friends, "domain": "far.test"},
        {"id": friends, "emailAddress": "Eve@Far.Test"},
        {"id": foes, "domain": "@bad.test"},
    )
    r.call(
        "members that are refused",
        add,
        {"id": friends, "emailAddress": ANN},
        {"id": friends, "domain": "FAR.test"},
        {"id": friends},
        {"id": friends, "emailAddress": ANN, "domain": "far.test"},
        {"id": friends, "emailAddress": "x"},
        {"id": friends, "domain": "not one"},
        {"id": NO_ID, "emailAddress": ANN},
        {"id": "x", "emailAddress": ANN},
    )
    r.call("members listed", find, {"id": friends}, {"id": foes}, {"id": NO_ID})
    r.pages("members", find, {"id": friends}, 1)
    r.call(
        "members removed",
        remove,
        {"id": friends, "emailAddress": ANN},
        {"id": friends, "emailAddress": ANN},
        {"id": friends, "domain": "far.test"},
        {"id": friends},
        {"id": NO_ID, "emailAddress": ANN},
        {"id": friends, "emailAddress": "nobody@corp.test"},
    )
    r.call("whole domains of ours", add, {"id": foes, "domain": "corp.test"})
    r.call(
        "a block of a member's",
        "policy/blockedsenders/create-policy",
        block("corp", domain("corp.test"), EVERYONE),
    )
