"""How are many entries of personal lists taken in at once? Each by itself, by the rules of a single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import operations
from mailreeve.families.managed_senders.operations import Outcome
from mailreeve.families.managed_senders.rows import Said
from mailreeve.families.managed_senders.types import EntryItem, ImportAnswer, ImportEntries, RefusedEntry
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.wire.errors import AT_LEAST_ONE, NOT_ALLOWED, NULL, ItemRefused, problem, refused

MAX_ENTRIES: Final = 1_000
"""So many entries at most are taken in at once: others wait for so long to write."""

_OVER: Final = "over"
_ACTIONS: Final = {action.value: action for action in ManagedAction}


class _Undone(Exception):
    """A dry run is over: what would have come of it."""

    def __init__(self, answer: ImportAnswer) -> None:
        super().__init__()
        self.answer = answer


def take_in(call: Call, item: ImportEntries) -> ImportAnswer:
    """Take the entries in, but for those that are refused; to take in the same ones again changes nothing. Raises
    `ItemRefused`."""
    if not item.entries:
        raise refused(AT_LEAST_ONE, "entries", "At least one entry is required")
    if len(item.entries) > MAX_ENTRIES:
        raise refused(NOT_ALLOWED, "entries", f"At most {MAX_ENTRIES} entries are allowed")
    if not item.dry_run:
        return _each(call, item.entries)
    try:
        with call.work.item():
            raise _Undone(_each(call, item.entries))
    except _Undone as undone:
        return undone.answer


def _each(call: Call, entries: Sequence[EntryItem]) -> ImportAnswer:
    owners: dict[str, str] = {}  # whose list an address means, asked once
    outcomes: Counter[str] = Counter()
    refusals: list[RefusedEntry] = []
    for number, entry in enumerate(entries):
        try:
            outcomes[_one(call, entry, owners)] += 1
        except ItemRefused as refusal:
            refusals += [RefusedEntry(number, one.field or "", one.code, one.message) for one in refusal.problems]
    return ImportAnswer(
        added=outcomes[Outcome.ADDED],
        changed=outcomes[Outcome.CHANGED],
        unchanged=outcomes[Outcome.UNCHANGED],
        over=outcomes[_OVER],
        refused=refusals,
    )


def _one(call: Call, entry: EntryItem, owners: dict[str, str]) -> str:
    """What became of one entry. Nothing is written before all of it is known to be good. Raises `ItemRefused`."""
    if entry.sender is None or entry.to is None or entry.type is None:
        members = (("sender", entry.sender), ("to", entry.to), ("type", entry.type))
        raise ItemRefused([problem(NULL, name) for name, value in members if value is None])
    action = _ACTIONS.get(entry.type.lower())
    if action is None:
        message = f"Field must be one of [permit, block], not {entry.type[:64]!r}"
        raise refused(NOT_ALLOWED, "type", message)
    matched = operations.sender_key(call, entry.sender)
    owner = owners.get(entry.to)
    if owner is None:
        owner = owners[entry.to] = operations.list_owner(call, entry.to)
    said = Said(action, operations.reason_of(entry.reason), operations.end_of(entry.expires))
    if said.expires_at is not None and said.expires_at <= call.work.now:
        return _OVER
    return operations.put(call, owner, matched, entry.sender, said)[1]
