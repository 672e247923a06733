"""How many may sign in at once: a queue with an end, for each network and for all."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from mailreeve.api.signing_in import FAMILIAR, MOST_WAITING, PER_NETWORK, STRANGERS, Full, SignInQueue


def filled(networks: int, each: int, *, familiar_comes: bool = False) -> tuple[int, int, list[str]]:
    """How many were served of those who came at once, how many of them together, and what was told to others."""
    go = threading.Event()
    at_work: set[int] = set()
    most = 0
    lock = threading.Lock()

    def work(number: int) -> None:
        nonlocal most
        with lock:
            at_work.add(number)
            most = max(most, len(at_work))
        go.wait(10)
        with lock:
            at_work.discard(number)

    async def come() -> tuple[int, int, list[str]]:
        queue = SignInQueue()
        tasks = [
            asyncio.create_task(queue.run(partial(work, n * each + m), f"net {n}", is_familiar=False))
            for n in range(networks)
            for m in range(each)
        ]
        while not at_work:
            await asyncio.sleep(0)
        told = []
        if familiar_comes:
            told.append(await queue.run(lambda: "served", "net 0", is_familiar=True))
        go.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert not queue._networks
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda: 1 // 0, "net", is_familiar=False)
        assert await queue.run(lambda: "served", "net", is_familiar=False) == "served"
        return sum(not isinstance(one, Full) for one in done), most, told

    return asyncio.run(come())


def test_a_network_has_so_many_places() -> None:
    served, at_once, _ = filled(1, PER_NETWORK * 3)
    assert served == PER_NETWORK
    assert at_once <= STRANGERS


def test_all_networks_together_have_so_many() -> None:
    assert filled(MOST_WAITING, 2)[0] == MOST_WAITING


def test_who_was_there_before_does_not_wait_with_strangers() -> None:
    assert FAMILIAR
    assert filled(MOST_WAITING, 2, familiar_comes=True)[2] == ["served"]
