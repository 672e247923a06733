"""An office with policies of every type, some of which make no sense: explanations, lint and mail need it."""

from __future__ import annotations

from dataclasses import dataclass

from recorder import Recorder

from scenes.alteration import definition
from scenes.web_lists import url, web
from scenes.words import (
    ANN,
    BOB,
    CAT,
    EVERYONE,
    EXTERNAL,
    FREE_MAIL,
    INTERNAL,
    address,
    attribute,
    block,
    display_name,
    domain,
    group,
    policy,
)

ALTERATION = "policy/address-alteration/"


@dataclass(frozen=True)
class Office:
    """Ids that scenes name."""

    block: str
    exemption: str
    web_list: str


def furnish(r: Recorder) -> Office:
    r.call(
        "domains", "domain/create-domain", {"domain": "old.test"}, {"domain": "known.test", "inboundType": "known"}
    )
    r.call(
        "users",
        "user/create-user",
        {"emailAddress": ANN, "name": "Ann"},
        {"emailAddress": BOB},
        {"emailAddress": CAT, "name": "The Boss"},
        {"emailAddress": "kim@known.test"},
    )
    r.call("an alias", "user/update-alias", {"alias": "annie@corp.test", "aliasFor": ANN})
    r.call(
        "an attribute",
        "user/update-attributes",
        {"emailAddress": BOB, "attributes": [{"name": "team", "value": "Red"}]},
    )
    team = r.call("groups", "directory/create-group", {"description": "Partners"}, {"description": "Empty"})
    partners, empty = (row["id"] for row in team)
    r.call(
        "members",
        "directory/add-group-member",
        {"id": partners, "domain": "partner.test"},
        {"id": partners, "emailAddress": "pat@far.test"},
    )
    groups = r.call("the account's groups", "directory/find-groups")[0]["folders"]
    permitted = next(g["id"] for g in groups if g["description"] == "Permitted Senders")
    blocked = next(g["id"] for g in groups if g["description"] == "Blocked Senders")
    r.call(
        "permitted and blocked for all",
        "directory/add-group-member",
        {"id": permitted, "domain": "permitted.test"},
        {"id": blocked, "emailAddress": "spam@far.test"},
    )
    personal = "managedsender/permit-or-block-sender"
    r.call(
        "personal lists",
        personal,
        {"sender": "eve@far.test", "to": ANN, "action": "block"},
        {"sender": "news.test", "to": ANN, "action": "block"},
        {"sender": "pal@bad.test", "to": ANN, "action": "permit"},
        {"sender": "list.test", "to": BOB, "action": "permit"},
    )
    made = r.call(
        "blocked senders",
        "policy/blockedsenders/create-policy",
        block("No bad.test", domain("bad.test"), INTERNAL),
        block("But good@bad.test", address("good@bad.test"), INTERNAL, "no_action"),
        block("No bad headers", domain("header.test"), INTERNAL, fromPart="header_from"),
        block("Either part", domain("either.test"), INTERNAL, fromPart="both"),
        block("No false boss", display_name("The Boss"), INTERNAL, fromPart="header_from"),
        block("Free mail for red", FREE_MAIL, attribute("team", "red")),
        block("Partners may", group(partners), EVERYONE, "no_action", override=True),
        block("Nobody", group(empty), INTERNAL),
        block("Expired", domain("expired.test"), INTERNAL, toDate="2020-01-01T00:00:00Z"),
        block("Later", domain("later.test"), INTERNAL, fromDate="2099-01-01T00:00:00Z"),
        block("Off", domain("off.test"), INTERNAL, enabled=False),
        block("From a network", domain("net.test"), INTERNAL, conditions={"sourceIPs": ["192.0.2.0/24"]}),
        block("Both ways", domain("ways.test"), INTERNAL, bidirectional=True),
        block("In the shade", address("x@bad.test"), INTERNAL),
        block("Twin", domain("twin.test"), INTERNAL),
        block("Twin", domain("twin.test"), INTERNAL, "no_action"),
        block("Names as recipients", EVERYONE, display_name("Ann")),
        block("Unknown mailbox", domain("ghost.test"), address("ghost@known.test")),
        block("Ours outside", INTERNAL, address("rival@far.test")),
        block("External to cat", EXTERNAL, address(CAT), fromPart="header_from", toDate="2099-01-01T00:00:00Z"),
    )
    one, two = (
        row["id"]
        for row in r.call(
            "alteration sets",
            ALTERATION + "create-address-alteration-set",
            {"description": "Rebranding"},
            {"description": "Bare"},
        )
    )
    r.call(
        "definitions",
        ALTERATION + "create-definition",
        {
            "addressAlterations": [
                definition("*@old.test", "*@corp.test"),
                definition("info@corp.test", "bob@corp.test", "envelope_to"),
            ]
        },
        {
            "folderId": one,
            "addressAlterations": [
                definition("sales@corp.test", "shop@corp.test"),
                definition("ann@corp.test", "ann@old.test", "from", "outbound"),
                definition("help@corp.test", "desk@corp.test", "reply_to"),
                definition("cc@corp.test", "copy@corp.test", "to_cc_bcc", "inbound"),
            ],
        },
    )
    r.call(
        "alteration policies",
        ALTERATION + "create-policy",
        {"addressAlterationSetId": one, "policy": policy("Rebrand", EVERYONE)},
        {"addressAlterationSetId": two, "policy": policy("Bare", domain("far.test"))},
    )
    lists = r.call(
        "web lists",
        "policy/webwhiteurl/create-policy-with-targets",
        web(
            "Bad sites",
            url("bad.test"),
            url("http://mixed.test/good", "allow", "url"),
            url("mixed.test"),
            url("www.twin.test"),
            url("https://secret.test/x", "block", "url"),
        ),
        web("Ann may", url("bad.test", "allow"), targets=[{"from": address(ANN), "description": "Ann"}]),
        web("Contrary", url("mixed.test", "allow")),
        web("Bücher", url("bücher.test"), url("10.0.0.1")),
    )
    return Office(made[0]["id"], made[1]["id"], lists[0]["id"])
