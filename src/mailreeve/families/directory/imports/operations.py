"""What can be done with imports of users: begin one, look how far it is, and carry it on in the background.

Each portion of lines is one transaction together with how far the import has got, so whoever dies in the middle
loses no line and takes none twice. A line is refused alone, as an item of a call is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog
from msgspec.structs import replace

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import known
from mailreeve.families.directory.imports import files, rows
from mailreeve.families.directory.imports.errors import IMPORT_LIMIT, IMPORT_NOT_FOUND
from mailreeve.families.directory.imports.rows import Counts, ImportRow, People, Permitted
from mailreeve.families.directory.imports.types import ImportUsers, Person, ReadImport, RefusedLine, State
from mailreeve.families.directory.users import attribute_operations, operations
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.types import (
    AttributeItem,
    ChangedUser,
    CreateUser,
    NewUser,
    UpdateUser,
)
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.perform import Services, act
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import ItemRefused, refused
from mailreeve.wire.tokens import Kind

MOST_RUNNING: Final = 5  # imports of one account at a time
MOST_TOLD: Final = 100  # refused lines that are told
AT_ONCE: Final = 100  # lines in one transaction: others wait while they are taken over
MOBILE: Final = "Mobile"
"""The attribute in which a user's mobile number is kept."""

_log = structlog.get_logger(__name__)


def prepare(item: ImportUsers) -> ReadImport:
    """The file, read. Raises `ItemRefused`."""
    notify = item.notify_email_address or ""
    if notify:
        fields.address(notify, "notifyEmailAddress")
    return ReadImport(files.read(item.file), notify)


def begin(call: Call, read: ReadImport) -> ImportRow:
    """A new import, which a server carries on. Raises `ItemRefused`."""
    work = call.work
    if rows.count_running(work) >= MOST_RUNNING:
        raise refused(IMPORT_LIMIT, None, f"{IMPORT_LIMIT.message}: {MOST_RUNNING} are allowed")
    row = ImportRow(new_key(), State.RUNNING, call.caller.actor, work.now, None, "", Counts(len(read.people)))
    permitted = Permitted(sorted(permission.value for permission in call.caller.permissions))
    rows.add(work, row, People(read.people), permitted)
    work.changed(None, "create", Kind.USER_IMPORT, row.id, after=row)
    if read.notify:
        call.warnings.append(f"Nobody is written to when the import ends; ask {'user/get-import-status'}")
    return row


def get(call: Call, wire_id: str | None) -> ImportRow:
    """An import, by its id, or the last. Raises `ItemRefused`."""
    if wire_id is None:
        row = rows.last(call.work)
    else:
        row = rows.RECORDS.find(call.work, call.open(Kind.USER_IMPORT, wire_id))
    if row is None:
        raise refused(IMPORT_NOT_FOUND, "id")
    return row


def run_waiting(services: Services) -> int:
    """Carry all imports, of every account, to their end; how many lines were looked at. It blocks on the
    database."""
    done = 0
    for account_id in services.store.look_up(rows.accounts_at_work):
        for row in services.store.read(account_id, rows.running):
            try:
                while number := _portion(services, account_id, row):
                    done += number
            except Exception:
                # What it was is in the log; the import ends, so that it is not tried for ever.
                _log.exception("an import of users broke off", account=account_id)
                services.store.write(account_id, Origin(row.made_by), partial(_broken, row.id))
    return done


def _portion(services: Services, account_id: str, row: ImportRow) -> int:
    """The next lines of an import, taken over; how many there were."""
    waiting = services.store.read(account_id, lambda work: rows.WAITING.find(work, row.id))
    if waiting is None:
        return 0
    caller = Caller(account_id, row.made_by, "", known(waiting.permitted.names))
    return act(services, caller, Origin(row.made_by), partial(_take_over, row.id))


def _take_over(key: str, call: Call) -> int:
    row, waiting = rows.RECORDS.find(call.work, key), rows.WAITING.find(call.work, key)
    if row is None or waiting is None or row.state is not State.RUNNING:
        return 0
    lines, left = waiting.people.lines[:AT_ONCE], waiting.people.lines[AT_ONCE:]
    new = replace(row, counts=_counted(call, row.counts, lines))
    if not left:
        new = replace(new, state=State.COMPLETE, finished_at=call.work.now)
        call.work.changed(None, "complete", Kind.USER_IMPORT, key, before=row, after=new)
    rows.put(call.work, new, People(left))
    return len(lines)


def _counted(call: Call, counts: Counts, lines: Sequence[Person]) -> Counts:
    for person in lines:
        try:
            with call.work.item():
                done = _put(call, person)
        except ItemRefused as problem:
            done = "refused"
            if len(counts.errors) < MOST_TOLD:
                first = problem.problems[0]
                told = RefusedLine(person.line, person.email, first.code, first.message)
                counts = replace(counts, errors=(*counts.errors, told))
        counts = replace(counts, processed=counts.processed + 1, **{done: getattr(counts, done) + 1})
    return counts


def _put(call: Call, person: Person) -> str:
    """Take a line over: what it did, as the counts call it. Raises `ItemRefused`."""
    address = fields.address(person.email, "email")
    old = users.find_by_address(call.work, address.key)
    done = "unchanged"
    if old is None:
        operations.create(call, NewUser(CreateUser(person.email, name=person.name), None))
        done = "created"
    elif person.name and person.name != old.name:
        operations.update(call, ChangedUser(UpdateUser(person.email, name=person.name), None))
        done = "updated"
    if person.mobile:
        before = len(call.work.audits)
        mobile = AttributeItem(name=MOBILE, value=person.mobile)
        attribute_operations.update(call, person.email, [mobile])
        if done == "unchanged" and len(call.work.audits) > before:
            done = "updated"
    return done


def _broken(key: str, work: Work) -> None:
    row = rows.RECORDS.find(work, key)
    if row is not None:
        new = replace(row, state=State.FAILED, finished_at=work.now, problem="It broke off; see the log")
        rows.put(work, new, People())
        work.changed(None, "fail", Kind.USER_IMPORT, key, before=row, after=new)
