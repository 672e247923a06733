"""What an explanation says of alterations is what the door does, whatever the From header looks like."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import ip_network
from secrets import token_bytes

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from mailreeve.families.explain.operations import explain_message
from mailreeve.families.explain.types import ExplainMessage
from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.authors import read_authors
from mailreeve.mail.transaction import Refused, Transaction
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, parse_ip
from mailreeve.policy.model.policies import AddressPattern, AddressType, Definition, Routing
from mailreeve.wire.tokens import KEY_OCTETS, Ids

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOURCE = "127.0.0.1"
LONG = ".".join(["d" * 60] * 4)


def definition(number: int, kind: AddressType, original: tuple[str, str], new: tuple[str, str]) -> Definition:
    id_ = f"{number:032x}"
    return Definition(id_, "", kind, AddressPattern(*original), AddressPattern(*new), Routing.ALL)


POLICIES = PolicySet.build(
    account_id="a",
    revision=1,
    directory=Directory(internal_domains=frozenset({Domain("corp.test"), Domain("xn--bcher-kva.test")})),
    relay_networks=[ip_network("127.0.0.0/8")],
    definitions=[
        definition(1, AddressType.ALL, ("pat", "corp.test"), ("support", "corp.test")),
        definition(2, AddressType.FROM, ("", "xn--bcher-kva.test"), ("", "corp.test")),
        definition(3, AddressType.FROM, ("", "far.test"), ("", LONG)),
        definition(4, AddressType.ENVELOPE_FROM, ("", "corp.test"), ("bounces", "corp.test")),
        definition(5, AddressType.ENVELOPE_TO, ("sales", "corp.test"), ("ann", "corp.test")),
    ],
)
IDS = Ids(token_bytes(KEY_OCTETS))

CORPUS = [
    "pat@corp.test",
    "P <pat@corp.test.>",
    "P <PAT@CORP.TEST>",
    "\r\n ".join(["N" * 60] * 18) + " <pat@corp.test>",
    "\r\n ".join(["=?utf-8?B?w5xuw69jw7Zkw6kgbsOkbcOp?="] * 40) + " <pat@corp.test>",
    "l" * 70 + "@corp.test",
    "l" * 64 + "@far.test",
    "pat (comment) @ corp.test",
    "Team: pat@corp.test, ann@corp.test;",
    "Pat <pat@corp.test>, Ann <ann@ext.test>",
    '"pat"@corp.test',
    "Jo <jo@bücher.test>",
    "Jo <jo@xn--bcher-kva.test>",
    "Pat jo@bücher.test:",
    "<\u200bpat@corp.test>",
    "Pat <p\u00adat@corp.test>",
    "jo@bücher.test\u2028jo@bücher.test>",
    "\x85pat@corp.test",
    "\x85pat@corp.test(jo@bücher.test)",
    "=?utf-8?q?pat=40corp.test?=",
    "Pat <pat@corp.test",
    "",
    "nobody",
    '"pat@corp.test" <ann@ext.test>',
    ", ".join(f"a{number}@ext.test" for number in range(101)) + ", pat@corp.test",
]
pieces = st.sampled_from(
    ["pat@corp.test", "x@ext.test", "jo@bücher.test", "a@far.test", "Pat", "<", ">", ",", ";", ":", "(", ")", '"',
     "\\", " ", "\r\n ", "@", ".", "=?utf-8?q?pat=40corp.test?=", "\u200b",
     "\x85", "\u202e", "\u2028", "Team:", "\t", "\xa0"]
)  # fmt: skip
headers = st.sampled_from(CORPUS) | st.lists(pieces, max_size=10).map("".join)
senders = st.sampled_from(["pat@corp.test", "ann@corp.test", "x@ext.test", ""])
recipients = st.sampled_from(["buyer@ext.test", "sales@corp.test", "ann@corp.test"])


def check(sender: str, recipient: str, header: str) -> None:
    item = ExplainMessage(sender, recipient, header, SOURCE, NOW.isoformat())
    told = explain_message(POLICIES, IDS, "a", item, NOW)
    transaction = Transaction(parse_ip(SOURCE))
    assert transaction.mail_from(sender, NOW.timestamp()) is None
    answer = transaction.rcpt(parse_address(recipient), POLICIES)
    if isinstance(answer, Refused):
        assert told.stage == "rcpt"
        return
    field = f"From: {header}\r\n" if header else ""
    content = f"{field}Subject: s\r\n\r\nbody\r\n".encode("utf-8", "surrogateescape")
    plan = transaction.end_of_message(content)
    assert (told.verdict == "deliver") is (plan.refusal is None)
    if plan.refusal is not None:
        assert plan.refusal.startswith(f"{told.smtp_reply} [")
        return
    [delivery] = plan.deliveries
    [outcome] = plan.outcomes
    claimed = [(one.address_type, one.original_address, one.new_address) for one in told.alterations]
    assert claimed == [(one.field, one.original, one.new) for one in outcome.alterations]
    assert told.recipient == str(delivery.recipients[0].effective)
    # Byte for byte: the field is as it came where nothing is claimed, and shows each new address where it is: as
    # it is spelt, or to those who saw the old one in what stood there (`Pat jo@corp.test:` is `"Pat jo"@`).
    sent = bytes(delivery.content(plan.message, b"")).decode("utf-8", "surrogateescape")
    after = re.search(r"^From: (.*?)\r\n(?=Subject: s)", sent, re.MULTILINE | re.DOTALL)
    value = after[1] if after else ""
    news = [new for kind, _, new in claimed if kind == "from"]
    if not news:
        assert value == header
    shown = {str(author.address) for author in read_authors([value])}
    assert all(new in value or new in shown for new in news)


@pytest.mark.parametrize("header", CORPUS)
def test_explanation_and_door_alter_the_corpus_alike(header):
    for sender in ("pat@corp.test", "x@ext.test"):
        for recipient in ("buyer@ext.test", "sales@corp.test"):
            check(sender, recipient, header)


@settings(max_examples=examples(150))
@given(senders, recipients, headers)
def test_explanation_and_door_alter_alike(sender, recipient, header):
    check(sender, recipient, header.strip(" \r\n"))
