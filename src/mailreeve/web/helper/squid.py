"""Squid's external ACL helper: lines in, lines out, any number of them under way at once.

Squid writes `ID URL METHOD USER ADDRESS SNI`, each escaped, for requests that it handles side by side, and takes
`ID OK …` or `ID ERR …` in any order (Squid's wiki, "AddonHelpers", external ACL with concurrency). What has come
together is asked about together. OK is "it may pass", so that a rule `deny !mailreeve` blocks what we say ERR to.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from mailreeve.web.frames import MAX_BATCH, Ask, Told
from mailreeve.web.helper.link import Address, Link

DOOR: Final = "squid"
READ_AT_ONCE: Final = 262_144
MAX_LINE: Final = 262_144  # octets; a longer one is blocked: Squid itself sends none
BATCH_OCTETS: Final = 1_048_576  # of URLs in one batch

_BLOCK: Final = "block"
_NONE: Final = "none"
_UNASKED_OPEN: Final = "The web policies cannot be asked now."
_UNASKED_CLOSED: Final = "The web policies cannot be asked now, so nothing passes."
_TOO_LONG: Final = "This address is too long to be read, so it is blocked."

Line = tuple[bytes, tuple[Ask, ...]]
"""The number that Squid gave a request, empty where it gives none, and what is asked about it. Nothing to ask is
what cannot be read."""


class _Pending:
    """Requests that were sent together, or wait to be; `by` is when they are answered without the server."""

    __slots__ = ("by", "lines")

    def __init__(self, lines: list[Line], by: float) -> None:
        self.lines = lines
        self.by = by


class SquidHelper:
    """Answers Squid, by what the server says; where that is gone, as it was told to: everything passes, or, with
    `fail_closed`, nothing does."""

    def __init__(
        self,
        address: Address,
        account: str = "",
        *,
        fail_closed: bool = False,
        source: int = 0,
        target: int = 1,
        say: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._target = target
        self._clock = clock
        self._fail_closed = fail_closed
        self._write_line = say or _to_cache_log
        self._link = Link(address, account, DOOR, self._tell, clock())
        self._unread = b""
        self._sent: dict[int, _Pending] = {}
        self._waiting: list[_Pending] = []
        self._out: list[bytes] = []
        self._can_read_lines = self._has_ended = self._is_skipping = False

    def run(self) -> None:
        """Answer until Squid closes its end, and all that it has asked."""
        self._link.connect(self._clock())
        try:
            self._answer()
        finally:
            self._link.close()

    def _answer(self) -> None:
        while True:
            self._wait()
            now = self._clock()
            if self._can_read_lines and not self._read_lines(now):
                self._has_ended = True
            self._read_answers(now)
            self._link.tick(now)
            if self._link.wants_to_write:
                self._link.write(now)
            self._send_waiting(now)
            self._give_up(now)
            if self._out:
                _write_all(self._target, b"".join(self._out))
                self._out.clear()
            if self._has_ended and not self._sent and not self._waiting:
                return

    def _wait(self) -> None:
        now = self._clock()
        due = [pending.by for pending in (*self._sent.values(), *self._waiting)]
        if self._link.socket is None:
            due.append(self._link.retry_at)
        elif not self._link.up:
            due.append(now + 0.1)
        timeout = max(0.0, min(due) - now) * 1_000 + 1 if due else None
        poll = select.poll()
        if not self._has_ended:
            poll.register(self._source, select.POLLIN)
        if self._link.socket is not None:
            wanted = select.POLLIN | (select.POLLOUT if self._link.wants_to_write else 0)
            poll.register(self._link.socket, wanted)
        found = dict(poll.poll(timeout))
        self._can_read_lines = self._source in found

    def _read_lines(self, now: float) -> bool:
        """Take what Squid has written; whether there may be more."""
        data = os.read(self._source, READ_AT_ONCE)
        if not data:
            return False
        *lines, self._unread = (self._unread + data).split(b"\n")
        if self._is_skipping and lines:
            # The rest of a line that was answered already.
            del lines[0]
            self._is_skipping = False
        if self._is_skipping:
            self._unread = b""
        elif len(self._unread) > MAX_LINE:
            # Its number comes first, and that is all that is told of it.
            lines.append(self._unread[:64].partition(b" ")[0])
            self._unread, self._is_skipping = b"", True
        some: list[Line] = []
        octets = 0
        for text in lines:
            if not text:
                continue
            line = read_line(text)
            if not line[1]:
                self._out.append(answer_line(line[0], Told(_BLOCK, _TOO_LONG, "")))
                continue
            some.append(line)
            octets += len(text)
            if len(some) * 2 >= MAX_BATCH or octets > BATCH_OCTETS:
                self._ask(some, now)
                some, octets = [], 0
        if some:
            self._ask(some, now)
        return True

    def _ask(self, lines: list[Line], now: float) -> None:
        if self._link.is_given_up(now):
            self._unasked(lines)
            return
        pending = _Pending(lines, now + self._link.patience)
        if self._link.up:
            self._send(pending, now)
        else:
            self._waiting.append(pending)

    def _send(self, pending: _Pending, now: float) -> None:
        number = self._link.send([ask for _, asks in pending.lines for ask in asks], now)
        self._sent[number] = pending

    def _send_waiting(self, now: float) -> None:
        if not self._link.up:
            # What was under way when the connection was lost is asked again once there is one.
            self._waiting[:0] = self._sent.values()
            self._sent.clear()
            return
        waiting, self._waiting = self._waiting, []
        for pending in waiting:
            self._send(pending, now)

    def _read_answers(self, now: float) -> None:
        for number, told in self._link.read(now):
            pending = self._sent.pop(number, None)
            if pending is None:
                continue  # it came too late
            if len(told) != sum(len(asks) for _, asks in pending.lines):
                self._unasked(pending.lines)
                self._link.lose(now, "it answers other questions")
                continue
            place = 0
            for channel, asks in pending.lines:
                answer = told[place]
                if len(asks) > 1 and answer.verdict != _BLOCK:
                    other = told[place + 1]
                    answer = other if other.verdict == _BLOCK or answer.verdict == _NONE else answer
                place += len(asks)
                self._out.append(answer_line(channel, answer))

    def _give_up(self, now: float) -> None:
        """Answer what has waited for too long."""
        late = [number for number, pending in self._sent.items() if pending.by <= now]
        for number in late:
            self._unasked(self._sent.pop(number).lines)
        if late:
            self._link.lose(now, "it does not answer in time")
            self._link.down_since = now - self._link.patience  # nobody waits for it again
            self._link.tick(now)
        for pending in [one for one in self._waiting if one.by <= now]:
            self._waiting.remove(pending)
            self._unasked(pending.lines)

    def _unasked(self, lines: Sequence[Line]) -> None:
        told = Told(_BLOCK, _UNASKED_CLOSED, "") if self._fail_closed else Told(_NONE, _UNASKED_OPEN, "")
        self._out += [answer_line(channel, told) for channel, _ in lines]

    def _tell(self, words: str, is_gone: bool) -> None:
        meaning = "nothing passes" if self._fail_closed else "everything passes unasked"
        self._write_line(f"{words}; {meaning}" if is_gone else words)


def read_line(text: bytes) -> Line:
    """What a line of Squid asks. Nothing is asked where that cannot be read."""
    parts = text.rstrip(b"\r").split(b" ")
    channel = b""
    if parts[0].isdigit():
        channel = parts.pop(0)
    if len(parts) < 2:
        return channel, ()
    fields = [b"" if part == b"-" else part for part in parts]
    url, method, user, client, sni = (*fields, b"", b"", b"")[:5]
    asked = _text(url)
    # Of a tunnel nobody sees more than where it leads, and a proxy that peeks sees what the client calls it.
    tunnel = method == b"CONNECT"
    ask = Ask(asked, method.decode("latin-1"), _name(user), _text(client), tunnel)
    name = _text(sni)
    if not name or not tunnel or name == asked.rpartition(":")[0]:
        return channel, (ask,)
    return channel, (ask, Ask(name, ask.method, ask.user, ask.client, True))


def answer_line(channel: bytes, told: Told) -> bytes:
    """The line that answers Squid."""
    words = b"ERR" if told.verdict == _BLOCK else b"OK"
    if channel:
        words = channel + b" " + words
    if told.verdict == _NONE and not told.decision_id:
        return words + b"\n"
    line = words + b" tag=" + told.verdict.encode()
    if told.verdict == _BLOCK:
        line += b" message=" + quote(told.sentence, safe="").encode()
    if told.decision_id:
        line += b" log=" + quote(told.decision_id, safe="").encode()
    return line + b"\n"


def _text(escaped: bytes) -> str:
    """A field of Squid's. Octets that are no ASCII are written as they would be in a URL."""
    plain = unquote_to_bytes(escaped) if b"%" in escaped else escaped
    if plain.isascii():
        return plain.decode("ascii")
    return "".join(chr(octet) if octet < 0x80 else f"%{octet:02X}" for octet in plain)


def _name(escaped: bytes) -> str:
    """A user's name, which may be written in any script."""
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _to_cache_log(words: str) -> None:
    # Squid writes what its helpers say on standard error into its cache.log.
    print(f"mailreeve squid-helper: {words}", file=sys.stderr, flush=True)
