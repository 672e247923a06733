"""The milter door as mail servers use it: what real ones send that is not what one expects, refusals, faults, an
orderly end."""

from __future__ import annotations

import random
import statistics
import struct
import threading
import time
from ipaddress import ip_network

import pytest
from mta import OLD, HungUp, Mta, packed
from structlog.testing import capture_logs

from mailreeve.app.doctor import checks
from mailreeve.app.doctor.milter_checks import milter_checks
from mailreeve.app.settings import Settings
from mailreeve.families.machinery.copies import NO_WISHES
from mailreeve.families.tracking.outcomes import State
from mailreeve.policy.model.decisions import Stage

TO = ["u@corp.test"]
TEXT = b"From: Ann <ann@out.test>\r\nSubject: hello\r\n\r\nHi.\r\n"
FAULT = "451 4.3.0 Local fault, try again later"


@pytest.fixture
def call_milter():
    """`call_milter(address)`: a server that asks, negotiation and client yet to come."""
    made = []

    def call(*arguments):
        made.append(Mta(*arguments))
        return made[-1]

    yield call
    for mta in made:
        mta.close()


@pytest.fixture
def mta(open_milter, call_milter):
    """A server that asks the door."""
    return call_milter(open_milter())


# What Postfix does.


def test_what_a_sender_wants_to_hear_is_kept_with_the_copies_that_are_split_off(mta, office, records):
    """Postfix offers DSN and shows its parameters (RFC 3461)."""
    office.personal("permit", "u@corp.test", "ann@out.test")
    mta.connect()
    wishes = ["RET=HDRS", "ENVID=QQ314159", "BODY=8BITMIME"]
    for notify, never in (
        ("NEVER", True),
        ("SUCCESS,DELAY", True),
        ("FAILURE,DELAY", False),
        ("success,failure", False),
    ):
        who = ["u@corp.test", "v@corp.test", "w@corp.test"]
        mta.message("ann@out.test", who, TEXT, parameters=wishes, notify={"u@corp.test": notify})
        (copy,) = records.messages[-1].outgoing
        assert [str(one.original) for one in copy.recipients] == ["u@corp.test"]
        assert (copy.reports.headers_only, copy.reports.envelope_id) == (True, "QQ314159")
        assert copy.reports.never == ({"u@corp.test"} if never else set())
    mta.message("ann@out.test", who, TEXT)
    (copy,) = records.messages[-1].outgoing
    assert copy.reports == NO_WISHES
    mta.quit()


def test_aborts_after_every_message_are_no_end(mta, records):
    """Postfix sends ABORT after a message that it took, and two before it leaves."""
    mta.connect()
    for number in range(3):
        assert mta.message("ann@out.test", TO, TEXT, queue_id=f"id{number}").delivered is not None
        mta.send(b"A")
    mta.quit()
    assert [(one.state, one.queue_id) for one in records.kept] == [
        (State.ACCEPTED, "id0"),
        (State.ACCEPTED, "id1"),
        (State.ACCEPTED, "id2"),
    ]


def test_abort_in_the_middle_drops_the_message_and_keeps_its_refusals(mta, office, records):
    """The client went away after one of its recipients was refused."""
    office.personal("block", "v@corp.test", "ann@out.test")
    mta.connect()
    mta.ask(b"M", b"<ann@out.test>\0")
    mta.ask(b"R", b"<u@corp.test>\0")
    assert mta.ask(b"R", b"<v@corp.test>\0").startswith("550 5.7.1 Envelope blocked - User Entry [")
    mta.ask(b"L", b"Subject\0 x\0")
    mta.send(b"A")
    result = mta.message("eve@out.test", TO, b"X: y\r\n\r\n")
    assert b"Subject" not in result.delivered.content
    assert [(one.recipient, one.state) for one in records.kept] == [
        ("v@corp.test", State.REJECTED),
        ("u@corp.test", State.ACCEPTED),
    ]


def test_queue_id_that_is_never_told_is_empty(mta, records):
    """Another server, or settings that leave `i` out: the message passes, and no id of one before it sticks."""
    mta.connect()
    mta.message("ann@out.test", TO, TEXT)
    mta.macros = lambda letter, **values: None
    assert mta.message("ann@out.test", TO, TEXT).delivered is not None
    assert [one.queue_id for one in records.kept] == ["4ABC123", ""]


