"""Carrying out a plan: what is answered when some copies are delivered and others are not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest
from msgspec.structs import replace

from mailreeve.families.held.limits import NoRoom
from mailreeve.families.machinery.copies import ArchivedCopy, Routed
from mailreeve.families.tracking.outcomes import LAYER_LOCAL_FAULT, LAYER_NEXT_HOP, Outcome, State
from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.formats.message import Content, read_message
from mailreeve.mail import planning
from mailreeve.mail.attempts import content_key, message_key
from mailreeve.mail.next_hop.maildir import CANNOT_STORE, MaildirNextHop
from mailreeve.mail.next_hop.queue_id import queue_id
from mailreeve.mail.next_hop.smtp import passed_on, taken
from mailreeve.mail.plan import Plan
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.smtp.delivery import Delivery
from mailreeve.mail.smtp.retries import MAX_AGE, MAX_MESSAGES, MAX_RECIPIENTS, Retries
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.policy_types import SmtpReply

pytestmark = pytest.mark.anyio

MESSAGE = b"From: Ann <ann@out.test>\r\nMessage-ID: <1@out.test>\r\n\r\nbody\r\n"
LATER = SmtpReply(450, "4.2.1", "Mailbox busy")
NEVER = SmtpReply(550, "5.7.0", "Spam")
NOW = 1_800_000_000.0


@pytest.fixture
def anyio_backend():
    return "asyncio"


class ScriptedSession:
    """Takes everything but for the recipients named in `refusals`."""

    def __init__(self) -> None:
        self.refusals: dict[str, SmtpReply] = {}
        self.fault: Exception | None = None
        self.taken: list[str] = []
        self.resets = 0
        self.reset_fault: Exception | None = None

    async def check(self, sender, recipient, *, utf8):
        return None

    async def deliver(self, sender, recipients: Sequence[Routed], content, *, utf8, envelope_id=""):
        if self.fault is not None:
            raise self.fault
        replies = [self.refusals.get(str(recipient.effective)) for recipient in recipients]
        self.taken += [str(r.effective) for r, reply in zip(recipients, replies, strict=True) if reply is None]
        return replies

    async def reset(self):
        self.resets += 1
        if self.reset_fault is not None:
            raise self.reset_fault

    async def aclose(self):
        pass


class Records:
    """Keeps outcomes, or fails."""

    def __init__(self) -> None:
        self.kept: list[Outcome] = []
        self.archived: list[ArchivedCopy] = []
        self.broken = False

    def record(self, messages):
        if self.broken:
            raise OSError("no space left")
        self.kept += chain.from_iterable(one.outcomes for one in messages)
        self.archived += chain.from_iterable(one.archived for one in messages)
        return [None] * len(messages)

    @property
    def in_archive(self) -> list[list[str]]:
        """Who got each of the copies in the archive."""
        return [[one.effective for one in copy.recipients] for copy in self.archived]

    @property
    def states(self) -> dict[str, State]:
        return {outcome.recipient: outcome.state for outcome in self.kept}


def keys(plan: Plan) -> dict[str, bytes | None]:
    """What a message of Ann is recognised by."""
    ann = parse_address("ann@out.test")
    return {"key": message_key(ann, plan.message), "content": content_key(ann, plan.message)}


@pytest.fixture
def hop_session():
    return ScriptedSession()


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def send(begin, office, hop_session, records):
    """`await send(*recipients)`: a message to them, carried out. u@ gets a copy of his own."""
    office.personal("permit", "u@corp.test", "ann@out.test")
    delivery = Delivery(hop_session, RecordWriter(records), Retries(), archives=True)

    async def carry_out(*recipients: str, content: bytes = MESSAGE) -> str:
        message = begin()
        message.rcpt(*recipients)
        plan = message.transaction.end_of_message(content)
        return await delivery.carry_out(plan, on_top=b"", utf8=False, **keys(plan), now=NOW)

    return carry_out


async def test_delivered_to_all_is_250_with_the_decision_id(send, hop_session, records):
    """Everything done and recorded: 250, and the record says what was answered."""
    assert await send("v@corp.test", "w@corp.test") == "250 2.0.0 Delivered [id1]"
    assert hop_session.taken == ["v@corp.test", "w@corp.test"]
    assert set(records.states.values()) == {State.DELIVERED}
    assert {outcome.reply for outcome in records.kept} == {"250 2.0.0 Delivered [id1]"}


async def test_put_off_copy_is_4xx_and_the_retry_brings_no_second_copy(send, hop_session, records):
    """v's copy went out, u's was put off: try again, and then only u is delivered to."""
    hop_session.refusals["u@corp.test"] = LATER
    assert await send("u@corp.test", "v@corp.test") == "450 4.2.1 Mailbox busy [id1]"
    assert records.states == {"u@corp.test": State.DEFERRED, "v@corp.test": State.DELIVERED}
    hop_session.refusals.clear()
    assert (await send("u@corp.test", "v@corp.test")).startswith("250 ")
    assert hop_session.taken == ["v@corp.test", "u@corp.test"]
    assert (await send("u@corp.test", "v@corp.test")).startswith("250 ")
    assert hop_session.taken == ["v@corp.test", "u@corp.test", "u@corp.test", "v@corp.test"]


async def test_each_copy_that_is_delivered_is_archived_once(send, hop_session, records):
    """Not those that are put off, and on a retry no second one of those who have theirs."""
    hop_session.refusals["u@corp.test"] = LATER
    await send("u@corp.test", "v@corp.test", "w@corp.test")
    assert records.in_archive == [["v@corp.test", "w@corp.test"]]
    (copy,) = records.archived
    assert (copy.original_sender, copy.header_from, copy.from_name) == ("ann@out.test", "ann@out.test", "Ann")
    assert bytes(copy.copy.content).endswith(MESSAGE)
    hop_session.refusals.clear()
    await send("u@corp.test", "v@corp.test", "w@corp.test")
    assert records.in_archive == [["v@corp.test", "w@corp.test"], ["u@corp.test"]]
    (applied,) = records.archived[1].recipients[0].policies
    assert applied.type == "managed_senders"


async def test_a_copy_that_could_not_be_archived_is_on_the_retry(send, hop_session, records):
    """It was delivered before, and is not delivered again; it is archived all the same, once."""
    records.broken = True
    assert (await send("v@corp.test")).startswith("451 ")
    assert (await send("v@corp.test")).startswith("451 ")
    records.broken = False
    for _ in range(2):
        assert (await send("v@corp.test", "w@corp.test")).startswith("250 ")
        assert records.in_archive == [["v@corp.test", "w@corp.test"]]
        assert hop_session.taken == ["v@corp.test", "w@corp.test"]
        records.archived.clear()
        hop_session.taken.clear()


async def test_what_is_refused_is_not_archived(send, hop_session, records):
    """By the next hop, for good."""
    hop_session.refusals["u@corp.test"] = NEVER
    await send("u@corp.test", "v@corp.test")
    assert records.in_archive == [["v@corp.test"]]


async def test_retry_of_another_message_is_delivered_to_all(send, hop_session):
    """The memory knows the message by its content; a new one is not taken for the old."""
    hop_session.refusals["u@corp.test"] = LATER
    await send("u@corp.test", "v@corp.test")
    await send("v@corp.test", content=MESSAGE + b"more\r\n")
    assert hop_session.taken == ["v@corp.test", "v@corp.test"]


async def test_copy_refused_for_good_is_5xx_although_another_was_delivered(send, hop_session, records):
    """The sender must hear of u's loss; a 250 would hide it."""
    hop_session.refusals["u@corp.test"] = NEVER
    assert await send("u@corp.test", "v@corp.test") == "550 5.7.0 Spam [id1]"
    assert records.states == {"u@corp.test": State.REJECTED, "v@corp.test": State.DELIVERED}
    [refused] = [outcome for outcome in records.kept if outcome.recipient == "u@corp.test"]
    assert (refused.layer, refused.policy_id) == (LAYER_NEXT_HOP, "")


