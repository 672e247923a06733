"""A next hop that says 5xx, on a real socket: the sender has one report, and a release is held again."""

from __future__ import annotations

import email
import email.policy
import threading
import time

import pytest
from held_copies import hold, kept

from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.families.held.limits import DEFAULT
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.networks import parse_network
from mailreeve.mail.next_hop.smtp import SmtpNextHop
from mailreeve.mail.outgoing import OutgoingRunner
from mailreeve.mail.released import ReleaseMarks

PATIENCE = 20.0


@pytest.fixture
def opened(new_folder, tmp_path):
    data, _ = new_folder(tmp_path)
    opened = Opened(data, Settings())
    yield opened
    opened.close()


def hand_on(queue, sink, portal, done, marks=None) -> None:
    """Let the runner hand on what waits, until something is so."""
    host, port = sink.address
    hop = SmtpNextHop(host=host, port=port, greeting="gate.test")
    if marks is None:
        runner = OutgoingRunner(queue, hop)
    else:
        runner = OutgoingRunner(queue, hop, lambda one, content: marks.marked(one, content, time.time()))
    running = portal.start_task_soon(runner.run)
    until = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < until:
        threading.Event().wait(0.01)
    portal.call(runner.stop)
    running.result(PATIENCE)
    assert done()


def queue_of(opened) -> OutgoingQueue:
    undelivered = UndeliveredCopies("gate.test", [parse_network("127.0.0.0/8")], DEFAULT)
    return OutgoingQueue(opened.store, opened.bodies, undelivered)


def test_what_the_next_hop_refuses_is_reported_to_its_sender_once(opened, sink, portal):
    """By RCPT, and by its content; from the empty sender, and no report of the report."""
    account_id, queue = opened.account_id(None), queue_of(opened)
    keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
    for recipient in ("unknown@far.test", "spam@far.test", "fine@far.test"):
        message = kept(account_id, recipient, sender="ann@corp.test", source_ip="127.0.0.1", state=State.ACCEPTED)
        hold(keeper, message)
    hand_on(queue, sink, portal, lambda: queue.depth().waiting == 0 and len(sink.messages) == 3)
    reports = [message for message in sink.messages if message[0].strip("<>") == ""]
    assert [to for _, to, _ in reports] == [["ann@corp.test"]] * 2
    parsed = [email.message_from_bytes(text, policy=email.policy.SMTP) for _, _, text in reports]
    said = sorted(one.get_payload()[1].get_payload()[1]["Diagnostic-Code"] for one in parsed)
    assert said == ["smtp; 550 5.1.1 No such user here", "smtp; 554 5.7.0 Content refused"]


def test_a_report_to_nobody_and_a_strangers_mail_are_held(opened, sink, portal):
    """Nothing vanishes, and nobody is written to who may have written nothing."""
    account_id, queue = opened.account_id(None), queue_of(opened)
    keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
    hold(keeper, kept(account_id, "unknown@corp.test", sender="x@else.test", state=State.ACCEPTED))
    own = kept(
        account_id, "spam@far.test", sender="unknown@corp.test", source_ip="127.0.0.1", state=State.ACCEPTED
    )
    hold(keeper, own)
    hand_on(queue, sink, portal, lambda: queue.depth().waiting == 0)
    assert sink.messages == []
    with opened.store._engine.reading() as connection:
        rows = connection.exec_driver_sql("SELECT state, held_group, sender, reason FROM held_message").all()
    assert sorted(map(tuple, rows)) == [
        ("held", "administrator", "", "550 5.1.1 No such user here"),
        ("held", "administrator", "x@else.test", "550 5.1.1 No such user here"),
    ]


def test_the_envelope_has_its_mark_where_the_next_hop_knows_dsn(opened, sink, portal):
    sink.offers_dsn = True
    account_id, queue = opened.account_id(None), queue_of(opened)
    keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
    marks = ReleaseMarks(b"k" * 32, lambda *_: True)
    hold(keeper, kept(account_id, "fine@far.test", sender="ann@corp.test", state=State.ACCEPTED))
    hand_on(queue, sink, portal, lambda: queue.depth().waiting == 0, marks)
    [(_, _, text)] = sink.messages
    [option] = sink.envelope_ids
    assert text.startswith(b"X-Mailreeve-Released: ")
    key = text.split(b"; ")[1].decode()
    assert option.startswith(f"ENVID=reeve.{key}.1.")
