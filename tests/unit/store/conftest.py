"""Two accounts in a fresh database, and what a test needs to look at it from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Text, event, insert, select
from sqlalchemy import Table as TableOf

from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import Moment, account, account_column, audit_event, change, key_column, metadata
from mailreeve.store.transactions import Origin, Store, Work

ONE, TWO = "1" * 32, "2" * 32
START = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
ORIGIN = Origin("admin@corp.test", "192.0.2.1", "req-1", "boss@corp.test")

_tables = type(metadata)()
for _shared in (account, audit_event, change):
    _shared.to_metadata(_tables)
thing = TableOf(
    "thing", _tables, account_column(), key_column(), Column("text", Text, nullable=False), Column("at", Moment)
)
"""A table as a family would declare it."""


class Clock:
    """Time that passes by a second at every look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mailreeve.db"


@pytest.fixture
def engine(path: Path) -> Iterator[SqliteEngine]:
    made = SqliteEngine(path)
    with made.writing() as connection:
        _tables.create_all(connection)
        for number, key in enumerate((ONE, TWO)):
            connection.execute(
                insert(account).values(
                    id=key, code=f"C{number}", name="n", admin_email="a@b.test", revision=0, created_at=START
                )
            )
    yield made
    made.dispose()


@pytest.fixture
def impatient(engine: SqliteEngine) -> None:
    """Conflicts are reported at once instead of after the busy timeout."""
    event.listen(engine.sqlalchemy, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=0"))
    engine.dispose()


@pytest.fixture
def store(engine: SqliteEngine) -> Store:
    return Store(engine, Clock())


class Things:
    """What a family does with its table, and what a test sees of it."""

    table = thing
    origin = ORIGIN
    start = START

    @staticmethod
    def put(key: str, text: str = "", at: datetime | None = None) -> Callable[[Work], None]:
        """A transaction that adds a row and notes it."""

        def transaction(work: Work) -> None:
            work.execute(insert(thing).values(account_id=work.account_id, id=key, text=text, at=at))
            work.changed(None, "create", "thing", key, after={"text": text})

        return transaction

    @staticmethod
    def keys(store: Store, account_id: str = ONE) -> list[str]:
        """The rows of an account, by key."""
        query = select(thing.c.id).where(thing.c.account_id == account_id).order_by(thing.c.id)
        return store.read(account_id, lambda work: list(work.execute(query).scalars()))

    @staticmethod
    def revision(store: Store, account_id: str = ONE) -> int:
        """The account's revision."""
        query = select(account.c.revision).where(account.c.id == account_id)
        return store.look_up(lambda connection: connection.execute(query).scalar_one())

    @staticmethod
    def audits(store: Store, account_id: str = ONE) -> list[dict[str, object]]:
        """The audit rows of an account, oldest first."""
        query = select(audit_event).where(audit_event.c.account_id == account_id).order_by(audit_event.c.id)
        return store.read(account_id, lambda work: [dict(row._mapping) for row in work.execute(query)])


@pytest.fixture
def things() -> Things:
    return Things()
