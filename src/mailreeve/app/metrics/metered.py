"""Stand between a door and what it uses, and count what goes by. Nothing is decided here.

Nothing fails here either: the numbers may be in files on a full disk, or not be had, and a message that was handed
on must not be answered as if it had not been, or its sender would send it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final, ParamSpec

import structlog
from prometheus_client import Counter, Histogram

from mailreeve.app.metrics.instruments import Instruments
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import Routed
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content
from mailreeve.mail.client import Client
from mailreeve.mail.next_hop.maildir import CANNOT_STORE
from mailreeve.mail.next_hop.smtp import BROKE_OFF, NEEDS_TLS, UNREACHABLE
from mailreeve.mail.ports import NextHop, NextHopSession, Recorder, is_taken
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import SmtpReply

_DOWN: Final = (UNREACHABLE, BROKE_OFF, NEEDS_TLS, CANNOT_STORE)
_CLASSES: Final = {"2": "2xx", "4": "4xx", "5": "5xx"}
_P = ParamSpec("_P")
_log = structlog.get_logger(__name__)


def _without_fail(count: Callable[_P, None]) -> Callable[_P, None]:
    """The same, but for what it raises: that is logged, the first time."""
    failed = False

    @wraps(count)
    def counted(*args: _P.args, **kwargs: _P.kwargs) -> None:
        nonlocal failed
        try:
            count(*args, **kwargs)
        except Exception:
            if not failed:
                _log.exception("something was not counted", of=count.__qualname__)
            failed = True

    return counted


class MailMeter:
    """What mail doors do, for `mail.ports.Meter`."""

    def __init__(self, instruments: Instruments) -> None:
        self._decisions = {stage: instruments.decisions.labels(stage.value) for stage in (Stage.RCPT, Stage.DATA)}
        self._messages = {reply: instruments.messages.labels(reply) for reply in _CLASSES.values()}
        self._turned_away = instruments.turned_away

    @_without_fail
    def decided(self, stage: Stage, seconds: float) -> None:
        self._decisions[stage].observe(seconds)

    @_without_fail
    def answered(self, reply: str, seconds: float) -> None:
        self._messages[_CLASSES.get(reply[:1], "4xx")].observe(seconds)

    @_without_fail
    def turned_away(self) -> None:
        self._turned_away.inc()


class _Series:
    """The series of a counter, each looked up once: looking it up costs more than counting."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._known: dict[tuple[str, ...], Counter] = {}

    def count(self, *labels: str) -> None:
        """Count one."""
        found = self._known.get(labels)
        if found is None:
            found = self._known[labels] = self._counter.labels(*labels)
        found.inc()


class CallMeter:
    """What the API does, for `api.app.Observe`."""

    def __init__(self, instruments: Instruments) -> None:
        self._calls = _Series(instruments.calls)
        self._seconds = instruments.call_seconds
        self._timed: dict[str, Histogram] = {}

    @_without_fail
    def __call__(self, path: str, status: int, seconds: float) -> None:
        self._calls.count(path, str(status))
        timed = self._timed.get(path)
        if timed is None:
            timed = self._timed[path] = self._seconds.labels(path)
        timed.observe(seconds)


class MeteredRecorder:
    """A recorder. The outcomes that it is given are counted, whether they are kept or not. `code` gives the code
    of an account."""

    def __init__(self, inner: Recorder, instruments: Instruments, code: Callable[[str], str]) -> None:
        self._inner = inner
        self._outcomes = _Series(instruments.outcomes)
        self._code = code

    def record(self, messages: Sequence[Kept]) -> Sequence[Exception | None]:
        kept = self._inner.record(messages)
        self._told(messages)
        return kept

    @_without_fail
    def _told(self, messages: Sequence[Kept]) -> None:
        for kept in messages:
            for one in kept.outcomes:
                stage = "" if one.stage is None else one.stage.value
                self._outcomes.count(self._code(one.account_id), one.state.value, stage, one.layer)


class MeteredNextHop:
    """A next hop whose answers are counted. `kind` is `smtp` or `maildir`."""

    def __init__(self, inner: NextHop, instruments: Instruments, kind: str) -> None:
        self._inner = inner
        self._replies = _Series(instruments.next_hop_replies)
        self._seconds = instruments.next_hop_seconds
        self._up = instruments.next_hop_up
        self._kind = kind

    def session(self) -> NextHopSession:
        return _MeteredSession(self._inner.session(), self)

    @_without_fail
    def told(self, asked: str, replies: Sequence[SmtpReply | None], seconds: float | None = None) -> None:
        """The next hop said this of recipients or of a copy, which took so long to hand over."""
        if seconds is not None:
            self._seconds.observe(seconds)
        for reply in replies:
            if is_taken(reply):
                said = "taken"
            elif reply in _DOWN:
                said = "unreachable"
            else:
                said = "deferred" if reply is not None and reply.code < 500 else "refused"
            self._replies.count(asked, said)
        self._up.labels(self._kind).set(not any(reply in _DOWN for reply in replies))


class _MeteredSession:
    def __init__(self, inner: NextHopSession, meter: MeteredNextHop) -> None:
        self._inner = inner
        self._meter = meter

    def handed_in_by(self, client: Client) -> None:
        self._inner.handed_in_by(client)

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        reply = await self._inner.check(sender, recipient, utf8=utf8)
        self._meter.told("recipient", [reply])
        return reply

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: Content, *, utf8: bool, envelope_id: str = ""
    ) -> Sequence[SmtpReply | None]:
        began = time.perf_counter()
        replies = await self._inner.deliver(sender, recipients, content, utf8=utf8, envelope_id=envelope_id)
        self._meter.told("copy", replies, time.perf_counter() - began)
        return replies

    async def reset(self) -> None:
        await self._inner.reset()

    async def aclose(self) -> None:
        await self._inner.aclose()
