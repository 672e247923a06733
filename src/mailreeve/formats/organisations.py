"""To which organisation does a domain belong? By the Public Suffix List, as DMARC has it (RFC 7489 section 3.2).

The list is the one that the library brings along: nothing is fetched. Names under a suffix that the list does not
have count by their last two labels.
"""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from mailreeve.formats.addresses import Domain
from mailreeve.formats.weburls import is_address


@lru_cache(maxsize=16_384)
def organisational_domain(domain: str) -> str:
    """The domain right below the public suffix, of a domain in canonical form; a public suffix and an address
    literal are their own."""
    if domain.startswith("["):
        return domain
    found: str | None = _list().privatesuffix(domain)
    return found or domain


def is_public_suffix(domain: str) -> bool:
    """Whether anybody may register names right below the domain, in canonical form: a top-level domain, known or
    not, a public suffix as `co.uk`, or one of those that companies give names below, as `github.io`."""
    if is_address(domain):
        return False
    return bool(_list().is_public(domain))


def are_aligned(one: Domain | str, other: Domain | str) -> bool:
    """Whether two domains belong to one organisation: the relaxed alignment of RFC 7489 section 3.1. Neither is
    empty."""
    return one == other or organisational_domain(one) == organisational_domain(other)


@cache
def _list() -> PublicSuffixList:
    # Read when it is first asked for: most commands never do.
    return PublicSuffixList()
