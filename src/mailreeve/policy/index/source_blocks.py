"""May a source address be refused at connect, before anybody is named (behaviour.md section 1, row 1)?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from mailreeve.formats.networks import IPAddress
from mailreeve.policy.index.matching import out_of_force, policy_order
from mailreeve.policy.index.ranked import Ranked, Reversed, entry_order, policy_of
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.model.targets import TargetType

_EVERYONE: Final = TargetType.EVERYONE
_BLOCK: Final = BlockedOption.BLOCK_SENDER

Ranks: TypeAlias = Ranked[BlockedSenderPolicy]
Entry: TypeAlias = BlockedSenderPolicy | Reversed[BlockedSenderPolicy]


class SourceBlocks(Struct, frozen=True):
    """The blocked sender policies that are reduced to source addresses, and what could stand against them.

    A refusal at connect hits every sender and recipient, so it is given only where all of these hold:

    - a policy from everyone to everyone blocks the address;
    - no other policy in force for the address could outrank it (D-07): it carries `override` and no
      stronger override exists, or the account has no policy for anybody in particular;
    - no exemption (`no_action`) in force for the address could match anybody, even one that the block
      outranks. Where the admin tells senders apart, each is told 550 at RCPT (vector 14), which is final;
      the 421 of a refused connection makes senders try again for days.

    The account's own open relay policy counts as any other, so in an ordinary account only an
    overriding block is given at connect.

    All are in order, the rivals by the stronger of their two directions. `particular` counts the policies for
    anybody in particular. Disabled policies are in none of these.
    """

    blocks: Ranks = Ranked(())
    exemptions: Ranks = Ranked(())
    overriding: Ranks = Ranked(())
    everyone: Ranks = Ranked(())
    particular: int = 0

    @staticmethod
    def of(policies: Iterable[BlockedSenderPolicy]) -> SourceBlocks:
        """Those among all policies of an account."""
        return SourceBlocks().changed((), policies)

    def changed(self, gone: Iterable[BlockedSenderPolicy], new: Iterable[BlockedSenderPolicy]) -> SourceBlocks:
        """Those once some policies, which were among them, are gone and others are there."""
        before, after = _Change(), _Change()
        for policy in gone:
            before.add(policy)
        for policy in new:
            after.add(policy)
        return SourceBlocks(
            blocks=_changed(self.blocks, before.blocks, after.blocks),
            exemptions=_changed(self.exemptions, before.exemptions, after.exemptions),
            overriding=_changed(self.overriding, before.overriding, after.overriding),
            everyone=_changed(self.everyone, before.everyone, after.everyone),
            particular=self.particular - before.particular + after.particular,
        )

    def refusing(self, identities: Identities, source_ip: IPAddress, at: float) -> BlockedSenderPolicy | None:
        """The policy by which every message from this address is refused whoever writes to whom, if any."""
        block: BlockedSenderPolicy | None = None
        for entry in self.blocks.in_force(at, source_ip):
            found = policy_of(entry)
            if out_of_force(found.scope.terms, at, source_ip) is None:
                block = found
                break
        if block is None:
            return None
        if block.scope.terms.override:
            rivals = self.overriding
        elif not self.particular:
            rivals = self.everyone
        else:
            return None  # any policy for somebody in particular outranks it

        def could_apply(policy: BlockedSenderPolicy) -> bool:
            scope = policy.scope
            return (
                out_of_force(scope.terms, at, source_ip) is None
                and identities.can_match(scope.from_)
                and identities.can_match(scope.to)
            )

        # Only what is in force for this address is looked at, rivals from the strongest down to the block: whoever
        # is refused has this done at each connection, and there may be many thousands of other sources.
        if any(could_apply(policy_of(entry)) for entry in self.exemptions.in_force(at, source_ip)):
            return None
        place = policy_order(block)
        for entry in rivals.in_force(at, source_ip):
            if entry_order(entry) <= place:
                break
            if could_apply(policy_of(entry)):
                return None
        return block


class _Change:
    """Policies that come or go, by what each of them is."""

    def __init__(self) -> None:
        self.blocks: list[Entry] = []
        self.exemptions: list[Entry] = []
        self.overriding: list[Entry] = []
        self.everyone: list[Entry] = []
        self.particular = 0

    def add(self, policy: BlockedSenderPolicy) -> None:
        scope = policy.scope
        if not scope.terms.enabled:
            return
        # A quick way past by far the most.
        if scope.from_.type is not _EVERYONE and policy.option is _BLOCK and not scope.terms.override:
            self.particular += 1
            return
        if _is_source_block(policy):
            self.blocks.append(policy)
        entry = _strongest(policy)
        if policy.option is BlockedOption.NO_ACTION:
            self.exemptions.append(entry)
        if scope.terms.override:
            self.overriding.append(entry)
        if _is_for_everyone(scope):
            self.everyone.append(entry)
        else:
            self.particular += 1


def _strongest(policy: BlockedSenderPolicy) -> Entry:
    """The policy as it is or reversed, whichever comes first in the order."""
    if policy.scope.terms.bidirectional and policy_order(policy, is_reversed=True) > policy_order(policy):
        return Reversed(policy)
    return policy


def _changed(kept: Ranks, gone: Sequence[Entry], new: Sequence[Entry]) -> Ranks:
    for entry in gone:
        kept = kept.without(entry)
    if len(new) > len(kept):
        return Ranked(tuple(sorted((*kept, *new), key=entry_order, reverse=True)))
    for entry in new:
        kept = kept.with_entry(entry)
    return kept


def _is_for_everyone(scope: Scope) -> bool:
    return scope.from_.type is _EVERYONE and scope.to.type is _EVERYONE


def _is_source_block(policy: BlockedSenderPolicy) -> bool:
    scope = policy.scope
    return (
        policy.option is BlockedOption.BLOCK_SENDER
        and not policy.relay_guard
        and bool(scope.terms.networks)
        and scope.terms.from_part is FromPart.ENVELOPE_FROM
        and _is_for_everyone(scope)
    )
