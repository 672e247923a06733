"""What can be done with the purge list: mark, unmark, and remove whose time has come.

Nobody is removed at once by it: a user who is marked stays as before for as many days as the installation says,
and can be unmarked. Then the user goes as by `ext/remove-user` with `force`: policies that name the address stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from msgspec.structs import replace

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.purging import rows
from mailreeve.families.directory.purging.rows import MarkRow
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import removal, rights
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.perform import Services, act
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import TOO_MANY_ITEMS, ItemRefused, refused

MOST: Final = 1_000  # addresses in one item (api.md section 3.6)
MARK: Final = "purge mark"
FIELD: Final = "emailAddresses"
AGAIN: Final = timedelta(days=1)  # until one who cannot be removed is tried again
AT_ONCE: Final = 50  # marks that are looked at together

_ORIGIN: Final = Origin("purge list")
_log = structlog.get_logger(__name__)


def mark(call: Call, addresses: Sequence[str]) -> list[tuple[MarkRow, UserRow]]:
    """The marks of these users; one that is marked already keeps its time. Raises `ItemRefused`, and nobody is
    marked."""
    due = call.work.now + timedelta(days=call.installation.purge_days)
    found = []
    for user in _users(call, addresses):
        rights.refuse_above(call, user, FIELD)
        old = rows.RECORDS.find(call.work, user.id)
        if old is None:
            rights.refuse_last(call, user, replace(user, disabled=True), FIELD)
            old = rows.RECORDS.insert(call.work, MarkRow(user.id, call.work.now, call.caller.actor, due))
            call.work.changed(None, "mark", MARK, user.id, after=old)
        found.append((old, user))
    return found


def unmark(call: Call, addresses: Sequence[str]) -> list[tuple[UserRow, bool]]:
    """These users, and whether each was marked. Raises `ItemRefused`, and nobody is unmarked."""
    found = []
    for user in _users(call, addresses):
        rights.refuse_above(call, user, FIELD)
        old = rows.RECORDS.find(call.work, user.id)
        if old is not None:
            rows.RECORDS.delete(call.work, user.id)
            call.work.changed(None, "unmark", MARK, user.id, before=old)
        found.append((user, old is not None))
    return found


def _users(call: Call, addresses: Sequence[str]) -> list[UserRow]:
    if len(addresses) > MOST:
        raise refused(TOO_MANY_ITEMS, FIELD, f"{TOO_MANY_ITEMS.message}: at most {MOST} addresses are allowed")
    found = {user.id: user for user in (users.get(call.work, one, FIELD) for one in addresses)}
    return list(found.values())


def purge_due(services: Services, now: datetime | None = None) -> int:
    """Remove all, of every account, whose time has come; how many went. Each is a transaction of its own.

    One who cannot go, such as the last administrator, stays and is tried again after `AGAIN`. It blocks on the
    database."""
    accounts = services.store.look_up(partial(rows.accounts_at_work, now=now or datetime.now(UTC)))
    return sum(_purge_due_of(services, account_id) for account_id in accounts)


def _purge_due_of(services: Services, account_id: str) -> int:
    gone = 0
    while due := services.store.read(account_id, lambda work: rows.due(work, AT_ONCE)):
        for one in due:
            # Whoever marked the user was allowed to remove such a one; the audit log says who that was.
            caller = Caller(account_id, one.marked_by, "", frozenset(Permission))
            origin = replace(_ORIGIN, actor=one.marked_by)
            try:
                gone += act(services, caller, origin, partial(_purge, key=one.id))
            except ItemRefused as problem:
                _log.warning("a marked user stays", account=account_id, user=one.id, problem=str(problem))
                services.store.write(account_id, _ORIGIN, partial(_put_off, one))
    return gone


def _purge(call: Call, key: str) -> int:
    """Remove a user whose mark is still there and due; how many went."""
    one = rows.RECORDS.find(call.work, key)
    user = user_rows.find(call.work, key)
    if one is None or user is None or one.due_at > call.work.now:
        return 0
    removal.remove_row(call, user, "emailAddress")
    return 1


def _put_off(one: MarkRow, work: Work) -> None:
    there = rows.RECORDS.find(work, one.id)
    if there is not None:
        rows.RECORDS.replace(work, replace(there, due_at=work.now + AGAIN))
