"""Which entries could apply between these senders and this recipient? The map that an index looks into first.

Whatever names one sender, or one sweeping kind of them, is found by the sender's key: of a message's senders there
are a handful. What names a group of senders is found by the recipient's key first. A sender may be in dozens of
groups and the recipient too: of the recipient's keys few stand here, and only there are the sender's groups looked
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Generic, TypeAlias, cast

from mailreeve.policy.index.buckets import (
    SWEEPING,
    Bucket,
    Held,
    Row,
    TargetMap,
    as_row,
    bucket,
    bucket_with,
    bucket_without,
    count_wide,
    held,
    held_with,
    held_without,
    more_wide,
    recipient_key,
)
from mailreeve.policy.index.matching import P
from mailreeve.policy.index.ranked import Reversed
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.targets import GROUP_KEY

Found: TypeAlias = P | Reversed[P] | list[P | Reversed[P]]
"""Entries with one sender key while a map is made. A single one stands for itself, as in a bucket: for most of a
million keys no list is made."""

ByGroup: TypeAlias = dict[str, Held[P]]
"""What stands under one recipient's key, by the groups of senders."""


def collect(found: dict[str, Found[P]], key: str, entry: P | Reversed[P]) -> None:
    """Note an entry under its sender's key."""
    there = found.get(key)
    if there is None:
        found[key] = entry
    elif isinstance(there, list):
        there.append(entry)
    else:
        found[key] = [there, entry]


class BySender(Generic[P]):
    """Entries by sender and recipient. Immutable for its readers.

    Those that name a group of senders stand here twice: by the recipient's key for decisions, and by the group's
    for whoever asks about the sender.
    """

    __slots__ = ("_grouped", "_named", "_wide")

    def __init__(self, found: dict[str, Found[P]]) -> None:
        """Of these entries, whose dictionary is then the map's own: there may be a million."""
        grouped: dict[str, dict[str, list[P | Reversed[P]]]] = {}
        for key, there in found.items():
            if key.startswith(GROUP_KEY):
                for entry in there if isinstance(there, list) else (there,):
                    grouped.setdefault(recipient_key(entry), {}).setdefault(key, []).append(entry)
            if isinstance(there, list):
                # In its place, as no key comes or goes: another dictionary would take as much room for a moment.
                cast("dict[str, Bucket[P]]", found)[key] = bucket(key, there)
        self._named: Sharded[Bucket[P]] = Sharded(cast("dict[str, Bucket[P]]", found))
        # How many of the senders' keys are of domains with everything below them.
        self._wide = count_wide(found)
        self._grouped: TargetMap[ByGroup[P]] = TargetMap(
            {key: {group: held(entries) for group, entries in groups.items()} for key, groups in grouped.items()}
        )

    def rows(self, senders: Keys, recipient: Keys) -> list[Row[P]]:
        """Rows of entries between addresses with these keys: too many, never too few."""
        rows: list[Row[P]] = []
        for there in self._named.several(senders.names + senders.wide if self._wide else senders.names):
            if isinstance(there, TargetMap):
                for found in there.under(recipient):
                    rows.append(as_row(found))
            else:
                rows.append(there if isinstance(there, tuple) else (there,))
        groups = senders.groups
        if groups and self._grouped:
            for by_group in self._grouped.under(recipient):
                for group in groups:
                    if group in by_group:
                        rows.append(as_row(by_group[group]))
        return rows

    def of_senders(self, senders: Keys, most: int) -> Iterator[Row[P]]:
        """Rows of entries about one of the senders for whatever recipient, up to so many for each key; but for the
        sweeping keys, which are every sender's."""
        for key in senders:
            there = None if key in SWEEPING else self._named.get(key)
            if isinstance(there, TargetMap):
                yield from map(as_row, islice(there.values(), most))
            elif there is not None:
                yield there if isinstance(there, tuple) else (there,)

    def changed(
        self, gone: list[tuple[str, P | Reversed[P]]], new: list[tuple[str, P | Reversed[P]]]
    ) -> BySender[P]:
        """The map without the entries that are gone and with those that are new, each with its sender's key."""
        if not gone and not new:
            return self
        written: dict[str, Bucket[P] | None] = {}
        regrouped: dict[str, ByGroup[P]] = {}
        for there, entries in ((False, gone), (True, new)):
            for key, entry in entries:
                before = written[key] if key in written else self._named.get(key)
                written[key] = bucket_with(key, before, entry) if there else bucket_without(before, entry)
                if key.startswith(GROUP_KEY):
                    _regroup(self._copied(regrouped, recipient_key(entry)), key, entry, there=there)
        changed: BySender[P] = BySender.__new__(BySender)
        changed._named = self._named.changed(written)
        changed._wide = self._wide + more_wide(self._named, written)
        changed._grouped = self._grouped
        if regrouped:
            changed._grouped = self._grouped.changed(
                {key: by_group or None for key, by_group in regrouped.items()}
            )
        return changed

    def _copied(self, regrouped: dict[str, ByGroup[P]], key: str) -> ByGroup[P]:
        """A copy of what stands under a recipient's key, made once for all changes."""
        by_group = regrouped.get(key)
        if by_group is None:
            by_group = regrouped[key] = dict(self._grouped.get(key) or {})
        return by_group


def _regroup(by_group: ByGroup[P], group: str, entry: P | Reversed[P], *, there: bool) -> None:
    before = by_group.pop(group, None)
    after = held_with(before, entry) if there else held_without(before, entry)
    if after is not None:
        by_group[group] = after
