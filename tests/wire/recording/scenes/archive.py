"""Archived mail: listed, shown, read, found, kept; and what is told of who looked."""

from __future__ import annotations

import time
from typing import Final

from recorder import Recorder

from scenes.words import ANN, BOB, NO_ID, PATIENCE, raw

SETTINGS: Final = {"MAILREEVE_ARCHIVE": "on", "MAILREEVE_ARCHIVE_DAYS": "0"}  # an end would be another each time
OUT: Final = "liz@out.test"
LIST, DETAIL, PART, FILE, SEARCH = (
    f"archive/{name}"
    for name in ("get-message-list", "get-message-detail", "get-message-part", "get-file", "search")
)
SEARCHES, ARCHIVE_SEARCHES, VIEWS = (
    f"archive/{name}" for name in ("get-search-logs", "get-archive-search-logs", "get-view-logs")
)
FIND, HOLD = "ext/find-archived-messages", "ext/set-legal-hold"
RETENTION, SET_RETENTION = "ext/get-archive-retention", "ext/set-archive-retention"

CONTENT: Final = (
    b"From: Liz <liz@out.test>\r\nTo: <ann@corp.test>\r\nSubject: The zebrafish budget\r\n"
    b"Message-ID: <budget@out.test>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nIt grows.\r\n"
    b'--b\r\nContent-Type: text/csv; name="sums.csv"\r\n'
    b'Content-Disposition: attachment; filename="sums.csv"\r\n\r\n'
    b"1,2\r\n--b--\r\n"
)


def play(r: Recorder) -> None:
    r.call("users", "user/create-user", {"emailAddress": ANN}, {"emailAddress": BOB})
    for number in range(2):
        r.message(f"message {number}", OUT, ANN, content=CONTENT)
    r.message("another", OUT, BOB, content=b"Subject: aardvark\r\n\r\nhello\r\n")
    _until_read(r)
    ids = [row["id"] for row in r.call("what Ann got", LIST, {"mailbox": ANN, "view": "INBOX"})]
    r.call("lists asked in vain", LIST, {"mailbox": "x@nowhere.test"})
    r.call("no mailbox at all", LIST, {})
    r.call("another's mailbox is not there", LIST, {"mailbox": ANN}, who="no_role")
    r.call("nor another's message", DETAIL, {"id": ids[0]}, who="no_role")
    r.pages("page by page", LIST, {"mailbox": ANN}, 1)
    (detail,) = r.call("shown", DETAIL, {"id": ids[0]})
    r.call("shown in vain", DETAIL, {"id": NO_ID})
    raw(r, "its text", PART, {"id": ids[0], "type": "PLAIN"})
    r.call("it has no HTML", PART, {"id": ids[0], "type": "HTML"})
    raw(r, "its file", FILE, {"id": detail["attachments"][0]["id"]})
    r.call("no such file", FILE, {"id": NO_ID})
    text = "<xmlquery><muse><text>subject:zebrafish</text></muse></xmlquery>"
    r.call("searched", SEARCH, {"admin": True, "query": text})
    r.call("nobody but oneself", SEARCH, {"query": text})
    r.call("no search", SEARCH, {"admin": True, "query": "<xml"})
    r.call("found", FIND, {"text": "zebrafish", "mailbox": ANN})
    r.call("found in vain", FIND, {"mailbox": "x@nowhere.test"})
    r.call("kept whatever comes", HOLD, {"id": ids[0], "legalHold": True}, {"id": NO_ID, "legalHold": True})
    r.call("how long", RETENTION, {})
    path = f"/api/{RETENTION}"
    r.send("how long, asked in vain", "POST", path, b"{", r.live.signed(path), who="admin")
    r.call("shorter", SET_RETENTION, {"days": 30}, {"days": -1})
    for title, path in (("searches", SEARCHES), ("searches of the archive", ARCHIVE_SEARCHES), ("views", VIEWS)):
        # Not those by which it was waited for.
        r.call(title, path, {} if path == VIEWS else {"query": "zebrafish"})
        r.call(f"{title} asked in vain", path, {"start": "soon"})


def _until_read(r: Recorder) -> None:
    """Until the search knows all three: they are read after they were acknowledged."""
    until = time.monotonic() + PATIENCE
    with r.live.client() as client:
        while len(client.call(FIND, {"text": "from:liz@out.test"})) < 3:
            assert time.monotonic() < until, f"not read in {PATIENCE} s"
            time.sleep(0.05)
