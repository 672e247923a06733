"""What is taken over of a directory? Users and groups of the source `ldap`; those made here are left alone.

What vanishes from the directory is disabled, not deleted: users are kept out, groups lose their members. So
nothing that is kept for them is lost to a directory that was read wrongly, and policies that name a group stay
whole. For the same reason a directory is not believed that holds no users, or in which more than ten, and more
than half, of the users or of the memberships of groups are missing; and groups are left alone where it holds none.
Only whom this disabled is enabled by it again, and the last administrator stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from msgspec.structs import replace

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.groups import operations as groups
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.groups.types import Source
from mailreeve.families.directory.sync import ldap, rows
from mailreeve.families.directory.sync.errors import DIRECTORY_SHRANK
from mailreeve.families.directory.sync.ldap import DirectoryError, Snapshot
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.rights import refuse_last
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.families.machinery.perform import Services, act
from mailreeve.formats.addresses import Address, AddressError, parse_address
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import ItemRefused, refused
from mailreeve.wire.tokens import Kind

FEW: Final = 10  # users, or members, that may vanish at once, whatever part of all they are
AGAIN: Final = timedelta(minutes=10)  # after which what failed is tried again
LDAP: Final = Source.LDAP.value

_BY: Final = "directory sync"
_log = structlog.get_logger(__name__)


def take_over(call: Call, snapshot: Snapshot) -> list[str]:
    """Take a directory over; what was changed, in words. Raises `ItemRefused`, and nothing is changed."""
    work = call.work
    people = _people(work, snapshot)
    here = {row.key: row for row in users.from_source(work, LDAP)}
    gone = [row for key, row in here.items() if key not in people and not row.disabled]
    enabled = sum(not row.disabled for row in here.values())
    if not people or (len(gone) > FEW and 2 * len(gone) > enabled):
        raise refused(DIRECTORY_SHRANK, None, f"{DIRECTORY_SHRANK.message}: {len(people)}, of {enabled} before")
    known = rows.find(work)
    ours = set(known.disabled.split())
    done = [*_users(work, people, ours), *_vanished(call, gone, ours)]
    rows.put(work, replace(known, disabled=" ".join(sorted(ours))))
    return [*done, *(_groups(call, snapshot, people) if snapshot.groups else ())]


def _people(work: Work, snapshot: Snapshot) -> dict[str, tuple[Address, str]]:
    """The people with an address in one of the account's domains, by its key; others are none of ours."""
    found: dict[str, tuple[Address, str]] = {}
    for person in snapshot.people:
        try:
            address = parse_address(person.address)
        except AddressError:
            continue
        if domains.find(work, address.domain) is not None and person.name.isprintable():
            found.setdefault(address.key, (address, person.name[:255]))
    return found


def _users(work: Work, people: dict[str, tuple[Address, str]], ours: set[str]) -> Iterator[str]:
    for key, (address, name) in people.items():
        old = users.find_by_address(work, key)
        if old is None:
            row = users.add(work, address, name=name, source=LDAP)
            work.changed(Part.DIRECTORY, "create", Kind.USER, row.id, after=row)
            yield f"user {address} is made"
        elif old.source == LDAP and old.key == key:
            new = replace(old, name=name or old.name, disabled=old.disabled and old.id not in ours)
            ours.discard(old.id)
            if new != old:
                users.change(work, new)
                work.changed(Part.CREDENTIALS, "update", Kind.USER, new.id, before=old, after=new)
                yield f"user {address} is {'enabled' if old.disabled and not new.disabled else 'renamed'}"


def _vanished(call: Call, gone: list[users.UserRow], ours: set[str]) -> Iterator[str]:
    work = call.work
    for old in gone:
        new = replace(old, disabled=True)
        try:
            refuse_last(call, old, new, "emailAddress")
        except ItemRefused:
            yield f"user {old.address} stays, though gone: nobody else could manage the account"
            continue
        users.change(work, new)
        ours.add(old.id)
        work.changed(Part.CREDENTIALS, "update", Kind.USER, new.id, before=old, after=new)
        yield f"user {old.address} is disabled"


