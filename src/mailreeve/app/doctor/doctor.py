"""Everything that is looked at, in the order in which it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mailreeve.app.doctor.checks import Check, State, fail
from mailreeve.app.doctor.folder_checks import accounts, folder_checks
from mailreeve.app.doctor.listener_checks import certificate_checks, listener_checks, settings_checks
from mailreeve.app.doctor.milter_checks import milter_checks
from mailreeve.app.doctor.next_hop_checks import next_hop_checks
from mailreeve.app.doctor.spam_engine_checks import spam_engine_checks
from mailreeve.app.folder import is_initialised, is_served
from mailreeve.app.logs import known_level
from mailreeve.app.settings import FILE_NAME, SettingsError, config_file
from mailreeve.app.settings import read as read_settings


def look(data: Path) -> Iterator[Check]:
    """What is found of a folder, its settings and what is around it, as it is found. Nothing is changed."""
    yield from folder_checks(data)
    if not is_initialised(data):
        return
    source = str(config_file() or data / FILE_NAME)
    try:
        settings = read_settings(data, {})
        known_level(settings.log_level)
        settings.milter_at()
        if bool(settings.tls_cert) != bool(settings.tls_key):
            raise SettingsError("tls_cert and tls_key go together")
    except SettingsError as problem:
        yield fail("settings", str(problem), "serve refuses to start until it is mended")
        return
    yield from settings_checks(settings, source)
    yield from listener_checks(settings, served=is_served(data))
    yield from milter_checks(settings, served=is_served(data))
    yield from certificate_checks(settings)
    found = accounts(data)
    domain = found[0].admin_email.rpartition("@")[2] if found else "localhost"
    yield from next_hop_checks(data, settings, domain)
    yield from spam_engine_checks(settings)


def is_well(checks: list[Check]) -> bool:
    """Whether a server can do its work."""
    return not any(check.state is State.FAIL for check in checks)
