"""`mailreeve serve`: the API and the mail door in one process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import anyio.to_thread
import click
import msgspec
import structlog
import uvloop

from mailreeve.api.app import Api
from mailreeve.api.quota import Quota
from mailreeve.api.server import HttpServer
from mailreeve.app import logs
from mailreeve.app.database_file import check_whole
from mailreeve.app.folder import (
    CREDENTIALS,
    DATABASE,
    KEY_FILE,
    LOCK,
    MAILDIR,
    FolderError,
    Opened,
    installation_of,
    is_initialised,
    limits_of,
    opened_folder,
    require_initialised,
)
from mailreeve.app.listening import listening
from mailreeve.app.mail_server import open_mail_door, tls_of
from mailreeve.app.private_files import close_to_others, open_to_others, touch_private
from mailreeve.app.reload import Hangups, Reload, hangups, reload_at
from mailreeve.app.settings import Settings, SettingsError, split_host_port
from mailreeve.app.settings import read as read_settings
from mailreeve.cli.options import data_option, ends_with
from mailreeve.families.directory.account import rows as account_rows
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.registry import ENDPOINTS
from mailreeve.store.follow import Follower
from mailreeve.store.migrations import SchemaError

LET_GO_EVERY: Final = 60.0  # seconds
STRANGERS: Final = 200  # refused calls per window and address, before the address has to wait
DESCRIPTORS: Final = (
    4_096  # open files: of the connections to the API 2,000, of mail 500 and to its next hop as many
)

_log = structlog.get_logger(__name__)


@click.command("serve")
@data_option
@click.option("--http", metavar="HOST:PORT", help="Where the API listens; port 0 picks a free one.")
@click.option("--smtp", metavar="HOST:PORT", help="Where the mail door listens.")
@click.option("--next-hop", metavar="HOST:PORT|maildir:DIR", help="Where mail goes.  [default: a Maildir in DATA]")
@click.option("--milter", metavar="HOST:PORT", help="Not served by this version.")
@click.option("--tls-cert", metavar="FILE", help="Certificate chain in PEM, for HTTPS and STARTTLS.")
@click.option("--tls-key", metavar="FILE", help="The certificate's private key in PEM.")
@click.option(
    "--init", "make", is_flag=True, help="Make the folder first if it is new; takes the options of init."
)
@click.option("--domain", "domain_names", multiple=True, help="With --init: an internal domain; repeatable.")
@click.option("--admin", help="With --init: the administrator's address.")
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def command(
    data: Path, make: bool, domain_names: tuple[str, ...], admin: str | None, **options: str | None
) -> None:
    """Serve the API and the mail door from a data folder.

    Prints a line per listener, then `ready`. SIGTERM or Ctrl-C finishes what is in flight and exits with 0.
    SIGHUP reads the certificate again, and those settings that need no restart.
    """
    with hangups() as found:
        _command(data, make, domain_names, admin, options, found)


class Asked(NamedTuple):
    """What the command line said, and the SIGHUPs that ask for more to be read since."""

    options: Mapping[str, object]
    hangups: Hangups


def _command(
    data: Path,
    make: bool,
    domain_names: tuple[str, ...],
    admin: str | None,
    options: Mapping[str, object],
    found: Hangups,
) -> None:
    os.umask(0o077)  # Whatever a server writes is for its owner alone, messages in a Maildir too.
    logs.fill_standard_descriptors()
    settings = read_settings(data, options)
    if settings.milter:
        raise SettingsError("milter: this version has no milter door; use smtp")
    tls_of(settings)
    log = logs.configure(settings.log_level)
    _allow_descriptors()
    if make and not is_initialised(data):
        _make(data, domain_names, admin)
    require_initialised(data)
    with _only_one(data), opened_folder(data, settings) as opened, opened.store.feed.watched():
        check_whole(opened.engine, data / DATABASE)
        _close_to_others(data)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(opened, settings, data, log, Asked(options, found)))


def _allow_descriptors() -> None:
    """Raise the limit of open files to what the doors' connections and the store need together: strangers who take
    every place that the doors give must not keep the process from opening a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= DESCRIPTORS:
        return
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < DESCRIPTORS:
        _log.warning("few open files are allowed", allowed=most, wanted=DESCRIPTORS)


