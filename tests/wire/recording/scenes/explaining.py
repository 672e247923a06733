"""Explanations, lint and replay, over HTTP and by the command line."""

from __future__ import annotations

import json
from typing import Any

from recorder import Recorder

from scenes import office
from scenes.words import ANN, BOB, CAT, INTERNAL, MTOKEN, NO_ID, Item, block, domain

MESSAGE, WEB, LINT, REPLAY = "ext/explain-message", "ext/explain-web", "ext/lint-policies", "ext/replay-draft"
AT = "2027-03-01T12:00:00Z"

MESSAGES: dict[str, Item] = {
    "ordinary": {"from": "x@far.test", "to": ANN},
    "blocked domain": {"from": "x@bad.test", "to": ANN},
    "exempt address": {"from": "good@bad.test", "to": ANN},
    "permitted by the recipient": {"from": "pal@bad.test", "to": ANN},
    "permitted by the recipient, for another": {"from": "pal@bad.test", "to": BOB},
    "blocked by the recipient": {"from": "eve@far.test", "to": ANN},
    "blocked by the recipient, to an alias": {"from": "eve@far.test", "to": "annie@corp.test"},
    "blocked by the recipient, to a tag": {"from": "eve@far.test", "to": "ann+tag@corp.test"},
    "domain blocked by the recipient": {"from": "a@news.test", "to": ANN},
    "header blocked by the recipient": {"from": "x@far.test", "to": ANN, "headerFrom": "Eve <eve@far.test>"},
    "domain permitted by the recipient": {"from": "a@list.test", "to": BOB},
    "permitted for all": {"from": "a@permitted.test", "to": BOB},
    "blocked for all": {"from": "spam@far.test", "to": BOB},
    "header blocked": {"from": "x@far.test", "to": BOB, "headerFrom": "Eve <a@header.test>"},
    "header blocked, two authors": {
        "from": "x@far.test",
        "to": BOB,
        "headerFrom": "a@b.test, Eve <a@header.test>",
    },
    "either part, by the envelope": {"from": "a@either.test", "to": BOB, "headerFrom": "a@far.test"},
    "either part, by the header": {"from": "a@far.test", "to": BOB, "headerFrom": "a@either.test"},
    "a false boss": {"from": "a@far.test", "to": BOB, "headerFrom": '"The Bоss" <a@far.test>'},
    "free mail": {"from": "a@gmail.com", "to": BOB},
    "free mail, to another": {"from": "a@gmail.com", "to": ANN},
    "a partner": {"from": "a@partner.test", "to": BOB},
    "a partner by address": {"from": "pat@far.test", "to": BOB},
    "expired": {"from": "a@expired.test", "to": BOB},
    "before it expired": {"from": "a@expired.test", "to": BOB, "at": "2019-01-01T00:00:00Z"},
    "not yet": {"from": "a@later.test", "to": BOB},
    "switched off": {"from": "a@off.test", "to": BOB},
    "from the network": {"from": "a@net.test", "to": BOB, "sourceIp": "192.0.2.7"},
    "from another network": {"from": "a@net.test", "to": BOB, "sourceIp": "198.51.100.7"},
    "from nowhere": {"from": "a@net.test", "to": BOB},
    "to the other way": {"from": BOB, "to": "a@ways.test", "sourceIp": "127.0.0.1"},
    "twins": {"from": "a@twin.test", "to": BOB},
    "outbound": {"from": ANN, "to": "rival@far.test", "sourceIp": "127.0.0.1"},
    "outbound and altered": {"from": ANN, "to": "x@far.test", "sourceIp": "127.0.0.1"},
    "no relay": {"from": ANN, "to": "x@far.test", "sourceIp": "198.51.100.7"},
    "between strangers": {"from": "a@far.test", "to": "b@far.test"},
    "altered by the root": {"from": "x@far.test", "to": "bob@old.test"},
    "altered by a set": {"from": "x@far.test", "to": "sales@corp.test"},
    "altered in the envelope": {"from": "x@far.test", "to": "info@corp.test"},
    "a bounce": {"from": "", "to": ANN},
    "no From": {"from": "x@far.test", "to": ANN, "headerFrom": ""},
    "a broken From": {"from": "x@far.test", "to": ANN, "headerFrom": "<<>> nonsense"},
    "an encoded From": {"from": "x@far.test", "to": ANN, "headerFrom": "=?utf-8?q?Zo=C3=AB?= <z@header.test>"},
    "unknown recipient": {"from": "x@far.test", "to": "ghost@known.test"},
    "known recipient": {"from": "x@far.test", "to": "kim@known.test"},
    "source route": {"from": "x@far.test", "to": "a%b@corp.test", "sourceIp": "198.51.100.7"},
    "external author to cat": {"from": "x@far.test", "to": CAT},
    "international": {"from": "zoë@bücher.test", "to": ANN},
}
BAD_MESSAGES: list[Item] = [
    {"to": ANN},
    {"from": "x@far.test"},
    {"from": "none", "to": ANN},
    {"from": "x@far.test", "to": "none"},
    {"from": "x@far.test", "to": ANN, "sourceIp": "x"},
    {"from": "x@far.test", "to": ANN, "at": "soon"},
    {"from": "x@far.test", "to": ANN, "policyId": "x"},
    {"from": "x@far.test", "to": ANN, "policyId": NO_ID},
    {"from": "x@far.test", "to": ANN, "policyId": MTOKEN},
    {"from": "x@far.test", "to": ANN, "headerFrm": "x"},
]
REQUESTS: dict[str, Item] = {
    "blocked": {"url": "http://bad.test/"},
    "blocked, below": {"url": "https://sub.bad.test:8443/x?y"},
    "allowed for ann": {"url": "http://bad.test/", "user": ANN},
    "allowed for ann by an alias": {"url": "http://bad.test/", "user": "annie@corp.test"},
    "blocked for bob": {"url": "http://bad.test/", "user": BOB},
    "allowed in a blocked domain": {"url": "http://mixed.test/good/x"},
    "contrary": {"url": "http://mixed.test/other"},
    "www": {"url": "http://twin.test/"},
    "a path of TLS": {"url": "https://secret.test/x"},
    "international": {"url": "http://xn--bcher-kva.test/"},
    "a host by number": {"url": "http://0x0a.1/", "sourceIp": "192.0.2.1", "at": AT},
    "of no list": {"url": "http://fine.test"},
}
BAD_REQUESTS: list[Item] = [
    {},
    {"url": "http://[::1"},
    {"url": "x" * 9000},
    {"url": "http://a.test", "user": "none"},
    {"url": "http://a.test", "sourceIp": "x"},
    {"url": "http://a.test", "policyId": "x"},
    {"url": "http://a.test", "user": "x@far.test"},
    {"url": "http://a.test", "at": "2020-02-30T00:00:00Z"},
]


