"""Which bodies does nobody need any more? Those that no row of any capability names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from mailreeve.families.archive import rows as archive
from mailreeve.families.directory.account import rows as accounts
from mailreeve.store.bodies import Bodies
from mailreeve.store.transactions import Store, Work

NAMED: Final[tuple[Callable[[Work, Collection[str]], set[str]], ...]] = (archive.bodies_named,)
"""For each capability that keeps copies, which of some bodies its rows name."""


class LeftOverBodies:
    """The bodies of every account that no row names."""

    def __init__(self, store: Store, bodies: Bodies) -> None:
        self._store = store
        self._bodies = bodies

    def remove(self) -> int:
        """Remove them, but for young ones, whose rows may be on their way. How many."""
        removed = 0
        for account_id in self._store.look_up(accounts.codes).values():

            def named(keys: Collection[str], account_id: str = account_id) -> set[str]:
                return self._store.read(account_id, lambda work: _named(work, keys))

            removed += self._bodies.sweep(account_id, named)
        return removed


def _named(work: Work, keys: Collection[str]) -> set[str]:
    found: set[str] = set()
    for named in NAMED:
        found |= named(work, keys)
    return found
