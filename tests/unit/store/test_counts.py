"""The database keeps count: whoever writes, in whichever way, and undone with what is undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy
from sqlalchemy import Connection, delete, func, insert, select, update

from mailreeve.families import registry  # noqa: F401 - declares every family's tables
from mailreeve.families.directory.groups.rows import group
from mailreeve.store.counts import row_count
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.migrations import bring_up_to_date
from mailreeve.store.schema import account, metadata

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = sqlalchemy.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as made:
        for key in ("a", "b"):
            made.execute(
                insert(account).values(id=key, code=key, name="", admin_email="", revision=0, created_at=AT)
            )
        yield made
    engine.dispose()


def put(connection: Connection, account_id: str, *keys: str, parent: str | None = None) -> None:
    same = {"account_id": account_id, "parent_id": parent, "source": "cloud", "system": False, "created_at": AT}
    connection.execute(insert(group), [{"id": key, "name": key, **same} for key in keys])


def counts(connection: Connection, account_id: str = "a") -> dict[tuple[str, str], int]:
    rows = connection.execute(
        select(row_count.c.list, row_count.c.scope, row_count.c.total).where(
            row_count.c.account_id == account_id, row_count.c.total != 0
        )
    )
    return {(name, scope): total for name, scope, total in rows}


def test_rows_are_counted_for_the_account_and_for_each_value(connection: Connection) -> None:
    """One by one and many at once; null counts as an empty value."""
    put(connection, "a", "1", "2", "3")
    put(connection, "a", "4", "5", parent="1")
    put(connection, "b", "1")
    assert counts(connection) == {
        ("directory_group", ""): 5,
        ("directory_group.parent_id", ""): 3,
        ("directory_group.parent_id", "1"): 2,
    }
    assert counts(connection, "b")["directory_group", ""] == 1


def test_a_row_that_moves_is_counted_where_it_is(connection: Connection) -> None:
    """From and to null as well; one that changes otherwise stays."""
    put(connection, "a", "1", "2", "3")
    connection.execute(update(group).where(group.c.id == "2").values(parent_id="1"))
    connection.execute(update(group).where(group.c.id == "3").values(name="new"))
    assert counts(connection)["directory_group.parent_id", "1"] == 1
    connection.execute(update(group).where(group.c.id == "2").values(parent_id="3"))
    assert ("directory_group.parent_id", "1") not in counts(connection)
    connection.execute(update(group).where(group.c.id == "2").values(parent_id=None))
    assert counts(connection) == {("directory_group", ""): 3, ("directory_group.parent_id", ""): 3}


def test_what_is_deleted_or_undone_is_not_counted(connection: Connection) -> None:
    put(connection, "a", "1", "2")
    nested = connection.begin_nested()
    put(connection, "a", "3")
    connection.execute(delete(group).where(group.c.id == "1"))
    nested.rollback()
    assert counts(connection)["directory_group", ""] == 2
    connection.execute(delete(group))
    assert counts(connection) == {}


def schema(connection: Connection) -> dict[str, str]:
    """Triggers and indexes by name, as they were made."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_a_migrated_database_counts_and_finds_as_a_new_one(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The same triggers and indexes, whichever way the tables came about: a later migration that makes a table
    anew would lose them without a word."""
    migrated, new = SqliteEngine(tmp_path / "old.db"), SqliteEngine(tmp_path / "new.db")
    with migrated.writing() as connection:
        bring_up_to_date(connection)
    with new.writing() as connection:
        metadata.create_all(connection)
        wanted = schema(connection)
    with migrated.reading() as connection:
        found = schema(connection)
    for engine in (migrated, new):
        engine.dispose()
    assert found == wanted


def columns(connection: Connection) -> dict[str, object]:
    """Of each table its columns in no order, its keys and what they refer to."""
    tables = [
        name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    found: dict[str, object] = {}
    for table in tables:
        if table == "alembic_version":
            continue
        of_table = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
        refers = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").all()
        found[table] = (
            {(name, kind, notnull, place) for _, name, kind, notnull, _, place in of_table},
            {(to, mine, theirs, on_delete) for _, _, to, mine, theirs, _, on_delete, _ in refers},
        )
    return found


def test_a_migrated_database_has_the_tables_of_a_new_one(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The same columns, and the same keys."""
    migrated, new = SqliteEngine(tmp_path / "old.db"), SqliteEngine(tmp_path / "new.db")
    with migrated.writing() as connection:
        bring_up_to_date(connection)
        found = columns(connection)
    with new.writing() as connection:
        metadata.create_all(connection)
        wanted = columns(connection)
    for engine in (migrated, new):
        engine.dispose()
    assert found == wanted


def test_a_folder_from_before_is_counted_when_it_is_opened(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """What is there already, and groups found by their names."""
    engine = SqliteEngine(tmp_path / "old.db")
    with engine.writing() as connection:
        bring_up_to_date(connection, "0001")
        connection.exec_driver_sql("INSERT INTO account VALUES ('a', 'C1', 'n', 'a@b.test', 0, 0)")
        for key, parent, name in (("1", None, "Top"), ("2", "1", "STRASSE"), ("3", "1", "Straße")):
            connection.exec_driver_sql(
                "INSERT INTO directory_group (account_id, id, parent_id, name, source, system, created_at)"
                " VALUES ('a', ?, ?, ?, 'cloud', 0, 0)",
                (key, parent, name),
            )
    with engine.writing() as connection:
        bring_up_to_date(connection)
        assert counts(connection) == {
            ("directory_group", ""): 3,
            ("directory_group.parent_id", ""): 1,
            ("directory_group.parent_id", "1"): 2,
        }
        folded = connection.execute(select(group.c.folded).order_by(group.c.id)).scalars().all()
        assert folded == ["top", "strasse", "strasse"]
        put(connection, "a", "4", parent="1")
        assert counts(connection)["directory_group.parent_id", "1"] == 3
        assert connection.execute(select(func.count()).select_from(group)).scalar_one() == 4
    engine.dispose()