def test_wanted_macros_are_named(mta):
    """So that settings of the server which leave them out do not matter."""
    mta.negotiate()
    assert struct.pack("!I", 2) + b"i {auth_authen}\0" in mta.named
    assert struct.pack("!I", 5) + b"i\0" in mta.named


def test_parameters_behind_the_address_are_no_part_of_it(mta, records):
    mta.connect()
    result = mta.message("ann@out.test", TO, TEXT, parameters=["SIZE=15", "BODY=8BITMIME", "ENVID=x"])
    assert result.delivered.sender == "ann@out.test"
    mta.send(b"M", b"<ann@out.test>\0SIZE=15\0")
    mta.receive()
    assert mta.ask(b"R", b"<v@corp.test>\0NOTIFY=NEVER\0ORCPT=rfc822;v@corp.test\0") == ""


def test_declared_size_is_refused_at_mail(open_milter, call_milter):
    mta = call_milter(open_milter(max_size=1_000))
    mta.connect()
    result = mta.message("ann@out.test", TO, TEXT, parameters=["SIZE=1001"])
    assert result.to_sender == "552 5.3.4 Message too large"


def test_server_that_wants_every_event_answered(open_milter, call_milter, office, records):
    """Version 2 of the protocol: each field answered, no space in front of values, the sender unchangeable."""
    office.alter_domain("old.test", "corp.test")
    mta = call_milter(open_milter(), OLD)
    mta.connect()
    content = b"X-Mailreeve-Spam-Checks: skip\r\nTo: <u@old.test>\r\n\r\nHi.\r\n"
    result = mta.message("ann@out.test", ["u@old.test"], content)
    mta.quit()
    assert (mta.version, mta.steps) == (2, 0)
    assert result.delivered.recipients == ["u@corp.test"]
    head, _, body = result.delivered.content.partition(b"\r\n\r\n")
    assert b"\r\nTo: <u@corp.test>" in head
    assert head.startswith(b"X-Mailreeve-Spam-Checks: run\r\nX-Mailreeve-Decision: ")
    assert head.count(b"X-Mailreeve-Spam-Checks:") == 1
    assert body == b"Hi.\r\n"


def test_sender_that_cannot_be_changed_makes_a_copy_of_its_own(open_milter, call_milter, office, records):
    """The server drops the message, and the copy with the altered sender is kept to be handed on."""
    office.alter("jo@corp.test", "office@corp.test", "envelope_from")
    office.relay = (ip_network("127.0.0.0/8"),)
    mta = call_milter(open_milter(), OLD)
    mta.connect()
    result = mta.message("jo@corp.test", ["x@far.test"], TEXT)
    assert result.delivered is None
    assert mta.letters[-1] == b"d"
    [kept] = records.messages
    [copy] = kept.outgoing
    assert (str(copy.sender), [str(one.effective) for one in copy.recipients]) == (
        "office@corp.test",
        ["x@far.test"],
    )
    assert bytes(copy.content).startswith(
        b"Received: from client.test ([127.0.0.1])\r\n\tby gate.test (Mailreeve)"
    )


def test_several_clients_over_one_connection(mta, office, records):
    """`QUIT_NC`: what the first one was is not what the second one is."""
    office.relay = (ip_network("192.0.2.7/32"),)
    mta.connect("192.0.2.7", helo="first.test")
    assert mta.message("a@corp.test", ["x@far.test"], TEXT).delivered is not None
    mta.send(b"K")
    mta.connect("2001:db8::7", helo="second.test")
    [said] = mta.message("a@corp.test", ["x@far.test"], TEXT).to_recipients.values()
    assert said.startswith("451 4.7.1 Open relay not allowed [")
    mta.quit()
    assert [(one.source_ip, one.client_name) for one in records.wait_for(2)] == [
        ("192.0.2.7", "first.test"),
        ("2001:db8::7", "second.test"),
    ]


# Who sends.


def test_user_who_signed_in_may_send_to_the_outside(mta, office, records):
    """And the one who sends next over the same connection without it may not."""
    office.relay = ()
    mta.connect("192.0.2.7")
    assert mta.message("a@corp.test", ["x@far.test"], TEXT, login="ann").delivered is not None
    [said] = mta.message("a@corp.test", ["x@far.test"], TEXT).to_recipients.values()
    assert said.startswith("451 4.7.1 Open relay not allowed [")
    mta.quit()
    assert [(one.login, one.source_trusted) for one in records.wait_for(2)] == [("ann", True), ("", None)]


