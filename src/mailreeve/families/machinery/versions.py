"""How does an object become again what it was? Its row is made of the state that the audit log has of it.

A family says once how its rows are found, written and removed, and what belongs to that; `RowVersions` does the
rest: the same row again, with its id, so that what names it finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Name
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import RESTORE_CONFLICT, refused

R = TypeVar("R", bound=Struct)
State = Mapping[str, object]

ACTION: Final = "restore"
"""What the audit log calls it, whatever becomes of the object."""


class RowVersions(Generic[R]):
    """The rows of a kind, see `Versioned`. To be made once.

    `part` is what decisions read them as, `rank` their place among kinds that name one another: what is named has
    the lower one. `insert`, `replace` and `remove` write a row, and whatever the family keeps of it elsewhere.
    `refuse` raises `ItemRefused` for a row that may not be there any more. `now` is a row as it is written now,
    with the times and numbers that say so. `named` are the objects to be read again, where these are not just the
    row itself.
    """

    def __init__(
        self,
        kind: str,
        row: type[R],
        edits: Permission,
        part: str | None,
        rank: int,
        *,
        find: Callable[[Work, str], R | None],
        insert: Callable[[Work, R], object],
        replace: Callable[[Work, R, R], object],
        remove: Callable[[Work, R], object],
        refuse: Callable[[Call, R | None, R | None], None] | None = None,
        now: Callable[[Work, R], R] | None = None,
        named: Callable[[R], Iterable[Name]] | None = None,
    ) -> None:
        self.kind: Final = kind
        self.edits: Final = edits
        self.rank: Final = rank
        self._row = row
        self._part = part
        self._find = find
        self._insert = insert
        self._replace = replace
        self._remove = remove
        self._refuse = refuse
        self._now = now
        self._named = named

    def state(self, work: Work, key: str) -> State | None:
        """The object as the audit log would write it now, None where there is none."""
        row = self._find(work, key)
        if row is None:
            return None
        state: dict[str, object] = msgspec.json.decode(msgspec.json.encode(row))
        return state

    def put(self, call: Call, key: str, state: State | None) -> None:
        """Have the object be as the state says, or not be there. Raises `ItemRefused` where that cannot be."""
        work = call.work
        try:
            new = None if state is None else msgspec.convert(state, self._row)
        except msgspec.ValidationError as problem:
            message = f"{RESTORE_CONFLICT.message}: what the log has of it cannot be read: {problem}"
            raise refused(RESTORE_CONFLICT, None, message) from problem
        old = self._find(work, key)
        if self._refuse is not None:
            self._refuse(call, old, new)
        if new is not None and self._now is not None:
            new = self._now(work, new)
        try:
            with work.item():
                self._write(work, old, new)
        except IntegrityError as problem:
            why = "something that it names is gone, or another object is in its place"
            if new is None:
                why = "something names it"
            raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: {why}") from problem
        there = new if new is not None else old
        if there is not None:
            names = None if self._named is None else [*self._named(there), *(self._named(old) if old else ())]
            work.changed(self._part, ACTION, self.kind, key, before=old, after=new, names=names)

    def _write(self, work: Work, old: R | None, new: R | None) -> None:
        if new is None:
            if old is not None:
                self._remove(work, old)
        elif old is None:
            self._insert(work, new)
        else:
            self._replace(work, old, new)
