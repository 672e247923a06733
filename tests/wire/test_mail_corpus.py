"""Messages that other projects collected for their tests, through the explanation and through the mail door.

They are not ours and not in the repository. The test data of Python's email package (PSF licence) comes with
Python, or on Debian with libpython3.x-testsuite; the bounces of flufl.bounce (Apache License 2.0) come with
python3-flufl.bounce. `.ci/run` installs both. Policies are made about the senders that Python's own parser sees in
these messages. Then each message is explained and sent, and verdict, stage and the text of the reply are compared.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import compat32
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path

import pytest

from mailreeve.client import Target

SENDER = "bounces@esp.test"
AT_ONCE = 40  # messages on one connection, and items in one call

_HEADER = re.compile(rb"\A(?:.+\r\n)*")
_FROM = re.compile(rb"^From[ \t]*:((?:.*\r\n)(?:[ \t].*\r\n)*)", re.IGNORECASE | re.MULTILINE)
_DECISION_ID = re.compile(r" \[[a-z2-7]{16}\]$")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def folders() -> dict[str, list[Path]]:
    """Where each corpus may be, by its name."""
    own = find_spec("test")
    places = [Path(place) / "test_email/data" for place in (own.submodule_search_locations or [] if own else [])]
    libraries = [*sys.path, "/usr/lib/python3/dist-packages"]
    return {
        "Python's email package": [*places, *Path("/usr/lib").glob("python3.*/test/test_email/data")],
        "flufl.bounce": [Path(library) / "flufl/bounce/tests/data" for library in libraries],
    }


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    """The messages by name, with the line ends of mail. Skips where a corpus is absent; with CI=true it fails."""
    messages: dict[str, bytes] = {}
    for name, places in folders().items():
        files = sorted(file for place in places if place.is_dir() for file in place.glob("*.txt"))
        if not files:
            reason = f"the test messages of {name} are not installed"
            if os.environ.get("CI") == "true":
                pytest.fail(f"{reason}; with CI=true that is a failure", pytrace=False)
            pytest.skip(reason)
        messages |= {f"{name}: {file.name}": _LINE_END.sub(b"\r\n", file.read_bytes()) for file in files}
    return messages


def from_field(content: bytes) -> str | None:
    """The text of the From field; None where there is not exactly one. Octets are read as people's programs do."""
    found = _FROM.findall(_HEADER.match(content)[0])
    if len(found) != 1:
        return None
    try:
        return found[0].decode().removesuffix("\r\n")
    except UnicodeDecodeError:
        return found[0].decode("cp1252").removesuffix("\r\n")


def make_policies(gate, listed: str, senders: list[tuple[str, str]]) -> Counter[str]:
    """Blocks of these names and addresses in turn: by domain, address, display name, group, and personally."""
    made: Counter[str] = Counter()
    known: set[str] = set()
    for name, address in senders:
        domain = address.rpartition("@")[2]
        if known & {address, domain, name}:
            continue
        known |= {address, domain, name} - {""}
        kind = ("domain", "address", "name", "group", "personal", "nobody")[made.total() % 6]
        if kind == "name" and not name:
            kind = "address"
        made[kind] += 1
        match kind:
            case "domain":
                gate.block(Target.domain(domain), from_part="header_from")
            case "address":
                gate.block(Target.address(address), from_part="header_from")
            case "name":
                gate.block(Target.display_name(name))
            case "group":
                gate.block(Target.group(gate.group(domain)), from_part="header_from")
            case "personal":
                item = {"sender": address, "to": listed, "action": "block"}
                gate.client.call("managedsender/permit-or-block-sender", item)
    return made


def senders_of(corpus: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Name and address of the authors that Python's own parser finds, where an API would take the address."""
    for content in corpus.values():
        name, address = parseaddr(str(message_from_bytes(content, policy=compat32)["From"] or ""))
        if re.fullmatch(r"[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", address, re.IGNORECASE | re.ASCII):
            yield (name if name.isascii() and name.isprintable() else ""), address.lower()


def sent(gate, smtp, content: bytes, recipient: str) -> tuple[str, str | None, str | None]:
    """Send a message: verdict, stage and reply, without the decision id."""
    assert smtp.mail(SENDER)[0] == 250
    code, text = smtp.rcpt(recipient)
    stage = "rcpt"
    if code == 250:
        stage = "data"
        code, text = smtp.data(content)
    else:
        smtp.rset()
    copies = list((gate.live.maildir / "new").iterdir())
    for copy in copies:
        copy.unlink()
    assert len(copies) == (code == 250)
    if code == 250:
        return "deliver", None, None
    return "reject", stage, f"{code} {_DECISION_ID.sub('', text.decode())}"


def test_the_door_does_to_collected_messages_what_the_explanation_says(gate, corpus):
    """Every message with one From field, to a recipient with a personal list and to one without."""
    plain, listed = gate.recipient(), gate.recipient()
    made = make_policies(gate, listed, list(senders_of(corpus)))
    assert made.keys() >= {"domain", "address", "name", "group", "personal"}, made
    messages = [(name, content, from_field(content)) for name, content in corpus.items()]
    compared = [(name, content, field) for name, content, field in messages if field is not None]
    assert len(compared) > len(messages) * 0.8
    tally: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(compared), AT_ONCE):
        batch = compared[start : start + AT_ONCE]
        smtp = gate.connect()
        for recipient in (plain, listed):
            items = [
                {"from": SENDER, "to": recipient, "headerFrom": field, "sourceIp": "127.0.0.1"}
                for _, _, field in batch
            ]
            told = gate.client.call("ext/explain-message", *items)
            for (name, content, field), one in zip(batch, told, strict=True):
                said = (one["verdict"], one.get("stage"), one.get("smtpReply"))
                assert sent(gate, smtp, content, recipient) == said, (name, field)
                tally[one["verdict"], one["layer"]] += 1
        smtp.quit()
    # A corpus that no policy concerns would prove nothing.
    assert tally["reject", "blocked_senders"] > 50, tally
    assert tally["reject", "managed_senders"] > 3, tally
    assert sum(count for (verdict, _), count in tally.items() if verdict == "deliver") > 50, tally
