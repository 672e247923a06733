"""Digests of held mail: how they are to be, and asked for. What arrives is in `test_digest`."""

from __future__ import annotations

from recorder import Recorder

from scenes.words import ANN, BOB, NO_ID, Item

GET, SET, SEND = "ext/get-digest", "ext/set-digest", "ext/send-digest"
SETTINGS = {"MAILREEVE_PUBLIC_URL": "https://mail.corp.test/gate/"}

REFUSED: list[Item] = [
    {"times": ["8:00"]},
    {"times": ["08:00", "24:00"]},
    {"times": []},
    {"timeZone": "Mars/Base"},
    {"weekdays": ["someday"]},
    {"causes": ["bad luck"]},
    {"groupId": NO_ID},
    {"sender": "ann@elsewhere.test"},
    {"sender": "ann"},
    {"enabled": "perhaps"},
]


def play(r: Recorder) -> None:
    r.call("users", "user/create-user", {"emailAddress": ANN, "name": "Ann"}, {"emailAddress": BOB})
    r.call("as it is at first", GET, {})
    r.send("read in vain", "POST", f"/api/{GET}", b"{", r.live.signed(f"/api/{GET}"), who="admin")
    r.call("nobody may read it", GET, {}, who="no_role")
    (group,) = r.call("a group", "directory/create-group", {"description": "Sales"})
    r.call(
        "on",
        SET,
        {
            "enabled": True,
            "timeZone": "Europe/Berlin",
            "times": ["16:30", "08:00", "08:00"],
            "weekdays": ["fri", "mon"],
            "groupId": group["id"],
            "causes": ["managed_senders"],
            "sender": "Gate@corp.test",
        },
    )
    r.call("the rest stays", SET, {"groupId": "", "sender": "", "causes": []})
    r.call("the same again", SET, {"enabled": True})
    for bad in REFUSED:
        r.call("refused", SET, bad)
    r.call("by who may only read", SET, {"enabled": False}, who="help_desk")
    r.call("off", SET, {"enabled": False})
    r.call("asked for", SEND, {"to": ANN}, {"to": "nobody@elsewhere.test"}, {})
    r.call("a user who is out", "user/update-user", {"emailAddress": BOB, "accountDisabled": True})
    r.call("gets none", SEND, {"to": BOB})


def play_without_url(r: Recorder) -> None:
    r.call("it is shown", GET, {})
    r.call("it cannot be switched on", SET, {"enabled": True})
    r.call("all else can be said", SET, {"times": ["07:00"]})
    r.call("nothing can be sent", SEND, {})