async def _serve(opened: Opened, settings: Settings, data: Path, log: logs.LogWriter, asked: Asked) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await _warm_up(opened)
    letting_go = asyncio.create_task(_let_go(opened.services.follower))
    authenticator = Authenticator(opened.store, opened.vault, opened.token_key, settings.clock_skew)
    api = Api(
        opened.services,
        authenticator,
        ENDPOINTS,
        quota=Quota(settings.rate_limit, settings.rate_window_ms),
        strangers=Quota(STRANGERS, settings.rate_window_ms),
        max_body=settings.max_body,
        dropped_log_lines=lambda: log.dropped,
    )
    http = HttpServer(
        api.asgi(),
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        per_network=settings.connections_per_address,
    )
    with listening("http", settings.http):
        listener = _bind(*split_host_port(settings.http, "http"))
    next_hop = settings.next_hop or f"maildir:{data / MAILDIR}"
    starttls = tls_of(settings)
    async with open_mail_door(opened, settings, next_hop, starttls) as smtp_address:
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        ready = asyncio.create_task(http.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ready.cancel()
            await serving
            raise FolderError("the HTTP server ended while starting; see the log")
        scheme = "https" if settings.tls_cert else "http"
        _announce(f"http {scheme}://{_shown(listener.getsockname())}", f"smtp {_shown(smtp_address)}", "ready")

        def apply(now: Settings) -> None:
            api.use(
                msgspec.structs.replace(opened.services, limits=limits_of(now), installation=installation_of(now))
            )

        contexts = [context for context in (http.config.ssl, starttls) if context is not None]
        reloading = asyncio.create_task(
            reload_at(asked.hangups, Reload(data, asked.options, settings, contexts, apply))
        )
        await asyncio.wait({serving, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        http.stop()
        await serving
        letting_go.cancel()
        reloading.cancel()


async def _warm_up(opened: Opened) -> None:
    """Load the policies of a server's only account, however many, before anybody has to wait for them. Where there
    are several, each is loaded on first use."""
    accounts = list(opened.store.look_up(account_rows.codes).values())
    if len(accounts) == 1:
        await anyio.to_thread.run_sync(opened.services.follower.current, accounts[0])


async def _let_go(follower: Follower) -> None:
    """Drop the policies of idle accounts now and then."""
    while True:
        await asyncio.sleep(LET_GO_EVERY)
        dropped = await anyio.to_thread.run_sync(follower.let_go)
        if dropped:
            _log.info("policies of idle accounts dropped", accounts=dropped)


def _make(data: Path, domain_names: tuple[str, ...], admin: str | None) -> None:
    # Imported here: most starts find the folder made.
    from mailreeve.cli.init import initialise

    file = data / CREDENTIALS
    initialise(data, domain_names, admin, file)
    # Not the credentials themselves: standard error is a service's log.
    click.echo(f"{data} is made; the credentials are in {file}", err=True)


def _close_to_others(data: Path) -> None:
    """Leave what is secret in the folder to its owner alone: a folder that was restored may have any modes."""
    names = (".", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEY_FILE, CREDENTIALS, MAILDIR)
    for path in open_to_others(data / name for name in names):
        try:
            close_to_others(path)
        except OSError as problem:
            _log.warning("others can read this", path=str(path), problem=problem.strerror)
        else:
            _log.warning("others could read this until now", path=str(path))


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """One serving process per folder: another's commits would not be seen at once. Raises `FolderError`."""
    touch_private(data / LOCK)
    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise FolderError(f"{data} is being served by another process") from problem
        yield


def _announce(*lines: str) -> None:
    """Say something on standard output. Whether anybody can hear it is no matter of whether we serve."""
    try:
        for line in lines:
            click.echo(line)
    except OSError as problem:
        _log.warning("standard output cannot be written", problem=str(problem))
        # What could not be written waits in a buffer, and would make the exit fail.
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _shown(address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
