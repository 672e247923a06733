"""Tables whose rows are found, inserted, replaced and deleted by account and key.

A family declares its table once and says what its rows are: a struct whose members are the columns after
`account_id`, in their order. What every table needs is here, bound to the account of the transaction; what a
family adds binds itself with `ours`. Statements are built once; to build one costs more than to run it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from mailreeve.store.transactions import ACCOUNT, Work

R = TypeVar("R", bound=Struct)
Make = Callable[[Sequence[Any]], R]


def ours(table: Table) -> ColumnElement[bool]:
    """The condition that a row belongs to the account of the transaction that asks (`Work.run`)."""
    return table.c.account_id == bindparam(ACCOUNT)


def given(name: str) -> BindParameter[Any]:
    """What a statement is told each time it runs, by keyword. The name is none of the table's columns: those are
    SQLAlchemy's own in an update."""
    return bindparam(name)


class Query(Generic[R]):
    """A question that is asked again and again: the rows that meet some conditions."""

    def __init__(self, table: str, statement: Select[Any], make: Make[R]) -> None:
        self._table = table
        self.statement: Final = statement
        self._make = make

    def one(self, work: Work, **parameters: object) -> R | None:
        """The only row, or None; None as well where it cannot be read."""
        return work.read_one(self._table, work.run(self.statement, parameters).one_or_none(), self._make)

    def every(self, work: Work, **parameters: object) -> list[R]:
        """All rows but those that cannot be read."""
        return list(self.stream(work, **parameters))

    def stream(self, work: Work, **parameters: object) -> Iterator[R]:
        """As `every`, one by one."""
        return work.read(self._table, work.run(self.statement, parameters), self._make)


class Records(Generic[R]):
    """The rows of one table. Their key is the column `id`."""

    def __init__(self, table: Table, row: type[R]) -> None:
        names = [field.name for field in msgspec.structs.fields(row)]
        self.table: Final = table
        self.columns: Final[tuple[Column[Any], ...]] = tuple(table.c[name] for name in names)
        self.make: Final[Make[R]] = maker(row)
        self._documents = [name for name, type_ in get_type_hints(row).items() if _is_document(type_)]
        self._found = self.where(table.c.id == given("key"))
        self._insert = insert(table)
        self._delete: Delete = delete(table).where(ours(table), table.c.id == given("key"))
        self._updates: dict[frozenset[str], Update] = {}

    def where(self, *conditions: ColumnElement[bool], order_by: Column[Any] | None = None) -> Query[R]:
        """The account's rows that meet the conditions, which may hold what is `given`. To be made once."""
        statement = select(*self.columns).where(ours(self.table), *conditions)
        return Query(
            self.table.name, statement.order_by(order_by) if order_by is not None else statement, self.make
        )

    def find(self, work: Work, key: str) -> R | None:
        """One row, or None."""
        return self._found.one(work, key=key)

    def insert(self, work: Work, row: R, **more: object) -> R:
        """A new row. `more` are columns that the struct does not have."""
        work.insert(self._insert, self._values(row) | more)
        return row

    def replace(self, work: Work, row: R, **more: object) -> R:
        """The row with other contents; its key stays."""
        values = self._values(row) | more
        key = values.pop("id")
        statement = self._updates.get(frozenset(values))
        if statement is None:
            statement = self._update(tuple(values))
            self._updates[frozenset(values)] = statement
        work.run(statement, {f"new_{name}": value for name, value in values.items()} | {"key": key})
        return row

    def delete(self, work: Work, key: str) -> None:
        """Remove a row."""
        work.run(self._delete, {"key": key})

    def _update(self, names: Sequence[str]) -> Update:
        new: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in names}
        return update(self.table).where(ours(self.table), self.table.c.id == given("key")).values(new)

    def _values(self, row: R) -> dict[str, object]:
        values = {name: getattr(row, name) for name in row.__struct_fields__}
        for name in self._documents:
            values[name] = msgspec.json.encode(values[name]).decode()
        return values


@cache
def maker(row: type[R]) -> Make[R]:
    """What makes a struct of columns in the order of its members: texts become the enums and JSON the structs that
    the members are declared as. What it returns raises what `reading.UNREADABLE` names."""
    readers: list[tuple[int, Callable[[Any], object]]] = []
    for place, type_ in enumerate(get_type_hints(row).values()):
        optional = isinstance(type_, types.UnionType) and types.NoneType in typing.get_args(type_)
        plain = next(one for one in typing.get_args(type_) if one is not types.NoneType) if optional else type_
        read = _reader(plain)
        if read is not None:
            readers.append((place, _optional(read) if optional else read))
    if not readers:
        return lambda columns: row(*columns)

    def make(columns: Sequence[Any]) -> R:
        values = list(columns)
        for place, read in readers:
            values[place] = read(values[place])
        return row(*values)

    return make


def _reader(type_: object) -> Callable[[Any], object] | None:
    if _is_document(type_):
        return msgspec.json.Decoder(type_).decode
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        known = {member.value: member for member in type_}
        return known.__getitem__
    return None


def _optional(read: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda value: None if value is None else read(value)


def _is_document(type_: object) -> bool:
    return isinstance(type_, type) and issubclass(type_, Struct)
