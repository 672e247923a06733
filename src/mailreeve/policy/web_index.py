"""Which list entries could cover a URL, without looking at every entry?

Domain entries are found by the request's host and the domains above it, URL entries by the host and
each leading part of the path: a handful of steps however many entries there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mailreeve.policy.policies import WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.weburls import WebUrl, parameters

EntryOrder = tuple[int, int, int, float, str, str]
"""The sort key of an entry within equal scopes, the highest wins."""


class Listed(Struct, frozen=True, gc=False):
    """One entry, the policy whose it is, and the parameters that a query must hold for it (D-39)."""

    policy: WebPolicy
    entry: WebEntry
    base: str
    parameters: frozenset[tuple[str, str]]

    @property
    def order(self) -> EntryOrder:
        """URL over domain, longer over shorter, block over allow (D-25); then newest and id as for mail."""
        entry = self.entry
        return (
            1 if entry.type is WebEntryType.URL else 0,
            len(entry.value),
            1 if entry.action is WebAction.BLOCK else 0,
            self.policy.created,
            self.policy.id,
            entry.id,
        )

    def mismatch(self, url: WebUrl) -> str | None:
        """The first test of the URL that the entry does not pass, in words.

        A domain covers its subdomains on label boundaries (D-23), a URL only its exact host (D-24).
        A path covers the paths below it on segment boundaries (D-40). An entry with a query covers its
        own path only, if each of its parameters is present.
        """
        host = self.base.partition("/")[0]
        if self.entry.type is WebEntryType.DOMAIN:
            return None if f".{url.host}".endswith(f".{host}") else "the host does not match"
        if url.host != host:
            return "the host does not match"
        asked = url.host + url.path
        if self.parameters:
            if asked != self.base:
                return "the path does not match"
            return None if self.parameters <= parameters(url.query) else "the query does not match"
        return None if f"{asked}/".startswith(f"{self.base}/") else "the path does not match"


def list_entry(policy: WebPolicy, entry: WebEntry) -> Listed:
    """The entry as the index and whoever compares entries see it."""
    base, _, query = entry.value.partition("?")
    return Listed(policy, entry, base, parameters(query))


class WebIndex:
    """All web lists of an account. Immutable for its readers."""

    def __init__(self, policies: Iterable[WebPolicy] = ()) -> None:
        self.policies: tuple[WebPolicy, ...] = tuple(policies)
        domains: dict[str, list[Listed]] = {}
        urls: dict[str, list[Listed]] = {}
        for policy in self.policies:
            for entry in policy.entries:
                listed = list_entry(policy, entry)
                shelf = domains if entry.type is WebEntryType.DOMAIN else urls
                shelf.setdefault(listed.base, []).append(listed)
        self._domains = {base: tuple(found) for base, found in domains.items()}
        self._urls = {base: tuple(found) for base, found in urls.items()}
        self._depth = max((base.count("/") for base in urls), default=-1)

    def covering(self, url: WebUrl) -> Iterator[Listed]:
        """The entries that cover the URL."""
        domains = self._domains
        name = url.host
        while name:
            yield from domains.get(name, ())
            name = name.partition(".")[2]
        for base in self._bases(url):
            for listed in self._urls.get(base, ()):
                if not listed.parameters or listed.mismatch(url) is None:
                    yield listed

    def on_host(self, url: WebUrl) -> Iterator[Listed]:
        """The entries that cover the URL's host or name anything on it: what an explanation is about."""
        name = url.host
        while name:
            yield from self._domains.get(name, ())
            name = name.partition(".")[2]
        below = url.host + "/"
        for base, found in self._urls.items():
            if base == url.host or base.startswith(below):
                yield from found

    def _bases(self, url: WebUrl) -> Iterator[str]:
        """Host and path cut at each slash, down to the depth of the deepest entry."""
        if self._depth < 0:
            return
        text = url.host + url.path
        end = len(url.host)
        for _ in range(self._depth + 1):
            yield text[:end]
            if end == len(text):
                return
            cut = text.find("/", end + 1)
            end = len(text) if cut < 0 else cut
