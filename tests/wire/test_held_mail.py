"""Held mail over the API, and on its way to the next hop: listed, shown, released once, turned down, asked for."""

from __future__ import annotations

import email
import re
import time
from pathlib import Path

import pytest
from held_copies import TEXT, decisions, hold, kept

from mailreeve.access.permissions import Role
from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.client import ApiError
from mailreeve.families.directory.users import operations as users
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.login.issue import issue_application
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.to_field import NOT_SHOWN
from mailreeve.store.transactions import Origin

LIST = "gateway/get-hold-message-list"
RELEASE = "gateway/hold-release"
REJECT = "gateway/hold-reject"
DECIDE = "ext/decide-held-messages"
PATIENCE = 20  # seconds until a test that waits for mail gives up


class Place:
    """A running server, and a way to have mail held in its folder while it runs."""

    def __init__(self, live) -> None:
        self.live = live
        self.opened = Opened(live.data, Settings())
        self.account_id = self.opened.account_id(None)
        self.keeper = MessageKeeper(self.opened.store, RecordBudget(), self.opened.bodies)
        self.client = live.client()
        self.clients = [self.client]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.opened.close()

    def hold(self, *recipients: str, **more) -> dict:
        """A message that is held; as the list has it for its first recipient."""
        message = kept(self.account_id, *recipients, **more)
        hold(self.keeper, message)
        (decision,) = decisions([message])
        return next(one for one in self.held() if one["decisionId"] == decision)

    def held(self, client=None, **item) -> list[dict]:
        return list((client or self.client).call(LIST, {"admin": True} | item))

    def user(self, name: str, role: Role | None = None):
        """A client with the keys of a user."""
        address = f"{name}@corp.test"

        def add(work):
            if role is None:
                user_id = users.add_user(work, address).id
            else:
                user_id = users.create_administrator(work, parse_address(address), "a good password", role)
            return issue_application(work, self.opened.vault, address, role or Role.HELP_DESK, user_id)

        keys = self.opened.store.write(self.account_id, Origin("test"), add)
        client = self.live.client({name: getattr(keys, name) for name in keys.__struct_fields__})
        self.clients.append(client)
        return client

    def arrives(self, subject: str) -> bytes:
        """The file that the next hop has of the message with this subject, once it is there."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.delivered(subject)
            if found:
                return found[0]
            time.sleep(0.01)
        pytest.fail(f"{subject!r} did not arrive:\n{self.live.log()}")

    def delivered(self, subject: str) -> list[bytes]:
        new = Path(self.live.maildir) / "new"
        texts = [file.read_bytes() for file in sorted(new.iterdir())] if new.exists() else []
        return [text for text in texts if f"\nSubject: {subject}\n".encode() in text]

    def records(self, decision: str) -> list[str]:
        found = self.client.call("ext/find-mail-records", {"id": decision, "oldestFirst": True})
        return [one["verdict"] for one in found]


@pytest.fixture(scope="module")
def place(new_folder, live_server_class, tmp_path_factory):
    parent = tmp_path_factory.mktemp("held")
    live = live_server_class(
        *new_folder(parent), parent / "maildir", environment={"MAILREEVE_RATE_LIMIT": "100000000"}
    )
    live.start()
    place = Place(live)
    yield place
    place.close()
    live.stop()


@pytest.fixture(scope="module")
def ann(place):
    return place.user("ann")


def code_of(client, path: str, **item) -> tuple[str, str | None]:
    with pytest.raises(ApiError) as caught:
        client.call(path, item)
    return caught.value.code, caught.value.field


def test_a_held_message_has_the_members_that_clients_read(place, ann):
    """clients.md, "What the answers must hold"; api.md section 3.11."""
    one = place.hold("ann@corp.test", subject="Members")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", one["dateReceived"])
    assert one["reason"] == "Message Hold Applied - Spam Signature policy"
    assert one["reasonId"] == "MESSAGE_HOLD_APPLIED_SPAM_SIGNATURE_POLICY"
    assert one["reasonCode"] == "message_hold_applied_spam_signature_policy"
    assert one["from"] == {"emailAddress": "bounces@shop.test", "displayableName": ""}
    assert one["fromHeader"] == {"emailAddress": "offers@shop.test", "displayableName": "Shöp"}
    assert one["to"]["emailAddress"] == "ann@corp.test"
    assert one["toHeader"] == {"emailAddress": "ann@corp.test", "displayableName": "Ann"}
    assert (one["subject"], one["route"], one["hasAttachments"]) == ("Members", "INBOUND", False)
    assert one["policyInfo"] == "Spam for everybody"
    assert one["size"] == len(TEXT % b"Members")
    answer = place.live.post(
        f"/api/{LIST}", b'{"data": [{"admin": true}], "meta": {"pagination": {"pageSize": 1}}}'
    )
    assert answer.json()["meta"]["pagination"]["pageSize"] == 1


def test_a_released_message_arrives_as_it_was_taken_and_is_gone_from_the_list(place, ann):
    """Original octets, trace fields of its arrival included; recorded as held, released, delivered."""
    one = place.hold("ann@corp.test", subject="Released")
    assert place.client.call(RELEASE, {"id": one["id"]}) == [{"id": one["id"], "release": True}]
    text = place.arrives("Released")
    assert text.endswith((TEXT % b"Released").replace(b"\r\n", b"\n"))
    assert b"Delivered-To: ann@corp.test\n" in text
    assert b"Return-Path: <bounces@shop.test>\n" in text
    assert one["id"] not in [other["id"] for other in place.held()]
    assert code_of(place.client, RELEASE, id=one["id"]) == ("err_held_message_decided", "id")
    until = time.monotonic() + PATIENCE
    while place.records(one["decisionId"])[-1:] != ["delivered"] and time.monotonic() < until:
        time.sleep(0.01)
    assert place.records(one["decisionId"]) == ["held", "released", "delivered"]


def test_messages_are_turned_down_with_a_reason(place, ann):
    """Both spellings of the newest clients; nobody gets them."""
    ids = [place.hold("ann@corp.test", subject=f"Down {n}")["id"] for n in range(2)]
    item = {"ids": ids, "notify": False, "notes": "no", "reasonType": "inappropriate_communication"}
    assert place.client.call(REJECT, item) == [{"id": one, "reject": True} for one in ids]
    logs = {one["id"]: one for one in place.client.call("gateway/get-held-release-logs", {})}
    assert [logs[one]["state"] for one in ids] == ["rejected", "rejected"]
    assert logs[ids[0]]["reason"] == "Inappropriate communication: no"
    assert place.delivered("Down 0") == []
    assert code_of(place.client, REJECT, ids=ids, reasonType="because") == (
        "err_validation_value_not_allowed",
        "reasonType",
    )


def test_nothing_is_done_where_one_of_several_ids_is_wrong(place, ann):
    one = place.hold("ann@corp.test", subject="Half")["id"]
    assert code_of(place.client, REJECT, ids=[one, "x" * 43])[0] == "xdk_failure"
    assert one in [other["id"] for other in place.held()]


def test_a_user_decides_about_the_own_mail_and_sees_no_other(place, ann):
    """With no role at all. What is somebody else's is not there; what others moderate is seen, and asked for."""
    bob = place.user("bob")
    mine = place.hold("ann@corp.test", subject="Mine")["id"]
    moderated = place.hold("ann@corp.test", subject="Moderated", layer="anti_spoofing")["id"]
    hidden = place.hold("ann@corp.test", subject="Hidden", layer="malformed")["id"]
    seen = [one["id"] for one in place.held(ann, admin=False)]
    assert [mine in seen, moderated in seen, hidden in seen] == [True, True, False]
    assert place.held(bob, admin=False) == []
    assert code_of(bob, LIST, admin=True) == ("err_xdk_forbidden", "admin")
    gone = place.hold("ann@corp.test", subject="Gone")["id"]
    not_there = code_of(bob, RELEASE, id=mine)
    assert not_there == code_of(bob, RELEASE, id=gone) == code_of(ann, RELEASE, id=hidden)
    assert not_there == ("err_held_message_not_found", "id")
    assert code_of(ann, RELEASE, id=moderated) == ("err_held_message_moderated", "id")
    assert ann.call(RELEASE, {"id": mine}) == [{"id": mine, "release": True}]
    place.arrives("Mine")


