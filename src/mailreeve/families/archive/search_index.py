"""By which words is a message found? The index of texts: an interface, and how SQLite fills it.

The index stands beside the rows and is made of them: what is in it can be made anew, and a message that is removed
is removed from it by the database itself, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy import DDL, ColumnElement, Select, bindparam, column, event, insert, select, table

from mailreeve.families.archive import rows
from mailreeve.families.archive.rows import archived_message
from mailreeve.store.keys import least_key
from mailreeve.store.records import given
from mailreeve.store.transactions import Work

COLUMNS: Final = ("sender", "recipients", "subject", "body", "files")
"""What is searched, as the fields of queries are called."""

TABLE: Final = "archive_text"


class Words(Struct, frozen=True):
    """What a message is found by. `files` are the names of its files, and what those say that are read."""

    sender: str
    recipients: str
    subject: str
    body: str
    files: str


class Term(Struct, frozen=True):
    """Words that follow one another, in any case: in one of these columns, or in any. `excluded` says that they
    are not there."""

    words: str
    columns: tuple[str, ...] = ()
    excluded: bool = False


Group = tuple[tuple[Term, ...], ...]
"""Alternatives, each of which is some terms."""


class Sought(Struct, frozen=True):
    """What is searched for. Of each group one alternative is met, and each term of that; without groups all are.
    `since` and `until` are POSIX seconds, and about when a message was kept; `within` are mailboxes of which one
    has it."""

    groups: tuple[Group, ...] = ()
    since: float | None = None
    until: float | None = None
    within: tuple[rows.Stretch, ...] | None = None


class SearchIndex(Protocol):
    """Finds messages of an account by their words. Every method is bound to the account of its transaction."""

    def add(self, work: Work, key: str, words: Words) -> int:
        """Take in a message, by its key. Its place in the index, which its row refers to."""
        ...

    def find(self, work: Work, sought: Sought, most: int, skip: int = 0) -> list[str]:
        """The keys of the messages that were searched for, the newest first."""
        ...

    def find_from(self, work: Work, sought: Sought, start: str, back: bool, most: int) -> list[str]:
        """The same from a place on, see `listing.Fetch`."""
        ...


class SqliteIndex:
    """FTS5. A place is made of the key, and is greater for a later one: so the newest come first, and a range of
    time is a range of places, without looking at others."""

    def add(self, work: Work, key: str, words: Words) -> int:
        place = _place(key)
        while work.run(_taken, {"place": place}).first() is not None:
            place += 1  # Two processes made a key in the same quarter of a microsecond.
        work.insert(_insert, {"rowid": place, "key": key, **msgspec.structs.asdict(words)})
        return place

    def find(self, work: Work, sought: Sought, most: int, skip: int = 0) -> list[str]:
        return self._find(work, sought, "", False, most, skip)

    def find_from(self, work: Work, sought: Sought, start: str, back: bool, most: int) -> list[str]:
        return self._find(work, sought, start, back, most, 0)

    def _find(self, work: Work, sought: Sought, start: str, back: bool, most: int, skip: int) -> list[str]:
        match = _match(work.account_id, sought)
        key: ColumnElement[Any] = archived_message.c.id if match is None else _text.c.key
        order: ColumnElement[Any] = key if match is None else _text.c.rowid
        query = rows.keys_of_all() if match is None else _matching

        def point(at: str) -> str | int:
            return at if match is None else _place(at)

        if sought.since is not None:
            query = query.where(order >= point(least_key(sought.since)))
        if sought.until is not None:
            query = query.where(order < point(least_key(sought.until)))
        if start:
            query = query.where(order >= point(start) if back else order < point(start))
        if sought.within is not None:
            query = query.where(rows.lies_in(key, sought.within))
        query = query.order_by(order if back else order.desc()).limit(most).offset(skip)
        return list(work.run(query, {} if match is None else {"wanted": match}).scalars())


_text: Final = table(TABLE, *(column(name) for name in ("rowid", "key", "account_id", *COLUMNS)))
_insert: Final = insert(_text)
_matching: Final[Select[Any]] = select(_text.c.key).where(column(TABLE).op("MATCH")(bindparam("wanted")))
_taken: Final = select(_text.c.rowid).where(_text.c.rowid == given("place"))

CREATE: Final = (
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
    f"(key UNINDEXED, account_id, {', '.join(COLUMNS)}, tokenize = 'unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER {TABLE}_removed AFTER DELETE ON archived_message WHEN OLD.place IS NOT NULL "  # noqa: S608
    f"BEGIN DELETE FROM {TABLE} WHERE rowid = OLD.place; END",
)
"""What makes the index. `migrations` say the same."""

for _statement in CREATE:
    event.listen(
        archived_message,
        "after_create",
        DDL(_statement).execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]
    )


def _place(key: str) -> int:
    """The place of a key: its time, which no other key of the process has, and some of its random bits, in 63."""
    ticks = int(key[:12], 16) * 4096 + int(key[13:16], 16)
    return ticks << 9 | int(key[-3:], 16) & 0x1FF


def _match(account_id: str, sought: Sought) -> str | None:
    """The query in the language of FTS5, None where no words are searched for. All words stand in it quoted."""
    parts = [part for group in sought.groups if (part := _any_of(account_id, group))]
    return " AND ".join(f"({part})" for part in parts) or None


def says_nothing(alternatives: Sequence[Sequence[Term]]) -> bool:
    """Whether every message meets it, since there is no word to look for in it, or in one of its alternatives."""
    return not alternatives or not all(map(_words, alternatives))


def _words(terms: Sequence[Term]) -> list[Term]:
    return [term for term in terms if any(character.isalnum() for character in term.words)]


def _any_of(account_id: str, alternatives: Sequence[Sequence[Term]]) -> str:
    found: list[str] = []
    for terms in alternatives:
        said = _words(terms)
        if not said:
            return ""  # An alternative that says nothing is met by all.
        wanted = " AND ".join(
            [f"account_id : {_quoted(account_id)}", *(_in_columns(t) for t in said if not t.excluded)]
        )
        for term in said:
            if term.excluded:
                wanted = f"({wanted}) NOT {_in_columns(term)}"
        found.append(f"({wanted})")
    return " OR ".join(found)


def _in_columns(term: Term) -> str:
    return f"{{{' '.join(term.columns or COLUMNS)}}} : {_quoted(term.words)}"


def _quoted(words: str) -> str:
    doubled = words.replace("\0", " ").replace('"', '""')
    return f'"{doubled}"'


INDEX: Final[SearchIndex] = SqliteIndex()
