"""Records that come at the same time are written together, and each message is told of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mailreeve.mail import record_writer
from mailreeve.mail.record_writer import RecordWriter


class Slow:
    """Keeps what it is given, a batch each time `step` lets it."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.step = threading.Semaphore(0)
        self.refused: set[object] = set()
        self.broken = False

    def record(self, messages):
        assert self.step.acquire(timeout=30)
        self.batches.append(list(messages))
        if self.broken:
            raise OSError("no space left")
        return [ValueError(str(one)) if one in self.refused else None for one in messages]


async def begun(writer: RecordWriter, *messages: object) -> list[asyncio.Task[None]]:
    """Writes that wait for the recorder."""
    tasks = [asyncio.create_task(writer.write(one)) for one in messages]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return tasks


async def together(recorder: Slow) -> list[BaseException | None]:
    """One message while nothing is written, then three; what each was told."""
    writer = RecordWriter(recorder)
    first = await begun(writer, "a")
    others = await begun(writer, "b", "c", "d")
    assert not any(task.done() for task in first + others)
    recorder.step.release(2)
    return await asyncio.gather(*first, *others, return_exceptions=True)


def test_what_comes_while_records_are_written_is_written_at_once() -> None:
    recorder = Slow()
    assert asyncio.run(together(recorder)) == [None] * 4
    # Those of one turn of the loop may be in the first batch already.
    assert [one for batch in recorder.batches for one in batch] == ["a", "b", "c", "d"]
    assert len(recorder.batches) <= 2


def test_each_message_is_told_of_its_own() -> None:
    recorder = Slow()
    recorder.refused = {"c"}
    told = asyncio.run(together(recorder))
    assert [str(one) if one else None for one in told] == [None, None, "c", None]


def test_all_are_told_where_none_is_kept() -> None:
    recorder = Slow()
    recorder.broken = True
    assert [type(one) for one in asyncio.run(together(recorder))] == [OSError] * 4


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_writer, "MOST", 2)
    recorder = Slow()

    async def many() -> None:
        writer = RecordWriter(recorder)
        tasks = await begun(writer, *"abcde")
        recorder.step.release(5)
        await asyncio.gather(*tasks)

    asyncio.run(many())
    assert max(map(len, recorder.batches)) == 2
    assert [one for batch in recorder.batches for one in batch] == list("abcde")


def test_a_session_that_is_gone_holds_up_nobody() -> None:
    recorder = Slow()

    async def one_leaves() -> None:
        writer = RecordWriter(recorder)
        gone, stays = await begun(writer, "a", "b")
        gone.cancel()
        recorder.step.release(2)
        await stays
        assert gone.cancelled()

    asyncio.run(one_leaves())