def _groups(call: Call, snapshot: Snapshot, people: dict[str, tuple[Address, str]]) -> Iterator[str]:
    work = call.work
    here = {row.name.casefold(): row for row in group_rows.every_group(work) if row.source is Source.LDAP}
    wanted: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for one in snapshot.groups:
        if not one.name.isprintable() or len(one.name) > groups.MAX_NAME:
            continue
        folded = one.name.casefold()
        names.setdefault(folded, one.name)
        keys = wanted.setdefault(folded, set())
        keys |= {key for key in map(_key, one.members) if key in people}
    members = {folded: set(group_rows.all_matched(work, row.id)) for folded, row in here.items()}
    lost = sum(len(before - wanted.get(folded, set())) for folded, before in members.items())
    if lost > FEW and 2 * lost > sum(map(len, members.values())):
        raise refused(DIRECTORY_SHRANK, None, f"{DIRECTORY_SHRANK.message}: {lost} members of groups are gone")
    grown = []
    for folded in {**here, **wanted}:
        row = here.get(folded)
        if row is None:
            row = group_rows.add_group(work, names[folded], None, source=Source.LDAP)
            work.changed(Part.DIRECTORY, "create", Kind.GROUP, row.id, after=row)
            yield f"group {row.name} is made"
        before = members.get(folded, set())
        after = wanted.get(folded, set())
        for key in sorted(after - before):
            member = group_rows.add_member(work, row.id, key, str(people[key][0]), "")
            joined = [groups.member_name(key)]
            work.changed(Part.DIRECTORY, "create", Kind.GROUP_MEMBER, member.id, after=member, names=joined)
            yield f"group {row.name}: {member.shown} joins"
        for key in sorted(before - after):
            old = group_rows.find_member(work, row.id, key)
            if old is not None:
                group_rows.remove_member(work, old.id)
                name = [groups.member_name(key)]
                work.changed(Part.DIRECTORY, "delete", Kind.GROUP_MEMBER, old.id, before=old, names=name)
                yield f"group {row.name}: {old.shown} leaves"
        grown += [row.id] if after - before else []
    # What groups open or close is told of as where somebody adds a member; nobody is there to confirm it.
    groups.guard_members(call, grown, True)


def _key(text: str) -> str:
    try:
        return parse_address(text).key
    except AddressError:
        return ""


def ask(call: Call) -> None:
    """Have the directory read soon."""
    old = rows.find(call.work)
    new = rows.put(call.work, replace(old, asked_at=call.work.now, asked_by=call.caller.actor))
    call.work.changed(None, "ask", Kind.DIRECTORY, new.id, after=new)


def sync_if_due(
    services: Services,
    source: DirectorySource,
    account_id: str,
    read: Callable[[DirectorySource], Snapshot] = ldap.read,
) -> int | None:
    """Read the directory if somebody asked, or it is time; how many changes there were, None where it was not due
    or could not be done. It blocks on the network and the database."""
    row = services.store.read(account_id, rows.find)
    now = services.store.read(account_id, lambda work: work.now)
    is_time = row.read_at is None or (source.hours and row.read_at + timedelta(hours=source.hours) <= now)
    failed_lately = bool(row.problem) and row.tried_at is not None and row.tried_at + AGAIN > now
    if row.asked_at is None and (failed_lately or not is_time):
        return None
    by = row.asked_by if row.asked_at is not None and row.asked_by else _BY
    caller = Caller(account_id, by, "", frozenset(Permission))
    try:
        changes = act(services, caller, Origin(by), partial(take_over, snapshot=read(source)))
    except Exception as problem:  # whatever it is, it is told, and tried again later and not each second
        known = isinstance(problem, DirectoryError | ItemRefused)
        text = str(problem) if known else f"it failed: {type(problem).__name__}"
        _log.error("the directory was not taken over", account=account_id, problem=text, exc_info=not known)
        services.store.write(account_id, Origin(by), partial(_read, row, text, 0))
        return None
    services.store.write(account_id, Origin(by), partial(_read, row, "", len(changes)))
    return len(changes)


def _read(seen: rows.SyncRow, problem: str, changes: int, work: Work) -> None:
    """Note that it was read, or that this was tried. Who asked meanwhile asked for another time."""
    old = rows.find(work)
    asked = None if old.asked_at == seen.asked_at else old.asked_at
    read_at = old.read_at if problem else work.now
    rows.put(
        work,
        replace(old, read_at=read_at, tried_at=work.now, asked_at=asked, problem=problem, changes=changes),
    )
