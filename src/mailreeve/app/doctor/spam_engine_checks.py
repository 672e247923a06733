"""The spam engine: does it answer?"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from mailreeve.app.doctor.checks import Check, fail, ok
from mailreeve.app.server.mail_server import engine_settings
from mailreeve.app.settings import Settings, SettingsError
from mailreeve.mail.spam.settings import WhenAbsent

PATIENCE = 5.0  # seconds


def spam_engine_checks(settings: Settings) -> Iterator[Check]:
    """What is found of the spam engine; nothing where none is set."""
    if not settings.spam_engine:
        return
    try:
        engine = engine_settings(settings)
    except SettingsError as problem:
        yield fail("spam engine", str(problem), "serve refuses to start until it is mended")
        return
    until = "until it does, mail is taken without being scanned"
    if engine.when_absent is WhenAbsent.DEFER:
        until = "until it does, mail that it was to look at is put off with 451"
    try:
        answer = httpx2.get(f"{engine.url}/ping", timeout=PATIENCE, trust_env=False)
    except httpx2.HTTPError as problem:
        yield fail("spam engine", f"{engine.url} does not answer: {problem}", until)
        return
    if answer.status_code != httpx2.codes.OK or answer.text.strip() != "pong":
        said = f"HTTP {answer.status_code}"
        yield fail("spam engine", f"{engine.url} is no rspamd worker: {said} to /ping", until)
        return
    yield ok("spam engine", f"{engine.url} answers")
