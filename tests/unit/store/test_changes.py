"""The feed names what every revision touched, forgets what is old, and is heard of in other processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import structlog
from sqlalchemy import delete, select

from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store import changes
from mailreeve.store.changes import EVERYTHING, WHOLE, Name, Part, Touched
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account, audit_event, change
from mailreeve.store.transactions import Store, Work

ONE, TWO = "1" * 32, "2" * 32
PATIENCE = 30.0


def touch(store: Store, things, *names: str, part: str = Part.WEB_LISTS, account_id: str = ONE) -> None:
    """Commit a change of these objects."""

    def transaction(work: Work) -> None:
        work.changed(part, "update", "thing", "t", names=[Name("thing", name) for name in names])

    store.write(account_id, things.origin, transaction)


def since(store: Store, revision: int, account_id: str = ONE) -> Touched:
    return store.look_up(lambda c: changes.since(c, account_id, revision, changes.revision_of(c, account_id)))


def rows(store: Store, account_id: str = ONE) -> list[int]:
    """The revisions of the account's rows."""
    query = select(change.c.revision).where(change.c.account_id == account_id).order_by(change.c.revision)
    return store.look_up(lambda connection: list(connection.execute(query).scalars()))


def names(*keys: str) -> frozenset[Name]:
    return frozenset(Name("thing", key) for key in keys)


class Heard:
    """A follower that notes what it is told."""

    def __init__(self, store: Store) -> None:
        self.news: list[tuple[str, Touched]] = []
        store.feed.follow(lambda account_id, touched: self.news.append((account_id, touched)))


@pytest.fixture
def heard(store: Store) -> Heard:
    return Heard(store)


def test_what_was_touched_since_a_revision_is_told(store: Store, things) -> None:
    """Each object once, whoever touched it; those of the revision itself are known already."""
    touch(store, things, "a", "b")
    touch(store, things, "b", "c", "c")
    touch(store, things, "d", part=Part.DIRECTORY)
    touch(store, things, "x", account_id=TWO)
    assert since(store, 0) == {Part.WEB_LISTS: names("a", "b", "c"), Part.DIRECTORY: names("d")}
    assert since(store, 1) == {Part.WEB_LISTS: names("b", "c"), Part.DIRECTORY: names("d")}
    assert since(store, 3) == {}
    assert since(store, 0, TWO) == {Part.WEB_LISTS: names("x")}


def test_a_transaction_that_is_undone_is_not_in_it(store: Store, things) -> None:
    def transaction(work: Work) -> None:
        work.changed(Part.WEB_LISTS, "update", "thing", "t")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write(ONE, things.origin, transaction)
    assert rows(store) == []


def test_very_many_objects_are_a_whole_part(store: Store, things, monkeypatch) -> None:
    """In one revision, which then has one row, or in several."""
    monkeypatch.setattr(changes, "MOST_NAMED", 3)
    touch(store, things, *"abcd")
    assert rows(store) == [1]
    assert since(store, 0) == {Part.WEB_LISTS: {WHOLE}}
    touch(store, things, *"abc")
    touch(store, things, *"cd")
    assert since(store, 2) == {Part.WEB_LISTS: names(*"cd")}
    assert since(store, 1) == {Part.WEB_LISTS: {WHOLE}}


def test_old_rows_are_removed_and_who_would_need_them_is_told_so(store: Store, things, monkeypatch) -> None:
    """The account's own, and no younger ones; nobody is told half of what happened."""
    monkeypatch.setattr(changes, "KEPT", 5)
    monkeypatch.setattr(changes, "PRUNED_EVERY", 4)
    touch(store, things, "x", account_id=TWO)
    for number in range(1, 19):
        touch(store, things, str(number))
        last = number // 4 * 4
        assert rows(store) == list(range(max(1, last - 4), number + 1))
        for revision in range(number + 1):
            expected = {Part.WEB_LISTS: names(*map(str, range(revision + 1, number + 1)))}
            if number - revision > 5:
                expected = EVERYTHING
            assert since(store, revision) == (expected if revision < number else {})
    assert rows(store, TWO) == [1]


def test_a_part_of_another_version_may_be_any_part(store: Store, things) -> None:
    """Nothing that somebody else changed is taken for unchanged because its part has another name here."""
    touch(store, things, "a", part="a part of tomorrow")
    assert since(store, 0) == EVERYTHING
    touch(store, things, "b")
    assert since(store, 1) == {Part.WEB_LISTS: names("b")}


def test_no_two_parts_have_one_name() -> None:
    """Types of policy and the other parts stand in one column of the feed."""
    assert len(EVERYTHING) == len(Part) + len(PolicyType)


def test_a_revision_that_is_not_there_yet_is_nothing_to_build_upon(store: Store, things) -> None:
    """A database that was put back from a backup while somebody followed it."""
    touch(store, things, "a")
    assert since(store, 2) == EVERYTHING


def test_followers_are_told_once_of_what_is_new(store: Store, things, heard: Heard) -> None:
    """Before the writer's next call; of everything at first, since nobody knows what was before."""
    store.feed.catch_up()
    assert heard.news == []
    touch(store, things, "a")
    store.feed.catch_up()
    store.feed.catch_up()
    assert heard.news == [(ONE, EVERYTHING)]
    for key in "bc":
        touch(store, things, key)
    touch(store, things, "x", account_id=TWO)
    store.feed.catch_up()
    assert sorted(heard.news[1:]) == [(ONE, {Part.WEB_LISTS: names(*"bc")}), (TWO, EVERYTHING)]
    assert (store.feed.followed_to(ONE), store.feed.followed_to(TWO)) == (3, 1)


