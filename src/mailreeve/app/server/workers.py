"""Several processes that serve one data folder: a parent that keeps them running, and the workers themselves.

The parent holds the lock of the folder and the listening sockets, which the workers inherit, and serves nobody.
They are forked from it, since it has no threads, no event loop, and the database not open. A worker that dies is
started again, at once and then after growing pauses; the others go on, and take the connections that come
meanwhile. A worker whose parent is gone ends as at SIGTERM, and until the last has ended the folder is locked.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Final

import structlog

from mailreeve.app.server.notify import STOPPING, notify

FIRST_PAUSE: Final = 0.1  # seconds before a worker is started that died soon after it was started again
LONGEST_PAUSE: Final = 10.0
STEADY: Final = 60.0  # seconds after which a worker's death is taken for the first

_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_READY: Final = ""
_log = structlog.get_logger(__name__)


class WorkerError(RuntimeError):
    """A worker could not start, or did not end well. The message says why."""


@dataclass(frozen=True)
class Place:
    """What a worker is given: its number, from 0, and a descriptor that can be read once the parent is gone."""

    number: int
    lifeline: int
    said: Connection

    @property
    def does_chores(self) -> bool:
        """Whether it does what is done now and then for all of them."""
        return self.number == 0

    def ready(self) -> None:
        """Tell the parent that this worker accepts connections."""
        self.said.send(_READY)


Run = Callable[[Place], None]
"""A worker's life, in a process of its own, until it was told to end."""


@dataclass
class _Worker:
    number: int
    process: ForkProcess
    heard: Connection
    ready: bool = False
    started: float = field(default_factory=time.monotonic)


class Supervisor:
    """Keeps workers running, which share the `listeners`. What is `expected` to be raised by one is told in a
    line, which `say` makes of it. `buried` is told the id of a process that died."""

    def __init__(
        self,
        count: int,
        run: Run,
        listeners: Sequence[socket.socket],
        expected: tuple[type[Exception], ...],
        say: Callable[[Exception], str],
        buried: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self._count = count
        self._run = run
        self._listeners = listeners
        self._expected = expected
        self._say = say
        self._buried = buried
        self._workers: dict[int, _Worker] = {}
        self._pauses: dict[int, float] = {}  # the last one of a worker that died
        self._due: dict[int, float] = {}  # when a worker that died is started again
        self._came: set[int] = set()
        self._reloaded = False
        self._lifeline = os.pipe()

    def serve(self, announce: Callable[[], None]) -> None:
        """Start the workers, call `announce` once all of them accept, and keep them running until SIGTERM or
        SIGINT; then have them finish. Raises `WorkerError`."""
        with _signals(self._came) as awake:
            try:
                for number in range(self._count):
                    self._start(number)
                while not self._stopping() and not all(worker.ready for worker in self._workers.values()):
                    self._wait(awake)
                    for worker in self._workers.values():
                        problem = self._listen(worker)
                        if problem:
                            raise WorkerError(problem)
                if not self._stopping():
                    announce()
                while not self._stopping():
                    self._tend(awake)
            finally:
                self._stop()

    def _stopping(self) -> bool:
        return not self._came.isdisjoint((signal.SIGTERM, signal.SIGINT))

    def _start(self, number: int) -> None:
        heard, said = multiprocessing.Pipe(duplex=False)
        place = Place(number, self._lifeline[0], said)
        process = multiprocessing.get_context("fork").Process(target=self._live, args=(place,))
        # A signal that comes before the worker's own handlers are there waits for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        said.close()
        self._workers[number] = _Worker(number, process, heard)

    def _live(self, place: Place) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # It is sent again once the worker is ready.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        os.close(self._lifeline[1])
        structlog.contextvars.bind_contextvars(worker=place.number)
        try:
            self._run(place)
        except self._expected as problem:
            place.said.send(self._say(problem))
            raise SystemExit(1) from None

    def _wait(self, awake: int, pause: float | None = None) -> None:
        """Until there is a signal, until a worker says something or ends, or for so many seconds."""
        workers = self._workers.values()
        starting = [worker.heard for worker in workers if not worker.ready]
        wait([awake, *starting, *(worker.process.sentinel for worker in workers)], pause)
        with suppress(BlockingIOError):
            while os.read(awake, 1024):
                pass

    def _listen(self, worker: _Worker) -> str:
        """Hear whether the worker is ready. Why it ended, if it did."""
        try:
            while worker.heard.poll():
                problem: str = worker.heard.recv()
                if problem != _READY:
                    return problem
                worker.ready = True
                if self._reloaded:
                    self._send(worker, signal.SIGHUP)  # The others have read other settings than the parent.
        except EOFError:
            return "a worker ended; see the log"
        return "" if worker.process.exitcode is None else "a worker ended; see the log"

    def _tend(self, awake: int) -> None:
        """Wait until something happens, and see to it."""
        pause = max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None
        self._wait(awake, pause)
        if self._stopping():
            return
        if signal.SIGHUP in self._came:
            self._came.discard(signal.SIGHUP)
            self._reloaded = True
            for worker in self._workers.values():
                self._send(worker, signal.SIGHUP)
        now = time.monotonic()
        for worker in list(self._workers.values()):
            problem = self._listen(worker)
            if problem:
                self._bury(worker, problem, now)
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._start(number)

    def _bury(self, worker: _Worker, problem: str, now: float) -> None:
        del self._workers[worker.number]
        worker.process.join()
        if worker.process.pid is not None:
            self._buried(worker.process.pid)
        steady = now - worker.started >= STEADY
        pause = 0.0 if steady else self._pauses.get(worker.number, 0.0)
        self._pauses[worker.number] = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * pause))
        self._due[worker.number] = now + pause
        code = worker.process.exitcode
        _log.error("worker died", worker=worker.number, problem=problem, exit_code=code, started_again_in=pause)
        worker.heard.close()
        worker.process.close()

    def _send(self, worker: _Worker, number: int) -> None:
        if worker.process.exitcode is None and worker.process.pid is not None:
            os.kill(worker.process.pid, number)

    def _stop(self) -> None:
        if self._stopping():
            notify(STOPPING)
        for listener in self._listeners:
            listener.close()  # Nobody would take what comes now.
        for worker in self._workers.values():
            self._send(worker, signal.SIGTERM)
        for worker in self._workers.values():
            worker.process.join()
        codes = [worker.process.exitcode for worker in self._workers.values()]
        if self._stopping() and any(code not in (0, -signal.SIGTERM) for code in codes):
            raise WorkerError(f"a worker did not end well, exit codes {codes}; see the log")


@contextmanager
def _signals(came: set[int]) -> Iterator[int]:
    """Note the signals that come while the block runs; the descriptor can be read when there was one."""

    def note(number: int, frame: FrameType | None) -> None:
        came.add(number)

    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer, warn_on_full_buffer=False))
        for number in _HANDLED:
            stack.callback(signal.signal, number, signal.signal(number, note))
        yield reader
