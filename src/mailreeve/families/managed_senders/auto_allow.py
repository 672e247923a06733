"""Whom does a user permit by writing to them? Auto allow (behaviour.md sections 3.3, 4.1 and 4.4).

A message from a user to an address outside, once it is taken, spares what comes from there spam checks for
`KEPT_FOR` after the last one. Such an entry stands in the user's list beside those that somebody made; there is
one entry for a sender, and none of those is changed (D-15, D-19).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct, structs

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.managed_senders import rows
from mailreeve.families.managed_senders.rows import ManagedSenderRow
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.store.changes import Name
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Store, Work

KEPT_FOR: Final = timedelta(days=120)  # behaviour.md section 4.1
RENEWED_EVERY: Final = timedelta(days=1)  # so that who writes every hour costs no more than who writes once a day
SET_BY: Final = "auto allow"

FORGET_AT_ONCE: Final = 1_000  # rows in one transaction

_ORIGIN: Final = Origin(SET_BY)
_KIND: Final = POLICY_TYPES[PolicyType.MANAGED_SENDERS].kind


class AutoAllowLimits(Struct, frozen=True):
    """How many entries come by themselves. A message to more than `recipients` addresses outside makes none, and a
    user gets at most `per_day` new ones in a day: what writes to more is a mailing, not a correspondence
    (behaviour.md section 4.4). Of a list that has `per_user`, or is `full`, the one renewed longest ago goes."""

    enabled: bool = True
    recipients: int = 20
    per_day: int = 100
    per_user: int = 1_000
    full: int = 10_000


class Correspondence(Struct, frozen=True):
    """A message that a user wrote: under which key the user's list is kept, to which addresses outside, and the
    Message-IDs of what it answers. Where it is no letter of a person's, there is none.

    `unproved` is as whom the client signed in, where that is not plainly the user: the envelope has an address
    that the client may or may not send with. It is empty where user and client are one, and where a server of
    one's own networks, which does not say who signed in, stands for its senders."""

    account_id: str
    owner: str
    to: tuple[Address, ...]
    answers: tuple[str, ...] = ()
    unproved: str = ""


def renew(
    work: Work, owner: str, written_to: Sequence[Address], limits: AutoAllowLimits, may_add: Callable[[], bool]
) -> None:
    """Have a user's list permit these addresses from now on for as long as such entries are kept. Where there is
    none yet, `may_add` is asked; without it only what is there is renewed.

    What somebody made stays as it is, unless it has ended. Nothing is noted for the audit log: the record of the
    message says what was done.
    """
    if not written_to:
        return
    shown = {address.key: str(address) for address in written_to}
    there = rows.among(work, owner, sorted(shown))
    ends = (work.now + KEPT_FOR).replace(second=0, microsecond=0)  # as it is shown
    new: list[str] = []
    ended: list[ManagedSenderRow] = []
    for key in shown:
        old = there.get(key)
        if old is None:
            new.append(key)
        elif old.is_auto and not old.is_over(work.now):
            if old.expires_at is None or old.expires_at <= ends - RENEWED_EVERY:
                _put(work, structs.replace(old, expires_at=ends))
        elif old.is_over(work.now):
            ended.append(old)
    if not (new or ended) or not may_add():
        return
    for old in ended:
        _put(work, _automatic(work, owner, old.sender, shown[old.sender], ends, old))
    for key in new[: _room(work, owner, len(new), limits)]:
        row = _automatic(work, owner, key, shown[key], ends, None)
        rows.RECORDS.insert(work, row)
        work.touch(PolicyType.MANAGED_SENDERS, Name(_KIND, row.id))


def _room(work: Work, owner: str, wanted: int, limits: AutoAllowLimits) -> int:
    """For how many new ones of those wanted there is room; others go where there is none."""
    today = rows.count_auto(work, owner, work.now - timedelta(days=1))
    wanted = min(wanted, limits.per_day - today, limits.per_user)
    if wanted <= 0:
        return 0
    too_many = max(
        rows.count_auto(work, owner) + wanted - limits.per_user, rows.count(work, owner) + wanted - limits.full, 0
    )
    gone = rows.auto_longest_ago(work, owner, too_many)
    remove(work, gone)
    return max(wanted - (too_many - len(gone)), 0)


def remove(work: Work, gone: Sequence[ManagedSenderRow]) -> None:
    """Take automatic entries out."""
    rows.remove(work, [row.id for row in gone])
    work.touch(PolicyType.MANAGED_SENDERS, *(Name(_KIND, row.id) for row in gone))


class EndedEntries:
    """The automatic entries of every account that have ended, which nobody would take out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget(self) -> int:
        """Remove them, batch by batch. The number."""
        total = 0
        for account_id in self._store.look_up(accounts.codes).values():
            removed = FORGET_AT_ONCE
            while removed == FORGET_AT_ONCE:
                removed = self._store.write(account_id, _ORIGIN, _forget_some)
                total += removed
        return total


def _forget_some(work: Work) -> int:
    gone = rows.auto_over(work, FORGET_AT_ONCE)
    remove(work, gone)
    return len(gone)


def _put(work: Work, row: ManagedSenderRow) -> None:
    rows.RECORDS.replace(work, row)
    work.touch(PolicyType.MANAGED_SENDERS, Name(_KIND, row.id))


def _automatic(
    work: Work, owner: str, sender: str, shown: str, ends: datetime, old: ManagedSenderRow | None
) -> ManagedSenderRow:
    return ManagedSenderRow(
        id=new_key() if old is None else old.id,
        recipient=owner,
        sender=sender,
        sender_shown=shown,
        action=ManagedAction.PERMIT,
        created_at=work.now,
        updated_at=work.now,
        changed_in=work.revision + 1,
        set_by=SET_BY,
        expires_at=ends.astimezone(UTC),
        is_auto=True,
    )
