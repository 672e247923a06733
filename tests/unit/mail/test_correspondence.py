"""Which messages are letters of a user's to somebody outside? (behaviour.md sections 4.1 and 4.4)"""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from mailreeve.formats.addresses import Domain, parse_address, parse_sender
from mailreeve.formats.message import read_message
from mailreeve.formats.networks import parse_ip
from mailreeve.mail.correspondence import MOST_ANSWERED, answered, correspondence, is_automatic
from mailreeve.mail.transaction import Transaction
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, User

ANN = User("ann@corp.test", {})
POLICIES = PolicySet.build(
    account_id="acme",
    revision=1,
    directory=Directory(
        internal_domains=frozenset({Domain("corp.test")}),
        users={"ann@corp.test": ANN, "boss@corp.test": ANN},
    ),
    relay_networks=(ip_network("127.0.0.0/8"),),
)


def text(*fields: str) -> bytes:
    return "".join(f"{one}\r\n" for one in ("From: ann@corp.test", *fields, "", "hello")).encode()


def message(*fields: str):
    return read_message(text(*fields))


def planned(sender: str, *recipients: str, fields: tuple[str, ...] = (), login: str = ""):
    """The correspondence in the plan of a message."""
    transaction = Transaction(parse_ip("127.0.0.1"), new_id=lambda: "id")
    transaction.login = login
    transaction.begin(parse_sender(sender), 0.0)
    for one in recipients:
        transaction.rcpt(parse_address(one), POLICIES)
    return transaction.end_of_message(text(*fields)).correspondence


def expected(sender: str, *recipients: str, fields: tuple[str, ...] = ()):
    """What the plan of a message says of whom answers are expected from."""
    found = planned(sender, *recipients, fields=fields)
    return None if found is None else (found.account_id, found.owner, [str(one) for one in found.to])


def test_a_user_who_writes_outside_expects_an_answer_in_the_own_list():
    assert expected("ann@corp.test", "c@c.test", "bob@corp.test") == ("acme", "ann@corp.test", ["c@c.test"])
    assert expected("boss+x@corp.test", "C+tag@c.test") == ("acme", "ann@corp.test", ["C+tag@c.test"])


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("", "c@c.test"),  # bounces and receipts
        ("desk@corp.test", "c@c.test"),  # nobody's list
        ("ann@corp.test", "bob@corp.test"),  # inside
        ("x@out.test", "ann@corp.test"),
    ],
)
def test_nobody_is_expected_to_answer_others(sender, recipient):
    assert expected(sender, recipient) is None


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (out of office)",
        "Auto-Submitted: auto-notified; owner-email=x@y.test",
        "auto-submitted: ",
        "Precedence: bulk",
        "Precedence:  JUNK ",
        "Precedence: list",
        "Precedence: auto_reply",
        "X-Auto-Response-Suppress: All",
        "List-Id: <news.corp.test>",
        "List-Unsubscribe: <mailto:x@corp.test>",
    ],
)
def test_what_a_program_sends_expects_no_answer(field):
    assert is_automatic(message(field))
    assert expected("ann@corp.test", "c@c.test", fields=(field,)) is None


@pytest.mark.parametrize(
    "field", ["Auto-Submitted: no", "Auto-Submitted: No; x=y", "Precedence: first-class", "List: x"]
)
def test_what_a_person_sends_is_no_programs(field):
    assert not is_automatic(message(field))


def test_what_is_answered_is_found_and_bounded():
    assert answered(message("In-Reply-To: <a@x.test>", "References: <b@x.test>\r\n <a@x.test>  <c@x.test>")) == (
        "a@x.test", "b@x.test", "c@x.test"
    )  # fmt: skip
    assert answered(message("In-Reply-To: your message of Monday", "References: <>")) == ()
    many = " ".join(f"<{n}@x.test>" for n in range(5_000))
    found = answered(message("In-Reply-To: <first@x.test>", f"References: {many}"))
    assert len(found) == MOST_ANSWERED
    assert found[0] == "first@x.test"


def test_nobody_is_asked_about_a_message_without_recipients():
    assert correspondence(message(), ()) is None


@pytest.mark.parametrize("login", ["ann@corp.test", "ANN@Corp.test", "boss@corp.test", "ann+phone@corp.test", ""])
def test_who_signs_in_by_an_address_of_the_sender_is_the_sender(login):
    for sender in ("ann@corp.test", "boss@corp.test", "ann+x@corp.test"):
        found = planned(sender, "c@c.test", login=login)
        assert found is not None
        assert (found.owner, found.unproved) == ("ann@corp.test", "")


@pytest.mark.parametrize("login", ["bob@corp.test", "ann@other.test", "ann", "ann@", "a b", "<ann@corp.test>"])
def test_who_signs_in_by_another_name_has_to_be_asked_about(login):
    found = planned("ann@corp.test", "c@c.test", login=login)
    assert found is not None
    assert found.unproved == login


def test_a_record_says_whose_address_it_was_for_by_the_users_id():
    """Addresses change hands; ids do not."""
    known = User("ann@corp.test", {}, id="the id of Ann")
    users = {"ann@corp.test": known, "boss@corp.test": known}
    directory = Directory(internal_domains=frozenset({Domain("corp.test")}), users=users)
    policies = PolicySet.build(account_id="acme", revision=1, directory=directory)
    transaction = Transaction(parse_ip("192.0.2.1"), new_id=lambda: "id")
    transaction.begin(parse_sender("x@out.test"), 0.0)
    for one in ("ann@corp.test", "Boss+tag@corp.test", "nobody@corp.test"):
        transaction.rcpt(parse_address(one), policies)
    told = {one.recipient: one.owner for one in transaction.end_of_message(text()).outcomes}
    assert told == {
        "ann@corp.test": "the id of Ann", "Boss+tag@corp.test": "the id of Ann", "nobody@corp.test": ""
    }  # fmt: skip


def test_a_record_says_that_its_sender_marked_a_message_private():
    transaction = Transaction(parse_ip("127.0.0.1"), new_id=lambda: "id")
    transaction.begin(parse_sender("ann@corp.test"), 0.0)
    transaction.rcpt(parse_address("bob@corp.test"), POLICIES)
    (outcome,) = transaction.end_of_message(text("Sensitivity: Personal")).outcomes
    assert outcome.is_private
