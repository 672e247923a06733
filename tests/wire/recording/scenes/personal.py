"""Personal lists: permit or block a sender for one recipient."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN

PATH = "managedsender/permit-or-block-sender"


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
    r.call("too many", PATH, *[entry("news@shop.test")] * 101)
