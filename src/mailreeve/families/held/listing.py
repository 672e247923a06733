"""Which held messages are asked for? The newest first, narrowed in any way, in pages by key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, false, func, or_, select

from mailreeve.families.held import rows
from mailreeve.families.held.reasons import causes_of
from mailreeve.families.held.rows import HeldGroup, HeldRow, HeldState, held_message
from mailreeve.families.held.types import HeldField, HeldRoute
from mailreeve.families.machinery.latest import latest
from mailreeve.store.keys import least_key
from mailreeve.store.records import ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

_columns: Final = held_message.c
_SENDER: Final = (_columns.sender, _columns.header_from, _columns.header_from_name)
_RECIPIENT: Final = (_columns.recipient, _columns.effective_recipient)


class Owner(Struct, frozen=True):
    """A user whose messages are asked for, by id; without `private` not those that are marked so."""

    id: str
    private: bool = True


class Narrowed(Struct, frozen=True):
    """Which messages: of these owners, or everybody's where that is None; whose `field` holds a text; of one
    route, one group; that came in a stretch of time; or whose release is asked for."""

    owners: tuple[Owner, ...] | None = None
    field: HeldField = HeldField.ALL
    value: str = ""
    route: HeldRoute = HeldRoute.ALL
    group: HeldGroup | None = None
    since: datetime | None = None
    until: datetime | None = None
    asked: bool = False


def page(work: Work, asked: Asked, which: Narrowed) -> Page[HeldRow]:
    """A page of the messages that are held, the newest first."""
    within = select(_columns.id).where(ours(held_message), _columns.state == HeldState.HELD.value)
    if which.owners is not None:
        ids = [one.id for one in which.owners]
        # Of one owner the index has them in order.
        within = within.where(_columns.owner_id == ids[0] if len(ids) == 1 else _columns.owner_id.in_(ids))
    conditions = list(_conditions(which))
    return _shown(
        work, latest(work, asked, _columns.id, _bounded(within, which), _narrowed(within, which, conditions))
    )


def decided(work: Work, asked: Asked, since: datetime | None, until: datetime | None) -> Page[HeldRow]:
    """A page of the messages that were decided about, those that came in last first."""
    over = [state.value for state in HeldState if state is not HeldState.HELD]
    within = select(_columns.id).where(ours(held_message))
    narrowed = within.where(_columns.state.in_(over))
    if since is not None:
        narrowed = narrowed.where(_columns.decided_at >= since)
    if until is not None:
        narrowed = narrowed.where(_columns.decided_at < until)
    return _shown(work, latest(work, asked, _columns.id, within, narrowed))


def _shown(work: Work, keys: Page[str]) -> Page[HeldRow]:
    by_key = rows.some(work, list(keys.rows))
    return keys.showing([by_key[key] for key in keys.rows if key in by_key])


def _bounded(statement: Select[Any], which: Narrowed) -> Select[Any]:
    if which.since is not None:
        statement = statement.where(_columns.id >= least_key(which.since.timestamp()))
    if which.until is not None:
        statement = statement.where(_columns.id < least_key(which.until.timestamp()))
    return statement


def _narrowed(
    within: Select[Any], which: Narrowed, conditions: Sequence[ColumnElement[bool]]
) -> Select[Any] | None:
    return _bounded(within, which).where(*conditions) if conditions else None


def _conditions(which: Narrowed) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if which.owners is not None:
        found.append(_columns.held_group != HeldGroup.ADMINISTRATOR.value)
        hidden = [one.id for one in which.owners if not one.private]
        if hidden:
            found.append(or_(_columns.is_private.is_(False), _columns.owner_id.not_in(hidden)))
    if which.route is not HeldRoute.ALL:
        found.append(_columns.route == which.route.value)
    if which.group is not None:
        found.append(_columns.held_group == which.group.value)
    if which.asked:
        found.append(_columns.asked_at.is_not(None))
    if which.value:
        found.append(_holds(which.field, which.value))
    return found


def _holds(field: HeldField, value: str) -> ColumnElement[bool]:
    wanted = value.casefold()

    def among(first: ColumnElement[str], *others: ColumnElement[str]) -> ColumnElement[bool]:
        # Folded together, which is once for each row. No text that is looked for holds a line end.
        together = reduce(lambda text, column: text + "\n" + column, others, first)
        return func.instr(func.casefold(together), wanted) > 0

    match field:
        case HeldField.SUBJECT:
            return among(_columns.subject)
        case HeldField.SENDER:
            return among(*_SENDER)
        case HeldField.RECIPIENT:
            return among(*_RECIPIENT)
        case HeldField.REASON_CODE:
            return _caused(value)
        case HeldField.SENDER_IP:
            return _columns.source_ip == value.strip()
        case HeldField.ALL:
            return or_(
                among(_columns.subject, *_SENDER, *_RECIPIENT, _columns.description),
                _columns.source_ip == value.strip(),
                _caused(value),
            )


def _caused(value: str) -> ColumnElement[bool]:
    """Whether the reason has the text in it: one of few, which are looked at here."""
    return or_(false(), *(_columns.cause == cause for cause in causes_of(value)))
