"""What became of mail, and who changed what: the functions that read the records and the audit log."""

from __future__ import annotations

from recorder import Recorder

from scenes.mail import content
from scenes.words import ANN, BOB, INTERNAL, NO_ID, Item, block, domain

FIND, SHOW = "ext/find-mail-records", "ext/get-mail-record"
SEARCH, INFO = "message-finder/search", "message-finder/get-message-info"
REJECTIONS, PROCESSING = "gateway/get-rejections", "gateway/find-processing-messages"
EVENTS, CATEGORIES, CHANGES = "audit/get-audit-events", "audit/get-categories", "ext/find-audit-events"
EVER: Item = {"startDateTime": "2020-01-01T00:00:00+0000", "endDateTime": "2100-01-01T00:00:00+0000"}

FINDS: dict[str, Item] = {
    "all": {},
    "from a domain": {"from": "bad.test"},
    "by the From header": {"from": "@brand.test", "to": BOB},
    "rejected, but not at a domain": {"verdict": "rejected", "exclude": [{"from": "bad.test"}]},
    "by Message-ID, the oldest first": {"messageId": "1@client.test", "oldestFirst": True},
    "bounces": {"from": "<>"},
    "of no time": {"until": "1d"},
}
BAD_FINDS: list[Item] = [
    {"from": "a@b@c"},
    {"to": "*.test"},
    {"id": "x"},
    {"policyId": NO_ID},
    {"after": NO_ID},
    {"verdict": "lost"},
    {"sourceIp": "x"},
    {"since": "soon"},
    {"since": "1h", "until": "2h"},
    {"exclude": [{"to": "@"}]},
    {"form": "x"},
]
BAD_SEARCHES: list[Item] = [
    {},
    {"messageId": "<1@client.test>", "advancedTrackAndTraceOptions": {"to": BOB}},
    {"messageId": "<1@client.test>", "status": ["lost"]},
    {"messageId": "<1@client.test>", "route": "sideways"},
    {"messageId": "<1@client.test>", "start": "soon"},
]


def _siem_logs(r: Recorder) -> None:
    """What is refused of the log for monitoring systems."""
    path = "audit/get-siem-logs"
    for item in ({"type": "DLP"}, {"fileFormat": "xml"}, {"token": "nonsense"}):
        r.call(f"the log with {item}", path, item)


def play(r: Recorder) -> None:
    _siem_logs(r)
    item = block("No bad mail", domain("bad.test"), INTERNAL)
    (made,) = r.call("a block", "policy/blockedsenders/create-policy", item)
    changed = {**item, "id": made["id"], "option": "no_action"}
    r.call("a change", "policy/blockedsenders/update-policy", changed)
    r.call("back", "policy/blockedsenders/update-policy", {**item, "id": made["id"]})
    r.refused("a refusal", "x@bad.test", ANN)
    r.message("a delivery", "x@far.test", ANN, BOB, content=content("Shop <a@brand.test>"))
    r.refused("no relay", "x@far.test", "y@else.test")
    r.message("a bounce", "", ANN, content=content("daemon@far.test"))
    for title, asked in FINDS.items():
        r.call(f"records: {title}", FIND, asked)
    for asked in BAD_FINDS:
        r.call("records asked in vain", FIND, asked)
    r.pages("records page by page", FIND, {"to": "corp.test"}, 2)
    everything = r.call("records once more", FIND, {})
    blocked = next(one for one in everything if one["from"] == "x@bad.test")
    r.call("a decision", SHOW, {"id": blocked["decisionId"]})
    r.call("a decision by its reply", SHOW, {"id": blocked["reply"]})
    r.call("a record", SHOW, {"id": everything[0]["id"]})
    r.call("a message", SHOW, {"messageId": "<1@client.test>"})
    r.call("a policy's records", FIND, {"policyId": made["id"]})
    for asked in ({}, {"id": "x"}, {"id": "a" * 16}, {"messageId": "none"}, {"id": NO_ID}):
        r.call("a decision asked for in vain", SHOW, asked)
    answer = r.call("a search", SEARCH, {"advancedTrackAndTraceOptions": {"from": "brand.test"}})
    options = {"subject": "HELLO", "route": ["inbound"]}
    r.call("a search by subject", SEARCH, {"advancedTrackAndTraceOptions": options})
    r.call("a search by status", SEARCH, {"advancedTrackAndTraceOptions": {"to": ANN}, "status": ["rejected"]})
    r.call("a search by Message-ID", SEARCH, {"messageId": "<1@client.test>", "searchReason": "a question"})
    for asked in BAD_SEARCHES:
        r.call("a search in vain", SEARCH, asked)
    r.call("of a message", INFO, {"id": answer[0]["trackedEmails"][0]["id"]})
    r.call("of none", INFO, {"id": NO_ID})
    r.call(
        "a search by states of ours", SEARCH, {"advancedTrackAndTraceOptions": {}, "status": ["held", "released"]}
    )
    r.call("rejections", REJECTIONS, {"admin": True}, {"start": "soon"}, {"searchBy": {"fieldName": "subject"}})
    r.call(
        "rejections by a text", REJECTIONS, {"admin": True, "searchBy": {"fieldName": "info", "value": "blocked"}}
    )
    r.call("rejections of a mailbox", REJECTIONS, {"mailbox": "none@corp.test"})
    r.call("on their way", PROCESSING, {"type": "processing", "sortOrder": "asc"}, {"type": "lost"})
    r.call("categories", CATEGORIES, {})
    path = f"/api/{CATEGORIES}"
    r.send("categories asked for in vain", "POST", path, b"{", r.live.signed(path), who="admin")
    r.call("events", EVENTS, {**EVER, "categories": ["policy_logs"], "query": "no bad mail"})
    r.call("events of a type", EVENTS, {**EVER, "auditType": "Existing Policy Changed"})
    r.call("events of no time", EVENTS, {})
    r.call("events of no category", EVENTS, {**EVER, "categories": ["none"]})
    r.call("changes", CHANGES, {"objectId": made["id"]})
    r.call("changes asked for in vain", CHANGES, {"objectId": NO_ID})
    *_, oldest = r.call("versions", "ext/get-history", {"objectId": made["id"]})
    r.call("what a restore would do", "ext/restore", {"eventId": oldest["id"], "dryRun": True})
    r.call("the log is whole", "ext/verify-audit", {})
    r.call("versions of nothing", "ext/get-history", {})
    r.call("a restore of a request that changed nothing", "ext/restore", {"requestId": "nobody's"})
    r.call("a digest that is none", "ext/verify-audit", {"known": "yesterday"})
    r.call("changes of no category", CHANGES, {"category": "none", "since": "1h"})
    r.command("log", "log", "--to", ANN)
    r.command("log show", "log", "show", blocked["reply"])
    r.command("message find", "message", "find", "--to", ANN, "--status", "rejected")
    r.command("message show", "message", "show", "<1@client.test>")
    r.command("audit", "audit", "--kind", "blocked sender policy", "--action", "update")
