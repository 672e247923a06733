"""Which web lists does an account have? Their tables and queries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import (
    Boolean,
    Column,
    CursorResult,
    ForeignKeyConstraint,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    update,
)

from mailreeve.families.machinery.pages import Listing, Stretch
from mailreeve.policy.model.policies import Changes, Scope, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.store.changes import Name
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import keys_of, stream, stream_named
from mailreeve.store.records import given, maker, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire import policy_object
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.policy_object import PolicyDocument

web_policy: Final = Table(
    "web_policy",
    metadata,
    account_column(),
    key_column(),
    Column("description", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("default_deny", Boolean, nullable=False, default=False, server_default=false()),
    Index(None, "account_id", "default_deny", "id"),
)
"""`default_deny` says that the list blocks whatever no entry speaks of. No call of the live service knows it."""

web_target: Final = Table(
    "web_target",
    metadata,
    account_column(),
    key_column(),
    Column("policy_id", KEY, nullable=False),
    Column("position", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("locations", Text, nullable=False, default="", server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "policy_id"], ["web_policy.account_id", "web_policy.id"]),
    Index(None, "account_id", "policy_id", "position"),
)
"""For whom a list holds. `document` is a `PolicyDocument` as JSON; `locations` are the keys of the locations that
it is bound to, with a comma between them."""

web_entry: Final = Table(
    "web_entry",
    metadata,
    account_column(),
    key_column(),
    Column("policy_id", KEY, nullable=False),
    Column("position", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("type", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("shown", Text, nullable=False),
    ForeignKeyConstraint(["account_id", "policy_id"], ["web_policy.account_id", "web_policy.id"]),
    Index(None, "account_id", "policy_id", "position"),
)
"""What a list names. `value` is what decisions compare, `shown` what answers say.

