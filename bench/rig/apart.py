"""What does it take when it has a process of its own? Memory is only honest where nothing else has used any."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

A = TypeVar("A")
Q = TypeVar("Q")
T = TypeVar("T")

PAGE = os.sysconf("SC_PAGE_SIZE")
LEAST = 20  # questions asked, however long they take
WARMING = 200  # questions asked before the clock counts, if they are quick


class Timed(Struct, frozen=True):
    """What came of asking one question after the other: the answers, and what each took in microseconds."""

    answers: list[Any]
    taken: list[float]

    @property
    def median(self) -> float:
        """The middle of what the questions took."""
        return at(self.taken, 0.5)

    @property
    def p99(self) -> float:
        """What 99 of 100 questions do not exceed."""
        return at(self.taken, 0.99)


def apart(function: Callable[..., T], *arguments: object) -> T:
    """The result of a function in a new process. Function, arguments and result must bear pickling."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(theirs, function, arguments))
    worker.start()
    theirs.close()
    try:
        result: T = ours.recv()
    except EOFError:
        raise SystemExit(f"{function.__module__}.{function.__name__} failed; see above") from None
    finally:
        worker.join()
    return result


def _work(answer: Connection, function: Callable[..., object], arguments: Sequence[object]) -> None:
    answer.send(function(*arguments))


def resident() -> int:
    """Octets of memory that this process has now, once it is swept."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def most_resident() -> int:
    """The most octets that this process ever had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status names no VmHWM")


def timed(
    ask: Callable[[Q], A],
    questions: Sequence[Q],
    seconds: float,
    answer: Callable[[A], T],
    warming: int = WARMING,
    clock: Callable[[], int] = time.thread_time_ns,
) -> Timed:
    """Ask until the questions or the seconds run out. `answer` makes what is kept of the result, off the clock.

    The clock is that of the processor time of the thread, since other programs on the machine would make the 99th
    percentile theirs. Reading it adds 0.4 us to each.
    """
    started = time.perf_counter()
    for question in questions[:warming]:
        ask(question)
        if time.perf_counter() - started > seconds / 100:
            break
    answers, taken = [], []
    until = time.perf_counter() + seconds
    for question in questions:
        began = clock()
        result = ask(question)
        taken.append((clock() - began) / 1000)
        answers.append(answer(result))
        if len(taken) >= LEAST and time.perf_counter() > until:
            break
    return Timed(answers, taken)


def at(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
