"""A transaction happens wholly or not at all, takes one revision if it changed something, and is audited."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store import changes, engines, transactions
from mailreeve.store.changes import Name, Part, Touched
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account
from mailreeve.store.transactions import ATTEMPTS, Origin, Store, Work

ONE, TWO = "1" * 32, "2" * 32


class Broken(Exception):
    """What a test raises inside a transaction."""


def item_of(work: Work, *changes: Callable[[Work], None]) -> None:
    """Make these changes as one item."""
    with work.item():
        for change in changes:
            change(work)


def touched_since(store: Store, revision: int) -> Touched:
    """What the feed says was touched since."""
    return store.look_up(lambda c: changes.since(c, ONE, revision, changes.revision_of(c, ONE)))


def break_off(work: Work) -> None:
    """The change that does not work."""
    raise Broken


def test_a_transaction_is_kept_and_its_result_returned(store: Store, things) -> None:
    """The rows are there for the next reader."""

    def transaction(work: Work) -> str:
        things.put("k")(work)
        return "result"

    assert store.write(ONE, things.origin, transaction) == "result"
    assert things.keys(store) == ["k"]


def test_no_secret_is_audited(store: Store, things) -> None:
    """Whatever a family hands in, before and after, at any depth."""
    state = {"name": "x", "password_hash": "s3cr3t", "keys": [{"secretKey": "s3cr3t", "kept": 1}]}
    store.write(
        ONE, things.origin, lambda work: work.changed(None, "update", "thing", "k", before=state, after=state)
    )
    (row,) = things.audits(store)
    assert "s3cr3t" not in row["before"] + row["after"]
    assert '"kept":1' in row["after"]


def test_a_transaction_that_raises_leaves_nothing(store: Store, things) -> None:
    """Neither rows, nor a revision, nor audit rows; the exception arrives."""

    def transaction(work: Work) -> None:
        things.put("k")(work)
        raise Broken

    with pytest.raises(Broken):
        store.write(ONE, things.origin, transaction)
    assert (things.keys(store), things.revision(store), things.audits(store)) == ([], 0, [])


def test_a_refused_item_is_undone_alone(store: Store, things) -> None:
    """Rows, audit rows and touched parts of the one; the others stay."""

    def transaction(work: Work) -> None:
        for number, part in enumerate((PolicyType.BLOCKED_SENDERS, Part.WEB_LISTS, Part.DIRECTORY)):
            try:
                with work.item():
                    things.put(f"k{number}")(work)
                    work.changed(part, "create", "thing", f"k{number}")
                    if number == 1:
                        raise Broken
            except Broken:
                continue

    store.write(ONE, things.origin, transaction)
    assert things.keys(store) == ["k0", "k2"]
    assert [row["object_id"] for row in things.audits(store)] == ["k0", "k0", "k2", "k2"]
    noted = {PolicyType.BLOCKED_SENDERS: "k0", Part.DIRECTORY: "k2"}
    assert touched_since(store, 0) == {part: {Name("thing", key)} for part, key in noted.items()}


def test_an_item_that_the_database_refuses_is_undone_alone(store: Store, things) -> None:
    """A duplicate key does not spoil the transaction for the items after it."""

    def transaction(work: Work) -> None:
        things.put("k")(work)
        with pytest.raises(IntegrityError):
            item_of(work, things.put("other"), things.put("k"))
        with work.item():
            things.put("last")(work)

    store.write(ONE, things.origin, transaction)
    assert things.keys(store) == ["k", "last"]


def test_items_may_stand_in_items(store: Store, things) -> None:
    """The inner one is undone alone, or with the outer one."""

    def transaction(work: Work) -> None:
        with work.item():
            things.put("a")(work)
            with pytest.raises(Broken):
                item_of(work, things.put("b"), break_off)
        with pytest.raises(Broken):
            item_of(work, lambda inner: item_of(inner, things.put("c")), break_off)

    store.write(ONE, things.origin, transaction)
    assert things.keys(store) == ["a"]
    assert [row["object_id"] for row in things.audits(store)] == ["a"]


def test_one_revision_is_taken_for_however_many_changes(store: Store, things) -> None:
    """Each writing transaction takes the next one, and all its audit rows carry it."""

    def transaction(work: Work) -> None:
        for number in range(3):
            things.put(f"k{number}")(work)

    store.write(ONE, things.origin, transaction)
    store.write(ONE, things.origin, things.put("later"))
    assert things.revision(store) == 2
    assert [row["revision"] for row in things.audits(store)] == [1, 1, 1, 2]


def test_no_revision_is_taken_when_nothing_changed(store: Store, things) -> None:
    """Nor is anybody told."""
    store.write(ONE, things.origin, lambda work: None)
    assert (things.revision(store), store.feed.newest(ONE), touched_since(store, 0)) == (0, 0, {})


def test_no_revision_is_taken_when_all_changes_were_undone(store: Store, things) -> None:
    """A request whose every item was refused changed nothing."""

    def transaction(work: Work) -> None:
        with pytest.raises(Broken):
            item_of(work, things.put("k"), break_off)

    store.write(ONE, things.origin, transaction)
    assert (things.revision(store), things.audits(store)) == (0, [])


def test_the_audit_row_says_who_did_what_when(store: Store, things) -> None:
    """With the object before and after as JSON (behaviour.md D-38)."""

    def transaction(work: Work) -> None:
        work.changed(Part.DIRECTORY, "update", "group", "g" * 32, before={"n": 1}, after={"n": [2, "ü"]})

    store.write(ONE, things.origin, transaction)
    (row,) = things.audits(store)
    assert row.pop("id")
    assert row.pop("at") == things.start.replace(second=6)
    assert len(row.pop("digest")) == 64
    assert row == {
        "account_id": ONE,
        "revision": 1,
        "actor": "admin@corp.test",
        "acting_for": "boss@corp.test",
        "application": "",
        "app_id": "",
        "source_ip": "192.0.2.1",
        "request_id": "req-1",
        "action": "update",
        "object_kind": "group",
        "object_id": "g" * 32,
        "before": '{"n":1}',
        "after": '{"n":[2,"ü"]}',
    }


def test_an_object_that_is_new_has_no_before(store: Store, things) -> None:
    """And one that is gone no after."""

    def transaction(work: Work) -> None:
        work.changed(None, "create", "thing", "k", after={})
        work.changed(None, "delete", "thing", "k", before={})

    store.write(ONE, things.origin, transaction)
    assert [(row["before"], row["after"]) for row in things.audits(store)] == [(None, "{}"), ("{}", None)]


def test_a_transaction_has_one_time(store: Store, things) -> None:
    """That of its start."""
    times = store.write(ONE, things.origin, lambda work: (work.now, work.now))
    assert times[0] == times[1] == things.start.replace(second=6)


def test_another_account_is_not_touched(store: Store, things) -> None:
    """Not its rows, not its revision, not its audit log."""
    store.write(TWO, things.origin, things.put("k", "two"))
    store.write(ONE, things.origin, things.put("k", "one"))
    store.write(ONE, things.origin, things.put("only one"))
    assert (things.keys(store), things.keys(store, TWO)) == (["k", "only one"], ["k"])
    assert (things.revision(store), things.revision(store, TWO)) == (2, 1)
    assert len(things.audits(store, TWO)) == 1


def test_an_account_that_is_not_there_is_not_written_to(store: Store, things) -> None:
    """Its rows would belong to nobody."""
    with pytest.raises(Exception, match=r"No row|FOREIGN KEY"):
        store.write("9" * 32, things.origin, things.put("k"))
    assert things.keys(store, "9" * 32) == []


def test_reading_changes_nothing(store: Store, things) -> None:
    """Not even when a reading transaction writes: that is undone."""

    def transaction(work: Work) -> int:
        work.execute(insert(things.table).values(account_id=ONE, id="k", text=""))
        return 7

    assert store.read(ONE, transaction) == 7
    store.look_up(lambda connection: connection.execute(update(account).values(name="changed")))
    assert things.keys(store) == []
    assert store.look_up(lambda connection: set(connection.execute(select(account.c.name)).scalars())) == {"n"}


def test_a_change_noted_while_reading_is_a_mistake_that_shows(store: Store, things) -> None:
    """It would be neither audited nor followed."""
    with pytest.raises(AssertionError, match="reading transaction"):
        store.read(ONE, things.put("k"))
    assert things.keys(store) == []


def test_a_reader_sees_one_state(store: Store, things) -> None:
    """What is committed while it reads is not there for it."""

    def transaction(work: Work) -> tuple[int, int]:
        query = select(things.table.c.id).where(things.table.c.account_id == ONE)
        before = len(work.execute(query).all())
        with ThreadPoolExecutor(1) as other:
            other.submit(store.write, ONE, things.origin, things.put("k")).result()
        return before, len(work.execute(query).all())

    assert store.read(ONE, transaction) == (0, 0)
    assert things.keys(store) == ["k"]


def test_the_feed_hears_of_a_commit_before_the_writer_does(store: Store, things, monkeypatch) -> None:
    """With account and revision, in the writer's thread, once the rows can be seen."""
    heard: list[object] = []

    def hint(account_id: str, revision: int, touched: object) -> None:
        rows = things.keys(store), touched_since(store, 0)
        heard.append((account_id, revision, *rows, threading.get_ident()))

    monkeypatch.setattr(store.feed, "hint", hint)

    def transaction(work: Work) -> None:
        things.put("k")(work)
        work.changed(Part.DEFINITIONS, "create", "thing", "k")
        assert heard == []

    store.write(ONE, things.origin, transaction)
    assert heard == [(ONE, 1, ["k"], {Part.DEFINITIONS: {Name("thing", "k")}}, threading.get_ident())]