def test_whose_release_is_asked_for_is_seen_and_decided(place, ann):
    one = place.hold("ann@corp.test", subject="Asked", layer="anti_spoofing")
    other = place.hold("ann@corp.test", subject="Declined", layer="anti_spoofing")
    for asked in (one, other):
        ann.call("ext/ask-held-release", {"id": asked["id"], "reason": "my bank"})
    asked = {row["id"]: row for row in place.held(asked=True)}
    assert {asked[one["id"]]["askedBy"], asked[one["id"]]["askedWhy"]} == {"ann@corp.test", "my bank"}
    place.client.call("ext/decline-held-release", {"id": other["id"]})
    assert other["id"] not in [row["id"] for row in place.held(asked=True)]
    place.client.call(RELEASE, {"id": one["id"]})
    place.arrives("Asked")
    audit = place.client.call("ext/find-audit-events", {"objectKind": "held message", "actor": "ann@corp.test"})
    assert {row["action"] for row in audit} >= {"ask"}


def test_the_audit_log_has_who_did_it_and_whose_mail_it_is(place, ann):
    """Case 32 of behaviour.md."""
    one = place.hold("ann@corp.test", subject="Audited")
    place.client.call(RELEASE, {"id": one["id"]})
    newest, *_ = place.client.call("ext/find-audit-events", {})
    assert (newest["actingFor"], newest["objectId"]) == ("ann@corp.test", one["id"])
    assert (newest["action"], newest["actor"]) == ("release", place.live.credentials["admin"])