async def test_put_off_wins_over_refused_for_good(send, hop_session):
    """A 5xx would end the sender's tries for the copy that only has to wait."""
    hop_session.refusals = {"u@corp.test": NEVER, "v@corp.test": LATER}
    assert (await send("u@corp.test", "v@corp.test")).startswith("450 ")


async def test_policy_refusals_do_not_make_a_delivered_message_fail(send, office, hop_session, records):
    """D-13: u is refused by policy, v has it, so 250."""
    office.personal("block", "x@corp.test", "out.test")
    office.block("eve@bad.test", to="w@corp.test", part="header_from")
    content = b"From: eve@bad.test\r\n\r\n"
    assert (await send("w@corp.test", "v@corp.test", content=content)).startswith("250 ")
    assert records.states == {"w@corp.test": State.REJECTED, "v@corp.test": State.DELIVERED}


async def test_records_that_cannot_be_kept_are_never_250(send, hop_session, records):
    """Delivered but not recorded: 451, and the retry is recorded without a second copy."""
    records.broken = True
    assert await send("v@corp.test") == "451 4.3.0 Local fault, try again later"
    records.broken = False
    assert (await send("v@corp.test")).startswith("250 ")
    assert hop_session.taken == ["v@corp.test"]


async def test_while_records_cannot_be_kept_nothing_more_is_delivered(send, hop_session, records):
    """Each try of a sender would bring another copy of what has no name; the first is all that comes."""
    unnamed = b"Subject: report\r\n\r\nAll is well.\r\n"
    records.broken = True
    for _ in range(3):
        assert await send("v@corp.test", content=unnamed) == "451 4.3.0 Local fault, try again later"
    assert hop_session.taken == ["v@corp.test"]
    records.broken = False
    assert (await send("v@corp.test", content=unnamed)).startswith("250 ")
    assert (await send("w@corp.test")).startswith("250 ")
    assert hop_session.taken == ["v@corp.test", "v@corp.test", "w@corp.test"]
    assert set(records.states.values()) == {State.DELIVERED}


