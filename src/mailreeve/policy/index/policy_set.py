"""Which policies hold for an account at one revision? One immutable, indexed value that a decision reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.networks import Network
from mailreeve.policy.index.definitions import Definitions
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.index.personal import PersonalLists
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.index.source_blocks import SourceBlocks
from mailreeve.policy.index.web_index import WebIndex
from mailreeve.policy.index.web_places import WebPlaces
from mailreeve.policy.model.authentication import UNJUDGED, AuthenticationRules
from mailreeve.policy.model.facts import Directory, DirectoryChanges
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    AntiSpoofingBypassPolicy,
    AntiSpoofingPolicy,
    BlockedSenderPolicy,
    Changes,
    Definition,
    ManagedSender,
    PermittedSenderPolicy,
    ScopedPolicy,
    SpamPolicy,
    WebPolicy,
)
from mailreeve.policy.model.policy_types import SCOPED, PolicyType
from mailreeve.policy.model.web_places import Places

I = TypeVar("I")  # noqa: E741 - an index of a part
T = TypeVar("T")

Scoped = Mapping[PolicyType, Iterable[ScopedPolicy] | Changes[ScopedPolicy]]
"""Policies of some types: all of a type, or what has become of single ones."""

_NOTHING: Final[Scoped] = MappingProxyType({})


class PolicySet(Struct, frozen=True):
    """Everything that decisions for one account are made from, at one revision.

    Readers may share it between threads; nothing in it changes. `relay_networks` are the sources from
    which mail to external recipients is taken. `scoped` has an index for each type in `SCOPED`.
    `authentication` says what the settings make of SPF, DKIM and DMARC.
    """

    account_id: str
    revision: int
    identities: Identities
    relay_networks: NetworkTable[Network]
    scoped: Mapping[PolicyType, ScopedIndex[ScopedPolicy]]
    # Of `scoped`, those that decisions ask.
    blocked: ScopedIndex[BlockedSenderPolicy]
    permitted: ScopedIndex[PermittedSenderPolicy]
    spoofing: ScopedIndex[AntiSpoofingPolicy]
    bypass: ScopedIndex[AntiSpoofingBypassPolicy]
    alteration: ScopedIndex[AlterationPolicy]
    spam: ScopedIndex[SpamPolicy]
    source_blocks: SourceBlocks
    managed: PersonalLists
    definitions: Definitions
    web: WebIndex
    places: WebPlaces
    authentication: AuthenticationRules = UNJUDGED

    @property
    def directory(self) -> Directory:
        """What the account's directory says about addresses."""
        return self.identities.directory

    def at(self, when: float) -> PolicySet:
        """The set as it is at an instant, in POSIX seconds: without the memberships of groups that have ended by
        then. Validity of policies is tested with each of them, and is no part of this."""
        if when < self.identities.first_end:  # as nearly always, and asked of every decision
            return self
        identities = self.identities.at(when)
        return self if identities is self.identities else replace(self, identities=identities)

    @property
    def size(self) -> int:
        """How many policies, entries and definitions it holds: a measure of the room it takes."""
        scoped = sum(map(len, self.scoped.values()))
        return scoped + len(self.managed) + len(self.definitions) + len(self.web)

    @staticmethod
    def build(
        *,
        account_id: str,
        revision: int,
        directory: Directory | None = None,
        relay_networks: Iterable[Network] | NetworkTable[Network] = (),
        scoped: Scoped = _NOTHING,
        managed: Iterable[ManagedSender] = (),
        definitions: Iterable[Definition] = (),
        web: Iterable[WebPolicy] = (),
        places: Places | None = None,
        authentication: AuthenticationRules = UNJUDGED,
    ) -> PolicySet:
        """The set, indexed. An omitted directory is an empty one: nobody is internal."""
        nothing = PolicySet(
            account_id=account_id,
            revision=revision,
            identities=Identities(Directory() if directory is None else directory),
            relay_networks=NetworkTable.of(relay_networks),
            scoped={type_: ScopedIndex() for type_ in SCOPED},
            blocked=ScopedIndex(),
            permitted=ScopedIndex(),
            spoofing=ScopedIndex(),
            bypass=ScopedIndex(),
            alteration=ScopedIndex(),
            spam=ScopedIndex(),
            source_blocks=SourceBlocks(),
            managed=PersonalLists(),
            definitions=Definitions(),
            web=WebIndex(),
            places=WebPlaces(),
            authentication=authentication,
        )
        return nothing.changed(
            revision=revision, scoped=scoped, managed=managed, definitions=definitions, web=web, places=places
        )

    def changed(
        self,
        *,
        revision: int,
        directory: Directory | DirectoryChanges | None = None,
        relay_networks: Iterable[Network] | None = None,
        scoped: Scoped = _NOTHING,
        managed: Iterable[ManagedSender] | Changes[ManagedSender] | None = None,
        definitions: Iterable[Definition] | Changes[Definition] | None = None,
        web: Iterable[WebPolicy] | Changes[WebPolicy] | None = None,
        places: Places | None = None,
    ) -> PolicySet:
        """The set at a later revision.

        A part is given whole, or as what has become of single objects of it, which costs what these cost.
        What is not given is shared with this set.
        """
        identities = self.identities
        if isinstance(directory, DirectoryChanges):
            identities = identities.changed(directory)
        elif directory is not None:
            identities = Identities(directory)
        indexes = {
            type_: _newer(index, scoped.get(type_), index.changed, ScopedIndex)
            for type_, index in self.scoped.items()
        }
        blocked = cast(ScopedIndex[BlockedSenderPolicy], indexes[PolicyType.BLOCKED_SENDERS])
        newer = self.places if places is None else WebPlaces(places)
        lists = self._web_lists(newer, web)
        return replace(
            self,
            revision=revision,
            identities=identities,
            relay_networks=self.relay_networks if relay_networks is None else NetworkTable.of(relay_networks),
            scoped=indexes,
            blocked=blocked,
            permitted=cast(ScopedIndex[PermittedSenderPolicy], indexes[PolicyType.PERMITTED_SENDERS]),
            spoofing=cast(ScopedIndex[AntiSpoofingPolicy], indexes[PolicyType.ANTI_SPOOFING]),
            bypass=cast(ScopedIndex[AntiSpoofingBypassPolicy], indexes[PolicyType.ANTI_SPOOFING_BYPASS]),
            alteration=cast(ScopedIndex[AlterationPolicy], indexes[PolicyType.ADDRESS_ALTERATION]),
            spam=cast(ScopedIndex[SpamPolicy], indexes[PolicyType.SPAM_SCANNING]),
            source_blocks=self._source_blocks(blocked, scoped.get(PolicyType.BLOCKED_SENDERS)),
            managed=_newer(self.managed, managed, self.managed.changed, PersonalLists),
            definitions=_newer(self.definitions, definitions, self.definitions.changed, Definitions),
            web=lists,
            places=newer,
        )

    def _web_lists(self, places: WebPlaces, given: Iterable[WebPolicy] | Changes[WebPolicy] | None) -> WebIndex:
        """The web lists with what is given of them, each bound to its locations as these are now."""
        lists = self.web
        if isinstance(given, Changes):
            lists = lists.changed(Changes([places.resolved(policy) for policy in given.put], given.gone))
        elif given is not None:
            return WebIndex(map(places.resolved, given))
        if places is not self.places:
            bound = [policy for policy in lists.policies if policy.located]
            if bound:
                lists = lists.changed(Changes([places.resolved(policy) for policy in bound]))
        return lists

    def _source_blocks(
        self,
        blocked: ScopedIndex[BlockedSenderPolicy],
        given: Iterable[ScopedPolicy] | Changes[ScopedPolicy] | None,
    ) -> SourceBlocks:
        if given is None:
            return self.source_blocks
        if not isinstance(given, Changes):
            return SourceBlocks.of(blocked.policies)
        ids = {*given.gone, *(policy.id for policy in given.put)}
        gone = [policy for key in ids if (policy := self.blocked.get(key)) is not None]
        put = [policy for key in ids if (policy := blocked.get(key)) is not None]
        return self.source_blocks.changed(gone, put)


def _newer(
    part: I,
    given: Iterable[T] | Changes[T] | None,
    changed: Callable[[Changes[T]], I],
    anew: Callable[[Iterable[T]], I],
) -> I:
    """A part of the set with what is given of it; the same where nothing is."""
    if isinstance(given, Changes):
        return changed(given)
    return part if given is None else anew(given)