def test_client_of_unknown_address_is_nobody(mta, office, records):
    """Although every network is a relay network."""
    office.relay = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    mta.negotiate()
    assert mta.ask(b"C", b"unknown\0U") == ""
    [said] = mta.message("a@corp.test", ["x@far.test"], TEXT).to_recipients.values()
    assert said.startswith("451 4.7.1 Open relay not allowed [")


NO_REPLY_TO_CONNECT = 0x1000


def test_where_no_source_is_blocked_the_server_need_not_wait_at_connect(mta, office, records):
    """Who comes to be blocked after that is refused at RCPT, with the same words; 421 is for connections."""
    mta.negotiate()
    assert mta.steps & NO_REPLY_TO_CONNECT
    office.block("everyone", networks=(ip_network("203.0.113.0/24"),), override=True)
    assert mta.ask(b"C", b"unknown\x004" + struct.pack("!H", 40_000) + b"203.0.113.9\0") == ""
    result = mta.message("ann@out.test", TO, TEXT)
    assert result.to_recipients[TO[0]].startswith("451 4.7.1 Sender address blocked [")
    (outcome,) = records.wait_for(1)
    assert (outcome.stage, outcome.recipient, outcome.source_ip) == (Stage.RCPT, TO[0], "203.0.113.9")


def test_where_a_source_is_blocked_the_server_waits_at_connect(mta, office):
    office.block("everyone", networks=(ip_network("203.0.113.0/24"),), override=True)
    mta.negotiate()
    assert not mta.steps & NO_REPLY_TO_CONNECT


def test_messages_of_many_connections_at_once_are_written_together(
    open_milter, call_milter, records, portal, monkeypatch
):
    """Those that come while the first one is being written wait for it, and are then written at once."""
    batches, may_write, begun = [], threading.Event(), threading.Event()
    keep = records.record

    def record(messages):
        batches.append(len(messages))
        begun.set()
        assert may_write.wait(60)
        return keep(messages)

    monkeypatch.setattr(records, "record", record)
    address = open_milter()
    servers = [call_milter(address) for _ in range(6)]
    for server in servers:
        server.connect()
        assert not server.ask(b"M", b"<ann@out.test>\0")
        assert not server.ask(b"R", b"<u@corp.test>\0")
        server.send(b"N")
        server.send(b"E", b"text\r\n")
        assert begun.wait(60)
    while open_milter.door.records_waiting < 5:
        portal.call(lambda: None)  # a turn of the door's loop
    may_write.set()
    for server in servers:
        while (answer := server.receive()[0]) != b"a":
            assert answer == b"i"
    assert batches == [1, 5]


def test_blocked_source_is_refused_at_connect(mta, office, records):
    """With 421, which has Postfix and Sendmail close the connection; recorded at once."""
    office.block("everyone", networks=(ip_network("203.0.113.0/24"),), override=True)
    assert mta.connect("203.0.113.9").startswith("421 4.7.1 Sender address blocked [")
    [outcome] = records.wait_for(1)
    assert (outcome.stage, outcome.source_ip) == (Stage.CONNECT, "203.0.113.9")


def test_percent_signs_in_replies_are_doubled(mta, office):
    """Sendmail takes the text for a format."""
    mta.connect()
    mta.ask(b"M", b"<ann@out.test>\0")
    mta.send(b"R", b"<100%s%n @corp.test>\0")
    letter, data = mta.receive()
    assert letter == b"y"
    assert b"%" not in data.replace(b"%%", b"")


# Faults.


def test_message_that_cannot_be_recorded_is_put_off(mta, records):
    """451 and no change; once records can be kept, the next one passes."""
    mta.connect()
    records.broken = True
    with capture_logs():
        result = mta.message("ann@out.test", TO, TEXT)
    assert (result.to_content, result.delivered) == (FAULT, None)
    assert mta.letters[-1:] == [b"y"]
    records.broken = False
    assert mta.message("ann@out.test", TO, TEXT).delivered is not None


def test_message_that_finds_no_room_to_be_held_is_put_off_and_nothing_is_broken(mta, records):
    """A stranger may cause it at will: it is told in a line, as at the other door, and not as a fault of ours."""
    mta.connect()
    records.full = True
    with capture_logs() as logged:
        assert mta.message("ann@out.test", TO, TEXT).to_content == FAULT
    told = [(one["event"], one["log_level"]) for one in logged if one["event"].startswith("mail.no")]
    assert told == [("mail.no_room_to_hold", "warning")]


