"""What a delivered copy looks like: our fields, altered addresses, and every other octet as it came."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.message import read_message
from mailreeve.mail.edits import OWN_PREFIX, AddressFields, Edits, apply, claims_of_results, marks
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import SpamChecks
from mailreeve.policy.model.facts import Directory, MessageFacts
from mailreeve.policy.model.policies import AddressPattern, AddressType, Definition, Routing

NOW = 1_800_000_000.0


def alter(office, header: str, to: str = "u@corp.test") -> tuple[str, list[tuple[str, str]]]:
    """The header after alteration, and the fields that name the originals."""
    message = read_message(header.encode() + b"\r\nbody\r\n")
    facts = MessageFacts(parse_address("ann@out.test"), parse_address(to), NOW, header_from=())
    header_alteration = AddressFields(message).altered("a", rewriter(office.policies, facts))
    edited = bytes(apply(message, Edits(replaced=header_alteration.replaced)))
    assert edited.endswith(b"\r\nbody\r\n")
    return edited.decode().removesuffix("\r\nbody\r\n"), list(header_alteration.originals)


@pytest.mark.parametrize(
    ("before", "after", "originals"),
    [
        ("To: jo@old.test\r\n", "To: jo@corp.test\r\n", ["To: jo@old.test"]),
        ("TO:jo@old.test\r\n", "TO:jo@corp.test\r\n", ["TO: jo@old.test"]),
        (
            'To: "Doe, Jo" (the (first)) <jo@old.test> (home), x@out.test\r\n',
            'To: "Doe, Jo" (the (first)) <jo@corp.test> (home), x@out.test\r\n',
            ["To: jo@old.test"],
        ),
        (
            "Cc: =?utf-8?q?J=C3=B6?=\r\n\t<jo@old.test>,\r\n  a@out.test , ab@old.test\r\n",
            "Cc: =?utf-8?q?J=C3=B6?=\r\n\t<jo@corp.test>,\r\n  a@out.test , ab@corp.test\r\n",
            ["Cc: jo@old.test", "Cc: ab@old.test"],
        ),
        ("Bcc: All: jo@old.test, b@x.test;\r\n", "Bcc: All: jo@corp.test, b@x.test;\r\n", ["Bcc: jo@old.test"]),
        ("From: Jo <jo@old.test>\r\n", "From: Jo <jo@corp.test>\r\n", ["From: jo@old.test"]),
        ("Reply-To: (c) jo@old.test\r\n", "Reply-To: (c) jo@corp.test\r\n", ["Reply-To: jo@old.test"]),
        ("Sender: jo@OLD.test\r\n", "Sender: jo@corp.test\r\n", ["Sender: jo@old.test"]),
        ('To: "jo b"@old.test\r\n', 'To: "jo b"@corp.test\r\n', ['To: "jo b"@old.test']),
        ("To: jo @ old . test\r\n", "To: jo@corp.test\r\n", ["To: jo@old.test"]),
        (
            "To: jo@old.test\r\nTo: al@old.test\r\n",
            "To: jo@corp.test\r\nTo: al@corp.test\r\n",
            ["To: jo@old.test", "To: al@old.test"],
        ),
        ("Subject: jo@old.test\r\nX-To: jo@old.test\r\n", "Subject: jo@old.test\r\nX-To: jo@old.test\r\n", []),
        ('To: "jo@old.test" <x@out.test>\r\n', 'To: "jo@old.test" <x@out.test>\r\n', []),
        ("To: (jo@old.test) x@out.test\r\n", "To: (jo@old.test) x@out.test\r\n", []),
        ("To: jo@sub.old.test, broken <x@out.test\r\n", "To: jo@sub.old.test, broken <x@out.test\r\n", []),
        ("To: \x00<jo@old.test>\r\n", "To: \x00<jo@corp.test>\r\n", ["To: jo@old.test"]),
    ],
    ids=[
        "bare", "case of the name", "name and comments", "folded, encoded", "group", "from", "comment first",
        "case of the domain", "quoted local part", "spaces inside", "two fields", "other fields", "in a name",
        "in a comment", "not that domain, broken", "null octet",
    ],
)  # fmt: skip
def test_only_the_addresses_themselves_are_rewritten(office, before, after, originals):
    """Names, comments, folds, groups and neighbours stay as they are; originals are named by their field."""
    office.alter("*@old.test", "*@corp.test")
    header, found = alter(office, before)
    assert header == after
    assert [f"{name}: {text}" for name, text in found] == [f"X-Mailreeve-Original-{line}" for line in originals]


def test_a_definition_of_one_type_leaves_other_fields_alone(office):
    """A definition for Reply-To does nothing to From."""
    office.alter("*@old.test", "*@corp.test", kind="reply_to")
    header, _ = alter(office, "From: jo@old.test\r\nReply-To: jo@old.test\r\n")
    assert header == "From: jo@old.test\r\nReply-To: jo@corp.test\r\n"


OWN = [
    "X-Mailreeve-Spam-Checks: skip",
    "x-mailreeve-spam-checks: skip",
    "X-MAILREEVE-Spam-Checks : skip",
    "X-Mailreeve-Spam-Checks:\r\n skip",
    "X-Mailreeve-Spam-Checks: run\r\n\tand\r\n skip",
    "X-Mailreeve-Original-From: boss@corp.test",
    "X-Mailreeve-:",
]


@pytest.mark.parametrize("forged", OWN)
@pytest.mark.parametrize("place", ["first", "middle", "last", "twice", "behind garbage"])
def test_a_strangers_copies_of_our_fields_are_taken_out(forged, place):
    """Whatever their case, spacing, folding, number and place; the fields around them stay."""
    lines = {
        "first": [forged, "A: 1", "B: 2"],
        "middle": ["A: 1", forged, "B: 2"],
        "last": ["A: 1", "B: 2", forged],
        "twice": [forged, "A: 1", forged, forged, "B: 2"],
        "behind garbage": ["A: 1", "no field at all", forged, "B: 2"],
    }[place]
    message = read_message("".join(line + "\r\n" for line in lines).encode() + b"\r\nX-Mailreeve-Body: stays\r\n")
    kept = "A: 1\r\nno field at all\r\nB: 2\r\n" if place == "behind garbage" else "A: 1\r\nB: 2\r\n"
    assert bytes(apply(message, Edits())).decode() == kept + "\r\nX-Mailreeve-Body: stays\r\n"


def test_our_fields_stand_on_top_below_the_doors():
    """The door's trace first, then mark and decision id, then the message."""
    edited = apply(read_message(b"A: 1\r\n\r\nx"), Edits(marks(SpamChecks.SKIP, "id7")), on_top=b"Received: r\r\n")
    assert bytes(edited) == (
        b"Received: r\r\nX-Mailreeve-Spam-Checks: skip\r\nX-Mailreeve-Decision: id7\r\nA: 1\r\n\r\nx"
    )


