"""The helper's end of the local socket: kept open, made anew by itself, never waited for longer than stated.

It is driven by somebody's loop, who says what time it is and when the socket can be read or written. Nothing here
blocks.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

from mailreeve.web.frames import (
    HEAD,
    VERSION,
    Ask,
    Batch,
    FrameError,
    Hello,
    Told,
    length_of,
    read_answers,
    read_welcome,
    written,
)

PATIENCE: Final = 1.5
"""Seconds after which a request is answered without the server; with what a loop adds that is less than two."""
FIRST_PAUSE: Final = 0.02  # seconds before the second attempt to connect
LONGEST_PAUSE: Final = 0.5
MOST_UNSENT: Final = 32 * 1024 * 1024  # octets

Address = str | tuple[str, int]
"""The path of a Unix socket, or host and port."""


class Link:
    """A connection to the server. `say` is told when that is gone and when it is back, once each: in words, and
    whether it is gone."""

    def __init__(
        self,
        address: Address,
        account: str,
        door: str,
        say: Callable[[str, bool], None],
        now: float,
        timeouts: tuple[float, float] = (PATIENCE, LONGEST_PAUSE),
    ) -> None:
        self._address = address
        self._hello = written(Hello(VERSION, account, door))
        self._say = say
        self.patience, self._longest_pause = timeouts
        self.socket: socket.socket | None = None
        self.up = False
        """Whether the server has bidden us welcome, on this connection."""
        self.down_since = now
        self._said_gone = False
        self._why = "it does not answer"
        self._pause = FIRST_PAUSE
        self.retry_at = now
        """When the next attempt is due, where there is no connection."""
        self._welcome_by = 0.0
        self._unread = bytearray()
        self._unsent = bytearray()
        self._number = 0

    @property
    def wants_to_write(self) -> bool:
        """Whether to wait until the socket can be written."""
        return self.socket is not None and bool(self._unsent)

    def is_given_up(self, now: float) -> bool:
        """Whether the server has been gone for so long that nobody is to wait for it."""
        return not self.up and now - self.down_since >= self.patience

    def connect(self, now: float) -> None:
        """Try to connect, where that is due."""
        if self.socket is not None or now < self.retry_at:
            return
        family = socket.AF_UNIX if isinstance(self._address, str) else _family(self._address[0])
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            made.connect(self._address)
        except OSError as problem:
            # Over TCP it is under way, and what is written waits for it; a Unix socket has no room for one more.
            if problem.errno == errno.EINPROGRESS:
                self._begin(made, now)
                return
            made.close()
            self._later(now, _words(problem))
            return
        self._begin(made, now)

    def _begin(self, made: socket.socket, now: float) -> None:
        self.socket = made
        self._unread.clear()
        self._unsent[:] = self._hello
        self._welcome_by = now + self.patience
        self.write(now)

    def send(self, asks: Sequence[Ask], now: float) -> int:
        """Ask about these. The number by which the answers are known. Only while the link is `up`."""
        self._number += 1
        self._unsent += written(Batch(self._number, list(asks)))
        self.write(now)
        return self._number

    def write(self, now: float) -> None:
        """Write what is to be written, as far as that goes."""
        while self.socket is not None and self._unsent:
            try:
                sent = self.socket.send(self._unsent)
            except (BlockingIOError, InterruptedError):
                if len(self._unsent) > MOST_UNSENT:
                    self.lose(now, "it reads nothing")
                return
            except OSError as problem:
                if problem.errno == errno.ENOTCONN:
                    return  # TCP: not connected yet
                self.lose(now, _words(problem))
                return
            del self._unsent[:sent]

    def read(self, now: float) -> list[tuple[int, list[Told]]]:
        """What has been answered, by the numbers of the batches."""
        if self.socket is None:
            return []
        try:
            data = self.socket.recv(262_144)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as problem:
            self.lose(now, _words(problem))
            return []
        if not data:
            self.lose(now, "it has closed the connection")
            return []
        self._unread += data
        answers: list[tuple[int, list[Told]]] = []
        try:
            while (body := self._body()) is not None:
                if self.up:
                    found = read_answers(body)
                    answers.append((found.number, found.told))
                    continue
                welcome = read_welcome(body)
                if not welcome.ok:
                    self.lose(now, welcome.why)
                    break
                self._welcomed()
        except FrameError as problem:
            self.lose(now, f"it does not speak as it should: {problem}")
        return answers

    def tick(self, now: float) -> None:
        """Note what the time has brought: a server that says nothing, or is gone for long."""
        if self.socket is not None and not self.up and now >= self._welcome_by:
            self.lose(now, "it does not answer")
        self.connect(now)
        if not self._said_gone and self.is_given_up(now):
            self._tell_gone(self._why)

    def lose(self, now: float, why: str) -> None:
        """Give the connection up, and try anew."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        if self.up:
            self.up = False
            self.down_since = now
            self._pause = FIRST_PAUSE
        self._unsent.clear()
        self._later(now, why)

    def close(self) -> None:
        """The helper ends."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _later(self, now: float, why: str) -> None:
        self._why = why
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, self._longest_pause)
        if not self._said_gone and self.is_given_up(now):
            self._tell_gone(why)

    def _tell_gone(self, why: str) -> None:
        self._said_gone = True
        self._say(f"the server at {_shown(self._address)} is gone: {why}", True)

    def _welcomed(self) -> None:
        self.up = True
        self._pause = FIRST_PAUSE
        if self._said_gone:
            self._said_gone = False
            self._say(f"the server at {_shown(self._address)} is back", False)

    def _body(self) -> bytes | None:
        if len(self._unread) < HEAD:
            return None
        end = HEAD + length_of(bytes(self._unread[:HEAD]))
        if len(self._unread) < end:
            return None
        body = bytes(self._unread[HEAD:end])
        del self._unread[:end]
        return body


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _words(problem: OSError) -> str:
    return problem.strerror or str(problem)


def _shown(address: Address) -> str:
    return f"unix:{address}" if isinstance(address, str) else f"{address[0]}:{address[1]}"
