"""Which held mail is a digest about, and how is it released or rejected? What the digest needs of the hold store.

A user is told of what is the user's to know: what is held for the administrators alone is in no digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select

from mailreeve.families.held.rows import HeldGroup, HeldRow, HeldState, held_message
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.records import Query, given, maker, ours
from mailreeve.store.transactions import Work

_columns: Final = held_message.c
_for_owner: Final = and_(
    ours(held_message),
    _columns.state == HeldState.HELD.value,
    _columns.owner_id == given("whose"),
    _columns.held_group != HeldGroup.ADMINISTRATOR.value,
    _columns.id > given("after"),
    _columns.expires_at > given("now"),
    or_(given("every"), _columns.cause.in_(bindparam("layers", expanding=True))),
)
_new: Final[Query[HeldRow]] = Query(
    held_message.name,
    select(*(_columns[name] for name in HeldRow.__struct_fields__))
    .where(_for_owner)
    .order_by(_columns.id)
    .limit(given("most")),
    maker(HeldRow),
)
_count: Final = select(func.count()).select_from(held_message).where(_for_owner)


def new_for(work: Work, user_id: str, after: str, causes: Sequence[Layer], most: int) -> list[HeldRow]:
    """What is held for a user, of these causes or of all, after the message with this key, the oldest first, at
    most so many. Keys are made in the transaction that holds a message: none that comes later has a lower one."""
    return _new.every(work, **_parameters(work, user_id, after, causes), most=most)


def count_new_for(work: Work, user_id: str, after: str, causes: Sequence[Layer]) -> int:
    """How many of these there are."""
    found: int = work.run(_count, _parameters(work, user_id, after, causes)).scalar_one()
    return found


def _parameters(work: Work, user_id: str, after: str, causes: Sequence[Layer]) -> dict[str, Any]:
    layers = [layer.value for layer in causes]
    return {"whose": user_id, "after": after, "now": work.now, "every": not layers, "layers": layers or [""]}


def is_theirs(row: HeldRow) -> bool:
    """Whether its recipient decides about a message; of others a digest tells without links."""
    return row.held_group is HeldGroup.USER
