"""Where does mail for a bare `postmaster` go? Every mail server has to take it (RFC 5321 section 4.5.1)."""

from __future__ import annotations

from mailreeve.formats.addresses import NULL_SENDER, AddressError, Domain, parse_address
from mailreeve.mail.ports import PoliciesAtHand


def postmaster_domain(policies: PoliciesAtHand, hostname: str) -> Domain | None:
    """The internal domain whose postmaster is meant; None if nothing says which. May wait for the store.

    That is the one that the door's own name is or lies in; else, where one account has all domains, its
    alphabetically first. Several accounts share no postmaster.
    """
    labels = hostname.split(".")
    for place in range(len(labels)):
        try:
            address = parse_address("postmaster@" + ".".join(labels[place:]))
        except AddressError:  # the hostname is an address literal
            break
        owner = policies.policies_for(address, NULL_SENDER)
        if owner is not None and address.domain in owner.directory.internal_domains:
            return address.domain
    every = policies.all_policies()
    if len(every) != 1:
        return None
    return min(every[0].directory.internal_domains, default=None)
