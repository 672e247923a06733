"""Writes that share a transaction of the database: each is undone alone, and each is durable when it is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from mailreeve.store import changes, transactions
from mailreeve.store.changes import Name, Part, Touched
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.transactions import ATTEMPTS, Store, Work, Write

ONE, TWO = "1" * 32, "2" * 32


class Broken(Exception):
    """What a test raises inside a transaction."""


@pytest.fixture
def commits(engine: SqliteEngine) -> Iterator[list[None]]:
    """One entry for each commit."""
    seen: list[None] = []

    def note(connection: object) -> None:
        seen.append(None)

    event.listen(engine.sqlalchemy, "commit", note)
    yield seen
    event.remove(engine.sqlalchemy, "commit", note)


@pytest.fixture
def write(things) -> Callable[..., Write]:
    def write(transaction: Callable[[Work], object], account_id: str = ONE) -> Write:
        return Write(account_id, things.origin, transaction)

    return write


def touched_since(store: Store, revision: int) -> Touched:
    """What the feed says was touched since."""
    return store.look_up(lambda c: changes.since(c, ONE, revision, changes.revision_of(c, ONE)))


def test_each_takes_a_revision_of_its_own_in_one_commit(store: Store, things, write, commits) -> None:
    """With its audit rows and its rows of the feed, in the order in which they were asked for."""

    def put(key: str, part: Part) -> Callable[[Work], str]:
        def transaction(work: Work) -> str:
            things.put(key)(work)
            work.changed(part, "create", "thing", key)
            return key

        return transaction

    writes = [write(put("a", Part.DIRECTORY)), write(lambda work: "nothing"), write(put("b", Part.WEB_LISTS))]
    assert store.write_together(writes) == ["a", "nothing", "b"]
    assert len(commits) == 1
    assert things.revision(store) == 2
    assert [(row["revision"], row["object_id"]) for row in things.audits(store)] == [
        (1, "a"),
        (1, "a"),
        (2, "b"),
        (2, "b"),
    ]
    first, second = {Part.DIRECTORY: {Name("thing", "a")}}, {Part.WEB_LISTS: {Name("thing", "b")}}
    assert touched_since(store, 0) == first | second
    assert touched_since(store, 1) == second


def test_followers_are_told_of_each(store: Store, things, write) -> None:
    told: list[Touched] = []
    store.feed.hint(ONE, 0)
    store.write(ONE, things.origin, lambda work: work.changed(Part.WEB_LISTS, "create", "thing", "first"))
    store.feed.follow(lambda account_id, touched: told.append(touched))
    store.feed.catch_up()
    told.clear()
    parts = (Part.DIRECTORY, Part.DEFINITIONS)
    store.write_together(
        [write(lambda work, part=part: work.changed(part, "create", "thing", "k")) for part in parts]
    )
    assert store.feed.newest(ONE) == 3
    store.feed.catch_up()
    assert told == [{part: frozenset({Name("thing", "k")}) for part in parts}]


def test_one_sees_what_those_before_it_did(store: Store, things, write) -> None:
    """Rows and revision, as if they had been committed."""

    def look(work: Work) -> tuple[list[str], int, int]:
        keys = sorted(work.execute(select(things.table.c.id)).scalars())
        return keys, work.revision, work.committed

    store.write(ONE, things.origin, things.put("there"))
    results = store.write_together([write(things.put("a")), write(look), write(things.put("b")), write(look)])
    assert results == [None, (["a", "there"], 2, 1), None, (["a", "b", "there"], 3, 1)]


@pytest.mark.parametrize("place", range(3))
def test_one_that_raises_is_undone_alone(store: Store, things, write, commits, place: int) -> None:
    """Its rows, audit rows and revision are not there; those before and after it are. It alone is told."""

    def broken(work: Work) -> None:
        things.put("broken")(work)
        raise Broken

    writes = [write(things.put("a")), write(things.put("b"))]
    writes.insert(place, write(broken))
    results = store.write_together(writes)
    assert [type(result) for n, result in enumerate(results) if n != place] == [type(None)] * 2
    assert isinstance(results[place], Broken)
    assert len(commits) == 1
    assert things.keys(store) == ["a", "b"]
    assert [(row["revision"], row["object_id"]) for row in things.audits(store)] == [(1, "a"), (2, "b")]
    assert things.revision(store) == 2


def test_one_that_the_database_refuses_is_undone_alone(store: Store, things, write) -> None:
    results = store.write_together([write(things.put("a")), write(things.put("a")), write(things.put("b"))])
    assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
    assert things.keys(store) == ["a", "b"]


def test_items_within_one_are_undone_alone(store: Store, things, write) -> None:
    def broken_item(work: Work) -> None:
        with work.item():
            things.put("c")(work)
            raise Broken

    def two_items(work: Work) -> None:
        with work.item():
            things.put("b")(work)
        with pytest.raises(Broken):
            broken_item(work)

    store.write_together([write(things.put("a")), write(two_items), write(things.put("d"))])
    assert things.keys(store) == ["a", "b", "d"]
    assert things.revision(store) == 3


def test_several_accounts_may_share_a_commit(store: Store, things, write, commits) -> None:
    store.write_together([write(things.put("a")), write(things.put("a"), TWO), write(things.put("b"))])
    assert len(commits) == 1
    assert (things.keys(store), things.revision(store)) == (["a", "b"], 2)
    assert (things.keys(store, TWO), things.revision(store, TWO)) == (["a"], 1)


def test_none_at_all_is_no_error(store: Store, commits) -> None:
    assert store.write_together([]) == []
    assert not commits


def test_an_account_that_is_not_there_keeps_nobody_from_being_written(store: Store, things, write) -> None:
    results = store.write_together(
        [write(things.put("a")), write(things.put("a"), "9" * 32), write(things.put("b"))]
    )
    assert isinstance(results[1], Exception)
    assert things.keys(store) == ["a", "b"]
    assert things.revision(store) == 2


def test_who_looks_at_what_others_see_is_committed_after_those_before_it(
    store: Store, things, write, commits
) -> None:
    """It is run again then, and sees them as everybody does; so does whoever comes behind it."""
    runs: list[list[str]] = []

    def look(work: Work) -> list[str]:
        things.put(f"look{len(runs)}")(work)
        runs.append([])
        work.see_committed()
        runs[-1] = things.keys(store)
        return runs[-1]

    touch = write(lambda work: work.changed(Part.DIRECTORY, "create", "thing", "k"))
    results = store.write_together(
        [write(things.put("a")), touch, write(look), write(things.put("b")), write(look)]
    )
    assert results == [None, None, ["a"], None, ["a", "b", "look1"]]
    assert things.keys(store) == ["a", "b", "look1", "look2"]
    assert len(commits) == 4
    assert len(runs) == 3


def test_who_looks_at_another_part_need_not_wait(store: Store, write, commits) -> None:
    touch = write(lambda work: work.changed(Part.WEB_LISTS, "create", "thing", "k"))
    look = write(lambda work: work.see_committed(Part.DIRECTORY))
    assert store.write_together([touch, look, touch, look]) == [None] * 4
    assert len(commits) == 1


def test_where_the_shared_transaction_is_lost_each_has_one_of_its_own(store: Store, things, write) -> None:
    """As where SQLite undid all of it, which it does when the disk is full: only whose fault it is, is told so."""

    def lose(work: Work) -> None:
        things.put("lost")(work)
        driver = work.connection.connection.dbapi_connection
        assert driver is not None
        driver.execute("ROLLBACK")
        raise Broken

    results = store.write_together([write(things.put("a")), write(lose), write(things.put("b"))])
    assert [type(result) for result in results] == [type(None), Broken, type(None)]
    assert things.keys(store) == ["a", "b"]
    assert things.revision(store) == 2


def test_where_the_commit_fails_nobody_is_told_that_it_was_done(store: Store, engine, things, write) -> None:
    """Each is tried again by itself, and told what came of that."""
    failing = [True, True, False]

    def fail(connection: object) -> None:
        if failing.pop(0):
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    event.listen(engine.sqlalchemy, "commit", fail)
    results = store.write_together([write(things.put("a")), write(things.put("b"))])
    event.remove(engine.sqlalchemy, "commit", fail)
    assert [type(result) for result in results] == [OperationalError, type(None)]
    assert (things.keys(store), things.revision(store)) == (["b"], 1)
    assert store.feed.newest(ONE) == 1


def test_a_conflict_within_one_repeats_them_all(
    store: Store, things, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the first runs noted is forgotten."""
    monkeypatch.setattr(transactions.time, "sleep", lambda seconds: None)
    runs: list[str] = []

    def conflict(work: Work) -> None:
        things.put("b")(work)
        runs.append("b")
        if len(runs) < 3:
            raise OperationalError("", {}, sqlite3.OperationalError("database is locked"))

    store.write_together([write(things.put("a")), write(conflict), write(things.put("c"))])
    assert len(runs) == 3
    assert things.keys(store) == ["a", "b", "c"]
    assert [row["revision"] for row in things.audits(store)] == [1, 2, 3]


