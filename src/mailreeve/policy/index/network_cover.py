"""Are all source addresses of some ranges within others?"""

from __future__ import annotations

from typing import Final

from mailreeve.formats.networks import Network

MAX_PAIRS: Final = 4_096
"""Pairs of ranges, or of targets, that are compared one by one; of more ranges only equal ones count."""


def networks_covered(wide: tuple[Network, ...], narrow: tuple[Network, ...]) -> bool:
    """Whether every source address within the narrow ranges is within the wide ones; none at all is any source."""
    if not wide:
        return True
    if not narrow:
        return False
    if len(wide) * len(narrow) > MAX_PAIRS:
        return set(narrow) <= set(wide)
    return all(any(_inside(n, w) for w in wide) for n in narrow)


def _inside(narrow: Network, wide: Network) -> bool:
    # Told by the first address and the length: `subnet_of` is typed for one version at a time.
    return narrow.version == wide.version and narrow.prefixlen >= wide.prefixlen and narrow.network_address in wide
