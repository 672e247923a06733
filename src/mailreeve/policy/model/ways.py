"""Aliases and tags by which a policy comes to name an address that stands for another one (behaviour.md D-53)."""

from __future__ import annotations

from mailreeve.formats.addresses import Address
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.identities import Identities, StandIn
from mailreeve.policy.model.policies import FromPart
from mailreeve.policy.model.targets import Target, TargetType, is_around


def senders_of(facts: MessageFacts, part: FromPart | None) -> list[Address]:
    """The addresses that a policy looked at as the sender's: those of the From header, or the envelope's."""
    if part is FromPart.HEADER_FROM:
        return [author.address for author in facts.header_from or () if author.address is not None]
    return [facts.sender] if isinstance(facts.sender, Address) else []


def way_to_target(identities: Identities, address: Address, target: Target) -> tuple[StandIn, ...]:
    """The steps from the address to the first one that the target names: an address, its domain, or the user who
    has an attribute value. None for other targets, and where it names the address itself or none of them."""
    way = identities.way(address)
    if target.type is TargetType.ADDRESS_ATTRIBUTE_VALUE:
        return way if target.key in identities.keys(address) else ()
    if target.type not in (TargetType.INDIVIDUAL_EMAIL_ADDRESS, TargetType.EMAIL_DOMAIN):
        return ()
    if _names(target.key, address.key):
        return ()
    for number, step in enumerate(way, 1):
        if _names(target.key, step.of):
            return way[:number]
    return ()


def _names(name: str, key: str) -> bool:
    """Whether an address, by its key, is what is named, or is at the domain, or below it where that says so."""
    domain = key.rpartition("@")[2]
    return name in (key, domain) or is_around(name, domain)


def way_to_member(identities: Identities, address: Address, member: str) -> tuple[StandIn, ...]:
    """How the address and the member of a group are the same one's; nothing where the group holds the address
    itself or its domain."""
    if _names(member, address.key):
        return ()
    way = identities.way(address)
    if "@" not in member:
        return way
    stands_for = (address.key, *(step.of for step in way))
    if member in stands_for:
        return way[: stands_for.index(member)]
    return (*way, *identities.way_of(member))
