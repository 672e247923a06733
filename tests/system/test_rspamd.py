"""A real rspamd behind the mail door: what it says of a message is what policies decide by."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import EICAR, ENOUGH, GTUBE, PATIENCE, Rspamd

pytestmark = pytest.mark.requires("rspamd")

DOMAIN = "corp.test"


@pytest.fixture(scope="module")
def door(rspamd: Rspamd, short_folder: Path, new_server: Callable[[Path], Any]) -> Iterator[Any]:
    """A server that asks the rspamd, and puts mail off while that does not answer."""
    made = new_server(short_folder / "scanning" / "data")
    with (made.folder / "mailreeve.toml").open("a") as settings:
        settings.write(f'\nspam_engine = "{rspamd.url}"\nspam_engine_absent = "defer"\n')
        # Of mail from this machine an rspamd checks no SPF, so that no permit would count.
        settings.write('permit_needs_authentication = "never"\n')
    made.start("--next-hop", f"maildir:{made.folder.parent / 'mail'}")
    yield made
    made.stop()


def message(text: str) -> bytes:
    fields = ["From: Ann <ann@out.test>", f"To: <bob@{DOMAIN}>", "Subject: Hello", "Message-ID: <a@out.test>"]
    fields += ["Date: Fri, 27 Nov 2026 10:00:00 +0000", "MIME-Version: 1.0", "Content-Type: text/plain"]
    return "\r\n".join([*fields, "", text, ""]).encode()


def send(door: Any, recipient: str, text: str, sender: str = "ann@out.test") -> tuple[int, str]:
    """The answer to the content."""
    with smtplib.SMTP("127.0.0.1", door.port, timeout=PATIENCE) as smtp:
        smtp.ehlo("client.out.test")
        smtp.mail(sender)
        code, said = smtp.rcpt(recipient)
        assert code == 250, said
        code, said = smtp.data(message(text))
        return code, said.decode()


def recorded(door: Any, recipient: str) -> dict[str, object]:
    return door.outcomes(recipient)[-1]


def test_gtube_is_refused_and_ordinary_mail_is_not(door: Any) -> None:
    """Without a policy of its own an account refuses what rspamd rejects; and the record says by which test."""
    code, said = send(door, f"bob@{DOMAIN}", GTUBE)
    assert (code, said.rpartition(" [")[0]) == (550, "5.7.1 Message refused - taken for spam")
    record = recorded(door, f"bob@{DOMAIN}")
    assert record["layer"] == "spam"
    assert record["spam"]["action"] == "reject"
    assert "GTUBE" in [name for name, _ in record["spam"]["symbols"]]
    code, _ = send(door, f"carol@{DOMAIN}", "Lunch at noon?")
    assert code == 250
    record = recorded(door, f"carol@{DOMAIN}")
    assert record["spam"]["action"] == "no action"
    assert record["state"] == "delivered"


def test_a_policy_holds_what_the_engine_rejects(door: Any) -> None:
    """A policy for one recipient holds it there; the sender is told that it was taken."""
    held = f"dora@{DOMAIN}"
    with door.client() as client:
        policy = {
            "description": "Hold for Dora",
            "from": {"type": "everyone"},
            "to": {"type": "individual_email_address", "emailAddress": held},
        }
        client.call("ext/spam-policies/create-policy", {"policy": policy, "actions": {"reject": "hold"}})
    code, _ = send(door, held, GTUBE)
    assert code == 250
    record = recorded(door, held)
    assert (record["state"], record["layer"], record["description"]) == ("held", "spam", "Hold for Dora")


def test_a_permitted_sender_is_not_asked_for_the_score(door: Any) -> None:
    """A permit skips the verdict: GTUBE from a permitted sender is delivered."""
    with door.client() as client:
        policy = {
            "description": "Permit",
            "from": {"type": "individual_email_address", "emailAddress": "tester@out.test"},
            "to": {"type": "everyone"},
        }
        client.call("ext/permittedsenders/create-policy", {"policy": policy})
    code, _ = send(door, f"emil@{DOMAIN}", GTUBE, "tester@out.test")
    assert code == 250
    record = recorded(door, f"emil@{DOMAIN}")
    assert (record["state"], record["layer"]) == ("delivered", "permitted_senders")


def test_a_virus_that_an_antivirus_behind_the_engine_finds_passes_no_permit(door: Any, rspamd: Rspamd) -> None:
    """Neither the account's nor the user's own. What rspamd asks is a clamd, as far as it can tell."""
    asked = rspamd.antivirus.asked
    for recipient in (f"emil@{DOMAIN}", f"gus@{DOMAIN}"):
        with door.client() as client:
            client.permit_sender("tester@out.test", recipient)
            policy = {
                "description": "Permit",
                "from": {"type": "email_domain", "emailDomain": "out.test"},
                "to": {"type": "individual_email_address", "emailAddress": f"emil@{DOMAIN}"},
            }
            client.call("ext/permittedsenders/create-policy", {"policy": policy})
        code, _ = send(door, recipient, "Lunch at noon?", "tester@out.test")
        assert code == 250
        code, said = send(door, recipient, EICAR, "tester@out.test")
        assert (code, said.rpartition(" [")[0]) == (550, "5.7.1 Message refused - virus found")
        record = recorded(door, recipient)
        assert (record["state"], record["layer"]) == ("rejected", "virus")
        assert record["spam"]["virus"] == "Eicar-Test-Signature"
        # Nor where the score alone would have rspamd look no further.
        code, said = send(door, recipient, f"{ENOUGH}\r\n{EICAR}", "tester@out.test")
        assert (code, said.rpartition(" [")[0]) == (550, "5.7.1 Message refused - virus found")
    assert rspamd.antivirus.asked == asked + 6


def test_an_engine_that_is_gone_puts_mail_off_until_it_is_back(door: Any, rspamd: Rspamd) -> None:
    """With `spam_engine_absent = "defer"` the sender keeps the message; when rspamd is there again the very next
    one is scanned, although the connections that were kept are dead."""
    rspamd.stop()
    code, said = send(door, f"fred@{DOMAIN}", "Lunch at noon?")
    assert (code, said.rpartition(" [")[0]) == (451, "4.7.1 Cannot look at the message now, try again later")
    assert recorded(door, f"fred@{DOMAIN}")["not_scanned"] == "no_answer"
    rspamd.start()
    code, _ = send(door, f"fred@{DOMAIN}", "Lunch at noon?")
    assert code == 250
    assert recorded(door, f"fred@{DOMAIN}")["spam"]["action"] == "no action"
