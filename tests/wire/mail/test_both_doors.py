"""The same messages under the same policies, through the SMTP door and through the milter door: what is decided,
recorded and delivered is the same. Only trace fields differ: the SMTP door puts its own Received on top, and at
the milter door the server has put one there itself."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from mta import Mta

from mailreeve.families.tracking.outcomes import State
from mailreeve.formats.addresses import Address

TO = ["u@corp.test", "v@corp.test"]
PLAIN = b"From: Ann <ann@out.test>\r\nTo: u@corp.test\r\nSubject: hello\r\n\r\nHi.\r\n"


@dataclass(frozen=True)
class Case:
    """One message under policies: what `rules` says to the office."""

    name: str
    rules: tuple[tuple[str, ...], ...] = ()
    sender: str = "ann@out.test"
    recipients: tuple[str, ...] = ("u@corp.test",)
    content: bytes = PLAIN
    relay: str = "192.0.2.0/24"
    settings: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("nobody objects"),
    Case("several recipients, one copy", recipients=("u@corp.test", "v@corp.test", "w@corp.test")),
    Case("the same recipient twice", recipients=("u@corp.test", "u@corp.test", "u@CORP.test")),
    Case("blocked by envelope", (("block", "out.test"),)),
    Case("blocked by header", (("block", "bad.test", "header_from"),), content=b"From: e@bad.test\r\n\r\nHi.\r\n"),
    Case("one blocks, at RCPT", (("personal", "block", "u@corp.test", "ann@out.test"),), recipients=tuple(TO)),
    Case(
        "one blocks, by header",
        (("personal", "block", "u@corp.test", "eve@bad.test"),),
        recipients=tuple(TO),
        content=b"From: eve@bad.test\r\n\r\nHi.\r\n",
    ),
    Case("permitted", (("permit", "ann@out.test"),)),
    Case("permitted by one", (("personal", "permit", "u@corp.test", "ann@out.test"),), recipients=tuple(TO)),
    Case(
        "forged marks",
        content=b"X-Mailreeve-Spam-Checks: skip\r\nx-mailreeve-decision:\r\n none\r\nSubject: 1\r\n"
        b"X-Mailreeve-Spam-Checks: skip\r\nX-MAILREEVE-ORIGINAL-FROM: a@b.test\r\n" + PLAIN,
    ),
    Case(
        "forged results",
        content=b"Authentication-Results: other.test; spf=pass\r\nAuthentication-Results: gate.test; spf=pass\r\n"
        b"authentication-results:\r\n\t(x) GATE.test; dkim=pass\r\nAuthentication-Results: third.test; none\r\n"
        + PLAIN,
    ),
    Case(
        "altered domain",
        (("alter_domain", "old.test", "corp.test"),),
        recipients=("jo@old.test",),
        content=b'From: ann@out.test\r\nTo: "Jo (x)" <jo@old.test>,\r\n\tx@far.test\r\nCc: a@old.test\r\n'
        b"Cc: b@old.test\r\n\r\nWrite to jo@old.test.\r\n",
    ),
    Case(
        "altered sender",
        (("alter", "jo@corp.test", "office@corp.test", "envelope_from"),),
        sender="jo@corp.test",
        recipients=("x@far.test",),
        content=b"From: jo@corp.test\r\nTo: x@far.test\r\n\r\nHi.\r\n",
        relay="127.0.0.0/8",
    ),
    Case(
        "exchanged addresses",
        (
            ("alter", "u@corp.test", "v@corp.test", "envelope_to"),
            ("alter", "v@corp.test", "u@corp.test", "envelope_to"),
        ),
        recipients=tuple(TO),
    ),
    Case("led to one mailbox", (("alter", "u@corp.test", "v@corp.test", "envelope_to"),), recipients=tuple(TO)),
    Case(
        "altered to a name that needs SMTPUTF8",
        (("alter", "u@corp.test", "ü@corp.test", "to_cc_bcc"),),
    ),
    Case("to the outside, from a stranger", sender="ann@corp.test", recipients=("x@far.test",)),
    Case(
        "to the outside, from a relay network",
        sender="a@corp.test",
        recipients=("x@far.test",),
        relay="127.0.0.0/8",
    ),
    Case("nobody's domain", recipients=("x@far.test",)),
    Case("no address", recipients=("u@corp.test", "no one@corp.test")),
    Case("the null sender", sender=""),
    Case("too many recipients", recipients=(*TO, "w@corp.test"), settings={"max_recipients": 2}),
    Case("too large", content=PLAIN + b"x" * 2_000 + b"\r\n", settings={"max_size": 1_000}),
    Case("a line too long", content=PLAIN + b"x" * 2_000 + b"\r\n", settings={"max_line": 1_000}),
    Case("header too large", content=b"X-Long: " + b"y\r\n " * 90_000 + b"z\r\n" + PLAIN),
    Case("too many fields", content=b"X: 1\r\n" * 2_100 + PLAIN),
    Case("a loop", content=b"Received: x\r\n" * 101 + PLAIN),
    Case("letters beyond ASCII", content="Subject: Grüße\r\nX-Raw: \r\n".encode() + b"X: \xff\xfe\r\n" + PLAIN),
    Case("empty body", content=b"Subject: nothing\r\n\r\n"),
    Case("large body", content=PLAIN + b"0123456789abcdef\r\n" * 16_000),
]


class Seen:
    """What came of a message at one door, with what differs by nature made alike."""

    def __init__(self) -> None:
        self.to_recipients: dict[str, str] = {}
        self.to_content = ""
        self.delivered: list[tuple[str, list[str], bytes]] = []
        self.outcomes: list[dict] = []

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        found = re.match(rb"(?:X-Mailreeve-[^\n]+\n)*Received: [^\n]+\n(?:[ \t][^\n]+\n)*", content)
        head = re.sub(rb"Received: [^\n]+\n(?:[ \t][^\n]+\n)*", b"", found[0], count=1)
        content = head + content[found.end() :]
        content = re.sub(rb"(X-Mailreeve-Decision: )[a-z2-7]{16}", rb"\1ID", content, count=1)
        self.delivered.append((sender.strip("<>"), sorted(recipients), content))


def _as_decided(outcome) -> dict:
    told = {name: getattr(outcome, name) for name in outcome.__struct_fields__}
    for name in ("decision_id", "at", "hop_reply", "queue_id"):
        del told[name]
    if told["state"] in (State.ACCEPTED, State.DELIVERED):
        told["state"], told["reply"] = "taken", ""
    if told["layer"] == "message_limits":
        del told["size"]  # that of what came until it was too much: a server shows lines without carriage returns
    told["reply"] = _without_id(told["reply"])
    return told


def _without_id(reply: str) -> str:
    return re.sub(r"\[[a-z2-7]{16}\]", "[ID]", reply)


def through_smtp(case: Case, open_door, sink, records) -> Seen:
    seen = Seen()
    door = open_door(**case.settings)
    with smtplib.SMTP(*door.address, local_hostname="client.test", timeout=10) as client:
        client.ehlo()
        code, text = client.docmd("MAIL", f"FROM:<{case.sender}>")
        assert code == 250, text
        for recipient in case.recipients:
            code, text = client.rcpt(recipient)
            seen.to_recipients[recipient] = "" if code == 250 else f"{code} {_without_id(text.decode())}"
        if "" in seen.to_recipients.values():
            code, text = client.data(case.content)
            seen.to_content = "" if code == 250 else f"{code} {_without_id(text.decode())}"
        client.docmd("RSET")
        for message in sink.messages:
            seen.add(*message)
        seen.outcomes = [_as_decided(outcome) for outcome in records.kept]
    return seen


def through_milter(case: Case, open_milter, records) -> Seen:
    seen = Seen()
    mta = Mta(open_milter(**case.settings))
    assert mta.connect() == ""
    result = mta.message(case.sender, case.recipients, case.content)
    mta.quit()
    assert result.to_sender == ""
    mta.close()
    seen.to_recipients = {to: _without_id(said) for to, said in result.to_recipients.items()}
    seen.to_content = _without_id(result.to_content)
    if result.delivered is not None:
        made = result.delivered
        seen.add(made.sender, sorted({str(_address(one)) for one in made.recipients}), made.content)
    for copy in (copy for message in records.messages for copy in message.outgoing):
        seen.add(str(copy.sender), sorted({str(one.effective) for one in copy.recipients}), bytes(copy.content))
    seen.outcomes = [_as_decided(outcome) for outcome in records.kept]
    return seen


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_doors_decide_record_and_deliver_alike(case, office, open_door, open_milter, sink, records):
    office.relay = (ip_network(case.relay),)
    for rule, *arguments in case.rules:
        getattr(office, rule)(*arguments)
    by_smtp = through_smtp(case, open_door, sink, records)
    records.kept, records.messages = [], []
    by_milter = through_milter(case, open_milter, records)
    assert by_milter.to_recipients == by_smtp.to_recipients
    assert by_milter.to_content == by_smtp.to_content
    assert sorted(by_milter.delivered) == sorted(by_smtp.delivered)
    assert by_milter.outcomes == by_smtp.outcomes
