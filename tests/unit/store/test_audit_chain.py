"""Whoever changes, removes, puts in or moves a row of the audit log is found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from mailreeve.store import audit_chain
from mailreeve.store.audit_chain import Checked
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.migrations import bring_up_to_date
from mailreeve.store.schema import audit_event
from mailreeve.store.transactions import Store, Work, Write

ONE = "1" * 32


def write(store: Store, things, *keys: str) -> None:
    """One transaction for each key, all of them together."""

    def noted(key: str):
        def transaction(work: Work) -> None:
            work.changed(None, "create", "thing", key, after={"name": f"{key} ü \u2028\n"})
            work.changed(None, "update", "thing", key, before={"name": key}, after=None)

        return transaction

    store.write_together([Write(ONE, things.origin, noted(key)) for key in keys])


def checked(store: Store, known: str = "") -> Checked:
    """What is found now."""
    return store.look_up(lambda connection: audit_chain.check(connection, ONE, known))


def rows(store: Store) -> list[dict[str, object]]:
    """The rows, oldest first."""
    query = select(audit_event).where(audit_event.c.account_id == ONE).order_by(audit_event.c.id)
    return [dict(row) for row in store.look_up(lambda connection: connection.execute(query).mappings().all())]


def test_what_is_written_follows_from_what_was(store: Store, things, path: Path) -> None:
    """Single writes, several in one transaction, and those of another process, in turn."""
    write(store, things, "a")
    write(store, things, "b", "c", "d")
    elsewhere = SqliteEngine(path)
    write(Store(elsewhere), things, "e")
    elsewhere.dispose()
    write(store, things, "f")
    found = checked(store)
    assert (found.rows, found.broken) == (12, ())
    assert found.head == rows(store)[-1]["digest"]


@pytest.mark.parametrize("column", audit_chain.CONTENT[2:])
def test_a_changed_row_is_found(store: Store, things, engine: SqliteEngine, column: str) -> None:
    """Whatever of it is another; and it alone, since the rows after it follow from what it says."""
    write(store, things, "a", "b", "c")
    row = rows(store)[2]
    new = text("7") if column in ("at", "revision") else "another"
    with engine.writing() as connection:
        connection.execute(update(audit_event).where(audit_event.c.id == row["id"]).values({column: new}))
    assert [one.key for one in checked(store).broken] == [row["id"]]


def test_a_removed_row_is_found(store: Store, things, engine: SqliteEngine) -> None:
    """At the row that came after it; the last ones by what the account says."""
    write(store, things, "a", "b")
    *_, third, last = rows(store)
    with engine.writing() as connection:
        connection.execute(delete(audit_event).where(audit_event.c.id == third["id"]))
    assert [one.key for one in checked(store).broken] == [last["id"]]
    with engine.writing() as connection:
        connection.execute(delete(audit_event).where(audit_event.c.id == last["id"]))
    (broken,) = checked(store).broken
    assert (broken.key, "missing" in broken.why) == ("", True)


def test_a_row_that_was_put_in_is_found(store: Store, things, engine: SqliteEngine) -> None:
    """Even one with a digest that follows from the row before it: the next one does not."""
    write(store, things, "a", "b")
    first, second, *_ = rows(store)
    forged = {**first, "id": f"{int(str(first['id']), 16) + 1:032x}"}
    (forged,) = audit_chain.chained(str(first["digest"]), [forged])
    with engine.writing() as connection:
        connection.execute(insert(audit_event), [forged])
    assert [one.key for one in checked(store).broken] == [second["id"]]


def test_rows_that_changed_places_are_found(store: Store, things, engine: SqliteEngine) -> None:
    """Two rows whose contents are exchanged, digests and all."""
    write(store, things, "a", "b")
    first, second, *_ = rows(store)
    with engine.writing() as connection:
        for here, there in ((first, second), (second, first)):
            content = {name: value for name, value in there.items() if name not in ("account_id", "id")}
            connection.execute(update(audit_event).where(audit_event.c.id == here["id"]).values(content))
    assert checked(store).broken


def test_a_log_that_is_written_anew_lacks_a_digest_that_was_noted(
    store: Store, things, engine: SqliteEngine
) -> None:
    """All digests computed anew hold together, but one that somebody has noted is not among them."""
    write(store, things, "a", "b")
    noted = checked(store).head
    write(store, things, "c")
    assert not checked(store, noted).broken
    forged = [{**row, "actor": "nobody"} for row in rows(store)]
    forged = audit_chain.chained(audit_chain.START, forged)
    with engine.writing() as connection:
        connection.execute(delete(audit_event))
        connection.execute(insert(audit_event), forged)
        connection.execute(
            text("UPDATE account SET audit_head = :head WHERE id = :id"), {"head": forged[-1]["digest"], "id": ONE}
        )
    assert not checked(store).broken
    assert checked(store, noted).broken


def test_what_was_there_before_is_chained(tmp_path: Path) -> None:
    """A database of the version before digests has them after it is brought up to date, whatever its rows say."""
    engine = SqliteEngine(tmp_path / "old.db")
    with engine.writing() as connection:
        bring_up_to_date(connection, "0027")
        connection.execute(
            text(
                "INSERT INTO account (id, code, name, admin_email, revision, created_at)"
                " VALUES (:id, 'C', '', '', 3, 1)"
            ),
            {"id": ONE},
        )
        for n in range(3):
            connection.execute(
                text(
                    "INSERT INTO audit_event (account_id, id, at, revision, actor, acting_for, source_ip,"
                    " request_id, action, object_kind, object_id, before, after)"
                    " VALUES (:account, :id, :n, :n, :actor, '', '', '', 'create', 'thing', 'k', NULL, :after)"
                ),
                {
                    "account": ONE,
                    "id": f"{n:032x}",
                    "n": n,
                    "actor": 'ü\x01\x7f\u2028"/\\',
                    "after": '{"a": "\n"}',
                },
            )
        bring_up_to_date(connection)
        found = audit_chain.check(connection, ONE)
    engine.dispose()
    assert (found.rows, found.broken) == (3, ())