def test_fault_of_ours_is_a_451_and_the_connection_goes_on(mta, office, records):
    office.fault = RuntimeError("the database is gone")
    mta.connect()
    with capture_logs():
        assert mta.message("ann@out.test", TO, TEXT).to_recipients == {"u@corp.test": FAULT}
    office.fault = None
    assert mta.message("ann@out.test", TO, TEXT).delivered is not None


def test_messages_that_fill_the_memory_are_put_off(open_milter, call_milter, records):
    """A large one is put off, a small one always has room, and what was taken is given back."""
    path = open_milter(memory=200_000)
    large = TEXT + b"0123456789abcdef\r\n" * 20_000
    one, other = call_milter(path), call_milter(path)
    one.connect()
    assert one.message("ann@out.test", TO, large).to_content.startswith("452 4.3.1 Insufficient system storage [")
    other.connect()
    assert other.message("ann@out.test", TO, TEXT).delivered is not None
    assert one.message("ann@out.test", TO, large[:200_000]).delivered is not None


def test_events_out_of_order_are_answered(mta, records):
    """No message without MAIL, none without a recipient; MAIL after MAIL begins a new one."""
    mta.connect()
    assert mta.ask(b"R", b"<u@corp.test>\0").startswith("451 4.5.0 ")
    assert mta.ask(b"E").startswith("451 4.5.0 ")
    mta.ask(b"M", b"<ann@out.test>\0")
    assert mta.ask(b"E") == "554 5.5.1 No valid recipients"
    mta.ask(b"M", b"<eve@out.test>\0")
    mta.ask(b"M", b"<ann@out.test>\0")
    mta.ask(b"R", b"<u@corp.test>\0")
    mta.ask(b"E")
    assert [one.sender for one in records.wait_for(1)] == ["ann@out.test"]


def test_a_field_stays_one_field_whatever_is_in_it(mta, office, records):
    """Line feeds in a value neither end the header nor begin a field that nobody else sees."""
    office.block("bad.test", part="header_from")
    mta.connect()
    mta.ask(b"M", b"<ann@out.test>\0")
    mta.ask(b"R", b"<u@corp.test>\0")
    for value in (b" x\n\nFrom: eve@bad.test\0", b" x\r\nFrom: eve@bad.test\r\n\r\n\0", b"\n\0", b"\0"):
        mta.ask(b"L", b"Subject\0" + value)
    mta.ask(b"L", b"\n From\0 x\0")
    mta.ask(b"N")
    assert mta.ask(b"E") == ""
    [outcome] = records.wait_for(1)
    assert (outcome.state, outcome.subject) == (State.ACCEPTED, "x From: eve@bad.test")


def test_body_without_an_end_of_the_header_before_it_is_no_header(mta, office, records):
    """From a server that skips that step."""
    office.block("bad.test", part="header_from")
    mta.connect()
    mta.ask(b"M", b"<ann@out.test>\0")
    mta.ask(b"R", b"<u@corp.test>\0")
    mta.ask(b"L", b"Subject\0 x\0")
    mta.ask(b"B", b"From: eve@bad.test\r\n\r\nHi.\r\n")
    assert mta.ask(b"E") == ""
    [outcome] = records.wait_for(1)
    assert (outcome.state, outcome.size) == (
        State.ACCEPTED,
        len(b"Subject: x\r\n\r\nFrom: eve@bad.test\r\n\r\nHi.\r\n"),
    )