def test_news_that_could_not_be_read_is_told_later(store: Store, things, heard: Heard, monkeypatch) -> None:
    """Whoever asks meanwhile is not told that there was none."""
    touch(store, things, "a")
    store.feed.catch_up()
    touch(Store(store._engine), things, "b")
    store.feed.look()
    reading = store._engine.reading
    monkeypatch.setattr(store._engine, "reading", lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            store.feed.catch_up()
    monkeypatch.setattr(store._engine, "reading", reading)
    store.feed.catch_up()
    assert heard.news[1:] == [(ONE, {Part.WEB_LISTS: names("b")})]


def test_nobody_goes_on_before_what_they_follow_was_told(store: Store, things) -> None:
    """Eight threads write and look for their own change in what a follower was told."""
    told: set[Name] = set()
    whole = threading.Event()

    def follower(account_id: str, touched: Touched) -> None:
        if touched is EVERYTHING:
            whole.set()
        told.update(*touched.values())

    touch(store, things, "first")
    store.feed.follow(follower)
    store.feed.catch_up()
    assert whole.is_set()

    def writer(thread: int) -> None:
        for number in range(20):
            key = f"{thread}-{number}"
            touch(store, things, key)
            store.feed.catch_up()
            assert Name("thing", key) in told

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(writer, thread) for thread in range(8)]:
            done.result()


@pytest.fixture
def other(path) -> Iterator[Store]:
    """Another store on the same file, as another process has it."""
    engine = SqliteEngine(path)
    yield Store(engine)
    engine.dispose()


def until(condition, patience: float = PATIENCE) -> float:
    """The seconds until it holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience
        time.sleep(0.001)
    return time.monotonic() - began


def test_commits_of_others_are_heard_of(store: Store, other: Store, things) -> None:
    """While it is watched, and those from before it was."""
    touch(other, things, "a")
    assert store.feed.newest(ONE) == 0
    with store.feed.watched():
        until(lambda: store.feed.newest(ONE) == 1)
        took = []
        for revision in range(2, 12):
            touch(other, things, "b")
            took.append(until(lambda r=revision: store.feed.newest(ONE) >= r))
        assert sorted(took)[5] < 0.1
        assert store.feed.newest(TWO) == 0


def test_who_cannot_watch_looks_for_himself(store: Store, other: Store, things, monkeypatch, heard: Heard) -> None:
    """The database is not trusted to be as it was: each caller reads its revision, until it can be watched again.
    The log has it once."""
    watching, broken = store._engine.watching, True

    @contextmanager
    def unwatchable() -> Iterator[object]:
        if broken:
            raise OSError("no such file")
        with watching() as version:
            yield version

    monkeypatch.setattr(changes, "TRIED_EVERY", 0.01)
    monkeypatch.setattr(store._engine, "watching", unwatchable)
    with structlog.testing.capture_logs() as logs, store.feed.watched():
        time.sleep(0.1)
        for number in range(1, 4):
            touch(other, things, str(number))
            assert store.feed.newest(ONE) > number
            store.feed.catch_up()
            assert store.feed.followed_to(ONE) == number
        broken = False
        until(lambda: store.feed.newest(ONE) == 3)
    assert [log["event"] for log in logs] == ["the database cannot be watched"] * len(logs)
    assert len(logs) <= 1
    assert len(heard.news) == 3


def remove(store: Store) -> None:
    """Remove an account as another process does, with all that it has."""
    with store._engine.writing() as connection:
        for table in (change, audit_event):
            connection.execute(delete(table).where(table.c.account_id == ONE))
        connection.execute(delete(account).where(account.c.id == ONE))


def test_that_an_account_is_gone_is_heard_of(store: Store, other: Store, things, heard: Heard) -> None:
    """Everything of it is told to be another, once, and nothing that was read of it before is worth keeping; the
    others go on."""
    for one in (ONE, TWO):
        touch(store, things, "a", account_id=one)
    store.feed.catch_up()
    heard.news.clear()
    remove(other)
    store.feed.look()
    store.feed.look()
    store.feed.catch_up()
    assert heard.news == [(ONE, EVERYTHING)]
    assert store.feed.up_to_date
    assert store.feed.newest(ONE) == 0
    assert store.feed.followed_to(ONE) > 10**9
    touch(store, things, "b", account_id=TWO)
    store.feed.catch_up()
    assert [account_id for account_id, _ in heard.news] == [ONE, TWO]


def test_an_account_may_go_between_a_hint_and_a_look(store: Store, other: Store, things, heard: Heard) -> None:
    """Whoever catches up meanwhile is told as well, and does not fail."""
    touch(store, things, "a")
    store.feed.catch_up()
    touch(other, things, "b")
    store.feed.look()
    heard.news.clear()
    remove(other)
    store.feed.catch_up()
    assert heard.news == [(ONE, EVERYTHING)]
    store.feed.look()
    store.feed.catch_up()
    assert heard.news == [(ONE, EVERYTHING)] * 2
    assert store.feed.up_to_date


def test_an_account_comes_and_goes_while_it_is_watched(store: Store, other: Store, things) -> None:
    touch(other, things, "a")
    with structlog.testing.capture_logs() as logs, store.feed.watched():
        until(lambda: store.feed.newest(ONE) == 1)
        remove(other)
        until(lambda: store.feed.newest(ONE) == 0 and store.feed.up_to_date)
    assert logs == []
