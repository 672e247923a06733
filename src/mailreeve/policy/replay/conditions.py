"""When, and for which sources, are some policies in force? Only so far as messages are told apart by it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from math import isinf
from typing import TypeAlias

from mailreeve.formats.networks import IPAddress, Network
from mailreeve.policy.index.network_table import NetworkTable, network_keys
from mailreeve.policy.model.policies import Terms

Span: TypeAlias = tuple[float, float]
"""The first and the last of some times, in POSIX seconds."""


def moments(terms: Terms, during: Span) -> list[float]:
    """When a policy starts or ends, after the first of these times and not after the last."""
    return [at for at in (terms.starts, terms.ends) if during[0] < at <= during[1] and not isinf(at)]


class Conditions:
    """The dates and networks of some terms, and other networks. Only dates `during` some time count."""

    def __init__(self, several: Iterable[Terms], during: Span, networks: Iterable[Network] = ()) -> None:
        found: set[float] = set()
        keys = network_keys(networks)
        for terms in several:
            found.update(moments(terms, during))
            keys |= network_keys(terms.networks)
        self._moments = sorted(found)
        self._networks = NetworkTable({key: key for key in keys}) if keys else None

    def met(self, at: float, source: IPAddress | None) -> Hashable:
        """Equal where the same of the dates have passed and the same of the networks hold the source, which is as
        of `unmapped`. A policy starts at its instant, and ends just before it."""
        passed = bisect_right(self._moments, at) if self._moments else 0
        if source is None or self._networks is None:
            return passed, source is None
        return passed, *self._networks.holding(source)