def test_nothing_that_is_as_large_as_it_may_be_holds_up_others(open_milter, call_milter, records):
    """A field of carriage returns and folds, an address, a name and parameters of a quarter of a million octets:
    another connection is served meanwhile."""
    path = open_milter()
    hostile, other = call_milter(path), call_milter(path)
    hostile.connect(helo="h" * 250_000)
    other.connect()
    began = time.perf_counter()
    for sender in (b"<" + b"a" * 250_000 + b"@out.test>\0", b"<ann@out.test>\0" + b"SIZE=9\0" * 30_000):
        hostile.ask(b"M", sender)
    assert hostile.ask(b"R", b"<" + b'"' * 250_000 + b"@corp.test>\0").startswith("501 5.1.3 ")
    hostile.ask(b"R", b"<u@corp.test>\0")
    hostile.ask(b"L", b"X\0" + b"\r" * 250_000 + b"\n y\0")
    hostile.send(b"D", b"L" + b"i\0x\0" * 60_000)
    hostile.send(b"E")
    assert other.message("ann@out.test", TO, TEXT).delivered is not None
    while hostile.receive()[0] not in b"acy":
        pass
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\0",
        struct.pack("!I", 2**31) + b"O",
        packed(b"M", b"<a@b.test>\0"),
        packed(b"O", b"\0\0\0\6"),
        packed(b"O", struct.pack("!III", 1, 0x1FF, 0)),
        packed(b"O", struct.pack("!III", 6, 0, 0)),
        packed(b"O", struct.pack("!III", 6, 0x1FF, 0)) + packed(b"z"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_milter_protocol_ends_the_connection(open_milter, call_milter, said):
    """And only that: the next one is served."""
    path = open_milter()
    mta = call_milter(path)
    mta.socket.sendall(said)
    mta.wait_for_end()
    mta = call_milter(path)
    mta.connect()


def test_events_in_any_order_with_anything_in_them_are_no_fault(open_milter, call_milter, records):
    """A hundred conversations without sense: each ends, nothing goes wrong inside, and the door serves on."""
    path = open_milter(max_recipients=5)
    chance = random.Random(58)
    texts = [
        b"",
        b"<u@corp.test>",
        b"<ann@out.test>",
        b"From",
        b" x",
        b"SIZE=1",
        b"\xff\n",
        b"\r\n\r\n",
        b"i",
        b"M",
        b"4",
    ]
    with capture_logs() as logged:
        for _ in range(100):
            mta = call_milter(path)
            stream = packed(b"O", struct.pack("!III", 6, 0x1FF, chance.choice([0, 0x1FFFFF])))
            for _ in range(chance.randrange(30)):
                data = b"\0".join(chance.choices(texts, k=chance.randrange(5)))
                stream += packed(
                    chance.choice([b"M", b"R", b"L", b"N", b"B", b"E", b"A", b"D", b"C", b"H", b"T", b"K"]), data
                )
            mta.socket.sendall(stream + packed(b"Q"))
            mta.wait_for_end()
            mta.close()
    assert [line for line in logged if line["log_level"] not in ("info", "debug")] == []
    mta = call_milter(path)
    mta.connect()
    assert mta.message("ann@out.test", TO, TEXT).delivered is not None


def test_connections_beyond_the_limit_are_closed(open_milter, call_milter):
    path = open_milter(max_connections=2)
    served = [call_milter(path), call_milter(path)]
    for mta in served:
        mta.connect()
    with pytest.raises((HungUp, ConnectionError)):
        call_milter(path).negotiate()


# On TCP, and the end.


def test_small_packets_in_a_row_do_not_wait_for_each_other_on_tcp(open_milter, call_milter, records):
    """Without acknowledgements at once each message takes 40 ms longer: the server's kernel holds back what it
    writes while the one before is not acknowledged (Nagle), and ours acknowledges late."""
    mta = call_milter(open_milter(tcp=True))
    mta.connect()
    taken = []
    for _ in range(15):
        began = time.perf_counter()
        assert mta.message("ann@out.test", TO, TEXT).delivered is not None
        taken.append(time.perf_counter() - began)
    assert statistics.median(taken) < 0.04


def test_door_that_closes_finishes_messages_and_sends_others_away(open_milter, call_milter, portal, records):
    """A server between two messages is cut off at once; one in the middle of a message has its answer first."""
    path = open_milter()
    between, middle = call_milter(path), call_milter(path)
    for mta in (between, middle):
        mta.connect()
    middle.ask(b"M", b"<ann@out.test>\0")
    middle.ask(b"R", b"<u@corp.test>\0")
    closing = portal.start_task_soon(open_milter.door.aclose)
    with pytest.raises(HungUp):
        between.receive()
    middle.ask(b"L", b"Subject\0 late\0")
    middle.ask(b"N")
    assert middle.ask(b"E") == ""
    closing.result(timeout=10)
    middle.wait_for_end()
    assert [one.subject for one in records.kept] == ["late"]


def test_doctor_asks_as_a_server_does(open_milter, open_door, sink):
    """And is not content with just anything that listens."""
    [check] = milter_checks(Settings(milter=f"unix:{open_milter()}"), served=True)
    assert check.state is checks.State.OK
    host, port = open_door().address
    [check] = milter_checks(Settings(milter=f"{host}:{port}"), served=True)
    assert (check.state, check.found) == (checks.State.FAIL, f"{host}:{port} is answered by something else")
    [check] = milter_checks(Settings(milter="unix:/nowhere/milter.sock"), served=True)
    assert check.state is checks.State.FAIL
