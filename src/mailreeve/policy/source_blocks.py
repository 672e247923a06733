"""May a source address be refused at connect, before anybody is named (behaviour.md section 1, row 1)?"""

from __future__ import annotations

from collections.abc import Iterable

from mailreeve.policy.facts import IPAddress
from mailreeve.policy.identities import Identities
from mailreeve.policy.matching import out_of_force, policy_order
from mailreeve.policy.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.targets import TargetType


class SourceBlocks:
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
    """

    def __init__(self, policies: Iterable[BlockedSenderPolicy] = ()) -> None:
        enabled = [policy for policy in policies if policy.scope.enabled]
        blocks = [policy for policy in enabled if _is_source_block(policy)]
        self._blocks = tuple(sorted(blocks, key=policy_order, reverse=True))
        # Nothing else is looked at as long as there is no such block, which is the common case.
        rest = enabled if blocks else []
        self._exemptions = tuple(policy for policy in rest if policy.option is BlockedOption.NO_ACTION)
        self._overriding = tuple(policy for policy in rest if policy.scope.override)
        self._only_everyone = all(_is_for_everyone(policy.scope) for policy in rest)
        self._everyone = tuple(policy for policy in rest if _is_for_everyone(policy.scope))

    def refusing(self, identities: Identities, source_ip: IPAddress, at: float) -> BlockedSenderPolicy | None:
        """The policy by which every message from this address is refused whoever writes to whom, if any."""
        block = next((b for b in self._blocks if out_of_force(b.scope, at, source_ip) is None), None)
        if block is None:
            return None
        if block.scope.override:
            rivals = self._overriding
        elif self._only_everyone:
            rivals = self._everyone
        else:
            return None  # any policy for somebody in particular outranks it

        def could_apply(policy: BlockedSenderPolicy) -> bool:
            scope = policy.scope
            return (
                out_of_force(scope, at, source_ip) is None
                and identities.can_match(scope.from_)
                and identities.can_match(scope.to)
            )

        if any(could_apply(exemption) for exemption in self._exemptions):
            return None
        place = policy_order(block)
        for rival in rivals:
            upper = max(policy_order(rival), policy_order(rival, swapped=rival.scope.bidirectional))
            if upper > place and could_apply(rival):
                return None
        return block


def _is_for_everyone(scope: Scope) -> bool:
    return scope.from_.type is TargetType.EVERYONE and scope.to.type is TargetType.EVERYONE


def _is_source_block(policy: BlockedSenderPolicy) -> bool:
    scope = policy.scope
    return (
        policy.option is BlockedOption.BLOCK_SENDER
        and not policy.relay_guard
        and bool(scope.networks)
        and scope.from_part is FromPart.ENVELOPE_FROM
        and _is_for_everyone(scope)
    )
