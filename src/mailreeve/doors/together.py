"""What comes at the same time is done together: one hop to a worker thread, and one sync to the disk, for all.

While some is done what comes gathers, and is done next, all at once. Whoever comes alone waits no longer than
before: nothing waits for more to come (ADR 0037, 0041).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import anyio
from anyio import CapacityLimiter

A = TypeVar("A")
R = TypeVar("R")


class Together(Generic[A, R]):
    """Hands what it is asked for to `work`, in one worker thread at a time, at most `most` at once. `work` says
    what came of each. For one event loop."""

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R | Exception]], most: int) -> None:
        self._work: Final = work
        self._most: Final = most
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait for what is being done now to be over."""
        return len(self._waiting)

    async def do(self, asked: A) -> R:
        """What came of it. Raises what `work` says or raises."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work_on())
        return await answer

    async def _work_on(self) -> None:
        # A thread of its own: strangers at the mail door may hold all those that are there for everybody.
        thread = CapacityLimiter(1)
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            results: Sequence[R | Exception]
            try:
                asked = [one for one, _ in batch]
                results = await anyio.to_thread.run_sync(self._work, asked, limiter=thread)
            except Exception as problem:
                results = [problem] * len(batch)
            for (_, answer), result in zip(batch, results, strict=True):
                if answer.done():  # Whoever asked is gone.
                    continue
                if isinstance(result, Exception):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
