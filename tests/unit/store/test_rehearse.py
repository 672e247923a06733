"""A rehearsal does everything a transaction does, and leaves nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from mailreeve.store import changes, transactions
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.transactions import ATTEMPTS, Store

ONE = "1" * 32


def test_its_result_is_told_and_its_changes_are_gone(store: Store, things) -> None:
    """Rows, audit rows and revision are as before; inside, the changes are there."""
    store.write(ONE, things.origin, things.put("kept"))

    def rehearsed(work) -> tuple[int, int]:
        things.put("new")(work)
        found = work.execute(things.table.select().where(things.table.c.account_id == ONE)).all()
        return len(found), len(work.audits)

    assert store.rehearse(ONE, things.origin, rehearsed) == (2, 1)
    assert things.keys(store) == ["kept"]
    assert things.revision(store) == 1
    assert len(things.audits(store)) == 1


def test_an_exception_goes_on_and_leaves_nothing_either(store: Store, things) -> None:
    def rehearsed(work) -> None:
        things.put("new")(work)
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        store.rehearse(ONE, things.origin, rehearsed)
    assert things.keys(store) == []


def test_nobody_hears_of_it(store: Store, things) -> None:
    """It is no commit: there is no hint of it, and nothing in the feed."""
    store.rehearse(ONE, things.origin, things.put("new"))
    assert store.feed.newest(ONE) == 0
    assert store.look_up(lambda connection: changes.since(connection, ONE, 0, 0)) == {}


def test_writers_take_turns_with_it(store: Store, things) -> None:
    """A write that comes meanwhile waits, and is then carried out on what was there before."""
    inside, go_on = threading.Event(), threading.Event()

    def rehearsed(work) -> None:
        things.put("new")(work)
        inside.set()
        assert go_on.wait(60)

    writing = threading.Thread(target=lambda: store.write(ONE, things.origin, things.put("written")))
    rehearsing = threading.Thread(target=lambda: store.rehearse(ONE, things.origin, rehearsed))
    rehearsing.start()
    try:
        assert inside.wait(60)
        writing.start()
        assert things.keys(store) == []
    finally:
        go_on.set()
        rehearsing.join(60)
        writing.join(60)
    assert things.keys(store) == ["written"]


@pytest.mark.usefixtures("impatient")
def test_a_lasting_conflict_is_reported(store: Store, things, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a write: after so many attempts."""
    waits: list[float] = []
    monkeypatch.setattr(transactions.time, "sleep", waits.append)
    other = SqliteEngine(path)
    try:
        with other.writing(), pytest.raises(OperationalError, match="locked"):
            store.rehearse(ONE, things.origin, things.put("new"))
    finally:
        other.dispose()
    assert len(waits) == ATTEMPTS - 1
