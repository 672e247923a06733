"""Which definition rewrites this address? The rewrite rules of an account, by set (behaviour.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from msgspec import Struct

from mailreeve.formats.addresses import Address, Domain, address_key
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import AddressPattern, AddressType, Changes, Definition, Routing

T = TypeVar("T")

_ALL_FIELDS: Final = AddressType.ALL
_ALL_ROUTINGS: Final = Routing.ALL

ROOT: Final = ""
"""The set id of the root folder, whose definitions need no policy."""


class Route(Struct, frozen=True, gc=False):
    """The direction of a message, as far as definitions distinguish it.

    Inbound is whatever goes to an internal recipient, outbound what an internal envelope sender
    writes to an external one. Between outsiders neither holds; nor does it for a bounce leaving,
    whose sender is nobody. Only definitions for `all` apply to those.
    """

    routing: Routing

    def takes(self, wanted: Routing) -> bool:
        """Whether a definition for this direction holds for the message."""
        return wanted is _ALL_ROUTINGS or wanted is self.routing


class Definitions:
    """All definitions of an account. Immutable for its readers.

    Within one set the full address wins over `local@*`, and that over `*@domain` (behaviour.md
    section 5.3). Of definitions with the same pattern one for the very field wins over one for
    `all`, then one for the very direction over one for `all`, then the newest, which has the
    highest id: the same reading as for policies, narrow before wide and new before old.

    A set is used alone: a policy that names it does not put sets below it to work. Admins see the
    folders of sets as a way to keep order, and a policy names what it uses.

    `domains` counts the definitions by the domain of the original address, empty for an asterisk.
    """

    __slots__ = ("_by_id", "_sets", "domains")

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        self._by_id: Sharded[Definition] = Sharded()
        self._sets: dict[str, Sharded[tuple[Definition, ...]]] = {}
        self.domains: dict[str, int] = {}
        self._put({definition.id: definition for definition in definitions})

    def __len__(self) -> int:
        return len(self._by_id)

    def concern(self, address: Address, internal_domains: frozenset[Domain]) -> bool:
        """Whether a definition could be for this address: the quick answer for most mail's other side."""
        domains = self.domains
        return address.domain in domains or ("" in domains and address.domain in internal_domains)

    def changed(self, changes: Changes[Definition]) -> Definitions:
        """The definitions once these are as given and those others are gone."""
        new: Definitions = Definitions.__new__(Definitions)
        new._by_id, new._sets, new.domains = self._by_id, dict(self._sets), dict(self.domains)
        new._put(dict[str, Definition | None].fromkeys(changes.gone) | {one.id: one for one in changes.put})
        return new

    def _put(self, entries: Mapping[str, Definition | None]) -> None:
        """Only for a value that nobody reads yet."""
        written: dict[str, dict[str, list[Definition]]] = {}

        def rivals(definition: Definition) -> list[Definition]:
            key, set_id = _pattern_key(definition.original), definition.set_id
            patterns = written.setdefault(set_id, {})
            if key not in patterns:
                kept = self._sets.get(set_id)
                patterns[key] = list(() if kept is None else kept.get(key) or ())
            return patterns[key]

        for key, definition in entries.items():
            old = self._by_id.get(key)
            if old is not None:
                rivals(old).remove(old)
                self._count(old.original.domain, -1)
            if definition is not None:
                rivals(definition).append(definition)
                self._count(definition.original.domain, 1)
        self._by_id = self._by_id.changed(entries) if len(self._by_id) else Sharded(_present(entries))
        for set_id, patterns in written.items():
            ranked = {
                key: tuple(sorted(found, key=_preference, reverse=True)) if found else None
                for key, found in patterns.items()
            }
            kept = self._sets.get(set_id)
            left = Sharded(_present(ranked)) if kept is None else kept.changed(ranked)
            self._sets.pop(set_id, None)
            if left:
                self._sets[set_id] = left

    def every(self) -> Iterator[Definition]:
        """The definitions of all sets. Those that rival each other follow one another, the winner-to-be first."""
        for patterns in self._sets.values():
            for rivals in patterns.values():
                yield from rivals

    def _count(self, domain: str, more: int) -> None:
        count = self.domains.pop(domain, 0) + more
        if count:
            self.domains[domain] = count

    def find(
        self,
        set_id: str,
        field: AddressType,
        address: Address,
        route: Route,
        internal_domains: frozenset[Domain],
    ) -> Definition | None:
        """The definition of the set that rewrites this address in this field, if any.

        `local@*` stands for that local part in any of the account's own domains: alteration is for
        an organisation's own addresses, not for rewriting strangers (behaviour.md section 5.2).
        """
        patterns = self._sets.get(set_id)
        if patterns is None:
            return None
        key, domain = address.key, address.domain
        at = len(key) - len(domain)
        shards, mask = patterns.shards, patterns.mask
        for pattern in (key, key[:at], key[at - 1 :]):
            shard = shards[hash(pattern) & mask]
            if pattern in shard and (pattern[-1] != "@" or domain in internal_domains):
                definition = _first(shard[pattern], field, route)
                if definition is not None:
                    return definition
        return None


def _first(ranked: tuple[Definition, ...], field: AddressType, route: Route) -> Definition | None:
    for definition in ranked:
        if definition.address_type in (field, _ALL_FIELDS) and route.takes(definition.routing):
            return definition
    return None


def _present(entries: Mapping[str, T | None]) -> dict[str, T]:
    return {key: value for key, value in entries.items() if value is not None}


def apply_pattern(new: AddressPattern, address: Address) -> Address:
    """The rewritten address: an asterisk on the new side keeps that half (behaviour.md section 5.5)."""
    local = new.local or address.local
    domain = Domain(new.domain) if new.domain else address.domain
    return Address(local, domain, address_key(local, domain))


def _pattern_key(pattern: AddressPattern) -> str:
    """As in `Address.key`, with nothing where the pattern has an asterisk."""
    return address_key(pattern.local, pattern.domain)


def _preference(definition: Definition) -> tuple[bool, bool, str]:
    return definition.address_type is not AddressType.ALL, definition.routing is not Routing.ALL, definition.id
