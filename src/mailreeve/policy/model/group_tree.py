"""Which groups lie above a group, and which below it? The nesting of an account's groups (behaviour.md D-03).

Nothing is written out for each group: what lies above is followed from parent to parent when it is asked for, and
kept for whoever is in the very same groups. So a group that moves costs the same wherever it lies, however many
groups there are and however many members they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Final

from mailreeve.memory.bounded import Bounded
from mailreeve.policy.model.facts import GroupPlace
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.targets import group_key

MAX_DEPTH: Final = 20
"""So many groups may lie one in another, the outermost included. Whoever is in a group is in all above it, and a
decision looks at each of them."""

KEPT: Final = 2_000_000  # keys that are kept for those who are in the same groups


class GroupTree:
    """The groups of an account, each with its name and the one right above it. Immutable for its readers."""

    __slots__ = ("_above", "_children", "names", "parents")

    def __init__(self, parents: Mapping[str, str], names: Mapping[str, str]) -> None:
        self.parents = Sharded(parents)
        self.names = Sharded(names)
        children: dict[str, list[str]] = {}
        for group, parent in parents.items():
            children.setdefault(parent, []).append(group)
        self._children = Sharded({parent: tuple(groups) for parent, groups in children.items()})
        self._above = _memory()

    def changed(self, places: Mapping[str, GroupPlace | None]) -> GroupTree:
        """The groups once these have another name or place, or are gone."""
        if not places:
            return self
        new: GroupTree = GroupTree.__new__(GroupTree)
        parents: dict[str, str | None] = {}
        children: dict[str, tuple[str, ...]] = {}
        for group, place in places.items():
            before, after = self.parents.get(group), None if place is None else place.parent
            if before == after:
                continue
            parents[group] = after
            if before is not None:
                there = children.get(before) or self._children.get(before) or ()
                children[before] = tuple([child for child in there if child != group])
            if after is not None:
                there = children[after] if after in children else self._children.get(after) or ()
                children[after] = (*there, group)
        new.parents = self.parents.changed(parents)
        new.names = self.names.changed(
            {group: None if place is None else place.name for group, place in places.items()}
        )
        new._children = self._children.changed({parent: there or None for parent, there in children.items()})
        new._above = _memory() if parents else self._above
        return new

    def lineage(self, group: str) -> Iterator[str]:
        """The group and all groups above it; a cycle is cut where it closes (D-03)."""
        seen: set[str] = set()
        next_: str | None = group
        while next_ is not None and next_ not in seen:
            seen.add(next_)
            yield next_
            next_ = self.parents.get(next_)

    def below(self, group: str) -> Iterator[str]:
        """The group and all groups below it, each once."""
        seen, todo = {group}, [group]
        while todo:
            next_ = todo.pop()
            yield next_
            for child in self._children.get(next_) or ():
                if child not in seen:
                    seen.add(child)
                    todo.append(child)

    def depths(self) -> dict[str, int]:
        """From each group that lies in another one to how deep it lies, that at the top being the first. What lies
        in a cycle is as deep as the cycle is long, and further below accordingly."""
        found: dict[str, int] = {}
        for group in self.parents:
            path: list[str] = []
            on_path: set[str] = set()
            next_: str | None = group
            while next_ is not None and next_ not in found and next_ not in on_path:
                path.append(next_)
                on_path.add(next_)
                next_ = self.parents.get(next_)
            above = 0 if next_ is None else found.get(next_, 0)
            if next_ in on_path:
                cycle = path[path.index(next_) :]
                above = len(cycle)
                found.update(dict.fromkeys(cycle, above))
                del path[path.index(next_) :]
            for depth, below in enumerate(reversed(path), above + 1):
                found[below] = depth
        return found

    def above(self, held: tuple[str, ...]) -> tuple[str, ...]:
        """The keys of these groups and of all above them, each once."""
        found = self._above.get(held)
        return self._followed(held) if found is None else found

    def _followed(self, held: tuple[str, ...]) -> tuple[str, ...]:
        parents = self.parents
        seen: dict[str, None] = {}
        for group in held:
            next_: str | None = group
            # Of a group that was met, all that lies above was met as well.
            while next_ is not None and next_ not in seen:
                seen[next_] = None
                next_ = parents.get(next_)
        found = tuple([intern(group_key(group)) for group in seen])
        return self._above.keep(held, found)


def _memory() -> Bounded[tuple[str, ...], tuple[str, ...]]:
    return Bounded(KEPT, KEPT, weigh=len)
