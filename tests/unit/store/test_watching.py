"""What this process commits shows as no other version to who watches; what another one commits does."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account
from mailreeve.store.transactions import Store

ONE = "1" * 32


@pytest.fixture
def other(path, engine):
    """Another process, as far as the database can tell."""
    made = SqliteEngine(path)
    yield made
    made.dispose()


def rename(engine: SqliteEngine, name: str) -> None:
    with engine.writing() as connection:
        connection.execute(update(account).where(account.c.id == ONE).values(name=name))


def test_own_commits_are_no_other_version_and_those_of_others_are(engine, other) -> None:
    with engine.watching() as version:
        seen = version()
        rename(engine, "a")
        rename(engine, "b")
        assert version() == seen
        rename(other, "c")
        assert version() != seen
        seen = version()
        assert version() == seen


def test_a_commit_of_another_between_two_of_ours_is_seen(engine, other) -> None:
    with engine.watching() as version:
        seen = version()
        rename(engine, "a")
        rename(other, "b")
        rename(engine, "c")
        assert version() != seen


def test_while_this_process_writes_it_cannot_be_told_and_is_looked_at(engine) -> None:
    with engine.watching() as version:
        rename(engine, "a")
        seen = version()
        rename(engine, "b")
        with engine.undoing():
            assert version() != seen


def test_after_a_transaction_that_failed_the_next_is_committed_and_seen(engine, other, things) -> None:
    store = Store(engine)

    def twice(work):
        raise IntegrityError("", None, ValueError())

    with pytest.raises(IntegrityError):
        store.write(ONE, things.origin, twice)
    with engine.watching() as version:
        rename(engine, "a")
        seen = version()
        rename(other, "b")
        assert version() != seen


def test_a_database_that_was_closed_is_opened_again(engine) -> None:
    rename(engine, "a")
    engine.dispose()
    rename(engine, "b")
    with engine.reading() as connection:
        assert connection.execute(account.select().where(account.c.id == ONE)).one().name == "b"
