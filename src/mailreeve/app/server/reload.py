"""What does SIGHUP do? It has the certificate and the settings read again, and never ends the process.

Certificates are replaced for the connections that come; of the settings those that nothing was built upon. What
was changed besides is named in the log, and takes effect with the next start. Where anything is wrong, all stays
as it was.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec
import structlog

from mailreeve.app.server.mail_server import tls_of
from mailreeve.app.settings import Settings, SettingsError
from mailreeve.app.settings import read as read_settings

RELOADED: Final = (
    "tls_cert",
    "tls_key",
    "ca",
    "web_urls_per_policy",
    "web_urls_per_account",
    "address_alterations",
    "managed_senders_per_user",
    "delegates_per_user",
    "reach_guard",
    "web_proxy",
    "public_url",
)
"""The settings that need no restart."""

_log = structlog.get_logger(__name__)


class Hangups:
    """The SIGHUPs that came. One that comes before anybody waits is not lost, several at once are one."""

    def __init__(self) -> None:
        self._came = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Until one comes that was not waited for yet."""
        self._loop = asyncio.get_running_loop()
        if not self._came:
            await self._event.wait()
        self._came = False
        self._event.clear()

    def note(self, number: int, frame: FrameType | None) -> None:
        """One came."""
        self._came = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)


@contextmanager
def hangups() -> Iterator[Hangups]:
    """The SIGHUPs that come while the block runs. After it, and until the process ends, they do nothing."""
    found = Hangups()
    # Not the loop's own handler: closing the loop would give the signal back the power to end the process.
    signal.signal(signal.SIGHUP, found.note)
    try:
        yield found
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Reload:
    """Reads settings and certificates again. `apply` is handed the settings as they are from then on."""

    def __init__(
        self,
        data: Path,
        options: Mapping[str, object],
        settings: Settings,
        contexts: list[ssl.SSLContext],
        apply: Callable[[Settings], None],
    ) -> None:
        self._data = data
        self._options = options
        self._settings = settings
        self._contexts = contexts
        self._apply = apply

    def __call__(self) -> None:
        """Do it, and log what came of it. Blocks on the files."""
        try:
            wanted = read_settings(self._data, self._options)
            changed = [name for name in Settings.__struct_fields__ if self._differs(wanted, name)]
            fixed = [name for name in changed if name not in RELOADED]
            if bool(wanted.tls_cert) != bool(self._settings.tls_cert):
                fixed += ["tls_cert", "tls_key"]
            now = msgspec.structs.replace(
                self._settings, **{name: getattr(wanted, name) for name in changed if name not in fixed}
            )
            if tls_of(now) is not None:  # The files fit together, before any of them is used.
                for context in self._contexts:
                    context.load_cert_chain(now.tls_cert, now.tls_key)
        except (SettingsError, OSError) as problem:
            _log.error("nothing was reloaded", problem=str(problem))
            return
        self._settings = now
        self._apply(now)
        applied = [name for name in changed if name not in fixed]
        _log.info("reloaded", certificate=bool(now.tls_cert), settings=",".join(applied))
        if fixed:
            _log.warning("these settings wait for a restart", settings=",".join(dict.fromkeys(fixed)))

    def _differs(self, wanted: Settings, name: str) -> bool:
        return bool(getattr(wanted, name) != getattr(self._settings, name))


async def reload_at(found: Hangups, reload: Reload) -> None:
    """Reload at every SIGHUP, until it is cancelled."""
    while True:
        await found.wait()
        try:
            await asyncio.to_thread(reload)
        except Exception:
            # Whatever it was, the server goes on with what it has.
            _log.exception("nothing was reloaded")
