"""The next hop: does it answer, does it offer what is required, and would it take a message?"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Final

from mailreeve.app.doctor.checks import Check, fail, ok, warn
from mailreeve.app.folder import MAILDIR
from mailreeve.app.server.mail_server import MAILDIR_PREFIX
from mailreeve.app.server.sockets import found_at
from mailreeve.app.settings import Settings, SettingsError, split_host_port
from mailreeve.mail.next_hop.smtp import StartTls

PATIENCE: Final = 10.0  # seconds for each answer
IN_ALL: Final = 60.0  # seconds: what answers without end is no mail server


def next_hop_checks(data: Path, settings: Settings, domain: str) -> Iterator[Check]:
    """What is found of the next hop. It is asked whether it would take mail for the postmaster of `domain`, and is
    sent none."""
    text = settings.next_hop or f"{MAILDIR_PREFIX}{data / MAILDIR}"
    if text.startswith(MAILDIR_PREFIX):
        yield _maildir(Path(text.removeprefix(MAILDIR_PREFIX)))
        return
    try:
        host, port = split_host_port(text, "next_hop")
        own = found_at(settings.smtp, "smtp")
        start_tls = StartTls(settings.next_hop_starttls)
    except SettingsError as problem:
        yield fail("next hop", str(problem), "")
        return
    except ValueError:
        yield fail("next hop", f"next_hop_starttls: {settings.next_hop_starttls!r} is none", ", ".join(StartTls))
        return
    if (host, port) == own or (
        port == own[1] and host in ("localhost", "127.0.0.1", "::1") and own[0] == "127.0.0.1"
    ):
        yield fail("next hop", f"{text} is the mail door itself: mail would go round", "name the server behind it")
        return
    found: list[Check] = []
    # Nobody waits for it longer than that, nor at the end of the program.
    asking = Thread(target=lambda: found.extend(_talked(host, port, settings, start_tls, domain)), daemon=True)
    asking.start()
    asking.join(IN_ALL)
    yield from list(found) or [_no_mail_server(text, f"it is not done after {IN_ALL:.0f} seconds")]


def _talked(host: str, port: int, settings: Settings, start_tls: StartTls, domain: str) -> list[Check]:
    text = settings.next_hop
    try:
        with smtplib.SMTP(host, port, timeout=PATIENCE, local_hostname=settings.hostname or None) as smtp:
            return list(_asked(smtp, text, start_tls, domain))
    except (OSError, ValueError, smtplib.SMTPException) as problem:
        return [_no_mail_server(text, str(problem))]


def _no_mail_server(text: str, why: str) -> Check:
    return fail(
        "next hop",
        f"{text} does not answer as a mail server: {why}",
        "until it does, all mail is put off with 451",
    )


def _asked(smtp: smtplib.SMTP, text: str, start_tls: StartTls, domain: str) -> Iterator[Check]:
    smtp.ehlo_or_helo_if_needed()
    offered = smtp.has_extn("starttls")
    if start_tls is StartTls.REQUIRED and not offered:
        yield fail("next hop", f"{text} offers no STARTTLS, which is required", "mail is put off with 451")
        return
    if start_tls is not StartTls.OFF and offered:
        smtp.starttls()
        smtp.ehlo()
    smtp.docmd("MAIL", "FROM:<>")
    code, said = smtp.docmd("RCPT", f"TO:<postmaster@{domain}>")
    smtp.docmd("RSET")
    reply = f"{code} {' '.join(said.decode('utf-8', 'replace').split())}"
    if code not in (250, 251):
        yield warn(
            "next hop", f"{text} refuses postmaster@{domain}: {reply}",
            "every recipient whom it refuses is refused here; RFC 5321 wants a postmaster",
        )  # fmt: skip
        return
    encryption = "encrypted" if start_tls is not StartTls.OFF and offered else "in the clear"
    if offered and start_tls is StartTls.OFF:
        encryption += ", although it offers STARTTLS"
    yield ok("next hop", f"{text} takes mail for postmaster@{domain}, {encryption}")


def _maildir(path: Path) -> Check:
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fail("next hop", f"nothing can be written to {place}", "give the folder to whoever serves")
    waiting = sum(1 for _ in (path / "new").iterdir()) if (path / "new").is_dir() else 0
    return ok("next hop", f"the Maildir {path}, {waiting:,} messages in it unread")
