"""What was acknowledged is in the archive, once, after `kill -9`; and what was not, once after it came again."""

from __future__ import annotations

import smtplib
import threading
from collections import Counter

WRITERS = 3
ENOUGH = 10  # messages that are acknowledged before the server is killed
PATIENCE = 60


def content(name: str) -> str:
    return f"From: <liz@out.test>\r\nSubject: {name}\r\nMessage-ID: <{name}@out.test>\r\n\r\nText of {name}\r\n"


def test_every_acknowledged_message_is_archived_once(fresh_server) -> None:
    """Killed while several sessions deliver; whoever got no answer sends again, as senders do."""
    live = fresh_server(MAILREEVE_ARCHIVE="on", MAILREEVE_RATE_LIMIT="100000000")
    acknowledged: set[str] = set()
    begun: set[str] = set()
    changed = threading.Condition()

    def send(number: int) -> None:
        try:
            with smtplib.SMTP(*live.smtp, local_hostname="client.test", timeout=PATIENCE) as smtp:
                for n in range(10**6):
                    name = f"w{number}n{n}"
                    with changed:
                        begun.add(name)
                    smtp.sendmail("liz@out.test", ["ann@corp.test"], content(name))
                    with changed:
                        acknowledged.add(name)
                        changed.notify_all()
        except (OSError, smtplib.SMTPException):
            return  # Gone, as it should be.

    threads = [threading.Thread(target=send, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    with changed:
        assert changed.wait_for(lambda: len(acknowledged) >= ENOUGH, PATIENCE)
    live.kill()
    for thread in threads:
        thread.join(PATIENCE)
    live.start()

    def archived() -> Counter[str]:
        with live.client() as client:
            return Counter(row["subject"] for row in client.every("ext/find-archived-messages", {}))

    found = archived()
    assert max(found.values()) == 1
    assert acknowledged <= found.keys() <= begun
    with smtplib.SMTP(*live.smtp, local_hostname="client.test", timeout=PATIENCE) as smtp:
        for name in begun - acknowledged:
            smtp.sendmail("liz@out.test", ["ann@corp.test"], content(name))
    assert archived() == Counter(dict.fromkeys(begun, 1))
