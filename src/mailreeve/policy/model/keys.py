"""Which targets does an address match? The keys of all of them, see `targets.Target.key`.

A policy's target matches an address when its key is among the address's. The index looks policies up by the very
same keys, so that finding a policy and testing it cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from msgspec import Struct

from mailreeve.policy.model.targets import BELOW, EVERYONE_KEY, EXTERNAL_KEY, GROUP_KEY, NAME_KEY, around


class Keys(Struct, frozen=True, gc=False):
    """The keys of the targets that match. Those of groups stand apart, as there may be dozens of them.

    Those of domains with everything below them are made of `domains` when somebody asks (`wide`): few accounts
    name any, and looking for three keys more in every index would cost each decision a tenth of its time.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def wide(self) -> tuple[str, ...]:
        """The keys of the domains that hold one of `domains` with everything below them (`targets.BELOW`)."""
        domains = self.domains
        if len(domains) == 1:
            return around(domains[0])
        return tuple(dict.fromkeys(chain.from_iterable(map(around, domains))))

    def __contains__(self, key: str) -> bool:
        return key in self.names or key in self.groups or (key[:1] == BELOW and key in self.wide)

    def __iter__(self) -> Iterator[str]:
        return chain(self.names, self.groups, self.wide)


class _Anything(tuple[str, ...]):
    """A tuple that claims to hold whatever it is asked for, and yields nothing."""

    __slots__ = ()

    def __contains__(self, key: object) -> bool:
        return True


ANY_KEYS: Final = Keys(_Anything())
"""The keys of a header that is still unknown, taken as if it matched every target."""

NO_KEYS: Final = Keys(())

NULL_SENDER_KEYS: Final = Keys((EVERYONE_KEY, EXTERNAL_KEY))
"""The null sender matches everyone and external addresses only (behaviour.md D-06)."""


def union(several: Iterable[Keys]) -> Keys:
    """The keys that any one of them holds, each once."""
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    differing: dict[str, None] | None = None
    for keys in several:
        if differing is not None:
            differing.update(dict.fromkeys(keys.names))
        elif keys.names[: len(names)] == names:  # one more name, of an author who is the sender
            names = keys.names
        else:
            differing = dict.fromkeys(names + keys.names)
        if keys.groups is not groups:
            groups = tuple(dict.fromkeys(groups + keys.groups)) if groups else keys.groups
        if keys.domains != domains:
            domains = tuple(dict.fromkeys(domains + keys.domains)) if domains else keys.domains
    return Keys(names if differing is None else tuple(differing), groups, domains)


def keys_of(several: Iterable[str]) -> Keys:
    """These keys, those of groups apart."""
    names: list[str] = []
    groups: list[str] = []
    for key in several:
        (groups if key.startswith(GROUP_KEY) else names).append(key)
    return Keys(tuple(names), tuple(groups))


def with_names(keys: Keys, folded: Iterable[str]) -> Keys:
    """The keys, and those of display names."""
    return Keys((*keys.names, *[NAME_KEY + name for name in folded]), keys.groups, keys.domains)