def test_the_sender_is_permitted_or_blocked_in_the_same_step(place, ann):
    one = place.hold("ann@corp.test", subject="Block me", sender="pest@shop.test")
    two = place.hold("ann@corp.test", subject="Permit me", sender="friend@shop.test")
    (done,) = ann.call(DECIDE, {"action": "reject", "ids": [one["id"]], "sender": "block"})
    assert (done["state"], done["error"]) == ("rejected", "")
    place.client.call(
        DECIDE,
        {
            "action": "release",
            "search": {"admin": True, "searchBy": {"fieldName": "subject", "value": "permit me"}},
            "sender": "permit",
        },
    )
    entries = {
        row["sender"]: row["type"] for row in place.client.call("ext/get-managed-senders", {"to": "ann@corp.test"})
    }
    assert (entries["pest@shop.test"], entries["friend@shop.test"]) == ("Block", "Permit")
    place.arrives("Permit me")
    assert two["id"] not in [row["id"] for row in place.held()]


def test_a_notice_goes_to_senders_of_ours_alone(place, ann):
    """Anybody else may never have written the message, nor may one of ours whose address comes from outside."""
    inside = place.hold("ann@corp.test", subject="Inside", sender="ann@corp.test", source_ip="127.0.0.1")["id"]
    outside = place.hold("ann@corp.test", subject="Outside", sender="stranger@else.test")["id"]
    forged = place.hold("ann@corp.test", subject="Forged", sender="ann@corp.test", source_ip="192.0.2.66")["id"]
    answer = place.client.send(REJECT, {"ids": [outside, forged, inside], "message": "not this", "notify": True})
    assert [warning.partition(":")[0] for warning in answer.warnings] == ["the sender is not told"] * 2
    notice = place.arrives("Your message was not delivered")
    parsed = email.message_from_bytes(notice)
    assert (parsed["Return-Path"], parsed["To"]) == ("<>", "ann@corp.test")
    assert "Subject: Inside" in parsed.get_payload()
    assert "Reason: not this" in parsed.get_payload()
    assert len(place.delivered("Your message was not delivered")) == 1