def play(r: Recorder) -> None:
    there = office.furnish(r)
    for title, item in MESSAGES.items():
        # At a time of its own, so that what has begun and what has ended is the same on every day.
        r.call(title, MESSAGE, {"at": AT} | item)
    r.call("now", MESSAGE, {"from": "x@bad.test", "to": ANN})
    for expected in (there.block, there.exemption):
        for sender in ("x@bad.test", "good@bad.test", "x@far.test", "pal@bad.test"):
            r.call(f"expected for {sender}", MESSAGE, {"from": sender, "to": ANN, "policyId": expected})
    r.call("messages that are refused", MESSAGE, *BAD_MESSAGES)
    r.call("several", MESSAGE, MESSAGES["ordinary"], MESSAGES["blocked domain"])
    for title, item in REQUESTS.items():
        r.call(title, WEB, item)
    r.call("expected", WEB, {"url": "http://bad.test/", "user": ANN, "policyId": there.web_list})
    r.call("requests that are refused", WEB, *BAD_REQUESTS)
    r.call("lint", LINT, {"at": AT})
    for kind in ("shadowed", "tied", "web_contradiction", "moon"):
        r.call(f"lint {kind}", LINT, {"kind": kind, "at": AT})
    r.call("lint, warnings", LINT, {"level": "warning", "at": AT})
    r.call("lint, two at once", LINT, {}, {})
    r.call("lint, when", LINT, {"at": "soon"})
    draft = _replay(r, there)
    _commands(r, there, draft)


