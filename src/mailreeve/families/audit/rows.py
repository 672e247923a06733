"""Which audit rows are there? The table is the store's (`schema.audit_event`): every transaction writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, bindparam, func, select

from mailreeve.families.machinery.latest import latest
from mailreeve.store.keys import least_key
from mailreeve.store.records import ours
from mailreeve.store.schema import audit_event
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

State = dict[str, object]


class AuditRow(Struct, frozen=True):
    """An audit row; `before` and `after` are the object's states, None where there was none or is none."""

    id: str
    at: datetime
    revision: int
    actor: str
    application: str
    app_id: str
    acting_for: str
    source_ip: str
    request_id: str
    action: str
    object_kind: str
    object_id: str
    before: State | None
    after: State | None


class Wanted(Struct, frozen=True):
    """What is asked for; what is left out asks for nothing. `kinds` are of objects, `actor` in small letters."""

    since: datetime | None = None
    until: datetime | None = None
    kinds: Sequence[str] | None = None
    object_id: str = ""
    action: str = ""
    actor: str = ""
    request_id: str = ""
    oldest_first: bool = False


_COLUMNS: Final = [audit_event.c[name] for name in AuditRow.__struct_fields__]
_by_keys: Final = select(*_COLUMNS).where(
    ours(audit_event), audit_event.c.id.in_(bindparam("keys", expanding=True))
)
_every: Final = select(*_COLUMNS).where(ours(audit_event)).order_by(audit_event.c.id)
_one: Final = _every.where(audit_event.c.id == bindparam("key"))
_of_request: Final = _every.where(audit_event.c.request_id == bindparam("request")).limit(bindparam("most"))
_since: Final = _every.where(audit_event.c.id >= bindparam("least")).limit(bindparam("most"))
_later: Final = _every.where(
    audit_event.c.object_id == bindparam("which"),
    audit_event.c.object_kind == bindparam("what"),
    audit_event.c.id > bindparam("last"),
).limit(1)
_state: Final = msgspec.json.Decoder(State).decode


def page(work: Work, asked: Asked, what: Wanted) -> Page[AuditRow]:
    """A page of the rows that meet what is asked for; those that cannot be read are left out."""
    keys = _keys(work, asked, what)
    found = work.run(_by_keys, {"keys": list(keys.rows)}) if keys.rows else ()
    by_key = {row.id: row for row in work.read(audit_event.name, found, _made)}
    return keys.showing([by_key[key] for key in keys.rows if key in by_key])


def find(work: Work, key: str) -> AuditRow | None:
    """One row, or None."""
    return work.read_one(audit_event.name, work.run(_one, {"key": key}).one_or_none(), _made)


def of_request(work: Work, request_id: str, most: int) -> list[AuditRow]:
    """The first rows that a request wrote, oldest first."""
    found = work.run(_of_request, {"request": request_id, "most": most})
    return list(work.read(audit_event.name, found, _made))


def since(work: Work, at: datetime, most: int) -> list[AuditRow]:
    """The first rows that were written since, oldest first."""
    found = work.run(_since, {"least": least_key(at.timestamp()), "most": most})
    return list(work.read(audit_event.name, found, _made))


def later(work: Work, object_id: str, kind: str, key: str) -> AuditRow | None:
    """The first row about an object that was written after another one, or None."""
    found = work.run(_later, {"which": object_id, "what": kind, "last": key}).one_or_none()
    return work.read_one(audit_event.name, found, _made)


def _keys(work: Work, asked: Asked, what: Wanted) -> Page[str]:
    event = audit_event.c
    within: Select[Any] = select(event.id).where(ours(audit_event))
    if what.since is not None:
        within = within.where(event.id >= least_key(what.since.timestamp()))
    if what.until is not None:
        within = within.where(event.id < least_key(what.until.timestamp()))
    # These have indexes of their own, so that however long the log is, what meets them is found at once.
    if what.object_id:
        within = within.where(event.object_id == what.object_id)
    if what.request_id:
        within = within.where(event.request_id == what.request_id)
    further: list[ColumnElement[bool]] = []
    if what.kinds is not None:
        further.append(event.object_kind.in_(what.kinds))
    if what.action:
        further.append(event.action == what.action)
    if what.actor:
        further.append(func.lower(event.actor) == what.actor)
    narrowed = within.where(*further) if further else None
    return latest(work, asked, event.id, within, narrowed, oldest_first=what.oldest_first)


def _made(row: Sequence[Any]) -> AuditRow:
    *plain, before, after = row
    return AuditRow(*plain, *(None if state is None else _state(state) for state in (before, after)))
