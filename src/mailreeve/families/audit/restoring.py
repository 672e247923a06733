"""What was each object before, and how does it become that again? One object, all that a request changed, or all
that was changed since a time (ADR 0084).

What is to be done is found out first, from the log alone; then it is done, wholly or not at all, and undone again
where it was only asked what it would do. What others changed since is not overwritten without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from mailreeve.families.audit import rows, words
from mailreeve.families.audit.rows import AuditRow, State
from mailreeve.families.audit.types import Restore, Restored, RestoredObject, RestoreOutcome
from mailreeve.families.machinery.call import Call, Versioned
from mailreeve.wire import fields
from mailreeve.wire.errors import (
    BAD_DATE,
    EXACTLY_ONE,
    FORBIDDEN,
    RESTORE_CONFLICT,
    ItemRefused,
    Problem,
    problem,
    refused,
)
from mailreeve.wire.errors import TOO_LONG as TOO_MANY
from mailreeve.wire.tokens import Kind

MOST: Final = 5_000
"""Objects that one call restores."""

MOST_TOLD: Final = 20  # conflicts that a refusal names
_UNTOLD: Final = frozenset({"updated_at", "changed_in"})
"""Members that say when something was written, not what."""


class _Wanted(Struct, frozen=True):
    """An object, an event about it, and the state that it is to have. `last` is the key of the last event that is
    to be undone, empty where later ones do not matter."""

    event: AuditRow
    state: State | None
    last: str = ""


class _Undone(Exception):
    """What was done is to be undone: it was only asked for."""


def restore(call: Call, item: Restore) -> Restored:
    """What became of each object, or would become of it. Raises `ItemRefused`, and nothing is changed."""
    wanted = _wanted(call, item)
    if len(wanted) > MOST:
        raise refused(TOO_MANY, None, f"{len(wanted)} objects would be restored, at most {MOST} at once")
    kinds = {one.kind: one for one in call.versioned}
    _refuse_forbidden(call, kinds, wanted)
    found: list[RestoredObject] = []
    try:
        with call.work.item():
            found = [
                _restored(call, kinds.get(one.event.object_kind), one, item.force) for one in _order(kinds, wanted)
            ]
            conflicts = [one for one in found if one.outcome is RestoreOutcome.CONFLICT]
            if conflicts and not item.dry_run:
                raise ItemRefused([_told(one) for one in conflicts[:MOST_TOLD]])
            if item.dry_run:
                raise _Undone
    except _Undone:
        pass
    return Restored(item.dry_run, sum(one.outcome in _CHANGED for one in found), found)


_CHANGED: Final = frozenset({RestoreOutcome.MADE, RestoreOutcome.CHANGED, RestoreOutcome.REMOVED})


def _wanted(call: Call, item: Restore) -> list[_Wanted]:
    """What each object is to be. Raises `ItemRefused`."""
    given = [name for name in ("event_id", "request_id", "at") if getattr(item, name)]
    if len(given) != 1:
        raise refused(EXACTLY_ONE, given[-1].replace("_i", "I") if given else "eventId")
    if item.event_id:
        event = rows.find(call.work, call.open(Kind.AUDIT_EVENT, item.event_id, "eventId"))
        if event is None:
            raise refused(RESTORE_CONFLICT, "eventId", "There is no such event")
        return [_Wanted(event, event.before if item.before else event.after)]
    if item.request_id:
        events = rows.of_request(call.work, item.request_id, MOST * 4 + 1)
        if not events:
            raise refused(RESTORE_CONFLICT, "requestId", "No change was made by a request of this id")
    else:
        at = fields.moment_or_ago(item.at, "at", call.work.now)
        if at > call.work.now:
            raise refused(BAD_DATE, "at", f"{BAD_DATE.message}: it is to come")
        events = rows.since(call.work, at, MOST * 4 + 1)
    if len(events) > MOST * 4:
        raise refused(TOO_MANY, None, f"More than {MOST * 4} changes would be undone at once")
    first: dict[tuple[str, str], AuditRow] = {}
    last: dict[tuple[str, str], str] = {}
    for event in events:
        of = event.object_kind, event.object_id
        first.setdefault(of, event)
        last[of] = event.id
    return [_Wanted(event, event.before, last[of] if item.request_id else "") for of, event in first.items()]


def _refuse_forbidden(call: Call, kinds: Mapping[str, Versioned], wanted: Sequence[_Wanted]) -> None:
    """Nobody restores what they may not change."""
    for kind in dict.fromkeys(one.event.object_kind for one in wanted):
        if kind in kinds and not call.caller.may((kinds[kind].edits,)):
            message = f"{FORBIDDEN.message}: the permission {kinds[kind].edits} is required to restore a {kind}"
            raise refused(FORBIDDEN, None, message)


def _order(kinds: Mapping[str, Versioned], wanted: Sequence[_Wanted]) -> list[_Wanted]:
    """What goes and names others first, then what comes, what is named before what names it; last what goes and
    was named. Of one kind the older ones come first and go last: what lies in another is younger."""

    def place(one: _Wanted) -> tuple[int, int, int]:
        kind = kinds.get(one.event.object_kind)
        rank, age = (0 if kind is None else kind.rank), int(one.event.object_id or "0", 16)
        if one.state is not None:
            return 1, rank, age
        return (0 if rank else 2), -rank, -age

    return sorted(wanted, key=place)


def _restored(call: Call, kind: Versioned | None, one: _Wanted, force: bool) -> RestoredObject:
    event = one.event
    key = event.object_id
    sealed = call.seal(event.object_kind, key) if event.object_kind in words.KINDS_WITH_IDS else ""
    told = RestoredObject(event.object_kind, sealed, words.name_of(event), RestoreOutcome.UNCHANGED)
    if kind is None:
        return _of(told, RestoreOutcome.LEFT, "objects of this kind cannot be restored; see their history")
    there = kind.state(call.work, key)
    if _same(there, one.state):
        return told
    shown = [words.shown(state, event, call.ids, call.work.account_id) for state in (there, one.state)]
    outcome = (
        RestoreOutcome.MADE
        if there is None
        else RestoreOutcome.REMOVED
        if one.state is None
        else RestoreOutcome.CHANGED
    )
    changes = words.changes(*shown)
    told = RestoredObject(told.object_kind, told.object_id, told.object_name, outcome, "", changes)
    if one.last and not force:
        later = rows.later(call.work, event.object_id, event.object_kind, one.last)
        if later is not None:
            why = f"{later.actor} changed it since, in revision {later.revision}"
            return _of(told, RestoreOutcome.CONFLICT, why)
    try:
        kind.put(call, key, one.state)
    except ItemRefused as refusal:
        return _of(told, RestoreOutcome.CONFLICT, "; ".join(one.message for one in refusal.problems))
    return told


def _of(told: RestoredObject, outcome: RestoreOutcome, why: str) -> RestoredObject:
    return RestoredObject(told.object_kind, told.object_id, told.object_name, outcome, why, told.changes)


def _told(one: RestoredObject) -> Problem:
    name = f" {one.object_name}" if one.object_name else ""
    return problem(RESTORE_CONFLICT, None, f"{one.object_kind}{name}: {one.why}")


def _same(one: Mapping[str, object] | None, other: Mapping[str, object] | None) -> bool:
    if one is None or other is None:
        return one is other
    return _plain(one) == _plain(other)


def _plain(state: Mapping[str, object]) -> dict[str, object]:
    """A state without what only says when it was written; what is null or not there is the same."""
    return {name: value for name, value in state.items() if name not in _UNTOLD and value is not None}
