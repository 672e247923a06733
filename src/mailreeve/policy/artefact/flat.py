"""What do the web lists say of names, for somebody, at one time? Flat, for programs that know nothing of lists.

Whatever is said of a name is what `decide_web` says of `http://name/`, so no file has rules of its own. A domain
covers what is below it: a name is told where it is decided otherwise than the one above it that is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.weburls import domains_above, is_address
from mailreeve.policy.decide.web import WebRequest, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import list_entry
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import WebEntryType, WebPolicy

_BELOW: Final = "mailreeve-names-nothing-here"
"""A label that no list names: what is said of the name with it in front is said of all below that is not named."""


class Name(Struct, frozen=True, gc=False):
    """A name, and what is decided about it with all below it that no other name speaks of."""

    host: str
    verdict: WebVerdict

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address, below which nothing is."""
        return is_address(self.host)


class Omission(Struct, frozen=True):
    """What a file leaves out: how much, of what, and why, in words; some of it by name."""

    count: int
    what: str
    why: str
    examples: Sequence[str] = ()

    @staticmethod
    def of(found: Sequence[str], what: str, why: str) -> Omission:
        """These, the first few of them named."""
        return Omission(len(found), what, why, tuple(found[:3]))

    def __str__(self) -> str:
        number = f"{self.count:,} {self.what}{'' if self.count == 1 else 's'}"
        named = f" ({', '.join(self.examples)}{', …' if self.count > len(self.examples) else ''})"
        return f"{number}{named if self.examples else ''}: {self.why}"


class Flat(Struct, frozen=True):
    """The names in order, what is decided about all others, and what no list of names can say."""

    names: Sequence[Name]
    rest: WebVerdict
    omitted: Sequence[Omission]


def flat(policies: PolicySet, facts: WebFacts) -> Flat:
    """The lists as they are for whoever `facts` tell of, whose URL does not count, at that time."""
    request = WebRequest(policies.at(facts.at), facts)
    holding: list[WebPolicy] = []
    others: list[str] = []
    for policy in policies.web.policies:
        if isinstance(request.standing(policy.id), tuple):
            holding.append(policy)
        elif policy.entries or policy.default_deny:
            others.append(policy.description)
    entries = [(policy, entry) for policy in holding for entry in policy.entries]
    paths = [entry.value for policy, entry in entries if list_entry(policy, entry).is_part_of_host]
    exact = [
        entry.value
        for policy, entry in entries
        if entry.type is WebEntryType.URL and not list_entry(policy, entry).is_part_of_host
    ]
    omitted = [
        Omission.of(others, "list", "for others, or at another time"),
        Omission.of(paths, "URL", "about a part of a host, which a list of names cannot say"),
        Omission.of(exact, "URL", "about a host without what is below it; name it as a domain"),
    ]
    hosts = {entry.value for _, entry in entries if entry.type is WebEntryType.DOMAIN}
    rest = decide_web(policies, replace(facts, url=f"http://{_BELOW}/")).verdict
    return Flat(list(_names(policies, facts, hosts, rest)), rest, [one for one in omitted if one.count])


def _names(policies: PolicySet, facts: WebFacts, hosts: set[str], rest: WebVerdict) -> Iterator[Name]:
    told: dict[str, WebVerdict] = {}
    # Upper ones first, so that each finds what is said above it; those of one domain stand together.
    for host in sorted(hosts, key=lambda one: one.split(".")[::-1]):
        name = Name(host, WebVerdict.NONE)
        asked = host if name.is_address else f"{_BELOW}.{host}"
        verdict = decide_web(policies, replace(facts, url=f"http://{asked}/")).verdict
        if verdict is not next((told[above] for above in domains_above(host) if above in told), rest):
            told[host] = verdict
            yield Name(host, verdict)