`value` has no unique index: a URL may be longer than what databases index. `contents.py` sees to it."""

_count: Final = Counted(web_policy)

MAX_KEYS_NAMED: Final = 500  # From here on reading all is cheaper than naming each.

_TYPES: Final = {type_.value: type_ for type_ in WebEntryType}
_ACTIONS: Final = {action.value: action for action in WebAction}
_decode: Final = msgspec.json.Decoder(PolicyDocument).decode


class TargetRow(Struct, frozen=True):
    """One target of a list."""

    id: str
    document: PolicyDocument
    locations: str
    created_at: datetime
    updated_at: datetime

    @property
    def location_ids(self) -> tuple[str, ...]:
        """The locations that it is bound to; without any it holds anywhere."""
        return tuple(self.locations.split(",")) if self.locations else ()


class EntryRow(Struct, frozen=True):
    """One domain or URL of a list."""

    id: str
    action: WebAction
    type: WebEntryType
    value: str
    shown: str


Part = TypeVar("Part", TargetRow, EntryRow)
T = TypeVar("T")


class WebPolicyRow(Struct, frozen=True, omit_defaults=True):
    """A list as the store keeps it, targets and entries in the order in which they were written."""

    id: str
    description: str
    targets: tuple[TargetRow, ...]
    entries: tuple[EntryRow, ...]
    created_at: datetime
    updated_at: datetime
    default_deny: bool = False

    def group_keys(self) -> frozenset[str]:
        """The groups that the targets name."""
        return frozenset[str]().union(*(target.document.group_keys() for target in self.targets))

    def location_ids(self) -> frozenset[str]:
        """The locations that the targets are bound to."""
        return frozenset(key for target in self.targets for key in target.location_ids)


_keys: Final = Listing(
    select(web_policy.c.id).where(ours(web_policy)), web_policy.c.id, lambda row: str(row[0]), all_at_once=True
)


def page_of_keys(work: Work, asked: Asked) -> Page[str]:
    """A page of the keys of all lists, in order, or all of them when no page was asked for."""
    return _keys.page(work, asked, lambda: total(work))


_denying: Final = Listing(
    select(web_policy.c.id).where(ours(web_policy), web_policy.c.default_deny),
    web_policy.c.id,
    lambda row: str(row[0]),
    all_at_once=True,
)
_count_denying: Final = (
    select(func.count()).select_from(web_policy).where(ours(web_policy), web_policy.c.default_deny)
)


def page_of_denying(work: Work, asked: Asked) -> Page[str]:
    """The same of the lists with a default deny."""
    return _denying.page(work, asked, lambda: int(work.run(_count_denying).scalar_one()))


def total(work: Work) -> int:
    """How many lists there are."""
    return _count.total(work)


def keys_after(work: Work, place: str, most: int) -> Stretch[str]:
    """The keys of the next lists after a key, in order."""
    return _keys.after(work, place, most)


def keys_up_to(work: Work, place: str, most: int) -> Stretch[str]:
    """The keys of the lists up to a key and with it, the last one first."""
    return _keys.up_to(work, place, most)


_policies: Final = select(
    web_policy.c.id,
    web_policy.c.description,
    web_policy.c.created_at,
    web_policy.c.updated_at,
    web_policy.c.default_deny,
).where(ours(web_policy))
_targets: Final = select(
    web_target.c.id,
    web_target.c.document,
    web_target.c.locations,
    web_target.c.created_at,
    web_target.c.updated_at,
    web_target.c.policy_id,
).where(ours(web_target))
_entries: Final = select(
    web_entry.c.id,
    web_entry.c.action,
    web_entry.c.type,
    web_entry.c.value,
    web_entry.c.shown,
    web_entry.c.policy_id,
).where(ours(web_entry))


class _Chosen:
    """The rows of some lists in order; of very many lists those of all, which is cheaper than naming each."""

    def __init__(self, query: Select[Any], policy_id: Column[str], *order: Column[Any]) -> None:
        self._every = query.order_by(policy_id, *order)
        self._some = self._every.where(policy_id.in_(bindparam("keys", expanding=True)))

    def rows(self, work: Work, wanted: Sequence[str]) -> CursorResult[*tuple[Any, ...]]:
        """Those of these lists; of others as well where they are many."""
        if len(wanted) > MAX_KEYS_NAMED:
            return work.run(self._every)
        return work.run(self._some, {"keys": list(wanted)})


_chosen_policies: Final = _Chosen(_policies, web_policy.c.id)
_chosen_targets: Final = _Chosen(_targets, web_target.c.policy_id, web_target.c.position)
_chosen_entries: Final = _Chosen(_entries, web_entry.c.policy_id, web_entry.c.position)


def named(work: Work, descriptions: Sequence[str]) -> dict[str, list[str]]:
    """From each of these descriptions that a list has to the keys of the lists that have it."""
    found: dict[str, list[str]] = {}
    for key, description, *_ in stream_named(work, _policies, web_policy.c.description, descriptions):
        found.setdefault(description, []).append(key)
    return found


def read(work: Work, wanted: Sequence[str]) -> list[WebPolicyRow]:
    """The lists with these keys, oldest first; those that do not exist are left out."""
    if not wanted:
        return []
    chosen = frozenset(wanted)
    targets = _by_list(work, web_target, _chosen_targets.rows(work, wanted), maker(TargetRow))
    entries = _by_list(work, web_entry, _chosen_entries.rows(work, wanted), maker(EntryRow))
    found = _chosen_policies.rows(work, wanted)
    return list(
        work.read(
            web_policy.name,
            (row for row in found if row.id in chosen),
            lambda row: WebPolicyRow(
                row[0], row[1], tuple(targets.get(row[0], ())), tuple(entries.get(row[0], ())), *row[2:]
            ),
        )
    )


def _by_list(
    work: Work, table: Table, rows: Iterable[Sequence[Any]], make: Callable[[Sequence[Any]], T]
) -> dict[str, list[T]]:
    """What is made of the rows, by the lists whose keys are their last columns."""
    return {
        policy_id: list(work.read(table.name, (row[:-1] for row in several), make))
        for policy_id, several in groupby(rows, key=lambda row: row[-1])
    }


def find(work: Work, key: str) -> WebPolicyRow | None:
    """One list, or None."""
    found = read(work, [key])
    return found[0] if found else None


_naming: Final = (
    select(web_target.c.policy_id)
    .where(ours(web_target), func.instr(web_target.c.document, given("text")) > 0)
    .distinct()
    .order_by(web_target.c.policy_id)
)


def naming(work: Work, name: str) -> list[WebPolicyRow]:
    """The lists of which a target names an address, by its key, or a domain, oldest first. No index finds them:
    all targets are gone through in the database."""
    keys = list(work.run(_naming, {"text": policy_object.naming(name)}).scalars())
    return [row for row in read(work, keys) if any(target.document.names(name) for target in row.targets)]


_count_entries: Final = (
    select(func.count()).select_from(web_entry).where(ours(web_entry), web_entry.c.policy_id != given("outside"))
)
_insert_policy: Final = insert(web_policy)
_insert_targets: Final = insert(web_target)
_insert_entries: Final = insert(web_entry)
_update_policy: Final = (
    update(web_policy)
    .where(ours(web_policy), web_policy.c.id == given("key"))
    .values(description=given("new_description"), updated_at=given("now"))
)
_set_default_deny: Final = (
    update(web_policy)
    .where(ours(web_policy), web_policy.c.id == given("key"))
    .values(default_deny=given("on"), updated_at=given("now"))
)
_removals: Final = (
    *(delete(table).where(ours(table), table.c.policy_id == given("key")) for table in (web_entry, web_target)),
    delete(web_policy).where(ours(web_policy), web_policy.c.id == given("key")),
)


def count_entries(work: Work, *, outside: str = "") -> int:
    """How many entries the account's lists hold together, apart from those of the list `outside`."""
    count: int = work.run(_count_entries, {"outside": outside}).scalar_one()
    return count


