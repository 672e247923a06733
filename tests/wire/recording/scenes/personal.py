"""Personal lists: permit or block a sender for one recipient."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN

PATH = "managedsender/permit-or-block-sender"
LIST = "ext/get-managed-senders"
REMOVE = "ext/remove-managed-sender"


def entry(sender: str, to: str = ANN, action: str = "block") -> dict[str, str]:
    return {"sender": sender, "to": to, "action": action}


def play(r: Recorder) -> None:
    r.call("a user", "user/create-user", {"emailAddress": ANN})
    r.call(
        "entries",
        PATH,
        entry("news@shop.test"),
        entry("shop.test", action="permit"),
        entry("Eve@Far.Test"),
        entry("@sub.shop.test"),
        entry("bücher.test"),
    )
    r.call(
        "entries again, and turned round",
        PATH,
        entry("news@shop.test"),
        entry("news@shop.test", action="permit"),
        entry("NEWS@SHOP.TEST"),
    )
    r.call("entries for somebody without a mailbox", PATH, entry("news@shop.test", "someone@corp.test"))
    r.call(
        "entries that are refused",
        PATH,
        entry("news@shop.test", "x@far.test"),
        entry("not a sender"),
        entry("news@shop.test", "none"),
        entry("news@shop.test", action="delete"),
        entry(""),
        entry("corp.test"),
        entry(ANN),
        entry("x@" + "d" * 300),
        entry("*@shop.test"),
    )
    r.call("by the help desk", PATH, entry("desk@shop.test"), who="help_desk")
    r.call("for another account's user", PATH, entry("news@shop.test"), who="foreign")
    r.call(
        "entries with a reason and an end",
        PATH,
        {**entry("late@shop.test"), "reason": "too much", "expires": "2090-01-01"},
        {**entry("late@shop.test"), "expires": "2090-01-01T00:00:00+0000"},
        {**entry("over@shop.test"), "expires": "2020-01-01"},
        {**entry("over@shop.test"), "expires": "soon"},
        {**entry("over@shop.test"), "reason": "x" * 501},
    )
    r.call("all entries", LIST)
    r.call("a list", LIST, {"to": ANN, "type": "Permit"}, {"to": ANN, "text": "TOO MUCH"})
    r.call("lists that are refused", LIST, {"to": "x@far.test"}, {"sender": "*"}, {"type": "both"})
    r.call("an entry to remove", PATH, entry("in@shop.test"))
    r.call(
        "entries to remove",
        REMOVE,
        {"to": ANN, "sender": "in@shop.test"},
        {"to": ANN, "sender": "in@shop.test"},
        {"to": ANN},
        {"id": "MTOKEN:none"},
        {},
    )
    own = "no_role"
    mine = {"to": "nobody@corp.test"}
    r.call(
        "by a user, for oneself and for others",
        PATH,
        entry("own@shop.test", **mine),
        entry("own@shop.test"),
        who=own,
    )
    r.call("the own list", LIST, {}, mine, {"to": ANN}, {"to": "ghost@corp.test"}, who=own)
    r.call(
        "out of the own list",
        REMOVE,
        {**mine, "sender": "own@shop.test"},
        {"to": ANN, "sender": "x.test"},
        who=own,
    )
    r.call("too many", PATH, *[entry("news@shop.test")] * 101)
