"""Blocked sender policies of every kind of target, condition and date."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import (
    ANN,
    EVERYONE,
    EXTERNAL,
    FREE_MAIL,
    INTERNAL,
    NO_ID,
    address,
    attribute,
    block,
    display_name,
    domain,
    group,
)

ROOM = "policy/blockedsenders/"
CREATE, UPDATE, GET, DELETE = (ROOM + n for n in ("create-policy", "update-policy", "get-policy", "delete-policy"))


def play(r: Recorder) -> None:
    given = r.call("the policies of a new account", GET)
    for row in given:
        r.call("a policy of a new account removed", DELETE, {"id": row["id"]})
        r.call("a policy of a new account changed", UPDATE, {"id": row["id"], **block("Mine", EXTERNAL, EXTERNAL)})
    r.call(
        "one for that scope",
        CREATE,
        block("Relay", EXTERNAL, EXTERNAL),
        block("Relay", EXTERNAL, EXTERNAL, "no_action"),
    )
    r.call("a user", "user/create-user", {"emailAddress": ANN})
    r.call(
        "an attribute",
        "user/update-attributes",
        {"emailAddress": ANN, "attributes": [{"name": "team", "value": "Red"}]},
    )
    team = r.call("a group", "directory/create-group", {"description": "Team"})[0]["id"]
    made = r.call(
        "policies of every target",
        CREATE,
        block("One address", address("Eve@Bad.Test"), address(ANN)),
        block("A domain", domain("bad.test"), INTERNAL),
        block("Bücher", domain("bücher.test"), domain("corp.test")),
        block("A group", group(team), group(team), "no_action"),
        block("Free mail", FREE_MAIL, attribute("team", "red")),
        block("A name", display_name("The Böss"), INTERNAL, fromPart="header_from"),
        block("External", EXTERNAL, address(ANN), fromPart="both"),
        block("Both ways", domain("both.test"), address(ANN), bidirectional=True, enforced=True),
        block(
            "With all",
            domain("all.test"),
            EVERYONE,
            override=True,
            enabled=False,
            comment="line 1\nline 2",
            fromDate="2020-01-01T00:00:00+0000",
            toDate="2099-01-01T00:00:00Z",
            conditions={
                "sourceIPs": ["192.0.2.0/24", "2001:db8::/32"],
                "hostnames": ["mx.test"],
                "spfDomains": ["spf.test"],
            },
        ),
        {
            "option": "block_sender",
            "policy": {
                "description": "Flat",
                "fromType": "email_address",
                "fromValue": "flat@bad.test",
                "toType": "everyone",
                "fromEternal": True,
                "toEternal": "false",
                "toDate": "2098-06-01T12:00:00+0200",
            },
        },
    )
    first = made[0]["id"]
    r.call(
        "policies that are refused",
        CREATE,
        block("", domain("bad.test")),
        block("d" * 600, domain("bad.test")),
        block("x", {"type": "moon"}),
        block("x", {"type": "email_domain"}),
        block("x", domain("not one")),
        block("x", address("none")),
        block("x", group(NO_ID)),
        block("x", attribute("nowhere", "x")),
        block("x", domain("bad.test"), option="delete"),
        block("x", domain("bad.test"), fromDate="soon"),
        block("x", domain("bad.test"), fromPart="subject"),
        block("x", domain("bad.test"), fromDate="2031-01-01T00:00:00Z", toDate="2030-01-01T00:00:00Z"),
        block("x", domain("bad.test"), conditions={"sourceIPs": ["192.0.2.0/33", "x"]}),
        block("x", domain("bad.test"), comment="c" * 3000),
        {"option": "block_sender"},
        {"option": "block_sender", "policy": {"description": "half", "from": EVERYONE}},
        {"option": "block_sender", "policy": "text"},
        {"policy": {"description": "x"}},
        block("x", {"type": "address_attribute_value", "attribute": {"value": "x"}}),
    )
    r.call(
        "wide blocks",
        CREATE,
        block("Everybody", EVERYONE, INTERNAL),
        block("Free for all", EXTERNAL, EVERYONE),
        {**block("Meant", EVERYONE, INTERNAL), "confirmReach": True},
        {**block("Not meant", EVERYONE, INTERNAL), "confirmReach": False},
    )
    r.call(
        "misspelt members",
        CREATE,
        {**block("Nearly", {**domain("near.test"), "emailDomian": "x"}), "optoin": "x"},
        block("Nearly too", domain("near2.test"), overide=True),
    )
    r.call(
        "changes",
        UPDATE,
        {"id": first, "option": "no_action", "policy": {"description": "Renamed"}},
        {"id": first, **block("Replaced", domain("replaced.test"), INTERNAL)},
        {
            "id": first,
            "option": "block_sender",
            "policy": {"description": "Flat again", "fromType": "email_domain", "fromValue": "flat.test"},
        },
        {
            "id": first,
            "option": "block_sender",
            "policy": {"enabled": False, "toDate": "2097-01-01T00:00:00+0000"},
        },
    )
    r.call(
        "changes that are refused",
        UPDATE,
        {"id": NO_ID, **block("x", domain("bad.test"))},
        {"id": "x", **block("x", domain("bad.test"))},
        block("x", domain("bad.test")),
        {"id": first, "option": "block_sender", "policy": {"description": ""}},
        {"id": first, "option": "block_sender", "policy": {"from": {"type": "email_domain"}}},
    )
    r.call("a change by create", CREATE, {"id": first, **block("By create", domain("create.test"))})
    r.call("one policy, none", GET, {"id": first}, {"id": NO_ID}, {"id": "x"})
    r.call("by another account", GET, {"id": first}, who="foreign")
    r.call("by the gateway administrator", GET, {"id": first}, who="gateway_administrator")
    r.call("all policies", GET)
    r.pages("policies", GET, {}, 6)
    r.call("policies removed", DELETE, {"id": first}, {"id": first}, {"id": NO_ID}, {"id": made[1]["id"]})
    r.call("by the help desk", DELETE, {"id": made[2]["id"]}, who="help_desk")
    _all_policies(r)
    _against_spoofing(r)


def _all_policies(r: Recorder) -> None:
    """Permits, and policies of all types in one list."""
    permits, find = "ext/permittedsenders/", "ext/find-policies"
    policy = {"description": "The bank", "from": domain("bank.test"), "to": INTERNAL}
    made = r.call("a permit", permits + "create-policy", {"policy": policy})[0]["id"]
    r.call("a permit without a scope", permits + "create-policy", {"policy": {"description": "x"}})
    r.call("one permit, none", permits + "get-policy", {"id": made}, {"id": NO_ID})
    off = {"policy": {"enabled": False}}
    r.call("a permit switched off, none", permits + "update-policy", {"id": made, **off}, {"id": NO_ID, **off})
    r.call("all permits", permits + "get-policy")
    r.call("policies of all types", find, {})
    r.call("policies by their sides", find, {"from": "bank.test", "to": "internal_addresses"})
    r.call("policies that a sender matches", find, {"matching": "x@bank.test", "matchingTo": ANN})
    r.call("policies that are switched off", find, {"state": "disabled", "type": "permitted_senders"})
    r.call("one policy of any type", find, {"id": made})
    r.call("filters that cannot be read", find, {"from": "a@"}, {"type": "spam"}, {"id": NO_ID})
    r.call("a permit deleted", permits + "delete-policy", {"id": made}, {"id": made})
    _spam_policies(r)


def _against_spoofing(r: Recorder) -> None:
    """What becomes of mail that claims to be from inside, and what is excepted from that."""
    policy = {"description": "Claims", "from": INTERNAL, "to": {"type": "everyone"}}
    for room, option, other, bad in (
        ("ext/antispoofing/", "hold", "tag", {"spfDomains": ["x.test"]}),
        ("policy/antispoofing-bypass/", "enable_bypass", "disable_bypass", {"spfDomains": ["x y"]}),
    ):
        item = {"option": option, "policy": policy}
        made = r.call(f"{option}: a policy", room + "create-policy", item)[0]["id"]
        wrong = [{**item, "policy": {**policy, "conditions": one}} for one in (bad, {"hostnames": ["x.test"]})]
        r.call(f"{option}: conditions that are none", room + "create-policy", *wrong)
        r.call(f"{option}: no such option", room + "create-policy", {**item, "option": "block_sender"})
        r.call(f"{option}: one, none, all", room + "get-policy", {"id": made}, {"id": NO_ID}, {})
        changed = {"option": other, "policy": {"comment": "changed"}}
        r.call(
            f"{option}: changed, none", room + "update-policy", {"id": made, **changed}, {"id": NO_ID, **changed}
        )
        r.call(f"{option}: listed", "ext/find-policies", {"id": made})
        r.call(f"{option}: deleted", room + "delete-policy", {"id": made}, {"id": made})


def _spam_policies(r: Recorder) -> None:
    """What is done about spam."""
    spam = "ext/spam-policies/"
    policy = {"description": "Tag for all", "from": {"type": "everyone"}, "to": INTERNAL}
    actions = {"spam": "tag", "subjectPrefix": "[Spam?]", "spamScore": 8}
    made = r.call("a spam policy", spam + "create-policy", {"policy": policy, "actions": actions})[0]["id"]
    r.call("a spam policy that is none", spam + "create-policy", {"policy": policy, "actions": {"spam": "eat"}})
    odd = {"policy": policy, "actions": {"subjectPrefix": "\u2620"}}
    r.call("a prefix beyond ASCII", spam + "create-policy", odd)
    r.call("one spam policy, none", spam + "get-policy", {"id": made}, {"id": NO_ID})
    changed = {"id": made, "actions": {"spam": "hold", "spamScore": 0}}
    r.call("a spam policy changed, none", spam + "update-policy", changed, {**changed, "id": NO_ID})
    r.call("all spam policies", spam + "get-policy")
    mail = {"from": "x@far.test", "to": ANN, "sourceIp": "192.0.2.9", "spamScore": 7}
    r.call("spam explained", "ext/explain-message", mail)
    r.call("a spam policy deleted", spam + "delete-policy", {"id": made}, {"id": made})