def new_target(work: Work, document: PolicyDocument, locations: str = "") -> TargetRow:
    """A target that no list holds yet."""
    return TargetRow(new_key(), document, locations, work.now, work.now)


def add(work: Work, description: str, targets: Sequence[TargetRow], entries: Sequence[EntryRow]) -> WebPolicyRow:
    """A new list."""
    row = WebPolicyRow(new_key(), description, tuple(targets), tuple(entries), work.now, work.now)
    values = {"id": row.id, "description": description, "created_at": work.now, "updated_at": work.now}
    work.insert(_insert_policy, values)
    _write_targets(work, row.id, (), row.targets)
    _write_entries(work, row.id, (), row.entries)
    return row


def replace(
    work: Work, old: WebPolicyRow, description: str, targets: Sequence[TargetRow], entries: Sequence[EntryRow]
) -> WebPolicyRow:
    """The list with other contents. Only rows that differ are written."""
    row = WebPolicyRow(
        old.id, description, tuple(targets), tuple(entries), old.created_at, work.now, old.default_deny
    )
    work.run(_update_policy, {"key": row.id, "new_description": description, "now": row.updated_at})
    _write_targets(work, row.id, old.targets, row.targets)
    _write_entries(work, row.id, old.entries, row.entries)
    return row


def insert_again(work: Work, row: WebPolicyRow) -> None:
    """A list that was there before, with all its ids."""
    values = {
        name: getattr(row, name) for name in ("id", "description", "created_at", "updated_at", "default_deny")
    }
    work.insert(_insert_policy, values)
    _write_targets(work, row.id, (), row.targets)
    _write_entries(work, row.id, (), row.entries)


def set_default_deny(work: Work, old: WebPolicyRow, on: bool) -> WebPolicyRow:
    """The list with its default deny on or off."""
    row = msgspec.structs.replace(old, default_deny=on, updated_at=work.now)
    work.run(_set_default_deny, {"key": row.id, "on": on, "now": row.updated_at})
    return row


def remove(work: Work, key: str) -> None:
    """Remove a list with all that it holds."""
    for statement in _removals:
        work.run(statement, {"key": key})


def load(work: Work) -> Iterator[WebPolicy]:
    """The lists as decisions see them."""
    return _lists(work, None)


