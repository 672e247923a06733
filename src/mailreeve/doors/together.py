"""What comes at the same time is done together: one hop to a worker thread, and one sync to the disk, for all.

While some is done what comes gathers, and is done next, all at once. Whoever comes alone waits no longer than
before: nothing waits for more to come (ADR 0037, 0041).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Together(Generic[A, R]):
    """Hands what it is asked for to `work`, in one worker thread at a time, at most `most` at once. `work` says
    what came of each. For one event loop."""

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R | Exception]], most: int) -> None:
        self._work: Final = work
        self._most: Final = most
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._is_working = False
        # A thread of its own: strangers at the mail door may hold all those that are there for everybody. It ends
        # with this object.
        self._thread: Final = ThreadPoolExecutor(1, "together")

    @property
    def waiting(self) -> int:
        """How many wait for what is being done now to be over."""
        return len(self._waiting)

    async def do(self, asked: A) -> R:
        """What came of it. Raises what `work` says or raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((asked, answer))
        if not self._is_working:
            self._is_working = True
            # After this turn of the loop, in which more may come.
            loop.call_soon(self._begin, loop)
        return await answer

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand on what waits."""
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._thread.submit(copy_context().run, self._do, loop, batch)  # logs know their worker by it

    def _do(self, loop: asyncio.AbstractEventLoop, batch: Sequence[tuple[A, asyncio.Future[R]]]) -> None:
        """In the thread: do it, and say so to the loop."""
        results: Sequence[R | Exception]
        try:
            results = self._work([one for one, _ in batch])
        except Exception as problem:
            results = [problem] * len(batch)
        try:
            loop.call_soon_threadsafe(self._tell, loop, batch, results)
        except RuntimeError:
            # The loop is closed, and whoever asked or waits is gone with it.
            self._waiting = []
            self._is_working = False

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[tuple[A, asyncio.Future[R]]],
        results: Sequence[R | Exception],
    ) -> None:
        if self._waiting:
            self._begin(loop)
        else:
            self._is_working = False
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():  # Whoever asked is gone.
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
