"""Which policies hold for an account at one revision? One immutable, indexed value that a decision reads."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.policy.definitions import Definitions
from mailreeve.policy.facts import Directory
from mailreeve.policy.identities import Identities
from mailreeve.policy.index import ScopedIndex
from mailreeve.policy.personal import PersonalLists
from mailreeve.policy.policies import (
    AlterationPolicy,
    BlockedSenderPolicy,
    Definition,
    ManagedSender,
    Network,
    PermittedSenderPolicy,
    WebPolicy,
)
from mailreeve.policy.source_blocks import SourceBlocks
from mailreeve.policy.web_index import WebIndex


class PolicySet(Struct, frozen=True):
    """Everything that decisions for one account are made from, at one revision.

    Readers may share it between threads; nothing in it changes. `relay_networks` are the sources from
    which mail to external recipients is taken.
    """

    account_id: str
    revision: int
    identities: Identities
    relay_networks: tuple[Network, ...]
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

    @staticmethod
    def build(
        *,
        account_id: str,
        revision: int,
        directory: Directory | None = None,
        relay_networks: Iterable[Network] = (),
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
            relay_networks=tuple(relay_networks),
            blocked=blocked_index,
            source_blocks=SourceBlocks(blocked_index.policies),
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
        directory: Directory | None = None,
        relay_networks: Iterable[Network] | None = None,
        blocked: Iterable[BlockedSenderPolicy] | None = None,
        permitted: Iterable[PermittedSenderPolicy] | None = None,
        managed: Iterable[ManagedSender] | None = None,
        alteration: Iterable[AlterationPolicy] | None = None,
        definitions: Iterable[Definition] | None = None,
        web: Iterable[WebPolicy] | None = None,
    ) -> PolicySet:
        """The set at a later revision. Only the parts given are indexed anew; the others are shared."""
        blocked_index = self.blocked if blocked is None else ScopedIndex(blocked)
        return replace(
            self,
            revision=revision,
            identities=self.identities if directory is None else Identities(directory),
            relay_networks=self.relay_networks if relay_networks is None else tuple(relay_networks),
            blocked=blocked_index,
            source_blocks=self.source_blocks if blocked is None else SourceBlocks(blocked_index.policies),
            permitted=self.permitted if permitted is None else ScopedIndex(permitted),
            managed=self.managed if managed is None else PersonalLists(managed),
            alteration=self.alteration if alteration is None else ScopedIndex(alteration),
            definitions=self.definitions if definitions is None else Definitions(definitions),
            web=self.web if web is None else WebIndex(web),
        )