def load_some(work: Work, names: Collection[Name]) -> Changes[WebPolicy]:
    """What has become of these lists."""
    keys = keys_of(names)
    put = tuple(_lists(work, keys))
    return Changes(put, frozenset(keys).difference(policy.id for policy in put))


def _lists(work: Work, keys: Sequence[str] | None) -> Iterator[WebPolicy]:
    """The lists with these keys, or all."""
    policies, targets, entries = web_policy.c, web_target.c, web_entry.c

    def read(table: Table, query: Select[Any], key: Column[str], make: Callable[[Any], T]) -> Iterator[T]:
        if keys is None:
            work.unreadable.forget(work.account_id, table.name)
        rows = stream(work, query) if keys is None else stream_named(work, query, key, keys)
        return work.read(table.name, rows, make)

    scopes: dict[str, list[Scope]] = {}
    located: dict[str, list[tuple[str, ...]]] = {}
    for policy_id, scope, locations in read(
        web_target,
        select(targets.id, targets.policy_id, targets.document, targets.locations)
        .where(targets.account_id == work.account_id)
        .order_by(targets.policy_id, targets.position),
        targets.policy_id,
        lambda row: (row[1], _decode(row[2]).scope(), tuple(row[3].split(",")) if row[3] else ()),
    ):
        scopes.setdefault(policy_id, []).append(scope)
        located.setdefault(policy_id, []).append(locations)
    held: dict[str, list[WebEntry]] = {}
    for policy_id, entry in read(
        web_entry,
        select(entries.id, entries.policy_id, entries.type, entries.value, entries.action)
        .where(entries.account_id == work.account_id)
        .order_by(entries.policy_id, entries.position),
        entries.policy_id,
        lambda row: (row[1], WebEntry(row[0], _TYPES[row[2]], row[3], _ACTIONS[row[4]])),
    ):
        held.setdefault(policy_id, []).append(entry)
    yield from read(
        web_policy,
        select(policies.id, policies.description, policies.default_deny)
        .where(policies.account_id == work.account_id)
        .order_by(policies.id),
        policies.id,
        lambda row: WebPolicy(
            id=row[0],
            description=row[1],
            scopes=tuple(scopes.get(row[0], ())),
            entries=tuple(held.get(row[0], ())),
            created=made_at(row[0]),
            located=tuple(located[row[0]]) if any(located.get(row[0], ())) else (),
            default_deny=row[2],
        ),
    )


def _write_targets(work: Work, policy_id: str, old: Sequence[TargetRow], new: Sequence[TargetRow]) -> None:
    fresh = _clear_stale(work, web_target, old, new)
    values: list[dict[str, object]] = [
        {
            "account_id": work.account_id,
            "id": row.id,
            "policy_id": policy_id,
            "position": position,
            "document": msgspec.json.encode(row.document).decode(),
            "locations": row.locations,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
        for position, row in fresh
    ]
    work.insert_many(_insert_targets, values)


def _write_entries(work: Work, policy_id: str, old: Sequence[EntryRow], new: Sequence[EntryRow]) -> None:
    fresh = _clear_stale(work, web_entry, old, new)
    values: list[dict[str, object]] = [
        {
            "account_id": work.account_id,
            "id": row.id,
            "policy_id": policy_id,
            "position": position,
            "action": row.action,
            "type": row.type,
            "value": row.value,
            "shown": row.shown,
        }
        for position, row in fresh
    ]
    work.insert_many(_insert_entries, values)


def _clear_stale(work: Work, table: Table, old: Sequence[Part], new: Sequence[Part]) -> list[tuple[int, Part]]:
    """Delete the rows that are gone, changed or moved; what is then to be inserted, with its position."""
    before = {row.id: (position, row) for position, row in enumerate(old)}
    after = {row.id: (position, row) for position, row in enumerate(new)}
    stale: list[dict[str, object]] = [{"stale": key} for key, place in before.items() if after.get(key) != place]
    statement = delete(table).where(table.c.account_id == work.account_id, table.c.id == bindparam("stale"))
    work.insert_many(statement, stale)
    return [place for key, place in after.items() if before.get(key) != place]
