"""Stand between a door and what it uses, and count what goes by. Nothing is decided here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from prometheus_client import Counter

from mailreeve.app.metrics.instruments import Instruments
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content
from mailreeve.mail.client import Client
from mailreeve.mail.next_hop.maildir import CANNOT_STORE
from mailreeve.mail.next_hop.smtp import BROKE_OFF, NEEDS_TLS, UNREACHABLE
from mailreeve.mail.ports import NextHop, NextHopSession, Recorder, Routed
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import SmtpReply

_DOWN: Final = (UNREACHABLE, BROKE_OFF, NEEDS_TLS, CANNOT_STORE)
_CLASSES: Final = {"2": "2xx", "4": "4xx", "5": "5xx"}


class MailMeter:
    """What mail doors do, for `mail.ports.Meter`."""

    def __init__(self, instruments: Instruments) -> None:
        self._decisions = {stage: instruments.decisions.labels(stage.value) for stage in (Stage.RCPT, Stage.DATA)}
        self._messages = {reply: instruments.messages.labels(reply) for reply in _CLASSES.values()}
        self._turned_away = instruments.turned_away

    def decided(self, stage: Stage, seconds: float) -> None:
        self._decisions[stage].observe(seconds)

    def answered(self, reply: str, seconds: float) -> None:
        self._messages[_CLASSES.get(reply[:1], "4xx")].observe(seconds)

    def turned_away(self) -> None:
        self._turned_away.inc()


class CallMeter:
    """What the API does, for `api.app.Observe`. Each series is looked up once."""

    def __init__(self, instruments: Instruments) -> None:
        self._calls = instruments.calls
        self._seconds = instruments.call_seconds
        self._known: dict[tuple[str, int], Counter] = {}
        self._timed = {}  # type: ignore[var-annotated] # the children of a histogram

    def __call__(self, path: str, status: int, seconds: float) -> None:
        counter = self._known.get((path, status))
        if counter is None:
            counter = self._known[path, status] = self._calls.labels(path, str(status))
        counter.inc()
        timed = self._timed.get(path)
        if timed is None:
            timed = self._timed[path] = self._seconds.labels(path)
        timed.observe(seconds)


class MeteredRecorder(Struct, frozen=True):
    """A recorder whose outcomes are counted, whether they are kept or not. `code` gives the code of an account."""

    inner: Recorder
    instruments: Instruments
    code: Callable[[str], str]

    def record(self, messages: Sequence[Sequence[Outcome]]) -> Sequence[Exception | None]:
        kept = self.inner.record(messages)
        for outcomes in messages:
            for one in outcomes:
                stage = "" if one.stage is None else one.stage.value
                self.instruments.outcomes.labels(
                    self.code(one.account_id), one.state.value, stage, one.layer
                ).inc()
        return kept


class MeteredNextHop(Struct, frozen=True):
    """A next hop whose answers are counted. `kind` is `smtp` or `maildir`."""

    inner: NextHop
    instruments: Instruments
    kind: str

    def session(self) -> NextHopSession:
        return _MeteredSession(self.inner.session(), self.instruments, self.kind)


class _MeteredSession:
    def __init__(self, inner: NextHopSession, instruments: Instruments, kind: str) -> None:
        self._inner = inner
        self._instruments = instruments
        self._kind = kind

    def handed_in_by(self, client: Client) -> None:
        self._inner.handed_in_by(client)

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        reply = await self._inner.check(sender, recipient, utf8=utf8)
        self._count("recipient", [reply])
        return reply

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: Content, *, utf8: bool
    ) -> Sequence[SmtpReply | None]:
        began = time.perf_counter()
        replies = await self._inner.deliver(sender, recipients, content, utf8=utf8)
        self._instruments.next_hop_seconds.observe(time.perf_counter() - began)
        self._count("copy", replies)
        return replies

    async def reset(self) -> None:
        await self._inner.reset()

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _count(self, asked: str, replies: Sequence[SmtpReply | None]) -> None:
        down = False
        for reply in replies:
            if reply is None:
                said = "taken"
            elif reply in _DOWN:
                said, down = "unreachable", True
            else:
                said = "refused" if reply.code >= 500 else "deferred"
            self._instruments.next_hop_replies.labels(asked, said).inc()
        self._instruments.next_hop_up.labels(self._kind).set(not down)
