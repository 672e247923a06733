"""When was each key used last, and from where? Kept in memory, and written now and then.

Calls are many, and each would cost a commit. So uses are noted here, the last one of each key, and written once a
minute and when the server stops: the store is at most that far behind. It is no change of the account: it takes no
revision, and no audit row.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import datetime
from functools import partial
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Table, Update, or_, update

from mailreeve.access.caller import Origin
from mailreeve.families.login.rows import APPLICATION, BINDING, application, binding
from mailreeve.store.records import given, ours
from mailreeve.store.transactions import Store, Work

MOST: Final = 100_000  # keys whose use is remembered until it is written
TOGETHER: Final = 500  # keys whose use is written in one transaction


class LastUse(Struct, frozen=True):
    """A use of a key: when, and the address that it came from."""

    at: datetime
    source: str


def _later(table: Table) -> Update:
    """Of several processes the one that saw the key last is right."""
    return (
        update(table)
        .where(
            ours(table),
            table.c.id == given("key"),
            or_(table.c.last_used_at.is_(None), table.c.last_used_at < given("at")),
        )
        .values(last_used_at=given("at"), last_used_from=given("source"))
    )


_STATEMENTS: Final = {APPLICATION: _later(application), BINDING: _later(binding)}
_Place = tuple[str, str]  # kind and key


class LastUses:
    """The uses that are not written yet. Threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uses: dict[tuple[str, str, str], LastUse] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def note(self, account_id: str, kind: str, key: str, at: datetime, source: str) -> None:
        """A binding or an application was used. Nearly free."""
        place = (account_id, kind, key)
        with self._lock:
            if place in self._uses or len(self._uses) < MOST:
                self._uses[place] = LastUse(at, source)

    def write(self) -> int:
        """Write what was noted since; how many keys were used. It blocks on the database. What cannot be written
        is noted again, unless the key has been used since."""
        with self._writing:
            with self._lock:
                uses, self._uses = self._uses, {}
            try:
                by_account: defaultdict[str, list[tuple[_Place, LastUse]]] = defaultdict(list)
                for (account_id, kind, key), use in uses.items():
                    by_account[account_id].append(((kind, key), use))
                for account_id, found in by_account.items():
                    for start in range(0, len(found), TOGETHER):
                        some = found[start : start + TOGETHER]
                        self._store.write(account_id, Origin(""), partial(_write, some))
            except BaseException:
                with self._lock:
                    self._uses = uses | self._uses
                raise
            return len(uses)


def _write(some: list[tuple[_Place, LastUse]], work: Work) -> None:
    for (kind, key), use in some:
        values: dict[str, Any] = {"key": key, "at": use.at, "source": use.source[:45]}
        work.run(_STATEMENTS[kind], values)
