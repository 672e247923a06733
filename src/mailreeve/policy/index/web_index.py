"""Which list entries could cover a URL, without looking at every entry?

Domain entries are found by the request's host and the domains above it, URL entries by the host and
each leading part of the path: a handful of steps however many entries there are. A changed list
touches the hosts of the entries that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, ValuesView

from msgspec import Struct

from mailreeve.formats.weburls import MAX_HOST, WebUrl, parameters
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import ALL_ELSE, Changes, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.model.trace import WebUnmet

EntryOrder = tuple[int, int, int, float, str, str]
"""The sort key of an entry within equal scopes, the highest wins."""


class Listed(Struct, frozen=True, gc=False):
    """One entry, the policy whose it is, and the parameters that a query must hold for it (D-39)."""

    policy_id: str
    created: float
    entry: WebEntry
    base: str
    parameters: frozenset[tuple[str, str]]

    @property
    def order(self) -> EntryOrder:
        """URL over domain, longer over shorter, block over allow (D-25); then newest and id as for mail. What a
        default deny blocks comes behind every entry: nothing is wider."""
        entry = self.entry
        return (
            (1 if entry.type is WebEntryType.URL else 0) if entry.value else -1,
            len(entry.value),
            1 if entry.action is WebAction.BLOCK else 0,
            self.created,
            self.policy_id,
            entry.id,
        )

    @property
    def covers_below(self) -> bool:
        """Whether a URL covers whatever is below its path, with any query."""
        return not (self.parameters or self.entry.exact)

    @property
    def is_part_of_host(self) -> bool:
        """Whether it is about a path or a query: nothing to whoever sees the host alone (D-27)."""
        return bool(self.parameters) or "/" in self.base

    def mismatch(self, url: WebUrl) -> WebUnmet | None:
        """The first test of the URL that the entry does not pass.

        A domain covers its subdomains on label boundaries (D-23), a URL only its exact host (D-24).
        A path covers the paths below it on segment boundaries (D-40). An entry with a query covers its
        own path only, if each of its parameters is present. An exact one covers its own path with just its own
        parameters (D-54). A default deny covers everything.
        """
        if not self.base:
            return None
        host = self.base.partition("/")[0]
        if self.entry.type is WebEntryType.DOMAIN:
            return None if f".{url.host}".endswith(f".{host}") else WebUnmet.HOST
        if url.host != host:
            return WebUnmet.HOST
        asked = url.host + url.path
        if not self.covers_below:
            if asked != self.base:
                return WebUnmet.PATH
            if self.entry.exact:
                return None if self.parameters == parameters(url.query) else WebUnmet.QUERY
            return None if self.parameters <= parameters(url.query) else WebUnmet.QUERY
        return None if f"{asked}/".startswith(f"{self.base}/") else WebUnmet.PATH


class _OnHost(Struct, frozen=True, gc=False):
    """The entries that name one host: the domain itself, and URLs on it by host and path. `depth` is the number of
    slashes in the deepest of these; -1 without any."""

    domains: tuple[Listed, ...]
    urls: Mapping[str, tuple[Listed, ...]]
    depth: int


class WebIndex:
    """All web lists of an account. Immutable for its readers."""

    __slots__ = ("_entries", "_hosts", "_policies", "all_else")

    def __init__(self, policies: Iterable[WebPolicy] = ()) -> None:
        self._policies = Sharded({policy.id: policy for policy in policies})
        self.all_else = tuple(
            list_entry(policy, ALL_ELSE) for policy in self._policies.values() if policy.default_deny
        )
        """What the lists with a default deny say about every URL."""
        self._entries = sum(len(policy.entries) for policy in self._policies.values())
        hosts: dict[str, list[Listed]] = {}
        for policy in self._policies.values():
            for entry in policy.entries:
                listed = list_entry(policy, entry)
                hosts.setdefault(_host(listed.base), []).append(listed)
        self._hosts = Sharded({host: _on_host(found) for host, found in hosts.items()})

    def __len__(self) -> int:
        return self._entries

    @property
    def policies(self) -> ValuesView[WebPolicy]:
        """All lists, in no particular order."""
        return self._policies.values()

    def get(self, key: str) -> WebPolicy | None:
        """The list with this id, or None."""
        return self._policies.get(key)

    def policy(self, key: str) -> WebPolicy:
        """The list with this id. Raises `KeyError`."""
        return self._policies[key]

    def changed(self, changes: Changes[WebPolicy]) -> WebIndex:
        """The lists once these are as given and those others are gone. Only hosts are touched that an entry which
        came, went or changed names."""
        new: WebIndex = WebIndex.__new__(WebIndex)
        new._entries = self._entries
        put = {policy.id: policy for policy in changes.put}
        lost: dict[str, set[str]] = {}
        won: dict[str, list[Listed]] = {}
        for key in {*put, *changes.gone}:
            old, now = self._policies.get(key), put.get(key)
            before = {} if old is None else {entry.id: entry for entry in old.entries}
            after = {} if now is None else {entry.id: entry for entry in now.entries}
            anew = old is None or now is None or old.created != now.created
            new._entries += len(after) - len(before)
            for entry in before.values():
                if anew or after.get(entry.id) != entry:
                    lost.setdefault(_host(entry.value.partition("?")[0]), set()).add(entry.id)
            for entry in () if now is None else after.values():
                if now is not None and (anew or before.get(entry.id) != entry):
                    listed = list_entry(now, entry)
                    won.setdefault(_host(listed.base), []).append(listed)
        new.all_else = (
            *(listed for listed in self.all_else if listed.policy_id not in put.keys() | changes.gone),
            *(list_entry(policy, ALL_ELSE) for policy in changes.put if policy.default_deny),
        )
        new._policies = self._policies.changed(dict[str, WebPolicy | None].fromkeys(changes.gone) | put)
        hosts: dict[str, _OnHost | None] = {}
        for host in {*lost, *won}:
            gone, kept = lost.get(host, set()), self._hosts.get(host)
            found = [] if kept is None else [one for one in _all(kept) if one.entry.id not in gone]
            found += won.get(host, ())
            hosts[host] = _on_host(found) if found else None
        new._hosts = self._hosts.changed(hosts)
        return new

    def covering(self, url: WebUrl) -> list[Listed]:
        """The entries that cover the URL."""
        found: list[Listed] = []
        shards, mask = self._hosts.shards, self._hosts.mask
        name = url.host
        shard = shards[hash(name) & mask]
        if name in shard:
            there = shard[name]
            found += there.domains
            if there.depth >= 0:
                for base in _bases(url, there.depth):
                    for listed in there.urls.get(base, ()):
                        if listed.covers_below or listed.mismatch(url) is None:
                            found.append(listed)
        # No entry is longer, so a host of ten thousand labels costs no more than the last of them.
        at = name.find(".", max(0, len(name) - MAX_HOST - 1)) + 1
        while at:
            above = name[at:]
            shard = shards[hash(above) & mask]
            if above in shard:
                found += shard[above].domains
            at = name.find(".", at) + 1
        return found

    def saying(self, type_: WebEntryType, value: str) -> tuple[Listed, ...]:
        """The entries that name just this, in whichever list and with whichever action."""
        base = value.partition("?")[0]
        there = self._hosts.get(_host(base))
        if there is None:
            return ()
        found = there.domains if type_ is WebEntryType.DOMAIN else there.urls.get(base, ())
        return tuple(listed for listed in found if listed.entry.value == value)

    @property
    def hosts(self) -> Iterable[str]:
        """Every host and domain that an entry names, in no particular order."""
        return self._hosts

    def naming(self, host: str) -> Iterator[Listed]:
        """The entries that name this very domain, and the URLs that are all of this host."""
        there = self._hosts.get(host)
        if there is not None:
            yield from there.domains
            yield from (listed for listed in there.urls.get(host, ()) if listed.covers_below)

    def deeper(self, host: str) -> list[Listed]:
        """The entries that name a path or a query on just this host: what nobody can enforce who sees the host
        alone (D-27)."""
        there = self._hosts.get(host)
        if there is None or not there.urls:
            return []
        return [listed for found in there.urls.values() for listed in found if listed.is_part_of_host]

    def on_host(self, url: WebUrl) -> Iterator[Listed]:
        """The entries that cover the URL's host or name anything on it, and each default deny: what an explanation
        is about. Those that cover the URL come first."""
        covering = self.covering(url)
        yield from covering
        yield from self.all_else
        there = self._hosts.get(url.host)
        if there is not None:
            known = {listed.entry.id for listed in covering}
            yield from (
                listed for found in there.urls.values() for listed in found if listed.entry.id not in known
            )


def list_entry(policy: WebPolicy, entry: WebEntry) -> Listed:
    """The entry as the index and whoever compares entries see it."""
    base, _, query = entry.value.partition("?")
    return Listed(policy.id, policy.created, entry, base, parameters(query))


def _host(base: str) -> str:
    return base.partition("/")[0]


def _on_host(found: Iterable[Listed]) -> _OnHost:
    domains: list[Listed] = []
    urls: dict[str, list[Listed]] = {}
    for listed in found:
        if listed.entry.type is WebEntryType.DOMAIN:
            domains.append(listed)
        else:
            urls.setdefault(listed.base, []).append(listed)
    depth = max((base.count("/") for base in urls), default=-1)
    return _OnHost(tuple(domains), {base: tuple(several) for base, several in urls.items()}, depth)


def _all(there: _OnHost) -> Iterator[Listed]:
    yield from there.domains
    for found in there.urls.values():
        yield from found


def _bases(url: WebUrl, depth: int) -> Iterator[str]:
    """Host and path cut at each slash, down to the depth of the deepest entry."""
    text = url.host + url.path
    end = len(url.host)
    for _ in range(depth + 1):
        yield text[:end]
        if end == len(text):
            return
        cut = text.find("/", end + 1)
        end = len(text) if cut < 0 else cut
