"""Held mail: listed, shown, released, turned down, asked for."""

from __future__ import annotations

from held_copies import hold, kept
from recorder import Recorder

from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget
from scenes.words import ANN, BOB, NO_ID, Item

LIST, SUMMARY, LOGS = (
    f"gateway/{name}" for name in ("get-hold-message-list", "get-hold-summary-list", "get-held-release-logs")
)
RELEASE, REJECT = "gateway/hold-release", "gateway/hold-reject"
SHOW, DECIDE = "ext/show-held-message", "ext/decide-held-messages"
ASK, DECLINE = "ext/ask-held-release", "ext/decline-held-release"
ALL: Item = {"admin": True}

BAD_LISTS: list[Item] = [
    {"admin": True, "mailbox": ANN},
    {"admin": True, "filterBy": [{"fieldName": "colour", "value": "red"}]},
    {"admin": True, "searchBy": {"fieldName": "colour"}},
    {"admin": True, "start": "soon"},
    {"mailbox": "x@else.test"},
]


def play(r: Recorder) -> None:
    r.call("users", "user/create-user", {"emailAddress": ANN, "name": "Ann"}, {"emailAddress": BOB})
    _hold(r)
    r.call("all that is held", LIST, ALL)
    r.call("what is held for Ann", LIST, {"mailbox": ANN})
    r.call("an application has no mail of its own", LIST, {})
    r.call("by the reason", LIST, ALL | {"searchBy": {"fieldName": "reason_code", "value": "malformed"}})
    for bad in BAD_LISTS:
        r.call("lists asked in vain", LIST, bad)
    r.pages("page by page", LIST, ALL, 2)
    r.call("counted", SUMMARY, {})
    r.send("counted in vain", f"/api/{SUMMARY}", b'{"data": ["x"]}')
    ids = [row["id"] for row in r.call("once more", LIST, ALL)]
    r.call("shown", SHOW, {"id": ids[0]})
    r.call("shown in vain", SHOW, {"id": NO_ID})
    r.call("asked for", ASK, {"id": ids[1], "reason": "my bank"}, {"id": NO_ID, "reason": "x"})
    r.call("requests", LIST, ALL | {"asked": True})
    r.call("declined", DECLINE, {"id": ids[1]}, {"id": ids[2]})
    r.call("released", RELEASE, {"id": ids[0]}, {"id": ids[0]}, {"id": NO_ID})
    r.call("turned down", REJECT, {"ids": [ids[1]], "reasonType": "INAPPROPRIATE COMMUNICATION", "notify": True})
    r.call("turned down in vain", REJECT, {"ids": []}, {"ids": [ids[2]], "reasonType": "bored"})
    r.call("a null sender is nobody to block", DECIDE, {"action": "reject", "ids": [ids[2]], "sender": "block"})
    r.call("the rest, and their senders", DECIDE, {"action": "reject", "search": ALL, "sender": "block"})
    r.call("decided in vain", DECIDE, {"action": "release"})
    r.call("decisions", LOGS, {})
    r.call("decisions asked in vain", LOGS, {"start": "soon"})


def _hold(r: Recorder) -> None:
    """Have mail held: no policy that an API could set holds any yet."""
    opened = Opened(r.live.data, Settings())
    try:
        account_id = opened.account_id(None)
        keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
        hold(
            keeper,
            kept(account_id, ANN, BOB, subject="For two"),
            kept(account_id, ANN, sender="", subject="A bounce", text=b"Subject: A bounce\r\n\r\nx\r\n"),
            kept(account_id, ANN, subject="Moderated", layer="anti_spoofing", description="Nobody is us"),
            kept(account_id, BOB, subject="Broken", layer="malformed", description=""),
        )
    finally:
        opened.close()
