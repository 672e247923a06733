"""The four verbs by which any door brings mail in: no socket, no command, and the same answers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from itertools import count

import pytest

from mailreeve.families.tracking.outcomes import LAYER_MESSAGE_LIMITS, LAYER_NEXT_HOP
from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.formats.networks import parse_ip
from mailreeve.mail.incoming import TOO_LARGE, Incoming
from mailreeve.mail.reception import MAX_REFUSED, NoAccount, Reception, refused_at_connect
from mailreeve.mail.transaction import Accepted, Refused
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import SmtpReply

MESSAGE = b"From: Ann <ann@out.test>\r\nTo: u@corp.test\r\nSubject: hi\r\n\r\nbody\r\n"
BLOCKED = "550 5.7.1 Envelope rejected - block policy for envelope from address [id1]"


class Source:
    """The policies of these offices, each for its domains; notes whom it was asked for."""

    def __init__(self, *offices) -> None:
        self.offices = offices
        self.asked: list[str] = []

    def policies_for(self, recipient, sender):
        self.asked.append(str(recipient))
        return next((o.policies for o in self.offices if recipient.domain in o.domains), None)

    @property
    def at_hand(self):
        return self

    def all_policies(self):
        return [office.policies for office in self.offices]


@pytest.fixture
def source(office):
    return Source(office)


@pytest.fixture
def receive(source) -> Callable[..., Reception]:
    """`receive(source_ip, …)`: a client who has just come, at 1 second, where each look at the clock takes one."""

    def come(source_ip: str = "192.0.2.9", **more: object) -> Reception:
        ids, ticks = (f"id{number}" for number in count(1)), count(1)
        return Reception(
            parse_ip(source_ip),
            source,
            lambda: float(next(ticks)),
            new_id=lambda: next(ids),
            hostname="mx.test",
            **more,
        )

    return come


def content(text: bytes = MESSAGE, max_size: int = 10_000) -> Incoming:
    """A content that has come in."""
    incoming = Incoming(max_size=max_size, max_line=1_000)
    incoming.add(text)
    incoming.end()
    return incoming


def recipients(plan) -> list[list[str]]:
    return [[str(recipient.effective) for recipient in step.recipients] for step in plan.deliveries]


def test_a_message_comes_in_by_four_verbs(receive):
    """Nobody objects; the plan hands it on, and the next message is one of its own."""
    reception = receive()
    assert reception.connect() is None
    for number in (1, 2):
        assert reception.envelope_sender is None
        assert reception.sender("<ann@out.test>") is None
        assert reception.envelope_sender == parse_address("ann@out.test")
        assert not reception.has_recipients
        answer = reception.recipient("<u@corp.test>")
        assert isinstance(answer, Accepted)
        assert str(answer.route.effective) == "u@corp.test"
        assert (reception.has_recipients, reception.recipients) == (True, 1)
        plan = reception.data(content())
        assert recipients(plan) == [["u@corp.test"]]
        assert [outcome.decision_id for outcome in plan.outcomes] == [f"id{number}"]
    assert reception.reset() == ()


def test_the_time_of_a_message_is_that_of_its_sender(receive):
    """Of one moment all its policies are asked, and its record tells which."""
    reception = receive()
    reception.connect()
    reception.sender("ann@out.test")
    reception.recipient("u@corp.test")
    assert [outcome.at for outcome in reception.data(content()).outcomes] == [2.0]


def test_a_certain_refusal_is_told_at_once_and_recorded_with_the_message(office, receive):
    office.block("out.test", to="u@corp.test")
    reception = receive()
    reception.sender("ann@out.test")
    assert reception.recipient("u@corp.test") == Refused(BLOCKED)
    assert isinstance(reception.recipient("v@corp.test"), Accepted)
    assert reception.recipients == 2
    plan = reception.data(content())
    assert recipients(plan) == [["v@corp.test"]]
    assert [(outcome.recipient, outcome.stage) for outcome in plan.outcomes] == [
        ("u@corp.test", Stage.RCPT),
        ("v@corp.test", None),
    ]


def test_what_was_refused_of_a_message_that_is_dropped_is_left_to_record(office, receive):
    office.block("out.test")
    reception = receive()
    reception.sender("ann@out.test")
    reception.recipient("u@corp.test")
    assert [outcome.reply for outcome in reception.reset()] == [BLOCKED]
    assert reception.envelope_sender is None


def test_it_is_asked_once_whose_policies_hold(source, receive):
    """For each recipient who is well named, however long the message; nobody asks about what is malformed."""
    reception = receive()
    reception.sender("<>")
    assert reception.envelope_sender is NULL_SENDER
    reception.recipient("u@corp.test")
    reception.recipient("broken")
    reception.recipient("v@corp.test")
    reception.data(content())
    assert source.asked == ["u@corp.test", "v@corp.test"]


def test_malformed_addresses_are_refused_and_begin_nothing(receive):
    reception = receive()
    assert reception.sender("<ann@>").code == 501
    assert reception.envelope_sender is None
    reception.sender("ann@out.test")
    answer = reception.recipient("<u@>")
    assert answer.line.startswith("501 5.1.3 Bad recipient address: ")
    assert not reception.has_recipients


def test_a_postmaster_without_a_domain_is_one_of_ours(receive):
    """Of the only account's first domain, as the door's name lies in none of them."""
    reception = receive()
    reception.sender("ann@out.test")
    answer = reception.recipient("<Postmaster>")
    assert answer.route.original == parse_address("Postmaster@corp.test")


def test_nobodys_mail_is_refused_as_relaying_and_not_recorded(receive):
    """Where no account takes the mail there is no decision, so no id and no record."""
    reception = receive()
    reception.sender("x@far.test")
    address = parse_address("y@far.test")
    assert reception.recipient("y@far.test") == NoAccount(address, "451 4.7.1 Open relay not allowed")
    assert reception.reset() == ()


def test_recipients_have_a_limit_that_refused_ones_use_up_too(office, receive):
    """The third name of two is 452, so that no message makes unlimited work or records. The next message has a
    number of its own."""
    office.block("out.test")
    reception = receive(max_recipients=2)
    reception.sender("x@good.test")
    assert isinstance(reception.recipient("u@corp.test"), Accepted)
    assert reception.recipient("broken").line.startswith("501 ")
    assert reception.recipient("v@corp.test") == Refused("452 4.5.3 Too many recipients")
    reception.data(content())
    reception.sender("x@good.test")
    assert isinstance(reception.recipient("v@corp.test"), Accepted)


@pytest.mark.parametrize(
    "path",
    ["broken", "u@corp.test", "y@far.test", "postmaster@old.test"],
    ids=["form", "policy", "nobody", "next hop"],
)
def test_a_client_is_spent_once_so_many_recipients_were_refused(office, receive, path):
    """For whatever cause. What goes beyond the number of a message is none of them, nor is who was taken."""
    office.block("everyone", to="u@corp.test")
    reception = receive(max_recipients=MAX_REFUSED // 2)
    for _ in range(2):
        assert not reception.is_spent
        reception.sender("x@out.test")
        for _ in range(MAX_REFUSED // 2):
            answer = reception.recipient(path)
            if isinstance(answer, Accepted):
                reception.refused_by_next_hop(answer.route.original, SmtpReply(550, "5.1.1", "No such user"))
        assert reception.recipient("v@corp.test") == Refused("452 4.5.3 Too many recipients")
        reception.reset()
    assert reception.is_spent


def test_what_the_next_hop_refuses_is_told_and_recorded(receive):
    reception = receive()
    reception.sender("x@out.test")
    answer = reception.recipient("u@corp.test")
    refusal = SmtpReply(550, "5.1.1", "No such user")
    assert reception.refused_by_next_hop(answer.route.original, refusal) == "550 5.1.1 No such user [id1]"
    assert not reception.has_recipients
    assert [outcome.layer for outcome in reception.reset()] == [LAYER_NEXT_HOP]


def test_a_content_that_was_refused_while_it_came_is_refused_for_everybody(receive):
    """By no policy; its size is what came."""
    reception = receive()
    reception.sender("x@out.test")
    reception.recipient("u@corp.test")
    reception.recipient("v@corp.test")
    incoming = content(max_size=10)
    assert incoming.refusal is TOO_LARGE
    plan = reception.data(incoming)
    assert plan.refusal == "552 5.3.4 Message too large [id1]"
    assert [(outcome.layer, outcome.size) for outcome in plan.outcomes] == [
        (LAYER_MESSAGE_LIMITS, len(MESSAGE))
    ] * 2
    assert reception.envelope_sender is None


def test_a_blocked_source_is_refused_at_connect(office, receive):
    office.block("everyone", networks=(ip_network("192.0.2.0/24"),), override=True)
    assert receive().connect() == "421 4.7.1 Sender address blocked [id1]"
    assert receive("::ffff:192.0.2.9").connect() == "421 4.7.1 Sender address blocked [id1]"
    assert receive("192.0.3.9").connect() is None


def test_connect_is_refused_only_if_every_account_does(office, another_services):
    """Row 1 of the pipeline: 421 at connect hits everybody, so all accounts must agree."""
    networks = (ip_network("192.0.2.0/24"),)
    office.block("everyone", networks=networks, override=True)
    source_ip = parse_ip("192.0.2.5")
    assert refused_at_connect([office.policies, another_services.policies], source_ip, 0.0)[0] is None
    another_services.block("everyone", networks=networks, override=True)
    sets = [office.policies, another_services.policies]
    line, _ = refused_at_connect(sets, source_ip, 0.0, lambda: "idx")
    assert line == "421 4.7.1 Sender address blocked [idx]"
    assert refused_at_connect(sets, parse_ip("192.0.3.5"), 0.0)[0] is None
    assert refused_at_connect([], source_ip, 0.0)[0] is None


def test_verbs_out_of_order_are_the_doors_fault(receive):
    """A door that forgets the sender, or to end a message, is told so rather than served a wrong answer."""
    reception = receive()
    with pytest.raises(RuntimeError):
        reception.recipient("u@corp.test")
    with pytest.raises(RuntimeError):
        reception.data(content())
    reception.sender("ann@out.test")
    with pytest.raises(RuntimeError):
        reception.sender("ann@out.test")
