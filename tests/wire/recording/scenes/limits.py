"""What a server with small limits refuses: list sizes, wide blocks, calls."""

from __future__ import annotations

from recorder import Recorder

from scenes.alteration import definition
from scenes.web_lists import url, web
from scenes.words import ANN, BOB, CAT, EVERYONE, INTERNAL, address, block, domain, group

SETTINGS = {
    "MAILREEVE_WEB_URLS_PER_POLICY": "2",
    "MAILREEVE_WEB_URLS_PER_ACCOUNT": "3",
    "MAILREEVE_ADDRESS_ALTERATIONS": "2",
    "MAILREEVE_MANAGED_SENDERS_PER_USER": "2",
    "MAILREEVE_DELEGATES_PER_USER": "1",
    "MAILREEVE_REACH_GUARD": "refuse",
}
QUOTA_SETTINGS = {"MAILREEVE_RATE_LIMIT": "3", "MAILREEVE_RATE_WINDOW_MS": "3600000"}


def play(r: Recorder) -> None:
    r.call("users", "user/create-user", *({"emailAddress": who} for who in (ANN, BOB, CAT)))
    create = "policy/webwhiteurl/create-policy-with-targets"
    r.call(
        "web lists",
        create,
        web("Two", url("a.test"), url("b.test")),
        web("Three", url("a.test"), url("b.test"), url("c.test")),
        web("Two more", url("c.test"), url("d.test")),
    )
    r.call(
        "definitions",
        "policy/address-alteration/create-definition",
        *({"addressAlterations": [definition(f"a{n}@corp.test", f"b{n}@corp.test")]} for n in range(3)),
    )
    r.call(
        "personal lists",
        "managedsender/permit-or-block-sender",
        *({"sender": f"s{n}@far.test", "to": ANN, "action": "block"} for n in range(3)),
    )
    r.call(
        "delegates",
        "user/add-delegate-user",
        *({"primaryAddress": ANN, "delegateAddress": who} for who in (BOB, CAT)),
    )
    wide = block("Everybody", EVERYONE, INTERNAL)
    r.call(
        "wide blocks",
        "policy/blockedsenders/create-policy",
        wide,
        {**wide, "confirmReach": True},
        block("Own", domain("corp.test")),
        block("One", address("x@far.test"), INTERNAL),
    )
    team = r.call("a group", "directory/create-group", {"description": "Team"})[0]["id"]
    r.call("a block to a group", "policy/blockedsenders/create-policy", block("To a group", EVERYONE, group(team)))
    r.call(
        "a member that widens it",
        "directory/add-group-member",
        {"id": team, "domain": "corp.test"},
        {"id": team, "domain": "corp.test", "confirmReach": True},
    )


def play_quota(r: Recorder) -> None:
    path = "/api/account/get-account"
    for n in range(5):
        r.send(f"call {n}", "POST", path, b"{}", r.live.signed(path), "admin")
    for n in range(5):
        r.send(f"wrong call {n}", "POST", path, b"{}", {})
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    r.send("one wrong token request more", "POST", "/oauth/token", form, {})
