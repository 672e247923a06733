"""What comes at the same time is handed over together, and each is told what came of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import anyio.to_thread

from mailreeve.doors.together import Together


class Doubling:
    """Doubles numbers, a batch each time `step` lets it; negative ones are refused."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.step = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.begun.release()
        assert self.step.acquire(timeout=60)
        if 0 in numbers:
            raise OSError("all of it broke")
        return [ValueError(str(n)) if n < 0 else 2 * n for n in numbers]


async def asked(work: Doubling, most: int, first: int, *others: int) -> list[int | BaseException]:
    """One number alone, and others while it is being worked on."""
    together = Together(work, most)
    alone = asyncio.create_task(together.do(first))
    await asyncio.to_thread(work.begun.acquire)
    rest = [asyncio.create_task(together.do(one)) for one in others]
    await asyncio.sleep(0)
    assert not any(task.done() for task in (alone, *rest))
    work.step.release(len(others) + 1)
    return await asyncio.gather(alone, *rest, return_exceptions=True)


def test_what_comes_meanwhile_is_done_next_all_at_once() -> None:
    work = Doubling()
    assert asyncio.run(asked(work, 10, 1, 2, 3, 4)) == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


def test_so_many_at_once_at_most() -> None:
    work = Doubling()
    assert asyncio.run(asked(work, 2, 1, 2, 3, 4, 5, 6)) == [2, 4, 6, 8, 10, 12]
    assert work.batches == [[1], [2, 3], [4, 5], [6]]


def test_each_is_told_of_its_own() -> None:
    told = asyncio.run(asked(Doubling(), 10, 1, 2, -3, 4))
    assert [str(one) for one in told] == ["2", "4", "-3", "8"]
    assert isinstance(told[2], ValueError)


def test_all_are_told_where_the_work_breaks_and_the_next_is_done() -> None:
    work = Doubling()
    told = asyncio.run(asked(work, 2, 1, 0, 3, 4))
    assert [type(one) for one in told] == [int, OSError, OSError, int]


def test_who_is_gone_holds_up_nobody() -> None:
    work = Doubling()

    async def one_leaves() -> int:
        together = Together(work, 10)
        first, gone = (asyncio.create_task(together.do(n)) for n in (1, 2))
        await asyncio.to_thread(work.begun.acquire)
        gone.cancel()
        work.step.release(2)
        return await first

    assert asyncio.run(one_leaves()) == 2


def test_it_waits_for_nobody_who_has_the_threads_of_all() -> None:
    work = Doubling()
    work.step.release()

    async def crowded() -> int:
        limiter = anyio.to_thread.current_default_thread_limiter()
        others = [object() for _ in range(int(limiter.total_tokens))]
        for one in others:
            limiter.acquire_on_behalf_of_nowait(one)
        try:
            async with asyncio.timeout(30):
                return await Together(work, 10).do(4)
        finally:
            for one in others:
                limiter.release_on_behalf_of(one)

    assert asyncio.run(crowded()) == 8
