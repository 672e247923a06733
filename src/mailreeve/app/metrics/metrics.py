"""The numbers of a serving process, put together: what counts them as things happen, and what looks them up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from anyio import CapacityLimiter, to_thread
from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mailreeve.app.certificate import expiry
from mailreeve.app.folder import DATABASE, Opened
from mailreeve.app.metrics.instruments import Instruments
from mailreeve.app.metrics.listener import Sources
from mailreeve.app.metrics.metered import CallMeter, MailMeter, MeteredNextHop, MeteredRecorder
from mailreeve.app.metrics.shared import are_shared
from mailreeve.families.directory.account import rows as accounts
from mailreeve.mail.ports import NextHop, Recorder

PATH: Final = "/metrics"


class Metrics:
    """The numbers of this process, and how they are told. To be made once in a process."""

    def __init__(self, opened: Opened, data: Path) -> None:
        self._registry = None if are_shared() else CollectorRegistry()
        self._instruments = Instruments(self._registry)
        self._opened = opened
        self._data = data
        self._codes: dict[str, str] = {}
        self._process = ProcessCollector(registry=None)
        self._counted: dict[Counter, float] = {}
        self._shown: set[str] = set()
        self.mail = MailMeter(self._instruments)
        self.call = CallMeter(self._instruments)
        self._instruments.build.labels(version("mailreeve")).set(1)
        self._instruments.workers.set(1)

    def recorder(self, inner: Recorder) -> Recorder:
        """The recorder, with its outcomes counted."""
        return MeteredRecorder(inner, self._instruments, self._code)

    def next_hop(self, inner: NextHop, kind: str) -> NextHop:
        """The next hop, with its answers counted."""
        return MeteredNextHop(inner, self._instruments, kind)

    def look_up(self, sources: Sources) -> None:
        """Set what nobody is told of as it happens. Blocks on the files."""
        shown = self._instruments
        self._count(shown.log_lines_dropped, sources.log_lines_dropped())
        self._count(shown.outcomes_left_out, sources.outcomes_left_out())
        for door, number in sources.connections.items():
            shown.connections.labels(door).set(number())
        for of, number in sources.waiting.items():
            shown.waiting.labels(of).set(number())
        outgoing = sources.outgoing()
        shown.outgoing.set(outgoing.waiting)
        shown.outgoing_oldest.set(outgoing.oldest)
        self._look_up_policies()
        shown.unreadable_rows.set(self._opened.store.unreadable.count())
        certificate = sources.certificate()
        expires = expiry(Path(certificate)) if certificate else None
        if expires is not None:
            shown.certificate_expiry.labels(certificate).set(expires.timestamp())
        files = (self._data / f"{DATABASE}{end}" for end in ("", "-wal"))
        shown.database_octets.set(sum(file.stat().st_size for file in files if file.exists()))
        disk = os.statvfs(self._data)
        shown.free_octets.set(disk.f_bavail * disk.f_frsize)
        for family in self._process.collect():
            for sample in family.samples:
                if sample.name == "process_cpu_seconds_total":
                    self._count(shown.cpu_seconds, sample.value)
                elif sample.name in shown.process:
                    shown.process[sample.name].set(sample.value)

    def told(self) -> bytes:
        """All numbers, those of other workers too, as Prometheus reads them."""
        registry = self._registry
        if registry is None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def asgi(self, sources: Sources) -> ASGIApp:
        """What answers at `PATH`, one at a time, and nowhere else."""
        thread = CapacityLimiter(1)

        def tell() -> bytes:
            self.look_up(sources)
            return self.told()

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            if scope["path"] != PATH:
                response = Response("only /metrics is here\n", 404, media_type="text/plain")
            elif request.method not in ("GET", "HEAD"):
                response = Response(status_code=405, headers={"Allow": "GET, HEAD"})
            else:
                response = Response(await to_thread.run_sync(tell, limiter=thread))
                response.headers["Content-Type"] = CONTENT_TYPE_LATEST
            await response(scope, receive, send)

        return serve

    def _look_up_policies(self) -> None:
        shown, feed = self._instruments, self._opened.store.feed
        in_force = set()
        for policies, since in self._opened.services.follower.in_force():
            code = self._code(policies.account_id)
            in_force.add(code)
            shown.policies.labels(code).set(policies.size)
            shown.policies_since.labels(code).set(since)
            shown.revision.labels(code).set(max(policies.revision, feed.newest(policies.account_id)))
        for code in self._shown - in_force if self._registry is not None else ():
            for gauge in (shown.policies, shown.policies_since, shown.revision):
                gauge.remove(code)
        self._shown = in_force

    def _count(self, counter: Counter, now: float) -> None:
        """Have a counter say what something else has counted so far."""
        before = self._counted.get(counter, 0.0)
        counter.inc(max(0.0, now - before))
        self._counted[counter] = now

    def _code(self, account_id: str) -> str:
        """The code of an account."""
        if account_id not in self._codes:
            found = self._opened.store.look_up(accounts.codes)
            self._codes = {key: code for code, key in found.items()}
        return self._codes.get(account_id, "")


def names() -> Iterator[str]:
    """The names of all series that there may be, for those who check what asks for them."""
    registry = CollectorRegistry()
    Instruments(registry)
    for family in registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        yield from (family.name + end for end in ends)
