"""A copy that was taken and cannot be delivered is never silently gone: its sender is told where that may be, or
it is held again, or held for the administrators; once, whenever the process dies."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest
from held_copies import TEXT, hold, kept
from msgspec.structs import replace
from structlog.testing import capture_logs

from mailreeve.families.directory.domains import rows as domain_rows
from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.held.limits import DEFAULT
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.machinery.copies import ReportWishes
from mailreeve.families.outgoing import rows
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.outgoing.report import MAX_RETURNED
from mailreeve.families.sender_notices.rules import MOST_REPORTS
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.networks import parse_network
from mailreeve.policy.model.authentication import Authentication, Result

LIST = "gateway/get-hold-message-list"
RELEASE = "gateway/hold-release"
NEVER = "550 5.1.1 Nobody of that name"
OWN, OUTSIDE = "127.0.0.9", "192.0.2.9"


class Place:
    """An account whose copies are given up."""

    def __init__(self, account, services) -> None:
        self.account = account
        self.services = services
        self.keeper = MessageKeeper(services.store, RecordBudget(), services.bodies)
        undelivered = UndeliveredCopies("mx.corp.test", [parse_network("127.0.0.0/8")], DEFAULT)
        self.queue = OutgoingQueue(services.store, services.bodies, undelivered)

    def send(self, *recipients, sender="ann@corp.test", source_ip=OWN, wishes=None, authentication=None, **more):
        """Have a copy on its way that was split off; its decision id."""
        message = kept(
            self.account.id, *recipients, sender=sender, source_ip=source_ip, state=State.ACCEPTED, **more
        )
        outcomes = [replace(one, authentication=authentication) for one in message.outcomes]
        outgoing = [replace(one, reports=wishes or one.reports) for one in message.outgoing]
        hold(self.keeper, replace(message, outcomes=outcomes, outgoing=outgoing))
        return message.outcomes[0].decision_id

    def hold(self, recipient, **more):
        message = kept(self.account.id, recipient, **more)
        hold(self.keeper, message)
        return message.outcomes[0].decision_id

    @property
    def waiting(self):
        return self.queue.due(1000)

    def refuse(self, reply=NEVER):
        """The next hop refuses all that waits for good. What became of each."""
        with capture_logs() as logged:
            for one in self.waiting:
                self.queue.begin(one)
                self.queue.refused(one, reply)
        return [entry["became"] for entry in logged if entry["event"] == "outgoing.given_up"]

    def report(self):
        """The one copy that waits, which is a report."""
        (one,) = self.waiting
        assert (one.origin, str(one.kept.copy.sender)) == ("report", "")
        content = bytes(self.queue.begin(one))
        return str(one.to.effective), email.message_from_bytes(content, policy=email.policy.SMTP)

    def held(self):
        return self.account.call(LIST, {"admin": True})

    def verdicts(self, decision):
        found = self.account.call("ext/find-mail-records", {"id": decision, "oldestFirst": True})
        return [row["verdict"] for row in found]


@pytest.fixture
def place(account, services):
    account.write(lambda work: domain_rows.add(work, Domain("corp.test"), "corp.test", InboundType.KNOWN))
    return Place(account, services)


def test_who_sent_it_from_a_network_of_ours_gets_a_report(place):
    """RFC 3464, RFC 6522: words, fields for programs, and the message; from nobody, to the envelope sender."""
    decision = place.send("friend@far.test")
    assert place.refuse() == ["reported"]
    assert place.verdicts(decision) == ["accepted", "bounced"]
    to, report = place.report()
    assert to == "ann@corp.test"
    assert report["Auto-Submitted"] == "auto-replied"
    assert report["From"].addresses[0].username == "postmaster"
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    words, status, returned = report.get_payload()
    assert f"    {NEVER}\n" in words.get_content().replace("\r\n", "\n")
    assert "Your message to friend@far.test could not be delivered." in words.get_content()
    of_message, of_recipient = status.get_payload()
    assert of_message["Reporting-MTA"] == "dns; mx.corp.test"
    assert dict(of_recipient.items()) == {
        "Final-Recipient": "rfc822; friend@far.test",
        "Action": "failed",
        "Status": "5.1.1",
        "Diagnostic-Code": f"smtp; {NEVER}",
        "Last-Attempt-Date": of_recipient["Last-Attempt-Date"],
    }
    assert returned.get_content_type() == "message/rfc822"
    assert not report.defects
    assert place.held() == []


def test_the_message_goes_back_octet_for_octet_and_a_large_one_as_its_header(place):
    place.send("friend@far.test", text=b"Subject: \xff\xfe odd\r\nMangled\r\n\r\n--\r\nbody \xc3\xbc\r\n.\r\n")
    place.refuse()
    (one,) = place.waiting
    whole = bytes(place.queue.begin(one))
    assert b"Subject: \xff\xfe odd\r\nMangled\r\n\r\n--\r\nbody \xc3\xbc\r\n.\r\n" in whole
    place.queue.delivered(one, "", "")
    large = TEXT.replace(b"%b", b"large") + b"x" * 70 + b"\r\n" + b"y\r\n" * MAX_RETURNED
    place.send("friend@far.test", text=large)
    place.refuse()
    _, report = place.report()
    returned = report.get_payload()[2]
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: large" in returned.get_payload()
    assert "yy" not in returned.get_payload()


@pytest.mark.parametrize(
    ("sender", "source_ip", "authentication"),
    [
        ("ann@corp.test", OUTSIDE, None),
        ("x@else.test", OWN, None),
        ("x@else.test", OUTSIDE, Authentication(spf=Result.FAIL, spf_domain="else.test")),
        ("x@else.test", OUTSIDE, Authentication(spf=Result.PASS, spf_domain="other.test")),
        ("", OWN, None),
    ],
    ids=["ours from outside", "a stranger's domain", "SPF fails", "SPF of another", "a bounce"],
)
def test_whose_sender_may_not_be_told_is_held_for_the_administrators(place, sender, source_ip, authentication):
    """No backscatter, and no bounce of a bounce; and the message is there to be looked at and released."""
    decision = place.send("gone@corp.test", sender=sender, source_ip=source_ip, authentication=authentication)
    assert place.refuse() == ["held"]
    assert place.waiting == []
    (row,) = place.held()
    assert (row["heldGroup"], row["returnedWhy"], row["decisionId"]) == ("administrator", NEVER, decision)
    assert row["reason"] == "Message Hold Applied - Undeliverable Message policy"
    assert place.verdicts(decision) == ["accepted", "held"]
    place.account.call(RELEASE, {"id": row["id"]})
    (one,) = place.waiting
    assert bytes(place.queue.begin(one)).endswith(TEXT % b"Cheap")


def test_whom_spf_vouches_for_is_told(place):
    passed = Authentication(spf=Result.PASS, spf_domain="else.test")
    place.send("gone@corp.test", sender="x@else.test", source_ip=OUTSIDE, authentication=passed)
    assert place.refuse() == ["reported"]
    assert place.report()[0] == "x@else.test"


def test_a_report_that_nobody_takes_is_held_and_answered_by_none(place):
    place.send("friend@far.test")
    place.refuse()
    assert place.refuse() == ["held"]
    assert place.waiting == []
    (row,) = place.held()
    assert (row["from"]["emailAddress"], row["to"]["emailAddress"]) == ("", "ann@corp.test")
    shown = place.account.call("ext/show-held-message", {"id": row["id"]})[0]
    assert "could not be delivered" in shown["text"]


def test_who_wants_no_report_gets_none(place):
    """RFC 3461: NOTIFY=NEVER."""
    place.send("friend@far.test", wishes=ReportWishes(never=frozenset({"friend@far.test"})))
    assert place.refuse() == ["held"]


def test_what_the_sender_calls_the_message_and_how_much_it_wants_back(place):
    """RFC 3461: ENVID, RET=HDRS."""
    place.send("friend@far.test", wishes=ReportWishes(headers_only=True, envelope_id="QQ+2B314159"))
    place.refuse()
    _, report = place.report()
    _, status, returned = report.get_payload()
    assert status.get_payload()[0]["Original-Envelope-Id"] == "QQ+314159"
    assert returned.get_content_type() == "text/rfc822-headers"


def test_an_address_that_alteration_hides_is_not_told(place):
    """Neither in the words of the next hop, nor in fields."""
    message = kept(place.account.id, "old@far.test", sender="ann@corp.test", source_ip=OWN, state=State.ACCEPTED)
    (copy,) = message.outgoing
    (to,) = copy.recipients
    hidden = replace(to, effective=parse_address("hidden@far.test"))
    copy = replace(copy, recipients=(hidden,))
    hold(place.keeper, replace(message, outgoing=(copy,)))
    place.refuse("550 5.1.1 <hidden@far.test> is nobody")
    (one,) = place.waiting
    text = bytes(place.queue.begin(one))
    assert b"hidden" not in text
    assert b"old@far.test" in text
    assert b"Subject: Cheap" in text


def test_one_address_gets_so_many_reports_a_day_and_the_rest_is_held(place):
    for _ in range(MOST_REPORTS + 1):
        place.send("friend@far.test")
    assert place.refuse() == ["reported"] * MOST_REPORTS + ["held"]


def test_what_waited_for_five_days_is_reported(place):
    place.send("friend@far.test")
    later = rows.GIVE_UP_AFTER + timedelta(minutes=1)
    place.account.write(
        lambda work: work.execute(
            rows.update(rows.outgoing_message)
            .where(rows.outgoing_message.c.account_id == work.account_id)
            .values(created_at=work.now - later)
        )
    )
    (one,) = place.waiting
    place.queue.put_off(one, "451 4.4.1 no answer")
    _, report = place.report()
    words, status, _ = report.get_payload()
    assert "tried for five days" in words.get_content()
    assert status.get_payload()[1]["Status"] == "4.4.1"


def test_a_released_copy_that_is_refused_is_held_again_and_can_be_released_again(place):
    """As it was, for whom it was held, with the reason to be seen; and its time begins anew."""
    decision = place.hold("ann@corp.test")
    (before,) = place.held()
    place.account.call(RELEASE, {"id": before["id"], "reason": "let it go"})
    assert place.held() == []
    assert place.refuse() == ["held_again"]
    (row,) = place.held()
    assert row["id"] == before["id"]
    assert row["returnedWhy"] == NEVER
    assert (row["heldGroup"], row["policyInfo"], row["reason"]) == tuple(
        before[name] for name in ("heldGroup", "policyInfo", "reason")
    )
    assert place.verdicts(decision) == ["held", "released", "held"]
    (newest, *_) = place.account.call("ext/find-audit-events", {"objectKind": "held message"})
    assert newest["action"] == "return"
    shown = place.account.call("ext/show-held-message", {"id": row["id"]})[0]
    assert "A body that comes whole" in shown["text"]
    place.account.call(RELEASE, {"id": row["id"]})
    (one,) = place.waiting
    assert bytes(place.queue.begin(one)) == TEXT % b"Cheap"
    place.queue.delivered(one, "250 2.0.0 OK", "")
    assert place.verdicts(decision) == ["held", "released", "held", "released", "delivered"]


@pytest.mark.parametrize("step", ["outgoing", "tracking", "notices"])
def test_who_dies_at_any_step_has_done_nothing_and_the_next_one_all_of_it(place, monkeypatch, step):
    """The copy and its report, or what is held, change places in one transaction."""
    held = "mailreeve.families.held.undelivered"
    decision = place.send("friend@far.test")
    name = {"outgoing": "outgoing.add", "tracking": "tracking.add", "notices": "sent.add"}[step]

    def dies(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(f"{held}.{name}", dies)
        with pytest.raises(RuntimeError):
            place.refuse()
    place.account.write(rows.hurry)
    (one,) = place.waiting
    assert (one.origin, place.verdicts(decision)) == ("split-off", ["accepted"])
    place.queue.refused(one, NEVER)
    place.queue.refused(one, NEVER)  # whoever did not hear that it was done
    assert [w.origin for w in place.waiting] == ["report"]
    assert place.verdicts(decision) == ["accepted", "bounced"]


@pytest.mark.parametrize("step", ["rows.hold_again", "note_return", "tracking.add"])
def test_who_dies_while_a_release_comes_back_leaves_it_on_its_way(place, monkeypatch, step):
    place.hold("ann@corp.test")
    place.account.call(RELEASE, {"id": place.held()[0]["id"]})
    (one,) = place.waiting

    def dies(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(f"mailreeve.families.held.undelivered.{step}", dies)
        with pytest.raises(RuntimeError):
            place.queue.refused(one, NEVER)
    assert (len(place.waiting), place.held()) == (1, [])
    place.queue.refused(one, NEVER)
    assert (place.waiting, len(place.held())) == ([], 1)


def test_a_copy_whose_text_is_gone_ends_with_a_report(place, tmp_path):
    """To its sender where that may be told, else to the postmaster of the account."""
    place.send("friend@far.test")
    decision = place.send("gone@corp.test", sender="x@else.test", source_ip=OUTSIDE)
    waiting = place.waiting
    for file in (tmp_path / "bodies").rglob("*"):
        if file.is_file():
            file.unlink()
    for one in waiting:
        place.queue.refused(one, "451 4.3.0 The text of the message is damaged or gone")
    assert sorted(str(one.to.effective) for one in place.waiting) == ["ann@corp.test", "postmaster@corp.test"]
    assert place.verdicts(decision) == ["accepted", "bounced"]
    for one in place.waiting:
        report = email.message_from_bytes(bytes(place.queue.begin(one)))
        assert report.get_payload()[2].get_content_type() == "text/rfc822-headers"


def test_notices_that_nobody_takes_are_gone(place):
    """They were written here, about what is still here."""
    (copy,) = kept(place.account.id, "a@corp.test", state=State.ACCEPTED).outgoing
    place.account.write(lambda work: rows.add(work, [rows.KeptCopy(copy, "")], "notice"))
    assert place.refuse() == ["ended"]
    assert (place.waiting, place.held()) == ([], [])
