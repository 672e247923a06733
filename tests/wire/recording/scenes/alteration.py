"""Address alteration: sets, definitions and policies."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN, EVERYONE, FREE_MAIL, INTERNAL, NO_ID, address, domain, policy

ROOM = "policy/address-alteration/"
CREATE_SET, GET_SET = ROOM + "create-address-alteration-set", ROOM + "get-address-alteration-set"
CREATE_DEFINITION, GET_DEFINITION, DELETE_DEFINITION = (
    ROOM + f"{n}-definition" for n in ("create", "get", "delete")
)
CREATE, GET, UPDATE, DELETE = (ROOM + f"{n}-policy" for n in ("create", "get", "update", "delete"))


def definition(old: str, new: str, kind: str = "all", routing: str = "all") -> dict[str, str]:
    return {"originalAddress": old, "newAddress": new, "addressType": kind, "routing": routing}


def play(r: Recorder) -> None:
    top = [row["id"] for row in r.call("sets", CREATE_SET, {"description": "First"}, {"description": "Second"})]
    below = [
        r.call("a set below", CREATE_SET, {"description": f"Level {n}", "parentId": top[0]})[0]["id"]
        for n in (1, 2)
    ]
    r.call("a set further below", CREATE_SET, {"description": "Level 11", "parentId": below[0]})
    r.call(
        "sets that are refused",
        CREATE_SET,
        {"description": "x", "parentId": NO_ID},
        {"description": "s" * 600},
        {"description": "x", "parentId": "x"},
    )
    for depth in (0, 1, 2):
        r.call(f"sets down to {depth}", GET_SET, {"depth": depth})
    r.call(
        "one set",
        GET_SET,
        {"id": below[0]},
        {"folderId": top[0], "depth": 2},
        {"id": NO_ID},
        {"id": "x"},
        {"depth": -1},
    )
    r.pages("sets", GET_SET, {}, 1)
    made = r.call(
        "definitions in a set",
        CREATE_DEFINITION,
        {
            "folderId": top[0],
            "addressAlterations": [
                definition("Jo@Corp.Test", "joe@corp.test"),
                definition("*@corp.test", "*@old.test", "from", "outbound"),
                definition("sales@*", "shop@*", "to_cc_bcc", "inbound"),
                definition("re@corp.test", "re2@corp.test", "reply_to"),
                definition("se@corp.test", "se2@corp.test", "sender"),
                definition("ef@corp.test", "ef2@corp.test", "envelope_from"),
                definition("et@corp.test", "et2@corp.test", "envelope_to"),
            ],
        },
    )
    r.call(
        "a definition at the root",
        CREATE_DEFINITION,
        {"addressAlterations": [definition("root@corp.test", "r@corp.test")]},
    )
    r.call(
        "definitions that are refused",
        CREATE_DEFINITION,
        {"folderId": top[0], "addressAlterations": [definition("jo@corp.test", "other@corp.test")]},
        {"folderId": top[0], "addressAlterations": [definition("jo@corp.test", "joe@corp.test")]},
        {"folderId": NO_ID, "addressAlterations": [definition("a@corp.test", "b@corp.test")]},
        {"addressAlterations": [definition("x@far.test", "b@corp.test")]},
        {"addressAlterations": []},
        {"addressAlterations": [definition("none", "b@corp.test")]},
        {"addressAlterations": [definition("*@*", "b@corp.test")]},
        {"addressAlterations": [definition("a@corp.test", "*@corp.test")]},
        {"addressAlterations": [definition("new@corp.test", "b@corp.test"), definition("new2@corp.test", "bad")]},
        {"addressAlterations": [definition("a@corp.test", "b@corp.test", "moon", "sun")]},
        {"addressAlterations": "x"},
    )
    r.call(
        "definitions found",
        GET_DEFINITION,
        {"folderId": top[0]},
        {"folderId": ""},
        {"originalAddress": "jo@corp.test"},
        {"newAddress": "*@old.test"},
        {"routing": "inbound"},
        {"folderId": top[0], "routing": "outbound"},
        {},
        {"folderId": NO_ID},
        {"folderId": "x"},
        {"routing": "moon"},
        {"originalAddress": "none@corp.test"},
    )
    policies = [
        row["id"]
        for row in r.call(
            "policies",
            CREATE,
            {"addressAlterationSetId": top[0], "policy": policy("All", EVERYONE)},
            {
                "addressAlterationSetId": top[1],
                "policy": [policy("In a list", domain("far.test"), INTERNAL, bidirectional=True)],
            },
            {
                "addressAlterationSetId": below[0],
                "policy": {
                    "fromType": "everyone",
                    "toType": "individual_email_address",
                    "toValue": ANN,
                    "override": True,
                },
            },
            {"addressAlterationSetId": top[1], "policy": {}},
        )
    ]
    r.call(
        "policies that are refused",
        CREATE,
        {"addressAlterationSetId": NO_ID, "policy": policy("x", EVERYONE)},
        {"addressAlterationSetId": top[0], "policy": policy("x", FREE_MAIL)},
        {"addressAlterationSetId": top[0]},
        {"addressAlterationSetId": top[0], "policy": []},
        {"policy": policy("x", EVERYONE)},
        {"addressAlterationSetId": top[0], "policy": [policy("x", EVERYONE), policy("y", EVERYONE)]},
        {"addressAlterationSetId": top[0], "policy": policy("x", address("none"))},
    )
    r.call(
        "changes",
        UPDATE,
        {"id": policies[0], "addressAlterationSetId": top[1]},
        {"id": policies[0], "policy": {"description": "Renamed"}},
        {"id": policies[0]},
        {"id": policies[1], "policy": policy("Replaced", address(ANN), EVERYONE)},
        {"id": NO_ID, "policy": {}},
        {"id": policies[0], "addressAlterationSetId": NO_ID},
    )
    r.call("one policy, none", GET, {"id": policies[0]}, {"id": NO_ID}, {"id": "x"})
    r.pages("policies", GET, {}, 3)
    r.call("policies removed", DELETE, {"id": policies[0]}, {"id": policies[0]}, {"id": NO_ID})
    r.call("definitions removed", DELETE_DEFINITION, {"id": made[0]["id"]}, {"id": made[0]["id"]}, {"id": NO_ID})
    r.call("by the help desk", DELETE, {"id": policies[1]}, who="help_desk")
    r.call("by another account", GET, {"id": policies[1]}, who="foreign")
