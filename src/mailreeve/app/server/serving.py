"""Serving: the API and the mail door from a data folder, until the process is told to stop.

    with prepared_process(Path("mailreeve-data"), {"http": "127.0.0.1:0"}) as process:
        serve(process, print)

`serve` does it in this process, or in as many as the setting `workers` says: those run `serve_on` side by side,
each with a folder that it opened itself, on sockets that they share (ADR 0032).
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import structlog
import uvloop

from mailreeve.api.app import Api
from mailreeve.api.quota import Quota
from mailreeve.api.server import HttpServer
from mailreeve.app.database_file import check_whole
from mailreeve.app.folder import (
    DATABASE,
    MAILDIR,
    FolderError,
    Opened,
    installation_of,
    limits_of,
    opened_folder,
    require_initialised,
)
from mailreeve.app.metrics.listener import Sources, telling
from mailreeve.app.metrics.shared import forget_worker, keep_numbers_to_oneself, shared_numbers
from mailreeve.app.server.mail_server import MailServer, open_mail_door, tls_of
from mailreeve.app.server.notify import READY, STOPPING, notify
from mailreeve.app.server.periodic import drop_idle_policies, load_only_account, send_digests, write_last_uses
from mailreeve.app.server.process import Process, close_folder_to_others, only_server
from mailreeve.app.server.reload import Reload, hangups, reload_at
from mailreeve.app.server.sockets import Sockets, open_sockets
from mailreeve.app.server.web_server import WebServer, blocked_requests, make_gate, open_web_doors
from mailreeve.app.server.workers import Place, Supervisor
from mailreeve.app.settings import UNIX, Settings, SettingsError
from mailreeve.app.terminal import said_of
from mailreeve.console.blocked import PATH as BLOCKED
from mailreeve.console.blocked import BlockPages
from mailreeve.console.links import LinkPages
from mailreeve.console.routing import with_pages
from mailreeve.families.digest.acts import Acts
from mailreeve.families.digest.links import PATH as LINKS
from mailreeve.families.digest.sending import DigestSender
from mailreeve.families.directory.account import rows as account_rows
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.machinery.perform import Services
from mailreeve.families.registry import ENDPOINTS
from mailreeve.families.web_proxies.known import KnownProxies
from mailreeve.store.changes import revision_of
from mailreeve.store.migrations import SchemaError
from mailreeve.web.forward_auth import PATH as CHECK
from mailreeve.web.forward_auth import Counted, ForwardAuth, Turns

if TYPE_CHECKING:
    from mailreeve.app.metrics.metrics import Metrics

_log = structlog.get_logger(__name__)

STRANGERS: Final = 200  # refused calls per window and address, before the address has to wait

BLOCK_PAGES: Final = 2_000  # pages for what is blocked per window and address, of whoever is behind that


CANNOT_SERVE: Final = (FolderError, SettingsError, SchemaError, OSError)
"""What is raised where a server cannot begin; a line says why."""


class Listeners(NamedTuple):
    """Where a server is found: the API's URL, the mail door's `HOST:PORT`, the URL for Prometheus, the
    `unix:PATH` or `HOST:PORT` of the milter door and of the socket for helpers, and the zone door's `HOST:PORT`,
    if any."""

    http: str
    smtp: str
    metrics: str = ""
    milter: str = ""
    web: str = ""
    dns: str = ""


def serve(process: Process, started: Callable[[Listeners], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight.

    `started` is called once all listeners accept. Raises what `CANNOT_SERVE` names where it cannot begin, and
    `WorkerError` where one of several processes did not end well.
    """
    require_initialised(process.data)

    def ready(found: Listeners) -> None:
        started(found)
        notify(READY)

    with only_server(process.data):
        with opened_folder(process.data, process.settings, process.clock) as opened:
            check_whole(opened.engine, process.data / DATABASE)
            close_folder_to_others(process.data)
            if process.settings.workers == 1:
                keep_numbers_to_oneself()
                _run(opened, _serve(process, opened, ready))
                return
        # The folder is closed now: each worker opens it for itself.
        with shared_numbers() if process.settings.metrics else nullcontext():
            _supervise(process, ready)


