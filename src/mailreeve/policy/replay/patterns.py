"""Which addresses may some definitions rewrite?"""

from __future__ import annotations

from collections.abc import Iterable

from mailreeve.formats.addresses import Address, fold_local
from mailreeve.policy.model.policies import Definition


class Patterns:
    """The patterns of some definitions, wherever these stand."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        originals = (definition.original for definition in definitions)
        self._halves = frozenset((fold_local(one.local), one.domain) for one in originals)

    def __bool__(self) -> bool:
        return bool(self._halves)

    def __contains__(self, address: Address) -> bool:
        """Whether any of them is of the address: of all of it, its local part or its domain."""
        local, _, domain = address.key.rpartition("@")
        halves = self._halves
        return (local, domain) in halves or (local, "") in halves or ("", domain) in halves
