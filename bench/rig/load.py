"""Load from several processes at once, so that the generator is not what is measured.

A job prepares all that it will send, meets the others at a barrier, and reports when it began and ended. Each
process drives its connections one after the other as they become ready, without threads.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.synchronize import Barrier
from typing import Any

Address = tuple[str, int]
Conversation = Iterator[bytes]
"""What one connection sends: each part goes out when the answer to the one before has come."""


class Load:
    """Runs jobs in processes; `rate` is what they did together, in calls per second."""

    def __init__(self, processes: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._processes = processes

    def rate(self, job: Callable[..., Callable[[], int]], *arguments: object) -> float:
        """Calls per second, from the first begun to the last answered.

        `job(number, *arguments)` prepares the share of one process and gives the function that sends it.
        """
        barrier = self._context.Barrier(self._processes)
        results: multiprocessing.SimpleQueue[tuple[float, float, int]] = self._context.SimpleQueue()
        workers = [
            self._context.Process(target=_work, args=(job, n, barrier, results, arguments))
            for n in range(self._processes)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            if worker.exitcode:
                raise SystemExit("a load generator failed; see above")
        done = [results.get() for _ in workers]
        return sum(calls for _, _, calls in done) / (max(end for _, end, _ in done) - min(t for t, _, _ in done))


def _work(
    job: Callable[..., Any], number: int, barrier: Barrier, results: Any, arguments: Sequence[object]
) -> None:
    run = job(number, *arguments)
    barrier.wait()
    began = time.monotonic()
    calls = run()
    results.put((began, time.monotonic(), calls))


def converse(
    address: Address,
    conversations: Sequence[Conversation],
    complete: Callable[[bytearray], int],
    check: Callable[[bytes], bool],
) -> int:
    """Hold the conversations at once, each over a connection of its own. The number of answers.

    `complete` tells how many octets of what has come make a whole answer, 0 for not yet; `check` whether the
    answer is the expected one.
    """
    selector = selectors.DefaultSelector()
    answers = 0
    for conversation in conversations:
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, (conversation, bytearray()))
        first = next(conversation)
        if first:
            connection.sendall(first)
    while selector.get_map():
        for key, _ in selector.select():
            connection = key.fileobj  # type: ignore[assignment]
            conversation, came = key.data
            part = connection.recv(262_144)
            if not part:
                raise SystemExit("the server closed the connection")
            came += part
            length = complete(came)
            if not length:
                continue
            answer = bytes(came[:length])
            del came[:length]
            if not check(answer):
                raise SystemExit(f"not the expected answer: {answer[:500]!r}")
            answers += 1
            following = next(conversation, None)
            if following is None:
                selector.unregister(connection)
                connection.close()
            else:
                connection.sendall(following)
    return answers