async def test_a_fault_of_the_hop_session_is_4xx(send, hop_session, records):
    """A bug of ours loses no mail."""
    hop_session.fault = RuntimeError("bug")
    assert await send("v@corp.test") == "451 4.3.0 Local fault, try again later [id1]"
    assert records.states == {"v@corp.test": State.DEFERRED}
    # Nor is the next hop to blame for it.
    assert [outcome.layer for outcome in records.kept] == [LAYER_LOCAL_FAULT]


async def test_the_retry_brings_each_spelling_what_it_lacks(send, hop_session):
    """`Vi@` has the message, `vi@` was put off: the retry is for `vi@`, who may be somebody else there."""
    hop_session.refusals["vi@corp.test"] = LATER
    assert (await send("Vi@corp.test", "vi@corp.test")).startswith("450 ")
    hop_session.refusals.clear()
    assert (await send("Vi@corp.test", "vi@corp.test")).startswith("250 ")
    assert hop_session.taken == ["Vi@corp.test", "vi@corp.test"]


async def test_the_next_hop_forgets_a_message_that_nobody_gets(send, office, hop_session):
    """Who was checked at RCPT is taken back, whether the message was delivered or refused."""
    office.block("eve@bad.test", part="header_from")
    assert (await send("v@corp.test", content=b"From: eve@bad.test\r\n\r\n")).startswith("550 ")
    assert (hop_session.taken, hop_session.resets) == ([], 1)


async def test_an_answer_stands_although_the_next_hop_could_not_be_told(send, hop_session, records):
    """A fault after the delivery must not turn 250 into 4xx, and so bring a second copy."""
    hop_session.reset_fault = RuntimeError("a fault of ours")
    assert (await send("v@corp.test")).startswith("250 ")
    assert records.states == {"v@corp.test": State.DELIVERED}