def _run(opened: Opened, serving: Coroutine[object, object, None]) -> None:
    with opened.store.feed.watched(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


async def _serve(process: Process, opened: Opened, started: Callable[[Listeners], None]) -> None:
    stopping = stop_signals()
    # Nobody is kept waiting on a socket while policies are loaded.
    await load_only_account(opened)
    with open_sockets(process.settings) as sockets:
        await serve_on(sockets, process, opened, stopping, started)


def _supervise(process: Process, started: Callable[[Listeners], None]) -> None:
    """Keep several workers serving, which share the sockets."""
    with open_sockets(process.settings) as sockets:
        found = _listeners(sockets, process.settings)

        def work(place: Place) -> None:
            with hangups() as heard, opened_folder(process.data, process.settings) as opened:
                _run(opened, _work(sockets, process._replace(hangups=heard), opened, place))

        supervisor = Supervisor(
            process.settings.workers, work, sockets.every(), CANNOT_SERVE, said_of, forget_worker
        )
        supervisor.serve(lambda: started(found))


async def _work(sockets: Sockets, process: Process, opened: Opened, place: Place) -> None:
    stopping = stop_signals()
    asyncio.get_running_loop().add_reader(place.lifeline, stopping.set)
    await load_only_account(opened)
    await serve_on(sockets, process, opened, stopping, lambda _: place.ready(), does_chores=place.does_chores)


def stop_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def serve_on(
    sockets: Sockets,
    process: Process,
    opened: Opened,
    stopping: asyncio.Event,
    started: Callable[[Listeners], None],
    *,
    does_chores: bool = True,
) -> None:
    """Serve on these sockets in this process until `stopping` is set, then finish what is in flight. Of several
    processes one `does_chores` for all, such as forgetting what is old."""
    settings = process.settings
    metrics = None if sockets.metrics is None else _metrics(opened, process)
    authenticator = Authenticator(opened.store, opened.vault, opened.token_key, settings.clock_skew)
    periodic = [
        asyncio.create_task(drop_idle_policies(opened.services.follower)),
        asyncio.create_task(write_last_uses(authenticator.uses)),
    ]
    in_use = [settings]

    def services() -> Services:
        now = in_use[0]
        return msgspec.structs.replace(opened.services, limits=limits_of(now), installation=installation_of(now))

    if does_chores:
        digests = DigestSender(
            opened.store, opened.services.follower, opened.links, lambda: in_use[0].links_base()
        )
        periodic.append(asyncio.create_task(send_digests(digests)))
    strangers = Quota(STRANGERS, settings.rate_window_ms)
    api = Api(
        opened.services,
        authenticator,
        ENDPOINTS,
        quota=Quota(settings.rate_limit, settings.rate_window_ms),
        strangers=strangers,
        max_body=settings.max_body,
        dropped_log_lines=lambda: process.log.dropped,
        observe=None if metrics is None else metrics.call,
    )
    # One proxy brings everybody who was blocked.
    readers = Quota(BLOCK_PAGES, settings.rate_window_ms)
    gate = make_gate(opened, lambda: in_use[0])
    http = HttpServer(
        process.before(
            with_pages(
                api.asgi(),
                {
                    LINKS: LinkPages(Acts(services, opened.links), partial(_wait, strangers)),
                    CHECK: ForwardAuth(
                        gate.gate,
                        KnownProxies(opened.store),
                        _turns(strangers),
                        _turns(Quota(settings.web_checks, settings.rate_window_ms)),
                        lambda: in_use[0].links_base(),
                    ),
                    BLOCKED: BlockPages(blocked_requests(opened, gate), partial(_wait, readers)),
                },
            )
        ),
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        per_network=settings.connections_per_address,
    )
    starttls = tls_of(settings)

    def apply(now: Settings) -> None:
        in_use[:] = [now]
        api.use(services())

    next_hop = settings.next_hop or f"maildir:{process.data / MAILDIR}"
    async with (
        open_mail_door(
            opened,
            settings,
            next_hop,
            starttls,
            sockets.smtp,
            milter_listeners=sockets.milter,
            forgets=does_chores,
            metrics=metrics,
        ) as mail,
        open_web_doors(opened, gate, sockets.web, forgets=does_chores) as web,
        # One process keeps the zones of all.
        _zones(opened, settings, sockets, does_chores),
        telling(metrics, sockets.metrics, _sources(process, mail, http, api, web, lambda: in_use[0])),
    ):
        serving = asyncio.create_task(http.serve(sockets=[sockets.http]))
        ready = asyncio.create_task(http.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        found = _listeners(sockets, settings)
        if serving.done():
            ready.cancel()
            await serving
            raise FolderError("the HTTP server ended while starting; see the log")
        doors = {name: where for name, where in found._asdict().items() if where and name != "metrics"}
        _log.info("started", version=version("mailreeve"), **_revisions(opened), **doors)
        started(found)
        contexts = [context for context in (http.config.ssl, starttls) if context is not None]
        reload = Reload(process.data, process.options, settings, contexts, apply)
        periodic.append(asyncio.create_task(reload_at(process.hangups, reload)))
        await asyncio.wait({serving, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if process.settings.workers == 1:
            notify(STOPPING)
        _log.info("stopping", version=version("mailreeve"), **_revisions(opened))
        http.stop()
        await serving
        for task in periodic:
            task.cancel()
        await _write_last_uses(authenticator)
    _log.info("stopped", version=version("mailreeve"))


def _zones(
    opened: Opened, settings: Settings, sockets: Sockets, serves: bool
) -> AbstractAsyncContextManager[object]:
    """The zone door, where there is to be one. It is loaded where it is wanted."""
    if not serves or not sockets.dns:
        return nullcontext()
    from mailreeve.app.server.zones import zones_served

    return zones_served(opened, settings, sockets.dns, sockets.dns_udp)


def _wait(strangers: Quota, network: str) -> int:
    """Count a stranger's request; how many milliseconds it has to wait, 0 if not at all."""
    standing = strangers.count(network)
    return max(1, standing.reset) if standing.remaining < 0 else 0


def _turns(quota: Quota) -> Turns:
    """How long somebody has to wait by a quota, who is counted or only looked at."""

    def look(who: str) -> int:
        standing = quota.look(who)
        return max(1, standing.reset) if standing.remaining <= 0 else 0

    return Counted(partial(_wait, quota), look)


def _revisions(opened: Opened) -> dict[str, object]:
    """What the log says about the accounts: the revision of the only one, or how many there are."""
    accounts = list(opened.store.look_up(account_rows.codes).values())
    return {"revision": _revision(opened, accounts[0])} if len(accounts) == 1 else {"accounts": len(accounts)}


def _revision(opened: Opened, account_id: str) -> int:
    return opened.store.look_up(lambda connection: revision_of(connection, account_id))


async def _write_last_uses(authenticator: Authenticator) -> None:
    """What was noted since the last time; a database that cannot be written keeps nobody from stopping."""
    try:
        await asyncio.to_thread(authenticator.uses.write)
    except Exception:
        _log.exception("the last uses of keys were not written")


def _listeners(sockets: Sockets, settings: Settings) -> Listeners:
    scheme = "https" if settings.tls_cert else "http"
    metrics = "" if sockets.metrics is None else f"http://{_shown(sockets.metrics)}/metrics"
    milter, web, dns = (_shown(some[0]) if some else "" for some in (sockets.milter, sockets.web, sockets.dns))
    return Listeners(f"{scheme}://{_shown(sockets.http)}", _shown(sockets.smtp[0]), metrics, milter, web, dns)


def _metrics(opened: Opened, process: Process) -> Metrics:
    # Imported here: it finds out where the numbers are kept as it is loaded, and most servers need none.
    from mailreeve.app.metrics.metrics import Metrics

    return Metrics(opened, process.data)


def _sources(
    process: Process,
    mail: MailServer,
    http: HttpServer,
    api: Api,
    web: WebServer,
    settings: Callable[[], Settings],
) -> Sources:
    connections = {"api": lambda: http.connections, "smtp": lambda: mail.door.connections}
    milter = mail.milter
    if milter is not None:
        connections["milter"] = lambda: milter.connections
    helpers = web.door
    if helpers is not None:
        connections["web"] = lambda: helpers.connections
    return Sources(
        log_lines_dropped=lambda: process.log.dropped,
        outcomes_left_out=lambda: mail.budget.left_out + web.records_left_out,
        connections=connections,
        waiting={
            "calls": lambda: api.writes_waiting,
            "records": lambda: mail.records_waiting,
            "web_records": lambda: web.records.waiting,
        },
        certificate=lambda: settings().tls_cert,
        outgoing=mail.outgoing.depth,
    )


def _shown(listener: socket.socket) -> str:
    if listener.family == socket.AF_UNIX:
        return f"{UNIX}{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
