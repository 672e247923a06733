"""May a source address be refused at connect, before anybody is named (behaviour.md section 1, row 1)?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.networks import IPAddress
from mailreeve.policy.index.matching import out_of_force, policy_order
from mailreeve.policy.index.ranked import Ranked, entry_order, policy_of
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.model.targets import TargetType

_EVERYONE: Final = TargetType.EVERYONE
_BLOCK: Final = BlockedOption.BLOCK_SENDER

Few = Sharded[BlockedSenderPolicy]


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

    `blocks` are in order; the others are by id. `particular` counts the policies for anybody in particular.
    Disabled policies are in none of these.
    """

    blocks: Ranked[BlockedSenderPolicy] = Ranked(())
    exemptions: Few = Sharded()
    overriding: Few = Sharded()
    everyone: Few = Sharded()
    particular: int = 0

    @staticmethod
    def of(policies: Iterable[BlockedSenderPolicy]) -> SourceBlocks:
        """Those among all policies of an account."""
        return SourceBlocks().changed((), policies)

    def changed(self, gone: Iterable[BlockedSenderPolicy], new: Iterable[BlockedSenderPolicy]) -> SourceBlocks:
        """Those once some policies, which were among them, are gone and others are there."""
        blocks = self.blocks
        blocking: list[BlockedSenderPolicy] = []
        exemptions: dict[str, BlockedSenderPolicy | None] = {}
        overriding: dict[str, BlockedSenderPolicy | None] = {}
        everyone: dict[str, BlockedSenderPolicy | None] = {}
        particular = self.particular
        for policy in gone:
            if policy.scope.terms.enabled:
                if _is_source_block(policy):
                    blocks = blocks.without(policy)
                exemptions[policy.id] = overriding[policy.id] = everyone[policy.id] = None
                particular -= not _is_for_everyone(policy.scope)
        for policy in new:
            scope = policy.scope
            if not scope.terms.enabled:
                continue
            # A quick way past by far the most.
            if scope.from_.type is not _EVERYONE and policy.option is _BLOCK and not scope.terms.override:
                particular += 1
                continue
            if _is_source_block(policy):
                blocking.append(policy)
            if policy.option is BlockedOption.NO_ACTION:
                exemptions[policy.id] = policy
            if scope.terms.override:
                overriding[policy.id] = policy
            if _is_for_everyone(scope):
                everyone[policy.id] = policy
            else:
                particular += 1
        if len(blocking) > len(blocks):
            blocks = Ranked(tuple(sorted((*blocks, *blocking), key=entry_order, reverse=True)))
        else:
            for policy in blocking:
                blocks = blocks.with_entry(policy)
        return replace(
            self,
            blocks=blocks,
            exemptions=_changed(self.exemptions, exemptions),
            overriding=_changed(self.overriding, overriding),
            everyone=_changed(self.everyone, everyone),
            particular=particular,
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

        if any(could_apply(exemption) for exemption in self.exemptions.values()):
            return None
        place = policy_order(block)
        for rival in rivals.values():
            upper = max(policy_order(rival), policy_order(rival, is_reversed=rival.scope.terms.bidirectional))
            if upper > place and could_apply(rival):
                return None
        return block


def _changed(kept: Few, entries: Mapping[str, BlockedSenderPolicy | None]) -> Few:
    """Without a copy for what was never in it: most policies are in none of the maps."""
    return kept.changed({key: policy for key, policy in entries.items() if policy is not None or key in kept})


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
