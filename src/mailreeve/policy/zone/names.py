"""Which names does a zone hold, and which of them does a change of the lists touch?

A zone holds the names that entries name, each with what is said of it and what of all below it. Names between two
of these are there too where the upper one is covered: DNS finds a wildcard only at the nearest name that exists
(RFC 4592 section 2.2.1), and `*.test` says nothing of `c.b.test` once `a.b.test` is there. So
the longest wildcard, which RPZ speaks of, and that of DNS are the same here. A default deny is a wildcard at the
top: `REST`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, TypeVar

from mailreeve.formats.weburls import domains_above
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import WebEntry
from mailreeve.policy.zone.rules import REST, UNSAID, Said, ZoneRules

T = TypeVar("T")

Changed = Mapping[str, tuple[Said, Said]]
"""What was said of names and what is said now, of those of which it is not the same."""

Pause = Callable[[], None]
"""Called now and then in what takes long, so that others have their turn."""

STEP: Final = 200  # names between two pauses
_FEW: Final = 8  # from more suffixes on, a walk up each name is quicker than trying them
_OCTETS: Final = 16


def go_on() -> None:
    """The pause of whoever is alone."""


class ZoneNames:
    """The names of one zone, kept up to date. Not for several threads; `names` is immutable.

    `digest` is another one where the names or what is said of them are others, whichever changes led there.
    """

    def __init__(self, rules: ZoneRules, pause: Pause = go_on) -> None:
        self._rules = rules
        # How many of the names that entries name are below each domain.
        self._beneath: dict[str, int] = {}
        named = [host for host in _paused(rules.policies.web.hosts, pause) if rules.holding(host)]
        for host in named:
            for domain in domains_above(host):
                self._beneath[domain] = self._beneath.get(domain, 0) + 1
        found: dict[str, Said] = {}
        for host in _paused({REST, *named, *self._beneath}, pause):
            what = rules.said_of(host)
            if what != UNSAID:
                found[host] = what
        self.names: Sharded[Said] = Sharded(found)
        self._digest = 0
        for host, what in _paused(found.items(), pause):
            self._digest += _hash(host, what)

    @property
    def revision(self) -> int:
        """The revision of the policies that they are by."""
        return self._rules.policies.revision

    @property
    def digest(self) -> str:
        """What these names are known by."""
        return f"{self._digest % (1 << 8 * _OCTETS):032x}"

    def change(self, rules: ZoneRules, pause: Pause = go_on) -> Changed:
        """Have the names as they are by other rules; what is another now."""
        old, self._rules = self._rules, rules
        touched = {host for host in _touched(old, rules) if rules.sayable(host)}
        asked = set(touched)
        for host in _paused(touched, pause):
            was, now = old.holding(host), rules.holding(host)
            if was != now:
                for domain in domains_above(host):
                    self._beneath[domain] = self._beneath.get(domain, 0) + (1 if now else -1)
                    if not self._beneath[domain]:
                        del self._beneath[domain]
                    asked.add(domain)
        stale = [
            host for host in touched if host in self._beneath and old.inherited(host) != rules.inherited(host)
        ]
        if REST in touched and old.inherited(REST) != rules.inherited(REST):
            asked.update(_paused(self.names, pause), _paused(self._beneath, pause))
        else:
            asked |= set(self._below(stale, pause))
        changed: dict[str, tuple[Said, Said]] = {}
        for host in _paused(asked, pause):
            before = self.names.get(host, UNSAID) or UNSAID
            after = rules.said_of(host) if host in self._beneath or rules.holding(host) else UNSAID
            if before != after:
                changed[host] = (before, after)
                self._digest += _hash(host, after) - _hash(host, before)
        self.names = self.names.changed({host: after or None for host, (_, after) in changed.items()})
        return changed

    def _below(self, domains: Iterable[str], pause: Pause) -> Iterator[str]:
        """The names below these domains that the zone has, or may have now."""
        tops = set(domains)
        if not tops:
            return
        suffixes = tuple(f".{domain}" for domain in tops)
        few = len(suffixes) <= _FEW
        for host in _paused(self.names, pause):
            if host.endswith(suffixes) if few else any(domain in tops for domain in domains_above(host)):
                yield host
                # Those between: they may have been silent so far.
                yield from (domain for domain in domains_above(host) if not tops.isdisjoint(domains_above(domain)))


def _touched(old: ZoneRules, new: ZoneRules) -> Iterator[str]:
    """The hosts named by entries that came, went, or are said of others or otherwise now; `REST` where a default
    deny did."""
    before, after = old.policies.web, new.policies.web
    for key in {policy.id for policy in (*before.policies, *after.policies)}:
        was, now = before.get(key), after.get(key)
        stood, stands = old.standing(key), new.standing(key)
        if stood is None and stands is None:
            continue
        if any(policy is not None and policy.default_deny for policy in (was, now)):
            yield REST
        if stood == stands and was is not None and now is not None and was.created == now.created:
            if was.entries is not now.entries:
                yield from _hosts(set(was.entries) ^ set(now.entries))
            continue
        for policy in (was, now):
            if policy is not None:
                yield from _hosts(policy.entries)


def _hosts(entries: Iterable[WebEntry]) -> Iterator[str]:
    return (entry.value.partition("/")[0].partition("?")[0] for entry in entries)


def _paused(several: Iterable[T], pause: Pause) -> Iterator[T]:
    for count, one in enumerate(several, 1):
        yield one
        if not count % STEP:
            pause()


def _hash(host: str, what: Said) -> int:
    """What a name adds to the digest: sums of these are the same in any order."""
    if what == UNSAID:
        return 0
    return int.from_bytes(blake2b(f"{host} {what}".encode(), digest_size=_OCTETS).digest(), "big")