class Locker:
    """Another connection, as of another process, that holds the write lock."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def lock(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def locker(engine: SqliteEngine, path: Path) -> Iterator[Locker]:
    made = Locker(path)
    yield made
    made.close()


@pytest.mark.usefixtures("impatient")
def test_a_conflict_is_tried_again(store: Store, things, locker: Locker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another connection holds the lock at first; once it lets go, the transaction is done, and done once."""
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            locker.release()

    monkeypatch.setattr(transactions.time, "sleep", pause)
    locker.lock()
    store.write(ONE, things.origin, things.put("k"))
    assert len(waits) == 2
    assert (things.keys(store), things.revision(store), len(things.audits(store))) == (["k"], 1, 1)


@pytest.mark.usefixtures("impatient")
def test_a_lasting_conflict_is_reported(
    store: Store, things, locker: Locker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many attempts, and nothing is written."""
    waits: list[float] = []
    monkeypatch.setattr(transactions.time, "sleep", waits.append)
    locker.lock()
    with pytest.raises(OperationalError, match="locked"):
        store.write(ONE, things.origin, things.put("k"))
    locker.release()
    assert len(waits) == ATTEMPTS - 1
    assert (things.keys(store), things.revision(store)) == ([], 0)


@pytest.mark.usefixtures("impatient")
def test_readers_do_not_wait_for_writers(store: Store, things, locker: Locker) -> None:
    """They see the state before."""
    store.write(ONE, things.origin, things.put("k"))
    locker.lock()
    assert things.keys(store) == ["k"]
    locker.release()


def test_only_conflicts_are_tried_again(store: Store, things) -> None:
    """A transaction that fails otherwise is run once."""
    runs: list[int] = []

    def transaction(work: Work) -> None:
        runs.append(1)
        things.put("k")(work)
        things.put("k")(work)

    with pytest.raises(IntegrityError):
        store.write(ONE, things.origin, transaction)
    assert len(runs) == 1


def test_a_repeated_transaction_starts_from_nothing(store: Store, things) -> None:
    """What its first run noted is forgotten with it."""
    runs: list[int] = []

    def transaction(work: Work) -> None:
        runs.append(len(work.audits))
        things.put(f"k{len(runs)}")(work)
        if len(runs) == 1:
            raise OperationalError("", {}, sqlite3.OperationalError("database is locked"))

    store.write(ONE, things.origin, transaction)
    assert runs == [0, 0]
    assert things.keys(store) == ["k2"]
    assert [row["object_id"] for row in things.audits(store)] == ["k2"]


@pytest.mark.parametrize("stores", [1, 2])
def test_concurrent_writers_lose_nothing(engine: SqliteEngine, path: Path, things, stores: int) -> None:
    """Read, add one, write back: from eight threads, of one store or of two on the same file, as two processes
    would have. No increment is lost, and revisions are neither skipped nor given twice."""
    other = SqliteEngine(path)
    both = [Store(engine), Store(other)][:stores]
    both[0].write(ONE, Origin("test"), things.put("counter", "0"))
    row = (things.table.c.account_id == ONE, things.table.c.id == "counter")

    def increment(work: Work) -> None:
        value = int(work.execute(select(things.table.c.text).where(*row)).scalar_one())
        work.execute(update(things.table).where(*row).values(text=str(value + 1)))
        work.changed(None, "update", "thing", "counter", after={"text": str(value + 1)})

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(both[n % stores].write, ONE, Origin("test"), increment) for n in range(80)]:
            done.result()
    other.dispose()
    value = both[0].read(ONE, lambda work: work.execute(select(things.table.c.text).where(*row)).scalar_one())
    assert value == "80"
    assert things.revision(both[0]) == 81
    assert sorted(row["revision"] for row in things.audits(both[0])) == list(range(1, 82))


def test_what_cannot_be_committed_is_undone(store: Store, path: Path, things) -> None:
    """As where a commit finds the database locked. Nothing of it stays, and it holds up neither this process nor
    others."""

    def never_right(work: Work) -> None:
        work.execute(text("PRAGMA defer_foreign_keys = ON"))  # looked at by the commit, which leaves all as it was
        work.execute(insert(things.table).values(account_id="nobody", id="lost", text=""))

    with pytest.raises(IntegrityError):
        store.write(ONE, things.origin, never_right)
    with sqlite3.connect(path, timeout=0, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    other.close()
    for _ in range(engines.POOL_SIZE):  # whichever connection is next
        assert things.keys(store) == []
    store.write(ONE, things.origin, things.put("kept"))
    assert things.keys(store) == ["kept"]


def test_many_rows_are_inserted_at_once_and_none_is_no_error(store: Store, things) -> None:
    """An empty list would be an error of the database's driver."""

    def transaction(work: Work) -> None:
        rows = [{"account_id": ONE, "id": f"k{n}", "text": ""} for n in range(3)]
        work.insert_many(insert(things.table), rows)
        work.insert_many(insert(things.table), [])
        work.execute(delete(things.table).where(things.table.c.account_id == ONE, things.table.c.id == "k1"))

    store.write(ONE, things.origin, transaction)
    assert things.keys(store) == ["k0", "k2"]


def test_trouble_is_told_in_words(store: Store, engine: SqliteEngine, path: Path) -> None:
    """Nothing while the database answers; what is wrong when it does not."""
    assert store.trouble() == ""
    engine.dispose()
    for file in path.parent.glob("mailreeve.db*"):
        file.unlink()
    path.write_bytes(b"this is no database, however long it is made to be" * 100)
    assert "not a database" in store.trouble()


def test_a_database_that_takes_no_writes_is_in_trouble(store: Store, engine: SqliteEngine) -> None:
    """Although it can be read. Well again, it is none."""
    with engine.sqlalchemy.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    assert store.trouble() == ""

    @event.listens_for(engine.sqlalchemy, "begin")
    def read_only(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    store._written_at = -math.inf
    assert "readonly" in store.trouble()
    assert "readonly" in store.trouble()
    event.remove(engine.sqlalchemy, "begin", read_only)
    with engine.sqlalchemy.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
    assert store.trouble() == ""
    with engine.sqlalchemy.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA page_count").scalar_one() == pages


def test_a_database_whose_file_was_replaced_is_in_trouble(store: Store, path: Path) -> None:
    """Writes to the old file still succeed, and are lost with the process."""
    assert store.trouble() == ""
    path.rename(path.with_name("aside.db"))
    store._written_at = -math.inf
    assert "No such file" in store.trouble()
    path.write_bytes(path.with_name("aside.db").read_bytes())
    assert "replaced" in store.trouble()


def test_what_is_committed_is_on_the_disk(engine: SqliteEngine) -> None:
    """Every connection asks for a full sync and for foreign keys, and writes ahead (design.md section 5)."""
    with engine.reading() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("synchronous", "foreign_keys", "journal_mode", "busy_timeout")
        }
    assert values == {
        "synchronous": 2,
        "foreign_keys": 1,
        "journal_mode": "wal",
        "busy_timeout": engines.BUSY_TIMEOUT,
    }


@pytest.mark.parametrize("name", ["mail?mode=memory.db", "100%41.db", "a#b.db", "späm o'db"])
def test_a_database_may_have_any_name(tmp_path: Path, name: str) -> None:
    """It is a path, not part of a URL."""
    engine = SqliteEngine(tmp_path / name)
    with engine.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    engine.dispose()
    assert (tmp_path / name).stat().st_size > 0