def test_memory_of_retries_is_bounded_in_time_and_number():
    """It forgets what is older than any sender's patience, and the oldest when it is full."""
    retries = Retries()
    someone = "u@corp.test"
    for number in range(MAX_MESSAGES + 1):
        retries.remember(b"%d" % number, [someone], NOW)
    assert retries.done(b"0", NOW) == frozenset()
    assert retries.done(b"1", NOW) == {someone}
    assert retries.done(b"1", NOW + MAX_AGE + 1) == frozenset()
    retries.forget(b"1")
    assert retries.done(b"1", NOW) == frozenset()


def test_memory_of_retries_is_bounded_in_recipients():
    """A few messages to very many: the oldest are forgotten, and what is given up leaves room."""
    retries = Retries()
    for number in range(4):
        retries.remember(b"%d" % number, [f"u{n}@corp.test" for n in range(MAX_RECIPIENTS // 3)], NOW)
    assert [bool(retries.done(b"%d" % number, NOW)) for number in range(4)] == [False, True, True, True]
    retries.forget(b"2")
    retries.remember(b"4", [f"u{n}@corp.test" for n in range(MAX_RECIPIENTS // 3)], NOW)
    assert [bool(retries.done(b"%d" % number, NOW)) for number in (1, 3, 4)] == [True, True, True]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (b"Message-ID: <1@x>\r\n", True),
        (b"date: Thu, 26 Nov 2026 10:00:00 +0000\r\n", True),
        (b"Subject: report\r\n", False),
        (b"Message-ID:\r\nDate: \r\n", False),
        (b"X-Date: Thu\r\n", False),
        (b"", False),
    ],
    ids=["id", "date", "neither", "both empty", "another field", "no header"],
)
async def test_only_what_names_itself_is_remembered_for_a_retry(send, hop_session, header, known):
    """The same octets without an id or a date are another message: each recipient gets it."""
    content = header + b"\r\nAll is well.\r\n"
    hop_session.refusals["u@corp.test"] = LATER
    assert (await send("u@corp.test", "v@corp.test", content=content)).startswith("450 ")
    hop_session.refusals.clear()
    assert (await send("v@corp.test", content=content)).startswith("250 ")
    assert hop_session.taken == ["v@corp.test"] * (1 if known else 2)


def test_memory_of_retries_is_for_hours_and_not_for_a_clock_that_went_back():
    """Days later it is another message, whatever it says."""
    retries = Retries()
    retries.remember(b"k", ["u@corp.test"], NOW)
    assert MAX_AGE <= 12 * 3_600
    assert retries.done(b"k", NOW + 3_600) == {"u@corp.test"}
    assert retries.done(b"k", NOW - 60) == frozenset()
    assert retries.done(b"k", NOW + 86_400) == frozenset()


def test_the_key_of_a_message_is_that_of_its_text():
    """However its body was cut into pieces; another sender or octet is another message."""
    sender = parse_address("ann@out.test")
    header = b"Date: today\r\n"
    key = message_key(sender, read_message(header + b"\r\nbody"))
    assert key == message_key(sender, read_message(header, (b"\r\nbo", b"dy")))
    assert key != message_key(sender, read_message(header, (b"\r\nbo", b"dY")))
    assert key != message_key(parse_address("ben@out.test"), read_message(header + b"\r\nbody"))


def test_the_key_of_a_message_is_the_same_whatever_servers_put_on_top_of_it():
    """A server in front names itself, its id and the time, which are others each time; below the first field that
    the sender wrote everything counts."""
    sender = parse_address("ann@out.test")
    text = b"From: a@out.test\r\nReceived: from x; 1\r\nDate: today\r\n\r\nbody\r\n"
    first = b"Received: from a by gate with ESMTP id 1;\r\n\tFri\r\n"
    second = b"Received: from a by gate with ESMTP id 2;\r\n\tSat\r\nReceived-SPF: pass\r\n"
    key = message_key(sender, read_message(first + text))
    assert key == message_key(sender, read_message(second + text)) == message_key(sender, read_message(text))
    assert key != message_key(sender, read_message(first + text.replace(b"from x; 1", b"from x; 2")))
    assert key != message_key(sender, read_message(first + b"Subject: other\r\n" + text))


@pytest.mark.parametrize(
    ("code", "message", "reply"),
    [
        (550, "5.1.1 No such user", "550 5.1.1 No such user"),
        (550, "No such user", "550 5.0.0 No such user"),
        (550, "5.1.1 No such\n5.1.1 user", "550 5.1.1 No such user"),
        (450, "4.2.0 Greylisted", "450 4.2.0 Greylisted"),
        (421, "4.3.2 Going down", "451 4.3.2 Going down"),
        (550, "4.2.0 confused", "550 5.0.0 confused"),
        (571, "5.7.1 odd", "554 5.7.1 odd"),
        (250, "what?", "451 4.0.0 what?"),
        (550, "5.1.1 caf\u00e9\x1b[2J", "550 5.1.1 caf? [2J"),
        (550, "", "550 5.0.0 Refused by the next mail server"),
    ],
)
def test_replies_of_the_next_hop_are_passed_on_as_far_as_they_fit(code, message, reply):
    """Same code and text where they make sense; one line of printable ASCII."""
    assert str(passed_on(code, message)) == reply


def test_maildir_keeps_one_durable_file_per_recipient(tmp_path):
    """In `new`, with the envelope on top, line ends LF, and nothing left in `tmp`."""
    next_hop = MaildirNextHop(tmp_path / "deep" / "mail")
    routes = [
        Routed(parse_address(a), parse_address(b)) for a, b in (("jo@old.test", "jo@corp.test"), ("u@c.test",) * 2)
    ]
    said = next_hop.store(
        parse_address("ann@out.test"), routes, Content(b"A: 1\r\n", (b"\r\n\xffbo", b"dy\r", b"\n"))
    )
    names = {path.name for path in (tmp_path / "deep" / "mail" / "new").iterdir()}
    assert {queue_id(str(reply)) for reply in said} == names
    assert [reply.code for reply in next_hop.store(NULL_SENDER, routes[1:], Content(b"", (b"\r\n",)))] == [250]
    files = sorted(path.read_bytes() for path in (tmp_path / "deep" / "mail" / "new").iterdir())
    assert files == [
        b"Return-Path: <>\nDelivered-To: u@c.test\nX-Original-To: u@c.test\n\n",
        b"Return-Path: <ann@out.test>\nDelivered-To: jo@corp.test\nX-Original-To: jo@old.test\nA: 1\n\n\xffbody\n",
        b"Return-Path: <ann@out.test>\nDelivered-To: u@c.test\nX-Original-To: u@c.test\nA: 1\n\n\xffbody\n",
    ]
    assert list((tmp_path / "deep" / "mail" / "tmp").iterdir()) == []


def test_maildir_that_cannot_be_written_puts_mail_off(tmp_path):
    """4xx for those not stored, and not for those who are."""
    next_hop = MaildirNextHop(tmp_path)
    (tmp_path / "tmp").rmdir()
    someone = parse_address("u@c.test")
    assert next_hop.store(someone, [Routed(someone, someone)] * 2, Content(b"\r\n")) == [
        CANNOT_STORE,
        CANNOT_STORE,
    ]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2.0.0 Ok: queued as 4bXQ2k1zZz", "4bXQ2k1zZz"),
        ("OK id=1tABcd-000000001Ab-2Xyz", "1tABcd-000000001Ab-2Xyz"),
        ("2.0.0 5AR8Gw3N012345 Message accepted for delivery", "5AR8Gw3N012345"),
        ("2.6.0 <x@y.test> [InternalId=4711000, Hostname=mx] Queued mail for delivery", "4711000"),
        ("ok 1795797838 qp 12345", "12345"),
        ("2.0.0 OK", ""),
        ("", ""),
        ("queued as " + "x" * 500, "x" * 128),
    ],
)
def test_the_id_of_the_next_hop_is_read_from_its_answer(said, found):
    """In the words of the usual programs; it comes with the answer as it was given."""
    assert queue_id(str(taken(said))) == found


@pytest.fixture
def one_held(begin, hop_session, monkeypatch):
    """`await one_held(records, retries)`: a message without a name, which w@ gets and v@'s copy is held of."""
    decide = planning.decide_with_header

    def held(policies, early, facts):
        decided = decide(policies, early, facts)
        return replace(decided, action=Action.HOLD, reply=None) if facts.recipient.local == "v" else decided

    monkeypatch.setattr(planning, "decide_with_header", held)

    async def carry_out(records, retries, content: bytes = b"Subject: report\r\n\r\nAll is well.\r\n") -> str:
        message = begin()
        message.rcpt("v@corp.test", "w@corp.test")
        plan = message.transaction.end_of_message(content)
        delivery = Delivery(hop_session, RecordWriter(records), retries)
        return await delivery.carry_out(plan, on_top=b"", utf8=False, **keys(plan), now=NOW)

    return carry_out


async def test_where_one_copy_finds_no_room_nobody_has_had_the_message(one_held, hop_session):
    """It has no name, so each try of its sender would bring another copy to those who have theirs."""

    class Full(Records):
        full = True

        def record(self, messages):
            if self.full and any(message.held for message in messages):
                return [NoRoom("full") for _ in messages]
            return super().record(messages)

    records, retries = Full(), Retries()
    for _ in range(3):
        assert (await one_held(records, retries)).startswith("451 4.3.0")
    assert (hop_session.taken, records.kept) == ([], [])
    records.full = False
    assert (await one_held(records, retries)).startswith("250 ")
    assert hop_session.taken == ["w@corp.test"]
    assert records.states == {"v@corp.test": State.HELD, "w@corp.test": State.DELIVERED}


async def test_what_is_held_is_durable_before_anything_is_delivered(one_held, hop_session):
    """Where it cannot be kept, nobody has had the message."""
    records = Records()
    records.broken = True
    assert await one_held(records, Retries()) == "451 4.3.0 Local fault, try again later"
    assert hop_session.taken == []


async def test_what_is_held_is_held_once_though_another_copy_is_put_off(one_held, hop_session):
    records, retries = Records(), Retries()
    hop_session.refusals["w@corp.test"] = LATER
    assert (await one_held(records, retries, MESSAGE)).startswith("450 ")
    hop_session.refusals.clear()
    assert (await one_held(records, retries, MESSAGE)).startswith("250 ")
    states = [(one.recipient[0], one.state) for one in records.kept]
    assert states == [("v", State.HELD), ("w", State.DEFERRED), ("w", State.DELIVERED)]


async def test_a_message_without_a_name_is_held_once_for_each_time_that_it_was_taken(one_held, hop_session):
    """Its sender was told each time that nobody has it; what says the same after that is another message."""
    records, retries = Records(), Retries()
    hop_session.refusals["w@corp.test"] = LATER
    for _ in range(3):
        assert (await one_held(records, retries)).startswith("450 ")
    hop_session.refusals.clear()
    assert (await one_held(records, retries)).startswith("250 ")
    assert [one.state for one in records.kept if one.recipient == "v@corp.test"] == [State.HELD]
    assert (await one_held(records, retries)).startswith("250 ")
    assert [one.state for one in records.kept if one.recipient == "v@corp.test"] == [State.HELD] * 2
    assert hop_session.taken == ["w@corp.test"] * 2


async def test_what_finds_no_room_to_be_held_is_put_off_and_nothing_is_broken(begin, hop_session, monkeypatch):
    """A stranger may cause it at will: the sender tries again, and other mail goes on."""
    decide = planning.decide_with_header
    monkeypatch.setattr(
        planning, "decide_with_header", lambda *given: replace(decide(*given), action=Action.HOLD, reply=None)
    )

    class Full(Records):
        def record(self, messages):
            return [NoRoom("full") for _ in messages]

    retries = Retries()
    delivery = Delivery(hop_session, RecordWriter(Full()), retries)
    message = begin()
    message.rcpt("v@corp.test")
    plan = message.transaction.end_of_message(MESSAGE)
    answer = await delivery.carry_out(plan, on_top=b"", utf8=False, key=None, content=None, now=NOW)
    assert (answer.startswith("451 4.3.0"), hop_session.taken, retries.recording_failed) == (True, [], False)