@pytest.mark.parametrize(
    "address",
    [
        "übung@corp.test",
        "ü" * 60 + "@corp.test",
        '"ü b"@corp.test',
        "日本語" * 20 + "@corp.test",
        "=?utf-8?q?x?=@corp.test",
        '"=?utf-8?q?x?= y"@corp.test',
    ],
)
def test_our_fields_are_ascii_and_say_what_was_to_be_said(address):
    """So that no next hop has to know SMTPUTF8 for their sake."""
    edits = Edits((("X-Mailreeve-Original-Envelope-To", address),))
    edited = bytes(apply(read_message(b"A: 1\r\n\r\nx"), edits))
    assert edited.isascii()
    assert max(map(len, edited.split(b"\r\n"))) <= 78
    parsed = message_from_bytes(edited, policy=default)
    assert parsed["X-Mailreeve-Original-Envelope-To"] == address
    assert parsed["A"] == "1"


names = st.sampled_from(
    ["From", "To", "cc", "Subject", "X-Mailreeve-Spam-Checks", "x-mailreeve-x", "X-Other", "Reply-To"]
)
values = st.text(alphabet='ab@.,;:<>()[]"\\ \t=?é', max_size=30) | st.sampled_from(
    ["jo@old.test", "Jo <jo@old.test>, a@b.test", "G: jo@old.test;"]
)
headers = st.lists(st.tuples(names, values), max_size=6)


@given(headers, st.binary(max_size=80))
def test_edits_never_change_the_body_or_drop_a_foreign_field(fields, body):
    """Every foreign field is there in its order, untouched unless it holds addresses; so is the body."""
    definition = Definition(
        "d", "", AddressType.ALL, AddressPattern("", "old.test"), AddressPattern("", "corp.test"), Routing.ALL
    )
    policies = PolicySet.build(
        account_id="a",
        revision=1,
        directory=Directory(internal_domains=frozenset({Domain("old.test"), Domain("corp.test")})),
        definitions=[definition],
    )
    content = "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n" + body
    message = read_message(content)
    facts = MessageFacts(parse_address("ann@out.test"), parse_address("u@corp.test"), NOW, header_from=())
    alteration = AddressFields(message).altered("a", rewriter(policies, facts))
    edited = read_message(bytes(apply(message, Edits(marks(SpamChecks.RUN, "id"), alteration.replaced))))
    foreign = [field for field in message.fields if not field.name.startswith(OWN_PREFIX)]
    assert b"".join(edited.body) == b"".join(message.body)
    assert [field.name for field in edited.fields[:2]] == ["x-mailreeve-spam-checks", "x-mailreeve-decision"]
    assert len(edited.fields) == len(foreign) + 2
    for before, after in zip(foreign, edited.fields[2:], strict=True):
        assert after.raw == before.raw or (
            before.name in ("from", "to", "cc", "reply-to") and "old.test" in before.value
        )


