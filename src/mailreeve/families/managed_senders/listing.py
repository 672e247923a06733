"""Which entries of personal lists are asked for? Narrowed in any way, in pages by key."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.rows import RECORDS, ManagedSenderRow, managed_sender
from mailreeve.families.managed_senders.types import EntryFilter, State
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.store.records import given, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

_columns: Final = managed_sender.c
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "recipient": _columns.recipient == given("owner"),
    "sender": _columns.sender == given("from_whom"),
    "permit": and_(_columns.action == ManagedAction.PERMIT.value, ~_columns.is_auto),
    "block": _columns.action == ManagedAction.BLOCK.value,
    "auto": _columns.is_auto,
    # Keys are without case; what was typed and the reason are compared so by the database.
    "text": or_(
        *(
            func.instr(column, given("holds")) > 0
            for column in (
                _columns.sender,
                _columns.recipient,
                func.casefold(_columns.sender_shown),
                func.casefold(_columns.reason),
            )
        )
    ),
    "active": or_(_columns.expires_at.is_(None), _columns.expires_at > given("now")),
    "expired": _columns.expires_at <= given("now"),
}


class Narrowed(Struct, frozen=True):
    """Which entries: in the list of this key, about this sender's key, and so on; all where nothing is said."""

    recipient: str | None = None
    sender: str | None = None
    type: EntryFilter | None = None
    text: str | None = None
    state: State | None = None

    def conditions(self) -> tuple[str, ...]:
        """The names of what narrows the list."""
        named = [name for name in ("recipient", "sender", "text") if getattr(self, name) is not None]
        return (*named, *(one.value for one in (self.type, self.state) if one is not None))


class _Statements(Struct, frozen=True):
    listing: Listing[ManagedSenderRow]
    count: Select[Any]


@cache
def _statements(conditions: tuple[str, ...]) -> _Statements:
    """Built once for each way of narrowing the list; there are few dozen."""
    narrowed = [_CONDITIONS[name] for name in conditions]
    return _Statements(
        Listing(RECORDS.where(*narrowed).statement, _columns.id, RECORDS.make),
        select(func.count()).select_from(managed_sender).where(ours(managed_sender), *narrowed),
    )


def page(work: Work, asked: Asked, which: Narrowed) -> Page[ManagedSenderRow]:
    """A page of these entries, in the order of their keys.

    A list and a sender are found by an index. To find a text, all entries of the account are gone through in the
    database.
    """
    conditions = which.conditions()
    parameters = {
        "owner": which.recipient,
        "from_whom": which.sender,
        "holds": None if which.text is None else which.text.casefold(),
        "now": work.now,
    }
    statements = _statements(conditions)

    def total() -> int:
        if not conditions:
            return rows.count_all(work)
        if conditions == ("recipient",):
            return rows.count(work, which.recipient or "")
        found: int = work.run(statements.count, parameters).scalar_one()
        return found

    return statements.listing.page(work, asked, total, **parameters)