def test_a_lasting_conflict_is_told_to_all_at_once(
    store: Store, engine: SqliteEngine, path: Path, things, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can write: to try each alone would only make them wait longer."""
    waits: list[float] = []
    monkeypatch.setattr(transactions.time, "sleep", waits.append)
    with sqlite3.connect(path, isolation_level=None) as other, engine.sqlalchemy.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        connection.close()  # It is the one that is used next.
        other.execute("BEGIN IMMEDIATE")
        results = store.write_together([write(things.put("a")), write(things.put("b"))])
        other.execute("ROLLBACK")
    other.close()
    assert [engine.is_conflict(result) for result in results if isinstance(result, Exception)] == [True, True]
    assert len(waits) == ATTEMPTS - 1
    assert things.keys(store) == []


def test_nobody_is_told_before_it_is_durable(store: Store, things, write, path: Path) -> None:
    """While the second runs, no other connection sees the first; once both are told, both are there."""
    seen: list[list[str]] = []

    def look_from_outside(work: Work) -> None:
        seen.append(things.keys(store))
        work.execute(update(things.table).where(things.table.c.id == "a").values(text="seen by the second"))

    store.write_together([write(things.put("a")), write(look_from_outside)])
    assert seen == [[]]
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT id, text FROM thing").fetchall() == [("a", "seen by the second")]
    other.close()