@pytest.mark.parametrize("line", [b" forged, spam=none\r\n", b"\tfolded: yes\r\n and on\r\n", b"   \r\n"])
def test_a_first_line_that_would_continue_our_mark_becomes_a_field(line):
    """Every octet stays; only a name is put before it, so that our last field ends where we ended it."""
    message = read_message(line + b"From: a@out.test\r\n\r\nbody\r\n")
    edited = bytes(apply(message, Edits(marks(SpamChecks.RUN, "id")), on_top=b"Received: x\r\n"))
    assert edited == (
        b"Received: x\r\nX-Mailreeve-Spam-Checks: run\r\nX-Mailreeve-Decision: id\r\n"
        b"X-Mailreeve-Stray:" + line + b"From: a@out.test\r\n\r\nbody\r\n"
    )
    assert message_from_bytes(edited)["X-Mailreeve-Decision"] == "id"


@pytest.mark.parametrize(
    "line",
    [
        b"From 1234567890abcdef Mon Sep 17 00:00:00 2001\r\n",
        b"From dev@x.test  Thu Nov 26 10:00:00 2026\r\n",
        b">From dev@x.test Thu Nov 26 10:00:00 2026\r\n",
        b"From ann@x.test Thu\r\n>>From ben@x.test Fri\r\n",
        b"From \r\n",
    ],
    ids=["git", "procmail", "quoted", "two", "nothing else"],
)
def test_lines_of_an_mbox_on_top_become_fields(line):
    """As Postfix has it: below our fields, a reader would end the header at them."""
    message = read_message(line + b"From: a@out.test\r\nSubject: s\r\n\r\nFrom here\r\n")
    edited = bytes(apply(message, Edits(marks(SpamChecks.RUN, "id")), on_top=b"Received: x\r\n"))
    parsed = message_from_bytes(edited)
    assert (parsed["From"], parsed["Subject"]) == ("a@out.test", "s")
    kept = "".join(value + "\r\n" for value in parsed.get_all("X-Mailbox-Line"))
    assert [found.split() for found in kept.splitlines()] == [
        found.split() for found in line.decode().splitlines()
    ]
    assert edited.endswith(b"\r\n\r\nFrom here\r\n")


@pytest.mark.parametrize(
    "header", [b"From : a@out.test\r\n", b"A: 1\r\nFrom here on\r\n", b"Fromm x\r\n", b"x From y\r\n"]
)
def test_other_lines_are_no_mbox_lines(header):
    """A field with a space before its colon, a line further down, another word."""
    message = read_message(header + b"\r\nbody\r\n")
    assert bytes(apply(message, Edits())) == header + b"\r\nbody\r\n"


OURS = [
    "Authentication-Results: mx.corp.test; spf=pass smtp.mailfrom=bank.test",
    "authentication-results:MX.Corp.Test;none",
    "Authentication-Results: mx.corp.test 1; dkim=pass",
    "Authentication-Results: mx.corp.test.; dkim=pass",
    "Authentication-Results:\r\n mx.corp.test;\r\n\tdmarc=pass",
    "Authentication-Results: (c; (nested)) mx.corp.test (v) 1; dmarc=pass",
    'Authentication-Results: "mx.corp.test"; dmarc=pass',
    'Authentication-Results: "mx\\.corp.test" ; dmarc=pass',
    "Authentication-Results : mx.corp.test(c); dmarc=pass",
    "Authentication-Results: mx.corp.test",
]
OTHERS = [
    "Authentication-Results: mx.other.test; spf=pass",
    "Authentication-Results: smtp.mx.corp.test; spf=pass",
    "Authentication-Results: mx.corp.test.evil.test; spf=pass",
    "Authentication-Results: (mx.corp.test;) mx.other.test; spf=pass",
    "Authentication-Results: mx.other.test; spf=pass (mx.corp.test; none)",
    "ARC-Authentication-Results: i=1; mx.corp.test; spf=pass",
    "Received: by mx.corp.test; now",
    "Authentication-Results:",
    "Authentication-Results: ;",
]


@pytest.mark.parametrize("field", [*OURS, *OTHERS])
def test_results_of_authentication_that_claim_to_be_ours_are_taken_out(field):
    """However the name is spelt (RFC 8601 sections 2.2 and 5); those of others stay, and so does all else."""
    message = read_message(f"A: 1\r\n{field}\r\nB: 2\r\n\r\nbody\r\n".encode())
    edited = bytes(apply(message, Edits(removed=claims_of_results(message, {"mx.corp.test"})))).decode()
    kept = "" if field in OURS else f"{field}\r\n"
    assert edited == f"A: 1\r\n{kept}B: 2\r\n\r\nbody\r\n"
