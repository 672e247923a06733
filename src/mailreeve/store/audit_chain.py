"""Was the audit log left as it was written? Each row has a digest over its content and the digest before it.

So a row that is changed, removed, put in or moved breaks the chain from there on; the account holds the digest of
its newest row, which tells of rows removed at the end. Whoever can write to the database can compute the chain
anew: what proves that nobody did is a digest that was noted elsewhere (ADR 0083).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from mailreeve.store.schema import account, audit_event, microseconds

START: Final = ""  # what stands before the first row
CONTENT: Final = (
    *("account_id", "id", "at", "revision", "actor", "application", "app_id", "acting_for", "source_ip"),
    *("request_id", "action", "object_kind", "object_id", "before", "after"),
)
"""The columns that a digest is over, in this order. It never changes, so that older digests hold."""

_READ_AT_ONCE: Final = 1_000
_encode: Final = msgspec.json.Encoder().encode
_ROWS: Final = (
    select(*(audit_event.c[name] for name in CONTENT), audit_event.c.digest)
    .where(audit_event.c.account_id == bindparam("account"), audit_event.c.id > bindparam("after"))
    .order_by(audit_event.c.id)
    .limit(_READ_AT_ONCE)
)
_HEAD: Final = select(account.c.audit_head).where(account.c.id == bindparam("account"))


class Broken(Struct, frozen=True):
    """Where the chain breaks: the key of the row that does not follow from the one before it, empty where the
    newest rows are missing."""

    key: str
    why: str


class Checked(Struct, frozen=True):
    """What was found: how many rows, the digest of the newest, and where the chain breaks, the first of many."""

    rows: int
    head: str
    broken: tuple[Broken, ...]


MOST_BROKEN: Final = 20


def digest(previous: str, values: Sequence[object]) -> str:
    """The digest of a row, SHA-256 in hexadecimal: over the one before it and the values of `CONTENT`, moments as
    the microseconds that the database holds."""
    plain = [microseconds(value) if isinstance(value, datetime) else value for value in values]
    return hashlib.sha256(_encode([previous, *plain])).hexdigest()


def chained(previous: str, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """The rows, in their order, each with its digest."""
    found: list[dict[str, object]] = []
    for row in rows:
        previous = digest(previous, [row[name] for name in CONTENT])
        found.append({**row, "digest": previous})
    return found


def check(connection: Connection, account_id: str, known: str = "") -> Checked:
    """Go through the account's audit log from its first row to its last. `known` is a digest that was noted
    before: a row has to have it still."""
    previous, after, number = START, "", 0
    broken: list[Broken] = []
    is_known = known == START
    while True:
        rows = connection.execute(_ROWS, {"account": account_id, "after": after}).all()
        for row in rows:
            *values, there = row
            after = row.id
            number += 1
            if digest(previous, values) != there and len(broken) < MOST_BROKEN:
                broken.append(Broken(after, "it does not follow from what stands before it"))
            # From here on by what is there: one row that was changed is told once.
            previous = there
            is_known = is_known or there == known
        if len(rows) < _READ_AT_ONCE:
            break
    head = connection.execute(_HEAD, {"account": account_id}).scalar_one()
    if head != previous:
        broken.append(
            Broken("", "the newest row is not the one that the account names: rows at the end are missing")
        )
    if not is_known:
        broken.append(Broken("", "no row has the digest that was noted: the log was written anew"))
    return Checked(number, head, tuple(broken))
