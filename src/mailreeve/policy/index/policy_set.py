"""Which policies hold for an account at one revision? One immutable, indexed value that a decision reads."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.networks import Network
from mailreeve.policy.index.definitions import Definitions
from mailreeve.policy.index.matching import P
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.index.personal import PersonalLists
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.index.source_blocks import SourceBlocks
from mailreeve.policy.index.web_index import WebIndex
from mailreeve.policy.model.facts import Directory, DirectoryChanges
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    BlockedSenderPolicy,
    Changes,
    Definition,
    ManagedSender,
    PermittedSenderPolicy,
    WebPolicy,
)


class PolicySet(Struct, frozen=True):
    """Everything that decisions for one account are made from, at one revision.

    Readers may share it between threads; nothing in it changes. `relay_networks` are the sources from
    which mail to external recipients is taken.
    """

    account_id: str
    revision: int
    identities: Identities
    relay_networks: NetworkTable[Network]
    blocked: ScopedIndex[BlockedSenderPolicy]
    source_blocks: SourceBlocks
    permitted: ScopedIndex[PermittedSenderPolicy]
    managed: PersonalLists
    alteration: ScopedIndex[AlterationPolicy]
    definitions: Definitions
    web: WebIndex

    @property
    def directory(self) -> Directory:
        """What the account's directory says about addresses."""
        return self.identities.directory

    @property
    def size(self) -> int:
        """How many policies, entries and definitions it holds: a measure of the room it takes."""
        mail = len(self.blocked) + len(self.permitted) + len(self.managed)
        return mail + len(self.alteration) + len(self.definitions) + len(self.web)

    @staticmethod
    def build(
        *,
        account_id: str,
        revision: int,
        directory: Directory | None = None,
        relay_networks: Iterable[Network] | NetworkTable[Network] = (),
        blocked: Iterable[BlockedSenderPolicy] = (),
        permitted: Iterable[PermittedSenderPolicy] = (),
        managed: Iterable[ManagedSender] = (),
        alteration: Iterable[AlterationPolicy] = (),
        definitions: Iterable[Definition] = (),
        web: Iterable[WebPolicy] = (),
    ) -> PolicySet:
        """The set, indexed. An omitted directory is an empty one: nobody is internal."""
        blocked_index = ScopedIndex(blocked)
        return PolicySet(
            account_id=account_id,
            revision=revision,
            identities=Identities(Directory() if directory is None else directory),
            relay_networks=NetworkTable.of(relay_networks),
            blocked=blocked_index,
            source_blocks=SourceBlocks.of(blocked_index.policies),
            permitted=ScopedIndex(permitted),
            managed=PersonalLists(managed),
            alteration=ScopedIndex(alteration),
            definitions=Definitions(definitions),
            web=WebIndex(web),
        )

    def changed(
        self,
        *,
        revision: int,
        directory: Directory | DirectoryChanges | None = None,
        relay_networks: Iterable[Network] | None = None,
        blocked: Iterable[BlockedSenderPolicy] | Changes[BlockedSenderPolicy] | None = None,
        permitted: Iterable[PermittedSenderPolicy] | Changes[PermittedSenderPolicy] | None = None,
        managed: Iterable[ManagedSender] | Changes[ManagedSender] | None = None,
        alteration: Iterable[AlterationPolicy] | Changes[AlterationPolicy] | None = None,
        definitions: Iterable[Definition] | Changes[Definition] | None = None,
        web: Iterable[WebPolicy] | Changes[WebPolicy] | None = None,
    ) -> PolicySet:
        """The set at a later revision.

        A part is given whole, or as what has become of single objects of it, which costs what these cost.
        What is not given is shared with this set.
        """
        identities, source_blocks = self.identities, self.source_blocks
        if isinstance(directory, DirectoryChanges):
            identities = identities.changed(directory)
        elif directory is not None:
            identities = Identities(directory)
        blocked_index = self.blocked
        if isinstance(blocked, Changes):
            ids = {*blocked.gone, *(policy.id for policy in blocked.put)}
            gone = [policy for key in ids if (policy := blocked_index.get(key)) is not None]
            source_blocks = source_blocks.changed(gone, blocked.put)
            blocked_index = blocked_index.changed(blocked)
        elif blocked is not None:
            blocked_index = ScopedIndex(blocked)
            source_blocks = SourceBlocks.of(blocked_index.policies)
        return replace(
            self,
            revision=revision,
            identities=identities,
            relay_networks=self.relay_networks if relay_networks is None else NetworkTable.of(relay_networks),
            blocked=blocked_index,
            source_blocks=source_blocks,
            permitted=_scoped(self.permitted, permitted),
            managed=_lists(self.managed, managed),
            alteration=_scoped(self.alteration, alteration),
            definitions=_definitions(self.definitions, definitions),
            web=_web(self.web, web),
        )


def _scoped(index: ScopedIndex[P], given: Iterable[P] | Changes[P] | None) -> ScopedIndex[P]:
    if isinstance(given, Changes):
        return index.changed(given)
    return index if given is None else ScopedIndex(given)


def _lists(lists: PersonalLists, given: Iterable[ManagedSender] | Changes[ManagedSender] | None) -> PersonalLists:
    if isinstance(given, Changes):
        return lists.changed(given)
    return lists if given is None else PersonalLists(given)


def _definitions(
    definitions: Definitions, given: Iterable[Definition] | Changes[Definition] | None
) -> Definitions:
    if isinstance(given, Changes):
        return definitions.changed(given)
    return definitions if given is None else Definitions(given)


def _web(index: WebIndex, given: Iterable[WebPolicy] | Changes[WebPolicy] | None) -> WebIndex:
    if isinstance(given, Changes):
        return index.changed(given)
    return index if given is None else WebIndex(given)
