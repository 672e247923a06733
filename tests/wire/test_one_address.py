"""An address and a domain are the same however they are spelt, at every door: SMTP, the API, explanations."""

from __future__ import annotations

import uuid

import pytest

from mailreeve.client import Target

SPELLINGS = [
    ("mail_1.bücher.test", "mail_1.xn--bcher-kva.test"),
    ("i❤.test", "xn--i-7iq.test"),
    ("bu\u0308cher.test", "xn--bcher-kva.test"),
    ("BÜCHER\u3002test", "xn--bcher-kva.test"),
    ("bücher\uff0etest", "XN--BCHER-KVA.TEST"),
    ("ｅｘ.test", "ex.test"),
]


@pytest.mark.parametrize(("one", "other"), [*SPELLINGS, *[(ascii_form, text) for text, ascii_form in SPELLINGS]])
def test_a_domain_has_one_answer_at_every_door(gate, one, other):
    """What was said of it in one spelling holds for the other, D-43."""
    recipient = gate.recipient()
    gate.block(Target.domain(one), from_part="header_from")
    told = gate.client.call(
        "ext/explain-message",
        {"from": "a@esp.test", "to": recipient, "headerFrom": f"Jo <jo@{other}>"},
        {"from": f"jo@{other}", "to": recipient},
    )
    assert [answer["verdict"] for answer in told] == ["reject", "reject"]
    assert gate.send("a@esp.test", recipient, header_from=f"Jo <jo@{other}>").verdict(recipient)[0] == "reject"


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_lists_groups_and_domains_see_one_domain(gate, one, other):
    recipient = gate.recipient()
    entry = {"to": recipient, "action": "block"}
    first = gate.client.call("managedsender/permit-or-block-sender", entry | {"sender": one})[0]
    assert (
        gate.client.call("managedsender/permit-or-block-sender", entry | {"sender": other})[0]["id"] == first["id"]
    )
    assert (
        gate.client.call("ext/explain-message", {"from": f"a@{other}", "to": recipient})[0]["verdict"] == "reject"
    )
    group = gate.group(one)
    gate.block(Target.group(group))
    assert (
        gate.client.call("ext/explain-message", {"from": f"a@{other}", "to": "x@corp.test"})[0]["verdict"]
        == "reject"
    )
    gate.client.call("directory/remove-group-member", {"id": group, "domain": other})
    assert (
        gate.client.call("ext/explain-message", {"from": f"a@{other}", "to": "x@corp.test"})[0]["verdict"]
        == "deliver"
    )
    gate.client.call("directory/add-group-member", {"id": group, "domain": one})


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_envelopes_see_one_domain(gate, one, other):
    gate.block(Target.domain(other))
    smtp = gate.connect()
    smtp.command_encoding = "utf-8"
    for domain in (one, other):
        assert smtp.docmd(f"MAIL FROM:<a@{domain}> SMTPUTF8")[0] == 250
        code, _ = smtp.docmd("RCPT TO:<u@corp.test>")
        assert code == 550
        smtp.rset()


@pytest.mark.parametrize("local", ["jose\u0301", "JOSE\u0301", "josé"])
def test_a_local_part_is_compared_composed(gate, local):
    """RFC 6532 section 3.1."""
    recipient = gate.recipient()
    gate.client.call(
        "managedsender/permit-or-block-sender", {"sender": "josé@n.test", "to": recipient, "action": "block"}
    )
    assert gate.send("a@esp.test", recipient, header_from=f"{local}@n.test").verdict(recipient)[0] == "reject"
    told = gate.client.call("ext/explain-message", {"from": f"{local}@n.test", "to": recipient})[0]
    assert told["verdict"] == "reject"


@pytest.mark.parametrize(
    "local", ["v" * 76, "list-confirm+" + "0" * 60, "x" * 200, "a..b", ".a", "a.", "a..", f"{'b' * 70}..c"]
)
def test_long_local_parts_and_stray_dots_are_taken_at_every_door(gate, local):
    """At MAIL, at RCPT, in the API and in the header; a policy about the address meets it everywhere."""
    address, recipient = f"{local}@long.test", f"{local}@corp.test"
    assert gate.smtp.mail(address)[0] == 250
    assert gate.smtp.rcpt(recipient)[0] == 250
    gate.smtp.rset()
    gate.block(Target.address(address), from_part="header_from")
    assert gate.send("a@esp.test", gate.recipient(), header_from=address).answer.code == 550
    told = gate.client.call("ext/explain-message", {"from": address, "to": recipient})[0]
    assert told["verdict"] == "reject"
    item = {"sender": address, "to": recipient, "action": "permit"}
    assert gate.client.call("managedsender/permit-or-block-sender", item)[0]["sender"]


def test_a_tag_with_stray_dots_is_a_tag(gate):
    """Postfix parts the tag from the rest whatever dots are in it, so the mail reaches the user."""
    user = f"u{uuid.uuid4().hex}@corp.test"
    gate.client.call(
        "managedsender/permit-or-block-sender", {"sender": "b@dots.test", "to": user, "action": "block"}
    )
    tagged = user.replace("@", "+a..b@")
    assert gate.send("b@dots.test", tagged).verdict(tagged)[0] == "reject"


def test_an_address_beyond_the_path_is_refused(gate):
    assert gate.smtp.mail("x" * 250 + "@ex.test")[0] == 501
