"""Which decisions about web requests are kept? The table and its queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Index, Select, String, Table, Text, delete, func, or_, select

from mailreeve.families.machinery.latest import latest
from mailreeve.families.web_log.record import WebRecord
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.store.keys import least_key
from mailreeve.store.many import ManyRows
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

web_record: Final = Table(
    "web_record",
    metadata,
    account_column(),
    key_column(),
    Column("at", Moment, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("host", String(255), nullable=False),
    Column("user", Text, nullable=False),
    Column("client", String(45), nullable=False),
    Column("policy_id", KEY, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "account_id", "verdict", "id"),
    Index(None, "account_id", "host", "id"),
    Index(None, "account_id", "user", "id"),
)
"""Decisions. `document` is the `WebRecord` as JSON, the other columns are for finding it: `host` is the first 255
characters of it, `user` is without case."""

_ROW: Final = (
    512  # octets that a row takes besides its document: keys, the columns, and its entries in the indexes
)

READ_AT_ONCE: Final = 1_000

_records: Final = ManyRows(web_record)
_decode: Final = msgspec.json.Decoder(WebRecord).decode
_columns: Final = (web_record.c.id, web_record.c.document)
_one: Final = select(*_columns).where(ours(web_record), web_record.c.id == given("key"))
_delete_old: Final = delete(web_record).where(
    ours(web_record),
    web_record.c.id.in_(
        select(web_record.c.id)
        .where(ours(web_record), web_record.c.id < given("before"))
        .order_by(web_record.c.id)
        .limit(given("most"))
    ),
)


class Wanted(Struct, frozen=True):
    """What is asked for, in the store's terms; what is empty is not asked. `domain` is a host with all below it,
    `settled` leaves out what no list said anything about, `since` and `until` bound the time."""

    verdict: WebVerdict | None = None
    host: str = ""
    domain: str = ""
    user: str = ""
    client: str = ""
    policy_id: str = ""
    settled: bool = False
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False


def octets(record: WebRecord) -> int:
    """How many octets the row of a record takes, about."""
    return len(msgspec.json.encode(record)) + _ROW


def add(work: Work, records: Sequence[WebRecord]) -> None:
    """Keep records of this account."""
    _records.insert(
        work,
        [
            (
                work.account_id,
                one.id,
                datetime.fromtimestamp(one.at, UTC),
                one.verdict.value,
                one.host[:255],
                one.user.casefold(),
                one.client,
                one.policy_id,
                msgspec.json.encode(one).decode(),
            )
            for one in records
        ],
    )


def find(work: Work, key: str) -> WebRecord | None:
    """One record, or None."""
    return work.read_one(web_record.name, work.run(_one, {"key": key}).one_or_none(), _record)


def page(work: Work, asked: Asked, wanted: Wanted) -> Page[WebRecord]:
    """A page of the records that meet what is wanted, the newest first. A page may hold fewer than there are, and
    says then that there are more (`machinery.latest`)."""
    table = web_record.c
    start: Select[Any] = select(table.id).where(table.account_id == work.account_id)
    if wanted.since is not None:
        start = start.where(table.id >= least_key(wanted.since.timestamp()))
    if wanted.until is not None:
        start = start.where(table.id < least_key(wanted.until.timestamp()))
    tests: list[ColumnElement[bool]] = []
    if wanted.host:
        tests.append(table.host == wanted.host)
    if wanted.user:
        tests.append(table.user == wanted.user.casefold())
    if wanted.verdict is not None:
        tests.append(table.verdict == wanted.verdict)
    # The first of these has an index that is in the order of the keys; the others narrow what that finds.
    within = start.where(tests[0]) if tests else start
    more = tests[1:]
    if wanted.domain:
        more.append(or_(table.host == wanted.domain, table.host.endswith(f".{wanted.domain}", autoescape=True)))
    if wanted.client:
        more.append(table.client == wanted.client)
    if wanted.policy_id:
        more.append(table.policy_id == wanted.policy_id)
    if wanted.settled:
        more.append(table.policy_id != "")
    narrowed = within.where(*more) if more else None
    found = latest(work, asked, table.id, within, narrowed, oldest_first=wanted.oldest_first)
    query = select(*_columns).where(table.account_id == work.account_id, table.id.in_(list(found.rows)))
    by_key = {one.id: one for one in work.read(web_record.name, work.run(query), _record)}
    return found.showing([by_key[key] for key in found.rows if key in by_key])


def since(work: Work, moment: datetime, most: int | None = None) -> Iterator[WebRecord]:
    """The records since then, the newest first, read while it is asked for."""
    query = (
        select(*_columns)
        .where(web_record.c.account_id == work.account_id, web_record.c.id >= least_key(moment.timestamp()))
        .order_by(web_record.c.id.desc())
        .limit(most)
    )
    yield from work.read(web_record.name, work.execute(query.execution_options(yield_per=READ_AT_ONCE)), _record)


def count_since(work: Work, moment: datetime) -> int:
    """How many records there are since then."""
    query = (
        select(func.count())
        .select_from(web_record)
        .where(web_record.c.account_id == work.account_id, web_record.c.id >= least_key(moment.timestamp()))
    )
    number: int = work.execute(query).scalar_one()
    return number


def forget(work: Work, before: datetime, most: int) -> int:
    """Remove what is older, at most so many. The number."""
    return work.run(_delete_old, {"before": least_key(before.timestamp()), "most": most}).rowcount


def _record(row: Sequence[Any]) -> WebRecord:
    return _decode(row[1])
