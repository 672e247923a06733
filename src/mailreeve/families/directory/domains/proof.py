"""Does whoever holds a domain say so in the DNS? The question, asked before any transaction begins.

The proof is a TXT record with the code of `domain/create-domain`, at the domain itself or at `_mailreeve` below it
(api.md section 3.8). A look-up takes seconds where a name server is slow, so nobody who writes waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from msgspec import Struct

from mailreeve.formats.addresses import Domain

LABEL: Final = "_mailreeve"
PREFIX: Final = "mailreeve-verification="
"""What the text of a record begins with, so that whoever finds it in a zone knows whose it is."""

LONGEST: Final = 5.0  # seconds that one look-up may take
MOST_TEXTS: Final = 100  # records of one name that are looked at


class Found(Struct, frozen=True):
    """The texts at a domain, and why some name could not be asked for, empty where each could."""

    texts: Sequence[str]
    problem: str = ""


LookUp = Callable[[Domain], Found]


class Resolver:
    """Asks the resolvers of this machine, or those at the given addresses and ports."""

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._servers = tuple(servers)

    def __call__(self, domain: Domain) -> Found:
        try:
            resolver = self._resolver()
        except dns.resolver.NoResolverConfiguration as problem:
            return Found((), str(problem))
        texts: list[str] = []
        unheard = ""
        for name in (domain, f"{LABEL}.{domain}"):
            try:
                answer = resolver.resolve(dns.name.from_text(name), dns.rdatatype.TXT, lifetime=LONGEST)
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                continue
            except dns.exception.DNSException as told:
                unheard = unheard or f"{name}: {type(told).__name__}"  # its words name our name servers
                continue
            found = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
            texts += found[:MOST_TEXTS]
        return Found(texts, unheard)

    def _resolver(self) -> dns.resolver.Resolver:
        if not self._servers:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self._servers]
        return resolver


_asked: list[LookUp] = [Resolver()]


def ask_by(look_up: LookUp) -> None:
    """How this process asks the DNS from now on."""
    _asked[:] = [look_up]


def look_up(domain: Domain) -> Found:
    """What the DNS says about a domain. It may take `LONGEST` seconds for each of two names."""
    return _asked[0](domain)
