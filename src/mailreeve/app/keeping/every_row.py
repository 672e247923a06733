"""Can every row of a database be read? Each table from end to end, and then as the server reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from sqlalchemy import Column, Table, func, select
from sqlalchemy.exc import DatabaseError

from mailreeve.families.directory.users import rows as users
from mailreeve.families.login.rows import application, binding
from mailreeve.families.registry import LOADERS
from mailreeve.families.tracking.rows import recorded
from mailreeve.families.web_zones.rows import web_zone_key
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower
from mailreeve.store.reading import NAMED, UNREADABLE, UnreadableRow
from mailreeve.store.schema import UNREADABLE_MOMENT, account, audit_event, metadata
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store, Work

AT_ONCE: Final = 1_000
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEALED: Final = {
    application: ("app_key", "old_app_key"),
    binding: ("secret_key", "old_secret_key"),
    web_zone_key: ("secret",),
}


class AccountRows(Struct, frozen=True):
    """What an account holds: how many rows of each table that has any."""

    code: str
    revision: int
    rows: dict[str, int]


class Read(Struct, frozen=True):
    """What came of reading all rows. `unreadable` are those that a server leaves out, the first of many;
    `sealed_wrongly` is how many stored keys do not open under the folder's."""

    accounts: tuple[AccountRows, ...]
    unreadable: tuple[UnreadableRow, ...]
    sealed_wrongly: int


def read_every_row(
    engine: SqliteEngine, vault: Vault | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Read:
    """Read all rows of an up-to-date database. Without a `vault` the stored keys are not opened."""
    store = Store(engine)
    with engine.reading() as connection:
        known = {row.id: (row.code, row.revision) for row in connection.execute(select(account))}
        tables = [table for table in metadata.sorted_tables if "account_id" in table.c]
        total = sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
        counts: dict[str, Counter[str]] = {key: Counter() for key in known}
        found: dict[tuple[str, str], UnreadableRow] = {}
        wrong = done = 0
        for table in tables:
            for row in _rows(connection.execution_options(yield_per=AT_ONCE).execute(select(table))):
                done += 1
                if not done % AT_ONCE:
                    progress(done, total)
                if row is None:
                    _note(found, table, "?", "the row cannot be fetched")
                    continue
                values = dict(zip(table.c.keys(), row, strict=True))
                owner = values["account_id"]
                if owner not in counts:
                    _note(found, table, _key(table, values), "it belongs to no account")
                    continue
                counts[owner][table.name] += 1
                why = next(filter(None, (_wrong(column, values[column.name]) for column in table.c)), "")
                if not why and table is audit_event:
                    why = _not_json(values["before"]) or _not_json(values["after"])
                if why:
                    _note(found, table, _key(table, values), why)
                elif vault is not None and table in _SEALED:
                    keys = filter(None, (values[name] for name in _SEALED[table]))
                    wrong += sum(not _opens(vault, key, owner) for key in keys)
        progress(total, total)
    for account_id in known:
        _as_the_server(store, account_id)
        for one in store.unreadable.of(account_id):
            found.setdefault((one.table, one.key), one)
    return Read(
        tuple(
            AccountRows(code, revision, dict(sorted(counts[key].items())))
            for key, (code, revision) in sorted(known.items(), key=lambda item: item[1])
        ),
        tuple(sorted(found.values())[:NAMED]),
        wrong,
    )


def _as_the_server(store: Store, account_id: str) -> None:
    """Make policies and outcomes of the rows, which notes those that it cannot."""
    Follower(store, LOADERS, ()).current(account_id)

    def others(work: Work) -> None:
        users.check(work)
        for _ in recorded(work, _BEGINNING):
            pass

    store.read(account_id, others)


def _rows(found: Any) -> Iterator[Any]:
    """The rows of a result, None for one that the driver cannot make values of."""
    rows = iter(found)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except DatabaseError:
            raise
        except UNREADABLE:
            # The driver hands out a thousand at once: those that came with it are gone.
            yield None
            return
        yield row


def _wrong(column: Column[Any], value: object) -> str:
    """What is wrong with a value, empty where nothing is."""
    if value is None:
        return "" if column.nullable else f"{column.name} is missing"
    if value == UNREADABLE_MOMENT:
        return f"{column.name} is no point in time"
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return ""
    return "" if isinstance(value, kind) else f"{column.name} is not of its type"


def _not_json(text: str | None) -> str:
    if text is None:
        return ""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return "a state in it is no JSON"
    return ""


def _opens(vault: Vault, sealed: bytes, account_id: str) -> bool:
    try:
        vault.open(sealed, account_id)
    except (InvalidTag, ValueError):
        return False
    return True


def _key(table: Table, values: dict[str, Any]) -> str:
    return "/".join(str(values[column.name]) for column in table.primary_key if column.name != "account_id")


def _note(found: dict[tuple[str, str], UnreadableRow], table: Table, key: str, why: str) -> None:
    if len(found) < NAMED:
        plain = ascii(key)[1:-1][:200]
        found.setdefault((table.name, plain), UnreadableRow(table.name, plain, why))