def _replay(r: Recorder, there: office.Office) -> list[Item]:
    plain = b"Subject: hello\r\nMessage-ID: <1@client.test>\r\n\r\nHello.\r\n"
    for sender, to in (("a@shop.test", ANN), ("b@shop.test", BOB), ("good@bad.test", ANN), (ANN, "a@shop.test")):
        r.message(f"mail of {sender}", sender, to, content=f"From: <{sender}>\r\n".encode() + plain)
    r.refused("refused mail", "x@bad.test", ANN, BOB)
    create = "policy/blockedsenders/create-policy"
    draft: list[Item] = [
        {"call": create, "item": block("No shop", domain("shop.test"), INTERNAL)},
        {"call": "policy/blockedsenders/delete-policy", "item": {"id": there.block}},
        {"call": "directory/create-group", "item": {"description": "Drafted"}},
        {"call": create, "item": block("Drafted", {"type": "profile_group", "groupId": "$2.id"}, INTERNAL)},
    ]
    r.call("a replay", REPLAY, {"draft": draft, "since": "1h"})
    r.call("a replay of the newest", REPLAY, {"draft": draft[:1], "most": 1})
    r.call("a replay of nothing", REPLAY, {"draft": [], "since": "1h"})
    bad: list[Any] = [
        {"draft": [{"call": "none/such", "item": {}}]},
        {"draft": [{"call": "account/get-account", "item": {}}]},
        {"draft": [{"call": create, "item": {}}]},
        {"draft": draft, "since": "soon"},
        {"draft": draft, "most": 0},
        {"draft": [draft[0], {"call": "policy/blockedsenders/delete-policy", "item": {"id": "$7.id"}}]},
        {"draft": "x"},
        {"draft": [draft[0], {"call": "policy/blockedsenders/delete-policy", "item": {"id": "$0.nothing"}}]},
    ]
    for item in bad:
        r.call("a replay that is refused", REPLAY, item)
    return draft


def _commands(r: Recorder, there: office.Office, draft: list[Item]) -> None:
    mail = ["explain", "mail", "--from", "x@bad.test", "--to", ANN, "--at", AT]
    r.command("explain mail", *mail)
    r.command("explain mail, JSON", *mail, "--json")
    r.command("explain mail, all", *mail, "--all", "--policy", there.exemption, "--ip", "192.0.2.1")
    r.command(
        "explain altered mail", "explain", "mail", "--from", "x@far.test", "--to", "sales@corp.test", "--at", AT
    )
    r.command("explain mail, refused", "explain", "mail", "--from", "none", "--to", ANN)
    r.command("explain web", "explain", "web", "http://bad.test/", "--user", ANN, "--at", AT)
    r.command("explain web, JSON", "explain", "web", "http://bad.test/", "--at", AT, "--json")
    r.command("lint", "lint", "--at", AT, "--all")
    r.command("lint, strict", "lint", "--at", AT, "--kind", "tied", "--strict")
    r.command("lint, JSON", "lint", "--at", AT, "--json")
    r.command("replay", "replay", "--draft", "-", "--since", "1h", "--all", stdin=json.dumps(draft))
    r.command("replay, JSON", "replay", "--draft", "-", "--since", "1h", "--json", stdin=json.dumps(draft))
    r.command("replay, refused", "replay", "--draft", "-", stdin="[")
