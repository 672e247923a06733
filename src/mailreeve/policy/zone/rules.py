"""What do the web lists say of a name, to somebody of whom nothing is known but where they are?

A resolver sees a name and no more: neither who asks nor the rest of a URL. So a zone says of each name what
`decide_web` says of `http://name/` when no user is known, and by the same order (behaviour.md D-25). What it says
of all names of which nothing else is said, as a default deny does, is said below `REST`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailreeve.formats.networks import Network
from mailreeve.formats.weburls import WebUrl, is_address
from mailreeve.policy.decide.web import EntryKey, Standing, list_standing, scope_standing
from mailreeve.policy.index.network_cover import networks_covered
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import Listed
from mailreeve.policy.model.policies import Scope, WebAction, WebEntryType
from mailreeve.policy.model.targets import EVERYONE_KEY, TargetType

MAX_NAME: Final = 255
"""Octets of a name on the wire, the root's included (RFC 1035 section 2.3.4)."""

TRIGGERS: Final = frozenset(("rpz-ip", "rpz-nsip", "rpz-nsdname", "rpz-client-ip"))
"""Last labels under which a policy zone holds no names, but addresses and servers."""

REST: Final = ""
"""The name above all others, the root. Nothing is said of itself."""

NOTHING, ALLOW, BLOCK = 0, 1, 2

Said = int
"""What a zone says of a name itself and of all names below it, each `NOTHING`, `ALLOW` or `BLOCK`: see `said`. A
zone of a million names holds a million of these."""

UNSAID: Final[Said] = 0


def said(itself: int, below: int) -> Said:
    """What is said of a name and of those below it, as one number."""
    return itself * 3 + below


def of_itself(found: Said) -> int:
    """What is said of the name."""
    return found // 3


def of_below(found: Said) -> int:
    """What is said of the names below it of which nothing else is said."""
    return found % 3


class ZoneRules:
    """The web lists as they are for whoever is in some `networks` at the time `at`, in POSIX seconds. Without
    networks nothing is known of the source. A list that holds for a part of the networks only is not said.

    `room` is how many octets a name may take on the wire in the zone: what is longer is not said.
    """

    __slots__ = ("_all_else", "_networks", "_room", "_standings", "_web", "at", "policies")

    def __init__(self, policies: PolicySet, at: float, networks: tuple[Network, ...], room: int) -> None:
        self.policies = policies
        self.at = at
        self._web = policies.web
        self._networks = networks
        self._room = room
        self._standings: dict[str, Standing | None] = {}
        self._all_else = [listed for listed in self._web.all_else if self.standing(listed.policy_id) is not None]

    def standing(self, policy_id: str) -> Standing | None:
        """The strongest scope by which a list holds; None where none does, or there is no such list."""
        if policy_id in self._standings:
            return self._standings[policy_id]
        policy = self._web.get(policy_id)
        found: Standing | None = None
        if policy is not None:
            found = max((scope_standing(scope) for scope in policy.scopes if self._holds(scope)), default=None)
            found = None if found is None else list_standing(policy, found)
        self._standings[policy_id] = found
        return found

    def _holds(self, scope: Scope) -> bool:
        terms = scope.terms
        return (
            terms.enabled
            and terms.starts <= self.at < terms.ends
            and networks_covered(terms.networks, self._networks)
            and scope.to.type is TargetType.EVERYONE
            and scope.from_.key == EVERYONE_KEY
        )

    def holding(self, host: str) -> bool:
        """Whether an entry that holds names this very host, and the zone can hold it; of `REST`, whether a default
        deny holds."""
        if not host:
            return bool(self._all_else)
        return self.sayable(host) and any(
            self.standing(listed.policy_id) is not None for listed in self._web.naming(host)
        )

    def sayable(self, host: str) -> bool:
        """Whether a zone can hold the host and the names below it: see `why_unsayable`."""
        return not (is_address(host) or is_trigger(host) or self.is_too_long(host))

    def is_too_long(self, host: str) -> bool:
        """Whether `*.host` does not fit into the zone. Every label has an octet for its length."""
        return len(host) + 3 > self._room

    def said_of(self, host: str) -> Said:
        """What the zone says of the host and below it."""
        itself: EntryKey | None = None
        below: EntryKey | None = None
        first = last = NOTHING
        for listed in self._covering(host):
            standing = self.standing(listed.policy_id)
            if standing is None:
                continue
            key = (standing, listed.order)
            action = BLOCK if listed.entry.action is WebAction.BLOCK else ALLOW
            if itself is None or key > itself:
                itself, first = key, action
            if listed.entry.type is WebEntryType.DOMAIN and (below is None or key > below):
                below, last = key, action
        return said(first if host else NOTHING, last)

    def inherited(self, host: str) -> EntryKey | None:
        """The strongest entry of those that cover the host with all names below it."""
        return max(self._keys(host), default=None)

    def _keys(self, host: str) -> Iterator[EntryKey]:
        for listed in self._covering(host):
            standing = self.standing(listed.policy_id)
            if standing is not None and listed.entry.type is WebEntryType.DOMAIN:
                yield standing, listed.order

    def _covering(self, host: str) -> Iterator[Listed]:
        yield from self._web.covering(WebUrl(host, "", "")) if host else ()
        yield from self._all_else

    def next_turn(self) -> float:
        """When the next list begins or ends to hold; infinite if none does."""
        terms = [scope.terms for policy in self._web.policies for scope in policy.scopes if scope.terms.enabled]
        times = [time for one in terms for time in (one.starts, one.ends) if time > self.at]
        return min(times, default=float("inf"))


def is_trigger(host: str) -> bool:
    """Whether a policy zone would take the name for something else than a name."""
    return host.rpartition(".")[2] in TRIGGERS