@pytest.mark.parametrize("local", ["a\x85b", '"=?utf-8?q?a=0d=0aBcc:x?="'], ids=["line end", "encoded words"])
def test_a_notice_can_be_written_to_any_address_of_ours(place, local):
    """The header does not show one that the library would take for something else; the envelope has it."""
    before = len(place.delivered("Your message was not delivered"))
    held = place.hold("ann@corp.test", subject="Odd", sender=f"{local}@corp.test", source_ip="127.0.0.1")["id"]
    answer = place.client.send(REJECT, {"ids": [held], "message": "not this", "notify": True})
    assert (answer.failures, answer.warnings) == ((), ())
    until = time.monotonic() + PATIENCE
    while len(found := place.delivered("Your message was not delivered")) == before and time.monotonic() < until:
        time.sleep(0.01)
    (notice,) = (one for one in map(email.message_from_bytes, found) if "Bcc" in one or one["To"] == NOT_SHOWN)
    assert (notice["To"], notice["Bcc"]) == (NOT_SHOWN, None)
    for one in (Path(place.live.maildir) / "new").iterdir():
        if NOT_SHOWN.encode() in one.read_bytes():
            one.unlink()


def test_lists_are_searched_and_narrowed(place, ann):
    place.hold("ann@corp.test", subject="Find ME", sender="odd@strange.test", source_ip="203.0.113.77")
    place.hold("ann@corp.test", subject="Broken", layer="malformed")

    def found(field: str, value: str, **more) -> list[str]:
        rows = place.held(searchBy={"fieldName": field, "value": value}, **more)
        return sorted({row["subject"] for row in rows})

    for field, value in (
        ("all", "find me"),
        ("subject", "find me"),
        ("sender", "strange.test"),
        ("senderIP", "203.0.113.77"),
    ):
        assert found(field, value) == ["Find ME"], field
    for field in ("reason_code", "reasonCode"):
        assert "Broken" in found(field, "message_hold_applied_malformed_message_policy")
        assert "Find ME" not in found(field, "message_hold_applied_malformed_message_policy")
    assert "Find ME" in found("recipient", "ANN@corp.test")
    assert "Find ME" in found("subject", "find", filterBy=[{"fieldName": "route", "value": "inbound"}])
    assert found("subject", "find", filterBy=[{"route": "outbound"}]) == []
    assert found("subject", "find", filterBy=[{"heldGroup": "administrator"}]) == []
    assert found("subject", "find", end="2020-01-01T00:00:00+0000") == []
    assert code_of(place.client, LIST, admin=True, filterBy=[{"fieldName": "colour", "value": "red"}]) == (
        "err_validation_value_not_allowed",
        "filterBy",
    )


def test_the_summary_counts_by_policy(place, ann):
    place.hold("ann@corp.test", "x@corp.test", subject="Counted", description="Only these")
    rows = place.client.call("gateway/get-hold-summary-list", {})
    assert {"policyInfo": "Only these", "numberOfItems": 2} in rows


HTML = b"""<p onclick="x()">Hi <b>there</b> <a href="javascript:x()">a</a> <a href="https://shop.test/">b</a>
<img src="https://track.test/ann.gif"><script>x()</script><style>p{background:url(https://track.test)}</style></p>"""

LETTER = (
    b"From: offers@shop.test\r\nTo: ann@corp.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlain.\r\n--b\r\n"
    b"Content-Type: text/html\r\n\r\n" + HTML + b"\r\n--b\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="offer.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    b"aGVsbG8=\r\n--b--\r\n"
)


def test_what_a_message_says_is_shown_without_what_could_do_harm(place, ann):
    """To who has the permission, and to whom it is for."""
    one = place.hold("ann@corp.test", subject="Grüße", text=LETTER)
    assert one["hasAttachments"] is True
    (shown,) = place.client.call("ext/show-held-message", {"id": one["id"]})
    assert shown["text"].strip() == "Plain."
    assert shown["attachments"] == [{"name": "offer.pdf", "type": "application/pdf", "size": 5}]
    assert {"name": "Subject", "value": "Grüße"} in shown["headers"]
    assert "<b>there</b>" in shown["html"]
    assert 'href="https://shop.test/"' in shown["html"]
    assert not re.search(r"script|onclick|img|track|style|background", shown["html"])
    assert ann.call("ext/show-held-message", {"id": one["id"]})[0]["text"] == shown["text"]
    helper = place.user("helper", Role.HELP_DESK)
    assert code_of(helper, "ext/show-held-message", id=one["id"]) == ("err_held_message_not_found", "id")
